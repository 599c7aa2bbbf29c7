"""Groups of findings are listed by pairs, and reports that somebody else had handed in first by person.

They are filled when the store is opened (`leadline.store.projections`): a migration knows no acts. A migration
is history: it repeats names and statements instead of importing them, and is not edited once released.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, TEXT, nullable=False) for name in names]


def upgrade() -> None:
    """Three new tables; nothing that stands is touched."""
    key = sa.PrimaryKeyConstraint("person", "finding", name="pk_claimed")
    op.create_table("claimed", *_texts("person", "finding"), key)
    for table in ("joined", "asked"):
        both = sa.PrimaryKeyConstraint("a", "b", name=f"pk_{table}")
        op.create_table(table, *_texts("a", "b"), both, sqlite_with_rowid=False)
        op.create_index(f"ix_{table}_b", table, ["b", "a"])


def downgrade() -> None:
    """As before; for tests."""
    for table in ("asked", "joined", "claimed"):
        op.drop_table(table)
