"""Alerts: what somebody must look at today. Which refusals are alerts is a rule of its own."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from leadline.core.access import Action

SEALED_KINDS = frozenset({"artefact", "item", "pack"})
PROBES = frozenset({Action.ENGAGEMENT_READ, Action.ASSESSMENT_READ})
ALARMING_RULES = frozenset(
    {
        "access-ended",
        "compartments",
        "developer-never-items",
        "fresh-assertion",
        "suspended",
        "suspended-organisation",
        "suspended-compartment",
        "suspended-engagement",
        "two-persons",
    }
)


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that went against the rules. *what* is one sentence, without sealed content."""

    id: str
    at: datetime
    kind: str  # such as "denial", "sign-in", "log", "backup", "exposure"
    about: str
    actor: str
    what: str


def warrants(action: Action, kind: str, rules: Iterable[str]) -> bool:
    """Whether a refusal of *action* on a resource of *kind* by *rules* is an alert.

    Everything refused about sealed things is, whatever a rule about a person refuses, and reading an
    engagement that one has nothing to do with: its id is random and known to its parties only, so
    that whoever names it has guessed or was told. A role that does not reach somewhere is everyday.
    """
    probing = action in PROBES
    return kind in SEALED_KINDS or probing or not ALARMING_RULES.isdisjoint(rules)
