"""Uploads that are gone on with: Resumable Uploads for HTTP (draft-ietf-httpbis-resumable-upload-15).

A `POST /uploads` that says `Upload-Complete: ?0` begins one; its own address tells where it stands (`HEAD`),
takes more (`PATCH`), and gives it up (`DELETE`). No interim response is sent: ASGI has none.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException

from leadline.app import arriving as use
from leadline.app.arriving import Arriving
from leadline.app.intake import Upload
from leadline.client.shape import Adapter
from leadline.client.uses import PREFIX
from leadline.core.errors import Invalid
from leadline.core.intake import DEFAULT
from leadline.http.api import contract, problem, shell
from leadline.http.api.coming import TURNS, pieces
from leadline.http.api.counted import JSON, Calls
from leadline.http.api.taken import TAKEN, TakenOut, kept_here, out
from leadline.http.api.wire import Wire
from leadline.wiring import intake
from leadline.wiring.desk import AtDesk

ROUTES = APIRouter()
TAG, PARTIAL = "uploads", "application/partial-upload"
OFFSET, COMPLETE, LENGTH, LIMIT = (
    "Upload-Offset",
    "Upload-Complete",
    "Upload-Length",
    "Upload-Limit",
)
_INTEGER = re.compile("[0-9]{1,15}")
shell.STREAMED["PATCH", f"{PREFIX}/uploads/*"] = DEFAULT.upload_bytes


class ArrivingOut(Wire):
    """An upload that was begun; *artefact* is what it was taken in as, where it was. Headers say where it stands."""

    id: str
    engagement: str
    purpose: str
    name: str
    sealed: bool
    bytes: int
    digest: str
    begun: datetime
    ends: datetime
    artefact: str


ARRIVING, LISTED = Adapter(ArrivingOut), Adapter(list[ArrivingOut])


def _header(name: str, told: str, pattern: str, *, required: bool = True) -> contract.Schema:
    schema = {"type": "string", "pattern": pattern}
    return {
        "name": name,
        "in": "header",
        "required": required,
        "description": told,
        "schema": schema,
    }


BEGINNING: Sequence[contract.Schema] = (
    _header(COMPLETE, "`?0` begins an upload in several requests.", r"^\?[01]$", required=False),
    _header(
        LENGTH, "Of the whole, where it comes in several requests.", "^[0-9]+$", required=False
    ),
    _header(
        "Repr-Digest",
        "SHA-256 of the whole, where it comes in several requests.",
        "",
        required=False,
    ),
)
GOING_ON: Sequence[contract.Schema] = (
    _header(
        OFFSET, "Where the upload stands: the place of the first byte that is sent.", "^[0-9]+$"
    ),
    _header(COMPLETE, "`?1` where nothing comes after what is sent.", r"^\?[01]$"),
)


def _said(request: Request, name: str) -> int:
    """An integer in a header. Raises: Invalid."""
    text = request.headers.get(name, "")
    if not _INTEGER.fullmatch(text):
        raise Invalid(name, "is due: a whole number of bytes")
    return int(text)


def begins(request: Request) -> bool:
    """Whether a request to upload begins one in several requests."""
    return request.headers.get(COMPLETE, "") == "?0"


def begin(calls: Calls, upload: Upload, digest: str) -> Response:
    """Begin an upload, with what of it comes already. The same key again tells where it stands."""
    at, length = calls.at, _said(calls.request, LENGTH)
    arrivals = intake.arrivals(at.home)

    def begun(at: AtDesk) -> Response:
        made = use.begin(at.ctx, replace(upload, bytes=length), digest, arrivals)
        return Response(ARRIVING.dump(_out(made)), 201, media_type=JSON)

    answer = calls.once(f"{digest} {length}".encode(), f"{PREFIX}/uploads", begun)
    id_ = str(json.loads(bytes(answer.body))["id"])
    with kept_here():
        stands = use.offset(at.ctx, id_, arrivals)
        if not stands:
            with TURNS.of(at.person.org):
                chunks = pieces(calls.request, "upload")
                stands = use.append(at.ctx, id_, 0, chunks, arrivals)
    found = use.shown(at.ctx, id_)
    headers = {**_headers(at, found, stands), "Location": f"{PREFIX}/uploads/{id_}"}
    return Response(ARRIVING.dump(_out(found)), 201, headers, JSON)


def _out(one: Arriving) -> ArrivingOut:
    return ArrivingOut(
        id=one.id,
        engagement=one.engagement,
        purpose=one.purpose.value,
        name=one.name,
        sealed=one.sealed,
        bytes=one.bytes,
        digest=one.digest,
        begun=one.begun,
        ends=one.ends,
        artefact=one.artefact,
    )


def _headers(at: AtDesk, one: Arriving, stands: int) -> Mapping[str, str]:
    left = int((one.ends - at.ctx.now).total_seconds())
    return {
        OFFSET: str(stands),
        COMPLETE: "?1" if one.artefact else "?0",
        LENGTH: str(one.bytes),
        LIMIT: f"max-size={one.bytes}, max-age={left}",
    }


@ROUTES.options("/uploads", tags=[TAG], status_code=204, openapi_extra={"security": []})
def offers() -> Response:
    """That uploads may come in several requests, and how large one may be."""
    limit = f"max-size={DEFAULT.upload_bytes}, max-age={int(use.LIFE.total_seconds())}"
    return Response(status_code=204, headers={"Accept-Patch": PARTIAL, LIMIT: limit})


@ROUTES.get("/uploads/own", tags=[TAG], response_model=list[ArrivingOut])
def mine(calls: Calls) -> Response:
    """One's own uploads of this week that were begun in several requests, the oldest first."""
    return calls.told(LISTED, [_out(one) for one in use.mine(calls.at.ctx)])


@ROUTES.get("/uploads/{upload}", tags=[TAG], response_model=ArrivingOut)
def one(upload: str, calls: Calls) -> Response:
    """One of one's own uploads."""
    return calls.told(ARRIVING, _out(use.shown(calls.at.ctx, upload)))


@ROUTES.head("/uploads/{upload}", tags=[TAG], status_code=204)
def stands(upload: str, calls: Calls) -> Response:
    """Where an upload stands: all before that byte is on the disk here."""
    at = calls.at
    with kept_here():
        found = use.offset(at.ctx, upload, intake.arrivals(at.home))
    headers = _headers(at, use.shown(at.ctx, upload), found)
    return Response(status_code=204, headers=headers)


@ROUTES.delete("/uploads/{upload}", tags=[TAG], status_code=204)
def give_up(upload: str, calls: Calls) -> None:
    """Give an upload up; what came of it is taken away."""
    at = calls.at
    use.cancel(at.ctx, upload, intake.arrivals(at.home))


@ROUTES.patch(
    "/uploads/{upload}",
    tags=[TAG],
    status_code=201,
    response_model=TakenOut,
    responses={204: {"description": "What was sent is on the disk; more is to come."}},
    openapi_extra={
        **contract.raw("What comes next of the file.", PARTIAL),
        "parameters": list(GOING_ON),
    },
)
def go_on(upload: str, calls: Calls) -> Response:
    """Send more of an upload. It counts once by its own address, so that no key is due.

    What came before a line breaks stays: ask where it stands, and go on there.
    """
    at, request = calls.at, calls.request
    if request.headers.get("content-type", "").split(";")[0].strip() != PARTIAL:
        raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"send {PARTIAL}")
    place, said = _said(request, OFFSET), request.headers.get(COMPLETE, "")
    if said not in {"?0", "?1"}:
        raise Invalid(COMPLETE, "is due: ?1 where nothing comes after this, else ?0")
    found, arrivals = use.shown(at.ctx, upload), intake.arrivals(at.home)
    with TURNS.of(at.person.org), kept_here():
        empty = request.headers.get("content-length", "0") == "0"
        if not (found.artefact and empty and said == "?1" and place == found.bytes):
            place = use.append(at.ctx, upload, place, pieces(request, "upload"), arrivals)
        if said == "?0":
            return Response(status_code=204, headers=_headers(at, found, place))
        return _finished(at, request, upload)


def _finished(at: AtDesk, request: Request, upload: str) -> Response:
    """What the whole came to. Of an answer about the whole `Upload-Complete: ?1` says so: nobody goes on then."""
    try:
        made = use.finish(at.ctx, upload, intake.arrivals(at.home), intake.quarantine(at.home))
    except Invalid as error:
        answer = problem.answer(request, error)
        answer.headers[COMPLETE] = "?1"
        return answer
    return Response(TAKEN.dump(out(made)), 201, {COMPLETE: "?1"}, JSON)
