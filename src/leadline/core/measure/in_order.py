"""A decision by the exact sequence: items in a simple random order, and a table of counts that decides.

Source: Waudby-Smith and Ramdas 2020 (without replacement); design, statistics 5.2.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from leadline.core.errors import Invalid, LeadlineError, Refused, Tampered
from leadline.core.measure.estimate import Code
from leadline.core.measure.order import draw_all
from leadline.core.measure.sequential import (
    Draw,
    Plan,
    Point,
    Record,
    Result,
    State,
    Status,
    check_result,
    head,
    spent,
    state_of,
)
from leadline.core.measure.without_replacement import Table, bounds, evidence

_RATIO_MAX = 10**300


@dataclass(frozen=True, slots=True)
class InOrder:
    """A decision of the design ``srswor``, as `sequential.Decision`; made by `start`."""

    plan: Plan
    seed: bytes = field(repr=False)
    order: tuple[str, ...] = field(repr=False)
    table: Table = field(repr=False)
    log: tuple[Record, ...] = ()
    seen: tuple[int | None, ...] = ()
    state: State = State.UNDECIDED
    decided_at: int = 0
    overturned: bool = False

    @classmethod
    def start(cls, plan: Plan, seed: bytes) -> "InOrder":
        """Nothing run yet.

        Raises: Invalid, if the seed is shorter than 128 bits.
        """
        return cls(plan, seed, draw_all(seed, plan.items), plan.table())

    def next_items(self, batch: int) -> tuple[Draw, ...]:
        """As `sequential.Decision`."""
        if batch < 1:
            raise Invalid("batch", f"{batch} is no number of draws")
        if self._current() is not State.UNDECIDED:
            return ()
        if self.plan.max_runs is not None:
            batch = min(batch, self.plan.max_runs - len(self.log))
        again = [step for step, y in enumerate(self.seen, 1) if y is None]
        fresh = range(len(self.seen) + 1, len(self.order) + 1)
        return tuple(self._draw(step) for step in [*again, *fresh][:batch])

    def update(self, results: Iterable[Result]) -> "InOrder":
        """As `sequential.Decision`."""
        decision = self
        for result in sorted(results, key=lambda one: one.step):
            decision = decision._logged(result)
        return decision

    def follow(self, record: Record, place: str) -> "InOrder":
        """As `sequential.Decision`."""
        try:
            decision = self._logged(Result(record.step, record.y, record.cost, record.sample))
        except LeadlineError as error:
            raise Tampered(place, str(error)) from error
        if decision.log[-1] != record:
            raise Tampered(place, "the draw or the hash chain does not recompute")
        return decision

    def status(self) -> Status:
        """Where the decision stands after the last result."""
        n_items, seen = len(self.order), len(self.seen)
        solved, void = self._counts()
        low, high = self.table.low_total, self.table.high_total
        against = evidence(n_items, low, seen, solved) if low * seen < solved * n_items else 1
        favour = solved + void
        beyond = evidence(n_items, high, seen, favour) if high * seen > favour * n_items else 1
        alphas = (self.plan.alpha_above, self.plan.alpha_below)
        alarms = ((Code.VOID_RESULTS,) if any(line.y is None for line in self.log) else ()) + (
            (Code.ENUMERATION_OVERTURNED,) if self.overturned else ()
        )
        return Status(
            state=self._current(),
            decided_at=self.decided_at,
            e_above=_times(against),
            e_below=_times(beyond),
            score_bounds=(
                bounds(n_items, seen, solved, *alphas)[0],
                bounds(n_items, seen, favour, *alphas)[1],
            ),
            n=seen,
            successes=solved,
            void=void,
            runs=len(self.log),
            tokens=sum(line.cost for line in self.log),
            n_items=n_items,
            alarms=alarms,
        )

    def _counts(self) -> tuple[int, int]:
        """Successes, and steps without a valid result."""
        return sum(y == 1 for y in self.seen), sum(y is None for y in self.seen)

    def _current(self) -> State:
        """The state, `EXHAUSTED` where the plan's budget ended without one."""
        over = self.state is State.UNDECIDED and spent(self.plan, self.log)
        return State.EXHAUSTED if over else self.state

    def _draw(self, step: int) -> Draw:
        return Draw(step, self.order[step - 1], 1, 1, len(self.order) - step + 1)

    def _logged(self, result: Result) -> "InOrder":
        check_result(result, self.seen, len(self.order))
        if self.plan.max_runs is not None and len(self.log) >= self.plan.max_runs:
            raise Refused(f"the plan allows {self.plan.max_runs} runs, and all were made")
        draw = self._draw(result.step)
        record = Record(
            head(self.plan, self.seed, self.log),
            draw.step,
            draw.item,
            draw.epoch,
            draw.weight,
            draw.total,
            result.y,
            result.cost,
            result.sample,
        )
        seen = (*self.seen[: result.step - 1], result.y, *self.seen[result.step :])
        return replace(self, log=(*self.log, record), seen=seen)._judged()  # noqa: SLF001 -- its own class

    def _judged(self) -> "InOrder":
        """The state after the last record.

        The first state reached stands, until every item has a valid result: then the full table
        speaks, without error.
        """
        seen, (solved, void) = len(self.seen), self._counts()
        found = state_of(self.table.above(seen, solved), self.table.below(seen, solved + void))
        if seen == len(self.order) and not void:
            if found is self.state:
                return self
            return replace(
                self, state=found, decided_at=seen, overturned=self.state is not State.UNDECIDED
            )
        if self.state is State.UNDECIDED and found is not State.UNDECIDED:
            return replace(self, state=found, decided_at=seen)
        return self


def path(plan: Plan, log: Sequence[Record]) -> tuple[Point, ...]:
    """Share solved and bounds after each step, from the last result of each.

    A step that stayed void counts as unsolved in the share and the lower bound, as solved in the
    upper one.
    """
    final = {line.step: line.y for line in log}
    points, solved, void = [], 0, 0
    alphas = (plan.alpha_above, plan.alpha_below)
    for seen in sorted(final):
        solved, void = solved + (final[seen] == 1), void + (final[seen] is None)
        low, _ = bounds(len(plan.items), seen, solved, *alphas)
        _, high = bounds(len(plan.items), seen, solved + void, *alphas)
        points.append(Point(seen, solved / seen, low, high))
    return tuple(points)


def _times(ratio: Fraction | int | None) -> float | None:
    """A ratio as a float, capped where a float ends."""
    return None if ratio is None else float(min(ratio, _RATIO_MAX))
