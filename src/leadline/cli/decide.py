"""`leadline decide`: above, below or undetermined, from as few samples as the errors allow."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadline.cli.edge import edge
from leadline.cli.plot import Replay, check_plot, plot_replay
from leadline.cli.table import text_of
from leadline.core.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadline.core.measure.held_out import HeldOut
    from leadline.core.measure.logged import FromLogs, OtherRows, Replayed
    from leadline.formats.score_matrix import ScoreMatrix
    from leadline.runner.logged_runs import Logged

REPLAYED = (
    "this replays runs that were already made: it shows what sampling would have cost; "
    "the order was drawn afterwards"
)
app = typer.Typer(no_args_is_help=True, help="Decisions with stated errors.")
Threshold = Annotated[float, typer.Option(help="The share to decide about, within 0 and 1.")]
Alpha = Annotated[float, typer.Option(help="The error of a wrong `above`.")]
Beta = Annotated[float | None, typer.Option(help="The error of a wrong `below`. Default: alpha.")]
Indifference = Annotated[
    float, typer.Option(help="Half the width of the zone around the threshold.")
]
Seed = Annotated[int, typer.Option(min=0, help="Of the draws.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document.")]


@app.command("replay")
def replay(  # noqa: PLR0913 -- each is an option of the command
    matrix: Annotated[Path, typer.Argument(help="Models by items, as CSV; three forms are known.")],
    *,
    threshold: Threshold,
    alpha: Alpha,
    beta: Beta = None,
    indifference: Indifference = 0.0,
    holdout: Annotated[
        str, typer.Option(help="Whose rows give difficulties: loo (all others) or temporal.")
    ] = "loo",
    seed: Seed = 0,
    plot: Annotated[
        Path | None, typer.Option(help="Folder for pictures, their data and a page of them.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Whose path and families to draw. Default: the most costly.")
    ] = None,
    families: Annotated[
        Path | None, typer.Option(help="item,family as CSV. Default: by the items' names.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Decide about each model of a finished table as if its items were run one by one.

    Difficulties come from other models only; the truth is the model's full row. Nothing is run and
    nothing else is needed.
    """
    from leadline.core.errors import Invalid
    from leadline.core.measure.active import Rule
    from leadline.core.measure.held_out import Holdout, Table, decide_all

    with edge():
        if holdout not in {"loo", "temporal"}:
            raise Invalid("--holdout", f"{holdout!r} is neither loo nor temporal")
        check_plot(plot, model=model, families=families)
        table = _matrix(matrix)
        rule = Rule(threshold, alpha, alpha if beta is None else beta, indifference)
        how: Holdout = "temporal" if holdout == "temporal" else "loo"
        scored = Table(table.models, table.items, table.scores)
        told = decide_all(scored, rule, holdout=how, seed=seed)
        if plot is not None:
            plot_replay(plot, Replay(matrix, table, told, rule, holdout), model, families)
    document = _document(told, rule.alpha_above, rule.alpha_below, len(table.items), holdout)
    typer.echo(json.dumps(document) if as_json else _words(document))


def _matrix(path: Path) -> "ScoreMatrix":
    """The table in a file, with the list of items that a table of bits has beside it."""
    from leadline.formats.score_matrix import items_of, read_matrix

    beside = path.with_name(f"{path.stem}_items.txt")
    return read_matrix(text_of(path), items_of(text_of(beside)) if beside.exists() else None)


@app.command("from-log")
def from_log(  # noqa: PLR0913 -- each is an option of the command
    logs: Annotated[list[Path], typer.Argument(help="Inspect eval logs, .eval or .json.")],
    *,
    threshold: Threshold,
    alpha: Alpha,
    beta: Beta = None,
    indifference: Indifference = 0.0,
    difficulties: Annotated[
        Path | None,
        typer.Option(
            help="Models by items, as CSV: rows of other models. Default: items are alike."
        ),
    ] = None,
    scorer: Annotated[
        list[str] | None, typer.Option(help="Whose score counts, where a log has several.")
    ] = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Decide about each model in existing eval logs as if its items had been run one by one.

    Needs leadline[inspect] and nothing else. An item's score is the mean over its repeats; tasks are
    families; samples without a score are counted as missing, never as failures.
    """
    from leadline.core.measure.active import Rule
    from leadline.core.measure.estimate import json_safe
    from leadline.core.measure.logged import from_logs

    with edge():
        rule = Rule(threshold, alpha, alpha if beta is None else beta, indifference)
        others = _others(difficulties) if difficulties else None
        logged = _logged(logs, scorer or ())
        told = from_logs(logged.runs, rule, others=others, seed=seed)
    document = {
        "files": len(logs),
        **_summary(told, rule.alpha_above, rule.alpha_below),
        "seed": seed,
        "difficulties": {"models": len(others.models), "items": len(others.items)}
        if others
        else None,
        "scorers": logged.scorers,
        "copies": logged.copies,
        "per_model": tuple(_replayed(one) for one in told.replayed),
        "provenance": "not run here",
        "note": REPLAYED,
    }
    typer.echo(json.dumps(json_safe(document)) if as_json else _lines(told))


def _logged(paths: "Sequence[Path]", scorers: "Sequence[str]") -> "Logged":
    """The runs in the logs.

    Raises: Unavailable, where Inspect is not installed; as `logged_runs.read_runs`.
    """
    try:
        from leadline.runner.logged_runs import read_runs
    except ModuleNotFoundError as error:
        problem = f"eval logs are read by Inspect, and {error.name} is not installed"
        raise Unavailable(f"{problem}: pip install 'leadline[inspect]'") from error
    return read_runs(paths, scorers)


def _others(path: Path) -> "OtherRows":
    from leadline.core.measure.logged import OtherRows

    table = _matrix(path)
    return OtherRows(table.models, table.items, table.scores)


def _summary(told: "FromLogs", alpha: float, beta: float) -> dict[str, object]:
    """What `decide replay` prints too: counts of outcomes, and items used over items."""
    import numpy as np

    summary = told.summary
    return {
        "models": len(told.replayed),
        "items": sum(told.items.values()),
        "families": dict(told.items),
        "threshold": told.threshold,
        "alpha": alpha,
        "beta": beta,
        "indifference": told.zone,
        "decisions": len(told.replayed),
        "median_fraction": float(np.median(summary.fractions)),
        "mean_fraction": float(np.mean(summary.fractions)),
        "false_above": summary.false_above,
        "false_below": summary.false_below,
        "undetermined": summary.undetermined,
        "misfit": sum(one.decided.outcome.misfit for one in told.replayed),
    }


def _replayed(one: "Replayed") -> dict[str, object]:
    decided = one.decided
    used, whole = one.tokens
    return {
        "model": decided.model,
        "state": decided.outcome.state,
        "used": decided.outcome.n,
        "items": decided.items,
        "e_above": decided.outcome.e_above,
        "e_below": decided.outcome.e_below,
        "mean": decided.mean,
        "full": "at or above" if one.reaches else "short of",
        "mean_if_missing": (one.lowest, one.highest),
        "items_missing": one.items_missing,
        "runs": one.runs,
        "runs_missing": one.runs_missing,
        "repeats": one.repeats,
        "fractional": one.fractional,
        "known_difficulties": one.known,
        "families": dict(one.families),
        "tokens_used": used,
        "tokens": whole,
    }


def _lines(told: "FromLogs") -> str:
    """For people: a line for each model, what is missing, and what a replay is not."""
    rows = [f"{'model':<32} {'state':<12} {'items':<14} {'all of them':<12} e above, e below"]
    for one in told.replayed:
        decided, outcome = one.decided, one.decided.outcome
        name = "".join(sign if sign.isprintable() else "?" for sign in decided.model)
        used = f"{outcome.n} of {decided.items}"
        wealth = f"{outcome.e_above:.3g}, {outcome.e_below:.3g}"
        rows.append(f"{name:<32} {outcome.state:<12} {used:<14} {decided.mean:<12.4g} {wealth}")
        if one.runs_missing:
            rows.append(
                f"    {one.runs_missing} of {one.runs} runs and {one.items_missing} whole items have no "
                f"score; with them the mean lies from {one.lowest:.4g} to {one.highest:.4g}"
            )
    return "\n".join([*rows, REPLAYED])


def _document(
    told: "HeldOut", alpha: float, beta: float, items: int, holdout: str
) -> dict[str, object]:
    import numpy as np

    fractions = told.fractions
    return {
        "models": len(told.decided),
        "items": items,
        "threshold": told.threshold,
        "alpha": alpha,
        "beta": beta,
        "indifference": told.zone,
        "holdout": holdout,
        "decisions": len(told.decided),
        "median_fraction": float(np.median(fractions)),
        "mean_fraction": float(np.mean(fractions)),
        "false_above": told.false_above,
        "false_below": told.false_below,
        "undetermined": told.undetermined,
        "misfit": sum(one.outcome.misfit for one in told.decided),
        "per_model": [
            {
                "model": one.model,
                "state": one.outcome.state,
                "used": one.outcome.n,
                "items": one.items,
                "mean": one.mean,
            }
            for one in told.decided
        ],
    }


def _words(document: dict[str, object]) -> str:
    keys = ("decisions", "false_above", "false_below", "undetermined")
    counts = ", ".join(f"{document[key]} {key.replace('_', ' ')}" for key in keys)
    return (
        f"{counts}; items used: {document['median_fraction']:.1%} in median, "
        f"{document['mean_fraction']:.1%} in mean"
    )


@app.command("verify")
def verify(
    what: Annotated[Path, typer.Argument(help="A bundle, or the decision.json of one.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Recompute a decision from its log: exit 0 if every draw, bet and hash does, 8 if not.

    With a bundle, whether it is also the decision that the record speaks of; that the bundle is what was
    signed is what `leadline log verify` says.
    """
    from leadline.app.decision_verify import verify_decision
    from leadline.core.errors import Tampered
    from leadline.core.measure.sequential import basis

    with edge():
        try:
            found = verify_decision(what)
        except Tampered as error:
            if as_json:
                told = {"ok": False, "place": error.place, "problem": error.problem}
                typer.echo(json.dumps(told))
            raise
        document = {"ok": True, **found.status.to_dict(), "checked": list(found.checked)}
        if as_json:
            typer.echo(json.dumps(document))
            return
        typer.echo(f"{found.status.state.value}: {basis(found.told.plan, found.status)}")
        for sentence in found.checked:
            typer.echo(f"agrees: {sentence}")
        if found.apart:
            typer.echo("alone: no record was given that says which seed was committed to")
