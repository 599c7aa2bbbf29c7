"""The first schema: principals, state, acts, the log, shards, and the guards on what must not change.

A migration is history: it repeats names and statements instead of importing them, and is not edited
once released.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
COUNT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TLP = "'TLP:RED', 'TLP:AMBER+STRICT', 'TLP:AMBER', 'TLP:GREEN', 'TLP:CLEAR'"
SHARD_STATES = "'queued', 'running', 'done', 'failed', 'cancelled'"
EMPTY_ROOT = bytes.fromhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, TEXT, nullable=False) for name in names]


def _counts(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, COUNT, nullable=False, autoincrement=False) for name in names]


def _bytes(*names: str) -> list[sa.Column[bytes]]:
    return [sa.Column(name, sa.LargeBinary(), nullable=False) for name in names]


def _state_tables() -> None:
    op.create_table(
        "principal", *_texts("id", "body"), sa.PrimaryKeyConstraint("id", name="pk_principal")
    )
    op.create_table(
        "state",
        *_texts("kind", "id"),
        *_counts("version"),
        *_texts("engagement", "org", "tlp", "body"),
        sa.PrimaryKeyConstraint("kind", "id", name="pk_state"),
        sa.CheckConstraint("version >= 1", name="ck_state_version"),
        sa.CheckConstraint(f"tlp IN ({TLP})", name="ck_state_tlp"),
    )
    op.create_index("ix_state_engagement", "state", ["engagement", "kind"])
    op.create_table(
        "state_compartment",
        *_texts("kind", "id", "compartment"),
        sa.PrimaryKeyConstraint("kind", "id", "compartment", name="pk_state_compartment"),
        sa.ForeignKeyConstraint(
            ["kind", "id"],
            ["state.kind", "state.id"],
            name="fk_state_compartment_state",
            ondelete="CASCADE",
        ),
    )


def _log_tables() -> None:
    op.create_table(
        "act",
        *_counts("leaf"),
        *_texts("id", "kind", "about", "engagement"),
        *_bytes("record", "blinder"),
        sa.PrimaryKeyConstraint("leaf", name="pk_act"),
        sa.CheckConstraint("leaf >= 0", name="ck_act_leaf"),
        sa.CheckConstraint("length(blinder) = 32", name="ck_act_blinder"),
        sa.UniqueConstraint("id", name="uq_act_id"),
    )
    op.create_index("ix_act_about", "act", ["about"])
    op.create_index("ix_act_engagement", "act", ["engagement"])
    op.create_table(
        "entry",
        *_counts("leaf"),
        *_bytes("data"),
        sa.PrimaryKeyConstraint("leaf", name="pk_entry"),
        sa.CheckConstraint("leaf >= 0", name="ck_entry_leaf"),
        sa.CheckConstraint("length(data) = 33", name="ck_entry_data"),
    )
    op.create_table(
        "tile",
        *_counts("level", "n"),
        *_bytes("hashes"),
        sa.PrimaryKeyConstraint("level", "n", name="pk_tile"),
        sa.CheckConstraint("length(hashes) BETWEEN 32 AND 8192", name="ck_tile_hashes"),
    )
    head = op.create_table(
        "head",
        *_counts("id", "size"),
        *_bytes("root"),
        sa.PrimaryKeyConstraint("id", name="pk_head"),
        sa.CheckConstraint("id = 0", name="ck_head_one"),
        sa.CheckConstraint("size >= 0", name="ck_head_size"),
        sa.CheckConstraint("length(root) = 32", name="ck_head_root"),
    )
    op.bulk_insert(head, [{"id": 0, "size": 0, "root": EMPTY_ROOT}])


def _shard_table() -> None:
    op.create_table(
        "shard",
        sa.Column("seq", COUNT, nullable=False, autoincrement=True),
        *_texts("id", "job", "kind", "input", "state"),
        *_counts("token"),
        *_texts("worker"),
        *_counts("seen_at", "attempts", "done", "total"),
        *_texts("note", "result", "error"),
        sa.Column("cancel_asked", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_shard"),
        sa.CheckConstraint(f"state IN ({SHARD_STATES})", name="ck_shard_state"),
        sa.UniqueConstraint("id", name="uq_shard_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_shard_job", "shard", ["job"])
    op.create_index("ix_shard_state", "shard", ["state", "seq"])


SQLITE = (
    "CREATE TRIGGER act_no_update BEFORE UPDATE ON act BEGIN SELECT RAISE(ABORT, 'act is append-only'); END",
    "CREATE TRIGGER act_no_delete BEFORE DELETE ON act BEGIN SELECT RAISE(ABORT, 'act is append-only'); END",
    "CREATE TRIGGER act_no_replace BEFORE INSERT ON act WHEN EXISTS (SELECT 1 FROM act WHERE leaf = NEW.leaf OR id = NEW.id) BEGIN SELECT RAISE(ABORT, 'act is append-only'); END",
    "CREATE TRIGGER entry_no_update BEFORE UPDATE ON entry BEGIN SELECT RAISE(ABORT, 'entry is append-only'); END",
    "CREATE TRIGGER entry_no_delete BEFORE DELETE ON entry BEGIN SELECT RAISE(ABORT, 'entry is append-only'); END",
    "CREATE TRIGGER entry_no_replace BEFORE INSERT ON entry WHEN EXISTS (SELECT 1 FROM entry WHERE leaf = NEW.leaf) BEGIN SELECT RAISE(ABORT, 'entry is append-only'); END",
    "CREATE TRIGGER tile_only_grows BEFORE UPDATE ON tile WHEN NEW.level <> OLD.level OR NEW.n <> OLD.n OR substr(NEW.hashes, 1, length(OLD.hashes)) <> OLD.hashes BEGIN SELECT RAISE(ABORT, 'tile only grows'); END",
    "CREATE TRIGGER tile_no_delete BEFORE DELETE ON tile BEGIN SELECT RAISE(ABORT, 'tile only grows'); END",
    "CREATE TRIGGER tile_no_replace BEFORE INSERT ON tile WHEN EXISTS (SELECT 1 FROM tile WHERE level = NEW.level AND n = NEW.n) BEGIN SELECT RAISE(ABORT, 'tile only grows'); END",
    "CREATE TRIGGER head_only_grows BEFORE UPDATE ON head WHEN NEW.id <> OLD.id OR NEW.size < OLD.size BEGIN SELECT RAISE(ABORT, 'head only grows'); END",
    "CREATE TRIGGER head_no_delete BEFORE DELETE ON head BEGIN SELECT RAISE(ABORT, 'head only grows'); END",
    "CREATE TRIGGER head_no_replace BEFORE INSERT ON head WHEN EXISTS (SELECT 1 FROM head) BEGIN SELECT RAISE(ABORT, 'head only grows'); END",
)
POSTGRESQL = (
    "CREATE FUNCTION leadline_append_only() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION USING MESSAGE = TG_TABLE_NAME || ' is append-only'; END$$",
    "CREATE FUNCTION leadline_tile_grows() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN IF NEW.level <> OLD.level OR NEW.n <> OLD.n OR substring(NEW.hashes FROM 1 FOR length(OLD.hashes)) <> OLD.hashes THEN RAISE EXCEPTION USING MESSAGE = 'tile only grows'; END IF; RETURN NEW; END$$",
    "CREATE FUNCTION leadline_head_grows() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN IF NEW.id <> OLD.id OR NEW.size < OLD.size THEN RAISE EXCEPTION USING MESSAGE = 'head only grows'; END IF; RETURN NEW; END$$",
    "CREATE TRIGGER act_append_only BEFORE DELETE OR UPDATE ON act FOR EACH ROW EXECUTE FUNCTION leadline_append_only()",
    "CREATE TRIGGER act_no_truncate BEFORE TRUNCATE ON act FOR EACH STATEMENT EXECUTE FUNCTION leadline_append_only()",
    "CREATE TRIGGER entry_append_only BEFORE DELETE OR UPDATE ON entry FOR EACH ROW EXECUTE FUNCTION leadline_append_only()",
    "CREATE TRIGGER entry_no_truncate BEFORE TRUNCATE ON entry FOR EACH STATEMENT EXECUTE FUNCTION leadline_append_only()",
    "CREATE TRIGGER tile_only_grows BEFORE UPDATE ON tile FOR EACH ROW EXECUTE FUNCTION leadline_tile_grows()",
    "CREATE TRIGGER tile_no_delete BEFORE DELETE ON tile FOR EACH ROW EXECUTE FUNCTION leadline_append_only()",
    "CREATE TRIGGER tile_no_truncate BEFORE TRUNCATE ON tile FOR EACH STATEMENT EXECUTE FUNCTION leadline_append_only()",
    "CREATE TRIGGER head_only_grows BEFORE UPDATE ON head FOR EACH ROW EXECUTE FUNCTION leadline_head_grows()",
    "CREATE TRIGGER head_no_delete BEFORE DELETE ON head FOR EACH ROW EXECUTE FUNCTION leadline_append_only()",
    "CREATE TRIGGER head_no_truncate BEFORE TRUNCATE ON head FOR EACH STATEMENT EXECUTE FUNCTION leadline_append_only()",
    "ALTER TABLE act ENABLE ALWAYS TRIGGER act_append_only",
    "ALTER TABLE act ENABLE ALWAYS TRIGGER act_no_truncate",
    "ALTER TABLE entry ENABLE ALWAYS TRIGGER entry_append_only",
    "ALTER TABLE entry ENABLE ALWAYS TRIGGER entry_no_truncate",
    "ALTER TABLE tile ENABLE ALWAYS TRIGGER tile_only_grows",
    "ALTER TABLE tile ENABLE ALWAYS TRIGGER tile_no_delete",
    "ALTER TABLE tile ENABLE ALWAYS TRIGGER tile_no_truncate",
    "ALTER TABLE head ENABLE ALWAYS TRIGGER head_only_grows",
    "ALTER TABLE head ENABLE ALWAYS TRIGGER head_no_delete",
    "ALTER TABLE head ENABLE ALWAYS TRIGGER head_no_truncate",
)


def upgrade() -> None:
    """Everything, on an empty database."""
    _state_tables()
    _log_tables()
    _shard_table()
    for statement in SQLITE if op.get_bind().dialect.name == "sqlite" else POSTGRESQL:
        op.execute(sa.text(statement))


def downgrade() -> None:
    """Nothing is left; for tests."""
    for table in ("shard", "head", "tile", "entry", "act", "state_compartment", "state"):
        op.drop_table(table)
    op.drop_table("principal")
    if op.get_bind().dialect.name == "postgresql":
        for function in ("append_only", "tile_grows", "head_grows"):
            op.execute(sa.text(f"DROP FUNCTION leadline_{function}()"))
