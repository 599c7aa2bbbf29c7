"""Weights that a developer gives: signed parts handed in by a page, and the statement of their custody."""

from fastapi import APIRouter, Response

from leadline.app import weights
from leadline.http.pages.developer_place import place, shown
from leadline.http.pages.frame import SAID, Me, Posted, again
from leadline.wiring import handed, intake

ROUTES = APIRouter()
FILES = 8
SAID["weights-received"] = (
    "Received and sealed. Each file has its movements in the statement below."
)


@ROUTES.get("/engagements/{engagement}/weights")
def statement(me: Me, engagement: str) -> Response:
    """What became of each file of weights, and a form to hand some in."""
    at = place(me, engagement)
    return shown(
        me,
        at,
        "weights",
        told=weights.statement(me.ctx, intake.dealing(me.ctx, at.on.id)),
        key=intake.agreed_key(me.portal.home, at.on.developer),
        numbers=range(1, FILES + 1),
        most=handed.BYTES_MAX >> 20,
    )


@ROUTES.post("/engagements/{engagement}/weights/deliveries")
@again(statement)
def receive(me: Posted, engagement: str) -> Response:
    """Take in what was chosen, if the signature over all of it verifies with the key agreed beforehand."""
    on, chosen = place(me, engagement).on, list[handed.Given]()
    for number in range(1, FILES + 1):
        file = me.form.files.get(f"file-{number}")
        if file is not None and file.data:
            chosen.append(handed.Given(f"file-{number}", file.name, file.data))
    signature = me.form.file("signature").data
    with handed.laid_out(chosen) as folder:
        intake.receive_parts(me.ctx, me.portal.home, on.id, folder, signature)
    return me.go(f"/engagements/{on.id}/weights", said="weights-received")
