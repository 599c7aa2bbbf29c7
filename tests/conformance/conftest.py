"""Every implementation of every port, fakes first; a new one is added to a list here."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

import fake_access
import fakes
import make
from conformance.sightings import KINDS
from leadline.access import cedar
from leadline.app.ports import Access, Executor, Purse, Signer, Store
from leadline.store.purse import open_purse
from leadline.store.shards import open_executor
from leadline.store.sql import open_store
from leadline.vault.keys import open_signer

POSTGRESQL = pytest.param("postgresql", marks=pytest.mark.postgres)


@pytest.fixture(params=["memory", "sqlite", POSTGRESQL])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """An empty store of each kind."""
    if request.param == "memory":
        yield fakes.MemoryStore(make.blinders(), KINDS)
        return
    name = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    url = request.getfixturevalue(name)
    with closing(open_store(url, blinder=make.blinders(), kinds=KINDS)) as opened:
        yield opened


@pytest.fixture(params=["memory", "sqlite", POSTGRESQL])
def executor(request: pytest.FixtureRequest) -> Iterator[Executor]:
    """An empty shard table of each kind."""
    if request.param == "memory":
        yield fakes.MemoryExecutor()
        return
    name = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    with closing(open_executor(request.getfixturevalue(name))) as opened:
        yield opened


@pytest.fixture(params=["memory", "sqlite", POSTGRESQL])
def purse(request: pytest.FixtureRequest) -> Iterator[tuple[Executor, Purse]]:
    """An empty shard table of each kind, and the budgets beside it."""
    if request.param == "memory":
        executor = fakes.MemoryExecutor()
        yield executor, fakes.MemoryPurse(executor)
        return
    name = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    url = request.getfixturevalue(name)
    with closing(open_executor(url)) as opened, closing(open_purse(url)) as beside:
        yield opened, beside


@pytest.fixture(params=["plain", "cedar"])
def access(request: pytest.FixtureRequest) -> Access:
    """The shipped rules, in Cedar and in plain Python."""
    shipped = cedar.shipped()
    return fake_access.PlainAccess(shipped.roles) if request.param == "plain" else shipped


@pytest.fixture(params=["memory", "files"])
def signer(request: pytest.FixtureRequest, tmp_path: Path) -> Signer:
    """A signer of each kind, under the same name."""
    name = "demonstration.example/log"
    if request.param == "memory":
        return fakes.MemorySigner(name)
    return open_signer(tmp_path / "signer.json", name)
