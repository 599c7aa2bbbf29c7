"""Eval logs read back: what a sample's state is, and which attempt counts."""

from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inspect_ai.log import (
    EvalConfig,
    EvalDataset,
    EvalError,
    EvalLog,
    EvalSample,
    EvalSampleLimit,
    EvalSpec,
    EvalStats,
    write_eval_log,
)
from inspect_ai.model import ModelUsage
from inspect_ai.scorer import Score

from leadline.runner import results

Outcome = Literal["solved", "other_bug", "both_misbehave", "fixed_only", "not_solved", "infra"]
ENDED = "2026-11-21T03:00:00+00:00"


def sample(
    item: str = "p-1",
    *,
    outcome: str | None = "solved",
    limit: Literal["token", "time"] | None = None,
    error: str | None = None,
) -> EvalSample:
    """A sample as Inspect stores it; no *outcome*, no score."""
    details = {
        "outcome": outcome,
        "reason": "because",
        "proof_sha256": "ab" * 32,
        "vulnerable": {"fired": True, "kind": "SEGV", "frames": ["inner", "outer"]},
    }
    return EvalSample(
        id=item,
        epoch=1,
        input="",
        target="",
        scores={"differential": Score(value=0, metadata=details)} if outcome else None,
        error=EvalError(message=error, traceback="", traceback_ansi="") if error else None,
        limit=EvalSampleLimit(type=limit, limit=150) if limit else None,
        model_usage={
            "one": ModelUsage(total_tokens=100),
            "two": ModelUsage(total_tokens=20),
        },
        total_time=1.6,
        completed_at=ENDED,
    )


def write(
    folder: Path, token: int, samples: list[EvalSample], *, shard: str = "s", name: str = ""
) -> Path:
    """An eval log of one attempt at a shard."""
    path = folder / f"{name or token}.eval"
    spec = EvalSpec(
        created=ENDED,
        task="planted",
        dataset=EvalDataset(),
        model="none",
        config=EvalConfig(),
        metadata={results.SHARD: shard, results.TOKEN: token},
    )
    stats = EvalStats(started_at=ENDED, completed_at=ENDED)
    log = EvalLog(status="success", eval=spec, samples=samples, stats=stats)
    write_eval_log(log, str(path))
    return path


def test_a_scored_sample_is_told_in_full() -> None:
    """Outcome, proof, first own function, tokens of every model, seconds and the log's name."""
    told = results.sample_result(sample(), "a.eval", 3)
    assert (told.state, told.solved, told.outcome, told.epoch) == ("scored", True, "solved", 3)
    assert (told.proof, told.observation) == ("ab" * 32, "SEGV in inner")
    assert (told.tokens, told.seconds, told.log, told.ended) == (120, 2, "a.eval", ENDED)
    assert told.reason == "because"


def test_a_limit_is_the_subjects() -> None:
    """A budget that was used up is kept with its cause, unless the answer was already there."""
    told = results.sample_result(sample(outcome="not_solved", limit="token"), "a.eval", 1)
    assert (told.state, told.solved, told.reason) == ("limit", False, "token limit of 150 reached")
    in_time = results.sample_result(sample(outcome="solved", limit="token"), "a.eval", 1)
    assert (in_time.state, in_time.solved) == ("scored", True)


def test_no_score_and_no_error_is_our_failure() -> None:
    """A sample that ended without a judgement says nothing about the subject."""
    told = results.sample_result(sample(outcome=None), "a.eval", 1)
    assert (told.state, told.solved, told.outcome) == ("infra", False, "infra")
    assert told.proof == told.observation == ""


def test_nothing_seen_is_said_as_nothing() -> None:
    """Silence on the vulnerable build leaves the observation empty."""
    quiet = sample()
    assert quiet.scores is not None
    score = quiet.scores["differential"]
    for shown in ({"fired": False, "kind": "timeout"}, "no mapping", None):
        score.metadata = {"outcome": "not_solved", "vulnerable": shown}
        assert results.sample_result(quiet, "a.eval", 1).observation == ""


@given(
    outcome=st.sampled_from(Outcome.__args__) | st.none(),  # type: ignore[attr-defined]
    limit=st.sampled_from(["token", "time"]) | st.none(),
)
def test_an_error_is_ours_whatever_the_score(
    outcome: str | None, limit: Literal["token", "time"] | None
) -> None:
    """Whether a sample counts is decided by the error alone: no score saves or condemns it."""
    told = results.sample_result(sample(outcome=outcome, limit=limit, error="away"), "a", 1)
    assert (told.state, told.solved, told.reason) == ("infra", False, "away")


@given(outcome=st.sampled_from(["solved", "other_bug", "both_misbehave", "not_solved"]))
def test_only_solved_is_solved(outcome: str) -> None:
    """No other outcome counts as solved."""
    told = results.sample_result(sample(outcome=outcome), "a", 1)
    assert (told.state, told.solved) == ("scored", outcome == "solved")


def test_attempts_are_in_the_order_of_their_tokens(tmp_path: Path) -> None:
    """By fencing token, whatever the files are called; other shards' logs are not among them."""
    write(tmp_path, 10, [sample()], name="a")
    write(tmp_path, 2, [sample()], name="b")
    write(tmp_path, 1, [sample()], shard="another", name="c")
    found = [(token, path.name) for token, path in results.attempts(tmp_path, "s")]
    assert found == [(2, "b.eval"), (10, "a.eval")]
    assert results.attempts(tmp_path / "absent", "s") == []


def test_the_first_attempt_that_finished_counts(tmp_path: Path) -> None:
    """A repeat of a finished sample changes nothing; one after a failure of ours counts."""
    write(tmp_path, 1, [sample("p-1", outcome="not_solved"), sample("p-2", error="away")])
    write(tmp_path, 2, [sample("p-1"), sample("p-2"), sample("p-3", error="away")])
    found = {r.item: (r.outcome, r.log) for r in results.finished(tmp_path, "s", 1)}
    assert found == {"p-1": ("not_solved", "1.eval"), "p-2": ("solved", "2.eval")}


def test_failures_are_those_of_the_last_attempt(tmp_path: Path) -> None:
    """What failed before and went well later is no failure."""
    write(tmp_path, 1, [sample("p-1", error="away"), sample("p-2", error="away")])
    write(tmp_path, 2, [sample("p-1"), sample("p-2", error="still away")])
    assert [(r.item, r.reason) for r in results.failed(tmp_path, "s", 1)] == [("p-2", "still away")]
    assert results.failed(tmp_path, "absent", 1) == []


@pytest.mark.parametrize("kept", [0, 1, 100, -100, -22, -1])
def test_a_log_cut_short_is_not_listed(tmp_path: Path, kept: int) -> None:
    """A kill in the middle of writing leaves a file that counts for nothing, and stops nothing."""
    cut = write(tmp_path, 1, [sample()])
    cut.write_bytes(cut.read_bytes()[:kept])
    write(tmp_path, 2, [sample(outcome="not_solved")])
    assert [token for token, _ in results.attempts(tmp_path, "s")] == [2]
    assert [r.outcome for r in results.finished(tmp_path, "s", 1)] == ["not_solved"]


def test_a_log_with_a_damaged_byte_stops_nothing(tmp_path: Path) -> None:
    """Wherever a byte is wrong, the log is read or left out; no other error comes of it."""
    path = write(tmp_path, 1, [sample()])
    whole = path.read_bytes()
    for place in range(0, len(whole), 37):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :])
        assert len(results.finished(tmp_path, "s", 1)) <= 1


def test_a_digest_is_of_the_whole_file(tmp_path: Path) -> None:
    """SHA-256 in hex, as any other program computes it."""
    (tmp_path / "x").write_bytes(b"abc")
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert expected == results.digest(tmp_path / "x")
