"""The elicitation ladder is declared, bounded and refused by name."""

import pytest

from leadline.core.assessment import Budget
from leadline.core.errors import Invalid
from leadline.core.ladder import DEFAULT, RUNGS, rung


@pytest.mark.parametrize("name", RUNGS)
def test_every_rung_bounds_an_attempt(name: str) -> None:
    """No rung is without a bound on tokens and time, and each says in words what it is."""
    one = rung(name)
    assert one.name == name
    assert one.tokens > 0
    assert one.seconds > 0
    assert one.attempts >= 1
    assert one.words


def test_what_is_asked_for_wins() -> None:
    """A number given on the command line replaces the rung's own; money has no default."""
    assert rung("tools").budget(Budget(tokens=7)) == Budget(0, 7, rung("tools").seconds, 0)
    assert rung("").name == DEFAULT
    assert rung("more-budget").budget(Budget(cost_micro_usd=3)).cost_micro_usd == 3


def test_more_budget_and_best_of_k_are_the_same_scaffold() -> None:
    """They differ from the plain agent in effort alone, so that the difference is the effort's."""
    tools = rung("tools")
    assert rung("more-budget").tokens == 5 * tools.tokens
    assert rung("best-of-k").attempts > tools.attempts
    assert rung("more-budget").tools == rung("best-of-k").tools == tools.tools


def test_an_unknown_rung_names_those_there_are() -> None:
    """The error names the option and the choices."""
    with pytest.raises(Invalid, match=r"--rung.*novice"):
        rung("heroic")
