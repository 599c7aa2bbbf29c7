"""Identity of a subject: bound to every sample, a change told and never pooled."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.core.assessment import SampleResult, ShardResult
from leadline.core.errors import Invalid
from leadline.core.identity import (
    CHANGED,
    Declared,
    Fingerprint,
    Identified,
    apart,
    bound,
    closed,
    shift,
)

DECLARED = Declared("openai-api", "made-up", version="1", rung="tools")
FIRST = Fingerprint("v1", ("m-1",), ("a", "b", "c", "d"), 900)
IDENTIFIED = Identified(DECLARED, FIRST)


def sample(reported: str = "m-1", state: str = "scored") -> SampleResult:
    """One solved sample, answered by *reported*."""
    return SampleResult("i-1", 1, state, solved=True, outcome="solved", reported=reported)  # type: ignore[arg-type]


def result(*samples: SampleResult) -> ShardResult:
    """A shard of *samples*."""
    return ShardResult("s", "made-up", "planted", 1, samples)


@pytest.mark.parametrize(
    "changed",
    [
        {"provider": "vllm"},
        {"name": "other"},
        {"version": "2"},
        {"variant": "safeguards off"},
        {"endpoint_key": "ab"},
        {"weights": "cd"},
        {"scaffold": "ef"},
        {"rung": "plain"},
        {"settings": {"temperature": "0"}},
        {"tools": ("bash",)},
    ],
)
def test_every_part_is_in_the_digest(changed: dict[str, object]) -> None:
    """Another provider, version, variant, key, weights, scaffold, rung or setting is another subject."""
    other = replace(DECLARED, **changed)  # type: ignore[arg-type]
    assert other.digest != DECLARED.digest
    assert other.reported_as("m-1") != DECLARED.reported_as("m-1")


def test_the_reported_name_is_in_what_samples_carry() -> None:
    """The same declaration answered by another model is another identity."""
    assert DECLARED.reported_as("m-1") != DECLARED.reported_as("m-2")
    assert DECLARED.reported_as("m-1") != DECLARED.digest


@given(st.lists(st.text(max_size=3), min_size=1, max_size=5).map(tuple))
def test_no_shift_from_oneself(answers: tuple[str, ...]) -> None:
    """A fingerprint taken twice with equal answers shows no change."""
    one = Fingerprint("v1", ("m",), answers)
    assert not shift(one, one).changed
    assert shift(one, one).millinats == -1


def test_another_name_is_a_change_whatever_the_answers() -> None:
    """The reported model string is decisive."""
    seen = shift(FIRST, replace(FIRST, reported=("m-2",)))
    assert seen.changed
    assert "'m-1'" in seen.why
    assert "'m-2'" in seen.why
    assert "no name" in shift(FIRST, replace(FIRST, reported=())).why


def test_answers_may_differ_up_to_the_bound() -> None:
    """Half of the questions may be answered differently; more is another subject."""
    assert not shift(FIRST, replace(FIRST, answers=("a", "b", "x", "y"))).changed
    assert "75%" in shift(FIRST, replace(FIRST, answers=("a", "w", "x", "y"))).why


def test_log_probabilities_count_where_both_have_them() -> None:
    """A quarter of a nat a token is the bound; without them nothing is concluded from them."""
    assert not shift(FIRST, replace(FIRST, millinats=1150)).changed
    assert "nats" in shift(FIRST, replace(FIRST, millinats=1151)).why
    assert not shift(FIRST, replace(FIRST, millinats=-1)).changed


def test_different_questions_are_not_compared() -> None:
    """Two sets of probes say nothing of each other."""
    with pytest.raises(Invalid, match="different questions"):
        shift(FIRST, replace(FIRST, probes="v2"))
    with pytest.raises(Invalid, match="different questions"):
        shift(FIRST, replace(FIRST, answers=("a",)))


def test_no_questions_no_shift() -> None:
    """An empty set of probes leaves the names alone to tell."""
    assert not shift(replace(FIRST, answers=()), replace(FIRST, answers=())).changed


def test_the_identity_is_in_every_sample() -> None:
    """Each sample carries the digest of what was declared and what answered."""
    kept, silent = bound(result(sample(), sample("", "infra")), IDENTIFIED).samples
    assert kept.subject == silent.subject == DECLARED.reported_as("m-1")
    assert (kept.state, kept.solved, kept.rung) == ("scored", True, "tools")
    assert silent.state == "infra"


@pytest.mark.parametrize("reported", ["m-2", "m-1, m-2"])
def test_what_another_model_answered_is_set_apart(reported: str) -> None:
    """Wholly or in part: no score, the other identity's digest, and the reason names both."""
    [told] = bound(result(sample(reported)), IDENTIFIED).samples
    assert (told.state, told.solved, told.outcome) == ("infra", False, CHANGED)
    assert told.subject == DECLARED.reported_as("m-2")
    assert "'m-2' answered, not 'm-1'" in told.reason


def test_a_shard_closed_before_its_first_sample_ran_nothing() -> None:
    """Its items are missing, each with the cause."""
    told = closed("s", "made-up", "planted", 2, ("a", "b"), "another model")
    assert [(one.item, one.epoch, one.state, one.outcome) for one in told.samples] == [
        ("a", 2, "missing", CHANGED),
        ("b", 2, "missing", CHANGED),
    ]


def test_a_change_seen_afterwards_sets_the_whole_shard_apart() -> None:
    """Which sample it fell on is unknown; what was lost before keeps its own cause."""
    first, second = apart(result(sample(), sample(state="missing")), "moved").samples
    assert (first.state, first.solved, first.outcome, first.reason) == (
        "infra",
        False,
        CHANGED,
        "moved",
    )
    assert second.state == "missing"


def test_a_subject_without_an_endpoint_reports_nothing() -> None:
    """The tool agent's samples carry what was declared of it."""
    [told] = bound(result(sample("")), Identified(DECLARED)).samples
    assert told.subject == DECLARED.reported_as("")
    assert told.solved
