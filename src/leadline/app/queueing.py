"""The queue of reports: the place of those that are asked for, from the queues that it depends on alone.

A place depends on what waits in the same queue and in those that share a reader with it, and on what
left them within a week. The store keeps an entry for each report (`Reading.queued`, `Reading.lanes`);
moments and places are computed from these whenever somebody asks.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from leadline.app.context import Context
from leadline.app.contracts import on_file
from leadline.app.ports import Opened, Reading
from leadline.core.clearing.case_words import Move
from leadline.core.clearing.chain import Link, effective
from leadline.core.clearing.finding import Severity
from leadline.core.clearing.fix import RECALLED
from leadline.core.clearing.pacing import WEEK, Delivered, Slot, Waiting, connected, schedule
from leadline.core.clearing.queue import Entry, changes, stands
from leadline.core.clearing.report import Stage, Standing
from leadline.core.record.act import Act, Kind

FIXED = frozenset({"merged", "released", "applied"})
OUT = frozenset({Move.FIX_OUT.value, Move.PUBLIC_FIX.value})


@dataclass(frozen=True, slots=True)
class Queue:
    """Some reports as their acts have them, their first leaves in the log, and the slots of their queues.

    *lanes* tells of each of their queues how many wait in it, and since when the oldest does.
    """

    stands: Mapping[str, Standing]
    leaves: Mapping[str, int]
    slots: Mapping[str, Slot]
    lanes: Mapping[str, tuple[int, datetime]]


def queued(ctx: Context, findings: Collection[str]) -> Queue:
    """Where these reports stand in the queue now, within a use case that asked the rules about each.

    What was not handed in as a report is left out. Nothing is sent from here; a slot that is due says
    that a person may open a case.
    """
    with ctx.store.read() as view:
        held, leaves = _standings(view, findings)
        contracts = tuple(on_file(view))
        known = view.lanes(
            connected(contracts, {one.lane for one in held.values()}), ctx.now - WEEK
        )
        ranks = _ranks(view, known.waiting)
    waiting = [
        Waiting(
            one.finding,
            one.lane,
            one.since,
            ranks[one.finding],
            one.urgent,
            ready=bool(one.urgent) or one.stage is Stage.QUEUED,
        )
        for one in known.waiting
    ]
    left = [Delivered(lane, at, open=False) for lane, at in known.left]
    lanes = dict[str, tuple[int, datetime]]()
    for one in waiting:
        count, oldest = lanes.get(one.lane, (0, one.since))
        lanes[one.lane] = (count + 1, min(oldest, one.since))
    return Queue(held, leaves, schedule(contracts, waiting, left, ctx.now, known.open), lanes)


def _standings(
    view: Reading, findings: Collection[str]
) -> tuple[dict[str, Standing], dict[str, int]]:
    by_finding = dict[str, list[Opened]]()
    for one in view.acts(about=frozenset(findings)):
        if changes(one.act):
            by_finding.setdefault(one.act.about, []).append(one)
    told = {id_: stands(one.act for one in opened) for id_, opened in by_finding.items()}
    found = {id_: one for id_, one in told.items() if one is not None}
    return found, {id_: by_finding[id_][0].index for id_ in found}


def _ranks(view: Reading, waiting: Sequence[Entry]) -> dict[str, int]:
    """How urgent each is, once what is fixed is fixed; a chain that is cut falls back to its least."""
    known = _needed(view, waiting)
    held = [one for one in known.values() if one is not None]
    gone = {one.finding for one in held if one.stage is Stage.ALREADY_FIXED}
    links = [_link(one) for one in held if one.stage.waits]
    return {one.id: one.rank for one in effective(links, gone | _fixed(view, known))}


def _needed(view: Reading, waiting: Sequence[Entry]) -> dict[str, Entry | None]:
    """Those that wait, and what they build on, and so on; None for what was not handed in as a report.

    What is in a chain may be in any queue.
    """
    known = dict[str, Entry | None]((one.finding, one) for one in waiting)
    new = list(waiting)
    while wanted := {id_ for one in new for any_of in one.needs for id_ in any_of} - set(known):
        new = list(view.queued(wanted))
        known |= dict.fromkeys(wanted)
        known |= {one.finding: one for one in new}
    return known


def _link(one: Entry) -> Link:
    rank = Severity(one.severity).rank if one.severity else Severity.UNKNOWN.rank
    return Link(one.finding, one.needs, rank, 0 if one.needs else rank)


def _fixed(view: Reading, known: Mapping[str, Entry | None]) -> frozenset[str]:
    """The findings whose fix is out, and was not recalled: one of ours, or one that its vendor has out."""
    moved = view.acts(kind=Kind.FIX_MOVED, naming=frozenset(known))
    fixes = frozenset(one.act.about for one in moved)
    out: dict[str, str] = {}
    for act in _acts(view, Kind.FIX_MOVED, fixes):
        if act.detail.get("state") in FIXED:
            out[act.about] = str(act.detail.get("finding", ""))
        elif act.detail.get("state") == RECALLED:
            out.pop(act.about, None)
    cases = {id_: one.case for id_, one in known.items() if one is not None and one.case}
    moves = _acts(view, Kind.CASE_MOVED, frozenset(cases.values()))
    mended = {act.about for act in moves if act.detail.get("move") in OUT}
    return frozenset(out.values()) | {id_ for id_, case in cases.items() if case in mended}


def _acts(view: Reading, kind: Kind, about: frozenset[str]) -> Iterable[Act]:
    return (one.act for one in view.acts(kind=kind, about=about))
