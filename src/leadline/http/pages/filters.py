"""How values stand on pages: moments with their zone, counts with their noun, files by their size."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

from leadline.http.assets import asset

# A moment as acts spell it, `leadline.core.record.act.instant`, or with another offset.
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")
ACT = re.compile(rf"([a-z_]+)\.([a-z_]+) of ({MOMENT.pattern})")


def moment(value: datetime | str | None, zone: str = "UTC") -> str:
    """Day, hour, minute and zone, of a time or of its RFC 3339 text in an act; an em dash where there is none."""
    if not value:
        return "—"
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    return at.astimezone(ZoneInfo(zone)).strftime("%-d %B %Y, %H:%M ") + zone


def detail(value: object) -> str:
    """What an act holds under a name, for people: a time with its zone, yes or no, several parted by semicolons."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return moment(value) if MOMENT.fullmatch(value) else value
    if isinstance(value, Mapping):
        return "; ".join(f"{words(str(name))}: {detail(one)}" for name, one in value.items())
    if isinstance(value, Sequence):
        return "; ".join(detail(one) for one in value)
    return "—" if value is None else str(value)


def day(value: date | datetime | None) -> str:
    """Day, month and year; an em dash where there is none."""
    if value is None:
        return "—"
    return (value.astimezone(UTC) if isinstance(value, datetime) else value).strftime("%-d %B %Y")


def spoken(value: str) -> str:
    """A reason that names an act and its time by the record's own spelling, as people say it."""
    return ACT.sub(lambda found: f"{words(found[1])} {words(found[2])} {moment(found[3])}", value)


def month(value: str) -> str:
    """``2027-03`` as "March 2027"."""
    return date.fromisoformat(f"{value}-01").strftime("%B %Y")


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


def ticks(value: str) -> Markup:
    """A sentence for people, with what stands between backticks as code; everything of it is escaped."""
    parts = [
        Markup("<code>{}</code>").format(part) if at % 2 else escape(part)
        for at, part in enumerate(value.split("`"))
    ]
    return Markup("").join(parts) if len(parts) % 2 else escape(value)


def sentence(value: str) -> str:
    """Words that begin small and end nowhere, as a sentence."""
    text = value[:1].upper() + value[1:]
    return text if not text or text[-1] in ".!?:…" else f"{text}."


def slug(value: str) -> str:
    """A name that an element's id may hold."""
    return re.sub(r"[^A-Za-z0-9]+", "-", value).strip("-").lower() or "form"


FILTERS: Mapping[str, Callable[..., str]] = {
    "moment": moment,
    "detail": detail,
    "day": day,
    "month": month,
    "spoken": spoken,
    "count": count,
    "size": size,
    "slug": slug,
    "sentence": sentence,
    "words": words,
    "ticks": ticks,
    "asset": asset,
}
