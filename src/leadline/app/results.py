"""Results that reach named persons only, each with a receipt: who read what, when, and until when.

Upheld here: each recipient has an entry of its own; whoever is none meets the same answer as where there
is nothing; that something was read is on record before a byte is handed out; what is past its end,
recalled, or outside the terms is refused, recorded and shown to the developer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Literal

from leadline.app import terms, vaulting
from leadline.app.context import Context
from leadline.app.engagement import PARTIES, Dealings
from leadline.app.ports import Reading, Stored, maybe
from leadline.core.access import Action, Bounds, Circumstances, Principal, Resource
from leadline.core.engagement import partner as partners
from leadline.core.engagement.engagement import require_going_on
from leadline.core.engagement.partner import Partner, Position
from leadline.core.engagement.result import Result
from leadline.core.engagement.terms import Attempt
from leadline.core.errors import Denied, Invalid, NotFound, Refused
from leadline.core.record.act import Act, Kind, instant
from leadline.core.vaulting import Artefact

BYTES_MAX = 64 << 20
RECIPIENTS_MAX = 100


@dataclass(frozen=True, slots=True)
class Parcel:
    """What is sent: under which name, to whom by id, until when, and for what."""

    name: str
    to: tuple[str, ...]
    until: datetime
    purpose: str


@dataclass(frozen=True, slots=True)
class Read:
    """One reading, or one that was refused: *why* is empty where it was read."""

    at: datetime
    who: str
    purpose: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """One recipient's entry with everything that came of it, oldest first."""

    result: Result
    reads: tuple[Read, ...]
    refused: tuple[Read, ...]
    recalled: datetime | None


def send(ctx: Context, on: Dealings, content: bytes, parcel: Parcel) -> tuple[Result, ...]:
    """Send one thing to named persons; everyone gets an entry, or nobody does.

    Raises: Denied; Invalid, for nobody, somebody twice or unknown, an end in the past, or too much;
    Refused, recorded where the terms do not cover a recipient, and after a withdrawal or an end.
    """
    ctx.require(Action.RESULT_SEND, on.resource())
    if not content or len(content) > BYTES_MAX:
        raise Invalid("content", f"send 1 to {BYTES_MAX} bytes")
    people = _people(ctx, parcel.to)
    with ctx.store.read() as view:
        require_going_on(_acts(view, on.id))
        judged = [(one, *_judged(ctx, view, on, one, parcel.purpose)) for one in people]
    for one, agreed, why in judged:
        if why:
            what = f"result to {one.id}"
            terms.refuse(ctx, on.id, what=what, purpose=parcel.purpose, why=why, terms=agreed)
    own: Literal["agency", "developer"]
    own = "developer" if ctx.principal.org == on.developer else "agency"
    results = [_result(ctx, on, content, parcel, one.id, agreed) for one, agreed, _ in judged]
    ctx.vault.put(content, marking=PARTIES, engagement=on.id, owner=own)
    with ctx.store.write() as tx:
        require_going_on(_acts(tx, on.id))
        for sent in results:
            tx.put(
                sent.id,
                sent,
                marking=PARTIES,
                engagement=on.id,
                org=on.developer,
                bounds=Bounds(owner=sent.recipient),
            )
            detail = {"to": sent.recipient, "digest": sent.digest, "purpose": sent.purpose}
            detail |= {"terms": sent.terms, "until": instant(sent.until)}
            tx.record(ctx.act(Kind.RESULT_SENT, sent.id, on.id, **detail))
    return tuple(results)


def send_artefact(ctx: Context, on: Dealings, artefact: str, parcel: Parcel) -> tuple[Result, ...]:
    """As `send`, of what the vault has of this engagement; that its sender read it is on record.

    Raises: NotFound, for an artefact of another engagement as for none; Refused, for what is sealed.
    """
    ctx.require(Action.RESULT_SEND, on.resource())
    with ctx.store.read() as view:
        if view.get(Artefact, artefact).engagement != on.id:
            raise NotFound(f"no artefact {artefact}")
    with vaulting.read(ctx, artefact, parcel.purpose) as file:
        content = file.read(BYTES_MAX + 1)
    return send(ctx, on, content, parcel)


def read(ctx: Context, id_: str, purpose: str) -> tuple[Result, bytes]:
    """A recipient's own result, for *purpose*; the receipt is written before a byte is handed out.

    Raises: NotFound, for everybody but its recipient, in the words of one that is not there; Refused,
    recorded, past its end, after its recall, for another purpose, or outside the terms.
    """
    row = _own(ctx, id_)
    _covered(ctx, row.value, purpose)
    content = ctx.vault.get(row.value.digest)
    _covered(ctx, row.value, purpose, note=True)
    return row.value, content


def listed(ctx: Context) -> Sequence[Result]:
    """What was sent to this person."""
    given = Circumstances(ctx.now, assurance=ctx.assurance, suspended=ctx.suspended)
    visible = ctx.access.visible(ctx.principal, Action.RESULT_READ, "result", given)
    with ctx.store.read() as view:
        return [row.value for row in view.find(Result, visible=visible)]


def recall(ctx: Context, on: Dealings, id_: str) -> None:
    """Take a result back, at once; whoever read it before keeps what was read.

    It waits for nothing and works after a withdrawal too.

    Raises: NotFound; Refused, for one that another organisation sent, or that was recalled already.
    """
    ctx.require(Action.RESULT_SEND, on.resource())
    with ctx.store.write() as tx:
        row = next((one for one in tx.find(Result, engagement=on.id) if one.id == id_), None)
        if row is None or ctx.principal.org not in {row.value.sender_org, on.developer}:
            raise NotFound(f"no result {id_}")
        if row.value.sender_org != ctx.principal.org:
            raise Refused(f"{row.value.sender_org} sent it; who sent a result recalls it")
        if tx.acts(engagement=on.id, kind=Kind.RESULT_RECALLED, about=id_):
            raise Refused("it was recalled already")
        tx.record(ctx.act(Kind.RESULT_RECALLED, id_, on.id, to=row.value.recipient))


def receipts(ctx: Context, on: Dealings) -> tuple[Receipt, ...]:
    """Everything sent in an engagement with what came of it: all of it for the developer's people.

    Others who read the engagement see what their own organisation sent.
    """
    ctx.require(Action.ENGAGEMENT_READ, on.resource())
    org = ctx.principal.org
    with ctx.store.read() as view:
        rows = [row.value for row in view.find(Result, engagement=on.id)]
        acts = _acts(view, on.id)
    return tuple(_receipt(one, acts) for one in rows if org in {on.developer, one.sender_org})


def _receipt(one: Result, acts: Sequence[Act]) -> Receipt:
    thing = _what(one.id)
    reads, refused = list[Read](), list[Read]()
    recalled = None
    for act in acts:
        purpose = str(act.detail.get("purpose", ""))
        if act.kind is Kind.RESULT_READ and act.about == one.id:
            reads.append(Read(act.at, act.actor, purpose))
        elif act.kind is Kind.USE_REFUSED and act.detail.get("what") == thing:
            refused.append(Read(act.at, act.actor, purpose, str(act.detail.get("why", ""))))
        elif act.kind is Kind.ACCESS_DENIED and act.about == thing:
            refused.append(Read(act.at, act.actor, "", _denied(one, act)))
        elif act.kind is Kind.RESULT_RECALLED and act.about == one.id:
            recalled = act.at
    return Receipt(one, tuple(reads), tuple(refused), recalled)


def _denied(one: Result, act: Act) -> str:
    """Why access rules let this person not read it; its recipient may be suspended, or past its end."""
    if act.actor != one.recipient:
        return "no recipient of it"
    rules = act.detail.get("rules")
    named = ", ".join(map(str, rules)) if isinstance(rules, tuple) else ""
    return f"its recipient, who may not read it now: {named or 'no role lets it'}"


def _what(id_: str) -> str:
    return f"result/{id_}"


def _own(ctx: Context, id_: str) -> Stored[Result]:
    """The recipient's own entry.

    Asked about an absent one as well, so that both ways take the same steps and leave an act.
    """
    absent = NotFound(f"no result {id_}")
    with ctx.store.read() as view:
        row = maybe(view, Result, id_)
    try:
        ctx.require(Action.RESULT_READ, row.thing("result") if row else Resource("result", id_))
    except Denied:
        raise absent from None
    if row is None:
        raise absent
    return row


def _covered(ctx: Context, one: Result, purpose: str, *, note: bool = False) -> None:
    """Return, if this reading is covered now; with *note*, record it in the transaction that asked.

    Raises: Refused, after the act USE_REFUSED.
    """
    with ctx.store.write() as tx:
        agreed, why = _judged(ctx, tx, one, ctx.principal, purpose, until=one.until)
        if tx.acts(engagement=one.engagement, kind=Kind.RESULT_RECALLED, about=one.id):
            why = "it was recalled; ask who sent it"
        elif not why and purpose != one.purpose:
            why = f"it was sent for {one.purpose!r}; read it for that, or ask who sent it"
        if why:
            told = {"what": _what(one.id), "purpose": purpose, "why": why, "terms": agreed}
            tx.record(terms.refusal(ctx, one.engagement, **told))
        elif note:
            detail = {"digest": one.digest, "purpose": purpose, "terms": agreed}
            until = instant(one.until)
            act = ctx.act(Kind.RESULT_READ, one.id, one.engagement, **detail, until=until)
            tx.record(act)
    if why:
        raise Refused(why)


def _judged(
    ctx: Context,
    view: Reading,
    of: Result | Dealings,
    reader: Principal,
    purpose: str,
    until: datetime | None = None,
) -> tuple[str, str]:
    """The digest of the terms in effect, and why they do not cover this reader; empty if they do."""
    id_ = of.engagement if isinstance(of, Result) else of.id
    own = reader.org == of.developer != ""
    found = None if own else _partner(view, id_, reader.org)
    if found is not None and _reads(ctx, id_, of.developer, reader):
        found = None
    attempt = Attempt(
        purpose, reader.org, reader.roles, own=own, partner=found is not None, until=until
    )
    agreed, why = terms.judged(ctx, view, id_, attempt)
    digest = agreed.digest if agreed else ""
    if found is not None and not why:
        why = partners.closed(found, digest, ctx.now)
    return digest, why


def _partner(view: Reading, engagement: str, org: str) -> Position | None:
    """Where *org* stands as a trusted partner of the engagement; None where it was never proposed."""
    rows = view.find(Partner, engagement=engagement)
    row = next((one for one in rows if one.value.organisation == org), None)
    if row is None:
        return None
    return partners.position(row.value, _acts(view, engagement))


def _reads(ctx: Context, engagement: str, developer: str, reader: Principal) -> bool:
    """Whether a person reads the engagement itself, and so is no mere partner's."""
    thing = Resource("engagement", engagement, engagement, developer, PARTIES)
    given = Circumstances(ctx.now, assurance=3, suspended=ctx.suspended)
    return ctx.access.decide(reader, Action.ENGAGEMENT_READ, thing, given).allowed


def _people(ctx: Context, ids: Sequence[str]) -> list[Principal]:
    if not 0 < len(ids) <= RECIPIENTS_MAX or len(set(ids)) != len(ids):
        raise Invalid("to", f"name 1 to {RECIPIENTS_MAX} persons, each once")
    found = list[Principal]()
    with ctx.store.read() as view:
        for id_ in ids:
            try:
                found.append(view.principal(id_))
            except NotFound:
                problem = f"{id_!r} is no person of this installation; name persons by their id"
                raise Invalid("to", problem) from None
    return found


def _result(
    ctx: Context, on: Dealings, content: bytes, parcel: Parcel, to: str, agreed: str
) -> Result:
    return Result(
        id=ctx.new_id("result"),
        engagement=on.id,
        developer=on.developer,
        recipient=to,
        name=parcel.name,
        digest=sha256(content).hexdigest(),
        size=len(content),
        until=parcel.until,
        purpose=parcel.purpose,
        terms=agreed,
        sent_at=ctx.now,
        sent_by=ctx.principal.id,
        sender_org=ctx.principal.org,
    )


def _acts(view: Reading, engagement: str) -> list[Act]:
    return [one.act for one in view.acts(engagement=engagement)]
