"""Receiving, reading, unsealing, rotating, holding and shredding what the vault keeps.

Each reading names its purpose: what the developer owns is read under terms that cover it, and the act
carries their digest. Reading sealed material adds power: it waits for two approvers, the requester's own assertion and a
proof, and the key service verifies all of it again by itself. Ending access takes power away: it waits
for nothing. Destruction is refused where an authority says that a thing is kept.
"""

import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from typing import BinaryIO

from leadline.app import approval, log, terms
from leadline.app.context import Context
from leadline.app.log import Quorum
from leadline.app.ports import KeyStore, Reading, Release, Stored, Writing
from leadline.app.revocable import Revocable
from leadline.core.access import Action, Resource
from leadline.core.approval import Approval, Granted, Request
from leadline.core.errors import NotFound, Refused, Tampered
from leadline.core.marking import Marking, Tlp
from leadline.core.record.act import Kind, Value
from leadline.core.vaulting import (
    Artefact,
    Basis,
    Decryption,
    Hold,
    Owner,
    Protection,
    Shredding,
    kept,
    placed,
)
from leadline.formats.canonical import encode

PARTIES = Marking(Tlp.AMBER_STRICT)
PIECE_BYTES = 1 << 20
OPENINGS = (Kind.ARTEFACT_UNSEALED, Kind.PACK_UNSEALED)


@dataclass(frozen=True, slots=True)
class Material:
    """Whose material of which engagement. *org* is the developer whose engagement it is."""

    engagement: str
    org: str
    owner: Owner

    def resource(self) -> Resource:
        """The thing that access rules are asked about."""
        return Resource("engagement", self.engagement, self.engagement, self.org, PARTIES)


@dataclass(frozen=True, slots=True)
class Offer:
    """How a thing is to be taken in. *terms* is the digest of the terms it comes under."""

    material: Material
    marking: Marking
    sealed: bool
    bytes_max: int
    terms: str = ""


def deposit(
    ctx: Context,
    offer: Offer,
    chunks: Iterable[bytes],
    beside: Callable[[Writing, Artefact], None] = lambda _tx, _artefact: None,
) -> Artefact:
    """Take a thing in, encrypted as it comes. *beside* writes what else is known in its transaction.

    Raises: Invalid, if more than agreed comes; Refused, once the engagement was withdrawn.
    """
    about, id_ = offer.material, ctx.new_id("artefact")
    resource = Resource("artefact", id_, about.engagement, about.org, offer.marking)
    ctx.require(Action.ARTEFACT_DEPOSIT, resource)
    with ctx.store.read() as view:
        require_going_on(view, about.engagement)
    taken = ctx.vault.receive(
        chunks,
        marking=offer.marking,
        engagement=about.engagement,
        owner=about.owner,
        sealed=offer.sealed,
        terms=offer.terms,
        bytes_max=offer.bytes_max,
    )
    artefact = Artefact(
        id_,
        taken.digest,
        taken.size,
        about.engagement,
        about.org,
        about.owner,
        Protection.SEALED if offer.sealed else Protection.WORKING,
        offer.terms,
        ctx.now,
        ctx.principal.id,
    )
    with ctx.store.write() as tx:
        require_going_on(tx, about.engagement)
        tx.put(id_, artefact, marking=offer.marking, engagement=about.engagement, org=about.org)
        beside(tx, artefact)
        tx.record(
            ctx.act(
                Kind.ARTEFACT_RECEIVED,
                id_,
                about.engagement,
                digest=artefact.digest,
                bytes=artefact.size,
                owner=artefact.owner,
                protection=artefact.protection.value,
                terms=artefact.terms,
            )
        )
    return artefact


@contextmanager
def read(ctx: Context, artefact_id: str, purpose: str) -> Iterator[BinaryIO]:
    """Working content of an artefact; that it was read is recorded before a byte is handed out.

    The developer's stops being readable, open or not, at its withdrawal.

    Raises: NotFound; Refused, for what is sealed, and, recorded, for what the terms do not cover.
    """
    row, resource = _artefact(ctx, artefact_id)
    ctx.require(Action.ARTEFACT_READ, resource)
    under = _covered(ctx, row, purpose)
    with _opened(ctx, row) as file:
        with ctx.store.write() as tx:
            require_going_on(tx, row.engagement, row.value.owner)
            digest = row.value.digest
            tx.record(ctx.act(Kind.ARTEFACT_READ, row.id, row.engagement, digest=digest, **under))
        ended = partial(_over, ctx, row.engagement, row.value.owner)
        yield io.BufferedReader(Revocable(file, ended, digest), PIECE_BYTES)


def ask_unsealing(ctx: Context, artefact_id: str, purpose: str) -> Request:
    """Ask that a sealed artefact be opened once; two others and the requester sign what this answers.

    Raises: NotFound; Denied; Refused, recorded, for a purpose that the terms do not cover.
    """
    row, resource = _artefact(ctx, artefact_id)
    detail = {"digest": row.value.digest, "owner": row.value.owner, "purpose": purpose}
    asked = approval.ask(ctx, Action.ARTEFACT_UNSEAL, resource, detail)
    _covered(ctx, row, purpose)
    return asked


@contextmanager
def unseal(ctx: Context, request_id: str, quorum: Quorum = log.UNSEALING) -> Iterator[BinaryIO]:
    """The plaintext that a signed request is about, once.

    The authorisation is an act, the act is proved, the key service verifies signatures and proof, and
    the opening is an act before a byte is handed out. What goes wrong after the signatures counted is
    an alert.

    Raises: Denied; Refused; Tampered; Unavailable, while the log cannot be proved.
    """
    granted = approval.granted(ctx, request_id)
    row, resource = _artefact(ctx, granted.request.resource)
    ctx.require(Action.ARTEFACT_UNSEAL, resource, granted)
    under = _covered(ctx, row, str(granted.request.detail.get("purpose", "")))
    proved = log.require_proof(ctx, _authorise(ctx, row, granted), quorum)
    release = Release(granted.request, _signatures(ctx, granted.request), proved)
    with _opened(ctx, row, release) as file:
        with ctx.store.write() as tx:
            require_going_on(tx, row.engagement, row.value.owner)
            tx.record(
                ctx.act(
                    Kind.ARTEFACT_UNSEALED,
                    row.id,
                    row.engagement,
                    digest=row.value.digest,
                    request=request_id,
                    approvers=tuple(sorted(granted.approvers)),
                    **under,
                )
            )
        yield file


def _covered(ctx: Context, row: Stored[Artefact], purpose: str) -> Mapping[str, Value]:
    """What the act of a reading carries, once the terms cover it.

    The agency's own material comes under no terms; its purpose is one of the vocabulary all the same.
    """
    developers = row.value.owner == "developer"
    whose = row.org if developers else ctx.principal.org
    found = terms.covered(ctx, row.engagement, whose, purpose=purpose, what=f"artefact/{row.id}")
    return {"purpose": found.purpose, **({"terms": found.terms} if developers else {})}


def _authorise(ctx: Context, row: Stored[Artefact], granted: Granted) -> str:
    """The act that everything after rests on; the request is used up in the same transaction."""
    act = ctx.act(
        Kind.UNSEALING_AUTHORISED,
        row.id,
        row.engagement,
        request=granted.request.id,
        challenge=approval.challenge(granted.request).hex(),
        digest=row.value.digest,
        approvers=tuple(sorted(granted.approvers)),
    )
    with ctx.store.write() as tx:
        require_going_on(tx, row.engagement, row.value.owner)
        approval.use(tx, granted)
        tx.record(act)
    return act.id


def _signatures(ctx: Context, request: Request) -> tuple[Approval, ...]:
    with ctx.store.read() as view:
        rows = view.find(Approval, engagement=request.engagement)
    return tuple(row.value for row in rows if row.value.request == request.id)


@contextmanager
def _opened(
    ctx: Context, row: Stored[Artefact], release: Release | None = None
) -> Iterator[BinaryIO]:
    """The file in quarantine; a refusal to open it, or a seal that does not hold, is an alert."""
    with ExitStack() as open_:
        try:
            file = open_.enter_context(ctx.vault.open(row.value.digest, release))
        except (NotFound, Refused, Tampered) as error:
            told = f"an artefact did not open: {error.code}"
            ctx.alarm("vault", f"artefact/{row.id}", told, engagement=row.engagement)
            raise
        yield file


def rotate(ctx: Context, keys: KeyStore, material: Material) -> int:
    """Begin a new epoch and move every data key to it; answers the epoch.

    Persons removed keep what they already opened: the act says so. Ciphertext stays as it is.

    Raises: Refused, if the clock went back or the keys were destroyed.
    """
    ctx.require(Action.KEY_ROTATE, material.resource())
    epoch = keys.rotate(material.engagement, material.owner)
    moved = ctx.vault.rewrap(material.engagement, material.owner)
    with ctx.store.write() as tx:
        tx.record(
            ctx.act(
                Kind.KEY_ROTATED,
                material.engagement,
                material.engagement,
                owner=material.owner,
                epoch=epoch,
                moved=moved,
                note="whoever opened something before keeps it",
            )
        )
    return epoch


def end_access(ctx: Context, keys: KeyStore, material: Material) -> tuple[Decryption, ...]:
    """After a withdrawal: nothing of the developer's opens any more, what is open stops reading.

    Answers every opening there was. It waits for nothing.
    """
    ctx.require(Action.ENGAGEMENT_WITHDRAW, material.resource())
    keys.end(material.engagement, "developer")
    with ctx.store.read() as view:
        return _decryptions(view, material.engagement)


def decryptions(ctx: Context, material: Material) -> tuple[Decryption, ...]:
    """Every recorded opening of sealed material of an engagement, in log order."""
    ctx.require(Action.RECORD_READ, material.resource())
    with ctx.store.read() as view:
        return _decryptions(view, material.engagement)


def attest(ctx: Context, keys: KeyStore, material: Material) -> str:
    """What the key's driver says of it. Raises: NotFound, if no key was made yet."""
    ctx.require(Action.RECORD_READ, material.resource())
    return keys.attest(material.engagement, material.owner)


def place_hold(ctx: Context, material: Material, hold: Hold) -> Hold:
    """Enter that an authority wants material kept; *hold* has *material*'s engagement.

    Raises: Invalid, as `leadline.core.vaulting.placed`.
    """
    ctx.require(Action.HOLD_PLACE, material.resource())
    entered = placed(
        replace(
            hold,
            id=ctx.new_id("hold"),
            engagement=material.engagement,
            placed=ctx.now,
            by=ctx.principal.id,
            lifted=None,
            lifted_by="",
        )
    )
    with ctx.store.write() as tx:
        tx.put(
            entered.id,
            entered,
            marking=PARTIES,
            engagement=material.engagement,
            org=material.org,
        )
        tx.record(
            ctx.act(
                Kind.HOLD_PLACED,
                entered.id,
                material.engagement,
                basis=entered.basis.value,
                authority=entered.authority,
                owner=entered.owner or "both",
                until=entered.until.isoformat() if entered.until else None,
            )
        )
    return entered


def lift_hold(ctx: Context, material: Material, hold_id: str, authority: str) -> Hold:
    """Enter that a hold no longer stands; *authority* says by whose word.

    Raises: NotFound; Refused, if it was lifted already, or is a records schedule, which runs out.
    """
    ctx.require(Action.HOLD_LIFT, material.resource())
    with ctx.store.write() as tx:
        row = tx.get(Hold, hold_id)
        if row.value.lifted is not None or row.value.basis is not Basis.LEGAL_HOLD:
            raise Refused(f"{hold_id} is no legal hold that stands; a records schedule runs out")
        lifted = replace(row.value, lifted=ctx.now, lifted_by=ctx.principal.id)
        tx.put(
            row.id,
            lifted,
            marking=row.marking,
            engagement=row.engagement,
            org=row.org,
            expect=row.version,
        )
        tx.record(ctx.act(Kind.HOLD_LIFTED, hold_id, row.engagement, authority=authority))
    return lifted


def holds(ctx: Context, material: Material) -> tuple[Hold, ...]:
    """Every hold of an engagement, lifted ones included."""
    ctx.require(Action.RECORD_READ, material.resource())
    with ctx.store.read() as view:
        return tuple(row.value for row in view.find(Hold, engagement=material.engagement))


def ask_shredding(ctx: Context, material: Material, reason: str) -> Request:
    """Ask that one owner's material be destroyed; two others sign what this answers.

    A developer needs no request for its own material.
    """
    detail = {"owner": material.owner, "reason": reason}
    return approval.ask(ctx, Action.ARTEFACT_SHRED, material.resource(), detail)


def shred(ctx: Context, keys: KeyStore, material: Material, request_id: str = "") -> Shredding:
    """Destroy one owner's keys and ciphertext; the other's stay. The answer is the receipt.

    What was begun and interrupted is finished by the next call.

    Raises: Denied; Refused, naming every authority that wants it kept.
    """
    granted = approval.granted(ctx, request_id) if request_id else None
    _fits(granted, material)
    ctx.require(Action.ARTEFACT_SHRED, material.resource(), granted)
    begun = _begin(ctx, material, granted)
    if begun.ended is not None:
        return begun
    before = ctx.vault.holdings(material.engagement)
    keys.end(material.engagement, material.owner)
    destroyed = keys.destroy(material.engagement, material.owner, authority=request_id or begun.id)
    ctx.vault.erase(material.engagement, material.owner)
    gone = {*begun.digests, *(one.digest for one in before if one.owner == material.owner)}
    done = replace(
        begun,
        digests=tuple(sorted(gone)),
        destroyed=tuple(destroyed),
        kept=sum(one.owner != material.owner for one in before),
        ended=ctx.now,
    )
    with ctx.store.write() as tx:
        row = tx.get(Shredding, begun.id)
        tx.put(
            row.id,
            done,
            marking=PARTIES,
            engagement=row.engagement,
            org=row.org,
            expect=row.version,
        )
        tx.record(
            ctx.act(
                Kind.MATERIAL_SHREDDED,
                begun.id,
                material.engagement,
                owner=material.owner,
                keys=tuple(one.compartment for one in done.destroyed),
                driver=", ".join(sorted({one.driver for one in done.destroyed})),
                approvers=done.approvers,
                things=len(done.digests),
                digests=sha256(encode(done.digests)).hexdigest(),
                decryptions=tuple(one.act for one in done.decryptions),
                backups=done.backups,
                key_copies=done.key_copies,
                statement=done.statement,
            )
        )
    return done


def _fits(granted: Granted | None, material: Material) -> None:
    if granted is not None and granted.request.detail.get("owner") != material.owner:
        raise Refused(f"request {granted.request.id} is not for the {material.owner}'s material")


def _begin(ctx: Context, material: Material, granted: Granted | None) -> Shredding:
    """What was begun before, or a new one; a hold that stands is entered and refused."""
    with ctx.store.write() as tx:
        reasons = kept(
            material.owner,
            (row.value for row in tx.find(Hold, engagement=material.engagement)),
            ctx.now,
        )
        if material.owner == "agency" and granted is None:
            reasons = ("agency records are destroyed on a request that two others signed", *reasons)
        found = [
            row.value
            for row in tx.find(Shredding, engagement=material.engagement)
            if row.value.owner == material.owner
        ]
        if reasons and not found:
            tx.record(
                ctx.act(
                    Kind.SHREDDING_REFUSED,
                    material.engagement,
                    material.engagement,
                    owner=material.owner,
                    reasons=reasons,
                )
            )
        elif not found:
            if granted is not None:
                approval.use(tx, granted)
            found = [_planned(tx, ctx, material, granted)]
            tx.put(
                found[0].id,
                found[0],
                marking=PARTIES,
                engagement=material.engagement,
                org=material.org,
            )
    if not found:
        raise Refused(f"nothing was destroyed; it is kept: {'; '.join(reasons)}")
    return found[0]


def _planned(view: Reading, ctx: Context, material: Material, granted: Granted | None) -> Shredding:
    made = view.acts(kind=Kind.BACKUP_MADE)
    return Shredding(
        ctx.new_id("shredding"),
        material.engagement,
        material.org,
        material.owner,
        ctx.now,
        ctx.principal.id,
        tuple(sorted(granted.approvers)) if granted else (),
        decryptions=_decryptions(view, material.engagement),
        backups=tuple(one.act.about for one in made),
        key_copies=tuple(one.act.about for one in made if one.act.detail.get("keys") is True),
    )


def _decryptions(view: Reading, engagement: str) -> tuple[Decryption, ...]:
    acts = [one.act for one in view.acts(engagement=engagement) if one.act.kind in OPENINGS]
    return tuple(
        Decryption(act.id, act.at, act.actor, str(act.detail.get("digest", act.about)))
        for act in acts
    )


def _artefact(ctx: Context, id_: str) -> tuple[Stored[Artefact], Resource]:
    with ctx.store.read() as view:
        row = view.get(Artefact, id_)
    return row, Resource("artefact", row.id, row.engagement, row.org, row.marking)


def _over(ctx: Context, engagement: str, owner: Owner) -> bool:
    """Whether this is the developer's material and the developer has withdrawn."""
    with ctx.store.read() as view:
        return withdrawn(view, engagement, owner)


def withdrawn(view: Reading, engagement: str, owner: Owner = "developer") -> bool:
    """Whether this is the developer's material and the developer has withdrawn."""
    acts = view.acts(engagement=engagement, kind=Kind.ENGAGEMENT_WITHDRAWN)
    return owner == "developer" and bool(acts)


def require_going_on(view: Reading, engagement: str, owner: Owner = "developer") -> None:
    """Raises: Refused, for the developer's material once the developer has withdrawn."""
    if withdrawn(view, engagement, owner):
        raise Refused(f"{engagement} was withdrawn; access to the developer's material has ended")
