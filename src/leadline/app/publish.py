"""Publication: nothing is readable outside its parties until two persons published it.

Upheld here: what is published is one artefact, by digest; its very bytes are looked into when
publication is asked for and again right before the copy is made; every file of it stands on a list with
a largest size; the authorisation is an act that stands in the log, provably, before the copy exists; a
refusal is an act that names what was found, without repeating it.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from leadline.app import approval, log, vaulting
from leadline.app.context import Context
from leadline.app.intake import shown
from leadline.core.access import Action, Resource
from leadline.core.approval import Detail, Request
from leadline.core.errors import NotFound, Refused, Tampered, Unavailable
from leadline.core.intake import Taken
from leadline.core.marking import Marking, Tlp
from leadline.core.publication import Flaw, Published, check_listing
from leadline.core.record.act import Kind
from leadline.formats.canonical import encode
from leadline.formats.embedded import inspect

PUBLIC = Marking(Tlp.CLEAR)
PURPOSE = "publication"
FLAWS_TOLD = 20


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be published: an artefact, the files it may hold with their largest sizes.

    A list has one line for each file of an archive, or one for the file itself, by its name.
    *canaries* are strings that must not leave; nothing of them is recorded.
    """

    artefact: str
    listing: Mapping[str, int]
    canaries: Sequence[bytes] = field(default=(), repr=False)


def ask(ctx: Context, plan: Plan) -> Request:
    """Ask two others to publish an artefact, after looking into its bytes.

    Raises: NotFound; Denied, as reading or the publication would be; Refused, for what is sealed, and
    naming what was found after the refusal was recorded.
    """
    taken, resource = _about(ctx, plan.artefact)
    _check(ctx, taken, plan, resource)
    detail: dict[str, Detail] = {
        "digest": taken.digest,
        "bytes": taken.bytes,
        "name": taken.name,
        "listing": _listing_digest(plan),
    }
    return approval.ask(ctx, Action.ARTEFACT_PUBLISH, resource, detail)


def publish(ctx: Context, request_id: str, plan: Plan, folder: Path) -> Published:
    """Publish what was signed for: a copy in *folder* that anyone may read, named by its digest.

    Raises: NotFound; Denied, without two other approvers and the caller's own assertion; Refused, if
    the plan is not the one that was signed, the approvals were used, or the bytes have a flaw;
    Unavailable, if the authorisation cannot be proved yet.
    """
    granted = approval.granted(ctx, request_id)
    taken, resource = _about(ctx, plan.artefact)
    ctx.require(Action.ARTEFACT_PUBLISH, resource, granted)
    told = granted.request.detail
    if (told.get("digest"), told.get("listing")) != (taken.digest, _listing_digest(plan)):
        raise Refused("what was signed is another artefact or list; ask anew")
    data = _check(ctx, taken, plan, resource)
    authorised = ctx.act(
        Kind.PUBLICATION_AUTHORISED,
        f"artefact/{taken.id}",
        taken.engagement,
        request=granted.request.id,
        digest=taken.digest,
        listing=_listing_digest(plan),
        approvers=tuple(sorted(granted.approvers)),
    )
    with ctx.store.write() as tx:
        approval.use(tx, granted)
        tx.record(authorised)
    log.require_proof(ctx, authorised.id)
    _copy(folder, taken.digest, data)
    published = Published(
        ctx.new_id("published"),
        taken.id,
        taken.digest,
        taken.bytes,
        taken.name,
        authorised.id,
        ctx.now,
    )
    with ctx.store.write() as tx:
        tx.put(published.id, published, marking=PUBLIC)
        tx.record(
            ctx.act(
                Kind.ARTEFACT_PUBLISHED,
                f"artefact/{taken.id}",
                taken.engagement,
                digest=taken.digest,
                published=published.id,
                authorised=authorised.id,
            )
        )
    return published


def _about(ctx: Context, artefact_id: str) -> tuple[Taken, Resource]:
    """The artefact, and as what access rules see it."""
    with ctx.store.read() as view:
        row = view.get(Taken, artefact_id)
    resource = Resource("artefact", row.id, row.engagement, row.org, marking=row.marking)
    return row.value, resource


def _listing_digest(plan: Plan) -> str:
    return sha256(encode(dict(plan.listing))).hexdigest()


def _check(ctx: Context, taken: Taken, plan: Plan, resource: Resource) -> bytes:
    """The bytes, if nothing was found in them."""
    with vaulting.read(ctx, taken.id, PURPOSE) as file:
        data = file.read()
    found = inspect(taken.name, data, plan.canaries)
    flaws = (*check_listing(found.files, plan.listing), *found.flaws)
    if not flaws:
        return data
    with ctx.store.write() as tx:
        tx.record(
            ctx.act(
                Kind.PUBLICATION_REFUSED,
                f"{resource.kind}/{resource.id}",
                resource.engagement,
                digest=taken.digest,
                found=len(flaws),
                flaws=tuple(
                    {"rule": flaw.rule, "where": shown(flaw.where), "why": flaw.why}
                    for flaw in flaws[:FLAWS_TOLD]
                ),
            )
        )
    if any(flaw.rule in {"canary", "secret"} for flaw in flaws):
        told = f"publication of {resource.id} was asked for with a secret or canary in it"
        ctx.alarm("publication", f"artefact/{resource.id}", told, engagement=resource.engagement)
    raise Refused(words(flaws))


def words(flaws: Sequence[Flaw]) -> str:
    """What was found, in one sentence; the rest is counted."""
    told = "; ".join(f"{shown(flaw.where)}: {flaw.rule}: {flaw.why}" for flaw in flaws[:FLAWS_TOLD])
    more = f"; and {len(flaws) - FLAWS_TOLD} more" if len(flaws) > FLAWS_TOLD else ""
    return f"not published: {told}{more}"


def _copy(folder: Path, digest: str, data: bytes) -> None:
    """The file appears whole, readable by all, and never replaces another."""
    try:
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        new = folder / f".{digest}.new"
        with new.open("wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        new.chmod(0o644)
        new.replace(folder / digest)
    except OSError as error:
        raise Unavailable(f"the public folder cannot be written: {error.strerror}") from error


def fetch(ctx: Context, folder: Path, digest: str) -> bytes:
    """A published artefact, for anyone. What was not published is not there.

    Raises: NotFound; Tampered, if the copy has other bytes.
    """
    with ctx.store.read() as view:
        rows = [row for row in view.find(Published) if row.value.digest == digest]
    if not rows:
        raise NotFound(f"nothing is published under {shown(digest)}")
    row = rows[0]
    ctx.require(Action.ARTEFACT_READ, Resource("artefact", row.id, marking=row.marking))
    data = _bytes(folder / digest)
    if sha256(data).hexdigest() != digest:
        raise Tampered(f"published {digest}", "the copy has other bytes; publish it again")
    return data


def _bytes(place: Path) -> bytes:
    try:
        with open(place, "rb", opener=_unlinked) as file:
            return file.read()
    except OSError as error:
        raise NotFound(f"the copy {place.name} is gone: {error.strerror}") from error


def _unlinked(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW)
