"""HTML -> the text that a reader would see. Knows no format."""

import html
import re
from html.parser import HTMLParser
from typing import Final

from app.conversion.entries import HtmlText, PlainText

_BLOCKS: Final = frozenset(
    """
    address article aside blockquote br caption dd div dl dt fieldset figcaption figure footer form h1 h2 h3
    h4 h5 h6 header hr li main nav ol p pre section table tbody td tfoot th thead tr ul
    """.split()
)
_INLINE: Final = frozenset(
    """
    a abbr acronym audio b bdi bdo big button center cite code data del dfn em embed font i iframe img input
    ins kbd label map mark object picture q ruby rp rt s samp small source span strike strong sub sup svg time
    track tt u var video wbr
    """.split()
)
_UNSEEN: Final = frozenset("script style template noscript head".split())
_ELEMENTS: Final = _BLOCKS | _INLINE | _UNSEEN
_NAMES: Final = "|".join(sorted(_ELEMENTS, key=len, reverse=True))
# A title such as "<p>: The Paragraph element" is text: only what is also closed is markup.
_CLOSING_TAG: Final = re.compile(rf"</(?:{_NAMES})\s*>", re.IGNORECASE)
_ANY_TAG: Final = re.compile(rf"</?(?:{_NAMES})(?:\s[^<>]*)?/?>", re.IGNORECASE)
_BLANKS: Final = re.compile(r"[^\S\n]+")
_LINE_ENDS: Final = re.compile(r" ?\n[ \n]*")


def title_text(text: str) -> str:
    """A title is text that may have entities (`Q&amp;A`), and is HTML where it has closing tags."""
    return _seen(text, _CLOSING_TAG)


def excerpt_text(text: str) -> str:
    """An excerpt is HTML where it has a tag that HTML knows: `vector<bool>` has none."""
    return _seen(text, _ANY_TAG)


def _seen(text: str, markup: re.Pattern[str]) -> str:
    if isinstance(text, PlainText) or ("<" not in text and "&" not in text):
        return str(text)
    if isinstance(text, HtmlText) or markup.search(text):
        return text_of_html(text)
    return html.unescape(text)


def text_of_html(text: str) -> str:
    """Blocks become lines; what a reader does not see is left out."""
    reader = _VisibleText()
    reader.feed(text)
    reader.close()
    return _LINE_ENDS.sub("\n", _BLANKS.sub(" ", "".join(reader.parts))).strip()


class LenientParser(HTMLParser):
    """Reads whatever stands there, as browsers do: Python's own parser raises at `<![` with no section."""

    def parse_marked_section(self, i: int, report: bool = True) -> int:
        return self.parse_bogus_comment(i)


class _VisibleText(LenientParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _ELEMENTS:
            # A badly escaped `vector<bool>` is text.
            self.handle_data(self.get_starttag_text() or "")
        elif tag in _UNSEEN:
            self.unseen += 1
        elif tag in _BLOCKS:
            self.parts.append("\n")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _UNSEEN:
            self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN:
            self.unseen = max(self.unseen - 1, 0)
        elif tag in _BLOCKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self.unseen:
            # Line ends of HTML are white space.
            self.parts.append(data.replace("\n", " "))
