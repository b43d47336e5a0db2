"""Templates and what fills them. Everything is escaped, and a name that no value has is an error."""

from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app.pages.static_files import static_name

_FOLDER: Final = Path(__file__).parent / "templates"

# Feed readers know a feed by its media type.
FEED_TYPES: Final = {
    "RSS": "application/rss+xml",
    "Atom": "application/atom+xml",
    "JSON Feed": "application/feed+json",
}


def render(template: str, **values: Any) -> bytes:
    return _environment().get_template(f"{template}.html").render(**values).encode()


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals.update(static_name=static_name, feed_types=FEED_TYPES)
    environment.filters["number"] = _number
    return environment


def _number(value: int) -> str:
    return f"{value:,}"
