"""`leadline export`: evidence that leaves, with its chain of custody; referrals; what is held."""

import json
from base64 import b64encode
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadline.cli.edge import edge
from leadline.cli.session import FILE, AsJson, Home, Kept, kept
from leadline.cli.words import words_of
from leadline.formats.note import NOTE_BYTES_MAX
from leadline.settings import home as home_of

if TYPE_CHECKING:
    from leadline.core.record.act import Act

app = typer.Typer(no_args_is_help=True, help="Evidence that leaves, and who held it.")
Which = Annotated[str, typer.Argument(metavar="ENGAGEMENT", help="The engagement's id.")]
CONTEXT_BYTES_MAX = 1 << 20


@app.command("make")
def make(
    which: Which,
    out: Annotated[Path, typer.Argument(help="A new folder.")],
    *,
    to: Annotated[str, typer.Option(help="Whom it is for.")],
    purpose: Annotated[str, typer.Option(help="A purpose that the terms name.")] = "evidence",
    item: Annotated[
        list[str] | None, typer.Option(help="An artefact's id or a digest; without, all you see.")
    ] = None,
    home: Home = None,
    path: Kept = FILE,
    as_json: AsJson = False,
) -> None:
    """Write evidence of an engagement as a signed folder; what stays behind is counted."""
    from leadline.app import exports
    from leadline.wiring.desk import at_desk

    with edge(), at_desk(home_of(home), kept(path)) as me:
        made = exports.export(me.ctx, me.dealings(which), item or (), to, purpose, out)
    if as_json:
        typer.echo(json.dumps(asdict(made)))
        return
    typer.echo(
        f"{made.id}: {len(made.items)} pieces of evidence in {out}, {made.withheld} withheld"
    )
    typer.echo("check it with: leadline export verify DIR --key FILE")


@app.command("verify")
def verify(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The export.")],
    *,
    key: Annotated[Path, typer.Option(help="Verifier keys, got apart from the export.")],
    as_json: AsJson = False,
) -> None:
    """Verify an export offline: exit 0 if every byte is as signed and custody follows from acts, 8 if not."""
    from leadline.app import exports

    with edge():
        told = exports.verify(folder, words_of(key, NOTE_BYTES_MAX))
    words = {name: value for name, value in asdict(told).items() if name != "verified"}
    size = told.verified.size
    if as_json:
        root = b64encode(told.verified.root).decode()
        typer.echo(json.dumps({"ok": True, "size": size, "root": root, **words}))
        return
    typer.echo(f"verified: {told.export} of {told.engagement}, for {told.to} ({told.purpose})")
    typer.echo(f"  {told.items} pieces of evidence, {told.withheld} withheld")
    typer.echo(f"  {told.custody} entries of custody, told from acts of a log of {size} entries")
    typer.echo(f"  terms: {told.terms or 'the developer exported its own'}")


@app.command("list")
def list_(which: Which, home: Home = None, path: Kept = FILE, *, as_json: AsJson = False) -> None:
    """Exports and referrals of an engagement, and the holds that keep its material."""
    from leadline.app import exports
    from leadline.wiring.desk import at_desk

    with edge(), at_desk(home_of(home), kept(path)) as me:
        found = exports.around(me.ctx, me.dealings(which))
    if as_json:
        from leadline.core.record.act import to_record

        holds = [
            {"id": one.id, "basis": one.basis.value, "authority": one.authority}
            for one in found.holds
        ]
        acts = {"exports": found.exports, "referrals": found.referrals}
        told = {name: [to_record(act) for act in some] for name, some in acts.items()}
        typer.echo(json.dumps({**told, "holds": holds}))
        return
    for act in found.exports:
        typer.echo(
            f"export {act.about}  {act.at.isoformat()}  {_by(act)} ({act.detail['purpose']})"
        )
    for act in found.referrals:
        told_by = f"{_by(act)} under {act.detail['authority']}"
        typer.echo(f"referral of {act.about}  {act.at.isoformat()}  {told_by}")
    for one in found.holds:
        typer.echo(f"kept under {one.authority} since {one.placed.isoformat()} ({one.id})")


@app.command("refer")
def refer(
    which: Which,
    export_id: Annotated[str, typer.Argument(metavar="EXPORT", help="The export's id.")],
    *,
    to: Annotated[str, typer.Option(help="To whom you refer it.")],
    authority: Annotated[str, typer.Option(help="Under which law or rule.")],
    context: Annotated[Path, typer.Option(help="A text: what is known of good-faith research.")],
    key: Annotated[Path, typer.Option("--key", help="Your key file: you sign this very act.")],
    home: Home = None,
    path: Kept = FILE,
) -> None:
    """Record that you refer an export to somebody; you sign it, and nothing is sent."""
    from leadline.app import exports
    from leadline.core.access import Action
    from leadline.wiring.desk import at_desk

    with edge(), at_desk(home_of(home), kept(path)) as me:
        on = me.dealings(which)
        words = words_of(context, CONTEXT_BYTES_MAX)
        facts = exports.referral(export_id, to, authority, words)
        granted = me.signed(Action.REFERRAL_MAKE, on, facts, key)
        typer.echo(exports.refer(me.ctx, on, facts, words, granted).id)


def _by(act: "Act") -> str:
    return f"{act.actor} to {act.detail['to']}"
