"""Shards can be frozen, name the code that ran them, keep late results, and draw on a run's budget.

SQLite cannot change a check in place, so the table of shards is made anew there and filled from the old
one; it has no triggers that could be lost. A migration is history: it repeats names and statements
instead of importing them, and is not edited once released.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
COUNT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BEFORE = "'queued', 'running', 'done', 'failed', 'cancelled'"
AFTER = f"{BEFORE}, 'frozen'"
COLUMNS = (
    "seq, id, job, kind, input, state, token, worker, seen_at, attempts, done, total, note, result, "
    "error, cancel_asked"
)


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, TEXT, nullable=False) for name in names]


def _counts(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, COUNT, nullable=False, autoincrement=False) for name in names]


def _shard(states: str, *more: sa.Column[str]) -> None:
    op.create_table(
        "shard",
        sa.Column("seq", COUNT, nullable=False, autoincrement=True),
        *_texts("id", "job", "kind", "input", "state"),
        *_counts("token"),
        *_texts("worker"),
        *_counts("seen_at", "attempts", "done", "total"),
        *_texts("note", "result", "error"),
        sa.Column("cancel_asked", sa.Boolean(), nullable=False),
        *more,
        sa.PrimaryKeyConstraint("seq", name="pk_shard"),
        sa.CheckConstraint(f"state IN ({states})", name="ck_shard_state"),
        sa.UniqueConstraint("id", name="uq_shard_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_shard_job", "shard", ["job"])
    op.create_index("ix_shard_state", "shard", ["state", "seq"])


def _again(states: str, *more: sa.Column[str]) -> None:
    """SQLite: the table with other checks and the same rows."""
    op.drop_index("ix_shard_job", "shard")
    op.drop_index("ix_shard_state", "shard")
    op.rename_table("shard", "shard_before")
    _shard(states, *more)
    op.execute(sa.text(f"INSERT INTO shard ({COLUMNS}) SELECT {COLUMNS} FROM shard_before"))  # noqa: S608 -- constants
    op.drop_table("shard_before")


def _recheck(states: str) -> None:
    """PostgreSQL: the check alone."""
    op.drop_constraint("ck_shard_state", "shard")
    op.create_check_constraint("ck_shard_state", "shard", f"state IN ({states})")


def _code() -> sa.Column[str]:
    return sa.Column("code", TEXT, nullable=False, server_default="")


def upgrade() -> None:
    """Every shard keeps its place, state and token."""
    if op.get_bind().dialect.name == "sqlite":
        _again(AFTER, _code())
    else:
        _recheck(AFTER)
        op.add_column("shard", _code())
    op.create_table(
        "late",
        *_texts("shard"),
        *_counts("token"),
        *_texts("result"),
        *_counts("at"),
        sa.PrimaryKeyConstraint("shard", "token", name="pk_late"),
    )
    op.create_table(
        "purse",
        *_texts("job"),
        *_counts("cap_tokens", "cap_micro_usd", "spent_tokens", "spent_micro_usd", "refused"),
        sa.PrimaryKeyConstraint("job", name="pk_purse"),
    )
    op.create_table(
        "reserve",
        *_texts("shard"),
        *_counts("token"),
        *_texts("sample", "job"),
        *_counts("tokens", "micro_usd"),
        sa.PrimaryKeyConstraint("shard", "token", "sample", name="pk_reserve"),
    )
    op.create_index("ix_reserve_job", "reserve", ["job"])


def downgrade() -> None:
    """As before; for tests. A frozen shard becomes cancelled: what is frozen must not run."""
    for table in ("reserve", "purse", "late"):
        op.drop_table(table)
    op.execute(sa.text("UPDATE shard SET state = 'cancelled' WHERE state = 'frozen'"))
    if op.get_bind().dialect.name == "sqlite":
        _again(BEFORE)
    else:
        op.drop_column("shard", "code")
        _recheck(BEFORE)
