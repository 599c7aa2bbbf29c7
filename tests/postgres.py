"""A private PostgreSQL server for the length of a test session.

Lives in a temporary folder, listens on loopback and a socket in that folder, never syncs to disk,
trusts whoever reaches it, and is stopped and removed at the end. PostgreSQL refuses to run as root,
so root hands it to the `postgres` user, or to `nobody` where that one does not exist.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg

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


def free_port() -> int:
    """A loopback port that was free a moment ago."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


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


@contextmanager
def running(programs: Path) -> Iterator[str]:
    """A server; answers `postgresql://role@host:port`, to which a database name is added."""
    user, port = owner(), free_port()
    folder = Path(tempfile.mkdtemp(prefix="leadline-pg-", dir="/tmp"))
    as_user: dict[str, str] = {"user": user} if user else {}
    if user:
        shutil.chown(folder, user)
    data = str(folder / "data")
    initdb = [str(programs / "initdb"), "-D", data, "-U", ROLE, "-A", "trust", "--no-sync"]
    initdb += ["-E", "UTF8", "--locale=C.UTF-8"]
    settings = ["fsync=off", "synchronous_commit=off", "full_page_writes=off"]
    settings += ["max_connections=60", "shared_buffers=32MB", f"unix_socket_directories={folder}"]
    command = [str(programs / "postgres"), "-D", data, "-h", "127.0.0.1", "-p", str(port)]
    command += [part for setting in settings for part in ("-c", setting)]
    process: subprocess.Popen[bytes] | None = None
    try:
        with (folder / "log").open("wb") as log:
            subprocess.run(initdb, check=True, cwd=folder, stdout=log, stderr=log, **as_user)  # type: ignore[call-overload]
            process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, **as_user)  # type: ignore[call-overload]
        assert process is not None
        url = f"postgresql://{ROLE}@127.0.0.1:{port}"
        wait_until_ready(process, url, folder)
        yield url
    finally:
        if process is not None:
            process.send_signal(signal.SIGQUIT)
            process.wait(STOP_SECONDS_MAX)
        shutil.rmtree(folder)


class Databases:
    """Makes empty databases on one server; each test gets its own and it is dropped after."""

    def __init__(self, server: str) -> None:
        self._server, self._count = server, 0

    @contextmanager
    def fresh(self) -> Iterator[str]:
        """A new empty database, as an SQLAlchemy URL."""
        self._count += 1
        name = f"test_{os.getpid()}_{self._count}"
        with psycopg.connect(f"{self._server}/postgres", autocommit=True) as admin:
            admin.execute(f"CREATE DATABASE {name}".encode())
        try:
            yield f"{self._server.replace('postgresql:', 'postgresql+psycopg:', 1)}/{name}"
        finally:
            with psycopg.connect(f"{self._server}/postgres", autocommit=True) as admin:
                admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
