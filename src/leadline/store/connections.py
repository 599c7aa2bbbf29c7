"""Connections and transactions, with the settings that a record of official acts needs.

SQLite settings hold per connection, so they are set on each: WAL, `synchronous=FULL` (a record of
official acts may not lose its last commit at power loss), foreign keys, a ten-second wait for the
lock, no trust in functions named by the schema. A write takes the lock at once (`BEGIN IMMEDIATE`),
because under WAL a read that turns into a write fails without waiting. On PostgreSQL writers queue on
one advisory lock and read what was committed before they got it; readers see one snapshot.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy import event, exc
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from leadline.core.errors import Invalid, NotFound, Unavailable

if TYPE_CHECKING:
    import sqlite3

PRAGMAS = (
    "busy_timeout = 10000",
    "journal_mode = WAL",
    "synchronous = FULL",
    "foreign_keys = ON",
    "trusted_schema = OFF",
)
CONNECTIONS = 20  # that one process holds at most
HEARD_SECONDS = 1.0  # for so long after its last use a connection is taken to be there
BACK = "leadline_back"  # when a connection was given back
WRITE = "leadline_write"
BEGIN_WRITE = "BEGIN IMMEDIATE"
# Faults of a statement, a guard that refused it included; what is left is the database's own trouble.
_MISTAKES = (
    exc.DataError,
    exc.IntegrityError,
    exc.InternalError,
    exc.NotSupportedError,
    exc.ProgrammingError,
)
WRITER_LOCK = 0x1EAD11E  # any constant that the other advisory locks of this database do not use


def engine_for(url: str) -> sa.Engine:
    """An engine for `sqlite:///FILE` or `postgresql://...`; nothing is opened yet.

    Raises: Invalid, for another kind of URL.
    """
    try:
        parsed = sa.make_url(url)
    except exc.ArgumentError:
        raise Invalid("database", "no URL; write sqlite:///FILE or postgresql://...") from None
    if parsed.get_backend_name() == "sqlite":
        if not parsed.database or parsed.database == ":memory:" or parsed.query:
            raise Invalid("database", "SQLite needs a file without options: sqlite:///FILE")
        if not Path(parsed.database).parent.is_dir():
            raise Invalid("database", f"no folder {Path(parsed.database).parent}; make it first")
        return _sqlite_engine(parsed)
    if parsed.get_backend_name() == "postgresql":
        return _postgresql_engine(parsed.set(drivername="postgresql+psycopg"))
    raise Invalid(
        "database", f"{parsed.get_backend_name()} is not served; use SQLite or PostgreSQL"
    )


def _postgresql_engine(url: sa.URL) -> sa.Engine:
    # A new connection takes 6 ms and knows no prepared statement: all are kept, and the one last used is used next.
    engine = sa.create_engine(url, pool_size=CONNECTIONS, max_overflow=0, pool_use_lifo=True)

    def back(_raw: DBAPIConnection, entry: ConnectionPoolEntry) -> None:
        entry.info[BACK] = time.monotonic()

    def out(
        raw: DBAPIConnection, entry: ConnectionPoolEntry, _proxy: PoolProxiedConnection
    ) -> None:
        # Whatever answered a moment ago is not asked whether it is there.
        if time.monotonic() - entry.info.get(BACK, time.monotonic()) < HEARD_SECONDS:
            return
        try:
            engine.dialect.do_ping(raw)
        except engine.dialect.loaded_dbapi.Error as error:
            raise exc.InvalidatePoolError from error

    event.listen(engine, "checkin", back)
    event.listen(engine, "checkout", out)
    return engine


def _sqlite_engine(url: sa.URL) -> sa.Engine:
    engine = sa.create_engine(url)

    def settle(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        # The driver's own transaction handling would begin late and always deferred.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    def begin(connection: sa.Connection) -> None:
        writes = connection.get_execution_options().get(WRITE)
        connection.exec_driver_sql(BEGIN_WRITE if writes else "BEGIN")

    def given_up(context: sa.ExceptionContext) -> None:
        # On some errors, a failed disk for one, SQLite ends the transaction by itself, and each further
        # statement would be committed alone. A connection marked as lost runs none.
        connection = context.connection
        if connection is None or context.statement == BEGIN_WRITE:
            return
        raw: sqlite3.Connection | None = connection.connection.driver_connection
        if connection.in_transaction() and raw is not None and not raw.in_transaction:
            context.is_disconnect = True
            context.invalidate_pool_on_disconnect = False

    event.listen(engine, "handle_error", given_up)
    event.listen(engine, "connect", settle)
    event.listen(engine, "begin", begin)
    return engine


@contextmanager
def reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A consistent snapshot, from the first statement on.

    Raises: as `available`; NotFound, for what is asked for by a text that holds NUL.
    """
    with available(), _held(), engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
        with connection.begin():
            yield connection


@contextmanager
def writing(engine: sa.Engine, *, exclusive: bool = True) -> Iterator[sa.Connection]:
    """A transaction that holds the write lock from its first moment.

    Without *exclusive* PostgreSQL locks rows only; SQLite knows no such thing. Raises: as `reading`.
    """
    with (
        available(),
        _held(),
        engine.connect() as connection,
        connection.execution_options(**{WRITE: True}).begin(),
    ):
        if exclusive and engine.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(WRITER_LOCK)))
        yield connection


@contextmanager
def _held() -> Iterator[None]:
    """Raises: NotFound, where PostgreSQL's driver is asked about a text with NUL, which no row can have."""
    try:
        yield
    except exc.DataError as error:
        if "NUL" not in str(error.orig):
            raise
        raise NotFound("there is no such thing: no text here holds a NUL character") from None


@contextmanager
def available() -> Iterator[None]:
    """Translate what the driver says when the database cannot serve.

    Raises: Unavailable, with the driver's first line and nothing of the statement.
    """
    try:
        yield
    except _MISTAKES:
        raise
    except exc.PendingRollbackError as error:
        raise Unavailable("an error before this ended the transaction; try again") from error
    except (exc.DatabaseError, exc.InterfaceError, exc.TimeoutError) as error:
        said = str(error.orig) if isinstance(error, exc.DBAPIError) else str(error)
        line = said.strip().partition("\n")[0]
        raise Unavailable(f"the database cannot serve this: {line}; try again") from error
