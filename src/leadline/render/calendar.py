"""Dates as a picture and as a page to print: a strip of time, and lists by month. The picture's table says the same.

Nothing here counts down to anything of a release: an end is the end of access, terms or a grant.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from leadline.core.engagement.calendar import WORDS, Dated, What
from leadline.core.marking import Tlp
from leadline.render.document import (
    Block,
    Column,
    Document,
    Facts,
    Figure,
    Prose,
    Section,
    Table,
)
from leadline.render.timeline import Look, Mark, iso, timeline
from leadline.render.vega import plain
from leadline.render.words import day, moment

if TYPE_CHECKING:
    from leadline.core.report import Json

MARGIN: Final = timedelta(days=4)
YEAR: Final = timedelta(days=366)
AHEAD: Final = "to come"
OWED: Final = "due from then on"
OVERDUE: Final = "overdue"
STATES: Final = (AHEAD, OWED, OVERDUE)
ROWS: Final[Mapping[What, str]] = {
    What.ANCHOR: "Planned release to partners",
    What.ACCESS_NOT_BEFORE: "Access may open",
    What.ACCESS_ENDS: "Access ends",
    What.REPORT_DUE: "Report due",
}
NOTE: Final = (
    "Dates are computed from the record whenever this page is made. When an end comes, that access, "
    "those terms or that grant are over; nothing of a release follows from it."
)


def calendar_figure(found: Sequence[Dated], now: datetime) -> Figure:
    """The year from *now* on, and what is overdue: a row for each kind of date and text.

    Dates beyond the year stand in the table alone.
    """
    near = [one for one in found if one.at <= now + YEAR and (one.at >= now or one.due)]
    # What stands out is drawn last, over what shares its place.
    marks = [
        Mark(one.at, _row(one), _state(one, now))
        for one in sorted(near, key=lambda one: one.stands_out)
    ]
    first = min([one.at for one in near] + [now])
    domain: list[Json] = [iso(first - MARGIN), iso(now + YEAR + MARGIN)]
    along: dict[str, Json] = {
        "scale": {"type": "utc", "domain": domain},
        "axis": {"format": "%-d %b %Y", "tickCount": 7, "labelOverlap": True},
    }
    down: dict[str, Json] = {
        "axis": {"grid": True, "labelLimit": 300, "ticks": False, "labelPadding": 8}
    }
    rows = list(dict.fromkeys(_row(one) for one in near))
    return Figure(
        caption="The year ahead and what is overdue; the line is the moment at which this was made",
        alt=_alt(near, now),
        svg=timeline(marks, STATES, rows, now, Look(30, 110, along, down)),
        data=_table("Every date", found),
    )


def calendar_document(found: Sequence[Dated], of: str, now: datetime) -> Document:
    """The page: what stands out, the strip, and a list for each month. *of* is whose calendar it is."""
    late = [one for one in found if one.stands_out]
    blocks: list[Block] = [
        Facts(
            (
                ("Dates", str(len(found))),
                ("Still to do", str(sum(one.due for one in found))),
                ("Overdue or unproved", str(len(late))),
            )
        )
    ]
    if late:
        blocks.append(_table("Overdue or unproved", late))
    blocks.append(calendar_figure(found, now) if found else Prose("No date is on record."))
    months = dict[datetime, list[Dated]]()
    for one in found:
        utc = one.at.astimezone(UTC)
        months.setdefault(datetime(utc.year, utc.month, 1, tzinfo=UTC), []).append(one)
    sections = tuple(
        Section(f"{month:%Y-%m}", day(month).removeprefix("1 "), (_table("Dates", some),))
        for month, some in months.items()
    )
    return Document(
        title=f"Calendar of {of}",
        kicker="Early access and assessment",
        marking=Tlp.AMBER_STRICT.value,
        record=of,
        at=now,
        closing=f"Written by Leadline on {moment(now.astimezone(UTC))}. {NOTE}",
        cover=(Section("dates", "Dates", tuple(blocks)),),
        sections=sections,
    )


def _table(caption: str, found: Sequence[Dated]) -> Table:
    columns = (Column("When"), Column("What"), Column("Why"))
    rows = tuple((_when(one), one.words, _why(one)) for one in found)
    return Table(caption, columns, rows)


def _why(one: Dated) -> str:
    """The reason, and the engagement it belongs to."""
    of = f"Engagement {one.engagement}." if one.engagement else ""
    return " ".join(filter(None, (one.why.rstrip(".") + "." if one.why else "", of)))


def _when(one: Dated) -> str:
    at = one.at.astimezone(UTC)
    return day(at) if one.whole_day else moment(at)


def _row(one: Dated) -> str:
    """The kind of date, and the text it follows from, in as few words as a row takes."""
    kind = ROWS.get(one.what, WORDS[one.what])
    return plain(f"{kind} ({one.of})" if one.of else kind)


def _state(one: Dated, now: datetime) -> str:
    if one.stands_out:
        return OVERDUE
    return OWED if one.at < now else AHEAD


def _alt(found: Sequence[Dated], now: datetime) -> str:
    told = [f"{_when(one)}: {one.words}" for one in found]
    return f"Dates in order of time, as of {moment(now.astimezone(UTC))}. {'; '.join(told)}."
