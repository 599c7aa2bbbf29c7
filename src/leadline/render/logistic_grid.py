"""Each model's fitted logistic over what was observed, as small pictures beside each other.

Nothing is drawn beyond the tasks that a model was tried at; a model whose suite is exhausted has an arrow
from its bound, and never a point.
"""

from collections.abc import Sequence
from math import isfinite, log2

import numpy as np

from leadline.core.measure.binned import Bin
from leadline.core.measure.horizon import Horizon, Horizons
from leadline.core.report import Json
from leadline.render.document import Column, Figure, Table
from leadline.render.horizon_marks import (
    HALF,
    MODELS_MAX,
    arrow,
    by_length,
    diamond,
    disc,
    placed,
    told_of,
)
from leadline.render.vega import (
    BASELINE,
    INK,
    SUBJECT,
    Spec,
    drawn,
    minutes,
    number,
    plain,
    share,
    svg,
)

COLUMNS = 3  # small pictures beside each other
PANEL = (196, 116)
CURVE_POINTS = 41


def logistic_grid(horizons: Horizons, bins: Sequence[Bin]) -> Figure:
    """One small picture a model: observed shares by task length with intervals, the fit, the 50 % horizon.

    *bins* are those of the same runs. Models stand by their horizon, longest last; beyond `MODELS_MAX`
    the shortest are left to the table.

    Raises: KeyError, if the horizons were not fitted at 50 %.
    """
    order = by_length(horizons)
    shown = order[-MODELS_MAX:]
    ends = (min(one.shortest for one in bins), max(one.longest for one in bins))
    ends = (ends[0], max(ends[1], ends[0] * 2))
    titles = [f"{plain(one.model)}\n{told_of(one)}" for one in shown]
    rows: list[Json] = []
    for title, one in zip(titles, shown, strict=True):
        own = [each for each in bins if each.model == one.model]
        rows += [{"title": title, "part": "bin", **_bin_row(each)} for each in own]
        rows += [{"title": title, "part": "fit", **point} for point in _fit(one, own)]
        rows.append({"title": title, "part": "horizon", **placed(one, ends)})
    spec: Spec = {
        "data": {"values": rows},
        "columns": COLUMNS,
        "spacing": {"row": 14, "column": 22},
        "facet": {
            "field": "title",
            "type": "nominal",
            "sort": titles,
            "title": None,
            "header": {
                "labelExpr": "split(datum.label, '\\n')",
                "labelFontSize": 12,
                "labelAlign": "left",
                "labelAnchor": "start",
                "labelLimit": PANEL[0],
                "labelColor": INK,
                "labelPadding": 6,
            },
        },
        "spec": {"width": PANEL[0], "height": PANEL[1], "layer": _grid_layers(ends)},
    }
    left = len(order) - len(shown)
    spoken = "; ".join(f"{one.model}: {told_of(one)}" for one in reversed(order[-8:]))
    return Figure(
        caption=(
            "Share solved by human working time of the tasks: observed with 95 % intervals (discs), the "
            ""
            "fitted logistic (line), the 50 % horizon with its interval (diamond; an arrow where the "
            "suite is exhausted)"
            + (f"; {left} models with shorter horizons stand in the table only" if left else "")
        ),
        alt=f"Fitted logistic of {len(shown)} models. The longest 50 % horizons: {spoken}.",
        svg=svg(spec),
        data=_bin_table(bins),
    )


def _grid_layers(ends: tuple[float, float]) -> list[Json]:
    x = minutes("minutes", None, ends, ticks_max=5, grid=False, labelFontSize=11)
    y = share("share")
    y["axis"] = {
        "labelExpr": "datum.value * 100 + ' %'",
        "values": [0, 0.5, 1],
        "labelFontSize": 11,
    }
    y["title"] = None

    def part(name: str, extra: str = "") -> Spec:
        return {"transform": [{"filter": f"datum.part === '{name}'{extra}"}]}

    bounds: Spec = {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}}
    across_x: Spec = {"x": {**x, "field": "low"}, "x2": {"field": "high"}, "y": {"datum": HALF}}
    known = " && datum.kind === 'point'"
    return [
        {**part("fit"), **drawn("line", {"x": x, "y": y}, color=SUBJECT, strokeWidth=1.8)},
        {**part("bin"), **drawn("rule", bounds, color=INK, strokeWidth=1.2)},
        {**part("bin"), **drawn("point", {"x": x, "y": y}, **disc(34, INK))},
        {
            **part("horizon", " && datum.kind !== 'none'"),
            **drawn("rule", across_x, color=BASELINE, strokeWidth=2.4, strokeDash=[5, 2]),
        },
        {
            **part("horizon", known),
            **drawn("point", {"x": x, "y": {"datum": HALF}}, **diamond(70)),
        },
        {
            **part("horizon", " && datum.kind === 'arrow'"),
            **drawn("point", {"x": {**x, "field": "high"}, "y": {"datum": HALF}}, **arrow("right")),
        },
    ]


def _bin_row(one: Bin) -> Spec:
    return {"minutes": one.middle, "share": one.share, "low": one.low, "high": one.high}


def _fit(one: Horizon, bins: Sequence[Bin]) -> list[Spec]:
    """Points of the fitted curve, over the times of the model's own tasks and nowhere else."""
    if not (isfinite(one.slope) and isfinite(one.intercept)):
        return []
    x = np.linspace(
        log2(min(each.shortest for each in bins)),
        log2(max(each.longest for each in bins)),
        CURVE_POINTS,
    )
    z = np.clip(one.slope * x + one.intercept, -60, 60)
    return [
        {"minutes": float(2**at), "share": float(1 / (1 + np.exp(-level)))}
        for at, level in zip(x, z, strict=True)
    ]


def _bin_table(bins: Sequence[Bin]) -> Table:
    columns = (
        Column("Model"),
        *(Column(f"{end} task, minutes", number=True) for end in ("Shortest", "Longest")),
        *(Column(name, number=True) for name in ("Tasks", "Runs")),
        *(Column(name, number=True) for name in ("Share solved", "Lower end", "Upper end")),
    )
    rows = tuple(
        (
            one.model,
            *(number(value) for value in (one.shortest, one.longest, one.n_items, one.n_runs)),
            *(number(value) for value in (one.share, one.low, one.high)),
        )
        for one in bins
    )
    return Table("Observed shares by length of task", columns, rows)
