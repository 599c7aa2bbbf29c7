"""Operators: who runs systems, with which inventories, and who may be told before the public is.

An operator enrols its own organisation and a coordinator of another organisation vets it. Inventories
are sealed in the vault. An upload is matched against what is public and nothing else: no
answer, count, error or step of it depends on an advisory under embargo; `app.notices` matches those
apart, over inventories that were accepted before.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import TypeVar

from leadline.app import shelving
from leadline.app.context import Context
from leadline.app.match import read_inventory
from leadline.app.ports import Reading, Stored
from leadline.core.access import Action, Circumstances, Resource, microseconds
from leadline.core.clause import EVERYTHING, Above, Fact, Measure, every, negation, one_of
from leadline.core.clearing.advisory import Advisory
from leadline.core.clearing.delivery import Delivery
from leadline.core.clearing.match import Matching, match
from leadline.core.clearing.operator import (
    Enrolment,
    Exposure,
    Mode,
    Roll,
    Snapshot,
    check_newer,
    roll,
)
from leadline.core.clearing.product import Fault, Inventory
from leadline.core.clearing.tiers import Tiers
from leadline.core.errors import Denied, Invalid, NotFound, Refused
from leadline.core.marking import Marking, Tlp
from leadline.core.record.act import Kind, instant
from leadline.formats import document
from leadline.formats.toml_table import open_table

Kept = TypeVar("Kept")

OWN = Marking(Tlp.AMBER_STRICT)
NAME_MAX = 200
INVENTORY_BYTES_MAX = 64 << 20
BEGINS: Mapping[type, Kind] = {
    Enrolment: Kind.OPERATOR_ENROLLED,
    Snapshot: Kind.INVENTORY_ACCEPTED,
    Delivery: Kind.NOTICE_SENT,
}
TIERS = Resource("operator", "tiers")
OF_ROLL = frozenset({Kind.OPERATOR_VETTED, Kind.OPERATOR_ENDED})  # the acts that `roll` reads
UNKNOWN_THING = "there is no such thing, or you may not know of it"
LOCAL_TERMS = (
    "Your inventory stays on your own host and is matched there. So nobody can tell you of a flaw"
    " before it is public: you are told on publication, and run `leadline match` then."
)
HOSTED_TERMS = (
    "Your inventory is sealed and matched here. After a coordinator of another"
    " organisation has vetted you, you may be told early of what affects you, by the published tiers,"
    " on inventories accepted before the case in question was opened."
)


@dataclass(frozen=True, slots=True)
class Stated:
    """What an organisation says of itself as an operator."""

    name: str
    sectors: tuple[str, ...]
    serves: int
    exposure: Exposure
    changes: int
    contact: str
    mode: Mode
    competes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Given:
    """What became of an inventory: the snapshot, its faults, and how it stands to what is public."""

    snapshot: Snapshot
    faults: tuple[Fault, ...]
    advisories: int
    matching: Matching


@dataclass(frozen=True, slots=True)
class Listed:
    """One operator as it is shown: what it stated, and what acts say of it."""

    enrolment: Enrolment
    vetted: datetime | None
    ended: datetime | None


def enrol(ctx: Context, stated: Stated, sectors: Sequence[str]) -> Enrolment:
    """Enrol the caller's own organisation; *sectors* are those there are. Nobody is vetted by it.

    Raises: Invalid, naming the field; Refused, if it is enrolled already.
    """
    person = ctx.principal
    ctx.require(Action.OPERATOR_ENROL, Resource("operator", "enrol", org=person.org, marking=OWN))
    missing = sorted(set(stated.sectors) - set(sectors))
    if missing:
        raise Invalid(
            "sectors", f"no sector {missing[0]!r}; there are {', '.join(sorted(sectors))}"
        )
    made = Enrolment(
        ctx.new_id("operator"),
        person.org,
        stated.name,
        tuple(sorted(stated.sectors)),
        stated.serves,
        stated.exposure,
        stated.changes,
        stated.contact,
        stated.mode,
        tuple(sorted(set(stated.competes))),
        ctx.now,
    )
    with ctx.store.write() as tx:
        if of_org(tx, person.org, ctx.now) is not None:
            raise Refused("your organisation is enrolled already; end that first to state it anew")
        tx.put(made.id, made, marking=OWN, org=person.org)
        tx.record(
            ctx.act(
                Kind.OPERATOR_ENROLLED,
                made.id,
                "",
                sectors=made.sectors,
                serves=made.serves,
                exposure=made.exposure.value,
                mode=made.mode.value,
                terms=sha256(terms(made.mode).encode()).hexdigest(),
            )
        )
    return made


def terms(mode: Mode) -> str:
    """What is said at enrolment of the two modes."""
    return LOCAL_TERMS if mode is Mode.LOCAL else HOSTED_TERMS


def vet(ctx: Context, operator: str, grounds: str) -> None:
    """Put on record that an operator is who it says and runs what it says.

    Raises: Denied; NotFound; Refused, for one of the caller's own organisation, and twice.
    """
    row = _enrolment(ctx, Action.OPERATOR_VET, operator)
    if row.org == ctx.principal.org:
        raise Refused("somebody of another organisation vets an operator")
    _check_words("grounds", grounds)
    with ctx.store.write() as tx:
        known = roll_of(tx)
        _going_on(known, operator, ctx.now)
        if operator in known.vetted:
            raise Refused(f"{operator} was vetted already")
        tx.record(ctx.act(Kind.OPERATOR_VETTED, operator, "", grounds=_digest(grounds)))


def end(ctx: Context, operator: str, reason: str) -> None:
    """End an enrolment: by the operator's own person, or by a coordinator. What it gave is kept sealed.

    Raises: NotFound, where there is none that this person may end; Refused, if it has ended.
    """
    with ctx.store.read() as view:
        held = found(view, Enrolment, operator)
    own = held is not None and held.org == ctx.principal.org
    row = _enrolment(ctx, Action.OPERATOR_ENROL if own else Action.OPERATOR_VET, operator)
    _check_words("reason", reason)
    with ctx.store.write() as tx:
        _going_on(roll_of(tx), row.id, ctx.now)
        tx.record(ctx.act(Kind.OPERATOR_ENDED, operator, "", reason=_digest(reason)))


def listed(ctx: Context) -> tuple[Listed, ...]:
    """The operators that this person may know of: its own, or all for a coordinator."""
    given = Circumstances(ctx.now, assurance=ctx.assurance, suspended=ctx.suspended)
    seen = ctx.access.visible(ctx.principal, Action.OPERATOR_READ, "operator", given)
    with ctx.store.read() as view:
        rows, known = view.find(Enrolment, visible=seen), roll_of(view)
    return tuple(
        Listed(row.value, known.vetted.get(row.id), known.ended.get(row.id)) for row in rows
    )


def some(ctx: Context, ids: Sequence[str]) -> tuple[Listed, ...]:
    """As `listed`, of these operators alone, in their order; whom this person may not know of is left out."""
    with ctx.store.read() as view:
        rows = {row.id: row for row in view.among(Enrolment, frozenset(ids))}
        stands = roll([one.act for one in view.acts(about=frozenset(rows), kind=OF_ROLL)])
    things = [rows[one].thing("operator") for one in ids if one in rows]
    mine = [one.id for one in ctx.allowed(Action.OPERATOR_READ, things)]
    return tuple(
        Listed(rows[id_].value, stands.vetted.get(id_), stands.ended.get(id_)) for id_ in mine
    )


def publish_tiers(ctx: Context, tiers: Tiers) -> None:
    """Say who is told when, for every case that is opened from now on.

    Raises: Denied; Refused, if these are in force.
    """
    ctx.require(Action.OPERATOR_VET, TIERS)
    with ctx.store.write() as tx:
        published = tx.acts(kind=Kind.TIERS_PUBLISHED)
        if published and published[-1].act.about == tiers.digest:
            raise Refused("these tiers are in force already")
        if not any(one.act.about == tiers.digest for one in published):
            tx.put(tiers.digest, tiers, marking=Marking(Tlp.CLEAR))
        tx.record(ctx.act(Kind.TIERS_PUBLISHED, tiers.digest, "", name=tiers.id))


def tiers_before(view: Reading, moment: datetime) -> Tiers:
    """The tiers that were on record at *moment*.

    Raises: Refused, if none were.
    """
    before = [one.act for one in view.acts(kind=Kind.TIERS_PUBLISHED) if one.act.at < moment]
    if not before:
        raise Refused(
            "no tiers were published before this case was opened; they are never set for a case"
        )
    return view.get(Tiers, before[-1].about).value


def give(
    ctx: Context,
    data: bytes,
    name: str,
    taken: datetime | None = None,
    headings: Mapping[str, str] | None = None,
) -> Given:
    """Accept an inventory of the caller's own operator; it never changes afterwards.

    What is not understood is kept as unknown and listed. The answer speaks of public advisories only.

    Raises: Denied; Invalid, for what is no inventory, or has nothing in it; Stale, if a newer one is
    held; Refused, for an organisation that is not enrolled, or in local mode.
    """
    org = ctx.principal.org
    ctx.require(Action.INVENTORY_GIVE, Resource("inventory", "give", org=org, marking=OWN))
    when = taken or ctx.now
    instant(when)
    with ctx.store.read() as view:
        operator = of_org(view, org, ctx.now)
        if operator is None:
            raise without(view, org)
        if operator.mode is Mode.LOCAL:
            raise Refused("you match on your own host; enrol as hosted to give an inventory")
        check_newer(snapshots(view, org)[operator.id], when, ctx.now)
        known = public_advisories(view, ctx.now)
    inventory = shelving.understood(read_inventory(data, name, headings or {}))
    if not inventory.components:
        raise Invalid(name, "lists no component; give a list of what you run")
    shelf = shelving.Shelf(ctx.store, ctx.vault, ctx.new_id)
    made = Snapshot(
        ctx.new_id("inventory"),
        operator.id,
        when,
        ctx.now,
        shelf.keep(data),
        shelf.keep(shelving.dump(inventory)),
        _line(name),
        len(inventory.components),
        sum(one.package is None for one in inventory.components),
        len(inventory.faults),
        tuple(sorted((headings or {}).items())),
    )
    with ctx.store.write() as tx:
        check_newer(snapshots(tx, org)[operator.id], when, ctx.now)
        tx.put(made.id, made, marking=OWN, org=org)
        tx.record(
            ctx.act(
                Kind.INVENTORY_ACCEPTED,
                made.id,
                "",
                operator=operator.id,
                inventory=made.raw,
                taken=instant(when),
                components=made.components,
                unknown=made.unknown,
                faults=made.faults,
            )
        )
    return Given(made, inventory.faults, len(known), match(inventory, known))


def headings_of(data: bytes, name: str) -> Mapping[str, str]:
    """A map of meanings to headings, as `leadline match --map` reads it: a TOML or JSON table of texts.

    Raises: Invalid, naming what is wrong.
    """
    if data.lstrip()[:1] == b"{":
        table = document.load(data, name)
        wrong = [key for key, title in table.items() if not isinstance(title, str)]
        if wrong:
            raise Invalid(name, f"{wrong[0]!r} names a heading, as text")
        return {key: str(title) for key, title in table.items()}
    root = open_table(data, name)
    return {key: root.text(key) for key in sorted(root.keys())}


def inventories(ctx: Context) -> tuple[Snapshot, ...]:
    """The inventories of the caller's own operator, oldest first."""
    given = Circumstances(ctx.now, assurance=ctx.assurance, suspended=ctx.suspended)
    seen = ctx.access.visible(ctx.principal, Action.INVENTORY_READ, "inventory", given)
    with ctx.store.read() as view:
        rows = view.find(Snapshot, visible=seen)
    return tuple(sorted((row.value for row in rows), key=lambda one: (one.accepted, one.id)))


def inventory(ctx: Context, id_: str) -> tuple[Snapshot, Inventory]:
    """One inventory as it was understood.

    Raises: NotFound, in the same words where there is none and where it is another's.
    """
    row = only_own(ctx, Action.INVENTORY_READ, "inventory", Snapshot, id_)
    return row.value, shelving.load(ctx.vault.get(row.value.read))


def public_advisories(view: Reading, now: datetime) -> tuple[Advisory, ...]:
    """What an upload is matched against: published to everybody, and of no case under embargo.

    The store itself leaves everything else out, so that not even the number of rows read depends on it.
    """
    published = {str(one.act.detail.get("case")) for one in view.acts(kind=Kind.ADVISORY_PUBLISHED)}
    open_ = every(
        (
            one_of(Fact.TLP, [Tlp.CLEAR.value]),
            one_of(Fact.CASE, {"", *published}),
            negation(Above(Measure.EMBARGO_UNTIL, microseconds(now))),
        )
    )
    return tuple(row.value for row in view.find(Advisory, visible=open_))


def roll_of(view: Reading) -> Roll:
    """Who was vetted and who ended, from acts."""
    return roll([one.act for one in view.acts(kind=OF_ROLL)])


def only_own(ctx: Context, action: Action, kind: str, record: type[Kept], id_: str) -> Stored[Kept]:
    """A row that this person may do *action* on, or the same refusal as if there were none."""
    with ctx.store.read() as view:
        row = found(view, record, id_)
    # Asked about an absent thing as well, so that both ways take the same steps and leave an act.
    thing = row.thing(kind) if row else Resource(kind, id_, marking=OWN)
    try:
        ctx.require(action, thing)
    except Denied:
        raise NotFound(UNKNOWN_THING) from None
    if row is None:
        raise NotFound(UNKNOWN_THING)
    return row


def found(view: Reading, record: type[Kept], id_: str) -> Stored[Kept] | None:
    """A row that an act brought into being, or None where no such act is about *id_*."""
    return view.get(record, id_) if view.acts(about=id_, kind=BEGINS[record]) else None


def snapshots(view: Reading, org: str | None = None) -> Mapping[str, list[Snapshot]]:
    """Snapshots by operator, of one organisation or of all."""
    visible = EVERYTHING if org is None else one_of(Fact.ORG, [org])
    held = defaultdict[str, list[Snapshot]](list)
    for row in view.find(Snapshot, visible=visible):
        held[row.value.operator].append(row.value)
    return held


def of_org(view: Reading, org: str, now: datetime) -> Enrolment | None:
    """The enrolment of an organisation that has not ended; None without one."""
    known = roll_of(view)
    rows = view.find(Enrolment, visible=one_of(Fact.ORG, [org]))
    return next((row.value for row in rows if known.takes_part(row.id, now)), None)


def without(view: Reading, org: str) -> Refused:
    """Why an organisation that does not take part can give nothing now, and what still stands."""
    known = roll_of(view)
    rows = view.find(Enrolment, visible=one_of(Fact.ORG, [org]))
    ends = [known.ended[row.id] for row in rows if row.id in known.ended]
    if not ends:
        return Refused("your organisation is not enrolled; run `leadline operator enrol` first")
    return Refused(
        f"your enrolment ended at {instant(max(ends))}, and lists of yours count no more; what you gave and"
        " answered stays readable to you. Enrol again to go on"
    )


def _enrolment(ctx: Context, action: Action, operator: str) -> Stored[Enrolment]:
    return only_own(ctx, action, "operator", Enrolment, operator)


def _going_on(known: Roll, operator: str, now: datetime) -> None:
    if not known.takes_part(operator, now):
        raise Refused(f"the enrolment of {operator} has ended")


def _check_words(field: str, words: str) -> None:
    if not words.strip():
        raise Invalid(field, "say why; its digest is part of the record")


def _digest(words: str) -> str:
    # Plain, since the acts that hold it are in no case and no bundle: nobody outside reads them opened.
    return sha256(words.strip().encode("utf-8", "replace")).hexdigest()


def _line(name: str) -> str:
    return "".join(sign if sign.isprintable() else " " for sign in shelving.clean(name))[:NAME_MAX]
