"""A determination: an official's dated answer, with its scope, its basis, its errors and its end.

It is a finding of fact about one version of one model. Nothing the developer may do depends on it.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from leadline.core.errors import Invalid
from leadline.core.record.act import Value, instant


class Answer(StrEnum):
    """Whether the model is a covered frontier model, as the regime asks."""

    COVERED = "covered"
    NOT_COVERED = "not covered"
    UNDETERMINED = "undetermined"  # a normal answer, with the evidence still missing


class Outcome(StrEnum):
    """What the statistical decision supports."""

    ABOVE = "above"
    BELOW = "below"
    UNDETERMINED = "undetermined"


@dataclass(frozen=True, slots=True)
class Scope:
    """What the answer is about: one model in one weights version, by the subject's digest."""

    model: str
    weights_version: str
    subject_digest: str


@dataclass(frozen=True, slots=True)
class Determination:
    """The recorded answer.

    *basis* is the SHA-256 of the decision's evidence, *criteria* of the criteria file. *official*
    names who answered, as a demonstration where it is one. *trigger* says what raises the question
    again; a new weights version always does.
    """

    scope: Scope
    answer: Answer
    outcome: Outcome
    basis: str
    criteria: str
    alpha_above: float
    alpha_below: float
    official: str
    expires: datetime
    trigger: str
    caveats: tuple[str, ...] = ()
    dissent: tuple[str, ...] = ()
    demonstration: bool = False

    def __post_init__(self) -> None:
        for name in ("basis", "criteria", "official", "trigger"):
            if not getattr(self, name).strip():
                raise Invalid(name, "a determination names this")
        if self.demonstration and "demonstration" not in self.official.lower():
            raise Invalid("official", "an official of the demonstration is named as one")
        instant(self.expires)

    def speaks_for(self, scope: Scope, now: datetime) -> bool:
        """Whether the answer speaks about *scope* at *now*; other weights or expiry raise it anew."""
        return scope == self.scope and now < self.expires

    def to_record(self) -> dict[str, Value]:
        """The detail of the act that records it; error rates are decimals in text."""
        return {
            "model": self.scope.model,
            "weights_version": self.scope.weights_version,
            "subject": self.scope.subject_digest,
            "answer": self.answer.value,
            "outcome": self.outcome.value,
            "basis": self.basis,
            "criteria": self.criteria,
            "alpha_above": repr(self.alpha_above),
            "alpha_below": repr(self.alpha_below),
            "official": self.official,
            "demonstration": self.demonstration,
            "caveats": self.caveats,
            "dissent": self.dissent,
            "expires": instant(self.expires),
            "trigger": self.trigger,
        }
