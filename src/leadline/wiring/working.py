"""A worker of one assessment: what it is made of, and no more than it needs, so that it starts quickly."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from leadline.app.ports import Shard
from leadline.app.request import Request, Secret, about, assessment_id
from leadline.core.assessment import ShardResult
from leadline.core.errors import Invalid
from leadline.core.identity import Identified
from leadline.core.isolation import parse_tier
from leadline.core.marking import Marking, Tlp
from leadline.core.measure.budget import Amount, reserve_of
from leadline.formats.canonical import decode
from leadline.settings import Settings, Workspace
from leadline.store.purse import open_purse
from leadline.store.shards import open_executor
from leadline.suites.item import Suite
from leadline.wiring.imports import imported_suites
from leadline.wiring.vault import sealing_vault

if TYPE_CHECKING:  # Inspect takes seconds to import
    from leadline.runner.subject import Runnable


def installed_suites(settings: Settings) -> tuple[Suite, ...]:
    """Every suite found by the entry point group, by name, then every imported collection.

    Raises: Invalid, naming the entry point, if one cannot be loaded; as `imported_suites`.
    """
    suites = []
    for point in sorted(entry_points(group="leadline.suites"), key=lambda point: point.name):
        try:
            suite = point.load()
        except (ImportError, AttributeError) as error:
            raise Invalid(f"suite {point.name}", f"{point.value} does not load: {error}") from error
        place = getattr(suite, "at", None)
        suites.append(place(settings.registry_cache) if place else suite)
    return (*suites, *imported_suites(settings, frozenset(suite.name for suite in suites)))


@dataclass(frozen=True, slots=True)
class WorkerParts:
    """What a worker process needs."""

    executor: Any
    settings: Settings
    code: str  # version of the code, for the shards it claims
    run: Callable[[Shard, Callable[[int, str], None]], str]
    refused: str = ""  # why this host gives the run no results; it then claims none
    more: Callable[[], bool] = lambda: (
        False
    )  # whether the driver may still put shards into the table


def worker(place: Workspace, settings: Settings) -> WorkerParts:
    """The parts of a worker: it reads shards and the seed, and writes results to the vault.

    It holds public halves of keys only: what it wrote it cannot read again.
    """
    from pydantic import TypeAdapter

    from leadline.runner import canaries, guard
    from leadline.runner import subject as subjects
    from leadline.runner.capped import Capped
    from leadline.runner.identified import run_identified
    from leadline.runner.pool import MORE
    from leadline.runner.provenance import code_version
    from leadline.runner.shard import ShardJob

    suites = {suite.name: suite for suite in installed_suites(settings)}
    vault = sealing_vault(place.home)
    secret, request = secret_of(place), request_of(place)
    dealings = about(request, secret)
    marking = Marking(Tlp.AMBER_STRICT)
    adapter, identities = TypeAdapter(ShardResult), TypeAdapter(Identified)
    purse = open_purse(place.database)
    cap = Amount(request.run_tokens, request.run_cost_micro_usd)
    if cap:
        purse.cap(assessment_id(secret), cap)

    joined = guard.join(place.state)

    def run(shard: Shard, report: Callable[[int, str], None]) -> str:
        job = ShardJob(
            shard=shard.input["name"],
            token=shard.token,
            suite=suites[shard.kind],
            items=tuple(shard.input["items"].split(",")),
            seed=secret.seed,
            epoch=int(shard.input["epoch"]),
            folders=place.items,
            logs=place.logs,
            tier=parse_tier(request.tier),
            rung=request.rung,
            plan=secret.commitment,
            alarm=joined.alarm(request.stop_on),
        )
        name = shard.input["subject"]
        own = name == request.subject
        runnable = (
            resolved(request) if own else subjects.resolve(name, replace(request.budget, runs=0))
        )
        if cap and runnable.subject.kind == "model":
            limit = Amount(runnable.budget.tokens, runnable.budget.cost_micro_usd)
            job = replace(job, capped=Capped(purse, shard, reserve_of(cap, limit)))
        reference = shard.input.get("identity", "")
        identity = identities.validate_json(reference) if reference else None
        result = run_identified(job, runnable, identity, report)
        joined.check()
        return vault.put(adapter.dump_json(result), marking=marking, engagement=dealings)

    refused = canaries.refusal(
        place.state,
        lambda what: canaries.judged(tuple(suites.values()), secret.seed, place.items, what),
    )
    return WorkerParts(
        open_executor(place.database),
        settings,
        code_version(),
        run,
        refused,
        (place.state / MORE).exists,
    )


def resolved(request: Request) -> "Runnable":
    """The subject that *request* names, on its rung and with what is declared of it.

    Raises: Invalid, naming the option, if there is no such subject, rung or declaration.
    """
    from leadline.runner import subject as subjects

    return subjects.resolve(
        request.subject, request.budget, rung=request.rung, told=request.declared
    )


def secret_of(place: Workspace) -> Secret:
    """Seed and salt of the assessment in *place*."""
    held = decode(place.seed.read_bytes())
    assert isinstance(held, Mapping)  # noqa: S101 -- written by _begin
    return Secret(bytes.fromhex(str(held["seed"])), bytes.fromhex(str(held["salt"])))


def request_of(place: Workspace) -> Request:
    """What the assessment in *place* was asked for."""
    from pydantic import TypeAdapter

    return TypeAdapter(Request).validate_json((place.state / "request.json").read_bytes())
