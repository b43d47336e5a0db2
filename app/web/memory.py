"""Answers given before, to be given again while the catalogue is the same. Knows no request.

An answer is kept under the revision that it names itself, which its own transaction read: never under one
that was read before or after it. All together are bounded in bytes.
"""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Final

from app.catalog.state import State
from app.web.answers import Answer

# Its headers, key and places in tables; measured at some 2,500 for an answer without a body.
_BYTES_BESIDE_BODY: Final = 2_500
# One answer may not push out all the others.
_LARGEST_PART: Final = 1 / 16


class Memory:
    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._state: State | None = None
        self._answers: OrderedDict[Hashable, Answer] = OrderedDict()
        self._bytes = 0

    def recall(self, state: State, asked: Hashable) -> Answer | None:
        answer = self._answers.get(asked) if state == self._state else None
        if answer is not None:
            self._answers.move_to_end(asked)
        return answer

    def keep(self, state: State, asked: Hashable, answer: Answer) -> None:
        """Forgets all of an earlier state, and what was not asked for the longest."""
        if state != self._state:
            self._answers.clear()
            self._bytes, self._state = 0, state
        if asked in self._answers or _size(answer) > self._most_bytes * _LARGEST_PART:
            return
        self._answers[asked] = answer
        self._bytes += _size(answer)
        while self._bytes > self._most_bytes:
            self._bytes -= _size(self._answers.popitem(last=False)[1])


def _size(answer: Answer) -> int:
    return len(answer.body) + _BYTES_BESIDE_BODY
