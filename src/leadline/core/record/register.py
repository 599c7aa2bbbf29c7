"""The public register: how many acts of which kind in which month, and how many it does not show.

Nobody outside can check what a register leaves out, so it counts that too: for every month and in
all, acts shown, acts withheld and cover leaves add up to the leaves of the signed log.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC

from leadline.core.errors import Tampered
from leadline.core.record.act import Act, Kind

# Whose counts would tell that a sealed thing exists, or what happens to it; or what one developer,
# partner or operator does by itself: that an incident was reported, that a partner was proposed.
WITHHELD_NOUNS = frozenset(
    {
        "concern",
        "entry",
        "event",
        "export",
        "incident",
        "joint_pack",
        "message",
        "partner",
        "referral",
        "regime",
        "relay",
        "report",
        "response",
        "result",
        "submission",
        "use",
        "weights",
        "approval",
        "artefact",
        "custody",
        "hold",
        "item",
        "key",
        "material",
        "pack",
        "run_session",
        "score",
        "shredding",
        "unsealing",
        "verdict",
    }
)


def shown(kind: Kind) -> bool:
    """Whether the register names *kind*. Nobody learns from it that a sealed thing exists."""
    return kind is not Kind.COVER and kind.value.partition(".")[0] not in WITHHELD_NOUNS


@dataclass(frozen=True, slots=True)
class Month:
    """One calendar month in UTC, ``YYYY-MM``; *acts* by kind, in order of the kinds' names."""

    month: str
    acts: Mapping[str, int]
    withheld: int
    cover: int

    @property
    def total(self) -> int:
        """All leaves of the month."""
        return sum(self.acts.values()) + self.withheld + self.cover


@dataclass(frozen=True, slots=True)
class Register:
    """The counts up to a tree of *size* leaves; they add up to it."""

    size: int
    months: tuple[Month, ...]

    @property
    def opened(self) -> int:
        """Acts that the register names by kind."""
        return sum(sum(month.acts.values()) for month in self.months)

    @property
    def withheld(self) -> int:
        """Acts that it counts only."""
        return sum(month.withheld for month in self.months)

    @property
    def cover(self) -> int:
        """Leaves that hide volume and stand for no act."""
        return sum(month.cover for month in self.months)


def register(acts: Iterable[Act], size: int) -> Register:
    """The register of *acts*, which are all those under a tree of *size* leaves.

    Raises: Tampered, if they are fewer or more than the leaves.
    """
    counts = defaultdict[str, Counter[Kind]](Counter)
    for act in acts:
        counts[f"{act.at.astimezone(UTC):%Y-%m}"][act.kind] += 1
    months = tuple(_month(month, counts[month]) for month in sorted(counts))
    total = sum(month.total for month in months)
    if total != size:
        raise Tampered("register", f"{total} acts stand in the store and {size} leaves in the log")
    return Register(size, months)


def _month(month: str, counts: Counter[Kind]) -> Month:
    named = {kind.value: counts[kind] for kind in sorted(counts) if shown(kind)}
    cover = counts[Kind.COVER]
    return Month(month, named, counts.total() - sum(named.values()) - cover, cover)
