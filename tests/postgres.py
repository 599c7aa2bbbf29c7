"""A private PostgreSQL server for the length of a test session.

Lives in a temporary folder, listens on loopback and a socket in that folder, does not sync to disk unless
told, trusts whoever reaches it, and is stopped and removed at the end. PostgreSQL refuses to run as root,
so root hands it to the `postgres` user, or to `nobody` where that one does not exist.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Self

import psycopg
import pytest

from leadline.store.database import open_database
from ports import free_port

START_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 20.0
ROLE = "leadline"


def binaries() -> Path | None:
    """The newest installed server's programs, or None."""
    found = [p.parent for p in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    return max(found, key=lambda p: int(p.parent.name)) if found else None


def owner() -> str | None:
    """The user that must run the server, or None when the present one may."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


def log_tail(folder: Path) -> str:
    """The end of what the server wrote, for a failure's message."""
    return (folder / "log").read_text(errors="replace")[-2000:]


def wait_until_ready(process: subprocess.Popen[bytes], url: str, folder: Path) -> None:
    """Return once the server answers; raises RuntimeError with its log when it does not."""
    last = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < last:
        if process.poll() is not None:
            raise RuntimeError(f"PostgreSQL ended at once:\n{log_tail(folder)}")
        try:
            psycopg.connect(f"{url}/postgres", connect_timeout=2).close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"PostgreSQL did not answer:\n{log_tail(folder)}")


FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
DURABLE = ("fsync=on", "synchronous_commit=on", "full_page_writes=on")


class Server:
    """A server with its data in *folder*; it can be killed in the middle and started again."""

    def __init__(self, programs: Path, folder: Path, settings: tuple[str, ...]) -> None:
        self._programs, self._folder, self._settings = programs, folder, settings
        self._port, user = free_port(), owner()
        self._as: dict[str, str] = {"user": user} if user else {}
        if user:
            shutil.chown(folder, user)
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"postgresql://{ROLE}@127.0.0.1:{self._port}"
        initdb = [str(programs / "initdb"), "-D", self._data, "-U", ROLE, "-A", "trust"]
        initdb += ["--no-sync", "-E", "UTF8", "--locale=C.UTF-8"]
        with (folder / "log").open("wb") as log:
            subprocess.run(  # type: ignore[call-overload]
                initdb, check=True, cwd=folder, stdout=log, stderr=log, **self._as
            )

    @property
    def _data(self) -> str:
        return str(self._folder / "data")

    def start(self) -> None:
        """Return once it answers, after whatever recovery it needs."""
        settings = ["max_connections=60", "shared_buffers=32MB", *self._settings]
        settings.append(f"unix_socket_directories={self._folder}")
        command = [str(self._programs / "postgres"), "-D", self._data, "-h", "127.0.0.1"]
        command += ["-p", str(self._port)]
        command += [part for setting in settings for part in ("-c", setting)]
        with (self._folder / "log").open("ab") as log:
            # In a session of its own: what one test sends to its process group is not meant for it.
            self._process = subprocess.Popen(  # type: ignore[call-overload]
                command,
                cwd=self._folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **self._as,
            )
        assert self._process is not None
        wait_until_ready(self._process, self.url, self._folder)

    def ended(self) -> str:
        """How it ended, and the last it wrote, if it ended by itself or somebody ended it; else nothing."""
        assert self._process is not None
        code = self._process.poll()
        return "" if code is None else f"ended with {code}:\n{log_tail(self._folder)}"

    def create(self, name: str, of: str = "template1") -> str:
        """A new database, a copy of another, as an SQLAlchemy URL."""
        with psycopg.connect(f"{self.url}/postgres", autocommit=True) as admin:
            admin.execute(f"CREATE DATABASE {name} TEMPLATE {of}".encode())
        return f"{self.url}/{name}"

    @cached_property
    def newest(self) -> str:
        """The name of an empty database at the newest schema; nobody stays connected to it."""
        open_database(self.create("newest")).dispose()
        return "newest"

    def drop(self, name: str) -> None:
        """Remove a database, whoever is still connected to it."""
        with psycopg.connect(f"{self.url}/postgres", autocommit=True) as admin:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())

    def stop(self) -> None:
        """End it at once, without a checkpoint: what `pg_ctl stop -m immediate` does."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(STOP_SECONDS_MAX)

    def kill(self) -> None:
        """SIGKILL to the server and each of its processes; returns when all are gone."""
        assert self._process is not None
        mine = children(self._process.pid)
        self._process.kill()
        for child in mine:
            with suppress(ProcessLookupError):  # it may have noticed and gone by itself
                os.kill(child, signal.SIGKILL)
        self._process.wait(STOP_SECONDS_MAX)
        last = time.monotonic() + STOP_SECONDS_MAX
        while any(Path(f"/proc/{child}").exists() for child in mine) and time.monotonic() < last:
            time.sleep(0.01)


def children(parent: int) -> list[int]:
    """The processes that *parent* started and that are still there."""
    return [int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]


@contextmanager
def serving(programs: Path, settings: tuple[str, ...] = FAST) -> Iterator[Server]:
    """A server that runs until the block ends, when its folder is removed."""
    folder = Path(tempfile.mkdtemp(prefix="leadline-pg-", dir="/tmp"))
    try:
        server = Server(programs, folder, settings)
        try:
            server.start()
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder)


class Databases:
    """Makes empty databases on one server; each test gets its own and it is dropped after.

    A server that ended in the middle costs the test that held it, not every test after: the next one gets a
    new server, and a warning tells how the old one ended.
    """

    def __init__(self, programs: Path, settings: tuple[str, ...] = FAST) -> None:
        self._programs, self._settings, self._count = programs, settings, 0
        self._servers = ExitStack()
        self._server: Server | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._servers.close()

    def _running(self) -> Server:
        told = self._server.ended() if self._server else ""
        if told:
            warnings.warn(
                pytest.PytestWarning(f"The session's PostgreSQL server {told}"), stacklevel=2
            )
        if told or self._server is None:
            self._server = self._servers.enter_context(serving(self._programs, self._settings))
        return self._server

    @contextmanager
    def fresh(self, *, newest: bool = False) -> Iterator[str]:
        """A new database without a schema, or with the *newest* one, as an SQLAlchemy URL; nothing is in it."""
        server = self._running()
        self._count += 1
        name = f"test_{os.getpid()}_{self._count}"
        url = server.create(name, server.newest) if newest else server.create(name)
        try:
            yield url.replace("postgresql:", "postgresql+psycopg:", 1)
        finally:
            server.drop(name)
