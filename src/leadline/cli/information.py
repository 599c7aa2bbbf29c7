"""`leadline information`: what the programme asks a developer, answered or not."""

import json
from pathlib import Path
from typing import Annotated

import typer

from leadline.cli.edge import edge
from leadline.cli.session import FILE, AsJson, Home, Kept
from leadline.cli.words import words_of

app = typer.Typer(
    no_args_is_help=True,
    help="Requests for information. One without an answer is counted; no date follows from it.",
)
Which = Annotated[str, typer.Argument(metavar="ENGAGEMENT", help="The engagement's id.")]
Words = Annotated[Path, typer.Argument(help="The text in a file; - for standard input.")]


@app.command("ask")
def ask(which: Which, question: Words, home: Home = None, path: Kept = FILE) -> None:
    """Ask the developer something; prints the id that an answer names."""
    from leadline.app import exchange
    from leadline.cli.desk import at_desk

    with edge(), at_desk(home, path) as me:
        typer.echo(me.do(exchange.ask, me.dealings(which), words_of(question)).id)


@app.command("answer")
def answer(
    which: Which,
    asked: Annotated[str, typer.Argument(help="The id that `list` gives.")],
    words: Words,
    home: Home = None,
    path: Kept = FILE,
) -> None:
    """Answer, as the developer, or add to an answer; whether to is the developer's choice."""
    from leadline.app import exchange
    from leadline.cli.desk import at_desk

    with edge(), at_desk(home, path) as me:
        me.do(exchange.answer, me.dealings(which), asked, words_of(words))


@app.command("list")
def list_(which: Which, home: Home = None, path: Kept = FILE, *, as_json: AsJson = False) -> None:
    """Show what was asked, with the answers."""
    from leadline.app import exchange
    from leadline.cli.desk import at_desk

    with edge(), at_desk(home, path) as me:
        found = me.do(exchange.questions, me.dealings(which))
    if as_json:
        rows = [
            {
                "id": one.id,
                "at": one.at.isoformat(),
                "by": one.by,
                "question": one.words,
                "answers": list(one.answers),
            }
            for one in found
        ]
        typer.echo(json.dumps({"questions": rows}))
        return
    for one in found:
        typer.echo(f"{one.id}  {one.at.isoformat()}  {one.by}: {one.words}")
        for words in one.answers or ("no answer",):
            typer.echo(f"    {words}")
