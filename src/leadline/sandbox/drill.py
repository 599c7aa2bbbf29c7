"""The kill drill: the warden ordered to end a run whose driver and store are stopped, and measured.

Four processes besides the sandboxes. The *driver* starts a box full of processes that ignore signals
and leave their session, and a range of two hosts where this host can hold one; it hands both to a
*warden* and is then stopped (SIGSTOP), event loop and all. The *store* holds the write lock of a
database and is stopped with it. A *broker* of the drill's own honours a key until told otherwise. The
caller holds descriptors of every process itself, gives the order and waits: what is reported is what
it saw, not what the warden says.
"""

import asyncio
import contextlib
import http.client
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self

from typing_extensions import override

from leadline.sandbox.box import Box, BoxConfig
from leadline.sandbox.config import Host, Network
from leadline.sandbox.egress import boot_id
from leadline.sandbox.slots import process_uid
from leadline.sandbox.survey import Unusable
from leadline.sandbox.ward import ADMISSION, Ward, Warded
from leadline.sandbox.watchdog import tree

SECONDS_MAX = 2.0  # from the order to the last process gone
LINKS_SECONDS_MAX = 1.0  # to the range's links down
KEY_SECONDS_MAX = 5.0  # to the key refused
UNWILLING = 24
READY_SECONDS_MAX = 60.0
GONE_SECONDS_MAX = 10.0
RANGE = "two hosts"
_STUBBORN = "trap '' TERM INT HUP QUIT USR1 USR2; while :; do sleep 60 & wait; done"
_STORM = f"""
trap '' TERM INT HUP QUIT USR1 USR2
i=0
while [ $i -lt {UNWILLING} ]; do setsid sh -c "{_STUBBORN}" & i=$((i+1)); done
while :; do sleep 60 & wait; done
"""
_COUNT = ["sh", "-c", "set -- /proc/[0-9]*; echo $#"]
_NETWORK = Network(
    segments={"drill": "10.213.0.0/24"},
    hosts={
        "one": Host(addresses={"drill": "10.213.0.1"}),
        "two": Host(addresses={"drill": "10.213.0.2"}),
    },
)
_DRIVER = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from leadline.sandbox.drill import main; main(sys.argv[2], sys.argv[3])"
)
_STORE = (
    "import sqlite3, sys, time; held = sqlite3.connect(sys.argv[1], isolation_level=None); "
    "held.execute('BEGIN EXCLUSIVE'); print('held', flush=True); time.sleep(600)"
)
_REVOKE = (
    "import http.client, sys; there = http.client.HTTPConnection('127.0.0.1', int(sys.argv[1]), 4); "
    "there.request('POST', '/'); sys.exit(there.getresponse().status != 200)"
)


@dataclass(frozen=True, slots=True)
class Drill:
    """*seconds* from the order until the last of *processes* was gone; *ok* if all was in time.

    *links_s* is the time until the process that holds the range's links was gone, None where *range*
    says why no range was part of it; *key_s* the time until the broker refused the key. *driver* and
    *store* are the kernel's letters for their states when the order was given: T is stopped.
    """

    seconds: float
    processes: int
    ok: bool
    links_s: float | None = None
    range: str = ""
    key_s: float | None = None
    driver: str = ""
    store: str = ""
    tier: str = "shared-kernel"
    host_boot_id: str = ""
    warden: str = ""  # what the warden itself reported, in words


@dataclass(frozen=True, slots=True)
class _Numbers:
    """What the driver tells: the processes that end its sandboxes, its box's uid, its range."""

    pids: list[int]
    uid: int | None
    links: int | None
    range: str


async def _drive(folder: str, tier: str) -> None:
    """The driver: a box full of unwilling processes and a range, and their numbers on stdout."""
    from leadline.sandbox.hosts import Hosts

    ADMISSION.ward = Ward(Path(folder), "worker")
    async with contextlib.AsyncExitStack() as stack:
        box = await stack.enter_async_context(await Box.start(BoxConfig(tier=tier)))
        links, pids, told = None, box.pids_to_end(), f"not part of this drill: no range in {tier}"
        if tier == "shared-kernel":
            try:
                config = BoxConfig(hosts=tuple(_NETWORK.hosts), network=_NETWORK)
                hosts = await stack.enter_async_context(await Hosts.start(config))
                links, pids, told = hosts.wires.pid, [*pids, *hosts.pids_to_end()], RANGE
            # the record of the drill says so, with the cause
            except Unusable as error:
                told = f"not part of this drill: {error}"
        storm = asyncio.create_task(box.exec(["sh", "-c", _STORM]))
        # Two processes each (the shell and its sleep), the storm itself and the first.
        while int((await box.exec(_COUNT)).stdout or b"0") < 2 * UNWILLING + 2:  # noqa: ASYNC110 - nothing announces them
            await asyncio.sleep(0.05)
        numbers = {"pids": pids, "uid": box.uid, "links": links, "range": told}
        sys.stdout.write(json.dumps(numbers) + "\n")
        sys.stdout.flush()
        await storm


def main(folder: str, tier: str) -> None:
    """Run as the driver until killed."""
    asyncio.run(_drive(folder, tier))


@contextlib.contextmanager
def _driver(
    program: str, folder: str, tier: str
) -> Iterator[tuple[subprocess.Popen[str], _Numbers]]:
    argv = [sys.executable, "-c", program, json.dumps(sys.path), folder, tier]
    pipe = subprocess.PIPE
    with subprocess.Popen(argv, stdout=pipe, stderr=pipe, text=True) as driver:
        try:
            assert driver.stdout and driver.stderr  # noqa: S101, PT018 - asked for above
            ready, _, _ = select.select([driver.stdout], [], [], READY_SECONDS_MAX)
            line = driver.stdout.readline() if ready else ""
            if not line:
                driver.kill()
                raise Unusable(f"the drill's box did not start: {driver.stderr.read().strip()}")
            yield driver, _Numbers(**json.loads(line))
        finally:
            driver.kill()


@contextlib.contextmanager
def _store(folder: str) -> Iterator[subprocess.Popen[str]]:
    """A process that holds a database's write lock."""
    argv = [sys.executable, "-c", _STORE, f"{folder}/drill.db"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as store:
        try:
            assert store.stdout  # noqa: S101 - asked for above
            store.stdout.readline()
            yield store
        finally:
            store.kill()


class _Broker:
    """Honours one key until it is revoked."""

    def __init__(self) -> None:
        broker, self.revoked = self, threading.Event()

        class Requests(BaseHTTPRequestHandler):
            """GET asks with the key, POST revokes it."""

            def do_GET(self) -> None:
                self._answer(403 if broker.revoked.is_set() else 200)

            def do_POST(self) -> None:
                broker.revoked.set()
                self._answer(200)

            def _answer(self, status: int) -> None:
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            @override
            def log_message(self, format: str, *args: object) -> None:
                """Nothing: standard error is the command's."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Requests)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def refuses(self) -> bool:
        """Whether the key is refused now."""
        there = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            there.request("GET", "/")
            return there.getresponse().status == 403  # noqa: PLR2004 -- Forbidden
        finally:
            there.close()


def _state(pid: int) -> str:
    """The kernel's letter for what *pid* is doing; X once it is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        text = ") X"
    return text.rpartition(")")[2].split()[0]


def _wait_gone(pidfds: list[int], deadline: float) -> bool:
    """Whether every process behind *pidfds* ended before *deadline*."""
    poller = select.poll()
    for fd in pidfds:
        poller.register(fd, select.POLLIN)
    left = len(pidfds)
    while left and time.monotonic() < deadline:
        for fd, _ in poller.poll(50):
            poller.unregister(fd)
            left -= 1
    return not left


@dataclass(frozen=True, slots=True)
class _Seen:
    """Seconds from the order to what the drill saw; None for what never came."""

    gone: float
    all_gone: bool
    links: float | None
    key: float | None


def _stop(processes: Sequence[subprocess.Popen[str]]) -> None:
    for process in processes:
        process.send_signal(signal.SIGSTOP)
        while _state(process.pid) not in "TX":
            time.sleep(0.001)


def _fire(
    warded: Warded, pidfds: list[int], links: int | None, broker: _Broker, patience: float
) -> _Seen:
    """Give the order and look: at the processes, at the one that holds the links, at the key."""
    begun = time.monotonic()
    order = threading.Thread(target=warded.ward.order, args=("person", "drill", "a drill"))
    order.start()
    links_s = None
    if links is not None and _wait_gone([links], begun + patience):
        links_s = time.monotonic() - begun
    all_gone = _wait_gone(pidfds, begun + patience)
    gone_s = time.monotonic() - begun
    key_s = None
    while key_s is None and time.monotonic() < begun + patience:
        key_s = time.monotonic() - begun if broker.refuses() else None
    order.join(patience)
    return _Seen(gone_s, all_gone, links_s, key_s)


def drill(
    program: str = _DRIVER,
    tier: str = "shared-kernel",
    *,
    own_uid: bool = True,
    patience: float = GONE_SECONDS_MAX,
) -> Drill:
    """Run the drill once; blocks for about as long as boxes of *tier* take to start and end.

    *program* is the driver's Python text: it starts the sandboxes and prints their numbers. The
    warden has a uid of its own as `ward.Warded.start` says. What is not gone after *patience*
    seconds is given up on.

    Raises: Unusable if the box cannot be started at all.
    """
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="leadline-drill-"))
        broker = stack.enter_context(_Broker())
        revoke = (sys.executable, "-S", "-c", _REVOKE, str(broker.port))
        warded = stack.enter_context(Warded.start(Path(folder), revoke=revoke, own_uid=own_uid))
        driver, numbers = stack.enter_context(_driver(program, folder, tier))
        store = stack.enter_context(_store(folder))
        pids = sorted({one for pid in numbers.pids for one in tree(pid)})
        pidfds = {pid: os.pidfd_open(pid) for pid in pids}
        for fd in pidfds.values():
            stack.callback(os.close, fd)
        _stop((driver, store))
        states = _state(driver.pid), _state(store.pid)
        links = pidfds[numbers.links] if numbers.links else None
        seen = _fire(warded, list(pidfds.values()), links, broker, patience)
        ended = warded.ward.ended() or {}
        return Drill(
            seconds=seen.gone,
            processes=len(pids),
            ok=_in_time(seen, with_range=links is not None) and not _left(numbers.uid),
            links_s=seen.links,
            range=numbers.range,
            key_s=seen.key,
            driver=states[0],
            store=states[1],
            tier=tier,
            host_boot_id=boot_id(),
            warden=f"{ended.get('processes')} processes held, {ended.get('left')} left, "
            f"key {ended.get('key')}",
        )


def _in_time(seen: _Seen, *, with_range: bool) -> bool:
    links = not with_range or (seen.links is not None and seen.links <= LINKS_SECONDS_MAX)
    key = seen.key is not None and seen.key <= KEY_SECONDS_MAX
    return seen.all_gone and seen.gone <= SECONDS_MAX and links and key


def _left(uid: int | None) -> bool:
    """Whether anything still runs as the box's own uid; bubblewrap itself waits for its driver."""
    if uid is None:
        return False
    pids = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
    return any(_state(pid) not in ("Z", "X") for pid in pids if process_uid(pid) == uid)
