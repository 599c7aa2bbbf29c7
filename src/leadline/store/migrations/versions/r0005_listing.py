"""What lists show stands in a table of its own, beside the state, with its words for search.

It is filled when the store is opened (`leadline.store.listing`): a migration knows no records. A
migration is history: it repeats names and statements instead of importing them, and is not edited once
released.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
COUNT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
WHOLE = {
    "changed": ["kind", "changed_at", "id"],
    "opened": ["kind", "opened_at", "id"],
    "name": ["kind", "name", "id"],
    "state": ["kind", "state", "changed_at", "id"],
}
PARTIAL = ("engagement", "org", "case_id", "owner", "later", "facet")
SQLITE = (
    "CREATE VIRTUAL TABLE listing_words USING fts5(words, content='listing', content_rowid='seq', prefix='3', columnsize=0)",
)
REACHED = "leadline_reaches(( SELECT leadline_identity() AS leadline_identity), kind, engagement, org, case_id, owner, level, tlp)"
SOMEBODY = "(( SELECT leadline_identity() AS leadline_identity) IS NOT NULL)"
POSTGRESQL = (
    "CREATE INDEX ix_listing_words ON listing USING gin (array_to_tsvector(string_to_array(words, ' ')))",
    "ALTER TABLE listing ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE listing FORCE ROW LEVEL SECURITY",
    f"CREATE POLICY listing_select ON listing FOR SELECT USING ({REACHED})",
    f"CREATE POLICY listing_insert ON listing FOR INSERT WITH CHECK ({SOMEBODY})",
    f"CREATE POLICY listing_update ON listing FOR UPDATE USING ({REACHED}) WITH CHECK ({SOMEBODY})",
    f"CREATE POLICY listing_delete ON listing FOR DELETE USING ({REACHED})",
)


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, TEXT, nullable=False) for name in names]


def _counts(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, COUNT, nullable=False, autoincrement=False) for name in names]


def upgrade() -> None:
    """Two new tables and two indexes; nothing that stands is touched."""
    op.create_table(
        "listing",
        sa.Column("seq", COUNT, nullable=False, autoincrement=True),
        *_texts("kind", "id", "engagement", "org", "case_id", "owner", "tlp"),
        *_counts("level", "embargo_until"),
        *_texts("title", "name", "words", "state", "later", "facet"),
        *_counts("opened_at", "changed_at", "due_at"),
        sa.PrimaryKeyConstraint("seq", name="pk_listing"),
        sa.UniqueConstraint("kind", "id", name="uq_listing_kind"),
        sqlite_autoincrement=True,
    )
    for name, columns in WHOLE.items():
        op.create_index(f"ix_listing_{name}", "listing", columns)
    for column in PARTIAL:
        _partly(column, ["kind", column, "changed_at", "id"], f"{column} <> ''")
    _partly("due_at", ["kind", "due_at", "id"], "due_at <> 0")
    op.create_table(
        "listed",
        *_counts("id"),
        *_texts("version"),
        sa.PrimaryKeyConstraint("id", name="pk_listed"),
        sa.CheckConstraint("id = 0", name="ck_listed_one"),
    )
    for column in ("case_id", "owner"):
        op.create_index(f"ix_state_{column}", "state", [column, "kind"])
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in SQLITE if on_sqlite else POSTGRESQL:
        op.execute(sa.text(statement))


def _partly(column: str, columns: list[str], held: str) -> None:
    where = sa.text(held)
    name = f"ix_listing_{column}"
    op.create_index(name, "listing", columns, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    """As before; for tests."""
    for column in ("case_id", "owner"):
        op.drop_index(f"ix_state_{column}", "state")
    if op.get_bind().dialect.name == "sqlite":
        op.drop_table("listing_words")
    for table in ("listed", "listing"):
        op.drop_table(table)
