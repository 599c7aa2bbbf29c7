"""`leadline horizon`: how long the tasks are that a model solves half of the time."""

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadline.cli.edge import edge
from leadline.cli.plot import check_plot, plot_horizons
from leadline.cli.table import text_of

if TYPE_CHECKING:
    from leadline.core.measure.horizon import Horizons

app = typer.Typer(no_args_is_help=True, help="Time horizons of models.")


@app.command("fit")
def fit(
    runs: Annotated[Path, typer.Argument(help="Runs as CSV or JSON lines; .gz is unpacked.")],
    *,
    replicates: Annotated[int, typer.Option(help="Of the bootstrap behind the intervals.")] = 1_000,
    seed: Annotated[int, typer.Option(min=0, help="Of the bootstrap.")] = 0,
    plot: Annotated[
        Path | None, typer.Option(help="Folder for pictures, their data and a page of them.")
    ] = None,
    released: Annotated[
        Path | None, typer.Option(help="model,date as CSV: draws the trend, with --plot.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Fit the 50 % and 80 % horizon of every model by METR's estimator, in minutes of human work.

    Columns: model, task, score, human_minutes; family, weight and human_minutes_source where there are any.
    """
    from leadline.core.measure.estimate import json_safe
    from leadline.core.measure.horizon import ceilings, time_horizon
    from leadline.formats.runs_table import read_runs

    with edge():
        check_plot(plot, released=released)
        table = read_runs(text_of(runs))
        told = time_horizon(table.runs, replicates=replicates, seed=seed)
        highest = ceilings(table.runs)
        rows = [_row(told, name) | {"ceiling": json_safe(highest[name])} for name in told.models]
        if plot is not None:
            plot_horizons(plot, runs, table.runs, told, released)
    document = {
        "models": rows,
        "left_out": {"no_minutes": table.without_minutes, "no_score": table.without_score},
        "families": table.families,
        "longest_minutes": told.longest,
        "tasks_by_family": dict(told.families) if table.families else None,
        "tasks_by_source": dict(told.sources),
        "replicates": replicates,
        "seed": seed,
    }
    if as_json:
        typer.echo(json.dumps(document))
        return
    typer.echo(f"{'model':<28} {'p50, minutes':>12}  {'95 % interval':<22} {'p80':>9}")
    for name in told.models:
        typer.echo(_line(told, name))
    for what, share in told.sources:
        typer.echo(f"human times of {share:.0%} of the tasks: {what}")
    if table.without_minutes or table.without_score:
        typer.echo(
            f"left out: {table.without_minutes} rows without a human time, "
            f"{table.without_score} without a score"
        )


def _row(told: "Horizons", name: str) -> dict[str, object]:
    from leadline.core.measure.estimate import json_safe

    half, most = told.of(name, 0.5), told.of(name, 0.8)
    document = {
        "name": name,
        "p50": half.point,
        "p50_ci": (half.low, half.high),
        "p80": most.point,
        "p80_ci": (most.low, most.high),
        "saturated": half.saturated,
        "p80_saturated": most.saturated,
        "slope": half.slope,
        "intercept": half.intercept,
        "tasks": half.n_items,
        "runs": half.n_runs,
        "sources": half.sources,
        "warnings": tuple(code.value for code in half.warnings),
    }
    return {key: json_safe(value) for key, value in document.items()}


def _line(told: "Horizons", name: str) -> str:
    half, most = told.of(name, 0.5), told.of(name, 0.8)
    ends = f"{half.low:.3g} to {half.high:.3g}"
    if half.saturated:
        ends = f"at least {half.low:.3g}" if half.low else "not known"
    elif not half.point:
        ends = f"at most {half.high:.3g}" if math.isfinite(half.high) else "not known"
    flags = ", ".join(code.value for code in half.warnings)
    return f"{name:<28} {half.point:>12.3g}  {ends:<22} {most.point:>9.3g}  {flags}".rstrip()
