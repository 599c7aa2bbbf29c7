"""What anybody may read: the register, counts, how it measures, who may see what, the law; and concerns."""

import csv
import json
from datetime import UTC
from io import StringIO

from fastapi import APIRouter, Response

from leadline.app import concerns
from leadline.core.errors import Invalid, Refused
from leadline.core.record.days import AGES, OLDER, Counts
from leadline.formats.roles_toml import Reach
from leadline.http.pages.frame import SAID, WAYS, Anyone, Me, Posted, Way, again
from leadline.notify.feeds import register_atom
from leadline.render.document import Document
from leadline.render.regime_page import compared, comparison_document, regime_document
from leadline.render.regime_words import STATUS, days_of, is_stale
from leadline.wiring import people, record
from leadline.wiring.register import concern_counts_of, public_register_of, sectors

ROUTES = APIRouter()
WAYS.append(Way("Register", "/register"))
WAYS.append(Way("Advisories", "/advisories"))
WAYS.append(Way("Concerns", "/concerns", frozenset({"operator"})))
SAID["concern-raised"] = "Your concern is with the clearinghouse lead. You find the answer here."
SAID["concern-answered"] = "The answer stands; whoever raised the concern reads it here."
SIDES = 2
REACHES = {
    Reach.OWN: "of the own organisation",
    Reach.NAMED: "where named for it",
    Reach.ANY: "anywhere, within markings",
    Reach.SELF: "what is the person's own",
}
CSV = "text/csv; charset=utf-8"


@ROUTES.get("/register")
def register(visit: Anyone) -> Response:
    """Acts by kind and month, what is withheld counted too; entries of the dated register that are public."""
    parts = visit.portal.door.parts
    try:
        found = record.registered(parts)
    except Refused:
        found = None
    entries = public_register_of(parts, visit.portal.home)
    return visit.page("public/register.html.j2", found=found, entries=entries)


@ROUTES.get("/register.json")
def register_file(visit: Anyone) -> Response:
    """The register as data, with the signed head that it adds up to."""
    found = record.registered(visit.portal.door.parts)
    return Response(json.dumps(found.document, indent=1), media_type="application/json")


@ROUTES.get("/register.atom")
def register_feed(visit: Anyone) -> Response:
    """The register for whoever follows it."""
    found = record.registered(visit.portal.door.parts)
    content = register_atom(found, visit.portal.door.site.origin)
    return Response(content, media_type="application/atom+xml")


@ROUTES.get("/counts")
def counts(visit: Anyone) -> Response:
    """How long things take and how many reports stand where, without a word about any of them."""
    return visit.page("public/counts.html.j2", found=_counted(visit), ages=_ages())


@ROUTES.get("/counts.csv")
def counts_file(visit: Anyone) -> Response:
    """The same for a spreadsheet; what each column means stands on the page."""
    out = StringIO()
    rows = csv.writer(out, lineterminator="\r\n")
    rows.writerow(("measure", "what", "age", "count", "median_days"))
    found = _counted(visit)
    for one in found.days:
        rows.writerow(("days", one.span.id, "", _told(one.count), _told(one.median)))
    for cell in found.reports:
        rows.writerow(("reports", cell.state, cell.age, _told(cell.count), ""))
    return Response(out.getvalue(), media_type=CSV)


@ROUTES.get("/counts.svg")
def counts_picture(visit: Anyone) -> Response:
    """Median days, as a picture."""
    from leadline.render.days import medians

    return Response(medians(_counted(visit)), media_type="image/svg+xml")


def _counted(visit: Anyone) -> Counts:
    return record.counted(visit.portal.door.parts)


def _ages() -> list[str]:
    return [name for _, name in AGES] + [OLDER]


def _told(count: float | None) -> str:
    return "not shown" if count is None else str(count)


@ROUTES.get("/about/method")
def method(visit: Anyone) -> Response:
    """How it measures, how often it errs, and what it does not measure."""
    return visit.page("public/method.html.j2")


@ROUTES.get("/about/access")
def access(visit: Anyone) -> Response:
    """Who may see what, and each rule by the id that a denial names."""
    return visit.page(
        "public/access.html.j2",
        roles=sorted(people.roles().values(), key=lambda one: one.title),
        rules=people.rules(),
        reaches=REACHES,
    )


@ROUTES.get("/regimes")
def regimes(visit: Anyone) -> Response:
    """The laws and programmes that are known here."""
    library, day = visit.portal.library, visit.ctx.now.astimezone(UTC).date()
    found = [library.on(id_, day) for id_ in library.ids()]
    rows = [(one, STATUS[one.status], days_of(one), is_stale(one, day)) for one in found]
    return visit.page("public/regimes.html.j2", rows=rows)


@ROUTES.get("/regimes/compared")
def regimes_compared(visit: Anyone) -> Response:
    """Several side by side: ``?id=`` stands twice or more."""
    library, day = visit.portal.library, visit.ctx.now.astimezone(UTC).date()
    ids = list(dict.fromkeys(visit.request.query_params.getlist("id")))[:6]
    if len(ids) < SIDES:
        raise Invalid("id", "choose two or more to compare")
    rows = compared([library.on(one, day) for one in ids], library, day)
    trail = [("Start", "/"), ("Laws and programmes", "/regimes"), ("Side by side", "")]
    return _document(visit, comparison_document(rows, day), trail)


@ROUTES.get("/regimes/{regime}")
def regime(regime: str, visit: Anyone) -> Response:
    """One text in plain sentences, each with the clause it rests on."""
    library, day = visit.portal.library, visit.ctx.now.astimezone(UTC).date()
    found = library.on(regime, day)
    trail = [("Start", "/"), ("Laws and programmes", "/regimes"), (found.id, "")]
    return _document(visit, regime_document(found, library, day), trail)


def _document(visit: Anyone, document: Document, trail: list[tuple[str, str]]) -> Response:
    return visit.page("document.html.j2", document=document, trail=trail)


@ROUTES.get("/concerns")
def concern_list(me: Me) -> Response:
    """The concerns that this person may read, unanswered ones first, and a form to raise one."""
    counted = concern_counts_of(me.portal.door.parts)
    return me.page(
        "public/concerns.html.j2",
        found=concerns.listed(me.ctx),
        now=me.ctx.now,
        sectors=[(one, one.replace("-", " ").capitalize()) for one in sectors()],
        counted=counted,
        may_raise=concerns.may_raise(me.ctx),
        may_answer=concerns.may_answer(me.ctx),
    )


@ROUTES.post("/concerns")
@again(concern_list)
def raise_concern(me: Posted) -> Response:
    """Tell the clearinghouse lead."""
    concerns.raised(me.ctx, sectors(), me.form.text("sector"), me.form.text("text"))
    return me.go("/concerns", said="concern-raised")


@ROUTES.post("/concerns/{concern}/answer")
@again(concern_list)
def answer_concern(concern: str, me: Posted) -> Response:
    """Answer one, once."""
    concerns.answered(me.ctx, concern, me.form.text("answer"))
    return me.go("/concerns", said="concern-answered")
