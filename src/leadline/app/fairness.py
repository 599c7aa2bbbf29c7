"""The fairness report of a case: from its acts, and from its inventories read and matched once more.

The way here is slow and apart from the one that sent the notices: each inventory is read from the bytes
that were given, matched whole, and judged by rules written a second time. What comes out is a signed
document with the acts it was computed from, opened and proved, so that `app.fairness_verify` recomputes
it without this installation. What a reader may not see is counted.
"""

from base64 import b64encode
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from leadline.app import cases, log, reports, shelving
from leadline.app.context import Context
from leadline.app.match import read_inventory
from leadline.app.notices import case_acts, facts, releases_of
from leadline.app.ports import Opened, Reading
from leadline.core.access import Action
from leadline.core.clause import Fact, one_of
from leadline.core.clearing import fairness as rules
from leadline.core.clearing.delivery import Release, alias
from leadline.core.clearing.fairness import Expected, Fairness, History, Numbered, Turn, in_turn
from leadline.core.clearing.finding import Finding
from leadline.core.clearing.match import Status, match
from leadline.core.clearing.operator import Bar, Enrolment, Mode, Snapshot
from leadline.core.clearing.receipt import Receipt, State, best, receipts
from leadline.core.clearing.report import Report
from leadline.core.clearing.tiers import K_MIN, Tiers, suppressed
from leadline.core.errors import Refused
from leadline.core.record import commitment
from leadline.core.record.act import Act, Kind, Value, instant, to_record
from leadline.formats import canonical
from leadline.formats.values import plain

FORMAT = "leadline/fairness/v1"
BYTES_MAX = 256 << 20
LOCAL = Bar.LOCAL.value


@dataclass(frozen=True, slots=True)
class Document:
    """A report as it leaves: *body* is the signed JSON, *report* what it says."""

    body: bytes
    report: Fairness
    counts: Mapping[str, int | None]
    public: bool


def report(ctx: Context, case: str, *, public: bool = False) -> Document:
    """The report of a case as of now; *public* keeps back whatever names a person or an answer.

    Raises: Denied; NotFound; Refused, for a public one before the case is public.
    """
    ctx.require(Action.FAIRNESS_READ, cases.inner(case))
    with ctx.store.read() as view:
        if public and facts(view, case, ctx.now).moment.embargoed:
            raise Refused("the case is not public yet; until then its report is for auditors")
        acts = case_acts(view, case)
        expected = tuple(_expected(ctx, view, case))
    proof = log.require_proof(ctx, acts[-1], log.Quorum.NONE)
    size = log.check(proof, log.policy_of(ctx).at(log.Quorum.NONE)).head.size
    everything = [Numbered(number, one.index, one.act) for number, one in enumerate(acts, 1)]
    whole = rules.fairness(case, everything, len(acts), expected, ctx.now)
    open_ = rules.for_all([one.act for one in acts], K_MIN)
    shown = [one for one in everything if not public or one.act.id in open_]
    if public:
        expected = _of_shown(shown, expected)
    found = rules.fairness(case, shown, len(acts), expected, ctx.now) if public else whole
    counts = _counts([one.act for one in acts], whole, public=public)
    with ctx.store.read() as view:
        leaves = _leaves(view, acts, {one.number for one in shown}, size)
        intake = _intake(view, case, size, public=public)
    body: dict[str, Value] = {
        "format": FORMAT,
        "case": case,
        "made": instant(ctx.now),
        "audience": "public" if public else "full",
        "checkpoint": proof.proof.checkpoint,
        **leaves,
        "expected": plain(expected),
        "intake": intake,
        "counts": dict(counts),
        "report": plain(found),
        "limits": rules.LIMITS,
    }
    digest = sha256(canonical.encode(body, bytes_max=BYTES_MAX)).hexdigest()
    signed = ctx.signer.sign(f"{FORMAT}\n{case}\n{digest}\n")
    signed_body = canonical.encode({**body, "signature": signed}, bytes_max=BYTES_MAX)
    return Document(signed_body, found, counts, public)


def _of_shown(shown: Sequence[Numbered], expected: Sequence[Expected]) -> tuple[Expected, ...]:
    """What was due to those operators and stages whose notices are shown; of others nothing is said."""
    told = {
        (one.act.detail["operator"], one.act.detail["stage"])
        for one in shown
        if one.act.kind is Kind.NOTICE_SENT
    }
    return tuple(one for one in expected if (one.operator, one.stage) in told)


def _counts(acts: Sequence[Act], whole: Fairness, *, public: bool) -> Mapping[str, int | None]:
    """How many operators stand where; small counts only for those who see the acts themselves."""
    by_operator: dict[str, list[Receipt]] = {}
    for one in receipts(acts).values():
        by_operator.setdefault(one.operator, []).append(one)
    states = Counter(best(held).state for held in by_operator.values())
    cells = [states[state] for state in State]
    shown = suppressed(cells, K_MIN) if public else tuple(cells)
    named = {state.value: count for state, count in zip(State, shown, strict=True)}
    hidden = public and 0 < len(by_operator) < K_MIN
    explained = len(whole.differences) - whole.unexplained
    few = public and 0 < explained < K_MIN
    return {
        "told": None if hidden else len(by_operator),
        **named,
        "explained": None if few else explained,
        "unexplained": whole.unexplained,
    }


def _intake(view: Reading, case: str, size: int, *, public: bool) -> Value:
    """What was committed to when findings came in, and its act: opened for those who may see both."""
    found = list[Value]()
    for finding in cases.standing_in(view, case).findings:
        for one in view.acts(kind=Kind.FINDING_SUBMITTED, about=finding):
            if one.index >= size:
                continue
            told: dict[str, Value] = {"finding": finding, **_place(view, one, size)}
            rows = view.find(Report, visible=one_of(Fact.OWNER, [one.act.actor]))
            row = next((held for held in rows if held.value.finding == finding), None)
            if public:
                told["entry"] = _entry(one)
            else:
                told |= {"blinder": one.blinder.hex(), "record": to_record(one.act)}
            if row is not None and not public:
                content = reports.committed(view.get(Finding, finding).value, row.value.by)
                told["opening"] = {"blinder": row.value.blinder, "content": content.decode()}
            found.append(told)
    return tuple(found)


def _place(view: Reading, one: Opened, size: int) -> dict[str, Value]:
    proof = " ".join(b64encode(hash_).decode() for hash_ in view.inclusion(one.index, size))
    return {"index": one.index, "proof": proof}


def _entry(one: Opened) -> str:
    made = commitment.commit(one.blinder, canonical.encode(to_record(one.act)))
    return commitment.entry(made).hex()


def _leaves(
    view: Reading, acts: Sequence[Opened], shown: set[int], size: int
) -> Mapping[str, Value]:
    """Every act of the case with its proof: opened, or as the leaf that stands for it."""
    open_, closed = list[Value](), list[Value]()
    for number, one in enumerate(acts, 1):
        place: dict[str, Value] = {"number": number, **_place(view, one, size)}
        if number in shown:
            record = to_record(one.act)
            open_.append({**place, "blinder": one.blinder.hex(), "record": record})
        else:
            closed.append({**place, "entry": _entry(one)})
    return {"acts": tuple(open_), "withheld": tuple(closed)}


def _expected(ctx: Context, view: Reading, case: str) -> Iterator[Expected]:
    """For each stage that was released, and each operator there was: whether it was due a notice."""
    made = [one for one in releases_of(view, case) if one.told]
    owners = facts(view, case, ctx.now).owners
    opened = cases.standing_in(view, case).opened_at
    histories = _histories(view)
    enrolled = {row.id: row.value for row in view.find(Enrolment)}
    snapshots = {row.id: row.value for row in view.find(Snapshot)}
    tiers = {one.tiers: view.get(Tiers, one.tiers).value for one in made}
    found = dict[tuple[str, str], Expected]()
    for release in made:
        days = tiers[release.tiers].inventory_days
        turn = Turn(release.stage.early, opened, release.at, owners, days)
        for id_, history in histories.items():
            tier = tiers[release.tiers].of(enrolled[id_]).id
            if history.enrolled > release.at or tier not in release.told:
                continue
            one = _due(ctx, release, id_, history, turn, snapshots)
            key = (id_, release.stage.value)
            if key not in found or one.due:
                found[key] = one
    yield from found.values()


def _due(
    ctx: Context,
    release: Release,
    operator: str,
    history: History,
    turn: Turn,
    snapshots: Mapping[str, Snapshot],
) -> Expected:
    name, stage = alias(release.case, operator), release.stage.value
    inventory, why = in_turn(history, turn)
    if inventory:
        hit = _hits(ctx, snapshots[inventory], release)
        return Expected(name, stage, match=hit, due=hit, why="")
    if why == LOCAL and not turn.early:
        return Expected(name, stage, match=False, due=True, why=why)
    # Kept out: whether it would have matched is looked up all the same, so that the rule is seen.
    last = max(history.inventories, key=lambda id_: (history.inventories[id_], id_), default="")
    hit = bool(last) and _hits(ctx, snapshots[last], release)
    return Expected(name, stage, match=hit, due=False, why=why)


def _hits(ctx: Context, snapshot: Snapshot, release: Release) -> bool:
    """Whether the whole inventory, read anew, matches the advisory as the stage counts it."""
    raw = ctx.vault.get(snapshot.raw)
    inventory = shelving.understood(read_inventory(raw, snapshot.name, dict(snapshot.map)))
    matching = match(inventory, [release.advisory])
    wanted = {Status.AFFECTED} if release.stage.early else {Status.AFFECTED, Status.UNKNOWN}
    return any(
        one.advisory == release.advisory.id and one.status in wanted for one in matching.matches
    )


def _histories(view: Reading) -> Mapping[str, History]:
    """Every operator by its acts alone, but for whom it names as competitors."""
    inventories = dict[str, dict[str, datetime]]()
    for one in view.acts(kind=Kind.INVENTORY_ACCEPTED):
        inventories.setdefault(str(one.act.detail["operator"]), {})[one.act.about] = one.act.at
    vetted = {one.act.about: one.act.at for one in reversed(view.acts(kind=Kind.OPERATOR_VETTED))}
    ended = {one.act.about: one.act.at for one in view.acts(kind=Kind.OPERATOR_ENDED)}
    competes = {row.id: frozenset(row.value.competes) for row in view.find(Enrolment)}
    return {
        one.act.about: History(
            one.act.at,
            one.act.detail["mode"] == Mode.LOCAL.value,
            vetted.get(one.act.about),
            ended.get(one.act.about),
            competes[one.act.about],
            inventories.get(one.act.about, {}),
        )
        for one in view.acts(kind=Kind.OPERATOR_ENROLLED)
    }
