"""The largest tree head that was ever signed, so that a log set back refuses to sign.

A migration is history: it repeats names and statements instead of importing them, and is not edited
once released.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

COUNT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SQLITE = (
    "CREATE TRIGGER signed_only_grows BEFORE UPDATE ON signed WHEN NEW.id <> OLD.id OR NEW.size < OLD.size OR (NEW.size = OLD.size AND NEW.root <> OLD.root) OR NEW.size > (SELECT size FROM head) BEGIN SELECT RAISE(ABORT, 'signed only grows'); END",
    "CREATE TRIGGER signed_no_delete BEFORE DELETE ON signed BEGIN SELECT RAISE(ABORT, 'signed only grows'); END",
    "CREATE TRIGGER signed_no_replace BEFORE INSERT ON signed WHEN EXISTS (SELECT 1 FROM signed) OR NEW.size > (SELECT size FROM head) BEGIN SELECT RAISE(ABORT, 'signed only grows'); END",
)
POSTGRESQL = (
    "CREATE FUNCTION leadline_signed_grows() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN IF NEW.size > (SELECT size FROM head) OR (TG_OP = 'UPDATE' AND (NEW.id <> OLD.id OR NEW.size < OLD.size OR (NEW.size = OLD.size AND NEW.root <> OLD.root))) THEN RAISE EXCEPTION USING MESSAGE = 'signed only grows'; END IF; RETURN NEW; END$$",
    "CREATE TRIGGER signed_only_grows BEFORE INSERT OR UPDATE ON signed FOR EACH ROW EXECUTE FUNCTION leadline_signed_grows()",
    "CREATE TRIGGER signed_no_delete BEFORE DELETE ON signed FOR EACH ROW EXECUTE FUNCTION leadline_append_only()",
    "CREATE TRIGGER signed_no_truncate BEFORE TRUNCATE ON signed FOR EACH STATEMENT EXECUTE FUNCTION leadline_append_only()",
    "ALTER TABLE signed ENABLE ALWAYS TRIGGER signed_only_grows",
    "ALTER TABLE signed ENABLE ALWAYS TRIGGER signed_no_delete",
    "ALTER TABLE signed ENABLE ALWAYS TRIGGER signed_no_truncate",
)


def upgrade() -> None:
    """The table, empty: nothing was signed yet."""
    op.create_table(
        "signed",
        sa.Column("id", COUNT, nullable=False, autoincrement=False),
        sa.Column("size", COUNT, nullable=False, autoincrement=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("at", COUNT, nullable=False, autoincrement=False),
        sa.PrimaryKeyConstraint("id", name="pk_signed"),
        sa.CheckConstraint("id = 0", name="ck_signed_one"),
        sa.CheckConstraint("size >= 0", name="ck_signed_size"),
        sa.CheckConstraint("length(root) = 32", name="ck_signed_root"),
    )
    for statement in SQLITE if op.get_bind().dialect.name == "sqlite" else POSTGRESQL:
        op.execute(sa.text(statement))


def downgrade() -> None:
    """As before; for tests."""
    op.drop_table("signed")
    if op.get_bind().dialect.name == "postgresql":
        op.execute(sa.text("DROP FUNCTION leadline_signed_grows()"))
