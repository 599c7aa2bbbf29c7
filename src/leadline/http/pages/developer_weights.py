"""Weights that a developer gives: who would see what, signed parts handed in by a page, and their custody."""

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import APIRouter, Response

from leadline.app import audience, log, terms, weights
from leadline.core.errors import Invalid
from leadline.http.pages.developer_place import place, shown
from leadline.http.pages.frame import SAID, Me, Posted, Visit, again
from leadline.wiring import handed, intake, people

ROUTES = APIRouter()
FILES = 8
SAID["weights-received"] = (
    "Received and sealed. Each file has its movements in the statement below, which is your receipt."
)


@dataclass(frozen=True, slots=True)
class Looked:
    """What a signature names, read and forgotten, and who could learn of it."""

    files: Mapping[str, str]
    seen: audience.Audience


@ROUTES.get("/engagements/{engagement}/weights")
def statement(me: Me, engagement: str) -> Response:
    """What became of each file of weights, and a form to hand some in."""
    return _statement(me, engagement, None)


def _statement(me: Visit, engagement: str, looked: Looked | None) -> Response:
    at = place(me, engagement)
    key = intake.agreed_key(me.portal.home, at.on.developer)
    head = log.latest(me.ctx)
    return shown(
        me,
        at,
        "weights",
        told=weights.statement(me.ctx, intake.dealing(me.ctx, at.on.id)),
        proved=head.head.size if head else 0,
        key=intake.fingerprint(key) if key else "",
        terms=terms.held(me.ctx, at.on).effective,
        looked=looked,
        numbers=range(1, FILES + 1),
        most=handed.BYTES_MAX >> 20,
    )


@ROUTES.post("/engagements/{engagement}/weights/looks")
@again(statement)
def look(me: Posted, engagement: str) -> Response:
    """A test: which files the signature names, and who could see what. It leaves no record."""
    on = place(me, engagement).on
    seen = audience.of_weights(me.ctx, people.roles(), intake.dealing(me.ctx, on.id))
    files = intake.signed_files(me.form.file("signature").data)
    return _statement(me, engagement, Looked(files, seen))


@ROUTES.post("/engagements/{engagement}/weights/deliveries")
@again(statement)
def receive(me: Posted, engagement: str) -> Response:
    """Take in what was chosen, if the signature over all of it verifies with the key agreed beforehand."""
    on, chosen = place(me, engagement).on, list[handed.Given]()
    for number in range(1, FILES + 1):
        file = me.form.files.get(f"file-{number}")
        if file is not None and file.data:
            chosen.append(handed.Given(f"file-{number}", file.name, file.data))
    if not chosen:
        raise Invalid("file-1", "no file was chosen; choose every file that the signature names")
    signature = me.form.file("signature").data
    with handed.laid_out(chosen) as folder:
        intake.receive_parts(me.ctx, me.portal.home, on.id, folder, signature)
    return me.go(f"/engagements/{on.id}/weights", said="weights-received")
