"""The developer's engagements: the list, one engagement with its dates, access, and the way out at any time."""

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta

from fastapi import APIRouter, Response

from leadline.app import browse, inquiry_draft, listing, log, terms
from leadline.app import engagement as desk
from leadline.app.browse import Page, Thing
from leadline.core.engagement.determination import Variant
from leadline.core.engagement.engagement import State
from leadline.core.engagement.terms import in_effect
from leadline.core.record.act import Act, Kind
from leadline.http.pages import (
    developer_duties,
    developer_given,
    developer_inquiry,
    developer_partners,
    developer_terms,
    developer_weights,
    developer_words,
)
from leadline.http.pages.developer_place import STATES, Place, place, shown
from leadline.http.pages.filters import count, detail, moment, words
from leadline.http.pages.frame import SAID, WAYS, Me, Posted, Visit, Way, again
from leadline.http.pages.query import asked, group_titles
from leadline.http.pages.start import CARDS, Card
from leadline.render.engagement_timeline import timeline_figure, timeline_words

DAY = timedelta(days=1)
CARDS_MAX = 10
ROUTES = APIRouter()
WAYS.append(Way("Engagements", "/engagements", frozenset({"developer"})))
SAID["anchor-set"] = "Your planned date is on record. Only you move it."
SAID["access-opened"] = "Access is open. It ends by itself; you can end it at any moment."
SAID["access-extended"] = "Access lasts longer now."
SAID["access-ended"] = "Access has ended, at once."
SAID["weights-registered"] = "The weights version is on record, by its digest."
DIGESTS = re.compile(r"[0-9a-f]{64}(?:; [0-9a-f]{64})*")
SAID["regime-added"] = "The engagement is under that text too."
SAID["withdrawn"] = "Withdrawn. Access ended at this moment; nobody asks why."
SAID["engagement-ended"] = "The engagement has ended. What is recorded stays."

# What people did with what was given, in words; each is one line of who had access and when.
READS: Mapping[Kind, str] = {
    Kind.ARTEFACT_READ: "read a file",
    Kind.ARTEFACT_UNSEALED: "opened a sealed file",
    Kind.RESULT_READ: "read a result",
    Kind.USE_RECORDED: "used material under the terms",
    Kind.PARTNER_USED: "used a target, as a trusted partner",
    Kind.EXPORT_MADE: "took evidence out",
    Kind.ASSESSMENT_STARTED: "began an assessment",
}


@ROUTES.get("/engagements")
def engagements(me: Me) -> Response:
    """Every engagement that this person may know of, with what waits for somebody."""
    query = asked(me)
    page = browse.browse(
        me.ctx, Thing.ENGAGEMENT, query.filters, query.order, query.after, query.limit
    )
    return me.page(
        "developer/engagements.html.j2",
        page=page,
        query=query,
        states=[(one.value, words(one.value)) for one in State],
        waiting=[one for one in _own(me, page) if one.unanswered],
        means={word.value: told for word, told in STATES.items()},
        titles=group_titles(me, Thing.ENGAGEMENT),
        path=lambda row: f"/engagements/{row.id}",
        wide=True,
    )


def _own(me: Visit, page: Page) -> Iterator[Place]:
    """Those of a part of the list that are of this person's own organisation."""
    for row in page.rows:
        if row.org == me.ctx.principal.org:
            yield place(me, row.id)


def waiting(me: Visit) -> Iterator[Card]:
    """What asks a developer for something today; whether to answer is its choice."""
    if "developer" not in me.roles:
        return
    for at in _own(me, browse.browse(me.ctx, Thing.ENGAGEMENT, limit=CARDS_MAX)):
        if at.over:
            continue
        if at.unanswered:
            told = f"{count(at.unanswered, 'question')} to you; whether you answer is your choice."
            yield Card(at.model, told, f"{at.path}/questions", 1)
        if terms.held(me.ctx, at.on).offered("developer"):
            told = "The other party signed terms; read what they change."
            yield Card(at.model, told, f"{at.path}/terms", 1)
        ends = at.window.ends
        if ends and at.window.is_open(at.now) and ends - at.now <= DAY:
            yield Card(at.model, f"Government access ends {moment(ends)}.", at.path, 0)
    for draft in inquiry_draft.mine(me.ctx):
        told = f"A question that you began; kept {moment(draft.changed)}."
        yield Card(draft.said.get("model") or "Early question", told, f"/inquiries/{draft.id}")


CARDS.append(waiting)


@ROUTES.get("/engagements/{engagement}")
def overview(me: Me, engagement: str) -> Response:
    """One engagement: what ends by itself and when, who had access, what waits."""
    at = place(me, engagement)
    reads = [(act, READS[act.kind]) for act in at.stands.acts if act.kind in READS]
    told, dates = timeline_words(at.stands, at.now)
    return shown(me, at, "overview", told=told, dates=dates, reads=reads, ends=list(_ends(at)))


def _ends(at: Place) -> list[tuple[str, object, str]]:
    """What ends by itself: what, when, why."""
    found: list[tuple[str, object, str]] = [
        (f"Government access under {at.stands.text(id_).title}", one.ends, at.because(one))
        for id_, one in at.stands.windows.items()
        if one.ends and one.ends > at.now
    ]
    return found


@ROUTES.get("/engagements/{engagement}/timeline.svg")
def timeline(me: Me, engagement: str) -> Response:
    """The picture of its dates."""
    at = place(me, engagement)
    return Response(timeline_figure(at.stands, at.now).svg, media_type="image/svg+xml")


@ROUTES.get("/engagements/{engagement}/record")
def record(me: Me, engagement: str) -> Response:
    """Every act of the engagement, in order; those that the log's last signature covers have a proof."""
    at = place(me, engagement)
    placed, head = listing.places(me.ctx, at.on.id), log.latest(me.ctx)
    acts = [(act, *_told(act), placed[act.id]) for act in at.stands.acts]
    proved = head.head.size if head else 0
    return shown(me, at, "record", acts=acts, proved=proved, wide=True)


def _told(act: Act) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """What an act holds: what people read, and the digests, which stand apart."""
    pairs = [(words(name), detail(value)) for name, value in act.detail.items()]
    digests = [one for one in pairs if DIGESTS.fullmatch(one[1])]
    return [one for one in pairs if one not in digests and one[1]], digests


@ROUTES.get("/engagements/{engagement}/access")
def access(me: Me, engagement: str) -> Response:
    """When access may open, is open and ends, and what the developer may do about it."""
    at = place(me, engagement)
    under = {text.id for text in at.stands.regimes}
    others = [me.portal.library.newest(id_) for id_ in me.portal.library.ids() if id_ not in under]
    named = [act for act in at.stands.acts if act.kind is Kind.WEIGHTS_REGISTERED]
    agreed = bool(in_effect(at.stands.acts))
    return shown(
        me, at, "access", others=others, weights=named, variants=list(Variant), agreed=agreed
    )


@ROUTES.post("/engagements/{engagement}/anchor")
@again(access)
def anchor(me: Posted, engagement: str) -> Response:
    """Name or move the planned first release to another trusted partner."""
    form, on = me.form, me.desk.dealings(engagement)
    zone = form.text("zone")
    when = form.moment("anchor")
    desk.set_anchor(me.ctx, on, when, zone, under=form.text("under", ""))
    return me.go(f"/engagements/{on.id}/access", said="anchor-set")


@ROUTES.post("/engagements/{engagement}/access")
@again(access)
def open_access(me: Posted, engagement: str) -> Response:
    """Give access under the agreed terms."""
    on = me.desk.dealings(engagement)
    desk.open_access(me.ctx, on, under=me.form.text("under", ""))
    return me.go(f"/engagements/{on.id}/access", said="access-opened")


@ROUTES.post("/engagements/{engagement}/extension")
@again(access)
def extend(me: Posted, engagement: str) -> Response:
    """Let open access last longer."""
    on, until = me.desk.dealings(engagement), me.form.moment("until", "until_zone")
    desk.extend(me.ctx, on, until, under=me.form.text("under", ""))
    return me.go(f"/engagements/{on.id}/access", said="access-extended")


@ROUTES.post("/engagements/{engagement}/closing")
@again(access)
def end_access(me: Posted, engagement: str) -> Response:
    """End open access at once."""
    on = me.desk.dealings(engagement)
    desk.end_access(me.ctx, on, under=me.form.text("under", ""))
    return me.go(f"/engagements/{on.id}/access", said="access-ended")


@ROUTES.post("/engagements/{engagement}/regimes")
@again(access)
def add_regime(me: Posted, engagement: str) -> Response:
    """Put the engagement under a further text."""
    on = me.desk.dealings(engagement)
    desk.add_regime(me.ctx, on, me.portal.library.newest(me.form.text("regime")))
    return me.go(f"/engagements/{on.id}/access", said="regime-added")


@ROUTES.post("/engagements/{engagement}/weights")
@again(access)
def register_weights(me: Posted, engagement: str) -> Response:
    """Name a weights version by its digest; no weights are sent."""
    form, on = me.form, me.desk.dealings(engagement)
    variant = form.one("variant", Variant)
    desk.register_weights(
        me.ctx, on, digest=form.text("digest"), name=form.text("name"), variant=variant
    )
    return me.go(f"/engagements/{on.id}/access", said="weights-registered")


@ROUTES.get("/engagements/{engagement}/withdrawal")
def leaving(me: Me, engagement: str) -> Response:
    """What ends at once, and what cannot be undone."""
    return shown(me, place(me, engagement), "withdrawal")


@ROUTES.post("/engagements/{engagement}/withdrawal")
def withdraw(me: Posted, engagement: str) -> Response:
    """Withdraw: in any state, at once, without a reason. No file of a regime is read for it."""
    me.desk.withdraw(engagement)
    return me.go(f"/engagements/{engagement}", said="withdrawn")


@ROUTES.post("/engagements/{engagement}/end")
def end(me: Posted, engagement: str) -> Response:
    """End the engagement; what is recorded stays."""
    on = me.desk.dealings(engagement)
    desk.end(me.ctx, on)
    return me.go(f"/engagements/{on.id}", said="engagement-ended")


for module in (
    developer_inquiry,
    developer_terms,
    developer_words,
    developer_given,
    developer_partners,
    developer_duties,
    developer_weights,
):
    ROUTES.include_router(module.ROUTES)
