"""Which texts apply: three values, numbers in words, and programmes that nobody is bound to."""

from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.core.engagement.coverage import (
    Answers,
    Applies,
    Stage,
    Verdict,
    applies,
    classes_of,
    plain,
)
from leadline.core.engagement.regime import (
    Condition,
    Fact,
    InForce,
    Participation,
    Regime,
    Status,
)
from leadline.core.errors import Invalid

NOW = datetime(2026, 11, 1, tzinfo=UTC)
OPERATIONS = Condition(Fact.TRAINING_OPERATIONS, "w", "s", above=1e26)
REVENUE = Condition(Fact.YEARLY_REVENUE, "w", "s", at_least=500.0, of="large")
PLACE = Condition(Fact.PLACES, "w", "s", any_of=("eu",))
CLOSED = Condition(Fact.OPEN_WEIGHTS, "w", "s", yes=False)
STAGE = Condition(Fact.STAGE, "w", "s", any_of=("under-development",))
ASK = Condition(Fact.DETERMINATION, "w", "s", yes=True)
SIGNED = Condition(Fact.AGREEMENTS, "w", "s", any_of=("code",))
TEXT = Regime(
    "r",
    "R",
    "d" * 64,
    Status.IN_FORCE,
    InForce(date(2026, 1, 1), None, "w", "s"),
    Participation.STATUTE,
    "none",
    "P",
    date(2026, 10, 10),
    (),
)


def under(*covers: Condition, by: Participation = Participation.STATUTE) -> Regime:
    """A text with these conditions."""
    return replace(TEXT, covers=covers, participation=by)


def found(answers: Answers, *covers: Condition) -> Applies:
    """What follows in a statute with these conditions."""
    return applies(under(*covers), answers, NOW)


@pytest.mark.parametrize(
    ("operations", "verdict", "words"),
    [
        (3e25, Verdict.NO, "3e25 is not above 10^26 operations"),
        (1e26, Verdict.NO, "10^26 is not above 10^26 operations"),
        (1.5e26, Verdict.YES, "1.5e26 is above 10^26 operations"),
        (10**27, Verdict.YES, "10^27 is above 10^26 operations"),
        (None, Verdict.UNKNOWN, "not known: training-operations"),
    ],
)
def test_a_number_is_compared_in_words(
    operations: float | None, verdict: Verdict, words: str
) -> None:
    """The reason names both numbers; the number itself is not above itself."""
    one = found(Answers(operations), OPERATIONS)
    assert (one.verdict, one.reasons[0].found) == (verdict, words)
    assert one.missing == ((Fact.TRAINING_OPERATIONS,) if operations is None else ())
    assert one.since == date(2026, 1, 1)


def test_one_answer_of_no_settles_it() -> None:
    """Kleene: false whatever else is unknown, unknown where nothing is false, else true."""
    for met in product((True, False, None), repeat=2):
        answers = Answers(
            training_operations=None if met[0] is None else 2e26 * met[0],
            places=None if met[1] is None else ("eu",) if met[1] else ("uk",),
        )
        expected = Verdict.NO if False in met else Verdict.UNKNOWN if None in met else Verdict.YES
        assert found(answers, OPERATIONS, PLACE).verdict is expected


def test_other_answers_are_read_in_words() -> None:
    """A choice, a yes or no, a stage: each says what was answered and what the text speaks to."""
    answers = Answers(places=(), open_weights=True, stage=Stage.PUBLIC)
    one = found(answers, PLACE, CLOSED, STAGE)
    assert [reason.found for reason in one.reasons] == [
        "you answered none; the text speaks to eu",
        "your answer is yes; the text speaks to no",
        "you answered public; the text speaks to under-development",
    ]
    other = found(Answers(open_weights=False), CLOSED).reasons[0]
    assert (other.met, other.found) == (True, "your answer is no; the text speaks to no")


@pytest.mark.parametrize(
    ("operations", "revenue", "classes"),
    [
        (2e26, 500.0, frozenset({"large"})),
        (2e26, 499.0, frozenset()),
        (2e26, None, None),
        (None, 500.0, None),
        (1e20, None, frozenset()),
    ],
)
def test_a_class_is_known_unknown_or_none(
    operations: float | None, revenue: float | None, classes: frozenset[str] | None
) -> None:
    """Outside a text nobody is large under it; one open answer leaves the class open."""
    one = found(Answers(operations, revenue), OPERATIONS, REVENUE)
    assert one.classes == classes
    assert classes_of([one]) == ({} if classes is None else {"r": classes})


def test_nobody_is_bound_to_a_voluntary_text() -> None:
    """Open, or outside its reach; a determination is only ever asked for."""
    text = under(CLOSED, ASK, by=Participation.VOLUNTARY)
    one = applies(text, Answers(open_weights=False), NOW)
    assert (one.verdict, one.missing) == (Verdict.OPEN, (Fact.DETERMINATION,))
    assert one.reasons[1].found == "none of the six answers settles it"
    assert applies(text, Answers(open_weights=True), NOW).verdict is Verdict.OUTSIDE
    assert applies(text, Answers(), NOW).verdict is Verdict.OPEN
    assert found(Answers(), ASK).verdict is Verdict.UNKNOWN


def test_a_contract_binds_who_signed_it() -> None:
    """Others may ask for one; a private programme is by invitation."""
    text = under(SIGNED, by=Participation.CONTRACT)
    for signed, verdict in (
        (("code",), Verdict.YES),
        ((), Verdict.OPEN),
        (None, Verdict.UNKNOWN),
    ):
        assert applies(text, Answers(agreements=signed), NOW).verdict is verdict
    private = replace(text, status=Status.PRIVATE_PROGRAMME)
    assert applies(private, Answers(agreements=()), NOW).verdict is Verdict.OUTSIDE


@pytest.mark.parametrize(
    ("status", "days", "words"),
    [
        (Status.NEVER_IN_FORCE, InForce(), "never in force"),
        (Status.NOT_YET_IN_FORCE, InForce(date(2027, 1, 1)), "in force from 2027-01-01"),
        (Status.REVOKED, InForce(None, date(2025, 1, 20)), "in force until 2025-01-20; revoked"),
        (Status.SUPERSEDED, InForce(), "superseded; no day is known"),
        (Status.NOT_YET_IN_FORCE, InForce(), "not-yet-in-force; no day is known"),
    ],
)
def test_a_text_without_effect_says_why(status: Status, days: InForce, words: str) -> None:
    """Its standing comes first, and what it would say otherwise stays to be read."""
    text = replace(under(OPERATIONS), status=status, in_force=days)
    one = applies(text, Answers(2e26), NOW)
    assert (one.verdict, one.otherwise) == (Verdict.NOT_IN_FORCE, Verdict.YES)
    assert one.reasons[0].found == words


def test_the_first_day_is_one_of_utc() -> None:
    """A text begins at 00:00 UTC on its first day, whatever the asker's zone."""
    text = replace(
        under(), status=Status.NOT_YET_IN_FORCE, in_force=InForce(date(2027, 1, 1), None, "", "s")
    )
    eve = datetime.fromisoformat("2026-12-31T18:59:59-05:00")
    assert not text.applies(eve)
    assert text.applies(datetime.fromisoformat("2026-12-31T19:00:00-05:00"))


@pytest.mark.parametrize("number", [-1.0, float("nan"), float("inf"), 10**400])
def test_an_impossible_number_is_no_answer(number: float) -> None:
    """Below zero, not a number, beyond all bounds: refused by the question's name."""
    with pytest.raises(Invalid, match="training-operations"):
        Answers(number)
    with pytest.raises(Invalid, match="yearly-revenue-usd"):
        Answers(1, number)


@given(st.floats(0, 1e300))
def test_a_number_is_shown_exactly(number: float) -> None:
    """What is shown reads back as the same number, so that no reason contradicts itself."""
    assert float(plain(number).replace(",", "").replace("10^", "1e")) == number


numbers = st.none() | st.sampled_from([0.0, 1e26, 1.0000000000000002e26, 1e27])
words = st.none() | st.lists(st.sampled_from(["eu", "uk"]), max_size=2).map(tuple)


@given(st.builds(Answers, numbers, numbers, words), st.builds(Answers, numbers, numbers, words))
def test_more_knowledge_never_turns_an_answer_over(one: Answers, other: Answers) -> None:
    """Filling in what was unknown settles a text, or leaves it open; what was settled stays."""
    filled = Answers(
        other.training_operations if one.training_operations is None else one.training_operations,
        other.yearly_revenue_usd if one.yearly_revenue_usd is None else one.yearly_revenue_usd,
        other.places if one.places is None else one.places,
    )
    before = found(one, OPERATIONS, PLACE, REVENUE)
    after = found(filled, OPERATIONS, PLACE, REVENUE)
    assert before.verdict in {Verdict.UNKNOWN, after.verdict}
    assert before.classes in {None, after.classes}
