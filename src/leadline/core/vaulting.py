"""What the vault keeps: whose it is, what its keys are bound to, and when it may be destroyed.

Material of a developer and records of the agency have separate keys, so that the one can be
destroyed and the other kept. Destruction is evidenced, never proved: nothing here can show that no
copy of a key or of a plaintext exists elsewhere. Source: trust.md 2.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from leadline.core.errors import Invalid

Owner = Literal["agency", "developer"]
OWNERS: tuple[Owner, ...] = ("agency", "developer")
NO_SCHEDULE = (
    "no records schedule covers this engagement's agency records; ask the records officer to enter "
    "the one that does, with its authority and its last day of retention"
)
EVIDENCED = (
    "Evidenced deletion: the keys named here were reported destroyed by the persons named here at "
    "this place in the log. It does not show that no copy of a key or of a plaintext exists."
)


class Protection(StrEnum):
    """Who can open a thing.

    Use cases of this installation read what is working; what is sealed opens only inside the key
    service, for two approvers and an inclusion proof.
    """

    WORKING = "working"
    SEALED = "sealed"


@dataclass(frozen=True, slots=True)
class Bound:
    """What one data key is bound to; under any other value of any field it does not open.

    *compartment* is the id of the key pair of (engagement, owner), *epoch* which of its pairs counted
    from 1. *size* is the whole artefact's, in bytes; *terms* the digest of the terms it was given
    under, or empty. *shard* counts from 0.
    """

    engagement: str
    owner: Owner
    compartment: str
    epoch: int
    digest: str
    size: int
    protection: Protection
    terms: str
    shard: int
    shards: int


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A data key sealed to a compartment's public key, with what it is bound to."""

    sealed: bytes
    bound: Bound


@dataclass(frozen=True, slots=True)
class Artefact:
    """A thing received under terms. *id* is random and tells nothing of the content."""

    id: str
    digest: str
    size: int
    engagement: str
    org: str
    owner: Owner
    protection: Protection
    terms: str
    received: datetime
    by: str


class Basis(StrEnum):
    """Why a thing must be kept."""

    LEGAL_HOLD = "legal-hold"
    RECORDS_SCHEDULE = "records-schedule"


@dataclass(frozen=True, slots=True)
class Hold:
    """An authority's word that something is kept. *owner* None covers both sides' material.

    A legal hold stands until it is lifted; a records schedule until *until*, the first instant at
    which its retention has ended.
    """

    id: str
    engagement: str
    owner: Owner | None
    basis: Basis
    authority: str
    placed: datetime
    by: str
    until: datetime | None = None
    lifted: datetime | None = None
    lifted_by: str = ""

    def stands(self, at: datetime) -> bool:
        """Whether it forbids destruction at that instant."""
        return self.lifted is None and (self.until is None or at < self.until)


def placed(hold: Hold) -> Hold:
    """The hold, if it can be one.

    Raises: Invalid, naming the field: every hold names its authority, a records schedule its end, a
    legal hold none.
    """
    if not hold.authority.strip():
        raise Invalid("authority", "a hold names who ordered it; give court, order or schedule")
    if hold.basis is Basis.RECORDS_SCHEDULE and hold.until is None:
        raise Invalid("until", "a records schedule has an end; give the last day of retention")
    if hold.basis is Basis.LEGAL_HOLD and hold.until is not None:
        raise Invalid("until", "a legal hold ends by being lifted; leave the day out")
    return hold


def kept(owner: Owner, holds: Iterable[Hold], at: datetime) -> tuple[str, ...]:
    """Why this owner's material of an engagement may not be destroyed now; empty if it may be.

    Each reason names its authority. Agency records are destroyed only under a records schedule whose
    retention has ended; developer material needs none, but a hold covers it as well.
    """
    known = [hold for hold in holds if hold.owner in {None, owner}]
    standing = [
        f"{hold.basis.value} {hold.id} by {hold.authority}"
        + (f", until {hold.until.isoformat()}" if hold.until else "")
        for hold in sorted(known, key=lambda hold: hold.id)
        if hold.stands(at)
    ]
    scheduled = any(hold.basis is Basis.RECORDS_SCHEDULE for hold in known)
    if owner == "agency" and not scheduled:
        standing.append(NO_SCHEDULE)
    return tuple(standing)


@dataclass(frozen=True, slots=True)
class Destroyed:
    """What a key service reports of a compartment key that it destroyed."""

    compartment: str
    at: datetime
    driver: str
    statement: str


@dataclass(frozen=True, slots=True)
class Decryption:
    """One recorded opening of sealed material."""

    act: str
    at: datetime
    actor: str
    digest: str


@dataclass(frozen=True, slots=True)
class Shredding:
    """The destruction of one owner's material of one engagement, and its receipt once *ended*.

    *backups* are those made while the key existed: without the key they open nothing of it.
    *key_copies* are copies of keys that left this installation and that this act cannot reach.
    *kept* counts the things of the other owner, which stay.
    """

    id: str
    engagement: str
    org: str
    owner: Owner
    begun: datetime
    by: str
    approvers: tuple[str, ...]
    digests: tuple[str, ...] = ()
    destroyed: tuple[Destroyed, ...] = ()
    decryptions: tuple[Decryption, ...] = ()
    backups: tuple[str, ...] = ()
    key_copies: tuple[str, ...] = ()
    kept: int = 0
    ended: datetime | None = None
    statement: str = EVIDENCED
