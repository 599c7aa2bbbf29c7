"""How every chart is drawn: one look, and the static SVG that a Vega-Lite specification becomes.

Shape, dash and words carry the meaning before colour does, so that a grey print says the same. The
converter is given inline data only and may fetch nothing.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from math import isfinite
from typing import Final

import vl_convert

from leadline.core.report import Json

FONT: Final = "Liberation Sans, Arial, Helvetica, Libertinus Serif, sans-serif"
INK: Final = "#17263c"
SUBJECT: Final = "#17508c"
BASELINE: Final = "#8a5a00"
WRONG: Final = "#a1161c"
SOFT: Final = "#4d5b6e"
PALE: Final = "#c9d8ea"
ZONE: Final = "#efe3c8"
GRID: Final = "#dde2e8"

Spec = dict[str, Json]

UNIT: Final[Spec] = {"domain": [0, 1]}
PERCENT: Final[Spec] = {"labelExpr": "datum.value * 100 + ' %'", "tickCount": 5}
TICKS_MAX: Final = 8
DRAWN_MAX: Final = 128  # pictures that are kept, by the whole of what they show
_SECOND, _HOUR = 1 / 60, 60.0
_ROUND_MINUTES: Final = (
    *(_SECOND * 10.0**power for power in range(-9, 0)),
    *(_SECOND * count for count in (1, 4, 15)),
    *(1.0, 4.0, 15.0),
    *(_HOUR * 4.0**power for power in range(14)),
)
_FINER_MINUTES: Final = (
    *(_SECOND * count for count in (1, 2, 5, 10, 20, 40)),
    *(1.0, 2.0, 5.0, 10.0, 20.0, 40.0),
    *(_HOUR * count for count in (1, 2, 3, 5, 8, 12, 16, 24, 48)),
)
TICKS_FEW: Final = 3
_DURATION: Final = (
    "datum.value < 0.99 ? format(datum.value * 60, '~g') + ' s' : "
    "datum.value < 59.9 ? format(datum.value, '~g') + ' min' : "
    "format(datum.value / 60, ',.0f') + ' h'"
)

_CONFIG: Final[Spec] = {
    "background": "white",
    "font": FONT,
    "padding": 4,
    "view": {"stroke": None},
    "axis": {
        "labelColor": INK,
        "titleColor": INK,
        "labelFontSize": 13,
        "titleFontSize": 13,
        "titleFontWeight": "normal",
        "gridColor": GRID,
        "domainColor": INK,
        "tickColor": INK,
        "labelLimit": 220,
        "labelFlush": False,
    },
    "legend": {
        "labelColor": INK,
        "labelFontSize": 13,
        "symbolSize": 110,
        "labelLimit": 260,
        "offset": 24,
    },
    "text": {"color": INK, "fontSize": 13},
}


def svg(spec: Spec) -> str:
    """The chart as static SVG; the same specification gives the same text, and is drawn once.

    Raises: ValueError, from the converter, for a specification it cannot draw or that reaches out.
    """
    whole = {"$schema": "https://vega.github.io/schema/vega-lite/v6.json", **spec}
    return _drawn(json.dumps(whole))


@lru_cache(maxsize=DRAWN_MAX)
def _drawn(spec: str) -> str:
    text: str = vl_convert.vegalite_to_svg(spec, config=_CONFIG, allowed_base_urls=[])
    return text


def hour(at: datetime) -> datetime:
    """The beginning of its hour: near enough for "now" in a picture of days, which then holds for an hour."""
    return at.replace(minute=0, second=0, microsecond=0)


def quantity(field: str, title: str | None, **more: Json) -> Spec:
    """A channel of numbers."""
    return {"field": field, "type": "quantitative", "title": title, **more}


def share(field: str, title: str = "Share solved") -> Spec:
    """A channel of shares, from 0 to 100 %."""
    return quantity(field, title, scale=UNIT, axis=PERCENT)


def minutes(
    field: str,
    title: str | None,
    ends: tuple[float, float],
    *,
    ticks_max: int = TICKS_MAX,
    **axis: Json,
) -> Spec:
    """A logarithmic channel of working times in minutes, with round times at its ticks."""
    ticks = [one for one in _ROUND_MINUTES if ends[0] <= one <= ends[1]]
    if len(ticks) < TICKS_FEW:
        ticks = [one for one in _FINER_MINUTES if ends[0] <= one <= ends[1]] or ticks
    apart = -(-len(ticks) // ticks_max) or 1
    return quantity(
        field,
        title,
        scale={"type": "log", "domain": list(ends), "nice": False},
        axis={"values": ticks[::apart], "labelExpr": _DURATION, **axis},
    )


def drawn(mark: str, encoding: Spec, rows: Sequence[Json] | None = None, /, **look: Json) -> Spec:
    """One layer: a mark with its look and its channels, over *rows* of its own where given."""
    own: Spec = {} if rows is None else {"data": {"values": rows}}
    return {**own, "mark": {"type": mark, **look}, "encoding": encoding}


def across(axis: str, at: float, /, **look: Json) -> Spec:
    """A dashed line across the chart at the value *at* of *axis*."""
    look = {"strokeDash": [2, 3], "strokeWidth": 1.6, "color": INK, **look}
    return drawn("rule", {axis: {"datum": at, "type": "quantitative"}}, [{}], **look)


def words(text: str, encoding: Spec, /, **look: Json) -> Spec:
    """A line of text at one place."""
    return drawn("text", {**encoding, "text": {"value": text}}, [{}], **look)


def plain(text: str) -> str:
    """A name as it can stand in one line of a chart."""
    return "".join(c if c.isprintable() else " " for c in text)


def number(value: float) -> str:
    """A number in a data table: whole as it is, others to four significant digits."""
    if isfinite(value) and abs(value) < 1e15:  # noqa: PLR2004 -- whole numbers are exact below
        if value == int(value):
            return str(int(value))
        if abs(value) >= 1000:  # noqa: PLR2004
            return f"{value:.0f}"
    return f"{value:.4g}"


def duration(minutes: float) -> str:
    """A working time in words: ``29 s``, ``36 min``, ``3.1 h``."""
    for unit, size in (("s", 60.0), ("min", 1.0)):
        if minutes * size < 59.5:  # noqa: PLR2004 -- of which sixty make the next unit
            return _rounded(minutes * size, unit)
    return _rounded(minutes / _HOUR, "h")


def _rounded(value: float, unit: str) -> str:
    """One digit after the point below ten, none above."""
    return f"{value:.1f} {unit}" if 0 < value < 9.95 else f"{value:,.0f} {unit}"  # noqa: PLR2004
