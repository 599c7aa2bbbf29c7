"""A run of a sealed suite, committed to from another machine. Runner, keys and shares stay where they are."""

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import Base64Bytes, Field

from leadline.app import sealed
from leadline.client.shape import Adapter
from leadline.client.uses import PREFIX
from leadline.core.assessment import Budget
from leadline.http.api import contract, shell
from leadline.http.api.counted import JSON, Body, Calls
from leadline.http.api.wire import Short, Wire
from leadline.wiring import sealed as wiring
from leadline.wiring.desk import AtDesk

ROUTES = APIRouter()
TERMS_BYTES_MAX = 1 << 20
shell.LARGER[f"{PREFIX}/packs/"] = 2 * TERMS_BYTES_MAX


class RunOfPackIn(Wire):
    """What is measured, whose family the showing counts for, and the text of the terms, in base64."""

    subject: Short
    family: Short
    terms: Annotated[Base64Bytes, Field(max_length=TERMS_BYTES_MAX)]


class CommittedOut(Wire):
    """The session that was committed to; its proof is at ``GET /sealed-sessions/{session}/commitment``."""

    session: str
    commitment: str
    stage: str


COMMITTED = Adapter(CommittedOut)


@ROUTES.post(
    "/packs/{pack}/sessions",
    tags=["packs"],
    status_code=201,
    response_model=CommittedOut,
    openapi_extra=contract.keyed(),
)
def commit(pack: str, given: RunOfPackIn, calls: Calls, body: Body) -> Response:
    """Commit to a run: what will be shown, in which order, and what scores it. Nobody is shown anything."""

    def committed(at: AtDesk) -> Response:
        sealed.read(at.ctx, pack)  # whoever may not know of it hears nothing of subjects
        subject = wiring.Subject(given.subject, given.family, Budget(), Path())
        made = wiring.prepare(at.ctx, pack, subject, given.terms)
        told = CommittedOut(session=made.id, commitment=made.commitment, stage=made.stage.value)
        return Response(COMMITTED.dump(told), 201, media_type=JSON)

    return calls.once(body, f"{PREFIX}/packs/{pack}/sessions", committed)
