"""A consistent copy of the whole state, taken while others go on writing, and putting it back.

SQLite: ``VACUUM INTO``, one snapshot without the remains of deleted rows that free pages keep.
PostgreSQL: ``pg_dump`` in its custom format; the role needs to see every row (`leadline.store.wall`).
"""

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa

from leadline.core.errors import Refused, Tampered, Unavailable

SQLITE, POSTGRESQL = "leadline.db", "leadline.dump"


def copy(url: str, folder: Path) -> Path:
    """Copy the state at *url* into *folder*; answers the new file.

    Raises: Unavailable, with the database's reason.
    """
    parsed = sa.make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _copy_sqlite(Path(str(parsed.database)), folder / SQLITE)
    target = folder / POSTGRESQL
    _run("pg_dump", parsed, "--format=custom", "--no-owner", f"--file={target}")
    target.chmod(0o600)
    _synced(target)
    return target


def restore(folder: Path, url: str) -> None:
    """Put the copy in *folder* where *url* says; nothing may be there yet.

    Raises: Refused, if something is, or if the copy is of the other kind of database; Unavailable.
    """
    parsed = sa.make_url(url)
    if parsed.get_backend_name() == "sqlite":
        source, target = folder / SQLITE, Path(str(parsed.database))
        if not source.is_file():
            raise Refused(
                "this backup is of a PostgreSQL database; name one with LEADLINE_DATABASE"
            )
        if target.exists():
            raise Refused(f"{target} exists; restore into a new folder")
        shutil.copyfile(source, target)
        target.chmod(0o600)
        _synced(target)
        return
    source = folder / POSTGRESQL
    if not source.is_file():
        raise Refused("this backup is of a SQLite database; leave LEADLINE_DATABASE out")
    _run("pg_restore", parsed, "--no-owner", "--exit-on-error", "--single-transaction", str(source))


def check(folder: Path) -> None:
    """Return if the copy in *folder* is a whole database, as far as its own tool can tell.

    Raises: Tampered, if it is not; Unavailable, if the tool is missing.
    """
    if (folder / SQLITE).is_file():
        where = f"file:{quote(str(folder / SQLITE))}?mode=ro&immutable=1"
        try:
            with closing(sqlite3.connect(where, uri=True)) as found:
                told = str(found.execute("PRAGMA integrity_check").fetchone()[0])
        except sqlite3.DatabaseError as error:
            raise Tampered(SQLITE, f"no whole database: {error}") from error
        if told != "ok":
            raise Tampered(SQLITE, f"no whole database: {told.partition(chr(10))[0]}")
        return
    argv = ["pg_restore", "--list", str(folder / POSTGRESQL)]
    try:
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
    except OSError as error:
        raise Unavailable(f"pg_restore cannot be run: {error.strerror}") from error
    if done.returncode:
        raise Tampered(POSTGRESQL, f"no whole dump: {done.stderr.strip().partition(chr(10))[0]}")


def _copy_sqlite(source: Path, target: Path) -> Path:
    where = f"file:{quote(str(source))}?mode=ro"
    try:
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        with closing(sqlite3.connect(where, uri=True, timeout=30)) as opened:
            opened.execute("VACUUM INTO ?", (str(target),))
        _synced(target)
    except (sqlite3.Error, OSError) as error:
        target.unlink(missing_ok=True)
        raise Unavailable(f"the state cannot be copied: {error}") from error
    return target


def _run(program: str, url: sa.URL, *options: str) -> None:
    """A PostgreSQL tool on a database; the password goes through its environment."""
    where = sa.URL.create(
        "postgresql",
        username=url.username,
        host=url.host,
        port=url.port,
        database=url.database,
        query=url.query,
    )
    argv = [program, f"--dbname={where.render_as_string(hide_password=False)}", *options]
    environment = {"PATH": os.defpath, "PGPASSWORD": url.password or ""}
    try:
        done = subprocess.run(argv, capture_output=True, text=True, check=False, env=environment)
    except OSError as error:
        raise Unavailable(f"{program} cannot be run: {error.strerror}") from error
    if done.returncode:
        raise Unavailable(f"{program}: {done.stderr.strip().partition(chr(10))[0]}")


def _synced(file: Path) -> None:
    descriptor = os.open(file, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
