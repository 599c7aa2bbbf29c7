"""The log of an installation on this host's disk and network.

The checkpoint signed last stands beside the log's keys, apart from the state that backups restore.
"""

import fcntl
import http.client
import os
import secrets
import shutil
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from leadline.app.ports import Reply
from leadline.core.errors import Invalid, Tampered, Unavailable
from leadline.core.record import tlog
from leadline.core.record.act import Value
from leadline.formats import canonical, note, tiles
from leadline.formats.manifest import CHECKPOINT
from leadline.settings import Home

SECONDS_MAX = 5.0
REPLY_BYTES_MAX = note.NOTE_BYTES_MAX


def write(path: Path, content: bytes, mode: int = 0o644) -> None:
    """The file appears whole or not at all, and is on disk before this returns."""
    new = path.with_name(f".{path.name}.{secrets.token_hex(4)}.new")
    try:
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        with os.fdopen(descriptor, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Alone over all threads and processes; the lock ends with whoever holds it."""
    lock = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _content(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""


@dataclass(frozen=True, slots=True)
class FolderOutlet:
    """`leadline.app.ports.Outlet` of one installation."""

    home: Home
    seconds_max: float = SECONDS_MAX

    def alone(self) -> AbstractContextManager[None]:
        """As the port."""
        return locked(self.home.keys / "log.lock")

    def policy(self) -> bytes:
        """As the port; the file is ``keys/log.policy``."""
        return _content(self.home.keys / "log.policy")

    def last(self) -> bytes:
        """As the port."""
        return _content(self.home.keys / "log.checkpoint")

    def keep(self, signed: bytes) -> None:
        """As the port."""
        write(self.home.keys / "log.checkpoint", signed, 0o600)

    def incidents(self) -> Sequence[str]:
        """As the port."""
        return _content(self._incidents).decode().splitlines()

    def enter(self, incident: str) -> None:
        """As the port; what differs in its time only is the same."""
        told = [canonical.decode(line.encode()) for line in (*self.incidents()[-1:], incident)]
        if len({canonical.encode(_timeless(one)) for one in told}) == len(told):
            lines = [*self.incidents(), incident]
            write(self._incidents, "".join(f"{line}\n" for line in lines).encode(), 0o600)

    def settle(self) -> None:
        """As the port."""
        self._incidents.unlink(missing_ok=True)

    @property
    def _incidents(self) -> Path:
        return self.home.keys / "log.incidents"

    def shown(self) -> bytes:
        """As the port."""
        return _content(self.home.log / CHECKPOINT)

    def show(self, files: Mapping[str, bytes], signed: bytes) -> None:
        """As the port; partial tiles go once the full one is there."""
        self.home.log.mkdir(parents=True, exist_ok=True)
        for path, content in files.items():
            place = self.home.log / path
            if not place.exists():
                place.parent.mkdir(parents=True, exist_ok=True)
                write(place, content)
            elif place.read_bytes() != content:
                raise Tampered(path, "published with other content; a tile never changes")
            if tiles.parse_path(path).width == tlog.TILE_WIDTH:
                shutil.rmtree(place.with_name(f"{place.name}.p"), ignore_errors=True)
        write(self.home.log / CHECKPOINT, signed)

    def post(self, url: str, body: bytes) -> Reply:
        """As the port; redirects are not followed, and the whole exchange has one time limit."""
        try:
            return _post(url, body, self.seconds_max)
        except (OSError, http.client.HTTPException) as error:
            raise Unavailable(f"no answer: {error} ({type(error).__name__})") from error


def published(home: Home, path: str) -> bytes | None:
    """One file of the published log, by its path in C2SP tlog-tiles; None, where there is none."""
    named = path == CHECKPOINT
    if not named:
        try:
            named = bool(tiles.parse_path(path))
        except Invalid:  # no file of a log has such a name
            named = False
    if not named:
        return None
    place = home.log / path
    return place.read_bytes() if place.is_file() else None


def _timeless(told: Value) -> Value:
    assert isinstance(told, Mapping)  # noqa: S101 -- written by `leadline.app.log`
    return {name: value for name, value in told.items() if name != "at"}


def _post(url: str, body: bytes, seconds: float) -> Reply:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise Unavailable(f"{url!r} is no http or https address; correct the policy")
    if parts.scheme == "https":
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            parts.hostname, parts.port, timeout=seconds, context=ssl.create_default_context()
        )
    else:
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=seconds)
    # A time limit of the socket is one per read: a witness that drips bytes would never meet it.
    limit = threading.Timer(seconds, _cut, (connection,))
    limit.start()
    try:
        connection.request("POST", parts.path, body, {"Content-Type": "text/plain"})
        response = connection.getresponse()
        data = response.read(REPLY_BYTES_MAX + 1)
        if len(data) > REPLY_BYTES_MAX or response.length:
            raise http.client.HTTPException("a reply too long, or cut short")
        kind = response.getheader("Content-Type", "").partition(";")[0].strip()
        return Reply(response.status, kind, data)
    finally:
        limit.cancel()
        connection.close()


def _cut(connection: http.client.HTTPConnection) -> None:
    sock = connection.sock
    if isinstance(sock, socket.socket):
        sock.shutdown(socket.SHUT_RDWR)
