"""The Merkle log: RFC 6962 hashing over the tiles of C2SP tlog-tiles, as values.

Upheld here: a leaf is never read as a node; an append changes only the right edge; a proof is checked
for its shape before anything is hashed; a tree read from tiles answers with exactly the hashes that
those tiles hold. Left to others: durability, signatures, and where a tile comes from.

Sources: RFC 6962 section 2.1; C2SP tlog-tiles; RFC 9162 section 2.1 (proof verification).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from leadline.core.errors import Invalid, Tampered

HASH_BYTES = 32
TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT
PROOF_HASHES_MAX = 63
THOUSAND = 1000  # a path element holds three decimal digits
SIZE_MAX = (1 << 63) - 1
EMPTY_ROOT = sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    """The RFC 6962 hash of one log entry."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The RFC 6962 hash of two neighbouring subtrees."""
    return sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True, order=True)
class Tile:
    """Coordinates of up to 256 neighbouring hashes; *width* 256 is a full tile.

    Hash *i* of the tile is the root of the leaves from ``(index * 256 + i) * 256**level`` on.
    """

    level: int
    index: int
    width: int = TILE_WIDTH

    @property
    def path(self) -> str:
        """Where a C2SP tile folder keeps it: ``tile/0/x001/x234/067`` or ``tile/0/000.p/5``."""
        return tile_path(str(self.level), self.index, self.width)


def tile_path(kind: str, index: int, width: int = TILE_WIDTH) -> str:
    """The path of a tile (*kind* is its level) or of an entry bundle (*kind* is ``entries``)."""
    elements = [f"{index % THOUSAND:03d}"]
    while index >= THOUSAND:
        index //= THOUSAND
        elements.append(f"x{index % THOUSAND:03d}")
    partial = "" if width == TILE_WIDTH else f".p/{width}"
    return f"tile/{kind}/{'/'.join(reversed(elements))}{partial}"


def tiles_of(size: int) -> Iterable[Tile]:
    """Every tile a tree of *size* leaves consists of, level by level, the partial one last."""
    level, hashes = 0, size
    while hashes:
        full, rest = divmod(hashes, TILE_WIDTH)
        yield from (Tile(level, index) for index in range(full))
        if rest:
            yield Tile(level, full, rest)
        level, hashes = level + 1, full


@dataclass(frozen=True, slots=True)
class Edge:
    """The right edge of a tree: all that is needed to append to it and to know its root.

    ``levels[l]`` holds the hashes of the partial tile at level *l*, possibly none.
    """

    size: int = 0
    levels: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Growth:
    """What an append brings: the new edge, and the content of every tile that it changed.

    A partial tile appears only in its last state; earlier widths are implied by it.
    """

    edge: Edge
    tiles: Mapping[Tile, bytes]


ReadTile = Callable[[Tile], bytes]
"""Answers the ``tile.width`` first hashes of a tile; a full tile may stand in for a partial one."""


def append(edge: Edge, leaves: Iterable[bytes]) -> Growth:
    """The tree after appending *leaves*, which are leaf hashes, in order.

    Raises: Invalid, if a leaf hash is not 32 bytes long.
    """
    levels = [bytearray(level) for level in edge.levels]
    size, full = edge.size, dict[Tile, bytes]()
    dirty = set[int]()
    for leaf in leaves:
        carry: bytes = _hash("leaf", leaf)
        size += 1
        level = 0
        while True:
            if level == len(levels):
                levels.append(bytearray())
            levels[level] += carry
            dirty.add(level)
            if len(levels[level]) < TILE_WIDTH * HASH_BYTES:
                break
            content = bytes(levels[level])
            full[Tile(level, (size - 1) >> (TILE_HEIGHT * (level + 1)))] = content
            carry = _fold(content)
            levels[level].clear()
            level += 1
    grown = Edge(size, tuple(bytes(level) for level in levels))
    changed = {tile: grown.levels[tile.level] for tile in _partials(grown) if tile.level in dirty}
    return Growth(grown, full | changed)


def _partials(edge: Edge) -> Iterable[Tile]:
    for level, content in enumerate(edge.levels):
        if content:
            index = edge.size >> (TILE_HEIGHT * (level + 1))
            yield Tile(level, index, len(content) // HASH_BYTES)


def edge_tiles(edge: Edge) -> Mapping[Tile, bytes]:
    """The partial tiles at the right edge and their content."""
    return {tile: edge.levels[tile.level] for tile in _partials(edge)}


def root(edge: Edge) -> bytes:
    """The root hash of the whole tree; of the empty tree, SHA-256 of nothing."""
    answer = b""
    for content in edge.levels:
        for subtree in reversed(_perfect_parts(content)):
            answer = node_hash(subtree, answer) if answer else subtree
    return answer or EMPTY_ROOT


def _perfect_parts(content: bytes) -> list[bytes]:
    """Roots of the perfect subtrees that a partial tile splits into, largest first."""
    parts, width = list[bytes](), len(content) // HASH_BYTES
    start = 0
    for power in reversed(range(TILE_HEIGHT)):
        if width >> power & 1:
            end = start + (HASH_BYTES << power)
            parts.append(_fold(content[start:end]))
            start = end
    return parts


def edge_at(size: int, read_tile: ReadTile) -> Edge:
    """The right edge of a tree of *size* leaves, read back from its tiles.

    Raises: Invalid, if *size* is negative; Tampered, if a tile has another length than it must.
    """
    levels = list[bytes]()
    hashes = _size("size", size)
    while hashes:
        full, rest = divmod(hashes, TILE_WIDTH)
        levels.append(_read(read_tile, Tile(len(levels), full, rest)) if rest else b"")
        hashes = full
    return Edge(size, tuple(levels))


def inclusion_proof(index: int, size: int, read_tile: ReadTile) -> tuple[bytes, ...]:
    """The hashes that lead from leaf *index* to the root of the tree of *size* leaves.

    Raises: Invalid, if there is no such leaf; Tampered, if a tile has another length than it must.
    """
    if not 0 <= index < _size("size", size):
        raise Invalid("index", f"leaf {index} is not in a tree of {size}; give 0 to size - 1")
    tree = _Tree(size, read_tile)
    first, end, proof = 0, size, list[bytes]()
    while end - first > 1:
        split = first + _split(end - first)
        if index < split:
            proof.append(tree.range_root(split, end))
            end = split
        else:
            proof.append(tree.range_root(first, split))
            first = split
    return tuple(reversed(proof))


def consistency_proof(old: int, new: int, read_tile: ReadTile) -> tuple[bytes, ...]:
    """The hashes that show the tree of *old* leaves to be a prefix of the tree of *new*.

    Empty for equal sizes and for *old* 0, where there is nothing to show.

    Raises: Invalid, if the sizes go down; Tampered, if a tile has another length than it must.
    """
    if not 0 <= old <= _size("new", new):
        raise Invalid("old", f"a tree of {new} has no prefix of {old} leaves; give 0 to {new}")
    if old in (0, new):
        return ()
    tree = _Tree(new, read_tile)
    first, end, proof = 0, new, list[bytes]()
    while old != end:
        split = first + _split(end - first)
        if old <= split:
            proof.append(tree.range_root(split, end))
            end = split
        else:
            proof.append(tree.range_root(first, split))
            first = split
    # Where the old tree is one perfect subtree, the verifier starts from its root, which it has.
    if first:
        proof.append(tree.range_root(first, end))
    return tuple(reversed(proof))


def verify_inclusion(
    index: int, size: int, leaf: bytes, proof: Sequence[bytes], root_hash: bytes
) -> None:
    """Return if *proof* shows the leaf hash *leaf* at *index* of the tree with *root_hash*.

    Raises: Invalid, if sizes or hashes cannot belong together; Tampered, if the proof does not
    lead to the root.
    """
    if not 0 <= index < _size("size", size):
        raise Invalid("index", f"leaf {index} is not in a tree of {size}")
    _hash("leaf", leaf)
    _hash("root", root_hash)
    inner, outer = _path_lengths(index, size)
    _proof_shape(proof, inner + outer)
    if _climb(leaf, index, proof, inner) != root_hash:
        raise Tampered("inclusion proof", f"leaf {index} does not lead to the root of size {size}")


def verify_consistency(
    old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes
) -> None:
    """Return if *proof* shows the tree of *old* leaves to be a prefix of the tree of *new*.

    An *old* of 0 is refused: everything begins with nothing, so that such a proof says nothing. A
    witness treats its first checkpoint apart.

    Raises: Invalid, if sizes or hashes cannot belong together; Tampered, if the proof does not
    lead to both roots.
    """
    if not 1 <= old <= _size("new", new):
        raise Invalid("old", f"sizes must rise from 1 on, not from {old} to {new}")
    if old == new:
        # Nothing is hashed here, so that equality is all there is to check about the roots.
        _proof_shape(proof, 0)
        if old_root != new_root:
            raise Tampered("consistency proof", f"two different roots for size {new}")
        return
    _hash("old root", old_root)
    _hash("new root", new_root)
    # The walk starts at the largest perfect subtree that ends where the old tree ends.
    height = (old & -old).bit_length() - 1
    inner, outer = _path_lengths(old - 1, new)
    inner -= height
    perfect = old == 1 << height
    _proof_shape(proof, inner + outer + (0 if perfect else 1))
    seed, path = (old_root, proof) if perfect else (proof[0], proof[1:])
    position = (old - 1) >> height
    lefts = [h for i, h in enumerate(path) if i >= inner or position >> i & 1]
    if _climb(seed, -1, lefts, 0) != old_root:
        raise Tampered("consistency proof", f"does not lead to the root of size {old}")
    if _climb(seed, position, path, inner) != new_root:
        raise Tampered("consistency proof", f"does not lead to the root of size {new}")


def _path_lengths(index: int, size: int) -> tuple[int, int]:
    """How many proof hashes lie below the right edge, and how many are left siblings along it."""
    inner = (index ^ (size - 1)).bit_length()
    return inner, (index >> inner).bit_count()


def _climb(seed: bytes, index: int, path: Sequence[bytes], inner: int) -> bytes:
    """Hash from *seed* upwards; after the first *inner* steps every sibling stands to the left."""
    answer = seed
    for step, sibling in enumerate(path):
        if step >= inner or index >> step & 1:
            answer = node_hash(sibling, answer)
        else:
            answer = node_hash(answer, sibling)
    return answer


def _proof_shape(proof: Sequence[bytes], wanted: int) -> None:
    if len(proof) != wanted or wanted > PROOF_HASHES_MAX:
        raise Invalid("proof", f"{len(proof)} hashes, where these sizes need {wanted}")
    for hash_ in proof:
        _hash("proof", hash_)


def _hash(field: str, value: bytes) -> bytes:
    if len(value) != HASH_BYTES:
        raise Invalid(field, f"a hash is {HASH_BYTES} bytes, not {len(value)}")
    return value


def _size(field: str, value: int) -> int:
    if not 0 <= value <= SIZE_MAX:
        raise Invalid(field, f"a tree has 0 to 2^63 - 1 leaves, not {value}")
    return value


def _split(leaves: int) -> int:
    """The largest power of two below *leaves* (at least 2): where RFC 6962 splits a tree."""
    return 1 << ((leaves - 1).bit_length() - 1)


def _fold(content: bytes) -> bytes:
    """The root of a perfect subtree over the hashes in *content*."""
    hashes = [content[at : at + HASH_BYTES] for at in range(0, len(content), HASH_BYTES)]
    while len(hashes) > 1:
        pairs = zip(hashes[::2], hashes[1::2], strict=True)
        hashes = [node_hash(left, right) for left, right in pairs]
    return hashes[0]


def _read(read_tile: ReadTile, tile: Tile) -> bytes:
    content = read_tile(tile)
    if len(content) != tile.width * HASH_BYTES:
        wanted = tile.width * HASH_BYTES
        raise Tampered(tile.path, f"a tile of {wanted} bytes was due, not of {len(content)}")
    return content


class _Tree:
    """A tree of *size* leaves behind its tiles; each tile is read at most once."""

    def __init__(self, size: int, read_tile: ReadTile) -> None:
        self._size, self._read_tile = size, read_tile
        self._tiles = dict[Tile, bytes]()

    def range_root(self, first: int, end: int) -> bytes:
        """The root of the leaves from *first* to *end*.

        *first* is a multiple of a power of two that is at least as large as their number.
        """
        parts = list[bytes]()
        while first < end:
            height = (end - first).bit_length() - 1
            parts.append(self._perfect(height, first >> height))
            first += 1 << height
        answer = parts.pop()
        while parts:
            answer = node_hash(parts.pop(), answer)
        return answer

    def _perfect(self, height: int, index: int) -> bytes:
        level, above = divmod(height, TILE_HEIGHT)
        number, start = divmod(index << above, TILE_WIDTH)
        hashes = (self._size >> (TILE_HEIGHT * level)) - number * TILE_WIDTH
        tile = Tile(level, number, min(TILE_WIDTH, hashes))
        if tile not in self._tiles:
            self._tiles[tile] = _read(self._read_tile, tile)
        return _fold(self._tiles[tile][start * HASH_BYTES : (start + (1 << above)) * HASH_BYTES])
