"""What anybody may know of how long things take: medians of whole days, and counts; never of one party.

A median of fewer than five, and a count that would tell of fewer than five, is not shown. Only acts that
the public register names are counted, so that nothing here says more than the register does.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from leadline.core.clearing.report import Stage, standing
from leadline.core.clearing.tiers import K_MIN, suppressed
from leadline.core.record.act import Act, Kind


@dataclass(frozen=True, slots=True)
class Span:
    """From the first act of *begins* to the first one of *ends* about the same thing."""

    id: str
    words: str
    begins: Kind
    ends: tuple[Kind, ...]


SPANS = (
    Span("inquiry", "A first question, to its answer", Kind.INQUIRY_LODGED, (Kind.INQUIRY_ANSWERED,)),
    Span(
        "access",
        "Government access, from its opening to its end",
        Kind.ACCESS_OPENED,
        (Kind.ACCESS_ENDED, Kind.ENGAGEMENT_WITHDRAWN, Kind.ENGAGEMENT_ENDED),
    ),
    Span("finding", "A report handed in, to its first answer", Kind.FINDING_SUBMITTED, (Kind.FINDING_ANSWERED,)),
    Span("case", "A case opened, to its publication", Kind.CASE_OPENED, (Kind.EMBARGO_ENDED, Kind.CASE_CLOSED)),
    Span("notice", "A notice sent, to its answer", Kind.NOTICE_SENT, (Kind.NOTICE_ANSWERED,)),
)  # fmt: skip
AGES = ((7, "up to 7 days"), (30, "8 to 30 days"), (90, "31 to 90 days"))
OLDER = "more than 90 days"
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Days:
    """How long one kind of thing takes. *count* and *median* are None where they tell of too few."""

    span: Span
    count: int | None
    median: float | None


@dataclass(frozen=True, slots=True)
class Cell:
    """How many reports stand in one state at one age since they were handed in."""

    state: str
    age: str
    count: int | None


@dataclass(frozen=True, slots=True)
class Counts:
    """Everything that is told, as of *at*."""

    at: datetime
    days: tuple[Days, ...]
    reports: tuple[Cell, ...]


def counts(acts: Iterable[Act], at: datetime) -> Counts:
    """The counts of *acts*, which stand in the order of the log."""
    by_thing: dict[str, list[Act]] = {}
    for act in acts:
        by_thing.setdefault(act.about, []).append(act)
    return Counts(
        at, tuple(_days(span, by_thing) for span in SPANS), tuple(_reports(by_thing.values(), at))
    )


def _days(span: Span, by_thing: Mapping[str, Sequence[Act]]) -> Days:
    took = sorted(one for about in by_thing.values() for one in _took(span, about))
    few = len(took) < K_MIN
    return Days(span, None if few else len(took), None if few else round(median(took), 1))


def _took(span: Span, about: Sequence[Act]) -> Iterable[float]:
    """One number of days at most: a second opening of the same thing is the same thing."""
    begun = next((one for one in about if one.kind is span.begins), None)
    ended = next(
        (one for one in about if begun and one.kind in span.ends and one.at >= begun.at), None
    )
    if begun and ended:
        yield (ended.at - begun.at) / DAY


def _reports(things: Iterable[Sequence[Act]], at: datetime) -> Iterable[Cell]:
    found = [one for acts in things if (one := standing(acts)) is not None]
    ages = [name for _, name in AGES] + [OLDER]
    keys = [(stage.value, age) for stage in Stage for age in ages]
    held = [(one.stage.value, _age(at - one.steps[0].at)) for one in found]
    shown = suppressed([held.count(key) for key in keys])
    for (state, age), count in zip(keys, shown, strict=True):
        yield Cell(state, age, count)


def _age(passed: timedelta) -> str:
    return next((name for most, name in AGES if passed <= timedelta(days=most)), OLDER)
