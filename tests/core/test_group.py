"""Proposed groups of crash reports."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearing_values import unhurried
from leadline.core.clearing.group import Crash, Frame, group
from leadline.core.errors import Invalid

OVERFLOW = "heap-buffer-overflow"


def crash(
    ident: str, *frames: Frame, kind: str = OVERFLOW, program: str = "app", **more: Any
) -> Crash:
    """A crash whose report is its frames."""
    return Crash(ident, kind, frames, more.pop("text", ident), program, **more)


def at(function: str, line: int = 1) -> Frame:
    """A frame in one file."""
    return Frame(function, "a.c", line)


def members(*crashes: Crash) -> list[tuple[str, ...]]:
    """The proposed groups."""
    return [held.members for held in group(crashes)]


def test_identical_evidence_is_rung_one() -> None:
    """Same proof, build and report need no stack."""
    held = [crash(name, text="t", proof="p", build="b") for name in "ab"]
    (proposed,) = group(held)
    assert (proposed.rung, proposed.why) == (1, "identical proof, build and report")
    assert members(held[0], crash("c", text="t", proof="p", build="other")) == [("a",), ("c",)]


def test_one_class_in_the_same_calls_is_rung_three() -> None:
    """Class, calls with their lines, and program: what differs in one of them is not proposed."""
    frames = at("f", 10), Frame("g", "b.c", 1), at("h")
    (proposed,) = group([crash("a", *frames), crash("b", *frames)])
    assert proposed.rung == 3
    assert "heap-buffer-overflow in f a.c:10 < g" in proposed.why
    moved = at("f", 99), *frames[1:]
    assert len(members(crash("a", *frames), crash("b", *moved))) == 2
    assert len(members(crash("a", *frames), crash("b", *frames, program="other"))) == 2
    assert len(members(crash("a", *frames), crash("b", at("f", 10), Frame("k", "b.c", 1)))) == 2


def test_callers_within_the_file_share_the_state_it_works_on() -> None:
    """The access is the place; how far out of bounds it goes decides the class."""
    one, two = crash("a", at("f", 7), at("x")), crash("b", at("f", 7), at("y"), kind="SEGV")
    (proposed,) = group([one, two])
    assert proposed.why == "SEGV in f a.c:7, as heap-buffer-overflow"


@pytest.mark.parametrize("kind", ["deadly signal", "stack-overflow", "timeout", ""])
def test_where_the_program_stopped_itself_the_line_alone_proposes_nothing(kind: str) -> None:
    """An assertion's messenger is shared by unrelated flaws."""
    one = crash("a", at("fail", 7), at("x"), kind=kind)
    assert len(members(one, crash("b", at("fail", 7), at("y"), kind=kind))) == 2


def test_a_report_without_own_frames_stands_alone() -> None:
    """Nothing is known that it could share."""
    (first, second) = group([crash("a"), crash("b", kind="")])
    assert (first.rung, first.why) == (0, f"alone: no other report is {OVERFLOW} in no own frame")
    assert "of its kind" in second.why


def test_frames_without_function_share_only_their_line() -> None:
    """An undefined-behaviour report names a place; three unnamed functions prove nothing."""
    one = crash("a", Frame("", "a.c", 3), Frame("", "a.c", 4), kind="left shift")
    two = crash("b", Frame("", "a.c", 3), Frame("", "a.c", 5), kind="left shift")
    assert len(members(one, two)) == 2
    assert Frame("", "a.c", 3).shown == "? a.c:3"


def test_ids_are_told_apart() -> None:
    """Two reports under one name are an error of the caller."""
    with pytest.raises(Invalid, match="same id"):
        group([crash("a"), crash("a")])


frames = st.lists(st.builds(at, st.sampled_from("fgh"), st.integers(1, 3)), max_size=4).map(tuple)
kinds = st.sampled_from([OVERFLOW, "SEGV", "deadly signal"])
crowds = st.lists(st.tuples(frames, kinds), max_size=12).map(
    lambda held: [crash(f"{n:02}", *own, kind=kind) for n, (own, kind) in enumerate(held)]
)


@unhurried
@given(crowd=crowds, data=st.data())
def test_every_report_is_in_one_group_whatever_the_order(
    crowd: list[Crash], data: st.DataObject
) -> None:
    """The groups are a partition, do not depend on order, and never split equal own stacks."""
    groups = group(crowd)
    listed = [member for held in groups for member in held.members]
    assert sorted(listed) == [held.id for held in crowd]
    assert group(data.draw(st.permutations(crowd))) == groups
    home = {member: held.id for held in groups for member in held.members}
    for one in crowd:
        for two in crowd:
            if one.frames and one.frames == two.frames:
                assert home[one.id] == home[two.id]
