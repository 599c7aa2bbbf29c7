"""How a run that its warden ended is written down, and how acts out of scope become alerts.

The warden's order waits for nothing: by the time these are called every sandbox is gone. What it did
stands in its journal until the store has it, however long the store was away.
"""

from collections.abc import Iterable, Mapping, Sequence

from leadline.app.assessment import EVIDENCE
from leadline.app.context import Context
from leadline.app.ports import Executor
from leadline.core.access import Action, Resource
from leadline.core.assessment import OutOfScope, Plan
from leadline.core.record.act import Kind, Value

# A dead man's order means that somebody was away, not that the run must not go on.
FREEZING = ("person", "alarm")
Stop = Mapping[
    str, Value
]  # the warden's record of one order: at, by, who, cause, and what it measured


def settle(ctx: Context, plan: Plan, executor: Executor, stops: Sequence[Stop]) -> int:
    """Enter each order that the record does not hold yet, and freeze the run's shards where one did so.

    Answers how many were entered. Only `leadline run thaw` lets a frozen run go on.

    Raises: Denied; Unavailable, while the store cannot serve.
    """
    if not stops:
        return 0
    ctx.require(
        Action.ASSESSMENT_RUN, Resource("assessment", plan.id, plan.engagement, marking=EVIDENCE)
    )
    entered = 0
    for stop in stops:
        about = f"{plan.id}/stop/{stop['at']}"
        with ctx.store.read() as view:
            if view.acts(engagement=plan.engagement, kind=Kind.RUN_STOPPED, about=about):
                continue
        if stop["by"] in FREEZING:
            executor.freeze(plan.id)
        with ctx.store.write() as tx:
            tx.record(ctx.act(Kind.RUN_STOPPED, about, plan.engagement, **stop))
        entered += 1
    return entered


def raise_alarms(
    ctx: Context, plan: Plan, alarms: Iterable[tuple[str, OutOfScope]]
) -> tuple[str, ...]:
    """Raise an alert for each act out of scope that is an alarm, by item; answers what was raised.

    One that was raised before is not raised again.
    """
    raised = []
    for item, entry in alarms:
        about = f"{plan.id}/{item}/{entry.source}/{entry.rule}"
        with ctx.store.read() as view:
            if view.acts(engagement=plan.engagement, kind=Kind.ALERT_RAISED, about=about):
                continue
        told = f"out of scope in sample {item}: {entry.rule}"
        ctx.alarm("scope", about, told, engagement=plan.engagement)
        raised.append(told)
    return tuple(raised)
