"""A criteria pack: the threshold, the errors and the words of an answer, as data.

Criteria under EO 14409 sec. 3(a) are classified, so that no threshold stands in this code. What ships
is a synthetic pack for demonstration, and every field of it that is shown says so.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from leadline.core.assessment import PlannedItem
from leadline.core.engagement.determination import Answer, Outcome
from leadline.core.errors import Invalid
from leadline.core.measure.sequential import Design, Plan, State

DEMONSTRATION = "demonstration"
# A decision draws a twenty-fourth of its items at a time, and no fewer than four
BATCHES, BATCH_MIN = 24, 4


@dataclass(frozen=True, slots=True)
class Criteria:
    """One criteria pack. *digest* is the SHA-256 of its file in hex.

    Only items of *suite* count, of *families* if any are named. *threshold* is the share of them
    solved from which the state is ``above``; *zone* and *design* as in `measure.sequential.Plan`, and
    *weights* of the families for the design ``active`` (none: every item counts alike). *answers* maps
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
    design: Design = Design.ACTIVE
    weights: Mapping[str, float] = field(default_factory=dict)

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

    def plan(self, suite_digest: str, items: Iterable[PlannedItem], seed_commitment: str) -> Plan:
        """The plan of a decision over those of *items* that count.

        Items enter by id, so that their order says nothing. For the design ``active`` an item's
        difficulty is its level, one logit each, around their mean: a guess that costs samples where it
        is wrong, and never an error.

        Raises: Invalid, if no item counts, a family has no weight, or the threshold leaves no total on
        one side.
        """
        counted = sorted(
            (item for item in items if self.counts(self.suite, item.family)),
            key=lambda item: item.id,
        )
        if not counted:
            raise Invalid("families", f"no item of {self.suite} counts under {self.id}")
        levels = [item.level for item in counted if item.level >= 0]
        middle = sum(levels) / len(levels) if levels else 0.0
        active = self.design is Design.ACTIVE
        return Plan(
            suite_digest=suite_digest,
            items=tuple(item.id for item in counted),
            families=tuple(item.family for item in counted),
            design=self.design,
            weights=dict(self.weights) or None,
            difficulties=tuple(item.level - middle if item.level >= 0 else 0.0 for item in counted)
            if active
            else (),
            batch=max(BATCH_MIN, -(-len(counted) // BATCHES)),
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
