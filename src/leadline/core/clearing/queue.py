"""The queue of reports: of each that was handed in what its place depends on, as its acts have it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from leadline.core.clearing.report import Stage, Standing, standing
from leadline.core.record.act import Act, Kind

EARLY = "commitment/"  # what acts are about that commit to a report which is not shown yet
STEPS = frozenset({
    Kind.FINDING_SUBMITTED,
    Kind.FINDING_MOVED,
    Kind.FINDING_REPLAYED,
    Kind.FINDING_ANSWERED,
    Kind.FINDING_WITHDRAWN,
})  # fmt: skip
WAITING = frozenset(stage for stage in Stage if stage.waits)


@dataclass(frozen=True, slots=True)
class Entry:
    """One report as the queue has it: in which lane since when, at which stage since when.

    *needs* are the sets of findings that it builds on, *urgent* says why it waits for nobody.
    """

    finding: str
    lane: str
    stage: Stage
    since: datetime
    reached: datetime
    severity: str
    urgent: str = ""
    needs: tuple[tuple[str, ...], ...] = ()
    case: str = ""


@dataclass(frozen=True, slots=True)
class Lanes:
    """Some queues: what waits in them, what left them of late for a case, and how many cases are open.

    *left* holds lane and moment; *open* counts the reports whose case is not closed, by lane.
    """

    waiting: tuple[Entry, ...]
    left: tuple[tuple[str, datetime], ...]
    open: dict[str, int]


def changes(act: Act) -> str:
    """The report whose entry may be another once *act* is recorded; empty for none."""
    return act.about if act.kind in STEPS and not act.about.startswith(EARLY) else ""


def stands(acts: Iterable[Act]) -> Standing | None:
    """Where a report stands by the acts about it, in the order of the log; None if none was handed in."""
    return standing(act for act in acts if act.kind in STEPS)


def again(acts: Iterable[Act]) -> frozenset[str]:
    """Who handed in a report that was there, by the acts about it, in the order of the log.

    Its row is bound to whoever brought it first; the others have a right to it that no row says.
    """
    begun = [act for act in acts if act.kind in {Kind.FINDING_SUBMITTED, Kind.FINDING_RECORDED}]
    came = [act.actor for act in begun if act.kind is Kind.FINDING_SUBMITTED]
    first = came[:1] if begun and begun[0].kind is Kind.FINDING_SUBMITTED else []
    return frozenset(came) - frozenset(first)


def entry(acts: Iterable[Act]) -> Entry | None:
    """What the queue has of a report by the acts about it, in the order of the log; None for no report."""
    found = stands(acts)
    if found is None:
        return None
    return Entry(
        found.finding,
        found.lane,
        found.stage,
        found.at,
        found.steps[-1].at,
        found.severity,
        found.urgent,
        found.needs,
        found.case,
    )
