"""A name for each revision that no other history has, where a restored backup reaches its number again."""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

revisions = sa.table("revisions", sa.column("revision"), sa.column("name"))
catalogue = sa.table("catalogue", sa.column("revision"), sa.column("revision_name"))


def upgrade() -> None:
    op.add_column("revisions", sa.Column("name", sa.Text, nullable=True))
    connection = op.get_bind()
    named = [
        {"number": number, "given": secrets.token_hex(8)}
        for number in connection.scalars(sa.select(revisions.c.revision))
    ]
    if named:
        connection.execute(
            revisions.update()
            .where(revisions.c.revision == sa.bindparam("number"))
            .values(name=sa.bindparam("given")),
            named,
        )
    with op.batch_alter_table("revisions") as batch:
        batch.alter_column("name", existing_type=sa.Text, nullable=False)
    op.add_column("catalogue", sa.Column("revision_name", sa.Text, nullable=True))
    newest = sa.select(revisions.c.name).where(revisions.c.revision == catalogue.c.revision)
    op.execute(catalogue.update().values(revision_name=newest.scalar_subquery()))


def downgrade() -> None:
    raise NotImplementedError("There is no way back: restore a backup.")
