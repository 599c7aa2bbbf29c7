"""People: enrolled, granted, suspended and restored by administrators, each time as an act.

Acts that take access away need nothing but the role, and hold for the next request that anybody makes.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from leadline.app.context import OWN, Context
from leadline.app.ports import Reading
from leadline.core.access import (
    Action,
    Bounds,
    Circumstances,
    Explanation,
    Principal,
    Resource,
)
from leadline.core.clause import admits
from leadline.core.errors import Invalid, Refused
from leadline.core.grant import Grant, Scope, Suspension, check_grant, check_person, with_grants
from leadline.core.record.act import Kind, instant
from leadline.formats.roles_toml import Role, sound

SUSPENDABLE = ("org", "compartment", "engagement")


def present(view: Reading, person: Principal, now: datetime) -> Principal:
    """The person with what stands of its grants, as a context must be opened for it."""
    return with_grants(person, (row.value for row in view.find(Grant)), now)


def suspensions(view: Reading) -> frozenset[str]:
    """What is suspended beside persons, as `leadline.core.access.Circumstances` holds it."""
    return frozenset(row.id for row in view.find(Suspension))


def entry(person: Principal) -> Resource:
    """A person's entry, as access rules know it."""
    return Resource("principal", person.id, org=person.org, owner=person.id)


def enrol(ctx: Context, roles: Mapping[str, Role], person: Principal) -> None:
    """Enter one individual with roles and a day on which access ends; nothing else is given by it.

    Raises: Denied; Invalid, naming the field; Refused, if there is such a person.
    """
    ctx.require(Action.PRINCIPAL_ENROL, entry(person))
    check_person(person, ctx.now)
    _check_roles(roles, person.roles)
    with ctx.store.write() as tx:
        if any(one.id == person.id for one in tx.principals()):
            raise Refused(f"{person.id} is enrolled already; give grants, or suspend and restore")
        tx.put_principal(replace(person, suspended=False))
        tx.record(
            ctx.act(
                Kind.PRINCIPAL_ENROLLED,
                f"principal/{person.id}",
                "",
                org=person.org,
                roles=tuple(sorted(person.roles)),
                clearance=person.clearance,
                until=instant(person.access_until) if person.access_until else None,
            )
        )


def give(
    ctx: Context, roles: Mapping[str, Role], to: str, scope: Scope, named: str, until: datetime
) -> Grant:
    """Give or renew one grant, which ends by itself.

    Raises: Denied; NotFound, if there is no such person; Invalid, naming the field.
    """
    grant = Grant(to, scope, named, until, ctx.principal.id, ctx.now)
    ctx.require(Action.GRANT_GIVE, _resource(grant))
    with ctx.store.write() as tx:
        person = present(tx, tx.principal(to), ctx.now)
        check_grant(grant, person)
        if scope is Scope.ROLE:
            _check_roles(roles, person.roles | {named})
        rows = [row for row in tx.find(Grant) if row.id == grant.id]
        bounds = Bounds(owner=to)
        version = rows[0].version if rows else None
        tx.put(grant.id, grant, marking=OWN, bounds=bounds, expect=version)
        tx.record(
            ctx.act(
                Kind.GRANT_GIVEN,
                f"principal/{to}",
                _engagement(grant),
                scope=scope.value,
                name=named,
                until=instant(until),
                renewed=bool(rows),
            )
        )
    return grant


def end(ctx: Context, of: str, scope: Scope, named: str) -> None:
    """End one grant now.

    Raises: Denied; NotFound, if there is no such grant.
    """
    ended = Grant(of, scope, named, ctx.now, ctx.principal.id, ctx.now)
    ctx.require(Action.GRANT_END, _resource(ended))
    with ctx.store.write() as tx:
        tx.remove(Grant, ended.id)
        tx.record(
            ctx.act(
                Kind.GRANT_ENDED,
                f"principal/{of}",
                _engagement(ended),
                scope=scope.value,
                name=named,
            )
        )


def suspend(ctx: Context, what: str, reason: str) -> None:
    """Stop a person, or ``org:NAME``, ``compartment:NAME``, ``engagement:ID``, at the next request.

    Withdrawing from an engagement and ending access stay possible for everybody but a person who is
    suspended in person.

    Raises: Denied; NotFound, if there is no such person; Refused, if it is suspended already.
    """
    ctx.require(Action.PRINCIPAL_SUSPEND, _target(what))
    _check_reason(reason)
    with ctx.store.write() as tx:
        if _stopped(tx, what):
            raise Refused(f"{what} is suspended already")
        if ":" in what:
            tx.put(what, Suspension(what, ctx.now, ctx.principal.id, reason), marking=OWN)
        else:
            tx.put_principal(replace(tx.principal(what), suspended=True))
        tx.record(ctx.act(Kind.PRINCIPAL_SUSPENDED, f"principal/{what}", "", reason=reason))


def restore(ctx: Context, what: str, reason: str) -> None:
    """Let a person, or what was suspended beside persons, go on.

    Raises: Denied; NotFound, if there is no such person; Refused, if it is not suspended.
    """
    ctx.require(Action.PRINCIPAL_RESTORE, _target(what))
    _check_reason(reason)
    with ctx.store.write() as tx:
        if not _stopped(tx, what):
            raise Refused(f"{what} is not suspended")
        if ":" in what:
            tx.remove(Suspension, what)
        else:
            tx.put_principal(replace(tx.principal(what), suspended=False))
        tx.record(ctx.act(Kind.PRINCIPAL_RESTORED, f"principal/{what}", "", reason=reason))


@dataclass(frozen=True, slots=True)
class Listed:
    """One person with its grants. *due* are those that end soon unless somebody renews them."""

    person: Principal
    grants: tuple[Grant, ...]
    due: tuple[Grant, ...]


def listed(ctx: Context) -> tuple[Listed, ...]:
    """Everybody this person may know of, by id, with grants that stand."""
    given = Circumstances(ctx.now, assurance=ctx.assurance, suspended=ctx.suspended)
    clause = ctx.access.visible(ctx.principal, Action.PRINCIPAL_READ, "principal", given)
    with ctx.store.read() as view:
        seen = [one for one in view.principals() if admits(clause, entry(one))]
        grants = [row.value for row in view.find(Grant) if row.value.stands(ctx.now)]
    return tuple(
        Listed(
            one,
            tuple(grant for grant in grants if grant.principal == one.id),
            tuple(grant for grant in grants if grant.principal == one.id and grant.due(ctx.now)),
        )
        for one in seen
    )


Explain = Callable[[Principal, Action, Resource, Circumstances], Explanation]


def why(ctx: Context, explain: Explain, id_: str, action: Action, thing: Resource) -> Explanation:
    """What the rules say to this person, action and thing now, on what grounds, and what would change it.

    Asked as if signed in with two factors, with nothing signed and nothing proved.

    Raises: Denied; NotFound, if there is no such person.
    """
    ctx.require(Action.ACCESS_EXPLAIN, Resource("principal", id_, owner=id_))
    with ctx.store.read() as view:
        person = present(view, view.principal(id_), ctx.now)
        suspended = suspensions(view)
    return explain(person, action, thing, Circumstances(ctx.now, assurance=2, suspended=suspended))


def _resource(grant: Grant) -> Resource:
    return Resource("grant", grant.id, _engagement(grant), owner=grant.principal)


def _engagement(grant: Grant) -> str:
    return grant.name if grant.scope is Scope.ENGAGEMENT else ""


def _target(what: str) -> Resource:
    kind, colon, name = what.partition(":")
    if colon and (kind not in SUSPENDABLE or not name):
        wanted = ", ".join(f"{one}:NAME" for one in SUSPENDABLE)
        raise Invalid("what", f"name a person, or one of {wanted}")
    return Resource("principal", what, owner="" if colon else what)


def _stopped(view: Reading, what: str) -> bool:
    return what in suspensions(view) if ":" in what else view.principal(what).suspended


def _check_roles(roles: Mapping[str, Role], held: Iterable[str]) -> None:
    together = frozenset(held)
    for name in sorted(together - set(roles)):
        raise Invalid("roles", f"there is no role {name!r}; see `leadline access roles`")
    if not together:
        raise Invalid("roles", "name at least one role; see `leadline access roles`")
    if not sound(roles, together):
        raise Invalid("roles", f"{', '.join(sorted(together))}: two of them exclude each other")


def _check_reason(reason: str) -> None:
    if not reason.strip():
        raise Invalid("reason", "say why; it is part of the record")
