"""A worker process: claims shards, runs them, reports; started by `leadline assess` or by hand.

    python -m leadline.worker OUT JOB NAME

It dies with the process that started it, and holds nothing that the shard table does not know: it may
be killed at any moment.
"""

import contextlib
import ctypes
import json
import os
import select
import signal
import stat
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from leadline import settings
from leadline.app.ports import Executor, Shard
from leadline.core.errors import LeadlineError, Stale
from leadline.wiring import working
from leadline.wiring.clock import clock

HEARTBEAT_SECONDS = 1.0  # progress is shown by it, so that it is far below the lease
IDLE_SECONDS = 0.25
ATTEMPTS_MAX = 3
CLAIMS_MAX = 40  # a kill is no fault of the shard, so that this is far above any honest number
PR_SET_PDEATHSIG = 1


def main(argv: list[str]) -> int:
    """Work until the job has no shard left to claim. Exit status 0, or 130 when stopped."""
    settings.start_quickly()
    out, job, name = argv
    settle_in()
    return work(working.worker(settings.workspace(Path(out)), settings.load()), job, name)


def settle_in() -> None:
    """Make this process one that ends with its starter, and stops in order when it is told to."""
    _die_with_parent()
    signal.signal(signal.SIGTERM, _interrupt)
    # A process started in the background may have been told to ignore this one, by which the
    # heartbeat stops work that is no longer ours.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def work(parts: "working.WorkerParts", job: str, name: str) -> int:
    """Claim shards of *job* as *name*, and of no other job, until none is left and none will come.

    Answers 0, or 130 when stopped.

    A host that may give the run no results claims none.
    """
    if parts.refused:
        sys.stderr.write(f"this host gives no results: {parts.refused}\n")
        return 0
    try:
        while True:
            shard = parts.executor.claim(
                name,
                now=clock(),
                lease_seconds=parts.settings.lease_seconds,
                job=job,
                code=parts.code,
            )
            if shard is not None and shard.attempts > CLAIMS_MAX:
                error = f"given up after {shard.attempts} workers died over it"
                parts.executor.fail(shard, now=clock(), error=error, attempts_max=0)
            elif shard is not None:
                _work(parts, shard)
            elif _all_ended(parts.executor, job) and not parts.more():
                return 0
            else:
                time.sleep(IDLE_SECONDS)
    except KeyboardInterrupt:
        parts.executor.release(name)
        return 130


def _work(parts: "working.WorkerParts", shard: Shard) -> None:
    """Run *shard* and tell the table how it ended.

    Where a newer token holds the shard by now, what was found is kept as a duplicate.
    """
    with _beating(parts.executor, shard) as beat:
        try:
            result = parts.run(shard, beat.report)
        except KeyboardInterrupt:
            raise
        except LeadlineError as error:
            _fail(parts.executor, shard, str(error))
            return
        except Exception as error:  # noqa: BLE001 -- the one broad handler: a shard's fault is its own
            _fail(parts.executor, shard, f"{type(error).__name__}: {error}")
            return
    try:
        parts.executor.finish(shard, now=clock(), result=result)
    except Stale:
        parts.executor.keep_late(shard, now=clock(), result=result)


def _fail(executor: Executor, shard: Shard, error: str) -> None:
    """Tell the table of a failure; one that comes late is kept as a late result is."""
    try:
        executor.fail(shard, now=clock(), error=error, attempts_max=ATTEMPTS_MAX)
    except Stale:
        executor.keep_late(shard, now=clock(), result=json.dumps({"failed": error}))


@dataclass
class _Beat:
    """Progress of the shard in hand, sent by its own thread so that native work cannot starve it."""

    executor: Executor
    shard: Shard
    done: int = 0
    note: str = ""
    stop: threading.Event = field(default_factory=threading.Event)

    def report(self, done: int, note: str) -> None:
        """What the running shard says of itself."""
        self.done, self.note = done, note

    def run(self) -> None:
        """Send progress until stopped; interrupt the work when the shard is no longer ours."""
        while not self.stop.wait(HEARTBEAT_SECONDS):
            ours = self.executor.heartbeat(self.shard, now=clock(), done=self.done, note=self.note)
            if not ours and not self.stop.is_set():
                os.kill(os.getpid(), signal.SIGINT)
                return


@contextlib.contextmanager
def _beating(executor: Executor, shard: Shard) -> Iterator[_Beat]:
    beat = _Beat(executor, shard)
    thread = threading.Thread(target=beat.run, daemon=True)
    thread.start()
    try:
        yield beat
    finally:
        beat.stop.set()
        thread.join(timeout=5)


def _all_ended(executor: Executor, job: str) -> bool:
    return all(
        shard.state in {"done", "failed", "cancelled", "frozen"} for shard in executor.shards(job)
    )


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _die_with_parent() -> None:
    """Ask the kernel to end this process when its starter ends, however that happens.

    A starter that ended before this, while modules were still being read, is told by its end of the
    pipe that it gave as standard input; nothing is ever written there.
    """
    parent = os.getppid()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    piped = stat.S_ISFIFO(os.fstat(0).st_mode)
    if os.getppid() != parent or (piped and select.select([0], [], [], 0)[0]):
        sys.exit(130)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
