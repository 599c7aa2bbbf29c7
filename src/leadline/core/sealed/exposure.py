"""Who was shown which item, and what follows from it.

Upheld here: every showing counts, whatever came of it; in API mode the host has seen the item. The
numbers are settings (`Limits`), read from data. Contamination tests are evidence, not proof, and are
no part of this.

Source: trust.md 4.5.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from math import ceil
from typing import Literal

Mode = Literal["api", "custody", "enclave", "self", "opened"]


@dataclass(frozen=True, slots=True)
class Showing:
    """One item shown once. *item* is its commitment in hex, *host* where the model ran.

    Mode ``opened`` is a person who opened the item; *leak* records a suspicion, which counts as more
    than a showing.
    """

    id: str
    item: str
    pack: str
    family: str
    model: str
    host: str
    mode: Mode
    at: datetime
    who: str
    leak: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """What the programme set: see `leadline.formats.sealed_toml`."""

    exposures_max: int  # showings to one family after which an item is retired
    leaks_max: int  # suspected leaks after which it is
    rotated_percent: int  # share of the set replaced each cycle
    cycle_days: int
    runs_max: int  # scored runs per family, set and cycle
    band_percent: int  # width of the bands in which a score leaves
    nonce_seconds: int  # how long a challenge to a runner stays fresh
    tcb_min: int  # least level of a hardware platform's trusted base


def seen(showings: Iterable[Showing], family: str) -> frozenset[str]:
    """The items that this family was shown before."""
    return frozenset(one.item for one in showings if one.family == family and not one.leak)


def retired(showings: Sequence[Showing], limits: Limits) -> frozenset[str]:
    """The items that have been shown too often to one family, or are suspected to have leaked."""
    counts = dict[tuple[str, str], int]()
    for one in showings:
        key = (one.item, "leak" if one.leak else f"family {one.family}")
        counts[key] = counts.get(key, 0) + 1
    most = {"leak": limits.leaks_max}
    return frozenset(
        item for (item, by), n in counts.items() if n >= most.get(by, limits.exposures_max)
    )


def rotated(
    items: Sequence[str], gone: frozenset[str], cycle: int, limits: Limits
) -> frozenset[str]:
    """The items that leave at the end of *cycle*: retired ones first, then by a fixed order.

    At least the set's share of `Limits.rotated_percent`, rounded up. The order follows from item and
    cycle alone, so that nobody chooses what stays.
    """
    share = ceil(len(items) * limits.rotated_percent / 100)
    leaving = [item for item in items if item in gone]
    rest = sorted(
        (item for item in items if item not in gone), key=lambda item: _place(item, cycle)
    )
    return frozenset(leaving + rest[: max(0, share - len(leaving))])


def cycle_ends(began: datetime, limits: Limits) -> datetime:
    """When the next rotation is due."""
    return began + timedelta(days=limits.cycle_days)


def _place(item: str, cycle: int) -> bytes:
    return sha256(f"{cycle}/{item}".encode()).digest()
