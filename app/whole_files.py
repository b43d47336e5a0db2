"""A file that is there whole or not at all, whatever happens while it is written. Knows no format."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def written_whole(file: Path) -> Iterator[Path]:
    """Yields where to write. Without an error that file takes the place of `file`, which stays until then."""
    target = file.resolve()
    part = target.with_name(f".{file.name}.{os.getpid()}")
    try:
        yield part
        if target.exists():
            shutil.copymode(target, part)
        part.replace(target)
    finally:
        # A part is left after an error or an interrupt; after success there is none.
        with suppress(OSError):
            part.unlink()
