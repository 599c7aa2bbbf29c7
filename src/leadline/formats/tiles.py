"""The static layout of a log, C2SP tlog-tiles: paths, entry bundles, and a whole tree as files."""

import re
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from leadline.core.errors import Invalid
from leadline.core.record import tlog

ENTRY_BYTES_MAX = 0xFFFF
BUNDLE_BYTES_MAX = tlog.TILE_WIDTH * (2 + ENTRY_BYTES_MAX)
LEVEL_MAX = 63
ENTRIES = "entries"

_PATH = re.compile(r"tile/(entries|[0-9]{1,2})/((?:x[0-9]{3}/){0,5}[0-9]{3})(?:\.p/([0-9]{1,3}))?")


@dataclass(frozen=True, slots=True)
class Resource:
    """One file of the layout: a tile of *level*, or an entry bundle (*level* None)."""

    level: int | None
    index: int
    width: int = tlog.TILE_WIDTH

    @property
    def path(self) -> str:
        """Its path in the folder."""
        kind = ENTRIES if self.level is None else str(self.level)
        return tlog.tile_path(kind, self.index, self.width)


def parse_path(path: str) -> Resource:
    """The resource that *path* names.

    Raises: Invalid, if no tile or entry bundle has exactly this path.
    """
    match = _PATH.fullmatch(path)
    if match is None:
        raise Invalid("path", f"{path!r} is not the path of a tile or an entry bundle")
    kind, index, width = match.groups()
    resource = Resource(
        None if kind == ENTRIES else int(kind),
        int(index.replace("x", "").replace("/", "")),
        tlog.TILE_WIDTH if width is None else int(width),
    )
    whole = width is None or 0 < resource.width < tlog.TILE_WIDTH
    if resource.path != path or not whole or (resource.level or 0) > LEVEL_MAX:
        raise Invalid("path", f"{path!r} is not the path of a tile or an entry bundle")
    return resource


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """An entry bundle: each entry after its length in two bytes, big-endian.

    Raises: Invalid, for an entry above 65,535 bytes, or other than 1 to 256 of them.
    """
    if not 0 < len(entries) <= tlog.TILE_WIDTH:
        raise Invalid("entries", f"1 to 256 make a bundle, not {len(entries)}")
    for entry in entries:
        if len(entry) > ENTRY_BYTES_MAX:
            raise Invalid("entries", f"an entry has at most {ENTRY_BYTES_MAX} bytes")
    return b"".join(struct.pack(">H", len(entry)) + entry for entry in entries)


def decode_bundle(data: bytes) -> tuple[bytes, ...]:
    """The entries of a bundle.

    Raises: Invalid, if a length leads beyond the end.
    """
    entries, at = list[bytes](), 0
    while at < len(data):
        start = at + 2
        at = start + int.from_bytes(data[at:start], "big")
        if start > len(data) or at > len(data):
            raise Invalid("entry bundle", "it ends in the middle of an entry")
        entries.append(data[start:at])
    return tuple(entries)


def tree_files(entries: Iterable[bytes]) -> Iterator[tuple[str, bytes]]:
    """Every file under ``tile/`` of the log with these *entries*: paths and contents.

    Holds 256 entries and the right edge in memory.

    Raises: Invalid, for an entry above 65,535 bytes.
    """
    edge, rest = tlog.Edge(), iter(entries)
    while some := tuple(islice(rest, tlog.TILE_WIDTH)):
        index = edge.size // tlog.TILE_WIDTH
        yield Resource(None, index, len(some)).path, encode_bundle(some)
        growth = tlog.append(edge, map(tlog.leaf_hash, some))
        edge = growth.edge
        for tile, content in growth.tiles.items():
            if tile.width == tlog.TILE_WIDTH:
                yield tile.path, content
    for tile, content in tlog.edge_tiles(edge).items():
        yield tile.path, content
