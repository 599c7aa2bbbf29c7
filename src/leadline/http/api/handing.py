"""Reports handed in as files, and evidence taken out as one: what a developer's own programs do by night."""

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from leadline.app import browse, offered, publish, reports
from leadline.app.browse import Filters, Thing
from leadline.app.ports import Order
from leadline.client.shape import Adapter
from leadline.client.uses import PREFIX
from leadline.core.clearing.finding import Origin
from leadline.core.clearing.report import Draft, Faulty, Receipt, Told
from leadline.formats.report_forms import Form
from leadline.http.api import contract
from leadline.http.api.check import FaultOut
from leadline.http.api.counted import BYTES, JSON, ZIP, Body, Calls, tagged
from leadline.http.api.taken import kept_here
from leadline.http.api.wire import Short, Wire
from leadline.wiring import handed, intake
from leadline.wiring.desk import AtDesk

if TYPE_CHECKING:
    from leadline.wiring.portal import Portal

ROUTES = APIRouter()
CSV = "text/csv"
Words = Annotated[list[Short], Query(max_length=50)]


class ExportIn(Wire):
    """To whom evidence is handed, and for what; *purpose* is one of the terms' vocabulary."""

    to: Short
    purpose: Short


@ROUTES.post(
    "/engagements/{engagement}/exports",
    tags=["engagements"],
    response_class=Response,
    responses={200: {"description": "Done.", "content": {ZIP: {"schema": {"type": "string"}}}}},
    openapi_extra=contract.keyed(),
)
def export(calls: Calls, body: Body, engagement: str, given: ExportIn) -> Response:
    """Take evidence of an engagement out: all that the caller sees, as a ZIP of its signed folder."""

    def exported(at: AtDesk) -> Response:
        on = at.dealings(engagement)
        with kept_here():
            data = handed.exported(at.ctx, on, to=given.to, purpose=given.purpose)
        return Response(data, media_type=ZIP)

    return calls.once(body, f"{PREFIX}/engagements/{engagement}/around", exported)


class FaultyOut(Wire):
    """A report that was not taken: every fault, with its place."""

    faults: list[FaultOut]


class HandedOut(Wire):
    """What became of each report of a file."""

    taken: list[Receipt]
    refused: list[FaultyOut]


HANDED = Adapter(HandedOut)


@ROUTES.post(
    "/findings/files",
    tags=["findings"],
    response_model=HandedOut,
    openapi_extra={
        **contract.raw("SARIF, CSAF, VINCE, CASR, JSON (lines), or a tar archive of them."),
        **contract.keyed(),
    },
)
def hand_in(  # noqa: PLR0913, PLR0917 -- what the page asks beside the file
    calls: Calls,
    body: Body,
    name: Short,
    form: Form | None = None,
    origin: Origin | None = None,
    found_by: Short = "",
    consent: Annotated[str, Query(max_length=2_000)] = "",
    confirmed_by: Short = "",
    component: Annotated[str, Query(max_length=1_000)] = "",
    project: Short = "",
) -> Response:
    """Hand in a file with one report or many; each is taken whole or not at all."""

    def taken(at: AtDesk) -> Response:
        said = Told(at.now, origin, found_by, consent, confirmed_by, component, project)
        refused, drafts = list[Faulty](), list[Draft]()
        for one in offered.uploaded(name, body, said, form):
            refused += [one.faulty] if one.faulty else []
            drafts += one.drafts
        came = reports.submit_all(at.ctx, drafts)
        refused += [one for one in came if isinstance(one, Faulty)]
        told = HandedOut(
            taken=[one for one in came if isinstance(one, Receipt)],
            refused=[_refused(one) for one in refused],
        )
        return Response(HANDED.dump(told), media_type=JSON)

    return calls.once(body, f"{PREFIX}/findings", taken)


def _refused(one: Faulty) -> FaultyOut:
    return FaultyOut(faults=[FaultOut(place=f.place, problem=f.problem) for f in one.faults])


@ROUTES.get(
    "/published/{digest}",
    tags=["published"],
    response_class=Response,
    responses={200: {"description": "Done.", "content": {BYTES: {"schema": {"type": "string"}}}}},
    openapi_extra={"security": []},
)
def fetch(digest: str, request: Request) -> Response:
    """A published artefact by its SHA-256 in hex, for anybody. What was not published is not there."""
    portal: Portal = request.app.state.portal
    everybody = portal.door.nobody()
    data = publish.fetch(everybody, intake.published(portal.home), digest)
    return tagged(request, Response(data, media_type=BYTES))


@ROUTES.get(
    "/lists/rows.csv",
    tags=["lists"],
    response_class=Response,
    responses={200: {"description": "Done.", "content": {CSV: {"schema": {"type": "string"}}}}},
)
def as_csv(  # noqa: PLR0913, PLR0917 -- as `GET /lists`
    calls: Calls,
    thing: Thing,
    words: Short = "",
    state: Words = [],  # noqa: B006 -- FastAPI reads it, nobody changes it
    group: Words = [],  # noqa: B006 -- as above
    case: Short = "",
    engagement: Short = "",
    org: Short = "",
    order: Order = Order.OPENED,
) -> Response:
    """The whole of a list as CSV, part by part, as the caller may know of it now."""
    filters = Filters(words, frozenset(state), frozenset(group), case, engagement, org)
    parts = browse.export(calls.at.ctx, thing, filters, order)
    return StreamingResponse(parts, media_type=f"{CSV}; charset=utf-8")
