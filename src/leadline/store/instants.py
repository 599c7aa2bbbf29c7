"""Instants as the tables hold them: whole microseconds since 1970 in UTC."""

from datetime import UTC, datetime, timedelta

from leadline.core.errors import Invalid

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def microseconds(at: datetime) -> int:
    """Whole microseconds since 1970; raises Invalid for a time without an offset."""
    if at.tzinfo is None:
        raise Invalid("now", "a time needs an offset; give it one, UTC for preference")
    return (at - EPOCH) // MICROSECOND


def instant(since_1970: int) -> datetime:
    """The time that `microseconds` was given, in UTC."""
    return EPOCH + since_1970 * MICROSECOND
