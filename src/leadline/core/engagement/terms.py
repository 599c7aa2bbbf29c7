"""The terms under which a developer opens access: words for people, limits for machines.

EO 14409 sec. 3(b)(ii) names confidentiality, cybersecurity, insider risk, intellectual property, use
and nondisclosure. Terms have effect once both parties have agreed to the same digest, and stay in
effect until both agreed to others, or until they expire.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import pairwise

from leadline.core.engagement.purpose import PRIORITY, Purposes
from leadline.core.errors import Invalid, Refused
from leadline.core.record.act import Act, Kind, Value, instant


@dataclass(frozen=True, slots=True)
class Priority:
    """Use with priority by the government, which both parties sign with the terms it stands in."""

    scope: str
    until: datetime

    def __post_init__(self) -> None:
        if not self.scope.strip():
            raise Invalid("priority.scope", "say in words what the priority use is and is not")
        instant(self.until)

    def to_record(self) -> dict[str, Value]:
        """Its part of the mapping that the terms' digest is of."""
        return {"scope": self.scope, "until": instant(self.until)}


@dataclass(frozen=True, slots=True)
class Records:
    """The schedule under which an agency keeps and destroys its own records."""

    schedule: str
    authority: str

    def __post_init__(self) -> None:
        if not self.schedule.strip() or not self.authority.strip():
            raise Invalid("records", "name the schedule's id and the authority it rests on")

    def to_record(self) -> dict[str, Value]:
        """Its part of the mapping that the terms' digest is of."""
        return {"schedule": self.schedule, "authority": self.authority}


@dataclass(frozen=True, slots=True)
class Disclosure:
    """A marking for records requests: the exemption the developer proposes, and why.

    It is a marking, never a promise: whether an exemption applies is decided under the law when
    somebody asks.
    """

    exemption: str
    words: str

    def __post_init__(self) -> None:
        if not self.exemption.strip() or not self.words.strip():
            raise Invalid("disclosure", "name the exemption proposed, and say why it would apply")

    def to_record(self) -> dict[str, Value]:
        """Its part of the mapping that the terms' digest is of."""
        return {"exemption": self.exemption, "words": self.words}


@dataclass(frozen=True, slots=True)
class Terms:
    """Agreed terms. *purposes* are the short words a reader names when reading; *expires* ends access.

    *retention_days* counts from the end of access; 0 means until then. *organisations* and *roles*
    narrow who receives, beyond the access rules, where they are not empty. *version* counts from 1;
    *replaces* is the digest of the terms before. *export_rules* are words: what a party says a law on
    exports asks of whoever takes a thing across a border.
    """

    confidentiality: str
    cybersecurity: str
    insider_risk: str
    intellectual_property: str
    use: str
    nondisclosure: str
    purposes: tuple[str, ...]
    retention_days: int
    expires: datetime
    version: int = 1
    replaces: str = ""
    organisations: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    export_rules: tuple[str, ...] = ()
    records: Records | None = None
    disclosure: Disclosure | None = None
    priority: Priority | None = None

    def __post_init__(self) -> None:
        for name in WORDS:
            if not getattr(self, name).strip():
                raise Invalid(name, "say in words what was agreed, or that nothing was")
        if not self.purposes:
            raise Invalid("purposes", "name at least one purpose, such as 'assessment'")
        for name in LISTS:
            _words(name, getattr(self, name))
        if self.retention_days < 0:
            raise Invalid("retention_days", f"{self.retention_days} days cannot be")
        if self.version < 1 or (self.version == 1) != (not self.replaces):
            raise Invalid(
                "version", "the first is 1 and replaces none; each later one names its last"
            )
        if (PRIORITY in self.purposes) != (self.priority is not None):
            raise Invalid("priority", f"name {PRIORITY!r} as a purpose and its scope, or neither")
        instant(self.expires)

    @property
    def digest(self) -> str:
        """SHA-256 in hex of the terms' canonical JSON; what both parties agree to."""
        text = json.dumps(
            self.to_record(), sort_keys=True, separators=(",", ":"), ensure_ascii=False
        )
        return sha256(text.encode()).hexdigest()

    def to_record(self) -> dict[str, Value]:
        """The mapping that the digest is of. What was not agreed is absent from it."""
        words: dict[str, Value] = {name: str(getattr(self, name)) for name in WORDS}
        limits: dict[str, Value] = {
            "purposes": self.purposes,
            "retention_days": self.retention_days,
            "expires": instant(self.expires),
        }
        further: dict[str, Value] = {
            "version": self.version if self.version > 1 else None,
            "replaces": self.replaces or None,
            **{name: getattr(self, name) or None for name in LISTS if name != "purposes"},
            "records": self.records.to_record() if self.records else None,
            "disclosure": self.disclosure.to_record() if self.disclosure else None,
            "priority": self.priority.to_record() if self.priority else None,
        }
        return words | limits | {name: one for name, one in further.items() if one is not None}

    def destroy_by(self, ended: datetime) -> datetime:
        """When what was received under the terms is to be destroyed, given the end of access.

        Raises: Invalid, if that day is after the year 9999.
        """
        try:
            return ended + timedelta(days=self.retention_days)
        except OverflowError:
            raise Invalid("retention_days", "ends after the year 9999; agree fewer days") from None


WORDS = (
    "confidentiality",
    "cybersecurity",
    "insider_risk",
    "intellectual_property",
    "use",
    "nondisclosure",
)
LISTS = ("purposes", "organisations", "roles", "export_rules")


@dataclass(frozen=True, slots=True)
class Attempt:
    """Who wants to use something, and for what. *until* is the end of this reader's own time, if any.

    *own* says that what is used belongs to the person's own organisation, so that terms limit nothing
    of it: any purpose of the vocabulary does, but for those that no terms can cover. *partner* says that it
    is of a trusted partner that both parties agreed to, who needs no entry among *organisations*.
    """

    purpose: str
    org: str
    roles: frozenset[str]
    own: bool = False
    partner: bool = False
    until: datetime | None = None


def in_effect(acts: Iterable[Act]) -> str:
    """The digest of the last terms that both parties had agreed to at once; empty if there is none.

    One party's agreement to others changes nothing until the second agrees too.
    """
    latest: dict[Value, Value] = {}
    found = ""
    for act in acts:
        if act.kind is Kind.TERMS_AGREED:
            latest[act.detail.get("party")] = act.detail.get("terms")
            if latest.get("developer") == latest.get("government"):
                found = str(latest["developer"])
    return found


def follows(current: Terms | None, terms: Terms) -> None:
    """Return if *terms* are the next after those in effect, or are those.

    Raises: Refused, if they name others as the terms before; Invalid, if the version is not the next.
    """
    if current == terms:
        return
    if terms.replaces != (current.digest if current else ""):
        told = f"terms {current.digest}" if current else "none"
        raise Refused(f"in effect are {told}; name those as replaced, or draft anew")
    due = current.version + 1 if current else 1
    if terms.version != due:
        raise Invalid("version", f"the next version is {due}")


def against(terms: Terms | None, known: Purposes, attempt: Attempt, now: datetime) -> str:
    """Why *attempt* is outside *terms* at *now*, with the cure; empty if they cover it.

    An end is exclusive: at that very moment it is over.
    """
    purpose = known.find(attempt.purpose)
    if purpose is not None and purpose.never:
        return f"no terms cover the purpose {purpose.id!r}: {purpose.words}"
    if attempt.until is not None and now >= attempt.until:
        return f"this reader's time ended at {instant(attempt.until)}; ask for a new one"
    if purpose is None:
        return f"{attempt.purpose!r} is none of {', '.join(known.nameable)}; name one of them"
    return "" if attempt.own else _outside(terms, attempt, now)


def diff(old: Terms | None, new: Terms) -> tuple[str, ...]:
    """What changes from *old* to *new*, one line each, for a person to read before signing.

    A line begins with ``-`` for what goes, ``+`` for what comes.
    """
    before = old.to_record() if old else {}
    after = new.to_record()
    lines: list[str] = []
    for name in sorted({*before, *after}):
        if before.get(name) != after.get(name):
            lines += [f"- {name}: {_shown(before[name])}"] if name in before else []
            lines += [f"+ {name}: {_shown(after[name])}"] if name in after else []
    return tuple(lines)


def _shown(value: Value) -> str:
    match value:
        case tuple():
            return ", ".join(str(one) for one in value)
        case None | bool() | int() | str():
            return str(value)
        case _:
            return "; ".join(f"{name} {one}" for name, one in value.items())


def _outside(terms: Terms | None, attempt: Attempt, now: datetime) -> str:
    if terms is None:
        return "no terms are in effect; both parties sign the same text first"
    if now >= terms.expires:
        return f"the terms expired at {instant(terms.expires)}; agree new ones"
    return _purpose(terms, attempt, now) or _recipient(terms, attempt)


def _purpose(terms: Terms, attempt: Attempt, now: datetime) -> str:
    if attempt.purpose not in terms.purposes:
        covered = ", ".join(terms.purposes)
        return f"the terms cover {covered}, not {attempt.purpose!r}; agree new ones to use it so"
    if attempt.purpose == PRIORITY and terms.priority and now >= terms.priority.until:
        ended = instant(terms.priority.until)
        return f"the priority use that both parties signed ended at {ended}; agree new terms"
    return ""


def _recipient(terms: Terms, attempt: Attempt) -> str:
    named = attempt.partner or attempt.org in terms.organisations
    if terms.organisations and not named:
        return f"the terms do not name {attempt.org!r} among those who receive; agree new ones"
    if terms.roles and not attempt.roles & set(terms.roles):
        return f"the terms name the roles {', '.join(terms.roles)}; none of them is this person's"
    return ""


def _words(name: str, words: tuple[str, ...]) -> None:
    if any(not word.strip() for word in words):
        raise Invalid(name, "one entry is empty; leave it out")
    for one, next_ in pairwise(sorted(words)):
        if one == next_:
            raise Invalid(name, f"{one!r} stands twice; name it once")
