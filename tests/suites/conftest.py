"""Planted items built once for the session, and a clean end for every eval."""

import gc
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from leadline.suites.item import Item
from leadline.suites.planted import SUITE
from leadline.suites.planted.program import Program

SEED = bytes(range(1, 33))


@dataclass(frozen=True)
class Built:
    """A planted item with its program and its finished folder."""

    item: Item
    program: Program
    folder: Path


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """What Inspect leaves to the garbage collector is collected here, not in another's test."""
    yield
    gc.collect()


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Built, ...]:
    """One item of every bug class, at every level once."""
    root = tmp_path_factory.mktemp("planted")
    items = SUITE.items(SEED)
    families = len({item.family for item in items})
    chosen = [items[level * families + level] for level in range(families)]
    made = []
    for item in chosen:
        checked = SUITE.prepare(item, SEED, root / item.id)
        assert checked.ok, checked.reason
        made.append(Built(item, SUITE.program(item, SEED), root / item.id))
    return tuple(made)
