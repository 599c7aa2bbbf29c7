"""Holds each attempt at a sample to the budget of the whole run.

Inspect asks before an attempt starts and tells what it used when it ended; in between the most that it
may use is set aside (`leadline.app.ports.Purse`). An attempt that does not fit waits while running ones
may still settle for less, and is left out, with its reason, once none can.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import ClassVar

import anyio
from inspect_ai.dataset import Sample
from inspect_ai.event import ModelEvent
from inspect_ai.hooks import Hooks, SampleAttemptEnd, SampleEnd, SampleEvent, hooks
from inspect_ai.log import EvalSpec
from inspect_ai.model import ModelUsage
from inspect_ai.scorer import SampleScore
from inspect_ai.util import EarlyStop
from pydantic import JsonValue
from typing_extensions import override

from leadline.app.ports import Purse, Shard
from leadline.core.measure.budget import NOTHING, Amount, total

USED_UP = "the run's budget is used up"


@dataclass
class Capped:
    """The budget of a run as one shard draws on it; Inspect's ``EarlyStopping``.

    *amount* is what one attempt reserves, *patience_seconds* how long one waits for others to settle:
    longer than a lease, after which what a lost worker had reserved is known to be gone.
    """

    purse: Purse
    shard: Shard
    amount: Amount
    patience_seconds: float = 120.0
    poll_seconds: float = 0.5
    refused: set[str] = field(default_factory=set)
    # what each call of a running attempt used, by the sample's own id and the event's
    calls: defaultdict[str, dict[str, Amount]] = field(default_factory=lambda: defaultdict(dict))
    _attempts: Counter[str] = field(default_factory=Counter)

    current: ClassVar["Capped | None"] = None  # one shard runs at a time in a process

    @contextmanager
    def watching(self) -> Iterator[None]:
        """While this lasts, what attempts used is settled."""
        Capped.current = self
        try:
            yield
        finally:
            Capped.current = None

    @property
    def used_up(self) -> bool:
        """Whether no attempt of this shard can start, whatever running ones settle for."""
        return self.purse.ledger(self.shard.job).decide(self.amount) == "refused"

    async def start_task(self, task: EvalSpec, samples: list[Sample], epochs: int) -> str:
        """The name under which Inspect's log lists what was left out."""
        del task, samples, epochs  # every attempt is asked for by itself
        return "leadline run budget"

    async def schedule_sample(self, id: str | int, epoch: int) -> EarlyStop | None:  # noqa: A002 -- Inspect's name
        """Reserve for the next attempt at this sample, or leave it out."""
        # an attempt that ended before its sandbox was there used nothing, and no hook tells of it
        await anyio.to_thread.run_sync(self.settle, str(id), NOTHING)
        self._attempts[str(id)] += 1
        name, waited = self._name(str(id)), 0.0
        while True:
            answer = await anyio.to_thread.run_sync(
                self.purse.reserve, self.shard, name, self.amount
            )
            if answer == "granted":
                return None
            if answer == "refused" or waited >= self.patience_seconds:
                self.refused.add(str(id))
                return EarlyStop(id=id, epoch=epoch, reason=USED_UP)
            await anyio.sleep(self.poll_seconds)
            waited += self.poll_seconds

    async def complete_sample(
        self,
        id: str | int,  # noqa: A002 -- Inspect's name
        epoch: int,
        scores: dict[str, SampleScore],
    ) -> None:
        """Settled by the hooks, which see failed attempts too."""

    async def complete_task(self) -> dict[str, JsonValue]:
        """What the log keeps of the budget."""
        return {"ledger": self.purse.ledger(self.shard.job).words()}

    def settle(self, sample: str, used: Amount) -> None:
        """Turn the reserve of the sample's last attempt into what it used; the first time counts."""
        self.purse.settle(self.shard, self._name(sample), used)

    def _name(self, sample: str) -> str:
        return f"{sample}#{self._attempts[sample]}"


@hooks(name="leadline_run_budget", description="Settles what each attempt used of the run's budget")
class BudgetHooks(Hooks):
    """Ends of attempts become spending of the run.

    What an attempt used is summed up from its model calls: a sample tells the sum of all its attempts.
    One that ended before its sandbox was there is not told of by itself, and used nothing.
    """

    @override
    def enabled(self) -> bool:
        return Capped.current is not None

    @override
    async def on_sample_event(self, data: SampleEvent) -> None:
        capped, event = Capped.current, data.event
        if capped is None or not isinstance(event, ModelEvent) or event.output.usage is None:
            return
        if not event.pending:
            # an event is told of again when it changes
            capped.calls[data.sample_id][str(event.uuid)] = _amount(event.output.usage)

    @override
    async def on_sample_attempt_end(self, data: SampleAttemptEnd) -> None:
        capped = Capped.current
        if capped is None:
            return
        used = total(capped.calls.pop(data.sample_id, {}).values())
        await anyio.to_thread.run_sync(capped.settle, str(data.summary.id), used)

    @override
    async def on_sample_end(self, data: SampleEnd) -> None:
        capped = Capped.current
        if capped is not None:
            await anyio.to_thread.run_sync(capped.settle, str(data.sample.id), NOTHING)


def _amount(usage: ModelUsage) -> Amount:
    return Amount(usage.total_tokens, round((usage.total_cost or 0.0) * 1e6))
