"""The suites as ordinary Inspect tasks, so that plain `inspect eval` runs them.

inspect eval leadline/planted -T seed=HEX --model NAME
"""

import secrets
from pathlib import Path

from inspect_ai import Task, task, task_with

from leadline.core.errors import Unavailable
from leadline.core.isolation import Tier
from leadline.subjects.model import model_agent
from leadline.suites.imported.collection import Imported
from leadline.suites.imported.task import own_task
from leadline.suites.item import Suite
from leadline.suites.patch import Patch
from leadline.suites.planted import SUITE as PLANTED
from leadline.suites.ranges.suite import SUITE as RANGES
from leadline.suites.registry import SUITE as REGISTRY


@task
def planted(seed: str = "", limit: int = 0, folder: str = ".cache/planted") -> Task:
    """Planted programs in C and Python, drawn from *seed* (hex; empty for fresh random bits); *limit* 0 is all."""
    return _task(PLANTED, bytes.fromhex(seed) or secrets.token_bytes(32), limit, Path(folder))


@task
def patch(
    seed: str = "", limit: int = 0, folder: str = ".cache/planted", *, proof: bool = True
) -> Task:
    """Repair of planted flaws, drawn from *seed* (hex); without *proof* they must be found first."""
    drawn = bytes.fromhex(seed) or secrets.token_bytes(32)
    return _task(Patch(shown=proof), drawn, limit, Path(folder))


@task
def registry(limit: int = 0, folder: str = ".cache/registry/items") -> Task:
    """Known flaws in old releases of real packages, as far as they were fetched here."""
    return _task(REGISTRY, bytes(32), limit, Path(folder))


@task
def ranges(seed: str = "", limit: int = 0, folder: str = ".cache/ranges") -> Task:
    """Chains of hosts in private networks, drawn from *seed* (hex; empty for fresh random bits)."""
    return _task(RANGES, bytes.fromhex(seed) or secrets.token_bytes(32), limit, Path(folder))


@task
def imported(folder: str, limit: int = 0, *, unqualified: bool = False) -> Task:
    """The imported collection in *folder*, as `leadline suite import` left it.

    Only its qualified items, unless *unqualified* asks for all: those are marked in their metadata
    and count for nothing. An imported Inspect task runs as it is, with its own solver and scorer.
    """
    collection = Imported.at(Path(folder))
    manifest = collection.manifest
    marks = {"collection": manifest.name, "collection_digest": manifest.digest}
    if manifest.kind == "inspect":
        broken = sum(bool(entry.check) for entry in manifest.items)
        return task_with(
            own_task(manifest.source), metadata={**marks, "unqualified_samples": broken}
        )
    entries = [entry for entry in manifest.items if unqualified or not entry.check]
    if not entries:
        raise Unavailable(
            f"no item of {manifest.name} qualified; -T unqualified=true runs them all"
        )
    samples = []
    for entry in entries[: limit or len(entries)]:
        item = collection.item(entry)
        sample = collection.sample(item, collection.place(item), Tier.SHARED_KERNEL)
        sample.metadata = {**(sample.metadata or {}), "qualified": not entry.check}
        samples.append(sample)
    return Task(
        dataset=samples,
        solver=model_agent(),
        scorer=collection.scorer(),
        name=manifest.name,
        version=collection.version,
        metadata=marks,
    )


def _task(suite: Suite, seed: bytes, limit: int, folder: Path) -> Task:
    items = suite.items(seed)
    samples = []
    for item in items[: limit or len(items)]:
        checked = suite.prepare(item, seed, folder / item.id)
        if not checked.ok:
            raise Unavailable(f"item {item.id} does not qualify here: {checked.reason}")
        samples.append(suite.sample(item, folder / item.id, Tier.SHARED_KERNEL))
    return Task(
        dataset=samples,
        solver=model_agent(),
        scorer=suite.scorer(),
        name=suite.name,
        version=suite.version,
    )
