"""Fixtures of the whole suite: databases, stores, published vectors, and the closed network."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

import network
import postgres

VECTORS = "LEADLINE_VECTORS"


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--soak` runs the long campaigns whole."""
    parser.addoption("--soak", action="store_true", help="run tests marked soak")


def pytest_configure(config: pytest.Config) -> None:
    """Close the network before anything is collected; a busy machine is no fault of a property."""
    hypothesis.settings.register_profile("leadline", deadline=None)
    hypothesis.settings.load_profile("leadline")
    # In the background a shell has this one ignored, and whatever the tests start would ignore it too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.addaudithook(network.refuse_outside)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without `--soak`, tests marked so are skipped and counted."""
    if not config.getoption("--soak"):
        long = pytest.mark.skip(reason="a long campaign: run with --soak")
        for item in items:
            if item.get_closest_marker("soak"):
                item.add_marker(long)


def absent(what: str) -> None:
    """Skip and count where a requirement is missing; in CI, where it must be there, fail."""
    if os.environ.get("CI"):  # noqa: TID251 -- the suite is an edge of its own
        pytest.fail(what, pytrace=False)
    pytest.skip(what)


@pytest.fixture(scope="session")
def vectors() -> Path:
    """The folder of published vectors."""
    folder = os.environ.get(VECTORS)  # noqa: TID251 -- the suite is an edge of its own
    if folder is None:
        absent(f"{VECTORS} is not set: it names the folder of published vectors")
    path = Path(folder or "")
    if not path.is_dir():
        absent(f"{VECTORS} names {path}, which is no folder")
    return path


@pytest.fixture(scope="session")
def databases() -> Iterator[postgres.Databases]:
    """One PostgreSQL server for the session."""
    programs = postgres.binaries()
    if programs is None:
        absent("no PostgreSQL server below /usr/lib/postgresql: install postgresql")
    assert programs is not None
    with postgres.running(programs) as server:
        yield postgres.Databases(server)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """A database file that does not exist yet."""
    return f"sqlite:///{tmp_path / 'leadline.db'}"


@pytest.fixture
def postgres_url(databases: postgres.Databases) -> Iterator[str]:
    """A new empty PostgreSQL database."""
    with databases.fresh() as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest) -> str:
    """A new empty database of each kind in turn."""
    name = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    url: str = request.getfixturevalue(name)
    return url
