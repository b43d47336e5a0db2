"""What everybody is asked: about the topic of every second article, a rarer one, frequent words."""

import re
from pathlib import Path
from typing import Final
from urllib.parse import quote_plus, urlencode

from sqlalchemy.dialects import sqlite

from app.catalog.filters import matching
from app.catalog.query import ArticleQuery
from app.catalog.tables import articles
from app.database.snapshots import Reader
from app.names import slug
from benchmarks.articles import Archive
from benchmarks.generate import SEED
from benchmarks.servers import Server

PER_PAGE, DEEP = 20, 499
LIST, ARTICLE = "list by topic, every second article", "one article with 24 related links"
# More answers than a cache of 100 MB holds.
_VARIANTS: Final = 10_000
_DEEPEST_IN_ONE: Final = 200

_ARCHIVE: Final = Archive(SEED, 0)
TOPIC, SECOND, MIDDLE, RARE = (_ARCHIVE.topics[place] for place in (0, 1, 7, 30))
TOPIC_ID: Final = slug(TOPIC)
# Every second article has the first of them, every third the other.
WORDS: Final = _ARCHIVE.words.things
WORD, OTHER = (WORDS[place] for place in (12, 40))
PROVIDER: Final = _ARCHIVE.providers[2].domain or ""


def cases(server: Server) -> dict[str, str]:
    """What is asked for, and its path. Counted, not remembered."""
    topic, second, rare = map(quote_plus, (TOPIC, SECOND, RARE))
    of_topic = f"/articles?topic={topic}"
    mentions = server.get("/articles?hasRelated=true&limit=1")[2].decode()
    article = re.findall(r'"id":"([^"]+)"', mentions)[0]
    return {
        LIST: of_topic,
        "list of a rarer topic": f"/articles?topic={rare}",
        "list of everything": "/articles",
        "list by provider": f"/articles?provider={PROVIDER}",
        "topic, provider and type": f"{of_topic}&provider={PROVIDER}&type=article",
        "any of two topics": f"{of_topic},{second}",
        "one topic and not another": f"{of_topic}&topic=-{second}",
        "topic, of a quality": f"{of_topic}&minQuality=50",
        "the best of everything": "/articles?sort=-quality",
        "page 500 by cursor": _deep(server, f"{of_topic}"),
        ARTICLE: f"/articles/{article}",
        "search, newest first": f"/articles?q={WORD}&sort=-publishedDateTime",
        "search by relevance": f"/articles?q={WORD}",
        "search for two words by relevance": f"/articles?q={WORD}+{OTHER}",
        "facets of everything": "/facets",
        "facets of a topic": f"/facets?topic={topic}",
        "facets of a rarer topic": f"/facets?topic={rare}",
        "timeline of a topic": f"/timeline?interval=month&topic={topic}",
    }


def _deep(server: Server, path: str) -> str:
    """Where 499 pages were turned, by larger ones; nearer if there are not so many."""
    path += f"&limit={_DEEPEST_IN_ONE}"
    for _ in range(DEEP * PER_PAGE // _DEEPEST_IN_ONE):
        found = re.search(r'"next":"([^"]+)"', server.get(path)[2].decode())
        if not found:
            break
        path = found[1]
    return path.replace(f"limit={_DEEPEST_IN_ONE}&", "").replace(f"&limit={_DEEPEST_IN_ONE}", "")


def variants() -> list[str]:
    """The same topic in ever other upper and lower case: the same answer, and no query twice."""
    name = TOPIC.lower()
    return [f"/articles?topic={quote_plus(_in_case(name, number))}" for number in range(_VARIANTS)]


def _in_case(name: str, bits: int) -> str:
    return "".join(letter.upper() if bits >> place & 1 else letter for place, letter in enumerate(name))


def same_sql(sqlite_url: str) -> str:
    """What our list asks for once its topic is known, as Datasette's own address of a query."""
    query = ArticleQuery.from_parameters([("topic", TOPIC)])
    with Reader(sqlite_url) as reader, reader.snapshot() as connection:
        order = matching(connection, query).index_order
        page = order.range(None).rows.with_only_columns(articles.c.item)
        page = page.order_by(*order.columns).limit(PER_PAGE)
        page = page.params(term_id=order.term_id, published=1)
        text = str(page.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}))
    name = Path(sqlite_url.removeprefix("sqlite:///")).stem
    return f"/{name}.json?{urlencode({'sql': text, '_shape': 'array'})}"
