"""What officials and developer do about a determination; the rules are in `core.engagement.deciding`.

Upheld here: whoever decides, concurs, dissents or corrects signs this very act, afresh; content goes to
the vault and the act holds its digest.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from leadline.app.assessment import EVIDENCE
from leadline.app.context import Context
from leadline.app.engagement import (
    Dealings,
    enact,
    enact_with,
    kept,
    require_signed,
    signed_facts,
    standing,
)
from leadline.core.access import Action, Resource
from leadline.core.approval import Granted
from leadline.core.engagement import deciding
from leadline.core.engagement.deciding import Asked, Proposal, Recorded
from leadline.core.engagement.determination import Determination
from leadline.core.engagement.engagement import require_going_on
from leadline.core.errors import Invalid, NotFound
from leadline.core.marking import Marking
from leadline.core.record.act import Act, Kind

TEXT_BYTES_MAX = 1 << 16


@dataclass(frozen=True, slots=True)
class Page:
    """Everything about the determinations of one engagement, dissents and recusals included."""

    proposals: tuple[Proposal, ...]
    recorded: tuple[Recorded, ...]
    recused: frozenset[str]
    asked: tuple[Asked, ...]


@dataclass(frozen=True, slots=True)
class Basis:
    """A signed verdict that came over the one-way directory; *digest* is that of its file."""

    digest: str
    at: datetime
    low: str
    high: str


def page(ctx: Context, on: Dealings) -> Page:
    """What was proposed, said of it, recorded, corrected and answered, and what asks again now."""
    stands = standing(ctx, on)
    return Page(
        deciding.proposals(stands),
        deciding.determinations(stands),
        deciding.recused(stands),
        deciding.questions_open(stands, ctx.now),
    )


def propose(
    ctx: Context, on: Dealings, determination: Determination, granted: Granted, *, under: str = ""
) -> Act:
    """Write down, signed, what would be recorded, so that others can state a position on it."""
    ctx.require(Action.DETERMINATION_RECORD, on.resource(), granted)
    facts = signed_facts(determination)
    require_signed(ctx, on, Action.DETERMINATION_RECORD, granted, facts)
    return enact(
        ctx,
        on,
        lambda now: deciding.propose(
            now, ctx.principal, ctx.now, determination=determination, under=under
        ),
        granted,
        kept(on, determination),
    )


def concurrence(proposal: str) -> Mapping[str, str]:
    """What a person who concurs signs: exactly what was proposed."""
    return {"proposal": proposal, "position": "concurs"}


def concur(ctx: Context, on: Dealings, proposal: str, granted: Granted) -> Act:
    """Agree, signed, to exactly what was proposed."""
    ctx.require(Action.DETERMINATION_CONCUR, on.resource(), granted)
    require_signed(ctx, on, Action.DETERMINATION_CONCUR, granted, concurrence(proposal))
    return enact(
        ctx,
        on,
        lambda now: deciding.concur(now, ctx.principal, ctx.now, proposal=proposal),
        granted,
    )


def dissenting(proposal: str, reasons: str) -> Mapping[str, str]:
    """What a person who dissents signs: the proposal, and the reasons by their digest."""
    told = sha256(text("reasons", reasons)).hexdigest()
    return {"proposal": proposal, "position": "dissents", "reasons": told}


def dissent(ctx: Context, on: Dealings, proposal: str, reasons: str, granted: Granted) -> Act:
    """Disagree, signed, with reasons. It stands in the record and on the page."""
    ctx.require(Action.DETERMINATION_CONCUR, on.resource(), granted)
    facts = dissenting(proposal, reasons)
    require_signed(ctx, on, Action.DETERMINATION_CONCUR, granted, facts)
    return enact_with(
        ctx,
        on,
        text("reasons", reasons),
        lambda now, digest: deciding.dissent(
            now, ctx.principal, ctx.now, proposal=proposal, reasons=digest
        ),
        granted,
    )


def recuse(ctx: Context, on: Dealings) -> Act:
    """Step aside from this engagement's determination; the engagement goes on."""
    ctx.require(Action.OFFICIAL_RECUSE, on.resource())
    return enact(ctx, on, lambda now: deciding.recuse(now, ctx.principal, ctx.now))


def respond(ctx: Context, on: Dealings, determination: str, response: str) -> Act:
    """The developer's own words beside a determination; *determination* is the act's id."""
    ctx.require(Action.RESPONSE_MAKE, on.resource())
    return enact_with(
        ctx,
        on,
        text("response", response),
        lambda now, digest: deciding.respond(
            now, ctx.principal, determination=determination, response=digest
        ),
    )


def correct(ctx: Context, on: Dealings, of: str, new: Determination, granted: Granted) -> Act:
    """Correct the words of the determination that the act *of* recorded; that act stays."""
    ctx.require(Action.DETERMINATION_RECORD, on.resource(), granted)
    require_signed(ctx, on, Action.DETERMINATION_RECORD, granted, signed_facts(new))
    old = current(ctx, on, of)
    return enact(
        ctx,
        on,
        lambda now: deciding.correct(now, ctx.principal, ctx.now, of=of, old=old, new=new),
        granted,
        kept(on, new),
    )


def current(ctx: Context, on: Dealings, of: str) -> Determination:
    """The determination that the act *of* recorded, with the corrections since.

    Raises: NotFound.
    """
    found = {one.act.id: one for one in deciding.determinations(standing(ctx, on))}
    if of not in found:
        raise NotFound(f"no determination is recorded here as {of}")
    last = (found[of].act, *found[of].corrections)[-1]
    return _stored(ctx, on, deciding.digest_of(last))


def proposed(ctx: Context, on: Dealings, proposal: str) -> Determination:
    """The determination that was proposed under this digest.

    Raises: NotFound.
    """
    if proposal not in {one.digest for one in deciding.proposals(standing(ctx, on))}:
        raise NotFound(f"no proposal {proposal} stands here")
    return _stored(ctx, on, proposal)


def _stored(ctx: Context, on: Dealings, digest: str) -> Determination:
    with ctx.store.read() as view:
        return view.get(Determination, f"{on.id}/determination/{digest}").value


def ask_reconsideration(ctx: Context, on: Dealings, determination: str, reasons: str) -> Act:
    """Ask the deciding body to look again, where its regime says that it offers to."""
    ctx.require(Action.RESPONSE_MAKE, on.resource())
    return enact_with(
        ctx,
        on,
        text("reasons", reasons),
        lambda now, digest: deciding.ask_reconsideration(
            now, ctx.principal, determination=determination, reasons=digest
        ),
    )


def answer_reconsideration(ctx: Context, on: Dealings, asked: str, answer: str) -> Act:
    """Answer what was asked; a changed answer is a determination of its own."""
    ctx.require(Action.RECONSIDERATION_ANSWER, on.resource())
    return enact_with(
        ctx,
        on,
        text("answer", answer),
        lambda now, digest: deciding.answer_reconsideration(
            now, ctx.principal, ctx.now, asked=asked, answer=digest
        ),
    )


def keep_statement(ctx: Context, on: Dealings, statement: str, marking: Marking) -> str:
    """Keep the text that the developer may hand on, under a marking of its own; answers its digest.

    Raises: Denied; Refused, after a withdrawal or an end; Invalid, for no words.
    """
    ctx.require(Action.INQUIRY_ANSWER, on.resource())
    require_going_on(standing(ctx, on).acts)
    content = text("statement", statement)
    return ctx.vault.put(content, marking=marking, engagement=on.id)


def written(ctx: Context, on: Dealings, digest: str) -> str:
    """The reasons, response, answer or statement that an act about the determinations names.

    Raises: NotFound, for anything else.
    """
    named = ("reasons", "response", "answer", "statement")
    kinds = (
        Kind.DETERMINATION_DISSENTED,
        Kind.DETERMINATION_RECORDED,
        Kind.DETERMINATION_CORRECTED,
        Kind.RESPONSE_MADE,
        Kind.RECONSIDERATION_ASKED,
        Kind.RECONSIDERATION_ANSWERED,
    )
    # Whoever takes a position on a proposal reads all of it first; the developer, what is recorded.
    thing = Resource("assessment", on.id, on.id, marking=EVIDENCE)
    inside = ctx.decision(Action.ASSESSMENT_READ, thing).allowed
    proposed = (Kind.DETERMINATION_PROPOSED,) if inside else ()
    acts = standing(ctx, on).recorded(*kinds, *proposed)
    if not digest or all(digest != act.detail.get(name) for act in acts for name in named):
        raise NotFound(f"no text {digest} belongs to a determination here")
    return ctx.vault.get(digest).decode()


def verdict_basis(ctx: Context, on: Dealings, verdict: str) -> Basis:
    """A verdict that this engagement received, as the basis that a determination can name.

    Raises: NotFound, if it received none with this id.
    """
    for act in standing(ctx, on).recorded(Kind.VERDICT_RECEIVED):
        if act.detail.get("verdict") == verdict:
            told = act.detail
            return Basis(str(told["file"]), act.at, str(told["low"]), str(told["high"]))
    raise NotFound(f"this engagement received no verdict {verdict}")


def text(field: str, words: str) -> bytes:
    """Words as they are kept.

    Raises: Invalid, naming *field*, if they are blank or longer than 64 KiB.
    """
    content = words.encode("utf-8", "surrogatepass")
    if not words.strip():
        raise Invalid(field, "is empty; say it in words")
    if len(content) > TEXT_BYTES_MAX:
        raise Invalid(field, f"{len(content)} bytes; at most {TEXT_BYTES_MAX} are taken")
    return content
