"""A decision as a document: it reads back as it was, and nothing else is taken for one."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from leadline.core.errors import Invalid, LeadlineError, Tampered
from leadline.core.measure.deciding import start
from leadline.core.measure.sequential import Design, Plan, Result
from leadline.formats.canonical import encode
from leadline.formats.decision_log import DecisionLog, read_decision, write_decision
from leadline.formats.values import plain

SEED = bytes(range(32))


def told(design: Design = Design.ACTIVE, **fields: object) -> DecisionLog:
    """A decision after its first four results."""
    given: dict[str, object] = {
        "suite_digest": "ab" * 32,
        "items": tuple("abcdefgh"),
        "families": tuple("xxyyxxyy"),
        "threshold": 0.45,
        "alpha_above": 0.05,
        "alpha_below": 0.1,
        "seed_commitment": "cd" * 32,
        "design": design,
        "zone": 0.02,
        "max_runs": 99,
    }
    if design is Design.ACTIVE:
        given |= {"difficulties": (0.1,) * 8, "weights": {"x": 0.4, "y": 0.6}, "batch": 4}
    plan = Plan(**(given | fields))  # type: ignore[arg-type] # fields of a plan by name
    decision = start(plan, SEED)
    decision = decision.update(Result(one.step, one.step % 2) for one in decision.next_items(4))
    return DecisionLog(plan, SEED, decision.log)


@pytest.mark.parametrize("design", list(Design))
def test_what_is_written_reads_back_as_it_was(design: Design) -> None:
    """Plan, seed and log of either design, and again the same bytes."""
    one = told(design)
    assert read_decision(write_decision(one)) == one
    assert write_decision(read_decision(write_decision(one))) == write_decision(one)


def test_without_weights_and_discriminations_it_reads_back_too() -> None:
    """What a plan leaves out is left out."""
    one = told(weights=None, discriminations=(1.5,) * 8, difficulties=(), max_runs=None)
    assert read_decision(write_decision(one)) == one


Root = dict[str, Any]
Change = Callable[[Root], object]


def within(name: str, value: object) -> Change:
    """A change of one field of the plan."""
    return lambda root: root["plan"].__setitem__(name, value)


def without(name: str) -> Change:
    """One field of the plan left out."""
    return lambda root: root["plan"].pop(name)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda root: root.pop("seed"), "decision"),
        (lambda root: root.__setitem__("more", 1), "decision"),
        (lambda root: root.__setitem__("seed", "zz"), "seed"),
        (lambda root: root.__setitem__("log", "text"), "log"),
        (lambda root: root.__setitem__("log", 3), "log"),
        (lambda root: root.__setitem__("log", ["text"]), "log"),
        (lambda root: root.__setitem__("plan", []), "plan"),
        (within("threshold", "0.450"), "plan"),
        (within("threshold", "nan"), "plan"),
        (within("threshold", "much"), "plan"),
        (within("design", "best"), "plan"),
        (within("items", "abcdefgh"), "plan"),
        (within("items", 8), "plan"),
        (within("items", ["a", "a"]), "plan"),
        (within("weights", ["x"]), "plan"),
        (within("weights", {"x": "2.0"}), "plan"),
        (within("batch", "4"), "plan"),
        (within("kappas", ["0.5"]), "plan"),
        (within("max_runs", "many"), "plan"),
        (within("more", 1), "plan"),
        (without("tau"), "plan"),
        (without("zone"), "plan"),
    ],
)
def test_what_is_no_decision_is_named(change: Change, field: str) -> None:
    """A field that is missing, further, mistyped, or stated otherwise than the plan would."""
    root = json.loads(write_decision(told()))
    change(root)
    with pytest.raises(Invalid, match=f"^{field}"):
        read_decision(encode(plain(root)))


def test_a_line_that_is_none_is_refused_where_it_stands() -> None:
    """The number of the record is told."""
    root = json.loads(write_decision(told()))
    root["log"][2]["y"] = "1"
    with pytest.raises(Tampered, match="record 3"):
        read_decision(encode(plain(root)))


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"null", b"\xff"])
def test_what_is_no_document_is_refused(content: bytes) -> None:
    """Empty, another value, cut short, no text."""
    with pytest.raises(LeadlineError):
        read_decision(content)
