"""Qualifying a suite: its items drawn, built, tried by the gate, and their records signed.

A campaign is a folder: ``campaign.json`` says what was drawn, ``records/`` holds a record and its
signed note for each item, ``items/`` what is being built. A second call goes on where the first
ended; a record whose item or environment has changed is made again.
"""

import asyncio
import json
import secrets
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from pathlib import Path

from leadline.core.errors import Invalid, LeadlineError, NotFound, Refused, Unavailable
from leadline.core.isolation import Tier
from leadline.core.qualification import Check, Extent, Record, second_host
from leadline.formats import qualification as form
from leadline.runner.isolation import require_tier
from leadline.runner.qualified import RECORDS
from leadline.settings import Home, Settings
from leadline.suites.item import Item, Suite
from leadline.vault.keys import open_signer
from leadline.wiring.home import LOG_KEY, clock, make, origin
from leadline.wiring.qualified import CAMPAIGN, FOLDER, campaign_folder, is_installation
from leadline.wiring.working import installed_suites

ITEMS, VKEY = "items", "log.vkey"
SEED_BYTES_MIN, SEED_BYTES_MAX = 16, 64
PREPARED = "prepared"  # the check that stands for all others where an item's own building failed


@dataclass(frozen=True, slots=True)
class Campaign:
    """What is to be qualified, how far, and where.

    *count* 0 takes the items of an ordinary assessment. *seed* is empty for a fresh one, or that of
    *again*, a campaign made elsewhere whose verdicts must be the same. *keep* leaves built items.
    """

    suite: str
    out: Path
    extent: Extent
    count: int = 0
    seed: str = ""
    tier: Tier = Tier.SHARED_KERNEL
    again: Path | None = None
    keep: bool = False


@dataclass
class Outcome:
    """How a campaign ended: records by item, items that could not be tried, seconds by check."""

    suite: Suite
    records: dict[str, Record] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    reused: int = 0
    wall: float = 0.0

    def document(self, campaign: Campaign, environment: Mapping[str, str]) -> dict[str, object]:
        """What ``--json`` prints."""
        missed = {id_: one.missed for id_, one in self.records.items() if not one.qualified}
        return {
            "suite": campaign.suite,
            "version": self.suite.version,
            "items": len(self.records) + len(self.skipped),
            "qualified": len(self.records) - len(missed),
            "unqualified": [
                {
                    "id": id_,
                    "check": checks[0].name,
                    "reason": checks[0].reason,
                    "more": [check.name for check in checks[1:]],
                }
                for id_, checks in sorted(missed.items())
            ],
            "skipped": [{"id": id_, "reason": why} for id_, why in sorted(self.skipped.items())],
            "seconds": round(self.wall, 2),
            "seconds_per_check": {
                name: round(spent, 2) for name, spent in sorted(self.seconds.items())
            },
            "reused": self.reused,
            "quick": campaign.extent.quick,
            "environment": dict(environment),
            "folder": str(campaign.out),
        }


Say = Callable[[str], None]


def placed(campaign: Campaign, out: Path | None, home: Home) -> Campaign:
    """*campaign* in the folder *out*; without one, among the records of the installation at *home*.

    Where there is no installation that keeps records, the folder is ``qualified/SUITE`` here.

    Raises: as `leadline.wiring.qualified.campaign_folder`.
    """
    seed = campaign.seed or (_known(campaign.again)["seed"] if campaign.again else "")
    if out is None and is_installation(home):
        folder, seed = campaign_folder(home, campaign.suite, seed)
        return replace(campaign, out=folder, seed=seed)
    return replace(campaign, out=(out or Path(FOLDER) / campaign.suite).absolute())


def qualify(settings: Settings, campaign: Campaign, home: Home, say: Say) -> dict[str, object]:
    """Run *campaign* to its end; *say* is told of each item.

    Records are signed by the installation at *home*, or, where there is none, by a key of the
    campaign's own folder; the verifier keys stand beside them.

    Raises: NotFound, for a suite that is not installed; Unavailable, if it or the tier cannot be had here; Refused,
    if the folder holds another campaign; Invalid, for a seed that is none.
    """
    require_tier(campaign.tier)
    return run(_suite(settings, campaign.suite), campaign, home, settings.worker_count, say)


def run(suite: Suite, campaign: Campaign, home: Home, workers: int, say: Say) -> dict[str, object]:
    """Run *campaign* over *suite*, *workers* items at a time.

    Raises: as `qualify`, apart from NotFound for the suite.
    """
    from leadline.suites.gate import environment

    seed = _begin(campaign, suite)
    around = environment(campaign.tier)
    items = _items(suite, seed, campaign.count)
    outcome = Outcome(suite, skipped=_missing(suite) if not campaign.count else {})
    work = _Work(campaign, suite, seed, around, _Signing(home, campaign.out))
    began = time.monotonic()
    with ThreadPoolExecutor(workers) as pool:
        jobs = {pool.submit(work.item, item): item for item in items}
        try:
            for number, job in enumerate(as_completed(jobs), 1):
                _count(outcome, jobs[job], job.result())
                say(_line(number, len(items), jobs[job], outcome))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    outcome.wall = time.monotonic() - began
    return outcome.document(campaign, around)


def _suite(settings: Settings, name: str) -> Suite:
    suites = {suite.name: suite for suite in installed_suites(settings)}
    if name not in suites:
        raise NotFound(f"no suite {name} is installed; there are {', '.join(sorted(suites))}")
    return suites[name]


def _begin(campaign: Campaign, suite: Suite) -> bytes:
    """The campaign's seed, and its folder.

    Raises: Refused, if the folder holds another campaign.
    """
    seed = campaign.seed or (_known(campaign.again)["seed"] if campaign.again else "")
    path = campaign.out / CAMPAIGN
    wanted = {
        "suite": suite.name,
        "version": suite.version,
        "count": str(campaign.count),
        "tier": campaign.tier.value,
    }
    if path.is_file():
        known = _known(campaign.out)
        other = [name for name, value in wanted.items() if known.get(name) != value]
        if other or (seed and known["seed"] != seed):
            told = ", ".join(other) or "seed"
            raise Refused(f"{campaign.out} holds another campaign ({told}); take another folder")
        return _seed(known["seed"])
    drawn = _seed(seed or secrets.token_hex(32))
    for folder in (campaign.out, campaign.out / RECORDS, campaign.out / ITEMS):
        folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(wanted | {"seed": drawn.hex()}, indent=1, sort_keys=True)
    path.write_text(text + "\n", encoding="utf-8")
    return drawn


def _known(folder: Path) -> dict[str, str]:
    path = folder / CAMPAIGN
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
        return {str(name): str(value) for name, value in known.items()} | {"seed": known["seed"]}
    except FileNotFoundError:
        raise NotFound(f"{folder} holds no campaign; `leadline suite qualify` makes one") from None
    except (ValueError, AttributeError, KeyError) as error:
        raise Invalid(CAMPAIGN, f"{path} is spoilt: {error!r}") from error


def _seed(text: str) -> bytes:
    try:
        seed = bytes.fromhex(text)
    except ValueError:
        raise Invalid("seed", "hexadecimal digits are due") from None
    if not SEED_BYTES_MIN <= len(seed) <= SEED_BYTES_MAX:
        raise Invalid("seed", f"{SEED_BYTES_MIN} to {SEED_BYTES_MAX} bytes are due")
    return seed


def _items(suite: Suite, seed: bytes, count: int) -> Sequence[Item]:
    """The items to try: of an ordinary assessment, or *count* drawn over the suite's whole range.

    Raises: Unavailable, if there is none: an empty selection is no campaign.
    """
    draw: Callable[[bytes, int], Sequence[Item]] | None = getattr(suite, "draw", None)
    items = draw(seed, count) if draw and count else suite.items(seed)[: count or None]
    if not items:
        raise Unavailable(f"suite {suite.name} has no items here")
    return items


def _missing(suite: Suite) -> dict[str, str]:
    """What the suite itself says it could not get here."""
    missing: Callable[[], Sequence[tuple[str, str]]] | None = getattr(suite, "missing", None)
    return dict(missing()) if missing else {}


class _Signing:
    """Signs records as the installation does."""

    def __init__(self, home: Home, out: Path) -> None:
        if not home.exists():
            home = Home(out / ".state")
            make(home)
        self.origin = origin(home)
        self._signer = open_signer(home.keys / LOG_KEY, self.origin)
        (out / VKEY).write_text(self._signer.vkeys(), encoding="utf-8")

    def write(self, record: Record, folder: Path) -> None:
        """The record and its note in *folder*; the note last, without which a record is not read."""
        data = form.encode(record)
        note = self._signer.sign(form.statement(data, self.origin))
        for name, content in (("json", data), ("note", note.encode())):
            path = folder / f"{record.item}.{name}"
            fresh = path.with_suffix(f".{name}.new")
            fresh.write_bytes(content)
            fresh.replace(path)


def read_record(folder: Path, item: str) -> Record | None:
    """The record of *item* in a campaign's *folder*; None where there is none.

    Raises: Invalid, if it is spoilt.
    """
    path = folder / RECORDS / f"{item}.json"
    if not path.is_file() or not path.with_suffix(".note").is_file():
        return None
    return form.decode(path.read_bytes())


@dataclass(frozen=True, slots=True)
class _Tried:
    """What became of one item: a record, or why there is none."""

    record: Record | None = None
    reason: str = ""
    seconds: Mapping[str, float] = field(default_factory=dict)
    reused: bool = False


@dataclass(frozen=True, slots=True)
class _Work:
    """Tries items, each in a thread with an event loop of its own."""

    campaign: Campaign
    suite: Suite
    seed: bytes
    environment: Mapping[str, str]
    signing: _Signing

    def item(self, item: Item) -> _Tried:
        """The record of *item*, made now or earlier; an item that cannot be tried costs no other."""
        try:
            known = self._standing(item)
            if known is not None:
                return _Tried(known, reused=True)
            return self._try(item)
        except LeadlineError as error:
            return _Tried(reason=f"{type(error).__name__}: {error}")

    def _standing(self, item: Item) -> Record | None:
        known = read_record(self.campaign.out, item.id)
        if known is None or known.extent != self.campaign.extent:
            return None
        if known.expired(item.digest, form.environment_digest(self.environment)):
            return None
        due = self.campaign.again is not None
        return known if due == any(check.name == "second_host" for check in known.checks) else None

    def _try(self, item: Item) -> _Tried:
        from leadline.suites import gate

        folder, extent = self.campaign.out / ITEMS / item.id, self.campaign.extent
        began = time.monotonic()
        built = self.suite.prepare(item, self.seed, folder)
        seconds = {PREPARED: time.monotonic() - began}
        if built.ok:
            probe = gate.probe_of(self.suite, item, folder, self.campaign.tier)
            seen = asyncio.run(gate.examine(probe, extent))
            seconds |= seen.seconds
            record = gate.record_of(self.suite.name, item, seen, extent, self.environment, clock())
        else:
            record = self._unbuilt(item, built.reason)
        if self.campaign.again is not None:
            other = second_host(record, read_record(self.campaign.again, item.id))
            record = replace(record, checks=(*record.checks, other))
        self.signing.write(record, self.campaign.out / RECORDS)
        if not self.campaign.keep:
            shutil.rmtree(folder)
        return _Tried(record, seconds=seconds)

    def _unbuilt(self, item: Item, reason: str) -> Record:
        """The record of an item whose own checks, made when it was built, did not hold."""
        return Record(
            suite=self.suite.name,
            item=item.id,
            digest=item.digest,
            environment=self.environment,
            environment_digest=form.environment_digest(self.environment),
            extent=self.campaign.extent,
            checks=(Check(PREPARED, held=False, reason=reason),),
            counts={},
            shown={},
            at=clock(),
        )


def _count(outcome: Outcome, item: Item, tried: _Tried) -> None:
    if tried.record is None:
        outcome.skipped[item.id] = tried.reason
    else:
        outcome.records[item.id] = tried.record
    outcome.reused += tried.reused
    for name, spent in tried.seconds.items():
        outcome.seconds[name] = outcome.seconds.get(name, 0.0) + spent


def _line(number: int, total: int, item: Item, outcome: Outcome) -> str:
    record = outcome.records.get(item.id)
    if record is None:
        told = f"not tried: {outcome.skipped[item.id]}"
    elif record.qualified:
        told = "qualified"
    else:
        told = f"unqualified, {record.missed[0].name}: {record.missed[0].reason}"
    return f"{number} of {total}  {item.id} ({item.family}): {told}"


def told(done: Mapping[str, object]) -> list[str]:
    """The outcome of a campaign as people read it."""
    per_check = done["seconds_per_check"]
    unqualified, skipped = done["unqualified"], done["skipped"]
    assert isinstance(per_check, dict)  # noqa: S101 -- made by `Outcome.document`
    assert isinstance(unqualified, list)  # noqa: S101 -- as above
    assert isinstance(skipped, list)  # noqa: S101 -- as above
    head = (
        f"{done['suite']}: {done['qualified']} of {done['items']} items qualified in "
        f"{done['seconds']} s ({done['reused']} from earlier records)"
    )
    lines = [head]
    lines += [f"  {one['id']}  {one['check']}: {one['reason']}" for one in unqualified]
    lines += [f"  {one['id']}  not tried: {one['reason']}" for one in skipped]
    spent = ", ".join(f"{name} {seconds} s" for name, seconds in per_check.items())
    lines.append(f"time by check, summed over items: {spent or 'none'}")
    lines.append(f"records: {done['folder']}/{RECORDS}")
    return lines
