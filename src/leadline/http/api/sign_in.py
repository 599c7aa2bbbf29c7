"""Routes under /api/v1/sign-in: each way of showing who one is, and registering further ones.

With a session's cookie a sign-in steps that session up; without one it begins a session.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from leadline.app import sign_in as use
from leadline.app.assertion import Signed
from leadline.app.sign_in import Caller
from leadline.core.account import Method, Session
from leadline.http.api import caller, wire
from leadline.wiring.sign_in import Acting, Door

ROUTES = APIRouter(
    prefix="/api/v1/sign-in", tags=["sign-in"], dependencies=[Depends(caller.same_origin)]
)
At = Annotated[Door, Depends(caller.door)]
By = Annotated[Caller, Depends(caller.caller)]
Before = Annotated[Session | None, Depends(caller.present)]
Me = Annotated[Acting, Depends(caller.personal)]
Certificate = Annotated[bytes | None, Depends(caller.certificate)]


@ROUTES.post("/password")
def password(given: wire.PasswordIn, at: At, by: By, before: Before, out: Response) -> wire.Begun:
    """With a name and a password."""
    return caller.begun(out, at.by_password(given.name, given.password, by, before))


@ROUTES.post("/challenge")
def challenge(at: At) -> wire.ChallengeOut:
    """Something to sign within two minutes, once."""
    made, to_sign, options = at.challenge()
    return wire.ChallengeOut(challenge=made.id, to_sign=to_sign.hex(), options=dict(options))


@ROUTES.post("/passkey")
def passkey(given: wire.PasskeyIn, at: At, by: By, before: Before, out: Response) -> wire.Begun:
    """With a passkey's answer to a challenge."""
    return caller.begun(out, at.by_passkey(given.challenge, given.answer, by, before))


@ROUTES.post("/key")
def key(given: wire.SignedIn, at: At, by: By, before: Before, out: Response) -> wire.Begun:
    """With a key kept in a file."""
    signed = Signed(given.key, Method.KEY.value, {"signature": given.signature})
    made = use.by_key(at.nobody(), given.challenge, signed, by, before)
    return caller.begun(out, made)


@ROUTES.post("/certificate")
def certificate(at: At, by: By, before: Before, der: Certificate, out: Response) -> wire.Begun:
    """With the client certificate of this connection."""
    return caller.begun(out, at.by_certificate(caller.needed(der), by, before))


@ROUTES.post("/invitation")
def invitation(given: wire.InvitationIn, at: At, by: By, out: Response) -> wire.Begun:
    """With a code shown once, to register the first keys."""
    return caller.begun(out, use.accept(at.nobody(), given.code, by))


@ROUTES.post("/oidc/begin")
def begin_oidc(given: wire.RedirectIn, at: At) -> wire.VisitOut:
    """A visit to the provider of this installation."""
    visit, url = at.begin_oidc(given.redirect)
    return wire.VisitOut(visit=visit, url=url)


@ROUTES.post("/oidc")
def oidc(given: wire.ReturnIn, at: At, by: By, before: Before, out: Response) -> wire.Begun:
    """With what the provider sent the browser back with."""
    return caller.begun(out, at.by_oidc(given.visit, given.returned, by, before))


@ROUTES.post("/oidc/link", status_code=204)
def link(given: wire.ReturnIn, at: At, me: Me) -> None:
    """Link the account at the provider to one's own."""
    at.link_oidc(me, given.visit, given.returned)


@ROUTES.post("/register/password", status_code=204)
def set_password(given: wire.NewPasswordIn, at: At, me: Me) -> None:
    """Set one's own password."""
    at.set_password(me, given.password)


@ROUTES.post("/register/challenge")
def register_challenge(at: At, me: Me) -> wire.RegistrationOut:
    """What a browser is asked to make."""
    made, options = at.ask_passkey(me)
    return wire.RegistrationOut(challenge=made.id, options=dict(options))


@ROUTES.post("/register/passkey", status_code=201)
def register_passkey(given: wire.PasskeyIn, at: At, me: Me) -> wire.KeyOut:
    """Register the passkey that a browser made."""
    return wire.key(at.add_passkey(me, given.challenge, given.answer))


@ROUTES.post("/register/certificate", status_code=201)
def register_certificate(at: At, me: Me, der: Certificate) -> wire.KeyOut:
    """Register the card of this connection."""
    return wire.key(at.add_certificate(me, caller.needed(der)))


@ROUTES.post("/recovery/call-off")
def call_off(me: Me) -> int:
    """End invitations and recoveries of one's own account; answers how many there were."""
    return use.call_off(me.ctx)
