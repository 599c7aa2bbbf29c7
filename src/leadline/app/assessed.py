"""What people read of an assessment: the queue, what contains it, how far its decision is, its samples.

Whoever may read an assessment is named for its engagement; for anybody else it is not there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING

from leadline.app import assessment, engagement, listing
from leadline.app.context import Context
from leadline.app.decision_verify import DRAWS
from leadline.app.engagement import Dealings
from leadline.core.access import Action, Resource
from leadline.core.assessment import Plan, SampleResult, ShardResult
from leadline.core.engagement.engagement import Engagement, State
from leadline.core.engagement.library import Library
from leadline.core.errors import NotFound, Tampered
from leadline.core.measure.assessed import asked_for, decide, of_subject
from leadline.core.record.act import Act, Kind, Value
from leadline.core.record.commitment import derived_seed
from leadline.formats.canonical import decode, encode
from leadline.formats.values import plain

if TYPE_CHECKING:
    from leadline.core.engagement.criteria import Criteria
    from leadline.core.measure.sequential import Decision

# What of the record belongs to a run, and is shown beside it.
OF_A_RUN = (
    Kind.ASSESSMENT_PLANNED,
    Kind.KILL_DRILLED,
    Kind.ISOLATION_PROVED,
    Kind.SUBJECT_IDENTIFIED,
    Kind.CANARIES_JUDGED,
    Kind.ASSESSMENT_STARTED,
    Kind.DECISION_ADVANCED,
    Kind.EVIDENCE_SEALED,
    Kind.RUN_STOPPED,
    Kind.RUN_THAWED,
    Kind.SAMPLE_RETRIED,
    Kind.SAMPLE_MARKED,
    Kind.MARK_DISPUTED,
    Kind.MARK_WITHDRAWN,
    Kind.ASSESSMENT_FINISHED,
    Kind.SEED_REVEALED,
)
SHOWN_BYTES_MAX = 1 << 20


@dataclass(frozen=True, slots=True)
class Waiting:
    """One engagement in somebody's queue; *ends* is when access under it ends, as acts have it now."""

    engagement: Engagement
    word: State
    ends: datetime | None
    open: bool
    plan: Plan | None
    run: str  # how far the run is, in words
    proposals: int
    determinations: int


@dataclass(frozen=True, slots=True)
class Proved:
    """A drill or an egress proof as it was entered: whether it held, and what it measured."""

    act: Act
    held: bool
    digest: str
    record: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Read:
    """An assessment as its readers see it. *acts* are those of the run, in the order of the record."""

    on: Dealings
    plan: Plan
    results: tuple[ShardResult, ...]
    acts: tuple[Act, ...]
    drill: Proved | None
    proofs: tuple[Proved, ...]
    alarms: tuple[Act, ...]

    def last(self, kind: Kind) -> Act | None:
        """The latest act of one kind."""
        return next((act for act in reversed(self.acts) if act.kind is kind), None)

    @property
    def own(self) -> list[SampleResult]:
        """The subject's samples."""
        return of_subject(self.results, self.plan.subject.name)

    @property
    def stage(self) -> str:
        """How far the run is, in words."""
        return _stage({act.kind for act in self.acts})


def _stage(kinds: set[Kind]) -> str:
    for kind, word in (
        (Kind.ASSESSMENT_FINISHED, "finished"),
        (Kind.ASSESSMENT_STARTED, "running"),
        (Kind.ASSESSMENT_PLANNED, "planned"),
    ):
        if kind in kinds:
            return word
    return "not planned"


def queue(ctx: Context, library: Library) -> list[Waiting]:
    """The engagements that this person is named for, those with open access first, by its end.

    One whose text of law is in no file any more cannot be read and is left out: it hides no other.
    """
    found, known = list[Waiting](), {text.digest for text in library.texts}
    for facts in listing.engagements(ctx):
        if facts.regime_digest not in known:
            continue
        on = engagement.dealings(ctx, library, facts.id)
        stands = engagement.standing(ctx, on)
        window = stands.shown(ctx.now)
        with ctx.store.read() as view:
            plans = view.find(Plan, engagement=on.id)
        kinds = [act.kind for act in stands.acts]
        found.append(
            Waiting(
                facts,
                stands.word(ctx.now),
                window.ends,
                window.is_open(ctx.now),
                plans[0].value if plans else None,
                _stage(set(kinds)),
                kinds.count(Kind.DETERMINATION_PROPOSED),
                kinds.count(Kind.DETERMINATION_RECORDED),
            )
        )
    return sorted(found, key=lambda one: (not one.open, str(one.ends), one.engagement.id))


def readable(ctx: Context, library: Library, engagement_id: str) -> Dealings:
    """An engagement whose assessment this person may read.

    Raises: NotFound, for what is not there or not to be known of; Denied.
    """
    on = engagement.dealings(ctx, library, engagement_id)
    ctx.require(Action.ASSESSMENT_READ, _thing(on.id))
    return on


def _thing(engagement_id: str) -> Resource:
    """The assessment of an engagement as rules know it, planned or not: no row of its developer's."""
    return Resource("assessment", engagement_id, engagement_id, marking=assessment.EVIDENCE)


def planned(ctx: Context, on: Dealings) -> Plan | None:
    """The plan of an engagement's assessment; None before there is one.

    Raises: Denied.
    """
    ctx.require(Action.ASSESSMENT_READ, _thing(on.id))
    with ctx.store.read() as view:
        plans = view.find(Plan, engagement=on.id)
    return plans[0].value if plans else None


def read(ctx: Context, on: Dealings) -> Read | None:
    """The assessment of an engagement, as far as it is; None before it is planned.

    Raises: Denied.
    """
    plan = planned(ctx, on)
    if plan is None:
        return None
    acts = listing.acts(ctx, on.id)
    own = tuple(act for act in acts if act.kind in OF_A_RUN)
    drills = [act for act in own if act.kind is Kind.KILL_DRILLED]
    proofs = [act for act in own if act.kind is Kind.ISOLATION_PROVED]
    return Read(
        on,
        plan,
        tuple(assessment.shard_results(ctx, plan)),
        own,
        _proved(ctx, drills[-1]) if drills else None,
        tuple(_proved(ctx, act) for act in proofs),
        tuple(act for act in acts if act.kind is Kind.ALERT_RAISED and _within(act, plan)),
    )


@dataclass(frozen=True, slots=True)
class Progress:
    """An assessment as far as it is: its plan, how far the run is in words, what was sealed, what was proved.

    *acts* are those of the run, in the order of the record; *alarms* are of the run.
    """

    plan: Plan
    stage: str
    results: tuple[ShardResult, ...]
    acts: tuple[Act, ...]
    drill: Proved | None
    proofs: tuple[Proved, ...]
    alarms: tuple[Act, ...]


def progress(ctx: Context, on: Dealings) -> Progress | None:
    """The assessment of an engagement, as far as it is; None before it is planned.

    Raises: Denied.
    """
    found = read(ctx, on)
    if found is None:
        return None
    return Progress(
        found.plan,
        found.stage,
        found.results,
        found.acts,
        found.drill,
        found.proofs,
        found.alarms,
    )


def _within(act: Act, plan: Plan) -> bool:
    return act.about.startswith(f"{plan.id}/")


def _proved(ctx: Context, act: Act) -> Proved:
    digest = str(act.detail["evidence"])
    record = decode(ctx.vault.get(digest))
    assert isinstance(record, Mapping)  # noqa: S101 -- written by record_isolation
    return Proved(act, act.detail["held"] is True, digest, record)


def seed_revealed(found: Read) -> bytes | None:
    """The seed of a run that has ended and revealed it; None before."""
    act = found.last(Kind.SEED_REVEALED)
    return bytes.fromhex(str(act.detail["seed"])) if act else None


def decision(found: Read, criteria: "Criteria", seed: bytes) -> "Decision | None":
    """The decision as far as sealed results go; None where the criteria ask about what did not run.

    Raises: Tampered, if these are not the criteria that the plan committed to.
    """
    if criteria.digest != found.plan.criteria_digest:
        raise Tampered(f"criteria {criteria.id}", "they are not those that the plan committed to")
    samples = of_subject(asked_for(found.results), found.plan.subject.name)
    course = decide(criteria, found.plan, samples, derived_seed(seed, DRAWS))
    return course.decision if course else None


def basis(decision_: "Decision | None") -> tuple[str, bytes]:
    """What a determination rests on: the decision's log, and its digest."""
    log = [record.to_dict() for record in decision_.log] if decision_ else []
    content = encode(plain(log))
    return sha256(content).hexdigest(), content


def keep_basis(ctx: Context, on: Dealings, content: bytes) -> str:
    """Keep the log of a decision, so that a determination that names its digest leads to it.

    Raises: Denied.
    """
    ctx.require(Action.ASSESSMENT_READ, _thing(on.id))
    return ctx.vault.put(content, marking=assessment.EVIDENCE, engagement=on.id)


def sample(found: Read, subject: str, item: str, epoch: int) -> tuple[ShardResult, SampleResult]:
    """One attempt at one item.

    Raises: NotFound.
    """
    for result in found.results:
        for one in result.samples:
            if (result.subject, one.item, one.epoch) == (subject, item, epoch):
                return result, one
    raise NotFound(f"no attempt {epoch} of {subject} at {item} is sealed here")


def opened(ctx: Context, found: Read, log: str) -> str:
    """That this person opens an eval log, on record before a byte is shown; answers its sealed digest.

    Raises: Denied; NotFound, for a log that the assessment did not seal.
    """
    ctx.require(Action.ASSESSMENT_READ, _thing(found.on.id))
    sealed = {name: digest for result in found.results for name, digest in result.logs.items()}
    if log not in sealed:
        raise NotFound(f"this assessment sealed no log {log}")
    about = f"{found.plan.id}/{log}"
    act = ctx.act(Kind.ARTEFACT_READ, about, found.on.id, digest=sealed[log], purpose="assessment")
    with ctx.store.write() as tx:
        tx.record(act)
    return sealed[log]


@dataclass(frozen=True, slots=True)
class Evidence:
    """One act with its place in the log, and what it names by digest that can be shown here."""

    act: Act
    index: int
    named: tuple[tuple[str, str], ...]


def evidence(ctx: Context, on: Dealings, act_id: str) -> Evidence:
    """One act of an engagement.

    Raises: Denied; NotFound, also for an act of another engagement.
    """
    ctx.require(Action.ASSESSMENT_READ, _thing(on.id))
    with ctx.store.read() as view:
        opened_ = view.act(act_id)
    if opened_.act.engagement != on.id:
        raise NotFound(f"no act {act_id}")
    held = [(name, str(value)) for name, value in opened_.act.detail.items() if _shown(name, value)]
    return Evidence(opened_.act, opened_.index, tuple(held))


def _shown(name: str, value: Value) -> bool:
    return name in {"evidence", "plan", "results", "basis", "identity"} and bool(value)


def content(ctx: Context, on: Dealings, digest: str) -> str:
    """What an act of this engagement names by its digest, as text: a proof, a plan, results, a log.

    Raises: Denied; NotFound, for a digest that no act here names.
    """
    ctx.require(Action.ASSESSMENT_READ, _thing(on.id))
    acts = listing.acts(ctx, on.id)
    named = {value for act in acts for name, value in act.detail.items() if _shown(name, value)}
    if digest not in named:
        raise NotFound(f"no evidence {digest} belongs to this engagement")
    return ctx.vault.get(digest)[:SHOWN_BYTES_MAX].decode("utf-8", "replace")


def sealing(found: Read, shard: str) -> Act | None:
    """The act that sealed one shard's results."""
    about = f"{found.plan.id}/{shard}"
    return next(
        (act for act in found.acts if act.kind is Kind.EVIDENCE_SEALED and act.about == about), None
    )


def attempts(found: Read) -> Sequence[tuple[ShardResult, SampleResult]]:
    """Every attempt, those lost or beyond scope first, then by suite and item."""
    pairs = [(result, one) for result in found.results for one in result.samples]
    return sorted(
        pairs,
        key=lambda pair: (
            not pair[1].scope,
            pair[1].state not in {"infra", "missing"},
            pair[0].suite,
            pair[1].item,
            pair[1].epoch,
        ),
    )
