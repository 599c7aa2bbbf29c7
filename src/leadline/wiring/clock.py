"""The time, for everything below the edges that is given it."""

from datetime import UTC, datetime


def clock() -> datetime:
    """The time; the only place that asks for it."""
    return datetime.now(UTC)  # noqa: TID251 -- the one place
