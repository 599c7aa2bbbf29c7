"""``leadline notify``: tell people that something is in their inbox; `leadline serve` does it by itself."""

import json

import typer

from leadline.cli.edge import edge
from leadline.cli.session import AsJson, Home
from leadline.settings import home as home_of

app = typer.Typer(help="Inboxes, mail and webhooks of an installation.", no_args_is_help=True)


@app.callback()
def notify() -> None:
    """Inboxes, mail and webhooks of an installation."""


@app.command("once")
def once(home: Home = None, *, as_json: AsJson = False) -> None:
    """Put what happened since into inboxes, and deliver what is due by mail and webhook, once."""
    from leadline.wiring import notify as wiring
    from leadline.wiring.sign_in import at_door

    place = home_of(home)
    with edge(), at_door(place) as door:
        at = wiring.Notifier(door.parts, place, door.site.origin, wiring.egress(place))
        told = at.once()
    if as_json:
        typer.echo(json.dumps({"acts": told.acts, "sent": told.sent, "later": told.later}))
        return
    typer.echo(f"{told.acts} acts looked at, {told.sent} delivered, {told.later} to try again")
