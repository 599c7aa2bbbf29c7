"""The report's charts: Vega-Lite specifications, and the static SVG each becomes.

Shape carries the meaning before colour does: the subject is a filled disc with a solid line, the tool
baseline a hollow diamond with a dashed one, the threshold a labelled dashed line, so that a grey
print says the same. The converter is given inline data only and may fetch nothing.
"""

from collections.abc import Sequence
from math import log10
from typing import Final

from leadline.core.report import (
    Decision,
    Funnel,
    Json,
    PathPoint,
    Report,
    Share,
    SuiteReport,
)
from leadline.render.document import Column, Figure, Table
from leadline.render.vega import (
    BASELINE,
    INK,
    PALE,
    PERCENT,
    SUBJECT,
    UNIT,
    ZONE,
    Spec,
    drawn,
    svg,
)
from leadline.render.wealth import Wealth, wealth_panel
from leadline.render.words import ends, percent

ROW, WIDTH = 26, 380
SHEET_ROWS = 12  # families that the first sheet has room for
CROWDED = 8  # rows of one series above which they move closer together, so that text stays legible
DECIDED: Final = "decided on: all samples"


def intervals(report: Report) -> Figure | None:
    """Share solved with its interval, the tool baseline beside a model; None without rows.

    A row is a family; where there are more than `SHEET_ROWS` of them, a row is a whole suite, and the
    families stand in the suite's own chart (`families`).
    """
    shown = [suite for suite in report.suites if suite.families]
    if not shown:
        return None
    whole = by_suite(report)
    row_of = _suite_rows if whole else _family_rows
    rows = [
        *_decided_row(report.decision, report.subject.name),
        *(row for suite in shown for row in row_of(suite, report.subject.name)),
    ]
    per = "suite" if whole else "family"
    caption = (
        f"Share solved, with 95 % intervals by {per}; the first row is the number decided on, with "
        "its sequential bounds, against the threshold"
    )
    return _shares(rows, caption, report.decision)


def by_suite(report: Report) -> bool:
    """Whether the first sheet shows whole suites, because there are too many families for it."""
    return sum(len(suite.families) for suite in report.suites) > SHEET_ROWS


def families(suite: SuiteReport, report: Report) -> Figure | None:
    """One suite's share solved by family with its interval; None without families."""
    rows = _family_rows(suite, report.subject.name)
    if not rows:
        return None
    return _shares(rows, f"{suite.title}: share solved by family, with 95 % intervals", None)


def by_family(suites: Sequence[SuiteReport], subject: str = "subject") -> Figure | None:
    """The share solved by family of every suite, with its interval; None without families."""
    rows = [row for suite in suites for row in _family_rows(suite, subject)]
    if not rows:
        return None
    return _shares(rows, "Share solved by family, with 95 % intervals", None)


def twins(suite: SuiteReport) -> Figure | None:
    """The share of flaws repaired beside the share of the same flaws set off; None without pairs."""
    beside = {share.name: share for share in suite.attack}
    pairs = [(family, beside[family.name]) for family in suite.families if family.name in beside]
    if not pairs:
        return None
    rows = [
        row
        for family, attack in pairs
        for row in (
            _row(
                family.name,
                "repaired",
                Share(family.name, family.attempted, family.solved, family.interval),
            ),
            _row(family.name, "set off", attack),
        )
    ]
    return _shares(rows, f"{suite.title}: the same flaws repaired and set off, by family", None)


def milestones(suite: SuiteReport) -> Figure | None:
    """The steps of chains, how often each was reached; None where the suite has no chains."""
    if not suite.milestones:
        return None
    rows = [_row(step.name, "reached", step) for step in suite.milestones]
    return _shares(rows, f"{suite.title}: share of attempts that reached each step", None)


def _shares(rows: list[Spec], caption: str, decision: Decision | None) -> Figure:
    """Rows of shares with intervals, against the decision's threshold where one is given."""
    series = list(dict.fromkeys(str(row["series"]) for row in rows))
    compared, crowded = len(series) > 1, len(rows) > CROWDED * len(series)
    tight, wide = (14, 17) if compared else (19, ROW)
    step: Spec = {"step": tight if crowded else wide, **({"for": "offset"} if compared else {})}
    spec: Spec = {
        "width": WIDTH,
        "height": step,
        "data": {"values": rows},
        "layer": [
            *(_threshold(decision, "x") if decision else ()),
            *_interval_layers(series),
        ],
    }
    table = Table(
        caption=f"Data for the chart: {caption}",
        columns=(
            Column("Suite and family"),
            Column("Measured"),
            Column("Solved", number=True),
            Column("Share", number=True),
            Column("Interval", number=True),
        ),
        rows=tuple(
            (
                str(row["family"]),
                str(row["series"]),
                str(row["label"]),
                percent(_share(row)),
                str(row["ends"]),
            )
            for row in rows
        ),
    )
    spoken = "; ".join(
        f"{row['family']}, {row['series']}: {row['label']}, interval {row['ends']}" for row in rows
    )
    threshold = f", threshold at {percent(decision.threshold)}" if decision else ""
    return Figure(
        caption=caption,
        alt=f"Shares with intervals{threshold}. {spoken}.",
        svg=svg(spec),
        data=table,
    )


def decision_path(decision: Decision) -> Figure | None:
    """The running share and its sequential bounds against the threshold; None without points.

    Where the rule is one of bets, their wealth on either side stands below, against 1/alpha.
    """
    if not decision.path:
        return None
    path, last = decision.path, decision.path[-1]
    betting = any(one.e_above is not None or one.e_below is not None for one in path)
    panel = _share_panel(decision, "" if betting else "Samples seen")
    spec: Spec = panel
    if betting:
        alphas = (decision.alpha_above, decision.alpha_below)
        used = f"{decision.samples_used:,} of {decision.samples_total:,}: {decision.state.value}"
        wealth = wealth_panel(
            [Wealth(one.samples, _log10(one.e_above), _log10(one.e_below)) for one in path],
            alphas,
            (decision.samples_used or last.samples, used),
            title="Samples seen",
        )
        own: Spec = {"color": "independent", "strokeDash": "independent"}
        apart: Spec = {"scale": {"x": "shared", **own}, "legend": own}
        spec = {"vconcat": [panel, wealth], "spacing": 16, "resolve": apart}
    return Figure(
        caption=(
            "How the decision came about: running share, its sequential bounds, the threshold"
            + (" with its zone (shaded)" if decision.zone else "")
            + ("; and the wealth of the bets, which ends a side at 1/alpha" if betting else "")
        ),
        alt=(
            f"After {last.samples} samples the running share is {percent(last.share)}, with bounds"
            f" {ends((last.lo, last.hi))}; the threshold is {percent(decision.threshold)}."
            + (f" {_wealth_words(last)}" if betting else "")
        ),
        svg=svg(spec),
        data=_path_table(path, betting=betting),
    )


def _log10(wealth: float | None) -> float | None:
    """The decimal logarithm of a wealth; None where there is none, or nothing is left of it."""
    return log10(wealth) if wealth else None


def _wealth_words(last: PathPoint) -> str:
    sides = (("above", last.e_above), ("below", last.e_below))
    told = (f"for {name} {value:.3g}" for name, value in sides if value is not None)
    return f"Wealth {', '.join(told)}." if any(value is not None for _, value in sides) else ""


def _share_panel(decision: Decision, title: str) -> Spec:
    """Share and bounds; without a *title* of the axis of samples, a panel below has it."""
    rows: list[Json] = [
        {"samples": point.samples, "share": point.share, "lo": point.lo, "hi": point.hi}
        for point in decision.path
    ]
    x: Spec = {
        "field": "samples",
        "type": "quantitative",
        "title": title or None,
        "axis": {"grid": False, "tickMinStep": 1, "labels": bool(title)},
    }
    y: Spec = {
        "field": "share",
        "type": "quantitative",
        "title": "Share solved",
        "scale": UNIT,
        "axis": PERCENT,
    }
    band: Spec = {
        "mark": {"type": "area", "color": PALE, "opacity": 1},
        "encoding": {"x": x, "y": {**y, "field": "lo"}, "y2": {"field": "hi"}},
    }
    line: Spec = {
        "mark": {"type": "line", "color": SUBJECT, "strokeWidth": 2.2},
        "encoding": {"x": x, "y": y},
    }
    used = [
        row
        for row, point in zip(rows, decision.path, strict=True)
        if point.samples == decision.samples_used
    ]
    stop: Spec = {
        "data": {"values": used or [rows[-1]]},
        "mark": {"type": "point", "filled": True, "size": 110, "color": SUBJECT, "opacity": 1},
        "encoding": {"x": x, "y": y},
    }
    return {
        "width": WIDTH + 130,
        "height": 210 if title else 150,
        "data": {"values": rows},
        "layer": [band, *_zone(decision), line, *_threshold(decision, "y"), stop],
    }


def _zone(decision: Decision) -> list[Json]:
    """The zone around the threshold, shaded; nothing where there is none."""
    if not decision.zone:
        return []
    low, high = decision.threshold - decision.zone, decision.threshold + decision.zone
    ends_at: Spec = {"y": {"datum": low, "type": "quantitative"}, "y2": {"datum": high}}
    return [drawn("rect", ends_at, [{}], color=ZONE, opacity=0.75)]


def _path_table(path: Sequence[PathPoint], *, betting: bool) -> Table:
    """The path's points, thinned to a page."""
    wealth = ("Wealth for above", "Wealth for below") if betting else ()

    def told(point: PathPoint) -> tuple[str, ...]:
        return tuple(
            "" if value is None else f"{value:.3g}" for value in (point.e_above, point.e_below)
        )

    return Table(
        caption="Data for the decision path",
        columns=(
            Column("Samples", number=True),
            Column("Share solved", number=True),
            Column("Bounds", number=True),
            *(Column(name, number=True) for name in wealth),
        ),
        rows=tuple(
            (
                str(point.samples),
                percent(point.share),
                ends((point.lo, point.hi)),
                *(told(point) if betting else ()),
            )
            for point in _thinned(path)
        ),
    )


def funnel(stages: Funnel) -> Figure:
    """Bars from crashes seen to operators with a notice."""
    rows: list[Json] = [{"stage": name, "count": count} for name, count in stages.stages()]
    y: Spec = {
        "field": "stage",
        "type": "nominal",
        "sort": None,
        "title": None,
        "axis": {"ticks": False, "domain": False, "labelPadding": 8},
    }
    x: Spec = {"field": "count", "type": "quantitative", "axis": None}
    spec: Spec = {
        "width": WIDTH,
        "height": {"step": ROW},
        "data": {"values": rows},
        "encoding": {"y": y, "x": x},
        "layer": [
            {"mark": {"type": "bar", "color": SUBJECT, "height": 15}},
            {
                "mark": {"type": "text", "align": "left", "dx": 6},
                "encoding": {"text": {"field": "count", "format": ","}},
            },
        ],
    }
    table = Table(
        caption="Data for the chart from crash to notice",
        columns=(Column("Stage"), Column("Count", number=True)),
        rows=tuple((name, f"{count:,}") for name, count in stages.stages()),
    )
    return Figure(
        caption="From crash to notice: distinct things counted at each stage",
        alt="From crash to notice. "
        + "; ".join(f"{name}: {count:,}" for name, count in stages.stages())
        + ".",
        svg=svg(spec),
        data=table,
    )


def levels(suite: SuiteReport) -> Figure | None:
    """Share solved by difficulty, easiest first; None where the suite states no levels."""
    if not suite.levels:
        return None
    rows = [_row(level.name, "subject", level) for level in suite.levels]
    x: Spec = {
        "field": "family",
        "type": "ordinal",
        "sort": None,
        "title": "Difficulty",
        "axis": {"labelAngle": 0, "labelPadding": 6, "ticks": False},
    }
    y: Spec = {
        "field": "share",
        "type": "quantitative",
        "title": "Share solved",
        "scale": UNIT,
        "axis": PERCENT,
    }
    spec: Spec = {
        "width": {"step": 96},
        "height": 190,
        "data": {"values": rows},
        "layer": [
            {
                "mark": {"type": "rule", "color": SUBJECT, "strokeWidth": 2.2},
                "encoding": {"x": x, "y": {**y, "field": "lo"}, "y2": {"field": "hi"}},
            },
            {
                "mark": {
                    "type": "point",
                    "filled": True,
                    "size": 100,
                    "color": SUBJECT,
                    "opacity": 1,
                },
                "encoding": {"x": x, "y": y},
            },
            {
                "mark": {"type": "text", "align": "left", "dx": 9},
                "encoding": {"x": x, "y": y, "text": {"field": "label"}},
            },
        ],
    }
    table = Table(
        caption=f"Data for the chart of difficulty: {suite.title}",
        columns=(
            Column("Difficulty"),
            Column("Solved", number=True),
            Column("Share", number=True),
            Column("95 % interval", number=True),
        ),
        rows=tuple(
            (str(row["family"]), str(row["label"]), percent(_share(row)), str(row["ends"]))
            for row in rows
        ),
    )
    return Figure(
        caption=f"{suite.title}: share solved by difficulty, easiest first, with 95 % intervals",
        alt="Share solved by difficulty. "
        + "; ".join(f"{row['family']}: {row['label']}, interval {row['ends']}" for row in rows)
        + ".",
        svg=svg(spec),
        data=table,
    )


def _suite_rows(suite: SuiteReport, subject: str) -> list[Spec]:
    """The subject's row of the whole suite, then the baseline's where there is one."""
    pairs = ((subject, suite.total), ("tool baseline", suite.baseline_total))
    return [_row(suite.name, name, total) for name, total in pairs if total and total.attempted]


def _family_rows(suite: SuiteReport, subject: str) -> list[Spec]:
    """The subject's row of each family, then the baseline's where there is one."""
    beside = {share.name: share for share in suite.baseline}
    rows: list[Spec] = []
    for family in suite.families:
        if not family.attempted:
            continue  # nothing is known: a point at zero would say otherwise, the table has the counts
        name = f"{suite.name}: {family.name}"
        own = Share(family.name, family.attempted, family.solved, family.interval)
        rows.append(_row(name, subject, own))
        if family.name in beside and beside[family.name].attempted:
            rows.append(_row(name, "tool baseline", beside[family.name]))
    return rows


def _decided_row(decision: Decision, subject: str) -> list[Spec]:
    """The share that was decided on, with the sequential bounds where the rule stopped."""
    if not decision.path:
        return []
    last = decision.path[-1]
    solved = round(last.share * last.samples)
    row = _row(DECIDED, subject, Share(DECIDED, last.samples, solved, (last.lo, last.hi)))
    if last.e_above is None:
        return [row]
    # Items that were drawn with unequal chances are weighed by them: no count of solved ones has this share
    return [{**row, "share": last.share, "label": f"~{round(100 * last.share)} %"}]


def _row(name: str, series: str, share: Share) -> Spec:
    return {
        "family": name,
        "series": series,
        "share": share.solved / share.attempted if share.attempted else 0.0,
        "lo": share.interval[0],
        "hi": share.interval[1],
        "ends": ends(share.interval),
        "label": f"{share.solved}/{share.attempted}",
    }


def _share(row: Spec) -> float:
    share = row["share"]
    return share if isinstance(share, float) else 0.0


def _interval_layers(series: Sequence[str]) -> list[Json]:
    """Line, mark and count of each row; two series stand one below the other within a family."""
    compared = len(series) > 1
    colours: Json = [SUBJECT, BASELINE][: len(series)]
    fills: Json = [SUBJECT, "white"][: len(series)]
    shapes: Json = ["circle", "diamond"][: len(series)]
    dashes: Json = [[1, 0], [5, 3]][: len(series)]
    domain: Json = list(series)
    legend: Json = {"title": None, "orient": "top"} if compared else None
    hue: Spec = {"field": "series", "sort": None, "legend": legend}
    y: Spec = {
        "field": "family",
        "type": "nominal",
        "sort": None,
        "title": None,
        "axis": {"ticks": False, "domain": False, "labelPadding": 8},
        "scale": {"paddingInner": 0.25, "paddingOuter": 0.15} if compared else {},
    }
    rows: Spec = {"y": y, **({"yOffset": {"field": "series", "sort": domain}} if compared else {})}
    x: Spec = {
        "field": "share",
        "type": "quantitative",
        "title": "Share solved",
        "scale": UNIT,
        "axis": PERCENT,
    }
    return [
        {
            "mark": {"type": "rule", "strokeWidth": 2.2},
            "encoding": {
                **rows,
                "x": {**x, "field": "lo"},
                "x2": {"field": "hi"},
                "color": {**hue, "scale": {"domain": domain, "range": colours}},
                "strokeDash": {**hue, "scale": {"domain": domain, "range": dashes}},
            },
        },
        {
            "mark": {"type": "point", "size": 90, "opacity": 1, "strokeWidth": 2},
            "encoding": {
                **rows,
                "x": x,
                "stroke": {**hue, "scale": {"domain": domain, "range": colours}},
                "fill": {**hue, "scale": {"domain": domain, "range": fills}},
                "shape": {**hue, "scale": {"domain": domain, "range": shapes}},
            },
        },
        {
            "mark": {"type": "text", "align": "left", "dx": 12},
            "encoding": {
                **rows,
                "x": {"datum": 1, "type": "quantitative"},
                "text": {"field": "label"},
            },
        },
    ]


def _threshold(decision: Decision, axis: str) -> list[Json]:
    """The threshold as a dashed line across the chart, with its value at its end, where no curve is."""
    at: Spec = {axis: {"datum": decision.threshold, "type": "quantitative"}}
    label: Spec = (
        {"align": "left", "baseline": "middle", "dx": 6}
        if axis == "y"
        else {"align": "center", "baseline": "bottom", "dy": -3}
    )
    edge: Spec = {"x": {"value": "width"}} if axis == "y" else {"y": {"value": 0}}
    return [
        {
            "data": {"values": [{}]},
            "mark": {"type": "rule", "strokeDash": [2, 3], "strokeWidth": 1.6, "color": INK},
            "encoding": at,
        },
        {
            "data": {"values": [{}]},
            "mark": {"type": "text", **label},
            "encoding": {
                **at,
                **edge,
                "text": {"value": f"threshold {percent(decision.threshold)}"},
            },
        },
    ]


def _thinned(points: Sequence[PathPoint], rows_max: int = 11) -> list[PathPoint]:
    """At most *rows_max* of the points, evenly spaced, the last one always among them."""
    step = -(-len(points) // rows_max)
    return list(reversed(points[::-1][::step]))
