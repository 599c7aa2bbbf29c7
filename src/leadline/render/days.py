"""How long things take, as a picture for everybody."""

from typing import TYPE_CHECKING

from leadline.core.record.days import Counts
from leadline.render.vega import INK, SUBJECT, Spec, drawn, number, quantity, svg

if TYPE_CHECKING:
    from leadline.core.report import Json

NOT_SHOWN = "fewer than 5: not shown"


def medians(found: Counts) -> str:
    """One bar a span with its number; a span that too few things went through has words in place of a bar."""
    rows: list[Json] = [
        {
            "what": one.span.words,
            "days": one.median or 0,
            "told": NOT_SHOWN if one.median is None else f"{number(one.median)} days",
        }
        for one in found.days
    ]
    most = max(1.0, *(one.median or 0 for one in found.days)) * 1.25  # room for the words
    y: Spec = {
        "field": "what",
        "type": "nominal",
        "title": None,
        "sort": None,
        "axis": {"labelLimit": 420},
    }
    x = quantity(
        "days",
        "Median days",
        axis={"grid": True, "tickMinStep": 1},
        scale={"domain": [0, most], "nice": True},
    )
    told: Spec = {"x": x, "y": y, "text": {"field": "told", "type": "nominal"}}
    spec: Spec = {
        "width": 360,
        "height": {"step": 36},
        "layer": [
            drawn("bar", {"x": x, "y": y}, rows, color=SUBJECT, size=18),
            drawn("text", told, rows, align="left", dx=6, color=INK, fontSize=13),
        ],
    }
    return svg(spec)
