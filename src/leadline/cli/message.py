"""`leadline message`: messages between the parties of an engagement."""

import json
from pathlib import Path
from typing import Annotated

import typer

from leadline.cli.edge import edge
from leadline.cli.session import FILE, AsJson, Home, Kept
from leadline.cli.words import words_of

app = typer.Typer(no_args_is_help=True, help="Messages, readable by those they name.")
Which = Annotated[str, typer.Argument(metavar="ENGAGEMENT", help="The engagement's id.")]


@app.command("send")
def send(
    which: Which,
    words: Annotated[Path, typer.Argument(help="The text in a file; - for standard input.")],
    to: Annotated[list[str], typer.Option(help="developer, government or a person's id.")],
    home: Home = None,
    path: Kept = FILE,
) -> None:
    """Send a message; prints its id."""
    from leadline.app import exchange
    from leadline.cli.desk import at_desk

    with edge(), at_desk(home, path) as me:
        typer.echo(me.do(exchange.send, me.dealings(which), to, words_of(words)).id)


@app.command("list")
def list_(which: Which, home: Home = None, path: Kept = FILE, *, as_json: AsJson = False) -> None:
    """List the messages that are yours to read."""
    from leadline.app import exchange
    from leadline.cli.desk import at_desk

    with edge(), at_desk(home, path) as me:
        found = me.do(exchange.messages, me.dealings(which))
    rows = [
        {"id": one.id, "at": one.at.isoformat(), "by": one.by, "to": list(one.to)} for one in found
    ]
    if as_json:
        typer.echo(json.dumps({"messages": rows}))
        return
    for one in found:
        typer.echo(f"{one.id}  {one.at.isoformat()}  {one.by} to {', '.join(one.to)}")


@app.command("read")
def read(
    which: Which,
    id_: Annotated[str, typer.Argument(metavar="ID", help="The id that `list` gives.")],
    home: Home = None,
    path: Kept = FILE,
) -> None:
    """Print one message."""
    from leadline.app import exchange
    from leadline.cli.desk import at_desk

    with edge(), at_desk(home, path) as me:
        typer.echo(me.do(exchange.read, me.dealings(which), id_))
