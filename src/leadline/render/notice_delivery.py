"""A notice as its reader gets it, and what operators did about a case as a picture.

The page is the one of `notice_pages`; the reasons, the evidence and the signature follow it.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from leadline.core.clearing.delivery import Delivery
from leadline.core.clearing.receipt import DONE, Point, State
from leadline.core.clearing.tiers import K_MIN, suppressed
from leadline.render.document import (
    Bullets,
    Column,
    Command,
    Document,
    Facts,
    Figure,
    Prose,
    Section,
    Table,
)
from leadline.render.notice_pages import notice_document
from leadline.render.vega import BASELINE, INK, SUBJECT, Spec, drawn, svg
from leadline.render.words import moment

if TYPE_CHECKING:
    from leadline.core.report import Json

WIDTH = 510
MOMENTS_MAX = 200  # more would be drawn over each other, and nobody reads a table of 35,000 rows
DOTS_MAX = 40  # moments that get a dot; more dots would hide the lines
SPANS = {
    timedelta(minutes=1): "minute",
    timedelta(hours=1): "hour",
    timedelta(hours=6): "six hours",
    timedelta(days=1): "day",
    timedelta(days=7): "seven days",
    timedelta(days=28): "four weeks",
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FEW = f"fewer than {K_MIN}"
SHOWN = {
    State.NO_ANSWER: "no answer",
    State.ACKNOWLEDGED: "acknowledged",
    State.ACTING: "acting",
    State.NOT_APPLICABLE: "not applicable",
    State.APPLIED: "applied, by its own word",
    State.VERIFIED: "applied, and proved",
    State.REVERTED: "proved once, and affected again",
}


def delivery_document(one: Delivery) -> Document:
    """The page of one notice, with why the reader got it and how to answer."""
    page = notice_document(one.page, one.sent.astimezone(UTC))
    public = moment(one.public_at.astimezone(UTC)) if one.public_at else "no day is agreed yet"
    lines = zip(one.page.affected, one.why, strict=False)
    reasons = tuple(f"{line.component} {line.installed}: {why}" for line, why in lines)
    about = Section(
        "why",
        "Why you got this, and how to answer",
        (
            Bullets(reasons or ("None of your lines is known to be affected.",)),
            Prose(one.evidence.words),
            Facts(
                (("Notice", one.id), ("Sent", moment(one.sent.astimezone(UTC))), ("Public", public))
            ),
            Command(f"leadline notice answer {one.id} acting", "says that you are on it"),
            Command(
                "leadline inventory give FILE",
                "afterwards, shows that it worked: nothing else to do",
            ),
        ),
    )
    signed = Section("signature", "Signature", (Facts((("SHA-256", one.digest),), exact=True),))
    return replace(page, sections=(*page.sections, about, signed))


def cells(point: Point, *, exact: bool) -> tuple[int | None, ...]:
    """The counts of one moment in the order of the states; None where too few to be shown."""
    counts = tuple(point.states[state] for state in State)
    if exact:
        return counts
    if 0 < point.told < K_MIN:
        return (None,) * len(counts)
    return suppressed(counts)


def burn_down(points: Sequence[Point], *, exact: bool) -> Figure | None:
    """How many operators have still to apply the remedy, over time; None before anybody was told.

    Moments at which a count would show fewer than `K_MIN` operators stand in the table only, as such.
    Of more than `MOMENTS_MAX` moments the last of each minute, hour, day or longer is shown.
    """
    if not points:
        return None
    some, span = thinned(points)
    shown = [(point, cells(point, exact=exact)) for point in some]
    rows: list[Json] = [
        {"at": point.at.astimezone(UTC).isoformat(), "line": name, "count": count}
        for point, told in shown
        if None not in told
        for name, count in (("told", point.told), ("applied", point.applied))
    ]
    axis: Spec = {"grid": False, "tickCount": 6}
    utc: Spec = {"type": "utc"}
    x: Spec = {"field": "at", "type": "temporal", "title": "UTC", "axis": axis, "scale": utc}
    y: Spec = {
        "field": "count",
        "type": "quantitative",
        "title": "Operators",
        "axis": {"tickMinStep": 1},
    }
    lines: Json = ["told", "applied"]
    hue: Spec = {"field": "line", "legend": {"title": None, "orient": "top"}}
    dash: Json = [[6, 4], [1, 0]]
    dots = drawn("point", {"x": x, "y": y}, size=18, filled=True, color=INK, opacity=1)
    spec: Spec = {
        "width": WIDTH,
        "height": 200,
        "data": {"values": rows},
        "layer": [
            drawn(
                "line",
                {
                    "x": x,
                    "y": y,
                    "color": {**hue, "scale": {"domain": lines, "range": [BASELINE, SUBJECT]}},
                    "strokeDash": {**hue, "scale": {"domain": lines, "range": dash}},
                },
                interpolate="step-after",
                strokeWidth=2.2,
            ),
            *([dots] if len(shown) <= DOTS_MAX else []),
        ],
    }
    last, told = shown[-1]
    return Figure(
        caption="Operators that were told, and those that applied the remedy",
        alt=_words(last, told),
        svg=svg(spec),
        data=_table(shown, f", the last of each {SPANS[span]}" if span else ""),
    )


def thinned(points: Sequence[Point]) -> tuple[Sequence[Point], timedelta | None]:
    """Points for a picture: all of them, or the last of each span, and the shortest span of which few remain.

    A point tells how everybody stands at its moment, so one that is left out takes nothing from the others.
    """
    if len(points) <= MOMENTS_MAX:
        return points, None
    fits = (span for span in SPANS if len(_last_of_each(span, points)) <= MOMENTS_MAX)
    span = next(fits, max(SPANS))
    return _last_of_each(span, points), span


def _last_of_each(span: timedelta, points: Sequence[Point]) -> Sequence[Point]:
    return tuple({(point.at - _EPOCH) // span: point for point in points}.values())


def _words(last: Point, told: tuple[int | None, ...]) -> str:
    at = moment(last.at.astimezone(UTC))
    if None in told:
        return f"Too few operators were told by {at} for counts to be shown in full."
    return f"By {at}, {last.applied:,} of {last.told:,} operators had applied the remedy."


def _table(shown: Sequence[tuple[Point, tuple[int | None, ...]]], which: str) -> Table:
    columns = (Column("When"), *(Column(SHOWN[state], number=True) for state in State))
    return Table(
        caption=f"What operators did, by moment{which}",
        columns=columns,
        rows=tuple(
            (moment(point.at.astimezone(UTC)), *(FEW if one is None else str(one) for one in told))
            for point, told in shown
        ),
    )


def burn_down_row(point: Point, *, exact: bool) -> dict[str, int | None]:
    """The counts of one moment under the names of the states, with those told and those applied."""
    told = cells(point, exact=exact)
    whole = None not in told
    done = [count for state, count in zip(State, told, strict=True) if state in DONE]
    return {
        **{state.value: count for state, count in zip(State, told, strict=True)},
        "told": point.told if whole else None,
        "applied": sum(one or 0 for one in done) if None not in done else None,
    }
