"""A determination: an official's dated answer, with its scope, its basis, its errors and its end.

It is a finding of fact about one version of one model. Nothing the developer may do depends on it.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from leadline.core.errors import Invalid
from leadline.core.record.act import Value, instant

HEX = re.compile(r"[0-9a-f]{64}")


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


class Variant(StrEnum):
    """In which form the weights were offered; an answer about one form says nothing of another."""

    NOT_STATED = "not-stated"
    WITH_SAFEGUARDS = "with-safeguards"
    WITHOUT_SAFEGUARDS = "without-safeguards"


@dataclass(frozen=True, slots=True)
class Scope:
    """What the answer is about: one model in one weights version and variant, by subject's digest."""

    model: str
    weights_version: str
    subject_digest: str
    variant: Variant = Variant.NOT_STATED


@dataclass(frozen=True, slots=True)
class Determination:
    """The recorded answer.

    *basis* is the SHA-256 of the decision's evidence, *criteria* of the criteria file. *official*
    names who answered, as a demonstration where it is one. *trigger* says what raises the question
    again; a new weights version or variant, and expiry, always do. *certificate* is the SHA-256 of the
    statistical decision's certificate, *statement* that of the text the developer may hand on, *pack*
    the id of the criteria; each is empty where there is none.
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
    certificate: str = ""
    statement: str = ""
    pack: str = ""

    def __post_init__(self) -> None:
        for name in ("basis", "criteria", "official", "trigger"):
            if not getattr(self, name).strip():
                raise Invalid(name, "a determination names this")
        if self.demonstration and "demonstration" not in self.official.lower():
            raise Invalid(
                "official",
                "these criteria are a demonstration: add the word demonstration to name or office",
            )
        instant(self.expires)
        for name in ("certificate", "statement"):
            if getattr(self, name) and not HEX.fullmatch(getattr(self, name)):
                raise Invalid(name, "a SHA-256 in 64 hexadecimal digits, or nothing")

    def speaks_for(self, scope: Scope, now: datetime) -> bool:
        """Whether the answer speaks about *scope* at *now*; other weights or expiry raise it anew."""
        return scope == self.scope and now < self.expires

    def to_record(self) -> dict[str, Value]:
        """The detail of the act that records it; error rates are decimals in text."""
        return {
            "model": self.scope.model,
            "weights_version": self.scope.weights_version,
            "subject": self.scope.subject_digest,
            "variant": self.scope.variant.value,
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
            "certificate": self.certificate,
            "statement": self.statement,
            "pack": self.pack,
        }
