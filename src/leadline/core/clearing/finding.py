"""Findings and what replaying them showed.

A finding is immutable and its id is the digest of its content: the same observation handed in twice is
one finding, and a changed one is another. What an assessment records and what a person reports are of
one type; the fields that only reports have are all empty in the former, whose ids are made as ever. The
words used of a replay are those of `verdict`, and a fault of the environment is never counted against
the finder.
"""

import hashlib
import json
import re
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Literal

from leadline.core.errors import Invalid

REPLAYS = 5  # runs of each build before anything is said
REPLAYS_WHEN_FLAKY = 20

_SHA256 = re.compile("[0-9a-f]{64}")

Origin = Literal["ai", "tool", "person"]
UNNAMED_MODEL = "a model that is not named"


class Severity(StrEnum):
    """How bad the finder says it is; a claim, which orders a queue and decides nothing else."""

    UNKNOWN = "unknown"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for low to 3 for critical; unknown stands with medium, so that silence gains nothing."""
        order = (Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL)
        return order.index(self) if self in order else 1


@dataclass(frozen=True, slots=True)
class Location:
    """Where in source it is. Lines count from 1, *last* included; 0 where the report gives none."""

    file: str
    function: str = ""
    first: int = 0
    last: int = 0
    repository: str = ""
    commit: str = ""


@dataclass(frozen=True, slots=True)
class Hop:
    """One station a report came through, oldest first; *handle* is the id that station gave it."""

    name: str
    handle: str = ""
    at: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file beside the report, by its SHA-256 in hex; its bytes stay in the vault."""

    name: str
    digest: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """What comes with a report, by SHA-256 in hex, and how its proof is run.

    *oracle* says how one sees that the proof works: the class a sanitizer prints, a signal, or what a
    script prints; never an exit status alone.
    """

    oracle: str = ""
    command: tuple[str, ...] = ()
    image: str = ""
    patch: str = ""
    test: str = ""


NO_EVIDENCE = Evidence()


@dataclass(frozen=True, slots=True)
class Finding:
    """One observation handed in by a subject, a tool or a person.

    *origin* and *found_by* are the label every later page carries: ``ai`` with the model's name,
    ``tool`` with the tool's, or ``person``. A report names a model only where *consent* says how the
    developer agreed. *proof_sha256* names the bytes that trigger it, which stay in the vault; it is empty
    only in a report that comes without. *at* is in UTC.

    *needs* are the findings that this one builds on: one of each tuple is enough, and every tuple is
    due. *credits* and *hops* are as they came, in their order. *exploited* is the finder's claim that it
    is used in attacks, with the grounds. *report* is the digest of the report's own bytes, in which
    everything stands that no field here has.
    """

    origin: Origin
    found_by: str
    suite: str
    item: str
    run: str
    family: str
    title: str
    purl: str
    target_digest: str
    proof_sha256: str
    observation: str
    at: datetime
    cwe: str = ""
    ids: tuple[str, ...] = ()
    consent: str = ""
    severity: Severity = Severity.UNKNOWN
    vector: str = ""
    assessor: str = ""
    confirmed_by: str = ""
    locations: tuple[Location, ...] = ()
    evidence: Evidence = NO_EVIDENCE
    needs: tuple[tuple[str, ...], ...] = ()
    related: tuple[str, ...] = ()
    credits: tuple[str, ...] = ()
    hops: tuple[Hop, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    exploited: str = ""
    project: str = ""
    report: str = ""

    def __post_init__(self) -> None:
        """Refuse what later pages could not show.

        Raises: Invalid, naming the field.
        """
        if self.at.tzinfo is None:
            raise Invalid("at", "a moment without a zone; give UTC")
        digest_due = bool(self.proof_sha256) or not self.report
        if digest_due and not _SHA256.fullmatch(self.proof_sha256):
            raise Invalid("proof_sha256", "expected 64 lower-case hexadecimal digits")
        if not self.found_by:
            raise Invalid("found_by", "say which model or tool found it")

    @property
    def id(self) -> str:
        """SHA-256 over the content, in hexadecimal; *at* is when, not what, and stays out of it."""
        content = self.content()
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def content(self) -> dict[str, object]:
        """What the id is made of: plain values, without the moment.

        Version 1 is what assessments have always recorded; whatever says more is version 2.
        """
        first = {name: getattr(self, name) for name in _FIRST} | {"ids": list(self.ids)}
        later = {part.name: getattr(self, part.name) for part in fields(self)[len(_FIRST) + 1 :]}
        if self.origin != "person" and later == _NOTHING_LATER:
            return {"schema": "leadline/finding/1", **first}
        plain = {
            "locations": [_members(one) for one in self.locations],
            "hops": [_members(one) for one in self.hops],
            "attachments": [_members(one) for one in self.attachments],
            "evidence": {**_members(self.evidence), "command": list(self.evidence.command)},
            "needs": [list(any_of) for any_of in self.needs],
            "related": list(self.related),
            "credits": list(self.credits),
            "severity": self.severity.value,
        }
        return {"schema": "leadline/finding/2", **first, **later, **plain}


def _members(value: Location | Hop | Attachment | Evidence) -> dict[str, object]:
    return {part.name: getattr(value, part.name) for part in fields(value)}


_FIRST = (
    *("origin", "found_by", "suite", "item", "run", "family", "title", "purl", "target_digest"),
    *("proof_sha256", "observation", "cwe", "ids"),
)  # every field of version 1 but *at*, which stands among them
_NOTHING_LATER = {part.name: part.default for part in fields(Finding)[len(_FIRST) + 1 :]}


class ReplayVerdict(StrEnum):
    """What the replays of one proof on two builds say (clearinghouse reference, section 5)."""

    FIX_EFFECTIVE = "confirmed, fix effective"
    FIX_INEFFECTIVE = "confirmed, fix ineffective"
    CONFIRMED = "confirmed"
    CONFIRMED_BY_SCRIPT = "confirmed-by-script"
    CONFIRMED_BY_PERSON = "confirmed-by-person"
    TRIVIAL_ORACLE = "trivial-oracle"  # it fires on plain input too: refused
    FLAKY = "flaky"
    NOT_REPRODUCED = "not-reproduced"
    ENVIRONMENT_FAULT = "environment-fault"


@dataclass(frozen=True, slots=True)
class ReplayResult:
    """The runs of one proof in fresh sandboxes.

    *vulnerable* and *fixed* hold one entry per run: True if the oracle fired, None if the run itself
    broke down. *fixed* is empty where no fix exists yet.
    """

    finding: str
    vulnerable: tuple[bool | None, ...]
    fixed: tuple[bool | None, ...]
    environment_digest: str

    @property
    def verdict(self) -> ReplayVerdict:
        """The reading of the table; a run that broke down makes the whole an environment fault."""
        if not self.vulnerable or None in self.vulnerable or None in self.fixed:
            return ReplayVerdict.ENVIRONMENT_FAULT
        fired = sum(map(bool, self.vulnerable))
        if fired == 0:
            return ReplayVerdict.NOT_REPRODUCED
        if fired < len(self.vulnerable):
            return ReplayVerdict.FLAKY
        if not self.fixed:
            return ReplayVerdict.CONFIRMED
        return ReplayVerdict.FIX_INEFFECTIVE if any(self.fixed) else ReplayVerdict.FIX_EFFECTIVE

    @property
    def confirmed(self) -> bool:
        """Whether the oracle fired in every run of the vulnerable build."""
        return self.verdict in {
            ReplayVerdict.FIX_EFFECTIVE,
            ReplayVerdict.FIX_INEFFECTIVE,
            ReplayVerdict.CONFIRMED,
        }

    @property
    def rate(self) -> float:
        """The share of finished runs of the vulnerable build that fired; 0 if none finished."""
        finished = [fired for fired in self.vulnerable if fired is not None]
        return sum(finished) / len(finished) if finished else 0.0


def further_replays(result: ReplayResult) -> int:
    """How many more runs of the vulnerable build are due before a person decides."""
    if result.verdict is not ReplayVerdict.FLAKY:
        return 0
    return max(0, REPLAYS_WHEN_FLAKY - len(result.vulnerable))
