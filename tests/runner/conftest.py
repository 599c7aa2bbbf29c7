"""Items built once for the session."""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from leadline.suites.planted import SUITE
from once import once
from runner.scripted import SEED, Bench

COUNT = 3


@pytest.fixture
def collected() -> Iterator[None]:
    """What Inspect leaves to the garbage collector is collected here, not in another's test."""
    yield
    gc.collect()


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> tuple[tuple[str, ...], Path]:
    """The easiest items of one seed, built and checked."""
    items = SUITE.items(SEED)[:COUNT]

    def build(folders: Path) -> None:
        for item in items:
            checked = SUITE.prepare(item, SEED, folders / item.id)
            assert checked.ok, checked.reason

    return tuple(item.id for item in items), once(tmp_path_factory, "runner-items", build)


@pytest.fixture
def bench(prepared: tuple[tuple[str, ...], Path], tmp_path: Path) -> Bench:
    """The prepared items with an empty folder for logs."""
    items, folders = prepared
    return Bench(items, folders, tmp_path / "logs")
