"""What a box costs: starting one, running a program, and a whole agentic evaluation against `local`.

    python bench/sandbox.py --json [--quick]

The evaluations alternate between the two providers in one process, and the ratio is the median over
pairs of neighbours, so that a change in the machine's load falls on both.
"""

import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from leadline.sandbox.box import Box, BoxConfig
from leadline.sandbox.gvisor import runtime
from leadline.sandbox.pool import Pool
from leadline.sandbox.survey import Unusable
from leadline.sandbox.watchdog import proportional_bytes, tree

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from bench import _form as form

START_MS_MAX, TAKE_MS_MAX, EXEC_MS_MAX, EVAL_RATIO_MAX = 15.0, 1.0, 3.0, 1.04
IDLE_BOXES, IDLE_BOXES_MIN = 40, 500
TURNS = 4


async def milliseconds(action: Callable[[], Awaitable[object]], repeats: int) -> list[float]:
    """How long each of *repeats* runs of *action* took."""
    taken = []
    for _ in range(repeats):
        begun = time.perf_counter()
        await action()
        taken.append((time.perf_counter() - begun) * 1000)
    return taken


async def box_costs(repeats: int, tier: str = "shared-kernel") -> dict[str, float]:
    """Medians in milliseconds: start, stop, and programs in a running box."""
    starts, stops = [], []
    for _ in range(repeats):
        begun = time.perf_counter()
        box = await Box.start(BoxConfig(tier=tier))
        started = time.perf_counter()
        await box.stop()
        starts.append((started - begun) * 1000)
        stops.append((time.perf_counter() - started) * 1000)
    async with await Box.start(BoxConfig(tier=tier)) as box:
        data = os.urandom(1000)

        async def file() -> None:
            await box.write("file", data)
            assert await box.read("file") == data

        true = await milliseconds(lambda: box.exec(["true"]), repeats * 3)
        bash = await milliseconds(lambda: box.exec(["bash", "-c", ":"]), repeats * 3)
        files = await milliseconds(file, repeats)
    found = {"start": starts, "stop": stops, "exec_true": true, "exec_bash": bash, "file": files}
    return {name: statistics.median(taken) for name, taken in found.items()}


async def pool_take(repeats: int) -> float:
    """Milliseconds, the median, to take a box that the pool has started ahead."""
    pool, config, taken = Pool(), BoxConfig(warm=8), []
    pool.open(config)
    for _ in range(repeats):
        while pool.ready(config) == 0:  # noqa: ASYNC110 - nothing announces a box that is ready
            await asyncio.sleep(0.01)
        begun = time.perf_counter()
        box = await pool.take(config)
        taken.append((time.perf_counter() - begun) * 1000)
        await box.stop()
    await pool.close(config)
    return statistics.median(taken)


async def idle_boxes_per_gb(count: int) -> float:
    """How many idle boxes 1 GB would hold, by the proportional memory of the processes of *count*.

    What the host's kernel itself keeps of each is not in it.
    """
    boxes = [await Box.start(BoxConfig()) for _ in range(count)]
    await asyncio.sleep(0.2)
    held = sum(proportional_bytes(pid) for box in boxes for pid in tree(box.pid))
    for box in boxes:
        await box.stop()
    return (1 << 30) / (held / count)


def own_kernel_costs(repeats: int) -> tuple[dict[str, float], list[str]]:
    """As `box_costs` for a kernel of the box's own; nothing and the reason where there is none."""
    try:
        runtime()
    except Unusable as error:
        return {}, [f"own-kernel: {error}"]
    found = asyncio.run(box_costs(repeats, "own-kernel"))
    return {f"own_kernel_{name}": taken for name, taken in found.items()}, []


def evaluate(provider: str, samples: int, folder: Path) -> float:
    """Seconds for one evaluation: react with bash, four calls and an answer, on a mock model."""
    from inspect_ai import Task
    from inspect_ai import eval as evaluation
    from inspect_ai.agent import react
    from inspect_ai.dataset import Sample
    from inspect_ai.model import ChatMessage, ModelOutput, ModelUsage, get_model
    from inspect_ai.scorer import includes
    from inspect_ai.tool import bash

    def next_step(messages: list[ChatMessage], *_: object) -> ModelOutput:
        done = sum(message.role == "assistant" for message in messages)
        tool, arguments = (
            ("submit", {"answer": "done"})
            if done == TURNS
            else ("bash", {"command": f"echo {done} > file{done}; ls -la; cat file{done}"})
        )
        output = ModelOutput.for_tool_call("mockllm/model", tool, arguments)
        # With usage, or Inspect would fetch a tokenizer to count.
        output.usage = ModelUsage(input_tokens=100, output_tokens=20, total_tokens=120)
        return output

    task = Task(
        dataset=[Sample(id=n, input="Look around.", target="done") for n in range(samples)],
        solver=react(tools=[bash(timeout=30)]),
        scorer=includes(),
        sandbox=provider,
    )
    model = get_model("mockllm/model", custom_outputs=next_step)
    begun = time.perf_counter()
    (log,) = evaluation(task, model=model, log_dir=str(folder), display="none", max_samples=10)
    taken = time.perf_counter() - begun
    assert log.status == "success", log.error
    assert log.results is not None
    assert log.results.scores[0].metrics["accuracy"].value == 1.0
    return taken


def eval_costs(samples: int, pairs: int) -> dict[str, float]:
    """Milliseconds a sample with each provider, and the median of the pairs' ratios."""
    taken: dict[str, list[float]] = {"local": [], "bwrap": []}
    with tempfile.TemporaryDirectory() as folder:
        # bash is a login shell: with `local` it would run this user's own profile, which no box has.
        os.environ["HOME"] = folder  # noqa: TID251 - a script is an edge of its own
        for provider in taken:
            evaluate(provider, min(samples, 10), Path(folder))
        for pair in range(pairs):
            order = ("local", "bwrap") if pair % 2 == 0 else ("bwrap", "local")
            for provider in order:
                taken[provider].append(evaluate(provider, samples, Path(folder)))
    ratios = [box / bare for box, bare in zip(taken["bwrap"], taken["local"], strict=True)]
    costs = {name: statistics.median(times) / samples * 1000 for name, times in taken.items()}
    return {**costs, "ratio": statistics.median(ratios)}


def measure(*, quick: bool) -> dict[str, object]:
    """The whole benchmark as the document that is printed."""
    import leadline.sandbox.provider  # noqa: F401 - registers `bwrap`

    env = form.machine()
    box = asyncio.run(box_costs(20 if quick else 60))
    take = asyncio.run(pool_take(16 if quick else 48))
    idle = asyncio.run(idle_boxes_per_gb(IDLE_BOXES))
    own, missing = own_kernel_costs(5 if quick else 15)
    costs = eval_costs(30 if quick else 100, 3 if quick else 7)
    taken = {**box, "pool_take": take, **own}
    values = {f"{name}_ms": {"value": round(ms, 3), "unit": "ms"} for name, ms in taken.items()}
    values["idle_boxes_per_gb"] = {"value": round(idle), "unit": "boxes"}
    for name in ("local", "bwrap"):
        values[f"eval_{name}_ms"] = {"value": round(costs[name], 2), "unit": "ms/sample"}
    ratios = {
        "start": form.ratio(box["start"], START_MS_MAX, "<="),
        "exec_true": form.ratio(box["exec_true"], EXEC_MS_MAX, "<="),
        "pool_take": form.ratio(take, TAKE_MS_MAX, "<="),
        "idle_boxes_per_gb": form.ratio(idle, IDLE_BOXES_MIN, ">="),
        "eval_over_local": form.ratio(
            costs["ratio"], EVAL_RATIO_MAX, "<=", round(costs["local"], 2)
        ),
    }
    return form.document("sandbox", env, values, ratios, missing)


def main() -> None:
    """Measure and print: one line for programs, a short table for people."""
    options = form.parser(__doc__, "fewer repeats").parse_args()
    form.show(measure(quick=options.quick), as_json=options.json)


if __name__ == "__main__":
    main()
