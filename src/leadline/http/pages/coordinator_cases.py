"""A case: who is silent, every vendor with its clock, what keeps it secret, and what may be done next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from fastapi import APIRouter, Response

from leadline.app import case_view, cases, contacts, reports
from leadline.app.cases import NewParty
from leadline.core.clearing.case import JUSTIFICATIONS
from leadline.core.clearing.case_view import CaseView, Event, SeenClock, SeenParty, silent_first
from leadline.core.clearing.case_words import (
    Affected,
    Answer,
    Clock,
    Embargo,
    End,
    FixState,
    Move,
    Role,
)
from leadline.core.clearing.case_words import Report as Said
from leadline.core.clearing.coordination import Moved, Stated
from leadline.core.errors import Invalid, NotFound
from leadline.formats.parties_csv import load_parties
from leadline.http.api import shell
from leadline.http.pages.coordinator_shared import about, coordinates, fields, in_page, pairs
from leadline.http.pages.frame import SAID, Me, Posted, Visit, again
from leadline.wiring.cases import disclosure, disclosures

ROUTES = APIRouter()
shell.LARGER["/cases/"] = 64 << 20
PARTIES_SHOWN = 1_000
MET, FELL = "met", "fell due"
# What an act of the form says, in the words of those who do it.
MOVES: Mapping[Move, str] = {
    Move.PUBLIC: "It is public now, by us",
    Move.ELSEWHERE: "Somebody else made it public",
    Move.PUBLIC_FIX: "A fix is public, from which it can be seen",
    Move.EXPLOIT: "An exploit is public",
    Move.ATTACKS: "Attacks are known",
    Move.FIX_OUT: "A repaired release is out",
    Move.REDISCOVERED: "Somebody found it independently",
    Move.EXISTENCE: "That there is a case was announced",
    Move.DETAILS: "The details were published",
    Move.EXTENDED: "A clock gets longer",
    Move.PAUSED: "A vendor's clocks stand still",
    Move.RESUMED: "A vendor's clocks run again",
    Move.RUN_ON: "A vendor's clocks run on in spite of its pause",
}
ENDS: Mapping[End, str] = {
    End.PUBLIC_ELSEWHERE: "it becomes public elsewhere",
    End.PUBLIC_FIX: "a fix becomes public from which it can be seen",
    End.EXPLOITED: "it is exploited",
    End.ALL_AGREE: "everybody whom it binds agrees",
}
ROLES: Mapping[Role, str] = {
    Role.OWNER: "owner: makes the software",
    Role.UPSTREAM: "upstream: the owner builds on it",
    Role.DOWNSTREAM: "downstream: ships it to others",
    Role.FINDER: "finder",
    Role.COORDINATOR: "coordinator",
}
WARNED = {Role.DOWNSTREAM: "Some policies let it stay secret only for days once these were told."}
SAYS = (Affected.AFFECTED, Affected.NOT_AFFECTED, Affected.UNKNOWN)
SAID.update({
    "party-added": "The party takes part. It knows nothing until a person sends it a message.",
    "parties-added": "The parties take part. They know nothing until a person sends them a message.",
    "access-renewed": "Everybody with an account here is named for the case for 30 days from now.",
    "party-removed": "The party takes part no more.",
    "stated": "What the party says is on record.",
    "proposed": "The date is proposed. It holds once everybody who was asked accepts.",
    "date-answered": "The answer is on record.",
    "embargo-ended": "The embargo ended, because everybody agreed.",
    "case-moved": "That is on record, and its clocks follow from it.",
    "disclosure-chosen": "Another disclosure policy governs the case now.",
    "joined": "The finding is in the case now; its finder takes part.",
    "credited": "The credit is decided.",
    "case-closed": "The case is closed. What was recorded stays.",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One party in the table: with the clock of its own that falls due next or fell due first."""

    party: SeenParty
    clock: SeenClock | None
    silent_since: SeenClock | None

    @property
    def answer(self) -> str:
        """What it says of its products; that nothing was said is a word of its own."""
        said = self.party.affected
        if self.party.told is None and said == Affected.UNSAID.value:
            return "not told yet"
        return "no answer yet" if said == Affected.UNSAID.value else said or "has no products here"


def lines(seen: CaseView) -> list[Line]:
    """Every party, those who are silent first."""
    next_, silence = dict[str, SeenClock](), dict[str, SeenClock]()
    # what runs and falls due first; where nothing runs any more, what fell due last
    running = [one for one in seen.clocks if one.state not in {MET, FELL}]
    for one in sorted(running, key=lambda one: (one.at is None, one.at or one.started)):
        next_.setdefault(one.party, one)
    fell = [one for one in seen.clocks if one.state == FELL and one.at is not None]
    for one in sorted(fell, key=lambda one: one.at or one.started, reverse=True):
        next_.setdefault(one.party, one)
        if one.clock == Clock.SILENCE.value:
            silence.setdefault(one.party, one)
    return [
        Line(one, next_.get(one.name), silence.get(one.name) if one.silent else None)
        for one in silent_first(seen.parties)
    ]


@ROUTES.get("/cases")
def board(me: Me) -> Response:
    """The disclosure board: every case of this person by state, who is silent, what falls due."""
    seen = case_view.listed(me.ctx)
    stage = me.query("state")
    held = [one for one in seen if not stage or one.stage == stage]
    held.sort(key=lambda one: (one.closed is not None, -_silent(one), _soonest(one), one.case))
    counts = {name: sum(one.stage == name for one in seen) for name in _stages(seen)}
    return me.page(
        "coordinator/board.html.j2",
        wide=True,
        cases=[(one, _silent(one), _next(one)) for one in held],
        counts=counts,
        intake=cases.INTAKE in me.ctx.principal.cases,
        now=me.ctx.now,
    )


def _stages(seen: Sequence[CaseView]) -> list[str]:
    return list(dict.fromkeys(one.stage for one in seen if one.stage))


def _silent(seen: CaseView) -> int:
    return sum(one.silent for one in seen.parties)


def _next(seen: CaseView) -> SeenClock | None:
    open_ = [one for one in seen.clocks if one.state != MET and one.at is not None]
    return min(open_, key=lambda one: one.at or one.started, default=None)


def _soonest(seen: CaseView) -> float:
    found = _next(seen)
    return found.at.timestamp() if found and found.at else float("inf")


@ROUTES.get("/cases/{case}")
def one(case: str, me: Me) -> Response:
    """A case as this person may see it."""
    seen = case_view.view(me.ctx, case)
    rows, policies = lines(seen), disclosures(me.portal.home)
    return me.page(
        "coordinator/case.html.j2",
        wide=True,
        seen=seen,
        policies={id_: policy.title for id_, policy in policies.items()},
        silent=[row for row in rows if row.party.silent],
        vendors=[row for row in rows if row.party.fix or row.party.affected],
        others=[row for row in rows if not (row.party.fix or row.party.affected)],
        clocks=[row for row in seen.clocks if not row.party and row.at],
        ends=_ends(me, seen),
        coordinates=coordinates(me, case),
        now=me.ctx.now,
    )


def _ends(me: Visit, seen: CaseView) -> list[str]:
    """What ends the embargo of this policy early, in words."""
    found = disclosures(me.portal.home).get(seen.disclosure)
    return [ENDS[one] for one in End if found and one in found.ends_on]


@ROUTES.get("/cases/{case}/timeline")
def timeline(case: str, me: Me) -> Response:
    """What happened, as a picture and as a table."""
    from leadline.render.case_pages import timeline_figure

    seen = case_view.view(me.ctx, case)
    figure = timeline_figure(seen, me.ctx.now) if seen.timeline or seen.clocks else None
    return me.page(
        "coordinator/timeline.html.j2",
        wide=True,
        seen=seen,
        figure=figure,
        source=in_page(figure.svg) if figure else "",
        steps=steps(seen.timeline),
        coordinates=coordinates(me, case),
    )


def steps(timeline: Sequence[Event]) -> list[tuple[Event, list[str]]]:
    """What happened, oldest first; what happened alike at one moment, once with all its parties."""
    found = dict[Event, list[str]]()
    for one in timeline:
        found.setdefault(replace(one, party=""), []).append(one.party)
    return [(one, [name for name in names if name]) for one, names in found.items()]


@ROUTES.get("/cases/{case}/parties")
def parties(case: str, me: Me) -> Response:
    """Who takes part, and forms to add one party or a whole list."""
    seen, coordinated = case_view.view(me.ctx, case), coordinates(me, case)
    return me.page(
        "coordinator/parties.html.j2",
        seen=seen,
        proposed=contacts.proposed(me.ctx, case) if coordinated and not seen.closed else (),
        rows=lines(seen)[:PARTIES_SHOWN],
        roles=[(one.value, words) for one, words in ROLES.items()],
        vendors=[
            (one.value, ROLES[one], "") for one in (Role.OWNER, Role.UPSTREAM, Role.DOWNSTREAM)
        ],
        coordinates=coordinated,
    )


@ROUTES.post("/cases/{case}/parties")
@again(parties)
def add(case: str, me: Posted) -> Response:
    """Add one party, or renew it."""
    product = me.form.text("product", "", longest=20_000).split()
    new = NewParty(
        me.form.one("role", Role),
        me.form.text("name", longest=200),
        me.form.text("contact", "", longest=600),
        tuple(product),
        me.form.text("person", "", longest=200),
        me.form.text("project", "", longest=200),
        me.form.text("need", "", longest=200),
    )
    with fields(purl="product"):
        cases.add_party(me.ctx, case, new)
    return me.go(f"/cases/{case}/parties", said="party-added")


@ROUTES.post("/cases/{case}/parties/list")
@again(parties)
def add_list(case: str, me: Posted) -> Response:
    """Add every party of a list: all of them, or none."""
    role = me.form.one("list-role", Role)
    with about("list"):
        text = me.form.file_or_text("list-file", "list").data.decode("utf-8", "replace")
        news = [
            NewParty(role, row.name, row.contact, (row.product,) if row.product else ())
            for row in load_parties(text)
        ]
        cases.add_parties(me.ctx, case, news)
    return me.go(f"/cases/{case}", said="parties-added")


@ROUTES.post("/cases/{case}/renewal")
def renew(case: str, me: Posted) -> Response:
    """Name everybody with an account for the case anew, for as long as a grant lasts."""
    cases.renew(me.ctx, case)
    return me.go(f"/cases/{case}/parties", said="access-renewed")


@ROUTES.get("/cases/{case}/parties/{party}")
def party(case: str, party: str, me: Me) -> Response:
    """One party: what it said, its clocks, and what may be written down of it."""
    seen = case_view.view(me.ctx, case)
    held = next((row for row in lines(seen) if row.party.id == party), None)
    if held is None:
        raise NotFound("there is no such party in this case")
    mine = _mine(me, case)
    return me.page(
        "coordinator/party.html.j2",
        seen=seen,
        row=held,
        clocks=[one for one in seen.clocks if one.party == held.party.name],
        events=[one for one in seen.timeline if one.party == held.party.name],
        own=party in mine,
        reports=pairs([one.value for one in Said if one is not Said.START]),
        fixes=pairs([one.value for one in FixState]),
        affected=[(one.value, one.value) for one in SAYS],
        justifications=pairs(JUSTIFICATIONS),
        answers=[(Answer.ACCEPT.value, "accepts"), (Answer.DECLINE.value, "declines")],
        coordinates=coordinates(me, case),
        vendor=bool(held.party.fix or held.party.affected),
    )


def _mine(me: Visit, case: str) -> set[str]:
    """The parties that this person stands for, as far as it may know."""
    if case not in me.ctx.principal.cases:
        return {one.id for one in case_view.view(me.ctx, case).parties}
    stands, _ = case_view.standing_and_file(me.ctx, case)
    return {one.id for one in stands.of_person(me.ctx.principal.id)}


@ROUTES.post("/cases/{case}/parties/{party}/statements")
@again(party)
def state(case: str, party: str, me: Posted) -> Response:
    """Put on record what a party says of itself."""
    given = {name: me.form.text(name, "") for name in ("report", "fix", "affected")}
    said = Stated(
        me.form.one("report", Said) if given["report"] else None,
        me.form.one("fix", FixState) if given["fix"] else None,
        me.form.one("affected", Affected) if given["affected"] else None,
        me.form.text("justification", "", longest=200),
    )
    cases.state(me.ctx, case, party, said, me.form.text("reference", "", longest=200))
    return me.go(f"/cases/{case}/parties/{party}", said="stated")


@ROUTES.post("/cases/{case}/parties/{party}/answers")
@again(party)
def answer(case: str, party: str, me: Posted) -> Response:
    """Put on record what a party says to the proposed date."""
    until = me.form.moment("until") if me.form.text("until", "") else None
    with fields(reference="answer-reference"):
        cases.answer(
            me.ctx,
            case,
            me.form.one("answer", Answer),
            party=party,
            until=until,
            reference=me.form.text("answer-reference", "", longest=200),
        )
    return me.go(f"/cases/{case}/parties/{party}", said="date-answered")


@ROUTES.post("/cases/{case}/parties/{party}/removal")
@again(party)
def remove(case: str, party: str, me: Posted) -> Response:
    """A party leaves the case."""
    with fields(reason="removal-reason"):
        cases.remove_party(me.ctx, case, party, me.form.text("removal-reason", "", longest=200))
    return me.go(f"/cases/{case}", said="party-removed")


@ROUTES.post("/cases/{case}/parties/{party}/credit")
@again(party)
def credit(case: str, party: str, me: Posted) -> Response:
    """Decide that a finder is credited, as it wants to be named."""
    with fields(name="credit-name"):
        name = me.form.text("credit-name", longest=200)
        cases.credit(me.ctx, case, party, name, shared=me.form.ticked("shared"))
    return me.go(f"/cases/{case}/parties/{party}", said="credited")


@ROUTES.get("/cases/{case}/dates")
def dates(case: str, me: Me) -> Response:
    """Until when it is secret, what ends that early, what is proposed, and which policy says so."""
    seen = case_view.view(me.ctx, case)
    inside = case in me.ctx.principal.cases
    stands = case_view.standing_and_file(me.ctx, case)[0] if inside else None
    names = {one.id: one.name for one in seen.parties}
    held = stands.terms.proposal if stands else None
    policies = disclosures(me.portal.home)
    return me.page(
        "coordinator/dates.html.j2",
        seen=seen,
        policy=policies.get(seen.disclosure),
        policies=[(one.id, one.title) for one in policies.values() if one.id != seen.disclosure],
        ends=_ends(me, seen),
        proposal=held,
        names=names,
        bound=[(one, names.get(one, one)) for one in stands.terms.parties] if stands else [],
        parties=[(one.id, one.name) for one in seen.parties if one.role != Role.COORDINATOR],
        mine=_mine(me, case),
        agreed=seen.embargo in {Embargo.ACTIVE.value, Embargo.REVISE.value},
        coordinates=coordinates(me, case),
    )


@ROUTES.post("/cases/{case}/dates")
@again(dates)
def propose(case: str, me: Posted) -> Response:
    """Propose until when it is secret."""
    until, asked = me.form.moment("until"), me.form.many("asked")
    why = me.form.text("reason", "", longest=200)
    by = me.form.text("party", "", longest=200)
    cases.propose(me.ctx, case, until, party=by, asked=asked, reason=why)
    return me.go(f"/cases/{case}/dates", said="proposed")


@ROUTES.post("/cases/{case}/agreement")
@again(dates)
def end(case: str, me: Posted) -> Response:
    """End an agreed embargo early, because everybody whom it binds agrees."""
    cases.end_embargo(me.ctx, case, me.form.many("agrees"))
    return me.go(f"/cases/{case}/dates", said="embargo-ended")


@ROUTES.post("/cases/{case}/disclosure")
@again(dates)
def choose(case: str, me: Posted) -> Response:
    """Change the disclosure policy."""
    under = disclosure(me.portal.home, me.form.text("disclosure", longest=200))
    with fields(reason="disclosure-reason"):
        cases.choose(me.ctx, case, under, me.form.text("disclosure-reason", "", longest=200))
    return me.go(f"/cases/{case}/dates", said="disclosure-chosen")


@ROUTES.get("/cases/{case}/events")
def events(case: str, me: Me) -> Response:
    """What may become of a case from outside: publication, attacks, rediscovery, longer times; its end."""
    seen, inside = case_view.view(me.ctx, case), coordinates(me, case)
    left = reports.part(me.ctx, reports.WAITING).reports if inside else ()
    return me.page(
        "coordinator/events.html.j2",
        seen=seen,
        moves=[(one.value, words) for one, words in MOVES.items()],
        parties=[(one.id, one.name) for one in seen.parties],
        clocks=pairs([one.value for one in Clock if one is not Clock.AGREED]),
        findings=[(one.finding, one.title) for one in left],
        coordinates=inside,
    )


@ROUTES.post("/cases/{case}/events")
@again(events)
def move(case: str, me: Posted) -> Response:
    """Put on record what became of the case."""
    form = me.form
    file = form.files.get("evidence-file")
    shown = form.text("evidence", "", longest=64)
    if file is not None and file.data:
        shown = sha256(file.data).hexdigest()
    asked = Moved(
        form.one("move", Move),
        shown,
        form.moment("since") if form.text("since", "") else None,
        form.text("reason", "", longest=200),
        form.text("party", "", longest=200),
        form.one("clock", Clock) if form.text("clock", "") else None,
        form.moment("until") if form.text("until", "") else None,
        form.many("consents"),
    )
    cases.move(me.ctx, case, asked)
    return me.go(f"/cases/{case}", said="case-moved")


@ROUTES.post("/cases/{case}/findings")
@again(events)
def join(case: str, me: Posted) -> Response:
    """Put further findings of the same root cause into a case."""
    found = me.form.many("finding")
    if not found:
        raise Invalid("finding", "choose at least one")
    cases.join(me.ctx, case, found)
    return me.go(f"/cases/{case}", said="joined")


@ROUTES.post("/cases/{case}/closing")
@again(events)
def close(case: str, me: Posted) -> Response:
    """Close a case that is public, or in which no vendor has anything left to do."""
    with fields(reason="closing-reason"):
        cases.close(me.ctx, case, me.form.text("closing-reason", "", longest=200))
    return me.go("/cases", said="case-closed")
