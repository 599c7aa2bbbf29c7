"""A person's own inquiry while it is being written: kept after each answer, seen by nobody else.

It is no act and part of no engagement: nothing is told to anybody before it is lodged, and discarding
it leaves nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from leadline.app.context import OWN, Context
from leadline.app.ports import Reading, Stored, maybe
from leadline.core.access import Action, Bounds, Resource
from leadline.core.engagement.coverage import Answers
from leadline.core.engagement.inquiry import QUESTIONS, UNKNOWN, Inquiry
from leadline.core.engagement.inquiry import Question as Asked
from leadline.core.engagement.regime import Fact
from leadline.core.errors import Invalid, NotFound
from leadline.formats.questions_toml import NOBODY_KNOWS, Question, answers_in_words

# Both sets of questions ask these; they are asked once, in the words of the first set.
TWICE: Mapping[Asked, Fact] = {
    Asked.STAGE: Fact.STAGE,
    Asked.TRAINING_OPERATIONS: Fact.TRAINING_OPERATIONS,
}
FURTHER = tuple(one for one in QUESTIONS if one not in TWICE)


@dataclass(frozen=True, slots=True)
class InquiryDraft:
    """What was answered so far, by the question's name, as it was typed.

    *engagement* is the id that it will be lodged under, so that what is sent twice counts once.
    """

    id: str
    owner: str
    org: str
    engagement: str
    begun: datetime
    changed: datetime
    said: Mapping[str, str]

    def answers(self, questions: tuple[Question, ...]) -> Answers:
        """The answers to the six questions; raises Invalid, naming the fact."""
        names = [one.fact.value for one in questions]
        return answers_in_words({n: self.said[n] for n in names if n in self.said}, questions)

    def inquiry(self, questions: tuple[Question, ...]) -> Inquiry:
        """What would be lodged; raises Invalid, naming the question."""
        answers, found = self.answers(questions), Inquiry()
        for asked, fact in TWICE.items():
            if fact.value in self.said:
                found = found.saying(asked, _again(answers, fact))
        for asked in FURTHER:
            if asked.value in self.said:
                found = found.saying(asked, self.said[asked.value])
        return found


def _again(answers: Answers, fact: Fact) -> str:
    """An answer to one of the six, as the inquiry spells it."""
    value = answers.to(fact)
    if isinstance(value, float):
        return repr(value) if value > 0 else UNKNOWN
    return value[0] if isinstance(value, tuple) and value else UNKNOWN


def begin(ctx: Context, engagement: str = "") -> InquiryDraft:
    """Begin a draft; *engagement* is one that exists, to ask again within it."""
    id_, now, me = ctx.new_id("draft"), ctx.now, ctx.principal
    ctx.require(Action.INQUIRY_LODGE, _thing(ctx, id_))
    on = engagement or ctx.new_id("engagement")
    made = InquiryDraft(id_, me.id, me.org, on, now, now, {})
    with ctx.store.write() as tx:
        tx.put(id_, made, marking=OWN, org=me.org, bounds=Bounds(owner=me.id))
    return made


def mine(ctx: Context) -> tuple[InquiryDraft, ...]:
    """The caller's drafts, the last that was worked on first."""
    with ctx.store.read() as view:
        found = [row.value for row in view.find(InquiryDraft)]
    own = [one for one in found if _owned(ctx, one)]
    return tuple(sorted(own, key=lambda one: one.changed, reverse=True))


def draft(ctx: Context, id_: str) -> InquiryDraft:
    """One draft of the caller's own.

    Raises: NotFound, in the same words for another person's.
    """
    with ctx.store.read() as view:
        return _row(ctx, view, id_).value


def say(
    ctx: Context, id_: str, name: str, text: str, questions: tuple[Question, ...]
) -> InquiryDraft:
    """Keep one answer, or take it back where *text* is empty.

    Raises: NotFound; Invalid, naming ``answer``, for what is none.
    """

    def with_it(before: InquiryDraft) -> InquiryDraft:
        said = {key: one for key, one in before.said.items() if key != name}
        if text.strip():
            said[name] = UNKNOWN if text.strip().lower() in NOBODY_KNOWS else text.strip()
        after = replace(before, said=said, changed=ctx.now)
        try:
            after.inquiry(questions)
        except Invalid as error:
            raise Invalid("answer", error.problem) from None
        return after

    if name not in {one.fact.value for one in questions} | {one.value for one in FURTHER}:
        raise NotFound(f"nothing is asked as {name:.60}")
    return _changed(ctx, id_, with_it)


def discard(ctx: Context, id_: str) -> None:
    """Delete a draft; raises NotFound."""
    with ctx.store.write() as tx:
        tx.remove(InquiryDraft, _row(ctx, tx, id_).id)


def _changed(
    ctx: Context, id_: str, change: Callable[[InquiryDraft], InquiryDraft]
) -> InquiryDraft:
    with ctx.store.write() as tx:
        row = _row(ctx, tx, id_)
        after = change(row.value)
        tx.put(id_, after, marking=row.marking, org=row.org, bounds=row.bounds, expect=row.version)
    return after


def _row(ctx: Context, view: Reading, id_: str) -> Stored[InquiryDraft]:
    row = maybe(view, InquiryDraft, id_)
    if row is None or not _owned(ctx, row.value):
        raise NotFound("there is no such thing, or you may not know of it")
    return row


def _owned(ctx: Context, one: InquiryDraft) -> bool:
    return (one.owner, one.org) == (ctx.principal.id, ctx.principal.org)


def _thing(ctx: Context, id_: str) -> Resource:
    return Resource("engagement", id_, id_, ctx.principal.org, OWN)
