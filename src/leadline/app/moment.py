"""Moments that people write, with a zone: one instant each, or a refusal that says which cure.

A local time that a change to or from daylight saving skips or repeats is no instant; whoever means it
gives the offset.
"""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from leadline.core.errors import Invalid


def known_zone(field: str, name: str) -> ZoneInfo:
    """The time zone called *name* in the IANA database.

    Raises: Invalid, naming *field*.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        problem = f"{name!r} is no time zone such as America/New_York or UTC"
        raise Invalid(field, problem) from None


def moment(field: str, text: str, zone: str = "") -> datetime:
    """The instant in UTC that *text* names: by its offset, or without one in *zone*.

    A day alone is its first moment. Raises: Invalid, naming *field*, if it is no date of the calendar,
    has neither offset nor zone, or is skipped or repeated by the zone's clock.
    """
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        # What the calendar says helps ("day is out of range"); the name of a format does not.
        why = "" if "isoformat" in str(error) else f" ({error})"
        problem = f"{text!r} is no moment such as 2027-03-01T09:00{why}; the year comes first"
        raise Invalid(field, problem) from None
    place = known_zone("zone", zone) if zone else None
    if at.tzinfo is not None:
        return _utc(field, at)
    if place is None:
        raise Invalid(field, f"{text!r} has no offset; write one, or name the zone")
    early, late = at.replace(tzinfo=place, fold=0), at.replace(tzinfo=place, fold=1)
    if early.utcoffset() != late.utcoffset():
        there = _utc(field, early).astimezone(place).replace(tzinfo=None) == at
        how = "comes twice" if there else "does not exist"
        cure = "write the offset that you mean, such as 2027-03-01T09:00-05:00"
        raise Invalid(field, f"{text} {how} in {zone}, when the clocks change; {cure}")
    return _utc(field, early)


def _utc(field: str, at: datetime) -> datetime:
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise Invalid(field, f"{at.isoformat()} is beyond the calendar") from None
