"""`leadline suite`: which suites are installed and whether they can run here."""

import json
from typing import Annotated

import typer

from leadline.cli.edge import edge

app = typer.Typer(no_args_is_help=True, help="Evaluation suites.")


@app.command("list")
def list_suites(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Name every installed suite, what it measures, and how many of its items can run here."""
    from leadline import settings
    from leadline.wiring import assess as wiring

    with edge():
        rows = wiring.suite_rows(settings.load())
    if as_json:
        typer.echo(json.dumps({"suites": rows}))
        return
    for row in rows:
        state = row["unavailable"] or f"{row['items']} items"
        typer.echo(f"{row['name']} {row['version']} ({row['domain']}): {state}")
        typer.echo(f"    {row['construct']}")
        for missing in row["missing"]:
            typer.echo(f"    not here: {missing}")
