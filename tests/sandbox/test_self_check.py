"""Inspect's own self-check, in both modes."""

import json
import os

import pytest

from sandbox import unprivileged

SCRIPT = "tests/sandbox/run_self_check.py"
pytestmark = pytest.mark.sandbox


@pytest.mark.parametrize("ordinary", [False, True], ids=["own", "ordinary"])
def test_only_other_users_are_refused(*, ordinary: bool) -> None:
    """43 of Inspect's 44 checks hold; the one exception is running as another user."""
    if ordinary and os.geteuid() != 0:
        pytest.skip("already an ordinary user: the other run covers it")
    done = unprivileged.python([SCRIPT], ordinary=ordinary, seconds=200)
    assert done.returncode == 0, done.stderr
    verdicts = json.loads(done.stdout)
    failed = {name: words for name, words in verdicts.items() if words}
    assert len(verdicts) == 44
    assert set(failed) == {"test_exec_as_user"}, failed
    assert "SandboxUserUnsupportedError" in failed["test_exec_as_user"]
