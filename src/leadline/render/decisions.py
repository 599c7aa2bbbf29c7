"""Pictures of decisions: the path of one, and what many cost against their distance from the threshold.

A conclusion for "above" is a solid line and a triangle that points up, one for "below" a dashed line and
a hollow triangle that points down, so that no picture needs its colours.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import log10

import numpy as np

from leadline.core.measure.held_out import Decided, HeldOut
from leadline.core.measure.trace import Trace, TraceStep
from leadline.core.report import Json
from leadline.render.document import Column, Figure, Table
from leadline.render.vega import (
    BASELINE,
    INK,
    PALE,
    PERCENT,
    SUBJECT,
    UNIT,
    WRONG,
    ZONE,
    Spec,
    across,
    drawn,
    number,
    quantity,
    share,
    svg,
    words,
)
from leadline.render.wealth import WIDTH, Wealth, stopped, wealth_panel
from leadline.render.words import percent

DISTANCES = (0.0, 0.02, 0.05, 0.10, 0.15, 0.20, 0.30, 1.0)  # design, statistics 7
IN_BIN_MIN = 4  # decisions from which quartiles are drawn
ROUNDING = 1e-12


def wealth_path(trace: Trace, title: str) -> Figure:
    """One decision: wealth on both sides, the shares still in the sequence, and the planner's chance."""
    steps, last = trace.steps, trace.steps[-1]
    rule = trace.rule
    path = [Wealth(one.n, one.log10_above, one.log10_below) for one in steps]
    spec: Spec = {
        "vconcat": [
            wealth_panel(path, (rule.alpha_above, rule.alpha_below), _stop(trace)),
            _sequence_panel(trace),
            _planner_panel(trace),
        ],
        "spacing": 16,
        "resolve": {"scale": {"x": "shared"}},
    }
    ended = _ended(trace)
    return Figure(
        caption=(
            f"{title}: wealth against each conclusion's opposite (solid: for above, dashed: for below) until "
            "it reaches 1/alpha; the shares still in the sequence (band) with what the model expects (line), "
            "against the threshold"
            + (" and its zone (shaded)" if rule.zone else "")
            + f"; the planner's chance, on which no decision rests. {ended}"
        ),
        alt=(
            f"{ended} Wealth for above 10^{last.log10_above:.2f}, for below 10^{last.log10_below:.2f}; "
            f"shares still in the sequence {percent(last.low)} to {percent(last.high)}, "
            f"threshold {percent(rule.threshold)}."
        ),
        svg=svg(spec),
        data=_trace_table(steps),
    )


def _stop(trace: Trace) -> tuple[int, str]:
    state = {"inside_zone": "inside the zone"}.get(trace.state, trace.state)
    return trace.steps[-1].n, f"{trace.steps[-1].n} of {trace.items} items: {state}"


def _ended(trace: Trace) -> str:
    """Where the rule stopped, and whether by its bets or because nothing could change any more."""
    last, rule = trace.steps[-1], trace.rule
    reached = {
        "above": last.log10_above >= -log10(rule.alpha_above),
        "below": last.log10_below >= -log10(rule.alpha_below),
    }
    why = "" if reached.get(trace.state, True) else ", as the items left could not change it"
    if why and last.n == trace.items:
        why = ", with every item seen"
    return f"Stopped after {_stop(trace)[1]}{why}."


def _sequence_panel(trace: Trace) -> Spec:
    rule = trace.rule
    rows: list[Json] = [
        {"n": one.n, "expected": one.expected, "low": one.low, "high": one.high}
        for one in trace.steps
    ]
    x = quantity("n", None, axis={"grid": False, "labels": False, "tickMinStep": 1})
    y = share("expected")
    zone: Spec = {
        "y": {"datum": rule.threshold - rule.zone, "type": "quantitative"},
        "y2": {"datum": rule.threshold + rule.zone},
    }
    place: Spec = {"y": {"datum": rule.threshold, "type": "quantitative"}, "x": {"value": "width"}}
    return {
        "width": WIDTH,
        "height": 150,
        "layer": [
            drawn(
                "area",
                {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}},
                rows,
                color=PALE,
                opacity=1,
                interpolate="step-after",
            ),
            *([drawn("rect", zone, [{}], color=ZONE, opacity=0.75)] if rule.zone else []),
            drawn("line", {"x": x, "y": y}, rows, color=SUBJECT, strokeWidth=2.2),
            across("y", rule.threshold),
            words(
                f"threshold {percent(rule.threshold)}",
                place,
                align="left",
                baseline="middle",
                dx=6,
                fontSize=12,
            ),
            *stopped(_stop(trace), label=False),
        ],
    }


def _planner_panel(trace: Trace) -> Spec:
    rows: list[Json] = [{"n": one.n, "chance": one.chance} for one in trace.steps]
    x = quantity("n", "Items seen", axis={"grid": False, "tickMinStep": 1})
    y = quantity("chance", "Planner", scale=UNIT, axis={**PERCENT, "values": [0, 0.5, 1]})
    return {
        "width": WIDTH,
        "height": 64,
        "layer": [
            drawn("line", {"x": x, "y": y}, rows, color=INK, strokeWidth=1.6, strokeDash=[2, 2]),
            *stopped(_stop(trace), label=False),
        ],
    }


def _trace_table(steps: Sequence[TraceStep]) -> Table:
    columns = (
        Column("Items seen", number=True),
        Column("Item"),
        *(
            Column(name, number=True)
            for name in (
                "Score",
                "Wealth for above, log10",
                "Wealth for below, log10",
                "Planner's chance of above",
                "Expected share",
                "Lower end",
                "Upper end",
            )
        ),
    )
    rows = tuple(
        (
            str(one.n),
            one.item,
            number(one.y) if one.n else "",
            *(number(v) for v in (one.log10_above, one.log10_below)),
            *(number(v) for v in (one.chance, one.expected, one.low, one.high)),
        )
        for one in steps
    )
    return Table("The decision step by step", columns, rows)


def decision_cost(held: HeldOut) -> Figure:
    """Every decision: the share of its items used against how far the full row lies from the threshold.

    Medians with quartiles stand where there are at least `IN_BIN_MIN` decisions at such a distance.
    """
    rows = [_cost_row(one, held) for one in held.decided]
    fractions = held.fractions
    wrong = held.false_above + held.false_below
    domain = [float(round(v, 4)) for v in _domain([one.mean for one in held.decided], held)]
    x = quantity(
        "distance",
        "Full share minus the threshold, in points",
        scale={"domain": domain, "nice": False, "zero": False},
        axis={
            "grid": False,
            "labelExpr": "datum.value === 0 ? '0' : format(datum.value * 100, '+.0~f')",
        },
    )
    y = share("used", "Items used")
    quartiles, medians = _quartile_layers(held, x, y)
    spec: Spec = {
        "width": WIDTH,
        "height": 260,
        "layer": [
            *_zone_layers(held, y),
            *quartiles,
            across("x", 0.0),
            *_mark_layers(rows, x, y),
            *medians,
        ],
    }
    middle = f"median {_part(float(np.median(fractions)))}, mean {_part(float(np.mean(fractions)))}"
    return Figure(
        caption=(
            f"Cost to decision: {len(rows)} decisions about {percent(held.threshold)}, share of the items "
            "used by distance from the threshold, with medians (lines) and quartiles (boxes); "
            f"{middle}; {wrong} wrong"
        ),
        alt=(
            f"{len(rows)} decisions used {middle} of their items; {held.false_above} falsely above, "
            f"{held.false_below} falsely below, {held.undetermined} undetermined. {_near_and_far(held)}"
        ),
        svg=svg(spec),
        data=_cost_table(held),
    )


def _domain(means: Sequence[float], held: HeldOut) -> tuple[float, float]:
    away = [mean - held.threshold for mean in means]
    return min([*away, -0.05]) - 0.01, max([*away, 0.05]) + 0.01


def _part(fraction: float) -> str:
    return f"{100 * fraction:.1f} %"


def wrongly(one: Decided, held: HeldOut) -> bool:
    """Whether the conclusion contradicts the full row by more than the zone."""
    if one.outcome.state == "above":
        return one.mean < held.threshold - held.zone - ROUNDING
    return one.outcome.state == "below" and one.mean >= held.threshold + held.zone - ROUNDING


def _cost_row(one: Decided, held: HeldOut) -> Spec:
    state = one.outcome.state if one.outcome.state in {"above", "below"} else "undetermined"
    return {
        "distance": one.mean - held.threshold,
        "used": one.outcome.n / one.items,
        "state": state,
        "wrong": wrongly(one, held),
    }


def _mark_layers(rows: list[Spec], x: Spec, y: Spec) -> list[Json]:
    states: Json = ["above", "below", "undetermined"]
    legend: Spec = {"title": None, "orient": "top", "offset": 4}
    hue: Spec = {"field": "state", "legend": legend}

    def scale(*values: Json) -> Spec:
        return {**hue, "scale": {"domain": states, "range": list(values)}}

    points = drawn(
        "point",
        {
            "x": x,
            "y": y,
            "shape": scale("triangle-up", "triangle-down", "diamond"),
            "stroke": scale(SUBJECT, BASELINE, INK),
            "fill": scale(SUBJECT, "white", "white"),
        },
        rows,
        size=48,
        opacity=1,
        strokeWidth=1.6,
    )
    crossed = [row for row in rows if row["wrong"]]
    cross = drawn(
        "point",
        {"x": x, "y": y},
        crossed,
        shape="cross",
        angle=45,
        size=320,
        filled=True,
        color=WRONG,
        opacity=1,
    )
    label = drawn(
        "text", {"x": x, "y": y, "text": {"value": "wrong"}}, crossed, dy=-14, fontSize=12
    )
    return [*([cross, label] if crossed else []), points]


def _zone_layers(held: HeldOut, y: Spec) -> list[Json]:
    if not held.zone:
        return []
    zone: Spec = {
        "x": {"datum": -held.zone, "type": "quantitative"},
        "x2": {"datum": held.zone},
        "y": {"datum": 0, "type": "quantitative", "scale": y["scale"]},
        "y2": {"datum": 1},
    }
    return [drawn("rect", zone, [{}], color=ZONE, opacity=1)]


def _quartile_layers(held: HeldOut, x: Spec, y: Spec) -> tuple[list[Json], list[Json]]:
    """What lies beneath the points, quartiles, and above them, medians."""
    rows: list[Json] = []
    away = np.array([one.mean - held.threshold for one in held.decided])
    edges = sorted({*DISTANCES, *(-at for at in DISTANCES)})
    for low, high in pairwise(edges):
        inside = held.fractions[(away >= low) & (away < high)]
        if len(inside) < IN_BIN_MIN:
            continue
        ends = [float(v) for v in np.quantile(inside, [0.25, 0.5, 0.75])]
        row: Spec = {
            "from": max(low, float(away.min())),
            "to": min(high, float(away.max())),
            **dict(zip(("low", "used", "high"), ends, strict=True)),
        }
        rows.append(row)
    if not rows:
        return [], []
    span: Spec = {"x": {**x, "field": "from"}, "x2": {"field": "to"}, "y": y}
    box: Spec = {**span, "y": {**y, "field": "low"}, "y2": {"field": "high"}}
    return (
        [drawn("rect", box, rows, color=PALE, opacity=1)],
        [drawn("rule", span, rows, color=INK, strokeWidth=2.4)],
    )


def _near_and_far(held: HeldOut) -> str:
    away = np.abs([one.mean - held.threshold for one in held.decided])
    told = []
    for name, chosen in (
        ("within 5 points of the threshold", away <= 0.05 + ROUNDING),
        ("farther than 5 points", away > 0.05 + ROUNDING),
    ):
        if chosen.any():
            middle = _part(float(np.median(held.fractions[chosen])))
            told.append(f"{name}, {int(chosen.sum())} decisions with median {middle}")
    return ("; ".join(told) + ".").capitalize()


def _cost_table(held: HeldOut) -> Table:
    columns = (
        Column("Model"),
        Column("Conclusion"),
        *(
            Column(name, number=True)
            for name in ("Items used", "Items", "Full share", "Distance from threshold")
        ),
        Column("Against the full row"),
    )
    rows = tuple(
        (
            one.model,
            one.outcome.state,
            *(number(v) for v in (one.outcome.n, one.items, one.mean, one.mean - held.threshold)),
            "wrong" if wrongly(one, held) else "agrees" if _concluded(one) else "undetermined",
        )
        for one in held.decided
    )
    return Table("Cost to decision, by model", columns, rows)


def _concluded(one: Decided) -> bool:
    return one.outcome.state in {"above", "below"}
