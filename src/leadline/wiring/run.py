"""A run in a folder, as `leadline run` sees it: forecast, merge, index; its end by order, and after it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leadline.core.errors import NotFound, Unavailable
from leadline.settings import Settings, Workspace

if TYPE_CHECKING:
    from leadline.core.assessment import ShardResult
    from leadline.core.measure.forecast import Forecast
    from leadline.core.record.act import Value


def forecast(out: Path, settings: Settings) -> tuple[dict[str, Any], str]:
    """What is to be expected of the assessment in *out*: the document, and the sentence.

    Raises: NotFound, where none was planned.
    """
    from leadline.app import assessment, engagement, running
    from leadline.core.assessment import Plan
    from leadline.store.purse import open_purse
    from leadline.store.shards import open_executor
    from leadline.wiring import assess

    with assess.existing(out) as (place, dealings, desk, _):
        ctx = desk.evaluator()
        with ctx.store.read() as view:
            plans = view.find(Plan, engagement=dealings.id)
        if not plans:
            raise NotFound(f"the assessment in {out} has no plan yet")
        plan = plans[0].value
        shards = open_executor(place.database).shards(plan.id)
        found = running.expected(
            plan,
            shards,
            assessment.shard_results(ctx, plan),
            now=ctx.now,
            ends=engagement.state_of(ctx, dealings)[1].ends,
            places=running.places_at_work(plan, shards, settings.worker_count),
        )
        ledger = open_purse(place.database).ledger(plan.id)
    states = sorted({str(shard.state) for shard in shards})
    counts = {state: sum(shard.state == state for shard in shards) for state in states}
    document = _forecast(found) | {"shards": counts, "budget": ledger.words()}
    return document, found.words()


def _forecast(found: "Forecast") -> dict[str, Any]:
    return asdict(found) | {"fits": found.fits, "text": found.words()}


def merge(paths: Sequence[Path], reducers: Sequence[str]) -> dict[str, Any]:
    """The eval logs at *paths* joined; one path may be the folder of an assessment.

    In a folder the index says which samples count and that none is missing.
    """
    from leadline.runner import merge as joining
    from leadline.runner.index import NAME, Index

    if len(paths) == 1 and paths[0].is_dir():
        place = Workspace(paths[0])
        index = Index(place.state / NAME)
        ran = {joining.Key(*key): told for key, told in index.ran().items()}
        found = joining.merge(
            sorted(place.logs.glob("*.eval")),
            counted={key: log for key, (log, _) in ran.items()},
            expected=ran,
            apart={key for key, (_, lost) in ran.items() if lost},
            reducers=reducers,
        )
    else:
        found = joining.merge(paths, reducers=reducers)
    return asdict(found) | {
        "duplicates": [asdict(one) | {"key": one.key._asdict()} for one in found.duplicates]
    }


def compare(first: Path, second: Path) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The finished assessments in two folders beside each other: the document, and its lines.

    Raises: NotFound, Tampered or Refused, as `leadline.runner.compare` does.
    """
    from leadline.runner import compare as comparing

    found = comparing.compare(comparing.read(first), comparing.read(second))
    return found.to_dict(), found.words()


def index(out: Path) -> dict[str, Any]:
    """What the index of the assessment in *out* says; reads no log that it knows.

    Raises: NotFound, where *out* holds no assessment.
    """
    from leadline.runner.index import NAME, Index

    place = Workspace(out.absolute())
    if not place.logs.is_dir():
        raise NotFound(f"{out} holds no assessment with logs")
    own = Index(place.state / NAME)
    new = 0
    if own.unread(place.logs):
        from leadline.runner.merge import sweep

        new = sweep(own, place.logs)
    return asdict(own.overview()) | {"new_duplicates": new}


def thaw(out: Path, reason: str) -> int:
    """Let the frozen run in *out* go on; answers how many shards are queued again."""
    from leadline.app import running
    from leadline.core.assessment import Plan
    from leadline.store.shards import open_executor
    from leadline.wiring import assess

    with assess.existing(out) as (place, dealings, desk, _):
        ctx = desk.evaluator()
        with ctx.store.read() as view:
            plans = view.find(Plan, engagement=dealings.id)
        if not plans:
            raise NotFound(f"the assessment in {out} has no plan yet")
        return running.thaw(ctx, plans[0].value, open_executor(place.database), reason)


def kill(out: Path, reason: str, who: str = "at this machine") -> dict[str, Any]:
    """Order the warden of the run in *out* to end it; answers its record. The store is not asked.

    Where no warden answers, a file in its folder keeps every later one from letting the run go on.

    Raises: NotFound, where *out* holds no run; Unavailable, if no warden answered.
    """
    from leadline.sandbox.ward import ORDERS, NoWardenError, Ward

    place = Workspace(out.absolute())
    if not (place.state / "request.json").exists():
        raise NotFound(f"{out} holds no assessment")
    try:
        with Ward(place.state, "visitor") as ward:
            return dict(ward.order("person", who, reason))
    except NoWardenError as error:
        orders = place.state / ORDERS
        orders.mkdir(exist_ok=True)
        (orders / "stop").touch()
        told = f"{error}; {orders / 'stop'} keeps the run from going on until it is taken away"
        raise Unavailable(told) from error


def settle(out: Path) -> int:
    """Enter what the warden of the run in *out* did; answers how many orders were new."""
    from leadline.app import stopping
    from leadline.core.assessment import Plan
    from leadline.store.shards import open_executor
    from leadline.wiring import assess

    with assess.existing(out) as (place, dealings, desk, _):
        ctx = desk.evaluator()
        with ctx.store.read() as view:
            plans = view.find(Plan, engagement=dealings.id)
        if not plans:
            raise NotFound(f"the assessment in {out} has no plan yet")
        return stopping.settle(ctx, plans[0].value, open_executor(place.database), stops(place))


def stops(place: Workspace) -> "list[Mapping[str, Value]]":
    """Every order by which the run in *place* was ended, from its warden's journal."""
    from leadline.formats.values import plain
    from leadline.sandbox import ward

    return [_texts(plain(one)) for one in ward.stops(place.state)]


def _texts(value: object) -> "Mapping[str, Value]":
    assert isinstance(value, Mapping)  # noqa: S101 -- the warden writes objects
    return value


def drill(out: Path | None, tier: str) -> dict[str, Any]:
    """Fire the kill switch and measure; with *out* the drill enters that assessment's record too.

    Raises: Refused, once entered, if the drill was too late for a run to rest on it; Unavailable, for a
    tier that this host does not give.
    """
    from leadline.app import assessment
    from leadline.app.assessment import Evidence
    from leadline.core.assessment import Plan
    from leadline.core.isolation import Tier, parse_tier
    from leadline.core.record.act import Kind
    from leadline.formats.values import plain
    from leadline.runner.isolation import require_tier
    from leadline.sandbox.drill import drill as fire
    from leadline.wiring import assess

    named = parse_tier(tier, "--tier") if tier else Tier.SHARED_KERNEL
    require_tier(named)
    if out is None:
        return asdict(fire(tier=named.value))
    with assess.existing(out) as (_, dealings, desk, _):
        ctx = desk.evaluator()
        with ctx.store.read() as view:
            plans = view.find(Plan, engagement=dealings.id)
        if not plans:
            raise NotFound(f"the assessment in {out} has no plan yet")
        plan = plans[0].value
        done = fire(tier=named.value if tier else plan.tier)
        evidence = Evidence("drill", done.ok, _texts(plain(asdict(done))))
        assessment.record_isolation(desk.evaluator(), plan, Kind.KILL_DRILLED, evidence)
    return asdict(done)


def scope(out: Path) -> dict[str, Any]:
    """What was seen outside of scope in the assessment in *out*: per sample, and counted by source."""
    from leadline.app import assessment
    from leadline.core.assessment import Plan
    from leadline.wiring import assess

    with assess.existing(out) as (_, dealings, desk, _):
        ctx = desk.evaluator()
        with ctx.store.read() as view:
            plans = view.find(Plan, engagement=dealings.id)
        return scope_of([one for row in plans for one in assessment.shard_results(ctx, row.value)])


def scope_of(results: "Sequence[ShardResult]") -> dict[str, Any]:
    """As `scope`, of what was sealed of a run."""
    from leadline.core.measure.out_of_scope import scope_counts

    samples = [
        {
            "subject": result.subject,
            "suite": result.suite,
            "item": sample.item,
            "epoch": sample.epoch,
            "scope": [asdict(entry) for entry in sample.scope],
            "unobserved": list(sample.unobserved),
        }
        for result in results
        for sample in result.samples
    ]
    counts = scope_counts(sample for result in results for sample in result.samples)
    return {"samples": samples, "counts": [asdict(one) for one in counts]}
