"""What a developer hands over as files: artefacts as they come, submissions, weights.

Nothing is taken in before all of it came and was judged. What came of a body that broke off, or of a process
that was killed, lay in files without a name, and is gone; whoever sent it sends it again under the same key.
"""

import base64
import binascii
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Annotated, BinaryIO

import anyio
from fastapi import APIRouter, Depends, Request, Response
from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from leadline.app import intake as use
from leadline.app import submission
from leadline.client.shape import Adapter
from leadline.client.uses import PREFIX
from leadline.core.access import Action
from leadline.core.engagement.submission import Piece
from leadline.core.errors import Invalid
from leadline.core.intake import DEFAULT, Purpose
from leadline.formats import inquiry_toml
from leadline.http.api import contract, resuming, shell
from leadline.http.api.coming import TURNS, pieces, require_utf8
from leadline.http.api.counted import JSON, Caller, Calls
from leadline.http.api.taken import TAKEN, TakenOut, kept_here, out
from leadline.http.api.wire import Short, Wire
from leadline.wiring import handed, intake
from leadline.wiring.desk import AtDesk

ROUTES = APIRouter()
MULTIPART = "multipart/form-data"
PACK, SIGNATURE = "pack", "signature"
FILES_MAX, CHUNK_BYTES, SECONDS_FORM = inquiry_toml.PIECES_MAX + 1, 1 << 20, 600.0
_DIGEST = re.compile(r"(?:^|,)\s*sha-256=:([A-Za-z0-9+/=]{44}):")
shell.STREAMED["POST", f"{PREFIX}/uploads"] = DEFAULT.upload_bytes
for _noun in ("submissions", "weights"):
    shell.STREAMED["POST", f"{PREFIX}/{_noun}"] = handed.BYTES_MAX + (1 << 20)


class OfferedOut(Wire):
    """A submission that was taken in: its manifest, its files in their order, and the terms they came under."""

    manifest: str
    digest: str
    files: list[str]
    terms: str


class DeliveredOut(Wire):
    """Weights that were taken in, file by file."""

    files: list[TakenOut]


OFFERED, DELIVERED = Adapter(OfferedOut), Adapter(DeliveredOut)
WHOLE, OF_IT = "Content-Digest", "Repr-Digest"
DIGEST = {
    "name": WHOLE,
    "in": "header",
    "required": False,
    "description": "SHA-256 of the body as RFC 9530 writes it, `sha-256=:BASE64:`; due where it is the whole.",
    "schema": {"type": "string"},
}


@ROUTES.post(
    "/uploads",
    tags=["uploads"],
    status_code=201,
    response_model=TakenOut | resuming.ArrivingOut,
    openapi_extra={
        **contract.raw(
            "The file, as it is; of several requests, what comes first of it, or nothing."
        ),
        "parameters": [*contract.keyed()["parameters"], DIGEST, *resuming.BEGINNING],
    },
)
def upload(
    calls: Calls,
    engagement: Short,
    purpose: Purpose,
    name: Short = "upload",
    *,
    sealed: bool = False,
) -> Response:
    """Take one file in as it comes, bounded by its purpose; what does not match its digest is refused.

    With `Upload-Complete: ?0` it begins an upload in several requests, which a broken line does not end.
    """
    if resuming.begins(calls.request):
        told, at = _digest(calls.request, OF_IT), calls.at
        announced = intake.upload(at.ctx, engagement, purpose, sealed=sealed)
        return resuming.begin(calls, replace(announced, name=name), told)
    told = _digest(calls.request, WHOLE)

    def taken(at: AtDesk) -> Response:
        announced = intake.upload(at.ctx, engagement, purpose, sealed=sealed)
        announced = replace(announced, name=name, bytes=_length(calls.request), digest=told)
        chunks = pieces(calls.request, "upload")
        with TURNS.of(at.person.org), kept_here():
            made = use.deposit(at.ctx, announced, chunks, intake.quarantine(at.home))
        return Response(TAKEN.dump(out(made)), 201, media_type=JSON)

    return calls.once(told.encode(), f"{PREFIX}/uploads", taken)


def _digest(request: Request, header: str) -> str:
    """The SHA-256 in hex that a header announces. Raises: Invalid."""
    found = _DIGEST.search(request.headers.get(header, ""))
    try:
        return base64.b64decode(found[1], validate=True).hex() if found else _undigested(header)
    except binascii.Error:
        return _undigested(header)


def _undigested(header: str) -> str:
    raise Invalid(header, "is due: sha-256=:BASE64: of the whole file (RFC 9530)")


def _length(request: Request) -> int | None:
    """What the sender announces; the size of any request is compared with it before."""
    told = request.headers.get("content-length")
    return int(told) if told is not None else None


@dataclass(frozen=True, slots=True)
class Sent:
    """The files of one form, by their names, in files without names."""

    files: Mapping[str, BinaryIO]
    own: bytes

    def content(self, piece: Piece) -> Iterator[bytes]:
        """The bytes of one file of a pack. Raises: Invalid, where it was not sent."""
        file = self.files.get(piece.file)
        if file is None:
            raise Invalid(piece.file, "is named in the pack, and was not sent with it")
        file.seek(0)
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


def _form(own: str, most: int, action: Action) -> Callable[[Caller, str], AsyncIterator[Sent]]:
    """Reads the part *own* of at most *most* bytes and the files beside it, in one of the sender's turns.

    Nothing is read of somebody who may not do *action*.
    """

    async def read(calls: Calls, engagement: Short) -> AsyncIterator[Sent]:
        request = calls.request
        await run_in_threadpool(_asked, calls.at, engagement, action)
        if request.headers.get("content-type", "").split(";")[0].strip() != MULTIPART:
            raise HTTPException(415, f"send {MULTIPART}")
        require_utf8(request)
        with TURNS.of(calls.at.person.org), _whole():
            with anyio.fail_after(SECONDS_FORM):
                form = await request.form(max_files=FILES_MAX, max_fields=0)
            try:
                yield await _sent(form, own, most)
            finally:
                await form.close()

    return read


def _asked(at: AtDesk, engagement: str, action: Action) -> None:
    """Raises: NotFound; Denied, for whoever may not hand anything over here."""
    at.ctx.require(action, at.dealings(engagement).resource())


@contextmanager
def _whole() -> Iterator[None]:
    """Raises: Invalid, for a form that does not come whole in time."""
    try:
        yield
    except TimeoutError:
        raise Invalid("form", f"did not come within {SECONDS_FORM:g} seconds") from None
    except ClientDisconnect:
        raise Invalid("form", "broke off; send it again") from None


async def _sent(form: FormData, own: str, most: int) -> Sent:
    found, first = dict[str, BinaryIO](), b""
    for name, value in form.multi_items():
        if not isinstance(value, UploadFile) or not value.filename:
            raise Invalid(name[:80], "is a file: give it a file name")
        if name == own:
            first = await value.read(most + 1)
        elif value.filename in found:
            raise Invalid("file", f"{value.filename:.80} was sent twice")
        else:
            found[value.filename] = value.file
    if not 0 < len(first) <= most:
        raise Invalid(own, f"is due, as a file of up to {most} bytes")
    return Sent(found, first)


def _parts(own: str, told: str) -> contract.Schema:
    """What the contract says of such a form."""
    file = {"type": "string", "contentMediaType": "application/octet-stream"}
    schema = {
        "type": "object",
        "required": [own],
        "properties": {own: file, "file": {"type": "array", "items": file}},
    }
    content = {MULTIPART: {"schema": schema}}
    body = {"description": told, "required": True, "content": content}
    return {"requestBody": body, **contract.keyed()}


@ROUTES.post(
    "/submissions",
    tags=["submissions"],
    status_code=201,
    response_model=OfferedOut,
    openapi_extra=_parts(PACK, "`submission.toml` as `pack`, and each file it names as a `file`."),
)
def offer(
    calls: Calls,
    sent: Annotated[Sent, Depends(_form(PACK, inquiry_toml.BYTES_MAX, Action.SUBMISSION_OFFER))],
    engagement: Short,
) -> Response:
    """Deposit a submission under the terms in effect, every file of it and its manifest."""

    def offered(at: AtDesk) -> Response:
        on = at.dealings(engagement)
        pack = inquiry_toml.load_submission(sent.own, PACK)
        with kept_here():
            made = submission.offer(at.ctx, on, pack, sent.content)
        told = OfferedOut(
            manifest=made.manifest.id,
            digest=made.manifest.digest,
            files=[one.id for one in made.files],
            terms=made.terms,
        )
        return Response(OFFERED.dump(told), 201, media_type=JSON)

    # The pack names each file by its digest.
    return calls.once(sent.own, f"{PREFIX}/engagements/{engagement}", offered)


@ROUTES.post(
    "/weights",
    tags=["weights"],
    status_code=201,
    response_model=DeliveredOut,
    openapi_extra=_parts(SIGNATURE, "The signature over all files, and each of them as a `file`."),
)
def deliver(
    calls: Calls,
    sent: Annotated[
        Sent, Depends(_form(SIGNATURE, intake.SIGNATURE_BYTES_MAX, Action.ARTEFACT_DEPOSIT))
    ],
    engagement: Short,
) -> Response:
    """Take weights in whose signature verifies with the key agreed beforehand, with the files beside them."""

    def delivered(at: AtDesk) -> Response:
        chosen = [handed.Given("file", name, file.read()) for name, file in sent.files.items()]
        with kept_here(), handed.laid_out(chosen) as folder:
            made = intake.receive_parts(at.ctx, at.home, engagement, folder, sent.own)
        answer = DeliveredOut(files=[out(one) for one in made])
        return Response(DELIVERED.dump(answer), 201, media_type=JSON)

    # The signature names each file by its digest.
    return calls.once(sent.own, f"{PREFIX}/engagements/{engagement}/weights", delivered)
