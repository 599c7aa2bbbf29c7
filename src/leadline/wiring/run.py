"""A run in a folder, as `leadline run` sees it: forecast, merge, index, and going on once frozen."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leadline.core.errors import NotFound
from leadline.settings import Settings, Workspace

if TYPE_CHECKING:
    from leadline.core.measure.forecast import Forecast


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
        index = Index(place.out / NAME)
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


def index(out: Path) -> dict[str, Any]:
    """What the index of the assessment in *out* says; reads no log that it knows.

    Raises: NotFound, where *out* holds no assessment.
    """
    from leadline.runner.index import NAME, Index

    place = Workspace(out.absolute())
    if not place.logs.is_dir():
        raise NotFound(f"{out} holds no assessment with logs")
    own = Index(place.out / NAME)
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
