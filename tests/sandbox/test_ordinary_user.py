"""Everything that holds for boxes started by root holds for boxes started by anyone."""

import os

import pytest

from sandbox import unprivileged

pytestmark = pytest.mark.sandbox
MODULES = ("test_box", "test_box_abuse", "test_egress", "test_drill", "test_own_kernel")


def test_it_holds_for_an_ordinary_user() -> None:
    """The modules' tests pass again in a process that has given up root."""
    if os.geteuid() != 0:
        pytest.skip("already an ordinary user: the modules themselves cover it")
    options = ["-q", "-p", "no:randomly", "-p", "no:xdist", "-p", "no:cov", "--timeout=200"]
    files = [f"tests/sandbox/{module}.py" for module in MODULES]
    done = unprivileged.python(["-m", "pytest", *options, *files], ordinary=True, seconds=400)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert " passed" in done.stdout
