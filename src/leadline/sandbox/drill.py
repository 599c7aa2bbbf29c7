"""The kill drill: how long until every process of an unwilling box is gone, with its driver stopped.

Two processes besides the box. The *driver* starts it and fills it with processes that ignore
signals and leave their session; then it is stopped (SIGSTOP), event loop and all. The caller, which
shares nothing with the driver but the numbers it printed, holds descriptors of the processes, ends
the box by bubblewrap's and waits for each of them to be gone.
"""

import asyncio
import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from leadline.sandbox.box import Box, BoxConfig
from leadline.sandbox.slots import process_uid
from leadline.sandbox.survey import Unusable
from leadline.sandbox.watchdog import tree

SECONDS_MAX = 2.0  # from the order to the last process gone
UNWILLING = 24
READY_SECONDS_MAX = 30.0
GONE_SECONDS_MAX = 10.0
_STUBBORN = "trap '' TERM INT HUP QUIT USR1 USR2; while :; do sleep 60 & wait; done"
_STORM = f"""
trap '' TERM INT HUP QUIT USR1 USR2
i=0
while [ $i -lt {UNWILLING} ]; do setsid sh -c "{_STUBBORN}" & i=$((i+1)); done
while :; do sleep 60 & wait; done
"""
_DRIVER = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from leadline.sandbox.drill import main; main()"
)


@dataclass(frozen=True, slots=True)
class Drill:
    """*seconds* from the order until the last of *processes* was gone; *ok* if that was in time."""

    seconds: float
    processes: int
    ok: bool


async def _drive() -> None:
    """The driver: a box full of unwilling processes, and its numbers on stdout."""
    async with await Box.start(BoxConfig()) as box:
        storm = asyncio.create_task(box.exec(["sh", "-c", _STORM]))
        # Two processes each (the shell and its sleep), the storm itself, the first and bubblewrap.
        while len(list(tree(box.pid))) < 2 * UNWILLING + 4:  # noqa: ASYNC110 - nothing announces them
            await asyncio.sleep(0.02)
        sys.stdout.write(json.dumps({"bwrap": box.pid, "uid": box.uid}) + "\n")
        sys.stdout.flush()
        await storm


def main() -> None:
    """Run as the driver until killed."""
    asyncio.run(_drive())


@contextlib.contextmanager
def _driver(program: str) -> Iterator[tuple[subprocess.Popen[str], int, int | None]]:
    argv = [sys.executable, "-c", program, json.dumps(sys.path)]
    pipe = subprocess.PIPE
    with subprocess.Popen(argv, stdout=pipe, stderr=pipe, text=True) as driver:
        try:
            assert driver.stdout and driver.stderr  # noqa: S101, PT018 - asked for above
            ready, _, _ = select.select([driver.stdout], [], [], READY_SECONDS_MAX)
            line = driver.stdout.readline() if ready else ""
            if not line:
                driver.kill()
                raise Unusable(f"the drill's box did not start: {driver.stderr.read().strip()}")
            numbers: dict[str, int | None] = json.loads(line)
            yield driver, numbers["bwrap"] or 0, numbers["uid"]
        finally:
            driver.kill()


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


def drill(program: str = _DRIVER) -> Drill:
    """Run the drill once; blocks for about as long as a box takes to start and end.

    *program* is the driver's Python text: it starts the box and prints its numbers.

    Raises: Unusable if the box cannot be started at all.
    """
    with _driver(program) as (driver, bwrap, uid), contextlib.ExitStack() as stack:
        pids = list(tree(bwrap))
        pidfds = [os.pidfd_open(pid) for pid in pids]
        for fd in pidfds:
            stack.callback(os.close, fd)
        driver.send_signal(signal.SIGSTOP)
        while _state(driver.pid) != "T":
            time.sleep(0.001)
        begun = time.monotonic()
        signal.pidfd_send_signal(pidfds[0], signal.SIGKILL)
        gone = _wait_gone(pidfds, begun + GONE_SECONDS_MAX)
        seconds = time.monotonic() - begun
        return Drill(seconds, len(pids), gone and seconds <= SECONDS_MAX and not _left(uid))


def _left(uid: int | None) -> bool:
    """Whether anything still runs as the box's own uid; bubblewrap itself waits for its driver."""
    if uid is None:
        return False
    pids = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
    return any(_state(pid) not in ("Z", "X") for pid in pids if process_uid(pid) == uid)
