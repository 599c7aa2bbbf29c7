"""Notices: sent to a whole tier in one transaction, opened, answered, proved and corrected.

Matching under embargo happens here and nowhere else: over inventories that were accepted before the case
was opened, in one pass that reads the same whoever it tells. A reader sees its own notice; a coordinator
of the case sees who was told and what became of it, and no line of anybody's inventory. Nothing is sent
by the product: a notice waits where its reader signs in.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from hashlib import sha256
from importlib.resources import files

from leadline.app import cases, operators, shelving
from leadline.app.context import Context
from leadline.app.operators import OWN
from leadline.app.ports import Opened, Reading, Stored, Writing
from leadline.core.access import Action, Bounds, Circumstances, Resource
from leadline.core.clause import Fact, every, one_of
from leadline.core.clearing import delivery, receipt
from leadline.core.clearing.advisory import Advisory
from leadline.core.clearing.case import Stage as CaseStage
from leadline.core.clearing.delivery import (
    Considered,
    Delivery,
    Draft,
    Outcome,
    Release,
    Words,
)
from leadline.core.clearing.disclosure import Role
from leadline.core.clearing.fairness import BESIDE
from leadline.core.clearing.notice import Sector
from leadline.core.clearing.operator import (
    Bar,
    Enrolment,
    Roll,
    Setting,
    Snapshot,
    participation,
)
from leadline.core.clearing.product import Inventory, Operator
from leadline.core.clearing.receipt import Answer, Batch, Point, Proof, Receipt, Shown
from leadline.core.clearing.tiers import Moment, Stage, Tiers, due
from leadline.core.errors import Invalid, NotFound, Refused, Stale
from leadline.core.record.act import Act, Kind, Value, instant
from leadline.formats import operator_toml
from leadline.formats.canonical import encode
from leadline.formats.values import plain

HEADER = "leadline/notice/v1"
PAGE_BYTES_MAX = 16 << 20


@dataclass(frozen=True, slots=True)
class Facts:
    """What releases read of a case; see `facts`."""

    opened: datetime
    owners: frozenset[str]
    moment: Moment


@dataclass(frozen=True, slots=True)
class Told:
    """A notice as one reader may see it. *row* is None for whoever sees only that it was sent.

    *receipt* names the operator as acts of the case do, *operator* is its id.
    """

    operator: str
    receipt: Receipt
    public_at: datetime | None
    row: Delivery | None


@dataclass(frozen=True, slots=True)
class BurnDown:
    """What operators did about a case; *exact* counts are for those named for it alone.

    *batches* are all notices by moment, stage and tier; none where counts are not exact.
    """

    case: str
    exact: bool
    points: tuple[Point, ...]
    batches: tuple[Batch, ...] = ()


@dataclass(frozen=True, slots=True)
class _Parts:
    """All that one release reads, from one view of the state."""

    facts: Facts
    tiers: Tiers
    enrolled: Mapping[str, Enrolment]
    roll: Roll
    snapshots: Mapping[str, Sequence[Snapshot]]
    releases: tuple[Release, ...]


@dataclass(frozen=True, slots=True)
class _Page:
    """A page that will be sent, with whom it is for."""

    to: Enrolment
    tier: str
    stage: Stage
    draft: Draft
    said: Words
    corrects: str = ""


def sectors() -> Mapping[str, Sector]:
    """The sectors that there are words for, by id."""
    folder = files("leadline").joinpath("data").joinpath("sectors")
    found = [
        operator_toml.load_sector(file.read_bytes(), file.name)
        for file in sorted(folder.iterdir(), key=lambda one: one.name)
    ]
    return {one.id: one for one in found}


def release(
    ctx: Context, case: str, advisory: Advisory, stage: Stage, words: Words | None = None
) -> tuple[Delivery, ...]:
    """Tell *stage* of a case to every operator of the tiers whose turn it is, all at once.

    Every accepted inventory that takes part is read and matched, whoever is told in the end. Who was
    left out, and why, stands in the release (`releases`).

    Raises: Denied; NotFound; Refused, saying what is missing, or if an earlier notice is to be
    corrected first; Stale, if another release overtook this one.
    """
    ctx.require(Action.NOTICE_ISSUE, cases.inner(case))
    advisory = cleaned(advisory)
    with ctx.store.read() as view:
        parts = _parts(view, case, ctx.now)
    _check_corrected(parts.releases, advisory)
    said = replace(words or Words(), public_at=parts.facts.moment.public_at)
    turn = due(stage, parts.tiers, parts.facts.moment, ctx.now)
    told = {
        one.operator
        for held in parts.releases
        if held.stage is stage
        for one in held.considered
        if one.outcome is Outcome.TOLD
    }
    on = Setting(parts.facts.opened, stage.early, parts.facts.owners, parts.tiers.inventory_age)
    decided = {
        one.id: participation(one, parts.snapshots.get(one.id, ()), parts.roll, on, ctx.now)
        for one in parts.enrolled.values()
        if parts.tiers.of(one) in turn
    }
    drafts = dict(_barred(parts, decided, advisory, stage, said))
    snapshots = [one for one in decided.values() if isinstance(one, Snapshot)]
    for snapshot, held in _inventories(ctx, snapshots, advisory):
        to = parts.enrolled[snapshot.operator]
        page = _page(to, held, advisory, stage, said)
        outcome = Outcome.NO_MATCH if page is None else Outcome.TOLD
        drafts[to.id] = page, Considered(to.id, "", snapshot.id, outcome)
    pages, considered = list[_Page](), list[Considered]()
    for id_ in decided:
        (page, what), to = drafts[id_], parts.enrolled[id_]
        tier = parts.tiers.of(to).id
        again = page is not None and id_ in told
        outcome = Outcome.TOLD_BEFORE if again else what.outcome
        considered.append(replace(what, tier=tier, outcome=outcome))
        if page is not None and not again:
            pages.append(_Page(to, tier, stage, page, said))
    made = Release(
        "", case, stage, 0, advisory, parts.tiers.digest, tuple(tier.id for tier in turn),
        said.evidence, said.text, said.public_at, ctx.now, tuple(considered),
    )  # fmt: skip
    return _send(ctx, made, parts.releases, pages)


def correct(ctx: Context, case: str, advisory: Advisory, reason: str) -> tuple[Delivery, ...]:
    """Tell those who got a notice that the advisory was changed or withdrawn, before anybody else.

    Each page is written anew from the inventory that it was written from.

    Raises: Denied; NotFound; Refused, if nobody was told or nothing changed; Invalid, without a reason.
    """
    ctx.require(Action.NOTICE_ISSUE, cases.inner(case))
    advisory = cleaned(advisory)
    if not reason.strip():
        raise Invalid("reason", "say in words what changed")
    with ctx.store.read() as view:
        parts = _parts(view, case, ctx.now)
        rows = [row.value for row in view.find(Delivery, visible=one_of(Fact.CASE, [case]))]
    if not parts.releases or not rows:
        raise Refused("nobody was told of this case yet")
    if _same(parts.releases[-1].advisory, advisory):
        raise Refused("the advisory says what the notices say; there is nothing to correct")
    used = {
        one.operator: one.snapshot
        for held in parts.releases
        for one in held.considered
        if one.snapshot
    }
    known = {one.id: one for held in parts.snapshots.values() for one in held}
    last = _standing(rows)
    snapshots = [known[used[row.operator]] for row in last if row.operator in used]
    inventories = {one.operator: held for one, held in _inventories(ctx, snapshots, advisory)}
    pages = [
        _corrected(parts, row, inventories.get(row.operator), advisory, reason.strip())
        for row in last
    ]
    made = replace(
        parts.releases[-1],
        advisory=advisory,
        told=(),
        words=reason.strip(),
        at=ctx.now,
        considered=tuple(
            Considered(one.to.id, one.tier, used.get(one.to.id, ""), Outcome.CORRECTED)
            for one in pages
        ),
    )
    return _send(ctx, made, parts.releases, pages)


def _corrected(
    parts: _Parts, row: Delivery, held: Inventory | None, advisory: Advisory, reason: str
) -> _Page:
    """The page that takes the place of *row*; what was told early stays early until it is public."""
    to = parts.enrolled[row.operator]
    public = not parts.facts.moment.embargoed
    stage = Stage.PUBLISHED if public and row.stage.early else row.stage
    said = Words("", row.evidence, row.public_at, row.artefacts)
    draft = None
    if not advisory.withdrawn and held is not None:
        draft = _page(to, held, advisory, stage, said)
    elif not advisory.withdrawn:
        draft = delivery.local(_reader(to), _sector(to), advisory, said)
    old = draft.page if draft else row.page
    page = delivery.correction(old, reason, concerns=draft is not None)
    told = replace(draft, page=page) if draft else Draft(page, (), ())
    return _Page(to, row.tier, stage, told, said, row.id)


def releases(ctx: Context, case: str) -> tuple[Release, ...]:
    """What was released of a case, in order, with who was left out and why; for its coordinators.

    That a coordinator looked is an act as long as the case is not public.
    """
    ctx.require(Action.NOTICE_ISSUE, cases.inner(case))
    with ctx.store.read() as view:
        found = releases_of(view, case)
        secret = bool(found) and facts(view, case, ctx.now).moment.embargoed
    if secret:
        with ctx.store.write() as tx:
            tx.record(ctx.act(Kind.NOTICE_OPENED, found[-1].id, "", case=case, operator=""))
    return found


def listed(ctx: Context, case: str = "") -> tuple[Told, ...]:
    """The notices this person may know of, in order of sending: its own, or those of its cases.

    Nothing of what they say is listed.
    """
    given = Circumstances(ctx.now, assurance=ctx.assurance, suspended=ctx.suspended)
    seen = ctx.access.visible(ctx.principal, Action.NOTICE_READ, "notice", given)
    asked = every([seen, one_of(Fact.CASE, [case])]) if case else seen
    with ctx.store.read() as view:
        rows = view.find(Delivery, visible=asked)
        found = receipts_of(view, [row.id for row in rows])
    told = (Told(row.value.operator, found[row.id], row.value.public_at, None) for row in rows)
    return tuple(sorted(told, key=lambda one: (one.receipt.sent, one.receipt.notice)))


def show(ctx: Context, notice: str) -> Told:
    """One notice: to its operator what it says, to a coordinator of the case that it was sent.

    That the operator opened it is an act: the first time, and each time before publication.

    Raises: NotFound, in the same words where there is none and where it is another's.
    """
    row = _mine(ctx, Action.NOTICE_READ, notice)
    with ctx.store.read() as view:
        found = receipts_of(view, [row.id])[row.id]
    if row.org != ctx.principal.org:
        return Told(row.value.operator, found, row.value.public_at, None)
    if found.opened is None or row.value.stage.early:
        act = _act(ctx, Kind.NOTICE_OPENED, row.value)
        with ctx.store.write() as tx:
            tx.record(act)
        found = receipt.after(found, act)
    return Told(row.value.operator, found, row.value.public_at, row.value)


def answer(ctx: Context, notice: str, said: Answer, why: str = "") -> Receipt:
    """Say what the operator does about a notice. *Not applicable* needs a reason, kept sealed.

    Raises: NotFound; Invalid, without the reason; Refused, if the notice was corrected.
    """
    row = _mine(ctx, Action.NOTICE_ANSWER, notice)
    if said is Answer.NOT_APPLICABLE and not why.strip():
        raise Invalid("why", "say why it does not apply to you")
    kept = _kept(ctx, why.strip().encode("utf-8", "replace")) if why.strip() else ""
    act = _act(
        ctx, Kind.NOTICE_ANSWERED, row.value, answer=said.value, **({"why": kept} if kept else {})
    )
    return _record(ctx, row.id, [act])[row.id]


def prove(ctx: Context, notice: str, how: Proof, evidence: str = "") -> tuple[Receipt, Shown, str]:
    """Show that what a notice named is repaired; answers the receipt, what it came to, and why.

    *evidence* is the id of an inventory (else the newest), the SHA-256 of the installed artefact in
    hex, or the output of the notice's check.

    Raises: NotFound; Refused, before a repaired release is named, or for an older inventory; Invalid.
    """
    row = _mine(ctx, Action.NOTICE_ANSWER, notice)
    told = row.value
    if told.stage is Stage.MITIGATION:
        raise Refused("no repaired release is named yet; answer with what you did")
    if how is Proof.INVENTORY:
        snapshot, inventory = _newest(ctx, evidence)
        if snapshot.accepted <= told.sent:
            raise _too_old(ctx)
        shown, why = _by_inventory(told, inventory)
        digest = snapshot.raw
    elif how is Proof.CHECK:
        if not evidence.strip():
            raise Invalid("evidence", "give what the check printed")
        digest = _kept(ctx, evidence.encode("utf-8", "replace"))
        shown, why = receipt.by_check(told.told, evidence)
    else:
        Words(artefacts=(evidence,))
        digest = evidence
        known = evidence in told.artefacts
        shown = Shown.FIXED if known else Shown.UNKNOWN
        why = (
            "this is a repaired artefact that the notice names"
            if known
            else "the notice names no artefact of this digest; give an inventory"
        )
    act = _proof(ctx, told, how, shown, digest)
    return _record(ctx, row.id, [act])[row.id], shown, why


def recheck(ctx: Context, snapshot: str) -> tuple[tuple[Receipt, Shown, str], ...]:
    """Hold a new inventory against each of the operator's own notices of what is public.

    Whoever takes a repaired release back out is flagged by the same step.
    """
    held, inventory = operators.inventory(ctx, snapshot)
    given = Circumstances(ctx.now, assurance=ctx.assurance, suspended=ctx.suspended)
    seen = ctx.access.visible(ctx.principal, Action.NOTICE_ANSWER, "notice", given)
    with ctx.store.read() as view:
        rows = [row.value for row in view.find(Delivery, visible=seen)]
        before = receipts_of(view, [row.id for row in rows])
    acts, told = list[Act](), list[tuple[str, Shown, str]]()
    for row in _standing(rows):
        if row.stage.early or not row.told or held.accepted <= row.sent:
            continue
        shown, why = _by_inventory(row, inventory)
        act = _proof(ctx, row, Proof.INVENTORY, shown, held.raw)
        if receipt.after(before[row.id], act).state is not before[row.id].state:
            acts.append(act)
            told.append((row.id, shown, why))
    if not acts:
        return ()
    with ctx.store.write() as tx:
        for act in acts:
            tx.record(act)
        found = receipts_of(tx, [id_ for id_, _, _ in told])
    return tuple((found[id_], shown, why) for id_, shown, why in told)


def burn_down(ctx: Context, case: str) -> BurnDown:
    """Who was told, who applied, who proved it, over time; small counts only for the case's own people."""
    ctx.require(Action.FAIRNESS_READ, cases.inner(case))
    return burn_downs(ctx, [case])[case]


def burn_downs(ctx: Context, of: Sequence[str]) -> Mapping[str, BurnDown]:
    """The same of many cases, of those for which this person may ask."""
    mine = [one.id for one in ctx.allowed(Action.FAIRNESS_READ, [cases.inner(one) for one in of])]
    told = [Resource("notice", case, marking=OWN, case=case) for case in mine]
    exact = {one.id for one in ctx.allowed(Action.NOTICE_READ, told)}
    acts = dict[str, list[Act]]((case, []) for case in mine)
    with ctx.store.read() as view:
        for one in view.acts(naming=frozenset(mine), kind=receipt.COUNTED):
            if (case := str(one.act.detail.get("case", ""))) in acts:
                acts[case].append(one.act)
    return {
        case: BurnDown(
            case,
            case in exact,
            receipt.burn_down(found),
            receipt.batches(found) if case in exact else (),
        )
        for case, found in acts.items()
    }


def consent(ctx: Context, case: str) -> None:
    """Agree, as an owner, that operators are told of mitigations before the case is public.

    Raises: Denied; Refused, for anybody who stands for no owner of the case.
    """
    ctx.require(Action.CASE_STATE, cases.inner(case))
    with ctx.store.read() as view:
        stands = cases.standing_in(view, case)
    own = [one for one in stands.of_person(ctx.principal.id) if one.role is Role.OWNER]
    if not own:
        raise Refused(
            "an owner of the software agrees to this, and you stand for none in this case"
        )
    with ctx.store.write() as tx:
        for one in own:
            tx.record(ctx.act(Kind.STATUS_STATED, case, "", party=one.id, mitigation=True))


def drafted(ctx: Context, case: str, advisory: str) -> Advisory:
    """The advisory that was drafted or published for a case, by its id.

    Raises: Denied; NotFound, if the case has none of that id.
    """
    ctx.require(Action.NOTICE_ISSUE, cases.inner(case))
    with ctx.store.read() as view:
        rows = view.find(Advisory, visible=one_of(Fact.CASE, [case]))
        row = next((one for one in rows if one.id == advisory), None)
        published = view.acts(about=advisory, kind=Kind.ADVISORY_PUBLISHED)
        if row is None and any(one.act.detail.get("case") == case for one in published):
            row = view.get(Advisory, advisory)
    if row is None:
        raise NotFound(f"no advisory {advisory:.80} of this case; name a file, or draft one")
    return row.value


def facts(view: Reading, case: str, now: datetime) -> Facts:
    """What the acts of a case say to whoever releases notices.

    Raises: NotFound, if there is no such case.
    """
    stands = cases.standing_in(view, case)
    owners = [one for one in stands.present if one.role is Role.OWNER]
    known = {one.id: one.org for one in view.principals()}
    said = {
        act.detail.get("party")
        for act in stands.acts
        if act.kind is Kind.STATUS_STATED and act.detail.get("mitigation") is True
    }
    embargoed, until = stands.embargoed(now), stands.public_at
    agreed = stands.stage(now) is CaseStage.DATE_AGREED
    return Facts(
        stands.opened_at,
        frozenset(known[one.person] for one in owners if one.person in known),
        Moment(
            embargoed=embargoed,
            consented=bool(owners) and all(one.id in said for one in owners),
            attacked=stands.attacks is not None,
            public_at=until if agreed or not embargoed else None,
            published=None if embargoed else until,
        ),
    )


def releases_of(view: Reading, case: str) -> tuple[Release, ...]:
    """The releases of a case, in the order of their acts."""
    rows = view.find(Release, visible=one_of(Fact.CASE, [case]))
    return tuple(sorted((row.value for row in rows), key=lambda one: one.number))


def receipts_of(view: Reading, notices: Sequence[str]) -> Mapping[str, Receipt]:
    """The receipts of these notices, by id."""
    return receipt.receipts([one.act for one in view.acts(about=frozenset(notices))])


def cleaned(advisory: Advisory) -> Advisory:
    """The advisory, if records can hold it. Raises: Invalid, for text that is not in normal form C."""
    if not unicodedata.is_normalized("NFC", str(plain(advisory))):
        raise Invalid("advisory", "its text is not in Unicode normal form C; normalise it first")
    return advisory


def _parts(view: Reading, case: str, now: datetime) -> _Parts:
    found = facts(view, case, now)
    rows = view.find(Enrolment)
    return _Parts(
        found,
        operators.tiers_before(view, found.opened),
        {row.id: row.value for row in rows},
        operators.roll_of(view),
        operators.snapshots(view),
        releases_of(view, case),
    )


def _check_corrected(before: Sequence[Release], advisory: Advisory) -> None:
    if before and not _same(before[-1].advisory, advisory):
        raise Refused(
            "the advisory is not the one that notices were sent of; correct those first, so that"
            " whoever was told hears of the change before anybody else"
        )


def _same(one: Advisory, other: Advisory) -> bool:
    """Whether two states of an advisory say the same of what is affected and what repairs it."""
    said = [
        [(flaw.statements, flaw.remedy) for flaw in advisory.flaws] for advisory in (one, other)
    ]
    return (one.id, one.withdrawn, said[0]) == (other.id, other.withdrawn, said[1])


def _barred(
    parts: _Parts,
    decided: Mapping[str, Snapshot | Bar],
    advisory: Advisory,
    stage: Stage,
    said: Words,
) -> Iterator[tuple[str, tuple[Draft | None, Considered]]]:
    """What becomes of those without an inventory to match; in local mode a page once it is public."""
    for id_, found in decided.items():
        if found is Bar.LOCAL and not stage.early:
            to = parts.enrolled[id_]
            draft = delivery.local(_reader(to), _sector(to), advisory, said)
            yield id_, (draft, Considered(id_, "", "", Outcome.TOLD, found.value))
        elif isinstance(found, Bar):
            yield id_, (None, Considered(id_, "", "", Outcome.BARRED, found.value))


def _page(
    to: Enrolment, held: Inventory, advisory: Advisory, stage: Stage, said: Words
) -> Draft | None:
    if stage.early:
        return delivery.early(_reader(to), _sector(to), held, advisory, stage, said)
    return delivery.public(_reader(to), _sector(to), held, advisory, said)


def _inventories(
    ctx: Context, snapshots: Sequence[Snapshot], advisory: Advisory
) -> Iterator[tuple[Snapshot, Inventory]]:
    """Of each inventory the part that the advisory can match at all."""
    named, devices = delivery.wanted(advisory)
    shelf = shelving.Shelf(ctx.store, ctx.vault, ctx.new_id)
    for snapshot, data in shelf.contents(snapshots):
        yield snapshot, shelving.search(data, named, devices=devices)


def _reader(one: Enrolment) -> Operator:
    return Operator(one.id, one.name, one.sectors[0], one.contact, sample=False)


@cache
def _sectors() -> Mapping[str, Sector]:
    return sectors()


def _sector(one: Enrolment) -> Sector:
    return _sectors().get(one.sectors[0], _sectors()["other"])


def _send(
    ctx: Context,
    made: Release,
    before: Sequence[Release],
    pages: Sequence[_Page],
) -> tuple[Delivery, ...]:
    """Write a release and all its notices, or nothing; the same steps whether there are any."""
    ready = [_delivery(ctx, made, page) for page in pages]
    content = sha256(encode(plain(made.advisory), bytes_max=PAGE_BYTES_MAX)).hexdigest()
    with ctx.store.read() as view:
        size, known = view.log_size(), len(case_acts(view, made.case))
    # From here on nobody else writes: what can be read and made before was.
    with ctx.store.write() as tx:
        if len(releases_of(tx, made.case)) != len(before):
            raise Stale("another release of this case was made meanwhile; look at it and try again")
        number = known + len(case_acts(tx, made.case, size)) + 1
        kept = replace(made, id=f"{made.case}/{number}", number=number)
        until = made.public_at if made.stage.early else None
        tx.put(kept.id, kept, marking=OWN, bounds=Bounds(case=made.case, embargo_until=until))
        counts = Counter(one.outcome for one in made.considered)
        facts_of = {one.value.replace("-", "_"): counts[one] for one in Outcome}
        tx.record(
            ctx.act(
                Kind.NOTICE_ISSUED, made.case, "", n=number, stage=made.stage.value,
                advisory=content, tiers=made.tiers, told_tiers=made.told, **facts_of,
            )
        )  # fmt: skip
        for row, page in zip(ready, pages, strict=True):
            number = _deliver(ctx, tx, row, page, number)
    return tuple(ready)


def _deliver(ctx: Context, tx: Writing, row: Delivery, page: _Page, number: int) -> int:
    tx.put(row.id, row, marking=OWN, org=page.to.org, bounds=Bounds(case=row.case))
    detail: dict[str, Value] = {
        "case": row.case,
        "operator": delivery.alias(row.case, row.operator),
    }
    if row.corrects:
        number += 1
        tx.record(ctx.act(Kind.NOTICE_CORRECTED, row.corrects, "", n=number, by=row.id, **detail))
    number += 1
    tx.record(
        ctx.act(
            Kind.NOTICE_SENT, row.id, "", n=number, stage=row.stage.value, tier=row.tier,
            digest=row.digest, **detail,
        )
    )  # fmt: skip
    return number


def case_acts(view: Reading, case: str, since: int = 0) -> list[Opened]:
    """The acts of a case from leaf *since* on, in log order: those about it, and those beside it that name it."""
    found = {one.index: one for one in view.acts(about=case, since=since)}
    found |= {
        one.index: one
        for one in view.acts(naming=frozenset([case]), kind=frozenset(BESIDE), since=since)
        if one.act.detail.get("case") == case
    }
    return [found[index] for index in sorted(found)]


def _delivery(ctx: Context, made: Release, page: _Page) -> Delivery:
    id_ = ctx.new_id("notice")
    draft, said = page.draft, page.said
    shown = replace(draft.page, advisory=draft.page.advisory or id_)
    told = {
        "notice": id_,
        "stage": page.stage.value,
        "page": plain(shown),
        "why": draft.why,
        "evidence": said.evidence.value,
        "public_at": instant(said.public_at) if said.public_at else "",
        "artefacts": said.artefacts,
    }
    digest = sha256(encode(told, bytes_max=PAGE_BYTES_MAX)).hexdigest()
    return Delivery(
        id_, made.case, page.to.id, page.stage, page.tier, ctx.now, shown, draft.why, said.evidence,
        said.public_at, draft.told, digest, ctx.signer.sign(statement(id_, digest)), said.artefacts,
        page.corrects,
    )  # fmt: skip


def statement(notice: str, digest: str) -> str:
    """What is signed of a notice; its first line keeps it from being read as anything else."""
    return f"{HEADER}\n{notice}\n{digest}\n"


def _standing(rows: Iterable[Delivery]) -> tuple[Delivery, ...]:
    """Of each operator's notices of each case the last one."""
    last = dict[tuple[str, str], Delivery]()
    for row in sorted(rows, key=lambda one: (one.sent, bool(one.corrects), one.id)):
        last[row.operator, row.case] = row
    return tuple(last.values())


def _mine(ctx: Context, action: Action, notice: str) -> Stored[Delivery]:
    row = operators.only_own(ctx, action, "notice", Delivery, notice)
    if action is Action.NOTICE_ANSWER:
        with ctx.store.read() as view:
            corrected = [
                one.act for one in view.acts(about=notice) if one.act.kind is Kind.NOTICE_CORRECTED
            ]
        if corrected:
            raise Refused(
                f"{corrected[-1].detail['by']} took the place of this notice; answer that"
            )
    return row


def _too_old(ctx: Context) -> Refused:
    """Why a list shows nothing; whoever takes part no longer can give no newer one."""
    org = ctx.principal.org
    with ctx.store.read() as view:
        if operators.of_org(view, org, ctx.now) is None:
            return operators.without(view, org)
    return Refused("this inventory was given before the notice; give a newer one")


def _newest(ctx: Context, wanted: str) -> tuple[Snapshot, Inventory]:
    held = operators.inventories(ctx)
    if not wanted and not held:
        raise Refused("you gave no inventory; run `leadline inventory give` first")
    return operators.inventory(ctx, wanted or held[-1].id)


def _by_inventory(told: Delivery, inventory: Inventory) -> tuple[Shown, str]:
    assets = {line.asset for line in told.page.affected}
    return receipt.by_inventory(told.told, inventory, assets)


def _kept(ctx: Context, words: bytes) -> str:
    return shelving.Shelf(ctx.store, ctx.vault, ctx.new_id).keep(words)


def _act(ctx: Context, kind: Kind, told: Delivery, **more: Value) -> Act:
    operator = delivery.alias(told.case, told.operator)
    return ctx.act(kind, told.id, "", case=told.case, operator=operator, **more)


def _proof(ctx: Context, told: Delivery, how: Proof, shown: Shown, digest: str) -> Act:
    return _act(ctx, Kind.REMEDY_PROVED, told, how=how.value, shown=shown.value, evidence=digest)


def _record(ctx: Context, notice: str, acts: Sequence[Act]) -> Mapping[str, Receipt]:
    with ctx.store.write() as tx:
        for act in acts:
            tx.record(act)
        return receipts_of(tx, [notice])
