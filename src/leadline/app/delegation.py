"""Acting for somebody: what an account administrator has another do meanwhile, within what he may himself.

Upheld here: the rules are asked about both at the moment of each use, the delegate and the one he acts for,
so that a delegation is never wider than what its giver holds, and falls with it; only the giver's own
roles count, so that nothing is handed on; every act says for whom it was done and by which delegation; a
delegate does nothing to the administrators themselves.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from leadline.app.context import Context
from leadline.app.ports import Access, Reading
from leadline.core.access import (
    Action,
    Circumstances,
    Decision,
    Principal,
    Resource,
    Tenancy,
)
from leadline.core.approval import Granted
from leadline.core.clause import Always, Clause, Fact, one_of
from leadline.core.errors import Denied, NotFound, Refused
from leadline.core.grant import Grant, with_grants
from leadline.core.organisation import ADMINISTRATOR, SEEN, Delegation

RULE = "delegation-scope"
REASON = "this was not delegated"


@dataclass(frozen=True, slots=True)
class DelegatedAccess:
    """Rules as they are for a delegate: what the giver may do, and nothing that stands against either."""

    rules: Access
    giver: Principal
    deeds: frozenset[Action]

    def decide(
        self, principal: Principal, action: Action, resource: Resource, given: Circumstances
    ) -> Decision:
        """As the port; whatever forbids it to the delegate himself stands."""
        if action not in self.deeds:
            return Decision(allowed=False, rules=(RULE,), reason=REASON)
        own = self.rules.decide(principal, action, resource, given)
        if not own.allowed and own.rules:
            return own
        return self.rules.decide(self.giver, action, resource, given)

    def visible(
        self, principal: Principal, action: Action, kind: str, given: Circumstances
    ) -> Clause:
        """As the port, of what the giver sees."""
        if action not in self.deeds or principal.suspended:
            return Always(answer=False)
        return self.rules.visible(self.giver, action, kind, given)

    def tenancy(self, principal: Principal) -> Tenancy:
        """As the port: both are of one organisation."""
        return self.rules.tenancy(principal)


def standing(view: Reading, to: str, now: datetime) -> Sequence[Delegation]:
    """What stands of the delegations to one person, the earliest first."""
    rows = view.find(Delegation, visible=one_of(Fact.OWNER, [to]))
    found = [row.value for row in rows if row.value.to == to]
    return sorted((one for one in found if one.stands(now)), key=lambda one: (one.begins, one.id))


def acting(
    ctx: Context, action: Action, thing: Resource, granted: Granted | None = None
) -> Context:
    """The context to do it in: the caller's own, or one in which the caller does it for another.

    Raises: Denied, as the caller's own roles are.
    """
    found = way(ctx, action, thing, granted)
    if found is None:
        ctx.require(action, thing, granted)
    return found or ctx


def way(
    ctx: Context, action: Action, thing: Resource, granted: Granted | None = None
) -> Context | None:
    """As `acting`, and None where there is no way, of which no trace is left."""
    if ctx.decision(action, thing, granted).allowed:
        return ctx
    with ctx.store.read() as view:
        deputies = [_deputy(ctx, view, one) for one in standing(view, ctx.principal.id, ctx.now)]
    fitting = (one for one in deputies if one.decision(action, thing, granted).allowed)
    return next(fitting, None)


def _deputy(ctx: Context, view: Reading, one: Delegation) -> Context:
    giver = view.principal(one.of)
    if giver.org != ctx.principal.org:
        return ctx
    grants = [row.value for row in view.find(Grant) if row.value.principal == giver.id]
    rules = DelegatedAccess(ctx.access, with_grants(giver, grants, ctx.now), one.deeds)
    return replace(ctx, access=rules, behalf=one.of, delegation=one.id)


def reached(
    ctx: Context,
    action: Action,
    id_: str,
    kind: str = "principal",
    *,
    granted: Granted | None = None,
    engagement: str = "",
) -> tuple[Context, Principal]:
    """The person with that id, and the context to do *action* in.

    To whoever looks after one organisation, people of others are as people that there are not.

    Raises: Denied; NotFound; Refused, for a delegate, about an account administrator.
    """
    with ctx.store.read() as view:
        person = known(view, id_)
        confined = ADMINISTRATOR in ctx.principal.roles or bool(
            standing(view, ctx.principal.id, ctx.now)
        )
    org = person.org if person else ""
    thing = Resource(kind, id_, engagement, org, owner=id_)
    absent = NotFound(f"no person {id_}")
    try:
        by = acting(ctx, action, thing, granted)
    except Denied:
        if confined and (person is None or org != ctx.principal.org):
            raise absent from None
        raise
    if person is None:
        raise absent
    if action not in SEEN:
        spare(by, person)
    return by, person


def spare(ctx: Context, person: Principal | None) -> None:
    """Return unless a delegate is about to do something to an account administrator.

    Raises: Refused.
    """
    if ctx.behalf and person is not None and ADMINISTRATOR in person.roles:
        raise Refused("a delegate does nothing to an account administrator; another one does")


def known(view: Reading, id_: str) -> Principal | None:
    """The person, or None where its absence is an answer."""
    found: Principal | None
    try:
        found = view.principal(id_)
    except NotFound:
        found = None
    return found
