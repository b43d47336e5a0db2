"""Answers given before, to be given again while the catalogue is the same. Knows no request.

An answer is kept under the revision that it names itself, which its own transaction read: never under one
that was read before or after it. All together are bounded in bytes.
"""

from collections import OrderedDict
from typing import Final, NamedTuple

from app.catalog.state import State
from app.web.answers import Answer
from app.web.audience import Asker

# Of the objects and tables that an answer stands in; measured.
_BYTES_BESIDE_TEXT: Final = 600
# One answer may not push out all the others.
_LARGEST_PART: Final = 1 / 16


class Asked(NamedTuple):
    """All that an answer depends on beside the catalogue."""

    path: str
    query: bytes
    asker: Asker
    encoding: str | None


class Memory:
    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._state: State | None = None
        self._answers: OrderedDict[Asked, Answer] = OrderedDict()
        self._bytes = 0

    def recall(self, state: State, asked: Asked) -> Answer | None:
        answer = self._answers.get(asked) if state == self._state else None
        if answer is not None:
            self._answers.move_to_end(asked)
        return answer

    def keep(self, state: State, asked: Asked, answer: Answer) -> None:
        """Forgets all of an earlier state, and what was not asked for the longest."""
        if not self._most_bytes:
            return
        if state != self._state:
            self._answers.clear()
            self._bytes, self._state = 0, state
        size = _size(asked, answer)
        if asked in self._answers or size > self._most_bytes * _LARGEST_PART:
            return
        self._answers[asked] = answer
        self._bytes += size
        while self._bytes > self._most_bytes:
            self._bytes -= _size(*self._answers.popitem(last=False))


def _size(asked: Asked, answer: Answer) -> int:
    """A query may be longer than its answer, and a link to the next page twice as long as the query."""
    headers = sum(len(name) + len(value) for name, value in answer.headers)
    return len(asked.path) + len(asked.query) + headers + len(answer.body) + _BYTES_BESIDE_TEXT
