"""Every setting, its default, its meaning. They come from the environment alone."""

import warnings
from collections.abc import Iterable
from typing import Any, Self
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SAWarning

from app.errors import SettingsError

PREFIX = "CLIPPINGS_"

# PostgreSQL is written in two ways in the wild and in a third for SQLAlchemy; all mean psycopg 3 here.
_POSTGRESQL_SCHEMES = ("postgres", "postgresql", "postgresql+psycopg")


class Settings(BaseSettings):
    """Frozen, and without secrets in its repr. `Settings.read()` says what is wrong in plain lines."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        populate_by_name=True,
    )

    database_url: str = Field(
        default="sqlite:///clippings.db",
        validation_alias=AliasChoices(f"{PREFIX}DATABASE_URL", "DATABASE_URL"),
        description="Where the catalogue is: sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME",
        repr=False,
    )
    editor_token: SecretStr | None = Field(
        default=None, description="Whoever sends it as a Bearer token also sees what is not published"
    )
    show_unpublished: bool = Field(default=False, description="Everybody sees what is not published")
    public_url: str | None = Field(
        default=None, description="Where clients reach the service, path prefix included"
    )
    remembered_bytes: int = Field(
        default=32_000_000, ge=0, description="So much memory for answers that are given again; 0 for none"
    )

    @classmethod
    def read(cls, **given: Any) -> Self:
        """From the environment; what is given here, by a command's options, goes first."""
        try:
            return cls(**given)
        except ValidationError as error:
            raise SettingsError(
                "\n".join(f"{_environment_name(each['loc'])}: {_reason(each)}" for each in error.errors())
            ) from None

    @property
    def public_path(self) -> str:
        """The path prefix under which clients reach the service:  "/news" for https://example.org/news/."""
        return urlsplit(self.public_url).path if self.public_url else ""

    @field_validator("database_url")
    @classmethod
    def _a_database_we_know(cls, url: str) -> str:
        scheme, _, rest = url.strip().partition("://")
        if scheme in _POSTGRESQL_SCHEMES:
            if not rest.strip("/"):
                raise ValueError("must name a database, as in postgresql://USER:PASSWORD@HOST/NAME")
            url = f"postgresql+psycopg://{rest}"
        elif scheme == "sqlite":
            # Without a file every connection would have an empty database of its own.
            if rest.partition("?")[0] in ("", "/", "/:memory:"):
                raise ValueError("must name a file, as in sqlite:///clippings.db")
            if not rest.startswith("/"):
                raise ValueError("must have three slashes before the file, as in sqlite:///clippings.db")
            url = f"sqlite://{rest}"
        else:
            raise ValueError("must begin with sqlite:///, postgresql:// or postgres://")
        try:
            parts = make_url(url)
            with warnings.catch_warnings():
                # What the driver would pass over, or refuse at the first connection in its own words.
                warnings.simplefilter("error", SAWarning)
                parts.get_dialect()().create_connect_args(parts)
            understood = "@" not in (parts.host or "") and (parts.port or 1) in range(1, 65_536)
        except (ArgumentError, SAWarning, ValueError):
            understood = False
        if not understood:
            # The library's own words repeat parts of the URL, the password among them.
            raise ValueError(
                "is not a database URL; in a user or password write @ as %40, : as %3A and / as %2F"
            )
        return url

    @field_validator("editor_token")
    @classmethod
    def _blank_is_none(cls, token: SecretStr | None) -> SecretStr | None:
        text = token.get_secret_value().strip() if token else ""
        if not text.isascii() or any(
            character.isspace() or not character.isprintable() for character in text
        ):
            raise ValueError("must be printable ASCII without spaces: it travels in an HTTP header")
        return SecretStr(text) if text else None

    @field_validator("public_url")
    @classmethod
    def _an_absolute_web_url(cls, url: str | None) -> str | None:
        if url is None or not url.strip():
            return None
        url = url.strip().rstrip("/")
        try:
            parts = urlsplit(url)
            whole = (
                parts.scheme in ("http", "https") and parts.hostname and (parts.port is None or parts.port)
            )
        except ValueError:  # a port that is no number, half an IPv6 address
            whole = False
        if (
            not whole
            or "@" in parts.netloc
            or not url.isascii()
            or not url.isprintable()
            or set(url) & set(' "<>\\')
        ):
            raise ValueError("must be an absolute URL, as in https://example.org/news")
        if "?" in url or "#" in url:
            raise ValueError("must have neither a query nor a fragment")
        return url


def unknown_names(environment: Iterable[str]) -> list[str]:
    """Names that look like settings and are none; a misspelt one would be ignored in silence."""
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    return sorted(
        name for name in environment if name.upper().startswith(PREFIX) and name.upper() not in known
    )


def _environment_name(place: tuple[int | str, ...]) -> str:
    name = str(place[0]).upper()
    return name if name.startswith(PREFIX) else PREFIX + name


def _reason(error: Any) -> str:
    if error["type"] == "value_error":
        return str(error["ctx"]["error"])
    if error["type"].startswith("bool"):
        return "must be true or false"
    return str(error["msg"])
