"""What is wrong with a document, as a value that travels to the report. Knows nothing of causes."""

from dataclasses import dataclass

# Enough to recognise the value; a report line must stay a line.
MOST_CHARACTERS_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Problem:
    """`line` and `column` count from 1; `key` is a path such as `related[2].quality`, list places from 0."""

    path: str
    line: int | None
    column: int | None
    key: str | None
    reason: str
    advice: str


def shown(text: str) -> str:
    r"""The text as a report may print it: cut, and with `\x1b` for what a terminal would obey."""
    if len(text) > MOST_CHARACTERS_SHOWN:
        text = text[: MOST_CHARACTERS_SHOWN - 1] + "…"
    return escaped(text)


def escaped(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )
