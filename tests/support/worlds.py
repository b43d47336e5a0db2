"""A folder of documents and a catalogue beside it, as curators have them. Knows no pytest."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select, text

from app.catalog.tables import articles
from app.database.engines import writing_engine
from app.importer.read import Request
from app.importer.report import Report
from app.importer.run import Options, import_trees

# All imports of a world take place at this time, so what two of them make can be compared.
IMPORTED_AT = datetime(2026, 11, 1, 12, 30, tzinfo=UTC)


@dataclass(frozen=True)
class World:
    root: Path
    engine: Engine

    def write(self, path: str, front_matter: str, body: str = "") -> None:
        write_document(self.root, path, front_matter, body)

    def delete(self, path: str) -> None:
        (self.root / path).unlink()

    def import_(self, source: str = "news", only: tuple[str, ...] | None = None, **options: Any) -> Report:
        parts = tuple(self.root / part for part in only) if only is not None else None
        options = {"clock": lambda: IMPORTED_AT} | options
        return import_trees(self.engine, [Request(self.root, source, parts)], Options(**options))

    def items(self) -> list[dict[str, Any]]:
        with self.engine.connect() as connection:
            rows = connection.scalars(select(articles.c.item).order_by(articles.c.source, articles.c.path))
            return [json.loads(row) for row in rows]

    def titles(self) -> list[str]:
        return [item["title"] for item in self.items()]

    def links(self) -> list[dict[str, Any]]:
        """The related links that are stored, each once, whichever articles have it."""
        return [json.loads(item) for (item,) in self.query("SELECT item FROM links ORDER BY item")]

    def bytes_hashes(self) -> list[bytes]:
        """By which an import knows documents of any kind that it need not read again."""
        rows = self.query("SELECT bytes_hash FROM documents ORDER BY path, kind")
        return [bytes(bytes_hash) for (bytes_hash,) in rows]

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(sql))]

    def topics(self) -> dict[str, tuple[str, int, int]]:
        """By id: the name shown to editors, and how many articles the public and the editors see."""
        rows = self.query(
            "SELECT key, editor_name, public_count, editor_count FROM terms "
            "WHERE field = 'topic' AND (described = 1 OR editor_count > 0)"
        )
        return {key: (name, public, editors) for key, name, public, editors in rows}


def write_document(root: Path, path: str, front_matter: str, body: str = "") -> None:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    yaml = path.endswith((".yaml", ".yml"))
    file.write_text(front_matter if yaml else f"---\n{front_matter}\n---\n{body}", encoding="utf-8")


def new_world(folder: Path, database_url: str) -> World:
    root = folder / "news"
    root.mkdir()
    return World(root, writing_engine(database_url))
