"""Hostile inventories are refused within two seconds and 256 MiB; the largest ordinary one is taken."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest


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


# One or two of each form; `--soak` takes them all.
SAMPLE = (
    "long text", "many empty objects", "spdx packages", "spdx open text", "xml", "workbook texts",
    "workbook merged in every column", "workbook deep", "table of headings", "genuine",
)  # fmt: skip


def test_hostile_inventories_are_refused_cheaply() -> None:
    """Some of each form: two seconds of a processor and 256 MiB, with the input itself."""
    assert set(SAMPLE) < set(outcome())
    refused(SAMPLE)


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_every_hostile_inventory_is_refused_cheaply() -> None:
    """Whatever fills them."""
    names = list(map(str, outcome()))
    assert len(names) == 44
    refused(names)


def refused(names: Sequence[str]) -> None:
    """Each within its bounds; what is no attack is taken."""
    for name in names:
        seconds, peak, _, answer = outcome(name)
        if name == "genuine":
            assert answer == "200000 components"
            continue
        assert str(answer).startswith("refused: "), (name, answer)
        assert isinstance(seconds, float)
        assert isinstance(peak, int)
        assert seconds <= 2, (name, seconds)
        assert peak <= 256, (name, peak)
