"""`leadline result`: results to named persons, each with its receipt."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from leadline.cli.access import Until
from leadline.cli.edge import edge
from leadline.cli.session import FILE, AsJson, Home, Kept, kept
from leadline.core.errors import Invalid
from leadline.settings import home as home_of

app = typer.Typer(no_args_is_help=True, help="Results, to named persons only, with receipts.")
Engagement = Annotated[str, typer.Argument(help="The engagement's id.")]
Id = Annotated[str, typer.Argument(metavar="RESULT", help="The result's id.")]
Purpose = Annotated[str, typer.Option(help="What for, as the terms say; such as assessment.")]


@app.callback()
def result() -> None:
    """Results."""


@app.command("send")
def send(
    engagement: Engagement,
    file: Annotated[Path | None, typer.Argument(help="What is sent; or name an artefact.")] = None,
    *,
    to: Annotated[list[str], typer.Option(help="A person's id; repeat it for several.")],
    until: Until,
    artefact: Annotated[str, typer.Option(help="The id of what the vault has already.")] = "",
    purpose: Purpose = "assessment",
    home: Home = None,
    path: Kept = FILE,
) -> None:
    """Send FILE to persons by name; each gets an entry of its own, and nobody else learns of it."""
    from leadline.app import results as use
    from leadline.app.given import content
    from leadline.app.moment import moment
    from leadline.wiring.desk import at_desk

    with edge(), at_desk(home_of(home), kept(path)) as me:
        if (file is None) == (not artefact):
            raise Invalid("FILE", "name either a file or --artefact")
        called, end = file.name if file else artefact, moment("--until", until, "UTC")
        parcel, on = use.Parcel(called, tuple(to), end, purpose), me.dealings(engagement)
        if file is None:
            sent = use.send_artefact(me.ctx, on, artefact, parcel)
        else:
            sent = use.send(me.ctx, on, content(file, use.BYTES_MAX), parcel)
        for one in sent:
            typer.echo(f"{one.id}  {one.recipient}  until {one.until.isoformat()}")


@app.command("list")
def list_(home: Home = None, path: Kept = FILE, *, as_json: AsJson = False) -> None:
    """List what was sent to you."""
    from leadline.app import results as use
    from leadline.wiring.desk import at_desk

    with edge(), at_desk(home_of(home), kept(path)) as me:
        found = use.listed(me.ctx)
    if as_json:
        typer.echo(json.dumps({"results": [asdict(one) for one in found]}, default=str))
        return
    for one in found:
        typer.echo(f"{one.id}  {one.engagement}  until {one.until.isoformat()}  {one.name}")


@app.command("read")
def read(
    id_: Id,
    *,
    out: Annotated[Path, typer.Option(help="The file to write it to.")],
    purpose: Purpose = "assessment",
    home: Home = None,
    path: Kept = FILE,
) -> None:
    """Read a result that was sent to you; its sender and the developer see that you did."""
    from leadline.app import results as use
    from leadline.wiring.desk import at_desk
    from leadline.wiring.inquiry import write

    with edge(), at_desk(home_of(home), kept(path)) as me:
        one, data = use.read(me.ctx, id_, purpose)
        write(out, data)
    typer.echo(f"{one.name}: {one.size} bytes to {out}, until {one.until.isoformat()}")


@app.command("recall")
def recall(engagement: Engagement, id_: Id, home: Home = None, path: Kept = FILE) -> None:
    """Take back what your side sent, at once; whoever read it before keeps what was read."""
    from leadline.app import results as use
    from leadline.wiring.desk import at_desk

    with edge(), at_desk(home_of(home), kept(path)) as me:
        use.recall(me.ctx, me.dealings(engagement), id_)
    typer.echo(f"recalled: {id_}")


@app.command("receipts")
def receipts(
    engagement: Engagement, home: Home = None, path: Kept = FILE, *, as_json: AsJson = False
) -> None:
    """Show who read what, when, until when, and who was refused."""
    from leadline.app import results as use
    from leadline.wiring.desk import at_desk

    with edge(), at_desk(home_of(home), kept(path)) as me:
        found = use.receipts(me.ctx, me.dealings(engagement))
    if as_json:
        typer.echo(json.dumps({"receipts": [asdict(one) for one in found]}, default=str))
        return
    for one in found:
        sent = one.result
        typer.echo(f"{sent.id}  {sent.name}  to {sent.recipient} until {sent.until.isoformat()}")
        for reading in one.reads:
            typer.echo(f"  read {reading.at.isoformat()} by {reading.who} for {reading.purpose}")
        for reading in one.refused:
            typer.echo(f"  refused {reading.at.isoformat()} to {reading.who}: {reading.why}")
        if one.recalled:
            typer.echo(f"  recalled {one.recalled.isoformat()}")
