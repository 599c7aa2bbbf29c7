"""Success against tokens as a picture, to where the budget ends and no further."""

from leadline.core.report import Effort, EffortStep, Json
from leadline.render.document import Column, Figure, Table
from leadline.render.vega import INK, PALE, PERCENT, SUBJECT, UNIT, Spec, across, svg, words
from leadline.render.words import ends, percent

WIDTH = 510


def success_against_tokens(one: Effort) -> Figure:
    """Success against tokens: a step line with its 95 % interval, right-censored at the budget."""
    ends_at = EffortStep(one.budget, 0, one.steps[-1].share, one.steps[-1].lo, one.steps[-1].hi)
    rows: list[Json] = [
        {"tokens": step.tokens, "share": step.share, "lo": step.lo, "hi": step.hi}
        for step in (*one.steps, ends_at)
    ]
    x: Spec = {
        "field": "tokens",
        "type": "quantitative",
        "title": "Tokens of one attempt",
        "axis": {"grid": False, "format": "~s"},
    }
    y: Spec = {
        "field": "share",
        "type": "quantitative",
        "title": "Share solved",
        "scale": UNIT,
        "axis": PERCENT,
    }
    stepped: Spec = {"interpolate": "step-after"}
    spec: Spec = {
        "width": WIDTH,
        "height": 190,
        "data": {"values": rows},
        "layer": [
            {
                "mark": {"type": "area", "color": PALE, "opacity": 1, **stepped},
                "encoding": {"x": x, "y": {**y, "field": "lo"}, "y2": {"field": "hi"}},
            },
            {
                "mark": {"type": "line", "color": SUBJECT, "strokeWidth": 2.2, **stepped},
                "encoding": {"x": x, "y": y},
            },
            *_cuts(one, x, y),
        ],
    }
    table = Table(
        caption=f"Data for success against tokens: {one.suite}",
        columns=(
            Column("Tokens", number=True),
            Column("Attempts followed", number=True),
            Column("Share solved", number=True),
            Column("95 % interval", number=True),
        ),
        rows=tuple(
            (f"{s.tokens:,}", str(s.at_risk), percent(s.share), ends((s.lo, s.hi)))
            for s in one.steps
        ),
    )
    last = one.steps[-1]
    return Figure(
        caption=(
            f"{one.suite}: success against tokens over {one.attempts} attempts, {len(one.cut_at)} of "
            f"them cut off by something else{' (ticks)' if one.cut_at else ''}; nothing is known beyond {one.budget:,} tokens"
        ),
        alt=(
            f"At {one.budget:,} tokens the share solved is {percent(last.share)}, interval "
            f"{ends((last.lo, last.hi))}."
        ),
        svg=svg(spec),
        data=table,
    )


def _cuts(one: Effort, x: Spec, y: Spec) -> list[Json]:
    """A tick on the line for each attempt cut off by something else, and the budget, where all ends."""
    rows: list[Json] = [
        {"tokens": at, "share": max(step.share for step in one.steps if step.tokens <= at)}
        for at in one.cut_at
    ]
    tick: Spec = {"type": "tick", "orient": "vertical", "size": 13, "thickness": 1.6}
    look: Spec = {"align": "right", "baseline": "bottom", "dy": -3, "fontSize": 12}
    at_budget: Spec = {"x": {"datum": one.budget, "type": "quantitative"}, "y": {"value": 0}}
    return [
        {
            "data": {"values": rows},
            "mark": {**tick, "color": INK, "opacity": 1},
            "encoding": {"x": x, "y": y},
        },
        across("x", one.budget),
        words(f"budget {one.budget:,}", at_budget, **look),
    ]
