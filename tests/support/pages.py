"""A page for people as a browser reads it: elements and links. Knows no pytest."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final

from starlette.testclient import TestClient

BROWSER: Final = {
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
    "Accept-Encoding": "identity",
}
_VOID: Final = frozenset("area base br col embed hr img input link meta source track wbr".split())
# These hold text and no elements, so a tag within one is not read as such.
_RAW: Final = frozenset(("script", "style"))


@dataclass(slots=True)
class Element:
    tag: str
    attributes: dict[str, str]
    children: list["Element | str"] = field(default_factory=list)

    @property
    def text(self) -> str:
        """White space collapsed, as it is shown."""
        return " ".join("".join(self._texts()).split())

    def _texts(self) -> list[str]:
        texts = []
        for child in self.children:
            texts += [child] if isinstance(child, str) else child._texts()
        return texts

    def all(self, tag: str = "", **attributes: str) -> list["Element"]:
        """The elements within that have this tag and these attributes; a class is one of several."""
        found = []
        for child in self.children:
            if isinstance(child, Element):
                if child._is(tag, attributes):
                    found.append(child)
                found += child.all(tag, **attributes)
        return found

    def one(self, tag: str = "", **attributes: str) -> "Element":
        [element] = self.all(tag, **attributes)
        return element

    def _is(self, tag: str, attributes: dict[str, str]) -> bool:
        return (not tag or tag == self.tag) and all(
            value in self.attributes.get(name.rstrip("_").replace("_", "-"), "").split()
            for name, value in attributes.items()
        )


class _Reader(HTMLParser):
    """Closes no element by guess: a template that leaves one open, or a text that breaks out, is an error."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Element("", {})
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        assert len(element.attributes) == len(attrs), f"<{tag}> has an attribute twice: {attrs}"
        self.open[-1].children.append(element)
        if tag not in _VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.open[-1].tag == "p" and tag != "p" and len(self.open) > 1:
            raise AssertionError(f"</{tag}> ends a paragraph")
        assert self.open[-1].tag == tag, f"</{tag}> after <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def read_html(text: str) -> Element:
    reader = _Reader()
    reader.feed(text)
    reader.close()
    assert len(reader.open) == 1, f"left open: {[element.tag for element in reader.open]}"
    return reader.root


def page(client: TestClient, url: str, status: int = 200, headers: dict[str, str] | None = None) -> Element:
    """What a browser gets at an address."""
    answer = client.get(url, headers={**BROWSER, **(headers or {})}, follow_redirects=False)
    assert answer.status_code == status, f"{url}: {answer.status_code} {answer.text[:500]}"
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8", url
    return read_html(answer.text)


def links_of(element: Element) -> list[str]:
    """Where a reader can go from here, forms aside."""
    return [link.attributes["href"] for link in element.all("a") if "href" in link.attributes]


def entry_titles(element: Element) -> list[str]:
    """The titles of a page's list of articles or stories."""
    return [heading.text for heading in element.one("ol", class_="entries").all("h2")]
