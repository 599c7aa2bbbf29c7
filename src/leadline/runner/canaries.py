"""Canaries beside an official run: one reference and one empty answer of each family, on each host.

The driver writes down which items. The first process of the run on a host judges them there; others on
that host read what it found. A host is one start of a kernel, known by its boot id: two nodes of a
cluster on one machine are one host. Where a canary does not hold, that host gives no results: its
workers claim nothing, so that its share of the work is left to others.
"""

import asyncio
import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from leadline.app.assessment import Evidence
from leadline.app.laboratory import Canary
from leadline.core.assessment import Plan
from leadline.core.errors import Unavailable
from leadline.core.isolation import parse_tier
from leadline.core.qualification import canaries
from leadline.formats.qualification import environment_digest
from leadline.formats.values import plain
from leadline.sandbox.egress import boot_id, utc
from leadline.suites import gate
from leadline.suites.item import Item, Suite

if TYPE_CHECKING:
    from leadline.core.record.act import Value

FOLDER, WANTED = "canaries", "wanted.json"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What each host tries: items as (suite, family, id), in boxes of *tier*.

    *environment* is the digest of the environment in which the run's items were qualified; a host with
    another gives no results. Empty where the run rests on no records.
    """

    tier: str
    environment: str
    items: tuple[tuple[str, str, str], ...]


_WANTED = TypeAdapter(Wanted)
Judge = Callable[[Wanted], Evidence]


def wanted(plan: Plan, environment: str = "") -> Wanted:
    """One item of each family of each suite of *plan*."""
    chosen = []
    for suite in plan.suites:
        families = {item.id: item.family for item in suite.items}
        chosen += [(suite.name, families[id_], id_) for id_ in canaries(families)]
    return Wanted(plan.tier, environment, tuple(chosen))


def ask(state: Path, what: Wanted) -> None:
    """Have every host of the run whose private folder is *state* try *what* before it gives a result.

    A host where they did not hold before tries them again: its cause may have been put right.
    """
    folder = state / FOLDER
    folder.mkdir(exist_ok=True)
    for path, evidence in _told(state):
        if not evidence.ok:
            path.unlink()
    _write(folder / WANTED, _WANTED.dump_json(what))


def here(state: Path, judge: Judge) -> Evidence | None:
    """What the canaries showed on this host, judged now unless they were before; None if none is asked for."""
    folder, boot = state / FOLDER, boot_id()
    if not (folder / WANTED).is_file():
        return None
    path = folder / f"{boot}.json"
    with _alone(folder / f"{boot}.lock"):
        if not path.is_file():
            found = judge(_WANTED.validate_json((folder / WANTED).read_bytes()))
            _write(path, json.dumps(asdict(found)).encode())
        return _evidence(path)


def told(state: Path) -> list[Evidence]:
    """What every host has told so far."""
    return [evidence for _, evidence in _told(state)]


def refusal(state: Path, judge: Judge) -> str:
    """Why this host gives the run no results; empty where it may."""
    found = here(state, judge)
    return "" if found is None or found.ok else str(found.record["reason"])


def judged(suites: Sequence[Suite], seed: bytes, folders: Path, what: Wanted) -> Evidence:
    """Judge *what* on this host, as samples will be: items are prepared in *folders*."""
    boot, reason = boot_id(), _other_environment(what)
    rows = [] if reason else list(_rows({one.name: one for one in suites}, seed, folders, what))
    failed = [f"{row.suite}, {row.family}: {row.reason}" for row in rows if not row.held]
    reason = reason or "; ".join(failed)
    at = utc(time.time())
    record: dict[str, Value] = {
        "host_boot_id": boot,
        "tier": what.tier,
        "environment_digest": what.environment,
        "at": at,
        "reason": reason,
        "families": tuple(plain(row) for row in rows),
    }
    return Evidence(f"canaries/{boot[:8]}-{at}", not reason, record)


def _other_environment(what: Wanted) -> str:
    """Why nothing that was qualified counts on this host; empty where it does."""
    if not what.environment:
        return ""
    try:
        around = gate.environment(parse_tier(what.tier))
    except Unavailable as error:
        return str(error)
    if environment_digest(around) == what.environment:
        return ""
    return "the items were qualified in another environment than this host's"


def _rows(suites: dict[str, Suite], seed: bytes, folders: Path, what: Wanted) -> Iterator[Canary]:
    items: dict[str, dict[str, Item]] = {}
    for name, family, id_ in what.items:
        suite = suites[name]
        if name not in items:
            items[name] = {item.id: item for item in suite.items(seed)}
        try:
            why = _tried(suite, items[name][id_], seed, folders / id_, what.tier)
        except Unavailable as error:
            why = str(error)
        yield Canary(name, family, id_, not why, why)


def _tried(suite: Suite, item: Item, seed: bytes, folder: Path, tier: str) -> str:
    """Why the judge does not tell the reference of *item* from nothing; empty where it does.

    Raises: Unavailable, if the judge could not do its work.
    """
    checked = suite.prepare(item, seed, folder)
    if not checked.ok:
        return checked.reason
    checks = asyncio.run(gate.canary(gate.probe_of(suite, item, folder, parse_tier(tier))))
    return "; ".join(f"{one.name}: {one.reason}" for one in checks if not one.held)


def _told(state: Path) -> list[tuple[Path, Evidence]]:
    paths = sorted((state / FOLDER).glob("*.json"))
    return [(path, _evidence(path)) for path in paths if path.name != WANTED]


def _evidence(path: Path) -> Evidence:
    held = json.loads(path.read_bytes())
    record = plain(held["record"])
    assert isinstance(record, dict)  # noqa: S101 -- written by `here`
    return Evidence(held["about"], held["ok"], record)


def _write(path: Path, content: bytes) -> None:
    """The file appears whole or not at all."""
    new = path.with_name(f".{path.name}.{os.getpid()}")
    new.write_bytes(content)
    new.replace(path)


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """One process of this host at a time; the lock ends with the process, however that ends."""
    held = os.open(lock, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)
