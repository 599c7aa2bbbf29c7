"""`leadline draft`: messages to owners, drafted here and sent by a person."""

import json
from pathlib import Path
from typing import Annotated

import typer

from leadline.cli.edge import edge
from leadline.cli.session import FILE, AsJson, Home, Kept, kept
from leadline.core.clearing.directory import Channel
from leadline.settings import home as home_of

app = typer.Typer(
    no_args_is_help=True, help="Messages to owners: drafted here; a person sends them."
)
Id = Annotated[
    str, typer.Argument(metavar="DRAFT", help="Its id, as `leadline draft list` has it.")
]


@app.command("write")
def write(
    case: Annotated[str, typer.Argument(help="The case.")],
    *,
    party: Annotated[
        list[str] | None, typer.Option(help="One party each; else all vendors.")
    ] = None,
    channel: Annotated[Channel, typer.Option(help="How --to is reached.")] = Channel.MAIL,
    to: Annotated[str, typer.Option(help="An address, instead of the directory's.")] = "",
    unreplayed: Annotated[
        str, typer.Option(help="Why a finding goes out that nobody replayed.")
    ] = "",
    home: Home = None,
    path: Kept = FILE,
    as_json: AsJson = False,
) -> None:
    """Draft messages about a case, one for each recipient; nothing is sent."""
    from leadline.app import drafts
    from leadline.wiring.contacts import given
    from leadline.wiring.desk import at_desk

    with edge(), at_desk(home_of(home), kept(path)) as me:
        address = given(channel, to, me.ctx.now)
        asked = drafts.Asked(tuple(party or ()), address, unreplayed)
        made = drafts.write(me.ctx, case, asked)
    rows = [{"draft": one.id, "to": one.to} for one in made.messages]
    left = [{"party": one, "why": why} for one, why in made.left_out]
    if as_json:
        typer.echo(json.dumps({"written": rows, "left_out": left}))
        return
    for row in rows:
        typer.echo(f"{row['draft']}  to {row['to']}")
    for row in left:
        typer.echo(f"nothing for {row['party']}: {row['why']}")


@app.command("list")
def list_(
    case: Annotated[str, typer.Argument(help="One case; else all of yours.")] = "",
    home: Home = None,
    path: Kept = FILE,
    *,
    as_json: AsJson = False,
) -> None:
    """List drafts: what may be sent, what waits for the recipient's pace, what was sent."""
    from leadline.app import drafts
    from leadline.wiring.cases import draft_document, draft_lines
    from leadline.wiring.desk import at_desk

    with edge(), at_desk(home_of(home), kept(path)) as me:
        found = drafts.listed(me.ctx, case)
    rows = [draft_document(one) for one in found]
    typer.echo(json.dumps({"drafts": rows}) if as_json else "\n".join(draft_lines(found)))


@app.command("show")
def show(
    draft: Id,
    out: Annotated[Path | None, typer.Option(help="Write the text into a new file.")] = None,
    home: Home = None,
    path: Kept = FILE,
    *,
    as_json: AsJson = False,
) -> None:
    """Show a draft's text. It is for its recipient alone: mind where you write it."""
    from leadline.app import drafts
    from leadline.wiring.cases import draft_document
    from leadline.wiring.contacts import new_file
    from leadline.wiring.desk import at_desk

    with edge(), at_desk(home_of(home), kept(path)) as me:
        found = drafts.shown(me.ctx, draft)
        if out is not None:
            new_file(out, found.text)
            return
    page = draft_document(found.placed) | {"text": found.text.decode()}
    typer.echo(json.dumps(page) if as_json else page["text"])


@app.command("sent")
def sent(
    draft: Id,
    *,
    at: Annotated[str, typer.Option(help="When, such as 2027-03-01T09:00-05:00.")],
    where: Annotated[str, typer.Option(help="Where it was sent, and the recipient's reference.")],
    zone: Annotated[str, typer.Option(help="The time zone of a moment without an offset.")] = "",
    over_pace: Annotated[str, typer.Option(help="Why it was sent before its turn.")] = "",
    home: Home = None,
    path: Kept = FILE,
) -> None:
    """Put on record that a person sent a draft; the recipient's clocks count from then."""
    from leadline.app import drafts
    from leadline.app.moment import moment
    from leadline.wiring.desk import at_desk

    with edge(), at_desk(home_of(home), kept(path)) as me:
        drafts.sent(me.ctx, draft, where, moment("at", at, zone), over_pace=over_pace)
