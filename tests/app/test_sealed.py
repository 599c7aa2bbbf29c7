"""Sealed packs, from sealing to reveal."""

from collections.abc import Iterator
from contextlib import closing

import pytest

import sealed_world as sw
from leadline.app import sealed
from leadline.core.record.act import Kind
from leadline.store.sql import open_store
from leadline.wiring.home import KINDS
from sealed_world import Measure, World


@pytest.fixture
def world(sqlite_url: str) -> Iterator[World]:
    """An installation over SQLite."""
    with closing(open_store(sqlite_url, kinds=KINDS)) as store:
        yield World(store)


def test_a_sealed_pack_is_run_released_and_revealed(world: World) -> None:
    """Each step leaves its act in order, and what comes out is a band."""
    pack = world.pack(6)
    measure = Measure(3)
    session, told = world.ran(pack, measure)
    released = sealed.release_score(world.ctx("lead"), session.id, sw.limits())
    reveal = sealed.reveal(world.ctx("lead"), session.id)
    assert len(measure.shown) == 6
    assert (reveal.low, reveal.high) == (released.score.low, released.score.high)
    kinds = [
        Kind.PACK_SEALED,
        Kind.PACK_COMMITTED,
        Kind.UNSEALING_AUTHORISED,
        Kind.PACK_UNSEALED,
        Kind.SCORE_RELEASED,
        Kind.PACK_REVEALED,
    ]
    assert [len(world.acts(kind)) for kind in kinds] == [1] * 6
    assert len(world.acts(Kind.ITEM_EXPOSED)) == 6
    assert b"NO HARDWARE PROTECTION" in told.text
