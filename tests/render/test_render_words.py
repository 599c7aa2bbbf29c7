"""Numbers, times and decisions as a reader says them."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis.strategies import floats

from leadline.core.report import DecisionState
from leadline.render import words
from leadline.render.pages import report_document
from render.sample import UPLIFT, model_report, report


@pytest.mark.parametrize(
    ("rate", "said"),
    [
        (0.05, "5 in 100"),
        (0.01, "1 in 100"),
        (0.025, "25 in 1,000"),
        (0.001, "1 in 1,000"),
        (0.5, "50 in 100"),
        (1e-5, "1 in 100,000"),
    ],
)
def test_an_error_rate_is_a_count_of_cases(rate: float, said: str) -> None:
    """The smallest power of ten from a hundred that says it exactly."""
    assert words.chance(rate) == said


@given(floats(min_value=1e-9, max_value=0.999))
def test_an_error_rate_is_never_said_to_be_nothing(rate: float) -> None:
    """A positive rate is at least one case, and within half a case of the truth."""
    count, per = (int(part.replace(",", "")) for part in words.chance(rate).split(" in "))
    assert count >= 1
    assert abs(count / per - rate) <= 0.5 / per + 1e-12


@pytest.mark.parametrize(
    ("share", "said"),
    [(0, "0 %"), (1, "100 %"), (0.001, "under 1 %"), (0.999, "over 99 %"), (0.3333, "33 %")],
)
def test_a_share_is_not_rounded_to_none_or_all(share: float, said: str) -> None:
    """0 and 100 per cent are said only where they are exact."""
    assert words.percent(share) == said


def test_a_moment_shows_its_hour_and_zone() -> None:
    """A named zone by its name, a bare offset by its offset."""
    at = datetime(2026, 11, 3, 9, 5, tzinfo=ZoneInfo("America/New_York"))
    assert words.moment(at) == "3 November 2026, 09:05 EST"
    assert words.moment(at.astimezone(UTC)) == "3 November 2026, 14:05 UTC"
    assert words.clock(at.astimezone(timezone(timedelta(hours=2)))) == "16:05 UTC+02:00"


@pytest.mark.parametrize("state", DecisionState)
def test_the_decision_is_one_sentence_with_both_errors(state: DecisionState) -> None:
    """Whatever the state, both errors stand in the sentence, each in cases of a hundred."""
    decision = replace(report().decision, state=state, alpha_above=0.05, alpha_below=0.1)
    sentence = words.verdict(decision)
    assert re.findall(r"“(above|below)” wrongly at most ([\d ina,]+) times", sentence) == [
        ("above", "5 in 100"),
        ("below", "10 in 100"),
    ]
    assert sentence.count(".") == 1
    assert state.value in sentence
    assert state.value in words.stated(decision).casefold()


@pytest.mark.parametrize(
    ("difference", "said"),
    [(0.124, "+12"), (-0.031, "-3"), (0.004, "0"), (-0.004, "0"), (1, "+100")],
)
def test_a_difference_carries_its_sign(difference: float, said: str) -> None:
    """Points are whole, with a sign; nothing is not minus nothing."""
    assert words.points(difference) == said


def test_the_uplift_says_what_it_is_over_and_how_sure_it_is() -> None:
    """Items, both shares, the interval, who alone solved what, the test, and what was left out."""
    told = words.uplifted(UPLIFT)
    for part in (
        "Uplift over the tool baseline on the same 60 items: +12 points (0 to +23, 95 % interval)",
        "solved 42 %, the tool baseline 30 %",
        "The subject alone solved 11, the tool baseline alone 4",
        "0.092 (mcnemar, exact)",
        "left out: 3 items",
    ):
        assert part in told
    short = words.uplifted(
        replace(UPLIFT, unshared=0, p=None, subject_alone=None, baseline_alone=None)
    )
    assert short.endswith("the tool baseline 30 %.")
    several = words.uplifted(replace(UPLIFT, p_adjusted=0.184))
    assert "0.092 (mcnemar, exact; 0.18 adjusted for all suites set beside it" in several
    assert told in str(report_document(model_report()))
    assert "Uplift" not in str(report_document(report()))
