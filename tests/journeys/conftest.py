"""One undisturbed assessment, shared by every journey."""

from pathlib import Path

import pytest

from journeys import assessments


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """OUT of an assessment that nobody disturbed. Tests copy what they change."""
    home = tmp_path_factory.mktemp("undisturbed")
    done = assessments.run(assessments.command(home / "out", "--json"), home)
    assert done.returncode == 0, done.stderr[-3000:]
    (home / "stdout").write_text(done.stdout)
    (home / "stderr").write_text(done.stderr)
    return home / "out"
