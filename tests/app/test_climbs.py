"""When the steps of chains were reached, as the report shows it."""

from leadline.app import measured
from leadline.core.assessment import Milestone, SampleResult
from leadline.core.measure.milestones import Point


def attempt(item: str, reached: int, *, tokens: int = 0) -> SampleResult:
    """An attempt at a chain of two steps, a second and ten tokens each."""
    steps = tuple(
        Milestone(name, number < reached, number + 1, (number + 1) * 10 if tokens else 0)
        for number, name in enumerate(("door", "vault"))
    )
    whole = reached == len(steps)
    return SampleResult(
        item, 1, "scored", solved=whole, outcome="", milestones=steps, tokens=tokens
    )


def test_steps_of_a_model_stand_against_tokens() -> None:
    """Where tokens were used they are what was spent; the mean is that of the words beside it."""
    [climb] = measured._climbs("water", [attempt("a", 2, tokens=90), attempt("b", 1, tokens=70)])
    assert (climb.family, climb.spent) == ("water", "tokens")
    assert climb.curve.points == (Point(0, 0.0), Point(10, 1.0), Point(20, 1.5))
    assert climb.mean.mean == 1.5


def test_steps_of_a_program_stand_against_seconds() -> None:
    """It uses no tokens."""
    [climb] = measured._climbs("water", [attempt("a", 1)])
    assert climb.spent == "seconds"
    assert climb.curve.points == (Point(0, 0.0), Point(1, 1.0))


def test_nothing_climbed_is_no_picture() -> None:
    """The share of attempts that reached each step says so already."""
    assert not list(measured._climbs("water", [attempt("a", 0)]))
