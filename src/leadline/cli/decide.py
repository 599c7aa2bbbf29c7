"""`leadline decide`: above, below or undetermined, from as few samples as the errors allow."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadline.cli.edge import edge
from leadline.cli.table import text_of

if TYPE_CHECKING:
    from leadline.core.measure.held_out import HeldOut

app = typer.Typer(no_args_is_help=True, help="Decisions with stated errors.")


@app.command("replay")
def replay(
    matrix: Annotated[Path, typer.Argument(help="Models by items, as CSV; three forms are known.")],
    *,
    threshold: Annotated[float, typer.Option(help="The share to decide about, within 0 and 1.")],
    alpha: Annotated[float, typer.Option(help="The error of a wrong `above`.")],
    beta: Annotated[
        float | None, typer.Option(help="The error of a wrong `below`. Default: alpha.")
    ] = None,
    indifference: Annotated[
        float, typer.Option(help="Half the width of the zone around the threshold.")
    ] = 0.0,
    holdout: Annotated[
        str, typer.Option(help="Whose rows give difficulties: loo (all others) or temporal.")
    ] = "loo",
    seed: Annotated[int, typer.Option(min=0, help="Of the draws.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Decide about each model of a finished table as if its items were run one by one.

    Difficulties come from other models only; the truth is the model's full row. Nothing is run and
    nothing else is needed.
    """
    from leadline.core.errors import Invalid
    from leadline.core.measure.active import Rule
    from leadline.core.measure.held_out import hold_out
    from leadline.formats.score_matrix import items_of, read_matrix

    with edge():
        if holdout not in {"loo", "temporal"}:
            raise Invalid("--holdout", f"{holdout!r} is neither loo nor temporal")
        beside = matrix.with_name(f"{matrix.stem}_items.txt")
        names = items_of(text_of(beside)) if beside.exists() else None
        table = read_matrix(text_of(matrix), names)
        rule = Rule(threshold, alpha, alpha if beta is None else beta, indifference)
        told = hold_out(
            table.models,
            table.items,
            table.scores,
            rule,
            holdout="temporal" if holdout == "temporal" else "loo",
            seed=seed,
        )
    document = _document(told, rule.alpha_above, rule.alpha_below, len(table.items), holdout)
    typer.echo(json.dumps(document) if as_json else _words(document))


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
