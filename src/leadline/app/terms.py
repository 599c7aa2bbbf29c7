"""Terms: agreeing to them, and the one check that every read and every export goes through.

Upheld here: nothing that comes under terms is used without a purpose that both parties signed; a
purpose that no terms can cover is refused whatever they say; every refusal is an act, and the
developer sees it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files

from leadline.app.context import Context
from leadline.app.engagement import Dealings
from leadline.app.ports import Reading
from leadline.core.access import Action
from leadline.core.engagement import terms as core
from leadline.core.engagement.purpose import Purposes
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
    with ctx.store.write() as tx:
        tx.record(ctx.act(Kind.USE_RECORDED, on.id, on.id, **found.detail()))
    return found


def covered(
    ctx: Context,
    engagement: str,
    developer: str,
    *,
    purpose: str,
    what: str,
    until: datetime | None = None,
) -> Use:
    """As `use`, for a caller whose own act records the use."""
    own = ctx.principal.org == developer != ""
    attempt = Attempt(purpose, ctx.principal.org, ctx.principal.roles, own, until=until)
    with ctx.store.read() as view:
        terms, why = judged(ctx, view, engagement, attempt)
    digest = terms.digest if terms else ""
    if why:
        refuse(ctx, engagement, what=what, purpose=purpose, why=why, terms=digest)
    return Use(purpose, what, digest, until)


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


def in_effect(ctx: Context, on: Dealings) -> Terms | None:
    """The terms that both parties signed last; None before there are any."""
    ctx.require(Action.ENGAGEMENT_READ, on.resource())
    with ctx.store.read() as view:
        return text(view, on.id)


def refusals(ctx: Context, on: Dealings) -> tuple[RefusedUse, ...]:
    """Who tried what outside the terms, when, and why it was refused; oldest first."""
    ctx.require(Action.ENGAGEMENT_READ, on.resource())
    with ctx.store.read() as view:
        acts = [one.act for one in view.acts(engagement=on.id, kind=Kind.USE_REFUSED)]
    return tuple(
        RefusedUse(
            act.at,
            act.actor,
            str(act.detail.get("party", "")),
            str(act.detail.get("what", act.about)),
            str(act.detail.get("purpose", "")),
            str(act.detail.get("why", "")),
        )
        for act in acts
    )


def text(view: Reading, engagement: str) -> Terms | None:
    """The terms that both parties signed last, for a caller that has asked for its own action."""
    digest = core.in_effect(one.act for one in view.acts(engagement=engagement))
    return view.get(Terms, f"{engagement}/{digest}").value if digest else None


def _withdrawn(view: Reading, engagement: str, attempt: Attempt) -> str:
    over = view.acts(engagement=engagement, kind=Kind.ENGAGEMENT_WITHDRAWN)
    if not over or attempt.own:
        return ""
    at = instant(over[0].act.at)
    return f"the engagement was withdrawn at {at}; access to what is in it has ended"
