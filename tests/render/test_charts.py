"""The charts: what they draw, that they reach out to nothing, and that their data stands beside."""

import re
from dataclasses import replace

import pytest

from leadline.core.report import Funnel, PathPoint, Report, Share, SuiteState
from leadline.render import charts
from leadline.render.document import Figure
from leadline.render.effort import success_against_tokens
from render.sample import chains, defence, model_report, report, wide_report


def crowded() -> Report:
    """More families than the first sheet has room for, beside a baseline."""
    planted = report().suites[0]
    many = tuple(replace(planted.families[0], name=f"class {n}") for n in range(13))
    total = Share("all families", 208, 156, (0.687, 0.804))
    wide = replace(planted, families=many, total=total, baseline_total=replace(total, solved=40))
    return replace(model_report(), suites=(wide,))


def every() -> list[Figure]:
    """Each chart of both sample reports."""
    made = [
        charts.intervals(report()),
        charts.intervals(model_report()),
        charts.decision_path(report().decision),
        charts.funnel(report().funnel),
        charts.levels(report().suites[0]),
        charts.families(report().suites[0], report()),
        charts.intervals(crowded()),
        charts.twins(defence()),
        charts.milestones(chains()),
        *(success_against_tokens(one) for one in wide_report().effort),
    ]
    return [figure for figure in made if figure]


@pytest.fixture(scope="module")
def figures() -> list[Figure]:
    """All ten, drawn once."""
    made = every()
    assert len(made) == 10
    return made


def test_a_chart_reaches_out_to_nothing(figures: list[Figure]) -> None:
    """No script, style, link or address but the namespace's own stands in any chart."""
    for figure in figures:
        assert set(re.findall(r"<(\w+)", figure.svg)) <= {
            "svg",
            "rect",
            "g",
            "path",
            "line",
            "text",
        }
        addresses = set(re.findall(r"https?://[^\"' ]+", figure.svg))
        assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}


def test_a_chart_is_drawn_alike_each_time(figures: list[Figure]) -> None:
    """The same values give the same bytes, so that a PDF can be rebuilt from the record."""
    assert [figure.svg for figure in every()] == [figure.svg for figure in figures]


def test_a_chart_says_in_words_and_in_a_table_what_it_draws(figures: list[Figure]) -> None:
    """Alternative text and data table carry each number that the chart writes out."""
    for figure in figures:
        assert len(figure.alt) > 40
        assert figure.data.rows
        assert all(len(row) == len(figure.data.columns) for row in figure.data.rows)
        drawn = {text for text in re.findall(r">([^<]+)</text>", figure.svg) if "/" in text}
        cells = {cell for row in figure.data.rows for cell in row}
        assert {text for text in drawn if re.fullmatch(r"\d+/\d+", text)} <= cells


def test_a_model_stands_beside_the_tool_baseline() -> None:
    """Two series, told apart by shape, fill and dash and not by colour alone."""
    alone, both = charts.intervals(report()), charts.intervals(model_report())
    assert alone
    assert both
    assert {row[1] for row in alone.data.rows} == {"baseline"}
    assert {row[1] for row in both.data.rows} == {
        "openai-api/local/demonstration-model",
        "tool baseline",
    }
    assert "tool baseline" in both.svg
    assert "stroke-dasharray" in both.svg
    diamonds = both.svg.count('fill="white" stroke="#8a5a00"')
    assert diamonds >= 4


def test_the_number_decided_on_has_the_first_row() -> None:
    """The threshold concerns one number, so that number and its bounds come first."""
    chart = charts.intervals(report())
    assert chart
    assert chart.data.rows[0] == (charts.DECIDED, "baseline", "26/63", "41 %", "26 to 56 %")
    bare = charts.intervals(replace(report(), decision=replace(report().decision, path=())))
    assert bare
    assert charts.DECIDED not in bare.svg


def test_nothing_measured_draws_nothing() -> None:
    """Without a row there is no chart, rather than an empty one."""
    off = tuple(
        replace(
            suite,
            state=SuiteState.UNAVAILABLE,
            families=(),
            baseline=(),
            levels=(),
            reason="no index",
        )
        for suite in report().suites
    )
    assert charts.intervals(replace(report(), suites=off)) is None
    assert charts.levels(off[0]) is None
    assert charts.decision_path(replace(report().decision, path=())) is None


@pytest.mark.parametrize("count", [1, 10, 11, 12, 23, 400])
def test_a_long_path_keeps_its_last_point_in_the_table(count: int) -> None:
    """The table is thinned to a page's worth, and its last row is where the path ended."""
    path = tuple(PathPoint(n, 0.5, 0.25, 0.75) for n in range(1, count + 1))
    decision = replace(report().decision, path=path, samples_used=count, samples_total=count)
    figure = charts.decision_path(decision)
    assert figure
    assert 1 <= len(figure.data.rows) <= 11
    assert figure.data.rows[-1][0] == str(count)


def test_a_path_that_went_on_is_marked_where_the_rule_stopped() -> None:
    """Samples run after the decision do not move the mark."""
    decision = replace(report().decision, samples_used=40)
    stopped, ran_on = charts.decision_path(decision), charts.decision_path(report().decision)
    assert stopped
    assert ran_on
    assert stopped.svg != ran_on.svg


def test_a_funnel_of_nothing_still_counts() -> None:
    """Zero is a number to show."""
    figure = charts.funnel(Funnel(0, 0, 0, 0, 0, 0))
    assert [row[1] for row in figure.data.rows] == ["0"] * 6
    assert figure.svg.count(">0</text>") == 6


def test_a_family_that_was_never_tried_has_no_point() -> None:
    """A point at zero would say that something is known; the table below has the counts."""
    planted, *others = report().suites
    empty = replace(
        planted.families[0], attempted=0, solved=0, interval=(0.0, 1.0), upper_bound=None
    )
    chart = charts.intervals(
        replace(report(), suites=(replace(planted, families=(empty,)), *others))
    )
    assert chart
    assert not any("planted: stack overflow" in row for row in chart.data.rows)


def test_many_families_become_one_row_a_suite() -> None:
    """The first sheet keeps its room: a suite's row, the baseline's beside it, and the one decided on."""
    figure = charts.intervals(crowded())
    assert figure is not None
    assert {row[0] for row in figure.data.rows} == {charts.DECIDED, "planted"}
    assert [row[2] for row in figure.data.rows if row[0] == "planted"] == ["156/208", "40/208"]


def test_without_pairs_or_steps_there_is_no_chart() -> None:
    """A suite that repairs nothing and has no chains draws neither."""
    planted = report().suites[0]
    assert charts.twins(planted) is None
    assert charts.milestones(planted) is None
    assert charts.families(replace(planted, families=()), report()) is None


def test_a_share_that_was_estimated_is_no_count() -> None:
    """Where bets decide, the row that was decided on shows the estimate of its share; else what was counted."""
    told = report()
    last = told.decision.path[-1]
    weighed = replace(last, share=0.337, e_above=0.5, e_below=30.0)
    bets = replace(told, decision=replace(told.decision, path=(*told.decision.path[:-1], weighed)))
    for one, label in (
        (bets, "~34 %"),
        (told, f"{round(last.share * last.samples)}/{last.samples}"),
    ):
        figure = charts.intervals(one)
        assert figure is not None
        assert f">{label}<" in figure.svg
