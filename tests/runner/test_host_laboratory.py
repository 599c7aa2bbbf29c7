"""One host's laboratory: its workers, proofs in logs, replay, and suites that cannot run."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from typing_extensions import override

from fakes import MemoryExecutor, MemoryVault
from leadline.core.assessment import Subject
from leadline.core.clearing.finding import ReplayVerdict
from leadline.core.errors import Tampered, Unavailable
from leadline.runner.laboratory import HostLaboratory, Places, planned
from leadline.runner.shard import run_shard
from leadline.suites.item import Item
from leadline.suites.planted import SUITE
from runner.scripted import SEED, Bench, Chosen, Steps

pytestmark = [
    pytest.mark.sandbox,
    pytest.mark.usefixtures("collected"),
    # Inspect leaves memory streams of its own to the garbage collector
    pytest.mark.filterwarnings(
        "ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning"
    ),
    pytest.mark.filterwarnings("ignore:Unclosed <Memory:ResourceWarning"),
]
SUBJECT = Subject("tool-agent", "baseline", "0" * 64)


class Closed(Chosen):
    """A suite that cannot run here."""

    @override
    def items(self, seed: bytes) -> Sequence[Item]:
        """None to be had."""
        raise Unavailable("no index in reach; run `make setup`")

    def missing(self) -> Sequence[tuple[str, str]]:
        """One item that could not be fetched."""
        return [("jinja2", "not in the index")]


@dataclass
class Told:
    """Workers that only note what they are told."""

    calls: list[str] = field(default_factory=list)

    def start(self, job: str) -> None:
        """As the port."""
        self.calls.append(f"start {job}")

    def alive(self) -> int:
        """As the port."""
        self.calls.append("alive")
        return 1

    def stop(self) -> None:
        """As the port."""
        self.calls.append("stop")


def laboratory(bench: Bench, out: Path, *suites: Chosen) -> HostLaboratory:
    """A laboratory over the prepared items, with one worker at a time."""
    state = out / ".state"
    state.mkdir(parents=True, exist_ok=True)
    if not (state / "items").exists():
        (state / "items").symlink_to(bench.folders)
    places = Places(out, state / "items", bench.logs)
    return HostLaboratory(
        SUBJECT, MemoryExecutor(), MemoryVault(), suites or (Chosen(),), places, Told()
    )


@pytest.fixture
def lab(bench: Bench, tmp_path: Path) -> Iterator[HostLaboratory]:
    """A laboratory whose workers end with the test."""
    made = laboratory(bench, tmp_path / "out")
    yield made
    made.stop_workers()


def test_workers_are_the_pools_own_affair(lab: HostLaboratory) -> None:
    """Start, look and stop reach the pool, and the pool alone."""
    lab.start_workers("job")
    assert lab.workers_alive() == 1
    lab.stop_workers()
    assert isinstance(lab.workers, Told)
    assert lab.workers.calls == ["start job", "alive", "stop"]


def test_proofs_are_found_in_logs_and_replayed(lab: HostLaboratory, bench: Bench) -> None:
    """The submission comes back out of the log, fires on the flawed build only, and is a crash."""
    item = bench.items[0]
    answered = run_shard(bench.job(items=(item,)), Steps().runnable(), lambda done, note: None)
    proof = lab.proof(item, answered.samples[0].log)
    assert (bench.folders / item / "reference" / "proof").read_bytes() == proof
    replayed = lab.replay("finding-1", item, proof, 2)
    assert replayed.result.verdict is ReplayVerdict.FIX_EFFECTIVE
    assert (replayed.result.vulnerable, replayed.result.fixed) == ((True, True), (False, False))
    assert replayed.crash.id == "finding-1"
    assert replayed.crash.frames
    assert answered.samples[0].observation.startswith(replayed.crash.kind)
    silent = lab.replay("finding-2", item, b"", 1)
    assert silent.result.verdict is ReplayVerdict.NOT_REPRODUCED
    assert silent.crash.frames == ()


def test_a_log_without_the_submission_is_no_evidence(lab: HostLaboratory, bench: Bench) -> None:
    """A sample that our side failed holds none, and the log is named."""
    item = bench.items[0]
    steps = Steps(breaks={item: 99})
    answered = run_shard(bench.job(items=(item,)), steps.runnable(), lambda done, note: None)
    [name] = [log for log in answered.logs if log.endswith(".eval")]
    with pytest.raises(Tampered, match=item):
        lab.proof(item, name)


def test_a_replay_without_its_build_is_the_environments_fault(
    lab: HostLaboratory, bench: Bench, tmp_path: Path
) -> None:
    """A build that is gone says nothing about the finding."""
    item = bench.items[0]
    aside = tmp_path / "aside"
    builds = bench.folders / item / "vulnerable"
    builds.rename(aside)
    try:
        replayed = lab.replay("finding-1", item, b"x", 1)
    finally:
        aside.rename(builds)
    assert replayed.result.verdict is ReplayVerdict.ENVIRONMENT_FAULT


def test_a_suite_that_cannot_run_is_planned_with_its_reason(bench: Bench, tmp_path: Path) -> None:
    """Unavailable is neither an empty suite nor an error: the plan says why, and what is missing."""
    closed = planned(Closed(), SEED)
    assert closed.items == ()
    assert closed.unavailable == "no index in reach; run `make setup`"
    assert closed.missing == ("jinja2: not in the index",)
    lab = laboratory(bench, tmp_path / "out", Chosen(), Closed())
    suites = lab.suites(SEED)
    assert [suite.unavailable for suite in suites] == ["", "no index in reach; run `make setup`"]
    planned_ids = [item.id for item in suites[0].items]
    assert [item.id for item in SUITE.items(SEED)] == planned_ids


def test_the_drill_and_the_proof_are_evidence(lab: HostLaboratory) -> None:
    """Both hold on this host, say so, and their records are what a record may hold."""
    from leadline.formats.canonical import encode

    drilled, proved = lab.drill(), lab.prove("before")
    assert (drilled.about, proved.about) == ("drill", "before")
    assert drilled.ok, drilled.record
    assert proved.ok, proved.record
    assert len(encode(dict(drilled.record))) > 20
    assert len(encode(dict(proved.record))) > 20
