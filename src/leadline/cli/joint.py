"""`leadline joint`: one run in both institutes' forms, exchanged as a signed pack."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from leadline.cli.edge import edge
from leadline.cli.session import FILE, AsJson, Home, Kept, kept
from leadline.cli.words import words_of
from leadline.formats.note import NOTE_BYTES_MAX
from leadline.settings import home as home_of

app = typer.Typer(
    no_args_is_help=True, help="Joint assessments with another government's institute."
)
Which = Annotated[str, typer.Argument(metavar="ENGAGEMENT", help="The engagement's id.")]
RUN = Path("out")


@app.command("make")
def make(
    which: Which,
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A new folder for the pack.")],
    *,
    to: Annotated[str, typer.Option("--for", help="The exchange profile, such as uk-aisi.")],
    run: Annotated[Path, typer.Option(help="The folder that `leadline assess` wrote.")] = RUN,
    home: Home = None,
    path: Kept = FILE,
    as_json: AsJson = False,
) -> None:
    """Write a signed pack of a finished run: our form, theirs, and the report."""
    from leadline.app import joint
    from leadline.wiring import exchange
    from leadline.wiring.desk import at_desk

    with edge(), at_desk(home_of(home), kept(path)) as me:
        profile = exchange.profile(to, me.home.folder / "exchange")
        on = me.dealings(which)
        pack = joint.make(me.ctx, on, exchange.run(run), profile, out)
    if as_json:
        typer.echo(json.dumps(asdict(pack)))
        return
    typer.echo(f"{pack.id}: run {pack.run[:16]} for {pack.body} in {out}")
    typer.echo(f"{pack.left_out} leaves of the summary are in no field of the profile: not shared")


@app.command("receive")
def receive(
    which: Which,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The pack.")],
    *,
    key: Annotated[Path, typer.Option(help="Their verifier keys, got apart from the pack.")],
    home: Home = None,
    path: Kept = FILE,
    as_json: AsJson = False,
) -> None:
    """Verify a pack, that both forms are of one run and agree, and keep where it came from."""
    from leadline.app import joint
    from leadline.wiring import exchange
    from leadline.wiring.desk import at_desk

    with edge(), at_desk(home_of(home), kept(path)) as me:
        known = exchange.profiles(me.home.folder / "exchange")
        keys = words_of(key, NOTE_BYTES_MAX)
        got = joint.receive(me.ctx, me.dealings(which), folder, keys, known)
    told = {**asdict(got.pack), "from": got.verified.origin, "agree": got.numbers}
    if as_json:
        typer.echo(json.dumps({"ok": True, **told}))
        return
    typer.echo(f"{got.pack.id} from {got.verified.origin}: run {got.pack.run[:16]}")
    typer.echo(f"both forms agree in all {got.numbers} values; nothing of it entered a result here")


@app.command("profiles")
def profiles(home: Home = None, *, as_json: AsJson = False) -> None:
    """List the exchange profiles, with the names that each field has on both sides."""
    from leadline.wiring import exchange

    with edge():
        found = exchange.profiles(home_of(home).folder / "exchange")
    if as_json:
        rows = [{**asdict(one), "last_checked": one.last_checked.isoformat()} for one in found]
        typer.echo(json.dumps({"profiles": rows}))
        return
    for one in found:
        typer.echo(f"{one.id}: {one.title} (checked {one.last_checked})")
        for field in one.fields:
            typer.echo(f"  {field.theirs}  <- {field.ours}: {field.words}")
