"""Questions, answers and messages between the parties of an engagement.

Upheld here: what is unanswered is counted and nothing else; a message is for those it names, and not
for whoever else may read the engagement's record.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from leadline.app.context import Context
from leadline.app.determinations import text
from leadline.app.engagement import Dealings, enact_with, standing
from leadline.core.access import Action, Circumstances, Principal
from leadline.core.engagement import engagement as core
from leadline.core.errors import NotFound
from leadline.core.record.act import Act, Kind


@dataclass(frozen=True, slots=True)
class Question:
    """One request for information with its answers, each in words."""

    id: str
    at: datetime
    by: str
    words: str
    answers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Message:
    """One message as its list shows it."""

    id: str
    at: datetime
    by: str
    to: tuple[str, ...]


def ask(ctx: Context, on: Dealings, question: str) -> Act:
    """Ask the developer something; no date of anybody's follows from it."""
    ctx.require(Action.INFORMATION_ASK, on.resource())
    return enact_with(
        ctx,
        on,
        text("question", question),
        lambda now, digest: core.ask_information(now, ctx.principal, ctx.now, question=digest),
    )


def answer(ctx: Context, on: Dealings, asked: str, words: str) -> Act:
    """Answer what was asked in the act *asked*, if the developer wishes to."""
    ctx.require(Action.INFORMATION_ANSWER, on.resource())
    return enact_with(
        ctx,
        on,
        text("answer", words),
        lambda now, digest: core.answer_information(now, ctx.principal, asked=asked, answer=digest),
    )


def questions(ctx: Context, on: Dealings) -> tuple[Question, ...]:
    """What was asked, with the answers; for those who ask or answer, who are the parties.

    Raises: Denied, for anybody else who may read the engagement.
    """
    stands = standing(ctx, on)
    if not ctx.decision(Action.MESSAGE_SEND, on.resource()).allowed:
        ctx.require(Action.INFORMATION_ASK, on.resource())
    answers: dict[str, list[str]] = {}
    for act in stands.recorded(Kind.INFORMATION_ANSWERED):
        told = ctx.vault.get(str(act.detail["answer"])).decode()
        answers.setdefault(str(act.detail["asked"]), []).append(told)
    return tuple(
        Question(
            act.id,
            act.at,
            act.actor,
            ctx.vault.get(str(act.detail["question"])).decode(),
            tuple(answers.get(act.id, ())),
        )
        for act in stands.recorded(Kind.INFORMATION_ASKED)
    )


def send(ctx: Context, on: Dealings, to: Sequence[str], words: str) -> Act:
    """Send a message to ``developer``, ``government`` or persons by their ids.

    Raises: NotFound, for a person who is not of this engagement.
    """
    ctx.require(Action.MESSAGE_SEND, on.resource())
    content, partner = text("message", words), not _on_a_side(ctx, on, ctx.principal)
    for one in set(to) - {"developer", "government"}:
        _of_engagement(ctx, on, one, partner=partner)
    return enact_with(
        ctx,
        on,
        content,
        lambda now, digest: core.send_message(
            now, ctx.principal, to=to, content=digest, partner=partner
        ),
    )


def messages(ctx: Context, on: Dealings) -> tuple[Message, ...]:
    """The messages that are this person's to read, oldest first; of others not even the number."""
    ctx.require(Action.MESSAGE_SEND, on.resource())
    return tuple(_shown(act) for act in _sent(ctx, on) if _reads(ctx, on, act))


def read(ctx: Context, on: Dealings, id_: str) -> str:
    """The words of one message.

    Raises: NotFound, if there is none, or none for this person; the two are not told apart.
    """
    ctx.require(Action.MESSAGE_SEND, on.resource())
    for act in _sent(ctx, on):
        if act.id == id_ and _reads(ctx, on, act):
            return ctx.vault.get(str(act.detail["content"])).decode()
    raise NotFound(f"no message {id_}")


def _on_a_side(ctx: Context, on: Dealings, person: Principal) -> bool:
    """Whether a person reads the engagement, as developer or programme; a partner does not."""
    given = Circumstances(ctx.now, assurance=3, suspended=ctx.suspended)
    return ctx.access.decide(person, Action.ENGAGEMENT_READ, on.resource(), given).allowed


def _of_engagement(ctx: Context, on: Dealings, id_: str, *, partner: bool) -> None:
    """Return if this person is of the developer, or named for the engagement.

    To a *partner* only its own people and those of the two sides are.

    Raises: NotFound, in the same words for a person who is not and for no person.
    """
    absent = NotFound(f"nobody called {id_} is of this engagement")
    try:
        with ctx.store.read() as view:
            person = view.principal(id_)
    except NotFound:
        raise absent from None
    if person.org != on.developer and on.id not in person.engagements:
        raise absent
    if partner and person.org != ctx.principal.org and not _on_a_side(ctx, on, person):
        raise absent


def _sent(ctx: Context, on: Dealings) -> list[Act]:
    with ctx.store.read() as view:
        return [one.act for one in view.acts(engagement=on.id, kind=Kind.MESSAGE_SENT)]


def _reads(ctx: Context, on: Dealings, act: Act) -> bool:
    """Sender, person named, or a side of the engagement that is named; a partner is on no side."""
    to, me = act.detail.get("to"), ctx.principal
    named = set(to) if isinstance(to, tuple) else set()
    if me.id == act.actor or me.id in named:
        return True
    if me.org == on.developer:
        return "developer" in named
    side = ctx.decision(Action.ENGAGEMENT_READ, on.resource()).allowed
    return side and "government" in named


def _shown(act: Act) -> Message:
    to = act.detail.get("to")
    names = tuple(str(one) for one in to) if isinstance(to, tuple) else ()
    return Message(act.id, act.at, act.actor, names)
