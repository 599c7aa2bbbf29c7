"""`leadline alert`: what somebody must look at."""

import json

import typer

from leadline.cli.edge import edge
from leadline.cli.session import FILE, AsJson, Home, Kept, acting
from leadline.core.record.act import instant

app = typer.Typer(help="Alerts: refused and failed things to look at.", no_args_is_help=True)


@app.callback()
def alert() -> None:
    """Alerts."""


@app.command("list")
def list_(home: Home = None, path: Kept = FILE, *, as_json: AsJson = False) -> None:
    """Every alert, the latest first."""
    from leadline.app import alerts

    with edge(), acting(home, path) as (_, me):
        found = alerts.listed(me.ctx)
        if as_json:
            rows = [
                {
                    "id": one.id,
                    "at": instant(one.at),
                    "kind": one.kind,
                    "about": one.about,
                    "actor": one.actor,
                    "what": one.what,
                }
                for one in found
            ]
            typer.echo(json.dumps({"alerts": rows}))
            return
        for one in found:
            typer.echo(f"{instant(one.at)}  {one.kind:10}  {one.actor}  {one.about}  {one.what}")
        if not found:
            typer.echo("no alerts")
