"""Requests that wait for a signature: each shows all that will be signed, to whoever may sign it."""

from collections.abc import Iterable

from fastapi import APIRouter, Response

from leadline.app import approval
from leadline.core.access import Action
from leadline.core.approval import Request
from leadline.http.pages.filters import detail, words
from leadline.http.pages.frame import ANSWER, SAID, Me, Posted, Visit
from leadline.http.pages.start import CARDS, Card
from leadline.wiring.sign_in import passkey_signature

ROUTES = APIRouter()
# What others sign, in words; an act that is not among them stands by its own name.
WORDS = {
    Action.PRINCIPAL_RESTORE: "let a person go on",
    Action.PRINCIPAL_RECOVER: "let a person sign in again",
    Action.PRINCIPAL_APPOINT: "make a person an account administrator",
    Action.ORGANISATION_FOUND: "give an organisation its first account administrators",
    Action.ARTEFACT_UNSEAL: "open sealed content",
    Action.ARTEFACT_PUBLISH: "publish content",
    Action.ARTEFACT_SHRED: "shred content for good",
    Action.PACK_UNSEAL: "open a sealed suite",
    Action.PACK_REVEAL: "reveal a sealed suite",
    Action.SCORE_RELEASE: "release a score",
    Action.DETERMINATION_RECORD: "record a determination",
    Action.KEY_ROTATE: "replace a key",
    Action.HOLD_LIFT: "lift a hold",
}
SAID["approved"] = "Signed. Whoever asked can go on once every signature that is due is there."


def _waiting(visit: Visit) -> Iterable[Card]:
    """Requests of others that this person has not signed yet."""
    me = visit.ctx.principal.id
    open_ = [one for one in approval.waiting(visit.ctx) if one.request.requester != me]
    for one in open_:
        if me not in one.approvers:
            asked = one.request
            yield Card(
                f"Sign: {WORDS.get(asked.action, asked.action.value)}",
                f"{asked.requester} asks for a signature under {asked.kind} {asked.resource}. "
                f"The request ends by itself at {asked.expires:%H:%M} UTC.",
                f"/approvals/{asked.id}",
                rank=0,
            )


CARDS.append(_waiting)


@ROUTES.get("/approvals")
def listed(me: Me) -> Response:
    """What waits for this person's signature, and what this person asked others for."""
    return me.page("approvals/list.html.j2", waiting=approval.waiting(me.ctx), acts=WORDS)


@ROUTES.get("/approvals/{request}")
def shown(request: str, me: Me) -> Response:
    """One request, with all that will be done."""
    found = approval.shown(me.ctx, request)
    _, options = me.portal.door.approval_options(me.me, found.request)
    return me.page(
        "approvals/one.html.j2",
        one=found,
        act=WORDS.get(found.request.action, found.request.action.value),
        told=_told(found.request),
        digest=approval.digest(found.request).hex(),
        options=options,
        signed=me.ctx.principal.id in found.approvers,
        mine=found.request.requester == me.ctx.principal.id,
    )


# What is signed, by the name it has for people; the rest stands by its own.
NAMES = {
    "organisation": "Organisation",
    "roles": "What its people may be",
    "clearance": "Highest level of content",
    "ids": "Ids of its first account administrators",
    "names": "Their names",
    "recovery": "Whose account begins anew",
    "appoint": "Who becomes account administrator",
}


def _told(request: Request) -> list[tuple[str, str]]:
    """Each detail that is signed, in the order in which it is signed."""
    return [
        (NAMES.get(name, words(name).capitalize()), detail(value))
        for name, value in request.detail.items()
    ]


@ROUTES.post("/approvals/{request}")
def sign(request: str, me: Posted) -> Response:
    """Sign one request with a passkey."""
    approval.shown(me.ctx, request)  # whoever may not know of it hears nothing about the answer
    answer = me.form.text(ANSWER)
    approval.approve(me.ctx, request, passkey_signature(me.me, answer))
    return me.go(f"/approvals/{request}", said="approved")
