"""``leadline approval``: sign what another is about to do, or what you are."""

import json
from pathlib import Path
from typing import Annotated

import typer

from leadline.cli.edge import edge
from leadline.cli.session import FILE, AsJson, Home, Kept, acting
from leadline.core.access import Action
from leadline.core.errors import Invalid

app = typer.Typer(help="Approvals: signatures under one act.", no_args_is_help=True)


@app.callback()
def approval() -> None:
    """Approvals."""


@app.command("ask")
def ask(
    action: Annotated[str, typer.Argument(help="The act, such as determination:record.")],
    engagement: Annotated[str, typer.Argument(help="The engagement it is about.")],
    detail: Annotated[
        list[str] | None, typer.Option(help="NAME=TEXT that the signatures shall cover.")
    ] = None,
    home: Home = None,
    path: Kept = FILE,
) -> None:
    """Ask for signatures under an act on an engagement; prints the request's id."""
    from leadline.app import approval as use
    from leadline.app import listing

    with edge(), acting(home, path) as (_, me):
        if action not in set(Action):
            raise Invalid("action", f"{action!r} is no action")
        pairs = [text.partition("=") for text in detail or []]
        if not all(name and mark for name, mark, _ in pairs):
            raise Invalid("--detail", "write NAME=TEXT")
        thing = listing.resource(me.ctx, engagement)
        told = {name: text for name, _, text in pairs}
        typer.echo(use.ask(me.ctx, Action(action), thing, told).id)


@app.command("list")
def list_(home: Home = None, path: Kept = FILE, *, as_json: AsJson = False) -> None:
    """Requests that are open and that you asked for or may sign."""
    from leadline.app import approval as use

    with edge(), acting(home, path) as (_, me):
        found = [
            {
                "id": one.request.id,
                "action": one.request.action.value,
                "about": f"{one.request.kind}/{one.request.resource}",
                "requester": one.request.requester,
                "expires": one.request.expires.isoformat(),
                "detail": dict(one.request.detail),
                "digest": use.digest(one.request).hex(),
                "approvers": sorted(one.approvers),
                "asserted": one.asserted,
            }
            for one in use.waiting(me.ctx)
        ]
    if as_json:
        typer.echo(json.dumps({"requests": found}))
        return
    for one in found:
        typer.echo(f"{one['id']}  {one['action']} {one['about']}  by {one['requester']}")
        typer.echo(f"    {json.dumps(one['detail'])}  digest {one['digest']}")


@app.command("approve")
def approve(
    request: Annotated[str, typer.Argument(help="The request's id.")],
    key: Annotated[Path, typer.Option(help="Your key file.")],
    home: Home = None,
    path: Kept = FILE,
) -> None:
    """Sign one request with your key file; what you sign is what `list` shows."""
    from leadline.wiring.sign_in import sign_request

    with edge(), acting(home, path) as (_, me):
        typer.echo(sign_request(me, request, key))
