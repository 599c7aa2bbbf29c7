"""The warden: the process beside a run that ends every sandbox of it when ordered to.

It shares nothing with what it watches: no event loop, no store, no Inspect, in root mode not even the
uid (its own, with the two capabilities it needs). It is handed a listening socket, a journal and a
folder at its start and opens nothing later. Whoever starts a sandbox hands over descriptors of its
processes and of its networks before the sandbox is used (`leadline.sandbox.ward`).

Invariants: an order is carried out by system calls on descriptors held here, so neither a stopped
runner nor a stopped store can delay it; what an order ended stays ended: no sandbox is admitted
afterwards; a registration is answered only once its descriptors are held.

Order of a stop: networks down, processes killed and waited for, whoever watches told, the model's
key revoked. Freezing shards and writing the act is left to whoever has the store: they follow, and
nothing here waits for them.

Messages are JSON in SOCK_SEQPACKET packets, descriptors by SCM_RIGHTS:

    {"op": "hello", "role": "driver"}      the driver: its end is the run's end
    {"op": "box", "name": N}               + pidfds of every process that ends the sandbox
    {"op": "link", "name": N, "indexes"}   + a netlink socket opened in the network's namespace
    {"op": "beat", "of": "driver"|"store"} no answer
    {"op": "order", "by", "who", "cause"}  ends the run; answers the record of it
    {"op": "watch"}                        answered once, when the run is ended
    {"op": "status"}                       what is held, and how the run was ended if it was
    {"op": "release"}                      the driver is done: the warden ends
"""

import codecs
import contextlib
import ctypes
import json
import os
import select
import selectors
import signal
import socket
import stat
import struct
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from leadline.sandbox.watchdog import tree

STOP_FILE = "stop"  # appears in the folder of orders: for who has no line to the warden
GONE_SECONDS_MAX = 10.0
REVOKE_SECONDS_MAX = 5.0
LOOK_SECONDS = 0.2
PACKET_BYTES_MAX = 1 << 16
FDS_MAX = 128
_CAP_KILL, _CAP_NET_ADMIN = 5, 12
_PR_SET_KEEPCAPS, _CAPABILITY_VERSION_3 = 8, 0x20080522
_RTM_NEWLINK, _NLM_F_REQUEST, _NLM_F_ACK, _NLMSG_ERROR, _IFF_UP = 16, 1, 4, 2, 1


@dataclass(frozen=True, slots=True)
class Orders:
    """What a warden is told at its start.

    *dead_man* is after how many seconds without a heartbeat of the driver or of the store the run is
    ended; *revoke* is the command that has the model's key revoked, none where no key is held; *uid*
    is the warden's own, None to stay its starter's.
    """

    listener: int
    journal: int
    folder: int
    dead_man: float
    revoke: tuple[str, ...] = ()
    uid: int | None = None


@dataclass(slots=True)
class _Peer:
    """One connection: its holder's pid, its part, and what was handed over on it."""

    line: socket.socket
    pid: int
    role: str = ""
    pidfds: set[int] = field(default_factory=set)
    links: list[tuple[socket.socket, tuple[int, ...]]] = field(default_factory=list)


class Warden:
    """Holds every sandbox of one run by descriptor, and ends them all."""

    def __init__(self, orders: Orders, revoker: "subprocess.Popen[bytes] | None" = None) -> None:
        self._orders = orders
        self._revoker = revoker
        self._listener = socket.socket(fileno=orders.listener)
        self._owner = os.getuid()
        self._selector = selectors.DefaultSelector()
        self._peers: dict[int, _Peer] = {}
        self._beats: dict[str, float] = {}
        self._ended: dict[str, object] | None = None
        self._done = False
        self._started = True  # whether whoever started this process is there still

    def run(self) -> None:
        """Serve until the driver releases the run or is gone."""
        self._owner = os.getuid()
        if self._orders.uid is not None:
            become(self._orders.uid)
        self._selector.register(self._listener, selectors.EVENT_READ)
        if stat.S_ISFIFO(os.fstat(0).st_mode):  # nothing is ever written there; its end tells
            self._selector.register(0, selectors.EVENT_READ)
        self._note("started", uid=os.getuid(), dead_man_seconds=self._orders.dead_man)
        while not self._done:
            for key, _ in self._selector.select(LOOK_SECONDS):
                self._ready(key)
            self._look()
        self._note("released", ended=self._ended is not None)

    def _ready(self, key: selectors.SelectorKey) -> None:
        if key.fileobj is self._listener:
            line, _ = self._listener.accept()
            self._greet(line)
        elif key.fileobj == 0:
            self._selector.unregister(0)
            self._started = False
        elif isinstance(key.data, _Peer):
            if key.fileobj is key.data.line:
                self._hear(key.data)
            elif isinstance(key.fileobj, int) and key.fileobj in key.data.pidfds:
                self._forget(key.data, key.fileobj)  # that process has ended by itself

    def _greet(self, line: socket.socket) -> None:
        """Only the run's own user and root may speak; the socket's mode says so already."""
        sent = line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        pid, uid, _ = struct.unpack("3i", sent)
        if uid not in {0, self._owner}:
            line.close()
            return
        peer = _Peer(line, pid)
        self._peers[line.fileno()] = peer
        self._selector.register(line, selectors.EVENT_READ, peer)

    def _hear(self, peer: _Peer) -> None:
        try:
            packet, fds, _, _ = socket.recv_fds(peer.line, PACKET_BYTES_MAX, FDS_MAX)
        # a peer that was killed is a peer that is gone
        except ConnectionError:
            packet, fds = b"", []
        if not packet:
            self._gone(peer)
            return
        try:
            said = json.loads(packet)
            answer = self._answer(peer, said, fds)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            answer = {"ok": False, "why": f"not understood: {error!r}"}
        finally:
            kept = peer.pidfds | {one.fileno() for one, _ in peer.links}
            for fd in set(fds) - kept:
                os.close(fd)
        if answer is not None and (why := self._tell(peer, answer)):
            self._note("not told", pid=peer.pid, why=why)

    def _answer(
        self, peer: _Peer, said: Mapping[str, object], fds: Sequence[int]
    ) -> Mapping[str, object] | None:
        answer: Mapping[str, object] | None = {"ok": True}
        match said["op"]:
            case "beat":
                self._beats[str(said["of"])] = time.monotonic()
                answer = None
            case "hello":
                peer.role = str(said["role"])
                if peer.role == "driver":
                    self._beats = dict.fromkeys(("driver", "store"), time.monotonic())
            case "watch":
                peer.role = "watch"
                answer = {"ended": self._ended} if self._ended else None
            case "order":
                if said["by"] not in {"person", "alarm"}:
                    raise ValueError(said["by"])
                ended = self._end(str(said["by"]), str(said["who"]), str(said["cause"]))
                answer = {"ok": True, "ended": ended}
            case "release":
                self._done = peer.role == "driver"
                answer = {"ok": self._done, "why": "only the driver releases a run"}
            case "status":
                answer = {"ok": True, "ended": self._ended, "boxes": self._boxes()}
            case "box" | "link" as kind:
                answer = self._hold(peer, kind, said, fds)
            case other:
                raise ValueError(other)
        return answer

    def _hold(
        self, peer: _Peer, kind: str, said: Mapping[str, object], fds: Sequence[int]
    ) -> Mapping[str, object]:
        if self._ended:
            return {"ok": False, "why": f"the run was ended: {self._ended['cause']}"}
        if not fds:
            return {"ok": False, "why": f"no descriptor came with {kind} {said['name']}"}
        if kind == "box":
            for fd in fds:
                peer.pidfds.add(fd)
                self._selector.register(fd, selectors.EVENT_READ, peer)
        else:
            indexes = said["indexes"]
            if not isinstance(indexes, list):
                raise TypeError(indexes)
            links = socket.socket(fileno=fds[0])
            peer.links.append((links, tuple(int(index) for index in indexes)))
        return {"ok": True}

    def _boxes(self) -> int:
        return sum(bool(peer.pidfds) for peer in self._peers.values())

    def _forget(self, peer: _Peer, pidfd: int) -> None:
        self._selector.unregister(pidfd)
        peer.pidfds.discard(pidfd)
        os.close(pidfd)

    def _gone(self, peer: _Peer) -> None:
        """A connection closed. What its holder left is ended; the driver's end is the run's end."""
        left = len(peer.pidfds)
        if peer.role == "driver" and not self._ended:
            others = sum(len(one.pidfds) + len(one.links) for one in self._peers.values())
            if others:
                self._end("dead-man", "warden", "the driver is gone")
            else:
                self._note("driver ended", boxes=0)
            self._done = True
        elif left:
            self._note("worker gone", pid=peer.pid, processes=left)
            _kill(peer.pidfds)
        self._done = self._done or peer.role == "driver"
        refused: list[str] = []
        for links, indexes in peer.links:
            refused += _take_down(links, indexes)
            links.close()
        if refused:
            self._note("links left up", pid=peer.pid, why=_counted(refused))
        for fd in list(peer.pidfds):
            self._forget(peer, fd)
        self._selector.unregister(peer.line)
        del self._peers[peer.line.fileno()]
        peer.line.close()

    def _look(self) -> None:
        """The orders that nobody speaks: a file, or silence."""
        if self._ended or self._done:
            return
        with contextlib.suppress(FileNotFoundError):
            os.stat(STOP_FILE, dir_fd=self._orders.folder)
            self._end("person", "file", "an order by file")
            return
        if not self._started and not any(one.role == "driver" for one in self._peers.values()):
            # It ended before it had said who it is: nobody else will release this run.
            if self._boxes():
                self._end("dead-man", "warden", "the driver is gone")
            self._note("driver ended", boxes=self._boxes())
            self._done = True
            return
        for of, last in self._beats.items():
            if (silent := time.monotonic() - last) > self._orders.dead_man:
                self._end("dead-man", "warden", f"no heartbeat of the {of} for {silent:.1f} s")
                return

    def _end(self, by: str, who: str, cause: str) -> dict[str, object]:
        """End everything, once; answers the record of it."""
        if self._ended is not None:
            return self._ended
        begun = time.monotonic()
        at = _now()
        links = [link for peer in self._peers.values() for link in peer.links]
        refused = [why for link in links for why in _take_down(*link)]
        asked = sum(len(indexes) for _, indexes in links)
        links_s = time.monotonic() - begun
        held = [fd for peer in self._peers.values() for fd in peer.pidfds]
        _kill(held)
        swept = self._swept()
        _kill(swept)
        found = [*held, *swept]
        left = _wait_gone(found, begun + GONE_SECONDS_MAX)
        self._ended = {
            "at": at,
            "by": by,
            "who": who,
            "cause": cause,
            "processes": len(found),
            "left": left,
            "gone_s": round(time.monotonic() - begun, 4),
            "links": asked,
            "links_down": asked - len(refused),
            "links_refused": _counted(refused),
            "links_s": round(links_s, 4),
            "key": "no broker named",
        }
        for fd in swept:
            os.close(fd)
        watching = [peer for peer in self._peers.values() if peer.role == "watch"]
        untold = [self._tell(peer, {"ended": self._ended}) for peer in watching]
        self._ended["untold"] = _counted(why for why in untold if why)
        if self._revoker is not None:
            self._ended["key"] = _revoke(self._revoker)
            self._ended["key_s"] = round(time.monotonic() - begun, 4)
        self._note("ended", **self._ended)
        return self._ended

    def _swept(self) -> list[int]:
        """Descriptors of whatever else a worker has started, to be closed by the caller.

        So a sandbox whose worker was stopped before it could hand it over is no exception. A worker
        that speaks to us has not been reaped, nor has a child that it has not waited for: the
        numbers are theirs.
        """
        swept: list[int] = []
        of = {
            role: {peer.pid for peer in self._peers.values() if peer.role == role}
            for role in ("driver", "worker")
        }
        # A driver that a worker started has the warden below it until the kernel has buried the driver.
        mine = os.getpid()
        for pid in of["worker"] - of["driver"]:  # what a driver started is the warden itself
            for child in tree(pid):
                if child not in {pid, mine}:
                    with contextlib.suppress(ProcessLookupError):
                        swept.append(os.pidfd_open(child))
        return swept

    def _tell(self, peer: _Peer, answer: Mapping[str, object]) -> str:
        """Send it without waiting; why that failed, empty if it did not.

        Who does not listen hears of it when it asks.
        """
        try:
            peer.line.send(json.dumps(answer).encode(), socket.MSG_DONTWAIT)
        except (ConnectionError, BlockingIOError) as error:
            return str(error.strerror)
        return ""

    def _note(self, event: str, **more: object) -> None:
        os.write(self._orders.journal, entry(event, **more))


def entry(event: str, **more: object) -> bytes:
    """One line of a warden's journal."""
    line = json.dumps({"at": _now(), "event": event, **more}, sort_keys=True)
    return line.encode() + b"\n"


def _counted(reasons: Iterable[str]) -> str:
    """Each reason once, with how often it was given: a packet must hold it."""
    return ", ".join(f"{why} ({count})" for why, count in Counter(reasons).items())


def _now() -> str:
    return datetime.fromtimestamp(time.time(), UTC).isoformat(timespec="milliseconds")


def _kill(pidfds: Sequence[int] | set[int]) -> None:
    for fd in pidfds:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(fd, signal.SIGKILL)


def _wait_gone(pidfds: Sequence[int], deadline: float) -> int:
    """How many of the processes behind *pidfds* are still there at *deadline* or before."""
    poller = select.poll()
    left = set(pidfds)
    for fd in left:
        poller.register(fd, select.POLLIN)
    while left and time.monotonic() < deadline:
        for fd, _ in poller.poll(20):
            poller.unregister(fd)
            left.discard(fd)
    return len(left)


def _take_down(links: socket.socket, indexes: Sequence[int]) -> list[str]:
    """Set the interfaces of *indexes* down, in the namespace of *links*; a reason for each still up.

    The kernel does it within the call that asks for it.
    """
    refused: list[str] = []
    links.setblocking(False)  # noqa: FBT003 -- the socket module's own signature
    for number, index in enumerate(indexes, 1):
        asked = struct.pack("=BxHiII", socket.AF_UNSPEC, 0, index, 0, _IFF_UP)
        flags = _NLM_F_REQUEST | _NLM_F_ACK
        head = struct.pack("=IHHII", 16 + len(asked), _RTM_NEWLINK, flags, number, 0)
        try:
            links.send(head + asked)
            answer = links.recv(4096)
        except OSError as error:
            refused.append(str(error.strerror))
            continue
        kind, status = struct.unpack_from("=4xH10xi", answer)
        if kind != _NLMSG_ERROR:
            refused.append(f"an answer of kind {kind}")
        elif status != 0:
            refused.append(os.strerror(-status))
    return refused


def _revoke(revoker: "subprocess.Popen[bytes]") -> str:
    """Have the key revoked by the process that waits for the word; what became of it."""
    assert revoker.stdin and revoker.stdout  # noqa: S101, PT018 -- asked for at its start
    try:
        revoker.stdin.write(b"now\n")
        revoker.stdin.flush()
    except BrokenPipeError as error:
        return f"not revoked: the revoker is gone: {error.strerror}"
    ready, _, _ = select.select([revoker.stdout], [], [], REVOKE_SECONDS_MAX)
    told = revoker.stdout.readline().decode(errors="replace").strip() if ready else ""
    return told or f"not revoked: no answer within {REVOKE_SECONDS_MAX:g} s"


def wait_and_revoke(argv: Sequence[str]) -> None:
    """The revoker: run *argv* once told to on standard input, and say how it went.

    A process of its own, for it stays the run's user, whom the broker knows.
    """
    if not sys.stdin.buffer.readline():
        return
    try:
        done = subprocess.run(
            list(argv), capture_output=True, timeout=REVOKE_SECONDS_MAX, check=False
        )
        told = "revoked" if done.returncode == 0 else f"not revoked: status {done.returncode}"
    except (OSError, subprocess.TimeoutExpired) as error:
        told = f"not revoked: {type(error).__name__}"
    sys.stdout.write(told + "\n")
    sys.stdout.flush()


def become(uid: int) -> None:
    """Leave root for *uid*, keeping the capabilities to end processes and to set links down.

    Afterwards not even Python's own files may be readable: what is needed of them is loaded now.

    Raises: OSError, if this process may not.
    """
    codecs.lookup("ascii")
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "capabilities cannot be kept")
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    head = struct.pack("=Ii", _CAPABILITY_VERSION_3, 0)
    kept = 1 << _CAP_KILL | 1 << _CAP_NET_ADMIN
    sets = struct.pack("=6I", kept, kept, 0, 0, 0, 0)
    if libc.capset(head, sets):
        raise OSError(ctypes.get_errno(), "capabilities cannot be set")


def main(argv: Sequence[str]) -> int:
    """Run as the warden with the orders in *argv*, or as its revoker."""
    if argv[0] == "revoke":
        wait_and_revoke(argv[1:])
        return 0
    orders = Orders(**json.loads(argv[0]))
    revoker = None
    if orders.revoke:
        own = [sys.executable, "-m", "leadline.sandbox.warden", "revoke", *orders.revoke]
        pipe = subprocess.PIPE
        revoker = subprocess.Popen(own, stdin=pipe, stdout=pipe)
    Warden(orders, revoker).run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
