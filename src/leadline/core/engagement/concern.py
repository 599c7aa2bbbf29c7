"""Concerns that operators of a sector raise to the clearinghouse lead: dated, answered or openly not.

What the public sees are counts by sector. A count below five, and any that would let one below five be
worked out, is not shown.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from leadline.core.errors import Invalid

TEXT_CHARACTERS_MAX = 20_000
SHOWN_MIN = 5


@dataclass(frozen=True, slots=True)
class Concern:
    """One concern. *text* and *answer* are digests of what the vault keeps."""

    id: str
    sector: str
    org: str
    by: str
    raised: datetime
    text: str
    answered: datetime | None = None
    answered_by: str = ""
    answer: str = ""

    def age(self, now: datetime) -> timedelta:
        """How long it waited for its answer, or has waited so far."""
        return (self.answered or now) - self.raised


@dataclass(frozen=True, slots=True)
class Count:
    """How many concerns of a sector; None stands for fewer than five, or would tell of fewer."""

    sector: str
    raised: int | None
    answered: int | None
    unanswered: int | None


def counts(concerns: Iterable[Concern], sectors: Iterable[str]) -> tuple[Count, ...]:
    """One count a sector, in the order of their names, those without a concern included."""
    found = tuple(concerns)
    return tuple(_count(sector, found) for sector in sorted(set(sectors)))


def checked(text: str, what: str) -> bytes:
    """The words of a concern or an answer as they are kept.

    Raises: Invalid, naming *what*, for nothing said, or more than 20,000 characters.
    """
    said = text.strip()
    if not said:
        raise Invalid(what, "say it in words")
    if len(said) > TEXT_CHARACTERS_MAX:
        raise Invalid(what, f"{len(said)} characters; say it in {TEXT_CHARACTERS_MAX} or fewer")
    return said.encode()


def _count(sector: str, concerns: tuple[Concern, ...]) -> Count:
    own = [one for one in concerns if one.sector == sector]
    answered = sum(one.answered is not None for one in own)
    unanswered = len(own) - answered
    if len(own) < SHOWN_MIN:
        return Count(sector, None, None, None)
    if min(answered, unanswered) < SHOWN_MIN:
        return Count(sector, len(own), None, None)
    return Count(sector, len(own), answered, unanswered)
