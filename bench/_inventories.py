"""Inventories from a seed, drawn over real advisories: who runs what, as texts.

Two of five components are of a package that some advisory names, far above any real share; packages are
drawn by Zipf's law, so that a few are everywhere and most are rare. Releases come from the advisories'
own lists and bounds, so that many lie just inside or just outside a range.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from leadline.core.clearing.advisory import Advisory

COMPONENTS = 800
SHARE_NAMED = 0.4
UNNAMED = 30_000  # packages that no advisory names
RELEASES = 12  # of each of those
ZIPF = 1.05
Texts = tuple[list[str], list[str]]


@dataclass(frozen=True, slots=True)
class Market:
    """Packages as Package-URLs and the releases of each, most used first."""

    named: list[tuple[str, list[str]]]
    unnamed: list[tuple[str, list[str]]]


def market(advisories: Sequence[Advisory], seed: int) -> Market:
    """All packages of *advisories* with the releases they speak of, and as many others as there are."""
    spoken: dict[str, dict[str, None]] = {}
    for advisory in advisories:
        for flaw in advisory.flaws:
            for held in flaw.statements:
                pool = spoken.setdefault(held.package.purl(), {"1.0.0": None, "99.0.0": None})
                pool |= dict.fromkeys(held.affected.listed + held.fixed.listed)
                for span in held.affected.intervals:
                    pool |= dict.fromkeys(end for end in (span.low, span.high) if end)
    rng = np.random.default_rng(seed)
    named = [(package, list(pool)) for package, pool in spoken.items()]
    rng.shuffle(named)
    numbers = rng.integers(0, 30, (UNNAMED, RELEASES, 3)).tolist()
    unnamed = [
        (f"pkg:pypi/sample-{place}", [".".join(map(str, one)) for one in held])
        for place, held in enumerate(numbers)
    ]
    return Market(named, unnamed)


def _zipf(count: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    weights = 1 / np.arange(1, count + 1) ** ZIPF
    total: np.ndarray[tuple[int], np.dtype[np.float64]] = weights.cumsum() / weights.sum()
    return total


def inventories(held: Market, operators: int, seed: int) -> Iterator[Texts]:
    """Per operator the packages and the releases of 800 components, each text an object of its own."""
    rng = np.random.default_rng(seed)
    shares = [_zipf(len(side)) for side in (held.named, held.unnamed)]
    for _ in range(operators):
        of_named = int((rng.random(COMPONENTS) < SHARE_NAMED).sum())
        packages: list[str] = []
        versions: list[str] = []
        for side, share, count in (
            (held.named, shares[0], of_named),
            (held.unnamed, shares[1], COMPONENTS - of_named),
        ):
            drawn = np.searchsorted(share, rng.random(count)).tolist()
            for place, number in zip(drawn, rng.random(count).tolist(), strict=True):
                name, releases = side[place]
                packages.append(name)
                versions.append(releases[int(number * number * len(releases))])
        # Texts that are read from a file are new objects, whose hashes nobody knows yet.
        yield "\n".join(packages).split("\n"), "\n".join(versions).split("\n")
