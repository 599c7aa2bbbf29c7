"""Evidence that leaves: a signed folder with its chain of custody, and what people then do with it.

An export is a bundle like any other, so that the same offline verifier reads it: the log, the acts of
one engagement opened, the evidence byte for byte, and who held it. What is not in it is counted and
not shown. A referral is a person's own signed act about an export; nothing here proposes or sends one.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from leadline.app import approval, bundle, leaving, terms, vaulting
from leadline.app import folder as files
from leadline.app.bundle import Snapshot
from leadline.app.context import Context
from leadline.app.engagement import Dealings
from leadline.app.ports import Opened
from leadline.app.verify import Verified, verify_bundle
from leadline.core.access import Action, Resource
from leadline.core.approval import Granted
from leadline.core.engagement.chain import custody, named
from leadline.core.engagement.terms import Terms
from leadline.core.errors import Invalid, NotFound, Refused, Tampered
from leadline.core.marking import Marking, Tlp
from leadline.core.record.act import Act, Kind, Value, instant, to_record
from leadline.core.vaulting import Artefact, Hold, Protection
from leadline.formats.canonical import decode, encode
from leadline.formats.manifest import (
    ACTS,
    CHECKPOINT,
    Opening,
    encode_opening,
)
from leadline.formats.tlog_proof import EXTENSION, Proof
from leadline.formats.values import plain

PARTIES = Marking(Tlp.AMBER_STRICT)
EXPORT, CUSTODY, TERMS, HOLDS = "export.json", "custody.json", "terms.json", "holds.json"
FORMAT = "leadline/export/v1"
WORDS_MAX = 200
PART_BYTES_MAX = 64 << 20
STATEMENT = (
    "Custody is told from acts of the log alone. Whoever was handed a thing may have made copies. "
    "What is counted as withheld exists and is not shown."
)


@dataclass(frozen=True, slots=True)
class Item:
    """One piece of evidence of an engagement. *id* is the artefact's, or the digest an act names."""

    id: str
    digest: str
    what: str
    marking: Marking
    sealed: bool = False


@dataclass(frozen=True, slots=True)
class Export:
    """What was made: its id, the items by id with their digests, and how many stayed behind."""

    id: str
    act: str
    items: Mapping[str, str]
    withheld: int
    terms: str


@dataclass(frozen=True, slots=True)
class Around:
    """What stands around an engagement's evidence: exports, referrals, and holds that stand."""

    exports: tuple[Act, ...]
    referrals: tuple[Act, ...]
    holds: tuple[Hold, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """What a verified export says of itself."""

    verified: Verified
    export: str
    engagement: str
    to: str
    purpose: str
    terms: str
    items: int
    withheld: int
    custody: int


def export(
    ctx: Context, on: Dealings, wanted: Sequence[str], to: str, purpose: str, out: Path
) -> Export:
    """Write evidence of an engagement into the new folder *out*, signed; without *wanted*, all of it.

    That it leaves is recorded before a byte of it is written. Of what this person may not see, and of
    what is sealed, only the number is told; what is asked for by name is given or refused.

    Raises: Denied; NotFound, for an item there is not; Refused, for a sealed one, or if the terms do
    not cover it; Invalid, for a folder that exists, or a recipient nobody named.
    """
    ctx.require(Action.EXPORT_MAKE, on.resource())
    _check(to, out)
    known = _items(ctx, on)
    chosen = _chosen(ctx, on, known, wanted)
    use = terms.covered(ctx, on.id, on.developer, purpose=purpose, what=f"export to {to}")
    contents = _contents(ctx, chosen, asked=bool(wanted))
    items = {one.id: one.digest for one in chosen if one.digest in contents}
    id_, withheld = ctx.new_id("export"), len(known) - len(items)
    act = ctx.act(
        Kind.EXPORT_MADE,
        id_,
        on.id,
        **use.detail(),
        to=to,
        items=tuple(sorted(items)),
        digests=tuple(sorted(contents)),
        withheld=withheld,
    )
    terms.record(ctx, on, use, act)
    made = Export(id_, act.id, items, withheld, use.terms)
    whole = bundle.snapshot(ctx)
    parts = {
        **_log_parts(ctx, on, whole),
        **{f"evidence/{digest}": content for digest, content in contents.items()},
        **_papers(ctx, on, made, act, whole),
    }
    leaving.write(ctx, out, parts)
    return made


def around(ctx: Context, on: Dealings) -> Around:
    """Exports, referrals and holds of an engagement, oldest first."""
    ctx.require(Action.RECORD_READ, on.resource())
    with ctx.store.read() as view:
        acts = [one.act for one in view.acts(engagement=on.id)]
    held = vaulting.holds(ctx, vaulting.Material(on.id, on.developer, "agency"))
    return Around(
        tuple(act for act in acts if act.kind is Kind.EXPORT_MADE),
        tuple(act for act in acts if act.kind is Kind.REFERRAL_MADE),
        tuple(one for one in held if one.stands(ctx.now)),
    )


def referral(export_id: str, to: str, authority: str, context: str) -> Mapping[str, str]:
    """What the person's own signature under a referral covers."""
    digest = sha256(context.strip().encode()).hexdigest()
    return {"export": export_id, "to": to, "authority": authority, "context": digest}


def refer(
    ctx: Context, on: Dealings, facts: Mapping[str, str], context: str, granted: Granted
) -> Act:
    """Record that this person refers an export to somebody under an authority.

    *context* says what is known of good-faith research, also that nothing is: it is kept with the
    record. Nothing is sent: handing the folder over is the person's own deed.

    Raises: Denied, without the person's fresh signature; Refused, if it is under another referral;
    NotFound, if there is no such export; Invalid, naming what is empty.
    """
    ctx.require(Action.REFERRAL_MAKE, on.resource(), granted)
    for name in ("to", "authority"):
        _check_words(name, facts.get(name, ""))
    if not context.strip():
        raise Invalid("context", "say what is known of good-faith research; 'nothing' is an answer")
    told = referral(facts.get("export", ""), facts["to"], facts["authority"], context)
    if dict(granted.request.detail) != told:
        raise Refused("what was signed is another referral than this one")
    if told["export"] not in {act.about for act in around(ctx, on).exports}:
        raise NotFound(f"no export {told['export']:.80} of {on.id}")
    ctx.vault.put(context.strip().encode(), marking=PARTIES, engagement=on.id)
    act = ctx.act(Kind.REFERRAL_MADE, told["export"], on.id, **told, request=granted.request.id)
    with ctx.store.write() as tx:
        approval.use(tx, granted)
        tx.record(act)
    return act


def verify(folder: Path, vkeys: str) -> Told:
    """Verify an export offline: as a bundle, and that what it says of itself follows from its acts.

    Raises: as `leadline.app.verify.verify_bundle`; Tampered, naming the file.
    """
    verified = verify_bundle(folder, vkeys)
    if verified.kind != "bundle":
        raise Tampered(EXPORT, "this is a log and no export")
    told = _mapping(folder, EXPORT)
    acts = leaving.acts(folder)
    act = next((one for one in acts if one.id == told.get("act")), None)
    if act is None or act.kind is not Kind.EXPORT_MADE:
        raise Tampered(EXPORT, "the act that it names is not among the acts")
    if told != _paper(act, told.get("items")):
        raise Tampered(EXPORT, "it says other things than the act that it names")
    digests = _texts(act.detail.get("digests"))
    found = {
        path.removeprefix("evidence/") for path in files.scan(folder) if path[:9] == "evidence/"
    }
    if found != set(digests):
        raise Tampered("evidence", "other evidence than the act names")
    for digest in digests:
        if files.digest(folder, f"evidence/{digest}")[0] != digest:
            raise Tampered(f"evidence/{digest}", "its content has another digest")
    terms_digest = str(act.detail.get("terms", ""))
    if terms_digest and files.digest(folder, TERMS)[0] != terms_digest:
        raise Tampered(TERMS, "not the terms that the act names")
    held = encode(_custody(acts, told), bytes_max=PART_BYTES_MAX)
    if files.read(folder, CUSTODY, bytes_max=PART_BYTES_MAX) != held:
        raise Tampered(CUSTODY, "it does not follow from the acts")
    return Told(
        verified,
        act.about,
        act.engagement,
        str(act.detail.get("to", "")),
        str(act.detail.get("purpose", "")),
        terms_digest,
        len(digests),
        int(str(act.detail.get("withheld", 0))),
        len(_custody(acts, told)),
    )


def _check(to: str, out: Path) -> None:
    _check_words("to", to)
    if out.exists():
        raise Invalid("out", f"{out} exists; name a new folder")


def _check_words(name: str, words: str) -> None:
    if not words.strip() or len(words) > WORDS_MAX or not words.isprintable():
        raise Invalid(name, f"say it in one line of at most {WORDS_MAX} characters")


def _items(ctx: Context, on: Dealings) -> list[Item]:
    """All evidence of the engagement that the vault holds, in the order of ids."""
    found = dict[str, Item]()
    with ctx.store.read() as view:
        rows = view.find(Artefact, engagement=on.id)
        acts = [one.act for one in view.acts(engagement=on.id)]
    for row in rows:
        sealed = row.value.protection is Protection.SEALED
        found[row.id] = Item(row.id, row.value.digest, "artefact", row.marking, sealed)
    own = {one.digest for one in found.values()}
    for act in acts:
        for name, digest in named(act).items():
            if digest not in own and digest not in found:
                marking = _marking(ctx, digest)
                if marking is not None:
                    found[digest] = Item(digest, digest, f"{name} of {act.kind.value}", marking)
    return [found[id_] for id_ in sorted(found)]


def _marking(ctx: Context, digest: str) -> Marking | None:
    try:
        return ctx.vault.marking(digest).join(PARTIES)
    # house: allow swallowed-exception -- an act may name the digest of what was never kept here, or a word
    except (NotFound, Invalid):
        return None


def _chosen(ctx: Context, on: Dealings, known: Sequence[Item], wanted: Sequence[str]) -> list[Item]:
    if not wanted:
        return [one for one in known if not one.sealed and _may(ctx, on, one)]
    by_id = {one.id: one for one in known}
    chosen = list[Item]()
    for id_ in dict.fromkeys(wanted):
        if id_ not in by_id:
            raise NotFound(f"no evidence {id_:.80} of {on.id}")
        one = by_id[id_]
        ctx.require(*_asked(on, one))
        if one.sealed:
            raise Refused(f"{id_} is sealed; it opens for two approvers and a proof only")
        chosen.append(one)
    return chosen


def _contents(ctx: Context, chosen: Sequence[Item], *, asked: bool) -> dict[str, bytes]:
    """What the vault has of them; of what no longer opens only the number is told, unless asked for."""
    found = dict[str, bytes]()
    for one in chosen:
        try:
            found[one.digest] = ctx.vault.get(one.digest)
        except (NotFound, Refused):
            if asked:
                raise
    return found


def _asked(on: Dealings, one: Item) -> tuple[Action, Resource]:
    if one.what == "artefact":
        thing = Resource("artefact", one.id, on.id, on.developer, one.marking)
        return Action.ARTEFACT_READ, thing
    return Action.RECORD_READ, Resource("record", one.id, on.id, on.developer, one.marking)


def _may(ctx: Context, on: Dealings, one: Item) -> bool:
    return ctx.decision(*_asked(on, one)).allowed


def _log_parts(ctx: Context, on: Dealings, whole: Snapshot) -> dict[str, bytes]:
    """The log, the engagement's acts opened, and each one's proof under the same checkpoint."""
    acts = [one for one in whole.acts if one.act.engagement == on.id]
    parts = {**whole.tiles, CHECKPOINT: whole.signed.encode()}
    parts[ACTS] = b"".join(encode_opening(_opening(one)) for one in acts)
    with ctx.store.read() as view:
        for one in acts:
            hashes = view.inclusion(one.index, whole.head.size)
            text = Proof(one.index, hashes, whole.signed).document
            parts[f"proofs/{one.act.id}{EXTENSION}"] = text.encode()
            parts[f"proofs/{one.act.id}.json"] = encode_opening(_opening(one))
    return parts


def _opening(one: Opened) -> Opening:
    return Opening(one.index, one.blinder, to_record(one.act))


def _papers(
    ctx: Context, on: Dealings, made: Export, act: Act, whole: Snapshot
) -> dict[str, bytes]:
    acts = [one.act for one in whole.acts if one.act.engagement == on.id]
    paper = _paper(act, made.items)
    standing = [plain(one) for one in around(ctx, on).holds]
    parts = {
        EXPORT: encode(paper, bytes_max=PART_BYTES_MAX),
        CUSTODY: encode(_custody(acts, paper), bytes_max=PART_BYTES_MAX),
        HOLDS: encode(tuple(standing), bytes_max=PART_BYTES_MAX),
    }
    if made.terms:
        with ctx.store.read() as view:
            agreed = view.get(Terms, f"{on.id}/{made.terms}").value
        record = agreed.to_record()
        text = json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        parts[TERMS] = text.encode()
    return parts


def _paper(act: Act, items: Value) -> dict[str, Value]:
    """What an export says of itself: nothing but what its act says, and which item has which digest."""
    told = act.detail
    pairs = {str(id_): str(digest) for id_, digest in _pairs(items)}
    agree = set(pairs) == set(_texts(told.get("items")))
    if not agree or set(pairs.values()) != set(_texts(told.get("digests"))):
        raise Tampered(EXPORT, "it names other items than its act")
    return {
        "format": FORMAT,
        "export": act.about,
        "act": act.id,
        "engagement": act.engagement,
        "by": act.actor,
        "at": instant(act.at),
        "to": told.get("to"),
        "purpose": told.get("purpose"),
        "terms": told.get("terms"),
        "items": pairs,
        "withheld": told.get("withheld"),
        "statement": STATEMENT,
    }


def _custody(acts: Sequence[Act], paper: Mapping[str, Value]) -> tuple[dict[str, Value], ...]:
    pairs = dict(_pairs(paper.get("items")))
    things = {str(one) for pair in pairs.items() for one in pair}
    return tuple(one.to_record() for one in custody(acts, things))


def _pairs(items: Value) -> list[tuple[str, Value]]:
    return list(items.items()) if isinstance(items, Mapping) else []


def _texts(value: Value) -> tuple[str, ...]:
    return tuple(str(one) for one in value) if isinstance(value, tuple | list) else ()


def _mapping(folder: Path, path: str) -> Mapping[str, Value]:
    data = files.read(folder, path, bytes_max=PART_BYTES_MAX)
    try:
        found = decode(data, bytes_max=PART_BYTES_MAX)
    except Invalid as error:
        raise Tampered(path, str(error)) from error
    if not isinstance(found, Mapping):
        raise Tampered(path, "an object is due")
    return found
