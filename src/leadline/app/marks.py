"""Attempts that somebody marks as invalid: nothing sealed goes or changes, and every figure is shown twice.

A mark says why, by whom and when. Whoever may read the assessment may dissent from it; whoever may mark
may take a mark back. A marked attempt says nothing about the subject, like one that our own side lost. A
mark never steers a run: what is drawn next follows from what was sealed alone.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from leadline.app import assessed, assessment
from leadline.app.assessed import Read
from leadline.app.context import Context
from leadline.app.engagement import Dealings
from leadline.app.ports import Reading
from leadline.core.access import Action, Resource
from leadline.core.assessment import SampleResult, ShardResult
from leadline.core.errors import Invalid, NotFound, Refused
from leadline.core.measure.assessed import RUNS_MAX
from leadline.core.record.act import Act, Kind

if TYPE_CHECKING:
    from leadline.core.engagement.criteria import Criteria
    from leadline.core.measure.sequential import Decision

REASON_MAX = 2_000
OUTCOME = "marked invalid"


@dataclass(frozen=True, slots=True)
class Said:
    """What one person said of a mark, and when."""

    person: str
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Mark:
    """One attempt as marked; *taken_back* where that was said later. *id* is that of its act."""

    id: str
    subject: str
    item: str
    epoch: int
    shard: str
    said: Said
    dissents: tuple[Said, ...] = ()
    taken_back: Said | None = None

    @property
    def counts(self) -> bool:
        """Whether the attempt is left out of the second figure."""
        return self.taken_back is None


def mark(ctx: Context, on: Dealings, subject: str, item: str, epoch: int, reason: str) -> Mark:
    """Say that an attempt is no evidence, and why; the sealed result stays as it is.

    Raises: Denied; NotFound, for an attempt that is not sealed here; Invalid, without a reason; Refused,
    for one that is marked already, or that says nothing anyway.
    """
    ctx.require(Action.ASSESSMENT_RUN, _thing(on))
    why = _reason(reason)
    found = assessed.read(ctx, on)
    if found is None:
        raise NotFound("no assessment is planned here yet")
    shard, one = assessed.sample(found, subject, item, epoch)
    if one.state not in {"scored", "limit"}:
        raise Refused("this attempt was lost on our own side and counts for nothing already")
    with ctx.store.write() as tx:
        if any(old.counts and _of(old, shard, one) for old in _marks(tx, on.id)):
            raise Refused("this attempt is marked already; dissent from that, or take it back")
        act = ctx.act(
            Kind.SAMPLE_MARKED,
            f"{found.plan.id}/{shard.shard}",
            on.id,
            subject=subject,
            item=item,
            epoch=epoch,
            reason=why,
        )
        tx.record(act)
    return _mark(act)


def dissent(ctx: Context, on: Dealings, mark_id: str, reason: str) -> Mark:
    """Say that a marked attempt is evidence all the same; it is kept beside the mark and changes no count.

    Raises: Denied; NotFound; Invalid, without a reason; Refused, a second time by the same person.
    """
    ctx.require(Action.ASSESSMENT_READ, _thing(on))
    return _add(ctx, on, mark_id, Kind.MARK_DISPUTED, reason)


def take_back(ctx: Context, on: Dealings, mark_id: str, reason: str) -> Mark:
    """Take a mark back: the attempt counts again. That it was marked stays.

    Raises: Denied; NotFound; Invalid, without a reason; Refused, if it was taken back before.
    """
    ctx.require(Action.ASSESSMENT_RUN, _thing(on))
    return _add(ctx, on, mark_id, Kind.MARK_WITHDRAWN, reason)


def listed(ctx: Context, on: Dealings) -> list[Mark]:
    """Every mark of an assessment, in order of time, also those that were taken back.

    Raises: Denied.
    """
    ctx.require(Action.ASSESSMENT_READ, _thing(on))
    with ctx.store.read() as view:
        return _marks(view, on.id)


def without(found: Read, marks: Iterable[Mark]) -> Read:
    """The assessment as if each marked attempt had been lost on our own side."""
    counting = [one for one in marks if one.counts]
    return replace(found, results=tuple(_without(result, counting) for result in found.results))


def decision_without(
    found: Read, marks: Sequence[Mark], criteria: "Criteria", seed: bytes
) -> "Decision | None":
    """The decision where every marked attempt is void, as far as what ran goes.

    The rule asks for no further run of such an item: nothing will make up for it.

    Raises: as `assessed.decision`.
    """
    again = without(found, marks)
    void = [
        one
        for result in again.results
        if result.subject == found.plan.subject.name
        for one in result.samples
        if one.outcome == OUTCOME
    ]
    name = max((result.shard for result in found.results), default="") + "~"
    more = ShardResult(name, found.plan.subject.name, "", 1, tuple(void * (RUNS_MAX - 1)))
    return assessed.decision(replace(again, results=(*again.results, more)), criteria, seed)


def _without(result: ShardResult, marks: Sequence[Mark]) -> ShardResult:
    def told(one: SampleResult) -> SampleResult:
        mine = next((found for found in marks if _of(found, result, one)), None)
        if mine is None:
            return one
        return replace(one, state="infra", solved=False, outcome=OUTCOME, reason=mine.said.reason)

    return replace(result, samples=tuple(told(one) for one in result.samples))


def _of(found: Mark, result: ShardResult, one: SampleResult) -> bool:
    told = (result.shard, result.subject, one.item, one.epoch)
    return (found.shard, found.subject, found.item, found.epoch) == told


def _add(ctx: Context, on: Dealings, mark_id: str, kind: Kind, reason: str) -> Mark:
    why = _reason(reason)
    with ctx.store.write() as tx:
        old = next((one for one in _marks(tx, on.id) if one.id == mark_id), None)
        if old is None:
            raise NotFound(f"no mark {mark_id}")
        if not old.counts:
            raise Refused("this mark was taken back; the attempt counts again")
        mine = any(one.person == ctx.principal.id for one in old.dissents)
        if kind is Kind.MARK_DISPUTED and mine:
            raise Refused("you dissented from this mark before; that stands")
        tx.record(ctx.act(kind, mark_id, on.id, reason=why))
        return next(one for one in _marks(tx, on.id) if one.id == mark_id)


def _reason(text: str) -> str:
    if not text.strip():
        raise Invalid("reason", "say why; it stands in the record, with your name")
    if len(text) > REASON_MAX:
        raise Invalid("reason", f"is longer than {REASON_MAX} characters")
    return text.strip()


def _thing(on: Dealings) -> Resource:
    return Resource("assessment", on.id, on.id, marking=assessment.EVIDENCE)


def _marks(view: Reading, engagement: str) -> list[Mark]:
    found = dict[str, Mark]()
    for kind in (Kind.SAMPLE_MARKED, Kind.MARK_DISPUTED, Kind.MARK_WITHDRAWN):
        for opened in view.acts(engagement=engagement, kind=kind):
            act = opened.act
            if kind is Kind.SAMPLE_MARKED:
                found[act.id] = _mark(act)
            elif kind is Kind.MARK_DISPUTED:
                old = found[act.about]
                found[act.about] = replace(old, dissents=(*old.dissents, _said(act)))
            else:
                found[act.about] = replace(found[act.about], taken_back=_said(act))
    return list(found.values())


def _mark(act: Act) -> Mark:
    detail, shard = act.detail, act.about.partition("/")[2]
    epoch = detail["epoch"]
    assert isinstance(epoch, int)  # noqa: S101 -- written by `mark`
    return Mark(act.id, str(detail["subject"]), str(detail["item"]), epoch, shard, _said(act))


def _said(act: Act) -> Said:
    return Said(act.actor, act.at, str(act.detail["reason"]))
