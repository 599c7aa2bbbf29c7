"""Where what is public touches an operator: lines by place and by how bad it is."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from leadline.render.vega import INK, PALE, Spec, svg

if TYPE_CHECKING:
    from leadline.core.report import Json

WIDTH = 620
PLACES_MAX, TICKS_MAX = 25, 8
_COLOURS = ("#e59a9d", "#ecc08a", "#f3e3b0", PALE, "#dfe1e2", "#ffffff")  # dark words stand on each


def exposure_map(rows: Mapping[str, Mapping[str, int]], bands: tuple[str, ...]) -> str:
    """Bars by place, each part with its count; the worst places first, at most `PLACES_MAX`."""
    shown = dict(list(rows.items())[:PLACES_MAX])
    data: list[Json] = [
        {"place": place[:60], "band": band, "order": number, "lines": counted[band]}
        for place, counted in shown.items()
        for number, band in enumerate(bands)
        if counted[band]
    ]
    places: Json = [place[:60] for place in shown]
    order: Json = list(bands)
    colours: Json = list(_COLOURS)
    y: Spec = {"field": "place", "type": "nominal", "title": None, "sort": places}
    most = max((sum(counted.values()) for counted in shown.values()), default=1)
    ticks: Json = list(range(0, most + 1, max(1, -(-most // TICKS_MAX))))
    x: Spec = {
        "field": "lines",
        "type": "quantitative",
        "title": "Lines of the list",
        "stack": "zero",
        "axis": {"values": ticks, "format": "d"},
    }
    by: Spec = {"field": "order", "type": "ordinal"}
    hue: Spec = {
        "field": "band",
        "type": "nominal",
        "scale": {"domain": order, "range": colours},
        "legend": {"title": None, "orient": "top"},
    }
    middle: Spec = {**x, "bandPosition": 0.5}
    number: Spec = {"field": "lines", "type": "quantitative"}
    spec: Spec = {
        "width": WIDTH,
        "height": {"step": 30},
        "data": {"values": data},
        "layer": [
            {
                "mark": {"type": "bar", "stroke": INK, "strokeWidth": 0.6},
                "encoding": {"y": y, "x": x, "color": hue, "order": by},
            },
            {
                "mark": {"type": "text", "color": INK, "stroke": "white", "strokeWidth": 0.1},
                "encoding": {"y": y, "x": middle, "text": number, "order": by, "detail": by},
            },
        ],
    }
    return svg(spec)
