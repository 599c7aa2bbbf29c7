"""Terms: agreeing to them, and the one check that every read and every export goes through.

Upheld here: nothing that comes under terms is used without a purpose that both parties signed; a
purpose that no terms can cover is refused whatever they say; every refusal is an act, and the
developer sees it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files

from leadline.app import approval, engagement
from leadline.app.assertion import Signed
from leadline.app.context import Context
from leadline.app.engagement import Dealings
from leadline.app.ports import Reading
from leadline.core.access import Action
from leadline.core.engagement import engagement as rules
from leadline.core.engagement import terms as core
from leadline.core.engagement.engagement import Standing
from leadline.core.engagement.purpose import Purposes
from leadline.core.engagement.regime import Party
from leadline.core.engagement.terms import Attempt, Terms
from leadline.core.errors import Invalid, Refused
from leadline.core.record.act import Act, Kind, Value, instant
from leadline.formats.purposes_toml import load_purposes

PURPOSE_MAX = 80


@dataclass(frozen=True, slots=True)
class Use:
    """That terms cover a use: *terms* is their digest, empty where the developer uses its own."""

    purpose: str
    what: str
    terms: str
    until: datetime | None = None

    def detail(self) -> Mapping[str, Value]:
        """What the act of whoever uses it carries."""
        until = {"until": instant(self.until)} if self.until else {}
        return {"purpose": self.purpose, "what": self.what, "terms": self.terms, **until}


@dataclass(frozen=True, slots=True)
class RefusedUse:
    """One use that was refused: who tried, of which organisation, what, for what, and why not."""

    at: datetime
    who: str
    org: str
    what: str
    purpose: str
    why: str


@cache
def purposes() -> Purposes:
    """The vocabulary that comes with Leadline."""
    name = "purposes.toml"
    return load_purposes((files("leadline") / "data" / name).read_bytes(), name)


@dataclass(frozen=True, slots=True)
class Held:
    """The terms in effect, and what each party signed last; a party that signed none is absent.

    *destroy_by* is when what was received is to be destroyed, once access has opened: counted from the
    last end, where it opened under several regimes.
    """

    effective: Terms | None
    signed: Mapping[str, Terms]
    destroy_by: datetime | None = None

    def offered(self, to: Party) -> Terms | None:
        """What the other party signed last and *to* has not; None where there is nothing to sign."""
        other = next((terms for side, terms in self.signed.items() if side != to), None)
        return None if other is None or other == self.signed.get(to) else other


def party(ctx: Context, on: Dealings) -> Party:
    """Whose side this person would sign for."""
    return "developer" if ctx.principal.org == on.developer else "government"


def held(ctx: Context, on: Dealings) -> Held:
    """The terms of an engagement: in effect, and signed by one party."""
    ctx.require(Action.ENGAGEMENT_READ, on.resource())
    windows = engagement.standing(ctx, on).windows.values()
    ends = max((one.ends for one in windows if one.ends), default=None)
    with ctx.store.read() as view:
        latest = {
            str(one.act.detail.get("party")): str(one.act.detail.get("terms"))
            for one in view.acts(engagement=on.id, kind=Kind.TERMS_AGREED)
        }
        texts = _texts(view, on.id)
        current = text(view, on.id)
    signed = {side: texts[digest] for side, digest in latest.items() if digest in texts}
    return Held(current, signed, current.destroy_by(ends) if current and ends else None)


def draft(ctx: Context, on: Dealings, days: int) -> Terms:
    """A text to begin with: what follows the terms in effect, or a first one to write into.

    *days* from now is when it would end. Nothing is recorded.
    """
    expires = ctx.now + timedelta(days=days)
    current = held(ctx, on).effective
    if current is not None:
        version, before = current.version + 1, current.digest
        return replace(current, expires=expires, version=version, replaces=before)
    say = "nothing was agreed"
    return Terms(say, say, say, say, say, say, ("assessment", "determination"), 90, expires)


def ready(ctx: Context, on: Dealings, terms: Terms) -> Callable[[Standing], None]:
    """Return if this person could sign *terms* now; what it answers is asked again as they are signed.

    Raises: as `agree`.
    """
    ctx.require(Action.TERMS_AGREE, on.resource())
    purposes().check(terms.purposes)
    found, stands = held(ctx, on), engagement.standing(ctx, on)
    before = core.in_effect(stands.acts)

    def next_(now: Standing) -> None:
        if core.in_effect(now.acts) != before:
            raise Refused("other terms came into effect meanwhile; read them, then sign")
        core.follows(found.effective, terms)
        if rules.signed_last(now).get(now.party(ctx.principal)) == terms.digest:
            raise Refused("your party signed these very terms already")

    next_(stands)
    rules.agree_terms(stands, ctx.principal, ctx.now, terms=terms)
    return next_


def agree(
    ctx: Context, on: Dealings, terms: Terms, sign: Callable[[bytes], Signed]
) -> tuple[str, ...]:
    """Sign *terms* for one's own party; answers what they change of those in effect.

    They have effect once the other party signed the same digest.

    Raises: Invalid, for a purpose that no terms can cover; Refused, for terms that follow others than
    those in effect, that this party signed already, or that have run out.
    """
    next_ = ready(ctx, on, terms)
    changes = core.diff(held(ctx, on).effective, terms)
    granted = approval.asserted(ctx, Action.TERMS_AGREE, on.resource(), facts(terms), sign)
    engagement.agree_terms(ctx, on, terms, granted, next_)
    return changes


def facts(terms: Terms) -> Mapping[str, str]:
    """What a person signs who agrees to *terms*."""
    return {"terms": terms.digest}


def use(
    ctx: Context, on: Dealings, *, purpose: str, what: str, until: datetime | None = None
) -> Use:
    """Check one use of *what* against the terms in effect, and record it.

    *until* is the end of this reader's own time, where it has one. The caller has asked for its own
    action. Where the caller's own act carries `Use.detail`, `covered` is enough.

    Raises: Refused, after the act USE_REFUSED, if the terms do not cover it; Invalid, for a purpose
    that is no short word.
    """
    found = covered(ctx, on.id, on.developer, purpose=purpose, what=what, until=until)
    record(ctx, on, found, ctx.act(Kind.USE_RECORDED, on.id, on.id, **found.detail()))
    return found


def record(ctx: Context, on: Dealings, use: Use, act: Act) -> None:
    """Record *act*, of a use that `covered` answered, if the terms cover it at this moment still.

    What a party signed or ended meanwhile counts, so that nothing is used after a withdrawal.

    Raises: Refused, after the act USE_REFUSED.
    """
    attempt = _attempt(ctx, on.developer, use.purpose, use.until)
    with ctx.store.write() as tx:
        terms, why = judged(ctx, tx, on.id, attempt)
        digest = terms.digest if terms else ""
        if not why and digest != use.terms:
            why = "other terms came into effect meanwhile; try again under those"
        told = {"what": use.what, "purpose": use.purpose, "why": why, "terms": digest}
        tx.record(refusal(ctx, on.id, **told) if why else act)
    if why:
        raise Refused(why)


def covered(
    ctx: Context,
    engagement: str,
    developer: str,
    *,
    purpose: str,
    what: str,
    until: datetime | None = None,
) -> Use:
    """As `use`, for a caller whose own act records the use.

    *developer* is the organisation whose thing it is: to its own people terms set no limit.
    """
    attempt = _attempt(ctx, developer, purpose, until)
    with ctx.store.read() as view:
        terms, why = judged(ctx, view, engagement, attempt)
    digest = terms.digest if terms else ""
    if why:
        refuse(ctx, engagement, what=what, purpose=purpose, why=why, terms=digest)
    return Use(purpose, what, digest, until)


def _attempt(ctx: Context, developer: str, purpose: str, until: datetime | None) -> Attempt:
    own = ctx.principal.org == developer != ""
    return Attempt(purpose, ctx.principal.org, ctx.principal.roles, own, until=until)


def judged(
    ctx: Context, view: Reading, engagement: str, attempt: Attempt
) -> tuple[Terms | None, str]:
    """The terms in effect in *view*, and why the attempt is outside them; empty if it is inside.

    Raises: Invalid, for a purpose that is no short word.
    """
    word = attempt.purpose
    if not word.strip() or len(word) > PURPOSE_MAX or not word.isprintable():
        raise Invalid("purpose", "name one short word, such as 'assessment'")
    terms = text(view, engagement)
    why = core.against(terms, purposes(), attempt, ctx.now)
    return terms, why or _withdrawn(view, engagement, attempt)


def refuse(
    ctx: Context, engagement: str, *, what: str, purpose: str, why: str, terms: str = ""
) -> None:
    """Record that a use was refused, for the developer to see.

    Raises: Refused, always, with *why*.
    """
    with ctx.store.write() as tx:
        tx.record(
            refusal(ctx, engagement, what=what, purpose=purpose, why=why, terms=terms),
        )
    raise Refused(why)


def refusal(ctx: Context, engagement: str, *, what: str, purpose: str, why: str, terms: str) -> Act:
    """The act of a refused use, for a caller that writes it in its own transaction."""
    return ctx.act(
        Kind.USE_REFUSED,
        engagement,
        engagement,
        party=ctx.principal.org,
        what=what,
        purpose=purpose,
        why=why,
        terms=terms,
    )


def refusals(ctx: Context, on: Dealings) -> tuple[RefusedUse, ...]:
    """Who tried what and was refused, by the terms or by the access rules, and why; oldest first.

    Where the access rules refused, no purpose is known.
    """
    ctx.require(Action.ENGAGEMENT_READ, on.resource())
    with ctx.store.read() as view:
        acts = [one.act for one in view.acts(engagement=on.id)]
        orgs = {one.id: one.org for one in view.principals()}
    return tuple(
        _refused(act, orgs) for act in acts if act.kind in {Kind.USE_REFUSED, Kind.ACCESS_DENIED}
    )


def _refused(act: Act, orgs: Mapping[str, str]) -> RefusedUse:
    told = {name: str(value) for name, value in act.detail.items()}
    if act.kind is Kind.ACCESS_DENIED:
        rules = act.detail.get("rules")
        named = ", ".join(map(str, rules)) if isinstance(rules, tuple) else ""
        why = f"access rules refuse {told.get('action', '')}: {named or 'no role reaches there'}"
        return RefusedUse(act.at, act.actor, orgs.get(act.actor, ""), act.about, "", why)
    what, party = told.get("what", act.about), told.get("party", "")
    purpose, why = told.get("purpose", ""), told.get("why", "")
    return RefusedUse(act.at, act.actor, party, what, purpose, why)


def text(view: Reading, engagement: str) -> Terms | None:
    """The terms that both parties signed last, for a caller that has asked for its own action.

    None also where only the digest is on record and no text was kept: nothing is covered then.
    """
    digest = core.in_effect(one.act for one in view.acts(engagement=engagement))
    return _texts(view, engagement).get(digest)


def _texts(view: Reading, engagement: str) -> Mapping[str, Terms]:
    """Every text that anybody signed, by digest."""
    return {row.value.digest: row.value for row in view.find(Terms, engagement=engagement)}


def _withdrawn(view: Reading, engagement: str, attempt: Attempt) -> str:
    over = view.acts(engagement=engagement, kind=Kind.ENGAGEMENT_WITHDRAWN)
    if not over or attempt.own:
        return ""
    at = instant(over[0].act.at)
    return f"the engagement was withdrawn at {at}; access to what is in it has ended"
