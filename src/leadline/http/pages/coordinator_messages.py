"""What goes out of a case by people's hands: messages to vendors, advisories, notices, parcels to others."""

from collections import Counter
from dataclasses import dataclass

from fastapi import APIRouter, Response

from leadline.app import case_view, drafts, fixes, notices, publishing, relaying
from leadline.app.drafts import Asked
from leadline.core.access import Action
from leadline.core.clearing.advisory import Advisory
from leadline.core.clearing.case_view import CaseView
from leadline.core.clearing.case_words import Role
from leadline.core.clearing.delivery import Evidence, Release, Words
from leadline.core.clearing.directory import Channel
from leadline.core.clearing.disclosure import Clock
from leadline.core.clearing.fix import MOVES, RECALLED
from leadline.core.clearing.message import Placed, Post
from leadline.core.clearing.receipt import State
from leadline.core.clearing.tiers import Stage
from leadline.core.errors import Invalid, NotFound
from leadline.formats import advisory_page, feed
from leadline.http.api import shell
from leadline.http.pages import deed
from leadline.http.pages.coordinator_shared import (
    about,
    coordinates,
    download,
    fields,
    in_page,
    pairs,
    unzipped,
    zipped,
)
from leadline.http.pages.frame import SAID, Me, Posted, Visit, again
from leadline.wiring import advisories
from leadline.wiring.cases import disclosures
from leadline.wiring.contacts import given

ROUTES = APIRouter()
CONSIDERED_SHOWN = 200  # operators of a release; how many came to what is told of all of them
shell.LARGER["/relayed-cases"] = 64 << 20
LEFT = (Post.READY, Post.QUEUED)
UNADDRESSED = "no address is known. Give one below, under “One vendor, at another address”"
SAID.update({
    "drafts-written": "Messages are written, and none is sent. Take them away, send them, say so here.",
    "drafts-written-unaddressed": (
        "Messages are written, and none is sent. For the vendors named below there is none,"
        " because no address is known: give one under “One vendor, at another address”."
    ),
    "drafts-written-in-part": (
        "Messages are written, and none is sent. For the vendors named below there is none: no address"
        " is known, or a finding was not replayed here and nothing says why it goes out all the same."
    ),
    "drafts-sent": "It is on record that these were sent. The vendors' clocks count from then.",
    "advisory-drafted": "The draft is kept with the case, as secret as the case itself.",
    "advisory-withdrawn": "The advisory is withdrawn: it stays, says why, and matches nothing any more.",
    "notices-released": "The notices wait where their readers sign in.",
    "fix-moved": "How far the fix came is on record.",
    "handled": "It is on record under which id the next coordinator handles the case.",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """A message with the names of the parties that it goes to."""

    placed: Placed
    names: tuple[str, ...]


def _rows(me: Visit, case: str, seen: CaseView | None = None) -> list[Row]:
    names = {one.id: one.name for one in seen.parties} if seen else {}
    found = [one for one in drafts.listed(me.ctx, case) if one.post is not Post.MERGED]
    found.sort(key=lambda one: (one.post.value, one.message.to, one.message.id))
    return [
        Row(one, tuple(names.get(piece.party, "") for piece in one.message.pieces)) for one in found
    ]


@ROUTES.get("/drafts")
def all_drafts(me: Me) -> Response:
    """Every message of this person's cases: what may be sent, what waits, what was sent."""
    return me.page("coordinator/drafts.html.j2", wide=True, rows=_rows(me, ""))


@ROUTES.get("/cases/{case}/drafts")
def of_case(case: str, me: Me) -> Response:
    """The messages of a case: written for every vendor at once, read, taken away, marked as sent."""
    return _of_case(me, case, ())


def _of_case(me: Visit, case: str, left: tuple[tuple[str, str], ...]) -> Response:
    seen = case_view.view(me.ctx, case)
    rows = _rows(me, case, seen)
    written = {piece.party for row in rows for piece in row.placed.message.pieces}
    vendors = [one for one in seen.parties if one.fix]
    reasons = dict(left)
    return me.page(
        "coordinator/case_drafts.html.j2",
        wide=True,
        seen=seen,
        open=[row for row in rows if row.placed.post in LEFT],
        sent=[row for row in rows if row.placed.post is Post.SENT],
        without=[one for one in vendors if one.id not in written],
        reasons=[
            (why, [one for one in vendors if _why(reasons.get(one.id, "")) == why])
            for why in dict.fromkeys(_why(told) for _, told in left)
        ],
        channels=pairs([one.value for one in Channel]),
        parties=[(one.id, one.name) for one in vendors],
        shippers=sum(one.role == Role.DOWNSTREAM.value for one in vendors),
        staged=_staged(me, seen),
        now=me.ctx.now,
        coordinates=coordinates(me, case),
    )


def _staged(me: Visit, seen: CaseView) -> int:
    """For how many days the policy lets those who ship it to others know; 0 where it does not say."""
    policy = disclosures(me.portal.home).get(seen.disclosure)
    terms = policy.terms if policy else ()
    return next((one.days for one in terms if one.clock is Clock.STAGE), 0)


@ROUTES.post("/cases/{case}/drafts")
@again(of_case)
def write(case: str, me: Posted) -> Response:
    """Write one message for each vendor that has an address. Nothing is sent."""
    party, to = me.form.text("party", "", longest=200), me.form.text("to", "", longest=600)
    channel = me.form.one("channel", Channel) if to else Channel.MAIL
    if to and not party:
        raise Invalid("party", "say whose address it is")
    why = me.form.text("unreplayed", "", longest=200)
    asked = Asked((party,) if party else (), given(channel, to, me.ctx.now), why)
    made = drafts.write(me.ctx, case, asked)
    if made.messages:  # a page of its own, so that whoever reads a message finds the way back
        whys = {_why(told) for _, told in made.left_out}
        part = "-unaddressed" if whys == {UNADDRESSED} else "-in-part" if whys else ""
        return me.go(f"/cases/{case}/drafts", said=f"drafts-written{part}")
    return _of_case(me, case, made.left_out)


def _why(told: str) -> str:
    """Why a vendor has no message, and what to do about it on these pages."""
    if told.startswith("no address is known"):
        return UNADDRESSED
    if "replay it, or say why" in told:
        return (
            "a finding of this case was not replayed here. Say above why it goes out all the same"
        )
    return told


@ROUTES.get("/cases/{case}/drafts/archive")
def archive(case: str, me: Me) -> Response:
    """Every message that was not sent yet, as one archive of plain texts."""
    seen = case_view.view(me.ctx, case)
    names = {one.id: one.name for one in seen.parties}
    files = dict[str, bytes]()
    for number, held in enumerate(drafts.texts(me.ctx, case), 1):
        message = held.placed.message
        who = "".join(c if c.isalnum() else "-" for c in names.get(message.pieces[0].party, ""))
        ending = "eml" if message.channel is Channel.MAIL else "txt"
        if message.channel in {Channel.GITHUB, Channel.GITLAB}:
            ending = "json"
        files[f"{number:03d}-{who[:60]}.{ending}"] = held.text
    return download(f"messages-{case}.zip", zipped(files), "application/zip")


@ROUTES.post("/cases/{case}/drafts/sent")
@again(of_case)
def sent(case: str, me: Posted) -> Response:
    """Put on record that a person sent messages, where and when."""
    ids = me.form.many("draft")
    if not ids:
        raise Invalid("draft", "choose at least one")
    at, where = me.form.moment("at"), me.form.text("where", longest=200)
    with fields(over_pace="over-pace"):
        over = me.form.text("over-pace", "", longest=200)
        drafts.all_sent(me.ctx, ids, where, at, over_pace=over)
    return me.go(f"/cases/{case}/drafts", said="drafts-sent")


@ROUTES.get("/drafts/{draft}")
def draft(draft: str, me: Me) -> Response:
    """One message, word for word."""
    held = drafts.shown(me.ctx, draft)
    text = held.text.decode("utf-8", "replace")
    return me.page(
        "coordinator/draft.html.j2",
        held=held.placed,
        text=text,
        case=held.placed.message.pieces[0].case,
    )


@ROUTES.get("/drafts/{draft}/text")
def draft_text(draft: str, me: Me) -> Response:
    """One message to keep."""
    return download(f"{draft}.txt", drafts.shown(me.ctx, draft).text, "text/plain; charset=utf-8")


@ROUTES.get("/cases/{case}/advisories")
def advisory_list(case: str, me: Me) -> Response:
    """The advisories of a case, drafted and published; forms to draft one."""
    return me.page(
        "coordinator/advisories.html.j2",
        seen=case_view.view(me.ctx, case),
        found=publishing.of_case(me.ctx, case),
        coordinates=coordinates(me, case),
    )


@ROUTES.post("/cases/{case}/advisories")
@again(advisory_list)
def draft_advisory(case: str, me: Posted) -> Response:
    """Keep a draft with a case: from a file, or from its findings and the repaired release."""
    fixed, file = me.form.text("fixed", "", longest=1_000), me.form.files.get("advisory")
    if file is not None and file.data:
        with about("advisory"):
            held = advisories.read(file.data, file.name)
            publishing.draft(me.ctx, case, held)
    else:
        if not fixed:
            raise Invalid("fixed", "name the repaired release, or choose a file below")
        with about("fixed"):
            held = advisories.from_findings(me.desk, case, fixed)
            publishing.draft(me.ctx, case, held)
    return me.go(f"/cases/{case}/advisories/{held.id}", said="advisory-drafted")


@ROUTES.get("/cases/{case}/advisories/{advisory}")
def advisory(case: str, advisory: str, me: Me) -> Response:
    """One advisory: its text, what each format cannot say of it, what stands against it."""
    return _advisory(me, case, publishing.shown(me.ctx, case, advisory))


def _advisory(me: Visit, case: str, held: Advisory, out: advisories.Out | None = None) -> Response:
    found = {one.id: issued for one, issued in publishing.of_case(me.ctx, case)}
    if held.id not in found:
        raise NotFound("this case has no such advisory")
    return me.page(
        "coordinator/advisory.html.j2",
        seen=case_view.view(me.ctx, case),
        held=held,
        issued=found[held.id],
        text=advisory_page.text(held).decode(),
        losses=feed.losses(held),
        faults=publishing.faults(held),
        out=out,
        coordinates=coordinates(me, case),
    )


@ROUTES.post("/cases/{case}/advisories/{advisory}/publication")
def publish(case: str, advisory: str, me: Posted) -> Response:
    """Publish the very text that was signed: every format, the feed and the notices at once."""
    held = publishing.shown(me.ctx, case, advisory)
    thing, facts = publishing.thing(case, held.id), publishing.facts(held)
    granted = me.signed(Action.ADVISORY_PUBLISH, thing, facts, deed.advisory(held))
    out = advisories.issue(me.desk, case, held, granted)
    return _advisory(me, case, out.published.advisory, out)


@ROUTES.post("/cases/{case}/advisories/{advisory}/withdrawal")
@again(advisory)
def withdraw(case: str, advisory: str, me: Posted) -> Response:
    """Withdraw a published advisory, with a reason that everybody reads."""
    why = advisories.checked(me.form.text("reason"))
    facts = publishing.withdrawal_facts(advisory, why)
    told = deed.withdrawal(advisory, why)
    granted = me.signed(Action.ADVISORY_PUBLISH, publishing.thing(case, advisory), facts, told)
    advisories.take_back(me.desk, case, advisory, why, granted)
    return me.go(f"/cases/{case}/advisories/{advisory}", said="advisory-withdrawn")


@ROUTES.get("/cases/{case}/notices")
def notice_list(case: str, me: Me) -> Response:
    """Who was told what of a case, what they did about it, and a form to tell a tier."""
    from leadline.render.notice_delivery import SHOWN, burn_down, burn_down_row

    seen = case_view.view(me.ctx, case)
    told = notices.burn_down(me.ctx, case)
    figure = burn_down(told.points, exact=told.exact)
    last = burn_down_row(told.points[-1], exact=told.exact) if told.points else {}
    released = notices.releases(me.ctx, case)
    return me.page(
        "coordinator/notices.html.j2",
        seen=seen,
        batches=told.batches,
        last=last,
        states=[(state.value, SHOWN[state]) for state in State],
        figure=figure,
        source=in_page(figure.svg) if figure else "",
        releases=[(one, _outcomes(one), one.considered[:CONSIDERED_SHOWN]) for one in released],
        stages=pairs([one.value for one in Stage]),
        grounds=[(one.value, one.words) for one in Evidence],
        advisories=[(one.id, one.title) for one, _ in publishing.of_case(me.ctx, case)],
        coordinates=coordinates(me, case),
    )


def _outcomes(made: Release) -> list[tuple[str, str, str, int]]:
    """What came of a release: tier, outcome and why, with how many operators; the most first."""
    counts = Counter((one.tier, one.outcome.value, one.why) for one in made.considered)
    return [(*which, count) for which, count in counts.most_common()]


@ROUTES.post("/cases/{case}/notices")
@again(notice_list)
def release(case: str, me: Posted) -> Response:
    """Tell every operator of the tiers whose turn it is, all at once."""
    form = me.form
    held = notices.drafted(me.ctx, case, form.text("advisory", longest=200))
    with fields(artefacts="artefact", text="said"):
        words = Words(
            form.text("said", "", longest=2_000),
            form.one("evidence", Evidence),
            artefacts=tuple(form.text("artefact", "", longest=2_000).split()),
        )
        notices.release(me.ctx, case, held, form.one("stage", Stage), words)
    return me.go(f"/cases/{case}/notices", said="notices-released")


@ROUTES.get("/cases/{case}/fixes")
def fix_list(case: str, me: Me) -> Response:
    """How far the flaws of a case have come, and every drafted repair."""
    from leadline.render.fix_board import NOTE, board_figure

    found = fixes.board(me.ctx, case)
    figure = board_figure(found)
    return me.page(
        "coordinator/fixes.html.j2",
        seen=case_view.view(me.ctx, case),
        board=found,
        figure=figure,
        source=in_page(figure.svg),
        note=NOTE,
        titles={one.id: one.title for one in case_view.view(me.ctx, case).findings},
        moves=[*(one.value for one in MOVES), RECALLED],
        coordinates=coordinates(me, case),
    )


@ROUTES.post("/cases/{case}/fixes")
@again(fix_list)
def move_fix(case: str, me: Posted) -> Response:
    """Put on record how far a fix came: a person sent it, and it was merged, released, applied."""
    fixes.move(
        me.ctx, me.form.text("fix", longest=200), me.form.text("state"), me.form.text("where", "")
    )
    return me.go(f"/cases/{case}/fixes", said="fix-moved")


@ROUTES.get("/fixes/{fix}/patch")
def patch(fix: str, me: Me) -> Response:
    """A drafted repair under the label that says who wrote it, to keep."""
    return download(f"{fix}.patch", fixes.patch(me.ctx, fix), "text/plain; charset=utf-8")


@ROUTES.get("/cases/{case}/relay")
def relay(case: str, me: Me) -> Response:
    """How a case goes to another coordinator's installation, and came from one."""
    seen = case_view.view(me.ctx, case)
    return me.page(
        "coordinator/relay.html.j2",
        seen=seen,
        passings=relaying.passings(me.ctx, case),
        keys=me.ctx.signer.vkeys(),
        coordinates=coordinates(me, case),
    )


@ROUTES.post("/cases/{case}/relay")
@again(relay)
def export(case: str, me: Posted) -> Response:
    """The signed parcel with a case, to keep; a person sends it."""
    parts = relaying.export_case(me.ctx, case, origin=me.form.text("origin", "", longest=600))
    return download(f"parcel-{case}.zip", zipped(parts), "application/zip")


@ROUTES.post("/cases/{case}/relay/receipt")
@again(relay)
def returned(case: str, me: Posted) -> Response:
    """Put on record under which id the next coordinator handles the case."""
    data, keys = me.form.file("receipt").data, me.form.text("keys", longest=20_000)
    relaying.returned(me.ctx, case, data, keys)
    return me.go(f"/cases/{case}/relay", said="handled")


@ROUTES.get("/relayed-cases")
def receive_form(me: Me) -> Response:
    """A form for a parcel that another coordinator sent."""
    policies = disclosures(me.portal.home)
    return me.page(
        "coordinator/receive.html.j2",
        policies=[(one.id, one.title) for one in policies.values()],
        came=None,
        receipt="",
    )


@ROUTES.post("/relayed-cases")
@again(receive_form)
def receive(me: Posted) -> Response:
    """Verify a parcel and open its case here, or find the case it is."""
    with about("parcel"):
        parts = unzipped(me.form.file("parcel"))
    policy, keys = me.form.text("disclosure", longest=200), me.form.text("keys", longest=20_000)
    came = relaying.receive_case(me.ctx, parts, keys, policy=policy)
    return me.page(
        "coordinator/receive.html.j2", policies=(), came=came, receipt=came.receipt.decode()
    )
