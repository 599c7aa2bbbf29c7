"""The horizons of all models in one picture, and their trend over the date of release.

A model whose suite is exhausted has an arrow from its bound, "at least", and never a point; nothing is
drawn beyond the tasks that were there. Times stand on logarithmic axes in minutes of human work.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from math import inf, isfinite, isnan, log2

from leadline.core.measure.horizon import Horizon, Horizons, Trend
from leadline.core.report import Json
from leadline.render.document import Column, Figure, Table
from leadline.render.horizon_marks import (
    MODELS_MAX,
    arrow,
    by_length,
    diamond,
    disc,
    place_of,
    placed,
    told_of,
)
from leadline.render.vega import (
    BASELINE,
    INK,
    PALE,
    SUBJECT,
    Spec,
    across,
    drawn,
    duration,
    minutes,
    number,
    plain,
    svg,
    words,
)

REACH = 64.0  # horizons below the shortest axis end by more than this are drawn at the end
YEAR = 366  # days; within a year dates are told to the day
TREND = (560, 280)
SIDES = tuple(  # of a point, in pixels: where its number may stand, best first
    (dx * far, dy * far)
    for far in (1.0, 1.7, 2.4)
    for dx, dy in ((12, 8), (-12, 8), (12, -8), (-12, -8), (15, 0), (-15, 0))
)


def horizon_rows(
    horizons: Horizons,
    released: Mapping[str, date] | None = None,
    trend: Trend | str = "",
) -> Figure:
    """Every model's 50 % and 80 % horizon with their intervals; above them, by date of release.

    *trend* is over the models in *released*, its time origin being the date's ordinal; where there is none,
    it says in words why not. Models are numbered in both parts.

    Raises: KeyError, if the horizons were not fitted at 50 and 80 %.
    """
    order = by_length(horizons)
    shown = order[-MODELS_MAX:]
    names = {one.model: f"{at}  {plain(one.model)}" for at, one in enumerate(reversed(shown), 1)}
    ends = _axis(horizons, shown)
    lower: Spec = {
        "width": 400,
        "height": {"step": 27},
        "layer": [
            across("x", horizons.longest),
            words(
                "longest task",
                {"x": {"datum": horizons.longest}, "y": {"value": 0}},
                baseline="bottom",
                dy=-3,
                fontSize=12,
            ),
            *_row_layers(horizons, list(reversed(shown)), names, ends),
        ],
    }
    dated = [one for one in shown if released and one.model in released]
    upper = _trend_panel(dated, released, trend, names, ends) if released and dated else None
    spec: Spec = {"vconcat": [upper, lower], "spacing": 26} if upper else lower
    found = f" {_doubling(trend) if isinstance(trend, Trend) else trend}".rstrip()
    spoken = "; ".join(f"{one.model}: {told_of(one)}" for one in reversed(order[-12:]))
    return Figure(
        caption=(
            "Time horizons: 50 % (disc, in words at the right) and 80 % (hollow diamond, dashed), with "
            f"{_sure(order)} intervals; an arrow is a bound, “at least”, where the suite has too few tasks "
            f"that the model fails; the longest task takes {duration(horizons.longest)}.{found}"
        ),
        alt=f"Time horizons at 50 %, longest first. {spoken}.{found}",
        svg=svg(spec),
        data=_horizon_table(horizons, list(reversed(order)), released),
    )


def _sure(told: Sequence[Horizon]) -> str:
    return f"{100 * (1 - told[0].alpha):.4g} %"


def _axis(horizons: Horizons, shown: Sequence[Horizon]) -> tuple[float, float]:
    """The ends of the axis of times: all points and intervals, but for tails far below them."""
    longest = horizons.longest
    points = [v for one in shown if 0 < (v := min(place_of(one), longest)) < inf]
    points += [v for one in shown if 0 < (v := horizons.of(one.model, 0.8).point) < inf]
    lowest = min(points, default=longest / REACH)
    lows = [one.low for one in shown if 0 < one.low < lowest]
    return max(min([*lows, lowest]), lowest / REACH) / 1.15, longest * 2


def _row_layers(
    horizons: Horizons,
    shown: Sequence[Horizon],
    names: Mapping[str, str],
    ends: tuple[float, float],
) -> list[Json]:
    rows: list[Json] = []
    for one in shown:
        for level, each in ((0.5, one), (0.8, horizons.of(one.model, 0.8))):
            rows.append(
                {
                    "model": names[one.model],
                    "level": level,
                    "told": told_of(each),
                    **placed(each, ends),
                }
            )
    x = minutes("minutes", "Human working time", ends, grid=False)
    y: Spec = {
        "field": "model",
        "type": "nominal",
        "sort": None,
        "title": None,
        "axis": {"ticks": False, "domain": False, "labelPadding": 8},
    }
    bar: Spec = {"y": y, "x": {**x, "field": "low"}, "x2": {"field": "high"}}
    tip: Spec = {"y": y, "x": {**x, "field": "high"}}
    told: Spec = {"y": y, "x": {"value": 410}, "text": {"field": "told"}}

    def when(level: float, test: str) -> Spec:
        chosen = [{"filter": f"datum.level === {level} && {test}"}]
        return {"data": {"values": rows}, "transform": chosen}

    some, points, tips = (
        f"datum.kind {test}" for test in ("!== 'none'", "=== 'point'", "=== 'arrow'")
    )
    dashed: Spec = {"color": BASELINE, "strokeWidth": 1.2, "strokeDash": [5, 2], "yOffset": 8}
    return [
        {**when(0.8, some), **drawn("rule", bar, **dashed)},
        {**when(0.8, points), **drawn("point", {"y": y, "x": x}, yOffset=8, **diamond(44))},
        {**when(0.8, tips), **drawn("point", tip, yOffset=8, **{**arrow("right"), "size": 44})},
        {**when(0.5, some), **drawn("rule", bar, color=SUBJECT, strokeWidth=2.2)},
        {**when(0.5, points), **drawn("point", {"y": y, "x": x}, **disc(90, SUBJECT))},
        {**when(0.5, tips), **drawn("point", tip, **{**arrow("right"), "color": SUBJECT})},
        {**when(0.5, "true"), **drawn("text", told, align="left", fontSize=12)},
    ]


def _trend_panel(
    dated: Sequence[Horizon],
    released: Mapping[str, date],
    trend: Trend | str,
    names: Mapping[str, str],
    ends: tuple[float, float],
) -> Spec:
    days = [released[one.model].toordinal() for one in dated]
    wide = max(days) - min(days)
    span = (min(days) - max(2, wide // 25), max(days) + max(4, wide // 16))
    marks = [placed(one, ends) for one in dated]
    rows: list[Json] = [
        {"day": date.fromordinal(day).isoformat(), **mark}
        for day, mark in zip(days, marks, strict=True)
    ]
    drawn_at = [
        (day, float(str(mark["minutes"])), names[one.model].split(" ")[0])
        for day, mark, one in zip(days, marks, dated, strict=True)
        if mark["kind"] != "none"
    ]
    x = _days(span, to_the_day=wide <= YEAR)
    y = minutes("minutes", "50 % horizon", ends)
    bar: Spec = {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}}

    def when(test: str) -> Spec:
        return {"data": {"values": rows}, "transform": [{"filter": test}]}

    label: Spec = {"x": x, "y": y, "text": {"field": "number"}}
    numbers = _apart(drawn_at, span, ends)
    return {
        "width": TREND[0],
        "height": TREND[1],
        "layer": [
            *(_trend_layers(trend, released, x, y) if isinstance(trend, Trend) else ()),
            across("y", ends[1] / 2),
            words(
                "longest task",
                {"y": {"datum": ends[1] / 2}, "x": {"value": 4}},
                align="left",
                baseline="bottom",
                dy=-2,
                fontSize=12,
            ),
            {**when("datum.kind !== 'none'"), **drawn("rule", bar, color=SUBJECT, strokeWidth=1.6)},
            {
                **when("datum.kind === 'point'"),
                **drawn("point", {"x": x, "y": y}, **disc(60, SUBJECT)),
            },
            {
                **when("datum.kind === 'arrow'"),
                **drawn(
                    "point",
                    {"x": x, "y": {**y, "field": "high"}},
                    **{**arrow("up"), "color": SUBJECT},
                ),
            },
            drawn("text", label, numbers, fontSize=12, stroke="white", strokeWidth=3),
            drawn("text", label, numbers, fontSize=12),
        ],
    }


def _days(span: tuple[int, int], *, to_the_day: bool) -> Spec:
    """The axis of dates between two ordinals."""
    return {
        "field": "day",
        "type": "temporal",
        "title": "Released",
        "axis": {
            "grid": False,
            "format": "%-d %b %Y" if to_the_day else "%b %Y",
            "labelOverlap": True,
            "tickCount": 5 if to_the_day else 8,
        },
        "scale": {
            "type": "utc",
            "domain": [date.fromordinal(day).isoformat() for day in span],
        },
    }


def _apart(
    points: Sequence[tuple[int, float, str]], span: tuple[int, int], ends: tuple[float, float]
) -> list[Json]:
    """Where the number of each point stands: beside it, on the first side that is still free."""
    per_day = TREND[0] / (span[1] - span[0])
    per_doubling = TREND[1] / log2(ends[1] / ends[0])
    at = [((day - span[0]) * per_day, log2(m / ends[0]) * per_doubling) for day, m, _ in points]
    taken, told = list(at), list[Json]()
    for (x, y), (_, _, name) in zip(at, points, strict=True):
        places = [(x + dx, y + dy) for dx, dy in SIDES]
        free = (p for p in places if all(_clear(p, other) for other in taken if other != (x, y)))
        place = next(free, places[-1])
        taken.append(place)
        day = date.fromordinal(span[0] + round(place[0] / per_day))
        level = ends[0] * 2 ** (place[1] / per_doubling)
        told.append({"day": day.isoformat(), "minutes": level, "number": name})
    return told


def _clear(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return abs(one[0] - other[0]) > 14 or abs(one[1] - other[1]) > 11  # noqa: PLR2004 -- pixels


def _trend_layers(
    trend: Trend,
    released: Mapping[str, date],
    x: Spec,
    y: Spec,
) -> list[Json]:
    """The line, and its pencil: turned about its middle by the interval of the doubling time."""
    days = sorted(released[name].toordinal() for name in trend.models if name in released)
    middle = sum(days) / len(days)
    level = trend.intercept + trend.slope * middle
    slopes = (_slope(trend.high), _slope(trend.low))
    rows: list[Json] = []
    for day in (
        days[0],
        *([round(middle)] if days[0] < round(middle) < days[-1] else []),
        days[-1],
    ):
        sides = [level + slope * (day - middle) for slope in slopes]
        rows.append(
            {
                "day": date.fromordinal(day).isoformat(),
                "minutes": _power(trend.intercept + trend.slope * day),
                "low": _power(min(sides)),
                "high": _power(max(sides)),
            }
        )
    band: Spec = {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}}
    dashed: Spec = {"color": INK, "strokeWidth": 1.6, "strokeDash": [7, 3]}
    return [
        drawn("area", band, rows, color=PALE, opacity=1, clip=True),
        drawn("line", {"x": x, "y": y}, rows, clip=True, **dashed),
    ]


def _slope(doubling_days: float) -> float:
    return 1 / doubling_days if isfinite(doubling_days) and doubling_days else 0.0


def _power(level: float) -> float:
    """2^level, kept within what a chart can hold: beyond every axis all is alike."""
    return float(2.0 ** min(max(level, -200.0), 200.0))


def _doubling(trend: Trend) -> str:
    """The trend in one sentence."""
    if not 0 < trend.doubling_days < inf:
        return "Horizons do not grow with the date of release."
    cut = f"; {len(trend.censored)} of them by their bound alone" if trend.censored else ""
    high = f"{trend.high:,.0f} days" if isfinite(trend.high) else "no upper end"
    return (
        f"Horizons double in {trend.doubling_days:,.0f} days ({100 * (1 - trend.alpha):.4g} % interval "
        f"{trend.low:,.0f} to {high}), "
        f"over {len(trend.models)} models{cut}."
    )


def _point(one: Horizon) -> str:
    """The point for a table; empty where there is a bound alone, or none."""
    return "" if one.saturated or isnan(one.point) or one.slope > 0 else number(one.point)


def _horizon_table(
    horizons: Horizons, order: Sequence[Horizon], released: Mapping[str, date] | None
) -> Table:
    columns = (
        Column("Model"),
        *(Column(f"50 % {name}, minutes", number=True) for name in ("horizon", "lower", "upper")),
        Column("80 % horizon, minutes", number=True),
        *(Column(name, number=True) for name in ("Tasks", "Runs")),
        Column("Warnings"),
        *((Column("Released"),) if released else ()),
    )
    rows = []
    for one in order:
        most = horizons.of(one.model, 0.8)
        values = (_point(one), number(one.low), number(one.high), _point(most))
        day = (
            (released[one.model].isoformat() if one.model in released else "",) if released else ()
        )
        flags = " ".join(code.value for code in one.warnings)
        rows.append((one.model, *values, str(one.n_items), str(one.n_runs), flags, *day))
    return Table("Time horizons in minutes of human work", columns, tuple(rows))
