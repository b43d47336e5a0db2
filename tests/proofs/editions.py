"""Trees of documents in two editions: what a curator has today and had yesterday. Knows no database."""

import random
from pathlib import Path

from tests.support.worlds import write_document

# One of ten articles is in edition A alone, and one in B; all others are in both, in the same order.
_ONLY_IN = {0: "B", 1: "A"}
_WORDS = ("a", "library", "lists", "its", "books", "by", "author", "so", "that", "readers", "find", "them")


def write_edition(root: Path, edition: str, articles: int) -> Path:
    """Articles that differ in every way an import knows, beside documents of topics and providers."""
    for number in range(articles):
        if _ONLY_IN.get(number % 10, edition) == edition:
            write_document(
                root, f"{number % 7}/{number}.md", _article(edition, number, articles), _body(number)
            )
    for topic in (f"Topic {edition}", "Topic 1"):
        write_document(root, f"topics/{topic}.yaml", f"taxonomy: topic\nname: {topic}\nparent: Topic 2")
    write_document(root, "us.md", f"taxonomy: organization\nname: Edition {edition}\ndomain: a.example")
    return root


def _article(edition: str, number: int, articles: int) -> str:
    related = "".join(
        f"- title: Link {(number + step) % articles} of {edition}\n"
        f"  webUrl: https://a.example/{(number + step) % articles}\n"
        for step in range(1, 4)
    )
    return (
        f"title: Article {number} of {edition}\nwebUrl: https://a.example/{number}\n"
        f"publishedDateTime: 2020-01-{number % 28 + 1:02}T00:00:{number % 60:02}Z\nquality: {number % 50}\n"
        # Two imports of the same documents would otherwise say when each took place.
        "addedDateTime: 2020-02-01\n"
        f"published: {'yes' if number % 6 else 'no'}\ntype: {'article' if number % 3 else 'video'}\n"
        f"topics: [Topic {number % 5}, Topic {edition}]\ntags: [tag {number % 11}, {edition}]\n"
        f"images: [{{url: 'https://a.example/{edition}.png'}}]\nrelated:\n{related}"
    )


def _body(number: int) -> str:
    return " ".join(random.Random(number).choices(_WORDS, k=200))  # noqa: S311  any words will do
