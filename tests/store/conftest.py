"""Fixtures of the campaigns against the write path."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from conftest import absent
from postgres import Databases
from store import disks
from store.campaigns import Writers


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """A database file that does not exist yet: how one comes about is tried here."""
    return f"sqlite:///{tmp_path / 'leadline.db'}"


@pytest.fixture
def postgres_url(databases: Databases) -> Iterator[str]:
    """A new PostgreSQL database without any schema."""
    with databases.fresh() as url:
        yield url


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
