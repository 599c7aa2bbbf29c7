"""Administration: people and what they were given, alerts, and the machinery. No content is here."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from fastapi import APIRouter, Response

from leadline import settings
from leadline.app import alerts, approval, machinery, people, sign_in
from leadline.core.access import Action, Principal
from leadline.core.errors import Invalid
from leadline.core.grant import GRANT_MAX, Scope
from leadline.http.pages.form import Form
from leadline.http.pages.frame import SAID, WAYS, Me, Posted, Visit, Way, again
from leadline.http.pages.start import CARDS, Card
from leadline.wiring import administration, assess
from leadline.wiring import people as wiring
from leadline.wiring.home import origin

ROUTES = APIRouter()
ADMINISTRATOR = frozenset({"administrator"})
WAYS += [
    Way("People", "/admin/people", ADMINISTRATOR),
    Way("Installation", "/admin/system", ADMINISTRATOR),
]
SAID |= {
    "person-enrolled": "The person is entered. Make an invitation next: without one nobody can sign in.",
    "person-suspended": "Suspended, from the next request on.",
    "person-restored": "Restored.",
    "person-granted": "Given. It ends by itself on that day; renew it before then if it is still needed.",
    "person-grant-ended": "Ended, from the next request on.",
    "person-recovery-asked": "A second person must sign this within fifteen minutes. Tell one of them now.",
    "admin-backup-made": "The backup is written. Check it, and copy it to another place.",
}


def _waiting(visit: Visit) -> Iterable[Card]:
    """What ends soon unless an administrator renews it, and what went against the rules today."""
    if not visit.roles & ADMINISTRATOR:
        return
    due = [one for one in people.listed(visit.ctx) if one.due]
    if due:
        words = "Each ends by itself unless somebody renews it: " + ", ".join(
            one.person.name for one in due[:5]
        )
        yield Card("Grants that end within a week", words, "/admin/people?due=yes", rank=1)
    if visit.ctx.assurance >= 2:  # noqa: PLR2004 -- alerts are read with two factors
        day = visit.ctx.now - timedelta(days=1)
        new = [one for one in alerts.listed(visit.ctx) if one.at >= day]
        if new:
            yield Card(
                "Alerts since yesterday", f"{len(new)} went against the rules.", "/admin/alerts", 0
            )


CARDS.append(_waiting)


@ROUTES.get("/admin/people")
def listed(me: Me) -> Response:
    """Everybody, with what ends soon; found by name, id or organisation."""
    found, wanted = people.administered(me.ctx), me.query("q").casefold()
    shown = [
        one
        for one in found
        if wanted in f"{one.person.id} {one.person.name} {one.person.org}".casefold()
        and (one.due or not me.query("due"))
    ]
    held = [one.person for one in found if not one.person.suspended]
    keepers = sum("administrator" in one.roles for one in held)
    return me.page("admin/people.html.j2", keepers=keepers, shown=shown, q=me.query("q"))


@ROUTES.get("/admin/people/new")
def enrol_page(me: Me) -> Response:
    """Who is to be entered."""
    people.administered(me.ctx)
    roles = [(role.id, f"{role.title}: {role.summary}") for role in wiring.roles().values()]
    return me.page("admin/enrol.html.j2", roles=roles)


def last_moment(form: Form, name: str) -> datetime:
    """The day on which something ends: its last moment in UTC."""
    try:
        day = datetime.fromisoformat(f"{form.text(name, longest=10)}T23:59:00+00:00")
    except ValueError:
        raise Invalid(name, "write a day such as 2027-06-01") from None
    return day


@ROUTES.post("/admin/people")
@again(enrol_page)
def enrol(me: Posted) -> Response:
    """Enter one individual, whose access ends on a day."""
    form = me.form
    person = Principal(
        form.text("id", longest=100),
        form.text("name", longest=200),
        form.text("org", longest=200),
        frozenset(form.many("roles")),
        access_until=last_moment(form, "until"),
        clearance=form.number("clearance", 0, 9),
    )
    people.enrol(me.ctx, wiring.roles(), person)
    return me.go(f"/admin/people/{person.id}", said="person-enrolled")


@ROUTES.get("/admin/people/{person}")
def one(person: str, me: Me) -> Response:
    """One person: roles, grants, keys, and what may be done about them."""
    open_ = [
        each
        for each in approval.waiting(me.ctx)
        if each.request.requester == me.ctx.principal.id
        and each.request.detail.get("recovery") == person
    ]
    return me.page(
        "admin/person.html.j2",
        found=people.one(me.ctx, person),
        scopes=[(scope.value, scope.value) for scope in Scope],
        recovery=open_[0] if open_ else None,
        longest=(me.ctx.now + GRANT_MAX - timedelta(days=1)).date().isoformat(),
    )


@ROUTES.post("/admin/people/{person}/invitation")
def invite(person: str, me: Posted) -> Response:
    """A code with which the person begins the account; shown on this page and nowhere else."""
    code = sign_in.invite(me.ctx, person)
    return code_page(me, person, code, "An invitation", "It counts at once.")


@ROUTES.post("/admin/people/{person}/suspension")
@again(one)
def suspend(person: str, me: Posted) -> Response:
    """Stop one person at the next request."""
    people.suspend(me.ctx, person, me.form.text("reason", longest=1_000))
    return me.go(f"/admin/people/{person}", said="person-suspended")


@ROUTES.post("/admin/people/{person}/restoration")
@again(one)
def restore(person: str, me: Posted) -> Response:
    """Let one person go on."""
    people.restore(me.ctx, person, me.form.text("reason", longest=1_000))
    return me.go(f"/admin/people/{person}", said="person-restored")


@ROUTES.post("/admin/people/{person}/grants")
@again(one)
def give(person: str, me: Posted) -> Response:
    """Give or renew a grant, for 30 days at most."""
    form = me.form
    scope, named = form.one("scope", Scope), form.text("name", longest=200)
    people.give(me.ctx, wiring.roles(), person, scope, named, last_moment(form, "until"))
    return me.go(f"/admin/people/{person}", said="person-granted")


@ROUTES.post("/admin/people/{person}/grants/end")
def end(person: str, me: Posted) -> Response:
    """End a grant now."""
    people.end(me.ctx, person, me.form.one("scope", Scope), me.form.text("name", longest=200))
    return me.go(f"/admin/people/{person}", said="person-grant-ended")


@ROUTES.post("/admin/people/{person}/recovery-request")
def ask_recovery(person: str, me: Posted) -> Response:
    """Ask a second person to sign the recovery of somebody who lost every key."""
    sign_in.ask_recovery(me.ctx, person)
    return me.go(f"/admin/people/{person}", said="person-recovery-asked")


@ROUTES.post("/admin/people/{person}/recovery")
def recover(person: str, me: Posted) -> Response:
    """Begin the recovery that a second person signed; its code counts a day later."""
    given = approval.granted(me.ctx, me.form.text("request", longest=200))
    code = sign_in.recover(me.ctx, person, given)
    told = "It counts a day from now, unless the person calls it off. Everybody who reads alerts knows."
    return code_page(me, person, code, "A recovery", told)


def code_page(me: Visit, person: str, code: str, what: str, told: str) -> Response:
    """A code, shown this once."""
    own = me.request.url.path.startswith("/organisation/")
    label, all_ = ("Accounts", "/organisation") if own else ("People", "/admin/people")
    return me.page(
        "admin/code.html.j2",
        person=person,
        code=code,
        what=what,
        told=told,
        place=f"{me.portal.door.site.origin}/invitation",
        label=label,
        all=all_,
        all_people="/organisation/people" if own else all_,
    )


@ROUTES.get("/admin/why")
def why(me: Me) -> Response:
    """Why a person may or may not do something, and what would change it."""
    asked = {name: me.query(name) for name in ("person", "action", "thing")}
    people.administered(me.ctx)
    answer, fault = None, ""
    if all(asked.values()):
        try:
            parts = me.portal.door.parts
            answer = wiring.why(parts, me.ctx, asked["person"], asked["action"], asked["thing"])
        except Invalid as error:
            fault = str(error)
    actions = sorted(action.value for action in Action)
    return me.page("admin/why.html.j2", asked=asked, answer=answer, fault=fault, actions=actions)


@ROUTES.get("/admin/suspensions")
def suspensions(me: Me) -> Response:
    """Organisations, compartments and engagements that are stopped."""
    return me.page("admin/suspensions.html.j2", found=people.suspended(me.ctx))


@ROUTES.post("/admin/suspensions")
@again(suspensions)
def suspend_what(me: Posted) -> Response:
    """Stop an organisation, a compartment or an engagement at the next request."""
    people.suspend(me.ctx, _what(me.form), me.form.text("reason", longest=1_000))
    return me.go("/admin/suspensions", said="person-suspended")


@ROUTES.post("/admin/suspensions/end")
@again(suspensions)
def restore_what(me: Posted) -> Response:
    """Let it go on."""
    people.restore(me.ctx, _what(me.form), me.form.text("reason", longest=1_000))
    return me.go("/admin/suspensions", said="person-restored")


def _what(form: Form) -> str:
    """Raises: Invalid, for a person: a person is stopped on the person's own page."""
    what = form.text("what", longest=200)
    if ":" not in what:
        raise Invalid("what", "write org:NAME, compartment:NAME or engagement:ID")
    return what


@ROUTES.get("/admin/alerts")
def alert_list(me: Me) -> Response:
    """What went against the rules, the latest first."""
    return me.page("admin/alerts.html.j2", found=alerts.listed(me.ctx)[:200])


@ROUTES.get("/admin/system")
def system(me: Me) -> Response:
    """Jobs, backups and keys."""
    portal = me.portal
    return me.page(
        "admin/system.html.j2",
        jobs=administration.jobs(me.ctx, portal.home),
        by_itself=administration.by_itself(me.ctx, portal.home),
        backups=administration.backups(me.ctx, portal.home),
        keys=administration.keys(me.ctx, portal.door.parts, portal.home, origin(portal.home)),
    )


@ROUTES.post("/admin/backups")
def make_backup(me: Posted) -> Response:
    """Write a backup beside the installation."""
    administration.make_backup(me.ctx, me.portal.door.parts, me.portal.home)
    return me.go("/admin/system", said="admin-backup-made")


@ROUTES.post("/admin/backups/{backup}/check")
def check_backup(backup: str, me: Posted) -> Response:
    """Check one backup, byte for byte."""
    told = administration.check(me.ctx, me.portal.home, backup)
    return me.page("admin/checked.html.j2", backup=backup, told=told)


@ROUTES.get("/admin/machine")
def machine(me: Me) -> Response:
    """What this machine can do, and the cure where it cannot."""
    machinery.look(me.ctx)
    checks = administration.accounts(me.portal.door.parts) + assess.diagnose(settings.load())
    return me.page("admin/machine.html.j2", checks=checks)
