"""Pictures of estimates: shares by family and benchmark, items and models on one scale, steps of chains."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

from leadline.core.errors import Invalid
from leadline.core.measure.estimate import Code
from leadline.core.measure.interval import Interval
from leadline.core.measure.irt import WrightMap
from leadline.core.measure.milestones import Curve, MeanSteps
from leadline.core.report import Json
from leadline.render.document import Column, Figure, Table
from leadline.render.vega import (
    BASELINE,
    INK,
    PALE,
    SUBJECT,
    Spec,
    across,
    drawn,
    number,
    plain,
    quantity,
    share,
    svg,
    words,
)
from leadline.render.words import ends, percent

WIDTH = 510
ROWS_MAX = 60  # of a forest plot; the table holds all
NAMED_MAX = 24  # models that are named in a Wright map; above, the extreme ones and the marked one
WIDE = 1.959963984540054  # two-sided 95 % of a normal
BIN = 0.25  # logits
TICKS = 4


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One benchmark: its families with their shares, and the share of the whole."""

    name: str
    families: tuple[tuple[str, Interval], ...]
    whole: Interval


def forest(benchmarks: Sequence[Benchmark], title: str) -> Figure:
    """The share of each family with its interval, and of each benchmark as a whole.

    Raises: Invalid, if there is no benchmark.
    """
    if not benchmarks:
        raise Invalid("benchmarks", "a forest plot needs one at least")
    told = [
        (name if len(benchmarks) == 1 else f"{one.name}: {name}", kind, interval)
        for one in benchmarks
        for name, kind, interval in (
            *((name, "family", interval) for name, interval in one.families),
            (f"all of {one.name}", "whole", one.whole),
        )
    ]
    shown = told[:ROWS_MAX]
    rows: list[Json] = [
        {
            "row": plain(name),
            "kind": kind,
            "share": None if Code.NO_RUNS in interval.warnings else interval.point,
            "low": interval.low,
            "high": interval.high,
            "size": interval.n_items,
            "told": _beside(interval),
        }
        for name, kind, interval in shown
    ]
    line = benchmarks[0].whole.point if len(benchmarks) == 1 else None
    methods = " and ".join(sorted({interval.method for _, _, interval in told}))
    left = len(told) - len(shown)
    wide = round(100 * (1 - benchmarks[0].whole.alpha))
    spoken = "; ".join(f"{name}: {_beside(interval)}" for name, _, interval in shown[:24])
    return Figure(
        caption=(
            f"{title}: share solved by family (disc, larger with more items) and as a whole (diamond{', dotted line' if line is not None else ''}), "
            f"with {wide} % intervals ({methods}), one family's independent of the others'"
            + (f"; {left} more rows stand in the table" if left else "")
        ),
        alt=f"{title}. {spoken}.",
        svg=svg(_forest_spec(rows, line)),
        data=_forest_table(told),
    )


def _beside(interval: Interval) -> str:
    if Code.NO_RUNS in interval.warnings:
        return "no runs"
    return (
        f"{percent(interval.point)} ({ends((interval.low, interval.high))}), n = {interval.n_items}"
    )


def _forest_spec(rows: list[Json], line: float | None) -> Spec:
    y: Spec = {
        "field": "row",
        "type": "nominal",
        "sort": None,
        "title": None,
        "axis": {"ticks": False, "domain": False, "labelPadding": 8},
    }
    x = share("share")

    def when(test: str) -> Spec:
        return {"transform": [{"filter": f"datum.share !== null && {test}"}]}

    size: Spec = {
        "field": "size",
        "type": "quantitative",
        "legend": None,
        "scale": {"range": [40, 220], "zero": True},
    }
    bar: Spec = {"y": y, "x": {**x, "field": "low"}, "x2": {"field": "high"}}
    family: Spec = {"filled": True, "color": SUBJECT, "opacity": 1}
    whole: Spec = {"shape": "diamond", "size": 150, "fill": "white", "stroke": INK, "opacity": 1}
    told: Spec = {"y": y, "x": {"value": 372}, "text": {"field": "told"}}
    return {
        "width": 360,
        "height": {"step": 24 if len(rows) <= ROWS_MAX // 2 else 19},
        "data": {"values": rows},
        "layer": [
            *([across("x", line)] if line is not None else []),
            {**when("datum.kind === 'family'"), **drawn("rule", bar, color=SUBJECT, strokeWidth=2)},
            {**when("datum.kind === 'whole'"), **drawn("rule", bar, color=INK, strokeWidth=3)},
            {
                **when("datum.kind === 'family'"),
                **drawn("point", {"y": y, "x": x, "size": size}, **family),
            },
            {
                **when("datum.kind === 'whole'"),
                **drawn("point", {"y": y, "x": x}, strokeWidth=2, **whole),
            },
            drawn("text", told, align="left", fontSize=12),
        ],
    }


def _forest_table(told: Sequence[tuple[str, str, Interval]]) -> Table:
    columns = (
        Column("Family"),
        *(Column(name, number=True) for name in ("Items", "Runs", "Share solved")),
        *(Column(name, number=True) for name in ("Lower end", "Upper end")),
        Column("Interval"),
    )
    rows = tuple(
        (
            name,
            *(number(v) for v in (one.n_items, one.n_runs)),
            "" if Code.NO_RUNS in one.warnings else number(one.point),
            *(number(v) for v in (one.low, one.high)),
            one.method,
        )
        for name, _, one in told
    )
    return Table("Share solved by family", columns, rows)


def wright(told: WrightMap, mark: str | None = None) -> Figure:
    """Models with 95 % intervals, items by difficulty, and the test's information, on one scale in logits.

    *mark* names a model to point out. The threshold, where the map has one, crosses all three parts.
    """
    domain = _reach(told)
    x = quantity("theta", None, scale={"domain": domain, "nice": False}, axis={"grid": False})
    held = _held(told)
    spec: Spec = {
        "vconcat": [
            _models_panel(told, mark, x),
            _items_panel(told, x),
            _information_panel(told, x, held),
        ],
        "spacing": 14,
        "resolve": {"scale": {"x": "shared"}},
    }
    most = max(told.models, key=lambda one: one[1])
    at = (
        f"The threshold lies at {told.threshold:.2f} logits, where the whole test has information {held:.1f}"
        f" (standard error {1 / sqrt(held):.2f} logits)."
        if told.threshold is not None and held
        else "No threshold is given."
    )
    return Figure(
        caption=(
            f"Wright map: {len(told.models)} models with 95 % intervals, {len(told.items)} items by "
            "difficulty (those solved by all or by none where the prior puts them), and the information of "
            f"all items together, in logits. {at}"
        ),
        alt=(
            f"Most able: {most[0]} at {most[1]:.2f} logits, standard error {most[2]:.2f}; items lie from "
            f"{min(b for _, b in told.items):.1f} to {max(b for _, b in told.items):.1f} logits. {at}"
        ),
        svg=svg(spec),
        data=_wright_table(told),
    )


def _reach(told: WrightMap) -> list[Json]:
    low = [b for _, b in told.items] + [t - WIDE * sd for _, t, sd in told.models]
    high = [b for _, b in told.items] + [t + WIDE * sd for _, t, sd in told.models]
    if told.threshold is not None:
        low, high = [*low, told.threshold], [*high, told.threshold]
    return [min(low) - BIN, max(high) + BIN]


def _held(told: WrightMap) -> float | None:
    """The information at the threshold, read off the map's own curve."""
    if told.threshold is None:
        return None
    return float(np.interp(told.threshold, told.theta, told.information))


def _models_panel(told: WrightMap, mark: str | None, x: Spec) -> Spec:
    order = sorted(told.models, key=lambda one: (one[1], one[0]))
    named = {order[0][0], order[-1][0]} | ({mark} if mark else set())
    if len(order) <= NAMED_MAX:
        named = {name for name, _, _ in order}
    rows: list[Json] = [
        {
            "rank": at,
            "theta": theta,
            "low": theta - WIDE * sd,
            "high": theta + WIDE * sd,
            "name": plain(name) if name in named else "",
            "marked": name == mark,
        }
        for at, (name, theta, sd) in enumerate(order)
    ]
    y = quantity("rank", "Models", axis=None, scale={"domain": [-1, len(order)], "nice": False})
    bar: Spec = {"y": y, "x": {**x, "field": "low"}, "x2": {"field": "high"}}
    point: Spec = {"y": y, "x": x}
    label: Spec = {"y": y, "x": {**x, "field": "low"}, "text": {"field": "name"}}

    def when(test: str) -> Spec:
        return {"transform": [{"filter": test}]}

    plainly: Spec = {"filled": True, "size": 30, "color": SUBJECT, "opacity": 1}
    marked: Spec = {
        "shape": "diamond",
        "size": 110,
        "fill": "white",
        "stroke": BASELINE,
        "opacity": 1,
    }
    beside: Spec = {"align": "right", "dx": -5, "fontSize": 12}
    many = len(order) > NAMED_MAX
    return {
        "width": WIDTH,
        "height": max(60, round((2.4 if many else 17) * len(order))),
        "data": {"values": rows},
        "title": _part("Models, with 95 % intervals"),
        "layer": [
            *_threshold(told),
            drawn(
                "rule",
                bar,
                color=SUBJECT,
                strokeWidth=1 if many else 2,
                opacity=0.55 if many else 1,
            ),
            {**when("!datum.marked"), **drawn("point", point, **plainly)},
            {
                **when("datum.marked"),
                **drawn("rule", bar, color=BASELINE, strokeWidth=2.4, strokeDash=[5, 2]),
            },
            {**when("datum.marked"), **drawn("point", point, strokeWidth=2, **marked)},
            {
                **when("datum.name !== ''"),
                **drawn("text", label, stroke="white", strokeWidth=4, **beside),
            },
            {**when("datum.name !== ''"), **drawn("text", label, **beside)},
        ],
    }


def _part(text: str) -> Spec:
    look: Spec = {"fontSize": 12, "fontWeight": "normal", "color": INK, "offset": 4}
    return {"text": text, "anchor": "start", "frame": "group", **look}


def _threshold(told: WrightMap) -> list[Json]:
    if told.threshold is None:
        return []
    return [across("x", told.threshold)]


def _items_panel(told: WrightMap, x: Spec) -> Spec:
    places = np.floor(np.array([b for _, b in told.items]) / BIN)
    rows: list[Spec] = [
        {"theta": float(at) * BIN, "to": float(at + 1) * BIN, "count": int(count)}
        for at, count in zip(*np.unique(places, return_counts=True), strict=True)
    ]
    most = max(int(str(row["count"])) for row in rows)
    whole = list(range(0, most + 1, -(-most // TICKS)))
    y = quantity("count", "Items", axis={"values": whole, "format": "d"})
    bar: Spec = {"x": x, "x2": {"field": "to"}, "y": y, "y2": {"datum": 0}}
    return {
        "width": WIDTH,
        "height": 110,
        "title": _part("Items by difficulty"),
        "layer": [
            drawn("rect", bar, rows, color=PALE, stroke=INK, strokeWidth=0.8, opacity=1),
            *_threshold(told),
        ],
    }


def _information_panel(told: WrightMap, x: Spec, held: float | None) -> Spec:
    rows: list[Json] = [
        {"theta": theta, "information": value}
        for theta, value in zip(told.theta, told.information, strict=True)
    ]
    below = {**x, "title": "Ability and difficulty, logits"}
    y = quantity("information", "Information", axis={"tickCount": 4})
    layers: list[Json] = [
        drawn("line", {"x": below, "y": y}, rows, color=SUBJECT, strokeWidth=2.2, clip=True),
        *_threshold(told),
    ]
    if told.threshold is not None and held:
        here: list[Json] = [{"theta": told.threshold, "information": held}]
        at: Spec = {"x": below, "y": y}
        label: Spec = {**at, "text": {"value": f"at the threshold {held:.1f}"}}
        layers += [
            drawn("point", at, here, filled=True, size=80, color=SUBJECT, opacity=1),
            drawn("text", label, here, dy=-9, fontSize=12, **_beside_curve(told, told.threshold)),
        ]
    return {
        "width": WIDTH,
        "height": 110,
        "title": _part("Information of all items together"),
        "layer": layers,
    }


def _beside_curve(told: WrightMap, at: float) -> Spec:
    """On which side of a point the curve leaves room above it."""
    before, after = np.interp([at - BIN, at + BIN], told.theta, told.information)
    return {"align": "left", "dx": 7} if after < before else {"align": "right", "dx": -7}


def _wright_table(told: WrightMap) -> Table:
    numbers = (Column(name, number=True) for name in ("Logits", "Standard error"))
    columns = (Column("Name"), Column("Kind"), *numbers)
    rows = [(name, "model", number(theta), number(sd)) for name, theta, sd in told.models]
    rows += [(name, "item", number(b), "") for name, b in told.items]
    if told.threshold is not None:
        rows.append(("threshold", "threshold", number(told.threshold), ""))
    return Table("Abilities and difficulties", columns, tuple(rows))


def climbed(curve: Curve, mean: MeanSteps, spent: str, title: str) -> Figure:
    """Steps of chains climbed on average against *spent* (``tokens`` or ``seconds``), cumulative.

    From the first attempt that its limit ended, the line is dashed: what was climbed from there on is less
    than what could have been. The mean's interval stands at the end.
    """
    last = curve.points[-1]
    end = max(last.spent, curve.censored or 0)
    rows: list[Spec] = [{"spent": one.spent, "steps": one.steps} for one in curve.points]
    rows.append({"spent": end, "steps": last.steps})
    cut = end if curve.censored is None else curve.censored
    at_cut = max(one.steps for one in curve.points if one.spent <= cut)
    known: list[Json] = [
        row for row, one in zip(rows, curve.points, strict=False) if one.spent <= cut
    ]
    known.append({"spent": cut, "steps": at_cut})
    later = [row for row in rows if float(str(row["spent"])) > cut]
    beyond: list[Json] = [{"spent": cut, "steps": at_cut}, *later]
    x = quantity(
        "spent", f"{spent.capitalize()} of one attempt", axis={"grid": False, "format": "~s"}
    )
    whole: Spec = {"tickMinStep": 1, "format": "d"}
    y = quantity("steps", "Steps climbed, mean", scale={"domain": [0, mean.steps]}, axis=whole)
    at_end: list[Json] = [{"spent": end, "steps": mean.mean, "low": mean.low, "high": mean.high}]
    bar: Spec = {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}}
    line: Spec = {"interpolate": "step-after", "strokeWidth": 2.2, "color": SUBJECT}
    layers: list[Json] = [
        drawn("line", {"x": x, "y": y}, known, **line),
        *([drawn("line", {"x": x, "y": y}, beyond, strokeDash=[5, 3], **line)] if later else []),
        drawn("rule", bar, at_end, color=INK, strokeWidth=2),
        drawn("point", {"x": x, "y": y}, at_end, filled=True, size=80, color=INK, opacity=1),
    ]
    if curve.censored is not None:
        label: Spec = {"x": {"datum": cut, "type": "quantitative"}, "y": {"value": 0}}
        look: Spec = {"align": "right", "baseline": "bottom", "dx": -4, "fontSize": 12}
        layers += [
            across("x", cut),
            words("first attempt ended by its limit", label, dy=-3, **look),
        ]
    told = f"{mean.mean:.2f} of {mean.steps} steps ({mean.low:.2f} to {mean.high:.2f})"
    limited = (
        f"; dashed from {curve.censored:,} {spent} on, where limits had ended attempts"
        if curve.censored is not None
        else ""
    )
    return Figure(
        caption=f"{title}: steps climbed, cumulative, mean of {mean.n_runs} attempts: {told}{limited}",
        alt=f"{title}. After {end:,} {spent} an attempt had climbed {told} on average.",
        svg=svg({"width": WIDTH, "height": 200, "layer": layers}),
        data=Table(
            f"Steps climbed by {spent}",
            (Column(spent.capitalize(), number=True), Column("Steps climbed, mean", number=True)),
            tuple((f"{one.spent}", number(one.steps)) for one in curve.points),
        ),
    )
