"""Worker processes, real ones: stopped, fenced off, orphaned, and given work that cannot be done."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from journeys.assessments import children, environment, gone
from leadline.app.ports import Shard
from leadline.app.request import Request, engagement_id
from leadline.core.assessment import Budget
from leadline.runner.laboratory import RESULT
from leadline.settings import Workspace
from leadline.store.shards import ShardTable, open_executor
from leadline.store.sql import open_store
from leadline.suites.planted import SUITE
from leadline.wiring import assess as wiring
from leadline.wiring import working
from leadline.wiring.home import KINDS, Parts, clock, open_parts
from runner.scripted import SEED

pytestmark = [pytest.mark.sandbox, pytest.mark.timeout(240)]
JOB = "job-1"
LONG = 2_000_000_000  # fuzzer runs that no test waits for
# The hardest level: no fuzzer is done with it before a test has looked
SLOW_ITEM = SUITE.items(SEED)[-1].id


@dataclass
class Yard:
    """A workspace with a shard table, and the workers started in it."""

    place: Workspace
    table: ShardTable
    parts: Parts
    started: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def submit(self, name: str, items: str, subject: str = "baseline") -> Shard:
        """One shard for the workers."""
        more = {"name": name, "subject": subject, "items": items, "epoch": "1"}
        return self.table.submit(JOB, "planted", more, total=1)

    def worker(self, name: str, *argv: str) -> "subprocess.Popen[bytes]":
        """A worker in a process of its own, which *argv* starts if it is given."""
        own = [sys.executable, "-m", "leadline.worker", str(self.place.out), JOB, name]
        with (self.place.state / f"{name}.err").open("ab") as told:
            process = subprocess.Popen(
                [*argv, *own], env=environment(self.place.out), stdout=told, stderr=told
            )
        self.started.append(process)
        return process

    def told(self, name: str) -> str:
        """What a worker printed."""
        return (self.place.state / f"{name}.err").read_text()

    def until(self, holds: Callable[[Shard], bool], *, seconds: float = 90) -> Shard:
        """The first shard, once *holds* is true of it."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            shard = self.table.shards(JOB)[0]
            if holds(shard):
                return shard
            time.sleep(0.05)
        raise AssertionError(f"never: {self.table.shards(JOB)}")


def held(shard: Shard) -> bool:
    """A worker is in the middle of a sample."""
    return shard.state == "running" and shard.note.startswith("running")


@pytest.fixture
def yard(tmp_path: Path) -> Iterator[Yard]:
    """A workspace as an assessment leaves it when it starts its workers."""
    place = Workspace(tmp_path / "out")
    for folder in (place.vault, place.keys, place.items, place.logs):
        folder.mkdir(parents=True)
    wiring.begin(place, Request("baseline", 1, Budget(runs=LONG), seed_hex=SEED.hex()))
    with closing(open_store(place.database, kinds=KINDS)) as store:
        parts = open_parts(place.home, store)
        assert parts.keys is not None
        # Whoever starts workers made the compartment: they hold no private half of any key.
        parts.keys.ensure(engagement_id(working.secret_of(place)), "agency")
        made = Yard(place, open_executor(place.database), parts)
        yield made
    for process in made.started:
        process.kill()
        process.wait()
    made.table.close()


def test_told_to_stop_it_gives_its_shard_back(yard: Yard) -> None:
    """SIGTERM in the middle of a sample: exit 130, the shard queued for another, nothing printed."""
    yard.submit("one", SLOW_ITEM)
    process = yard.worker("w1")
    yard.until(held)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 130, yard.told("w1")
    shard = yard.table.shards(JOB)[0]
    assert (shard.state, shard.worker, shard.attempts) == ("queued", "", 1)
    assert "Traceback" not in yard.told("w1")


def test_fenced_off_it_stops_and_changes_nothing(yard: Yard) -> None:
    """A shard that another holds now is let go within seconds; the newer claim stands."""
    yard.submit("one", SLOW_ITEM)
    process = yard.worker("w1")
    first = yard.until(held)
    yard.table.release("w1")
    second = yard.table.claim("other", now=clock(), lease_seconds=30)
    assert second is not None
    assert second.token == first.token + 1
    assert process.wait(timeout=30) == 130, yard.told("w1")
    shard = yard.table.shards(JOB)[0]
    assert (shard.state, shard.worker, shard.token) == ("running", "other", second.token)


def test_a_stop_that_was_asked_for_ends_the_sample(yard: Yard) -> None:
    """Cancelled in the middle, the shard ends as cancelled and is never handed out again."""
    yard.submit("one", SLOW_ITEM)
    process = yard.worker("w1")
    yard.until(held)
    yard.table.cancel(JOB)
    assert process.wait(timeout=30) == 130, yard.told("w1")
    assert yard.table.shards(JOB)[0].state == "cancelled"


def test_it_dies_with_the_process_that_started_it(yard: Yard) -> None:
    """Its starter killed by force in the middle of a sample, the worker and its boxes are gone."""
    yard.submit("one", SLOW_ITEM)
    start = "import subprocess, sys; subprocess.run(sys.argv[1:], check=False)"
    starter = yard.worker("w1", sys.executable, "-c", start)
    yard.until(held)
    [worker] = children(starter.pid)
    boxes = children(worker)
    assert boxes
    starter.kill()
    starter.wait()
    gone([worker, *boxes])
    assert yard.table.shards(JOB)[0].state == "running"


def test_work_that_cannot_be_done_fails_after_three_attempts(yard: Yard) -> None:
    """An unknown item and an unknown subject are named; the worker goes on and ends with 0."""
    yard.submit("gone", "p-absent")
    yard.submit("who", SLOW_ITEM, subject="no subject")
    process = yard.worker("w1")
    assert process.wait(timeout=90) == 0, yard.told("w1")
    gone_, who = yard.table.shards(JOB)
    assert (gone_.state, gone_.attempts) == ("failed", 3)
    assert "has no item p-absent any more" in gone_.error
    assert (who.state, who.attempts) == ("failed", 3)
    assert "no subject" in who.error


def test_a_finished_shard_names_its_result(yard: Yard) -> None:
    """The row holds the digest of the result, and the vault holds the result."""
    yard.place.state.joinpath("request.json").unlink()
    wiring.begin(yard.place, Request("baseline", 1, Budget(runs=2_000), seed_hex=SEED.hex()))
    easy = SUITE.items(SEED)[0].id
    yard.submit("one", easy)
    assert yard.worker("w1").wait(timeout=120) == 0, yard.told("w1")
    shard = yard.table.shards(JOB)[0]
    assert (shard.state, shard.done) == ("done", 1)
    result = RESULT.validate_json(yard.parts.vault.get(shard.result))
    assert (result.shard, result.subject) == ("one", "baseline")
    assert [easy] == [sample.item for sample in result.samples]
    assert {path.name for path in yard.place.logs.iterdir()} == set(result.logs)


@pytest.mark.parametrize(
    ("starter_ends", "status", "said"), [(True, 130, b""), (False, 0, b"on\n")]
)
def test_a_starter_that_ended_while_modules_were_read_is_noticed(
    *, starter_ends: bool, status: int, said: bytes
) -> None:
    """Before the kernel could be asked for anything: the starter's end of the pipe tells."""
    words = "from leadline.worker import settle_in; settle_in(); print('on')"
    with subprocess.Popen(
        [sys.executable, "-c", words], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        if starter_ends:
            process.stdin.close()
        assert process.stdout.read() == said
        assert process.wait(timeout=60) == status
