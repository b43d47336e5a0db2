"""What search engines read of a page (schema.org, as JSON-LD). Pure.

It stands in a script element of a type that browsers do not run, so nothing in it may end the element.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from markupsafe import Markup

from app.pages.addresses import outward
from app.printable import compact_json


def json_ld(value: object) -> Markup:
    r"""`<` as `\u003c`: a title such as "</script>" must not end the element that it stands in."""
    text = compact_json(value)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704  no character is left that HTML could read


def collection_page(name: str, url: str, items: Iterable[Mapping[str, Any]], total: int) -> Markup:
    """A page that collects other people's articles, each at its own address."""
    elements = [
        {
            "@type": "ListItem",
            "position": position,
            "name": item["title"][:200],
            "url": outward(item["webUrl"]),
        }
        for position, item in enumerate(items, 1)
        if outward(item["webUrl"])
    ]
    return json_ld(
        {
            "@context": "https://schema.org",
            "@type": "CollectionPage",
            "name": name,
            "url": url,
            "mainEntity": {"@type": "ItemList", "numberOfItems": total, "itemListElement": elements},
        }
    )


def article_page(item: Mapping[str, Any], url: str) -> Markup:
    work = {
        "@type": "CreativeWork",
        "name": item["title"],
        "url": outward(item["webUrl"]),
        "abstract": item["excerpt"],
        "datePublished": item["publishedDateTime"],
        "dateModified": item["updatedDateTime"],
        "inLanguage": item["locale"],
        "author": [{"@type": "Person", "name": name} for name in item["authors"][:20]],
        "publisher": {"@type": "Organization", "name": item["provider"]["name"]},
        "about": item["topics"][:20],
    }
    if not item["provider"]["name"]:
        del work["publisher"]
    known = {key: value for key, value in work.items() if value not in (None, [])}
    page = {"@context": "https://schema.org", "@type": "WebPage", "url": url, "mainEntity": known}
    return json_ld(page)
