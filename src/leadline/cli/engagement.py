"""`leadline engagement`: a developer's dealings with the programme about one model."""

import json
from pathlib import Path
from typing import Annotated

import typer

from leadline.cli.edge import edge
from leadline.cli.session import FILE, AsJson, Home, Kept
from leadline.core.engagement.determination import Variant

app = typer.Typer(no_args_is_help=True, help="A developer's dealings with the programme.")
Which = Annotated[str, typer.Argument(metavar="ENGAGEMENT", help="The engagement's id.")]
Either = Annotated[
    str,
    typer.Argument(
        metavar="ENGAGEMENT", help="Its id, or the folder that `leadline assess` wrote (OUT)."
    ),
]
When = Annotated[str, typer.Argument(help="A moment such as 2027-03-01T09:00, or with its offset.")]
Zone = Annotated[str, typer.Option(help="The time zone it is meant and shown in.")]
Under = Annotated[
    str, typer.Option("--regime", help="The regime it is under; else the engagement's first.")
]


@app.command("open")
def open_(
    model: Annotated[str, typer.Argument(help="What the developer calls the model.")],
    home: Home = None,
    path: Kept = FILE,
    *,
    digest: Annotated[str, typer.Option(help="The subject's SHA-256, where it is known.")] = "",
    regime: Annotated[str, typer.Option(help="The regime to begin under.")] = "us-eo-14409",
) -> None:
    """Begin, as the developer: a draft, which is nobody's business but its own. Prints its id."""
    from leadline.cli.desk import at_desk

    with edge(), at_desk(home, path) as me:
        typer.echo(me.open(model, digest, regime))


@app.command("list")
def list_(home: Home = None, path: Kept = FILE, *, as_json: AsJson = False) -> None:
    """The engagements that you may know of."""
    from leadline.cli.desk import at_desk

    with edge(), at_desk(home, path) as me:
        found = me.list()
    if as_json:
        typer.echo(json.dumps({"engagements": found}))
        return
    for one in found:
        typer.echo(f"{one['engagement']}  {one['state']:22} {one['model']}  access {one['access']}")


@app.command("show")
def show(which: Either, home: Home = None, path: Kept = FILE, *, as_json: AsJson = False) -> None:
    """Show the state, access windows and acts of one engagement."""
    from leadline.cli import desk as cli_desk
    from leadline.wiring import assess, desk

    with edge():
        if Path(which).is_dir():
            stands, now = assess.standing(Path(which))
        else:
            with cli_desk.at_desk(home, path) as me:
                stands, now = me.standing(which), me.now
    shown = [json.dumps(desk.document(stands, now))] if as_json else desk.lines(stands, now)
    for line in shown:
        typer.echo(line)


@app.command("anchor")
def anchor(
    which: Which,
    when: When,
    home: Home = None,
    path: Kept = FILE,
    *,
    zone: Zone = "UTC",
    under: Under = "",
) -> None:
    """Name or move, as the developer, the planned first release to another trusted partner."""
    from leadline.app import engagement
    from leadline.app.moment import moment
    from leadline.cli.desk import at_desk

    with edge(), at_desk(home, path) as me:
        at = moment("WHEN", when, zone)
        me.do(engagement.set_anchor, me.dealings(which), at, zone, under=under)


@app.command("open-access")
def open_access(which: Which, home: Home = None, path: Kept = FILE, *, under: Under = "") -> None:
    """Give access, as the developer, under the agreed terms and within the regime's window."""
    from leadline.app import engagement
    from leadline.cli.desk import at_desk

    with edge(), at_desk(home, path) as me:
        on = me.dealings(which)
        me.do(engagement.open_access, on, under=under)
        typer.echo(f"access lasts until {me.ends(on, under)} at most; nothing follows when it ends")


@app.command("extend")
def extend(
    which: Which,
    until: When,
    home: Home = None,
    path: Kept = FILE,
    *,
    zone: Zone = "UTC",
    under: Under = "",
) -> None:
    """Let open access last longer, as the developer, to the anchor or the regime's days at most."""
    from leadline.app import engagement
    from leadline.app.moment import moment
    from leadline.cli.desk import at_desk

    with edge(), at_desk(home, path) as me:
        at = moment("UNTIL", until, zone)
        me.do(engagement.extend, me.dealings(which), at, under=under)


@app.command("end-access")
def end_access(which: Which, home: Home = None, path: Kept = FILE, *, under: Under = "") -> None:
    """End open access at once; either party may."""
    from leadline.app import engagement
    from leadline.cli.desk import at_desk

    with edge(), at_desk(home, path) as me:
        me.do(engagement.end_access, me.dealings(which), under=under)


@app.command("end")
def end(which: Which, home: Home = None, path: Kept = FILE) -> None:
    """End the engagement; either party may, and what is recorded stays."""
    from leadline.app import engagement
    from leadline.cli.desk import at_desk

    with edge(), at_desk(home, path) as me:
        me.do(engagement.end, me.dealings(which))


@app.command("withdraw")
def withdraw(
    which: Either,
    home: Home = None,
    path: Kept = FILE,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Withdraw without asking again.")] = False,
) -> None:
    """Withdraw, as the developer: ends access at once and stops every sample. Needs no reason."""
    from leadline.cli import desk as cli_desk
    from leadline.wiring import assess

    if not yes:
        typer.confirm("Withdraw from this engagement?", abort=True, err=True)
    with edge():
        if Path(which).is_dir():
            at = assess.withdraw(Path(which))
        else:
            with cli_desk.at_desk(home, path) as me:
                at = me.withdraw(which).isoformat()
        typer.echo(f"withdrawn; access ended at {at}")
        typer.echo("if you run a relay, it is told by you: leadline relay revoke --all")


@app.command("add-regime")
def add_regime(
    which: Which,
    regime: Annotated[str, typer.Argument(help="The regime's id; its newest text is added.")],
    home: Home = None,
    path: Kept = FILE,
) -> None:
    """Put the engagement, as the developer, under a further regime or a newer text of one."""
    from leadline.app import engagement
    from leadline.cli.desk import at_desk

    with edge(), at_desk(home, path) as me:
        me.do(engagement.add_regime, me.dealings(which), me.library.newest(regime))


@app.command("weights")
def weights(
    which: Which,
    digest: Annotated[str, typer.Argument(help="The subject's SHA-256.")],
    home: Home = None,
    path: Kept = FILE,
    *,
    name: Annotated[str, typer.Option(help="What the developer calls this version.")],
    variant: Annotated[Variant, typer.Option(help="In which form.")] = Variant.NOT_STATED,
) -> None:
    """Register, as the developer, a weights version; it asks again what was answered."""
    from leadline.app import engagement
    from leadline.cli.desk import at_desk

    with edge(), at_desk(home, path) as me:
        on = me.dealings(which)
        me.do(engagement.register_weights, on, digest=digest, name=name, variant=variant)
