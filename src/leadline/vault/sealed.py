"""The vault: ciphertext on disk, and plaintext nowhere but in memory and in a file without a name.

    content/<dd>/<digest>/<compartment>-<protection>/   header.json, 0.shard, 1.shard, ...
    compartments/                                        see `leadline.vault.ring`
    quarantine/                                          files without a name, while they are open

A copy belongs to one compartment, so that each owner's can be destroyed alone. Content is encrypted as
it comes and gets its place once its digest is known. Reading decrypts the whole into quarantine and
gives nothing out before the last segment and the digest verified.
"""

import io
import secrets
import shutil
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from leadline.app.ports import Deposit, Holding, KeyStore, Recipient, Release
from leadline.app.revocable import Revocable
from leadline.core.errors import Invalid, NotFound, Refused, Tampered
from leadline.core.marking import Marking, parse_marking
from leadline.core.vaulting import Bound, Owner, Protection
from leadline.vault import disk, envelope, streaming
from leadline.vault.envelope import DIGEST, Copy

SHARD_BYTES = 256 << 20
PUT_BYTES_MAX = 256 << 20
BEHIND_MAX = 4  # chunks that the digest may lag behind the cipher
NO_DIGEST = "0" * 64
Taker = Callable[[bytes], None]


class SealedVault:
    """`leadline.app.ports.Vault` on a folder. Threads and processes may share it."""

    def __init__(self, folder: Path, keys: KeyStore, *, shard_bytes: int = SHARD_BYTES) -> None:
        self._folder, self._keys, self._shard_bytes = folder, keys, shard_bytes
        self._content, self._quarantine = folder / "content", folder / "quarantine"

    def put(
        self, content: bytes, *, marking: Marking, engagement: str = "", owner: Owner = "agency"
    ) -> str:
        """As the port."""
        digest = sha256(content).hexdigest()
        present = self._present(digest, engagement, owner, Protection.WORKING)
        if present is not None:
            self._mark(present, marking)
            self._verify_again(present, content)
            return digest
        return self.receive(
            (content,),
            marking=marking,
            engagement=engagement,
            owner=owner,
            sealed=False,
            bytes_max=PUT_BYTES_MAX,
        ).digest

    def get(self, digest: str) -> bytes:
        """As the port; the content stays in memory."""
        copies = self._copies(digest)
        for place, copy in copies:
            if copy.holding.protection is Protection.WORKING:
                whole = io.BytesIO()
                self._decrypt(place, copy, self._working_keys(copy), whole)
                return whole.getvalue()
        raise Refused(f"{digest} is sealed; it opens for two approvers and a proof only")

    def marking(self, digest: str) -> Marking:
        """As the port."""
        first, *more = (copy.holding.marking for _, copy in self._copies(digest))
        for one in more:
            first = first.join(one)
        return first

    def receive(
        self,
        chunks: Iterable[bytes],
        *,
        marking: Marking,
        engagement: str,
        owner: Owner,
        sealed: bool,
        terms: str = "",
        bytes_max: int,
    ) -> Deposit:
        """As the port."""
        if parse_marking(str(marking)) != marking:
            raise Invalid("marking", "a compartment's name holds //; rename it")
        protection = Protection.SEALED if sealed else Protection.WORKING
        recipient = self._keys.ensure(engagement, owner)
        bound = Bound(
            engagement,
            owner,
            recipient.compartment,
            recipient.epoch,
            NO_DIGEST,
            0,
            protection,
            terms,
            0,
            1,
        )
        envelope.info(bound)  # words without a canonical form are refused before anything is read
        with disk.writable("the vault"):
            disk.private(self._content)
            incoming = Path(tempfile.mkdtemp(prefix=".new-", dir=self._content))
            try:
                taken = _Intake(incoming, bound, self._shard_bytes, bytes_max)
                deposit = taken.take(chunks)
                self._settle(incoming, taken, deposit, marking)
            finally:
                shutil.rmtree(incoming, ignore_errors=True)
        return deposit

    @contextmanager
    def open(self, digest: str, release: Release | None = None) -> Iterator[BinaryIO]:
        """As the port."""
        place, copy = self._chosen(digest, release)
        held = copy.holding
        keys = (
            self._working_keys(copy)
            if release is None
            else self._keys.unwrap(copy.wrapped(), release)
        )
        with disk.writable("the quarantine"):
            disk.private(self._quarantine)
            plain = tempfile.TemporaryFile(dir=self._quarantine)  # noqa: SIM115 -- closed below
        with plain:
            with disk.writable("the quarantine"):
                self._decrypt(place, copy, keys, plain)
                plain.seek(0)
            sealed = held.protection is Protection.SEALED
            if not sealed:
                yield plain
                return
            ended = partial(self._keys.ended, held.engagement, held.owner)
            yield io.BufferedReader(Revocable(plain, ended, digest), streaming.SEGMENT_BYTES)

    def holdings(self, engagement: str | None = None) -> Sequence[Holding]:
        """As the port."""
        with disk.writable("the vault"), self._alone():
            held = [copy.holding for _, copy in self._all()]
        return [one for one in held if engagement in {None, one.engagement}]

    def rewrap(self, engagement: str, owner: Owner) -> int:
        """As the port; stopped in the middle, a second call does the rest."""
        count = 0
        with disk.writable("the vault"), self._alone():
            for place, copy in self._of(engagement, owner):
                moved = tuple(self._keys.rewrap(one) for one in copy.wrapped())
                epoch = moved[0].bound.epoch
                to = copy.holding.recipient
                if epoch != to.epoch:
                    holding = replace(copy.holding, recipient=replace(to, epoch=epoch))
                    new = Copy(holding, tuple(one.sealed for one in moved))
                    disk.write(place / "header.json", envelope.encode(new))
                    count += len(moved)
        return count

    def erase(self, engagement: str, owner: Owner) -> Sequence[Holding]:
        """As the port; headers first, so that a stop in the middle leaves nothing that opens."""
        gone = []
        with disk.writable("the vault"), self._alone():
            for place, copy in list(self._of(engagement, owner)):
                disk.overwritten(place / "header.json")
                shutil.rmtree(place)
                disk.synced(place.parent)
                gone.append(copy.holding)
        return gone

    def _settle(self, incoming: Path, taken: "_Intake", deposit: Deposit, marking: Marking) -> None:
        """Write the header and give the copy its place; a copy that is there already stays."""
        bounds = taken.bounds(deposit)
        wrapped = [self._keys.wrap(key, one) for key, one in zip(taken.keys, bounds, strict=True)]
        first = bounds[0]
        holding = Holding(
            deposit.digest,
            deposit.size,
            first.engagement,
            first.owner,
            first.protection,
            Recipient(first.compartment, first.epoch),
            len(bounds),
            first.terms,
            marking,
        )
        copy = Copy(holding, tuple(one.sealed for one in wrapped))
        place = self._place(deposit.digest) / _name(first.compartment, first.protection)
        with self._alone():
            if place.exists():
                self._mark(place, marking, locked=True)
                return
            disk.write(incoming / "header.json", envelope.encode(copy))
            disk.private(place.parent)
            incoming.rename(place)
            disk.synced(place.parent)
            disk.synced(place.parent.parent)

    def _mark(self, place: Path, marking: Marking, *, locked: bool = False) -> None:
        if not locked:
            with disk.writable("the vault"), self._alone():
                self._mark(place, marking, locked=True)
            return
        copy = _header(place)
        joined = copy.under(marking)
        if joined != copy:
            disk.write(place / "header.json", envelope.encode(joined))

    def _verify_again(self, place: Path, content: bytes) -> None:
        """What a put finds in place must be the same bytes; a process that only seals cannot tell."""
        if not self._keys.seals_only:
            copy = _header(place)
            self._decrypt(place, copy, self._working_keys(copy), io.BytesIO(content))

    def _present(
        self, digest: str, engagement: str, owner: Owner, protection: Protection
    ) -> Path | None:
        place = self._place(digest) / _name(
            self._keys.ensure(engagement, owner).compartment, protection
        )
        return place if place.exists() else None

    def _chosen(self, digest: str, release: Release | None) -> tuple[Path, Copy]:
        due = Protection.WORKING if release is None else Protection.SEALED
        copies = self._copies(digest)
        for place, copy in copies:
            held = copy.holding
            if held.protection is due and (
                release is None or held.engagement == release.request.engagement
            ):
                return place, copy
        if release is None:
            raise Refused(f"{digest} is sealed; it opens for two approvers and a proof only")
        raise NotFound(f"nothing sealed under {digest} belongs to {release.request.engagement}")

    def _working_keys(self, copy: Copy) -> Sequence[bytes]:
        return [self._keys.open_working(one) for one in copy.wrapped()]

    def _decrypt(self, place: Path, copy: Copy, keys: Sequence[bytes], to: BinaryIO) -> None:
        """The whole plaintext into *to*; nobody reads there before this returns.

        Raises: Tampered, if a shard or the whole is not what the header says.
        """
        held, digest, size = copy.holding, sha256(), 0
        with _taking(digest.update, held.size) as take:
            for wrapped, key in zip(copy.wrapped(), keys, strict=True):
                associated = envelope.shard_data(wrapped.bound)
                shard = place / f"{wrapped.bound.shard}.shard"
                for chunk in streaming.decrypted(shard, key, associated):
                    size += len(chunk)
                    if size > held.size:
                        told = f"more than its {held.size} bytes came"
                        raise Tampered(f"vault {held.digest}", told)
                    take(chunk)
                    to.write(chunk)
        if size != held.size or digest.hexdigest() != held.digest:
            raise Tampered(f"vault {held.digest}", "the content has another digest or length")

    def _copies(self, digest: str) -> Sequence[tuple[Path, Copy]]:
        """Every copy under a digest. Raises: Invalid, NotFound, Tampered."""
        found = self._under(digest)
        if not found:
            raise NotFound(f"the vault holds nothing under {digest}")
        return found

    def _under(self, digest: str) -> Sequence[tuple[Path, Copy]]:
        found = [(one, _header(one)) for one in _folders(self._place(digest))]
        for path, copy in found:
            if copy.holding.digest != digest or path.name != _name(
                copy.holding.recipient.compartment, copy.holding.protection
            ):
                raise Tampered(f"vault {digest}", "a copy of something else stands in its place")
        return found

    def _all(self) -> Iterator[tuple[Path, Copy]]:
        for pair in _folders(self._content):
            for content in _folders(pair):
                yield from self._under(content.name)

    def _of(self, engagement: str, owner: Owner) -> Iterator[tuple[Path, Copy]]:
        for place, copy in self._all():
            if (copy.holding.engagement, copy.holding.owner) == (engagement, owner):
                yield place, copy

    def _place(self, digest: str) -> Path:
        if not DIGEST.fullmatch(digest):
            raise Invalid("digest", "64 lower-case hexadecimal digits are due")
        return self._content / digest[:2] / digest

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One writer at a time, so that of two markings none is lost."""
        disk.private(self._content)
        with disk.locked(self._content):
            yield


@contextmanager
def _taking(update: Taker, size: int) -> Iterator[Taker]:
    """What hands chunks to *update*: those of more than one segment beside the cipher, else at once."""
    if size <= streaming.SEGMENT_BYTES:  # starting a thread takes longer than the digest
        yield update
        return
    hashing = deque[Future[None]]()
    with ThreadPoolExecutor(1) as aside:

        def take(chunk: bytes) -> None:
            hashing.append(aside.submit(update, chunk))
            if len(hashing) > BEHIND_MAX:
                hashing.popleft().result()

        yield take
        for hashed in hashing:
            hashed.result()


@dataclass
class _Intake:
    """Plaintext to shards, each under a key of its own, as it comes."""

    folder: Path
    bound: Bound
    shard_bytes: int
    bytes_max: int
    keys: list[bytes] = field(default_factory=list)
    size: int = 0

    def take(self, chunks: Iterable[bytes]) -> Deposit:
        """Raises: Invalid, if more than *bytes_max* come."""
        digest = sha256()
        # Digest and disk work beside the cipher: each lets go of the interpreter meanwhile. One thread
        # takes the digest, so that chunks come to it in their order.
        hashing = deque[Future[None]]()
        with ThreadPoolExecutor(1) as digesting, ThreadPoolExecutor(1) as aside:
            writer = self._next(aside)
            try:
                for chunk in chunks:
                    self.size += len(chunk)
                    if self.size > self.bytes_max:
                        told = f"more than the {self.bytes_max} bytes that are taken"
                        raise Invalid("size", told)
                    hashing.append(digesting.submit(digest.update, chunk))
                    if len(hashing) > BEHIND_MAX:
                        hashing.popleft().result()
                    rest = memoryview(chunk)
                    while rest:
                        if writer.size == self.shard_bytes:
                            writer.close()
                            writer = self._next(aside)
                        room = min(self.shard_bytes - writer.size, streaming.CHUNK_BYTES)
                        writer.write(rest[:room])
                        rest = rest[room:]
                for hashed in hashing:
                    hashed.result()
            finally:
                writer.close()
        return Deposit(digest.hexdigest(), self.size)

    def bounds(self, deposit: Deposit) -> Sequence[Bound]:
        """What each shard's key is bound to, now that all of it is known."""
        whole = replace(self.bound, digest=deposit.digest, size=deposit.size, shards=len(self.keys))
        return [replace(whole, shard=number) for number in range(len(self.keys))]

    def _next(self, aside: Executor) -> streaming.ShardWriter:
        number, key = len(self.keys), secrets.token_bytes(streaming.KEY_BYTES)
        self.keys.append(key)
        associated = envelope.shard_data(replace(self.bound, shard=number))
        return streaming.ShardWriter(self.folder / f"{number}.shard", key, associated, aside)


def _name(compartment: str, protection: Protection) -> str:
    return f"{compartment}-{protection.value}"


def _header(place: Path) -> Copy:
    data = disk.read(place / "header.json", envelope.HEADER_BYTES_MAX)
    if data is None:
        raise Tampered(f"vault {place.parent.name}", "a copy without its header")
    return envelope.decode(f"vault {place.parent.name}", data)


def _folders(place: Path) -> Sequence[Path]:
    """The folders in a place, in order, those being written left out; nothing where there is none."""
    if not place.is_dir():
        return ()
    return sorted(
        one
        for one in place.iterdir()
        if not one.name.startswith(".") and not one.is_symlink() and one.is_dir()
    )
