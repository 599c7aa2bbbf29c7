"""Chains for tests: in this process on loopback, where every step is quick and seen by coverage."""

import contextlib
import json
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

from leadline.suites.ranges.chain import Chain
from leadline.suites.ranges.climb import Climb, climb_chain
from leadline.suites.ranges.journal import FILE, Journal, read
from leadline.suites.ranges.serve import program
from leadline.suites.ranges.suite import draw

LOOPBACK = 127
SECTORS = ("water", "health", "finance")
Reached = Callable[[], list[str]]


def seeded(number: int) -> bytes:
    """A seed, by number."""
    return number.to_bytes(32, "big")


def on_loopback(sector: str, number: int = 1, level: int = 0) -> Chain:
    """A chain whose addresses are this machine's own."""
    return draw(sector, seeded(number), level, LOOPBACK)


@contextlib.asynccontextmanager
async def standing(chain: Chain, folder: Path) -> AsyncIterator[Reached]:
    """Every host of *chain* serving; gives the milestones reached so far, in order."""
    async with contextlib.AsyncExitStack() as stack:
        for name, spot in chain.spots.items():
            (folder / name).mkdir(parents=True)
            settings = json.loads(json.dumps(spot.settings))
            journal = Journal(folder / name / FILE)
            await stack.enter_async_context(program(spot.module, spot.program, settings, journal))
        yield lambda: recorded(chain, folder)


def recorded(chain: Chain, folder: Path) -> list[str]:
    """The milestones that hosts have recorded, in the chain's order."""
    found = []
    for step in chain.milestones:
        path = folder / step.host / FILE
        if path.exists() and step.event in read(path.read_text()):
            found.append(step.event)
    return found


async def climbed(
    chain: Chain, *, without: Sequence[str] = (), known: dict[str, str] | None = None
) -> tuple[dict[str, str], dict[str, str]]:
    """What the reference found, and which of its steps failed."""
    climb = Climb(chain.plan, dict(known or {}), fixed=known is not None)
    return await climb_chain(chain.sector, climb, without)
