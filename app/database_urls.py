"""URLs of databases, as people write them and as SQLAlchemy reads them. Opens nothing."""

import warnings
from collections.abc import Mapping
from urllib.parse import quote, unquote, urlencode

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SAWarning

# People write PostgreSQL's scheme in two ways and SQLAlchemy in a third; all mean psycopg 3 here.
POSTGRESQL_SCHEMES = ("postgres", "postgresql", "postgresql+psycopg")


def database_url(url: str, several_hosts_options: Mapping[str, str]) -> str:
    """The URL for SQLAlchemy. Raises ValueError, without a part of the URL, as it may be the password.

    Where it names several hosts, the options are added that it has not itself.
    """
    scheme, _, location = url.strip().partition("://")
    if scheme in POSTGRESQL_SCHEMES:
        if not location.strip("/"):
            raise ValueError("must name a database, as in postgresql://USER:PASSWORD@HOST/NAME")
        url = f"postgresql+psycopg://{_with_hosts_as_options(location)}"
    elif scheme == "sqlite":
        # Each connection would open an empty database of its own if the URL named no file.
        if location.partition("?")[0] in ("", "/", "/:memory:"):
            raise ValueError("must name a file, as in sqlite:///clippings.db")
        if not location.startswith("/"):
            raise ValueError("must have three slashes before the file, as in sqlite:///clippings.db")
        url = f"sqlite://{location}"
    else:
        raise ValueError("must begin with sqlite:///, postgresql:// or postgres://")
    try:
        parts = make_url(url)
        with warnings.catch_warnings():
            # The driver would ignore these parts of a URL, or refuse them at the first connection.
            warnings.simplefilter("error", SAWarning)
            hosts = _hosts(parts)
        has_port = parts.port != 0 and all(_is_port(port) for _, port in hosts)
        is_understood = has_port and "@" not in (parts.host or "")
    except (ArgumentError, SAWarning, ValueError):
        is_understood = False
    if not is_understood:
        # SQLAlchemy's message repeats parts of the URL, the password among them.
        raise ValueError("is not a database URL; in a user or password write @ as %40, : as %3A and / as %2F")
    if len(hosts) > 1:
        options = {name: value for name, value in several_hosts_options.items() if name not in parts.query}
        return parts.update_query_dict(options).render_as_string(hide_password=False)
    return url


def without_secrets(url: str) -> str:
    """No password, and nothing behind the `?` but hosts: there may be another password."""
    parts = make_url(url)
    if parts.get_backend_name() == "sqlite":
        return f"sqlite:///{parts.database}"
    user = f"{quote(parts.username)}@" if parts.username else ""
    hosts = ",".join(
        f"{_bracketed(quote(host, safe=':'))}{f':{port}' if port else ''}" for host, port in _hosts(parts)
    )
    return f"postgresql://{user}{hosts}/{quote(parts.database or '')}"


def _with_hosts_as_options(location: str) -> str:
    """`user@a:5432,b:5433/name` as PostgreSQL's own programs take it, in the form that SQLAlchemy takes."""
    end = min(place for place in (location.find("/"), location.find("?"), len(location)) if place >= 0)
    login, at, hosts = location[:end].rpartition("@")
    if "," not in hosts:
        return location
    names, ports = zip(*(_host_and_port(host) for host in hosts.split(",")), strict=True)
    options = urlencode({"host": ",".join(names)} | ({"port": ",".join(ports)} if any(ports) else {}))
    path, _, query = location[end:].partition("?")
    return f"{login}{at}{path or '/'}?{f'{query}&' if query else ''}{options}"


def _host_and_port(text: str) -> tuple[str, str]:
    """An IPv6 address stands in brackets, because it has colons of its own."""
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        return host, rest.removeprefix(":")
    host, _, port = text.partition(":")
    return unquote(host), port


def _hosts(parts: URL) -> list[tuple[str, str]]:
    """Pairs of host and port, both empty where the driver has its own. One port may be that of all hosts."""
    options = parts.get_dialect()().create_connect_args(parts)[1]
    if parts.get_backend_name() == "sqlite":
        return []
    names = str(options.get("host", "")).split(",")
    ports = str(options.get("port", "")).split(",")
    if len(ports) == 1:
        ports *= len(names)
    return list(zip(names, ports, strict=True))


def _is_port(text: str) -> bool:
    return not text or (text.isascii() and text.isdigit() and int(text) in range(1, 65_536))


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
