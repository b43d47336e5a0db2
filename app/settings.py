"""Every setting, its default and its meaning. Settings come from the environment alone."""

import re
from collections.abc import Iterable
from typing import Any, Self
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.database_urls import POSTGRESQL_SCHEMES, database_url
from app.errors import SettingsError
from app.logs import LogStyle

PREFIX = "CLIPPINGS_"

# A balancer that needs longer has another trouble; and an idle connection of a day is a dead one.
MAX_DRAIN_SECONDS = 3_600
MAX_KEEP_ALIVE_SECONDS = 86_400
# Caches take no more for true than a year (RFC 9111 asks for no limit, RFC 2616 had this one).
MAX_MAX_AGE = 31_536_000
# A feed reader's list and a browser's tab show some thirty characters of a name, and a description is a line.
MAX_SITE_NAME_CHARACTERS, MAX_SITE_DESCRIPTION_CHARACTERS = 100, 1_000

# XML and terminals choke on these; joiners, which str.isprintable excludes, belong to Persian and to emoji.
_NOT_IN_A_NAME = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")

# These parameters go to libpq where a URL names several hosts and does not say otherwise. Only the primary
# can be written, and only it knows what is true.
SEVERAL_PRIMARIES = {"target_session_attrs": "primary"}
# A host that drops packets holds up whoever opens a connection; libpq waits for two seconds at least.
SEVERAL_STANDBYS = {
    "load_balance_hosts": "random",
    "target_session_attrs": "prefer-standby",
    "connect_timeout": "2",
}


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
        description="The database: sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME",
        repr=False,
    )
    read_database_url: str | None = Field(
        default=None,
        description="Where questions go instead: standbys of a PostgreSQL database, several hosts allowed",
        repr=False,
    )
    editor_token: SecretStr | None = Field(
        default=None,
        description="Whoever sends this Bearer token may also see articles that are not published",
    )
    show_unpublished: bool = Field(
        default=False, description="Everybody may also see articles that are not published"
    )
    public_url: str | None = Field(
        default=None, description="The URL under which clients reach the service, with its path prefix"
    )
    log: LogStyle = Field(default="text", description="How requests are logged: `text`, `json`, or `off`")
    max_age: int = Field(
        default=0,
        ge=0,
        le=MAX_MAX_AGE,
        description="Seconds for which caches in front and browsers may give an answer again unasked",
    )
    purge_url: str | None = Field(
        default=None,
        description="A cache in front that an import tells, by the method PURGE, to forget the catalogue",
        repr=False,
    )
    read_only: bool = Field(
        default=False,
        description="Only read the database, which may be on a disk that cannot be written",
    )
    drain_seconds: float = Field(
        default=0.0,
        ge=0,
        le=MAX_DRAIN_SECONDS,
        description="So long after SIGTERM /health/ready says 503 before new connections are refused",
    )
    keep_alive_seconds: int = Field(
        default=75,
        ge=1,
        le=MAX_KEEP_ALIVE_SECONDS,
        description="So long an idle connection is kept: longer than balancers keep theirs",
    )
    site_name: str = Field(default="Clippings", description="What feeds and pages call this catalogue")
    site_description: str | None = Field(
        default=None, description="A sentence about this catalogue, for feeds and pages"
    )
    show_images: bool = Field(
        default=True,
        description="Pages show the articles' pictures, which browsers fetch from where they are",
    )
    remembered_bytes: int = Field(
        default=32_000_000,
        ge=0,
        description="Bytes of memory in each worker for answers that it gives again; 0 turns this off",
    )

    @classmethod
    def read(cls, **options: Any) -> Self:
        """Settings from the environment; a command's options win over it."""
        try:
            return cls(**options)
        except ValidationError as error:
            raise SettingsError(
                "\n".join(f"{_environment_name(cause['loc'])}: {_reason(cause)}" for cause in error.errors())
            ) from None

    @property
    def public_path(self) -> str:
        """The path prefix under which clients reach the service:  "/news" for https://example.org/news/."""
        return urlsplit(self.public_url).path if self.public_url else ""

    @field_validator("database_url")
    @classmethod
    def _check_database_url(cls, url: str) -> str:
        return database_url(url, SEVERAL_PRIMARIES)

    @field_validator("read_database_url")
    @classmethod
    def _check_read_database_url(cls, url: str | None, others: ValidationInfo) -> str | None:
        if url is None or not url.strip():
            return None
        if others.data.get("database_url", "").startswith("sqlite"):
            raise ValueError("must be left out where CLIPPINGS_DATABASE_URL is SQLite, which has no standbys")
        if url.strip().partition("://")[0] not in POSTGRESQL_SCHEMES:
            raise ValueError("must begin with postgresql:// or postgres://")
        return database_url(url, SEVERAL_STANDBYS)

    @field_validator("editor_token")
    @classmethod
    def _check_editor_token(cls, token: SecretStr | None) -> SecretStr | None:
        text = token.get_secret_value().strip() if token else ""
        if not text.isascii() or any(
            character.isspace() or not character.isprintable() for character in text
        ):
            raise ValueError("must be printable ASCII without spaces: it travels in an HTTP header")
        return SecretStr(text) if text else None

    @field_validator("purge_url")
    @classmethod
    def _check_purge_url(cls, url: str | None) -> str | None:
        if url is None or not url.strip():
            return None
        parts = urlsplit(url.strip())
        is_printable = url.isascii() and url.strip().isprintable() and " " not in url.strip()
        if parts.scheme not in ("http", "https") or not parts.hostname or not is_printable:
            raise ValueError("must be an absolute URL, as in http://127.0.0.1:6081/")
        return url.strip()

    @field_validator("site_name")
    @classmethod
    def _check_site_name(cls, text: str) -> str:
        return _line(text, MAX_SITE_NAME_CHARACTERS) or "Clippings"

    @field_validator("site_description")
    @classmethod
    def _check_site_description(cls, text: str | None) -> str | None:
        return _line(text or "", MAX_SITE_DESCRIPTION_CHARACTERS) or None

    @field_validator("public_url")
    @classmethod
    def _check_public_url(cls, url: str | None) -> str | None:
        if url is None or not url.strip():
            return None
        url = url.strip().rstrip("/")
        try:
            parts = urlsplit(url)
            is_absolute = bool(
                parts.scheme in ("http", "https") and parts.hostname and (parts.port is None or parts.port)
            )
        except ValueError:  # a port that is no number, half an IPv6 address
            is_absolute = False
        if (
            not is_absolute
            or "@" in parts.netloc
            or not url.isascii()
            or not url.isprintable()
            or set(url) & set(' "<>\\')
        ):
            raise ValueError("must be an absolute URL, as in https://example.org/news")
        if "?" in url or "#" in url:
            raise ValueError("must have neither a query nor a fragment")
        return url


def _line(text: str, max_characters: int) -> str:
    """The text with its white space collapsed."""
    line = " ".join(text.split())
    if len(line) > max_characters:
        raise ValueError(f"must have at most {max_characters:,} characters")
    if _NOT_IN_A_NAME.search(line):
        raise ValueError("must be text without control characters")
    return line


def unknown_names(environment: Iterable[str]) -> list[str]:
    """Names in the environment that look like settings and are none: nothing else would tell of a typo."""
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
    if error["type"] == "literal_error":
        return f"must be {error['ctx']['expected']}"
    return str(error["msg"])
