"""``leadline demonstration``: people to sign in as, and something for each of them to do."""

import json
from pathlib import Path
from typing import Annotated

import typer

from leadline.cli.edge import edge
from leadline.settings import home as home_of


def demonstration(
    home: Annotated[
        Path | None, typer.Option(help="The installation; else LEADLINE_HOME, else out/.state.")
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Put a demonstration into a new folder or the result of `make assess`; prints names and passwords.

    Running it again prints them again and changes nothing. An installation of your own is refused.
    """
    from leadline.wiring.demonstration import seed

    with edge():
        place = home_of(home)
        made = seed(place, str(place.folder.parent))
        if as_json:
            typer.echo(json.dumps({"home": str(place.folder), "file": str(made.file)}))
            return
        typer.echo(made.text)
        typer.echo(f"The same stands in {made.file}, which only you can read.")
