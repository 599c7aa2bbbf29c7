"""What becomes of a notice: states from acts alone, and what a proof comes to."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from clearing_values import UJSON, inventory, statement, ujson, unhurried
from leadline.core.clearing.product import Component, package
from leadline.core.clearing.receipt import (
    Answer,
    Receipt,
    Shown,
    State,
    batches,
    best,
    burn_down,
    by_check,
    by_inventory,
    by_version,
    receipts,
)
from leadline.core.record.act import Act, Kind, Value

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)
TOLD = (statement(),)
LEFT_PAD = package("npm", "", "left-pad")


def act(kind: Kind, about: str, minutes: int, **detail: Value) -> Act:
    """An act about a notice."""
    at = NOON + timedelta(minutes=minutes)
    return Act(f"act-{kind}-{about}-{minutes}", kind, at, "p", about, "", detail)


def sent(notice: str, operator: str, minutes: int = 0, stage: str = "published") -> Act:
    """A notice that was sent."""
    detail = {"case": "c", "operator": operator, "stage": stage, "tier": "1"}
    return act(Kind.NOTICE_SENT, notice, minutes, **detail)


def test_states_follow_from_acts() -> None:
    """Opening is no answer; a word does not undo a proof; a later proof of the flaw is flagged."""
    steps = [
        (act(Kind.NOTICE_OPENED, "n", 1), State.NO_ANSWER),
        (act(Kind.NOTICE_ANSWERED, "n", 2, answer="acknowledged"), State.ACKNOWLEDGED),
        (act(Kind.REMEDY_PROVED, "n", 3, shown="affected"), State.ACKNOWLEDGED),
        (act(Kind.NOTICE_ANSWERED, "n", 4, answer="applied"), State.APPLIED),
        (act(Kind.REMEDY_PROVED, "n", 5, shown="fixed"), State.VERIFIED),
        (act(Kind.NOTICE_ANSWERED, "n", 6, answer="applied"), State.VERIFIED),
        (act(Kind.REMEDY_PROVED, "n", 7, shown="unknown"), State.VERIFIED),
        (act(Kind.REMEDY_PROVED, "n", 8, shown="affected"), State.REVERTED),
        (act(Kind.NOTICE_ANSWERED, "n", 9, answer="not-applicable"), State.NOT_APPLICABLE),
        (act(Kind.NOTICE_CORRECTED, "n", 10), State.NOT_APPLICABLE),
    ]
    acts = [sent("n", "o")]
    assert receipts(acts)["n"].state is State.NO_ANSWER
    for one, state in steps:
        acts.append(one)
        assert receipts(acts)["n"].state is state
    found = receipts([act(Kind.NOTICE_OPENED, "other", 0), *acts])
    assert list(found) == ["n"]
    assert found["n"].opened == NOON + timedelta(minutes=1)


def test_proof_by_inventory() -> None:
    """Affected wins, then what cannot be told of a line that the notice named."""
    fixed, hit = ujson("5.2.0"), ujson("5.1.0", ref="2")
    nameless = Component("1", "pump controller")
    cases = [
        (inventory(fixed), Shown.FIXED),
        (inventory(Component("7", "left-pad", "1.0", LEFT_PAD), fixed), Shown.FIXED),
        (inventory(fixed, hit), Shown.AFFECTED),
        (inventory(ujson("")), Shown.UNKNOWN),
        (inventory(ujson(""), hit), Shown.AFFECTED),
        (inventory(nameless), Shown.UNKNOWN),
        (inventory(ujson("", ref="3"), ujson("", ref="4")), Shown.UNKNOWN),
        (inventory(Component("9", "pump controller")), Shown.FIXED),
        (inventory(), Shown.UNKNOWN),
    ]
    for held, shown in cases:
        assert by_inventory(TOLD, held, {"1"})[0] is shown, held


def test_proof_by_version_and_by_check() -> None:
    """One line about one package; anything else is unknown."""
    assert by_version(TOLD[0], "5.1.0")[0] is Shown.AFFECTED
    assert by_version(TOLD[0], "5.2.0")[0] is Shown.FIXED
    assert by_version(TOLD[0], "no version")[0] is Shown.UNKNOWN
    assert by_check(TOLD, "Name: ujson\nVersion: 5.2.0")[0] is Shown.FIXED
    assert by_check(TOLD, "version : 5.1.0\n")[0] is Shown.AFFECTED
    assert by_check(TOLD, "Version: ?")[0] is Shown.UNKNOWN
    assert by_check(TOLD, "5.2.0")[0] is Shown.UNKNOWN
    assert by_check(TOLD, "Version: 1\nVersion: 2")[0] is Shown.UNKNOWN
    assert UJSON.name in by_check(TOLD, "Version: 5.1.0")[1]


def test_burn_down_by_hand() -> None:
    """Two operators, one told twice; strangers' acts are no part of it."""
    points = burn_down(
        [
            sent("early", "a", 0, "advance"),
            sent("n1", "a", 10),
            sent("n2", "b", 10),
            act(Kind.NOTICE_ANSWERED, "early", 20, answer="applied"),
            act(Kind.NOTICE_ANSWERED, "stranger", 25, answer="applied"),
            act(Kind.REMEDY_PROVED, "n2", 30, shown="fixed"),
        ]
    )
    assert [(one.told, one.applied) for one in points] == [(1, 0), (2, 0), (2, 1), (2, 2)]
    assert points[-1].states[State.VERIFIED] == 1
    assert burn_down([]) == ()


steps = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c"]),
        st.sampled_from([*(one.value for one in Answer), *(one.value for one in Shown), "opened"]),
    ),
    max_size=25,
)


@unhurried
@given(steps)
def test_counts_add_up_and_agree_with_receipts(steps: list[tuple[str, str]]) -> None:
    """Every point counts each operator once, and the last one says what the receipts say."""
    acts = [sent(f"n-{name}", name) for name in "abc"]
    for at, (name, word) in enumerate(steps, 1):
        about = f"n-{name}"
        if word == "opened":
            acts.append(act(Kind.NOTICE_OPENED, about, at))
        elif word in set(Answer):
            acts.append(act(Kind.NOTICE_ANSWERED, about, at, answer=word))
        else:
            acts.append(act(Kind.REMEDY_PROVED, about, at, shown=word))
    points = burn_down(acts)
    assert {one.told for one in points} == {3}
    found = receipts(acts)
    for state in State:
        assert points[-1].states[state] == sum(one.state is state for one in found.values())
        assert sum(one.states[state] for one in batches(acts)) == points[-1].states[state]
    silent = {one.operator for one in found.values() if one.state is State.NO_ANSWER}
    spoke = {name for name, word in steps if word in set(Answer) or word == Shown.FIXED}
    assert silent == set("abc") - spoke


def test_notices_of_one_moment_stage_and_tier_are_counted_together() -> None:
    """A page of twenty thousand lines tells nobody anything; every notice counts, also two to one operator."""
    acts = [
        *(sent(f"early-{name}", name, stage="advance") for name in "ab"),
        *(sent(f"n-{name}", name, 60) for name in "abc"),
        act(Kind.NOTICE_ANSWERED, "n-b", 61, answer="applied"),
    ]
    found = [(one.stage, one.tier, one.told, one.states[State.APPLIED]) for one in batches(acts)]
    assert found == [("advance", "1", 2, 0), ("published", "1", 3, 1)]
    assert batches([]) == ()


def test_the_notice_changed_last_says_most() -> None:
    """Without any change the one sent last."""
    old = Receipt("1", "c", "o", "advance", "1", NOON)
    new = Receipt("2", "c", "o", "published", "1", NOON + timedelta(days=1))
    changed = Receipt("3", "c", "o", "advance", "1", NOON, None, State.APPLIED, NOON)
    assert best([old, new]) is new
    assert best([changed, new]) is changed
