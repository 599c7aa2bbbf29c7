"""What a person signs and signs in with, apart from what the person may do.

Nothing here opens anything: of keys there are public halves, of secrets SHA-256 or Argon2id.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from leadline.core.access import Action
from leadline.core.errors import Invalid


class Method(StrEnum):
    """How a person signs. ``key`` shows possession of a file, never that its holder was there."""

    KEY = "key"
    CERTIFICATE = "certificate"
    WEBAUTHN = "webauthn"


@dataclass(frozen=True, slots=True)
class RegisteredKey:
    """A key that one person signs with; *method* is a `Method`.

    *public* is base64: the COSE key of a passkey, the DER certificate of a card, the 32 bytes of an
    Ed25519 key. *handle* is what the holder's device knows it by: a passkey's credential id, the
    SHA-256 of a certificate. *rp_id* and *origin* are the only ones a passkey's signature counts
    for, *count* is the signature counter last seen.
    """

    id: str
    principal: str
    method: str
    public: str
    added: datetime
    ended: datetime | None = None
    note: str = ""
    handle: str = ""
    rp_id: str = ""
    origin: str = ""
    count: int = 0

    def held(self, at: datetime) -> bool:
        """Whether it was registered and not yet ended at that instant."""
        return self.added <= at and (self.ended is None or at < self.ended)


IDLE, IDLE_CONFINED, LONGEST = timedelta(hours=2), timedelta(minutes=15), timedelta(hours=8)
CREDENTIAL_LONGEST = timedelta(days=30)
CHALLENGE_LIFE = timedelta(seconds=120)
VISIT_LIFE = timedelta(minutes=10)
INVITATION_LIFE = timedelta(days=7)
RECOVERY_DELAY = timedelta(hours=24)
DELAY_LONGEST = timedelta(minutes=15)
FORGOTTEN = timedelta(hours=24)
STRONG = frozenset({Method.WEBAUTHN.value, Method.CERTIFICATE.value})


def assurance(methods: Iterable[str]) -> int:
    """1 for one factor, 2 for two different ones, 3 once a passkey or a card is among them."""
    used = frozenset(methods)
    if used & STRONG:
        return 3
    return 2 if len(used) > 1 else 1


@dataclass(frozen=True, slots=True)
class Password:
    """A person's password as a PHC string of Argon2id; the id of its row is the person's."""

    principal: str
    phc: str = field(repr=False)
    changed: datetime


@dataclass(frozen=True, slots=True)
class Identity:
    """An account elsewhere, linked by issuer and subject, never by an e-mail address."""

    issuer: str
    subject: str
    principal: str


@dataclass(frozen=True, slots=True)
class Session:
    """One signed-in person at one device. *secret* and *csrf* are SHA-256 in hex.

    *confined*: the person holds compartments, and an idle session ends sooner.
    """

    id: str
    principal: str
    secret: str = field(repr=False)
    csrf: str = field(repr=False)
    methods: frozenset[str]
    confined: bool
    started: datetime
    seen: datetime
    client: str = ""
    ended: datetime | None = None

    def over(self, now: datetime) -> str:
        """Why it no longer counts, or nothing."""
        idle = IDLE_CONFINED if self.confined else IDLE
        if self.ended is not None:
            return "it was ended"
        if now < self.started:
            return "it begins later than now; the clock was set back"
        if now >= self.started + LONGEST:
            return "it lasted eight hours"
        if now >= self.seen + idle:
            return "it was idle for too long"
        return ""


@dataclass(frozen=True, slots=True)
class Credential:
    """What a program acts with for one person, on one engagement, with a key that it holds.

    *secret* is SHA-256 of the credential in hex. *binding* is ``jkt:`` and the RFC 7638 thumbprint
    of a DPoP key, or ``x5t#S256:`` and the thumbprint of a client certificate (RFC 8705).
    """

    id: str
    holder: str
    secret: str = field(repr=False)
    scopes: frozenset[str]
    engagement: str
    binding: str
    issued: datetime
    expires: datetime
    note: str = ""
    ended: datetime | None = None

    def over(self, now: datetime) -> str:
        """Why it no longer counts, or nothing."""
        if self.ended is not None:
            return "it was revoked"
        if now < self.issued:
            return "it was issued later than now; the clock was set back"
        if now >= self.expires:
            return "it has run out"
        return ""


def check_credential(credential: Credential) -> None:
    """Return if a credential of this kind may be issued.

    Raises: Invalid, naming the field.
    """
    if not credential.scopes:
        raise Invalid("scopes", "name at least one action")
    unknown = sorted(credential.scopes - set(Action))
    if unknown:
        raise Invalid("scopes", f"{unknown[0]!r} is no action")
    if not credential.engagement:
        raise Invalid("engagement", "a credential is for one engagement; name it")
    life = credential.expires - credential.issued
    if not timedelta() < life <= CREDENTIAL_LONGEST:
        raise Invalid("expires", "a credential lasts 30 days at the most; issue another then")
    kind, _, thumbprint = credential.binding.partition(":")
    if kind not in {"jkt", "x5t#S256"} or not re.fullmatch(r"[A-Za-z0-9_-]{43}", thumbprint):
        raise Invalid("binding", "a credential is bound to a key: its SHA-256 thumbprint is due")


@dataclass(frozen=True, slots=True)
class Challenge:
    """Something to answer once, soon. *purpose* keeps one kind of answer from serving as another."""

    id: str
    purpose: str
    value: str = field(repr=False)
    at: datetime
    ends: datetime
    detail: Mapping[str, str] = field(default_factory=dict)

    def over(self, purpose: str, now: datetime) -> str:
        """Why an answer no longer counts, or nothing."""
        if purpose != self.purpose:
            return "the challenge was for something else"
        return "" if self.at <= now < self.ends else "the challenge has run out; begin again"


@dataclass(frozen=True, slots=True)
class Invitation:
    """A code shown once, with which a person registers the first keys. *secret* is SHA-256 in hex.

    *due* is when it begins to count: at once for somebody new, a day later for a recovery.
    """

    id: str
    principal: str
    secret: str = field(repr=False)
    asked: datetime
    due: datetime
    recovery: bool = False
    ended: datetime | None = None

    def over(self, now: datetime) -> str:
        """Why it does not count, or nothing."""
        if self.ended is not None:
            return "it was used or called off"
        if now < self.due:
            return f"it counts from {self.due.isoformat(timespec='minutes')} on"
        return "" if now < self.due + INVITATION_LIFE else "it has run out"


@dataclass(frozen=True, slots=True)
class Failures:
    """Failed attempts on one account, or from one network, since the last forgetting."""

    id: str
    count: int
    last: datetime


def delay(failures: Failures | None, free: int, now: datetime) -> timedelta:
    """How long to wait before the next attempt counts; it doubles, and never locks for good.

    *free* attempts cost nothing; then 1, 2, 4, ... seconds up to `DELAY_LONGEST`. A day without
    failure forgets them. A clock set back does not shorten the wait beyond that bound.
    """
    if failures is None or failures.count < free or now >= failures.last + FORGOTTEN:
        return timedelta()
    steps = min(failures.count - free, 10)
    until = failures.last + min(timedelta(seconds=1 << steps), DELAY_LONGEST)
    return max(timedelta(), min(until - now, DELAY_LONGEST))


def counted(failures: Failures | None, id_: str, now: datetime) -> Failures:
    """One more failure."""
    forgotten = failures is None or now >= failures.last + FORGOTTEN
    return Failures(id_, 1 if failures is None or forgotten else failures.count + 1, now)


@dataclass(frozen=True, slots=True)
class Spent:
    """A number that may serve once, kept until nothing could accept it any more."""

    id: str
    until: datetime
