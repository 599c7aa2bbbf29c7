"""Trusted partners of one engagement: proposing, agreeing, opening stages, using, ending.

Upheld here: one transaction reads what is left and writes the use, so that two uses at once never
spend more than there is; what is outside the agreement is refused, recorded and shown to the
developer; a partner's people learn nothing of another partner, not even that there is one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256

from leadline.app import approval, engagement, terms
from leadline.app.assertion import Signed
from leadline.app.context import Context
from leadline.app.engagement import PARTIES, Dealings
from leadline.app.ports import Reading, Stored
from leadline.core.access import Action
from leadline.core.approval import Granted
from leadline.core.engagement import partner as core
from leadline.core.engagement.engagement import Deed, Standing, over, require_going_on
from leadline.core.engagement.partner import Partner, Position, Rest, TargetUse
from leadline.core.engagement.terms import Attempt, Terms
from leadline.core.errors import Invalid, NotFound, Refused
from leadline.core.record.act import Act, Kind
from leadline.formats.canonical import encode

REASON_MAX = 2000


@dataclass(frozen=True, slots=True)
class Scope:
    """A partner as its own people see it: what it may use, what is left, and the terms to sign."""

    position: Position
    terms: Terms | None


@dataclass(frozen=True, slots=True)
class Ending:
    """What follows an end: *received* is what the partner used, to be destroyed by *destroy_by*."""

    rest: Rest
    destroy_by: datetime | None
    received: tuple[str, ...]


def propose(ctx: Context, on: Dealings, partner: Partner, reason: str) -> None:
    """Propose a partner, with the reason for the record. The other party's agreement makes it one.

    Raises: Invalid; Refused, while the same organisation is proposed already.
    """
    ctx.require(Action.PARTNER_PROPOSE, on.resource())
    words, told = _reason(reason)
    stands, key = engagement.standing(ctx, on), _key(on, partner.organisation)

    def decided(view: Reading) -> tuple[Deed, Stored[Partner] | None]:
        now = replace(stands, acts=tuple(_acts(view, on)))
        deed = core.propose(now, ctx.principal, ctx.now, partner=partner, reason=told)
        before = next((row for row in view.find(Partner, engagement=on.id) if row.id == key), None)
        if before is not None:
            core.replaceable(core.position(before.value, now.acts), ctx.now)
        return deed, before

    with ctx.store.read() as view:
        decided(view)
    ctx.vault.put(words, marking=PARTIES, engagement=on.id)
    with ctx.store.write() as tx:
        deed, before = decided(tx)
        tx.put(
            key,
            partner,
            marking=PARTIES,
            engagement=on.id,
            org=on.developer,
            expect=before.version if before else None,
        )
        tx.record(ctx.act(deed.kind, deed.about, on.id, **deed.detail))


def agree(ctx: Context, on: Dealings, organisation: str, reason: str) -> None:
    """Agree to the other party's proposal, as it stands at this moment.

    Raises: NotFound; Refused, for one's own proposal, or where it was agreed or has ended.
    """
    ctx.require(Action.PARTNER_AGREE, on.resource())
    words, told = _reason(reason)
    _decide(
        ctx,
        on,
        organisation,
        lambda stands, found: core.agree(stands, ctx.principal, found, ctx.now, reason=told),
        words,
    )


def open_stage(ctx: Context, on: Dealings, organisation: str, stage: int) -> None:
    """Open the next stage, as the developer. *stage* counts from 0.

    Raises: NotFound; Refused, for another stage than the next, or where the partner's time is over.
    """
    ctx.require(Action.ACCESS_OPEN, on.resource())
    _decide(
        ctx,
        on,
        organisation,
        lambda stands, found: core.open_stage(stands, ctx.principal, found, ctx.now, stage=stage),
    )


def sign(ctx: Context, on: Dealings, signer: Callable[[bytes], Signed]) -> str:
    """Sign the terms in effect for the partner, by the person's own hand; answers their digest.

    Raises: NotFound, where the person's organisation is no partner; Refused, if there is nothing to
    sign, or the terms changed meanwhile.
    """
    facts = signing(ctx, on)
    granted = approval.asserted(ctx, Action.PARTNER_USE, on.resource(), facts, signer)
    return signed(ctx, on, granted)


def signing(ctx: Context, on: Dealings) -> Mapping[str, str]:
    """What a person of the partner signs; raises as `sign`."""
    ctx.require(Action.PARTNER_USE, on.resource())
    seen = scope(ctx, on)
    if seen.terms is None:
        raise Refused("no terms are in effect; both parties sign the same text first")
    core.sign(seen.position, seen.terms.digest, ctx.now)
    return {"terms": seen.terms.digest, "partner": ctx.principal.org}


def signed(ctx: Context, on: Dealings, granted: Granted) -> str:
    """As `sign`, under the person's own signature of exactly what `signing` answered."""
    ctx.require(Action.PARTNER_USE, on.resource(), granted)
    organisation, digest = ctx.principal.org, str(granted.request.detail.get("terms"))
    facts = {"terms": digest, "partner": organisation}
    engagement.require_signed(ctx, on, Action.PARTNER_USE, granted, facts)
    with ctx.store.write() as tx:
        found, agreed = _found(ctx, tx, on, organisation), terms.text(tx, on.id)
        if agreed is None or agreed.digest != digest:
            raise Refused("the terms changed meanwhile; read and sign the new ones")
        require_going_on(_acts(tx, on))
        deed = core.sign(found, digest, ctx.now)
        approval.use(tx, granted)
        request = granted.request.id
        tx.record(ctx.act(deed.kind, deed.about, on.id, **deed.detail, request=request))
    return digest


def use_target(
    ctx: Context, on: Dealings, organisation: str, use: TargetUse, *, purpose: str
) -> Position:
    """Use one assigned target, for *purpose*; answers where the partner stands afterwards.

    Raises: NotFound, for every person but this partner's own; Refused, after the act USE_REFUSED, for
    what is outside scope, stage, terms, credits or time.
    """
    ctx.require(Action.PARTNER_USE, on.resource())
    whose = ctx.principal
    attempt = Attempt(purpose, whose.org, whose.roles, partner=True)
    if whose.org != organisation:
        raise _absent(organisation)
    with ctx.store.write() as tx:
        found = _found(ctx, tx, on, organisation)
        agreed, why = terms.judged(ctx, tx, on.id, attempt)
        digest = agreed.digest if agreed else ""
        why = why or over(_acts(tx, on)) or core.against(found, use, digest, ctx.now)
        if why:
            told = terms.refusal(
                ctx, on.id, what=use.target, purpose=purpose, why=why, terms=digest
            )
        else:
            deed = core.used(found, use, purpose, digest)
            told = ctx.act(deed.kind, deed.about, on.id, **deed.detail)
        tx.record(told)
        after = core.position(found.partner, _acts(tx, on))
    if why:
        raise Refused(why)
    return after


def end(ctx: Context, on: Dealings, organisation: str, rest: Rest) -> Ending:
    """End a partner's use, or let it rest for an interval, at once or from a later date.

    Either party may, and the partner's own people for their own. It waits for nothing.

    Raises: NotFound; Invalid; Refused, once it has ended.
    """
    ctx.require(Action.PARTNER_END, on.resource())
    with ctx.store.write() as tx:
        found = _found(ctx, tx, on, organisation)
        deed = core.end(_side(ctx, on, organisation), found, rest, ctx.now)
        tx.record(ctx.act(deed.kind, deed.about, on.id, **deed.detail))
        agreed = terms.text(tx, on.id)
        received = {
            str(act.detail["target"])
            for act in _acts(tx, on)
            if act.kind is Kind.PARTNER_USED and act.detail.get("partner") == organisation
        }
    by = agreed.destroy_by(rest.since) if agreed and rest.until is None else None
    return Ending(rest, by, tuple(sorted(received)))


def listed(ctx: Context, on: Dealings) -> tuple[Position, ...]:
    """Every partner of the engagement, by name, for the two parties."""
    ctx.require(Action.ENGAGEMENT_READ, on.resource())
    with ctx.store.read() as view:
        acts = _acts(view, on)
        found = [row.value for row in view.find(Partner, engagement=on.id)]
    return tuple(
        core.position(one, acts) for one in sorted(found, key=lambda one: one.organisation)
    )


def scope(ctx: Context, on: Dealings) -> Scope:
    """What the person's own organisation may use, for a partner's people.

    Raises: NotFound, where that organisation is no partner of this engagement.
    """
    ctx.require(Action.PARTNER_USE, on.resource())
    with ctx.store.read() as view:
        return Scope(_found(ctx, view, on, ctx.principal.org), terms.text(view, on.id))


def _decide(
    ctx: Context,
    on: Dealings,
    organisation: str,
    deed: Callable[[Standing, Position], Deed],
    words: bytes = b"",
) -> None:
    """Record what *deed* answers for where the partner stands in one transaction.

    *words* go to the vault; *deed* is asked before, so that what it refuses leaves nothing.
    """
    stands = engagement.standing(ctx, on)

    def decided(view: Reading) -> Deed:
        acts = tuple(_acts(view, on))
        found = core.position(_row(view, on, organisation).value, acts)
        return deed(replace(stands, acts=acts), found)

    if words:
        with ctx.store.read() as view:
            decided(view)
        ctx.vault.put(words, marking=PARTIES, engagement=on.id)
    with ctx.store.write() as tx:
        done = decided(tx)
        tx.record(ctx.act(done.kind, done.about, on.id, **done.detail))


def _reason(reason: str) -> tuple[bytes, str]:
    """A reason as it is kept, and its digest."""
    if not reason.strip() or len(reason) > REASON_MAX:
        raise Invalid("reason", f"say why, in {REASON_MAX} characters at most")
    words = encode({"reason": reason})
    return words, sha256(words).hexdigest()


def _key(on: Dealings, organisation: str) -> str:
    return f"{on.id}/partner/{organisation}"


def _row(view: Reading, on: Dealings, organisation: str) -> Stored[Partner]:
    try:
        return view.get(Partner, _key(on, organisation))
    except NotFound:
        raise _absent(organisation) from None


def _found(ctx: Context, view: Reading, on: Dealings, organisation: str) -> Position:
    """Where a partner stands, for a party's people and the partner's own.

    Raises: NotFound, in the words of a partner that is not there, for everybody else.
    """
    own = ctx.principal.org in {organisation, on.developer}
    if not own and not ctx.decision(Action.ENGAGEMENT_READ, on.resource()).allowed:
        raise _absent(organisation)
    return core.position(_row(view, on, organisation).value, _acts(view, on))


def _absent(organisation: str) -> NotFound:
    return NotFound(f"no partner {organisation} in this engagement")


def _acts(view: Reading, on: Dealings) -> list[Act]:
    return [one.act for one in view.acts(engagement=on.id)]


def _side(ctx: Context, on: Dealings, organisation: str) -> str:
    if ctx.principal.org == on.developer:
        return "developer"
    return "partner" if ctx.principal.org == organisation else "government"
