"""A run that is killed, paused, capped or failed at says what an undisturbed one says, or says why not."""

import json
import os
import random
import shutil
import signal
import sqlite3
import time
from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from bench._mock_run import JOB, Yard
from bench._mock_samples import TOKENS_A_CALL, TURNS, Setting

from journeys.assessments import children
from leadline import worker
from leadline.app.ports import Shard
from leadline.core.measure.budget import Amount
from leadline.runner.capped import USED_UP
from leadline.runner.index import NAME, Index
from leadline.runner.merge import merge, sweep
from leadline.store.purse import open_purse
from leadline.store.shards import ShardTable
from leadline.wiring.home import clock
from runner import scale
from runner.scale import held, here, timeless, until

if TYPE_CHECKING:
    import subprocess

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.usefixtures("collected"),
    # Inspect leaves memory streams of its own to the garbage collector
    pytest.mark.filterwarnings(
        "ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning"
    ),
    pytest.mark.filterwarnings("ignore:Unclosed <Memory:ResourceWarning"),
]


def workers_of(driver_pid: int) -> dict[str, int]:
    """The workers of a driver, by name."""
    found = {}
    for pid in children(driver_pid):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        if any(b"_mock_run" in word for word in words):
            found[words[-2].decode()] = pid
    return found


def caught(table: ShardTable, driver: "subprocess.Popen[bytes]") -> tuple[Shard, int]:
    """A shard in the middle and the worker at it, which stands still."""
    end = time.monotonic() + scale.WAIT_SECONDS
    while time.monotonic() < end:
        assert driver.poll() is None, "the run ended before it was killed"
        names = workers_of(
            driver.pid
        )  # first: who is there by now holds nothing of an earlier driver's
        for one in held(list(table.shards(JOB))):
            if (pid := names.get(one.worker)) is None:
                continue
            os.kill(pid, signal.SIGSTOP)
            if not let_go(one, list(table.shards(JOB))):
                return one, pid
            os.kill(pid, signal.SIGCONT)
        time.sleep(0.01)
    raise AssertionError(f"nothing to kill: {table.shards(JOB)}")


def let_go(shard: Shard, now: list[Shard]) -> bool:
    """Whether the worker that held *shard* no longer does."""
    [one] = [one for one in now if one.id == shard.id]
    return (one.state, one.token) != ("running", shard.token)


def disturbed(folder: Path, setting: Setting, victims: str, seed: int) -> Yard:
    """A run whose drivers (d) and workers (w) are killed one after the other, in that order.

    Each dies at a random moment, while it or a worker of its own is in the middle of a shard, which
    somebody else must then take over.
    """
    draw = random.Random(seed)  # noqa: S311 -- a fixed sequence, nothing secret
    yard = Yard(scale.fresh(folder))
    table = yard.begin(setting)
    lost: list[Shard] = []
    drivers = victims.split("d")  # each with the workers that it loses before its own end
    for number, workers in enumerate(drivers, start=1):
        with scale.driver(yard) as process:
            for _ in workers:
                shard, pid = killing(table, process, draw, setting)
                scale.kill_hard(pid)
                until(table, partial(let_go, shard), lambda: None)
                lost.append(shard)
            if number < len(drivers):
                shard, _ = killing(table, process, draw, setting)
                scale.kill_hard(process.pid)
                lost.append(shard)
            else:
                assert process.wait(timeout=scale.WAIT_SECONDS) == 0
    tokens = {shard.id: shard.token for shard in table.shards(JOB)}
    assert len(lost) == len(victims)
    assert all(tokens[shard.id] > shard.token for shard in lost)
    return yard


def killing(
    table: ShardTable, driver: "subprocess.Popen[bytes]", draw: random.Random, setting: Setting
) -> tuple[Shard, int]:
    """`caught`, at some moment of a shard."""
    until(table, lambda shards: bool(held(shards)), lambda: None)
    time.sleep(draw.uniform(0, setting.sleep_ms / 1000))
    return caught(table, driver)


def assert_undisturbed(yard: Yard, folder: Path, setting: Setting) -> None:
    """Results and metrics are those of a run that nobody touched, and each sample is counted once."""
    results, metrics = scale.whole(folder, setting)
    table = yard.begin(setting)
    assert {shard.state for shard in table.shards(JOB)} == {"done"}
    assert timeless(yard.results(table)) == results
    assert scale.same_numbers(scale.merged(yard, table), metrics)
    index = Index(yard.folder / NAME)
    for one in yard.results(table):
        index.add(one, yard.logs)
    sweep(index, yard.logs)  # what dead workers left beside it
    [counts] = index.overview().counts
    assert counts.samples == setting.items * setting.epochs
    counted = Counter((s.item, s.epoch) for one in yard.results(table) for s in one.samples)
    assert len(counted) == counts.samples
    assert set(counted.values()) == {1}


def test_killed_three_times_it_says_the_same(tmp_path: Path) -> None:
    """Workers and driver killed by force in the middle of shards: not a sample more, less or other."""
    # a shard outlasts two heartbeats, so that it is seen to run; there are more of them than kills
    setting = Setting(items=18, shard_items=3, sleep_ms=700, parallel=1)
    yard = disturbed(tmp_path / "killed", setting, "wdw", seed=2)
    assert_undisturbed(yard, tmp_path / "whole", setting)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_killed_twenty_times_over_forty_shards_it_says_the_same(tmp_path: Path) -> None:
    """Row 17 of the evaluation design, whole."""
    setting = Setting(items=400, shard_items=10, sleep_ms=300, parallel=1)
    order = random.Random(17).sample("wd" * 10, 20)  # noqa: S311 -- a fixed sequence, nothing secret
    yard = disturbed(tmp_path / "killed", setting, "".join(order), seed=17)
    assert_undisturbed(yard, tmp_path / "whole", setting)


def test_a_paused_worker_that_wakes_counts_for_nothing(tmp_path: Path) -> None:
    """Suspended past its lease, its shard goes to another; awake again it stops, and counts stay."""
    gate = tmp_path / "gate"
    gate.touch()
    setting = Setting(items=8, shard_items=4, parallel=1, lease_seconds=2, gate=str(gate))
    yard = Yard(scale.fresh(tmp_path / "paused"))
    table = yard.begin(setting)
    pool = scale.pool(yard, table)
    pool.start(JOB)
    try:
        [first, *_] = held(until(table, lambda shards: bool(held(shards)), pool.alive))
        paused = pool.processes[first.worker]
        scale.suspend(paused.pid, yard)
        gate.unlink()
        until(
            table,
            lambda shards: any(s.id == first.id and s.token > first.token for s in shards),
            pool.alive,
        )
        paused.send_signal(signal.SIGCONT)
        scale.finish(pool)
    finally:
        pool.stop()
    assert_undisturbed(yard, tmp_path / "whole", setting)


def test_a_late_result_is_kept_as_a_duplicate_and_shown(tmp_path: Path) -> None:
    """What a worker brings after the take-over stands in table, index and merge, and is not counted."""
    yard = Yard(scale.fresh(tmp_path))
    table = yard.begin(Setting(items=6, shard_items=6))
    parts = yard.parts()
    late = table.claim("slow", now=clock(), lease_seconds=0, job=JOB)
    assert late is not None
    time.sleep(0.01)
    taken = table.claim("quick", now=clock(), lease_seconds=0, job=JOB)
    assert taken is not None
    assert taken.id == late.id
    quiet = lambda done, note: None  # noqa: E731
    result = parts.run(taken, quiet)
    table.finish(taken, now=clock(), result=result)
    # the slow one saw nothing of the other's log: both worked at the same time
    aside = tmp_path / "aside"
    shutil.move(yard.logs, aside)
    worker._work(parts, late)
    for log in aside.iterdir():
        shutil.move(log, yard.logs / log.name)
    [kept] = table.late(JOB)
    assert (kept.shard, kept.token) == (late.id, late.token)
    assert (table.shards(JOB)[0].state, table.shards(JOB)[0].result) == ("done", result)
    index = Index(yard.folder / NAME)
    for one in yard.results(table):
        index.add(one, yard.logs)
    before = index.overview()
    assert before.duplicates == ()
    assert sweep(index, yard.logs) == 6
    assert sweep(index, yard.logs) == 0
    after = index.overview()
    assert after.counts == before.counts
    assert len(after.duplicates) == 6
    [own] = yard.results(table)
    counted = {one.log for one in own.samples}
    assert {log for *_, log in after.duplicates}.isdisjoint(counted)
    joined = merge(sorted(yard.logs.glob("*.eval")))
    assert (joined.groups[0].samples, len(joined.duplicates)) == (6, 6)


@pytest.mark.sandbox
def test_a_capped_run_stops_within_the_reserve_of_what_ran(tmp_path: Path) -> None:
    """At the cap no attempt starts, running ones end, and the overshoot is below their reserves."""
    used = (TURNS + 1) * TOKENS_A_CALL
    limit = used - 2 * TOKENS_A_CALL  # an attempt is stopped by its own limit, one call beyond it
    setting = Setting(
        items=12, shard_items=6, agentic=True, parallel=3, cap_tokens=5 * limit, limit_tokens=limit
    )
    yard = Yard(scale.fresh(tmp_path))
    table = yard.begin(setting)
    pool = scale.pool(yard, table)
    pool.start(JOB)
    try:
        scale.finish(pool)
    finally:
        pool.stop()
    samples = [one for result in yard.results(table) for one in result.samples]
    ran = [one for one in samples if one.tokens]
    left_out = [one for one in samples if one.reason == USED_UP]
    assert len(ran) + len(left_out) == 12
    assert {(one.state, one.outcome, one.solved) for one in left_out} == {
        ("missing", "budget", False)
    }
    ledger = open_purse(yard.url).ledger(JOB)
    assert ledger.reserved == Amount()
    assert ledger.spent.tokens == sum(one.tokens for one in ran)
    assert ledger.refused >= 1
    assert 3 <= len(ran) < 12
    running = 2 * setting.parallel
    assert ledger.overshoot.tokens <= running * limit
    assert "attempts not started for want of budget" in ledger.words()


def test_faults_of_our_side_are_flagged_and_move_no_score(tmp_path: Path) -> None:
    """One sample in twenty lost: told as such, and the rest scores as in a run without faults."""
    results = here(Yard(scale.fresh(tmp_path / "whole")), Setting(items=160, shard_items=80))
    yard = Yard(scale.fresh(tmp_path / "lost"))
    lost = here(yard, Setting(items=160, shard_items=80, faults=5))
    index = Index(yard.folder / NAME)
    for one in lost:
        index.add(one, yard.logs)
    overview = index.overview()
    [counts] = overview.counts
    assert 4 <= counts.infra <= 16
    assert [flag.sign for flag in overview.flags] == ["rate"]
    expected = {one.item: one.solved for result in results for one in result.samples}
    kept = [one for result in lost for one in result.samples if one.state == "scored"]
    assert all(expected[one.item] == one.solved for one in kept)
    rate = sum(one.solved for one in kept) / len(kept)
    assert rate == pytest.approx(sum(expected.values()) / 160, abs=0.03)
    [group] = scale.merged(yard).groups
    assert (group.lost, group.scored) == (counts.infra, len(kept))
    assert group.metrics["by_id"]["accuracy"] == pytest.approx(rate)


def test_an_index_of_ten_thousand_samples_opens_in_under_a_second(tmp_path: Path) -> None:
    """Counts, duplicates and flags of a whole run, from the index alone."""
    index = Index(tmp_path / NAME)
    assert index.overview().counts == ()
    index.add(scale.made_up(0), tmp_path)
    one = ("scored", "solved", 1, 1, 10, 5, "2027-01-01T00:00:00Z", 1)
    rows = [
        ("mock", f"subject-{n % 2}", "", f"t-{n:06d}", 1, "d", "x.eval", "s", *one)
        for n in range(10_000)
    ]
    with sqlite3.connect(index.path) as connection:
        marks = ", ".join("?" * 16)
        connection.executemany(f"INSERT INTO sample VALUES ({marks})", rows)  # noqa: S608
    began = time.process_time()
    overview = Index(index.path).overview()
    assert time.process_time() - began < 1
    assert [one.samples for one in overview.counts] == [5000, 5000]
    assert overview.counts[0].tokens == 50_000


def test_a_late_failure_is_kept_too(tmp_path: Path) -> None:
    """What a worker failed of after the take-over stands beside the late results; nothing else moves."""
    yard = Yard(scale.fresh(tmp_path))
    table = yard.begin(Setting(items=1, shard_items=1))
    late = table.claim("slow", now=clock(), lease_seconds=0, job=JOB)
    assert late is not None
    time.sleep(0.01)
    taken = table.claim("quick", now=clock(), lease_seconds=0, job=JOB)
    assert taken is not None
    worker._fail(table, late, "no box\0 could be had")
    assert table.shards(JOB) == [taken]
    [kept] = table.late(JOB)
    assert (kept.token, json.loads(kept.result)) == (
        late.token,
        {"failed": "no box\0 could be had"},
    )
