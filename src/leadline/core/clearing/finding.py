"""Findings and what replaying them showed.

A finding is immutable and its id is the digest of its content: the same observation handed in twice is
one finding, and a changed one is another. The words used of a replay are those of `verdict`, and a
fault of the environment is never counted against the finder.
"""

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from leadline.core.errors import Invalid

REPLAYS = 5  # runs of each build before anything is said
REPLAYS_WHEN_FLAKY = 20

_SHA256 = re.compile("[0-9a-f]{64}")

Origin = Literal["ai", "tool"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One observation handed in by a subject.

    *origin* and *found_by* are the label every later page carries: ``ai`` with the model's name, or
    ``tool`` with the tool's. *proof_sha256* names the bytes that trigger it, which stay in the vault.
    *at* is in UTC.
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

    def __post_init__(self) -> None:
        """Refuse what later pages could not show.

        Raises: Invalid, naming the field.
        """
        if self.at.tzinfo is None:
            raise Invalid("at", "a moment without a zone; give UTC")
        if not _SHA256.fullmatch(self.proof_sha256):
            raise Invalid("proof_sha256", "expected 64 lower-case hexadecimal digits")
        if not self.found_by:
            raise Invalid("found_by", "say which model or tool found it")

    @property
    def id(self) -> str:
        """SHA-256 over the content, in hexadecimal; *at* is when, not what, and stays out of it."""
        content = {
            "schema": "leadline/finding/1",
            "origin": self.origin,
            "found_by": self.found_by,
            "suite": self.suite,
            "item": self.item,
            "run": self.run,
            "family": self.family,
            "title": self.title,
            "purl": self.purl,
            "target_digest": self.target_digest,
            "proof_sha256": self.proof_sha256,
            "observation": self.observation,
            "cwe": self.cwe,
            "ids": list(self.ids),
        }
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()


class ReplayVerdict(StrEnum):
    """What the replays of one proof on two builds say (clearinghouse reference, section 5)."""

    FIX_EFFECTIVE = "confirmed, fix effective"
    FIX_INEFFECTIVE = "confirmed, fix ineffective"
    CONFIRMED = "confirmed"
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
