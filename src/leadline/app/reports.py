"""Reports handed in: taken whole or not at all, with a receipt, states, a place in the queue and credit.

What is written in a report is data. It lies in the vault, marked TLP:RED, reaches no model that has
tools, and is shown escaped; rows and acts hold digests, places and short words. States, places and dates
are computed from acts whenever asked.
"""

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime

from leadline.app import browse, contracts
from leadline.app.browse import Thing
from leadline.app.context import Context
from leadline.app.ports import Order, Reading, Store, Stored, Writing, maybe
from leadline.app.queueing import Queue, queued
from leadline.app.twins import OVER, first_of, go_on
from leadline.core.access import UNBOUND, Action, Bounds, Circumstances, Resource
from leadline.core.clause import admits
from leadline.core.clearing.contract import Claims, Judged, judge
from leadline.core.clearing.finding import Finding
from leadline.core.clearing.product import Fault
from leadline.core.clearing.queue import EARLY
from leadline.core.clearing.report import (
    Claim,
    Credit,
    Draft,
    Faulty,
    Passed,
    Receipt,
    Report,
    Span,
    Stage,
    Standing,
    answer_due,
    check_move,
    credit,
    standing,
)
from leadline.core.clearing.sensitive import spotted
from leadline.core.errors import Denied, Invalid, NotFound, Refused, Stale
from leadline.core.marking import Marking, Tlp
from leadline.core.record.act import Act, Kind, Value, instant
from leadline.core.record.commitment import BLINDER_BYTES, commit_finding
from leadline.formats.canonical import encode
from leadline.formats.document import load
from leadline.formats.document import text as told
from leadline.formats.values import plain

INTAKE = "intake"
ROW, TEXT = Marking(Tlp.AMBER_STRICT), Marking(Tlp.RED)
BATCH = 256  # reports in one transaction and one parcel
PARCEL_BYTES = 8 << 20
WORDS_BYTES_MAX = 64 << 10
DESCRIPTION_MAX = 20_000
WITHHELD = "withheld: the text looks as if it held a secret or somebody's data"
PART_MAX = 100  # reports in one part of a list
AGAIN = "~"  # begins a place among what somebody else had handed in first; in no other place
ANY_STAGE = frozenset(Stage)
WAITING = frozenset(one for one in Stage if one.waits)
Outcome = Receipt | Faulty


@dataclass(frozen=True, slots=True)
class Opening:
    """What shows that a commitment made earlier was to this very report; both in hex."""

    commitment: str
    blinder: str


@dataclass(frozen=True, slots=True)
class FindingState:
    """Where one report stands, for whoever may know: nothing of the report itself but its title.

    *place* counts from 1 in its project's queue, in which *waiting* reports stand, the *oldest* since
    that moment; *expected* is None where no date can be told, and
    *waits_for* says why. *answer_due* is when a coordinator's first answer is due, None once it came.
    """

    finding: str
    title: str
    stage: Stage
    reason: str
    submitted: datetime
    commitment: str
    index: int
    steps: tuple[Passed, ...]
    place: int | None
    expected: datetime | None
    waits_for: str
    answer_due: datetime | None
    answers: tuple[tuple[datetime, str], ...]
    asks: tuple[str, ...]
    case: str = ""
    waiting: int = 0
    oldest: datetime | None = None


@dataclass(frozen=True, slots=True)
class ReportsPart:
    """A part of the list as a program asks for it. *next* is the cursor of the next one; None at the end."""

    items: tuple[FindingState, ...] = ()
    next: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the list of reports. *after* asks for the next one; it is empty at the end."""

    reports: tuple[FindingState, ...]
    after: str


def submit(
    ctx: Context,
    finding: Finding,
    proof: bytes | None,
    raw: bytes,
    *,
    files: Mapping[str, bytes] | None = None,
    opening: Opening | None = None,
) -> Receipt:
    """Hand in one report: it is in the record when this returns.

    Raises: Denied; Faulty, listing what the project's contract misses.
    """
    (outcome,) = submit_all(ctx, [Draft(finding, raw, proof, files)], opening=opening)
    if isinstance(outcome, Faulty):
        raise outcome
    return outcome


def submit_all(
    ctx: Context, drafts: Iterable[Draft], *, opening: Opening | None = None
) -> tuple[Outcome, ...]:
    """Hand in many reports; each is taken or not by itself. Raises: Denied."""
    return tuple(one for some in submitting(ctx, drafts, opening=opening) for one in some)


def submitting(
    ctx: Context, drafts: Iterable[Draft], *, opening: Opening | None = None
) -> Iterator[tuple[Outcome, ...]]:
    """As `submit_all`, some at a time: what is yielded is durable, in the order of *drafts*.

    Raises: Denied, before anything is taken.
    """
    person = ctx.principal
    ctx.require(
        Action.FINDING_SUBMIT,
        Resource("finding", "new", org=person.org, marking=TEXT, case=INTAKE, owner=person.id),
    )
    with ctx.store.read() as view:
        terms = Claims(contracts.on_file(view))
    for some in _batches(drafts):
        yield _Batch(ctx, terms, opening).taken(some)


def _batches(drafts: Iterable[Draft]) -> Iterator[list[Draft]]:
    some, length = list[Draft](), 0
    for one in drafts:
        some.append(one)
        length += len(one.raw) + len(one.proof or b"") + sum(map(len, (one.files or {}).values()))
        if len(some) == BATCH or length >= PARCEL_BYTES:
            yield some
            some, length = [], 0
    if some:
        yield some


@dataclass(frozen=True, slots=True)
class _Offer:
    """One draft, judged, with everything that is due for its transaction."""

    finding: Finding
    judged: Judged
    report: Report
    withheld: bool


@dataclass(frozen=True, slots=True)
class _Batch:
    """Some reports of one person in one parcel and one transaction."""

    ctx: Context
    terms: Claims
    opening: Opening | None

    def taken(self, drafts: Sequence[Draft]) -> tuple[Outcome, ...]:
        parcel = bytearray()
        offers = [self._offer(draft, parcel) for draft in drafts]
        digest = self.ctx.vault.put(bytes(parcel), marking=TEXT) if parcel else ""
        outcomes = list[Outcome]()
        with self.ctx.store.write() as tx:
            for offer in offers:
                if isinstance(offer, Faulty):
                    outcomes.append(offer)
                else:
                    kept = replace(offer, report=replace(offer.report, parcel=digest))
                    outcomes.append(self._enter(tx, kept))
        return tuple(self._placed(outcomes))

    def _offer(self, draft: Draft, parcel: bytearray) -> "_Offer | Faulty":
        seen = spotted(draft.raw.decode("utf-8", "replace"))
        finding = _quarantined(draft.finding) if seen else draft.finding
        judged = judge(self.terms, finding)
        if judged.lacking:
            faults = [Fault("", f"{judged.reason}: {one}") for one in judged.lacking]
            return Faulty(finding.title or finding.id, faults)
        text = _append(parcel, draft.raw)
        proof = None if draft.proof is None else _append(parcel, draft.proof)
        files = tuple((name, _append(parcel, data)) for name, data in (draft.files or {}).items())
        blinder, person = secrets.token_bytes(BLINDER_BYTES), self.ctx.principal
        commitment = commit_finding(blinder, committed(finding, person.id)).hex()
        report = Report(
            finding.id,
            person.id,
            person.org,
            "",
            text,
            commitment,
            blinder.hex(),
            proof,
            files,
            seen,
        )
        return _Offer(finding, judged, report, bool(seen))

    def _enter(self, tx: Writing, offer: _Offer) -> Receipt:
        ctx, report = self.ctx, offer.report
        id_, me, org = report.finding, ctx.principal.id, ctx.principal.org
        where = Bounds(case=INTAKE, owner=me)
        if not _new(tx, _row(id_, me), report, TEXT, org, where):
            return self._again(tx, offer, tx.get(Report, _row(id_, me)).value)
        first = _new(tx, id_, offer.finding, ROW, org, where)
        twin = first_of(tx, offer.finding, id_) if first else ""
        stage, reason = offer.judged.stage, offer.judged.reason
        if not first:
            reason = "this very report is here already; yours counts with its own time"
        elif twin:
            told = "its proof is here already for the same software; yours counts with its own time"
            stage, reason = Stage.DUPLICATE, told
        index = tx.record(self._act(tx, offer, stage, reason, twin))
        known, asks = bool(twin) or not first, _asks(report.withheld)
        return Receipt(
            id_, ctx.now, report.commitment, index, stage, reason, known=known, asks=asks
        )

    def _again(self, tx: Writing, offer: _Offer, held: Report) -> Receipt:
        """The same report by the same person: the receipt it has; what was withdrawn is opened again."""
        id_ = held.finding
        acts = tx.acts(about=id_)
        mine = next(one for one in acts if one.act.actor == self.ctx.principal.id)
        stands = standing(one.act for one in acts)
        stage, reason = offer.judged.stage, "handed in again"
        if stands is not None and stands.stage is not Stage.WITHDRAWN:
            stage, reason = stands.stage, stands.reason
        gone = stands is None or self.ctx.principal.id in stands.gave_up
        if gone and stage is not Stage.CASE:
            moved = {"state": stage.value, "reason": reason}
            tx.record(self.ctx.act(Kind.FINDING_MOVED, id_, "", **moved))
        asks = _asks(held.withheld)
        return Receipt(
            id_, mine.act.at, held.commitment, mine.index, stage, reason, known=True, asks=asks
        )

    def _act(self, tx: Writing, offer: _Offer, stage: Stage, reason: str, twin: str) -> Act:
        finding, judged = offer.finding, offer.judged
        detail: dict[str, Value] = {
            "commitment": offer.report.commitment,
            "proof": finding.proof_sha256,
            "origin": finding.origin,
            "severity": finding.severity.value,
            "lane": judged.lane,
            "contract": judged.contract.digest if judged.contract else "",
            "clause": judged.clause,
            "state": stage.value,
            "reason": reason,
            "same_as": twin,
            "needs": finding.needs,
            "withheld": offer.withheld,
            "case": INTAKE,
        }
        if self.opening is not None:
            detail |= _opened(tx, self.opening, finding, self.ctx.principal.id)
        kept = {name: value for name, value in detail.items() if value not in {"", ()}}
        return self.ctx.act(Kind.FINDING_SUBMITTED, offer.report.finding, "", **kept)

    def _placed(self, outcomes: Sequence[Outcome]) -> Iterator[Outcome]:
        """Receipts with places where one report was handed in; a batch asks for them afterwards."""
        if len(outcomes) > 1:
            yield from outcomes
            return
        for one in outcomes:
            if isinstance(one, Faulty):
                yield one
                continue
            slot = queued(self.ctx, [one.finding]).slots.get(one.finding)
            if slot is None:
                yield one
            else:
                reason = f"{one.reason}; {slot.why}"
                yield replace(one, place=slot.place, expected=slot.at, reason=reason)


def _append(parcel: bytearray, data: bytes) -> Span:
    parcel.extend(data)
    return Span(len(parcel) - len(data), len(data))


def _row(finding_id: str, person: str) -> str:
    return f"{finding_id}/{person}"


def _new(
    tx: Writing, id_: str, value: object, marking: Marking, org: str = "", bounds: Bounds = UNBOUND
) -> bool:
    """Enter a row that was not there; False, and nothing changed, if one is."""
    there = False
    try:
        tx.put(id_, value, marking=marking, org=org, bounds=bounds)
    except Stale:
        there = True
    return not there


def _quarantined(finding: Finding) -> Finding:
    """The finding without its words; they stay in the vault, where nobody is shown them."""
    evidence = replace(finding.evidence, oracle="", command=())
    return replace(finding, title=WITHHELD, observation="", exploited="", evidence=evidence)


def _asks(withheld: Sequence[str]) -> tuple[str, ...]:
    if not withheld:
        return ()
    seen = ", ".join(withheld[:5])
    told = f"your text looks as if it held {seen}: nobody is shown it"
    return (f"{told}; hand it in without that, or say `leadline finding stand-by`",)


def committed(finding: Finding, person: str) -> bytes:
    """The bytes that a commitment of *person* to a finding is made of."""
    return encode(plain({"by": person, "finding": finding.content()}))


def commit_to(ctx: Context, draft: Draft) -> Opening:
    """Commit to a report that stays with its finder meanwhile; answers what opens the commitment later.

    Raises: Denied.
    """
    seen = spotted(draft.raw.decode("utf-8", "replace"))
    finding = _quarantined(draft.finding) if seen else draft.finding
    blinder = secrets.token_bytes(BLINDER_BYTES)
    commitment = commit_finding(blinder, committed(finding, ctx.principal.id)).hex()
    commit(ctx, commitment)
    return Opening(commitment, blinder.hex())


def commit(ctx: Context, commitment: str) -> int:
    """Put a commitment in the record before the report itself is shown; answers its place in the log.

    Raises: Denied; Invalid, if it is none.
    """
    person = ctx.principal
    thing = Resource("finding", "new", org=person.org, marking=TEXT, case=INTAKE, owner=person.id)
    ctx.require(Action.FINDING_SUBMIT, thing)
    if len(_hex(commitment, "commitment")) != BLINDER_BYTES:
        raise Invalid("commitment", f"{2 * BLINDER_BYTES} hexadecimal digits are due")
    with ctx.store.write() as tx:
        act = ctx.act(Kind.FINDING_SUBMITTED, _early(commitment), "", commitment=commitment)
        return tx.record(act)


def _early(commitment: str) -> str:
    return f"{EARLY}{commitment}"


def _hex(text: str, field: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise Invalid(field, "hexadecimal digits are due") from None


def _opened(tx: Reading, opening: Opening, finding: Finding, person: str) -> dict[str, Value]:
    """When the commitment was made; that it is void, if it was to something else or by another."""
    blinder = _hex(opening.blinder, "blinder")
    sound = commit_finding(blinder, committed(finding, person)).hex() == opening.commitment
    acts = [one.act for one in tx.acts(about=_early(opening.commitment))]
    made = next((act for act in acts if act.actor == person), None)
    if made is None or not sound:
        return {"void": opening.commitment}
    return {"opens": opening.commitment, "committed_at": instant(made.at)}


def _readable(ctx: Context, finding_id: str, action: Action | None = None) -> Stored[Finding]:
    """The finding's row; raises NotFound in the same words where it is not this person's to know."""
    with ctx.store.read() as view:
        row = maybe(view, Finding, finding_id)
        also = maybe(view, Report, _row(finding_id, ctx.principal.id))
    if row is None and also is not None:
        with _reaching(ctx, ROW).read() as view:
            row = maybe(view, Finding, finding_id)
    if row is not None and also is not None:
        # Who handed in the very same report sees it as its own.
        mine = replace(row.bounds, owner=ctx.principal.id)
        row = replace(row, bounds=mine, org=ctx.principal.org)
    thing = row.thing("finding") if row else Resource("finding", finding_id, marking=ROW)
    try:
        ctx.require(Action.FINDING_READ, thing)
    except Denied:
        row = None
    if row is None:
        raise NotFound(f"no report {finding_id[:64]}; see `leadline finding list`")
    if action is not None:
        ctx.require(action, thing)
    return row


def _reaching(ctx: Context, marking: Marking) -> Store:
    """The store behind no second wall for rows so marked: for one that the rules let this person know.

    The row of a report is bound to its first finder and to intake for good; others who handed in the same,
    and parties of its case, have a right to it that no row says.
    """
    own = ctx.access.tenancy(ctx.principal)
    return ctx.store.acting(replace(own, labels=own.labels | {marking.tlp.value}))


def _report(ctx: Context, row: Stored[Finding]) -> Report:
    """What is kept of a report of which this person may read the finding. Raises: NotFound."""
    with _reaching(ctx, TEXT).read() as view:
        return view.get(Report, _row(row.id, row.bounds.owner)).value


def state(ctx: Context, finding_id: str) -> FindingState:
    """Where a report stands, its place and what it waits for. Raises: NotFound."""
    row = _readable(ctx, finding_id)
    queue = queued(ctx, [row.id])
    if row.id not in queue.stands:
        raise NotFound(f"{row.id[:64]} was recorded by an assessment; see its report")
    return _shown(ctx, row, queue)


def listed(ctx: Context, cursor: str = "", limit: int = PART_MAX) -> ReportsPart:
    """A part of the reports that this person may read; of others not even the number shows.

    First those that somebody else had handed in before, in order of id; then the others, the oldest first.

    Raises: Invalid, for a *cursor* that no such list gave out, or a *limit* out of bounds.
    """
    try:
        found = part(ctx, ANY_STAGE, cursor, limit)
    except Invalid as error:
        field = "cursor" if error.field == "after" else error.field
        raise Invalid(field, error.problem) from None
    return ReportsPart(found.reports, found.after or None)


def part(
    ctx: Context, stages: AbstractSet[Stage] = ANY_STAGE, after: str = "", limit: int = PART_MAX
) -> Part:
    """A part of the same list, of reports at these stages, cut in the database.

    Raises: Invalid, for a place in the list (*after*) that no list gave out, or a *limit* out of bounds.
    """
    if not 1 <= limit <= browse.LIMIT_MAX:
        raise Invalid("limit", f"ask for 1 to {browse.LIMIT_MAX} reports")
    rows, place = list[Stored[Finding]](), after
    if not after or after.startswith(AGAIN):
        begun = _handed_in_again(ctx, stages, after.removeprefix(AGAIN), limit + 1)
        rows, place = [row for _, row in begun[:limit] if row is not None], ""
        if len(begun) > limit:
            place = f"{AGAIN}{begun[limit - 1][0]}"
    if len(rows) < limit and not place.startswith(AGAIN):
        filters = browse.Filters(states=frozenset(one.value for one in stages))
        page = browse.browse(ctx, Thing.FINDING, filters, Order.OLDEST, place, limit - len(rows))
        with ctx.store.read() as view:
            held = {row.id: row for row in view.among(Finding, {one.id for one in page.rows})}
        rows += [held[one.id] for one in page.rows if one.id in held]
        place = page.after
    elif not place:
        place = f"{AGAIN}{rows[-1].id}"
    queue = queued(ctx, [row.id for row in rows])
    shown = [
        _shown(ctx, row, queue)
        for row in rows
        if row.id in queue.stands and queue.stands[row.id].stage in stages
    ]
    return Part(tuple(shown), place)


def _handed_in_again(
    ctx: Context, stages: AbstractSet[Stage], after: str, limit: int
) -> list[tuple[str, Stored[Finding] | None]]:
    """What this person handed in as well, with what may be read for that, and for nothing else."""
    if "\0" in after:
        raise Invalid("after", "this place in the list is none; begin the list again")
    given = Circumstances(ctx.now, assurance=ctx.assurance, suspended=ctx.suspended)
    clause = ctx.access.visible(ctx.principal, Action.FINDING_READ, "finding", given)
    with ctx.store.read() as view:
        found = view.claimed(ctx.principal.id, stages, after, limit)
        mine = {
            row.id
            for row in view.among(Finding, set(found))
            if admits(clause, row.thing("finding"))
        }
    return [(one, None if one in mine else _readable(ctx, one)) for one in found]


def _shown(ctx: Context, row: Stored[Finding], queue: Queue) -> FindingState:
    stands, slot = queue.stands[row.id], queue.slots.get(row.id)
    asks: tuple[str, ...] = ()
    if stands.withheld and not stands.confirmed_text:
        asks = _asks(_report(ctx, row).withheld)
    return FindingState(
        row.id,
        row.value.title,
        stands.stage,
        stands.reason,
        stands.at,
        stands.commitment,
        queue.leaves[row.id],
        _steps(stands, ctx.principal.id),
        slot.place if slot else None,
        slot.at if slot else None,
        slot.why if slot else "",
        None if stands.answers or not stands.stage.waits else answer_due(stands.at),
        tuple((at, _words(ctx, answer)) for at, answer in stands.answers),
        asks,
        stands.case,
        *queue.lanes.get(stands.lane, (0, None)),
    )


def _steps(stands: Standing, reader: str) -> tuple[Passed, ...]:
    """The steps; to one of its finders without who else took them."""
    if reader not in {*stands.claims, *stands.gave_up}:
        return stands.steps
    return tuple(one if one.by == reader else replace(one, by="") for one in stands.steps)


def _words(ctx: Context, answer: str) -> str:
    """The words of an answer; a replay's word stands for itself."""
    digest = len(answer) == 2 * BLINDER_BYTES
    return ctx.vault.get(answer).decode() if digest else answer


def move(ctx: Context, finding_id: str, to: Stage, reason: str) -> None:
    """A coordinator, or what acts for one, takes a report to its next state. A case is opened elsewhere.

    Raises: NotFound; Denied; Refused, naming what may follow; Invalid, without a reason.
    """
    row = _readable(ctx, finding_id, Action.FINDING_ANSWER)
    stands = _standing(ctx, row.id)
    check_move(stands.stage, to, reason)
    if not to.ends and _contested(ctx, row.value, stands.lane):
        raise Refused("several contracts claim it; say whose it is with `leadline finding assign`")
    if to in {Stage.CASE, Stage.WITHDRAWN}:
        raise Refused("open a case with `leadline case open`; only its finder withdraws a report")
    with ctx.store.write() as tx:
        check_move(_standing_in(tx, row.id).stage, to, reason)
        moved = {"state": to.value, "reason": reason, "case": row.bounds.case}
        tx.record(ctx.act(Kind.FINDING_MOVED, row.id, row.engagement, **moved))
        if to in OVER:
            go_on(ctx, tx, row)


def _contested(ctx: Context, finding: Finding, lane: str) -> bool:
    """Whether several contracts claim a finding, and nobody has said whose it is."""
    with ctx.store.read() as view:
        claims = Claims(contracts.on_file(view)).on(finding)
    return len(claims) > 1 and lane not in {one.lane for one in claims}


def hasten(ctx: Context, finding_id: str, reason: str) -> None:
    """Let a report pass at once, because it is exploited already; the reason stands in the record.

    Raises: NotFound; Denied; Invalid, without a reason; Refused, if it does not wait.
    """
    row = _readable(ctx, finding_id, Action.FINDING_ANSWER)
    if not reason.strip():
        raise Invalid("reason", "say how it is known that this is exploited")
    with ctx.store.write() as tx:
        stands = _standing_in(tx, row.id)
        if not stands.stage.waits:
            raise Refused(f"this report is {stands.stage.value}; it waits for nothing")
        told = {"state": stands.stage.value, "reason": stands.reason, "urgent": reason}
        tx.record(ctx.act(Kind.FINDING_MOVED, row.id, row.engagement, case=row.bounds.case, **told))


def assign(ctx: Context, finding_id: str, project: str, reason: str) -> Stage:
    """A coordinator says whose a report is: its project's terms decide from then on. Answers its state.

    For what two contracts claim, for none, or where terms were entered later.

    Raises: NotFound, for a project without terms, too; Denied; Invalid, without a reason; Refused, once it
    waits no longer.
    """
    row = _readable(ctx, finding_id, Action.FINDING_ANSWER)
    if not reason.strip():
        raise Invalid("reason", "say how it is known whose this is")
    terms = contracts.shown(ctx, project).contract
    judged = judge((terms,), replace(row.value, project=terms.project))
    ended, lacks = judged.stage.ends, "; ".join(judged.lacking)
    with ctx.store.write() as tx:
        stands = _standing_in(tx, row.id)
        if not stands.stage.waits:
            raise Refused(f"this report is {stands.stage.value}; it waits for nobody")
        told = {
            "state": (judged.stage if ended else stands.stage).value,
            "reason": judged.reason if ended else f"{reason}; {lacks}" if lacks else reason,
            "lane": judged.lane,
            "contract": terms.digest,
        }
        tx.record(ctx.act(Kind.FINDING_MOVED, row.id, row.engagement, case=row.bounds.case, **told))
    return judged.stage if ended else stands.stage


def answer(ctx: Context, finding_id: str, words: str) -> None:
    """A coordinator answers the finder; the words lie in the vault.

    Raises: NotFound; Denied; Invalid, if there are no words, or too many.
    """
    row = _readable(ctx, finding_id, Action.FINDING_ANSWER)
    data = words.strip().encode()
    if not data or len(data) > WORDS_BYTES_MAX:
        raise Invalid("words", f"1 to {WORDS_BYTES_MAX} bytes are due, not {len(data)}")
    digest = ctx.vault.put(data, marking=TEXT)
    _record(ctx, row, Kind.FINDING_ANSWERED, answer=digest)


def stand_by(ctx: Context, finding_id: str) -> None:
    """The finder says that a text which looked secret or personal may be shown as it is.

    Raises: NotFound; Denied, for anybody else; Refused, if nothing was asked.
    """
    row = _readable(ctx, finding_id)
    ctx.require(Action.FINDING_SUBMIT, row.thing("finding"))
    stands = _standing(ctx, row.id)
    if ctx.principal.id != stands.by or not stands.withheld or stands.confirmed_text:
        raise Refused("nothing is asked of you about this report")
    _record(ctx, row, Kind.FINDING_ANSWERED, stands_by_text=True)


def withdraw(ctx: Context, finding_id: str) -> None:
    """Take back one's own report, at any state before a case.

    Raises: NotFound; Denied; Refused, once it is in a case, or was withdrawn before.
    """
    row = _readable(ctx, finding_id)
    ctx.require(Action.FINDING_WITHDRAW, row.thing("finding"))
    with ctx.store.write() as tx:
        stands = _standing_in(tx, row.id)
        if stands.stage is Stage.CASE:
            raise Refused(f"this report is in {stands.case}, which goes on without its finder")
        if ctx.principal.id not in stands.claims:
            raise Refused("this report was withdrawn before")
        tx.record(ctx.act(Kind.FINDING_WITHDRAWN, row.id, row.engagement, case=row.bounds.case))
        if len(stands.claims) == 1:
            go_on(ctx, tx, row)


def _standing(ctx: Context, finding_id: str) -> Standing:
    with ctx.store.read() as view:
        return _standing_in(view, finding_id)


def _standing_in(view: Reading, finding_id: str) -> Standing:
    found = standing(one.act for one in view.acts(about=finding_id))
    if found is None:
        raise Refused("this was not handed in as a report")
    return found


def _record(ctx: Context, row: Stored[Finding], kind: Kind, **detail: Value) -> None:
    with ctx.store.write() as tx:
        tx.record(ctx.act(kind, row.id, row.engagement, case=row.bounds.case, **detail))


def proof(ctx: Context, finding_id: str) -> bytes:
    """The bytes that trigger it, for whoever may read them: its finder, and those named for its case.

    Raises: NotFound, if it came without, too; Denied.
    """
    report, parcel = _parcel(ctx, finding_id)
    if report.proof is None:
        raise NotFound(f"{finding_id[:64]} came without a proof")
    return _cut(parcel, report.proof)


def text(ctx: Context, finding_id: str) -> bytes:
    """The report's very bytes. While it is withheld, only its finder reads them.

    Raises: NotFound; Denied; Refused, while the finder has not said that it stands by the text.
    """
    report, parcel = _parcel(ctx, finding_id)
    stands = _standing(ctx, finding_id)
    if report.withheld and not stands.confirmed_text and ctx.principal.id != report.by:
        raise Refused("the text looks as if it held a secret; its finder is asked about it")
    return _cut(parcel, report.text)


def description(ctx: Context, finding_id: str) -> str:
    """What the finder wrote in words, where the report's form has a place for it; empty otherwise.

    Raises: Denied; Refused, as `text`; Invalid, if the kept bytes are not what was handed in.
    """
    with ctx.store.read() as view:
        if not view.acts(about=finding_id, kind=Kind.FINDING_SUBMITTED):
            return ""  # of an assessment, which has no report
    data = text(ctx, finding_id)
    if not data.lstrip().startswith(b"{"):
        return ""
    return told(load(data, "report").get("description"))[:DESCRIPTION_MAX]


def file(ctx: Context, finding_id: str, name: str) -> bytes:
    """One file that came with it. Raises: NotFound; Denied."""
    report, parcel = _parcel(ctx, finding_id)
    spans = dict(report.files)
    if name not in spans:
        raise NotFound(f"{finding_id[:64]} came without a file {name!r:.80}")
    return _cut(parcel, spans[name])


def _parcel(ctx: Context, finding_id: str) -> tuple[Report, bytes]:
    row = _readable(ctx, finding_id)
    ctx.require(Action.FINDING_READ, replace(row.thing("finding"), marking=TEXT))
    report = _report(ctx, row)
    return report, ctx.vault.get(report.parcel)


def _cut(parcel: bytes, span: Span) -> bytes:
    return parcel[span.start : span.start + span.length]


def decide_credit(ctx: Context, findings: Sequence[str]) -> Credit:
    """Decide whose credit one root cause is: the earliest commitment, shared within 24 hours.

    Raises: NotFound; Denied; Invalid, without a finding.
    """
    if not findings:
        raise Invalid("findings", "name the findings of one root cause")
    rows = [_readable(ctx, one, Action.FINDING_ANSWER) for one in dict.fromkeys(findings)]
    with ctx.store.read() as view:
        acts = [
            one.act for row in rows for one in view.acts(about=row.id, kind=Kind.FINDING_SUBMITTED)
        ]
    decided = credit(claim for act in acts for claim in _claims(act))
    first = decided.shared[0].finding if decided.shared else rows[0].id
    with ctx.store.write() as tx:
        tx.record(
            ctx.act(
                Kind.CREDIT_DECIDED,
                first,
                "",
                findings=tuple(row.id for row in rows),
                shared=tuple(one.by for one in decided.shared),
                later=tuple(one.by for one in decided.later),
                void=tuple(one.by for one in decided.void),
                case=rows[0].bounds.case,
            )
        )
    return decided


def _claims(act: Act) -> Iterator[Claim]:
    """The claims of one handing in: at its own time, or at that of a commitment it opens."""
    at = act.at
    if early := act.detail.get("committed_at"):
        at = datetime.fromisoformat(str(early))
    yield Claim(act.about, act.actor, at)
    if act.detail.get("void"):
        yield Claim(act.about, act.actor, act.at, valid=False)
