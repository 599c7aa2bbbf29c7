"""Mock runs that tests disturb: started, watched, killed, and compared with an undisturbed one."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

from bench._mock_run import JOB, Yard
from bench._mock_samples import Setting

from leadline import worker
from leadline.app.ports import Shard, Workers
from leadline.core.assessment import SampleResult, ShardResult
from leadline.runner.merge import Merged, merge
from leadline.runner.pool import LocalPool
from leadline.store.shards import ShardTable
from leadline.wiring.home import clock

WAIT_SECONDS = 240


def pool(yard: Yard, table: ShardTable, count: int = 2) -> LocalPool:
    """Local workers of a yard."""
    return LocalPool(table, yard.command, count, yard.folder)


def finish(workers: Workers) -> None:
    """Look after the workers until they have ended by themselves."""
    end = time.monotonic() + WAIT_SECONDS
    while workers.alive():
        assert time.monotonic() < end, "the run does not end"
        time.sleep(0.05)


def here(yard: Yard, setting: Setting) -> list[ShardResult]:
    """A run in this process, shard after shard."""
    table, parts = yard.begin(setting), yard.parts()
    while shard := table.claim("w", now=clock(), lease_seconds=60, job=JOB):
        worker._work(parts, shard)
    return yard.results(table)


def whole(folder: Path, setting: Setting) -> tuple[list[ShardResult], Merged]:
    """An undisturbed run, to its end; what its samples come to does not depend on their length."""
    yard = Yard(fresh(folder))
    results = here(yard, replace(setting, sleep_ms=0))
    return timeless(results), merged(yard)


def timeless(results: list[ShardResult]) -> list[ShardResult]:
    """Results without what depends on when and in which attempt they came about."""
    return [
        replace(
            result,
            logs={},
            samples=tuple(replace(one, seconds=0, ended="", log="") for one in result.samples),
        )
        for result in results
    ]


def merged(yard: Yard, table: ShardTable | None = None) -> Merged:
    """The metrics of a run's logs; of a log that a kill left half written there is nothing."""
    counted = {}
    for result in yard.results(table or yard.begin(yard.setting())):
        for one in result.samples:
            counted[one.log] = True
    return merge([yard.logs / name for name in counted if name])


def same_numbers(one: Merged, other: Merged) -> bool:
    """Whether two runs agree in every count and metric, to the last bit."""
    return one.groups == other.groups


def until(
    table: ShardTable, holds: Callable[[list[Shard]], bool], look: Callable[[], object]
) -> list[Shard]:
    """The shards, once *holds* is true of them; *look* is called in between."""
    end = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < end:
        shards = list(table.shards(JOB))
        if holds(shards):
            return shards
        look()
        time.sleep(0.01)
    raise AssertionError(f"never: {table.shards(JOB)}")


def held(shards: list[Shard]) -> list[Shard]:
    """Those that a worker is in the middle of."""
    return [s for s in shards if s.state == "running" and s.note.startswith("running")]


DRIVER = """
import json, sys, time
from pathlib import Path
from leadline.runner.pool import LocalPool
from leadline.store.shards import open_executor
job, folder, url, command = sys.argv[1:]
words = json.loads(command)
workers = LocalPool(open_executor(url), lambda job, name: [*words, job, name], 2, Path(folder))
workers.start(job)
while workers.alive():
    time.sleep(0.05)
"""


@contextmanager
def driver(yard: Yard) -> Iterator["subprocess.Popen[bytes]"]:
    """A process that drives the run with two workers, ended by force at the end of the block."""
    words = [JOB, str(yard.folder), yard.url, json.dumps(yard.command("", "")[:-2])]
    with (yard.folder / "driver.err").open("ab") as told:
        process = subprocess.Popen([sys.executable, "-c", DRIVER, *words], stdout=told, stderr=told)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def suspend(pid: int, yard: Yard) -> None:
    """SIGSTOP to a worker that this test started, in no transaction that others would wait for."""
    end = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < end:
        os.kill(pid, signal.SIGSTOP)
        other = sqlite3.connect(yard.folder / "shards.db", timeout=0.2)
        with closing(other):
            try:
                other.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if "locked" not in str(error):
                    raise
            else:
                return
        os.kill(pid, signal.SIGCONT)
        time.sleep(0.05)
    raise AssertionError("always in a transaction")


def kill_hard(pid: int) -> None:
    """SIGKILL, to a process that this test started."""
    os.kill(pid, signal.SIGKILL)


def fresh(folder: Path) -> Path:
    """An empty folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def made_up(count: int) -> ShardResult:
    """A result with so many samples that ran nowhere."""
    samples = tuple(
        SampleResult(f"t-{n:06d}", 1, "missing", solved=False, outcome="missing")
        for n in range(count)
    )
    return ShardResult("s", "subject", "mock", 1, samples)
