"""One undisturbed assessment, shared by every journey."""

import os
import shutil
from pathlib import Path

import pytest

from journeys import assessments
from once import once

ALONE = 'ip link set lo up && ip -o link > "$0" && exec "$@"'


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """OUT of an assessment that nobody disturbed. Tests copy what they change.

    Processes that share the tests out among them make it once: each has a copy of its own.
    """
    shared = once(tmp_path_factory, "assessed", assessed)
    own = tmp_path_factory.getbasetemp() / "undisturbed"
    return shutil.copytree(shared, own, symlinks=True) / "out"


def assessed(home: Path) -> None:
    """Assess into *home*, which also keeps what the command printed.

    Where this user may, in a network of nothing but loopback, by which `NETWORK` names its interfaces.
    """
    argv = assessments.command(home / "out", "--json")
    if os.geteuid() == 0:
        argv = ["unshare", "--net", "sh", "-c", ALONE, str(home / assessments.NETWORK), *argv]
    done = assessments.run(argv, home)
    assert done.returncode == 0, done.stderr[-3000:]
    (home / "stderr").write_text(done.stderr)
    (home / "stdout").write_text(done.stdout)
