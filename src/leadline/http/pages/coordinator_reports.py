"""Reports on their way to a case: handed in, read, moved on, answered; and which of them are one flaw."""

from collections.abc import Sequence
from typing import get_args

from fastapi import APIRouter, Response

from leadline.app import browse, cases, evidence, offered, reports, triage
from leadline.app.browse import Thing
from leadline.app.evidence import Overview
from leadline.app.ports import Ask
from leadline.app.reports import FindingState
from leadline.core.clearing.contract import explain
from leadline.core.clearing.disclosure import Disclosure
from leadline.core.clearing.evidence import Claim, EvidenceEdge
from leadline.core.clearing.finding import Origin
from leadline.core.clearing.report import Draft, Faulty, Receipt, Stage, Told, onward
from leadline.core.errors import Invalid
from leadline.formats.report_forms import Form as ReportForm
from leadline.http.api import shell
from leadline.http.pages.coordinator_shared import about, download, fields, pairs
from leadline.http.pages.frame import SAID, Me, Posted, Visit, again
from leadline.wiring.cases import disclosure, disclosures

ROUTES = APIRouter()
shell.LARGER["/reports"] = 64 << 20
OVER = reports.ANY_STAGE - reports.WAITING
GROUPS = 25  # entries of each kind in a part of the board
ID_DIGITS = 64
BEGINNING_MIN = 8
CUT = 20_000
# Opening a case is an act of its own, and only a finder withdraws.
ELSEWHERE = frozenset({Stage.CASE, Stage.WITHDRAWN})
RUNGS = {
    1: "the same proof shows the same report on the same build",
    2: "a fix for one was tried on the proof of the other",
    3: "they crash in the same class and the same places",
    4: "they crash in the same place of different versions",
    5: "their texts resemble each other",
}
SAID.update({
    "report-moved": "The report moved on. Its finder reads the reason.",
    "report-assigned": "The report is with that project now; its terms decide from here on.",
    "report-hastened": "The report goes before its queue. The reason stands in the record.",
    "report-answered": "The finder was answered.",
    "report-withdrawn": "The report was withdrawn.",
    "report-stood-by": "The text may be shown now.",
    "judged": "Your word is on record. It can be taken back.",
    "retracted": "That piece of evidence was taken back. What it joined is apart again.",
    "regrouped": "Today's rules ran over everything that is in no case. Nothing was merged.",
    "case-opened": "The case is open, and you coordinate it. Add the vendors next.",
})  # fmt: skip


@ROUTES.get("/reports")
def listed(me: Me) -> Response:
    """The reports that this person may read; those that wait come first."""
    stage, over, after = me.query("state"), me.query("over"), me.query("after")
    if stage and stage not in set(Stage):
        raise Invalid("state", f"is one of: {', '.join(Stage)}")
    stages = [frozenset({Stage(stage)})] if stage else [reports.WAITING, OVER][bool(over) :]
    shown, further = list[FindingState](), dict[str, str]()
    for number, some in enumerate(stages):
        part = reports.part(me.ctx, some, "" if number else after, reports.PART_MAX)
        shown += part.reports
        if part.after:
            further = {"after": part.after, "over": over or "yes" * bool(number)}
            break
    return me.page(
        "coordinator/reports.html.j2",
        wide=True,
        reports=shown,
        further=me.with_query(**further) if further else "",
        stages=pairs([one.value for one in Stage]),
        forms=pairs([one.value for one in ReportForm]),
        origins=[(one, one) for one in get_args(Origin)],
        intake=cases.INTAKE in me.ctx.principal.cases,
        now=me.ctx.now,
    )


@ROUTES.post("/reports")
@again(listed)
def hand_in(me: Posted) -> Response:
    """Take in a file with one report or many; each is taken whole or not at all."""
    given, origin = me.form.file("reports"), me.form.text("origin", "")
    if origin and origin not in get_args(Origin):
        raise Invalid("origin", f"is one of: {', '.join(get_args(Origin))}")
    form = me.form.one("form", ReportForm) if me.form.text("form", "") else None
    told = Told(
        me.ctx.now,
        origin or None,  # type: ignore[arg-type] # just compared
        me.form.text("found-by", "", longest=200),
        me.form.text("consent", "", longest=2_000),
        me.form.text("confirmed-by", "", longest=200),
        me.form.text("component", "", longest=1_000),
        me.form.text("project", "", longest=200),
    )
    refused, taken, drafts = list[Faulty](), list[Receipt](), list[Draft]()
    with about("reports"):
        for one in offered.uploaded(given.name, given.data, told, form):
            refused += [one.faulty] if one.faulty else []
            drafts += one.drafts
    for came in reports.submit_all(me.ctx, drafts):
        if isinstance(came, Faulty):
            refused.append(came)
        else:
            taken.append(came)
    return me.page("coordinator/receipts.html.j2", taken=taken, refused=refused)


@ROUTES.get("/reports/{finding}")
def report(finding: str, me: Me) -> Response:
    """One report: where it stands, what it says, what replaying showed, whose it is, what it resembles."""
    sheet = triage.sheet(me.ctx, finding)
    terms = sheet.contract
    return me.page(
        "coordinator/report.html.j2",
        sheet=sheet,
        found=sheet.finding,
        state=sheet.state,
        wrote=sheet.said[:CUT],
        cut=len(sheet.said) > CUT,
        scope=explain(terms, me.ctx.now) if terms else (),
        moves=pairs(sorted(onward(sheet.state.stage) - ELSEWHERE)) if sheet.state else [],
        id=finding,
        claims=[(Claim.SAME.value, "one flaw"), (Claim.DISTINCT.value, "two flaws")],
        rungs=RUNGS,
        named=sheet.finding.origin != "ai" or bool(sheet.finding.consent),
    )


@ROUTES.get("/reports/{finding}/text")
def text(finding: str, me: Me) -> Response:
    """The report's very bytes, to keep; whatever they say is data."""
    return download(f"report-{finding[:16]}.txt", reports.text(me.ctx, finding))


@ROUTES.get("/reports/{finding}/proof")
def proof(finding: str, me: Me) -> Response:
    """The bytes that trigger it, to keep."""
    return download(f"proof-{finding[:16]}.bin", reports.proof(me.ctx, finding))


@ROUTES.post("/reports/{finding}/moves")
@again(report)
def move(finding: str, me: Posted) -> Response:
    """Take a report to its next state."""
    to, why = me.form.one("state", Stage), me.form.text("reason", "")
    reports.move(me.ctx, finding, to, why)
    return me.go(f"/reports/{finding}", said="report-moved")


@ROUTES.post("/reports/{finding}/assignments")
@again(report)
def assign(finding: str, me: Posted) -> Response:
    """Say whose a report is."""
    with fields(reason="assign-reason"):
        why = me.form.text("assign-reason")
        reports.assign(me.ctx, finding, me.form.text("project", longest=200), why)
    return me.go(f"/reports/{finding}", said="report-assigned")


@ROUTES.post("/reports/{finding}/haste")
@again(report)
def hasten(finding: str, me: Posted) -> Response:
    """Put a report ahead of its queue, because it is exploited already."""
    with fields(reason="haste-reason"):
        reports.hasten(me.ctx, finding, me.form.text("haste-reason"))
    return me.go(f"/reports/{finding}", said="report-hastened")


@ROUTES.post("/reports/{finding}/answers")
@again(report)
def answer(finding: str, me: Posted) -> Response:
    """Answer the finder."""
    reports.answer(me.ctx, finding, me.form.text("words"))
    return me.go(f"/reports/{finding}", said="report-answered")


@ROUTES.post("/reports/{finding}/withdrawal")
def withdraw(finding: str, me: Posted) -> Response:
    """Take back one's own report."""
    reports.withdraw(me.ctx, finding)
    return me.go(f"/reports/{finding}", said="report-withdrawn")


@ROUTES.post("/reports/{finding}/text")
def stand_by(finding: str, me: Posted) -> Response:
    """Say that one's own text may be shown as it is."""
    reports.stand_by(me.ctx, finding)
    return me.go(f"/reports/{finding}", said="report-stood-by")


@ROUTES.post("/reports/{finding}/judgements")
@again(report)
def judge(finding: str, me: Posted) -> Response:
    """Say that this finding and another are one flaw, or two."""
    other = _named(me, me.form.text("other", longest=200))
    with fields(words="because"):
        evidence.confirm(
            me.ctx, finding, other, me.form.one("claim", Claim), me.form.text("because")
        )
    return me.go(f"/reports/{finding}", said="judged")


def _named(me: Visit, typed: str) -> str:
    """The report whose id was typed, whole or as pages show it.

    Raises: Invalid, for a beginning that is of no report, or of several, that this person may read.
    """
    if len(typed) >= ID_DIGITS:
        return typed
    if len(typed) >= BEGINNING_MIN:
        rows = browse.browse(me.ctx, Thing.FINDING, browse.Filters(typed)).rows
        found = [one.id for one in rows if one.id.startswith(typed)]
        if len(found) == 1:
            return found[0]
    raise Invalid("other", "no single report that you may read begins so; take more of its id")


@ROUTES.get("/groups")
def groups(me: Me) -> Response:
    """Which findings are one flaw, which may be, and on what evidence; what a person decides comes first."""
    over, after = me.query("over"), me.query("after")
    seen, further = dict[Ask, Overview](), dict[str, str]()
    for ask in list(Ask)[bool(over) :]:
        with fields(cursor="after"):
            seen[ask] = evidence.overview(me.ctx, ask, "" if seen else after, GROUPS)
        if next_ := seen[ask].next:
            further = {"after": next_, "over": over or "yes" * (ask is Ask.JOINED)}
            break
    here = me.with_query()
    return me.page(
        "coordinator/groups.html.j2",
        asked=seen.get(Ask.ASKED),
        confirmed=_confirmed(seen[Ask.JOINED]) if Ask.JOINED in seen else None,
        findings={id_: one for part in seen.values() for id_, one in part.findings.items()},
        further=me.with_query(**further) if further else "",
        here=f"?{here}" if here else "",
        rungs=RUNGS,
        intake=cases.INTAKE in me.ctx.principal.cases,
    )


def _confirmed(part: Overview) -> Sequence[tuple[tuple[str, ...], list[EvidenceEdge]]]:
    """Each group with the evidence that joins it."""
    same = [edge for edge in part.edges if edge.claim is Claim.SAME]
    return [(one, [e for e in same if {e.a, e.b} <= set(one)]) for one in part.picture.clusters]


@ROUTES.post("/groups")
def regroup(me: Posted) -> Response:
    """Run today's rules over what is in no case; nothing is merged."""
    evidence.regroup(me.ctx)
    return me.go("/groups", said="regrouped")


@ROUTES.post("/groups/judgements")
@again(groups)
def confirm(me: Posted) -> Response:
    """Confirm a proposed group, or keep its two sides apart."""
    one, two = me.form.text("one", longest=200), me.form.text("two", longest=200)
    because = f"because-{one[:16]}-{two[:16]}"
    with fields(words=because):
        said = me.form.text(because, me.form.text("because", ""))
        evidence.confirm(me.ctx, one, two, me.form.one("claim", Claim), said)
    return me.go(_groups(me), said="judged")


@ROUTES.post("/groups/retractions")
@again(groups)
def split(me: Posted) -> Response:
    """Take a piece of evidence back, so that what it joined is apart again."""
    edge = me.form.text("evidence", longest=200)
    why = f"why-{edge[:16]}"
    with fields(words=why):
        evidence.retract(me.ctx, edge, me.form.text(why, me.form.text("why", "")))
    return me.go(_groups(me), said="retracted")


def _groups(me: Posted) -> str:
    """The part of the board that a form was on."""
    query = me.with_query()
    return f"/groups?{query}" if query else "/groups"


@ROUTES.get("/case-form")
def case_form(me: Me) -> Response:
    """What a case is opened with: its findings, a title, a disclosure policy that somebody chooses."""
    chosen = me.request.query_params.getlist("finding") or list(me.form.many("finding"))
    part = reports.part(me.ctx, reports.WAITING)
    listed_ = {one.finding: f"{one.title} ({one.stage.value})" for one in part.reports}
    others = [
        (row.id, f"{row.title} ({row.state})")
        for id_ in chosen
        if id_ not in listed_
        for row in browse.browse(me.ctx, Thing.FINDING, browse.Filters(id_)).rows
        if row.id == id_
    ]
    policies = disclosures(me.portal.home)
    return me.page(
        "coordinator/case_form.html.j2",
        findings=[*listed_.items(), *others],
        more=bool(part.after),
        chosen=chosen,
        policies=[(one.id, one.title, _secrecy(one)) for one in policies.values()],
    )


def _secrecy(policy: Disclosure) -> str:
    """What follows from a disclosure policy, in words."""
    if not policy.embargo:
        return "No embargo: what it governs is public from the first day."
    told = [f"{one.clock.value} {one.days} days" for one in policy.terms]
    return f"Secret at first. Its clocks: {', '.join(told) or 'none'}."


@ROUTES.post("/cases")
@again(case_form)
def open_case(me: Posted) -> Response:
    """Open a case from findings that are in none."""
    under = disclosure(me.portal.home, me.form.text("disclosure", longest=200))
    title = me.form.text("title", longest=200)
    made = cases.open_case(me.ctx, me.form.many("finding"), title=title, policy=under)
    return me.go(f"/cases/{made}", said="case-opened")
