"""The wealth of bets along a decision's path: on either side, against what it has to reach."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, isfinite, log10

from leadline.core.report import Json
from leadline.render.vega import (
    BASELINE,
    SUBJECT,
    Spec,
    across,
    drawn,
    number,
    quantity,
    words,
)

WIDTH = 510
TICKS_MAX = 7
DEEPEST = -4.0  # wealth below this, as a decimal logarithm, is left to the table
_POWER = (
    "abs(datum.value) > 3 ? '10^' + format(datum.value, '~g') : format(pow(10, datum.value), ',~g')"
)


@dataclass(frozen=True, slots=True)
class Wealth:
    """Decimal logarithms of the wealth after *n* samples; None where a side is settled by arithmetic."""

    n: int
    above: float | None
    below: float | None


def wealth_panel(
    path: Sequence[Wealth],
    alphas: tuple[float, float],
    stop: tuple[int, str],
    *,
    title: str | None = None,
) -> Spec:
    """Wealth on both sides on a logarithmic axis, 1/alpha of each side, and where the rule stopped.

    *stop* is the number of samples and the words beside its mark; *title* is that of the axis of samples,
    None where a panel below has it.
    """
    sides = (("for above", "above", alphas[0]), ("for below", "below", alphas[1]))
    known = [v for one in path for v in (one.above, one.below) if v is not None and isfinite(v)]
    goals = [-log10(alpha) for alpha in alphas]
    domain = [max(min([*known, -0.5]), DEEPEST), max([*known, *goals]) * 1.12]
    rows: list[Json] = []
    for name, field, _ in sides:
        for one in path:
            value = getattr(one, field)
            if value is not None and isfinite(value):
                rows.append({"n": one.n, "wealth": value, "side": name})
    names: Json = [name for name, _, _ in sides]
    hue: Spec = {"field": "side", "legend": {"title": None, "orient": "top", "offset": 4}}
    bare = title is None
    x = quantity("n", title, axis={"grid": False, "labels": not bare, "tickMinStep": 1})
    y = quantity("wealth", "Wealth", scale={"domain": domain, "nice": False})
    whole = list(range(ceil(domain[0]), floor(domain[1]) + 1))
    y["axis"] = {"labelExpr": _POWER, "values": whole[:: -(-len(whole) // TICKS_MAX)]}
    lines = drawn(
        "line",
        {
            "x": x,
            "y": y,
            "color": {**hue, "scale": {"domain": names, "range": [SUBJECT, BASELINE]}},
            "strokeDash": {**hue, "scale": {"domain": names, "range": [[1, 0], [5, 3]]}},
        },
        rows,
        strokeWidth=2.2,
        clip=True,
    )
    return {
        "width": WIDTH,
        "height": 150,
        "layer": [lines, *_goals(alphas), *stopped(stop, label=True)],
    }


def _goals(alphas: tuple[float, float]) -> list[Json]:
    """The line, or the two, that wealth has to reach."""
    told = [("for above", alphas[0]), ("for below", alphas[1])]
    if alphas[0] == alphas[1]:
        told = [("either side", alphas[0])]
    layers: list[Json] = []
    for name, alpha in told:
        at = -log10(alpha)
        place: Spec = {"y": {"datum": at, "type": "quantitative"}, "x": {"value": 4}}
        label = f"1/alpha = {number(1 / alpha)}, {name}"
        layers += [
            across("y", at),
            words(label, place, align="left", baseline="bottom", dy=-2, fontSize=12),
        ]
    return layers


def stopped(stop: tuple[int, str], *, label: bool) -> list[Json]:
    """A line where the rule stopped, with its words above the chart where they are wanted."""
    at: Spec = {"x": {"datum": stop[0], "type": "quantitative"}}
    layers: list[Json] = [across("x", stop[0], strokeDash=[1, 0], strokeWidth=1)]
    if label:
        look: Spec = {"align": "right", "dx": 6, "baseline": "bottom", "dy": -4, "fontSize": 12}
        layers.append(words(stop[1], {**at, "y": {"value": 0}}, **look))
    return layers
