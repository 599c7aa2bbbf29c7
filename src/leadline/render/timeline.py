"""Moments in rows along time: what is meant by each is said by its sign and its colour together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from leadline.render.vega import BASELINE, INK, SUBJECT, WRONG, Spec, drawn, svg

if TYPE_CHECKING:
    from leadline.core.report import Json

WIDTH: Final = 620
SIGNS: Final = ("circle", "triangle-up", "diamond")
COLOURS: Final = (SUBJECT, BASELINE, WRONG)


@dataclass(frozen=True, slots=True)
class Mark:
    """One moment in one row, in one of the three states of its picture."""

    at: datetime
    row: str
    state: str


@dataclass(frozen=True, slots=True)
class Look:
    """How tall a row and how large a mark is, and what the two axes have besides."""

    row: int
    mark: int
    along: Mapping[str, "Json"]
    down: Mapping[str, "Json"]


def timeline(
    marks: Sequence[Mark],
    states: tuple[str, str, str],
    rows: Sequence[str],
    now: datetime,
    look: Look,
) -> str:
    """The picture as SVG: *rows* from top to bottom, *states* from plain to alarming, a line at *now*.

    Marks are drawn in their order, so that a later one lies over an earlier one.
    """
    values: list[Json] = [{"at": iso(one.at), "row": one.row, "state": one.state} for one in marks]
    x: Spec = {"field": "at", "type": "temporal", "title": "UTC", **look.along}
    order: list[Json] = list(rows)
    y: Spec = {"field": "row", "type": "nominal", "title": None, "sort": order, **look.down}
    domain: list[Json] = list(states)
    signs: list[Json] = list(SIGNS)
    colours: list[Json] = list(COLOURS)
    shape: Spec = {
        "field": "state",
        "type": "nominal",
        "title": None,
        "scale": {"domain": domain, "range": signs},
        "legend": {"orient": "top", "offset": 8},
    }
    colour: Spec = {**shape, "scale": {"domain": domain, "range": colours}}
    points: Spec = {"x": x, "y": y, "shape": shape, "color": colour}
    spec: Spec = {
        "width": WIDTH,
        "height": {"step": look.row},
        "data": {"values": values},
        "layer": [
            drawn("rule", {"x": x}, [{"at": iso(now)}], color=INK),
            drawn("point", points, filled=True, size=look.mark, opacity=1),
        ],
    }
    return svg(spec)


def iso(at: datetime) -> str:
    """A moment as the drawing library reads it."""
    return at.astimezone(UTC).isoformat()
