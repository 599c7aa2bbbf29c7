"""``leadline findings``: raw reports, and what they may have in common."""

import json
from pathlib import Path
from typing import Annotated

import typer

from leadline.cli.edge import edge

app = typer.Typer(help="Findings: reports of crashes and other flaws.", no_args_is_help=True)


@app.callback()
def findings() -> None:
    """Findings: reports of crashes and other flaws."""


@app.command()
def group(
    folder: Annotated[Path, typer.Argument(help="A folder of sanitizer texts and CASR reports.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Propose which reports in FOLDER may be one flaw. Nothing is merged."""
    from leadline.app.findings import group_folder

    with edge():
        proposed = group_folder(folder)
        if as_json:
            document = {
                "reports": proposed.reports,
                "groups": [
                    {"id": g.id, "rung": g.rung, "members": g.members, "why": g.why}
                    for g in proposed.groups
                ],
                "unparsed": [fault.place for fault in proposed.unparsed],
                "problems": {fault.place: fault.problem for fault in proposed.unparsed},
            }
            typer.echo(json.dumps(document))
            return
        for held in proposed.groups:
            typer.echo(f"{held.id}  rung {held.rung}  {len(held.members)} reports  {held.why}")
            for member in held.members:
                typer.echo(f"    {member}")
        for fault in proposed.unparsed:
            typer.echo(f"not read: {fault.place}: {fault.problem}", err=True)
