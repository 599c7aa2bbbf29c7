"""`leadline concern`: what operators of a sector tell the clearinghouse lead, and its answers."""

import json
from pathlib import Path
from typing import Annotated

import typer

from leadline.cli.edge import edge
from leadline.cli.session import FILE, AsJson, Home, Kept
from leadline.cli.words import words_of
from leadline.settings import home as home_of

app = typer.Typer(
    no_args_is_help=True, help="Concerns of a sector, told to the clearinghouse lead."
)
Words = Annotated[Path, typer.Argument(help="A text file with the words.")]


@app.command("raise")
def raise_(
    words: Words,
    *,
    sector: Annotated[str, typer.Option(help="Your sector, such as health, finance or water.")],
    home: Home = None,
    path: Kept = FILE,
) -> None:
    """Raise a concern for your organisation; coordinators, programme officers and auditors read it."""
    from leadline.app import concerns
    from leadline.cli.desk import at_desk
    from leadline.wiring.register import sectors

    with edge(), at_desk(home, path) as me:
        text = words_of(words)
        one = me.do(concerns.raised, sectors(), sector, text)
        typer.echo(f"{one.id}: raised {one.raised.isoformat()}")


@app.command("list")
def list_(home: Home = None, path: Kept = FILE, *, as_json: AsJson = False) -> None:
    """List the concerns that you may read, unanswered ones first with their age."""
    from leadline.app import concerns
    from leadline.cli.desk import at_desk

    with edge(), at_desk(home, path) as me:
        found, now = me.do(concerns.listed), me.now
    rows = [
        {
            "id": one.concern.id,
            "sector": one.concern.sector,
            "org": one.concern.org,
            "raised": one.concern.raised.isoformat(),
            "days": one.concern.age(now).days,
            "text": one.text,
            "answered": one.concern.answered and one.concern.answered.isoformat(),
            "answer": one.answer,
        }
        for one in found
    ]
    if as_json:
        typer.echo(json.dumps({"concerns": rows}))
        return
    for row in rows:
        state = f"answered {row['answered']}" if row["answered"] else "unanswered"
        typer.echo(f"{row['id']}  {row['sector']}  {row['org']}  raised {row['raised']}")
        typer.echo(f"  {state} after {row['days']} days: {row['answer'] or row['text']}")


@app.command("answer")
def answer(
    id_: Annotated[str, typer.Argument(metavar="ID", help="The concern's id.")],
    words: Words,
    home: Home = None,
    path: Kept = FILE,
) -> None:
    """Answer a concern, once; whoever raised it reads the answer."""
    from leadline.app import concerns
    from leadline.cli.desk import at_desk

    with edge(), at_desk(home, path) as me:
        text = words_of(words)
        done = me.do(concerns.answered, id_, text)
        typer.echo(f"{done.id}: answered after {done.age(me.now).days} days")


@app.command("counts")
def counts(home: Home = None, *, as_json: AsJson = False) -> None:
    """How many concerns each sector raised; anybody may know, and fewer than five are not shown."""
    from leadline.wiring.register import concern_counts

    with edge():
        found = concern_counts(home_of(home))
    if as_json:
        rows = [
            {
                "sector": one.sector,
                "raised": one.raised,
                "answered": one.answered,
                "unanswered": one.unanswered,
            }
            for one in found
        ]
        typer.echo(json.dumps({"sectors": rows, "not_shown_below": 5}))
        return
    for one in found:
        told = (one.raised, one.answered, one.unanswered)
        shown = [str(number) if number is not None else "not shown" for number in told]
        words = zip(("raised", "answered", "unanswered"), shown, strict=True)
        typer.echo(f"{one.sector}: {', '.join(f'{name} {number}' for name, number in words)}")
