"""Attempts held to the budget of the run: waiting, left out, and settled by what their calls used."""

import asyncio
from pathlib import Path

import anyio
import pytest
from inspect_ai import Task
from inspect_ai import eval as run_eval
from inspect_ai.dataset import Sample
from inspect_ai.model import ModelOutput, ModelUsage, get_model
from inspect_ai.scorer import includes
from inspect_ai.solver import Generate, Solver, TaskState, solver

import make
from fakes import MemoryExecutor, MemoryPurse
from leadline.core.measure.budget import Amount, Ledger
from leadline.runner import capped as module
from leadline.runner.capped import USED_UP, Capped

pytestmark = [
    pytest.mark.usefixtures("collected"),
    # Inspect leaves memory streams of its own to the garbage collector
    pytest.mark.filterwarnings(
        "ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning"
    ),
    pytest.mark.filterwarnings("ignore:Unclosed <Memory:ResourceWarning"),
    # how Inspect calls the library that it retries with
    pytest.mark.filterwarnings("ignore:The 'initial' parameter:DeprecationWarning"),
]
CALL = 100  # tokens of one call


def drawing(cap: int, amount: int, patience: float = 5.0) -> Capped:
    """One shard that draws on a run's budget."""
    executor = MemoryExecutor()
    executor.submit("job", "eval", {"n": "1"}, total=1)
    shard = executor.claim("w", now=make.NOW, lease_seconds=60)
    assert shard is not None
    purse = MemoryPurse(executor)
    purse.cap("job", Amount(cap))
    return Capped(purse, shard, Amount(amount), patience, poll_seconds=0.02)


def ledger(capped: Capped) -> Ledger:
    """The run's."""
    return capped.purse.ledger("job")


@solver
def calls(fails: dict[str, int]) -> Solver:
    """One call of the model; then an error, as often as an item says."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        state = await generate(state)
        item = str(state.sample_id)
        if fails.get(item, 0):
            fails[item] -= 1
            raise ConnectionError("the endpoint went away")
        return state

    return solve


def evaluate(
    capped: Capped, folder: Path, items: int, fails: dict[str, int] | None = None
) -> set[str]:
    """Run samples under the cap, one at a time; answers those that are in the log."""

    def output(*_: object) -> ModelOutput:
        made = ModelOutput.from_content("mockllm/model", "done")
        made.usage = ModelUsage(input_tokens=CALL - 10, output_tokens=10, total_tokens=CALL)
        return made

    task = Task(
        dataset=[Sample(id=f"i{n}", input="say", target="done") for n in range(items)],
        solver=calls(fails or {}),
        scorer=includes(),
        early_stopping=capped,
    )
    with capped.watching():
        [log] = run_eval(
            task,
            model=get_model("mockllm/model", custom_outputs=output),
            log_dir=str(folder),
            display="none",
            max_samples=1,
            retry_on_error=2,
            fail_on_error=False,
            log_realtime=False,
        )
    assert log.status == "success", log.error
    assert not [s.error.message for s in log.samples or [] if s.error]
    assert log.results is not None
    assert log.results.early_stopping is not None
    assert "tokens" in str(log.results.early_stopping.metadata["ledger"])
    return {str(sample.id) for sample in log.samples or []}


def test_attempts_start_while_their_reserve_fits(tmp_path: Path) -> None:
    """Three of a hundred tokens each fit under 350 at a reserve of 150; the fourth is left out."""
    capped = drawing(350, 150)
    ran = evaluate(capped, tmp_path, 5)
    assert len(ran) == 3
    assert capped.refused == {f"i{n}" for n in range(5)} - ran
    assert ledger(capped) == Ledger(Amount(350), Amount(300), Amount(), 2)
    assert capped.used_up


def test_a_failed_attempt_is_settled_by_what_its_calls_used(tmp_path: Path) -> None:
    """An item that needs three attempts has spent three times, its reserves are all given back."""
    capped = drawing(10_000, 150)
    evaluate(capped, tmp_path, 2, {"i0": 2})
    assert ledger(capped) == Ledger(Amount(10_000), Amount(4 * CALL))
    assert not capped.used_up


def test_an_attempt_waits_for_others_to_settle() -> None:
    """It starts once a running one has used less than it reserved."""
    capped = drawing(100, 60)

    async def both() -> None:
        assert await capped.schedule_sample("a", 1) is None
        async with anyio.create_task_group() as tasks:

            async def second() -> None:
                assert await capped.schedule_sample("b", 1) is None

            tasks.start_soon(second)
            await anyio.sleep(0.05)
            assert ledger(capped).reserved == Amount(60)
            await anyio.to_thread.run_sync(capped.settle, "a", Amount(10))
        await capped.complete_sample("a", 1, {})

    asyncio.run(both())
    assert ledger(capped) == Ledger(Amount(100), Amount(10), Amount(60))


def test_an_attempt_does_not_wait_for_ever() -> None:
    """What a lost worker reserved may never be settled: after its patience the sample is left out."""
    capped = drawing(100, 60, patience=0.1)

    async def both() -> str | None:
        assert await capped.schedule_sample("a", 1) is None
        stopped = await capped.schedule_sample("b", 1)
        return stopped.reason if stopped else None

    assert asyncio.run(both()) == USED_UP
    assert capped.refused == {"b"}


def test_an_attempt_that_ended_before_its_sandbox_was_there_used_nothing() -> None:
    """No hook tells of it; the next attempt gives its reserve back."""
    capped = drawing(100, 60)

    async def twice() -> None:
        assert await capped.schedule_sample("a", 1) is None
        assert await capped.schedule_sample("a", 1) is None

    asyncio.run(twice())
    assert ledger(capped) == Ledger(Amount(100), Amount(), Amount(60))


def test_without_a_cap_no_hook_is_at_work() -> None:
    """Only the shard that draws on a budget is watched, and only while it runs."""
    hook = module.BudgetHooks()
    capped = drawing(1, 1)
    assert not hook.enabled()
    with capped.watching():
        assert hook.enabled()
    assert not hook.enabled()
