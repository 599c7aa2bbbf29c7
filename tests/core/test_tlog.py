"""The Merkle log: growing, reading back, proving."""

from collections import Counter
from collections.abc import Callable, Sequence
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadline.core.errors import Invalid, Tampered
from leadline.core.record import tlog
from leadline.core.record.tlog import Edge, Tile

LEAVES = [tlog.leaf_hash(number.to_bytes(4, "big")) for number in range(1400)]
OTHER = sha256(b"another").digest()


class Tiles:
    """A tile store in memory, filled by appends in the given steps."""

    def __init__(self, size: int, steps: Sequence[int] = ()) -> None:
        self.edge, self.tiles = Edge(), dict[Tile, bytes]()
        for end in (*sorted(step for step in steps if step <= size), size):
            growth = tlog.append(self.edge, LEAVES[self.edge.size : end])
            self.edge = growth.edge
            self.tiles |= growth.tiles

    def read(self, tile: Tile) -> bytes:
        """The content of a tile that was really written."""
        return self.tiles[tile]


def naive_root(leaves: Sequence[bytes]) -> bytes:
    """RFC 6962 section 2.1, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    left, right = naive_root(leaves[:split]), naive_root(leaves[split:])
    return sha256(b"\x01" + left + right).digest()


sizes = st.one_of(st.integers(0, 300), st.integers(500, 530), st.integers(1000, 1400))


@given(size=sizes, steps=st.lists(st.integers(0, 1400), max_size=5))
@settings(deadline=None, max_examples=60)
def test_root_is_that_of_the_definition(size: int, steps: list[int]) -> None:
    """However the leaves arrive, the root is the recursive definition's."""
    tree = Tiles(size, steps)
    assert naive_root(LEAVES[:size]) == tlog.root(tree.edge)
    assert size == tree.edge.size


@given(size=sizes, steps=st.lists(st.integers(0, 1400), max_size=5))
@settings(deadline=None, max_examples=60)
def test_every_tile_of_the_tree_is_written(size: int, steps: list[int]) -> None:
    """After any appends, every tile of the tree was given out, and the edge reads back from them."""
    tree = Tiles(size, steps)
    assert set(tlog.tiles_of(size)) <= tree.tiles.keys()
    assert tree.edge == tlog.edge_at(size, tree.read)
    partial = {tile for tile in tlog.tiles_of(size) if tile.width < 256}
    assert {tile: tree.tiles[tile] for tile in partial} == tlog.edge_tiles(tree.edge)


def test_an_append_gives_out_what_it_changed_and_nothing_else() -> None:
    """One leaf more changes one partial tile of a tree with two; no leaf changes none."""
    edge = Tiles(300).edge
    assert {Tile(0, 1, 45)} == tlog.append(edge, LEAVES[300:301]).tiles.keys()
    assert tlog.Growth(edge, {}) == tlog.append(edge, [])


@given(data=st.data(), size=st.one_of(st.integers(1, 300), st.integers(1000, 1400)))
@settings(deadline=None, max_examples=80)
def test_inclusion_proofs_verify_and_hold_nothing_else(data: st.DataObject, size: int) -> None:
    """A proof made from tiles verifies for its leaf, and for no other leaf, index, size or root."""
    index = data.draw(st.integers(0, size - 1))
    tree = Tiles(size)
    proof = tlog.inclusion_proof(index, size, tree.read)
    root = tlog.root(tree.edge)
    tlog.verify_inclusion(index, size, LEAVES[index], proof, root)
    for broken in (
        (index, size, OTHER, proof, root),
        (index, size, LEAVES[index], proof, OTHER),
        (index, size, LEAVES[index], (*proof, OTHER), root),
        (size, size, LEAVES[index], proof, root),
        (-1, size, LEAVES[index], proof, root),
        (index, size, LEAVES[index][:31], proof, root),
        (index, size, LEAVES[index], proof, root[:31]),
    ):
        with pytest.raises((Invalid, Tampered)):
            tlog.verify_inclusion(*broken)
    if proof:
        at = data.draw(st.integers(0, len(proof) - 1))
        for hashes in (proof[:at] + proof[at + 1 :], (*proof[:at], OTHER, *proof[at + 1 :])):
            with pytest.raises((Invalid, Tampered)):
                tlog.verify_inclusion(index, size, LEAVES[index], hashes, root)


@given(data=st.data(), new=st.one_of(st.integers(1, 300), st.integers(1000, 1400)))
@settings(deadline=None, max_examples=80)
def test_consistency_proofs_verify_and_hold_nothing_else(data: st.DataObject, new: int) -> None:
    """A proof made from tiles verifies for its two trees, and for no other root or length."""
    old = data.draw(st.integers(1, new))
    tree = Tiles(new)
    proof = tlog.consistency_proof(old, new, tree.read)
    first, second = naive_root(LEAVES[:old]), tlog.root(tree.edge)
    tlog.verify_consistency(old, new, proof, first, second)
    for broken in (
        (old, new, proof, OTHER, second),
        (old, new, proof, first, OTHER),
        (old, new, (*proof, OTHER), first, second),
        (old, new, proof, first[:31], second),
        (old, new, proof, first, second + b"\0"),
        (new + 1, new, proof, first, second),
    ):
        with pytest.raises((Invalid, Tampered)):
            tlog.verify_consistency(*broken)
    for at in range(len(proof)):
        with pytest.raises((Invalid, Tampered)):
            tlog.verify_consistency(old, new, (*proof[:at], OTHER, *proof[at + 1 :]), first, second)


def test_a_changed_leaf_is_not_consistent() -> None:
    """A log that rewrote a leaf cannot show its new tree to continue the old one."""
    old, new = Tiles(200), Tiles(300)
    rewritten = tlog.append(Edge(), [*LEAVES[:100], OTHER, *LEAVES[101:300]])
    proof = tlog.consistency_proof(200, 300, lambda tile: rewritten.tiles[tile])
    with pytest.raises(Tampered):
        tlog.verify_consistency(200, 300, proof, tlog.root(old.edge), tlog.root(rewritten.edge))
    assert tlog.root(new.edge) != tlog.root(rewritten.edge)


def test_nothing_is_shown_about_nothing() -> None:
    """Size 0: the empty proof is made, and the generic verifier refuses it."""
    assert tlog.consistency_proof(0, 5, Tiles(5).read) == ()
    assert tlog.consistency_proof(5, 5, Tiles(5).read) == ()
    with pytest.raises(Invalid, match="rise from 1"):
        tlog.verify_consistency(0, 5, (), tlog.EMPTY_ROOT, naive_root(LEAVES[:5]))
    with pytest.raises(Tampered, match="two different roots"):
        tlog.verify_consistency(5, 5, (), OTHER, naive_root(LEAVES[:5]))


@pytest.mark.parametrize(
    ("size", "tiles"),
    [
        (0, []),
        (1, [Tile(0, 0, 1)]),
        (256, [Tile(0, 0), Tile(1, 0, 1)]),
        (257, [Tile(0, 0), Tile(0, 1, 1), Tile(1, 0, 1)]),
    ],
)
def test_tiles_of_small_trees(size: int, tiles: list[Tile]) -> None:
    """The tiles of a tree are those that C2SP tlog-tiles names; 256 leaves leave no partial one."""
    assert tiles == list(tlog.tiles_of(size))


def test_tiles_of_seventy_thousand_leaves() -> None:
    """273 full and a partial of 112; above them 1 full and a partial of 17; above that one of 1."""
    tiles = list(tlog.tiles_of(70_000))
    full = Counter(tile.level for tile in tiles if tile.width == tlog.TILE_WIDTH)
    assert dict(full) == {0: 273, 1: 1}
    partial = [tile for tile in tiles if tile.width < tlog.TILE_WIDTH]
    assert partial == [Tile(0, 273, 112), Tile(1, 1, 17), Tile(2, 0, 1)]


@pytest.mark.parametrize("size", [256, 512, 768, 1024, 1280])
def test_no_partial_tile_after_full_ones(size: int) -> None:
    """A multiple of 256 leaves leaves the lowest level of the edge empty."""
    tree = Tiles(size)
    assert tree.edge.levels[0] == b""
    assert {Tile(1, 0, size // 256)} == tlog.edge_tiles(tree.edge).keys()
    assert naive_root(LEAVES[:size]) == tlog.root(tree.edge)


def test_tiles_of_the_published_example() -> None:
    """A tree of 70,000 leaves has the tiles that C2SP tlog-tiles counts."""
    tiles = list(tlog.tiles_of(70_000))
    assert sum(tile.level == 0 and tile.width == 256 for tile in tiles) == 273
    assert [Tile(0, 273, 112), Tile(1, 0), Tile(1, 1, 17), Tile(2, 0, 1)] == tiles[273:]


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 0), "tile/0/000"),
        (Tile(1, 999, 7), "tile/1/999.p/7"),
        (Tile(0, 1000), "tile/0/x001/000"),
        (Tile(2, 1234067), "tile/2/x001/x234/067"),
    ],
)
def test_tile_paths(tile: Tile, path: str) -> None:
    """Paths have three digits an element, as C2SP tlog-tiles shows with 1234067."""
    assert path == tile.path


@pytest.mark.parametrize(
    "call",
    [
        lambda read: tlog.inclusion_proof(5, 5, read),
        lambda read: tlog.inclusion_proof(0, 1 << 63, read),
        lambda read: tlog.consistency_proof(6, 5, read),
        lambda read: tlog.consistency_proof(-1, 5, read),
        lambda read: tlog.edge_at(-1, read),
        lambda read: tlog.append(Edge(), [b"short"]),
    ],
)
def test_impossible_sizes_are_refused(call: Callable[[tlog.ReadTile], object]) -> None:
    """What no tree has is refused before a tile is read."""
    with pytest.raises(Invalid):
        call(Tiles(0).read)


def test_a_short_tile_is_named() -> None:
    """A tile of another length than it must have is named by its path."""
    with pytest.raises(Tampered) as caught:
        tlog.inclusion_proof(3, 300, lambda tile: bytes(32 * tile.width - 1))
    assert caught.value.place.startswith("tile/0/00")


def test_a_proof_longer_than_any_tree_is_refused() -> None:
    """More hashes than the sizes need are refused by their number."""
    with pytest.raises(Invalid, match="64 hashes"):
        tlog.verify_inclusion(0, 1 << 62, OTHER, [OTHER] * 64, OTHER)
