"""The style sheet and the icon. Browsers keep them for ever: a digest of the content is in the name."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Final

_FOLDER: Final = Path(__file__).parent / "static"


def static_name(name: str) -> str:
    """ "pages.css" -> "pages.3f2a1c0d.css" """
    stem, _, ending = name.rpartition(".")
    return f"{stem}.{_files()[name][0]}.{ending}"


def static_file(name: str) -> tuple[bytes, bool] | None:
    """The file's content, and whether the digest in the name is its own.

    A page of the version before asks for the file of then, and gets today's.
    """
    stem, digest, ending = [*name.split("."), "", ""][:3]
    file = _files().get(f"{stem}.{ending}")
    return (file[1], digest == file[0]) if file else None


@cache
def _files() -> dict[str, tuple[str, bytes]]:
    """Name -> digest and content."""
    contents = {path.name: path.read_bytes() for path in _FOLDER.iterdir()}
    return {name: (hashlib.sha256(content).hexdigest()[:8], content) for name, content in contents.items()}
