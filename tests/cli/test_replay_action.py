"""The action for CI systems: the script runs here, and the action passes everything as variables."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import leadline

ROOT = Path(leadline.__file__).parents[2]
ACTION = ROOT / "actions" / "replay"
PROJECT = ROOT / "docs" / "tutorial" / "project"


def test_no_input_is_read_as_a_command() -> None:
    """Inputs stand in `env` alone, never in what a shell runs; no secret is asked for, nothing posted."""
    text = (ACTION / "action.yml").read_text()
    run = text[text.index("      run:") :]
    assert "${{" not in run
    assert "secrets" not in text.replace("no secret", "")
    assert "curl" not in (ACTION / "replay.sh").read_text()
    named = set(re.findall(r"inputs\.(\w+) }}", text))
    declared = set(re.findall(r"^  (\w+):$", text[: text.index("outputs:")], re.MULTILINE))
    assert named == declared


@pytest.mark.sandbox
def test_the_script_tells_a_ci_system(tmp_path: Path) -> None:
    """Outputs, a summary and evidence; the answers decide nothing of how it ends."""
    subprocess.run(
        ["/bin/sh", str(PROJECT / "make-repository.sh"), str(tmp_path / "shelf")], check=True
    )
    bundle = Path(shutil.copytree(PROJECT / "report", tmp_path / "a report; touch spoilt"))
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "leadline"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m leadline "$@"\n')
    program.chmod(0o755)
    outputs, summary = tmp_path / "outputs", tmp_path / "summary.md"
    done = subprocess.run(
        ["/bin/sh", str(ACTION / "replay.sh")],
        cwd=tmp_path,
        env={
            "PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin",
            "HOME": str(tmp_path),
            "RUNNER_TEMP": str(tmp_path),
            "BUNDLE": str(bundle),
            "REPOSITORY": "shelf",
            "RELEASE": "v1.0.0",
            "GITHUB_OUTPUT": str(outputs),
            "GITHUB_STEP_SUMMARY": str(summary),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = dict(line.split("=", 1) for line in outputs.read_text().splitlines())
    assert (told["head"], told["release"]) == ("true", "false")
    assert (told["in_scope"], told["known"]) == ("true", "null")
    assert (Path(told["evidence"]) / "replay.json").is_file()
    assert "On v1.0.0:" in summary.read_text()
    assert not (tmp_path / "spoilt").exists()
    assert not list(bundle.glob("evidence"))
