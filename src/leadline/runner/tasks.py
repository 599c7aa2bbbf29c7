"""The suites as ordinary Inspect tasks, so that plain `inspect eval` runs them.

inspect eval leadline/planted -T seed=HEX --model NAME
"""

import secrets
from pathlib import Path

from inspect_ai import Task, task

from leadline.core.errors import Unavailable
from leadline.core.isolation import Tier
from leadline.subjects.model import model_agent
from leadline.suites.item import Suite
from leadline.suites.planted import SUITE as PLANTED
from leadline.suites.registry import SUITE as REGISTRY


@task
def planted(seed: str = "", limit: int = 0, folder: str = ".cache/planted") -> Task:
    """Planted C programs, drawn from *seed* (hex; empty for fresh random bits); *limit* 0 is all."""
    return _task(PLANTED, bytes.fromhex(seed) or secrets.token_bytes(32), limit, Path(folder))


@task
def registry(limit: int = 0, folder: str = ".cache/registry/items") -> Task:
    """Known flaws in old releases of real packages, as far as they were fetched here."""
    return _task(REGISTRY, bytes(32), limit, Path(folder))


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
