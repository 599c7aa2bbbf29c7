"""``leadline credential``: what programs act with for you, on one engagement, with a key they hold."""

import json
from datetime import timedelta
from typing import Annotated

import typer

from leadline.cli.edge import edge
from leadline.cli.session import FILE, AsJson, Home, Kept, acting
from leadline.core.access import Action
from leadline.core.errors import Invalid

app = typer.Typer(help="Credentials of programs.", no_args_is_help=True)


@app.callback()
def credential() -> None:
    """Credentials of programs."""


@app.command("issue")
def issue(  # noqa: PLR0917 -- each is an option of the command line
    scope: Annotated[list[str], typer.Option(help="An action, such as engagement:read.")],
    engagement: Annotated[str, typer.Option(help="The one engagement it is for.")],
    binding: Annotated[
        str, typer.Option(help="jkt:THUMBPRINT of a DPoP key, or x5t#S256:THUMBPRINT.")
    ],
    days: Annotated[int, typer.Option(help="Days it lasts, 30 at the most.")] = 30,
    note: Annotated[str, typer.Option(help="What you will know it by.")] = "",
    home: Home = None,
    path: Kept = FILE,
) -> None:
    """A new credential, printed once."""
    from leadline.app import credentials

    with edge(), acting(home, path) as (_, me):
        unknown = [word for word in scope if word not in set(Action)]
        if unknown:
            raise Invalid("--scope", f"{unknown[0]!r} is no action")
        expires = me.ctx.now + timedelta(days=days)
        actions = [Action(word) for word in scope]
        made = credentials.issue(me.ctx, actions, engagement, binding, expires, note)
    typer.echo(f"{made.credential.id} is shown once and not kept anywhere:", err=True)
    typer.echo(made.secret)


@app.command("list")
def list_(home: Home = None, path: Kept = FILE, *, as_json: AsJson = False) -> None:
    """Your credentials that still count."""
    from leadline.app import credentials

    with edge(), acting(home, path) as (_, me):
        found = [
            {
                "id": one.id,
                "engagement": one.engagement,
                "scopes": sorted(one.scopes),
                "binding": one.binding,
                "expires": one.expires.isoformat(),
                "note": one.note,
            }
            for one in credentials.mine(me.ctx)
        ]
    if as_json:
        typer.echo(json.dumps({"credentials": found}))
        return
    for one in found:
        typer.echo(f"{one['id']}  {one['engagement']}  until {one['expires']}  {one['note']}")


@app.command("revoke")
def revoke(
    which: Annotated[str, typer.Argument(help="Its id.")], home: Home = None, path: Kept = FILE
) -> None:
    """End a credential at once."""
    from leadline.app import credentials

    with edge(), acting(home, path) as (_, me):
        credentials.revoke(me.ctx, which)
