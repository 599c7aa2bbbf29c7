"""``leadline vault``: read and unseal, rotate keys, place and lift holds, shred, and ask what there is."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from leadline.cli.edge import edge
from leadline.cli.session import FILE, AsJson, Home, Kept, acting
from leadline.core.errors import Invalid, Refused

if TYPE_CHECKING:
    from leadline.app.context import Context
    from leadline.app.ports import KeyStore
    from leadline.app.vaulting import Material

app = typer.Typer(help="The vault: sealed content and its keys.", no_args_is_help=True)
Engagement = Annotated[str, typer.Argument(help="The engagement's id.")]
Owner = Annotated[str, typer.Option(help="Whose material: developer or agency.")]
Out = Annotated[Path, typer.Option("--out", help="A new file for the plaintext, mode 0600.")]
Purpose = Annotated[
    str, typer.Option(help="What for: a word of `leadline terms purposes` that the terms cover.")
]
CHUNK_BYTES = 1 << 20


@app.callback()
def vault() -> None:
    """The vault."""


@contextmanager
def _at(
    home: Path | None, session: Path, engagement: str, owner: str
) -> Iterator[tuple["Context", "KeyStore", "Material"]]:
    """Who acts, the key service, and whose material of which engagement."""
    from leadline.wiring.vault import material

    with acting(home, session) as (door, me):
        assert door.parts.keys is not None  # noqa: S101 -- every opened installation has one
        yield me.ctx, door.parts.keys, material(me.ctx.store, engagement, owner)


def _write(source: BinaryIO, out: Path) -> int:
    """Copy verified plaintext into a new file that only its owner reads."""
    if out.exists():
        raise Refused(f"{out} exists; name a new file")
    out.touch(mode=0o600)
    count = 0
    with out.open("wb") as target:
        while chunk := source.read(CHUNK_BYTES):
            count += target.write(chunk)
    return count


@app.command()
def read(
    artefact: Annotated[str, typer.Argument(help="The artefact's id.")],
    out: Out,
    purpose: Purpose,
    home: Home = None,
    session: Kept = FILE,
) -> None:
    """Read working content; that it was read, and what for, is recorded first."""
    from leadline.app import vaulting

    with (
        edge(),
        acting(home, session) as (_, me),
        vaulting.read(me.ctx, artefact, purpose) as source,
    ):
        typer.echo(f"{_write(source, out)} bytes in {out}")


@app.command()
def ask(
    artefact: Annotated[str, typer.Argument(help="The artefact's id.")],
    purpose: Purpose,
    home: Home = None,
    session: Kept = FILE,
) -> None:
    """Ask that a sealed artefact be opened once, for a purpose that its signers sign as well."""
    from leadline.app import vaulting

    with edge(), acting(home, session) as (_, me):
        request = vaulting.ask_unsealing(me.ctx, artefact, purpose)
        typer.echo(f"{request.id}: two others and you sign it before {request.expires.isoformat()}")


@app.command()
def unseal(
    request: Annotated[str, typer.Argument(help="The signed request's id.")],
    out: Out,
    home: Home = None,
    session: Kept = FILE,
) -> None:
    """Open what a signed request is about, once. The authorisation is proved in the log first."""
    from leadline.app import vaulting

    with edge(), acting(home, session) as (_, me), vaulting.unseal(me.ctx, request) as source:
        typer.echo(f"{_write(source, out)} bytes in {out}")


@app.command()
def rotate(
    engagement: Engagement, owner: Owner = "developer", home: Home = None, session: Kept = FILE
) -> None:
    """Begin a new key epoch; whoever opened something before keeps it."""
    from leadline.app import vaulting

    with edge(), _at(home, session, engagement, owner) as (ctx, keys, material):
        typer.echo(f"epoch {vaulting.rotate(ctx, keys, material)}")


@app.command()
def attest(
    engagement: Engagement, owner: Owner = "developer", home: Home = None, session: Kept = FILE
) -> None:
    """What the key's driver says of it: where it is, and whom it does not protect from."""
    from leadline.app import vaulting

    with edge(), _at(home, session, engagement, owner) as (ctx, keys, material):
        typer.echo(vaulting.attest(ctx, keys, material))


@app.command()
def openings(
    engagement: Engagement, home: Home = None, session: Kept = FILE, *, as_json: AsJson = False
) -> None:
    """Every recorded opening of sealed material."""
    from leadline.app import vaulting

    with edge(), _at(home, session, engagement, "developer") as (ctx, _, material):
        found = vaulting.decryptions(ctx, material)
        if as_json:
            typer.echo(json.dumps({"openings": [_plain(asdict(one)) for one in found]}))
            return
        for one in found:
            typer.echo(f"{one.at.isoformat()}  {one.actor}  {one.digest}  {one.act}")


@app.command()
def hold(
    engagement: Engagement,
    authority: Annotated[str, typer.Option(help="Court, order or schedule that wants it kept.")],
    owner: Annotated[str, typer.Option(help="developer, agency or both.")] = "both",
    until: Annotated[
        datetime | None, typer.Option(help="A records schedule's end (UTC); none: a legal hold.")
    ] = None,
    home: Home = None,
    session: Kept = FILE,
) -> None:
    """Enter that an authority wants material kept: it is not shredded while that stands."""
    from datetime import UTC

    from leadline.app import vaulting
    from leadline.core.vaulting import Basis, Hold

    with (
        edge(),
        _at(home, session, engagement, "agency" if owner == "both" else owner) as (
            ctx,
            _,
            material,
        ),
    ):
        entered = vaulting.place_hold(
            ctx,
            material,
            Hold(
                "",
                engagement,
                None if owner == "both" else material.owner,
                Basis.LEGAL_HOLD if until is None else Basis.RECORDS_SCHEDULE,
                authority,
                ctx.now,
                "",
                until.replace(tzinfo=UTC) if until else None,
            ),
        )
        typer.echo(f"{entered.id}: {entered.basis.value} by {entered.authority}")


@app.command()
def lift(
    engagement: Engagement,
    hold_id: Annotated[str, typer.Argument(help="The hold's id.")],
    authority: Annotated[str, typer.Option(help="By whose word it no longer stands.")],
    home: Home = None,
    session: Kept = FILE,
) -> None:
    """Enter that a legal hold no longer stands."""
    from leadline.app import vaulting

    with edge(), _at(home, session, engagement, "agency") as (ctx, _, material):
        typer.echo(f"{vaulting.lift_hold(ctx, material, hold_id, authority).id} lifted")


@app.command()
def holds(
    engagement: Engagement, home: Home = None, session: Kept = FILE, *, as_json: AsJson = False
) -> None:
    """Every hold of an engagement, lifted ones included."""
    from leadline.app import vaulting

    with edge(), _at(home, session, engagement, "agency") as (ctx, _, material):
        found = vaulting.holds(ctx, material)
        if as_json:
            typer.echo(json.dumps({"holds": [_plain(asdict(one)) for one in found]}))
            return
        for one in found:
            state = f"lifted {one.lifted.isoformat()}" if one.lifted else "stands"
            typer.echo(f"{one.id}  {one.basis.value}  {one.authority}  {state}")


@app.command()
def shred(
    engagement: Engagement,
    owner: Owner = "developer",
    request: Annotated[str, typer.Option(help="A signed request; a developer needs none.")] = "",
    ask_for: Annotated[str, typer.Option("--ask", help="Ask for one instead, giving why.")] = "",
    home: Home = None,
    session: Kept = FILE,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Destroy without asking again.")] = False,
    as_json: AsJson = False,
) -> None:
    """Destroy one owner's keys and ciphertext, and print the receipt of the evidenced deletion."""
    from leadline.app import vaulting

    if not ask_for and not yes:
        typer.confirm(f"Destroy the {owner}'s material of {engagement}?", abort=True, err=True)
    with edge(), _at(home, session, engagement, owner) as (ctx, keys, material):
        if ask_for and request:
            raise Invalid("--ask", "ask for a request or name one, not both")
        if ask_for:
            typer.echo(vaulting.ask_shredding(ctx, material, ask_for).id)
            return
        receipt = vaulting.shred(ctx, keys, material, request)
        if as_json:
            typer.echo(json.dumps(_plain(asdict(receipt))))
            return
        typer.echo(receipt.statement)
        for one in receipt.destroyed:
            typer.echo(f"key {one.compartment}: reported destroyed {one.at.isoformat()}")
        typer.echo(
            f"things: {len(receipt.digests)}; kept of the other side: {receipt.kept}; earlier "
            f"openings: {len(receipt.decryptions)}; backups it covers: {len(receipt.backups)}; "
            f"copies of keys elsewhere: {len(receipt.key_copies)}"
        )


def _plain(found: object) -> object:
    """JSON-safe: instants as RFC 3339 text."""
    if isinstance(found, dict):
        return {name: _plain(value) for name, value in found.items()}
    if isinstance(found, list | tuple):
        return [_plain(one) for one in found]
    return found.isoformat() if isinstance(found, datetime) else found
