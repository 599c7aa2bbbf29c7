"""Dates as an iCalendar file (RFC 5545): one event each, in UTC, that takes up no time.

Ids are stable, so that reading a newer file moves events instead of doubling them; SEQUENCE counts how
often a date moved (section 3.8.7.4). No alarm is set and no method is named: a person imports the file
or subscribes to it. Lines end in CRLF and are folded after 75 octets (3.1); text is escaped as 3.3.11
says. Characters that a text value cannot hold are left out.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from leadline.core.engagement.calendar import Dated

MEDIA_TYPE = "text/calendar; charset=utf-8"
PRODID = "-//Leadline//Calendar//EN"
OCTETS_MAX = 75


def calendar(found: Iterable[Dated], name: str, now: datetime) -> bytes:
    """The file: *name* is the calendar's, *now* when it was written. The same dates give the same file."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:{PRODID}", "CALSCALE:GREGORIAN"]
    lines.append(f"X-WR-CALNAME:{escaped(name)}")
    for one in found:
        lines += _event(one, now)
    lines.append("END:VCALENDAR")
    return "".join(f"{folded(line)}\r\n" for line in lines).encode()


def neutral(
    found: Iterable[Dated], gone: Iterable[tuple[str, datetime, int]], now: datetime
) -> bytes:
    """The same dates for a calendar kept elsewhere: when, and that something is due or ends; never what.

    *gone* are id, time and count of moves of dates that are no more: they are called off.
    """
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:{PRODID}", "CALSCALE:GREGORIAN"]
    lines += ["METHOD:PUBLISH", "X-WR-CALNAME:Leadline"]
    for one in found:
        lines += _neutral(one, now)
    for id_, at, moved in gone:
        when = f"DTSTART:{_utc(at)}"
        lines += _bare(id_, moved + 1, now, when, "Item called off", "STATUS:CANCELLED")
    lines.append("END:VCALENDAR")
    return "".join(f"{folded(line)}\r\n" for line in lines).encode()


def _neutral(one: Dated, now: datetime) -> Iterator[str]:
    day = one.at.astimezone(UTC)
    when = f"DTSTART;VALUE=DATE:{day:%Y%m%d}" if one.whole_day else f"DTSTART:{_utc(one.at)}"
    return _bare(
        one.id, one.moved, now, when, "Item due" if one.due else "Item", "STATUS:CONFIRMED"
    )


def _bare(id_: str, moved: int, now: datetime, when: str, words: str, status: str) -> Iterator[str]:
    yield "BEGIN:VEVENT"
    yield f"UID:{_uid(id_)}"
    yield f"DTSTAMP:{_utc(now)}"
    yield f"SEQUENCE:{moved}"
    yield when
    yield f"SUMMARY:{words}"
    yield status
    yield "CLASS:PRIVATE"
    yield "TRANSP:TRANSPARENT"
    yield "END:VEVENT"


def _uid(id_: str) -> str:
    return f"{sha256(id_.encode()).hexdigest()[:40]}@leadline.invalid"


def escaped(text: str) -> str:
    r"""TEXT of section 3.3.11: backslash, semicolon and comma with a backslash, a line break as ``\n``.

    What is not printable is left out, so that no reader's idea of a line end makes a line of its own.
    """
    whole = text.replace("\r\n", "\n").replace("\r", "\n")
    shown = "".join(one for one in whole if one == "\n" or one.isprintable())
    for plain in ("\\", ";", ","):
        shown = shown.replace(plain, f"\\{plain}")
    return shown.replace("\n", "\\n")


def folded(line: str) -> str:
    """The content line in pieces of at most 75 octets, never cut inside a character (3.1)."""
    pieces, left = list[str](), OCTETS_MAX
    piece = ""
    for one in line:
        size = len(one.encode())
        if size > left:
            pieces.append(piece)
            # The space that begins a continued line counts.
            piece, left = "", OCTETS_MAX - 1
        piece, left = piece + one, left - size
    return "\r\n ".join((*pieces, piece))


def _event(one: Dated, now: datetime) -> Iterator[str]:
    yield "BEGIN:VEVENT"
    yield f"UID:{_uid(one.id)}"
    yield f"DTSTAMP:{_utc(now)}"
    yield f"SEQUENCE:{one.moved}"
    if one.whole_day:
        day = one.at.astimezone(UTC)
        yield f"DTSTART;VALUE=DATE:{day:%Y%m%d}"
        yield f"DTEND;VALUE=DATE:{day + timedelta(days=1):%Y%m%d}"
    else:
        yield f"DTSTART:{_utc(one.at)}"
    mark = "Overdue. " if one.stands_out else ""
    yield f"SUMMARY:{escaped(mark + one.words)}"
    told = [one.why, one.engagement and f"Engagement {one.engagement}"]
    if any(told):
        yield f"DESCRIPTION:{escaped(chr(10).join(filter(None, told)))}"
    yield f"CATEGORIES:{escaped(one.what.value)}"
    yield "CLASS:PRIVATE"
    yield "TRANSP:TRANSPARENT"
    yield "END:VEVENT"


def _utc(at: datetime) -> str:
    """DATE-TIME form 2 of section 3.3.5; whole seconds."""
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
