"""Cases that go from one coordinator's installation to another's, and back, as signed parcels of a few files.

Upheld here: a person sends, nothing here does; credits, origins, embargo terms and unknown fields stay as the
first hop wrote them, to the byte; each hop seals its entry; a parcel whose chain was shortened, whose credit
changed or whose terms are looser is refused, with an alert; a case that came in twice is one case; nothing that
comes in changes a verdict, a state or a finding here. What consolidation upstream claims is a hint.

A hop that hides another of which nobody later knows cannot be found out; whoever handled the case before can.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from leadline.app import cases
from leadline.app.context import Context
from leadline.app.feed_verify import signed_text
from leadline.app.ports import Reading, Writing
from leadline.core.access import Action, Bounds, Resource
from leadline.core.clearing.case import Affected, Standing
from leadline.core.clearing.case_file import CaseFile
from leadline.core.clearing.disclosure import Role
from leadline.core.clearing.finding import Finding
from leadline.core.clearing.handover import Handover, continues
from leadline.core.errors import Invalid, NotFound, Refused, Stale, Tampered
from leadline.core.marking import Marking, Tlp
from leadline.core.record.act import Kind, instant
from leadline.formats import magpie, manifest, note, vince
from leadline.formats.magpie import Block, Hop
from leadline.formats.vince import ForeignCase, Vendor, VendorStatus, Vulnerability

BLOCK, CASE = "relay.json", "case.json"
PARCEL = "leadline/parcel/v1"
RECEIPT = "leadline/handling/v1"
MARKING = Marking(Tlp.RED)
TOLD_MAX = 300
_STATUS = {
    Affected.AFFECTED: VendorStatus.AFFECTED,
    Affected.NOT_AFFECTED: VendorStatus.NOT_AFFECTED,
    Affected.CLAIMED: VendorStatus.CLAIMED,
    Affected.UNKNOWN: VendorStatus.UNKNOWN,
    Affected.UNSAID: VendorStatus.NO_ANSWER,
}
UNNAMED = "a finder who is not named"
_SENT_TERMS = "Relayed as they are; nobody along the way renegotiates them."


@dataclass(frozen=True, slots=True)
class Came:
    """A case that came in. *receipt* is the signed note to send back: the id it is handled under here.

    *fresh* says that it was not here before; *unverified* counts hops whose seal no key here verifies.
    """

    case: str
    relay: str
    receipt: bytes
    fresh: bool
    unverified: int


def export_case(ctx: Context, case_id: str, *, origin: str = "") -> dict[str, bytes]:
    """The files of a parcel with one case, its chain grown by this installation; a person sends them.

    A case that came in goes on with its own block. A case of this installation gets a new one, whose
    origin is *origin*, an address at which the case can be asked about.

    Raises: Denied; NotFound, for no such case; Refused, once it is closed.
    """
    ctx.require(Action.CASE_RELAY, cases.inner(case_id))
    with ctx.store.read() as view:
        stands = cases.standing_in(view, case_id)
        file = view.get(CaseFile, case_id).value
        held = _handovers(view, case_id)
        findings = [view.get(Finding, one).value for one in stands.findings]
    if stands.closed_at is not None:
        raise Refused(f"{case_id} is closed; nothing of it is relayed any more")
    if held:
        last = held[-1]
        block = magpie.parse(ctx.vault.get(last.block))
        came = vince.parse(ctx.vault.get(last.content)) if last.content else None
    else:
        block, came = _first(ctx, stands, file, findings, origin), None
    told = _told(case_id, stands, file, findings, block, came)
    block = _grown(ctx, block, case_id)
    parts = {BLOCK: block.data, CASE: vince.render(told)}
    return _signed(ctx, case_id, block, parts)


def _signed(
    ctx: Context, case_id: str, block: Block, parts: Mapping[str, bytes]
) -> dict[str, bytes]:
    listing = manifest.encode(
        {path: manifest.File(sha256(data).hexdigest(), len(data)) for path, data in parts.items()}
    )
    digest = manifest.digest(listing)
    signed = ctx.signer.sign(f"{PARCEL}\n{block.id}\n{digest}\n").encode()
    out = _handover(ctx, case_id, block, _sealed(ctx, parts), received=False)
    with ctx.store.write() as tx:
        tx.put(out.id, out, marking=MARKING, bounds=Bounds(case=case_id))
        tx.record(
            ctx.act(
                Kind.CASE_RELAYED,
                case_id,
                "",
                relay=sha256(block.id.encode()).hexdigest(),
                manifest=digest,
                frozen=out.frozen,
                hops=len(out.chain),
            )
        )
    return {**parts, manifest.MANIFEST: listing, manifest.STATEMENT: signed}


def receive_case(
    ctx: Context, parcel: Mapping[str, bytes], vkeys: str, *, policy: str, title: str = ""
) -> Came:
    """Take in a parcel: open a case here under the terms it came with, or find the one it is already.

    *vkeys* are the sender's keys, got apart from the parcel; keys of earlier hops among them verify those
    hops' seals. *policy* is the disclosure policy here; the embargo that came along holds whatever it says.

    Raises: Denied; Stale, if it came twice at once; Tampered, after an alert, if signature, chain, credit or
    terms do not hold; Invalid, for a policy that there is not; Refused, for a parcel of nothing, or for a
    policy without an embargo where the case came under one.
    """
    ctx.require(Action.CASE_RELAY, Resource("case", "new", marking=cases.CASE, case=cases.INTAKE))
    under = cases.chosen(policy)
    try:
        block, told, digest, unverified = _verified(ctx, parcel, vkeys)
        with ctx.store.read() as view:
            before = [row.value for row in view.find(Handover) if row.value.relay == block.id]
        for one in before:
            continues(one, block.frozen, block.chain)
    except Tampered as error:
        what = f"a parcel with a case does not verify: {manifest.shown(str(error))}"
        ctx.alarm("relay", "case/parcel", what[:TOLD_MAX])
        raise
    known = next((one.case for one in before), "")
    if any(one.received and one.chain == block.chain for one in before):
        return Came(
            known, block.id, _receipt(ctx, block, known), fresh=False, unverified=unverified
        )
    running = block.tlp is Tlp.RED or (block.until is not None and block.until > ctx.now)
    if running and not known and not under.embargo:
        raise Refused(f"it came as a secret, and {under.id} keeps none; choose another text")
    kept = _sealed(ctx, parcel)

    def enter(tx: Writing, case_id: str) -> None:
        if not known and any(row.value.relay == block.id for row in tx.find(Handover)):
            raise Stale("the same case was taken in meanwhile; receive it again to find it")
        _enter(ctx, tx, _handover(ctx, case_id, block, kept, received=True), block, digest)
        # A case that is new here is under the embargo it came with from its first moment.
        if block.until is not None and block.until > ctx.now and not known:
            until, relay = instant(block.until), sha256(block.id.encode()).hexdigest()
            tx.record(ctx.act(Kind.EMBARGO_BEGUN, case_id, "", until=until, relay=relay))

    if known:
        with ctx.store.write() as tx:
            enter(tx, known)
    case_id = known or cases.open_case(
        ctx, (), title=title or told.title, policy=policy, beside=enter
    )
    receipt = _receipt(ctx, block, case_id)
    return Came(case_id, block.id, receipt, fresh=not known, unverified=unverified)


def _enter(ctx: Context, tx: Writing, held: Handover, block: Block, digest: str) -> None:
    tx.put(held.id, held, marking=MARKING, bounds=Bounds(case=held.case))
    tx.record(
        ctx.act(
            Kind.CASE_RECEIVED,
            held.case,
            "",
            relay=sha256(block.id.encode()).hexdigest(),
            manifest=digest,
            frozen=held.frozen,
            hops=len(held.chain),
            claims=block.claims,
        )
    )


def returned(ctx: Context, case_id: str, data: bytes, vkeys: str) -> str:
    """Put on record the id under which the next hop handles a case; answers that id.

    Raises: Denied; Tampered, if no key of *vkeys* signed it; Refused, if it is of another case; NotFound, if
    this case was never relayed.
    """
    ctx.require(Action.CASE_RELAY, cases.inner(case_id))
    text, keys = signed_text("receipt", data, vkeys)
    header, relay, frozen, handling = (*text.removesuffix("\n").split("\n"), "", "", "", "")[:4]
    if header != RECEIPT or not handling:
        raise Tampered("receipt", f"`{RECEIPT}`, relay, digest and an id are due")
    with ctx.store.write() as tx:
        held = [one for one in _handovers(tx, case_id) if not one.received]
        if not held:
            raise NotFound(f"{case_id} was never relayed")
        if (held[-1].relay, held[-1].frozen) != (relay, frozen):
            raise Refused("the receipt is of another case")
        if handling not in held[-1].ids:
            row = tx.get(Handover, held[-1].id)
            value = replace(held[-1], ids=(*held[-1].ids, handling))
            tx.put(row.id, value, marking=row.marking, bounds=row.bounds, expect=row.version)
            told = {"handled": sha256(handling.encode()).hexdigest(), "by": keys[0]}
            tx.record(ctx.act(Kind.CASE_RELAYED, case_id, "", **told))
    return handling


def passings(ctx: Context, case_id: str) -> tuple[Handover, ...]:
    """How a case went from hop to hop, as far as this installation knows.

    Raises: Denied, for a case that is not there too.
    """
    ctx.require(Action.CASE_READ, cases.inner(case_id))
    with ctx.store.read() as view:
        return tuple(_handovers(view, case_id))


def _verified(
    ctx: Context, parcel: Mapping[str, bytes], vkeys: str
) -> tuple[Block, ForeignCase, str, int]:
    """Block and content of a parcel that its sender signed, the manifest's digest, unverified seals.

    Raises: Tampered; Invalid.
    """
    text = _signed_by_one(parcel.get(manifest.STATEMENT, b""), vkeys)
    listing = parcel.get(manifest.MANIFEST, b"")
    header, relay, digest = (*text.removesuffix("\n").split("\n"), "", "", "")[:3]
    if header != PARCEL or manifest.digest(listing) != digest:
        raise Tampered(manifest.MANIFEST, "not the manifest of a parcel that the sender signed")
    named = manifest.decode(listing)
    present = parcel.keys() - {manifest.STATEMENT, manifest.MANIFEST}
    if present != named.keys() or named.keys() != {BLOCK, CASE}:
        raise Tampered("parcel", f"{BLOCK} and {CASE} are due, and nothing else")
    for path, file in named.items():
        if (file.sha256, file.bytes) != (sha256(parcel[path]).hexdigest(), len(parcel[path])):
            raise Tampered(path, "not the file that the manifest names")
    block, told = magpie.parse(parcel[BLOCK]), vince.parse(parcel[CASE], CASE)
    if block.id != relay:
        raise Tampered(BLOCK, "other provenance than the sender signed for")
    if told.tlp.strictness < block.tlp.strictness:
        raise Tampered(CASE, f"marked {told.tlp}, while its terms say {block.tlp}")
    if block.until is not None and told.due is not None and told.due < block.until:
        raise Tampered(CASE, "becomes public before the date that it came with")
    return block, told, digest, _check_seals(ctx, block, vkeys)


def _signed_by_one(signed: bytes, vkeys: str) -> str:
    """The text that one of the keys signed: the sender is one of those whose keys were given.

    Raises: Tampered.
    """
    problem = "no signature"
    for key in note.parse_vkeys(vkeys):
        try:
            return signed_text(manifest.STATEMENT, signed, f"{key.line}\n")[0]
        except (Tampered, Invalid) as error:
            problem = error.problem
    raise Tampered(manifest.STATEMENT, problem)


def _check_seals(ctx: Context, block: Block, vkeys: str) -> int:
    """How many entries no key verifies; a seal by a known key that does not hold is refused.

    A hop that hands a case on seals its entry, so the last one is sealed by a known key.
    """
    keys = (*note.parse_vkeys(vkeys), *note.parse_vkeys(ctx.signer.vkeys()))
    verified = [_sealed_by(block, place, keys) for place in range(len(block.hops))]
    if not verified or not verified[-1]:
        raise Tampered(magpie.CHAIN, "the last entry is not sealed by whoever sent the parcel")
    return verified.count(False)


def _sealed_by(block: Block, place: int, keys: tuple[note.VerifierKey, ...]) -> bool:
    hop = block.hops[place]
    if not hop.seal:
        return False
    try:
        signatures = note.parse(hop.seal.encode()).signatures
    except Invalid as error:
        raise Tampered(f"{magpie.CHAIN}/{place}", f"a seal that is no note: {error}") from error
    known = [key for key in keys if any(one.by(key) for one in signatures)]
    for key in known:
        text, _ = signed_text(f"{magpie.CHAIN}/{place}", hop.seal.encode(), f"{key.line}\n")
        if text != block.sealed(place):
            told = "credit, origin, terms, another field or the chain changed after this hop"
            raise Tampered(f"{magpie.CHAIN}/{place}", told)
    return bool(known)


def _first(
    ctx: Context, stands: Standing, file: CaseFile, findings: list[Finding], origin: str
) -> Block:
    """A new block: whoever found it in the words it is credited with, and the terms as they stand."""
    named = {one.party for one in stands.credits}
    parties = [file.party(one.id) for one in stands.present if one.role is Role.FINDER]
    credits_: list[magpie.Json] = [
        {"name": (one.credit or one.name) if one.id in named else UNNAMED, "type": "finder"}
        for one in parties
    ]
    if any(one.origin == "ai" for one in findings):
        credits_.append({"name": "an AI system", "type": "tool", "label": "ai-found"})
    secret = stands.embargoed(ctx.now)
    terms = magpie.Terms(
        stands.public_at if secret else None,
        Tlp.RED if secret else Tlp.AMBER_STRICT,
        _SENT_TERMS if secret else "",
    )
    return magpie.first(ctx.new_id("relay"), credits_, [origin] if origin else [], terms)


def _grown(ctx: Context, block: Block, case_id: str) -> Block:
    """The block with this installation's sealed entry at its end."""
    hop = Hop(ctx.principal.org, "coordinator", instant(ctx.now), case_id)
    before = block.chain[-1] if block.chain else sha256(b"").hexdigest()
    seal = ctx.signer.sign(magpie.seal_text(block.frozen, before, hop))
    return magpie.appended(block, replace(hop, seal=seal))


def _told(
    case_id: str,
    stands: Standing,
    file: CaseFile,
    findings: list[Finding],
    block: Block,
    came: ForeignCase | None,
) -> ForeignCase:
    """The case in words, without any proof: what came, and what parties here have said since."""
    said = {
        file.party(one.id).name: Vendor(
            file.party(one.id).name, _STATUS[one.affected], one.justification
        )
        for one in stands.present
        if one.vendor
    }
    for one in came.vendors if came else ():
        held = said.get(one.name)
        if held is None or held.status is VendorStatus.NO_ANSWER:
            said[one.name] = one
    own = [
        Vulnerability(
            one.title,
            next((name for name in one.ids if name.startswith("CVE-")), ""),
            one.purl,
            one.cwe,
            one.origin if one.origin in {"ai", "tool"} else "",
        )
        for one in findings
    ]
    earlier = came.vulnerabilities if came else ()
    return ForeignCase(
        title=came.title if came else file.title,
        summary=came.summary if came else "",
        ids=tuple(dict.fromkeys((*(came.ids if came else ()), *file.foreign, case_id))),
        tlp=block.tlp,
        due=block.until,
        vulnerabilities=tuple(dict.fromkeys((*earlier, *own))),
        vendors=tuple(said.values()),
    )


def _sealed(ctx: Context, parts: Mapping[str, bytes]) -> tuple[str, ...]:
    """Block and case as they came, in the vault; their digests."""
    return tuple(ctx.vault.put(parts[name], marking=MARKING) for name in (BLOCK, CASE))


def _handover(
    ctx: Context, case_id: str, block: Block, kept: Sequence[str], *, received: bool
) -> Handover:
    return Handover(
        id=ctx.new_id("handover"),
        case=case_id,
        relay=block.id,
        received=received,
        frozen=block.frozen,
        chain=block.chain,
        block=kept[0],
        content=kept[1],
        tlp=block.tlp,
        at=ctx.now,
        until=block.until,
        ids=tuple(hop.handling_id for hop in block.hops if hop.handling_id),
    )


def _handovers(view: Reading, case_id: str) -> list[Handover]:
    """In the order in which they happened."""
    found = [row.value for row in view.find(Handover) if row.value.case == case_id]
    return sorted(found, key=lambda one: (one.at, len(one.chain), one.id))


def _receipt(ctx: Context, block: Block, case_id: str) -> bytes:
    """The id under which a case is handled here, signed; a reference, and access to nothing."""
    return ctx.signer.sign(f"{RECEIPT}\n{block.id}\n{block.frozen}\n{case_id}\n").encode()
