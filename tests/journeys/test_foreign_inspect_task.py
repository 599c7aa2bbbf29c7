"""Journey: an Inspect user adds one flag and nothing else changes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from inspect_ai.log import EvalLog, list_eval_logs, read_eval_log

ROOT = Path(__file__).parents[2]
TASK = ROOT / "tests" / "sandbox" / "foreign_task.py"
# `inspect` as its own command starts it, once for each list of words: what it imports is paid once.
PROGRAM = """
import json, sys
import leadline.sandbox.provider
from inspect_ai._cli.main import main
for words in json.loads(sys.argv[1]):
    sys.argv = ["inspect", *words]
    try:
        main()
    except SystemExit as ended:
        if ended.code:
            raise
"""

pytestmark = pytest.mark.sandbox


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, EvalLog]:
    """The log of `inspect eval` in a process of its own, by what followed `--sandbox`."""
    home = tmp_path_factory.mktemp("inspect")
    config = home / "box.yaml"
    config.write_text("disk_mb: 32\nwarm: 1\n")
    folders = {"local": home / "local", "bwrap": home / "bwrap", f"bwrap:{config}": home / "file"}
    lines = []
    for sandbox, folder in folders.items():
        folder.mkdir()
        words = [TASK.name, "--sandbox", sandbox, "--log-dir", str(folder), "--display", "none"]
        lines.append(["eval", *words, "--max-samples", "1"])
    env = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "HOME": str(home)}
    env |= {"PYTHONPATH": str(ROOT / "src"), "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(lines)],
        check=False,
        capture_output=True,
        text=True,
        env=env,
        cwd=TASK.parent,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return {sandbox: log_in(folder) for sandbox, folder in folders.items()}


def log_in(folder: Path) -> EvalLog:
    """The one log of a folder."""
    (found,) = list_eval_logs(str(folder))
    return read_eval_log(found)


def scores(log: EvalLog) -> dict[object, object]:
    """Values by sample."""
    assert log.samples
    return {
        sample.id: [score.value for score in (sample.scores or {}).values()]
        for sample in log.samples
    }


def test_the_scores_in_a_box_are_those_of_local(logs: dict[str, EvalLog]) -> None:
    """The same task with `--sandbox local` and `--sandbox bwrap` scores alike, sample by sample."""
    for sandbox in ("local", "bwrap"):
        assert logs[sandbox].status == "success"
        assert logs[sandbox].eval.sandbox.type == sandbox  # type: ignore[union-attr]
    assert scores(logs["bwrap"]) == scores(logs["local"])
    assert scores(logs["bwrap"]) == {0: [1.0], 1: [0.0], 2: [1.0], 3: [0.0]}


def test_a_configuration_file_goes_with_the_flag(logs: dict[str, EvalLog]) -> None:
    """`--sandbox bwrap:box.yaml` is what the boxes are."""
    [(words, log)] = [(words, log) for words, log in logs.items() if words.startswith("bwrap:")]
    assert log.status == "success"
    assert log.eval.sandbox is not None
    assert words.removeprefix("bwrap:") in str(log.eval.sandbox.config)
