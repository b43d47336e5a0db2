"""Each stored article has the ids of its topics, and of several names of one topic the first alone.

Every item changes by it, so this makes a revision: those who follow the changes get each article again.
"""

import json
import secrets
import unicodedata
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

ARTICLES_AT_ONCE = 500

articles = sa.table("articles", *map(sa.column, ("id", "item", "topic_names")))
UPDATE = (
    articles.update()
    .where(articles.c.id == sa.bindparam("of_id"))
    .values(item=sa.bindparam("with_ids"), topic_names=sa.bindparam("names"))
)
TOPICS = """
SELECT term_names.name, term_names.folded, terms.key
FROM term_names JOIN terms ON terms.id = term_names.term_id WHERE terms.field = 'topic'
"""
CHANGES = (
    "UPDATE changes SET editor_revision = :revision WHERE public_id IN (SELECT public_id FROM articles)",
    "UPDATE changes SET public_revision = :revision "
    "WHERE public_id IN (SELECT public_id FROM articles WHERE published = 1)",
)


def upgrade() -> None:
    if _give_ids():
        _make_revision()


def _give_ids() -> bool:
    """Returns whether there are articles."""
    connection = op.get_bind()
    topics = connection.execute(sa.text(TOPICS)).all()
    ids = {row.folded: row.key for row in topics} | {row.name: row.key for row in topics}
    after = 0
    while rows := connection.execute(
        sa.select(articles).where(articles.c.id > after).order_by(articles.c.id).limit(ARTICLES_AT_ONCE)
    ).all():
        connection.execute(UPDATE, [_with_ids(row, ids) for row in rows])
        after = rows[-1].id
    return after > 0


def _with_ids(row: Any, ids: dict[str, str]) -> dict[str, Any]:
    item = json.loads(row.item)
    names = json.loads(row.topic_names) if row.topic_names else item["topics"]
    first_names: dict[str, str] = {}
    for name in names:
        # An article's second name of a topic is in the catalogue as the topic's document spells it.
        first_names.setdefault(ids[name] if name in ids else ids[_fold(name)], name)
    with_ids: dict[str, Any] = {}
    for key, value in item.items():
        if key == "topics":
            with_ids |= {"topics": list(first_names.values()), "topicIds": list(first_names)}
        else:
            with_ids[key] = value
    return {
        "of_id": row.id,
        "with_ids": _json(with_ids),
        "names": _json(names) if len(first_names) < len(names) else None,
    }


def _make_revision() -> None:
    connection = op.get_bind()
    number = 1 + connection.execute(sa.text("SELECT revision FROM catalogue")).scalar_one()
    name, now = secrets.token_hex(8), datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    connection.execute(
        sa.text("INSERT INTO revisions (revision, imported_at, name) VALUES (:revision, :now, :name)"),
        {"revision": number, "now": now, "name": name},
    )
    connection.execute(
        sa.text("UPDATE catalogue SET revision = :revision, revision_name = :name"),
        {"revision": number, "name": name},
    )
    for change in CHANGES:
        connection.execute(sa.text(change), {"revision": number})


def _fold(name: str) -> str:
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return " ".join(unicodedata.normalize("NFKC", folded.casefold()).split())


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def downgrade() -> None:
    raise NotImplementedError("There is no way back: restore a backup.")
