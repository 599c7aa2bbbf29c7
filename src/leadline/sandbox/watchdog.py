"""Bounds what boxes hold in memory and files where no cgroup does it: one thread per process.

A box's account is the resident memory of the process tree under its first process. Summed resident
sizes count shared pages once per process, so a sum over the bound is looked at again as
proportional shares before anything is ended. Over the bound, everything in the box but its first
process is ended at once, and the hit is recorded: it is the subject's limit, not a fault of ours.

The next look at a box comes when it could have reached its bound, were memory filled at
`GROWTH_BYTES_PER_SECOND`, so idle boxes cost little and large ones are watched closely.

What no resident size shows (pipe and socket buffers, shared memory let go of) is left to the kernel, which ends box
processes first (`oom_score_adj` 1000).
"""

import contextlib
import heapq
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
GROWTH_BYTES_PER_SECOND = 4 << 30
PERIOD_MIN, PERIOD_MAX = 0.02, 0.5
IDLE_SECONDS = 1.0
SETTLED_SECONDS = 1.0  # after ending everything, what a kernel of its own still holds is files
OBEY_SECONDS = 5.0  # after this long over its bound in spite of being told, the whole box is ended

Hit = Literal["memory", "inodes", "unmeasured"]


@dataclass(frozen=True, slots=True)
class Bounds:
    """Bytes of resident memory, and files over each of the writable *mounts*.

    *files_bytes* is the most that files may weigh where the weight covers them too.
    """

    memory_bytes: int
    inodes: int
    mounts: tuple[str, ...]
    files_bytes: int = 0


@dataclass(slots=True)
class Watched:
    """One box under watch.

    *pid* and *pidfd* are bubblewrap's, *first* is the box's first process as the host numbers it;
    *kill_all* ends everything else in the box and may be called from any thread. *weigh* answers the
    bytes it holds where no process tree of the host shows them. *files* is the
    number on the fullest mount at the last look, *kept_bytes* what ending everything
    left, *least_bytes* the least seen since it was ended.
    """

    pid: int
    pidfd: int
    bounds: Bounds
    kill_all: Callable[[], None]
    first: int | None = None
    weigh: Callable[[], int] | None = None
    hits: tuple[Hit, ...] = ()
    over_since: float | None = None
    peak_bytes: int = 0
    files: int = 0
    kept_bytes: int = 0
    least_bytes: int = 0


@dataclass(order=True, slots=True)
class _Due:
    at: float
    watched: Watched = field(compare=False)


def children(pid: int) -> list[int]:
    """Direct children of *pid* over all its threads; none if it is gone."""
    found: list[int] = []
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for thread in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208 - hot
            found += map(int, _text(f"/proc/{pid}/task/{thread}/children").split())
    return found


def tree(pid: int) -> Iterator[int]:
    """*pid* and every process below it."""
    waiting = [pid]
    while waiting:
        process = waiting.pop()
        yield process
        waiting += children(process)


def _text(path: str) -> str:
    with open(path, encoding="ascii", errors="replace") as file:  # noqa: PTH123 - hot
        return file.read()


def resident_bytes(pid: int) -> int:
    """Resident memory of one process, shared pages in full; 0 once it is gone."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return int(_text(f"/proc/{pid}/statm").split()[1]) * PAGE_BYTES
    return 0


def proportional_bytes(pid: int) -> int:
    """Memory of one process with shared pages divided among their holders; 0 once it is gone."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for line in _text(f"/proc/{pid}/smaps_rollup").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


def account(first: int, bound: int) -> int:
    """Bytes of memory the box of *first* holds; exact only where it matters, above *bound*."""
    processes = list(tree(first))
    total = sum(map(resident_bytes, processes))
    if total <= bound or len(processes) == 1:
        return total
    return sum(map(proportional_bytes, processes))


def files_used(first: int, mount: str) -> int:
    """Files and folders on the file system at *mount* in the box of *first*; 0 if out of sight."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        stat = os.statvfs(f"/proc/{first}/root{mount}")
        return stat.f_files - stat.f_ffree
    return 0


def next_look(memory: int, bound: int) -> float:
    """Seconds until a box holding *memory* bytes could be half-way to *bound*."""
    return min(max((bound - memory) / 2 / GROWTH_BYTES_PER_SECOND, PERIOD_MIN), PERIOD_MAX)


def look(watched: Watched, now: float) -> float:
    """Measure one box, act on it, and answer the seconds until the next look."""
    if watched.weigh is not None:
        return _look_at_weight(watched, watched.weigh(), now)
    if watched.first is None:
        watched.first = next(iter(children(watched.pid)), None)
    if watched.first is None:
        return PERIOD_MAX
    _look_at_files(watched, watched.first)
    bound = watched.bounds.memory_bytes
    memory = account(watched.first, bound)
    watched.peak_bytes = max(watched.peak_bytes, memory)
    if memory <= bound:
        watched.over_since = None
        return next_look(memory, bound)
    if watched.over_since is None:
        watched.over_since = now
        watched.hits = (*watched.hits, "memory")
    watched.kill_all()
    if now - watched.over_since > OBEY_SECONDS:
        end_box(watched.pidfd)
    return PERIOD_MIN


def _look_at_weight(watched: Watched, weight: int, now: float) -> float:
    """Act on a *weight* that covers processes and files alike.

    Over the bound, everything is ended. The least that is seen within a second of it lies in files,
    which ending cannot take away: it counts as kept from then on, so that the box can be used and
    cleaned up, unless it is more than files may be.
    """
    watched.peak_bytes = max(watched.peak_bytes, weight)
    bound = watched.bounds.memory_bytes + watched.kept_bytes
    if watched.over_since is None:
        if weight <= bound:
            return next_look(weight, bound)
        watched.over_since, watched.least_bytes = now, weight
        watched.hits = (*watched.hits, "memory")
    watched.least_bytes = min(watched.least_bytes, weight)
    if weight > bound:
        watched.kill_all()
    if now - watched.over_since > SETTLED_SECONDS:
        watched.kept_bytes, watched.over_since = watched.least_bytes, None
        if watched.least_bytes > watched.bounds.files_bytes:
            end_box(watched.pidfd)
    return PERIOD_MIN


def _look_at_files(watched: Watched, first: int) -> None:
    """Ending what runs leaves the files there, so only what adds to them is ended again."""
    most = max((files_used(first, mount) for mount in watched.bounds.mounts), default=0)
    bound = watched.bounds.inodes
    grown = most > max(bound, watched.files)
    watched.files = most
    if grown and children(first):
        watched.hits = (*watched.hits, "inodes")
        watched.kill_all()


def _look_or_end(watched: Watched, now: float) -> float:
    """`look`; a box that cannot be measured is ended, for nothing would bound it."""
    try:
        return look(watched, now)
    except OSError:
        watched.hits = (*watched.hits, "unmeasured")
        end_box(watched.pidfd)
        return PERIOD_MAX


def end_box(pidfd: int) -> None:
    """End the whole box: its bubblewrap process takes everything in it along."""
    with contextlib.suppress(ProcessLookupError):
        signal.pidfd_send_signal(pidfd, signal.SIGKILL)


class Watchdog:
    """Looks at every box in turn; the thread lives while there is a box to watch."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = (
            threading.Condition()
        )  # guards _due and _thread, and a box while it is looked at
        self._due: list[_Due] = []
        self._thread: threading.Thread | None = None

    @property
    def thread(self) -> threading.Thread | None:
        """The thread that looks, while there is a box to look at."""
        return self._thread

    def watch(self, watched: Watched) -> Watched:
        """Watch a box until `forget`."""
        with self._lock:
            heapq.heappush(self._due, _Due(self._clock() + PERIOD_MIN, watched))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="box-watchdog", daemon=True)
                self._thread.start()
            self._lock.notify()
        return watched

    def forget(self, watched: Watched) -> None:
        """Stop watching; on return the box is not being looked at, so its numbers may be reused."""
        with self._lock:
            self._due = [due for due in self._due if due.watched is not watched]
            heapq.heapify(self._due)
            self._lock.notify()

    def _run(self) -> None:
        with self._lock:
            # Waiting a little for the next box is cheaper than a new thread for each.
            while self._due or self._lock.wait_for(lambda: self._due, IDLE_SECONDS):
                wait = self._due[0].at - self._clock()
                if wait > 0:
                    self._lock.wait(wait)
                    continue
                watched = heapq.heappop(self._due).watched
                seconds = _look_or_end(watched, self._clock())
                heapq.heappush(self._due, _Due(self._clock() + seconds, watched))
            self._thread = None


WATCHDOG = Watchdog()
