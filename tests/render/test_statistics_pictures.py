"""The pictures of statistics: what each draws, what it leaves out, and that words and data say the same."""

import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from html import unescape
from math import inf, nan
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit

from leadline.core.errors import Invalid
from leadline.core.measure.active import Rule
from leadline.core.measure.binned import binned
from leadline.core.measure.held_out import HeldOut, Table, decide_all
from leadline.core.measure.horizon import Horizons, Runs, horizon_trend, time_horizon
from leadline.core.measure.interval import interval
from leadline.core.measure.irt import Responses, WrightMap, fit_irt, wright_map
from leadline.core.measure.milestones import Curve, MeanSteps, Point
from leadline.core.measure.trace import Trace, subject_of, trace
from leadline.core.report import Decision
from leadline.render import charts, horizon_marks, horizons, statistics, vega, wealth
from leadline.render import logistic_grid as grid
from leadline.render.decisions import decision_cost, wealth_path
from leadline.render.document import Figure
from leadline.render.effort import success_against_tokens
from leadline.render.horizons import horizon_rows
from leadline.render.logistic_grid import logistic_grid
from leadline.render.pages import report_document
from leadline.render.pdf import pdf
from leadline.render.statistics import Benchmark, climbed, forest, wright
from leadline.render.wealth import Wealth, wealth_panel
from render.sample import report, wide_report

SMALL, CONTRAST = 10, 4.5
DAYS = {"short": date(2024, 1, 1), "middle": date(2025, 1, 1), "long": date(2026, 1, 1)}


def runs() -> Runs:
    """Models that solve tasks of ever longer times, one that solves all, one none, one the long ones."""
    rng = np.random.default_rng(2)
    minutes = np.repeat(2.0 ** np.linspace(0, 10, 40), 1)
    able = {"short": 3.0, "middle": 30.0, "long": 150.0}
    score = {
        name: (rng.random(40) < 1 / (1 + (minutes / at) ** 1.5)).astype(float)
        for name, at in able.items()
    }
    score |= {"all": np.ones(40), "none": np.zeros(40), "odd": (minutes > 100).astype(float)}
    names = list(score)
    tasks = [f"t{n}" for n in range(40)]
    return Runs(
        np.repeat(names, 40),
        np.array(tasks * len(names)),
        np.array([f"f{n % 4}" for n in range(40)] * len(names)),
        np.tile(minutes, len(names)),
        np.concatenate(list(score.values())),
    )


@pytest.fixture(scope="module")
def fitted() -> Horizons:
    """The horizons of `runs`."""
    return time_horizon(runs(), replicates=60)


def table() -> Table:
    """Sixteen models at forty items."""
    rng = np.random.default_rng(4)
    chance = expit(rng.normal(0, 2, 16)[:, None] - rng.normal(size=40))
    scores = (rng.random((16, 40)) < chance).astype(float)
    return Table(tuple(f"m{n}" for n in range(16)), tuple(f"i{n}" for n in range(40)), scores)


@pytest.fixture(scope="module")
def held() -> HeldOut:
    """Every model of `table` decided about."""
    return decide_all(table(), Rule(0.5, 0.05, 0.1, 0.05))


def traced(held: HeldOut) -> Trace:
    """The path of the most costly of those decisions."""
    one = max(held.decided, key=lambda each: each.outcome.n)
    subject = subject_of(table(), "loo", one.model)
    row = table().scores[table().models.index(one.model)]
    order = list(one.outcome.order)
    return trace(subject.bank, Rule(0.5, 0.05, 0.1, 0.05), order, row[order].tolist())


def scale() -> WrightMap:
    """Models and items of `table` on one scale, with a threshold."""
    whole = table()
    fit = fit_irt(Responses(whole.models, whole.items, whole.scores, np.ones_like(whole.scores)))
    return wright_map(fit, 0.6)


def steps(mean: float = 2.5) -> MeanSteps:
    """Four of six steps at most."""
    return MeanSteps(
        method="student",
        n_items=4,
        n_runs=4,
        n_clusters=4,
        alpha=0.05,
        estimand="rate",
        steps=6,
        mean=mean,
        low=1.0,
        high=4.0,
        whole=0,
        left_out=0,
    )


def benchmark(name: str = "suite") -> Benchmark:
    """Three families, one of them without a run."""
    held = (("web", interval(3, 10)), ("pwn", interval(0, 4)), ("rev", interval(0, 0)))
    return Benchmark(name, held, interval(3, 14))


@pytest.fixture(scope="module")
def figures(fitted: Horizons, held: HeldOut) -> Mapping[str, Figure]:
    """Each picture once."""
    trend = horizon_trend(fitted, {name: float(day.toordinal()) for name, day in DAYS.items()})
    return {
        "grid": logistic_grid(fitted, binned(runs())),
        "rows": horizon_rows(fitted),
        "trend": horizon_rows(fitted, DAYS, trend),
        "cost": decision_cost(held),
        "wealth": wealth_path(traced(held), "m"),
        "wright": wright(scale(), "m3"),
        "forest": forest([benchmark()], "A model"),
        "forests": forest([benchmark("one"), benchmark("two")], "A model"),
        "climbed": climbed(
            Curve((Point(0, 0.0), Point(50, 1.0), Point(90, 2.5)), 60), steps(), "tokens", "Ranges"
        ),
    }


def texts(figure: Figure) -> list[str]:
    """Every text that a picture writes out."""
    return [unescape(text) for text in re.findall(r">([^<]+)</(?:text|tspan)>", figure.svg)]


def test_no_picture_reaches_out(figures: Mapping[str, Figure]) -> None:
    """Shapes and text alone; no address but the namespaces' own."""
    for figure in figures.values():
        assert set(re.findall(r"<(\w+)", figure.svg)) <= {
            *("svg", "rect", "g", "path", "line", "text", "tspan"),
            *("defs", "clipPath"),
        }
        addresses = set(re.findall(r"https?://[^\"' ]+", figure.svg))
        assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}


def test_every_text_can_be_read(figures: Mapping[str, Figure]) -> None:
    """At least ten pixels high, and dark enough on white."""
    for figure in figures.values():
        assert min(float(s) for s in re.findall(r'font-size="([\d.]+)px"', figure.svg)) >= SMALL
        inks = set(re.findall(r'<text[^>]*? fill="(#\w{6})"', figure.svg))
        assert inks
        assert all(contrast(ink) >= CONTRAST for ink in inks)


def contrast(colour: str) -> float:
    """Contrast with white, as WCAG 2 counts it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 1.05 / (0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] + 0.05)


def test_every_picture_has_words_and_data(figures: Mapping[str, Figure]) -> None:
    """A finding in words, a caption, and a row of data for whatever is drawn."""
    for figure in figures.values():
        assert len(figure.alt) > 40
        assert len(figure.caption) > 40
        assert figure.data.rows
        assert all(len(row) == len(figure.data.columns) for row in figure.data.rows)


def test_no_colour_is_alone_in_telling_series_apart(figures: Mapping[str, Figure]) -> None:
    """Two series differ by dash or by shape and fill."""
    assert "stroke-dasharray" in figures["wealth"].svg
    assert 'fill="white"' in figures["cost"].svg
    assert 'fill="white"' in figures["forest"].svg
    assert "stroke-dasharray" in figures["climbed"].svg


def test_a_picture_is_drawn_alike_each_time(
    fitted: Horizons, figures: Mapping[str, Figure]
) -> None:
    """Equal values give equal bytes."""
    assert horizon_rows(fitted).svg == figures["rows"].svg


def test_the_grid_shows_each_model_with_its_horizon(figures: Mapping[str, Figure]) -> None:
    """A name and a finding in words over each small picture."""
    written = texts(figures["grid"])
    assert {"short", "middle", "long", "all", "none", "odd"} <= set(written)
    assert "solved nothing" in written
    assert any("no horizon" in text for text in written)
    assert any(text.startswith("at least") for text in written)
    assert len(figures["grid"].data.rows) == len(binned(runs()))


def test_the_curve_ends_with_the_longest_task(fitted: Horizons) -> None:
    """Nothing is drawn beyond the tasks that a model was tried at."""
    one, bins = fitted.of("middle"), [b for b in binned(runs()) if b.model == "middle"]
    times = [float(str(point["minutes"])) for point in grid._fit(one, bins)]
    assert min(times) == pytest.approx(min(b.shortest for b in bins))
    assert max(times) == pytest.approx(max(b.longest for b in bins))
    assert grid._fit(fitted.of("none"), bins) == []


def test_an_exhausted_suite_gives_an_arrow_and_no_point(fitted: Horizons) -> None:
    """It says “at least”, with no number of its own in picture or table."""
    one = replace(fitted.of("middle"), saturated=True, low=40.0, high=inf)
    row = horizon_marks.placed(one, (1.0, 2048.0))
    assert (row["kind"], row["low"], row["high"]) == ("arrow", 40.0, 2048.0)
    assert horizon_marks.told_of(one) == "at least 40 min"
    assert horizons._point(one) == ""


@pytest.mark.parametrize(
    ("change", "words", "kind"),
    [
        ({"point": 0.0, "low": 0.0, "high": 0.0}, "solved nothing", "none"),
        ({"point": nan, "slope": nan}, "the fit did not settle", "none"),
        ({"slope": 0.4}, "no horizon: success rises", "none"),
        ({"saturated": True, "low": inf}, "solved all, no bound", "none"),
        ({"point": 90.0, "low": 0.0, "high": inf}, "1.5 h (0 s to beyond)", "point"),
        ({"point": 0.5, "low": 0.1, "high": 2.0}, "30 s (6.0 s to 2.0 min)", "interval"),
        ({"point": 0.5, "low": 0.1, "high": 0.6}, "30 s (6.0 s to 36 s)", "none"),
    ],
)
def test_what_is_no_plain_horizon_is_said(
    fitted: Horizons, change: Mapping[str, float], words: str, kind: str
) -> None:
    """Each in words, and drawn as far as it can be between the ends of the axis."""
    one = replace(fitted.of("middle"), saturated=False)
    one = replace(one, **change)  # type: ignore[arg-type]
    assert horizon_marks.told_of(one) == words
    assert horizon_marks.placed(one, (1.0, 2048.0))["kind"] == kind


def test_horizons_stand_by_length_with_both_levels(
    fitted: Horizons, figures: Mapping[str, Figure]
) -> None:
    """Longest first; the table has a row a model and the data of each."""
    names = [row[0] for row in figures["rows"].data.rows]
    assert names[:2] == ["all", "long"]
    assert names.index("long") < names.index("middle") < names.index("short")
    assert set(names) == set(fitted.models)
    assert "longest task" in texts(figures["rows"])


def test_the_trend_says_how_long_horizons_take_to_double(figures: Mapping[str, Figure]) -> None:
    """With its interval, over the dated models alone, whose days stand in the table."""
    figure = figures["trend"]
    assert re.search(
        r"Horizons double in \d+ days \(95 % interval .*\), over 3 models", figure.caption
    )
    days = {row[0]: row[-1] for row in figure.data.rows}
    assert days["short"] == "2024-01-01"
    assert days["all"] == ""
    assert "Released" in texts(figure)


def test_without_a_trend_it_is_said_why(fitted: Horizons) -> None:
    """Models stand by date without a line; the reason is in the caption."""
    figure = horizon_rows(fitted, {"short": date(2024, 1, 1)}, "There is no trend: one model.")
    assert figure.caption.endswith("There is no trend: one model.")
    undated = horizon_rows(fitted, {})
    assert "Released" not in texts(undated)


def test_horizons_that_do_not_grow_have_no_doubling_time(fitted: Horizons) -> None:
    """A falling line is told as such."""
    back = {"short": date(2026, 1, 1), "middle": date(2025, 1, 1), "long": date(2024, 1, 1)}
    days = {name: float(day.toordinal()) for name, day in back.items()}
    figure = horizon_rows(fitted, back, horizon_trend(fitted, days))
    assert "do not grow" in figure.caption


def test_many_models_are_left_to_the_table(
    fitted: Horizons, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The longest horizons are drawn, the others counted."""
    monkeypatch.setattr(grid, "MODELS_MAX", 2)
    figure = logistic_grid(fitted, binned(runs()))
    assert "4 models with shorter horizons stand in the table only" in figure.caption
    assert "short" not in texts(figure)


def test_numbers_of_close_points_stand_apart() -> None:
    """Points of one place get numbers at different places."""
    points = [(100, 60.0, str(n)) for n in range(6)]
    told = horizons._apart(points, (0, 400), (1.0, 1024.0))
    places = {tuple(sorted(row.items())) for row in told if isinstance(row, dict)}
    assert len(places) == 6


def test_wealth_is_drawn_against_both_goals(figures: Mapping[str, Figure]) -> None:
    """1/alpha of each side, where the rule stopped, the threshold."""
    written = texts(figures["wealth"])
    assert {"1/alpha = 20, for above", "1/alpha = 10, for below", "threshold 50 %"} <= set(written)
    assert any(re.fullmatch(r"\d+ of 40 items: [a-z ]+", text) for text in written)
    assert figures["wealth"].caption.count("zone") == 1


def test_one_alpha_gives_one_line(held: HeldOut) -> None:
    """Equal errors on both sides share their goal; without a zone none is named."""
    one = traced(held)
    figure = wealth_path(replace(one, rule=Rule(0.5, 0.05, 0.05)), "m")
    assert "1/alpha = 20, either side" in texts(figure)
    assert "zone" not in figure.caption


def test_a_stop_by_arithmetic_is_told(held: HeldOut) -> None:
    """Where wealth did not reach its goal, the items left had nothing more to say."""
    one = traced(held)
    last = replace(one.steps[-1], log10_above=0.1, low=0.6)
    told = replace(one, state="above", steps=(*one.steps[:-1], last))
    assert "could not change it" in wealth_path(told, "m").alt
    assert "with every item seen" in wealth_path(replace(told, items=last.n), "m").alt
    ended = replace(told, steps=(*one.steps[:-1], replace(last, log10_above=1.4)))
    assert "could not change it" not in wealth_path(ended, "m").alt


def test_a_side_settled_by_arithmetic_has_no_wealth() -> None:
    """None is left out of the line, and deep wealth to the table."""
    path = [Wealth(0, 0.0, 0.0), Wealth(1, 1.0, -30.0), Wealth(2, None, inf)]
    panel = wealth_panel(path, (0.05, 0.05), (2, "2 of 2"))
    drawn = str(panel["layer"])
    assert f"'domain': [{wealth.DEEPEST}" in drawn
    figure_text = vega.svg(panel)
    assert "2 of 2" in figure_text


def test_cost_marks_what_was_wrong(held: HeldOut) -> None:
    """A conclusion against the full row is crossed and named, in the picture and in the table."""
    first = replace(
        held.decided[0], mean=0.9, outcome=replace(held.decided[0].outcome, state="below")
    )
    open_ = replace(held.decided[1], outcome=replace(held.decided[1].outcome, state="exhausted"))
    high = replace(
        held.decided[2], mean=0.1, outcome=replace(held.decided[2].outcome, state="above")
    )
    figure = decision_cost(replace(held, decided=(first, open_, high, *held.decided[3:])))
    assert texts(figure).count("wrong") == 2
    assert [row[-1] for row in figure.data.rows[:3]] == ["wrong", "undetermined", "wrong"]
    assert "1 falsely above, 1 falsely below, 1 undetermined" in figure.alt


def test_cost_has_a_row_and_a_median(held: HeldOut, figures: Mapping[str, Figure]) -> None:
    """Every decision in the table; the median in words; nothing wrong here."""
    assert len(figures["cost"].data.rows) == len(held.decided)
    middle = 100 * float(np.median(held.fractions))
    assert f"median {middle:.1f} %" in figures["cost"].alt
    assert "wrong" not in texts(figures["cost"])


def test_few_decisions_have_no_quartiles(held: HeldOut) -> None:
    """Under four decisions at a distance there is no box, and without a zone no shade."""
    few = replace(held, decided=held.decided[:2], zone=0.0)
    assert f'fill="{vega.PALE}"' not in decision_cost(few).svg
    assert f'fill="{vega.ZONE}"' not in decision_cost(few).svg


def test_a_forest_has_every_family_and_the_whole(figures: Mapping[str, Figure]) -> None:
    """Shares with intervals in words; a family without runs has none."""
    written = texts(figures["forest"])
    assert {"web", "pwn", "rev", "all of suite", "no runs"} <= set(written)
    assert "30 % (11 to 60 %), n = 10" in written
    assert [row[3] for row in figures["forest"].data.rows] == ["0.3", "0", "", "0.2143"]
    assert {"one: web", "two: web"} <= set(texts(figures["forests"]))


def test_a_forest_of_many_families_leaves_some_to_the_table() -> None:
    """Drawn rows are bounded; what is left out is counted."""
    many = tuple((f"f{n}", interval(n % 5, 5)) for n in range(statistics.ROWS_MAX + 4))
    figure = forest([Benchmark("suite", many, interval(9, 20))], "A model")
    assert "5 more rows stand in the table" in figure.caption
    assert len(figure.data.rows) == statistics.ROWS_MAX + 5
    with pytest.raises(Invalid, match="benchmarks"):
        forest([], "nothing")


def test_a_wright_map_tells_the_information_at_the_threshold(figures: Mapping[str, Figure]) -> None:
    """As the map's own curve has it, with the standard error it means."""
    told = scale()
    assert told.threshold is not None
    value = float(np.interp(told.threshold, told.theta, told.information))
    assert (
        f"information {value:.1f} (standard error {value**-0.5:.2f} logits)"
        in figures["wright"].caption
    )
    assert f"at the threshold {value:.1f}" in texts(figures["wright"])
    assert {f"m{n}" for n in range(16)} <= set(texts(figures["wright"]))
    assert len(figures["wright"].data.rows) == 16 + 40 + 1


def test_a_wright_map_of_many_models_names_few(figures: Mapping[str, Figure]) -> None:
    """The extreme ones and the marked one; without a threshold none is drawn."""
    told = scale()
    many = tuple((f"x{n}", n / 10 - 2, 0.3) for n in range(40))
    figure = wright(replace(told, models=many, threshold=None), "x7")
    assert {text for text in texts(figure) if text.startswith("x")} == {"x0", "x7", "x39"}
    assert "No threshold is given" in figure.alt
    rising = wright(replace(told, threshold=min(told.theta) + 1))
    assert any("at the threshold" in text for text in texts(rising))


def test_steps_beyond_the_first_limit_are_dashed(figures: Mapping[str, Figure]) -> None:
    """Where limits had ended attempts the line says less than what could have been."""
    assert "first attempt ended by its limit" in texts(figures["climbed"])
    assert "dashed from 60 tokens on" in figures["climbed"].caption
    whole = climbed(Curve((Point(0, 0.0), Point(50, 2.5)), None), steps(), "seconds", "Ranges")
    assert "limit" not in whole.caption
    assert whole.data.rows == (("0", "0"), ("50", "2.5"))
    assert "2.50 of 6 steps (1.00 to 4.00)" in whole.alt


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0.0, "0 s"),
        (0.29, "17 s"),
        (0.999, "1.0 min"),
        (36.2, "36 min"),
        (186.0, "3.1 h"),
        (6404, "107 h"),
    ],
)
def test_times_are_said_as_people_say_them(value: float, words: str) -> None:
    """Seconds, minutes or hours, two digits."""
    assert vega.duration(value) == words


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3, "3"),
        (0.5, "0.5"),
        (1 / 3, "0.3333"),
        (1234.56, "1235"),
        (inf, "inf"),
        (-inf, "-inf"),
        (nan, "nan"),
        (1e20, "1e+20"),
        (-0.25, "-0.25"),
    ],
)
def test_numbers_of_a_table_keep_four_digits(value: float, text: str) -> None:
    """Whole numbers whole, others to four significant digits."""
    assert vega.number(value) == text


def test_a_name_with_line_breaks_stays_on_one_line() -> None:
    """Control characters of a name become spaces."""
    assert vega.plain("a\nb\x00c") == "a b c"


def betting() -> Decision:
    """The sample report's decision, with the wealth of bets along its path."""
    given = report().decision
    path = tuple(
        replace(one, e_above=1.05**one.samples, e_below=0.9**one.samples) for one in given.path
    )
    return replace(given, path=path)


def test_the_reports_path_shows_the_bets_where_there_are_any() -> None:
    """Wealth on both sides against 1/alpha, below the share and its bounds; in the table too."""
    plain, bets = charts.decision_path(report().decision), charts.decision_path(betting())
    assert plain
    assert bets
    assert "Wealth" not in texts(plain)
    assert {"Wealth", "for above", "for below", "threshold 25 %"} <= set(texts(bets))
    assert "63 of 64: above" in texts(bets)
    assert [len(row) for row in (plain.data.rows[0], bets.data.rows[0])] == [3, 5]
    assert bets.alt.endswith("Wealth for above 21.6, for below 0.00131.")


def test_a_side_without_wealth_is_left_empty() -> None:
    """None and nought draw no point and leave a cell empty or 0; the other side is drawn."""
    given = betting()
    last = replace(given.path[-1], e_above=None, e_below=0.0)
    figure = charts.decision_path(replace(given, path=(*given.path[:-1], last)))
    assert figure
    assert figure.data.rows[-1][-2:] == ("", "0")
    assert figure.alt.endswith("Wealth for below 0.")
    none = replace(last, e_below=None)
    figure = charts.decision_path(replace(given, path=(*given.path[:-1], none), samples_used=0))
    assert figure
    assert "Wealth" not in figure.alt


def test_the_reports_path_shades_the_zone() -> None:
    """Only where there is one."""
    without = charts.decision_path(report().decision)
    shaded = charts.decision_path(replace(report().decision, zone=0.05))
    assert without
    assert shaded
    assert vega.ZONE not in without.svg
    assert vega.ZONE in shaded.svg
    assert "zone (shaded)" in shaded.caption


def test_success_against_tokens_marks_what_was_cut_off() -> None:
    """A tick for each attempt cut off by something else, and the budget, beyond which nothing is drawn."""
    one = wide_report().effort[0]
    cut, whole = (
        success_against_tokens(one),
        success_against_tokens(replace(one, cut_at=())),
    )
    assert "budget 500,000" in texts(cut)
    assert "(ticks)" in cut.caption
    assert "(ticks)" not in whole.caption
    ticks = [figure.svg.count('aria-roledescription="tick"') for figure in (cut, whole)]
    assert ticks == [2, 0]


def test_a_report_of_chains_shows_how_steps_add_up() -> None:
    """Beside the share of attempts that reached each step stands when they were climbed."""
    shown = [figure.caption for figure in report_document(wide_report()).figures()]
    assert any(caption.startswith("water: steps climbed, cumulative") for caption in shown)


@pytest.mark.parametrize(
    ("ends", "ticks"),
    [
        ((1.0, 300.0), [1.0, 4.0, 15.0, 60.0, 240.0]),
        ((3.0, 13.0), [5.0, 10.0]),
        ((1.1, 1.2), []),
        ((1e-3, 1e8), 8),
    ],
)
def test_axes_of_time_have_round_ticks(ends: tuple[float, float], ticks: list[float] | int) -> None:
    """Few of them, and finer ones where a narrow axis would have hardly any."""
    axis = vega.minutes("minutes", None, ends)["axis"]
    assert isinstance(axis, dict)
    if isinstance(ticks, int):
        assert len(axis["values"]) <= ticks
    else:
        assert axis["values"] == pytest.approx(ticks)


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="needs poppler-utils")
def test_a_wide_table_leaves_its_chart_legible_on_paper(tmp_path: Path) -> None:
    """It stands below, so that the smallest words of the chart are six points high or more."""
    (tmp_path / "made.pdf").write_bytes(pdf(report_document(replace(report(), decision=betting()))))
    argv = ["pdftotext", "-bbox", str(tmp_path / "made.pdf"), "-"]
    boxes = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    found = re.findall(r'yMin="([\d.]+)" xMax="[\d.]+" yMax="([\d.]+)">1/alpha<', boxes)
    assert found
    assert all(float(bottom) - float(top) >= 6 for top, bottom in found)
