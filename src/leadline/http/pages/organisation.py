"""The accounts of one's own organisation, for those who look after them and for their delegates."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from fastapi import APIRouter, Response

from leadline.app import approval, delegation, organisation, people, sign_in
from leadline.app.approval import Pending
from leadline.core.access import Action, Principal, Resource
from leadline.core.errors import Invalid
from leadline.core.grant import GRANT_MAX, Scope
from leadline.core.organisation import ADMINISTRATOR, DELEGATION_MAX, Organisation, Task
from leadline.http.pages.admin import ADMINISTRATOR as KEEPERS
from leadline.http.pages.admin import code_page, last_moment
from leadline.http.pages.frame import SAID, WAYS, Me, Posted, Visit, Way, again
from leadline.http.pages.start import CARDS, Card
from leadline.wiring import people as wiring

ROUTES = APIRouter()
OWN = "/organisation"
WAYS.append(Way("Accounts", OWN, frozenset({ADMINISTRATOR})))
SAID |= {
    "own-entered": "The person is entered. Make an invitation next: without one nobody can sign in.",
    "own-suspended": "Suspended, from the next request on.",
    "own-restored": "Restored.",
    "own-ended": "The account is ended: nothing opens it any more, and nothing was left to it.",
    "own-renewed": "Access ends later now.",
    "own-granted": "Given. It ends by itself on that day; renew it before then if it is still needed.",
    "own-grant-ended": "Ended, from the next request on.",
    "own-session-ended": "That session is ended, from its next request on.",
    "own-asked": "A second person must sign this within fifteen minutes. Tell one of them now.",
    "own-appointed": "This person looks after accounts of your organisation now.",
    "own-dismissed": "This person no longer looks after accounts.",
    "own-called-off": "Called off. The code opens nothing any more.",
    "own-delegated": "Named. What this person does meanwhile says for whom.",
    "own-delegation-ended": "That delegation is ended, from the next request on.",
    "founding-asked": "A second administrator must sign this within fifteen minutes. Tell one of them now.",
}
# What each task is, as a form says it.
TASKS = {
    Task.ENTER: "Enter people, invite them, and renew their access",
    Task.ROLES: "Give and end roles",
    Task.STOP: "Suspend and restore people, end their sessions and credentials",
    Task.END: "End accounts for good",
    Task.RECOVER: "Ask for a recovery; another account administrator still signs it",
}


def _waiting(visit: Visit) -> Iterable[Card]:
    """What an account administrator is warned of, and whom a delegate stands in for."""
    ctx = visit.ctx
    if ADMINISTRATOR in visit.roles:
        found = organisation.of(ctx)
        if found.watch.words:
            yield Card("Account administrators", found.watch.words, OWN, rank=1)
        for one in found.recoveries:
            words = f"The code for {one.principal} counts from {one.due:%d %B %H:%M} UTC on. Did you expect it?"
            yield Card("An account is being recovered", words, f"{OWN}/people/{one.principal}", 0)
        return
    with ctx.store.read() as view:
        standing_in = delegation.standing(view, ctx.principal.id, ctx.now)
    for each in standing_in:
        words = f"You act for {each.of} until {each.until:%d %B %H:%M} UTC. Every act says so."
        yield Card(f"Accounts of {each.org}", words, OWN, rank=2)


CARDS.append(_waiting)


@ROUTES.get("/organisation")
def show(me: Me) -> Response:
    """Everybody of the organisation, who looks after them, and who stands in for whom."""
    return me.page("organisation/accounts.html.j2", of=organisation.of(me.ctx), tasks=TASKS)


def _roles(charter: Organisation | None) -> list[tuple[str, str]]:
    known = wiring.roles()
    may = sorted(charter.roles) if charter else []
    return [(one, f"{known[one].title}: {known[one].summary}") for one in may]


@ROUTES.get("/organisation/people/new")
def enter_page(me: Me) -> Response:
    """Who is to be entered."""
    found = organisation.of(me.ctx)
    return me.page("organisation/enter.html.j2", of=found, roles=_roles(found.charter))


@ROUTES.post("/organisation/people")
@again(enter_page)
def enter(me: Posted) -> Response:
    """Enter one individual of the own organisation."""
    form = me.form
    person = Principal(
        form.text("id", longest=100),
        form.text("name", longest=200),
        me.ctx.principal.org,
        frozenset(form.many("roles")),
        access_until=last_moment(form, "until"),
    )
    people.enrol(me.ctx, wiring.roles(), person)
    return me.go(f"{OWN}/people/{person.id}", said="own-entered")


def _mine(me: Visit, person: str, name: str, action: Action) -> Pending | None:
    """The open request of the caller about this person, if there is one."""
    thing = Resource("principal", person, org=me.ctx.principal.org, owner=person)
    # Asked as a delegate asked for it; a signature that is still due is no reason not to show it.
    ctx = delegation.way(me.ctx, action, thing) or me.ctx
    mine = (one for one in approval.waiting(ctx) if one.request.requester == ctx.principal.id)
    return next((one for one in mine if one.request.detail.get(name) == person), None)


@ROUTES.get("/organisation/people/{person}")
def one(person: str, me: Me) -> Response:
    """One person: how it signs in, what it holds, and what may be done about it."""
    found, all_ = organisation.one(me.ctx, person), organisation.of(me.ctx)
    me_too = person == me.ctx.principal.id
    return me.page(
        "organisation/person.html.j2",
        found=found,
        of=all_,
        me_too=me_too,
        roles=_roles(all_.charter),
        sessions=sign_in.sessions(me.ctx, person),
        recovery=_mine(me, person, "recovery", Action.PRINCIPAL_RECOVER),
        appointment=_mine(me, person, "appoint", Action.PRINCIPAL_APPOINT),
        longest=(me.ctx.now + GRANT_MAX - timedelta(days=1)).date().isoformat(),
    )


def _back(me: Visit, person: str, said: str) -> Response:
    return me.go(f"{OWN}/people/{person}", said=said)


@ROUTES.post("/organisation/people/{person}/invitation")
def invite(person: str, me: Posted) -> Response:
    """A code with which the person begins the account; shown on this page and nowhere else."""
    organisation.one(me.ctx, person)
    code = sign_in.invite(me.ctx, person)
    return code_page(me, person, code, "An invitation", "It counts at once, for seven days.")


@ROUTES.post("/organisation/people/{person}/suspension")
@again(one)
def suspend(person: str, me: Posted) -> Response:
    """Stop one person at the next request."""
    organisation.one(me.ctx, person)
    people.suspend(me.ctx, person, me.form.text("reason", longest=1_000))
    return _back(me, person, "own-suspended")


@ROUTES.post("/organisation/people/{person}/restoration")
@again(one)
def restore(person: str, me: Posted) -> Response:
    """Let one person go on."""
    organisation.one(me.ctx, person)
    people.restore(me.ctx, person, me.form.text("reason", longest=1_000))
    return _back(me, person, "own-restored")


@ROUTES.post("/organisation/people/{person}/ending")
@again(one)
def end_account(person: str, me: Posted) -> Response:
    """End an account for good."""
    organisation.one(me.ctx, person)
    organisation.end_account(me.ctx, person, me.form.text("why", longest=1_000))
    return me.go(OWN, said="own-ended")


@ROUTES.post("/organisation/people/{person}/renewal")
@again(one)
def renew(person: str, me: Posted) -> Response:
    """Let a person's access end later."""
    organisation.one(me.ctx, person)
    organisation.renew(me.ctx, person, last_moment(me.form, "until"))
    return _back(me, person, "own-renewed")


@ROUTES.post("/organisation/people/{person}/roles")
@again(one)
def give(person: str, me: Posted) -> Response:
    """Give or renew a role, for 30 days at most."""
    organisation.one(me.ctx, person)
    until = last_moment(me.form, "role_until")
    named = me.form.text("roles", longest=100)
    try:
        people.give(me.ctx, wiring.roles(), person, Scope.ROLE, named, until)
    except Invalid as error:  # the page has another field that is called so
        field = "role_until" if error.field == "until" else error.field
        raise Invalid(field, error.problem) from None
    return _back(me, person, "own-granted")


@ROUTES.post("/organisation/people/{person}/grants/end")
@again(one)
def end_grant(person: str, me: Posted) -> Response:
    """End a grant now."""
    organisation.one(me.ctx, person)
    people.end(me.ctx, person, me.form.one("scope", Scope), me.form.text("name", longest=200))
    return _back(me, person, "own-grant-ended")


@ROUTES.post("/organisation/people/{person}/sessions/{session}/end")
def end_session(person: str, session: str, me: Posted) -> Response:
    """End one session at once."""
    organisation.one(me.ctx, person)
    sign_in.revoke(me.ctx, session)
    return _back(me, person, "own-session-ended")


@ROUTES.post("/organisation/people/{person}/recovery-request")
@again(one)
def ask_recovery(person: str, me: Posted) -> Response:
    """Ask a second person to sign the recovery of somebody who lost every key."""
    organisation.one(me.ctx, person)
    sign_in.ask_recovery(me.ctx, person)
    return _back(me, person, "own-asked")


@ROUTES.post("/organisation/people/{person}/recovery")
@again(one)
def recover(person: str, me: Posted) -> Response:
    """Begin the recovery that a second person signed; its code counts a day later."""
    organisation.one(me.ctx, person)
    given = approval.granted(me.ctx, me.form.text("request", longest=200))
    code = sign_in.recover(me.ctx, person, given)
    told = "It counts a day from now, unless the person or an account administrator calls it off. All of them are told."
    return code_page(me, person, code, "A recovery", told)


@ROUTES.post("/organisation/people/{person}/recovery/end")
def call_off(person: str, me: Posted) -> Response:
    """Call off every code with which somebody could begin this account anew."""
    organisation.one(me.ctx, person)
    sign_in.call_off(me.ctx, person)
    return _back(me, person, "own-called-off")


@ROUTES.post("/organisation/people/{person}/appointment-request")
@again(one)
def ask_appointment(person: str, me: Posted) -> Response:
    """Ask a second person to sign that this one looks after accounts."""
    organisation.one(me.ctx, person)
    organisation.ask_appointment(me.ctx, person)
    return _back(me, person, "own-asked")


@ROUTES.post("/organisation/people/{person}/appointment")
@again(one)
def appoint(person: str, me: Posted) -> Response:
    """Make an account administrator, as a second person signed."""
    organisation.one(me.ctx, person)
    given = approval.granted(me.ctx, me.form.text("request", longest=200))
    organisation.appoint(me.ctx, person, given)
    return _back(me, person, "own-appointed")


@ROUTES.post("/organisation/people/{person}/dismissal")
@again(one)
def dismiss(person: str, me: Posted) -> Response:
    """Let somebody no longer look after accounts."""
    organisation.one(me.ctx, person)
    mine = person == me.ctx.principal.id
    organisation.dismiss(me.ctx, person)
    return me.go("/" if mine else f"{OWN}/people/{person}", said="own-dismissed")


@ROUTES.get("/organisation/delegations/new")
def delegate_page(me: Me) -> Response:
    """Whom to name, for what, from when until when."""
    me.ctx.require(Action.DELEGATION_GIVE, Resource("grant", "all", org=me.ctx.principal.org))
    found = organisation.of(me.ctx)
    fitting = [
        (one.person.id, f"{one.person.name} ({one.person.id})")
        for one in found.people
        if ADMINISTRATOR not in one.person.roles and not one.person.suspended
    ]
    return me.page(
        "organisation/delegate.html.j2",
        of=found,
        fitting=fitting,
        tasks=[(task.value, words) for task, words in TASKS.items()],
        today=me.ctx.now.date().isoformat(),
        longest=DELEGATION_MAX.days,
    )


def _first_moment(me: Visit) -> datetime:
    try:
        day = datetime.fromisoformat(me.form.text("begins", longest=10)).replace(tzinfo=UTC)
    except ValueError:
        raise Invalid("begins", "write a day such as 2027-06-01") from None
    return me.ctx.now if day.date() == me.ctx.now.date() else day


@ROUTES.post("/organisation/delegations")
@again(delegate_page)
def delegate(me: Posted) -> Response:
    """Name a delegate."""
    form, known = me.form, {one.value for one in Task}
    tasks = [Task(one) for one in form.many("tasks") if one in known]
    to, until = form.text("to", longest=100), last_moment(form, "until")
    organisation.delegate(me.ctx, to, tasks, _first_moment(me), until)
    return me.go(OWN, said="own-delegated")


@ROUTES.post("/organisation/delegations/{delegation}/end")
def end_delegation(delegation: str, me: Posted) -> Response:
    """End a delegation now."""
    organisation.end_delegation(me.ctx, delegation)
    here = ADMINISTRATOR in me.roles
    return me.go(OWN if here else "/", said="own-delegation-ended")


@ROUTES.get("/admin/organisations")
def organisations(me: Me) -> Response:
    """Every organisation that looks after its own accounts; what is wanting stands first."""
    found = organisation.watched(me.ctx)
    open_ = [
        one
        for one in approval.waiting(me.ctx)
        if one.request.action is Action.ORGANISATION_FOUND
        and one.request.requester == me.ctx.principal.id
    ]
    keeper = bool(me.roles & KEEPERS)
    return me.page("organisation/all.html.j2", found=found, asked=open_, keeper=keeper)


@ROUTES.get("/admin/organisations/new")
def found_page(me: Me) -> Response:
    """Which organisation, what its people may be, and who begins."""
    organisation.watched(me.ctx)
    known = wiring.roles().values()
    roles = [(one.id, f"{one.title}: {one.summary}") for one in organisation.chartable(known)]
    return me.page("organisation/found.html.j2", roles=roles)


@ROUTES.post("/admin/organisations")
@again(found_page)
def ask_founding(me: Posted) -> Response:
    """Ask a second administrator to sign."""
    form = me.form
    first = [
        organisation.Named(form.text(f"id{at}", longest=100), form.text(f"name{at}", longest=200))
        for at in (1, 2)
    ]
    organisation.ask_founding(
        me.ctx,
        wiring.roles(),
        form.text("organisation", longest=200),
        form.many("roles"),
        form.number("clearance", 0, 9),
        first,
    )
    return me.go("/admin/organisations", said="founding-asked")


@ROUTES.post("/admin/organisations/foundings")
@again(organisations)
def found(me: Posted) -> Response:
    """Found what a second administrator signed; shows a code for each first administrator, once."""
    given = approval.granted(me.ctx, me.form.text("request", longest=200))
    begun = organisation.found(me.ctx, wiring.roles(), given)
    place = f"{me.portal.door.site.origin}/invitation"
    return me.page(
        "organisation/founded.html.j2",
        begun=begun,
        name=given.request.detail["organisation"],
        place=place,
    )
