"""One's own account: what one signs in with, where one is signed in, and what programs act with."""

from datetime import timedelta

from fastapi import APIRouter, Response

from leadline.app import account, approval, credentials, listing, sign_in
from leadline.core.access import Action
from leadline.http.api import caller
from leadline.http.pages.frame import SAID, Me, Posted, again
from leadline.http.pages.start import challenge_at
from leadline.wiring import people

ROUTES = APIRouter()
SAID |= {
    "account-password-set": "Your password is set.",
    "account-key-added": "It is registered. Sign in with it from now on.",
    "account-key-ended": "That key is ended. End the sessions that it may have begun, below.",
    "account-session-ended": "That session is ended, from its next request on.",
    "account-credential-ended": "That credential is ended, from its next use on.",
    "account-called-off": "Every open code of your account is called off. Whoever holds one can do nothing with it.",
}


@ROUTES.get("/account")
def show(me: Me) -> Response:
    """Keys, sessions, grants and credentials of whoever is signed in."""
    door = me.portal.door
    return me.page(
        "account/account.html.j2",
        mine=account.mine(me.ctx),
        here=me.me.session,
        challenge=challenge_at(me, "register_challenge"),
        provider=door.provider.issuer if door.provider else "",
        cards=door.trusted is not None,
    )


@ROUTES.post("/account/password")
@again(show)
def set_password(me: Posted) -> Response:
    """Set the password; where there is one, the session needs two factors."""
    me.portal.door.set_password(me.me, me.form.text("password", longest=1024))
    return me.go("/account", said="account-password-set")


@ROUTES.post("/account/passkeys")
@again(show)
def add_passkey(me: Posted) -> Response:
    """Register the passkey that this browser made."""
    challenge, answer = me.form.text("challenge", longest=200), me.form.text("answer")
    me.portal.door.add_passkey(me.me, challenge, answer)
    return me.go("/account", said="account-key-added")


@ROUTES.post("/account/certificates")
def add_certificate(me: Posted) -> Response:
    """Register the card of this connection."""
    me.portal.door.add_certificate(me.me, caller.needed(caller.certificate(me.request)))
    return me.go("/account", said="account-key-added")


@ROUTES.post("/account/keys/{key}/end")
def end_key(key: str, me: Posted) -> Response:
    """End one key at once, such as that of a device that is lost."""
    approval.retire(me.ctx, key)
    return me.go("/account", said="account-key-ended")


@ROUTES.post("/account/sessions/{session}/end")
def end_session(session: str, me: Posted) -> Response:
    """End one session at once."""
    sign_in.revoke(me.ctx, session)
    return me.go("/account", said="account-session-ended")


@ROUTES.post("/account/recovery/end")
def call_off(me: Posted) -> Response:
    """Call off every code with which somebody could begin this account anew."""
    sign_in.call_off(me.ctx)
    return me.go("/account", said="account-called-off")


@ROUTES.get("/account/credentials")
def issue_page(me: Me) -> Response:
    """What a new credential is for."""
    engagements = [(one.id, f"{one.model} ({one.id})") for one in listing.engagements(me.ctx)]
    known = people.roles()
    held = [known[one] for one in me.ctx.principal.roles if one in known]
    own = {str(action) for role in held for grant in role.grants for action in grant.actions}
    scopes = sorted(own - {str(one) for one in credentials.ALWAYS_PERSONAL})
    return me.page(
        "account/credential.html.j2",
        engagements=engagements,
        actions=[(one, one) for one in scopes],
    )


@ROUTES.post("/account/credentials")
@again(issue_page)
def issue(me: Posted) -> Response:
    """A new credential; its secret stands on this page and nowhere else."""
    form = me.form
    made = credentials.issue(
        me.ctx,
        [Action(word) for word in form.many("scopes") if word in set(Action)],
        form.text("engagement", longest=200),
        form.text("binding", longest=200),
        me.ctx.now + timedelta(days=form.number("days", 1, 30)),
        form.text("note", "", longest=120),
    )
    return me.page("account/issued.html.j2", made=made)


@ROUTES.post("/account/credentials/{credential}/end")
def end_credential(credential: str, me: Posted) -> Response:
    """End one credential at once."""
    credentials.revoke(me.ctx, credential)
    return me.go("/account", said="account-credential-ended")
