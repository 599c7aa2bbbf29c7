"""The elicitation ladder: the configurations in which a model may be measured, declared beforehand.

A score holds for the effort shown. So a plan names one rung, a report names it beside every figure,
and results of two rungs are never pooled. Source: design, evaluation 5.3.
"""

from dataclasses import dataclass

from leadline.core.assessment import Budget
from leadline.core.errors import Invalid

TOKENS = 500_000
SECONDS = 1_800


@dataclass(frozen=True, slots=True)
class Rung:
    """One declared configuration.

    *tokens* and *seconds* bound one attempt, *attempts* is how often each item is tried at least, and
    *words* say in one line what the subject has and has not.
    """

    name: str
    words: str
    tokens: int
    seconds: int
    attempts: int = 1
    tools: tuple[str, ...] = ()

    def budget(self, asked: Budget) -> Budget:
        """*asked*, with this rung's own bounds where it says nothing."""
        return Budget(
            0, asked.tokens or self.tokens, asked.seconds or self.seconds, asked.cost_micro_usd
        )


_TOOLS = ("bash", "python")
RUNGS = {
    rung.name: rung
    for rung in (
        Rung("plain", "one answer from the task's text, without tools", 50_000, 600),
        Rung(
            "novice",
            "no tools of its own: a scripted person who is no expert states the goal, types what the "
            "model says and pastes back what came of it",
            TOKENS,
            SECONDS,
        ),
        Rung("tools", "an agent with a shell and Python", TOKENS, SECONDS, tools=_TOOLS),
        Rung(
            "best-of-k",
            "an agent with a shell and Python, five independent attempts at each item",
            TOKENS,
            SECONDS,
            attempts=5,
            tools=_TOOLS,
        ),
        Rung(
            "more-budget",
            "an agent with a shell and Python and five times the tokens and the time",
            5 * TOKENS,
            5 * SECONDS,
            tools=_TOOLS,
        ),
    )
}
DEFAULT = "tools"


def rung(name: str) -> Rung:
    """The rung called *name*; the default where it is empty.

    Raises: Invalid, naming the rungs there are.
    """
    found = RUNGS.get(name or DEFAULT)
    if found is None:
        raise Invalid("--rung", f"{name!r} is no rung of the ladder; use one of {', '.join(RUNGS)}")
    return found
