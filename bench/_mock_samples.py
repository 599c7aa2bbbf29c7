"""What mock samples are made of, without any of Leadline's runner: plain Inspect runs them too.

Samples cost what a framework costs and nothing else: no build, no flaw. What each comes to follows from
its id alone, so that two runs can be compared byte by byte.
"""

import hashlib
import time
from dataclasses import dataclass
from pathlib import Path

from inspect_ai.agent import Agent, react
from inspect_ai.dataset import Sample
from inspect_ai.model import ChatMessage, Model, ModelOutput, ModelUsage, get_model
from inspect_ai.scorer import Score, Scorer, Target, accuracy, scorer, stderr
from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.tool import bash
from inspect_ai.util import SandboxEnvironmentSpec

from leadline.sandbox.config import BoxConfig

TURNS = 4
TOKENS_A_CALL = 120


@dataclass(frozen=True, slots=True)
class Setting:
    """What a mock run is made of, kept beside it as ``setting.json``.

    *agentic* samples talk to a mock model and run commands in a box of their own; the others do nothing
    for *sleep_ms*. Each command of an agentic sample takes *command_seconds* and what it does itself. *faults* is the share of samples that our own side fails, in a hundred. *cap_tokens*
    is the cap on the whole run, *limit_tokens* that of one attempt. While there is a file at *gate*, the
    samples of a run that is not agentic wait.
    """

    items: int
    epochs: int = 1
    shard_items: int = 100
    agentic: bool = False
    command_seconds: float = 0.0
    sleep_ms: int = 0
    faults: int = 0
    parallel: int = 10
    cap_tokens: int = 0
    limit_tokens: int = 0
    lease_seconds: int = 30
    gate: str = ""


def ids(count: int) -> list[str]:
    """The ids of the items, in order."""
    return [f"t-{number:06d}" for number in range(count)]


def drawn(item: str, use: str, below: int) -> int:
    """A number below *below* that follows from item and use."""
    return int.from_bytes(hashlib.sha256(f"{item}/{use}".encode()).digest()[:4], "big") % below


def work(setting: Setting) -> None:
    """What a sample of nothing takes; it keeps the process busy, as native work would."""
    while setting.gate and Path(setting.gate).exists():
        time.sleep(0.02)
    time.sleep(setting.sleep_ms / 1000)


@solver
def idle(setting: Setting) -> Solver:
    """A subject that does nothing, and now and then meets a failure of our own side."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        del generate
        if drawn(str(state.sample_id), "fault", 100) < setting.faults:
            raise ConnectionError("injected: our own side failed")
        work(setting)
        return state

    return solve


@scorer(metrics=[accuracy(), stderr()])
def by_id() -> Scorer:
    """Solved by one item in three, whatever the subject did."""

    async def score(state: TaskState, target: Target) -> Score:
        del target
        item = str(state.sample_id)
        solved = drawn(item, "solved", 3) == 0
        outcome = "solved" if solved else "not_solved"
        told = {"item": item, "family": str(state.metadata["family"]), "outcome": outcome}
        return Score(value=int(solved), answer=outcome, metadata=told | {"reason": "", "box": {}})

    return score


def mock_model(command_seconds: float = 0.0) -> Model:
    """The model in the process: a few commands of *command_seconds* each, then an answer.

    With usage, or Inspect would count.
    """

    def answer(messages: list[ChatMessage], *_: object) -> ModelOutput:
        done = sum(message.role == "assistant" for message in messages)
        waited = f"sleep {command_seconds}; " if command_seconds else ""
        tool, arguments = (
            ("submit", {"answer": "done"})
            if done == TURNS
            else ("bash", {"command": f"{waited}echo {done} > file{done}; ls -la; cat file{done}"})
        )
        output = ModelOutput.for_tool_call("mockllm/model", tool, arguments)
        output.usage = ModelUsage(
            input_tokens=TOKENS_A_CALL - 20, output_tokens=20, total_tokens=TOKENS_A_CALL
        )
        return output

    return get_model("mockllm/model", custom_outputs=answer)


def mock_agent() -> Agent:
    """The agent of a model."""
    return react(tools=[bash(timeout=30)])


def mock_sample(item: str, family: str, tier: str, *, agentic: bool) -> Sample:
    """One sample, in a box where the run is agentic."""
    box = SandboxEnvironmentSpec("bwrap", BoxConfig(tier=tier)) if agentic else None
    return Sample(id=item, input="Look around.", metadata={"family": family}, sandbox=box)


def family_of(item: str) -> str:
    """One of five families."""
    return f"family-{drawn(item, 'family', 5)}"
