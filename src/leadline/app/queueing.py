"""The queue of reports: every state and every place, computed from acts whenever somebody asks."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from leadline.app.context import Context
from leadline.app.contracts import on_file
from leadline.app.ports import Reading
from leadline.core.clearing.case_words import Move
from leadline.core.clearing.chain import Link, effective
from leadline.core.clearing.finding import Severity
from leadline.core.clearing.fix import RECALLED
from leadline.core.clearing.pacing import Delivered, Slot, Waiting, schedule
from leadline.core.clearing.report import Stage, Standing, standing
from leadline.core.record.act import Act, Kind

EARLY = "commitment/"  # what acts are about that commit to a report which is not shown yet
FIXED = frozenset({"merged", "released", "applied"})
OUT = frozenset({Move.FIX_OUT.value, Move.PUBLIC_FIX.value})
STEPS = (
    Kind.FINDING_SUBMITTED,
    Kind.FINDING_MOVED,
    Kind.FINDING_REPLAYED,
    Kind.FINDING_ANSWERED,
    Kind.FINDING_WITHDRAWN,
)


@dataclass(frozen=True, slots=True)
class Queue:
    """Every report as its acts have it, its first leaf in the log, and the slots of those that wait.

    *lanes* tells of each queue how many wait in it, and since when the oldest does.
    """

    stands: Mapping[str, Standing]
    leaves: Mapping[str, int]
    slots: Mapping[str, Slot]
    lanes: Mapping[str, tuple[int, datetime]]


def queued(ctx: Context) -> Queue:
    """The whole queue as it is now, within a use case that asked the rules: each reader gets its own part.

    Nothing is sent from here; a slot that is due says that a person may open a case.
    """
    with ctx.store.read() as view:
        stands, leaves = _standings(view)
        closed, fixed = _closed(view), _fixed(view, stands)
        contracts = tuple(on_file(view))
    waiting = [one for one in stands.values() if one.stage.waits]
    gone = [one.finding for one in stands.values() if one.stage is Stage.ALREADY_FIXED]
    ranks = _ranks(waiting, {*gone, *fixed})
    delivered = [
        Delivered(one.lane, one.steps[-1].at, one.case not in closed)
        for one in stands.values()
        if one.stage is Stage.CASE
    ]
    queue = [
        Waiting(
            one.finding,
            one.lane,
            one.at,
            ranks[one.finding],
            one.urgent,
            ready=bool(one.urgent) or one.stage is Stage.QUEUED,
        )
        for one in waiting
    ]
    lanes = dict[str, tuple[int, datetime]]()
    for one in queue:
        count, oldest = lanes.get(one.lane, (0, one.since))
        lanes[one.lane] = (count + 1, min(oldest, one.since))
    return Queue(stands, leaves, schedule(contracts, queue, delivered, ctx.now), lanes)


def _standings(view: Reading) -> tuple[dict[str, Standing], dict[str, int]]:
    opened = [one for kind in STEPS for one in view.acts(kind=kind)]
    by_finding = defaultdict[str, list[Act]](list)
    leaves = dict[str, int]()
    for one in sorted(opened, key=lambda one: one.index):
        if not one.act.about.startswith(EARLY):
            by_finding[one.act.about].append(one.act)
            leaves.setdefault(one.act.about, one.index)
    found = {id_: standing(acts) for id_, acts in by_finding.items()}
    return {id_: one for id_, one in found.items() if one is not None}, leaves


def _closed(view: Reading) -> frozenset[str]:
    return frozenset(one.act.about for one in view.acts(kind=Kind.CASE_CLOSED))


def _fixed(view: Reading, stands: Mapping[str, Standing]) -> frozenset[str]:
    """The findings whose fix is out, and was not recalled: one of ours, or one that its vendor has out."""
    out: dict[str, str] = {}
    for act in (one.act for one in view.acts(kind=Kind.FIX_MOVED)):
        if act.detail.get("state") in FIXED:
            out[act.about] = str(act.detail.get("finding", ""))
        elif act.detail.get("state") == RECALLED:
            out.pop(act.about, None)
    moves = (one.act for one in view.acts(kind=Kind.CASE_MOVED))
    mended = {act.about for act in moves if act.detail.get("move") in OUT}
    return frozenset(out.values()) | {
        id_ for id_, one in stands.items() if one.case and one.case in mended
    }


def _ranks(waiting: Sequence[Standing], fixed: Iterable[str]) -> dict[str, int]:
    """How urgent each is, once what is fixed is fixed; a chain that is cut falls back to its least."""
    links = list[Link]()
    for one in waiting:
        rank = Severity(one.severity).rank if one.severity else Severity.UNKNOWN.rank
        links.append(Link(one.finding, one.needs, rank, 0 if one.needs else rank))
    return {one.id: one.rank for one in effective(links, frozenset(fixed))}
