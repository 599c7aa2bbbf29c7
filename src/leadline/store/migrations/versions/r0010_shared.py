"""What programs fetch of advisories stands in a table of its own, version by version.

It is filled when the store is opened (`leadline.store.distribution`): a migration knows no records. A migration
is history: it repeats names and statements instead of importing them, and is not edited once released.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
COUNT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
LABELS = "'TLP:RED', 'TLP:AMBER+STRICT', 'TLP:AMBER', 'TLP:GREEN', 'TLP:CLEAR'"
IDENTITY = "( SELECT leadline_identity() AS leadline_identity)"
ROWS = (
    f"(({IDENTITY} IS NOT NULL) AND ((case_id = ''::text) "
    f"OR jsonb_exists({IDENTITY}, ('case:'::text || case_id)) "
    f"OR jsonb_exists({IDENTITY}, ('label:'::text || tlp))))"
)
SOMEBODY = f"({IDENTITY} IS NOT NULL)"
POSTGRESQL = (
    "ALTER TABLE shared ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE shared FORCE ROW LEVEL SECURITY",
    f"CREATE POLICY shared_select ON shared FOR SELECT USING ({ROWS})",
    f"CREATE POLICY shared_insert ON shared FOR INSERT WITH CHECK ({SOMEBODY})",
    f"CREATE POLICY shared_update ON shared FOR UPDATE USING ({ROWS}) WITH CHECK ({SOMEBODY})",
    f"CREATE POLICY shared_delete ON shared FOR DELETE USING ({ROWS})",
)


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, TEXT, nullable=False) for name in names]


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, COUNT, nullable=False, autoincrement=False)


def upgrade() -> None:
    """One new table; nothing that stands is touched but the mark that makes opening fill it."""
    op.create_table(
        "shared",
        *_texts("case_id"),
        _count("added"),
        *_texts("tlp", "about", "id", "type", "body"),
        _count("version"),
        sa.PrimaryKeyConstraint("case_id", "added", name="pk_shared"),
        sa.UniqueConstraint("case_id", "id", "version", name="uq_shared_id"),
        sa.CheckConstraint(f"tlp IN ({LABELS})", name="ck_shared_tlp"),
    )
    op.create_index("ix_shared_about", "shared", ["about"])
    op.create_index("ix_shared_type", "shared", ["case_id", "type", "added"])
    for statement in POSTGRESQL if op.get_bind().dialect.name == "postgresql" else ():
        op.get_bind().exec_driver_sql(statement)
    op.get_bind().exec_driver_sql("DELETE FROM listed")


def downgrade() -> None:
    """As before; for tests."""
    op.drop_table("shared")
