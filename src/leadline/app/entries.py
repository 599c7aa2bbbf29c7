"""The dated register: writing, proving, ending and reading its entries.

Kinds say who keeps what: the programme keeps entries for everybody that their marking reaches; what a
developer keeps for itself nobody else lists or reads, whatever role or marking, and its evidence stays
with the developer: only digests are entered. Days that follow from entries are computed when asked.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from hashlib import sha256

from leadline.app.context import Context
from leadline.app.ports import Reading, Stored, Writing
from leadline.core.access import Action, Circumstances, Resource
from leadline.core.clause import Clause
from leadline.core.engagement.register import Entry, EntryKind, Proof, Register, midnight
from leadline.core.errors import Invalid, NotFound, Refused, Stale
from leadline.core.marking import Marking, Tlp
from leadline.core.record.act import Kind, Value, instant
from leadline.formats.canonical import encode

PUBLIC, PARTIES = Marking(Tlp.CLEAR), Marking(Tlp.AMBER_STRICT)
EVIDENCE_BYTES_MAX = 64 << 20
Kinds = Mapping[str, EntryKind]


@dataclass(frozen=True, slots=True)
class Kept:
    """An entry with the revision that a correction of it names."""

    entry: Entry
    revision: int


def written(
    ctx: Context, kinds: Kinds, entry: Entry, *, own: bool = False, revision: int = 0
) -> int:
    """Enter or correct one entry; answers its revision. *own*: for the own organisation alone.

    *revision* is the one that is corrected, 0 for a new entry. Evidence stands beside what is
    written: a correction keeps it, and only `evidenced` adds to it.

    Raises: Denied; Invalid, naming the field; Stale, if another wrote it first; Refused, for one
    that was ended.
    """
    entry = replace(entry, org=_org(ctx, own=own))
    if entry.evidence:
        raise Invalid("evidence", "leave it out; `leadline register evidence` enters it")
    if entry.ended:
        raise Invalid("ended", "leave it out; `leadline register end` ends an entry")
    if entry.done is not None and entry.done > ctx.now.date():
        raise Invalid("done", f"{entry.done} is to come; enter it when it was done")
    _require_write(ctx, kinds, entry)
    clause = _clause(ctx)
    with ctx.store.write() as tx:
        row = next((one for one in tx.find(Entry) if one.id == _row(entry)), None)
        if (row.version if row else 0) != revision:
            now = f"it is at revision {row.version}" if row else "there is none"
            raise Stale(f"{entry.id}: {now}; read it again, then write it again")
        if row is not None and row.value.ended:
            raise Refused(f"{entry.id} was ended: {row.value.ended}; enter a new one")
        if row is not None:
            entry = replace(entry, evidence=row.value.evidence)
        others = [one for one in _known(tx, clause, entry.org) if one.id != entry.id]
        Register(kinds, (*others, entry)).check()
        version = tx.put(
            _row(entry),
            entry,
            marking=_marking(kinds, entry),
            org=entry.org,
            expect=row.version if row else None,
        )
        tx.record(ctx.act(Kind.ENTRY_WRITTEN, _about(entry), "", **_detail(entry)))
    return version


def evidenced(
    ctx: Context,
    kinds: Kinds,
    id_: str,
    content: bytes,
    what: str,
    *,
    own: bool = False,
    done: date | None = None,
) -> Proof:
    """Enter evidence for an entry; *done* says on which day it was done.

    The programme's goes to the vault. Of a developer's own nothing but the digest is kept here.

    Raises: Denied; NotFound, if there is no such entry; Invalid, naming the field; Refused, for the
    same evidence a second time.
    """
    entry = _standing(ctx, id_, own=own).value
    _require_write(ctx, kinds, entry)
    if not what.strip():
        raise Invalid("what", "say in a line what the evidence is")
    if not 0 < len(content) <= EVIDENCE_BYTES_MAX:
        raise Invalid("evidence", f"give 1 to {EVIDENCE_BYTES_MAX} bytes; this is {len(content)}")
    if done is not None and done > ctx.now.date():
        raise Invalid("done", f"{done} is to come; enter it when it was done")
    digest = sha256(content).hexdigest()
    if not entry.org:
        ctx.vault.put(content, marking=_marking(kinds, entry))
    proof = Proof(digest, what, ctx.now, ctx.principal.id)
    with ctx.store.write() as tx:
        row = tx.get(Entry, _row(entry))
        if any(one.digest == digest for one in row.value.evidence):
            raise Refused(f"{id_} has this very evidence already")
        changed = replace(
            row.value, evidence=(*row.value.evidence, proof), done=done or row.value.done
        )
        changed.check()
        _put(tx, row, changed)
        tx.record(
            ctx.act(
                Kind.ENTRY_EVIDENCED,
                _about(changed),
                "",
                **_detail(changed),
                evidence=digest,
            )
        )
    return proof


def ended(ctx: Context, kinds: Kinds, id_: str, day: date, why: str, *, own: bool = False) -> Entry:
    """End an entry: *day* is the first on which it has no effect any more.

    Raises: Denied; NotFound; Invalid, naming the field; Refused, if it was ended before.
    """
    entry = _standing(ctx, id_, own=own).value
    _require_write(ctx, kinds, entry)
    if not why.strip():
        raise Invalid("why", "say why it ends; it is part of the record")
    if entry.until is not None and day > entry.until:
        raise Invalid("day", f"it ends on {entry.until} already; a correction moves an end")
    with ctx.store.write() as tx:
        row = tx.get(Entry, _row(entry))
        if row.value.ended:
            raise Refused(f"{id_} was ended before: {row.value.ended}")
        changed = replace(row.value, until=day, ended=why)
        changed.check()
        _put(tx, row, changed)
        tx.record(ctx.act(Kind.ENTRY_ENDED, _about(changed), "", **_detail(changed), why=why))
    return changed


def listed(ctx: Context, kinds: Kinds, *, own: bool = False) -> Register:
    """Every entry of the programme that this person may read; of others not even the number shows.

    With *own*, what the own organisation keeps for itself: what it can export.
    """
    org = _org(ctx, own=own)
    return Register(kinds, tuple(one.value for one in _visible(ctx) if one.value.org == org))


def kept(ctx: Context, id_: str, *, own: bool = False) -> Kept:
    """One entry with its revision.

    Raises: NotFound, in the same words where there is none and where it is not this person's to know.
    """
    row = _standing(ctx, id_, own=own)
    return Kept(row.value, row.version)


def content(ctx: Context, id_: str, digest: str, *, own: bool = False) -> bytes:
    """One piece of an entry's evidence, for whoever may read the entry.

    Raises: NotFound; Refused, for a developer's own, which is not kept here.
    """
    entry = _standing(ctx, id_, own=own).value
    if digest not in {one.digest for one in entry.evidence}:
        raise NotFound(f"{id_} has no evidence {digest:.64}")
    if entry.org:
        raise Refused("evidence of your own entries stays with you; only its digest is here")
    return ctx.vault.get(digest)


def _standing(ctx: Context, id_: str, *, own: bool) -> Stored[Entry]:
    org = _org(ctx, own=own)
    for row in _visible(ctx):
        if (row.value.id, row.value.org) == (id_, org):
            return row
    raise NotFound(f"no entry {id_}; see `leadline register list`")


def _clause(ctx: Context) -> Clause:
    given = Circumstances(ctx.now, assurance=ctx.assurance, suspended=ctx.suspended)
    return ctx.access.visible(ctx.principal, Action.ENTRY_READ, "entry", given)


def _visible(ctx: Context) -> list[Stored[Entry]]:
    clause = _clause(ctx)
    with ctx.store.read() as view:
        rows = view.find(Entry, visible=clause)
    return [row for row in rows if row.value.org in {"", ctx.principal.org}]


def _known(view: Reading, clause: Clause, org: str) -> list[Entry]:
    """What an entry can relate to: the programme's entries, and for an own one the own ones first.

    An own entry changes nobody's, so what the programme's bear on does not matter to it.
    """
    found = [row.value for row in view.find(Entry, visible=clause)]
    programme = [one for one in found if not one.org]
    if not org:
        return programme
    own = [one for one in found if one.org == org]
    shadowed = {one.id for one in own}
    return [*own, *(replace(one, relates=()) for one in programme if one.id not in shadowed)]


def _require_write(ctx: Context, kinds: Kinds, entry: Entry) -> None:
    """Raises: Denied."""
    marking = _marking(kinds, entry)
    ctx.require(Action.ENTRY_WRITE, Resource("entry", _row(entry), org=entry.org, marking=marking))


def _put(tx: Writing, row: Stored[Entry], entry: Entry) -> None:
    tx.put(row.id, entry, marking=row.marking, org=row.org, expect=row.version)


def _org(ctx: Context, *, own: bool) -> str:
    if own and not ctx.principal.org:
        raise Invalid("own", "you belong to no organisation")
    return ctx.principal.org if own else ""


def _marking(kinds: Kinds, entry: Entry) -> Marking:
    if entry.kind not in kinds:
        raise Invalid("kind", f"{entry.kind!r} is none of {', '.join(sorted(kinds))}")
    return PUBLIC if kinds[entry.kind].public else PARTIES


def _row(entry: Entry) -> str:
    return f"{entry.org}/{entry.id}" if entry.org else entry.id


def _about(entry: Entry) -> str:
    """What the act names: of an own entry nothing but that it is one."""
    return "entry/own" if entry.org else f"entry/{entry.id}"


def _detail(entry: Entry) -> dict[str, Value]:
    told: dict[str, Value] = {"digest": sha256(encode(entry.to_record())).hexdigest()}
    if entry.org:
        return told
    told["entry"] = entry.kind
    for name, day in (("due", entry.due), ("until", entry.until)):
        if day is not None:
            told[name] = instant(midnight(day))
    return told
