"""Taking artefacts in: through a quarantine, judged by their content, sealed, and on record.

Upheld here: nothing of an upload reaches the vault before all of it was judged; a refused upload leaves
an act and no bytes, and an alert where its shape serves an attack; what is taken in is its depositor's
and the engagement's parties' to see, and nobody else's, until a publication.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from hashlib import sha256
from typing import BinaryIO

from leadline.app import vaulting
from leadline.app.context import Context
from leadline.app.ports import Stored, Writing
from leadline.app.vaulting import Material, Offer
from leadline.core.access import Action, Circumstances, Resource
from leadline.core.errors import Invalid, Tampered
from leadline.core.intake import DEFAULT, Hostile, Limits, Purpose, Taken, check_purpose
from leadline.core.marking import Marking, Tlp
from leadline.core.record.act import Kind
from leadline.core.vaulting import Artefact
from leadline.formats.content import judge

CHUNK_BYTES = 1 << 20
PARTIES = Marking(Tlp.AMBER_STRICT)
Quarantine = Callable[[], AbstractContextManager[BinaryIO]]


@dataclass(frozen=True, slots=True)
class Upload:
    """What a depositor announces. *bytes* is the length that was declared, None where none was; *digest* the SHA-256 in hex.

    *org* is the developer whose engagement it is; *sealed* content opens only for two approvers.
    """

    engagement: str
    org: str
    purpose: Purpose
    name: str
    bytes: int | None = None
    sealed: bool = False
    terms: str = ""
    marking: Marking = PARTIES
    digest: str = ""

    def resource(self, id_: str = "") -> Resource:
        """The artefact as access rules see it."""
        return Resource(
            "artefact", id_ or self.engagement, self.engagement, self.org, marking=self.marking
        )


def deposit(
    ctx: Context,
    upload: Upload,
    chunks: Iterable[bytes],
    quarantine: Quarantine,
    limits: Limits = DEFAULT,
    also: Callable[[Writing, Taken], None] = lambda _tx, _taken: None,
) -> Taken:
    """Take one upload in, or refuse it.

    *quarantine* gives an empty file that nobody else can read and that is gone when it is closed; *also*
    writes what else is known in the transaction that takes it in.

    Raises: Denied; Invalid, naming what is wrong with the upload, after the refusal was recorded.
    """
    ctx.require(Action.ARTEFACT_DEPOSIT, upload.resource())
    with quarantine() as file:
        running = Running(limits, upload.bytes, upload.digest)
        try:
            running.fill(file, chunks)
            judged = judge(file, running.length, limits)
            check_purpose(upload.purpose, judged)
        except Invalid as error:
            refused(ctx, upload, running, error)
            raise
        file.seek(0)
        own = ctx.principal.org == upload.org
        material = Material(upload.engagement, upload.org, "developer" if own else "agency")
        offer = Offer(material, upload.marking, upload.sealed, max(running.length, 1), upload.terms)
        taken: list[Taken] = []

        def beside(tx: Writing, kept: Artefact) -> None:
            if kept.digest != running.digest:
                raise Tampered("quarantine", "the upload changed between its check and the vault")
            entry = Taken(
                kept.id,
                upload.engagement,
                kept.digest,
                kept.size,
                upload.purpose,
                shown(upload.name),
                judged,
                ctx.now,
                ctx.principal.id,
            )
            marking, dealings = upload.marking, upload.engagement
            tx.put(entry.id, entry, marking=marking, engagement=dealings, org=upload.org)
            also(tx, entry)
            taken.append(entry)

        vaulting.deposit(ctx, offer, _pieces(file), beside)
    return taken[0]


class Running:
    """An upload as it comes in: its length and digest so far, against what may come."""

    def __init__(self, limits: Limits, declared: int | None, announced: str = "") -> None:
        self._limits, self._declared, self._announced = limits, declared, announced
        self._digest = sha256()
        self.length = 0

    @property
    def digest(self) -> str:
        """SHA-256 in hex of what came."""
        return self._digest.hexdigest()

    def fill(self, file: BinaryIO, chunks: Iterable[bytes]) -> None:
        """Write what comes to *file*.

        Raises: Invalid, at the first byte beyond the cap, for another length or digest than was announced, or
        for a sender that keeps the installation waiting.
        """
        cap = self._limits.upload_bytes
        if self._declared is not None:
            if not 0 <= self._declared <= cap:
                raise Invalid("upload", f"{self._declared} bytes declared; at most {cap} are taken")
            cap = self._declared
        began = time.monotonic()
        for chunk in chunks:
            self.length += len(chunk)
            if self.length > cap:
                kind = Invalid if self._declared is None else Hostile
                raise kind("upload", f"more than the {cap} bytes that it may have")
            self._digest.update(chunk)
            file.write(chunk)
            self._limits.require_pace(self.length, time.monotonic() - began)
        if self._declared is not None and self.length != self._declared:
            raise Invalid("upload", f"{self._declared} bytes declared, {self.length} came")
        if self._announced not in {"", self.digest}:
            raise Invalid(
                "digest", "the announced SHA-256 is of other bytes than came; send it again"
            )


def refused(ctx: Context, upload: Upload, running: Running, error: Invalid) -> None:
    """Record a refusal, and raise an alert where the shape serves an attack."""
    about = f"engagement/{upload.engagement}"
    with ctx.store.write() as tx:
        tx.record(
            ctx.act(
                Kind.ARTEFACT_REFUSED,
                about,
                upload.engagement,
                digest=running.digest,
                bytes=running.length,
                purpose=upload.purpose.value,
                problem=shown(error.problem),
            )
        )
    if isinstance(error, Hostile):
        told = f"an upload of {running.length} bytes was refused: {shown(error.problem)}"
        ctx.alarm("upload", about, told, engagement=upload.engagement)


def shown(text: str) -> str:
    """*text* as one short printable line; what a sender wrote may hold anything."""
    return ascii(text[:160])[1:-1]


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    while piece := file.read(CHUNK_BYTES):
        yield piece


def listed(ctx: Context) -> Sequence[Stored[Taken]]:
    """What was taken in, as far as the caller may read it."""
    given = Circumstances(ctx.now, assurance=ctx.assurance, suspended=ctx.suspended)
    visible = ctx.access.visible(ctx.principal, Action.ARTEFACT_READ, "artefact", given)
    with ctx.store.read() as view:
        return view.find(Taken, visible=visible)
