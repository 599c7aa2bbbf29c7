"""A decision from its plan: to begin it, to go on from its log, and to check one that is told."""

from collections.abc import Sequence

from leadline.core.measure import adaptive, in_order
from leadline.core.measure.adaptive import Adaptive
from leadline.core.measure.in_order import InOrder
from leadline.core.measure.sequential import Decision, Design, Plan, Point, Record, Status


def start(plan: Plan, seed: bytes) -> Decision:
    """Nothing run yet.

    Raises: Invalid, if the seed is shorter than 128 bits.
    """
    return Adaptive.start(plan, seed) if plan.design is Design.ACTIVE else InOrder.start(plan, seed)


def resume(plan: Plan, seed: bytes, log: Sequence[Record]) -> Decision:
    """The decision that *log* led to, every draw, bet and hash recomputed.

    Raises: Tampered, at the first record that does not recompute from plan, seed and the ones before.
    """
    decision = start(plan, seed)
    for number, record in enumerate(log, 1):
        decision = decision.follow(record, f"decision log, record {number}")
    return decision


def replay(plan: Plan, seed: bytes, log: Sequence[Record]) -> Status:
    """Where *log* led. Raises: Tampered, as `resume`."""
    return resume(plan, seed, log).status()


def path(decision: Decision) -> tuple[Point, ...]:
    """Share, bounds and wealth after each step, from the last result of each.

    A step that stayed void counts against either side.
    """
    if isinstance(decision, Adaptive):
        return adaptive.path(decision)
    return in_order.path(decision.plan, decision.log)
