"""Cases: opened from findings, joined, with parties, an embargo, moves and an end; each an act.

What a case stands at is computed from its acts whenever it is asked. Parties who need no content yet
are named for the case's outer part alone (`OUTER`), so that no rule lets them at what is sealed with it.
"""

import secrets
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import TypeVar

from leadline.app.context import OWN, Context
from leadline.app.ports import Reading, Stored, Writing, maybe
from leadline.core import access
from leadline.core.access import Action, Bounds, Resource
from leadline.core.clause import Fact, one_of
from leadline.core.clearing import coordination
from leadline.core.clearing.case import Standing, in_log_order, texts
from leadline.core.clearing.case import standing as computed
from leadline.core.clearing.case_file import CaseFile, Party, credit_commitment, products, words
from leadline.core.clearing.case_words import Answer, Clock, Move, Role, Running
from leadline.core.clearing.contract import lane_of
from leadline.core.clearing.coordination import Moved, Stated
from leadline.core.clearing.disclosure import Disclosure, text
from leadline.core.clearing.finding import Finding, ReplayResult
from leadline.core.clearing.fix import Fix
from leadline.core.clearing.group import Crash
from leadline.core.errors import Invalid, Refused
from leadline.core.grant import GRANT_MAX, Grant, Scope
from leadline.core.marking import Marking, Tlp
from leadline.core.record.act import Act, Kind, Value, instant
from leadline.core.record.commitment import BLINDER_BYTES
from leadline.formats.disclosure_toml import load_disclosure

T = TypeVar("T")
Beside = Callable[[Writing, str], None]  # given the transaction and the case's id
INTAKE = "intake"
CASE = Marking(Tlp.AMBER_STRICT)
PUBLIC = Marking(Tlp.CLEAR)
OUTER = access.OUTER
# Acts about something else that belong to a case: they name it, or a finding or a project's queue in it.
BESIDE = frozenset({Kind.ADVISORY_PUBLISHED, Kind.FIX_MOVED, Kind.CONTRACT_WRITTEN})


@cache
def shipped() -> Mapping[str, Disclosure]:
    """The disclosure policies that come with Leadline, by id."""
    folder = files("leadline") / "data" / "disclosure"
    found = [
        load_disclosure(file.read_bytes(), file.name)
        for file in folder.iterdir()
        if file.name.endswith(".toml") and not file.name.endswith(".examples.toml")
    ]
    return {one.id: one for one in sorted(found, key=lambda one: one.id)}


def chosen(policy: str | Disclosure) -> Disclosure:
    """The disclosure policy of this name; never another in its place.

    Raises: Invalid, naming those there are.
    """
    if isinstance(policy, Disclosure):
        return policy
    if policy not in shipped():
        known = ", ".join(shipped())
        raise Invalid("disclosure", f"no disclosure policy {policy!r:.80}; there are {known}")
    return shipped()[policy]


def thing(ctx: Context, case_id: str) -> Resource:
    """The case as access rules know it, as near as this person is named for it."""
    outer = case_id not in ctx.principal.cases and case_id + OUTER in ctx.principal.cases
    return Resource("case", case_id, marking=CASE, case=case_id + OUTER if outer else case_id)


def inner(case_id: str) -> Resource:
    """The case as access rules know it, for those who are named for all of it."""
    return Resource("case", case_id, marking=CASE, case=case_id)


def open_case(
    ctx: Context,
    findings: Sequence[str],
    *,
    title: str,
    policy: str | Disclosure,
    beside: Beside | None = None,
) -> str:
    """Open a case from findings that are in none; answers its id.

    Whoever opens it coordinates it, and is named for it at once; so are the findings' finders, for its
    outer part. *beside* enters in the same transaction what has to be there from the first moment.

    Raises: Denied; NotFound, for a finding that is not there; Invalid, naming the field, for an unknown
    disclosure policy too; Refused, for a finding that is in a case.
    """
    ctx.require(Action.CASE_OPEN, Resource("case", "new", marking=CASE, case=INTAKE))
    under, said = chosen(policy), words(title, "title")
    rows = _findings(ctx, findings)
    id_ = ctx.new_id("case")
    with ctx.store.write() as tx:
        moved = _take(ctx, tx, rows, id_)
        _keep(tx, under)
        tx.record(ctx.act(Kind.CASE_OPENED, id_, "", findings=moved))
        tx.record(
            ctx.act(Kind.DISCLOSURE_CHOSEN, id_, "", disclosure=under.id, digest=under.digest)
        )
        file = CaseFile(id_, said)
        me = ctx.principal
        opener = NewParty(Role.COORDINATOR, me.name, person=me.id, need="coordinates the case")
        file = _add(ctx, tx, file, ctx.new_id("party"), opener)
        file = _add_finders(ctx, tx, file, rows)
        tx.put(id_, file, marking=CASE, bounds=Bounds(case=id_))
        if beside is not None:
            beside(tx, id_)
    return id_


def standing(ctx: Context, case_id: str) -> Standing:
    """What the acts of a case amount to, for whoever is named for all of it.

    Raises: Denied, for a case that is not there too.
    """
    ctx.require(Action.CASE_READ, inner(case_id))
    with ctx.store.read() as view:
        return standing_in(view, case_id)


def titles(ctx: Context, case_ids: Sequence[str]) -> Mapping[str, str]:
    """What these cases are called, of those that this person is named for all of."""
    mine = [one.id for one in ctx.allowed(Action.CASE_READ, [inner(one) for one in case_ids])]
    with ctx.store.read() as view:
        rows = view.find(CaseFile, visible=one_of(Fact.CASE, mine))
    return {row.id: row.value.title for row in rows}


def standing_in(view: Reading, case_id: str) -> Standing:
    """As `standing`, within a use case that asked the rules already. Raises: NotFound."""
    return standings_in(view, [case_id])[case_id]


def standings_in(view: Reading, case_ids: Collection[str]) -> dict[str, Standing]:
    """As `standing_in`, of several cases, whose acts are asked for together. Raises: NotFound, for any."""
    of = {one: dict[int, Act]() for one in case_ids}
    for one in view.acts(about=frozenset(of)):
        of[one.act.about][one.index] = one.act
    held = {case: _told(acts.values()) for case, acts in of.items()}
    beside = _beside(view, {*of, *(one for told in held.values() for one in told)})
    for case, acts in of.items():
        # What was done for a finding before its case was opened belongs to the case as well.
        acts |= {
            at: act for name in (case, *held[case]) for at, act in beside.get(name, {}).items()
        }
    ordered = {case: in_log_order(acts.items()) for case, acts in of.items()}
    chosen_in = {case: _digests(acts) for case, acts in ordered.items()}
    digests = sorted({one for found in chosen_in.values() for one in found})
    known = {one: view.get(Disclosure, one).value for one in digests}
    return {
        case: computed(acts, {one: known[one] for one in sorted(chosen_in[case])})
        for case, acts in ordered.items()
    }


def _digests(acts: Iterable[Act]) -> frozenset[str]:
    """The disclosure policies that were ever chosen."""
    return frozenset(text(act, "digest") for act in acts if act.kind is Kind.DISCLOSURE_CHOSEN)


def _told(acts: Iterable[Act]) -> frozenset[str]:
    """What these acts of a case name by which others belong to it: findings, and projects' queues."""
    told = {one for act in acts for one in texts(act.detail.get("findings", ()))}
    return frozenset(told | {text(act, "project") for act in acts} - {""})


def _beside(view: Reading, names: AbstractSet[str]) -> Mapping[str, Mapping[int, Act]]:
    """The acts about something else that belong to a case, by what they name of it."""
    found = dict[str, dict[int, Act]]()
    for one in view.acts(naming=names, kind=BESIDE):
        for name in {text(one.act, "case"), text(one.act, "finding"), lane_of(one.act.about)}:
            found.setdefault(name, {})[one.index] = one.act
    return found


def listed(ctx: Context) -> tuple[Standing, ...]:
    """The cases this person is named for all of, in order of id; for the others see `app.case_view`."""
    ids = sorted(one for one in ctx.principal.cases if one.startswith("case-") and OUTER not in one)
    found = [one for one in ids if ctx.decision(Action.CASE_READ, inner(one)).allowed]
    with ctx.store.read() as view:
        return tuple(standings_in(view, found).values())


def join(ctx: Context, case_id: str, findings: Sequence[str]) -> Standing:
    """Put further findings of the same root cause into a case; their finders take part.

    Raises: Denied; NotFound; Refused, for a finding that is in a case, or a closed case.
    """
    ctx.require(Action.CASE_COORDINATE, inner(case_id))
    rows = _findings(ctx, findings)
    if not rows:
        raise Invalid("findings", "name at least one")
    with ctx.store.write() as tx:
        coordination.check_open(standing_in(tx, case_id))
        moved = _take(ctx, tx, rows, case_id)
        tx.record(ctx.act(Kind.CASE_JOINED, case_id, "", findings=moved))
        row = tx.get(CaseFile, case_id)
        _put(tx, row, _add_finders(ctx, tx, row.value, rows))
        return standing_in(tx, case_id)


@dataclass(frozen=True, slots=True)
class NewParty:
    """Who takes part. *person* is an account here, *project* whose intake contract it is under.

    *need* is why it needs the content before a date is agreed; owners always have it.
    """

    role: Role
    name: str
    contact: str = ""
    products: tuple[str, ...] = ()
    person: str = ""
    project: str = ""
    need: str = ""


def add_party(ctx: Context, case_id: str, new: NewParty) -> str:
    """Add a party, or write down anew the one of this name and role; answers its id.

    A person with an account is named for the case as long as a grant lasts; adding again renews it.

    Raises: as `add_parties`.
    """
    return add_parties(ctx, case_id, [new])[0]


def add_parties(ctx: Context, case_id: str, news: Sequence[NewParty]) -> tuple[str, ...]:
    """Add parties, or write down anew those of the same name and role, all or none; answers their ids.

    Raises: Denied; NotFound, for no such person; Invalid, naming the field; Refused, once closed.
    """
    ctx.require(Action.CASE_COORDINATE, inner(case_id))
    checked = [_checked(ctx, one) for one in news]
    made = list[str]()
    with ctx.store.write() as tx:
        stands = standing_in(tx, case_id)
        coordination.check_open(stands)
        row = tx.get(CaseFile, case_id)
        file, roles = row.value, {one.id: one.role for one in stands.present}
        known = {(one.name, roles[one.id]): one.id for one in file.parties if one.id in roles}
        for new in checked:
            id_ = known.get((new.name, new.role)) or ctx.new_id("party")
            known[new.name, new.role] = id_
            file = _add(ctx, tx, file, id_, new)
            made.append(id_)
        _put(tx, row, file)
    return tuple(made)


def _checked(ctx: Context, new: NewParty) -> NewParty:
    name, need = words(new.name, "name"), new.need.strip()
    if new.person == ctx.principal.id and new.role is not Role.COORDINATOR:
        raise Invalid("person", "whoever coordinates a case is no other party of it")
    return replace(new, name=name, need=need, products=products(new.products))


def renew(ctx: Context, case_id: str) -> int:
    """Name every party with an account for the case anew, as long as a grant lasts; answers how many.

    Raises: Denied; Refused, once closed.
    """
    ctx.require(Action.CASE_COORDINATE, inner(case_id))
    with ctx.store.read() as view:
        present = [one for one in standing_in(view, case_id).present if one.person]
        file = view.get(CaseFile, case_id).value
    held = [(one, file.party(one.id)) for one in present]
    news = [
        NewParty(one.role, it.name, it.contact, it.products, one.person, it.project, it.need)
        for one, it in held
    ]
    return len(add_parties(ctx, case_id, news))


def remove_party(ctx: Context, case_id: str, party: str, reason: str) -> None:
    """A party leaves; its person is named for the case no more from this moment.

    Raises: Denied; NotFound; Invalid, without a reason; Refused, for the last coordinator.
    """
    ctx.require(Action.CASE_COORDINATE, inner(case_id))
    with ctx.store.write() as tx:
        stands = standing_in(tx, case_id)
        detail = coordination.removed(stands, party, reason)
        person = stands.participant(party).person
        left = [one for one in stands.of_person(person) if one.id != party]
        if person and not left:
            _unname(ctx, tx, person, case_id, case_id + OUTER)
        tx.record(ctx.act(Kind.PARTICIPANT_REMOVED, case_id, "", **detail))
        if left:
            _narrow(ctx, tx, person, case_id)


def state(ctx: Context, case_id: str, party: str, said: Stated, reference: str = "") -> Standing:
    """A party states where it is: its report, its fix, whether its products are affected.

    Each party states for itself; for one without an account a coordinator writes down what it answered,
    with a *reference* to where it did.

    Raises: Denied; NotFound; Invalid, naming the field; Refused, for a step that there is not.
    """
    for_it = _speaks(ctx, case_id, party, reference)
    with ctx.store.write() as tx:
        detail = coordination.stated(standing_in(tx, case_id), party, said)
        tx.record(ctx.act(Kind.STATUS_STATED, case_id, "", **detail, **for_it))
        return standing_in(tx, case_id)


def _speaks(ctx: Context, case_id: str, party: str, reference: str) -> Mapping[str, Value]:
    """Ask the rules for whoever speaks for a party: itself, or a coordinator for one without account."""
    ctx.require(Action.CASE_STATE, thing(ctx, case_id))
    with ctx.store.read() as view:
        stands = standing_in(view, case_id)
    held = stands.participants.get(party)
    if held in stands.of_person(ctx.principal.id):
        return {}
    ctx.require(Action.CASE_COORDINATE, inner(case_id))
    if held is not None and held.person:
        raise Refused("each party speaks for itself; this one has an account here")
    return {"reference": words(reference, "reference")}


def choose(ctx: Context, case_id: str, policy: str | Disclosure, reason: str) -> Standing:
    """Change the disclosure policy; what becomes shorter by it counts from now.

    Raises: Denied; NotFound; Invalid, for an unknown disclosure policy or no reason; Refused, once public
    or closed.
    """
    ctx.require(Action.CASE_COORDINATE, inner(case_id))
    under = chosen(policy)
    with ctx.store.write() as tx:
        detail = coordination.chosen(standing_in(tx, case_id), under, reason, ctx.now)
        _keep(tx, under)
        tx.record(ctx.act(Kind.DISCLOSURE_CHOSEN, case_id, "", **detail))
        return standing_in(tx, case_id)


def propose(
    ctx: Context,
    case_id: str,
    until: datetime,
    *,
    party: str = "",
    asked: Sequence[str] = (),
    reason: str = "",
) -> Standing:
    """Propose until when it is secret, as the own *party*; a change of an agreed date has a reason.

    Raises: Denied; NotFound; Invalid; Refused, naming the act that made it public, where one did.
    """
    ctx.require(Action.CASE_STATE, thing(ctx, case_id))
    with ctx.store.write() as tx:
        stands = standing_in(tx, case_id)
        by = party or _own(ctx, stands)
        if by not in {one.id for one in stands.of_person(ctx.principal.id)}:
            raise Refused("a party proposes for itself")
        detail = coordination.proposed(stands, by, until, asked, reason, ctx.now)
        proposal = ctx.new_id("proposal")
        tx.record(ctx.act(Kind.EMBARGO_PROPOSED, case_id, "", proposal=proposal, **detail))
        return standing_in(tx, case_id)


def answer(
    ctx: Context,
    case_id: str,
    said: Answer,
    *,
    party: str = "",
    until: datetime | None = None,
    reference: str = "",
) -> Standing:
    """Answer the proposed date; once everybody who was asked accepts, the shortest of them governs.

    Raises: as `state`; Refused, if nothing is proposed, or this party was not asked.
    """
    ctx.require(Action.CASE_STATE, thing(ctx, case_id))
    with ctx.store.read() as view:
        by = party or _own(ctx, standing_in(view, case_id))
    for_it = _speaks(ctx, case_id, by, reference)
    with ctx.store.write() as tx:
        stands = standing_in(tx, case_id)
        detail = coordination.answered(stands, by, said, until, ctx.now)
        tx.record(ctx.act(Kind.EMBARGO_ANSWERED, case_id, "", **detail, **for_it))
        _begin(ctx, tx, case_id)
        return standing_in(tx, case_id)


def _begin(ctx: Context, tx: Writing, case_id: str) -> None:
    """Begin, or go on with, an embargo that everybody who was asked accepted."""
    stands = standing_in(tx, case_id)
    detail = coordination.agreed(stands)
    if detail is not None:
        kind = Kind.EMBARGO_REVISED if stands.terms.began else Kind.EMBARGO_BEGUN
        tx.record(ctx.act(kind, case_id, "", **detail))


def _own(ctx: Context, stands: Standing) -> str:
    """The one party that this person is."""
    own = stands.of_person(ctx.principal.id)
    if len(own) != 1:
        raise Invalid("party", "name the party you speak for, as `leadline case show` lists them")
    return own[0].id


def own_party(ctx: Context, case_id: str) -> str:
    """The id of the one party that this person is.

    Raises: Denied; Invalid, if it is none, or several.
    """
    ctx.require(Action.CASE_STATE, thing(ctx, case_id))
    with ctx.store.read() as view:
        return _own(ctx, standing_in(view, case_id))


def end_embargo(ctx: Context, case_id: str, agrees: Sequence[str]) -> Standing:
    """End an agreed embargo before its date, because everybody whom it binds agrees.

    Raises: Denied; NotFound; Refused, naming who did not agree.
    """
    ctx.require(Action.CASE_COORDINATE, inner(case_id))
    with ctx.store.write() as tx:
        detail = coordination.ended(standing_in(tx, case_id), agrees)
        tx.record(ctx.act(Kind.EMBARGO_ENDED, case_id, "", **detail))
        return standing_in(tx, case_id)


def move(ctx: Context, case_id: str, asked: Moved) -> Standing:
    """Put on record what became of the case: public, exploited, found again, or a clock that changes.

    An embargo that this ends has ended with the same act, which is followed by one that says so.

    Raises: Denied; NotFound; Invalid, naming the field; Refused, where it is so already.
    """
    ctx.require(Action.CASE_COORDINATE, inner(case_id))
    with ctx.store.write() as tx:
        before = standing_in(tx, case_id)
        detail = coordination.moved(before, asked, ctx.now)
        tx.record(ctx.act(Kind.CASE_MOVED, case_id, "", **detail))
        after = standing_in(tx, case_id)
        over = after.terms.ended is not None and before.terms.ended is None
        if over:
            tx.record(ctx.act(Kind.EMBARGO_ENDED, case_id, "", cause=asked.move.value))
        if asked.move is Move.REDISCOVERED:
            _shorten(ctx, tx, after)
        return standing_in(tx, case_id)


def _shorten(ctx: Context, tx: Writing, stands: Standing) -> None:
    """Propose the earlier date that rediscovery asks for; people answer, nothing ends by itself."""
    until = coordination.rediscovery(stands, ctx.now)
    by = _own_coordinator(ctx, stands)
    if until is None or not by:
        return
    detail: coordination.Detail | None
    try:
        detail = coordination.proposed(stands, by, until, (), "found again independently", ctx.now)
    except Refused:
        detail = None  # nobody to agree with; the move is on record all the same
    if detail is None:
        return
    proposal = ctx.new_id("proposal")
    tx.record(ctx.act(Kind.EMBARGO_PROPOSED, stands.id, "", proposal=proposal, **detail))


def _own_coordinator(ctx: Context, stands: Standing) -> str:
    own = [one for one in stands.of_person(ctx.principal.id) if one.role is Role.COORDINATOR]
    return own[0].id if own else ""


def credit(ctx: Context, case_id: str, party: str, name: str, *, shared: bool = False) -> Standing:
    """Decide that a finder is credited, as it wants to be named; it is not changed afterwards.

    Raises: Denied; NotFound; Invalid, naming the field; Refused, if it was decided before.
    """
    ctx.require(Action.CASE_COORDINATE, inner(case_id))
    said = words(name, "name")
    with ctx.store.write() as tx:
        detail = coordination.credited(standing_in(tx, case_id), party, shared)
        row, blinder = tx.get(CaseFile, case_id), secrets.token_bytes(BLINDER_BYTES)
        told = replace(row.value.party(party), credit=said, blinder=blinder.hex())
        _put(tx, row, row.value.with_party(told))
        name_ = credit_commitment(blinder, said)
        tx.record(ctx.act(Kind.CREDIT_DECIDED, case_id, "", name=name_, **detail))
        return standing_in(tx, case_id)


def close(ctx: Context, case_id: str, reason: str) -> None:
    """Close a case that is public, or in which no vendor has anything left to do.

    Raises: Denied; NotFound; Invalid, without a reason; Refused, naming who is not done.
    """
    ctx.require(Action.CASE_COORDINATE, inner(case_id))
    with ctx.store.write() as tx:
        detail = coordination.closed(standing_in(tx, case_id), reason, ctx.now)
        tx.record(ctx.act(Kind.CASE_CLOSED, case_id, "", **detail))


@dataclass(frozen=True, slots=True)
class Fallen:
    """A clock that fell due, and whom it goes to now."""

    case: str
    clock: Clock
    party: str
    at: datetime
    goes_to: str


def sweep(ctx: Context) -> tuple[Fallen, ...]:
    """Put on record, once each, every clock that fell due in the cases of this person.

    Nothing waits for it: what fell due is shown at once without it.
    """
    made = list[Fallen]()
    for stands in listed(ctx):
        if not ctx.decision(Action.CASE_COORDINATE, inner(stands.id)).allowed:
            continue
        with ctx.store.write() as tx:
            for one in fallen(standing_in(tx, stands.id), ctx.now):
                detail: dict[str, Value] = {"clock": one.clock.value, "party": one.party}
                facts: dict[str, Value] = {"due": instant(one.at), "then": one.goes_to}
                tx.record(ctx.act(Kind.CLOCK_FELL_DUE, stands.id, "", **detail, **facts))
                made.append(one)
    return tuple(made)


def fallen(stands: Standing, now: datetime) -> tuple[Fallen, ...]:
    """The clocks that fell due and that no act tells of yet."""
    told = {
        (text(act, "clock"), text(act, "party"), text(act, "due"))
        for act in stands.acts
        if act.kind is Kind.CLOCK_FELL_DUE
    }
    if stands.closed_at is not None:
        return ()
    return tuple(
        Fallen(stands.id, one.clock, one.party, one.at, "coordinator")
        for one in stands.clocks(now)
        if one.state is Running.FELL_DUE
        and one.at is not None
        and (one.clock.value, one.party, instant(one.at)) not in told
    )


def _put(tx: Writing, row: Stored[CaseFile], file: CaseFile) -> None:
    tx.put(row.id, file, marking=row.marking, bounds=row.bounds, expect=row.version)


def _narrow(ctx: Context, tx: Writing, person: str, case_id: str) -> None:
    """Name a person for all of a case no more, once none of its parts there needs that."""
    whole = maybe(tx, Grant, Grant(person, Scope.CASE, case_id, ctx.now, "", ctx.now).id)
    parts = standing_in(tx, case_id).of_person(person)
    if whole is None or any(one.need or one.role is Role.OWNER for one in parts):
        return
    _name(ctx, tx, person, case_id, whole=False)
    _unname(ctx, tx, person, case_id)


def _unname(ctx: Context, tx: Writing, person: str, *names: str) -> None:
    """End what names a person for a case, or for a part of it; this waits for nothing."""
    for named in names:
        grant = maybe(tx, Grant, Grant(person, Scope.CASE, named, ctx.now, "", ctx.now).id)
        if grant is None:  # never named for this part, or it ended by itself
            continue
        tx.remove(Grant, grant.id)
        facts: dict[str, Value] = {"scope": Scope.CASE.value, "name": named}
        tx.record(ctx.act(Kind.GRANT_ENDED, f"principal/{person}", "", **facts))


def _findings(ctx: Context, findings: Sequence[str]) -> list[Stored[Finding]]:
    """The findings, each once, that this person may read and that are in no case."""
    rows = list[Stored[Finding]]()
    for id_ in dict.fromkeys(findings):
        with ctx.store.read() as view:
            row = view.get(Finding, id_)
        ctx.require(Action.FINDING_READ, row.thing("finding"))
        rows.append(row)
    return rows


def _take(
    ctx: Context, tx: Writing, rows: Sequence[Stored[Finding]], case_id: str
) -> tuple[str, ...]:
    """Bind findings, what replaying them showed, and fixes for them, to the case."""
    for row in rows:
        held = tx.get(Finding, row.id)
        if held.bounds.case not in {"", INTAKE}:
            raise Refused(f"the finding {row.id[:16]} is in a case already")
        _rebind(tx, held, case_id)
        beside = ((ReplayResult, f"{row.id}/replay"), (Crash, f"{row.id}/crash"))
        for kind, id_ in beside:  # not every finding was replayed, or crashed
            found = maybe(tx, kind, id_)
            if found is not None:
                _rebind(tx, found, case_id)
        tx.record(ctx.act(Kind.FINDING_MOVED, row.id, row.engagement, state="case", case=case_id))
    taken = {row.id for row in rows}
    for fix in tx.find(Fix):
        if fix.value.finding in taken:
            _rebind(tx, fix, case_id)
    return tuple(row.id for row in rows)


def _rebind(tx: Writing, row: Stored[T], case_id: str) -> None:
    tx.put(
        row.id,
        row.value,
        marking=row.marking,
        engagement=row.engagement,
        org=row.org,
        bounds=replace(row.bounds, case=case_id),
        expect=row.version,
    )


def _keep(tx: Writing, policy: Disclosure) -> None:
    """Keep the text that governs the case, whatever becomes of its file."""
    if maybe(tx, Disclosure, policy.digest) is None:
        tx.put(policy.digest, policy, marking=PUBLIC)


def _add_finders(
    ctx: Context, tx: Writing, file: CaseFile, rows: Sequence[Stored[Finding]]
) -> CaseFile:
    """Whoever handed findings in takes part as their finder, once."""
    held = {one.id for one in file.parties}
    known = {
        text(one.act, "person")
        for one in tx.acts(about=file.id, kind=Kind.PARTICIPANT_ADDED)
        if text(one.act, "party") in held
    }
    for person in dict.fromkeys(row.bounds.owner for row in rows):
        if person and person not in known:
            name = tx.principal(person).name
            new = NewParty(Role.FINDER, name, person=person)
            file = _add(ctx, tx, file, ctx.new_id("party"), new)
    return file


def _add(ctx: Context, tx: Writing, file: CaseFile, id_: str, new: NewParty) -> CaseFile:
    """Add or renew a party; a person with an account is named for what its part needs, and no more."""
    detail: dict[str, Value] = {
        "party": id_,
        "role": new.role.value,
        "person": new.person,
        "project": lane_of(new.project) if new.project else "",
        "need": bool(new.need),
    }
    if new.person:
        until = _name(ctx, tx, new.person, file.id, whole=bool(new.need) or new.role is Role.OWNER)
        detail |= {"until": instant(until)} if until else {}
    tx.record(ctx.act(Kind.PARTICIPANT_ADDED, file.id, "", **detail))
    if new.person:
        _narrow(ctx, tx, new.person, file.id)
    told = Party(id_, new.name, new.contact, new.products, new.need, new.project)
    for held in file.parties:
        if held.id == id_:  # what was decided about it stays
            told = replace(told, credit=held.credit, blinder=held.blinder)
    return file.with_party(told)


def _name(ctx: Context, tx: Writing, person: str, case_id: str, *, whole: bool) -> datetime | None:
    """Name a person for the case, for as long as a grant lasts; None if its own access is over.

    Owners, and others who need the content, for the *whole* of it; the rest for its outer part.
    """
    last = tx.principal(person).access_until
    until = min(filter(None, (ctx.now + GRANT_MAX, last)))
    if until <= ctx.now:
        return None
    named = case_id if whole else case_id + OUTER
    grant = Grant(person, Scope.CASE, named, until, ctx.principal.id, ctx.now)
    held = maybe(tx, Grant, grant.id)
    version = held.version if held else None
    tx.put(grant.id, grant, marking=OWN, bounds=Bounds(owner=person), expect=version)
    tx.record(
        ctx.act(
            Kind.GRANT_GIVEN,
            f"principal/{person}",
            "",
            scope=Scope.CASE.value,
            name=named,
            until=instant(until),
            renewed=version is not None,
        )
    )
    return until
