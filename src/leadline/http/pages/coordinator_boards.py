"""The boards over all cases: fixes, urgency, scan leases, contacts, operators, fairness."""

from dataclasses import replace
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Response

from leadline.app import (
    browse,
    case_view,
    cases,
    contacts,
    contracts,
    fairness,
    fixes,
    leases,
    lines,
    notices,
    operators,
    priority,
)
from leadline.app.browse import Thing
from leadline.app.ports import Order
from leadline.core.access import Action, Resource
from leadline.core.clearing.contract import explain
from leadline.core.clearing.fix import Board, FixState
from leadline.core.clearing.lease import Answer
from leadline.core.clearing.receipt import DONE, State
from leadline.core.clearing.signals import SIGNALS
from leadline.core.errors import NotFound
from leadline.formats.run_manifest import load_run_manifest
from leadline.formats.tiers_toml import load_tiers
from leadline.http.api import shell
from leadline.http.pages.coordinator_shared import (
    about,
    coordinates,
    download,
    fields,
    in_page,
    pairs,
)
from leadline.http.pages.frame import SAID, Me, Posted, Visit, again
from leadline.wiring import contacts as directory
from leadline.wiring.checkout import target_from
from leadline.wiring.lists import INPUTS, kept, queue_of, spoken
from leadline.wiring.regimes import DATA

ROUTES = APIRouter()
UTC = ZoneInfo("UTC")
OPERATORS_SHOWN = (
    50  # of those that wait, and of all; the others are found by a word, or in the list of all
)
shell.LARGER["/projects"] = 8 << 20
TIERS = DATA / "tiers" / "leadline-default.toml"
KEV, LISTED = priority.directive().kev, "Listed as known to be exploited (KEV)"
# The inputs of the directive's table as questions.
ASKED = {
    "exposed": "Reachable from public networks",
    "automatable": "Can be exploited automatically",
    "impact": "Technical impact: partial or total",
}
SAID.update({
    "priority-said": "That is on record, and the order follows from it.",
    "priority-put": "The case was moved in the order. Its dates are as before.",
    "lease-taken": "The lease runs. It keeps nobody else from looking.",
    "lease-renewed": "The lease runs on.",
    "lease-closed": "The lease is closed.",
    "contacts-added": "The contacts are in the directory, beside what was known before.",
    "contact-answered": "It is on record that somebody answered there.",
    "operator-vetted": "The operator is vetted, and may be told early from now on.",
    "operator-ended": "The enrolment ended. What the operator gave stays sealed.",
    "tiers-published": "The order of tiers is in force for every case opened from now on.",
})  # fmt: skip


@ROUTES.get("/fixes")
def fix_board(me: Me) -> Response:
    """How far the flaws of every case have come, and what operators did about each."""
    from leadline.render.fix_board import NOTE, board_figure

    found = fixes.boards(me.ctx)
    whole = Board(tuple(p for b in found.values() for p in b.places), ())
    words = "How far the flaws of these cases have come"
    figure = replace(board_figure(whole), caption=words) if whole.places else None
    titles, told = cases.titles(me.ctx, list(found)), notices.burn_downs(me.ctx, list(found))
    return me.page(
        "coordinator/fix_board.html.j2",
        wide=True,
        boards=[(case, titles.get(case, ""), board) for case, board in found.items()],
        states=[one.value for one in FixState],
        told={case: _told(told[case]) if case in told else None for case in found},
        figure=figure,
        source=in_page(figure.svg) if figure else "",
        note=NOTE,
    )


def _told(held: notices.BurnDown) -> tuple[int, int, int] | None:
    """How many operators were told, applied the remedy, proved it; None for whoever may not count."""
    if not held.points or not held.exact:
        return (0, 0, 0) if held.exact else None
    states = held.points[-1].states
    return held.points[-1].told, sum(states[one] for one in DONE), states[State.VERIFIED]


@ROUTES.get("/priority")
def queue(me: Me) -> Response:
    """The cases, the most urgent first, each with what puts it there and what is unknown."""
    rows = queue_of(me.ctx, me.portal.home, UTC)
    titles = cases.titles(me.ctx, [row.place.case.id for row in rows])
    return me.page("coordinator/priority.html.j2", rows=rows, titles=titles)


@ROUTES.get("/cases/{case}/priority")
def urgency(case: str, me: Me) -> Response:
    """What the urgency of one case rests on, and forms to say more."""
    lists = kept(me.ctx, me.portal.home)
    (row,) = priority.queue(me.ctx, {case: 0}, lists, UTC)
    outcomes = priority.directive().table.outcome.values
    return me.page(
        "coordinator/urgency.html.j2",
        seen=case_view.view(me.ctx, case),
        row=row,
        inputs={INPUTS[one][0]: words for one, words in ASKED.items()} | {KEV: LISTED},
        signals=[*ASKED.items(), *pairs(SIGNALS)],
        outcomes=[(one.key, one.name) for one in outcomes],
        coordinates=coordinates(me, case),
    )


@ROUTES.post("/cases/{case}/priority")
@again(urgency)
def say(case: str, me: Posted) -> Response:
    """Enter one fact that the urgency of a case rests on, with its reason."""
    what, value = me.form.text("signal", longest=100), me.form.text("value", longest=200)
    with about("value"):
        asked = spoken(what, value)
    with about("reason"):
        priority.say(me.ctx, case, *asked, me.form.text("reason", longest=500))
    return me.go(f"/cases/{case}/priority", said="priority-said")


@ROUTES.post("/cases/{case}/place")
@again(urgency)
def put(case: str, me: Posted) -> Response:
    """Move a case in the order, by name and with a reason. It changes no date."""
    lists, why = kept(me.ctx, me.portal.home), me.form.text("place-reason", longest=500)
    with about("outcome"):
        priority.put(me.ctx, case, me.form.text("outcome", longest=40), why, lists, UTC)
    return me.go(f"/cases/{case}/priority", said="priority-put")


@ROUTES.get("/leases")
def lease_list(me: Me) -> Response:
    """Who looks where: a finder's own leases, all for a coordinator; months for anybody."""
    return _leases(me, None)


def _leases(me: Visit, answered: Answer | None) -> Response:
    lease = Resource("lease", "new", marking=leases.OWN, owner=me.ctx.principal.id)
    return me.page(
        "coordinator/leases.html.j2",
        held=sorted(leases.listed(me.ctx), key=lambda one: (not one.open, one.until)),
        months=leases.monthly(me.ctx) if _reads_months(me) else (),
        takes=me.ctx.decision(Action.LEASE_TAKE, lease).allowed,
        me_id=me.ctx.principal.id,
        answered=answered,
        now=me.ctx.now,
    )


def _reads_months(me: Visit) -> bool:
    months = Resource("entry", "lease-months", marking=leases.PUBLIC)
    return me.ctx.decision(Action.ENTRY_READ, months).allowed


@ROUTES.post("/leases")
@again(lease_list)
def take(me: Posted) -> Response:
    """Ask whether others look at a target, or say that one means to."""
    form = me.form
    paths = tuple(form.text("paths", "**", longest=4_000).split())
    weaknesses = tuple(form.text("weaknesses", "", longest=1_000).split())
    with about("target"):
        target = target_from(
            form.text("target", longest=1_000),
            form.text("range", "", longest=200),
            paths,
            weaknesses,
        )
        if form.ticked("only-ask"):
            return _leases(me, leases.ask(me.ctx, target))
    hours, effort = form.number("hours", 24, 72), form.number("effort", 1, 100_000)
    with about("target"):
        leases.take(
            me.ctx, target, hours=hours, effort_hours=effort, family=form.text("family", "")
        )
    return me.go("/leases", said="lease-taken")


@ROUTES.post("/leases/{lease}/renewal")
@again(lease_list)
def renew(lease: str, me: Posted) -> Response:
    """Let one's own open lease run on."""
    leases.renew(me.ctx, lease, hours=me.form.number("more-hours", 24, 72))
    return me.go("/leases", said="lease-renewed")


@ROUTES.post("/leases/{lease}/closing")
@again(lease_list)
def close(lease: str, me: Posted) -> Response:
    """Close one's own lease; only a manifest of the run counts as coverage."""
    file = me.form.files.get("manifest")
    with about("manifest"):
        read = load_run_manifest(file.data, file.name) if file and file.data else None
    leases.close(me.ctx, lease, read)
    return me.go("/leases", said="lease-closed")


@ROUTES.get("/projects")
def project_list(me: Me) -> Response:
    """The contact directory: whom reports of a project go to, and since when that is known."""
    found, name = contacts.listed(me.ctx), me.query("project")
    wanted = name.casefold()
    shown = [one for one in found if wanted in one.name.casefold()] if wanted else found
    return me.page(
        "coordinator/projects.html.j2",
        projects=[(one, one.best(me.ctx.now)) for one in shown[:500]],
        more=max(0, len(shown) - 500),
        now=me.ctx.now,
        place=lambda one: "/project?" + urlencode({"name": one}),
    )


@ROUTES.get("/project")
def project(me: Me) -> Response:
    """One project: its addresses in their order, its terms, and when somebody last answered."""
    name = me.query("name")
    known = next((one for one in contacts.listed(me.ctx) if one.name == name), None)
    terms = next((one for one in contracts.listed(me.ctx) if one.project == name), None)
    if known is None and terms is None:
        raise NotFound("no project of this name is in the directory")
    return me.page(
        "coordinator/project.html.j2",
        name=name,
        found=known,
        terms=explain(terms, me.ctx.now) if terms else (),
        now=me.ctx.now,
    )


@ROUTES.post("/projects")
@again(project_list)
def add_projects(me: Posted) -> Response:
    """Add contacts from a file."""
    given, name = me.form.file("contacts"), me.form.text("project", "", longest=200)
    with about("contacts"):
        contacts.add(me.ctx, directory.of(given.name, given.data, name, me.ctx.now))
    return me.go("/projects", said="contacts-added")


@ROUTES.post("/project")
def answered(me: Posted) -> Response:
    """Write down that somebody of a project answered."""
    name = me.form.text("name", longest=200)
    at = me.form.moment("at") if me.form.text("at", "") else me.ctx.now
    contacts.answered(me.ctx, name, at)
    return me.go("/project?" + urlencode({"name": name}), said="contact-answered")


@ROUTES.get("/operators")
def operator_list(me: Me) -> Response:
    """Operators: who waits to be vetted, who else there is, and the order in which tiers are told."""
    words = me.query("q")
    wait = browse.Filters(states=frozenset({lines.ENROLLED}))
    waiting = _ids(me, wait, Order.OPENED) if not words else []
    others = _ids(me, browse.Filters(words), Order.CHANGED)
    # what a form that comes back had chosen stays in its list
    chosen = [one for one in (me.typed("operator"), me.typed("end-operator")) if one]
    found = operators.some(me.ctx, list(dict.fromkeys([*waiting, *others, *chosen])))
    tiers = load_tiers(TIERS.read_bytes(), TIERS.name)
    return me.page(
        "coordinator/operators.html.j2",
        wide=True,
        q=words,
        operators=found,
        more=max(len(waiting), len(others)) == OPERATORS_SHOWN,
        waiting=[(one.enrolment.id, one.enrolment.name) for one in found if not (one.vetted or one.ended)],
        going=[(one.enrolment.id, one.enrolment.name) for one in found if not one.ended],
        tiers=tiers,
        decides=me.ctx.decision(Action.OPERATOR_VET, operators.TIERS).allowed,
    )  # fmt: skip


def _ids(me: Visit, filters: browse.Filters, order: Order) -> list[str]:
    rows = browse.browse(me.ctx, Thing.OPERATOR, filters, order, limit=OPERATORS_SHOWN).rows
    return [one.id for one in rows]


@ROUTES.post("/operators/vetted")
@again(operator_list)
def vet(me: Posted) -> Response:
    """Put on record that an operator of another organisation is who it says."""
    operators.vet(me.ctx, me.form.text("operator", longest=200), me.form.text("grounds", ""))
    return me.go("/operators", said="operator-vetted")


@ROUTES.post("/operators/ended")
@again(operator_list)
def end(me: Posted) -> Response:
    """End an enrolment."""
    with fields(reason="end-reason"):
        which, why = me.form.text("end-operator", longest=200), me.form.text("end-reason", "")
        operators.end(me.ctx, which, why)
    return me.go("/operators", said="operator-ended")


@ROUTES.post("/tiers")
@again(operator_list)
def publish_tiers(me: Posted) -> Response:
    """Put an order of tiers in force, for cases that are opened from now on."""
    file = me.form.files.get("tiers")
    data = file.data if file and file.data else TIERS.read_bytes()
    with about("tiers"):
        operators.publish_tiers(me.ctx, load_tiers(data, file.name if file else TIERS.name))
    return me.go("/operators", said="tiers-published")


@ROUTES.get("/cases/{case}/fairness")
def fairness_page(case: str, me: Me) -> Response:
    """Who was told what and when: the report of a case, computed anew from its acts."""
    from leadline.render.fairness_page import fairness_document

    made = fairness.report(me.ctx, case, public=me.query("public") == "yes")
    return me.page(
        "coordinator/fairness.html.j2",
        seen=case_view.view(me.ctx, case),
        document=fairness_document(made.report, made.counts, public=made.public),
        public=made.public,
        in_page=in_page,
        coordinates=coordinates(me, case),
    )


@ROUTES.get("/cases/{case}/fairness/report")
def fairness_file(case: str, me: Me) -> Response:
    """The signed report, to keep and to verify elsewhere."""
    made = fairness.report(me.ctx, case, public=me.query("public") == "yes")
    return download(f"fairness-{case}.json", made.body, "application/json")
