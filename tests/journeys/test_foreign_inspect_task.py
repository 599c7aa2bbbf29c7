"""Journey: an Inspect user adds one flag and nothing else changes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from inspect_ai.log import EvalLog, list_eval_logs, read_eval_log

ROOT = Path(__file__).parents[2]
TASK = ROOT / "tests" / "sandbox" / "foreign_task.py"

pytestmark = pytest.mark.sandbox


def run(sandbox: str, folder: Path) -> EvalLog:
    """`inspect eval` in a process of its own; answers its log."""
    words = [TASK.name, "--sandbox", sandbox, "--log-dir", str(folder), "--display", "none"]
    program = (
        "import leadline.sandbox.provider, sys; from inspect_ai._cli.main import main; "
        "sys.argv[0] = 'inspect'; main()"
    )
    env = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "HOME": str(folder)}
    env |= {"PYTHONPATH": str(ROOT / "src"), "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", program, "eval", *words, "--max-samples", "1"],
        check=False,
        capture_output=True,
        text=True,
        env=env,
        cwd=TASK.parent,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (found,) = list_eval_logs(str(folder))
    return read_eval_log(found)


def scores(log: EvalLog) -> dict[object, object]:
    """Values by sample."""
    assert log.samples
    return {
        sample.id: [score.value for score in (sample.scores or {}).values()]
        for sample in log.samples
    }


def test_the_scores_in_a_box_are_those_of_local(tmp_path: Path) -> None:
    """The same task with `--sandbox local` and `--sandbox bwrap` scores alike, sample by sample."""
    logs = {}
    for sandbox in ("local", "bwrap"):
        (tmp_path / sandbox).mkdir()
        logs[sandbox] = run(sandbox, tmp_path / sandbox)
        assert logs[sandbox].status == "success"
        assert logs[sandbox].eval.sandbox.type == sandbox  # type: ignore[union-attr]
    assert scores(logs["bwrap"]) == scores(logs["local"])
    assert scores(logs["bwrap"]) == {0: [1.0], 1: [0.0], 2: [1.0], 3: [0.0]}


def test_a_configuration_file_goes_with_the_flag(tmp_path: Path) -> None:
    """`--sandbox bwrap:box.yaml` is what the boxes are."""
    (tmp_path / "logs").mkdir()
    config = tmp_path / "box.yaml"
    config.write_text("disk_mb: 32\nwarm: 1\n")
    log = run(f"bwrap:{config}", tmp_path / "logs")
    assert log.status == "success"
    assert log.eval.sandbox is not None
    assert os.fspath(config) in str(log.eval.sandbox.config)
