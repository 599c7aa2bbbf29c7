"""The figures of a fairness report, by hand."""

from datetime import UTC, datetime, timedelta

from leadline.core.clearing.fairness import Expected, Fault, Numbered, fairness, for_all
from leadline.core.record.act import Act, Kind, Value

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)


def act(kind: Kind, about: str = "c", minutes: int = 0, **detail: Value) -> Act:
    """An act at a minute of the case."""
    at = NOON + timedelta(minutes=minutes)
    return Act(f"act-{kind}-{about}-{minutes}", kind, at, "p", about, "", detail)


def sent(notice: str, operator: str, minutes: int, **more: Value) -> Act:
    """A notice that was sent to tier 1."""
    detail: dict[str, Value] = {"operator": operator, "stage": "published", "tier": "1", **more}
    return act(Kind.NOTICE_SENT, notice, minutes, **detail)


def numbered(*acts: Act) -> list[Numbered]:
    """These acts as all of the case."""
    return [Numbered(number, number + 9, one) for number, one in enumerate(acts, 1)]


def test_the_course_of_a_case() -> None:
    """Periods, extensions with reasons, credit, early readers, silent parties."""
    acts = numbered(
        act(Kind.CASE_OPENED),
        act(Kind.PARTICIPANT_ADDED, minutes=1, party="p1", role="owner"),
        act(Kind.PARTICIPANT_ADDED, minutes=1, party="p2", role="downstream"),
        act(Kind.PARTICIPANT_ADDED, minutes=1, party="p3", role="finder"),
        act(Kind.STATUS_STATED, minutes=2, party="p1"),
        act(Kind.EMBARGO_BEGUN, minutes=60, until="2027-03-02T12:00:00Z"),
        act(Kind.EMBARGO_REVISED, minutes=70, until="2027-03-03T12:00:00Z", reason="a hard fix"),
        act(Kind.CASE_MOVED, minutes=80, move="extended", until="2027-03-04", reason="engaged"),
        act(Kind.CASE_MOVED, minutes=85, move="rediscovered"),
        sent("n0", "a", 90, stage="advance"),
        act(Kind.NOTICE_OPENED, "n0", 95, operator="a"),
        act(Kind.NOTICE_OPENED, "n0", 96, operator="a"),
        act(Kind.NOTICE_OPENED, "c/9", 97, operator=""),
        act(Kind.ADVISORY_PUBLISHED, "adv", 120, case="c"),
        act(Kind.NOTICE_OPENED, "n0", 130, operator="a"),
        act(Kind.CREDIT_DECIDED, minutes=140, party="p3", shared=True, name="ff"),
        act(Kind.CASE_CLOSED, minutes=180),
    )
    found = fairness("c", acts, len(acts), (), NOON + timedelta(minutes=240))
    assert [(one.state, one.seconds // 60) for one in found.periods] == [
        ("opened", 60), ("date agreed", 60), ("public", 60), ("closed", 60),
    ]  # fmt: skip
    assert [one.reason for one in found.extensions] == ["a hard fix", "engaged"]
    assert [(one.party, one.shared) for one in found.credits] == [("p3", True)]
    assert found.silent_parties == ("p2",)
    assert [(one.who, one.times) for one in found.readers] == [
        ("p1", 1), ("p2", 1), ("p3", 1), ("a", 2), ("p", 1),
    ]  # fmt: skip
    assert (found.public, found.silent) == (NOON + timedelta(minutes=120), ("a",))


def test_spreads_differences_and_numbers() -> None:
    """First to last by stage and tier; a correction is its own; each difference with its reason."""
    acts = numbered(
        sent("n1", "a", 0, n=1),
        sent("n2", "b", 1, n=2),
        act(Kind.NOTICE_CORRECTED, "n1", 5, by="n3", n=3),
        sent("n3", "a", 5, n=9),
        sent("n4", "x", 6),
        act(Kind.NOTICE_ANSWERED, "n2", 7, answer="applied", operator="b"),
    )
    expected = (
        Expected("a", "published", match=True, due=True),
        Expected("b", "published", match=False, due=True, why="local"),
        Expected("d", "published", match=True, due=False, why="too old"),
        Expected("e", "published", match=True, due=True),
        Expected("f", "published", match=False, due=False),
    )
    found = fairness("c", acts, len(acts) + 2, expected, NOON)
    assert [(one.stage, one.notices, one.seconds) for one in found.spreads] == [
        ("published", 3, 360), ("correction", 1, 0),
    ]  # fmt: skip
    assert [(one.fault, one.operator, one.why) for one in found.differences] == [
        (Fault.NOT_TOLD, "d", "too old"),
        (Fault.NOT_TOLD, "e", ""),
        (Fault.NO_MATCH, "b", "local"),
        (Fault.NO_MATCH, "x", ""),
    ]
    assert found.unexplained == 2
    assert found.silent == ("a", "x")
    assert (found.numbering.withheld, found.numbering.vouched) == (2, 4)
    assert found.numbering.faults == ("act 4 of the case says that it is number 9",)
    nothing = fairness("c", (), 0, (), NOON)
    assert (nothing.periods, nothing.opened, nothing.silent) == ((), None, ())


def test_what_everybody_may_read() -> None:
    """Nothing of a tier with fewer than k notices, no count of a stage that has one, no answers."""
    acts = [
        act(Kind.CASE_OPENED),
        act(Kind.NOTICE_ISSUED, minutes=1, stage="advance"),
        act(Kind.NOTICE_ISSUED, minutes=2, stage="published"),
        sent("s", "a", 1, stage="advance"),
        *(sent(f"n{at}", f"o{at}", 2) for at in range(3)),
        act(Kind.NOTICE_CORRECTED, "s", 3, by="s2"),
        act(Kind.NOTICE_OPENED, "n1", 4, operator="o1"),
    ]
    shown = for_all(acts, 3)
    kept = [one for one in acts if one.id in shown]
    assert [(one.kind, one.about) for one in kept] == [
        (Kind.CASE_OPENED, "c"),
        (Kind.NOTICE_ISSUED, "c"),
        *((Kind.NOTICE_SENT, f"n{at}") for at in range(3)),
    ]
