"""Whether a tree that is new to the catalogue is one that it has already, under another name."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

from sqlalchemy import Connection, select

from app.catalog.tables import documents, sources
from app.errors import ImportRefused
from app.importer.plan import CONTENT_BYTES, Source

# Two sources may share some files, a licence or a template. More than half are a mistake.
MAX_SHARED_PART: Final = 0.5
_ROWS_AT_ONCE: Final = 1_000


class SecondNames:
    """Tell it of each new source of an import, after its documents were read."""

    def __init__(self) -> None:
        # The sources that this import makes, and the contents of their documents.
        self._new: dict[str, Counter[bytes]] = {}

    def refuse(self, connection: Connection, source: Source, bytes_hashes: Iterable[bytes]) -> None:
        """Raises ImportRefused where another source has most of the documents, byte by byte."""
        contents = Counter(bytes_hash[:CONTENT_BYTES] for bytes_hash in bytes_hashes)
        if not contents:
            return
        shared: dict[str, set[bytes]] = defaultdict(set)
        for name, content in _stored_contents(connection, source):
            if content in contents:
                shared[name].add(content)
        for name, others in self._new.items():
            shared[name] |= contents.keys() & others.keys()
        self._new[source.name] = contents
        _refuse(source.name, contents, shared)


def is_new(connection: Connection, source: Source) -> bool:
    """A source without documents is as good as none."""
    of_the_source = select(documents.c.id).where(documents.c.source_id == source.id).limit(1)
    return connection.scalar(of_the_source) is None


def _stored_contents(connection: Connection, but: Source) -> Iterable[tuple[str, bytes]]:
    rows = connection.execute(
        select(sources.c.name, documents.c.bytes_hash)
        .join(sources, sources.c.id == documents.c.source_id)
        .where(sources.c.id != but.id),
        execution_options={"yield_per": _ROWS_AT_ONCE},
    )
    for name, bytes_hash in rows:
        yield name, bytes(bytes_hash[:CONTENT_BYTES])


def _refuse(source: str, contents: Counter[bytes], shared: Mapping[str, set[bytes]]) -> None:
    counts = {name: sum(contents[content] for content in found) for name, found in shared.items()}
    if not counts:
        return
    other, count = max(counts.items(), key=lambda entry: entry[1])
    if count > contents.total() * MAX_SHARED_PART:
        raise ImportRefused(
            f"{count} of {contents.total()} documents of the new source {source!r} are those of the source "
            f"{other!r}, byte by byte. If they are a part of its tree, name the tree by --root; if they are "
            f"the tree under another name, say --source {other}; --force takes them a second time. "
            "Nothing was written."
        )
