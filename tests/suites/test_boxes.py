"""What a sample's own box is: told of ours, unknown of any other provider's."""

from pathlib import Path

import pytest
from inspect_ai import Task
from inspect_ai import eval as run_eval
from inspect_ai.dataset import Sample
from inspect_ai.solver import Generate, Solver, TaskState, solver

from leadline.core.assessment import PROVED
from leadline.sandbox.provider import BwrapSandboxEnvironment
from leadline.suites.boxes import box_identity
from suites.targets import IN_EVAL

pytestmark = [pytest.mark.sandbox, *IN_EVAL]


@solver
def looks() -> Solver:
    """Keeps what the box is."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        del generate
        state.metadata["box"] = box_identity()
        return state

    return solve


@pytest.mark.parametrize(("provider", "parts"), [("bwrap", set(PROVED)), ("local", set[str]())])
def test_only_our_own_box_has_an_identity(provider: str, parts: set[str], tmp_path: Path) -> None:
    """Every part that a proof is compared with, or nothing at all that could be taken for one."""
    assert BwrapSandboxEnvironment.config_files() == []  # importing it registers the provider
    task = Task(dataset=[Sample(input="x")], solver=looks(), sandbox=provider)
    log = run_eval(task, model=None, log_dir=str(tmp_path), display="none", log_realtime=False)[0]
    assert log.samples, log.error
    told = log.samples[0].metadata["box"]
    assert set(told) & set(PROVED) == parts
    assert bool(told) == bool(parts)
