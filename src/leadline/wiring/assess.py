"""One assessment in a folder of its own: what `leadline assess`, its workers and `doctor` stand on."""

import fcntl
import hashlib
import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

from leadline.app import approval, bundle, engagement, match, reporting
from leadline.app import assess as script
from leadline.app.assess import Script
from leadline.app.context import Context
from leadline.app.engagement import Cast, Dealings, Desk
from leadline.app.laboratory import Laboratory
from leadline.app.measuring import Observer
from leadline.app.ports import Executor, Vault, Workers
from leadline.app.request import Request, Secret, assessment_id, engagement_id
from leadline.core import report as shown
from leadline.core.engagement.engagement import Standing
from leadline.core.engagement.regime import Regime
from leadline.core.errors import Invalid, NotFound, Refused, Tampered
from leadline.core.isolation import least, parse_tier
from leadline.core.measure.budget import Amount, reserve_of
from leadline.core.scope import SOURCES
from leadline.formats.canonical import encode
from leadline.formats.cast_toml import CastFile, load_cast
from leadline.formats.criteria_toml import load_criteria
from leadline.formats.regime_toml import load_regime
from leadline.formats.values import plain
from leadline.identity import software_key
from leadline.identity.software_key import SoftwareKey
from leadline.runner.isolation import require_tier
from leadline.settings import Home, Settings, Workspace
from leadline.store.shards import open_executor
from leadline.store.sql import open_store
from leadline.suites.imported.collection import Imported
from leadline.suites.item import Suite
from leadline.wiring.desk import criteria_packs, library
from leadline.wiring.home import KINDS, ORIGIN, Parts, clock, lines_of, make, open_parts
from leadline.wiring.qualified import records, require_installation, seed_of, take
from leadline.wiring.working import installed_suites, request_of, resolved, secret_of

REGIME, CRITERIA = "us-eo-14409", "demonstration"
DATA = files("leadline") / "data"
ACCESS_DAYS = 60
SEED_BYTES_MIN, SEED_BYTES_MAX = 16, 64


def made(place: Workspace) -> Workspace:
    """The workspace with its folders."""
    make(place.home)
    for folder in (place.items, place.logs):
        folder.mkdir(parents=True, exist_ok=True)
    place.state.chmod(0o711)  # box users pass through to the items, and list nothing
    return place


def suite_rows(settings: Settings) -> list[dict[str, Any]]:
    """Every suite as the command line lists it."""
    from leadline.runner.laboratory import planned

    rows = []
    for suite in installed_suites(settings):
        plan = planned(suite, bytes(32))
        rows.append(
            {
                "name": plan.name,
                "version": plan.version,
                "domain": plan.domain,
                "construct": plan.construct,
                "isolation": plan.isolation,
                "items": len(plan.items),
                "unavailable": plan.unavailable,
                "missing": list(plan.missing),
            }
        )
    return rows


@dataclass(frozen=True, slots=True)
class Finished:
    """What the command line prints at the end."""

    summary: Mapping[str, Any]
    lines: tuple[str, ...]
    status: int = 0


def assess(
    place: Workspace, settings: Settings, request: Request, observe: Observer, *, resume: bool
) -> Finished:
    """Run, or finish, one assessment in *place*.

    Raises: Refused, if another run holds the folder, or what it holds does not fit the request.
    """
    check(request, settings)
    _make_room(place, resume=resume)
    try:
        place.state.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Invalid("--out", f"{place.out} cannot be made: {error.strerror}") from error
    with alone(place):
        if resume and (place.state / "request.json").exists():
            request = request_of(place)
        else:
            request = _official(place, request)
            begin(place, request)
        store = open_store(made(place).database, kinds=KINDS, lines=lines_of(place.home))
        parts = open_parts(place.home, store)
        try:
            laboratory, full = host_laboratory(place, settings, parts.vault, request)
            key = software_key.opened(place.keys / "official.key")
            run = prepare_script(parts, laboratory, secret_of(place), full, observe, key)
            script.run(run)
            return _finish(place, parts, run, observe)
        finally:
            store.close()


def _official(place: Workspace, request: Request) -> Request:
    """*request* with the seed of the series that an official run takes, which is then its own.

    Raises: as `seed_of`.
    """
    if not request.official:
        return request
    home = Home(Path(request.home))
    seed = seed_of(home, request.seed_hex)
    take(home, seed, place.out)
    return replace(request, seed_hex=seed)


def check(request: Request, settings: Settings) -> None:
    """Raises: Invalid, naming the option, before anything is written for a request that cannot be."""
    _seed(request.seed_hex)
    if request.official:
        require_installation(Home(Path(request.home)))
    runnable = resolved(request)
    if runnable.subject.kind == "model":
        limit = Amount(runnable.budget.tokens, runnable.budget.cost_micro_usd)
        reserve_of(Amount(request.run_tokens, request.run_cost_micro_usd), limit)
    chosen = _chosen(settings, request)
    tier = parse_tier(request.tier, "--tier")
    _check_warden(request)
    need = least(
        runnable.subject.kind,
        official=request.official,
        suites=tuple(suite.isolation for suite in chosen),
    )
    if not tier.covers(need):
        raise Invalid(
            "--tier", f"{tier} is less than this run asks for; use {need}, or leave --official out"
        )
    require_tier(tier)


def _check_warden(request: Request) -> None:
    """Raises: Invalid, for what no warden can be told."""
    if request.dead_man_seconds < 1:
        raise Invalid("--dead-man", "a warden waits for one second or more")
    if unknown := sorted(set(request.stop_on) - set(SOURCES)):
        raise Invalid("--stop-on", f"{unknown[0]!r} is none of {', '.join(SOURCES)}")


def _chosen(settings: Settings, request: Request) -> tuple[Suite, ...]:
    """The suites that *request* names, in the installed order; the installed ones where it names none.

    Raises: Invalid, naming what is not installed.
    """
    installed = installed_suites(settings)
    names = {suite.name for suite in installed}
    unknown = sorted(set(request.suites) - names)
    if unknown:
        raise Invalid(
            "--suite", f"{', '.join(unknown)} not installed; there are {', '.join(sorted(names))}"
        )
    if request.suites:
        return tuple(one for one in installed if one.name in request.suites)
    return tuple(one for one in installed if not isinstance(one, Imported))


def _make_room(place: Workspace, *, resume: bool) -> None:
    """An earlier, finished run is moved aside, never overwritten; an unfinished one is named."""
    if place.out.exists() and not place.out.is_dir():
        raise Invalid("--out", f"{place.out} is no folder; name one that is empty or new")
    if resume:
        if not (place.state / "request.json").exists():
            raise NotFound(f"{place.out} holds no assessment to resume; leave --resume out")
        return
    if (place.out / "summary.json").exists():
        stamp = datetime.fromtimestamp((place.out / "summary.json").stat().st_mtime, UTC)
        kept = place.out.with_name(f"{place.out.name}-{stamp:%Y%m%dT%H%M%SZ}")
        place.out.rename(kept)
    elif (place.state / "request.json").exists():
        raise Refused(
            f"{place.out} holds an unfinished assessment; finish it with `leadline assess --resume "
            f"--out {place.out}` (or `make assess RESUME=1`), or name another folder"
        )
    elif place.out.exists() and any(one != place.state for one in place.out.iterdir()):
        raise Refused(f"{place.out} holds other files; name a folder that is empty or new")


@contextmanager
def alone(place: Workspace) -> Iterator[None]:
    """One process at a time; the lock ends with the process, however that ends."""
    lock = os.open(place.state / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise Refused(f"another `leadline assess` is at work in {place.out}; let it end") from None
    try:
        yield
    finally:
        os.close(lock)


def begin(place: Workspace, request: Request) -> None:
    """Write seed and request down before anything else, so that a kill loses neither."""
    if not (place.state / "seed.json").exists():
        seed = _seed(request.seed_hex)
        salt = (
            secrets.token_bytes(32)
            if request.seed_hex is None
            else hashlib.sha256(b"leadline/salt/v1\0" + seed).digest()
        )
        write(place.seed, encode({"seed": seed.hex(), "salt": salt.hex()}), 0o600)
    write(place.state / "request.json", encode(plain(request)), 0o600)


def _seed(text: str | None) -> bytes:
    if text is None:
        return secrets.token_bytes(32)
    try:
        seed = bytes.fromhex(text)
    except ValueError:
        raise Invalid("--seed", "give 32 to 128 hexadecimal digits, or leave it out") from None
    if not SEED_BYTES_MIN <= len(seed) <= SEED_BYTES_MAX:
        raise Invalid("--seed", "give 32 to 128 hexadecimal digits (128 bits or more)")
    return seed


def write(path: Path, content: bytes, mode: int = 0o644) -> None:
    """The file appears whole or not at all."""
    new = path.with_name(f".{path.name}.new")
    new.touch(mode)
    new.chmod(mode)
    with new.open("wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    new.replace(path)


def host_laboratory(
    place: Workspace, settings: Settings, vault: Vault, request: Request
) -> tuple[Laboratory, Request]:
    """This host's laboratory, and the request with the subject's default budget filled in."""
    from leadline.runner.laboratory import HostLaboratory, Places

    runnable = resolved(request)
    executor = open_executor(place.database)
    laboratory = HostLaboratory(
        subject=runnable.subject,
        executor=executor,
        vault=vault,
        installed=_chosen(settings, request),
        places=Places(place.out, place.items, place.logs),
        workers=_workers(place, settings, executor),
        tier=request.tier,
        runnable=runnable,
        dead_man=request.dead_man_seconds,
        records=(
            records(Home(Path(request.home)), parse_tier(request.tier))
            if request.official
            else None
        ),
    )
    epochs = max(request.epochs, runnable.attempts)
    return laboratory, replace(
        request, budget=runnable.budget, epochs=epochs, rung=runnable.declared.rung
    )


def _workers(place: Workspace, settings: Settings, executor: Executor) -> Workers:
    """Processes of this host, or of a Ray cluster where the settings name one."""
    from leadline.runner.pool import LocalPool, worker_command

    if settings.cluster:
        from leadline.runner.cluster import RayPool

        command = worker_command(place.out)
        return RayPool(executor, command, settings.cluster, settings.worker_count)
    called = f"worker-{place.out.name}" if place.within else "worker"
    return LocalPool(
        executor, worker_command(place.out), settings.worker_count, place.state, called=called
    )


def prepare_script(
    parts: Parts,
    laboratory: Laboratory,
    secret: Secret,
    request: Request,
    observe: Observer,
    key: SoftwareKey,
) -> Script:
    """The script with the demonstration's people, terms and criteria; *key* is its official's."""
    (pack, content), cast = criteria_pack(request.criteria or CRITERIA, request.home), _cast_file()
    desk = _desk(parts, cast, engagement_id(secret))
    official = desk.official()
    note = "in a file of the demonstration: no proof that its holder was there"
    approval.register(official, key.registered(official.principal.id, official.now, note))
    return Script(
        desk=desk,
        lab=laboratory,
        observe=observe,
        secret=secret,
        criteria=load_criteria(content, pack),
        criteria_digest=hashlib.sha256(content).hexdigest(),
        request=request,
        cast=_cast(cast),
        regime=_regime(REGIME),
        operators=match.samples(),
        sign=key.sign,
    )


def criteria_pack(name: str, home: str = "") -> tuple[str, bytes]:
    """File name and content of a criteria pack: an installed one by its name, any other by its file.

    Installed are those that ship and those of the installation in the folder *home*.

    Raises: Invalid, if there is neither.
    """
    installed = criteria_packs(Home(Path(home)) if home else None)
    file = installed.get(name, Path(name))
    try:
        return file.name, file.read_bytes()
    except OSError as error:
        problem = f"{name!r} is no installed pack and no file that can be read ({error.strerror})"
        raise Invalid("--criteria", problem) from None


def _cast_file() -> CastFile:
    name = "cast.toml"
    return load_cast((DATA / "demonstration" / name).read_bytes(), name)


def _cast(file: CastFile) -> Cast:
    people = {part: person.id for part, person in file.people.items()}
    official, evaluator = file.people["official"], file.people["evaluator"]
    return Cast(
        title=file.title,
        developer=file.people["developer"].org,
        developer_name=file.developer,
        model=file.model,
        anchor_days=file.anchor_days,
        terms_days=file.terms_days,
        terms=file.terms,
        retention_days=file.retention_days,
        determination_days=file.determination_days,
        publisher=file.publisher,
        namespace=file.namespace,
        official=f"{official.name}, {file.bodies['official']}",
        evaluator=f"{evaluator.name}, {file.bodies['evaluator']}",
        people=people,
    )


def _desk(parts: Parts, file: CastFile, dealings: str) -> Desk:
    """The demonstration's people, each named for this engagement and for a bounded time."""

    def at_work(part: str) -> Callable[[], Context]:
        person = replace(
            file.people[part],
            engagements=frozenset({dealings}),
            access_until=clock() + timedelta(days=ACCESS_DAYS),
        )
        with parts.store.write() as tx:
            tx.put_principal(person)
        return lambda: parts.context(person)

    return Desk(*(at_work(part) for part in ("developer", "evaluator", "official", "coordinator")))


def _regime(id_: str) -> Regime:
    name = f"{id_}.toml"
    return load_regime((DATA / "regimes" / name).read_bytes(), name)


def _finish(place: Workspace, parts: Parts, run: Script, observe: Observer) -> Finished:
    """Write the bundle, have another process verify it, then write the pages that say so."""
    observe.phase("record: bundle sealed, verified by a separate process")
    found = reporting.gather(run)
    write(place.out / "log.vkey", parts.signer.vkeys().encode())
    head = bundle.write(place.bundle, place.logs, parts.signer, ORIGIN, bundle.contents(run, found))
    verified = _verified(place)
    if not verified["ok"] or verified["root"] != head.root:
        raise Tampered(str(verified.get("place") or "bundle"), "the new bundle does not verify")
    log = shown.LogState(
        ORIGIN,
        head.size,
        head.root,
        verified=True,
        command="leadline log verify bundle --key log.vkey",
        witnesses=head.witnesses,
    )
    report = reporting.build(run, found, log, version("leadline"))
    observe.phase("report: HTML, PDF, summary")
    _pages(place, report, found)
    summary = shown.summary(report)
    write(place.out / "summary.json", json.dumps(summary, indent=1).encode() + b"\n")
    return Finished(summary, _closing(place, report))


def _verified(place: Workspace) -> dict[str, Any]:
    """What `leadline log verify` says, in a process of its own, with the key from outside."""
    argv = [sys.executable, "-m", "leadline", "log", "verify", str(place.bundle)]
    argv += ["--key", str(place.out / "log.vkey"), "--json"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        raise Tampered("bundle", f"the verifier gave no answer: {done.stderr.strip()}") from None
    assert isinstance(answer, dict)  # noqa: S101 -- the command's contract
    return answer


def _pages(place: Workspace, report: shown.Report, found: reporting.Gathered) -> None:
    from leadline.render import html, notice_pages, pages, pdf

    document = pages.report_document(report)
    write(place.out / "report.html", html.html(document).encode())
    write(place.out / "report.pdf", pdf.pdf(document))
    folder = place.out / "operators"
    folder.mkdir(exist_ok=True)
    for sample in match.samples():
        own = [n for n in found.case.notices.values() if n.operator == sample.operator]
        asked = [q for q in found.case.questions.values() if q.operator == sample.operator]
        page = notice_pages.operator_document(sample.operator, own, asked, report.ended)
        write(folder / f"{sample.operator.id}.html", html.html(page).encode())


def _closing(place: Workspace, report: shown.Report) -> tuple[str, ...]:
    decision, log = report.decision, report.log
    counts = [
        f"{suite.name}: "
        + (
            suite.reason
            or f"{sum(f.solved for f in suite.families)} of "
            f"{sum(f.attempted for f in suite.families)} solved"
        )
        for suite in report.suites
    ]
    return (
        (
            f"decision (demonstration criteria): {decision.state.value}, after "
            f"{decision.samples_used} of {decision.samples_total} samples"
        ),
        *counts,
        f"log verified: {log.size} entries, root {log.root}",
        f"report:  {place.out / 'report.html'}",
        (
            f"record:  {place.bundle}   verify it: leadline log verify {place.bundle} --key "
            f"{place.out / 'log.vkey'}"
        ),
    )


@contextmanager
def existing(out: Path) -> Iterator[tuple[Workspace, Dealings, Desk, Parts]]:
    """The engagement in a folder, with its people and the parts of its installation."""
    place = Workspace(out.absolute())
    if not (place.state / "request.json").exists():
        raise NotFound(f"{out} holds no assessment")
    store = open_store(place.database, kinds=KINDS, lines=lines_of(place.home))
    file = _cast_file()
    try:
        id_ = engagement_id(secret_of(place))
        dealings = Dealings(id_, file.people["developer"].org, _regime(REGIME), library())
        parts = open_parts(place.home, store)
        yield place, dealings, _desk(parts, file, id_), parts
    finally:
        store.close()


def standing(out: Path) -> tuple[Standing, datetime]:
    """The engagement in *out* as its developer sees it, and the moment."""
    with existing(out) as (_, dealings, desk, _):
        ctx = desk.developer()
        return engagement.standing(ctx, dealings), ctx.now


def withdraw(out: Path) -> str:
    """Withdraw as the developer: access ends at this instant, and every sample is stopped."""
    with existing(out) as (place, dealings, desk, parts):
        ctx = desk.developer()
        assert parts.keys is not None  # noqa: S101 -- every opened installation has one
        engagement.withdraw(ctx, dealings, parts.keys)
        open_executor(place.database).cancel(assessment_id(secret_of(place)))
    return ctx.now.isoformat()


@dataclass(frozen=True, slots=True)
class Check:
    """One thing about this machine. No assessment runs without the *needed* ones."""

    name: str
    ok: bool
    cause: str
    cure: str
    needed: bool = True

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe."""
        return {name: getattr(self, name) for name in self.__slots__}


def diagnose(settings: Settings) -> tuple[Check, ...]:
    """What this machine can do for an assessment, and the cure where it cannot."""
    from leadline.runner.laboratory import planned
    from leadline.sandbox import probe

    checks = [Check(c.name, c.ok, c.cause or "as it should be", c.cure) for c in probe.probe()]
    checks += [Check(c.name, c.ok, c.cause, c.cure, needed=False) for c in probe.tiers()]
    compiler = shutil.which("clang")
    checks.append(
        Check(
            "compiler",
            compiler is not None,
            f"clang is {compiler}" if compiler else "clang is not installed",
            "" if compiler else "run `make setup`, or install Debian's clang and libclang-rt",
        )
    )
    for suite in installed_suites(settings):
        plan = planned(suite, bytes(32))
        checks.append(
            Check(
                f"suite {plan.name}",
                not plan.unavailable,
                plan.unavailable or f"{len(plan.items)} items can run here",
                "run `make setup` with a package index in reach" if plan.unavailable else "",
                needed=False,
            )
        )
    return tuple(checks)
