"""Private networks need no root: an ordinary user gets the same ones in a user namespace."""

import os

import pytest

from sandbox import unprivileged

pytestmark = pytest.mark.sandbox


def test_it_holds_for_an_ordinary_user() -> None:
    """The tests of standing networks pass again in a process that has given up root."""
    if os.geteuid() != 0:
        pytest.skip("already an ordinary user: the module itself covers it")
    options = ["-q", "-p", "no:randomly", "-p", "no:xdist", "-p", "no:cov", "--timeout=100"]
    script = ["-m", "pytest", *options, "tests/sandbox/test_network_boxes.py"]
    done = unprivileged.python(script, ordinary=True, seconds=150)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert " passed" in done.stdout
