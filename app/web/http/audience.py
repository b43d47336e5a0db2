"""The asker of a request, and what they may see. The shell decides it once; other modules read the value."""

import hmac
import time
from dataclasses import dataclass
from typing import Final, cast

from starlette.requests import Request

from app.settings import Settings
from app.web.http.problems import forbidden, unauthorized

# The cookie of an editor who signed in on a page. Only pages read it: an answer of the API varies by the
# Authorization header alone, so shared caches keep one copy of it.
EDITOR_COOKIE: Final = "clippings_editor"
COOKIE_DAYS: Final = 30
_SECONDS_OF_A_DAY: Final = 86_400


@dataclass(frozen=True, slots=True)
class Asker:
    """`has_token` means that the right token was sent, so shared caches must not store the response.

    `is_signed_in` means that a page's cookie stood for it.
    """

    may_see_unpublished: bool
    has_token: bool
    is_signed_in: bool = False


def asker_of(request: Request) -> Asker:
    return cast(Asker, request.scope["state"]["asker"])


def asker_by_header(authorization: bytes | None, settings: Settings) -> Asker:
    """Raises a problem (401) for a wrong Bearer token on any path.

    Otherwise an editor with a mistyped token would take the public's list for the complete one. Other schemes
    are ignored, because they may be meant for a proxy in front.
    """
    if authorization is None:
        return Asker(may_see_unpublished=settings.show_unpublished, has_token=False)
    scheme, _, token = authorization.strip().partition(b" ")
    if scheme.lower() != b"bearer":
        return Asker(may_see_unpublished=settings.show_unpublished, has_token=False)
    if settings.editor_token is None:
        raise unauthorized("This server has no editor's token, so none can be right.", "invalid_token")
    if not hmac.compare_digest(token.strip(), settings.editor_token.get_secret_value().encode()):
        raise unauthorized("The Bearer token is not the editor's token of this server.", "invalid_token")
    return Asker(may_see_unpublished=True, has_token=True)


def asker_by_cookie(cookies: bytes, asker: Asker, settings: Settings) -> Asker:
    """The editor whose cookie is among these; else the asker as the other headers have it.

    A cookie that is old or of another token is ignored: browsers send it until they are told otherwise.
    """
    name = EDITOR_COOKIE.encode()
    # A proxy may part cookies into several headers, which are joined with commas.
    for cookie in cookies.replace(b",", b";").split(b";"):
        key, _, value = cookie.strip().partition(b"=")
        if key == name and _is_signed(value.decode("latin-1"), settings):
            return Asker(may_see_unpublished=True, has_token=True, is_signed_in=True)
    return asker


def signed_cookie(settings: Settings) -> str:
    """The value for `Set-Cookie`: when it ends, signed with the token, which it tells nobody."""
    end = str(int(time.time()) + COOKIE_DAYS * _SECONDS_OF_A_DAY)
    return f"{end}.{_signature(end, settings)}"


def is_editor_token(token: str, settings: Settings) -> bool:
    known = settings.editor_token
    return known is not None and hmac.compare_digest(token.encode(), known.get_secret_value().encode())


def _is_signed(value: str, settings: Settings) -> bool:
    end, _, signature = value.partition(".")
    if settings.editor_token is None or not end.isascii() or not end.isdigit() or not signature.isascii():
        return False
    return hmac.compare_digest(signature, _signature(end, settings)) and int(end) > time.time()


def _signature(end: str, settings: Settings) -> str:
    """The signature is this service's alone: another one with the same token has another public URL."""
    token = settings.editor_token.get_secret_value() if settings.editor_token else ""
    text = f"{EDITOR_COOKIE} {end} {settings.public_url}"
    return hmac.digest(token.encode(), text.encode(), "sha256").hex()


def require_editor(asker: Asker, settings: Settings) -> None:
    """Raises a problem (401 or 403) unless the asker may see what `published=false` and `any` show."""
    if asker.may_see_unpublished:
        return
    if settings.editor_token is None:
        raise forbidden(
            "This server shows nobody what is not published. Start it with CLIPPINGS_EDITOR_TOKEN, "
            "and send the token; or start it with --show-unpublished."
        )
    raise unauthorized("Seeing what is not published needs the editor's token: Authorization: Bearer TOKEN.")
