"""Dates as a picture and as a page to print: a strip of time, and lists by month. The picture's table says the same.

Nothing here counts down to anything of a release: an end is the end of access, terms or a grant.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from leadline.core.engagement.calendar import WORDS, Dated
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
from leadline.render.vega import INK, SUBJECT, WRONG, Spec, drawn, svg
from leadline.render.words import day, moment

if TYPE_CHECKING:
    from leadline.core.report import Json

WIDTH: Final = 620
ROW: Final = 30
MARGIN: Final = timedelta(days=4)
NOTE: Final = (
    "Dates are computed from the record whenever this page is made. When an end comes, that access, "
    "those terms or that grant are over; nothing of a release follows from it."
)


def calendar_figure(found: Sequence[Dated], now: datetime) -> Figure:
    """Each date as a mark in the row of its kind, with a line at *now*."""
    rows: list[Json] = [
        {
            "at": _iso(one.at),
            "kind": _kind(one),
            "state": _state(one),
        }
        for one in found
    ]
    ends = [one.at for one in found] + [now]
    shown: list[Json] = [_iso(min(ends) - MARGIN), _iso(max(ends) + MARGIN)]
    at: Spec = {
        "field": "at",
        "type": "temporal",
        "title": "UTC",
        "scale": {"type": "utc", "domain": shown},
        "axis": {"format": "%-d %b %Y", "tickCount": 6, "labelFlush": True},
    }
    kinds: list[Json] = list(dict.fromkeys(_kind(one) for one in found))
    row: Spec = {
        "field": "kind",
        "type": "nominal",
        "title": None,
        "sort": kinds,
        "axis": {"grid": True, "labelLimit": 260},
    }
    state: list[Json] = ["to come or done", "overdue"]
    shape: Spec = {
        "field": "state",
        "type": "nominal",
        "title": None,
        "scale": {"domain": state, "range": ["circle", "diamond"]},
        "legend": {"orient": "top", "offset": 8},
    }
    colour: Spec = {**shape, "scale": {"domain": state, "range": [SUBJECT, WRONG]}}
    spec: Spec = {
        "width": WIDTH,
        "height": {"step": ROW},
        "data": {"values": rows},
        "layer": [
            drawn("rule", {"x": at}, [{"at": _iso(now)}], color=INK),
            drawn(
                "point",
                {"x": at, "y": row, "shape": shape, "color": colour},
                filled=True,
                size=110,
                opacity=1,
            ),
        ],
    }
    return Figure(
        caption="Dates by kind; the line is the moment at which this was made",
        alt=_alt(found, now),
        svg=svg(spec),
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
    columns = (Column("When"), Column("What"), Column("Engagement"), Column("Why"))
    rows = tuple((_when(one), one.words, one.engagement, one.why) for one in found)
    return Table(caption, columns, rows)


def _when(one: Dated) -> str:
    at = one.at.astimezone(UTC)
    return day(at) if one.whole_day else moment(at)


def _kind(one: Dated) -> str:
    """The kind of date in as few words as a row takes."""
    return WORDS[one.what].partition(";")[0].partition(",")[0]


def _state(one: Dated) -> str:
    return "overdue" if one.stands_out else "to come or done"


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()


def _alt(found: Sequence[Dated], now: datetime) -> str:
    told = [f"{_when(one)}: {one.words}" for one in found]
    return f"Dates in order of time, as of {moment(now.astimezone(UTC))}. {'; '.join(told)}."
