"""How values stand on pages: moments with their zone, counts with their noun, files by their size."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from leadline.http.assets import asset


def moment(value: datetime | None, zone: str = "UTC") -> str:
    """Day, hour, minute and zone; an em dash where there is none."""
    if value is None:
        return "—"
    return value.astimezone(ZoneInfo(zone)).strftime("%-d %B %Y, %H:%M ") + zone


def day(value: date | datetime | None) -> str:
    """Day, month and year; an em dash where there is none."""
    if value is None:
        return "—"
    return (value.astimezone(UTC) if isinstance(value, datetime) else value).strftime("%-d %B %Y")


def count(number: int, noun: str, plural: str = "") -> str:
    """``1 case``, ``2 cases``, ``no case``."""
    if number == 0:
        return f"no {noun}"
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def size(octets: int) -> str:
    """Bytes in the unit that people read."""
    value, units = float(octets), ["bytes", "kB", "MB", "GB"]
    while value >= 1_000 and len(units) > 1:  # noqa: PLR2004 -- decimal units
        value, units = value / 1_000, units[1:]
    return f"{value:,.0f} {units[0]}" if units[0] == "bytes" else f"{value:,.1f} {units[0]}"


def words(value: str) -> str:
    """An identifier as words: ``not_affected`` is "not affected"."""
    return value.replace("_", " ").replace("-", " ").replace(":", " ")


def slug(value: str) -> str:
    """A name that an element's id may hold."""
    return re.sub(r"[^A-Za-z0-9]+", "-", value).strip("-").lower() or "form"


FILTERS: Mapping[str, Callable[..., str]] = {
    "moment": moment,
    "day": day,
    "count": count,
    "size": size,
    "slug": slug,
    "words": words,
    "asset": asset,
}
