"""``leadline weights``: only for weights that are given; a subject is otherwise reached where it is hosted."""

import json
from pathlib import Path
from typing import Annotated

import typer

from leadline.cli.edge import edge
from leadline.cli.session import FILE, AsJson, Home, Kept, acting
from leadline.settings import home as home_of

app = typer.Typer(
    help="Weights that a developer gives: signed, judged, in custody.", no_args_is_help=True
)
Signature = Annotated[Path, typer.Option(help="The model signature, a file outside the folder.")]


@app.callback()
def weights() -> None:
    """Weights that a developer gives."""


@app.command("sign")
def sign(
    folder: Annotated[Path, typer.Argument(help="The folder with the weights.")],
    *,
    key: Annotated[Path, typer.Option(help="The developer's private key (EC, PEM).")],
    signature: Signature,
) -> None:
    """Sign every file of FOLDER, offline; no public log learns of it."""
    from leadline.wiring import intake as wiring

    with edge():
        wiring.sign(folder, key, signature)


@app.command("receive")
def receive(
    folder: Annotated[Path, typer.Argument(help="The folder as it was handed over.")],
    *,
    engagement: Annotated[str, typer.Option(help="The engagement it belongs to.")],
    signature: Signature,
    key: Annotated[Path | None, typer.Option(help="The developer's public key (PEM).")] = None,
    chain: Annotated[
        list[Path] | None, typer.Option(help="A certificate of the private authority instead.")
    ] = None,
    home: Home = None,
    session: Kept = FILE,
    as_json: AsJson = False,
) -> None:
    """Take weights in: verify the signature, judge and compare every file, begin custody."""
    from leadline.wiring import intake as wiring

    with edge(), acting(home, session) as (_, me):
        on = wiring.dealing(me.ctx, engagement)
        trust = wiring.Trust(key, tuple(chain or ()))
        taken = wiring.receive(me.ctx, home_of(home), folder, on, signature, trust)
    told = [{"id": one.id, "name": one.name, "digest": one.digest} for one in taken]
    if as_json:
        typer.echo(json.dumps({"received": told}))
        return
    for one in told:
        typer.echo(f"{one['id']}  {one['digest']}  {one['name']}")


@app.command("custody")
def custody(
    engagement: Annotated[str, typer.Argument(help="The engagement.")],
    *,
    proofs: Annotated[
        Path | None, typer.Option(help="Write a .tlog-proof and an opening per movement here.")
    ] = None,
    home: Home = None,
    session: Kept = FILE,
    as_json: AsJson = False,
) -> None:
    """Print the custody statement: every recorded movement, and what no record can show."""
    from leadline.app import weights as use
    from leadline.wiring import intake as wiring

    with edge(), acting(home, session) as (_, me):
        told = use.statement(me.ctx, wiring.dealing(me.ctx, engagement))
        written = wiring.write_proofs(me.ctx, told, proofs) if proofs else 0
    if as_json:
        typer.echo(wiring.statement(told).decode())
        return
    for file in told.files:
        typer.echo(file.digest)
        for entry in file.entries:
            odd = f"  IRREGULAR: {file.irregular[entry.act]}" if entry.act in file.irregular else ""
            at = entry.at.isoformat(timespec="seconds")
            place = f"{told.index[entry.act]:>6}  {at}"
            typer.echo(f"  {place}  {entry.movement:14} {entry.actor} {entry.place}{odd}")
    if proofs:
        typer.echo(f"{written} proofs in {proofs}")
    typer.echo(told.unknown)
