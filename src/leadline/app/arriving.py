"""Uploads that come in several requests, gone on with after a line breaks, a process is killed, a machine ends.

Upheld here: what was told of an upload's offset is on the disk; only whoever began it knows of it; one request
at a time adds to it; nothing of it is judged or taken in before all of it came and has the digest that was
announced; it is taken in once. It ends a week after it began, with its engagement, or when it is given up.

The protocol over HTTP: Resumable Uploads for HTTP (draft-ietf-httpbis-resumable-upload-15).
"""

import secrets
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from leadline.app import intake, vaulting
from leadline.app.context import OWN, Context
from leadline.app.intake import Quarantine, Upload
from leadline.app.ports import Reading, Store, Stored, Writing, maybe
from leadline.core.access import Action, Bounds
from leadline.core.errors import Invalid, NotFound, Refused, Unavailable
from leadline.core.intake import DEFAULT, Limits, Purpose, Taken

LIFE = timedelta(days=7)
EACH = 8  # of one organisation's that are under way
COPIES = 3  # of its bytes while it is taken in: what came, what is judged, what the vault keeps
KEY_BYTES = 32


class Part(Protocol):
    """What came of one upload, held by one request."""

    @property
    def size(self) -> int:
        """How many bytes are on the disk."""
        ...

    def append(self, key: bytes, chunks: Iterable[bytes]) -> None:
        """Write what comes behind what came; all that came is on the disk at the end, whatever ends it.

        Raises: Unavailable; as *chunks*.
        """
        ...

    def read(self, key: bytes) -> Iterator[bytes]:
        """All that came."""
        ...


class Arrivals(Protocol):
    """Where uploads lie between their requests, encrypted."""

    def held(self, id_: str) -> AbstractContextManager[Part]:
        """One upload's bytes, for one request at a time in whatever process.

        Raises: Refused, while another one holds them; NotFound, where they are given up meanwhile.
        """
        ...

    def room(self) -> int:
        """How many bytes there is room for."""
        ...

    def ids(self) -> Collection[str]:
        """The uploads that something lies here of."""
        ...

    def remove(self, id_: str) -> None:
        """Take away what came of an upload, if anything did."""
        ...


@dataclass(frozen=True, slots=True)
class Arriving:
    """An upload under way, or one that was taken in as *artefact* within the week.

    *bytes* and *digest* (SHA-256 in hex) are of the whole, as announced. *key* opens what came, and is
    nowhere else: without this row, what lies on the disk says nothing.
    """

    id: str
    owner: str
    org: str
    engagement: str
    developer: str
    purpose: Purpose
    name: str
    sealed: bool
    bytes: int
    digest: str
    begun: datetime
    key: str = field(repr=False)
    artefact: str = ""

    @property
    def ends(self) -> datetime:
        """When it is forgotten."""
        return self.begun + LIFE

    @property
    def upload(self) -> Upload:
        """What is taken in once all of it came."""
        return Upload(
            self.engagement,
            self.developer,
            self.purpose,
            self.name,
            self.bytes,
            self.sealed,
            digest=self.digest,
        )


class Elsewhere(Refused):
    """Bytes for another place than where an upload stands, which is at *offset*."""

    def __init__(self, offset: int) -> None:
        super().__init__(f"the upload stands at {offset}; go on there")
        self.offset = offset


def begin(
    ctx: Context, upload: Upload, digest: str, arrivals: Arrivals, limits: Limits = DEFAULT
) -> Arriving:
    """Begin an upload of ``upload.bytes`` bytes, whose SHA-256 in hex is *digest*.

    Raises: Denied; Invalid, for a length that is not taken; Refused, while the caller's organisation has
    as many under way as it may, or once the engagement was withdrawn; Unavailable, without room.
    """
    ctx.require(Action.ARTEFACT_DEPOSIT, upload.resource())
    length = upload.bytes or 0
    if not 0 < length <= limits.upload_bytes:
        raise Invalid("Upload-Length", f"is due: from 1 to {limits.upload_bytes} bytes")
    if arrivals.room() < COPIES * length:
        raise Unavailable("there is no room for it here at this moment; nothing was begun")
    me = ctx.principal
    made = Arriving(
        ctx.new_id("upload"),
        me.id,
        me.org,
        upload.engagement,
        upload.org,
        upload.purpose,
        upload.name,
        upload.sealed,
        length,
        digest,
        ctx.now,
        secrets.token_bytes(KEY_BYTES).hex(),
    )
    with ctx.store.write() as tx:
        vaulting.require_going_on(tx, upload.engagement)
        held = [one.value for one in tx.find(Arriving) if _counts(one.value, ctx.now)]
        if sum(one.org == me.org for one in held) >= EACH:
            raise Refused(f"{EACH} uploads of yours are under way; finish one, or give one up")
        on, mine_ = upload.engagement, Bounds(owner=me.id)
        tx.put(made.id, made, marking=OWN, engagement=on, org=me.org, bounds=mine_)
    return made


def _counts(one: Arriving, now: datetime) -> bool:
    return not one.artefact and now < one.ends


def mine(ctx: Context) -> Sequence[Arriving]:
    """The caller's own uploads of this week, under way and taken in, the oldest first."""
    with ctx.store.read() as view:
        found = [row.value for row in view.find(Arriving)]
    own = [one for one in found if one.owner == ctx.principal.id and ctx.now < one.ends]
    return sorted(own, key=lambda one: (one.begun, one.id))


def shown(ctx: Context, id_: str) -> Arriving:
    """One upload of the caller's own.

    Raises: NotFound, in the same words for another person's and for one that is over; Denied, for
    whoever may hand nothing over to its engagement any more.
    """
    with ctx.store.read() as view:
        found = _row(ctx, view, id_).value
    ctx.require(Action.ARTEFACT_DEPOSIT, found.upload.resource())
    return found


def _row(ctx: Context, view: Reading, id_: str) -> Stored[Arriving]:
    row = maybe(view, Arriving, id_)
    if row is None or row.value.owner != ctx.principal.id or ctx.now >= row.value.ends:
        raise NotFound("there is no such upload, or it is over")
    return row


def offset(ctx: Context, id_: str, arrivals: Arrivals) -> int:
    """How many bytes of an upload are on the disk, while no other request adds to it.

    Raises: as `shown`; Refused, while another request is at it.
    """
    found = shown(ctx, id_)
    if found.artefact:
        return found.bytes
    with _held(ctx, id_, arrivals) as part:
        return part.size


@contextmanager
def _held(ctx: Context, id_: str, arrivals: Arrivals) -> Iterator[Part]:
    """An upload's bytes, for one request, while the upload is still there.

    Raises: as `Arrivals.held`; NotFound, where it was given up meanwhile.
    """
    with arrivals.held(id_) as part:
        with ctx.store.read() as view:
            _row(ctx, view, id_)
        yield part


def append(
    ctx: Context,
    id_: str,
    at: int,
    chunks: Iterable[bytes],
    arrivals: Arrivals,
    limits: Limits = DEFAULT,
) -> int:
    """Add what comes to an upload that stands at the byte *at*; answers where it stands then.

    Whatever ends the sending, what came stays.

    Raises: as `offset`; Elsewhere, where it stands at another byte; Refused, for one that was taken in;
    Invalid, for more than was announced, or a sender that keeps the installation waiting; as *chunks*.
    """
    found = shown(ctx, id_)
    if found.artefact:
        raise Refused(f"it was taken in as {found.artefact}; nothing is added to it any more")
    with _held(ctx, id_, arrivals) as part:
        if part.size != at:
            raise Elsewhere(part.size)
        part.append(bytes.fromhex(found.key), _bounded(chunks, found.bytes - at, limits))
        return part.size


def _bounded(chunks: Iterable[bytes], most: int, limits: Limits) -> Iterator[bytes]:
    """What comes, up to *most* bytes and no slower than uploads may be."""
    came, began = 0, time.monotonic()
    for chunk in chunks:
        came += len(chunk)
        if came > most:
            raise Invalid("upload", "more comes than was announced; nothing beyond that is kept")
        yield chunk
        limits.require_pace(came, time.monotonic() - began)


def finish(
    ctx: Context,
    id_: str,
    arrivals: Arrivals,
    quarantine: Quarantine,
    limits: Limits = DEFAULT,
) -> Taken:
    """Take a whole upload in, as `intake.deposit` does; once it was, answer what it was taken in as.

    One that is refused for what it is, is over: what came of it is taken away.

    Raises: as `offset`; Refused, while something of it is missing; otherwise as `intake.deposit`.
    """
    found = shown(ctx, id_)
    if found.artefact:
        return _taken(ctx, found)
    with arrivals.held(id_) as part:
        with ctx.store.read() as view:
            row = _row(ctx, view, id_)
        if row.value.artefact:
            return _taken(ctx, row.value)
        if part.size != found.bytes:
            raise Refused(f"{part.size} of {found.bytes} bytes came; send the others first")
        chunks = part.read(bytes.fromhex(found.key))
        try:
            made = intake.deposit(ctx, found.upload, chunks, quarantine, limits, _done(row))
        except Invalid:
            cancel(ctx, id_, arrivals)
            raise
        arrivals.remove(id_)
    return made


def _done(row: Stored[Arriving]) -> Callable[[Writing, Taken], None]:
    """That it was taken in, in the very transaction that takes it in; what came can be read no more."""

    def done(tx: Writing, taken: Taken) -> None:
        after = replace(row.value, artefact=taken.id, key="")
        tx.put(
            row.id,
            after,
            marking=row.marking,
            engagement=row.engagement,
            org=row.org,
            bounds=row.bounds,
            expect=row.version,
        )

    return done


def _taken(ctx: Context, found: Arriving) -> Taken:
    with ctx.store.read() as view:
        return view.get(Taken, found.artefact).value


def cancel(ctx: Context, id_: str, arrivals: Arrivals) -> None:
    """Give an upload up: what came of it is taken away, at once and whoever is sending.

    Raises: NotFound, as `shown`.
    """
    with ctx.store.write() as tx:
        tx.remove(Arriving, _row(ctx, tx, id_).id)
    arrivals.remove(id_)


def sweep(store: Store, now: datetime, arrivals: Arrivals) -> int:
    """Take away what is over, and bytes that no upload under way has any more; answers how much.

    Over is what began a week ago, and what was to enter an engagement that was withdrawn.
    """
    lying = set(
        arrivals.ids()
    )  # before the rows: an upload has its row before anything of it lies here
    with store.read() as view:
        rows = [row.value for row in view.find(Arriving)]
        over = {one.id for one in rows if now >= one.ends or _ended(view, one)}
    if over:
        with store.write() as tx:
            for id_ in over:
                if maybe(tx, Arriving, id_) is not None:
                    tx.remove(Arriving, id_)
    lost = lying - {one.id for one in rows if not one.artefact and one.id not in over}
    for id_ in lost:
        arrivals.remove(id_)
    return len(over | lost)


def _ended(view: Reading, one: Arriving) -> bool:
    return not one.artefact and vaulting.withdrawn(view, one.engagement)
