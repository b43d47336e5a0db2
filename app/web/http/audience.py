"""Who asks, and what they may see. The shell decides once per request; everything else reads the value."""

import hmac
from dataclasses import dataclass
from typing import cast

from starlette.requests import Request

from app.settings import Settings
from app.web.http.problems import forbidden, unauthorized


@dataclass(frozen=True, slots=True)
class Asker:
    """`has_token` says that the right token was sent, so the answer may not be kept for others."""

    may_see_unpublished: bool
    has_token: bool


def asker_of(request: Request) -> Asker:
    return cast(Asker, request.scope["state"]["asker"])


def asker_by_header(authorization: bytes | None, settings: Settings) -> Asker:
    """A wrong Bearer token is refused on any path, so that nobody takes the public's answer for the editor's.

    Other schemes are ignored: they may be meant for a proxy in front.
    """
    if authorization is None:
        return Asker(may_see_unpublished=settings.show_unpublished, has_token=False)
    scheme, _, given = authorization.strip().partition(b" ")
    if scheme.lower() != b"bearer":
        return Asker(may_see_unpublished=settings.show_unpublished, has_token=False)
    if settings.editor_token is None:
        raise unauthorized("This server has no editor's token, so none can be right.", "invalid_token")
    if not hmac.compare_digest(given.strip(), settings.editor_token.get_secret_value().encode()):
        raise unauthorized("The Bearer token is not the editor's token of this server.", "invalid_token")
    return Asker(may_see_unpublished=True, has_token=True)


def require_editor(asker: Asker, settings: Settings) -> None:
    """For `published=false` and `any`."""
    if asker.may_see_unpublished:
        return
    if settings.editor_token is None:
        raise forbidden("This server shows nobody what is not published.")
    raise unauthorized("Seeing what is not published needs the editor's token: Authorization: Bearer TOKEN.")
