"""The custody of weights: every movement told in order, and how much may leave while they are here.

A movement that happened is always written down; one that does not follow from those before is written
down as irregular and looked at, never refused: a custody log that leaves out what went wrong is worth
nothing. Source: trust.md 9.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

UNKNOWN_COPIES = (
    "This statement lists the movements that were recorded here. Copies not known to us may exist: "
    "nothing in a record can show that nobody made one."
)
DAY = timedelta(days=1)
DAYS_MIN = 5000
DAILY_BYTES_MAX = 100_000_000
DAILY_BYTES_MIN = 65_536


class Movement(StrEnum):
    """What can happen to weights, in the usual order."""

    OFFERED = "offered"
    RECEIVED = "received"
    STORED = "stored"
    KEY_RELEASED = "key released"
    MOUNTED = "mounted"
    COPIED = "copied"
    REWRAPPED = "re-wrapped"
    RESULT_EMITTED = "result emitted"
    UNMOUNTED = "unmounted"
    SHREDDED = "shredded"


_FIRST = frozenset({Movement.OFFERED, Movement.RECEIVED, Movement.SHREDDED})
_NEEDS_STORED = frozenset({Movement.REWRAPPED, Movement.KEY_RELEASED})
_PLACED = frozenset(
    {
        Movement.KEY_RELEASED,
        Movement.MOUNTED,
        Movement.COPIED,
        Movement.RESULT_EMITTED,
        Movement.UNMOUNTED,
    }
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One movement of one file of weights. *place*: the run or host it concerns; *bytes* emitted."""

    act: str
    movement: Movement
    at: datetime
    actor: str
    digest: str
    place: str = ""
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one file of weights is, as far as the movements tell."""

    received: bool = False
    stored: bool = False
    shredded: bool = False
    released: frozenset[str] = frozenset()
    mounted: frozenset[str] = frozenset()
    copies: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Told:
    """The movements of one file, where it is now, and which movements did not follow."""

    digest: str
    entries: tuple[Entry, ...]
    standing: Standing
    irregular: Mapping[str, str] = field(default_factory=dict)  # by act


def irregular(before: Standing, entry: Entry) -> str:
    """Why *entry* does not follow from what was *before*; empty text if it does."""
    movement, place = entry.movement, entry.place
    of_run = movement in {Movement.RESULT_EMITTED, Movement.UNMOUNTED}
    faults = (
        (before.shredded, "after the file was shredded"),
        (movement is Movement.RECEIVED and before.received, "received already"),
        (movement not in _FIRST and not before.received, "before the file was received"),
        (movement in _PLACED and not place, "without the run or host it concerns"),
        (movement in _NEEDS_STORED and not before.stored, "before the file was stored"),
        (
            movement is Movement.MOUNTED and place not in before.released,
            "without a key released for it",
        ),
        (of_run and place not in before.mounted, "by a run that has not mounted the file"),
    )
    return next((why for fault, why in faults if fault), "")


def after(before: Standing, entry: Entry) -> Standing:
    """Where the file is once *entry* happened; a key serves one mounting."""
    one = frozenset({entry.place})
    released, mounted, copies = before.released, before.mounted, before.copies
    match entry.movement:
        case Movement.KEY_RELEASED:
            released |= one
        case Movement.MOUNTED:
            released, mounted = released - one, mounted | one
        case Movement.UNMOUNTED:
            mounted -= one
        case Movement.COPIED:
            copies |= one
        case Movement.SHREDDED:
            return Standing(before.received, shredded=True, mounted=mounted, copies=copies)
        case _:
            pass
    return Standing(
        before.received or entry.movement is Movement.RECEIVED,
        before.stored or entry.movement is Movement.STORED,
        before.shredded,
        released,
        mounted,
        copies,
    )


def told(entries: Iterable[Entry]) -> tuple[Told, ...]:
    """The movements file by file, in the order given, which is the log's."""
    by_digest = dict[str, list[Entry]]()
    for entry in entries:
        by_digest.setdefault(entry.digest, []).append(entry)
    return tuple(_told(digest, held) for digest, held in by_digest.items())


def _told(digest: str, entries: Sequence[Entry]) -> Told:
    standing, wrong = Standing(), dict[str, str]()
    for entry in entries:
        if why := irregular(standing, entry):
            wrong[entry.act] = why
        standing = after(standing, entry)
    return Told(digest, tuple(entries), standing, wrong)


def daily_allowance(weights_bytes: int) -> int:
    """The bytes that may leave within any 24 hours while weights of that size are mounted.

    So much that all of the weights would take 5,000 days, at most 100 MB and at least 64 KiB: results
    need that much. Weights below 320 MiB could therefore leave sooner; what guards them is the schema
    of the results.
    """
    return max(DAILY_BYTES_MIN, min(DAILY_BYTES_MAX, weights_bytes // DAYS_MIN))


def emitted(entries: Iterable[Entry], now: datetime) -> int:
    """The bytes that left within the 24 hours up to *now*, of whatever file and run."""
    return sum(
        entry.bytes
        for entry in entries
        if entry.movement is Movement.RESULT_EMITTED and now - DAY < entry.at <= now
    )


def exceeds(entries: Iterable[Entry], now: datetime, more: int, allowance: int) -> bool:
    """Whether *more* bytes would go beyond the allowance of the 24 hours up to *now*."""
    return emitted(entries, now) + more > allowance
