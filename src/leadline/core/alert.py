"""Alerts: what somebody must look at today. Which refusals are alerts is a rule of its own."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

SEALED_KINDS = frozenset({"artefact", "item", "pack"})
ALARMING_RULES = frozenset(
    {
        "access-ended",
        "compartments",
        "developer-never-items",
        "fresh-assertion",
        "suspended",
        "suspended-organisation",
        "suspended-compartment",
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


def warrants(kind: str, rules: Iterable[str]) -> bool:
    """Whether a refusal on a resource of *kind* by *rules* is an alert.

    Everything refused about sealed things is, and whatever a rule about a person refuses; a role
    that does not reach somewhere is everyday.
    """
    return kind in SEALED_KINDS or not ALARMING_RULES.isdisjoint(rules)
