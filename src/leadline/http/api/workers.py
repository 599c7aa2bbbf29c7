"""Several processes that serve one listening socket; one that ends is begun again.

Whatever must hold across them is in the store or under a lock of the folder: sessions, waiting after
failed sign-ins, forms that count once, who does the jobs. What a process keeps for itself is made of what
it reads anyway: pictures by what they show, lists of rules by who asks.
"""

import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from functools import partial
from types import FrameType

_Handler = Callable[[int, FrameType | None], object] | int | None
WORKERS_MAX = 4  # by default
SECONDS_TO_END = 10
SECONDS_APART = 1.0  # between the end of a worker and the beginning of the next


def usual() -> int:
    """One for each core, up to four."""
    return min(WORKERS_MAX, len(os.sched_getaffinity(0)))


def run(count: int, work: Callable[[], None]) -> None:
    """Do *work* in *count* processes until this one is told to end; *work* opens all that it needs.

    It is begun by a fork: no thread may run here, and nothing that is shared may be open.
    """
    if count == 1:
        work()
        return
    told = list[int]()

    def hear(number: int, _frame: FrameType | None) -> None:
        told.append(number)
        for pid in running:
            _tell(pid, signal.SIGTERM)

    running, (ended, alive) = set[int](), os.pipe()
    before = {one: signal.signal(one, hear) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        while not told:
            while len(running) < count and not told:
                running.add(_begun(partial(_until, work, ended, alive), before))
            if not told:
                _ended(running)
            if not told:
                time.sleep(SECONDS_APART)
        _await(running)
    finally:
        os.close(ended)
        os.close(alive)
        for number, handler in before.items():
            signal.signal(number, handler)
    signal.raise_signal(told[0])


def _until(work: Callable[[], None], ended: int, alive: int) -> None:
    """Do *work*, and end with the process that holds the other end of the pipe, however that one ends."""
    os.close(alive)

    def watch() -> None:
        os.read(ended, 1)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="parent", daemon=True).start()
    work()


def _begun(work: Callable[[], None], handlers: Mapping[signal.Signals, _Handler]) -> int:
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, handlers)
    pid = os.fork()
    if pid:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        return pid
    try:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        work()
    finally:
        # Nothing of a worker may go on in the frames of its parent.
        error = sys.exception()
        if error is not None and not isinstance(error, KeyboardInterrupt):
            traceback.print_exception(error)
        sys.stderr.flush()
        os._exit(0 if error is None or isinstance(error, KeyboardInterrupt) else 1)


def _tell(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return  # it ended already


def _ended(running: set[int]) -> None:
    """Wait for the end of one of them, or for a signal."""
    try:
        pid, _ = os.wait()
    except ChildProcessError:
        running.clear()
        return
    running.discard(pid)


def _await(running: set[int]) -> None:
    """Wait until all have ended, and end those that do not."""
    last = time.monotonic() + SECONDS_TO_END
    for one in running:
        _tell(one, signal.SIGTERM)
    while running:
        pid, _ = os.waitpid(-1, os.WNOHANG)
        running.discard(pid)
        if pid == 0 and time.monotonic() > last:
            for one in running:
                _tell(one, signal.SIGKILL)
            last = float("inf")
        if pid == 0:
            time.sleep(0.02)
