"""The static layout: paths, entry bundles, and whole trees as files."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadline.core.errors import Invalid
from leadline.core.record import tlog
from leadline.formats import tiles
from leadline.formats.tiles import Resource
from refusal import answer


@given(
    level=st.one_of(st.none(), st.integers(0, 63)),
    index=st.integers(0, 10**18 - 1),
    width=st.integers(1, 256),
)
def test_every_path_reads_back(level: int | None, index: int, width: int) -> None:
    """A resource is found again from its path."""
    resource = Resource(level, index, width)
    assert resource == tiles.parse_path(resource.path)


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/0",
        "tile/00/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/data/000",
        "tile/0/x000/001",
        "tile/0/001/002",
        "tile/0/x001",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p",
        "tile/0/000/",
        "/tile/0/000",
        "tile/0/\u0660\u0660\u0660",
        "tile/0/000\n",
    ],
)
def test_other_paths_are_refused(path: str) -> None:
    """A second spelling of a path is refused, so that no file can hide behind one."""
    with pytest.raises(Invalid, match="not the path"):
        tiles.parse_path(path)


@given(entries=st.lists(st.binary(max_size=300), min_size=1, max_size=256))
def test_every_bundle_reads_back(entries: list[bytes]) -> None:
    """Entries of any lengths come back in their order."""
    assert tuple(entries) == tiles.decode_bundle(tiles.encode_bundle(entries))


@given(data=st.binary(max_size=60))
def test_any_bytes_are_a_bundle_to_the_byte_or_invalid(data: bytes) -> None:
    """Whatever decodes encodes to the same bytes."""
    entries = answer(tiles.decode_bundle, data)
    assert isinstance(entries, Invalid) or not entries or data == tiles.encode_bundle(entries)


def test_bundles_have_bounds() -> None:
    """A bundle holds 1 to 256 entries of at most 65,535 bytes, and ends with one."""
    assert tiles.decode_bundle(tiles.encode_bundle([b"x" * 65_535])) == (b"x" * 65_535,)
    for entries in ([], [b""] * 257):
        with pytest.raises(Invalid, match="1 to 256"):
            tiles.encode_bundle(entries)
    with pytest.raises(Invalid, match="65535"):
        tiles.encode_bundle([b"x" * 65_536])
    for cut in (b"\0", b"\0\2x"):
        with pytest.raises(Invalid, match="in the middle"):
            tiles.decode_bundle(cut)


@given(size=st.one_of(st.integers(0, 10), st.integers(250, 260), st.integers(510, 520)))
@settings(deadline=None, max_examples=25)
def test_a_tree_is_laid_out_as_its_tiles(size: int) -> None:
    """Every tile and entry bundle of a tree appears once, with the hashes of the definition."""
    entries = [number.to_bytes(3, "big") for number in range(size)]
    listed = list(tiles.tree_files(entries))
    laid_out = dict(listed)
    assert len(listed) == len(laid_out)
    bundles = [path for path in laid_out if path.startswith("tile/entries/")]
    stored = [entry for path in sorted(bundles) for entry in tiles.decode_bundle(laid_out[path])]
    assert entries == stored
    due = {tile.path for tile in tlog.tiles_of(size)}
    assert due == laid_out.keys() - set(bundles)
    edge = tlog.edge_at(size, lambda tile: laid_out[tile.path])
    assert tlog.append(tlog.Edge(), map(tlog.leaf_hash, entries)).edge == edge
