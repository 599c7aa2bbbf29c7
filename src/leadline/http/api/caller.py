"""Who a request is by: a session's cookie, or a credential with the key it is bound to.

A cookie is sent by the browser whoever made the page, so with it an unsafe request must carry the
session's own CSRF token and come from this very origin. A credential is sent by nobody but its holder.
"""

import hmac
from http import HTTPMethod
from typing import TYPE_CHECKING, Annotated, cast

from fastapi import Depends, Request, Response

from leadline.app.sign_in import Caller, NotSignedIn, SignedIn, hashed
from leadline.core.account import Session
from leadline.core.errors import Denied, Refused
from leadline.http.api import wire
from leadline.http.api.shell import CERTIFICATE
from leadline.wiring.sign_in import Acting, Door
from leadline.wiring.sign_in import Request as Shown

if TYPE_CHECKING:
    from leadline.wiring.portal import Portal

COOKIE = "__Host-leadline"
CSRF = "X-CSRF-Token"
SAFE = frozenset({HTTPMethod.GET, HTTPMethod.HEAD, HTTPMethod.OPTIONS})


def door(request: Request) -> Door:
    """The installation that this application serves."""
    return cast("Portal", request.app.state.portal).door


def caller(request: Request) -> Caller:
    """Where the request comes from; headers that anybody can write are not asked."""
    address = request.client.host if request.client else ""
    return Caller(address, request.headers.get("user-agent", ""))


def certificate(request: Request) -> bytes | None:
    """The client certificate of the connection, in DER, as the TLS layer verified it."""
    return cast("bytes | None", request.scope.get(CERTIFICATE))


def same_origin(request: Request, found: Annotated[Door, Depends(door)]) -> None:
    """Raises: Denied, if a browser sends this from a page of another origin."""
    origin = request.headers.get("origin")
    if request.method not in SAFE and origin is not None and origin != found.site.origin:
        raise Denied("this request comes from another origin", ("same-origin",))


def acting(request: Request, found: Annotated[Door, Depends(door)]) -> Acting:
    """Who the request is by, established anew for each.

    Raises: NotSignedIn; Denied, without CSRF token or bound key.
    """
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme in {"DPoP", "Bearer"}:
        shown = Shown(
            request.method, request.url.path, request.headers.get("dpop", ""), certificate(request)
        )
        return found.acting_with(secret, shown)
    token = request.cookies.get(COOKIE)
    if token is None:
        raise NotSignedIn("sign in first", ("signed-in",))
    known = found.acting(token)
    assert known.session is not None  # noqa: S101 -- by a token there is one
    if request.method not in SAFE:
        same_page(request, found, known.session, request.headers.get(CSRF, ""))
    return known


def personal(known: Annotated[Acting, Depends(acting)]) -> Acting:
    """As `acting`, for what a person does in person: a credential is not enough.

    Raises: Denied.
    """
    if known.session is None:
        raise Denied("a credential cannot do this; sign in", ("in-person",))
    return known


def present(request: Request, found: Annotated[Door, Depends(door)]) -> Session | None:
    """The session to step up, if the request carries one that counts.

    Raises: Denied, if it does without being of this page.
    """
    session = found.session(request.cookies.get(COOKIE, ""))
    if session:
        same_page(request, found, session, request.headers.get(CSRF, ""))
    return session


def from_here(request: Request, found: Door) -> None:
    """Raises: Denied, unless the browser says that a page of this origin sends this."""
    if request.headers.get("origin") != found.site.origin:
        raise Denied("this request comes from another origin", ("same-origin",))


def same_page(request: Request, found: Door, session: Session, token: str) -> None:
    """Raises: Denied, unless the origin is this one and *token* is this session's CSRF token."""
    from_here(request, found)
    if not hmac.compare_digest(hashed(token), session.csrf):
        raise Denied(f"send the session's token in {CSRF}", ("csrf",))


def begun(answer: Response, made: SignedIn) -> wire.Begun:
    """Set the cookie of a session as it begins."""
    answer.set_cookie(COOKIE, made.token, path="/", secure=True, httponly=True, samesite="lax")
    return wire.Begun(session=wire.session(made.session), csrf=made.csrf)


def forget(answer: Response) -> None:
    """Take the cookie away."""
    answer.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="lax")


def needed(der: bytes | None) -> bytes:
    """The connection's certificate; raises Refused, without one."""
    if der is None:
        raise Refused("this connection brought no client certificate")
    return der
