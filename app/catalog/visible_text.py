"""The text of a content that may be HTML, as a reader of the page sees it. Knows no word.

Inline tags (`<b>`, `<wbr>`) do not part words, all others do. Scripts, styles, comments are no text.
"""

import re
from collections.abc import Iterator
from html import unescape
from typing import Final

# Cleaning so many characters takes a millisecond or two, in which nothing else of Python runs.
CHARACTERS_AT_ONCE: Final = 8_192
# Sixteen thousand words, which are all that is searched, have fewer tags; looking at so many takes 0.1 s.
MAX_TAGS: Final = 100_000

_INLINE: Final = frozenset(
    """
    a abbr acronym b bdi bdo big cite code data del dfn em font i ins kbd mark nobr rb rp rt ruby s samp small
    span strike strong sub sup time tt u var wbr
    """.split()
)

# A page does not show these; without an end tag browsers hide all that follows. Of ruby the base is the text:
# <ruby>漢<rt>かん</rt>字<rt>じ</rt></ruby> is 漢字. Its end tags may be left out.
_HIDDEN: Final = {
    name: re.compile(rf"(?i)</{name}(?=[\s/>])")
    for name in ("script", "style", "template", "noscript", "iframe", "noembed", "noframes")
}
_RUBY: Final = {name: re.compile(r"(?i)</?(?:rb|rp|rt|rtc|ruby)(?=[\s/>])") for name in ("rp", "rt")}

# Markdown shows what stands in backticks and fences:  `<!--` begins a comment. Quoted values may hold `<` and
# `>`. A tag goes as far as it can, and gives nothing back (`*+`): each character is looked at once.
_MARKUP: Final = re.compile(
    r"""(?xsm)
    (?P<code>
        ^[ ]{0,3} (?P<fence> `{3,} | ~{3,} ) [^\n`]*+ \n (?: .*? ^[ ]{0,3} (?P=fence) | .*\Z )
        | `{1,2} [^`\n]{1,1000}+ `{1,2}
    )
    | <(?:
        (?<!`<) !--(?: -?> | .*?(?:--!?>|\Z) )
        | [!?] [^<>]*>
        | (?P<name> /?[A-Za-z][^\s<>/="']* )
          (?: [^<>=]++ | = \s*+ (?: "[^"]*" | '[^']*' )?+ )*+
          (?P<closed> >? )
    )"""
)
# A tag without an end is text, but for the tags within its quotes:  <p class="a <b>b</b>
_SIMPLE_TAG: Final = re.compile(r"<[A-Za-z/!?][^<>]*>")


def visible_text(content: str) -> Iterator[str]:
    """The text in pieces of some thousand characters, cut between words.

    A run of thousands of characters without a space is cut where it comes.
    """
    waiting: list[str] = []
    length = 0
    for piece in _pieces(content):
        waiting.append(piece)
        length += len(piece)
        if length >= CHARACTERS_AT_ONCE:
            text = "".join(waiting)
            end = max(text.rfind(" "), text.rfind("\n"))
            yield text[:end] if end > 0 else text
            waiting = [text[end:]] if end > 0 else []
            length = len(text) - end if end > 0 else 0
    yield "".join(waiting)


def chunks(text: str) -> Iterator[str]:
    """The text cut between words; within a word only if there is no space for thousands of characters."""
    start = 0
    while start < len(text):
        end = start + CHARACTERS_AT_ONCE
        if end < len(text):
            space = max(text.rfind(" ", start, end), text.rfind("\n", start, end))
            end = space if space > start else end
        yield text[start:end]
        start = end


def _pieces(content: str) -> Iterator[str]:
    done = 0
    for _ in range(MAX_TAGS):
        markup = _MARKUP.search(content, done)
        if not markup:
            break
        start, end = markup.span()
        yield from _texts(content[done:start])
        done = end
        if markup["code"]:
            yield from chunks(content[start:end])
            continue
        name = (markup["name"] or "").lower()
        if name and not markup["closed"]:
            yield from _texts(_SIMPLE_TAG.sub(" ", content[start:end]))
        else:
            # A word may go on after a comment too.
            if name.removeprefix("/") not in _INLINE and name:
                yield " "
            if not _is_in_backticks(content, start) and not content.startswith("/>", end - 2):
                end = _end_of_hidden(content, name, end)
        done = end
    else:
        return
    yield from _texts(content[done:])


def _texts(text: str) -> Iterator[str]:
    for chunk in chunks(text):
        yield unescape(chunk) if "&" in chunk else chunk


def _is_in_backticks(content: str, start: int) -> bool:
    return start > 0 and content[start - 1] == "`"


def _end_of_hidden(content: str, name: str, start: int) -> int:
    """Where the text goes on after the start tag of an element that a page does not show."""
    if name in _HIDDEN:
        end_tag = _HIDDEN[name].search(content, start)
        return end_tag.start() if end_tag else len(content)
    if name in _RUBY:
        next_tag = _RUBY[name].search(content, start)
        return next_tag.start() if next_tag else start
    return start
