"""A run with driver, workers and store stopped is ended by order, written down later, and thawed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from journeys import assessments
from journeys.assessments import Assessment
from leadline.sandbox.ward import Ward, stops
from leadline.sandbox.watchdog import tree

pytestmark = [pytest.mark.sandbox, pytest.mark.timeout(300)]
ENDLESS = ("--suite", "planted", "--items", "6", "--runs", "2000000000")
LOCK = (
    "import sqlite3, sys, time; held = sqlite3.connect(sys.argv[1], isolation_level=None); "
    "held.execute('BEGIN IMMEDIATE'); print('held', flush=True); time.sleep(600)"
)


def boxes(workers: list[int]) -> dict[int, list[int]]:
    """Every bubblewrap process below the workers, with all processes of its box."""
    found = {}
    for worker in workers:
        for pid in tree(worker):
            if pid != worker and name(pid) == "bwrap" and name(parent(pid)) != "bwrap":
                found[pid] = list(tree(pid))
    return found


def name(pid: int) -> str:
    """What a process is called."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def command(pid: int) -> bytes:
    """The words it was started with; the warden is the driver's child too."""
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def parent(pid: int) -> int:
    """Who started it; 0 once it is gone."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0


def until(holds: Callable[[], bool], seconds: float) -> None:
    """Return once it holds."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def at_work(started: Assessment) -> list[int]:
    """Its worker processes."""
    return [pid for pid in started.workers() if b"leadline.worker" in command(pid)]


@contextmanager
def stopped(pids: list[int], database: Path) -> Iterator[None]:
    """Those processes and the holder of the database's write lock, stopped while inside."""
    argv = [sys.executable, "-S", "-c", LOCK, str(database)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as store:
        try:
            assert store.stdout
            assert store.stdout.readline() == "held\n"
            for pid in (*pids, store.pid):
                os.kill(pid, signal.SIGSTOP)
            yield
        finally:
            store.kill()
            for pid in pids:
                os.kill(pid, signal.SIGCONT)


def ordered(started: Assessment) -> None:
    """Stop driver, workers and store; then the order, and every process of every box is gone."""
    state, ended = started.out / ".state", None
    while ended is None:
        until(lambda: len(boxes(at_work(started))) >= 2, 150)
        workers = at_work(started)
        with stopped([started.process.pid, *workers], state / "leadline.db"):
            held = [pid for all_of_it in boxes(workers).values() for pid in all_of_it]
            if len(held) < 2:
                continue  # they ended while all were being stopped; others begin
            begun = time.monotonic()
            with Ward(state, "visitor") as person:
                ended = person.order("person", "p-1", "seen enough")
            assessments.gone(held, seconds=2 - (time.monotonic() - begun))
    assert ended["left"] == 0
    assert ended["by"] == "person"


def test_frozen_with_its_store_every_box_is_gone_in_two_seconds(tmp_path: Path) -> None:
    """Then the driver wakes, says who ended the run, and nothing goes on before a person thaws it."""
    out = tmp_path / "out"
    started = Assessment.start(out, *ENDLESS)
    try:
        ordered(started)
        assert started.end(seconds=60) == 5, started.told.read_text()[-2000:]
    finally:
        started.process.kill()
        started.process.wait()
    assert "seen enough" in started.told.read_text()
    seen = assessments.look(out)
    assert len(seen.kinds("run.stopped")) == 1
    states = {shard["state"] for shard in seen.shards}
    assert "frozen" in states
    assert states <= {"frozen", "done"}
    assert [stop["who"] for stop in stops(out / ".state")] == ["p-1"]
    again = Assessment.start(out, "--resume")
    assert again.end(seconds=60) == 5
    assert "leadline run thaw" in again.told.read_text()
    argv = assessments.leadline("run", "thaw", str(out), "--reason", "the cause is known")
    assert assessments.run(argv, out.parent).returncode == 0
    assert {shard["state"] for shard in assessments.look(out).shards} <= {"queued", "done"}
