"""The tables, the same on SQLite and PostgreSQL.

Whatever access rules read (engagement, org, tlp, compartments, bounds) is a column that is never NULL, so
that lists can be filtered in SQL by the rules themselves. Text sorts by its bytes on both databases.
Instants are microseconds since 1970 in UTC. What happened stands in `act`; everything else could be
built again from it or is progress.
"""

from collections.abc import Callable, Sequence

import sqlalchemy as sa
from sqlalchemy import event

from leadline.core.marking import Tlp
from leadline.core.record.tlog import EMPTY_ROOT
from leadline.store import guards, wall

METADATA = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
COUNT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TLP_LABELS = ", ".join(f"'{label.value}'" for label in Tlp)
SHARD_STATES = "'queued', 'running', 'done', 'failed', 'cancelled', 'frozen'"


def _text(name: str, *, key: bool = False) -> sa.Column[str]:
    return sa.Column(name, TEXT, primary_key=key, nullable=False)


def _count(name: str, *, key: bool = False) -> sa.Column[int]:
    return sa.Column(name, COUNT, primary_key=key, nullable=False, autoincrement=False)


def _bytes(name: str) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary(), nullable=False)


PRINCIPAL = sa.Table("principal", METADATA, _text("id", key=True), _text("body"))

STATE = sa.Table(
    "state",
    METADATA,
    _text("kind", key=True),
    _text("id", key=True),
    _count("version"),
    _text("engagement"),
    _text("org"),
    _text("tlp"),
    _text("body"),
    sa.Column("case_id", TEXT, nullable=False, server_default=""),
    sa.Column("owner", TEXT, nullable=False, server_default=""),
    sa.Column("level", COUNT, nullable=False, server_default="0"),
    sa.Column("embargo_until", COUNT, nullable=False, server_default="0"),
    sa.CheckConstraint("version >= 1", name="version"),
    sa.CheckConstraint(f"tlp IN ({TLP_LABELS})", name="tlp"),
    sa.Index("ix_state_engagement", "engagement", "kind"),
    sa.Index("ix_state_case_id", "case_id", "kind"),
    sa.Index("ix_state_owner", "owner", "kind"),
)

STATE_COMPARTMENT = sa.Table(
    "state_compartment",
    METADATA,
    _text("kind", key=True),
    _text("id", key=True),
    _text("compartment", key=True),
    sa.ForeignKeyConstraint(["kind", "id"], ["state.kind", "state.id"], ondelete="CASCADE"),
)

ACT = sa.Table(
    "act",
    METADATA,
    _count("leaf", key=True),
    sa.Column("id", TEXT, nullable=False, unique=True),
    _text("kind"),
    _text("about"),
    _text("engagement"),
    _bytes("record"),
    _bytes("blinder"),
    sa.CheckConstraint("leaf >= 0", name="leaf"),
    sa.CheckConstraint("length(blinder) = 32", name="blinder"),
    sa.Index("ix_act_about", "about"),
    sa.Index("ix_act_kind", "kind", "leaf"),
    sa.Index("ix_act_engagement", "engagement"),
)

ENTRY = sa.Table(
    "entry",
    METADATA,
    _count("leaf", key=True),
    _bytes("data"),
    sa.CheckConstraint("leaf >= 0", name="leaf"),
    sa.CheckConstraint("length(data) = 33", name="data"),
)

TILE = sa.Table(
    "tile",
    METADATA,
    _count("level", key=True),
    _count("n", key=True),
    _bytes("hashes"),
    sa.CheckConstraint("length(hashes) BETWEEN 32 AND 8192", name="hashes"),
)

HEAD = sa.Table(
    "head",
    METADATA,
    _count("id", key=True),
    _count("size"),
    _bytes("root"),
    sa.CheckConstraint("id = 0", name="one"),
    sa.CheckConstraint("size >= 0", name="size"),
    sa.CheckConstraint("length(root) = 32", name="root"),
)

SIGNED = sa.Table(
    "signed",
    METADATA,
    _count("id", key=True),
    _count("size"),
    _bytes("root"),
    _count("at"),
    sa.CheckConstraint("id = 0", name="one"),
    sa.CheckConstraint("size >= 0", name="size"),
    sa.CheckConstraint("length(root) = 32", name="root"),
)

SHARD = sa.Table(
    "shard",
    METADATA,
    sa.Column("seq", COUNT, primary_key=True, autoincrement=True),
    sa.Column("id", TEXT, nullable=False, unique=True),
    _text("job"),
    _text("kind"),
    _text("input"),
    _text("state"),
    _count("token"),
    _text("worker"),
    _count("seen_at"),
    _count("attempts"),
    _count("done"),
    _count("total"),
    _text("note"),
    _text("result"),
    _text("error"),
    sa.Column("cancel_asked", sa.Boolean(), nullable=False),
    sa.Column("code", TEXT, nullable=False, server_default=""),
    sa.CheckConstraint(f"state IN ({SHARD_STATES})", name="state"),
    sa.Index("ix_shard_job", "job"),
    sa.Index("ix_shard_state", "state", "seq"),
    sqlite_autoincrement=True,
)

LATE = sa.Table(
    "late",
    METADATA,
    _text("shard", key=True),
    _count("token", key=True),
    _text("result"),
    _count("at"),
)

PURSE = sa.Table(
    "purse",
    METADATA,
    _text("job", key=True),
    _count("cap_tokens"),
    _count("cap_micro_usd"),
    _count("spent_tokens"),
    _count("spent_micro_usd"),
    _count("refused"),
)

RESERVE = sa.Table(
    "reserve",
    METADATA,
    _text("shard", key=True),
    _count("token", key=True),
    _text("sample", key=True),
    _text("job"),
    _count("tokens"),
    _count("micro_usd"),
    sa.Index("ix_reserve_job", "job"),
)


# What lists show of `state`: written with it, made again from it by `leadline.store.listing`.
LISTING = sa.Table(
    "listing",
    METADATA,
    sa.Column("seq", COUNT, primary_key=True, autoincrement=True),
    *(_text(n) for n in ("kind", "id", "engagement", "org", "case_id", "owner", "tlp")),
    *(_count(n) for n in ("level", "embargo_until")),
    *(_text(n) for n in ("title", "name", "words", "state", "later", "facet")),
    *(_count(n) for n in ("opened_at", "changed_at", "due_at")),
    sa.UniqueConstraint("kind", "id", name="uq_listing_kind"),
    sa.Index("ix_listing_changed", "kind", "changed_at", "id"),
    sa.Index("ix_listing_opened", "kind", "opened_at", "id"),
    sa.Index("ix_listing_name", "kind", "name", "id"),
    sa.Index("ix_listing_state", "kind", "state", "changed_at", "id"),
    sqlite_autoincrement=True,
)


def _partly(column: str, *columns: str, empty: str = "''") -> None:
    """An index over those rows that have the column."""
    held = sa.text(f"{column} <> {empty}")
    name = f"ix_listing_{column}"
    sa.Index(name, *(LISTING.c[n] for n in columns), sqlite_where=held, postgresql_where=held)


for _column in ("engagement", "org", "case_id", "owner", "later", "facet"):
    _partly(_column, "kind", _column, "changed_at", "id")
_partly("due_at", "kind", "due_at", "id", empty="0")

# Which acts name a thing beside what they are about, the queue of reports, pairs of findings: written with the
# acts, made again by `leadline.store.projections`. They hold nothing that `act` does not, so no wall either.
NAMED = sa.Table(
    "named",
    METADATA,
    _text("name", key=True),
    _count("leaf", key=True),
    sqlite_with_rowid=False,
)

QUEUE = sa.Table(
    "queue",
    METADATA,
    _text("finding", key=True),
    *(_text(n) for n in ("lane", "stage")),
    *(_count(n) for n in ("since", "reached")),
    *(_text(n) for n in ("severity", "urgent", "needs", "case_id")),
    sa.Index("ix_queue_lane", "lane", "stage", "reached"),
)

# Who handed in a report that somebody else had handed in first.
CLAIMED = sa.Table("claimed", METADATA, _text("person", key=True), _text("finding", key=True))


def _pairs(name: str) -> sa.Table:
    """Pairs of findings, each in the order of its ids, found from either end."""
    both = (_text("a", key=True), _text("b", key=True))
    return sa.Table(
        name, METADATA, *both, sa.Index(f"ix_{name}_b", "b", "a"), sqlite_with_rowid=False
    )


# See `leadline.core.clearing.pairs`: which findings evidence joins, and which a person may be asked about.
JOINED, ASKED = _pairs("joined"), _pairs("asked")

# Versions of the objects that programs fetch, as `leadline.store.distribution` has them: what is public only grows;
# what is of a case is a draft, and goes when another takes its place. Behind the wall.
SHARED = sa.Table(
    "shared",
    METADATA,
    _text("case_id", key=True),
    _count("added", key=True),
    *(_text(n) for n in ("tlp", "about", "id", "type", "body")),
    _count("version"),
    sa.CheckConstraint(f"tlp IN ({TLP_LABELS})", name="tlp"),
    sa.UniqueConstraint("case_id", "id", "version", name="uq_shared_id"),
    sa.Index("ix_shared_about", "about"),
    sa.Index("ix_shared_type", "case_id", "type", "added"),
)

PROJECTED = sa.Table(
    "projected",
    METADATA,
    _count("id", key=True),
    _text("version"),
    sa.CheckConstraint("id = 0", name="one"),
)

LISTED = sa.Table(
    "listed",
    METADATA,
    _count("id", key=True),
    _text("version"),
    sa.CheckConstraint("id = 0", name="one"),
)

# Words are folded already (`leadline.core.searching`), so both databases only split them at blanks.
_FTS5 = (
    "CREATE VIRTUAL TABLE listing_words USING fts5(words, content='listing', content_rowid='seq', "
    "prefix='3', columnsize=0)"
)
# Row-level security lets nobody use an index by `@@` on a walled table, so these are beside it; all that
# they give is numbers of rows.
_GIN = (
    (
        "CREATE TABLE listing_words (seq bigint NOT NULL CONSTRAINT pk_listing_words PRIMARY KEY "
        "CONSTRAINT fk_listing_words_listing REFERENCES listing (seq) ON DELETE CASCADE, "
        "words tsvector NOT NULL)"
    ),
    "CREATE INDEX ix_listing_words_words ON listing_words USING gin (words)",
)
FOUND = {
    "sqlite": ((_FTS5,), ("DROP TABLE listing_words",)),
    "postgresql": (_GIN, ("DROP TABLE listing_words",)),
}


def _said(dialect: str, statements: Sequence[str]) -> Callable[..., None]:
    def say(_table: sa.Table, connection: sa.Connection, **_told: object) -> None:
        if connection.dialect.name == dialect:
            for statement in statements:
                connection.exec_driver_sql(statement)

    return say


for _dialect, (_made, _dropped) in FOUND.items():
    event.listen(LISTING, "after_create", _said(_dialect, _made))
    event.listen(LISTING, "before_drop", _said(_dialect, _dropped))


def create(connection: sa.Connection) -> None:
    """The whole schema from nothing, guards and the empty log's head included.

    Databases in use come from the migrations; a test compares the two.
    """
    METADATA.create_all(connection)
    connection.execute(HEAD.insert().values(id=0, size=0, root=EMPTY_ROOT))
    dialect = connection.dialect.name
    for statement in (*guards.statements(dialect), *wall.statements(dialect)):
        connection.exec_driver_sql(statement)
