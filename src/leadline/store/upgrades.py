"""Bringing a database to the newest schema, by one process at a time.

Migrations are linear and go forward; downgrades exist for tests. Alembic's batch mode is banned: on
SQLite it rebuilds a table and silently drops its triggers, and with them what makes acts append-only.
"""

import fcntl
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from leadline.core.errors import Refused
from leadline.store.connections import writing

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).parent / "migrations"
HEAD = "0011"  # the newest revision in MIGRATIONS; written here so that opening needs no Alembic
_LOG = logging.getLogger(__name__)
_IN_PROCESS = threading.Lock()  # Alembic keeps the running migration in a module global


def upgrade(engine: sa.Engine) -> None:
    """Apply every migration that is missing; quick when none is. Of an upgrade that may take long, the log says so.

    Raises: Refused, if the database is at a revision that this version does not know.
    """
    if revision(engine) == HEAD:
        return
    from alembic import command
    from alembic.script import ScriptDirectory

    known = {one.revision for one in ScriptDirectory(str(MIGRATIONS)).walk_revisions()}
    with _alone(engine), writing(engine) as connection:
        present = _revision(connection)
        if present is not None and present not in known:
            raise Refused(
                f"the database is at schema {present}, newer than this Leadline; update it"
            )
        if present not in (None, HEAD):
            _LOG.warning(
                "bringing the database from schema %s to %s: of a long record this takes minutes, some 150 s for "
                "a million acts; ended half-way, nothing has changed and it begins again",
                present,
                HEAD,
            )
        command.upgrade(config(connection), HEAD)


def revision(engine: sa.Engine) -> str | None:
    """The schema's revision, or None for an empty database."""
    with engine.connect() as connection:
        return _revision(connection)


def config(connection: sa.Connection) -> "Config":
    """What Alembic's commands take; they run on *connection*, in its transaction."""
    from alembic.config import Config

    settings = Config()
    settings.set_main_option("script_location", str(MIGRATIONS))
    settings.set_main_option("path_separator", "os")
    settings.attributes["connection"] = connection
    return settings


def _revision(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    answer: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    return answer


@contextmanager
def _alone(engine: sa.Engine) -> Iterator[None]:
    """One upgrade at a time: in this process, and on SQLite among all of the host.

    PostgreSQL's writers queue on their advisory lock anyway.
    """
    with _IN_PROCESS:
        if engine.dialect.name != "sqlite":
            yield
            return
        with Path(f"{engine.url.database}.upgrade-lock").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
