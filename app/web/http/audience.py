"""The asker of a request, and what they may see. The shell decides it once; other modules read the value."""

import hmac
from dataclasses import dataclass
from typing import cast

from starlette.requests import Request

from app.settings import Settings
from app.web.http.problems import forbidden, unauthorized


@dataclass(frozen=True, slots=True)
class Asker:
    """`has_token` means that the right token was sent, so shared caches must not store the response."""

    may_see_unpublished: bool
    has_token: bool


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
