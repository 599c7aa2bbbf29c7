"""A full disk, a broken disk, a lost connection, a clock set back: reported, and nothing half done."""

import json
import subprocess
import sys
from pathlib import Path

from store.campaigns import TESTS


def test_each_operation_of_the_disk_may_fail(tmp_path: Path, library: str) -> None:
    """On every write path: Unavailable, nothing acknowledged, state as before, and it goes on after."""
    url = f"sqlite:///{tmp_path / 'leadline.db'}"
    command = [sys.executable, "-m", "store.faults", library, url]
    done = subprocess.run(command, cwd=TESTS, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    assert found["wrong"] == []
    for path in ("alone", "together", "swallow", "shards", "opening"):
        assert found["injected"][path] >= 4, found
        assert found["reported"][path] >= 4, found
