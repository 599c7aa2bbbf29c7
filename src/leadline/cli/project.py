"""`leadline project`: the contact directory, and how old each address is."""

import json
from pathlib import Path
from typing import Annotated

import typer

from leadline.cli.edge import edge
from leadline.cli.session import FILE, AsJson, Home, Kept, kept
from leadline.settings import home as home_of

app = typer.Typer(no_args_is_help=True, help="Whom reports of a project go to, and since when.")


@app.command("add")
def add(
    files: Annotated[
        list[Path],
        typer.Argument(help="security.txt, OSV, CSAF, .leadline.toml, or a list (TOML)."),
    ],
    *,
    project: Annotated[str, typer.Option(help="The project that a security.txt is of.")] = "",
    home: Home = None,
    path: Kept = FILE,
    as_json: AsJson = False,
) -> None:
    """Add contacts from files; what is known already is kept beside what is new."""
    from leadline.app import contacts
    from leadline.formats.contacts_toml import rendered
    from leadline.wiring.contacts import read
    from leadline.wiring.desk import at_desk

    with edge(), at_desk(home_of(home), kept(path)) as me:
        found = [one for file in files for one in read(file, project, me.ctx.now)]
        made, now = contacts.add(me.ctx, found), me.ctx.now
    if as_json:
        typer.echo(json.dumps({"projects": [rendered(one, now) for one in made]}))
        return
    for one in made:
        typer.echo(f"{one.name}: {len(one.addresses)} addresses")
        for note in one.notes:
            typer.echo(f"  {note}")


@app.command("answered")
def answered(
    project: Annotated[str, typer.Argument(help="The project.")],
    *,
    at: Annotated[str, typer.Option(help="When, such as 2027-03-01T09:00-05:00.")],
    zone: Annotated[str, typer.Option(help="The time zone of a moment without an offset.")] = "",
    home: Home = None,
    path: Kept = FILE,
) -> None:
    """Write down that somebody of a project answered."""
    from leadline.app import contacts
    from leadline.app.moment import moment
    from leadline.wiring.desk import at_desk

    with edge(), at_desk(home_of(home), kept(path)) as me:
        contacts.answered(me.ctx, project, moment("at", at, zone))


@app.command("show")
def show(
    project: Annotated[str, typer.Argument(help="The project.")],
    home: Home = None,
    path: Kept = FILE,
    *,
    as_json: AsJson = False,
) -> None:
    """Show one project: its addresses in their order, where each stood, and what may be wrong with it."""
    from leadline.app import contacts
    from leadline.formats.contacts_toml import rendered
    from leadline.wiring.contacts import lines
    from leadline.wiring.desk import at_desk

    with edge(), at_desk(home_of(home), kept(path)) as me:
        found, now = contacts.shown(me.ctx, project), me.ctx.now
    typer.echo(json.dumps(rendered(found, now)) if as_json else "\n".join(lines(found, now)))


@app.command("list")
def list_(home: Home = None, path: Kept = FILE, *, as_json: AsJson = False) -> None:
    """List every project with its best address."""
    from leadline.app import contacts
    from leadline.formats.contacts_toml import rendered
    from leadline.wiring.desk import at_desk

    with edge(), at_desk(home_of(home), kept(path)) as me:
        found, now = contacts.listed(me.ctx), me.ctx.now
    if as_json:
        typer.echo(json.dumps({"projects": [rendered(one, now) for one in found]}))
        return
    for one in found:
        best = one.best(now)
        doubt = f" ({best.doubt(now)})" if best and best.doubt(now) else ""
        where = f"{best.channel.value} {best.to}{doubt}" if best else "no address"
        typer.echo(f"{one.name}: {where}")
