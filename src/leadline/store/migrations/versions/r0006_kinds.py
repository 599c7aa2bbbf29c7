"""Acts are found by their kind: many a page reads those of one kind, and would go through all of them.

A migration is history: it repeats names and statements instead of importing them, and is not edited once
released.
"""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Index acts by kind, in the order of their leaves."""
    op.create_index("ix_act_kind", "act", ["kind", "leaf"])


def downgrade() -> None:
    """Drop it."""
    op.drop_index("ix_act_kind", "act")
