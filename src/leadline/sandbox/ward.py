"""A process's line to its run's warden: sandboxes are handed over before they are used.

    with Warded.start(folder) as warded:      the driver
        warded.ward.order("person", "...", "...")
    ADMISSION.ward = Ward(folder, "worker")   a worker: from now on no box is used unless held

A warden that does not answer is a warden that is gone: nothing may start without it.
"""

import asyncio
import json
import os
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, Self

from leadline.sandbox.survey import UID_FIRST, own_mode
from leadline.sandbox.warden import PACKET_BYTES_MAX, Orders, entry

SOCKET, JOURNAL, ORDERS = "warden.sock", "warden.jsonl", "orders"
WARDEN_UID = UID_FIRST - 2
DEAD_MAN_SECONDS = 30.0
ANSWER_SECONDS = 5.0
ORDER_SECONDS = 20.0

Role = Literal["driver", "worker", "visitor", "watch"]


class NoWardenError(RuntimeError):
    """The run was ended, or its warden does not answer: no sandbox may start or go on."""


class Ward:
    """One connection to the warden of the run in *folder*; threads may share it.

    A warden that has not answered after *answer_seconds* is taken to be gone.

    Raises: NoWardenError, if no warden answers there.
    """

    def __init__(self, folder: Path, role: Role, answer_seconds: float = ANSWER_SECONDS) -> None:
        self._lock = threading.Lock()
        self._line = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._line.settimeout(answer_seconds)
        try:
            with _named(folder) as name:
                self._line.connect(name)
            if role != "watch":
                self._asked({"op": "hello", "role": role})
        except OSError as error:
            self._line.close()
            raise NoWardenError(f"no warden answers in {folder}: {error.strerror}") from error
        except NoWardenError:
            self._line.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the connection up; what is still held on it, the warden ends."""
        self._line.close()

    def hold(self, name: str, pids: Sequence[int]) -> None:
        """Hand a sandbox over by the processes that end it; it may be used once this returns.

        Raises: NoWardenError.
        """
        fds: list[int] = []
        try:
            fds.extend(map(os.pidfd_open, pids))
            self._asked({"op": "box", "name": name}, fds)
        except ProcessLookupError:
            raise NoWardenError(f"{name} ended before it could be handed over") from None
        finally:
            for fd in fds:
                os.close(fd)

    def link(self, name: str, netlink: socket.socket, indexes: Sequence[int]) -> None:
        """Hand over interfaces: *netlink* is a route socket opened in their network namespace.

        Raises: NoWardenError.
        """
        self._asked({"op": "link", "name": name, "indexes": list(indexes)}, [netlink.fileno()])

    def beat(self, of: Literal["driver", "store"]) -> None:
        """Tell that the driver, or the store, is alive.

        Raises: NoWardenError.
        """
        self._send({"op": "beat", "of": of}, ())

    def order(self, by: Literal["person", "alarm"], who: str, cause: str) -> Mapping[str, object]:
        """End the run; answers the warden's record of it.

        Raises: NoWardenError.
        """
        self._line.settimeout(ORDER_SECONDS)
        answer = self._asked({"op": "order", "by": by, "who": who, "cause": cause})
        return _record(answer)

    def ended(self) -> Mapping[str, object] | None:
        """How the run was ended, None while it goes on.

        Raises: NoWardenError.
        """
        answer = self._asked({"op": "status"})
        return _record(answer) if answer["ended"] else None

    def release(self) -> None:
        """The driver is done with the run: the warden ends."""
        self._asked({"op": "release"})

    def wait(self) -> Mapping[str, object]:
        """Block until the run is ended; answers the warden's record of it.

        For a connection of role ``watch``.

        Raises: NoWardenError, if the warden went without ending the run.
        """
        self._line.settimeout(None)
        self._send({"op": "watch"}, ())
        try:
            packet = self._line.recv(PACKET_BYTES_MAX)
        except ConnectionError as error:
            raise NoWardenError(f"the run's warden is gone: {error.strerror}") from error
        if not packet:
            raise NoWardenError("the run's warden is gone")
        return _record(json.loads(packet))

    def _asked(
        self, message: Mapping[str, object], fds: Sequence[int] = ()
    ) -> Mapping[str, object]:
        with self._lock:
            self._send(message, fds)
            try:
                packet = self._line.recv(PACKET_BYTES_MAX)
            except OSError as error:
                raise NoWardenError(f"the run's warden does not answer: {error}") from error
        if not packet:
            raise NoWardenError("the run's warden is gone: no further sandbox starts")
        answer: dict[str, object] = json.loads(packet)
        if not answer["ok"]:
            raise NoWardenError(str(answer["why"]))
        return answer

    def _send(self, message: Mapping[str, object], fds: Sequence[int]) -> None:
        try:
            socket.send_fds(self._line, [json.dumps(message).encode()], list(fds))
        except OSError as error:
            raise NoWardenError("the run's warden is gone: no further sandbox starts") from error


def stops(folder: Path) -> list[dict[str, object]]:
    """Every order that ended the run in *folder*, oldest first, as its warden wrote it down.

    A line that is not whole yet is left for the next look.
    """
    path = folder / JOURNAL
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    lines = [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]
    return [
        {name: value for name, value in line.items() if name != "event"}
        for line in lines
        if line["event"] == "ended"
    ]


def _record(answer: Mapping[str, object]) -> Mapping[str, object]:
    ended = answer["ended"]
    assert isinstance(ended, dict)  # noqa: S101 -- the warden's own record
    return ended


@contextmanager
def _named(folder: Path) -> Iterator[str]:
    """A name of the socket in *folder* that is short enough for the kernel, whatever the path is."""
    fd = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{fd}/{SOCKET}"
    finally:
        os.close(fd)


@dataclass
class Warded:
    """A warden at work and the driver's line to it."""

    process: "subprocess.Popen[bytes]"
    ward: Ward
    folder: Path
    _closed: bool = False

    @classmethod
    def start(
        cls,
        folder: Path,
        *,
        dead_man: float = DEAD_MAN_SECONDS,
        revoke: Sequence[str] = (),
        own_uid: bool = True,
    ) -> Self:
        """Start a warden for the run whose private folder is *folder*.

        It is in a session of its own, so that no Ctrl-C reaches it, and as root has a uid of its own
        unless *own_uid* is false. Its journal, ``warden.jsonl``, is only ever added to; a file
        ``orders/stop`` in *folder* ends the run, and every later one until it is taken away.

        Raises: NoWardenError, if it does not come up; OSError, where *folder* cannot hold its files.
        """
        uid = WARDEN_UID if own_uid and own_mode() == "root" else None
        with ExitStack() as stack:
            orders_here = folder / ORDERS
            orders_here.mkdir(exist_ok=True)
            orders_here.chmod(0o711)  # the warden's own uid looks for one name in it
            place = os.open(orders_here, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
            stack.callback(os.close, place)
            journal = os.open(folder / JOURNAL, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            stack.callback(os.close, journal)
            listener = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET))
            (folder / SOCKET).unlink(missing_ok=True)
            with _named(folder) as name:
                listener.bind(name)
            (folder / SOCKET).chmod(stat.S_IRUSR | stat.S_IWUSR)
            listener.listen(64)
            fds = (listener.fileno(), journal, place)
            told = json.dumps(asdict(Orders(*fds, dead_man, tuple(revoke), uid)))
            process = subprocess.Popen(
                [sys.executable, "-m", "leadline.sandbox.warden", told],
                pass_fds=fds,
                stdin=subprocess.PIPE,  # its end tells that this process is gone
                start_new_session=True,
                cwd="/",
            )
        try:
            return cls(process, Ward(folder, "driver"), folder)
        except NoWardenError:
            process.kill()
            process.communicate()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the warden's work in order; what it still holds ends with it.

        A warden that was not there to be released has that written in its journal. A second call
        does nothing.
        """
        if self._closed:
            return
        self._closed, unreleased = True, ""
        try:
            self.ward.release()
        except NoWardenError as error:
            unreleased = str(error)
        self.ward.close()
        try:
            self.process.wait(ANSWER_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdin is not None:
            self.process.stdin.close()
        (self.folder / SOCKET).unlink(missing_ok=True)
        if unreleased:
            with (self.folder / JOURNAL).open("ab") as journal:
                status = self.process.returncode
                journal.write(entry("not released", why=unreleased, status=status))


@dataclass
class Admission:
    """What stands before every box of this process; without a *ward* nothing does."""

    ward: Ward | None = None

    async def admit(self, name: str, pids: Sequence[int]) -> None:
        """Return once the warden holds the box that *pids* end.

        Raises: NoWardenError.
        """
        if self.ward is not None:
            await asyncio.to_thread(self.ward.hold, name, pids)


ADMISSION = Admission()


def watch(folder: Path, ended: Callable[[str], None]) -> threading.Thread:
    """Call *ended* with the cause, from a thread, when the run is ended or its warden is gone.

    Raises: NoWardenError, if there is no warden now.
    """
    line = Ward(folder, "watch")

    def wait() -> None:
        try:
            with line:
                cause = str(line.wait()["cause"])
        except NoWardenError as error:
            cause = str(error)
        ended(cause)

    thread = threading.Thread(target=wait, name="warden-watch", daemon=True)
    thread.start()
    return thread
