"""Acts are found by what they name, and the queue of reports stands in a table of its own.

Both are filled when the store is opened (`leadline.store.projections`): a migration knows no acts. A
migration is history: it repeats names and statements instead of importing them, and is not edited once
released.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
COUNT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, TEXT, nullable=False) for name in names]


def _counts(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, COUNT, nullable=False, autoincrement=False) for name in names]


def upgrade() -> None:
    """Three new tables; nothing that stands is touched."""
    op.create_table(
        "named",
        *_texts("name"),
        *_counts("leaf"),
        sa.PrimaryKeyConstraint("name", "leaf", name="pk_named"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "queue",
        *_texts("finding", "lane", "stage"),
        *_counts("since", "reached"),
        *_texts("severity", "urgent", "needs", "case_id"),
        sa.PrimaryKeyConstraint("finding", name="pk_queue"),
    )
    op.create_index("ix_queue_lane", "queue", ["lane", "stage", "reached"])
    op.create_table(
        "projected",
        *_counts("id"),
        *_texts("version"),
        sa.PrimaryKeyConstraint("id", name="pk_projected"),
        sa.CheckConstraint("id = 0", name="ck_projected_one"),
    )


def downgrade() -> None:
    """As before; for tests."""
    for table in ("projected", "queue", "named"):
        op.drop_table(table)
