"""An assessment as pages show it: the run's table, budget, forecast, logs and kill switch of this installation.

A run lies where it was begun (`wiring.runs`), or in the folder whose ``.state`` is the installation.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from leadline.app import assessed, assessment, briefing, engagement, running, stopping
from leadline.app import marks as marking
from leadline.app.assessed import Read
from leadline.app.engagement import Dealings
from leadline.app.marks import Mark
from leadline.app.ports import Shard
from leadline.app.request import Request
from leadline.core.access import Action
from leadline.core.assessment import Budget, Plan, PlannedSuite, ShardResult, Subject
from leadline.core.errors import Invalid, NotFound, Unavailable
from leadline.core.isolation import Tier
from leadline.core.measure.budget import Ledger
from leadline.core.record.act import Value, instant
from leadline.settings import Home, Settings, Workspace, load
from leadline.store.purse import open_purse
from leadline.store.shards import open_executor
from leadline.wiring import runs
from leadline.wiring.desk import AtDesk
from leadline.wiring.runs import Driver

if TYPE_CHECKING:
    from leadline.core.engagement.criteria import Criteria
    from leadline.core.measure.forecast import Forecast
    from leadline.core.measure.power import Power
    from leadline.core.measure.sequential import Decision
    from leadline.runner.transcript import Transcript

ITEMS_MAX, EPOCHS_MAX = 10_000, 100
CHANCE, ALPHA = 0.8, 0.05


@dataclass(frozen=True, slots=True)
class Live:
    """A run at one moment. *warded* says that its warden answers."""

    shards: Sequence[Shard]
    ledger: Ledger
    forecast: "Forecast | None"
    warded: bool
    driver: Driver | None = None  # None where the run was not begun here

    def counts(self) -> Mapping[str, int]:
        """Shards by state."""
        states = sorted({str(one.state) for one in self.shards})
        return {state: sum(one.state == state for one in self.shards) for state in states}

    @property
    def attempts(self) -> tuple[int, int]:
        """Attempts that ended, and all that are in the table."""
        return sum(one.done for one in self.shards), sum(one.total for one in self.shards)


def place(home: Home, engagement_id: str) -> Workspace | None:
    """Where the run on an engagement lies: one that was begun here, else the installation's own, if any."""
    if (begun := runs.known(home, engagement_id)) is not None:
        return begun
    found = Workspace(home.folder.parent)
    here = found.state == home.folder and (home.folder / "request.json").exists()
    return found if here else None


def live(me: AtDesk, found: Read) -> Live:
    """The run's shards, budget and forecast, as of now."""
    with closing(open_executor(me.home.database)) as executor:
        shards = executor.shards(found.plan.id)
    with closing(open_purse(me.home.database)) as purse:
        ledger = purse.ledger(found.plan.id)
    told = None
    if any(one.state in {"queued", "running", "frozen"} for one in shards):
        told = running.expected(
            found.plan,
            shards,
            found.results,
            now=me.ctx.now,
            ends=_ends(me, found),
            places=running.places_at_work(found.plan, shards, load().worker_count),
        )
    here = place(me.home, found.on.id)
    warded = here is not None and _warded(here)
    return Live(shards, ledger, told, warded, runs.driver(me.home, found.on.id))


def _ends(me: AtDesk, found: Read) -> datetime | None:
    return engagement.state_of(me.ctx, found.on)[1].ends


def _warded(here: Workspace) -> bool:
    """Whether a warden answers in the run's folder."""
    from leadline.sandbox.ward import SOCKET, NoWardenError, Ward

    if not (here.state / SOCKET).exists():
        return False
    answers = True
    try:
        Ward(here.state, "visitor").close()
    except NoWardenError:
        answers = False
    return answers


def pulse(home: Home, plan_id: str) -> str:
    """A text that changes whenever something of a run does: its shards and its budget."""
    with closing(open_executor(home.database)) as executor:
        shards = executor.shards(plan_id)
    with closing(open_purse(home.database)) as purse:
        ledger = purse.ledger(plan_id)
    told = [(one.id, one.state, one.token, one.done, one.note) for one in shards]
    return sha256(repr((told, ledger)).encode()).hexdigest()[:16]


def unfinished(home: Home, plan_id: str) -> bool:
    """Whether a run has shards that may still do something."""
    with closing(open_executor(home.database)) as executor:
        shards = executor.shards(plan_id)
    return any(one.state in {"queued", "running"} for one in shards)


def decided(me: AtDesk, found: Read) -> "tuple[Criteria | None, Decision | None]":
    """The criteria of a plan, and the decision as far as sealed results go.

    None of either where this installation does not have them: another pack of the name, or a seed that
    is not revealed and lies elsewhere.
    """
    try:
        criteria = me.criteria(found.plan.criteria)
    except NotFound:
        return None, None
    seed = assessed.seed_revealed(found) or _seed(me.home, found.on.id)
    if criteria.digest != found.plan.criteria_digest or seed is None:
        return None, None
    return criteria, assessed.decision(found, criteria, seed)


def decided_without(
    me: AtDesk, found: Read, marks: Sequence[Mark], criteria: "Criteria | None"
) -> "Decision | None":
    """The decision without the attempts that are marked invalid; None where `decided` has none."""
    seed = assessed.seed_revealed(found) or _seed(me.home, found.on.id)
    if criteria is None or seed is None:
        return None
    return marking.decision_without(found, marks, criteria, seed)


def told(me: AtDesk, on: Dealings) -> briefing.Told:
    """All that this installation has of an assessment, for its brief; raises as `assessed.read`."""
    found = assessed.read(me.ctx, on)
    if found is None:
        return briefing.Told()
    criteria, decision = decided(me, found)
    counting = [one for one in marking.listed(me.ctx, on) if one.counts]
    without = decided_without(me, found, counting, criteria) if counting else None
    return briefing.Told(found, criteria, decision, without)


def retry(me: AtDesk, found: Read, subject: str, item: str, epoch: int, why: str) -> None:
    """Have a lost attempt made once more; raises NotFound, and as `running.retry`."""
    with closing(open_executor(me.home.database)) as executor:
        running.retry(me.ctx, found, executor, assessed.sample(found, subject, item, epoch), why)


def _seed(home: Home, engagement_id: str) -> bytes | None:
    """The private seed of a run, for what is computed here and not shown."""
    from leadline.wiring.working import secret_of

    here = place(home, engagement_id)
    return secret_of(here).seed if here and here.seed.exists() else None


def end(me: AtDesk, found: Read, reason: str) -> str:
    """End every sandbox of a run now, then write down what was done; answers that in words.

    The warden's order comes before anything of the store. Where no warden answers, the run's shards are
    fenced off, and a file keeps every later warden from letting the run go on.

    Raises: Denied.
    """
    me.ctx.require(Action.ASSESSMENT_RUN, assessment.resource(found.plan))
    who = me.ctx.principal.id
    told = "Every sandbox of the run was ended."
    stop: dict[str, Value] = {"by": "person", "who": who, "cause": reason}
    try:
        stops = _ordered(place(me.home, found.on.id), reason, who)
    except Unavailable as error:
        told = f"The run is frozen; {error}."
        stops = [stop | {"at": instant(me.ctx.now), "warden": "none answered"}]
    with closing(open_executor(me.home.database)) as executor:
        stopping.settle(me.ctx, found.plan, executor, stops)
    return told


def _ordered(here: Workspace | None, reason: str, who: str) -> Sequence[Mapping[str, Value]]:
    """Every order that a run's warden carried out, this one the last.

    Raises: Unavailable, where none answers.
    """
    from leadline.wiring import run

    if here is None:
        raise Unavailable("no warden is kept beside this installation")
    run.kill(here.out, reason, who)
    return run.stops(here)


def thaw(me: AtDesk, found: Read, reason: str) -> None:
    """Let a run go on: one that was begun here is driven again, of another the frozen shards are queued.

    Raises: as `runs.go_on` and `running.thaw`.
    """
    if runs.known(me.home, found.on.id) is not None:
        runs.go_on(me, found.plan, reason)
        return
    with closing(open_executor(me.home.database)) as executor:
        running.thaw(me.ctx, found.plan, executor, reason)


def log_file(home: Home, engagement_id: str, name: str, digest: str) -> Path:
    """A sealed eval log of the run on an engagement, checked against its digest.

    Raises: NotFound; Tampered.
    """
    from leadline.runner.transcript import checked

    here = place(home, engagement_id)
    if here is None:
        raise NotFound("the eval logs of this run do not lie beside this installation")
    return checked(here.logs, name, digest)


def transcript(path: Path, item: str) -> "Transcript":
    """One sample of an eval log, as plain text."""
    from leadline.runner import transcript as reading

    return reading.transcript(path, item)


def viewer() -> Path:
    """The folder of Inspect's own built viewer, found without importing Inspect, which takes seconds."""
    spec = find_spec("inspect_ai")
    assert spec is not None  # noqa: S101 -- a dependency
    assert spec.origin is not None  # noqa: S101 -- a package with files
    return Path(spec.origin).parent / "_view" / "dist"


@dataclass(frozen=True, slots=True)
class Intended:
    """What an evaluator would run: of each of *suites* the first *items*, each *epochs* times."""

    subject: Subject
    suites: tuple[str, ...]
    budget: Budget
    items: int = 0
    epochs: int = 1
    criteria: str = "demonstration"
    workers: int = 0
    tier: str = Tier.SHARED_KERNEL
    official: bool = False
    run_tokens: int = 0
    run_micro_usd: int = 0

    def request(self) -> Request:
        """The same as whoever drives a run is asked for it."""
        return Request(
            self.subject.name,
            self.epochs,
            self.budget,
            items=self.items,
            suites=self.suites,
            tier=self.tier,
            official=self.official,
            run_tokens=self.run_tokens,
            run_cost_micro_usd=self.run_micro_usd,
            criteria=self.criteria,
        )


@dataclass(frozen=True, slots=True)
class Preview:
    """A plan before it is one: nothing of it is written down."""

    suites: tuple[PlannedSuite, ...]
    criteria: "Criteria"
    counted: int
    forecast: "Forecast"
    detects: "Power | None"
    workers: int


@lru_cache(maxsize=4)
def _installed(settings: Settings) -> tuple[PlannedSuite, ...]:
    from leadline.runner.laboratory import planned
    from leadline.wiring.working import installed_suites

    return tuple(planned(suite, bytes(32)) for suite in installed_suites(settings))


def suites() -> tuple[PlannedSuite, ...]:
    """Every installed suite; its items are examples, for those of a run follow from its seed."""
    return _installed(load())


def preview(me: AtDesk, wanted: Intended, ends: datetime | None) -> Preview:
    """What the intended run would be, and when it would have finished.

    Raises: Invalid, naming the field, for a suite that there is not; NotFound, for criteria.
    """
    from leadline.core.measure.power import Spread, mde

    known = {one.name: one for one in suites()}
    if not wanted.suites:
        raise Invalid("suites", "choose one or more")
    for name in wanted.suites:
        if name not in known:
            raise Invalid("suites", f"no suite {name} is installed")
    chosen = tuple(_first(known[name], wanted.items) for name in wanted.suites)
    criteria, settings = me.criteria(wanted.criteria), load()
    plan = Plan(
        "preview", "", wanted.subject, chosen, "", criteria.id, criteria.digest, wanted.budget,
        wanted.epochs, 1,
    )  # fmt: skip
    workers = wanted.workers or settings.worker_count
    told = running.expected(
        plan,
        tuple(_shards(plan)),
        tuple[ShardResult, ...](),
        now=me.ctx.now,
        ends=ends,
        places=running.places_at_work(plan, (), workers),
    )
    items = sum(len(one.items) for one in chosen)
    noise = (0.25, 0.25)  # of one run each, at most, where half of the items are solved
    spread = Spread(0.0, noise, (wanted.epochs, wanted.epochs))
    detects = mde(items, spread, chance=CHANCE, alpha=ALPHA) if items else None
    counted = sum(criteria.counts(one.name, item.family) for one in chosen for item in one.items)
    return Preview(chosen, criteria, counted, told, detects, workers)


def _first(suite: PlannedSuite, items: int) -> PlannedSuite:
    return replace(suite, items=suite.items[: items or len(suite.items)])


def _shards(plan: Plan) -> Iterator[Shard]:
    """One queued shard for each suite and round, as the forecast counts attempts."""
    for suite in plan.suites:
        for epoch in range(1, plan.epochs + 1):
            if suite.items:
                ids = ",".join(item.id for item in suite.items)
                told = {"subject": plan.subject.name, "items": ids, "epoch": str(epoch)}
                name = f"{suite.name}/{epoch}"
                yield Shard(
                    name, plan.id, suite.name, told, "queued", 0, "", 0, 0, len(suite.items), "", "", ""
                )  # fmt: skip


def begin(
    me: AtDesk, on: Dealings, wanted: Intended, ends: datetime | None, *, anyway: bool
) -> None:
    """Begin the intended run.

    Raises: Invalid, for a plan that does not fit in the time there is, unless it is wanted *anyway*;
    otherwise as `preview` and `runs.begin`.
    """
    running.require_begin(me.ctx, on)
    found = preview(me, wanted, ends)
    if not found.forecast.fits and not anyway:
        raise Invalid(
            "anyway", "it does not fit before access ends; make it smaller, or say so here"
        )
    runs.begin(me, on, wanted.request())
