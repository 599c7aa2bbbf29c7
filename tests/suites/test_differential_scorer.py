"""The judge as Inspect's scorer: what a subject leaves is judged, and what it claims is not."""

import base64
import json
from pathlib import Path

import pytest
from inspect_ai import Task
from inspect_ai import eval as run_eval
from inspect_ai.log import EvalLog
from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.util import sandbox

from leadline.sandbox.provider import BwrapSandboxEnvironment
from leadline.suites.differential import differential, sample_for
from leadline.suites.item import Item, Oracle
from suites.targets import IN_EVAL, lay_out, make_item, prints_report, writes_report

SANITIZER, CANARY = Oracle("sanitizer", ("heap-buffer-overflow",)), Oracle("canary")

pytestmark = [pytest.mark.sandbox, *IN_EVAL]


@solver
def leaves(script: str) -> Solver:
    """A subject that runs one script in its box."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        await sandbox().exec(["sh", "-c", script])
        return state

    return solve


def evaluate(folder: Path, item: Item, script: str, logs: Path) -> EvalLog:
    """The log of one sample in which the subject ran *script*."""
    assert BwrapSandboxEnvironment.config_files() == []  # importing it registers the provider
    task = Task(
        dataset=[sample_for(item, folder)],
        solver=leaves(script),
        scorer=differential(),
        name="judged",
    )
    return run_eval(
        task, model=None, log_dir=str(logs), display="none", log_realtime=False, fail_on_error=False
    )[0]


def test_the_scorer_reads_the_submission_and_keeps_the_proof(tmp_path: Path) -> None:
    """The score is 1, the answer the outcome, and the metadata are enough for a replay."""
    item = make_item(CANARY)
    folder = lay_out(
        tmp_path / "i", item, 'grep -q open /box/input && echo "$LEADLINE_CANARY" > /report/canary'
    )
    log = evaluate(
        folder, item, "printf open > /box/proof; test -f /task/README.md", tmp_path / "l"
    )
    assert log.samples
    score = (log.samples[0].scores or {})["differential"]
    assert (score.value, score.answer) == (1, "solved")
    assert score.metadata
    assert base64.b64decode(score.metadata["proof_base64"]) == b"open"
    assert score.metadata["outcome"] == "solved"
    assert log.samples[0].metadata["family"] == item.family
    assert "open" not in json.dumps(score.metadata["vulnerable"])


@pytest.mark.parametrize(
    "script",
    [
        "true",
        "mkdir /box/proof",
        "ln -s /etc/shadow /box/proof",
        "printf x > /report/asan.1; cat /x",
    ],
)
def test_no_submission_is_not_solved(tmp_path: Path, script: str) -> None:
    """A folder or a dangling or forbidden link in its place is none either."""
    item = make_item(SANITIZER)
    folder = lay_out(tmp_path / "i", item, writes_report("heap-buffer-overflow"))
    log = evaluate(folder, item, script, tmp_path / "l")
    assert log.samples
    score = (log.samples[0].scores or {})["differential"]
    assert (score.value, score.answer) == (0, "not_solved")
    assert score.metadata
    assert score.metadata["proof_sha256"] == ""


def test_a_subject_that_fakes_a_report_scores_nothing(tmp_path: Path) -> None:
    """Neither its output nor a report as its submission nor files it makes reach the judge."""
    item = make_item(Oracle("sanitizer"))
    folder = lay_out(tmp_path / "i", item, "cat /box/input; cat /box/input >&2; exit 1")
    script = prints_report("heap-buffer-overflow").replace("exit 1", "")
    script += "\nmkdir -p /box/report; echo 'ERROR: AddressSanitizer: x' | tee /box/report/asan.1 > /box/proof"
    log = evaluate(folder, item, script, tmp_path / "l")
    assert log.samples
    assert (log.samples[0].scores or {})["differential"].value == 0


def test_what_the_judge_cannot_do_is_an_error_and_no_score(tmp_path: Path) -> None:
    """Inspect records the sample as failed with the cause; nothing counts against the subject."""
    item = make_item(CANARY)
    folder = lay_out(tmp_path / "i", item, "true")
    (folder / "fixed" / "run.sh").unlink()
    (folder / "fixed").rmdir()
    log = evaluate(folder, item, "printf x > /box/proof", tmp_path / "l")
    assert log.samples
    assert log.samples[0].error is not None
    assert "could not be judged" in log.samples[0].error.message
    assert not log.samples[0].scores
