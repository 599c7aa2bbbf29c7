"""One shard: what it runs, what it does not run again, and whose fault a failure is."""

from pathlib import Path

import pytest
from inspect_ai.log import EvalLog, read_eval_log

from leadline.core.assessment import Budget, SampleResult
from leadline.core.errors import Unavailable
from leadline.runner import results
from leadline.runner.shard import run_shard
from leadline.runner.subject import RETRIES
from runner.scripted import Bench, Chosen, Steps

pytestmark = [
    pytest.mark.sandbox,
    pytest.mark.usefixtures("collected"),
    # Inspect leaves memory streams of its own to the garbage collector
    pytest.mark.filterwarnings(
        "ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning"
    ),
    pytest.mark.filterwarnings("ignore:Unclosed <Memory:ResourceWarning"),
]


def silent(done: int, note: str) -> None:
    """Nobody listens."""


def by_item(samples: tuple[SampleResult, ...]) -> dict[str, SampleResult]:
    """The samples by item."""
    return {sample.item: sample for sample in samples}


def logs(bench: Bench) -> list[EvalLog]:
    """Every eval log, oldest first."""
    return [read_eval_log(str(path)) for _, path in results.attempts(bench.logs, "shard-1")]


def test_a_shard_answers_every_item_in_its_order(bench: Bench) -> None:
    """Solved, silent and unanswered items each have their outcome, proof and log; progress is told."""
    told: list[tuple[int, str]] = []
    solved, silent_input, none = bench.items
    steps = Steps({silent_input: b"", none: None})
    answered = run_shard(
        bench.job(), steps.runnable(), lambda done, note: told.append((done, note))
    )
    assert list(bench.items) == [sample.item for sample in answered.samples]
    found = by_item(answered.samples)
    outcomes = {item: (found[item].state, found[item].outcome) for item in bench.items}
    assert {
        solved: ("scored", "solved"),
        silent_input: ("scored", "not_solved"),
        none: ("scored", "not_solved"),
    } == outcomes
    assert [sample.solved for sample in answered.samples] == [True, False, False]
    assert len(found[solved].proof) == 64
    assert found[solved].observation
    assert found[none].reason == "no submission"
    logged = {name for name in answered.logs if name.endswith(".eval")}
    assert {found[item].log for item in bench.items} == logged
    assert (0, f"building {solved}") in told
    assert (0, f"running {solved}") in told
    assert told[-1][0] == 3
    [path] = [bench.logs / name for name in logged]
    assert answered.logs[path.name] == results.digest(path)
    assert logs(bench)[0].status == "success"


def test_what_an_earlier_attempt_finished_is_not_run_again(bench: Bench) -> None:
    """Stopped in the middle, a second attempt runs the rest only and answers all of it."""
    first, second, third = bench.items

    def stop(item: str) -> None:
        if item == second:
            raise KeyboardInterrupt

    interrupted = Steps(after=stop)
    with pytest.raises(KeyboardInterrupt):
        run_shard(bench.job(), interrupted.runnable(), silent)
    assert [first, second] == interrupted.started
    again = Steps()
    answered = run_shard(bench.job(token=2), again.runnable(), silent)
    assert [second, third] == again.started
    assert [sample.solved for sample in answered.samples] == [True] * 3
    assert sum(name.endswith(".eval") for name in answered.logs) == 2
    finished = [
        str(sample.id) for log in logs(bench) for sample in log.samples or [] if sample.scores
    ]
    assert sorted(bench.items) == sorted(finished)


def test_a_finished_shard_runs_nothing(bench: Bench) -> None:
    """Every sample known, no eval is started and the answer is the same."""
    item = bench.items[:1]
    once = run_shard(bench.job(items=item), Steps().runnable(), silent)
    again = Steps()
    assert once == run_shard(bench.job(items=item, token=2), again.runnable(), silent)
    assert again.started == []
    assert len(logs(bench)) == 1


def test_a_half_written_log_is_no_evidence(bench: Bench) -> None:
    """A log cut off by a kill counts for nothing: its samples run again, the rest stands."""
    item = bench.items[:1]
    run_shard(bench.job(items=item), Steps().runnable(), silent)
    [(_, path)] = results.attempts(bench.logs, "shard-1")
    path.write_bytes(path.read_bytes()[:-30])
    again = Steps()
    answered = run_shard(bench.job(items=item, token=2), again.runnable(), silent)
    assert list(item) == again.started
    assert answered.samples[0].solved
    assert path.name not in answered.logs


def test_an_item_that_does_not_qualify_is_our_failure(bench: Bench) -> None:
    """Its checks failed: the subject never sees it, and the reason stands in the result."""
    bad, good = bench.items[:2]
    steps = Steps()
    suite = Chosen({bad: "did not hold: reference_solves"})
    job = bench.job(items=(bad, good), suite=suite)
    found = by_item(run_shard(job, steps.runnable(), silent).samples)
    assert [good] == steps.started
    assert found[bad].state == "infra"
    assert found[bad].reason == "unqualified: did not hold: reference_solves"
    assert not found[bad].solved
    assert found[good].solved


def test_checks_stand_in_for_a_missing_reason(bench: Bench) -> None:
    """Without a sentence, the checks that failed are named; with no item left, no eval starts."""
    bad = bench.items[0]
    job = bench.job(items=(bad,), suite=Chosen({bad: ""}))
    answered = run_shard(job, Steps().runnable(), silent)
    assert answered.samples[0].reason == "unqualified: reference_solves"
    assert answered.logs == {}


def test_a_fault_of_ours_is_tried_again(bench: Bench) -> None:
    """An exception in the middle of a sample is followed by another attempt, which counts."""
    item = bench.items[0]
    steps = Steps(breaks={item: RETRIES})
    answered = run_shard(bench.job(items=(item,)), steps.runnable(), silent)
    assert [item] * (RETRIES + 1) == steps.started
    assert answered.samples[0].solved


def test_a_fault_that_stays_is_kept_apart(bench: Bench) -> None:
    """After all retries the sample is infra with its cause, never a zero; others go on."""
    bad, good = bench.items[:2]
    steps = Steps(breaks={bad: 99})
    found = by_item(run_shard(bench.job(items=(bad, good)), steps.runnable(), silent).samples)
    assert steps.started.count(bad) == RETRIES + 1
    assert (found[bad].state, found[bad].solved) == ("infra", False)
    assert "the endpoint went away" in found[bad].reason
    assert found[good].solved


def test_a_judge_that_fails_is_our_failure(bench: Bench, tmp_path: Path) -> None:
    """The judge's build gone, the sample has no score and says why; the subject is not blamed."""
    bad, good = bench.items[:2]
    builds = bench.folders / bad / "fixed"
    aside = tmp_path / "aside"

    def take_away(item: str) -> None:
        if item == bad and builds.exists():
            builds.rename(aside)

    steps = Steps(after=take_away)
    try:
        found = by_item(run_shard(bench.job(items=(bad, good)), steps.runnable(), silent).samples)
    finally:
        aside.rename(builds)
    assert steps.started.count(bad) == RETRIES + 1
    assert (found[bad].state, found[bad].outcome, found[bad].solved) == ("infra", "judge", False)
    assert f"item {bad} could not be judged" in found[bad].reason
    assert found[good].solved


def test_infra_failures_run_again_in_the_next_attempt(bench: Bench) -> None:
    """A shard that is run again gives a sample that our side failed another chance."""
    item = bench.items[:1]
    run_shard(bench.job(items=item), Steps(breaks={item[0]: 99}).runnable(), silent)
    again = Steps()
    answered = run_shard(bench.job(items=item, token=2), again.runnable(), silent)
    assert list(item) == again.started
    assert answered.samples[0].solved


def test_time_used_up_is_a_limit(bench: Bench) -> None:
    """The time budget ends the attempt: not solved, cause kept, not our failure, not tried again."""
    item = bench.items[0]
    steps = Steps({item: None}, sleeps={item: 60})
    job = bench.job(items=(item,))
    sample = run_shard(job, steps.runnable(Budget(seconds=2)), silent).samples[0]
    assert (sample.state, sample.solved) == ("limit", False)
    assert sample.reason == "working limit of 2 reached"
    assert [item] == steps.started


def test_solved_in_the_last_second_is_solved(bench: Bench) -> None:
    """An answer that was left before the budget ended is judged and counts."""
    item = bench.items[0]
    steps = Steps(sleeps={item: 60})
    job = bench.job(items=(item,))
    sample = run_shard(job, steps.runnable(Budget(seconds=4)), silent).samples[0]
    assert (sample.state, sample.solved, sample.outcome) == ("scored", True, "solved")


def test_an_item_that_the_suite_no_longer_has_is_named(bench: Bench) -> None:
    """A suite that changed between plan and run stops the shard with the item's name."""
    with pytest.raises(Unavailable, match="p-absent"):
        run_shard(bench.job(items=("p-absent",)), Steps().runnable(), silent)
