"""Worker processes of one host: dead ones replaced, what they held given back, none left behind."""

import signal
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

import make
from fakes import MemoryExecutor
from journeys.assessments import gone
from leadline.app.ports import Executor
from leadline.core.errors import Unavailable
from leadline.runner import pool as pools
from leadline.runner.pool import LocalPool, worker_command

IDLE = "import time; time.sleep(600)"


def python(code: str) -> Sequence[str]:
    """A process that runs *code*."""
    return [sys.executable, "-c", code]


def submitted(executor: Executor) -> Executor:
    """A table with one shard of the job."""
    executor.submit("job", "eval", {"name": "one"}, total=1)
    return executor


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[LocalPool]:
    """One idle worker at a time; ended with the test."""
    executor = submitted(MemoryExecutor())
    made = LocalPool(executor, lambda job, name: python(IDLE), 1, tmp_path)
    yield made
    made.stop()


def test_a_dead_worker_is_replaced_and_its_work_queued_again(pool: LocalPool) -> None:
    """Killed by force, what it held is free at once and another runs under a new name."""
    pool.start("job")
    [(name, first)] = pool.processes.items()
    assert pool.executor.claim(name, now=make.NOW, lease_seconds=30) is not None
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert pool.alive() == 1
    [(other, second)] = pool.processes.items()
    assert other != name
    assert second.pid != first.pid
    assert pool.executor.shards("job")[0].state == "queued"
    pool.stop()
    gone([second.pid])
    assert pool.processes == {}


def test_what_an_earlier_process_held_is_free_at_the_start(pool: LocalPool) -> None:
    """A resumed assessment does not wait for the lease of a worker that died with its starter."""
    assert pool.executor.claim("worker-7", now=make.NOW, lease_seconds=3600)
    pool.start("job")
    assert pool.executor.shards("job")[0].state == "queued"


def test_a_worker_that_is_done_is_not_replaced(tmp_path: Path) -> None:
    """Status 0 means that no shard was left to claim."""
    pool = LocalPool(MemoryExecutor(), lambda job, name: python("pass"), 2, tmp_path)
    pool.start("job")
    for process in pool.processes.values():
        process.wait()
    assert pool.alive() == 0
    assert pool.started == 2


def test_workers_that_keep_dying_end_the_run(pool: LocalPool) -> None:
    """After fifty starts a worker the pool gives up and says where the reasons stand."""
    pool.start("job")
    [first] = pool.processes.values()
    first.kill()
    first.wait()
    pool.started = pools.STARTS_EACH
    with pytest.raises(Unavailable, match=r"worker-\*\.err"):
        pool.alive()


def test_what_a_worker_prints_is_kept(tmp_path: Path) -> None:
    """A worker that cannot begin, in a folder without an assessment, leaves its reason in a file."""
    pool = LocalPool(MemoryExecutor(), worker_command(tmp_path / "out"), 1, tmp_path)
    pool.start("job")
    [process] = pool.processes.values()
    try:
        assert process.wait(timeout=200) != 0
    finally:
        pool.stop()
    told = (tmp_path / "worker-1.err").read_text()
    assert "seed.json" in told or "request.json" in told or "keys" in told


def test_a_worker_that_does_not_stop_is_ended_by_force(tmp_path: Path) -> None:
    """Deaf to the polite signal, it is killed after the time to stop."""
    deaf = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); {IDLE}"
    pool = LocalPool(
        MemoryExecutor(), lambda job, name: python(deaf), 1, tmp_path, stop_seconds=0.2
    )
    pool.start("job")
    [process] = pool.processes.values()
    until = time.monotonic() + 30
    while not (tmp_path / "worker-1.err").read_text():
        assert time.monotonic() < until
        time.sleep(0.02)
    pool.stop()
    assert process.returncode == -signal.SIGKILL
