"""The examples of the OpenAPI document: seeds/ asked and answered.

`python -m tests.support.api_examples` writes them anew.
"""

import json
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from app.database.engines import writing_engine
from tests.support.databases import sqlite_url
from tests.support.services import service_of
from tests.support.worlds import World

ROOT = Path(__file__).parents[2]
FILE = ROOT / "app" / "web" / "examples.json"

INGENUITY = {"article_id": "7vw7jsxe5x2cdyeibrxh"}
FACES = {"article_id": "u5ko3dvikwc7cpesvexk"}
MARS = "ih74s6ijkqwrri2dq7ff"
# Each operation has its path, the parameters in the path, and its query.
ASKED: dict[str, tuple[str, dict[str, str], dict[str, str]]] = {
    "list_articles": ("/articles", {}, {"topic": "postgresql", "limit": "1"}),
    "get_article": ("/articles/{article_id}", INGENUITY, {}),
    "list_related_links": ("/articles/{article_id}/related", INGENUITY, {"limit": "1"}),
    "list_similar_articles": ("/articles/{article_id}/similar", INGENUITY, {"limit": "1"}),
    "list_items": ("/articles/{article_id}/items", FACES, {"limit": "1"}),
    "list_stories": ("/stories", {}, {"topic": "space", "limit": "1"}),
    "get_story": ("/stories/{story_id}", {"story_id": MARS}, {}),
    "get_facets": ("/facets", {}, {"field": "provider", "topic": "space", "size": "2"}),
    "get_timeline": ("/timeline", {}, {"interval": "year", "topic": "space"}),
    "get_suggestions": ("/suggest", {}, {"q": "art", "limit": "2"}),
    "find_link": ("/links", {}, {"url": "http://sqlite.org/releaselog/3_9_0.html?utm_source=mail"}),
    "get_rss_feed": ("/feeds/articles.rss", {}, {"topic": "space", "limit": "1"}),
    "get_atom_feed": ("/feeds/articles.atom", {}, {"topic": "space", "limit": "1"}),
    "get_json_feed": ("/feeds/articles.json", {}, {"topic": "space", "limit": "1"}),
    "export_csv": ("/exports/articles.csv", {}, {"topic": "space", "type": "video"}),
    "export_ndjson": ("/exports/articles.ndjson", {}, {"topic": "space", "type": "video"}),
    "list_changes": ("/changes", {}, {"limit": "1"}),
    "list_topics": ("/topics", {}, {"limit": "1"}),
    "get_topic": ("/topics/{topic}", {"topic": "ML"}, {}),
    "list_providers": ("/providers", {}, {"limit": "1"}),
    "get_provider": ("/providers/{provider}", {"provider": "bbc.co.uk"}, {}),
}  # fmt: skip


def examples() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        engine = writing_engine(sqlite_url(Path(folder)))
        world = World(ROOT / "seeds", engine)
        world.import_("seeds")
        with service_of(world, public_url="https://clippings.example") as client:
            found = {}
            for operation, (path, parameters, query) in ASKED.items():
                url = path.format(**parameters) + (f"?{urlencode(query)}" if query else "")
                answer = client.get(url)
                assert answer.status_code == 200, answer.text
                body = (
                    answer.json() if "json" in answer.headers["content-type"].split(";")[0] else answer.text
                )
                if answer.headers["content-type"].startswith("application/x-ndjson"):
                    body = answer.text
                if operation == "list_changes" and isinstance(body, dict):
                    # Each catalogue has its own.
                    body["next"] = "/changes?since=WyI3ZTYxOTQ0NzE1ZGI0NGI4IiwgInRydWUiLCAxLCAi…"
                found[operation] = {"path": parameters, "answer": body}
        engine.dispose()
    return found


if __name__ == "__main__":
    text = json.dumps(examples(), ensure_ascii=False, indent=1)
    FILE.write_text(text + "\n", encoding="utf-8")
