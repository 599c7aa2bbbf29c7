"""A criteria pack: the threshold, the errors and the words of an answer, as data.

Criteria under EO 14409 sec. 3(a) are classified, so that no threshold stands in this code. What ships
is a synthetic pack for demonstration, and every field of it that is shown says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from leadline.core.engagement.determination import Answer, Outcome
from leadline.core.errors import Invalid
from leadline.core.measure.sequential import Plan, State

DEMONSTRATION = "demonstration"


@dataclass(frozen=True, slots=True)
class Criteria:
    """One criteria pack. *digest* is the SHA-256 of its file in hex.

    Only items of *suite* count, of *families* if any are named. *threshold* is the share of them
    solved from which the state is ``above``; *zone* as in `measure.sequential.Plan`. *answers* maps
    each outcome to an answer, *words* to what people read.
    """

    id: str
    title: str
    digest: str
    demonstration: bool
    notice: str
    suite: str
    families: tuple[str, ...]
    threshold: float
    alpha_above: float
    alpha_below: float
    zone: float
    answers: Mapping[Outcome, Answer]
    words: Mapping[Outcome, str]

    def __post_init__(self) -> None:
        if set(self.answers) != set(Outcome) or set(self.words) != set(Outcome):
            raise Invalid("answers", f"one answer and one text each for {', '.join(Outcome)}")
        if self.answers[Outcome.UNDETERMINED] is not Answer.UNDETERMINED:
            raise Invalid("answers", "an undetermined outcome gives no other answer")
        if self.demonstration:
            shown = {"title": self.title, "notice": self.notice}
            shown |= {f"words.{outcome}": text for outcome, text in self.words.items()}
            for name, text in shown.items():
                if DEMONSTRATION not in text.lower():
                    raise Invalid(name, "a demonstration pack says 'demonstration' here")

    def counts(self, suite: str, family: str) -> bool:
        """Whether items of this suite and family count."""
        return suite == self.suite and (not self.families or family in self.families)

    def plan(self, suite_digest: str, families: Mapping[str, str], seed_commitment: str) -> Plan:
        """The plan of a decision over the items that count; *families* maps items to families.

        Items enter by id, so that their order says nothing.

        Raises: Invalid, if no item counts or the threshold leaves no total on one side.
        """
        items = tuple(
            sorted(item for item, name in families.items() if self.counts(self.suite, name))
        )
        if not items:
            raise Invalid("families", f"no item of {self.suite} counts under {self.id}")
        return Plan(
            suite_digest=suite_digest,
            items=items,
            families=tuple(families[item] for item in items),
            threshold=self.threshold,
            alpha_above=self.alpha_above,
            alpha_below=self.alpha_below,
            zone=self.zone,
            seed_commitment=seed_commitment,
        )


def outcome(state: State) -> Outcome:
    """The outcome that a state of the sequential rule supports; no tie is broken."""
    match state:
        case State.ABOVE:
            return Outcome.ABOVE
        case State.BELOW:
            return Outcome.BELOW
        case _:
            return Outcome.UNDETERMINED
