"""The documents that an import will write: the first of them in memory, the rest in a file of their own."""

import pickle
import sys
import tempfile
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import IO, Final, NamedTuple, Self

from app.errors import ImportRefused
from app.importer.plan import DocumentToWrite
from app.importer.serialise import SerialisedArticle, SerialisedLink
from app.names import fold_of_document as fold

# Rows of so many documents, or of so much of their text, are made at once.
_MAX_DOCUMENTS_OF_A_BATCH: Final = 500
_MAX_BYTES_OF_A_BATCH: Final = 8_000_000
# A document takes so much memory beside its texts: some thirty objects.
_OBJECT_BYTES: Final = 2_500
# The spool knows so many links that it has, with 130 bytes each; real trees have some thousand.
MAX_KNOWN_LINKS: Final = 100_000
# Some 15,000 documents of 2 kB. The others go to a file, which takes a twentieth of the time of an import.
MAX_SPOOLED_BYTES: Final = 100_000_000


class NewArticle(NamedTuple):
    """An article to be written, under its document's id."""

    article_id: int
    source: str
    path: str
    public_id: str
    content: SerialisedArticle


@dataclass(slots=True)
class Batch:
    """Documents of articles; `links` has all that they mention, but for links that an earlier batch has."""

    documents: list[DocumentToWrite] = field(default_factory=list)
    links: list[SerialisedLink] = field(default_factory=list)

    def articles(self) -> list[NewArticle]:
        """Those that are not taken down."""
        return [
            NewArticle(
                document.document_id,
                document.source.name,
                document.content.path,
                document.content.public_id,
                document.content.article,
            )
            for document in self.documents
            if document.content.article and document.content.public_id
        ]


class Spool:
    """Add all documents, then take the batches, once. The file is gone when the context ends.

    Descriptions are few, and needed before any article is written: they stay in memory.
    """

    def __init__(
        self, max_bytes_in_memory: int = MAX_SPOOLED_BYTES, max_known_links: int = MAX_KNOWN_LINKS
    ) -> None:
        self.descriptions: list[DocumentToWrite] = []
        # Folded names of the articles' topics: which of them are one topic is decided for all at once.
        self.topic_names: set[str] = set()
        self.replaced_ids: list[int] = []
        self.article_count = 0
        self._max_bytes_in_memory = max_bytes_in_memory
        self._bytes_in_memory = 0
        self._in_memory: deque[Batch] = deque()
        self._file: IO[bytes] | None = None
        self._batch, self._batch_bytes = Batch(), 0
        self._max_known_links = max_known_links
        self._known_links: set[bytes] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file:
            # Closing tries again to write what there was no room for; that was said already.
            with suppress(OSError):
                self._file.close()

    def __bool__(self) -> bool:
        return bool(self.descriptions or self._batch.documents or self._in_memory or self._file)

    def add(self, document: DocumentToWrite) -> None:
        if document.replaces:
            self.replaced_ids.append(document.document_id)
        if document.content.kind != "article":
            self.descriptions.append(document)
            return
        self.article_count += 1
        if article := document.content.article:
            self.topic_names.update(map(fold, article.topics))
        self._add_links(document.content.links)
        content = document.content._replace(links=())
        self._batch.documents.append(document._replace(content=content))
        self._batch_bytes += _OBJECT_BYTES + sys.getsizeof(content.data)
        if article:
            self._batch_bytes += sum(map(sys.getsizeof, (article.item, article.content, *article.text)))
        if (
            len(self._batch.documents) >= _MAX_DOCUMENTS_OF_A_BATCH
            or self._batch_bytes >= _MAX_BYTES_OF_A_BATCH
        ):
            self._end_batch()

    def batches(self) -> Iterator[Batch]:
        """Documents come in the order in which they were added."""
        self._end_batch()
        self._known_links.clear()
        while self._in_memory:
            yield self._in_memory.popleft()
        if self._file:
            with _no_room_is_said():
                end = self._file.tell()
                self._file.seek(0)
            while self._file.tell() < end:
                yield pickle.load(self._file)  # noqa: S301  written above, into a file that nobody else can open

    def _add_links(self, links: tuple[SerialisedLink, ...]) -> None:
        for link in links:
            if link.value_hash not in self._known_links:
                self._known_links.add(link.value_hash)
                self._batch.links.append(link)
                self._batch_bytes += sys.getsizeof(link.item)

    def _end_batch(self) -> None:
        batch, size = self._batch, self._batch_bytes
        self._batch, self._batch_bytes = Batch(), 0
        if not batch.documents:
            return
        # Links are forgotten between batches only: an earlier batch may repeat a link, the same one may not.
        if len(self._known_links) > self._max_known_links:
            self._known_links.clear()
        # Once the file has been begun it has all that follows, so that the order stays.
        if self._file is None and self._bytes_in_memory + size <= self._max_bytes_in_memory:
            self._in_memory.append(batch)
            self._bytes_in_memory += size
            return
        with _no_room_is_said():
            self._file = self._file or tempfile.TemporaryFile()  # noqa: SIM115  closed by __exit__
            pickle.dump(batch, self._file, pickle.HIGHEST_PROTOCOL)
            self._file.flush()


@contextmanager
def _no_room_is_said() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ImportRefused(
            f"The documents read cannot be kept in a temporary file: {error.strerror or 'no folder for it'}. "
            "Name a folder with more room by TMPDIR. Nothing was written."
        ) from error
