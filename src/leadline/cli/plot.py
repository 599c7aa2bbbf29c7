"""What `--plot` draws: the pictures of a replay of decisions, and those of fitted horizons."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from leadline.cli.pictures import About, Picture, folder_for, need_pictures, write_pictures
from leadline.cli.table import text_of
from leadline.core.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from leadline.core.measure.active import Rule
    from leadline.core.measure.held_out import Decided, HeldOut
    from leadline.core.measure.horizon import Horizons, Runs, Trend
    from leadline.core.measure.interval import FloatArray, Interval
    from leadline.core.measure.irt import WrightMap
    from leadline.core.measure.trace import Trace
    from leadline.formats.score_matrix import ScoreMatrix
    from leadline.render.document import Figure

POINTS = 161  # at which the information of the test is worked out
REPLAYED = (
    "A replay of runs that were already made: it shows what deciding early would have cost, and the order "
    "was drawn afterwards. Everything holds for this suite, this budget and the effort shown; uniform low "
    "effort is excluded by nothing."
)
FITTED = (
    "Horizons are of these tasks and these human times, in human working time; they hold for this suite, "
    "this budget and the effort shown, and say nothing beyond the longest task."
)


@dataclass(frozen=True, slots=True)
class Replay:
    """A finished replay of the table in the file *source*, by *rule* and *holdout*."""

    source: Path
    table: "ScoreMatrix"
    told: "HeldOut"
    rule: "Rule"
    holdout: str


def check_plot(folder: Path | None, **options: object) -> None:
    """Return if pictures are not asked for, or can be drawn: before anything long is worked out.

    Raises: Unavailable, with the command that installs what is missing; Invalid, for *options* of
    pictures without a folder for them.
    """
    if folder is not None:
        need_pictures()
        return
    alone = next((name for name, value in options.items() if value is not None), None)
    if alone is not None:
        raise Invalid(f"--{alone}", "says what to draw; give --plot with a folder for the pictures")


def plot_replay(
    folder: Path, replay: Replay, model: str | None, families: Path | None
) -> tuple[str, ...]:
    """Write cost, wealth, wright and families; answers the names of the files.

    *model* is the one whose path and families are shown; None takes the most costly. *families* is a
    table ``item,family``; without it families are read off the items' names.

    Raises: Invalid, for an unknown model, families that do not fit, or a folder that cannot be written.
    """
    from leadline.render.decisions import decision_cost, wealth_path
    from leadline.render.statistics import wright

    one = _chosen(replay.told, model)
    pictures = (
        Picture("cost", "Cost to decision", decision_cost(replay.told)),
        Picture("wealth", f"Path of one decision: {one.model}", wealth_path(*_traced(replay, one))),
        Picture("wright", "Models and items on one scale", wright(_map(replay), one.model)),
        Picture("families", f"Share by family: {one.model}", _forest(replay, one, families)),
    )
    about = About("Decisions from a finished table", replay.source, REPLAYED)
    return write_pictures(folder_for(folder), about, pictures)


def _chosen(told: "HeldOut", model: str | None) -> "Decided":
    if model is None:
        return max(told.decided, key=lambda one: one.outcome.n / one.items)
    found = next((one for one in told.decided if one.model == model), None)
    if found is None:
        raise Invalid("--model", f"{model!r:.80} was not decided about")
    return found


def _traced(replay: Replay, one: "Decided") -> tuple["Trace", str]:
    from leadline.core.measure.held_out import Holdout, Table
    from leadline.core.measure.trace import subject_of, trace

    table = Table(replay.table.models, replay.table.items, replay.table.scores)
    holdout: Holdout = "temporal" if replay.holdout == "temporal" else "loo"
    subject = subject_of(table, holdout, one.model)
    row = replay.table.scores[replay.table.models.index(one.model)][subject.held]
    order = one.outcome.order
    return trace(subject.bank, replay.rule, order, row[list(order)].tolist()), one.model


def _map(replay: Replay) -> "WrightMap":
    """All rows of the table on one scale: a description, on which no decision rests."""
    import numpy as np

    from leadline.core.measure.irt import Responses, fit_irt, wright_map

    scores = replay.table.scores
    trials = (~np.isnan(scores)).astype(float)
    seen = trials.sum(axis=0) > 0
    names = tuple(item for item, is_seen in zip(replay.table.items, seen, strict=True) if is_seen)
    given = Responses(replay.table.models, names, np.nan_to_num(scores[:, seen]), trials[:, seen])
    fit = fit_irt(given)
    low = float(min(fit.b.min(), fit.theta.min())) - 1
    high = float(max(fit.b.max(), fit.theta.max())) + 1
    return wright_map(fit, replay.rule.threshold, np.linspace(low, high, POINTS).tolist())


def _forest(replay: Replay, one: "Decided", families: Path | None) -> "Figure":
    import numpy as np

    from leadline.formats.pairs_csv import families_by_name, read_families
    from leadline.render.statistics import Benchmark, forest

    items = replay.table.items
    family = read_families(text_of(families), items) if families else families_by_name(items)
    row = replay.table.scores[replay.table.models.index(one.model)]
    known = ~np.isnan(row)
    shares = tuple(
        (name, _interval(row[known & np.array([family[item] == name for item in items])]))
        for name in sorted(set(family.values()))
    )
    whole = Benchmark(replay.source.stem, shares, _interval(row[known]))
    told = "families as given" if families else "families by the items' names"
    return forest((whole,), f"{one.model}, {told}")


def _interval(scores: "FloatArray") -> "Interval":
    """The share over items: binomial where all scores are 0 or 1, else by its own spread."""
    import numpy as np

    from leadline.core.measure.interval import clustered, interval

    if np.isin(scores, (0, 1)).all():
        return interval(int(scores.sum()), len(scores))
    return clustered(scores, np.arange(len(scores)), n_runs=len(scores))


def plot_horizons(
    folder: Path, source: Path, runs: "Runs", told: "Horizons", released: Path | None
) -> tuple[str, ...]:
    """Write logistic-grid and horizons; answers the names of the files.

    *released* is a table ``model,date``: with it models stand by date, with their trend where there is one.

    Raises: Invalid, for dates that do not fit or a folder that cannot be written.
    """
    from leadline.core.measure.binned import binned
    from leadline.formats.pairs_csv import read_dates
    from leadline.render.horizons import horizon_rows
    from leadline.render.logistic_grid import logistic_grid

    dates = read_dates(text_of(released), told.models) if released else None
    trend = _trend(told, dates) if dates else ""
    pictures = (
        Picture("horizons", "Time horizons", horizon_rows(told, dates, trend)),
        Picture("logistic-grid", "The fit of each model", logistic_grid(told, binned(runs))),
    )
    about = About("Time horizons", source, FITTED)
    return write_pictures(folder_for(folder), about, pictures)


def _trend(told: "Horizons", released: "Mapping[str, date]") -> "Trend | str":
    """The trend, or in words why there is none."""
    from leadline.core.measure.horizon import horizon_trend

    days = {name: float(day.toordinal()) for name, day in released.items()}
    try:
        return horizon_trend(told, days)
    except Invalid as error:
        return f"There is no trend: {error.problem}."
