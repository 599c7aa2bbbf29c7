"""Routes for sessions, credentials and approvals, each of more than one use case."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Response

from leadline.app import approval, credentials, listing
from leadline.app import sign_in as use
from leadline.app.assertion import Signed
from leadline.client.shape import Adapter
from leadline.core.access import Action, Principal
from leadline.core.errors import Invalid, NotFound
from leadline.http.api import (
    caller,
    check,
    handing,
    machinery,
    packs,
    resuming,
    runs,
    uploads,
    wire,
)
from leadline.wiring import register
from leadline.wiring.sign_in import Acting, Door, passkey_signature

ROUTES = APIRouter(prefix="/api/v1")
for _own in (check, handing, machinery, packs, resuming, runs, uploads):
    ROUTES.include_router(_own.ROUTES)
At = Annotated[Door, Depends(caller.door)]
Me = Annotated[Acting, Depends(caller.personal)]


@ROUTES.get("/health", tags=["health"])
def health(at: At) -> dict[str, str]:
    """That the program runs and its database answers; nothing about what is in it."""
    with at.parts.store.read() as view:
        view.log_size()
    return {"status": "running"}


@ROUTES.get("/me", tags=["session"])
def who(me: Me) -> Response:
    """Who the caller is: name, organisation, roles."""
    return Response(Adapter(Principal).dump(me.ctx.principal), media_type="application/json")


@ROUTES.get("/session", tags=["session"])
def sessions(me: Me) -> list[wire.SessionOut]:
    """One's own sessions that still count."""
    return [wire.session(one) for one in use.sessions(me.ctx)]


@ROUTES.delete("/session", tags=["session"], status_code=204)
def sign_out(me: Me, out: Response) -> None:
    """End the session of this request."""
    if me.session:
        use.sign_out(me.ctx, me.session)
    caller.forget(out)


@ROUTES.delete("/session/{session}", tags=["session"], status_code=204)
def revoke_session(session: str, me: Me) -> None:
    """End one session at once."""
    use.revoke(me.ctx, session)


@ROUTES.get("/concerns/counts", tags=["concerns"], openapi_extra={"security": []})
def concern_counts(at: At) -> list[wire.CountOut]:
    """How many concerns each sector raised, for anybody; none where they are fewer than five."""
    return [wire.count(one) for one in register.concern_counts_of(at.parts)]


@ROUTES.get("/credentials", tags=["credentials"])
def my_credentials(me: Me) -> list[wire.CredentialOut]:
    """One's own credentials that still count."""
    return [wire.credential(one) for one in credentials.mine(me.ctx)]


@ROUTES.post("/credentials", tags=["credentials"], status_code=201)
def issue(given: wire.CredentialIn, me: Me) -> wire.IssuedOut:
    """A new credential; its secret is in this answer and nowhere else."""
    made = credentials.issue(
        me.ctx,
        [_action(word) for word in given.scopes],
        given.engagement,
        given.binding,
        given.expires,
        given.note,
    )
    return wire.IssuedOut(credential=wire.credential(made.credential), secret=made.secret)


@ROUTES.delete("/credentials/{credential}", tags=["credentials"], status_code=204)
def revoke_credential(credential: str, me: Me) -> None:
    """End one credential at once."""
    credentials.revoke(me.ctx, credential)


@ROUTES.get("/approvals", tags=["approvals"])
def waiting(me: Me) -> list[wire.PendingOut]:
    """Requests that are open and that the caller asked for or may sign."""
    return [wire.pending(one) for one in approval.waiting(me.ctx)]


@ROUTES.post("/approvals", tags=["approvals"], status_code=201)
def ask(given: wire.RequestIn, me: Me) -> wire.PendingOut:
    """Ask for signatures under one act on an engagement."""
    thing = listing.resource(me.ctx, given.engagement)
    made = approval.ask(me.ctx, _action(given.action), thing, given.detail)
    return wire.pending(approval.shown(me.ctx, made.id))


@ROUTES.get("/approvals/{request}", tags=["approvals"])
def one_request(request: str, me: Me) -> wire.PendingOut:
    """One request, with all that will be done and what to sign."""
    return wire.pending(approval.shown(me.ctx, request))


@ROUTES.get("/approvals/{request}/challenge", tags=["approvals"])
def approval_challenge(request: str, me: Me, at: At) -> wire.ChallengeOut:
    """What a browser is asked to sign one request with a passkey."""
    found = approval.shown(me.ctx, request).request
    to_sign, options = at.approval_options(me, found)
    return wire.ChallengeOut(challenge=found.id, to_sign=to_sign.hex(), options=dict(options))


@ROUTES.post("/approvals/{request}", tags=["approvals"], status_code=201)
def approve(request: str, given: wire.ApprovalIn, me: Me) -> wire.PendingOut:
    """Sign one request."""
    signed = (
        passkey_signature(me, given.answer)
        if given.answer
        else Signed(given.key, given.method, {"signature": given.signature})
    )
    approval.approve(me.ctx, request, signed)
    return wire.pending(approval.shown(me.ctx, request))


PROBLEMS: Mapping[str, str] = {
    "invalid": "What was sent cannot be right; `errors` point to the fields.",
    "denied": "The access rules say no; `rules` are the ids of those that decided.",
    "not-signed-in": "There is no session or credential, or it no longer counts.",
    "not-found": "There is no such thing, or you may not know of it; the two are not told apart.",
    "refused": "It is not possible in the state that the thing is in.",
    "too-soon": "Too many attempts failed; `Retry-After` says when the next one counts.",
    "stale": "Somebody else changed it first; read it again.",
    "unavailable": "Something that is needed does not answer; try again later.",
    "tampered": "Something does not verify; an alarm was raised.",
    "http": "The request is of a kind that this route does not take; `detail` says more.",
}


@ROUTES.get("/problems/{name}", tags=["problems"])
def problem_named(name: str) -> dict[str, str]:
    """What a problem's code means."""
    if name not in PROBLEMS:
        raise NotFound(name)
    return {"code": name, "meaning": PROBLEMS[name]}


def _action(word: str) -> Action:
    try:
        return Action(word)
    except ValueError:
        raise Invalid("action", f"{word!r} is no action") from None
