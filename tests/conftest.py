"""Fixtures of the whole suite: databases, stores, published vectors, and the closed network."""

import asyncio
import gc
import os
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest

import empty
import network
import postgres

VECTORS = "LEADLINE_VECTORS"
LONGEST = ("test_ordinary_user", "test_scale")  # beside the journeys: half a minute and more


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--soak` runs the long campaigns whole."""
    parser.addoption("--soak", action="store_true", help="run tests marked soak")


def pytest_configure(config: pytest.Config) -> None:
    """Close the network before anything is collected; a busy machine is no fault of a property."""
    gc.disable()  # until all is imported, hardly anything of which is garbage
    hypothesis.settings.register_profile("leadline", deadline=None)
    hypothesis.settings.load_profile("leadline")
    # In the background a shell has this one ignored, and whatever the tests start would ignore it too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.addaudithook(network.refuse_outside)
    config.option.loadscopereorder = False  # files are shared out in the order of `turn`


@pytest.hookimpl(optionalhook=True)  # there is no such hook where tests run in one process
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One more than cores: what starts browsers, boxes and servers waits for them a good part of its time."""
    del config
    return len(os.sched_getaffinity(0)) + 1


@pytest.hookimpl(trylast=True)  # after the shuffle
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The longest files first; without `--soak`, tests marked so are skipped and counted."""
    items.sort(key=turn(items))
    if not config.getoption("--soak"):
        long = pytest.mark.skip(reason="a long campaign: run with --soak")
        for item in items:
            if item.get_closest_marker("soak"):
                item.add_marker(long)


def pytest_collection_finish(session: pytest.Session) -> None:
    """What was imported for the whole run is no garbage, and is not searched for any."""
    del session
    gc.collect()
    gc.freeze()
    gc.enable()


def turn(items: list[pytest.Item]) -> Callable[[pytest.Item], tuple[int, int]]:
    """A sorting key: whole assessments, then what starts boxes, then the rest by tests of a file.

    Of files that several processes share out among them, none that takes a minute may be left to the end.
    """
    long = {item.path for item in items if item.get_closest_marker("sandbox")}
    browsed = {item.path for item in items if item.get_closest_marker("browser")}
    count = Counter(item.path for item in items)

    def key(item: pytest.Item) -> tuple[int, int]:
        if item.path in browsed or item.path.parent.name == "journeys" or item.path.stem in LONGEST:
            return 0, 0
        return (1 if item.path in long else 2), -count[item.path]

    return key


def absent(what: str) -> None:
    """Skip and count where a requirement is missing; in CI, where it must be there, fail."""
    if os.environ.get("CI"):  # noqa: TID251 -- the suite is an edge of its own
        pytest.fail(what, pytrace=False)
    pytest.skip(what)


@pytest.fixture(autouse=True)
def own_loops() -> Iterator[None]:
    """No test leaves asyncio patched.

    Inspect patches it for the whole process (nest_asyncio) when one of its functions is called in a thread whose
    loop runs, as the browser's driver makes the test's own; from then on `asyncio.run` leaves every loop unclosed,
    and tests long after that one fail of it.
    """
    before = hasattr(asyncio, "_nest_patched")
    yield
    assert hasattr(asyncio, "_nest_patched") == before, "call Inspect in a thread of its own"


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
    with postgres.Databases(programs) as made:
        yield made


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """A new empty file of SQLite, at the newest schema."""
    file = tmp_path / "leadline.db"
    file.write_bytes(empty.sqlite())
    return f"sqlite:///{file}"


@pytest.fixture
def postgres_url(databases: postgres.Databases) -> Iterator[str]:
    """A new empty PostgreSQL database, at the newest schema."""
    with databases.fresh(newest=True) as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest) -> str:
    """A new empty database of each kind in turn."""
    name = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    url: str = request.getfixturevalue(name)
    return url
