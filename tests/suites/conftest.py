"""Planted items built once for the session, and a clean end for every eval."""

import gc
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from leadline.suites.item import Item
from leadline.suites.planted import SUITE
from leadline.suites.planted.program import Program
from once import once

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
    """One item of every memory class, at every level once."""
    items = [SUITE.items(SEED)[level * 10 + level] for level in range(6)]
    return made(tmp_path_factory, "planted-classes", items)


@pytest.fixture(scope="session")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> tuple[Built, ...]:
    """One item of every class in Python, at levels 0 and 1."""
    items = [item for item in SUITE.items(SEED)[:20] if item.oracle.kind == "canary"]
    return made(tmp_path_factory, "planted-scripts", items)


def made(temporary: pytest.TempPathFactory, name: str, items: Sequence[Item]) -> tuple[Built, ...]:
    """*items* of the session's seed, each built and found to hold once in a run of the tests."""

    def build(root: Path) -> None:
        for item in items:
            checked = SUITE.prepare(item, SEED, root / item.id)
            assert checked.ok, checked.reason

    root = once(temporary, name, build)
    return tuple(Built(item, SUITE.program(item, SEED), root / item.id) for item in items)
