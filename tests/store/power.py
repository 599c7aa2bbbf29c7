"""What a disk may hold after the power is cut, built from the record of `failing_disk.c`.

The model: what was synced is there. Of each write, truncation or deletion since the last sync of its file
any subset may be there, and a write may be torn at the edges of its 512-byte sectors. The folder itself,
and with it every deletion before, is synced with the first sync of a newly opened journal or WAL: that is
what SQLite's own file system layer does then (`UNIXFILE_DIRSYNC` in os_unix.c).
"""

import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

SECTOR_BYTES = 512
_HEAD = struct.Struct("<cqii")


@dataclass(frozen=True, slots=True)
class Entry:
    """One operation: O open, W write, T truncate, S sync, D delete, M mark.

    *place* is the offset, the new size, the mark, or for D whether the folder was synced.
    """

    kind: str
    place: int
    file: int
    data: bytes


def read_record(file: Path) -> list[Entry]:
    """The operations in the order in which they reached the disk."""
    data, at, entries = file.read_bytes(), 0, list[Entry]()
    while at < len(data):
        kind, place, length, number = _HEAD.unpack_from(data, at)
        at += _HEAD.size
        entries.append(Entry(kind.decode(), place, number, data[at : at + length]))
        at += length
    return entries


@dataclass
class Kept:
    """One file: what is durable (None: nothing of that name) and what is not yet."""

    durable: bytearray | None = None
    since: list[Entry] = field(default_factory=list)


class Platter:
    """The disk while the record is played."""

    def __init__(self) -> None:
        self._names: dict[int, str] = {}
        self._unlisted: set[int] = set()  # files whose first sync will sync the folder
        self._files: dict[str, Kept] = {}
        self.marks: set[int] = set()

    def play(self, entry: Entry) -> None:
        """Let one operation happen."""
        if entry.kind == "M":
            self.marks.add(entry.place)
        elif entry.kind == "O":
            self._names[entry.file] = entry.data.decode()
            if entry.data.endswith((b"-wal", b"-journal")):
                self._unlisted.add(entry.file)
            self._files.setdefault(entry.data.decode(), Kept())
        elif entry.kind == "D":
            self._files.setdefault(entry.data.decode(), Kept()).since.append(entry)
            if entry.place:
                self._sync_folder()
        else:
            kept = self._files[self._names[entry.file]]
            if entry.kind == "S":
                for one in kept.since:
                    kept.durable = applied(kept.durable, one)
                kept.durable = kept.durable if kept.durable is not None else bytearray()
                kept.since = []
                if entry.file in self._unlisted:
                    self._unlisted.remove(entry.file)
                    self._sync_folder()
            else:
                kept.since.append(entry)

    def _sync_folder(self) -> None:
        for kept in self._files.values():
            while any(one.kind == "D" for one in kept.since):
                kept.durable = applied(kept.durable, kept.since.pop(0))

    def unsynced(self) -> int:
        """How many operations a cut could undo now."""
        return sum(len(kept.since) for kept in self._files.values())

    def cut(self, chance: random.Random, folder: Path) -> None:
        """Write to *folder* what one possible cut of power leaves."""
        mood = chance.choice(["nothing", "everything", "some", "some", "torn", "torn"])
        for name, kept in self._files.items():
            content = None if kept.durable is None else bytearray(kept.durable)
            for one in kept.since:
                for part in survivors(one, mood, chance):
                    content = applied(content, part)
            if content is not None:
                (folder / Path(name).name).write_bytes(content)


def applied(content: bytearray | None, entry: Entry) -> bytearray | None:
    """The file after one operation."""
    if entry.kind == "D":
        return None
    content = bytearray() if content is None else content
    if entry.kind == "T":
        del content[entry.place :]
        return content
    content.extend(bytes(max(0, entry.place - len(content))))
    content[entry.place : entry.place + len(entry.data)] = entry.data
    return content


def survivors(entry: Entry, mood: str, chance: random.Random) -> Iterator[Entry]:
    """What of an unsynced operation reached the platter."""
    if mood == "nothing" or (mood != "everything" and chance.random() < 1 / 2):
        return
    if mood != "torn" or entry.kind != "W":
        yield entry
        return
    for start, end in sectors(entry):
        if chance.random() < 1 / 2:
            data = entry.data[start - entry.place : end - entry.place]
            yield Entry("W", start, entry.file, data)


def sectors(entry: Entry) -> Iterator[tuple[int, int]]:
    """The ranges that the sectors' edges cut a write into."""
    start, end = entry.place, entry.place + len(entry.data)
    while start < end:
        edge = min(end, (start // SECTOR_BYTES + 1) * SECTOR_BYTES)
        yield start, edge
        start = edge
