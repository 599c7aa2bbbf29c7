"""`leadline init`: begin an installation."""

import json
from pathlib import Path
from typing import Annotated

import typer

from leadline.cli.edge import edge
from leadline.settings import home as home_of


def init(
    home: Annotated[
        Path | None, typer.Option(help="The installation's folder; else LEADLINE_HOME.")
    ] = None,
    log: Annotated[
        str, typer.Option(help="The log's name, such as leadline.example.org/log; never changes.")
    ] = "",
    administrator: Annotated[
        list[str] | None, typer.Option(help="A person's name; give it twice or more.")
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Begin an installation with two account administrators; prints a one-time code for each."""
    from leadline.wiring.founding import found

    with edge():
        place = home_of(home)
        begun = found(place, log, administrator or [])
        if as_json:
            people = [
                {"principal": one.principal, "name": one.name, "code": one.code} for one in begun
            ]
            typer.echo(
                json.dumps({"home": str(place.folder), "log": log, "administrators": people})
            )
            return
        typer.echo(f"installation at {place.folder}, log {log}")
        for one in begun:
            typer.echo(f"  {one.name} is {one.principal}; one-time code: {one.code}")
        typer.echo(
            "Each signs in with `leadline sign-in --invitation`, then registers keys with "
            "`leadline sign-in register`."
        )
