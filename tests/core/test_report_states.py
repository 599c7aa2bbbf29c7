"""States of a report from its acts, moves, answers that are due, and credit."""

import hmac
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearing_values import AT, finding, unhurried
from leadline.core.clearing.finding import (
    Attachment,
    Evidence,
    Finding,
    Hop,
    Location,
    Severity,
)
from leadline.core.clearing.product import Fault
from leadline.core.clearing.report import (
    CREDIT_SHARED,
    Claim,
    Faulty,
    Stage,
    answer_due,
    check_move,
    credit,
    nothing_beside,
    onward,
    standing,
)
from leadline.core.errors import Invalid, Refused
from leadline.core.record.act import Act, Kind, Value
from leadline.core.record.commitment import commit, commit_finding

stages = st.sampled_from(list(Stage))


def act(kind: Kind, hours: float = 0, by: str = "finder", **detail: Value) -> Act:
    """An act about one report."""
    return Act("act", kind, AT + timedelta(hours=hours), by, "f" * 64, "", detail)


HANDED_IN = act(Kind.FINDING_SUBMITTED, state="screened", reason="fits", lane="l", commitment="c")


def test_nothing_stands_before_it_is_handed_in() -> None:
    """Acts that come first say nothing."""
    assert standing([]) is None
    assert standing([act(Kind.FINDING_MOVED, state="queued")]) is None


def test_every_step_has_its_moment_and_reason() -> None:
    """Received, then what the contract said, then each move; a later handing in changes nothing."""
    found = standing(
        [
            HANDED_IN,
            act(Kind.FINDING_SUBMITTED, 1, by="other", state="duplicate"),
            act(Kind.FINDING_MOVED, 2, state="deduplicated", reason="alone"),
            act(Kind.FINDING_REPLAYED, 3, verdict="flaky"),
            act(Kind.FINDING_REPLAYED, 4, verdict="confirmed, fix effective"),
            act(Kind.FINDING_ANSWERED, 5, answer="a" * 64),
            act(Kind.FINDING_ANSWERED, 5, stands_by_text=True),
            act(Kind.FINDING_MOVED, 6, state="confirmed", urgent="listed", reason="x"),
            act(Kind.GRANT_GIVEN, 7),
            act(Kind.FINDING_MOVED, 8, state="case", case="case-1"),
            act(Kind.FINDING_REPLAYED, 9, verdict="not-reproduced"),
            act(Kind.FINDING_MOVED, 10, state="no state of ours"),
        ]
    )
    assert found is not None
    assert [one.stage.value for one in found.steps] == [
        *("received", "screened", "deduplicated", "reproducing", "confirmed", "confirmed"),
        "case",
    ]
    assert (found.stage, found.reason, found.by) == (Stage.CASE, "in case-1", "finder")
    assert found.answers == ((AT + timedelta(hours=5), "a" * 64),)
    assert (found.urgent, found.case, found.confirmed_text) == ("listed", "case-1", True)


@pytest.mark.parametrize(
    ("verdict", "stage"),
    [
        ("confirmed", Stage.CONFIRMED),
        ("confirmed-by-script", Stage.CONFIRMED),
        ("not-reproduced", Stage.NOT_REPRODUCED),
        ("trivial-oracle", Stage.NOT_REPRODUCED),
        ("flaky", Stage.REPRODUCING),
        ("environment-fault", Stage.DEDUPLICATED),
    ],
)
def test_a_replay_moves_it(verdict: str, stage: Stage) -> None:
    """A fault of the environment puts it back and is not counted against the finder."""
    found = standing([HANDED_IN, act(Kind.FINDING_REPLAYED, verdict=verdict)])
    assert found is not None
    assert found.stage is stage


def test_it_may_be_withdrawn_and_handed_in_again() -> None:
    """Both stand in its steps, and what it needs is read back."""
    needs = (("a", "b"), ("c",))
    first = act(Kind.FINDING_SUBMITTED, needs=(*needs, "odd"), withheld=True)
    found = standing([first, act(Kind.FINDING_WITHDRAWN, 1)])
    assert found is not None
    assert (found.stage, found.needs, found.withheld) == (Stage.WITHDRAWN, needs, True)
    again = standing(
        [first, act(Kind.FINDING_WITHDRAWN, 1), act(Kind.FINDING_MOVED, 2, state="screened")]
    )
    assert again is not None
    assert (again.stage, again.reason) == (Stage.SCREENED, "")


def test_what_an_assessment_recorded_counts_as_received() -> None:
    """It has no lane, and so no place."""
    found = standing([act(Kind.FINDING_RECORDED, proof="p"), act(Kind.FINDING_MOVED, state="case")])
    assert found is not None
    assert (found.lane, found.stage, found.reason) == ("", Stage.CASE, "")


@given(stages, stages)
def test_a_report_leaves_a_case_never_and_an_end_only_by_new_evidence(a: Stage, b: Stage) -> None:
    """And it can be withdrawn from every state that waits."""
    if b in onward(a):
        check_move(a, b, "because")
        with pytest.raises(Invalid):
            check_move(a, b, " ")
    else:
        with pytest.raises(Refused):
            check_move(a, b, "because")
    if a is Stage.CASE:
        assert not onward(a)
    if a.ends:
        assert onward(a) == {Stage.RECEIVED}
    assert a.waits == (Stage.WITHDRAWN in onward(a))
    assert a.waits + a.ends + (a is Stage.CASE) == 1


def test_every_state_can_be_reached_and_a_case_is_the_only_way_out() -> None:
    """From received, over the states of the reference."""
    reached = {Stage.RECEIVED}
    while more := {to for one in reached for to in onward(one)} - reached:
        reached |= more
    assert reached == set(Stage)


@pytest.mark.parametrize(
    ("at", "due"),
    [
        (datetime(2027, 3, 1, 9, tzinfo=UTC), datetime(2027, 3, 4, 9, tzinfo=UTC)),
        (datetime(2027, 3, 5, 9, tzinfo=UTC), datetime(2027, 3, 10, 9, tzinfo=UTC)),
        (datetime(2027, 3, 6, 9, tzinfo=UTC), datetime(2027, 3, 10, 9, tzinfo=UTC)),
    ],
)
def test_three_working_days_pass_over_a_week_end(at: datetime, due: datetime) -> None:
    """Monday to Thursday; Friday and Saturday to Wednesday."""
    assert answer_due(at) == due


claims = st.lists(
    st.builds(
        Claim,
        st.sampled_from("fgh"),
        st.sampled_from(["ada", "bob", "eve"]),
        st.integers(0, 72).map(lambda hours: AT + timedelta(hours=hours)),
        st.booleans(),
    ),
    max_size=8,
)


@unhurried
@given(claims, st.randoms(use_true_random=False))
def test_credit_is_the_earliest_valid_claims(some: list[Claim], order: object) -> None:
    """Each finder once; within a day of the first it is shared; the order of claims changes nothing."""
    found = credit(some)
    order.shuffle(shuffled := list(some))  # type: ignore[attr-defined] # a Random
    assert credit(shuffled) == found
    valid = [one for one in some if one.valid]
    assert {one.by for one in found.shared + found.later} == {one.by for one in valid}
    assert len({one.by for one in found.shared + found.later}) == len(found.shared + found.later)
    assert sorted(found.void, key=repr) == sorted((one for one in some if not one.valid), key=repr)
    if valid:
        first = min(one.at for one in valid)
        assert found.shared[0].at == first
        assert all(one.at - first <= CREDIT_SHARED for one in found.shared)
        assert all(one.at - first > CREDIT_SHARED for one in found.later)


def test_a_faulty_report_names_its_first_fault_and_counts_the_rest() -> None:
    """All of them stand in it."""
    one = Faulty("r.json", [Fault("/a", "is wrong")])
    assert str(one) == "r.json/a: is wrong"
    two = Faulty("r.json", [Fault("/a", "is wrong"), Fault("/b", "too")])
    assert str(two) == "r.json/a: is wrong (and 1 more)"
    assert len(two.faults) == 2
    assert nothing_beside("proof") is None


def test_a_report_without_a_proof_is_a_finding_and_an_assessment_without_one_is_none() -> None:
    """Only what came as a report may come without."""
    assert finding(proof_sha256="", report="a" * 64).proof_sha256 == ""
    with pytest.raises(Invalid):
        finding(proof_sha256="")


def test_old_ids_stay_and_every_new_field_makes_another_finding() -> None:
    """The first version's ids are those that assessments have recorded since the beginning."""
    old = finding()
    assert old.id == "7a27dbe0e7cef90cc17533680d559376e55df6c1b109e698ec84d799ab4ba8fe"
    assert old.content()["schema"] == "leadline/finding/1"
    more: list[Finding] = [
        finding(origin="person"),
        finding(consent="by mail"),
        finding(severity=Severity.HIGH),
        finding(vector="CVSS:4.0/AV:N"),
        finding(assessor="Ada"),
        finding(confirmed_by="Ada"),
        finding(locations=(Location("a.c"),)),
        finding(locations=(Location("a.c", "f"),)),
        finding(evidence=Evidence("SEGV")),
        finding(evidence=Evidence("SEGV", ("run", "{proof}"))),
        finding(needs=(("a",),)),
        finding(needs=(("a",), ("b",))),
        finding(needs=(("a", "b"),)),
        finding(related=("a",)),
        finding(credits=("Ada",)),
        finding(credits=("Bob", "Ada")),
        finding(credits=("Ada", "Bob")),
        finding(hops=(Hop("a desk", "1"),)),
        finding(attachments=(Attachment("a", "b"),)),
        finding(exploited="seen"),
        finding(project="bsdiff4"),
        finding(report="a" * 64),
    ]
    assert len({one.id for one in [old, *more]}) == len(more) + 1
    assert {str(one.content()["schema"]) for one in more} == {"leadline/finding/2"}


def test_a_commitment_is_a_keyed_digest_of_the_finding_apart_from_those_of_acts() -> None:
    """RFC 2104 over the name of the use and the record, under 32 bytes that are used once."""
    blinder = bytes(range(32))
    expected = hmac.digest(blinder, b"leadline/finding/v1{}", "sha256")
    assert commit_finding(blinder, b"{}") == expected
    assert commit_finding(blinder, b"{}") != commit(blinder, b"{}")
    with pytest.raises(Invalid):
        commit_finding(blinder[1:], b"{}")


def test_silence_about_severity_gains_nothing() -> None:
    """Unknown stands with medium."""
    assert [one.rank for one in Severity] == [1, 0, 1, 2, 3]
