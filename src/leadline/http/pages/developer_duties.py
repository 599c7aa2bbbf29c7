"""Incidents, reports that texts ask for, and every date that is this person's to know."""

from fastapi import APIRouter, Response

from leadline.app import dates, incidents, listing, obligations
from leadline.core.engagement.incident import BEGINS, ENDS, categories_of, occurrences
from leadline.core.engagement.obligation import Obligation
from leadline.core.engagement.regime import Event
from leadline.formats.report_draft import named
from leadline.http.pages.filters import moment, spoken, words
from leadline.http.pages.frame import SAID, WAYS, Me, Posted, Visit, Way, again
from leadline.render.calendar import calendar_figure
from leadline.wiring.duties import law

ROUTES = APIRouter()
WAYS.append(Way("Dates", "/calendar", frozenset({"developer"})))
SAID["incident-reported"] = "On record. Nobody was told by this; below stands what is owed to whom."
SAID["incident-told"] = "Added to the record."
SAID["began-recorded"] = "On record. What follows from it stands below."
SAID["report-sent"] = "On record as sent. Leadline sent nothing; you did."


@ROUTES.get("/calendar")
def calendar(me: Me) -> Response:
    """Every date of this person's, in order, with its reason."""
    found = dates.mine(
        me.ctx, law(me.desk.home, me.desk.library), party=me.query("whose") == "party"
    )
    figure = calendar_figure(found, me.ctx.now) if found else None
    rows = [[spoken(cell) for cell in row] for row in figure.data.rows] if figure else []
    models = {one.id: one.model for one in listing.engagements(me.ctx)}
    return me.page(
        "developer/calendar.html.j2", found=found, figure=figure, models=models, rows=rows
    )


@ROUTES.get("/calendar/picture.svg")
def picture(me: Me) -> Response:
    """The year ahead as a picture."""
    found = dates.mine(
        me.ctx, law(me.desk.home, me.desk.library), party=me.query("whose") == "party"
    )
    return Response(calendar_figure(found, me.ctx.now).svg, media_type="image/svg+xml")


@ROUTES.get("/duties")
def duties(me: Me) -> Response:
    """What texts ask to be reported, by when and to whom."""
    found = [
        (one, _to(me, one)) for one in obligations.owed(me.ctx, law(me.desk.home, me.desk.library))
    ]
    begins = [(one.value, one.value.replace("-", " ")) for one in BEGINS]
    begun = incidents.beginnings(me.ctx)
    return me.page("developer/duties.html.j2", found=found, begins=begins, begun=begun)


def _to(me: Visit, one: Obligation) -> str:
    return named(me.desk.library, one.to, me.ctx.now.date())


@ROUTES.post("/duties/beginnings")
@again(duties)
def began(me: Posted) -> Response:
    """Put on record that training, internal use or deployment of a model began."""
    form = me.form
    event = form.one("began", Event)
    incidents.began(
        me.ctx, event, form.text("about", longest=200), form.moment("since", "since_zone")
    )
    return me.go("/duties", said="began-recorded")


@ROUTES.post("/duties/draft")
@again(duties)
def draft(me: Posted) -> Response:
    """The draft of one report, as a text file for a person to finish and send."""
    text = obligations.draft(me.ctx, law(me.desk.home, me.desk.library), me.form.text("duty"))
    headers = {"content-disposition": 'attachment; filename="report-draft.md"'}
    return Response(text, media_type="text/markdown; charset=utf-8", headers=headers)


@ROUTES.post("/duties/sent")
@again(duties)
def sent(me: Posted) -> Response:
    """Put on record that a person sent the report."""
    form = me.form
    copy = form.files["copy"].data if "copy" in form.files else b""
    obligations.sent(
        me.ctx,
        law(me.desk.home, me.desk.library),
        form.text("duty"),
        at=form.moment("at"),
        to=form.text("to"),
        reference=form.text("reference"),
        copy=copy,
    )
    return me.go("/duties", said="report-sent")


@ROUTES.get("/incidents")
def listed(me: Me) -> Response:
    """The incidents that this person may know of."""
    found = [(one, *_short(one)) for one in incidents.incidents(me.ctx)]
    return me.page("developer/incidents.html.j2", found=found)


def _short(record: incidents.Record) -> tuple[str, str, str]:
    """When it was first known, of what kind, and how it ended."""
    found = occurrences(record.incident, record.acts)
    knew = min(one.moment for one in found if one.event is Event.INCIDENT_KNOWN)
    ends = [f"{words(one.event.value)} {moment(one.at)}" for one in found if one.event in ENDS]
    return (
        moment(knew),
        ", ".join(sorted({w for one in found for w in one.categories})),
        "; ".join(ends),
    )


@ROUTES.get("/incidents/report")
def reporting(me: Me) -> Response:
    """The form to put an incident on record."""
    known = sorted(categories_of(law(me.desk.home, me.desk.library).texts()))
    models = [(one.id, one.model) for one in listing.engagements(me.ctx)]
    return me.page(
        "developer/incident_report.html.j2",
        categories=[(one, one.replace("-", " ")) for one in known],
        models=models,
    )


@ROUTES.post("/incidents")
@again(reporting)
def report(me: Posted) -> Response:
    """Put an incident on record; it tells nobody."""
    form, texts = me.form, law(me.desk.home, me.desk.library).texts()
    told = _told(me)
    which = form.text("engagement", "")
    made = incidents.report(
        me.ctx,
        texts,
        told,
        happened=form.moment("happened"),
        notifies=form.text("notifies"),
        on=me.desk.dealings(which) if which else None,
    )
    return me.go(f"/incidents/{made.id}", said="incident-reported")


def _told(me: Visit) -> incidents.Told:
    form = me.form
    return incidents.Told(
        form.text("text"), form.text("who"), form.moment("known"), form.many("categories")
    )


@ROUTES.get("/incidents/{incident}")
def incident(me: Me, incident: str) -> Response:
    """One incident: who knew when, of what kind, how it ended, and what is owed of it."""
    found = incidents.incident(me.ctx, incident)
    texts = law(me.desk.home, me.desk.library)
    owed = [(one, _to(me, one)) for one in obligations.owed(me.ctx, texts) if one.about == incident]
    return me.page(
        "developer/incident.html.j2",
        found=found,
        short=_short(found),
        tells=[(act, incidents.told(me.ctx, act)) for act in found.acts if "content" in act.detail],
        owed=owed,
        categories=[(one, one.replace("-", " ")) for one in sorted(categories_of(texts.texts()))],
        ends=[(one.value, one.value.replace("-", " ")) for one in ENDS],
    )


@ROUTES.post("/incidents/{incident}/knowledge")
@again(incident)
def add(me: Posted, incident: str) -> Response:
    """Add who knew and when, or of what kind it was found to be."""
    incidents.add_knowledge(me.ctx, law(me.desk.home, me.desk.library).texts(), incident, _told(me))
    return me.go(f"/incidents/{incident}", said="incident-told")


@ROUTES.post("/incidents/{incident}/resolution")
@again(incident)
def resolve(me: Posted, incident: str) -> Response:
    """Put on record that it was resolved, or that a fix is available."""
    form = me.form
    event = form.one("event", Event)
    incidents.resolve(me.ctx, incident, form.moment("at"), form.text("how"), event)
    return me.go(f"/incidents/{incident}", said="incident-told")
