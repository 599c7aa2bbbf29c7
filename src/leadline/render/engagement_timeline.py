"""An engagement's dates as one picture: on which days access may open, is open and ends, under each regime.

Whatever ends, ends access; nothing of a release follows from any mark. The picture's table says the same.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from leadline.core.engagement.calendar import BECAUSE
from leadline.core.engagement.engagement import Standing
from leadline.core.record.act import Act, Kind
from leadline.render.document import Column, Figure, Table
from leadline.render.vega import BASELINE, INK, PALE, SUBJECT, Spec, drawn, hour, plain, svg
from leadline.render.words import moment

if TYPE_CHECKING:
    from leadline.core.report import Json

WIDTH: Final = 620
ROW: Final = 34
MAY, OPEN = "may open", "open"
MARKS: Final = {
    Kind.INQUIRY_LODGED: ("Questions and answers", "You asked whether it would be covered"),
    Kind.INQUIRY_ANSWERED: ("Questions and answers", "The official answered your inquiry"),
    Kind.INFORMATION_ASKED: ("Questions and answers", "You were asked for information"),
    Kind.INFORMATION_ANSWERED: ("Questions and answers", "You answered"),
    Kind.SUBMISSION_OFFERED: ("Given and read", "You offered a submission"),
    Kind.RESULT_SENT: ("Given and read", "A result was sent"),
    Kind.DETERMINATION_RECORDED: ("Determinations", "A determination was recorded"),
    Kind.DETERMINATION_CORRECTED: ("Determinations", "A determination was corrected"),
    Kind.PARTNER_ENDED: ("Trusted partners", "A partner's use ended or rests"),
    Kind.PARTNER_STAGE_OPENED: ("Trusted partners", "You opened a stage to a partner"),
    Kind.ACCESS_EXTENDED: ("Access", "You let access last longer"),
    Kind.ACCESS_ENDED: ("Access", "A party ended access"),
    Kind.ENGAGEMENT_WITHDRAWN: ("Withdrawn", "You withdrew; access ended at once"),
    Kind.ENGAGEMENT_ENDED: ("Ended", "The engagement ended"),
}


@dataclass(frozen=True, slots=True)
class Span:
    """One line of the table and, where it has two ends, one bar of the picture."""

    row: str
    words: str
    since: datetime
    until: datetime | None = None
    kind: str = ""


def spans(on: Standing) -> tuple[Span, ...]:
    """Every date of the engagement, in order of time."""
    found = [one for id_ in on.windows for one in _of_window(on, id_)]
    found += [
        Span(_row(on, act), MARKS[act.kind][1], act.at) for act in on.acts if act.kind in MARKS
    ]
    return tuple(sorted(found, key=lambda one: one.since))


def _row(on: Standing, act: Act) -> str:
    row = MARKS[act.kind][0]
    return f"Access: {on.regime.id}" if row == "Access" and len(on.windows) == 1 else row


def _of_window(on: Standing, id_: str) -> Iterator[Span]:
    one = on.windows[id_]
    if one.anchor:
        yield Span("Your planned partner release", f"Anchor, your own date ({id_})", one.anchor)
    if one.opens_not_before and one.anchor and not one.opened:
        told = f"Government access may open, if you offer it ({id_})"
        yield Span(f"Access: {id_}", told, one.opens_not_before, one.anchor, MAY)
    if one.opened and one.ends:
        why = BECAUSE[one.ended_by] if one.ended_by else ""
        yield Span(
            f"Access: {id_}",
            f"Government access; it ends because: {why}",
            one.opened,
            one.ends,
            OPEN,
        )


def timeline_words(on: Standing, now: datetime) -> tuple[str, Table]:
    """What the picture of *on* as of *now* says, in one sentence and as a table."""
    found = spans(on)
    told = f"Dates of this engagement as of {moment(now.astimezone(UTC))}. " + "; ".join(
        f"{when(one)}: {one.words}" for one in found
    )
    rows = tuple((when(one), one.words) for one in found)
    return told, Table("Every date", (Column("When"), Column("What")), rows)


def timeline_figure(on: Standing, now: datetime) -> Figure:
    """The picture of *on* as of *now*, with its table."""
    found, (told, table), now = spans(on), timeline_words(on, now), hour(now)
    bars: list[Json] = [
        {"row": plain(one.row), "at": _iso(one.since), "to": _iso(one.until), "kind": one.kind}
        for one in found
        if one.until
    ]
    points: list[Json] = [
        {"row": plain(one.row), "at": _iso(one.since)} for one in found if not one.until
    ]
    ends = [now, *(one.since for one in found), *(one.until for one in found if one.until)]
    margin = max((max(ends) - min(ends)) / 20, timedelta(days=1))
    axis: Spec = {
        "type": "temporal",
        "title": "UTC",
        "scale": {"type": "utc", "domain": [_iso(min(ends) - margin), _iso(max(ends) + margin)]},
        "axis": {"format": "%-d %b %Y", "tickCount": 6, "labelOverlap": True},
    }
    order: list[Json] = list(dict.fromkeys(plain(one.row) for one in found))
    row: Spec = {
        "field": "row",
        "type": "nominal",
        "title": None,
        "sort": order,
        "axis": {"grid": True, "labelLimit": 230, "ticks": False, "labelPadding": 8},
    }
    kinds: list[Json] = [MAY, OPEN]
    colour: Spec = {
        "field": "kind",
        "type": "nominal",
        "title": None,
        "scale": {"domain": kinds, "range": [PALE, SUBJECT]},
        "legend": {"orient": "top", "offset": 8},
    }
    at: Spec = {"field": "at", **axis}
    drawn_bars: Spec = {"x": at, "x2": {"field": "to"}, "y": row, "color": colour}
    spec: Spec = {
        "width": WIDTH,
        "height": {"step": ROW},
        "layer": [
            drawn("bar", drawn_bars, bars, height=14, stroke=SUBJECT, strokeWidth=1),
            drawn(
                "point",
                {"x": at, "y": row},
                points,
                shape="diamond",
                filled=True,
                size=120,
                opacity=1,
                color=BASELINE,
            ),
            drawn("rule", {"x": at}, [{"at": _iso(now)}], color=INK, strokeDash=[4, 3]),
        ],
    }
    return Figure(
        caption="When access may open, is open and ends; the dashed line is now",
        alt=told,
        svg=svg(spec),
        data=table,
    )


def when(one: Span) -> str:
    """The day and hour, or both ends, in UTC."""
    since = moment(one.since.astimezone(UTC))
    return f"{since} to {moment(one.until.astimezone(UTC))}" if one.until else since


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()
