"""An organisation that looks after its own accounts: founded by two, with administrators and delegates.

Upheld here: the first administrators, and each later one, stand on two persons' signatures, because that
adds power; whoever takes power away needs nobody else; the last administrator is not ended without a
successor; nobody here reads anything of what the people of the organisation work on.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from leadline.app import approval, delegation, people, sign_in
from leadline.app.context import OWN, Context
from leadline.app.people import Listed
from leadline.app.ports import Reading, Writing, maybe
from leadline.core.access import Action, Bounds, Principal, Resource
from leadline.core.account import Invitation, Password
from leadline.core.approval import Detail, Granted, Request
from leadline.core.errors import Invalid, NotFound, Refused
from leadline.core.grant import PERSON_MAX, Grant, check_person
from leadline.core.organisation import (
    ADMINISTRATOR,
    ADMINISTRATORS_MIN,
    KEEPER,
    NEVER_CHARTERED,
    Delegation,
    Organisation,
    Task,
    Watch,
    active,
    administrators,
    check_charter,
    check_delegation,
    watch,
)
from leadline.core.record.act import Kind, instant
from leadline.formats.roles_toml import Role

FOUND, APPOINT = "organisation", "appoint"
FIRST_DAYS = timedelta(days=365)
ON_THE_WAY = timedelta(hours=1)  # what began so shortly ago was meant to begin now


@dataclass(frozen=True, slots=True)
class Named:
    """One of the first administrators as the form names it: an id, and a name for somebody new."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Begun:
    """An administrator of a new organisation. *code* is empty for somebody who can sign in already."""

    principal: str
    name: str
    code: str


def ask_founding(
    ctx: Context,
    roles: Mapping[str, Role],
    name: str,
    may: Iterable[str],
    clearance: int,
    first: Sequence[Named],
) -> Request:
    """Ask another administrator to sign: which organisation, what its people may be, who begins.

    Raises: Denied; Invalid, naming the field; Refused, if it was founded already.
    """
    thing = _installation(name)
    ctx.require(Action.ORGANISATION_FOUND, thing)
    charter = Organisation(name, frozenset(may), clearance, ctx.now, ctx.principal.id)
    check_charter(charter, roles)
    with ctx.store.read() as view:
        _first(ctx, view, charter, first)
    detail: dict[str, Detail] = {
        FOUND: name,
        "roles": tuple(sorted(charter.roles)),
        "clearance": clearance,
        "ids": tuple(one.id for one in first),
        "names": tuple(one.name for one in first),
    }
    return approval.ask(ctx, Action.ORGANISATION_FOUND, thing, detail)


def found(ctx: Context, roles: Mapping[str, Role], given: Granted) -> tuple[Begun, ...]:
    """Found what was signed; answers a one-time code for each administrator who is new, shown once.

    Raises: Denied; Invalid; Refused, if nobody else signed, or it was founded already.
    """
    name, told = str(given.request.detail.get(FOUND, "")), given.request.detail
    ctx.require(Action.ORGANISATION_FOUND, _installation(name), given)
    if not given.approvers - {ctx.principal.id}:
        raise Refused("a second administrator must sign this; ask one")
    may, ids, names = (_texts(told.get(one)) for one in ("roles", "ids", "names"))
    level = told.get("clearance")
    clearance = level if isinstance(level, int) else 0
    charter = Organisation(name, frozenset(may), clearance, ctx.now, ctx.principal.id)
    check_charter(charter, roles)
    with ctx.store.write() as tx:
        first = _first(ctx, tx, charter, [Named(*one) for one in zip(ids, names, strict=True)])
        approval.use(tx, given)
        tx.put(name, charter, marking=OWN, org=name)
        act = ctx.act(
            Kind.ORGANISATION_FOUNDED,
            f"organisation/{name}",
            "",
            roles=tuple(sorted(charter.roles)),
            clearance=clearance,
            request=given.request.id,
        )
        tx.record(act)
        for one in first:
            _appointed(ctx, tx, one, given.request.id)
        new = [one for one in first if not _can_sign_in(tx, one.id)]
    codes = {one.id: sign_in.invited(ctx, one.id) for one in new}
    return tuple(Begun(one.id, one.name, codes.get(one.id, "")) for one in first)


def _first(
    ctx: Context, view: Reading, charter: Organisation, first: Sequence[Named]
) -> list[Principal]:
    """The first administrators, new ones as they will be entered.

    Raises: Invalid, naming the field; Refused.
    """
    if maybe(view, Organisation, charter.name) is not None:
        raise Refused(f"{charter.name} was founded already; its administrators appoint others")
    if any(one.org == charter.name and KEEPER in one.roles for one in view.principals()):
        raise Invalid("organisation", "the installation's own administrators are of it")
    if len({one.id for one in first}) < max(ADMINISTRATORS_MIN, len(first)):
        raise Invalid("ids", "name two different persons at least")
    found = []
    for one in first:
        person = delegation.known(view, one.id)
        if person is None:
            held = frozenset({ADMINISTRATOR})
            person = Principal(
                one.id, one.name, charter.name, held, access_until=ctx.now + FIRST_DAYS
            )
            check_person(person, ctx.now)
        elif person.org != charter.name:
            raise Invalid("ids", f"{one.id} is of another organisation")
        elif not active(person, ctx.now):
            raise Invalid("ids", f"{one.id} is suspended, or access has ended")
        found.append(person)
    return found


def chartable(roles: Iterable[Role]) -> list[Role]:
    """The roles that an organisation's people may be given at all, by name."""
    fitting = [one for one in roles if one.id not in NEVER_CHARTERED]
    return sorted(fitting, key=lambda one: one.title)


def _can_sign_in(view: Reading, id_: str) -> bool:
    held = any(row.value.ended is None for row in approval.keys_of(view, id_))
    return held or maybe(view, Password, id_) is not None


def of(ctx: Context) -> "Accounts":
    """The caller's own organisation as whoever looks after its accounts sees it.

    Raises: Denied.
    """
    mine = ctx.principal.org
    by = delegation.acting(ctx, Action.PRINCIPAL_READ, Resource("principal", "all", org=mine))
    with ctx.store.read() as view:
        charter = maybe(view, Organisation, mine)
        persons = view.principals()
        rows = [row.value for row in view.find(Delegation) if row.value.org == mine]
        codes = [row.value for row in view.find(Invitation) if row.value.ended is None]
        mine_now = delegation.standing(view, ctx.principal.id, ctx.now)
    told = [one for one in people.listed(by) if one.person.org == mine]
    ids = {one.person.id for one in told}
    waiting = [
        Recovery(one.principal, one.due)
        for one in codes
        if one.recovery and one.principal in ids and (ctx.now < one.due or not one.over(ctx.now))
    ]
    return Accounts(
        mine,
        charter.value if charter else None,
        tuple(told),
        administrators(persons, mine, ctx.now),
        watch(persons, mine, ctx.now),
        tuple(sorted((one for one in rows if one.open(ctx.now)), key=lambda one: one.until)),
        tuple(waiting),
        tuple(mine_now),
    )


@dataclass(frozen=True, slots=True)
class Recovery:
    """An account that begins anew at *due*, unless somebody calls it off."""

    principal: str
    due: datetime


@dataclass(frozen=True, slots=True)
class Accounts:
    """One organisation's people. *standing_in* is what the caller himself does here for others."""

    name: str
    charter: Organisation | None
    people: tuple[Listed, ...]
    administrators: tuple[Principal, ...]
    watch: Watch
    delegations: tuple[Delegation, ...]
    recoveries: tuple[Recovery, ...]
    standing_in: tuple[Delegation, ...]


def one(ctx: Context, principal_id: str) -> people.Entry:
    """One person of the caller's own organisation.

    Raises: NotFound, in the same words where there is none and where it is of another.
    """
    found = people.one(ctx, principal_id)
    if found.person.org != ctx.principal.org:
        raise NotFound(f"no person {principal_id}")
    return found


def ask_appointment(ctx: Context, principal_id: str) -> Request:
    """Ask for another's signature under making somebody of the organisation an account administrator.

    Raises: Denied; NotFound; Refused, if the person cannot be one.
    """
    ctx, person = delegation.reached(ctx, Action.PRINCIPAL_APPOINT, principal_id)
    _appointable(person, ctx.now)
    about = people.entry(person)
    return approval.ask(ctx, Action.PRINCIPAL_APPOINT, about, {APPOINT: principal_id})


def appoint(ctx: Context, principal_id: str, given: Granted) -> None:
    """Make somebody an account administrator: the caller and one other signed for it.

    Raises: Denied; NotFound; Refused, if nobody signed whose signature counts, or the person cannot be
    one.
    """
    ctx, person = delegation.reached(ctx, Action.PRINCIPAL_APPOINT, principal_id, granted=given)
    if given.request.detail.get(APPOINT) != principal_id:
        raise Refused("those signatures are of another act")
    _appointable(person, ctx.now)
    if not given.approvers - {ctx.principal.id, principal_id}:
        raise Refused("a second person must sign this: the other account administrator, or one of "
                      "the installation's")  # fmt: skip
    with ctx.store.write() as tx:
        approval.use(tx, given)
        _appointed(ctx, tx, tx.principal(principal_id), given.request.id)


def _appointable(person: Principal, now: datetime) -> None:
    if ADMINISTRATOR in person.roles:
        raise Refused(f"{person.id} is an account administrator already")
    if person.access_until is None or not active(person, now):
        raise Refused("a person who is suspended or whose access has ended looks after nothing")


def _appointed(ctx: Context, tx: Writing, person: Principal, request: str) -> None:
    tx.put_principal(replace(person, roles=person.roles | {ADMINISTRATOR}))
    told = f"principal/{person.id}"
    tx.record(ctx.act(Kind.PRINCIPAL_APPOINTED, told, "", org=person.org, request=request))
    for row in tx.find(Delegation):
        if row.value.to == person.id and row.value.open(ctx.now):
            _end(ctx, tx, row.value)


def dismiss(ctx: Context, principal_id: str) -> None:
    """Let somebody no longer look after accounts; one may do it to oneself.

    Raises: Denied; NotFound; Refused, for the last one, or who is none.
    """
    ctx, person = delegation.reached(ctx, Action.PRINCIPAL_SUSPEND, principal_id)
    with ctx.store.write() as tx:
        person = tx.principal(principal_id)
        if ADMINISTRATOR not in person.roles:
            raise Refused(f"{principal_id} is no account administrator")
        people.succeeded(tx, person, ctx.now)
        tx.put_principal(replace(person, roles=person.roles - {ADMINISTRATOR}))
        tx.record(ctx.act(Kind.PRINCIPAL_DISMISSED, f"principal/{principal_id}", ""))
        _end_given(ctx, tx, principal_id)


def renew(ctx: Context, principal_id: str, until: datetime) -> None:
    """Let a person's access end later, within a year.

    Raises: Denied; NotFound; Invalid, naming the field; Refused, as `people.own_matter`, or where the
    account was ended.
    """
    ctx, _ = delegation.reached(ctx, Action.PRINCIPAL_ENROL, principal_id)
    with ctx.store.write() as tx:
        person = tx.principal(principal_id)
        people.own_matter(ctx, tx, person, person.roles - {ADMINISTRATOR}, person.clearance)
        if not active(person, ctx.now):
            raise Refused("this account is suspended or has ended; enter the person anew")
        if not ctx.now < until <= ctx.now + PERSON_MAX:
            raise Invalid("until", f"access ends on a day within {PERSON_MAX.days} days")
        tx.put_principal(replace(person, access_until=until))
        told = f"principal/{principal_id}"
        tx.record(ctx.act(Kind.PRINCIPAL_RENEWED, told, "", until=instant(until)))


def end_account(ctx: Context, principal_id: str, reason: str) -> None:
    """End an account for good, at once: whatever opens it, what was given to it, and for whom it acts.

    Raises: Denied; NotFound; Invalid, without a reason; Refused, for the last account administrator, and
    to the installation's administrators where the organisation looks after its own.
    """
    ctx, _ = delegation.reached(ctx, Action.PRINCIPAL_END, principal_id)
    people.check_reason(reason)
    with ctx.store.write() as tx:
        person = tx.principal(principal_id)
        if KEEPER in ctx.principal.roles and maybe(tx, Organisation, person.org):
            raise Refused(f"{person.org} ends its own accounts; suspend this one meanwhile")
        if person.access_until is not None and ctx.now >= person.access_until:
            raise Refused(f"{principal_id} has ended already")
        for role in (ADMINISTRATOR, KEEPER):
            if role in person.roles:
                people.succeeded(tx, person, ctx.now, role)
        tx.put_principal(replace(person, access_until=ctx.now))
        sign_in.cut_off(tx, ctx, principal_id)
        for grant in tx.find(Grant):
            if grant.value.principal == principal_id:
                tx.remove(Grant, grant.id)
        _end_given(ctx, tx, principal_id)
        told = f"principal/{principal_id}"
        tx.record(ctx.act(Kind.PRINCIPAL_ENDED, told, "", org=person.org, reason=reason))


def delegate(
    ctx: Context, to: str, tasks: Iterable[Task], begins: datetime, until: datetime
) -> Delegation:
    """Have somebody of the organisation do some of one's own tasks, for a stated time.

    Raises: Denied, to whoever looks after no accounts in the own right; NotFound; Invalid, naming the
    field.
    """
    with ctx.store.read() as view:
        person = delegation.known(view, to)
    org = person.org if person else ""
    if person is None or org != ctx.principal.org:
        ctx.require(Action.DELEGATION_GIVE, Resource("grant", "all", org=ctx.principal.org))
        raise NotFound(f"no person {to}")
    ctx.require(Action.DELEGATION_GIVE, Resource("grant", to, org=org, owner=to))
    made = Delegation(
        ctx.new_id("delegation"),
        org,
        ctx.principal.id,
        to,
        frozenset(tasks),
        begins if begins < ctx.now - ON_THE_WAY else max(begins, ctx.now),
        until,
        ctx.now,
    )
    check_delegation(made, ctx.principal, person)
    with ctx.store.write() as tx:
        tx.put(made.id, made, marking=OWN, org=org, bounds=Bounds(owner=to))
        tx.record(
            ctx.act(
                Kind.DELEGATION_GIVEN,
                f"principal/{to}",
                "",
                given=made.id,
                tasks=tuple(sorted(one.value for one in made.tasks)),
                begins=instant(made.begins),
                until=instant(until),
            )
        )
    return made


def end_delegation(ctx: Context, delegation_id: str) -> None:
    """End one now: whoever gave it, whom it was given to, or an account administrator of the same.

    Raises: NotFound, in the same words where there is none and where it is not the caller's; Refused,
    if it ended already.
    """
    absent = NotFound(f"no delegation {delegation_id}")
    with ctx.store.read() as view:
        row = maybe(view, Delegation, delegation_id)
    on = row.value if row else None
    thing = Resource("grant", delegation_id, org=on.org if on else "")
    mine = on is not None and ctx.principal.id in {on.of, on.to}
    if on is None or not (ctx.decision(Action.GRANT_END, thing).allowed or mine):
        raise absent
    with ctx.store.write() as tx:
        again = tx.get(Delegation, delegation_id).value
        if not again.open(ctx.now):
            raise Refused("this delegation has ended already")
        _end(ctx, tx, again)


def _end_given(ctx: Context, tx: Writing, id_: str) -> None:
    for row in tx.find(Delegation):
        if id_ in {row.value.of, row.value.to} and row.value.open(ctx.now):
            _end(ctx, tx, row.value)


def _end(ctx: Context, tx: Writing, on: Delegation) -> None:
    row = tx.get(Delegation, on.id)
    value = replace(row.value, ended=ctx.now)
    tx.put(on.id, value, marking=OWN, org=row.org, bounds=row.bounds, expect=row.version)
    tx.record(ctx.act(Kind.DELEGATION_ENDED, f"principal/{on.to}", "", given=on.id))


def watched(ctx: Context) -> tuple[tuple[Organisation, Watch], ...]:
    """Every organisation that was founded, with how many look after it: what is wanting first.

    Raises: Denied.
    """
    ctx.require(Action.PRINCIPAL_READ, Resource("principal", "all"))
    with ctx.store.read() as view:
        return standing(view, ctx.now)


def standing(view: Reading, now: datetime) -> tuple[tuple[Organisation, Watch], ...]:
    """As `watched`, within whatever asked the rules already."""
    persons = view.principals()
    rows = [(row.value, watch(persons, row.id, now)) for row in view.find(Organisation)]
    return tuple(sorted(rows, key=lambda one: (not one[1].words, one[0].name)))


def _installation(name: str) -> Resource:
    return Resource("installation", name)


def _texts(value: object) -> tuple[str, ...]:
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, tuple) else ()
