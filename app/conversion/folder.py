"""Documents -> files of a folder, each under a name that every conversion of the same entry gives it.

A name is `2020-06-11-the-words-of-the-title.md`. It is lower-case ASCII without signs, so that it is one name
on every file system, and no file is written over.
"""

import hashlib
import os
import re
import unicodedata
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from app.conversion.entries import ConversionFailed
from app.documents.article import ArticleDocument
from app.documents.files import read_file
from app.documents.reading import read_document
from app.urls import canonical

# eCryptfs, the smallest of the limits on a name, leaves 143 bytes; a date and a digest come beside the words.
MAX_WORDS_CHARACTERS: Final = 80
# Each name takes 80 bytes of memory, and no tool shows a folder with more files.
MAX_DOCUMENTS: Final = 1_000_000
# Windows has devices of these names, with any ending.
_DEVICES: Final = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])")
_NOT_IN_A_NAME: Final = re.compile(r"[^a-z0-9]+")
# Unicode takes these letters for no marked ones; names that lost them would be hard to read.
_LETTERS: Final = str.maketrans(
    {"ß": "ss", "æ": "ae", "ø": "o", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "ħ": "h"}
)
_DIGEST_DIGITS: Final = 8


class Outcome(Enum):
    WRITTEN = "written"
    UNCHANGED = "unchanged"
    REPEATED = "repeated"
    LEFT_ALONE = "left alone"


@dataclass(slots=True)
class DocumentFolder:
    """`_taken` has digests of the names that this conversion gave."""

    root: Path
    _taken: set[int] = field(default_factory=set)

    def put(self, values: dict[str, Any], text: str) -> tuple[Outcome, str]:
        """Writes the document, unless it is there. Of two entries of one name the later one gets a digest."""
        content = text.encode()
        for name in _names(values):
            digest = _number(name)
            if digest in self._taken:
                if self._is(name, content):
                    return Outcome.REPEATED, name
                continue
            if len(self._taken) >= MAX_DOCUMENTS:
                raise ConversionFailed(f"more than {MAX_DOCUMENTS:,} entries; split the file")
            outcome = self._write(name, content, values.get("webUrl"))
            if outcome:
                self._taken.add(digest)
                return outcome, name
        raise AssertionError("names never end")

    def _write(self, name: str, content: bytes, web_url: str | None) -> Outcome | None:
        """None where another article has the name since an earlier conversion."""
        path = self.root / name
        try:
            with path.open("xb") as file, ExitStack() as unfinished:
                # Half a document, of an interrupt or a full disk, would be left alone for ever.
                unfinished.callback(path.unlink, missing_ok=True)
                file.write(content)
                file.flush()
                unfinished.pop_all()
        except FileExistsError:
            if self._is(name, content):
                return Outcome.UNCHANGED
            other_url = self._web_url(name)
            is_other = other_url and web_url and canonical(other_url) != canonical(web_url)
            return None if is_other else Outcome.LEFT_ALONE
        return Outcome.WRITTEN

    def _is(self, name: str, content: bytes) -> bool:
        return read_file(self.root, name) == content

    def _web_url(self, name: str) -> str | None:
        content = read_file(self.root, name)
        if not isinstance(content, bytes):
            return None
        document = read_document(name, content, None).document
        return document.web_url if isinstance(document, ArticleDocument) else None


def make_folder(root: Path) -> DocumentFolder:
    root.mkdir(parents=True, exist_ok=True)
    if not os.access(root, os.W_OK):
        raise ConversionFailed(f"cannot write into {root}")
    return DocumentFolder(root)


def _names(values: dict[str, Any]) -> Iterator[str]:
    """The plain name, with a digest of the URL (or the title), and with numbers behind."""
    url = values.get("webUrl") or ""
    date = (values.get("publishedDateTime") or values.get("addedDateTime") or "")[: len("2020-06-11")]
    words = _words(values["title"])
    if values["title"] == url or 2 * len(words) < min(len(values["title"]), MAX_WORDS_CHARACTERS):
        # Little is left of a title in another script: the URL says more.
        words = _words(_readable(url)) or words
    stem = "-".join(part for part in (date, words) if part)
    if stem and not _DEVICES.fullmatch(stem):
        yield f"{stem}.md"
    digest = hashlib.sha256((url or values["title"]).encode()).hexdigest()[:_DIGEST_DIGITS]
    stem = f"{stem}-{digest}" if stem else digest
    yield f"{stem}.md"
    number = 2
    while True:
        yield f"{stem}-{number}.md"
        number += 1


def _readable(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return f"{(parts.hostname or '').removeprefix('www.')} {parts.path}"


def _words(text: str) -> str:
    """Letters without their marks, and digits, with `-` between words:  "Ça va, C++?" -> "ca-va-c"."""
    plain = unicodedata.normalize("NFKD", text[:1_000].casefold().translate(_LETTERS))
    without_marks = "".join(character for character in plain if not unicodedata.combining(character))
    words = _NOT_IN_A_NAME.sub("-", without_marks.replace("'", "").replace("’", "")).strip("-")
    if len(words) <= MAX_WORDS_CHARACTERS:
        return words
    cut = words[: MAX_WORDS_CHARACTERS + 1].rpartition("-")[0]
    return cut or words[:MAX_WORDS_CHARACTERS]


def _number(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
