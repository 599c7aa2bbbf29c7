"""Who is told when: tiers of operators and stages of a case, said before any case and never for one.

A tier is a rule about sectors and people served; the days of advance notice belong to the tier, so that
within it everybody is told at the same moment. Neither payment nor membership is known here.
Source: clearinghouse reference, section 7.3.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256

from leadline.core.clearing.operator import DAY, Enrolment
from leadline.core.errors import Invalid, Refused

ADVANCE_DAYS_MAX = 14
K_MIN = 5


class Stage(StrEnum):
    """What operators are told of, in this order; each at most once an operator and case."""

    MITIGATION = "mitigation"
    ADVANCE = "advance"
    PUBLISHED = "published"
    DETAILS = "details"

    @property
    def early(self) -> bool:
        """Whether it comes before publication."""
        return self in {Stage.MITIGATION, Stage.ADVANCE}


@dataclass(frozen=True, slots=True)
class Tier:
    """Operators of any of *sectors* that serve at least *serves* people; no sectors means of any.

    They are told *advance_days* before publication; with 0 on the day itself.
    """

    id: str
    title: str
    sectors: tuple[str, ...]
    serves: int
    advance_days: int

    def takes(self, one: Enrolment) -> bool:
        """Whether the rule is met."""
        return one.serves >= self.serves and (
            not self.sectors or bool(set(self.sectors) & set(one.sectors))
        )


@dataclass(frozen=True, slots=True)
class Tiers:
    """The published order of tiers; an operator is of the first whose rule it meets.

    *inventory_days* is how old an inventory may be when a case is opened, *details_days* how long after
    publication details follow.
    """

    id: str
    inventory_days: int
    details_days: int
    tiers: tuple[Tier, ...]

    def __post_init__(self) -> None:
        if not 1 <= self.inventory_days <= 366:  # noqa: PLR2004 -- a year
            raise Invalid("inventory_days", "between 1 and 366")
        if not 0 <= self.details_days <= 366:  # noqa: PLR2004 -- a year
            raise Invalid("details_days", "between 0 and 366")
        if len({one.id for one in self.tiers}) != len(self.tiers):
            raise Invalid("tier", "two have the same id; give each its own")
        last = self.tiers[-1] if self.tiers else None
        if last is None or last.sectors or last.serves:
            raise Invalid("tier", "the last one takes everybody: no sectors, and `serves = 0`")
        for one in self.tiers:
            if not 0 <= one.advance_days <= ADVANCE_DAYS_MAX:
                raise Invalid(f"tier {one.id}", f"advance_days is 0 to {ADVANCE_DAYS_MAX}")

    @property
    def digest(self) -> str:
        """SHA-256 in hex of all of it as JSON with sorted keys."""
        told = {
            "id": self.id,
            "inventory_days": self.inventory_days,
            "details_days": self.details_days,
            "tiers": [
                [one.id, one.title, list(one.sectors), one.serves, one.advance_days]
                for one in self.tiers
            ],
        }
        return sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()

    @property
    def inventory_age(self) -> timedelta:
        """How old an inventory may be when a case is opened."""
        return self.inventory_days * DAY

    def of(self, one: Enrolment) -> Tier:
        """The tier of an operator."""
        return next(tier for tier in self.tiers if tier.takes(one))


@dataclass(frozen=True, slots=True)
class Moment:
    """What decides whether a stage may be told: all of it follows from the acts of the case.

    *consented* says that the owner agreed to mitigations being told, *attacked* that the flaw is used
    in attacks. *public_at* is the agreed moment of publication, *published* when it was.
    """

    embargoed: bool
    consented: bool
    attacked: bool
    public_at: datetime | None
    published: datetime | None


def due(stage: Stage, tiers: Tiers, at: Moment, now: datetime) -> tuple[Tier, ...]:
    """The tiers that are told *stage* now; never one operator before another of its tier.

    Raises: Refused, saying what is missing, where nobody is.
    """
    if stage.early and not at.embargoed:
        raise Refused(f"the case is public; tell the stage `{Stage.PUBLISHED.value}`")
    if stage is Stage.MITIGATION:
        if not (at.consented or at.attacked):
            raise Refused(
                "mitigations are told early with the owner's consent, or once the flaw is used in"
                " attacks; neither is on record"
            )
        return tuple(one for one in tiers.tiers if one.advance_days)
    if stage is Stage.ADVANCE:
        return _advance(tiers, at, now)
    if at.embargoed or at.published is None:
        raise Refused("nothing is published yet; publish the advisory first")
    if stage is Stage.DETAILS:
        first = at.published + tiers.details_days * DAY
        if now < first:
            raise Refused(f"details follow from {first.isoformat()} on")
    return tiers.tiers


def _advance(tiers: Tiers, at: Moment, now: datetime) -> tuple[Tier, ...]:
    if at.public_at is None:
        raise Refused("no moment of publication is agreed yet; advance notice counts from it")
    begins = {one.id: at.public_at - one.advance_days * DAY for one in tiers.tiers}
    found = tuple(one for one in tiers.tiers if one.advance_days and begins[one.id] <= now)
    if not found:
        first = min((begins[one.id] for one in tiers.tiers if one.advance_days), default=None)
        told = f"the first from {first.isoformat()} on" if first else "they have no tier for it"
        raise Refused(f"no tier has advance notice now by the published tiers; {told}")
    return found


def suppressed(cells: Sequence[int], k: int = K_MIN) -> tuple[int | None, ...]:
    """Counts that add up to a whole, as others may see them: none that tells of fewer than *k*.

    A count from 1 to k - 1 is None. Where what is hidden could be found from the whole, further
    counts are hidden, the smallest first, until at least *k* are hidden together.
    """
    hidden = {at for at, count in enumerate(cells) if 0 < count < k}
    rest = sorted((count, at) for at, count in enumerate(cells) if at not in hidden and count)
    for _, at in rest:
        if not hidden or (len(hidden) > 1 and sum(cells[one] for one in hidden) >= k):
            break
        hidden.add(at)
    return tuple(None if at in hidden else count for at, count in enumerate(cells))
