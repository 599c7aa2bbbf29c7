"""People: enrolled, granted, suspended and restored by administrators, each time as an act.

Acts that take access away need nothing but the role, and hold for the next request that anybody makes.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from leadline.app import delegation
from leadline.app.context import OWN, Context
from leadline.app.ports import Reading, Writing, maybe
from leadline.core.access import (
    Action,
    Bounds,
    Circumstances,
    Explanation,
    Principal,
    Resource,
)
from leadline.core.account import Invitation, Password, RegisteredKey
from leadline.core.clause import Fact, admits, one_of
from leadline.core.errors import Denied, Invalid, NotFound, Refused
from leadline.core.grant import Grant, Scope, Suspension, check_grant, check_person, with_grants
from leadline.core.organisation import (
    ADMINISTRATOR,
    KEEPER,
    Organisation,
    Stopped,
    administers,
    check_within,
)
from leadline.core.record.act import Kind, instant
from leadline.formats.roles_toml import Role, sound

SUSPENDABLE = ("org", "compartment", "engagement")


def present(view: Reading, person: Principal, now: datetime) -> Principal:
    """The person with what stands of its grants, as a context must be opened for it."""
    # Its own alone: this is asked for each request.
    rows = view.find(Grant, visible=one_of(Fact.OWNER, [person.id]))
    return with_grants(person, (row.value for row in rows), now)


def suspensions(view: Reading) -> frozenset[str]:
    """What is suspended beside persons, as `leadline.core.access.Circumstances` holds it."""
    return frozenset(row.id for row in view.find(Suspension))


def entry(person: Principal) -> Resource:
    """A person's entry, as access rules know it."""
    return Resource("principal", person.id, org=person.org, owner=person.id)


def enrol(ctx: Context, roles: Mapping[str, Role], person: Principal) -> None:
    """Enter one individual with roles and a day on which access ends; nothing else is given by it.

    Raises: Denied; Invalid, naming the field; Refused, if there is such a person, or the organisation
    has account administrators of its own, of whom the caller is none.
    """
    ctx = delegation.acting(ctx, Action.PRINCIPAL_ENROL, entry(person))
    check_person(person, ctx.now)
    _check_roles(roles, person.roles)
    with ctx.store.write() as tx:
        own_matter(ctx, tx, person, person.roles, person.clearance)
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
    about = named if scope is Scope.ENGAGEMENT else ""
    ctx, _ = delegation.reached(ctx, Action.GRANT_GIVE, to, "grant", engagement=about)
    grant = Grant(to, scope, named, until, ctx.principal.id, ctx.now)
    with ctx.store.write() as tx:
        person = present(tx, tx.principal(to), ctx.now)
        check_grant(grant, person)
        if scope is Scope.ROLE:
            own_matter(ctx, tx, person, {named}, 0)
            _check_roles(roles, person.roles | {named})
        elif KEEPER not in ctx.principal.roles:
            raise Invalid(
                "scope", "you give roles; the installation's administrators name for the rest"
            )
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
    about = named if scope is Scope.ENGAGEMENT else ""
    ctx, _ = delegation.reached(ctx, Action.GRANT_END, of, "grant", engagement=about)
    ended = Grant(of, scope, named, ctx.now, ctx.principal.id, ctx.now)
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

    Raises: Denied; NotFound, if there is no such person; Refused, if it is suspended already, or it is
    the last account administrator of the caller's own organisation.
    """
    ctx = _reached(ctx, Action.PRINCIPAL_SUSPEND, what)
    check_reason(reason)
    with ctx.store.write() as tx:
        if _stopped(tx, what):
            raise Refused(f"{what} is suspended already")
        if ":" not in what:
            _stop(ctx, tx, tx.principal(what))
        if ":" in what:
            tx.put(what, Suspension(what, ctx.now, ctx.principal.id, reason), marking=OWN)
        else:
            tx.put_principal(replace(tx.principal(what), suspended=True))
        tx.record(ctx.act(Kind.PRINCIPAL_SUSPENDED, f"principal/{what}", "", reason=reason))


def restore(ctx: Context, what: str, reason: str) -> None:
    """Let a person, or what was suspended beside persons, go on.

    Raises: Denied; NotFound, if there is no such person; Refused, if it is not suspended, or somebody
    of another organisation suspended it than the one that looks after it.
    """
    ctx = _reached(ctx, Action.PRINCIPAL_RESTORE, what)
    check_reason(reason)
    with ctx.store.write() as tx:
        if not _stopped(tx, what):
            raise Refused(f"{what} is not suspended")
        if ":" not in what:
            _go_on(ctx, tx, tx.principal(what))
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


def administered(ctx: Context) -> tuple[Listed, ...]:
    """Everybody, for those who look after people or audit it.

    Raises: Denied.
    """
    ctx.require(Action.PRINCIPAL_READ, Resource("principal", "all"))
    return listed(ctx)


@dataclass(frozen=True, slots=True)
class Entry:
    """One person with what an administrator decides upon: grants, open codes, and how it can sign in."""

    person: Principal
    grants: tuple[Grant, ...]
    codes: tuple[Invitation, ...]
    keys: int
    password: bool


def one(ctx: Context, id_: str) -> Entry:
    """One person.

    Raises: NotFound, in the same words where there is none and where it is not this person's to know.
    """
    absent = NotFound(f"no person {id_}")
    try:
        delegation.reached(ctx, Action.PRINCIPAL_READ, id_)
        with ctx.store.read() as view:
            person = view.principal(id_)
            grants = [row.value for row in view.find(Grant) if row.value.principal == id_]
            codes = [row.value for row in view.find(Invitation) if row.value.principal == id_]
            keys = [row.value for row in view.find(RegisteredKey) if row.value.principal == id_]
            password = maybe(view, Password, id_) is not None
    except (Denied, NotFound):
        raise absent from None
    return Entry(
        person,
        tuple(grant for grant in grants if grant.stands(ctx.now)),
        tuple(code for code in codes if code.ended is None and not _run_out(code, ctx.now)),
        sum(key.held(ctx.now) for key in keys),
        password,
    )


@dataclass(frozen=True, slots=True)
class KnownPerson:
    """An entry without what stands for a secret: how many codes wait, and how many keys are registered."""

    who: Principal
    given: tuple[Grant, ...]
    codes_waiting: int
    keys_held: int
    has_password: bool


def shown(ctx: Context, id_: str) -> KnownPerson:
    """One person, as it may leave the installation. Raises: as `one`."""
    found = one(ctx, id_)
    return KnownPerson(found.person, found.grants, len(found.codes), found.keys, found.password)


def _run_out(code: Invitation, now: datetime) -> bool:
    return now >= code.due and bool(code.over(now))


def suspended(ctx: Context) -> tuple[Suspension, ...]:
    """What is suspended beside persons, the latest first.

    Raises: Denied.
    """
    ctx.require(Action.PRINCIPAL_READ, Resource("principal", "all"))
    with ctx.store.read() as view:
        found = [row.value for row in view.find(Suspension)]
    return tuple(sorted(found, key=lambda each: (each.at, each.id), reverse=True))


Explain = Callable[[Principal, Action, Resource, Circumstances], Explanation]


def why(
    ctx: Context, explain: Explain, id_: str, action: Action, thing: Callable[[], Resource]
) -> Explanation:
    """What the rules say to this person, action and thing now, on what grounds, and what would change it.

    Asked as if signed in with two factors, with nothing signed and nothing proved. *thing* looks the thing
    up: whoever may not ask is told nothing of whether it is there.

    Raises: Denied; NotFound, if there is no such person; otherwise as *thing*.
    """
    ctx.require(Action.ACCESS_EXPLAIN, Resource("principal", id_, owner=id_))
    with ctx.store.read() as view:
        person = present(view, view.principal(id_), ctx.now)
        suspended = suspensions(view)
    given = Circumstances(ctx.now, assurance=2, suspended=suspended)
    return explain(person, action, thing(), given)


def _engagement(grant: Grant) -> str:
    return grant.name if grant.scope is Scope.ENGAGEMENT else ""


def _reached(ctx: Context, action: Action, what: str) -> Context:
    """The context to suspend or restore in. Raises: Invalid; otherwise as `delegation.reached`."""
    kind, colon, name = what.partition(":")
    if not colon:
        return delegation.reached(ctx, action, what)[0]
    if kind not in SUSPENDABLE or not name:
        wanted = ", ".join(f"{one}:NAME" for one in SUSPENDABLE)
        raise Invalid("what", f"name a person, or one of {wanted}")
    return delegation.acting(ctx, action, Resource("principal", what))


def own_matter(
    ctx: Context, view: Reading, person: Principal, roles: Iterable[str], clearance: int
) -> None:
    """Return if *ctx* may have *person* hold these, by whose business the organisation's accounts are.

    Raises: Refused, where the organisation looks after its own, or nobody founded it; Invalid, beyond
    what its people may hold.
    """
    charter = maybe(view, Organisation, person.org)
    if KEEPER in ctx.principal.roles:
        if charter is not None:
            raise Refused(f"{person.org} has account administrators of its own; they do this")
        if ADMINISTRATOR in roles:
            raise Refused("found the organisation; two persons sign for its first administrators")
        return
    if charter is None:
        raise Refused(f"{person.org} is founded by the installation's administrators first")
    if ADMINISTRATOR in roles:
        raise Refused(
            "an account administrator is made by appointment, which a second person signs"
        )
    check_within(charter.value, roles, clearance)


def succeeded(view: Reading, person: Principal, now: datetime, role: str = ADMINISTRATOR) -> None:
    """Return unless *person* is the last who looks after accounts there.

    Raises: Refused.
    """
    there = [one for one in view.principals() if one.org == person.org]
    if [one.id for one in there if administers(one, now, role)] == [person.id]:
        raise Refused(f"the last {role.replace('-', ' ')}: appoint a successor first")


def _stop(ctx: Context, tx: Writing, person: Principal) -> None:
    if person.org == ctx.principal.org:
        succeeded(tx, person, ctx.now)
    row = maybe(tx, Stopped, person.id)
    made = Stopped(person.id, ctx.now, ctx.principal.id, ctx.principal.org)
    tx.put(person.id, made, marking=OWN, expect=row.version if row else None)


def _go_on(ctx: Context, tx: Writing, person: Principal) -> None:
    row = maybe(tx, Stopped, person.id)
    own = row is not None and row.value.org == person.org
    if KEEPER not in ctx.principal.roles and not own:
        raise Refused("the installation's administrators suspended this person; ask them")
    if row is not None:
        tx.remove(Stopped, person.id)


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


def check_reason(reason: str) -> None:
    """Return if something is said. Raises: Invalid."""
    if not reason.strip():
        raise Invalid("reason", "say why; it is part of the record")
