"""Sealed suites: which there are, who was shown what, a run step by step, a score let out by its budget.

Whoever runs a session, whoever has it unsealed and the custodians sit at machines of their own. A page takes
in what the runner says of itself and gives out what the runner and the custodians verify; custodians' keys
and the runner itself stay where they are.
"""

from collections.abc import Mapping
from pathlib import Path

from fastapi import APIRouter, Response

from leadline.app import approval, openings, sealed, sealed_sessions
from leadline.core.access import Action
from leadline.core.approval import Request as Asked
from leadline.core.assessment import Budget
from leadline.core.errors import Invalid, NotFound
from leadline.core.sealed.session import Quote, RunSession
from leadline.formats.pack import hexadecimal
from leadline.http.pages.deed import Deed
from leadline.http.pages.frame import (
    ASKED,
    SAID,
    WAYS,
    Me,
    Posted,
    Unsigned,
    Visit,
    Way,
    again,
)
from leadline.wiring import sealed as wiring
from leadline.wiring.sealed import Subject, limits

ROUTES = APIRouter()
WAYS.append(Way("Sealed suites", "/sealed", frozenset({"custodian"})))
TWO = 2  # others who sign an unsealing
SESSION = "/sealed/{pack}/sessions/{session}"
QUOTE_BYTES_MAX, TERMS_BYTES_MAX = 64 << 10, 1 << 20
UNSEAL = (
    "Have this sealed suite opened for this runner, for one run. Every item that it is shown stands in the "
    "ledger and cannot be unshown."
)
SAID["score-released"] = "The score was let out in a band. What it debited stands in the record."
SAID["run-committed"] = "It is committed to. Nobody was asked or shown anything yet."
SAID["unsealing-asked"] = (
    "Asked. Two others sign under Signatures; then you sign, and it is opened."
)
SAID["unsealing-signed"] = (
    "Everybody signed, and it is logged. Hand the proof to the runner and the custodians."
)
SAID["pack-rotated"] = "A new cycle has begun."
SAID["opening-asked"] = "Asked. Two others sign; custodians then open the sample with their keys."


@ROUTES.get("/sealed")
def packs(me: Me) -> Response:
    """The sealed suites that this person may know of."""
    return me.page("evaluator/sealed.html.j2", packs=sealed.listed(me.ctx), limits=limits())


@ROUTES.get("/sealed/{pack}")
def pack(pack: str, me: Me) -> Response:
    """One sealed suite: what it commits to, its custodians, its runs, and every showing of an item."""
    return me.page(
        "evaluator/pack.html.j2",
        one=sealed.read(me.ctx, pack),
        receipt=sealed_sessions.sealing(me.ctx, pack),
        showings=sealed.exposures(me.ctx, pack),
        sessions=sealed_sessions.sessions(me.ctx, pack),
        limits=limits(),
    )


@ROUTES.post("/sealed/{pack}/sessions")
@again(pack)
def commit(pack: str, me: Posted) -> Response:
    """Commit to a run: what will be shown, in which order, and what scores it."""
    sealed.read(me.ctx, pack)  # whoever may not know of it hears nothing of its form
    terms = me.form.file("terms").data
    if len(terms) > TERMS_BYTES_MAX:
        raise Invalid("terms", "a text of one megabyte at most is due")
    spec, family = me.form.text("subject", longest=200), me.form.text("family", longest=200)
    subject = Subject(spec, family, Budget(), Path())
    made = wiring.prepare(me.ctx, pack, subject, terms)
    return me.go(f"/sealed/{pack}/sessions/{made.id}", said="run-committed")


@ROUTES.post("/sealed/{pack}/cycles")
def rotate(pack: str, me: Posted) -> Response:
    """Begin a new cycle: a share of the items leaves, and budgets begin anew."""
    sealed.rotate(me.ctx, pack, limits())
    return me.go(f"/sealed/{pack}", said="pack-rotated")


@ROUTES.get(SESSION)
def session(pack: str, session: str, me: Me) -> Response:
    """One run: how far it is, what comes next and who does it."""
    one = _of(me, pack, session)
    return me.page(
        "evaluator/session.html.j2",
        pack=sealed.read(me.ctx, pack),
        one=one,
        says=wiring.statements(one.driver, one.mode),
        asked=_asked(me, one),
    )


@ROUTES.get(SESSION + "/commitment")
def commitment(pack: str, session: str, me: Me) -> Response:
    """The signed commitment, to hand out before the run."""
    return _file(wiring.commitment(me.ctx, _of(me, pack, session).id), "commitment.txt")


@ROUTES.post(SESSION + "/unsealing-requests")
@again(session)
def ask(pack: str, session: str, me: Posted) -> Response:
    """Ask two others to sign that this very runner may have the suite opened."""
    one = _of(me, pack, session)
    sealed_sessions.present(me.ctx, one.id, _quote(me))
    return me.go(f"/sealed/{pack}/sessions/{one.id}", said="unsealing-asked")


@ROUTES.post(SESSION + "/unsealings")
@again(session)
def unseal(pack: str, session: str, me: Posted) -> Response:
    """With the signatures of two others and one's own, have the suite opened for the runner."""
    one, request = _of(me, pack, session), me.form.text("request", longest=200)
    told = next(
        (told for told in sealed_sessions.presented(me.ctx, one.id) if told.id == request), None
    )
    if told is None:
        raise Invalid("request", "no unsealing of this session was asked for under it")
    granted = approval.granted(me.ctx, request)
    if len(granted.approvers) < TWO:
        raise Invalid("request", "two others sign first; they find it under Signatures")
    deed = _deed(one, granted.request)
    if not granted.asserted and not me.typed(ASKED):
        raise Unsigned(granted.request, _options(me, granted.request), deed)
    if me.typed(ASKED):
        thing = sealed.thing(sealed.standing(me.ctx, Action.PACK_READ, one.id)[1])
        granted = me.signed(Action.PACK_UNSEAL, thing, granted.request.detail, deed)
    sealed_sessions.unseal(me.ctx, one.id, granted, limits())
    return me.go(f"/sealed/{pack}/sessions/{one.id}", said="unsealing-signed")


@ROUTES.get(SESSION + "/proof.json")
def proof(pack: str, session: str, me: Me) -> Response:
    """The proof that the unsealing is logged, for the exchange folder."""
    told = wiring.proof_file(me.ctx, _of(me, pack, session).id)
    return _file(told.decode(), "proof.json", "application/json")


@ROUTES.post("/sealed/{pack}/scores")
@again(pack)
def release(pack: str, me: Posted) -> Response:
    """Let the score of one session out, in a band, against the budget."""
    session = me.form.text("session", longest=200)
    if sealed.standing(me.ctx, Action.SCORE_RELEASE, session)[1].id != pack:
        raise NotFound(f"no session {session} of this suite")
    sealed.release_score(me.ctx, session, limits())
    return me.go(f"/sealed/{pack}", said="score-released")


@ROUTES.post(SESSION + "/reveals")
def reveal(pack: str, session: str, me: Posted) -> Response:
    """The signed reveal: released score, root over outcomes, seed. The file is the answer."""
    return _file(wiring.reveal(me.ctx, _of(me, pack, session).id)[1], "reveal.txt")


@ROUTES.post(SESSION + "/opening-requests")
@again(session)
def open_sample(pack: str, session: str, me: Posted) -> Response:
    """Ask to open a random sample to a third party, who named the randomness."""
    one, randomness = _of(me, pack, session), me.form.text("randomness", longest=200)
    hexadecimal("randomness", randomness)
    openings.ask(me.ctx, one.id, randomness, me.form.number("count", 1, 10_000))
    return me.go(f"/sealed/{pack}/sessions/{one.id}", said="opening-asked")


def _quote(me: Visit) -> Quote:
    """What the runner says of itself, as a file or as text."""
    found = me.form.file_or_text("quote", "told")
    if len(found.data) > QUOTE_BYTES_MAX:
        raise Invalid("told", "is larger than anything that a runner says of itself")
    try:
        return wiring.quoted(found.data)
    except Invalid as error:
        raise Invalid("told", f"is not what a runner says of itself: {error.problem}") from error


def _of(me: Visit, pack: str, session: str) -> RunSession:
    """A session of this very suite.

    Raises: NotFound.
    """
    one = sealed_sessions.session(me.ctx, session)
    if one.pack != pack:
        raise NotFound(f"no session {session} of this suite")
    return one


def _asked(me: Visit, one: RunSession) -> list[approval.Pending]:
    """The requests for this session's unsealing that this person may see, the latest first."""
    known = {told.id for told in sealed_sessions.presented(me.ctx, one.id)}
    found = [told for told in approval.waiting(me.ctx) if told.request.id in known]
    return sorted(found, key=lambda told: told.request.at, reverse=True)


def _options(me: Visit, asked: Asked) -> Mapping[str, object]:
    return me.portal.door.approval_options(me.me, asked)[1]


def _deed(one: RunSession, asked: Asked) -> Deed:
    detail = asked.detail
    facts = [
        ("What is shown", str(detail["shown"])),
        ("To whom", str(detail["by"])),
        ("What is said of that", str(detail["told"])),
    ]
    digests = [("Commitment", one.commitment), ("Code that runs and scores", one.code)]
    return Deed(UNSEAL, facts, digests=digests)


def _file(text: str, name: str, kind: str = "text/plain; charset=utf-8") -> Response:
    return Response(
        text, media_type=kind, headers={"content-disposition": f'attachment; filename="{name}"'}
    )
