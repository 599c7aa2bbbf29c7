"""Fixtures of the campaigns against the write path."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from conftest import absent
from store import disks
from store.campaigns import Writers


@pytest.fixture(scope="module")
def writers() -> Iterator[Writers]:
    """One program for all rounds."""
    with closing(Writers()) as program:
        yield program


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The failing disk, compiled."""
    built = disks.build(tmp_path_factory.mktemp("disk"))
    if built is None:
        absent("no C compiler, or no SQLite headers: install clang and libsqlite3-dev")
    return str(built)
