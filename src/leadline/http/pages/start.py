"""The first page, and signing in and out.

What needs attention today comes from the modules of pages: each appends to `CARDS`, when it is imported,
a function that says what waits for whoever visits.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

from fastapi import APIRouter, Response

from leadline.app import sign_in
from leadline.app.sign_in import SignedIn
from leadline.core.account import Session
from leadline.core.errors import Refused
from leadline.http.api import caller
from leadline.http.pages.frame import CSRF as CSRF_FIELD
from leadline.http.pages.frame import (
    KEPT,
    KEPT_MAX,
    SAID,
    Anyone,
    Posted,
    Sent,
    Visit,
    again,
    local,
    unkept,
)

ROUTES = APIRouter()
VISIT = "__Host-leadline-visit"
SAID["invited"] = (
    "Your account begins here. Set at least two things to sign in with, then sign in anew."
)
SAID["linked"] = "The account at the provider is linked to yours."
SAID["signed-out"] = "You are signed out. Nothing of your sign-in is kept in this browser."


@dataclass(frozen=True, slots=True)
class Card:
    """One thing that waits: what it is, why in a sentence, and where it is done.

    *rank* sorts, the lowest first: 0 what ends within a day, 1 what asks for an answer, 2 the rest.
    """

    title: str
    words: str
    path: str
    rank: int = 2


# What waits for whoever is signed in. A function is asked of every visitor and first looks at the roles
# (`visit.roles`); it reads with `visit.ctx` as a page does, quickly: the first page waits for it.
CARDS: list[Callable[[Visit], Iterable[Card]]] = []


@ROUTES.get("/")
def start(visit: Anyone) -> Response:
    """What there is to do for whoever comes."""
    waiting = [card for ask in CARDS for card in ask(visit)] if visit.acting else []
    return visit.page("start.html.j2", cards=sorted(waiting, key=lambda card: card.rank))


@ROUTES.get("/sign-in")
def sign_in_page(visit: Anyone) -> Response:
    """The ways of showing who one is; whoever is signed in adds a second factor here."""
    door = visit.portal.door
    return visit.page(
        "sign_in.html.j2",
        next=local(visit.query("next", "/")),
        challenge=challenge_at(visit, "challenge"),
        provider=door.provider.issuer if door.provider else "",
        cards=door.trusted is not None,
    )


def challenge_at(visit: Visit, name: str) -> str:
    """Where the API gives the challenge that a page's script has a passkey sign."""
    return str(visit.request.app.url_path_for(name))


def _present(visit: Visit) -> Session | None:
    return visit.acting.session if visit.acting else None


def _begun(visit: Visit, made: SignedIn) -> Response:
    """Onwards with the new session: to a form that waited, else where the person wanted to go."""
    told = visit.form.text(KEPT, "", longest=KEPT_MAX)
    answer: Response = visit.go(visit.form.text("next", "/"))
    if told:
        path, fields = unkept(told)
        visit.token, visit.acting = made.token, visit.portal.door.acting(made.token)
        answer = visit.page("kept.html.j2", path=path, fields=fields)
    caller.begun(answer, made)
    return answer


@ROUTES.post("/sign-in/kept")
def keep_form(visit: Sent) -> Response:
    """The ways of showing who one is, with a form that waits; afterwards it is shown as it was filled in."""
    unkept(visit.form.text(KEPT, longest=KEPT_MAX))
    return sign_in_page(visit)


@ROUTES.post("/sign-in")
@again(sign_in_page)
def by_password(visit: Sent) -> Response:
    """With a name and a password."""
    name, password = visit.form.text("name", longest=200), visit.form.text("password", longest=1024)
    by = caller.caller(visit.request)
    return _begun(visit, visit.portal.door.by_password(name, password, by, _present(visit)))


@ROUTES.post("/sign-in/passkey")
@again(sign_in_page)
def by_passkey(visit: Sent) -> Response:
    """With a passkey's answer to a challenge of the API."""
    challenge = visit.form.text("challenge", longest=200)
    answer, by = visit.form.text("answer"), caller.caller(visit.request)
    return _begun(visit, visit.portal.door.by_passkey(challenge, answer, by, _present(visit)))


@ROUTES.post("/sign-in/certificate")
def by_certificate(visit: Sent) -> Response:
    """With the card whose certificate the connection brought."""
    der, by = caller.needed(caller.certificate(visit.request)), caller.caller(visit.request)
    return _begun(visit, visit.portal.door.by_certificate(der, by, _present(visit)))


@ROUTES.post("/sign-in/provider")
def to_provider(visit: Sent) -> Response:
    """Begin a visit to the provider of this installation; its id stays in this browser alone."""
    door = visit.portal.door
    made, url = door.begin_oidc(f"{door.site.origin}/sign-in/provider")
    answer = visit.page("provider.html.j2", url=url, returned="", at=urlsplit(url).netloc)
    kept = json.dumps({"visit": made, "next": local(visit.form.text("next", "/"))})
    answer.set_cookie(VISIT, quote(kept), path="/", secure=True, httponly=True, samesite="lax")
    return answer


@ROUTES.get("/sign-in/provider")
def from_provider(visit: Anyone) -> Response:
    """Back from the provider. Nothing is done by coming here: the form on this page does it."""
    return visit.page("provider.html.j2", url="", returned=str(visit.request.url), at="")


@ROUTES.post("/sign-in/provider/return")
def by_provider(visit: Sent) -> Response:
    """With what the provider sent the browser back with; or link that account to one's own."""
    kept = _visited(visit)
    door, returned = visit.portal.door, visit.form.text("returned", longest=8192)
    if visit.form.text("act", "sign-in") == "link":
        caller.same_page(
            visit.request, door, in_session(visit), visit.form.text(CSRF_FIELD, longest=200)
        )
        door.link_oidc(visit.me, kept["visit"], returned)
        answer: Response = visit.go("/account", said="linked")
    else:
        by = caller.caller(visit.request)
        made = door.by_oidc(kept["visit"], returned, by, _present(visit))
        answer = visit.go(kept["next"])
        caller.begun(answer, made)
    answer.delete_cookie(VISIT, path="/", secure=True, httponly=True, samesite="lax")
    return answer


def in_session(visit: Visit) -> Session:
    """The session of whoever is signed in. Raises: NotSignedIn."""
    session = visit.me.session
    assert session is not None  # noqa: S101 -- pages are visited with a session alone
    return session


def _visited(visit: Visit) -> Mapping[str, str]:
    """The visit that this browser began."""
    try:
        kept = json.loads(unquote(visit.request.cookies.get(VISIT, "")))
        return {"visit": str(kept["visit"]), "next": local(str(kept["next"]))}
    except (ValueError, KeyError, TypeError):
        raise Refused("this browser began no visit to the provider; begin again") from None


@ROUTES.get("/invitation")
def invitation_page(visit: Anyone) -> Response:
    """Where a code that an administrator gave is typed; the code itself does nothing by GET."""
    return visit.page("invitation.html.j2", code=visit.query("code"))


@ROUTES.post("/invitation")
@again(invitation_page)
def by_invitation(visit: Sent) -> Response:
    """Begin an account, or recover it, with a code that was shown once."""
    code, by = visit.form.text("code", longest=200), caller.caller(visit.request)
    made = sign_in.accept(visit.portal.door.nobody(), code, by)
    answer = visit.go("/account", said="invited")
    caller.begun(answer, made)
    return answer


@ROUTES.post("/sign-out")
def sign_out(visit: Posted) -> Response:
    """End this session."""
    sign_in.sign_out(visit.ctx, in_session(visit))
    answer = visit.go("/", said="signed-out")
    caller.forget(answer)
    return answer
