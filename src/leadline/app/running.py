"""A run while it goes on: when it will have finished, and how one that was frozen goes on."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from leadline.app import engagement
from leadline.app.assessment import EVIDENCE
from leadline.app.context import Context
from leadline.app.engagement import Dealings
from leadline.app.ports import Executor, Shard
from leadline.core.access import Action, Resource
from leadline.core.assessment import (
    Budget,
    Plan,
    PlannedSuite,
    SampleResult,
    ShardResult,
    SubjectKind,
)
from leadline.core.errors import Invalid, Refused
from leadline.core.measure.assessed import FURTHER
from leadline.core.measure.forecast import (
    NONE_YET,
    Capacity,
    Cost,
    Family,
    Forecast,
    Sums,
    forecast,
    prior_tokens,
    shard_items,
)
from leadline.core.record.act import Kind, Value

if TYPE_CHECKING:
    from leadline.app.assessed import Read

# Mean tokens of an attempt in published suites (design, evaluation 6: Lyptus data)
KNOWN_TOKENS: Mapping[str, float] = {
    "cybashbench": 542.0,
    "nl2bash": 975.0,
    "intercode-ctf": 53_000.0,
    "cybench": 709_000.0,
    "nyu-ctf": 716_000.0,
    "cve-bench": 1_430_000.0,
    "cybergym": 1_460_000.0,
}
RUNS_PER_SECOND = 40_000.0  # of the tool baseline's fuzzer on a small parser
TOKENS_PER_SECOND = 50.0  # that one conversation takes in and gives out
SET_UP_SECONDS = 2.0  # building an item and starting its sandbox
UNKNOWN_SECONDS = 300.0  # an attempt without any limit
AT_A_TIME: Mapping[SubjectKind, int] = {"tool-agent": 1, "model": 4}  # attempts of one worker
WORKERS = 2
RETRIES_MAX = 3  # of one attempt, at a person's word
FAMILY_MINIMUM = 1  # first attempts of a family that are never left out
Arm = tuple[str, str, str]  # subject, suite, family


def prior_seconds(budget: Budget, *, model: bool) -> float:
    """How long an attempt takes before any was measured, from its limits alone."""
    work = [budget.tokens / 2 / TOKENS_PER_SECOND] if model else [budget.runs / RUNS_PER_SECOND]
    bounds = [seconds for seconds in (*work, budget.seconds) if seconds > 0]
    return SET_UP_SECONDS + min(bounds, default=UNKNOWN_SECONDS)


def places_at_work(plan: Plan, shards: Sequence[Shard], workers: int = 1) -> int:
    """How many attempts run at a time: by the shards that run, or by *workers* where none does."""
    running = sum(shard.state == "running" for shard in shards) or workers
    return running * AT_A_TIME[plan.subject.kind]


def shard_size(kind: SubjectKind, budget: Budget, suites: Sequence[PlannedSuite]) -> int:
    """How many items make one shard of a run, by what an attempt may be expected to take.

    Without knowledge of the host, for the plan is the same wherever it runs: *WORKERS* are assumed.
    """
    items = max((len(suite.items) for suite in suites), default=0)
    seconds = prior_seconds(budget, model=kind == "model")
    return shard_items(seconds, items=items, workers=WORKERS, parallel=AT_A_TIME[kind])


@dataclass
class _Measured:
    seconds: Sums = NONE_YET
    tokens: Sums = NONE_YET
    micro_usd: Sums = NONE_YET

    def add(self, sample: SampleResult) -> None:
        self.seconds = self.seconds.plus(max(sample.seconds, 1))
        self.tokens = self.tokens.plus(sample.tokens)
        self.micro_usd = self.micro_usd.plus(sample.cost_micro_usd)


@dataclass
class _Left:
    rounds: Counter[int] = field(default_factory=Counter)
    measured: _Measured = field(default_factory=_Measured)


def expected(
    plan: Plan,
    shards: Sequence[Shard],
    results: Sequence[ShardResult],
    *,
    now: datetime,
    ends: datetime | None,
    places: int,
) -> Forecast:
    """What is to be expected of the run of *plan* from *now* until access *ends*.

    *places* is how many attempts run at a time. What has ended is measured cost, what has not is left;
    of a running shard the samples that it reports as done are taken for its first ones.
    """
    families = {item.id: item.family for suite in plan.suites for item in suite.items}
    arms: dict[Arm, _Left] = defaultdict(_Left)
    for result in results:
        for sample in result.samples:
            if sample.state in {"scored", "limit"}:
                arm = (result.subject, result.suite, families.get(sample.item, ""))
                arms[arm].measured.add(sample)
    for shard in shards:
        if shard.state not in {"done", "failed", "cancelled"}:
            for item in shard.input["items"].split(",")[shard.done :]:
                arm = (shard.input["subject"], shard.kind, families.get(item, ""))
                arms[arm].rounds[int(shard.input["epoch"])] += 1
    capacity = Capacity(max(places, 1))
    available = None if ends is None else max(0.0, (ends - now).total_seconds())
    return forecast([_family(plan, *one) for one in sorted(arms.items())], capacity, available)


@dataclass
class Outlook:
    """What was last said of the forecast, so that only news is told."""

    sealed: int = -1
    fits: bool | None = None

    def due(self, sealed: int) -> bool:
        """Whether a look is worth while: at the start, and when another shard has ended."""
        changed = sealed != self.sealed
        self.sealed = sealed
        return changed

    def news(self, found: Forecast) -> str:
        """The forecast at the start and whenever the plan begins or ceases to fit; else nothing."""
        if found.fits == self.fits or not found.attempts:
            return ""
        self.fits = found.fits
        return f"forecast: {found.words()}"


def _family(plan: Plan, arm: Arm, left: _Left) -> Family:
    subject, suite, family = arm
    model = subject == plan.subject.name and plan.subject.kind == "model"
    budget, seen = plan.budget, left.measured
    tokens = prior_tokens(suite, budget.tokens, KNOWN_TOKENS) if model else 0.0
    return Family(
        name=f"{family or 'items'} in {suite} ({subject})",
        first=left.rounds[1],
        repeats=tuple(left.rounds[number] for number in range(2, plan.epochs + 1)),
        seconds=Cost(prior_seconds(budget, model=model), seen.seconds),
        tokens=Cost(tokens, seen.tokens),
        micro_usd=Cost(budget.cost_micro_usd / 2 if model else 0.0, seen.micro_usd),
        minimum=FAMILY_MINIMUM,
    )


def require_begin(ctx: Context, on: Dealings) -> None:
    """Return where this person may begin a run on an engagement, and none was begun.

    Raises: Denied; Refused, where access is not open, or a plan stands already.
    """
    about = Resource("assessment", on.id, on.id, marking=EVIDENCE)
    for action in (Action.ASSESSMENT_PLAN, Action.ASSESSMENT_RUN, Action.EVIDENCE_SEAL):
        ctx.require(action, about)
    engagement.require_open(ctx, on)
    with ctx.store.read() as view:
        if view.find(Plan, engagement=on.id):
            raise Refused("a plan was committed to here; another one is another assessment")


def go_on(ctx: Context, plan: Plan, executor: Executor, reason: str) -> None:
    """Let a run go on that was stopped or whose driver ended, by a person who says why; on record.

    Raises: Denied; Invalid, without a reason; Refused, once the run has finished.
    """
    ctx.require(
        Action.ASSESSMENT_RUN, Resource("assessment", plan.id, plan.engagement, marking=EVIDENCE)
    )
    if not reason.strip():
        raise Invalid("why", "say why the run may go on; it stands in the record")
    with ctx.store.read() as view:
        if view.acts(engagement=plan.engagement, kind=Kind.ASSESSMENT_FINISHED, about=plan.id):
            raise Refused("this run has finished; a new assessment measures anew")
    with ctx.store.write() as tx:
        tx.record(ctx.act(Kind.RUN_THAWED, plan.id, plan.engagement, reason=reason))
    executor.thaw(plan.id)


def retry(
    ctx: Context,
    found: "Read",
    executor: Executor,
    lost: tuple[ShardResult, SampleResult],
    why: str,
) -> Shard:
    """Have an attempt that our own side lost made once more, while its run goes on; on record, with why.

    The lost one stays, and no decision rests on the further one: what it draws, it draws by its rule.

    Raises: Denied; Invalid, without a reason; Refused, for an attempt that was not lost, for one that is
    being made again, and once the run has finished.
    """
    plan, (shard, sample) = found.plan, lost
    about = Resource("assessment", plan.id, plan.engagement, marking=EVIDENCE)
    ctx.require(Action.ASSESSMENT_RUN, about)
    if not why.strip():
        raise Invalid("why", "say why it may be made again; it stands in the record")
    if sample.state not in {"infra", "missing"}:
        raise Refused("this attempt was not lost: what the subject did stands")
    if found.last(Kind.ASSESSMENT_FINISHED) is not None:
        raise Refused(
            "this run has finished and its seed is revealed; a new assessment measures anew"
        )
    table = executor.shards(plan.id)
    first = next((one for one in table if one.input.get("name") == shard.shard), None)
    if first is None:
        raise Refused("the shard that held it is not in the run's table any more")
    stem = f"{shard.subject.replace('/', '_')}-{shard.suite}-{sample.epoch}{FURTHER}-"
    further = [one for one in table if one.input.get("name", "").startswith(stem)]
    of_item = [one for one in further if one.input["items"] == sample.item]
    if any(one.state in {"queued", "running", "frozen"} for one in of_item):
        raise Refused("it is being made again already")
    if len(of_item) >= RETRIES_MAX:
        raise Refused(
            f"it was made again {RETRIES_MAX} times; look at its host before anything else"
        )
    name = f"{stem}{len(further) + 1:02d}"
    with ctx.store.write() as tx:
        detail: dict[str, Value] = {
            "item": sample.item,
            "epoch": sample.epoch,
            "shard": name,
            "reason": why.strip(),
        }
        tx.record(
            ctx.act(Kind.SAMPLE_RETRIED, f"{plan.id}/{shard.shard}", plan.engagement, **detail)
        )
    wanted = {**first.input, "name": name, "items": sample.item}
    return executor.submit(plan.id, shard.suite, wanted, total=1)


def thaw(ctx: Context, plan: Plan, executor: Executor, reason: str) -> int:
    """Let a frozen run go on, by a person who says why; answers how many shards are queued again.

    Raises: Invalid, without a reason; Refused, where nothing of the run is frozen.
    """
    ctx.require(
        Action.ASSESSMENT_RUN, Resource("assessment", plan.id, plan.engagement, marking=EVIDENCE)
    )
    if not reason.strip():
        raise Invalid("--reason", "say why the run may go on; it stands in the record")
    if not any(shard.state == "frozen" for shard in executor.shards(plan.id)):
        raise Refused("nothing of this run is frozen")
    with ctx.store.write() as tx:
        tx.record(ctx.act(Kind.RUN_THAWED, plan.id, plan.engagement, reason=reason))
    return executor.thaw(plan.id)
