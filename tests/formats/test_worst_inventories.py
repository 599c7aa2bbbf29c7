"""Hostile inventories are refused within two seconds and 256 MiB; the largest ordinary one is taken."""

import json
import subprocess
import sys
from pathlib import Path


def outcome(*arguments: str) -> list[object]:
    """What the script of the worst inventories prints, in a process of its own."""
    here = Path(__file__)
    done = subprocess.run(
        [sys.executable, str(here.parent / "worst_inventories.py"), *arguments],
        env={"PYTHONPATH": str(here.parents[2] / "src"), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        check=True,
        timeout=300,
    )
    told: list[object] = json.loads(done.stdout)
    return told


def test_hostile_inventories_are_refused_cheaply() -> None:
    """Whatever fills them: two seconds of a processor and 256 MiB, with the input itself."""
    names = outcome()
    assert len(names) == 44
    for name in names:
        seconds, peak, _, answer = outcome(str(name))
        if name == "genuine":
            assert answer == "200000 components"
            continue
        assert str(answer).startswith("refused: "), (name, answer)
        assert isinstance(seconds, float)
        assert isinstance(peak, int)
        assert seconds <= 2, (name, seconds)
        assert peak <= 256, (name, peak)
