"""Trusted partners as agreed in one engagement: who, what of it, in which stages, until when.

EO 14409 sec. 3(b)(iii) lets government and developer choose trusted partners and defines none, so a
partner exists per engagement only: one party proposes it, the other agrees, the partner signs the
terms, the developer opens its stages one after the other.

Invariants: a party never agrees to its own proposal; only the developer opens a stage; an end or a
restriction counts at once, for this partner alone; credits are whole numbers and what is left is
computed from the record, never below zero.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from leadline.core.access import Principal
from leadline.core.engagement.engagement import Deed, Standing, require_going_on
from leadline.core.engagement.regime import Party
from leadline.core.errors import Invalid, Refused
from leadline.core.record.act import Act, Kind, Value, instant

KINDS = frozenset(
    {
        Kind.PARTNER_PROPOSED,
        Kind.PARTNER_AGREED,
        Kind.PARTNER_STAGE_OPENED,
        Kind.PARTNER_USED,
        Kind.PARTNER_ENDED,
    }
)
DAY = timedelta(hours=24)
TEXT_MAX = 300
CREDITS_MAX = 10**12


@dataclass(frozen=True, slots=True)
class Stage:
    """What one stage adds: capabilities by name, credits, and how many uses a day from then on."""

    capabilities: tuple[str, ...]
    credits: int
    uses_a_day: int

    def __post_init__(self) -> None:
        _names("capabilities", self.capabilities)
        if not 0 <= self.credits <= CREDITS_MAX:
            raise Invalid("credits", f"{self.credits} cannot be; give 0 to {CREDITS_MAX}")
        if not 1 <= self.uses_a_day <= CREDITS_MAX:
            raise Invalid("uses_a_day", f"{self.uses_a_day} cannot be; give 1 to {CREDITS_MAX}")


@dataclass(frozen=True, slots=True)
class Partner:
    """What is proposed: *organisation* may use *targets*, exactly as spelled, until *expires*.

    *tier* is the parties' own word for this kind of partner. *proposed_by* is the proposing party.
    """

    organisation: str
    tier: str
    targets: tuple[str, ...]
    stages: tuple[Stage, ...]
    expires: datetime
    proposed_by: Party

    def __post_init__(self) -> None:
        _names("organisation", (self.organisation,))
        _names("tier", (self.tier,))
        _names("targets", self.targets)
        if not self.stages:
            raise Invalid("stages", "name at least one, with what it opens")
        instant(self.expires)

    @property
    def digest(self) -> str:
        """SHA-256 in hex of the canonical JSON of what both parties agree to."""
        text = json.dumps(
            self.to_record(), sort_keys=True, separators=(",", ":"), ensure_ascii=False
        )
        return sha256(text.encode()).hexdigest()

    def to_record(self) -> dict[str, Value]:
        """The mapping that the digest is of."""
        return {
            "organisation": self.organisation,
            "tier": self.tier,
            "targets": self.targets,
            "stages": tuple(
                {
                    "capabilities": one.capabilities,
                    "credits": one.credits,
                    "uses_a_day": one.uses_a_day,
                }
                for one in self.stages
            ),
            "expires": instant(self.expires),
            "proposed_by": self.proposed_by,
        }


@dataclass(frozen=True, slots=True)
class Rest:
    """An interval in which a partner uses nothing; *until* is None where it does not go on again."""

    since: datetime
    until: datetime | None
    authority: str

    def __post_init__(self) -> None:
        if not self.authority.strip() or len(self.authority) > TEXT_MAX:
            raise Invalid("authority", f"name it in words, {TEXT_MAX} characters at most")
        if self.until is not None and self.until <= self.since:
            raise Invalid("until", "the end comes after the effective date; correct one of them")
        instant(self.since)

    def covers(self, now: datetime) -> bool:
        """Whether *now* is inside: from its effective date on, and no longer at its end."""
        return self.since <= now and (self.until is None or now < self.until)


@dataclass(frozen=True, slots=True)
class Position:
    """Where one partner stands, computed from the record.

    *signed* is the digest of the terms that the partner signed last, *opened* the number of stages
    opened, *left* what remains of their credits, *used* when each use was.
    """

    partner: Partner
    agreed: bool = False
    signed: str = ""
    opened: int = 0
    spent: int = 0
    used: tuple[datetime, ...] = ()
    rests: tuple[Rest, ...] = ()

    @property
    def ends(self) -> datetime:
        """When its use is over: the expiry, or an end before it after which it does not go on."""
        lasting = [one.since for one in self.rests if one.until is None]
        return min((self.partner.expires, *lasting))

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages that are open."""
        return self.partner.stages[: self.opened]

    @property
    def left(self) -> int:
        """Credits of the open stages that are not spent."""
        return sum(one.credits for one in self.stages) - self.spent

    @property
    def capabilities(self) -> tuple[str, ...]:
        """What the open stages open, each once."""
        return tuple(dict.fromkeys(one for stage in self.stages for one in stage.capabilities))

    def resting(self, now: datetime) -> Rest | None:
        """The rest that *now* is inside, None if there is none; one without an end comes first."""
        current = [one for one in self.rests if one.covers(now)]
        lasting = [one for one in current if one.until is None]
        return next(iter([*lasting, *current]), None)


@dataclass(frozen=True, slots=True)
class TargetUse:
    """One use that a partner asks for: of a target, by a capability, for whole credits."""

    target: str
    capability: str
    credits: int

    def __post_init__(self) -> None:
        _names("target", (self.target,))
        _names("capability", (self.capability,))
        if not 1 <= self.credits <= CREDITS_MAX:
            raise Invalid("credits", f"{self.credits} cannot be; one use takes at least 1")


def position(partner: Partner, acts: Iterable[Act]) -> Position:
    """Where *partner* stands after *acts* of its engagement, in the order of the record.

    What was before its latest proposal does not count.
    """
    found = Position(partner)
    for act in acts:
        if act.kind in KINDS and act.detail.get("partner") == partner.organisation:
            found = _after(found, act)
    return found


def against(found: Position, use: TargetUse, terms: str, now: datetime) -> str:
    """Why this use is outside what was agreed, with the cure; empty if it is inside.

    *terms* is the digest of the terms in effect. An end is exclusive: at that moment it is over.
    """
    nothing = closed(found, terms, now)
    if nothing:
        return nothing
    if use.target not in found.partner.targets:
        return f"{use.target!r} is none of the targets assigned to this partner"
    if use.capability not in found.capabilities:
        return f"no stage that is open opens {use.capability!r}; the developer opens stages"
    rate = found.stages[-1].uses_a_day
    if sum(now - DAY < at for at in found.used) >= rate:
        return f"{rate} uses in 24 hours are open; use it again later"
    few = f"{found.left} credits are left, {use.credits} were asked for"
    return few if use.credits > found.left else ""


def closed(found: Position, terms: str, now: datetime) -> str:
    """Why nothing at all is this partner's at *now*, whatever it is; empty if something may be.

    *terms* is the digest of the terms in effect.
    """
    ended = _over(found, now)
    if ended:
        return ended
    if not found.signed or found.signed != terms:
        return "this partner has not signed the terms in effect; sign them first"
    return ""


def propose(on: Standing, by: Principal, now: datetime, *, partner: Partner, reason: str) -> Deed:
    """One party proposes a partner; *reason* is the digest of why.

    Raises: Invalid; Refused, while the same organisation is a partner or waits for agreement.
    """
    require_going_on(on.acts)
    if partner.expires <= now:
        raise Invalid("expires", f"{instant(partner.expires)} is in the past; name a later end")
    if partner.organisation == on.engagement.developer:
        raise Invalid("organisation", "the developer is a party and no partner")
    if partner.proposed_by != on.party(by):
        raise Invalid("proposed_by", f"this person is of the {on.party(by)}")
    return _deed(
        Kind.PARTNER_PROPOSED,
        on.party(by),
        partner,
        proposal=partner.digest,
        reason=reason,
        until=instant(partner.expires),
    )


def replaceable(found: Position, now: datetime) -> None:
    """Return if the same organisation may be proposed anew.

    Raises: Refused, while the proposal before still stands.
    """
    rest = found.resting(now)
    if now < found.partner.expires and (rest is None or rest.until is not None):
        name = found.partner.organisation
        raise Refused(f"{name} is proposed already; end that first, and propose it anew")


def agree(on: Standing, by: Principal, found: Position, now: datetime, *, reason: str) -> Deed:
    """The party that did not propose agrees; *reason* is the digest of why."""
    require_going_on(on.acts)
    partner = found.partner
    if on.party(by) == partner.proposed_by:
        raise Refused(f"the {partner.proposed_by} proposed this partner; the other party agrees")
    if found.agreed:
        raise Refused(f"both parties agreed to {partner.organisation} already")
    _stands(found, now)
    return _deed(
        Kind.PARTNER_AGREED,
        on.party(by),
        partner,
        proposal=partner.digest,
        reason=reason,
        until=instant(partner.expires),
    )


def open_stage(on: Standing, by: Principal, found: Position, now: datetime, *, stage: int) -> Deed:
    """The developer opens the next stage; *stage* counts from 0 and says which one is meant."""
    require_going_on(on.acts)
    partner = found.partner
    if on.party(by) != "developer":
        raise Refused(f"only the developer, {on.engagement.developer}, opens a stage")
    if not found.agreed:
        raise Refused(f"the other party has not agreed to {partner.organisation}; it agrees first")
    _stands(found, now)
    if found.opened == len(partner.stages):
        raise Refused("every stage is open; propose the partner anew to add one")
    if stage != found.opened:
        raise Refused(f"stage {found.opened} comes next; stages open one after the other")
    return _deed(Kind.PARTNER_STAGE_OPENED, "developer", partner, stage=stage)


def end(party: str, found: Position, rest: Rest, now: datetime) -> Deed:
    """Either party, or the partner itself, ends its use, or lets it rest for an interval.

    It works in every state of the engagement: it takes away and adds nothing.

    Raises: Invalid, for an effective date that is past; Refused, once the partner's use has ended.
    """
    if rest.since < now:
        raise Invalid("since", f"{instant(rest.since)} is past; an end counts from now at earliest")
    last = found.resting(now)
    if last is not None and last.until is None:
        raise Refused(f"use by {found.partner.organisation} ended at {instant(last.since)}")
    return _deed(
        Kind.PARTNER_ENDED,
        party,
        found.partner,
        since=instant(rest.since),
        authority=rest.authority,
        **({"until": instant(rest.until)} if rest.until else {}),
    )


def sign(found: Position, terms: str, now: datetime) -> Deed:
    """The partner signs the terms in effect.

    Raises: Refused, before both parties agreed to it, after its end, or if it signed these already.
    """
    if not found.agreed:
        raise Refused("the other party has not agreed to this partner yet; nothing is to be signed")
    _stands(found, now)
    if found.signed == terms:
        raise Refused("this partner signed these terms already")
    return _deed(Kind.PARTNER_AGREED, "partner", found.partner, terms=terms)


def used(found: Position, use: TargetUse, purpose: str, terms: str) -> Deed:
    """A use that nothing stands against."""
    return _deed(
        Kind.PARTNER_USED,
        "partner",
        found.partner,
        target=use.target,
        capability=use.capability,
        credits=use.credits,
        purpose=purpose,
        terms=terms,
    )


def _after(found: Position, act: Act) -> Position:
    partner, detail = found.partner, act.detail
    agreed, signed, opened, spent = found.agreed, found.signed, found.opened, found.spent
    used_at, rests = found.used, found.rests
    match act.kind:
        case Kind.PARTNER_PROPOSED:
            return Position(partner)
        case Kind.PARTNER_AGREED if detail.get("party") == "partner":
            signed = str(detail.get("terms"))
        case Kind.PARTNER_AGREED:
            other = detail.get("party") != partner.proposed_by
            agreed = agreed or (other and detail.get("proposal") == partner.digest)
        case Kind.PARTNER_STAGE_OPENED:
            opened += detail.get("party") == "developer"
        case Kind.PARTNER_USED:
            spent += _whole(detail.get("credits"))
            used_at = (*used_at, act.at)
        case _:
            until = detail.get("until")
            ends = datetime.fromisoformat(until) if isinstance(until, str) else None
            since = datetime.fromisoformat(str(detail.get("since")))
            rests = (*rests, Rest(since, ends, str(detail.get("authority"))))
    return Position(partner, agreed, signed, opened, spent, used_at, rests)


def _over(found: Position, now: datetime) -> str:
    """Why nothing at all is open to this partner at *now*; empty if something is."""
    partner, rest = found.partner, found.resting(now)
    if not found.agreed:
        return "the other party has not agreed to this partner; nothing is open to it"
    if rest is not None:
        since, by = instant(rest.since), f"under {rest.authority}"
        if rest.until is None:
            return f"use ended at {since} for good, {by}"
        return f"use rests from {since} until {instant(rest.until)}, {by}"
    if now >= partner.expires:
        return f"what was agreed with this partner ended at {instant(partner.expires)}"
    return ""


def _stands(found: Position, now: datetime) -> None:
    """Raises: Refused, once the partner's time is over or its use ended for good."""
    rest = found.resting(now)
    if now >= found.partner.expires or (rest is not None and rest.until is None):
        at = instant(rest.since if rest else found.partner.expires)
        raise Refused(f"what was agreed with this partner ended at {at}; propose it anew")


def _whole(value: Value) -> int:
    """Raises: Invalid, for an act that carries no whole number of credits."""
    if not isinstance(value, int) or value < 0:
        raise Invalid("credits", "an act of use carries a whole number")
    return value


def _deed(kind: Kind, party: str, partner: Partner, **detail: Value) -> Deed:
    whose: dict[str, Value] = {"party": party, "partner": partner.organisation}
    return Deed(kind, f"partner/{partner.organisation}", whose | detail)


def _names(field: str, names: tuple[str, ...]) -> None:
    """Raises: Invalid, for none, one that is empty, too long or not printable, or one twice."""
    if not names:
        raise Invalid(field, "name at least one")
    for name in names:
        if not name.strip() or len(name) > TEXT_MAX or not name.isprintable():
            raise Invalid(field, f"each is a line of 1 to {TEXT_MAX} printable characters")
    if len(set(names)) != len(names):
        raise Invalid(field, "one stands twice; name it once")
