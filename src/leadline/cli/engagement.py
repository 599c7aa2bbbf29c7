"""`leadline engagement`: look at an engagement, or withdraw from it at any moment."""

import json
from pathlib import Path
from typing import Annotated

import typer

from leadline.cli.edge import edge

app = typer.Typer(no_args_is_help=True, help="A developer's dealings with the programme.")
Out = Annotated[Path, typer.Argument(help="The folder that `leadline assess` wrote (OUT).")]


@app.command("show")
def show(
    out: Out,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Show state, access window and acts of the engagement in OUT."""
    from leadline.wiring import assess as wiring

    with edge():
        shown = wiring.show_engagement(out)
    if as_json:
        typer.echo(json.dumps(shown))
        return
    typer.echo(f"{shown['engagement']}: {shown['state']}")
    typer.echo(f"government access: {shown['access']}")
    for act in shown["acts"]:
        typer.echo(f"  {act['at']}  {act['kind']:26} {act['actor']}")


@app.command("withdraw")
def withdraw(
    out: Out,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Withdraw without asking again.")] = False,
) -> None:
    """Withdraw, as the developer: ends access at once and stops every sample. Needs no reason."""
    from leadline.wiring import assess as wiring

    if not yes:
        typer.confirm("Withdraw from this engagement?", abort=True, err=True)
    with edge():
        typer.echo(f"withdrawn; access ended at {wiring.withdraw(out)}")
