"""The journal's file: one writer, appended to and never changed, cut only where a write was torn.

A kill loses nothing that was appended, a power cut at most what `settle` had not yet made durable.
Whoever opens it to write reads all of it and compares it with the head signed last: a journal that does
not continue what was signed is not written to.
"""

import fcntl
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from leadline.app.ports import Signer
from leadline.app.signature import check
from leadline.core.errors import NotFound, Refused, Tampered, Unavailable
from leadline.core.record import tlog
from leadline.core.record.act import Value
from leadline.formats import checkpoint, cosignature, note
from leadline.formats.checkpoint import Checkpoint
from leadline.formats.relay_journal import LINE_BYTES_MAX, Entry, Statement, entry_of
from leadline.relay.ledger import Ledger

JOURNAL, HEAD, KEYS, LOCK = "journal.jsonl", "journal.head", "journal.vkey", "lock"
LOST = "the disk did not keep the journal; make it sound and start the relay again"


@dataclass(frozen=True, slots=True)
class Read:
    """A journal as it was read: its tree, the sum of its entries, and what stands after the last line."""

    edge: tlog.Edge
    ledger: Ledger
    torn: bytes
    roots: Mapping[int, bytes]


def lines(path: Path) -> Iterator[bytes]:
    """The lines of a journal, the last perhaps without its newline.

    Raises: NotFound; Tampered, for a line longer than any entry.
    """
    try:
        file = path.open("rb")
    except FileNotFoundError:
        raise NotFound(f"no journal at {path}") from None
    with file:
        number = 0
        while line := file.readline(LINE_BYTES_MAX + 1):
            if len(line) > LINE_BYTES_MAX:
                raise Tampered(f"journal line {number + 1}", "it is longer than an entry may be")
            number += 1
            yield line


def read(path: Path, *, root_at: int = 0) -> Read:
    """Read and sum up a journal; *root_at* is a size of which the root is wanted as well.

    Raises: NotFound; Tampered, naming the line.
    """
    edge, ledger, torn, roots = tlog.Edge(), Ledger(), b"", {0: tlog.EMPTY_ROOT}
    for number, line in enumerate(lines(path)):
        if not line.endswith(b"\n"):
            torn = line
            break
        entry = entry_of(line[:-1], number)
        ledger.take(entry)
        edge = tlog.append(edge, [entry.leaf]).edge
        if edge.size == root_at:
            roots[root_at] = tlog.root(edge)
    return Read(edge, ledger, torn, roots)


def signed_head(text: bytes, vkeys: str) -> Checkpoint:
    """The head in a signed note, if every one of *vkeys* signed it.

    Raises: Tampered; Invalid, if a key is none.
    """
    signed = note.parse(text)
    cosignature.require(HEAD, signed, note.parse_vkeys(vkeys), check)
    return checkpoint.parse(signed.text)


def compare(found: Read, head: Checkpoint) -> None:
    """Return if what was read continues what was signed.

    Raises: Tampered.
    """
    if head.size > found.edge.size:
        told = f"{head.size} entries were signed, {found.edge.size} are there"
        raise Tampered("journal", told)
    if found.roots[head.size] != head.root:
        raise Tampered("journal", f"its first {head.size} entries are not those that were signed")


@dataclass(frozen=True, slots=True)
class Verified:
    """What a journal came to when it was checked."""

    size: int
    root: str
    signed: int
    torn_bytes: int
    counts: Mapping[str, int]


def verify(path: Path, *, head: bytes | None = None, vkeys: str = "") -> Verified:
    """Check a journal line by line, and against the head that was signed, if one is given.

    Raises: NotFound; Tampered, naming the place; Invalid, for keys that are none.
    """
    signed = signed_head(head, vkeys) if head is not None else None
    found = read(path, root_at=signed.size if signed else 0)
    if signed is not None:
        compare(found, signed)
    return Verified(
        found.edge.size,
        tlog.root(found.edge).hex(),
        signed.size if signed else 0,
        len(found.torn),
        found.ledger.counts,
    )


class Journal:
    """The one writer of a folder's journal; `open_journal` makes it."""

    def __init__(self, folder: Path, lock: int, signer: Signer, origin: str) -> None:
        self._folder, self._lock, self._signer, self.origin = folder, lock, signer, origin
        self.ledger, self._edge, self._signed, self._head = Ledger(), tlog.Edge(), -1, ""
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        self._file = os.open(folder / JOURNAL, flags, 0o600)
        self._unsettled = False
        self.lost = False

    @property
    def size(self) -> int:
        """The number of entries."""
        return self._edge.size

    def recover(self) -> bytes:
        """Read what is there; cut a torn last line off and answer it.

        Raises: Tampered.
        """
        head_file = self._folder / HEAD
        head = (
            signed_head(head_file.read_bytes(), self._signer.vkeys())
            if head_file.exists()
            else None
        )
        path = self._folder / JOURNAL
        found = read(path, root_at=head.size if head else 0)
        if head is not None:
            compare(found, head)
        if found.torn:
            os.ftruncate(self._file, path.stat().st_size - len(found.torn))
            os.fsync(self._file)
        self.ledger, self._edge = found.ledger, found.edge
        return found.torn

    def append(self, at: datetime, kind: str, **detail: Value) -> Entry:
        """Add an entry; it is in the file, though not yet safe from a power cut, on return.

        Raises: Unavailable, if there is no room for it, or what was written before did not become
        durable: what cannot be entered is not relayed.
        """
        if self.lost:
            raise Unavailable(LOST)
        entry = Entry(self.size, at, kind, detail, os.urandom(32))
        line, leaf = entry.encoded
        end = os.fstat(self._file).st_size
        try:
            written = os.write(self._file, line)
        except OSError as error:
            raise Unavailable(f"the journal cannot be written ({error}); make room") from error
        if written != len(line):
            os.ftruncate(self._file, end)  # nothing may follow half a line
            raise Unavailable("the journal cannot be written whole; make room")
        self._edge = tlog.append(self._edge, [leaf]).edge
        self.ledger.take(entry)
        self._unsettled = True
        return entry

    def settle(self) -> None:
        """Make durable what was appended.

        Raises: Unavailable, if the disk does not keep it; nothing is appended any more then, because
        only a new start can tell what is there.
        """
        if self.lost:
            raise Unavailable(LOST)
        if self._unsettled:
            self._unsettled = False
            try:
                os.fdatasync(self._file)
            except OSError as error:
                self.lost = True
                raise Unavailable(f"{LOST} ({error})") from error

    def sign(self) -> str:
        """The head of all that is there, signed, and kept beside the journal.

        Raises: Unavailable, if it cannot be kept.
        """
        self.settle()
        if self._signed != self.size:
            head = Checkpoint(self.origin, self.size, tlog.root(self._edge))
            signed = self._signer.sign(head.text)
            new = self._folder / f".{HEAD}.new"
            try:
                with new.open("w") as out:
                    out.write(signed)
                    out.flush()
                    os.fsync(out.fileno())  # a power cut leaves the old head or this one, whole
                new.replace(self._folder / HEAD)
            except OSError as error:
                raise Unavailable(f"{HEAD} cannot be written ({error}); make room") from error
            self._signed, self._head = self.size, signed
        return self._head

    def statement(self, at: datetime) -> str:
        """What leaves the boundary, signed."""
        self.sign()
        engagements = {one.engagement for one in self.ledger.credentials.values()}
        told = Statement(
            self.origin,
            self.size,
            tlog.root(self._edge).hex(),
            at,
            tuple(sorted(engagements)),
            self.ledger.counts,
            self.ledger.keeps_bodies,
        )
        return self._signer.sign(told.text)

    def close(self) -> None:
        """Sign what is there and let another writer in."""
        try:
            self.sign()
        finally:
            os.close(self._file)
            os.close(self._lock)


def open_journal(
    folder: Path, signer_of: Callable[[Path, str], Signer], origin: str, now: datetime
) -> Journal:
    """The journal of a folder, to write; made where there is none.

    Raises: Refused, if another process writes it; Tampered, if it does not continue what was signed;
    Invalid, if *origin* names no log.
    """
    note.check_name("origin", origin)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise Refused(f"another relay writes {folder}; give this one a folder of its own") from None
    try:
        signer = signer_of(folder / "relay.key", origin)
        (folder / KEYS).write_text(signer.vkeys())
        journal = Journal(folder, lock, signer, origin)
        torn = journal.recover()
    except BaseException:
        os.close(lock)
        raise
    _settle_the_lost(journal, torn, now)
    return journal


def _settle_the_lost(journal: Journal, torn: bytes, now: datetime) -> None:
    """Enter what a sudden end left: a torn line, and exchanges that never came to their end."""
    lost = dict(journal.ledger.open)
    if not torn and not lost:
        return
    journal.append(
        now,
        "journal.recovered",
        cut_bytes=len(torn),
        cut_sha256=sha256(torn).hexdigest() if torn else "",
        lost=len(lost),
    )
    for id_, credential_id in lost.items():
        worst = journal.ledger.credentials[credential_id].caps.worst
        journal.append(
            now,
            "exchange.ended",
            id=id_,
            credential=credential_id,
            outcome="lost",
            status=0,
            tokens=worst.tokens,
            micros=worst.micros,
            counted=worst.source,
            request_bytes=0,
            response_bytes=0,
        )
    journal.settle()
