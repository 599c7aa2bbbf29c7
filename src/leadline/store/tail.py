"""What an open transaction adds to the log: acts that wait to be written, and the tree they extend.

Upheld here: leaves are numbered in the order of recording, without gaps; taking back a block takes back
its leaves and nothing else, whether or not they were written already. The edge grows in memory as the
tiles grow in the transaction; who commits keeps it, who rolls back drops it.
"""

from dataclasses import dataclass
from itertools import islice
from typing import TypedDict

import sqlalchemy as sa

from leadline.core.clearing.act_names import names
from leadline.core.errors import Tampered
from leadline.core.record import tlog
from leadline.core.record.act import Act
from leadline.core.record.commitment import commit, entry
from leadline.store import projections
from leadline.store.tables import ACT, ENTRY, HEAD, TILE

_HEAD = sa.select(HEAD.c.size, HEAD.c.root)
_TILE = sa.select(TILE.c.hashes).where(
    TILE.c.level == sa.bindparam("level"), TILE.c.n == sa.bindparam("n")
)
_GROW_TILE = (
    TILE.update()
    .where(TILE.c.level == sa.bindparam("at_level"), TILE.c.n == sa.bindparam("at_n"))
    .values(hashes=sa.bindparam("hashes"))
)
_GROW_HEAD = HEAD.update().values(size=sa.bindparam("size"), root=sa.bindparam("root"))


class Leaf(TypedDict):
    """A row of `act`, the log entry that commits to it, and what the act names."""

    leaf: int
    id: str
    kind: str
    about: str
    engagement: str
    record: bytes
    blinder: bytes
    data: bytes
    names: frozenset[str]


def head(connection: sa.Connection) -> tuple[int, bytes]:
    """Size and root as the transaction sees them; raises Tampered if they are gone."""
    row = connection.execute(_HEAD).one_or_none()
    if row is None:
        raise Tampered("log head", "missing; restore a checked backup")
    return row.size, row.root


def tile_bytes(connection: sa.Connection, tile: tlog.Tile) -> bytes:
    """The first hashes of a tile; a later, wider state of it may be what is stored.

    Raises: Tampered, if fewer are there.
    """
    place = {"level": tile.level, "n": tile.index}
    hashes: bytes = connection.scalar(_TILE, place) or b""
    length = tile.width * tlog.HASH_BYTES
    if len(hashes) < length:
        raise Tampered(tile.path, f"{len(hashes)} bytes stand where {length} are due")
    return hashes[:length]


@dataclass(frozen=True, slots=True)
class Mark:
    """A place to go back to."""

    edge: tlog.Edge
    waiting: dict[str, Leaf]
    count: int


class LogTail:
    """The growing end of the log in one transaction, used by one thread at a time.

    *edge* is the newest edge this process knows; it is read again from the tiles when another process
    has appended since. Raises: Tampered, if head and tiles do not agree.
    """

    def __init__(self, connection: sa.Connection, edge: tlog.Edge) -> None:
        self._connection = connection
        self._waiting: dict[str, Leaf] = {}
        size, root = head(connection)
        known = edge.size == size and tlog.root(edge) == root
        self.edge = edge if known else tlog.edge_at(size, self._tile)
        if tlog.root(self.edge) != root:
            raise Tampered("log head", f"its root is not that of the tiles at size {size}")

    def _tile(self, tile: tlog.Tile) -> bytes:
        return tile_bytes(self._connection, tile)

    def waits(self, act_id: str) -> bool:
        """Whether an act of this id is recorded but not yet among the rows."""
        return act_id in self._waiting

    def add(self, act: Act, record: bytes, blinder: bytes) -> int:
        """Take the act, whose canonical bytes *record* are, as the next leaf; answers its number."""
        leaf = self.edge.size + len(self._waiting)
        self._waiting[act.id] = {
            "leaf": leaf,
            "id": act.id,
            "kind": act.kind.value,
            "about": act.about,
            "engagement": act.engagement,
            "record": record,
            "blinder": blinder,
            "data": entry(commit(blinder, record)),
            "names": names(act),
        }
        return leaf

    def mark(self) -> Mark:
        """Where the log ends now."""
        return Mark(self.edge, self._waiting, len(self._waiting))

    def back(self, mark: Mark) -> None:
        """Forget what was added since; the caller rolls the rows back to the same moment."""
        self.edge = mark.edge
        self._waiting = dict(islice(mark.waiting.items(), mark.count))

    def flush(self) -> None:
        """Write what waits: the acts, their entries and names, the tiles that changed, the head."""
        if not self._waiting:
            return
        # A new dict, because marks hold on to the old one.
        leaves, self._waiting = list(self._waiting.values()), {}
        self._connection.execute(ACT.insert(), [_act_row(leaf) for leaf in leaves])
        entries = [{"leaf": leaf["leaf"], "data": leaf["data"]} for leaf in leaves]
        self._connection.execute(ENTRY.insert(), entries)
        projections.name(self._connection, ((leaf["leaf"], leaf["names"]) for leaf in leaves))
        growth = tlog.append(self.edge, [tlog.leaf_hash(leaf["data"]) for leaf in leaves])
        for tile, hashes in growth.tiles.items():
            place = {"at_level": tile.level, "at_n": tile.index, "hashes": hashes}
            if not self._connection.execute(_GROW_TILE, place).rowcount:
                row = {"level": tile.level, "n": tile.index, "hashes": hashes}
                self._connection.execute(TILE.insert(), row)
        grown = {"size": growth.edge.size, "root": tlog.root(growth.edge)}
        self._connection.execute(_GROW_HEAD, grown)
        self.edge = growth.edge


def _act_row(leaf: Leaf) -> dict[str, object]:
    return {name: value for name, value in leaf.items() if name not in {"data", "names"}}
