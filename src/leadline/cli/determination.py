"""`leadline determination`: what officials record, what others say of it, what the developer responds."""

import json
from pathlib import Path
from typing import Annotated

import typer

from leadline.cli.edge import edge
from leadline.cli.session import FILE, AsJson, Home, Kept, kept
from leadline.cli.words import content_of, words_of
from leadline.settings import home as home_of

app = typer.Typer(
    no_args_is_help=True, help="Determinations: findings of fact with scope, basis and end."
)
Which = Annotated[str, typer.Argument(metavar="ENGAGEMENT", help="The engagement's id.")]
Draft = Annotated[Path, typer.Argument(help="The determination as TOML; - for standard input.")]
Words = Annotated[Path, typer.Argument(help="The text in a file; - for standard input.")]
Proposal = Annotated[str, typer.Argument(help="The digest that `show` gives of the proposal.")]
About = Annotated[str, typer.Argument(help="The act's id that `show` gives.")]
Key = Annotated[Path, typer.Option("--key", help="Your key file: you sign this very act.")]
Under = Annotated[
    str, typer.Option("--regime", help="The regime it is under; else the engagement's first.")
]


@app.command("propose")
def propose(
    which: Which,
    draft: Draft,
    key: Key,
    home: Home = None,
    path: Kept = FILE,
    under: Under = "",
) -> None:
    """As the deciding role, propose a determination for others to state a position on."""
    from leadline.wiring import desk

    with edge(), desk.at_desk(home_of(home), kept(path)) as me:
        made = me.draft(draft, content_of(draft))
        typer.echo(desk.propose(me, which, made, key, under))


@app.command("concur")
def concur(
    which: Which, proposal: Proposal, key: Key, home: Home = None, path: Kept = FILE
) -> None:
    """As a concurring role, agree to exactly what was proposed."""
    from leadline.wiring import desk

    with edge(), desk.at_desk(home_of(home), kept(path)) as me:
        desk.concur(me, which, proposal, key)


@app.command("dissent")
def dissent(
    which: Which, proposal: Proposal, reasons: Words, key: Key, home: Home = None, path: Kept = FILE
) -> None:
    """As a concurring role, disagree with reasons; they stand beside the determination."""
    from leadline.wiring import desk

    with edge(), desk.at_desk(home_of(home), kept(path)) as me:
        desk.dissent(me, which, proposal, words_of(reasons), key)


@app.command("record")
def record(
    which: Which,
    draft: Annotated[
        str, typer.Argument(help="The determination as TOML, or a proposal's digest.")
    ],
    key: Key,
    home: Home = None,
    path: Kept = FILE,
    under: Under = "",
) -> None:
    """As the deciding role, record a determination, once the quorum of its regime stands."""
    from leadline.app import determinations
    from leadline.wiring import desk

    with edge(), desk.at_desk(home_of(home), kept(path)) as me:
        place, on = Path(draft), me.dealings(which)
        is_file = place.is_file() or draft == "-"
        made = (
            me.draft(place, content_of(place))
            if is_file
            else determinations.proposed(me.ctx, on, draft)
        )
        typer.echo(desk.record(me, which, made, key, under))


@app.command("recuse")
def recuse(which: Which, home: Home = None, path: Kept = FILE) -> None:
    """Step aside from this engagement's determination; the engagement goes on without you."""
    from leadline.app import determinations
    from leadline.wiring.desk import at_desk

    with edge(), at_desk(home_of(home), kept(path)) as me:
        determinations.recuse(me.ctx, me.dealings(which))


@app.command("respond")
def respond(
    which: Which, about: About, response: Words, home: Home = None, path: Kept = FILE
) -> None:
    """As the developer, put your own words beside a determination."""
    from leadline.app import determinations
    from leadline.wiring.desk import at_desk

    with edge(), at_desk(home_of(home), kept(path)) as me:
        determinations.respond(me.ctx, me.dealings(which), about, words_of(response))


@app.command("correct")
def correct(
    which: Which, about: About, draft: Draft, key: Key, home: Home = None, path: Kept = FILE
) -> None:
    """As the deciding role, correct the words of a determination; the old act stays."""
    from leadline.wiring import desk

    with edge(), desk.at_desk(home_of(home), kept(path)) as me:
        desk.correct(me, which, about, me.draft(draft, content_of(draft)), key)


@app.command("reconsider")
def reconsider(
    which: Which, about: About, reasons: Words, home: Home = None, path: Kept = FILE
) -> None:
    """Ask to look again, as the developer, or answer that, as the deciding role; ABOUT says which."""
    from leadline.wiring import desk

    with edge(), desk.at_desk(home_of(home), kept(path)) as me:
        typer.echo(desk.reconsider(me, which, about, words_of(reasons)))


@app.command("statement")
def statement(
    which: Which,
    words: Words,
    home: Home = None,
    path: Kept = FILE,
    *,
    marking: Annotated[str, typer.Option(help="Such as TLP:GREEN.")] = "TLP:AMBER",
) -> None:
    """Keep a text that the developer may hand on; prints the digest to name in the determination."""
    from leadline.app import determinations
    from leadline.core.marking import parse_marking
    from leadline.wiring.desk import at_desk

    with edge(), at_desk(home_of(home), kept(path)) as me:
        on, marked = me.dealings(which), parse_marking(marking)
        typer.echo(determinations.keep_statement(me.ctx, on, words_of(words), marked))


@app.command("show")
def show(
    which: Which,
    home: Home = None,
    path: Kept = FILE,
    *,
    text: Annotated[str, typer.Option(help="Print the text that has this digest.")] = "",
    as_json: AsJson = False,
) -> None:
    """Show proposals, positions, determinations, dissents, responses, and what asks again."""
    from leadline.app import determinations
    from leadline.wiring import desk

    with edge(), desk.at_desk(home_of(home), kept(path)) as me:
        on = me.dealings(which)
        if text:
            typer.echo(determinations.written(me.ctx, on, text))
            return
        page = determinations.page(me.ctx, on)
    document = desk.determinations_document(page)
    for line in [json.dumps(document)] if as_json else desk.determination_lines(page):
        typer.echo(line)
