"""Values as text: cut and escaped for one line, as compact JSON, or for XML. Knows no word of the product."""

import json
import re
from typing import Final

# A JSONEncoder is made once: `json.dumps` with arguments makes a new one at each call.
compact_json: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

# XML 1.0 holds no other characters, not even escaped. Documents may hold a few of them, such as U+FFFE.
_NOT_IN_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def printable(text: str, max_characters: int) -> str:
    r"""The text for one line of a report, an answer or a log: cut to a length, then escaped.

    printable("line\nend", 80) == r"line\nend"        printable("abcdef", 4) == "abc…"
    """
    if len(text) > max_characters:
        text = text[: max_characters - 1] + "…"
    return escaped(text)


def escaped(text: str) -> str:
    r"""`\x1b` for what a terminal would obey, `\n` for a line end, `\ud800` for what JSON cannot hold."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )


def counted(count: int, noun: str) -> str:
    """ "1 article", "1,234 articles" """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def for_xml(text: str) -> str:
    return _NOT_IN_XML.sub("\ufffd", text)
