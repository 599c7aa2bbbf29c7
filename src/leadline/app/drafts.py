"""Drafts of messages to owners: written from a case, queued by the recipient's pace, sent by a person.

Leadline sends nothing. That a person sent a message is recorded with where and when, and starts the
clocks of whom it went to.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from leadline.app import cases, contacts, contracts, fixes, maintainer_link, reports
from leadline.app.context import Context
from leadline.app.ports import Reading, Stored, Writing, maybe
from leadline.core.access import Action, Bounds
from leadline.core.clearing.case import Participant, Standing
from leadline.core.clearing.case_file import CaseFile, Party, words
from leadline.core.clearing.case_words import Move
from leadline.core.clearing.contract import Contract, package_of
from leadline.core.clearing.coordination import check_open
from leadline.core.clearing.directory import Address, Channel, Project, fits, for_package
from leadline.core.clearing.finding import Finding, ReplayResult
from leadline.core.clearing.message import Message, Piece, Placed, Post, lane, placed
from leadline.core.errors import Invalid, NotFound, Refused
from leadline.core.marking import Marking, Tlp
from leadline.core.record.act import Kind, Value, instant
from leadline.formats.disclosure_text import Letter, Told, written

SEALED = Marking(Tlp.RED)
CLOCKS_DIFFER = timedelta(hours=1)  # by how much a person's clock, and whole minutes, may be off


@dataclass(frozen=True, slots=True)
class Asked:
    """How a draft is wanted. *address* overrules the directory; *unreplayed* says why nobody replayed.

    Without *parties* a draft is written for every vendor of the case that has an address.
    """

    parties: tuple[str, ...] = ()
    address: Address | None = None
    unreplayed: str = ""


@dataclass(frozen=True, slots=True)
class Written:
    """What drafting made, and for which parties it made nothing, each with the reason."""

    messages: tuple[Message, ...]
    left_out: tuple[tuple[str, str], ...]


def write(ctx: Context, case_id: str, asked: Asked) -> Written:
    """Draft messages about a case: one for each recipient, with everything that it was not sent yet.

    An unsent draft to the same recipient becomes one text with the new one; what was sent already is
    followed up.

    Raises: Denied; NotFound; Refused, for findings that nobody replayed, or a closed case.
    """
    ctx.require(Action.DRAFT_SEND, cases.inner(case_id))
    with ctx.store.read() as view:
        desk = _desk(view, case_id)
        check_open(desk.stands)
        wanted = asked.parties or tuple(one.id for one in desk.stands.present if one.vendor)
        left = list[tuple[str, str]]()
        for party in wanted:
            held = desk.stands.participant(party)
            try:
                _write(ctx, view, desk, held, asked)
            except Refused as error:
                if asked.parties:
                    raise
                left.append((party, str(error)))
    with ctx.store.write() as tx:
        for made in desk.made.values():
            _enter(ctx, tx, made, desk.replaced)
            _link(ctx, tx, made, desk)
    return Written(tuple(desk.made.values()), tuple(left))


@dataclass(slots=True)
class _Desk:
    """What drafting for one case looks at. *messages* are those on file, *made* the new ones, by id.

    *replaced* are rows of unsent messages, each by the id of the new one that it was merged into.
    """

    stands: Standing
    file: CaseFile
    projects: tuple[Project, ...]
    contracts: Mapping[str, Contract]
    messages: Mapping[str, Stored[Message]]
    links: dict[str, dict[str, Piece]] = field(default_factory=dict)  # by message, by secret
    made: dict[str, Message] = field(default_factory=dict)
    replaced: dict[str, list[Stored[Message]]] = field(default_factory=dict)
    whole: dict[str, Told] = field(default_factory=dict)  # by finding


def _desk(view: Reading, case_id: str) -> _Desk:
    return _Desk(
        cases.standing_in(view, case_id),
        view.get(CaseFile, case_id).value,
        contacts.on_file(view),
        {one.project: one for one in contracts.on_file(view)},
        {row.id: row for row in view.find(Message)},
    )


def _write(ctx: Context, view: Reading, desk: _Desk, to: Participant, asked: Asked) -> None:
    if not to.vendor:
        raise Refused(f"a {to.role.value} gets no report; it takes part in the case")
    party = desk.file.party(to.id)
    address = asked.address or _address(desk, party, ctx.now)
    project = _project(desk, party, address.to)
    queue = lane(project, address.to)
    told = {one.finding.id: one for one in _told(view, desk, to.id, asked)}
    follows = _sent_before(desk, queue)
    before = _unsent(ctx, desk, queue, address, follows=bool(follows))
    mine = Piece(desk.stands.id, to.id, tuple(told))
    others = [
        one
        for one in (before.pieces if before else ())
        if (one.case, one.party) != (mine.case, mine.party)
    ]
    told |= {one.finding.id: one for one in _again(view, others, asked)}
    for id_, one in told.items():
        if id_ not in desk.whole:  # the same for every party
            desk.whole[id_] = _whole(ctx, view, one)
    told = {id_: desk.whole[id_] for id_ in told}
    links = _links(ctx, view, desk, (*others, mine))
    letter = Letter(
        desk.stands.id,
        address.to,
        tuple(told.values()),
        desk.stands.disclosure,
        ctx.principal.name,
        desk.stands.terms.until,
        desk.contracts.get(project),
        follows,
        tuple(f"{ctx.site}/report/{token}" for token in links),
    )
    made = Message(
        ctx.new_id("draft"),
        project,
        queue,
        address.channel,
        address.to,
        ctx.vault.put(written(letter, address.channel), marking=SEALED),
        (*others, mine),
        before.written if before else ctx.now,
        ctx.principal.id,
        max(one.finding.severity.rank for one in told.values()),
        asked.unreplayed,
        follows,
    )
    desk.made[made.id], desk.links[made.id] = made, links
    if before is not None:
        rows = [row for row in (desk.messages.get(before.id),) if row]
        desk.replaced[made.id] = [*desk.replaced.pop(before.id, []), *rows]
        desk.made.pop(before.id, None)


def _enter(
    ctx: Context,
    tx: Writing,
    made: Message,
    replaced: Mapping[str, Sequence[Stored[Message]]],
) -> None:
    rows = replaced.get(made.id, ())
    tx.put(made.id, made, marking=SEALED, bounds=Bounds(case=made.pieces[0].case))
    for row in rows:
        _replace(tx, row, replace(row.value, replaced_by=made.id))
    for piece in made.pieces:
        facts: dict[str, Value] = {"draft": made.id, "party": piece.party, "text": made.digest}
        more: dict[str, Value] = {
            "channel": made.channel.value,
            "findings": piece.findings,
            "merges": tuple(row.id for row in rows),
            "unreplayed": made.unreplayed,
        }
        tx.record(ctx.act(Kind.DRAFT_WRITTEN, piece.case, "", **facts, **more))


def _links(ctx: Context, view: Reading, desk: _Desk, pieces: Sequence[Piece]) -> dict[str, Piece]:
    """A secret for each party without an account, where people can reach this installation at all."""
    if not ctx.site:
        return {}
    others = {piece.case for piece in pieces} - {desk.stands.id}
    known = {one: cases.standing_in(view, one) for one in others} | {desk.stands.id: desk.stands}
    wanted = [one for one in pieces if maintainer_link.wants(known[one.case], one.party)]
    return {maintainer_link.new_token(): one for one in wanted}


def _link(ctx: Context, tx: Writing, made: Message, desk: _Desk) -> None:
    """Enter the links that the text names; those in texts that are never sent end with it."""
    maintainer_link.forget(ctx, tx, [row.id for row in desk.replaced.get(made.id, ())])
    for token, piece in desk.links[made.id].items():
        maintainer_link.enter(ctx, tx, token, piece.case, piece.party, made.id)


def _address(desk: _Desk, party: Party, now: datetime) -> Address:
    """Where a party takes reports: its project's entry, its products' project, or its own contact."""
    named = [one for one in desk.projects if one.name == party.project]
    by_product = _of_products(desk, replace(party, project=""))
    for one in named or [one for one in desk.projects if one.name in by_product]:
        best = one.best(now)
        if best is not None:
            return best
    for channel in (Channel.MAIL, Channel.GITHUB, Channel.GITLAB, Channel.WEB):
        if fits(channel, party.contact):
            return Address(channel, party.contact, "the case", now)
    raise Refused("no address is known; add one with `leadline project add`, or give it with --to")


def _project(desk: _Desk, party: Party, to: str) -> str:
    """Whose terms and pace a party has: the project it is under, of its products, or at the address."""
    terms = desk.contracts.values()
    found = _of_products(desk, party) or {
        one.project for one in terms if one.contact.lower() == to.lower()
    }
    return found.pop() if len(found) == 1 else ""


def _of_products(desk: _Desk, party: Party) -> set[str]:
    """The projects that a party is of: the one that its case names, else those of its products."""
    if party.project:
        return {party.project}
    packages = {package_of(purl) for purl in party.products} - {None}
    found = {
        one.project
        for one in desk.contracts.values()
        if packages & {package_of(purl) for purl in one.packages}
    }
    return found | {one.name for purl in party.products for one in for_package(desk.projects, purl)}


def _told(view: Reading, desk: _Desk, party: str, asked: Asked) -> Iterator[Told]:
    """The findings of the case that this party was not sent yet."""
    sent = {
        one
        for row in desk.messages.values()
        if row.value.sent is not None
        for piece in row.value.pieces
        if (piece.case, piece.party) == (desk.stands.id, party)
        for one in piece.findings
    }
    left = [one for one in desk.stands.findings if one not in sent]
    if not left:
        raise Refused("it was sent everything that is in this case")
    yield from (_one(view, finding, asked) for finding in left)


def _again(view: Reading, pieces: Sequence[Piece], asked: Asked) -> Iterator[Told]:
    for piece in pieces:
        yield from (_one(view, finding, asked) for finding in piece.findings)


def _one(view: Reading, finding: str, asked: Asked) -> Told:
    found = view.get(Finding, finding).value
    row = maybe(view, ReplayResult, f"{finding}/replay")
    replay = row.value if row else None
    if replay is not None and replay.confirmed:
        return Told(found, replay)
    if not asked.unreplayed.strip():
        what = "was not replayed" if replay is None else f"replays as {replay.verdict.value}"
        raise Refused(f"the finding {finding[:16]} {what}; replay it, or say why it goes out so")
    return Told(found, None, words(asked.unreplayed, "unreplayed"))


def _whole(ctx: Context, view: Reading, one: Told) -> Told:
    """With what its finder wrote and the repair that stands for it, which go to whoever maintains it."""
    found = fixes.standing_of(view, one.finding.id)
    repair = ""
    if found is not None:
        fix, _ = found
        repair = (
            f"{fix.id}, {fix.label}; on a clean rebuild the proof and its held-out variants are silent and "
            f"the project's tests succeed; handed over apart from this text; SHA-256 {fix.patch}"
        )
    return replace(one, said=reports.description(ctx, one.finding.id), repair=repair)


def _unsent(
    ctx: Context, desk: _Desk, queue: str, address: Address, *, follows: bool
) -> Message | None:
    """An unsent message to the same recipient, all of whose cases this person sends messages for.

    What follows up merges with what follows up alone: with it no new case would pass the pace.
    """
    held = [row.value for row in desk.messages.values()]
    gone = {row.id for rows in desk.replaced.values() for row in rows}
    for one in (*held, *desk.made.values()):
        same = (one.lane, one.channel, one.to) == (queue, address.channel, address.to)
        same = same and bool(one.follows) == follows
        if not same or one.sent is not None or one.replaced_by or one.id in gone:
            continue
        mine = (
            ctx.decision(Action.DRAFT_SEND, cases.inner(piece.case)).allowed for piece in one.pieces
        )
        if all(mine):
            return one
    return None


def _sent_before(desk: _Desk, queue: str) -> str:
    """The last message that this recipient was sent about the case, which a new one follows up."""
    sent = [
        row.value
        for row in desk.messages.values()
        if row.value.lane == queue
        and row.value.sent is not None
        and any(piece.case == desk.stands.id for piece in row.value.pieces)
    ]
    return max(sent, key=lambda one: (one.written, one.id)).id if sent else ""


def listed(ctx: Context, case_id: str = "") -> tuple[Placed, ...]:
    """The drafts of the cases this person sends messages for, or of one, each with its place.

    Raises: Denied, for a case that is not there too.
    """
    if case_id:
        ctx.require(Action.DRAFT_SEND, cases.inner(case_id))
    with ctx.store.read() as view:
        found = _placed(view, ctx.now)
    allowed: dict[str, bool] = {}

    def mine(case: str) -> bool:
        if case not in allowed:
            allowed[case] = ctx.decision(Action.DRAFT_SEND, cases.inner(case)).allowed
        return allowed[case]

    return tuple(
        one
        for one in found
        if all(mine(piece.case) for piece in one.message.pieces)
        and (not case_id or any(piece.case == case_id for piece in one.message.pieces))
    )


def _placed(view: Reading, now: datetime) -> tuple[Placed, ...]:
    messages = [row.value for row in view.find(Message)]
    of = frozenset(piece.case for one in messages for piece in one.pieces)
    closed = frozenset(one.act.about for one in view.acts(kind=Kind.CASE_CLOSED, about=of))
    moves = [one.act for one in view.acts(kind=Kind.CASE_MOVED, about=of)]
    attacked = frozenset(act.about for act in moves if act.detail.get("move") == Move.ATTACKS)
    return placed(contracts.on_file(view), messages, closed, attacked, now)


@dataclass(frozen=True, slots=True)
class Shown:
    """A draft with its text."""

    placed: Placed
    text: bytes


def shown(ctx: Context, draft_id: str) -> Shown:
    """A draft and its text, for whoever sends messages for its cases.

    Raises: Denied; NotFound, for a draft of a case of others too.
    """
    found = _mine(ctx, draft_id)
    return Shown(found, ctx.vault.get(found.message.digest))


def texts(ctx: Context, case_id: str) -> tuple[Shown, ...]:
    """The drafts of a case that were not sent yet, each with its text.

    Raises: Denied, for a case that is not there too.
    """
    left = (Post.READY, Post.QUEUED)
    found = [one for one in listed(ctx, case_id) if one.post in left]
    return tuple(Shown(one, ctx.vault.get(one.message.digest)) for one in found)


def _mine(ctx: Context, draft_id: str) -> Placed:
    for one in listed(ctx):
        if one.message.id == draft_id:
            return one
    raise NotFound(f"no draft {draft_id:.80}; see `leadline draft list`")


def sent(ctx: Context, draft_id: str, where: str, at: datetime, *, over_pace: str = "") -> Message:
    """Put on record that a person sent a draft, where and when; the recipient's clocks count from then.

    Raises: Denied; NotFound; Invalid, for a moment to come or before it was written; Refused, if it was
    sent or merged, or if the recipient takes no more yet, unless *over_pace* says why it was sent all the
    same.
    """
    return all_sent(ctx, [draft_id], where, at, over_pace=over_pace)[0]


def all_sent(
    ctx: Context, draft_ids: Sequence[str], where: str, at: datetime, *, over_pace: str = ""
) -> tuple[Message, ...]:
    """Put on record that a person sent some drafts, all of them or none; raises as `sent`."""
    mine = {one.message.id: one for one in listed(ctx)}
    said = words(where, "where")
    if at.tzinfo is None or at > ctx.now:
        raise Invalid("at", "give a moment that has been, with its offset")
    for id_ in draft_ids:
        if id_ not in mine:
            raise NotFound(f"no draft {id_:.80}; see `leadline draft list`")
        for case in {piece.case for piece in mine[id_].message.pieces}:
            ctx.require(Action.DRAFT_SEND, cases.inner(case))
        if at < mine[id_].message.written - CLOCKS_DIFFER:
            written = mine[id_].message.written.astimezone(UTC).strftime("%-d %B %Y, %H:%M UTC")
            raise Invalid("at", f"{id_} was written {written}; give when it was sent after that")
        _check_pace(mine[id_], over_pace)
    with ctx.store.write() as tx:
        return tuple(_sent(ctx, tx, id_, said, at, over_pace) for id_ in dict.fromkeys(draft_ids))


def _sent(
    ctx: Context, tx: Writing, draft_id: str, said: str, at: datetime, over_pace: str
) -> Message:
    row = tx.get(Message, draft_id)
    if row.value.sent is not None or row.value.replaced_by:
        raise Refused(f"{draft_id} was sent or merged meanwhile")
    done = replace(row.value, sent=at, sent_by=ctx.principal.id, where=said)
    _replace(tx, row, done)
    for piece in done.pieces:
        facts: dict[str, Value] = {"draft": done.id, "party": piece.party, "sent": instant(at)}
        more: dict[str, Value] = {
            "channel": done.channel.value,
            "text": done.digest,
            "lane": done.lane,
            "over_pace": over_pace.strip(),
        }
        tx.record(ctx.act(Kind.DRAFT_SENT, piece.case, "", **facts, **more))
    return done


def _check_pace(found: Placed, over_pace: str) -> None:
    if found.post in {Post.SENT, Post.MERGED}:
        raise Refused(f"{found.message.id} is {found.post.value}")
    if found.post is Post.QUEUED and not over_pace.strip():
        slot = found.slot
        since = f" from {instant(slot.at)}" if slot and slot.at else ""
        why = slot.why if slot else ""
        raise Refused(f"it waits{since}: {why}; if it was sent all the same, say why")
    if over_pace.strip():
        words(over_pace, "over_pace")


def _replace(tx: Writing, row: Stored[Message], value: Message) -> None:
    tx.put(row.id, value, marking=row.marking, bounds=row.bounds, expect=row.version)
