"""`leadline submission`: a pack of what you have already, offered when you choose."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadline.cli.edge import edge
from leadline.cli.inquiry import show_audience
from leadline.cli.session import FILE, AsJson, Home, Kept
from leadline.core.engagement.submission import Part
from leadline.settings import home as home_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadline.app.audience import Audience
    from leadline.app.engagement import Dealings
    from leadline.core.engagement.submission import Row, Submission
    from leadline.wiring.desk import Desk

app = typer.Typer(no_args_is_help=True, help="A submission pack: built, looked at, offered.")
Dir = Annotated[Path, typer.Argument(metavar="DIR", help="The folder that the pack is in.")]
On = Annotated[str, typer.Option("--engagement", help="The engagement it belongs to.")]


@app.callback()
def submission() -> None:
    """Submission packs."""


@app.command("new")
def new(
    folder: Dir,
    *,
    say: Annotated[
        list[str] | None, typer.Option(help="NAME=TEXT, such as model=NAME; `unknown` is a text.")
    ] = None,
    unknown: Annotated[
        list[Part] | None, typer.Option(help="A part of which you do not know.")
    ] = None,
) -> None:
    """Begin a pack, or say more in it; every fact may be left out or `unknown`."""
    from dataclasses import replace

    from leadline.wiring import submission as wiring

    with edge():
        place = wiring.Folder(folder)
        pack = place.begun()
        for pair in say or []:
            pack = wiring.saying(pack, pair)
        pack = replace(pack, unknown=pack.unknown | frozenset(unknown or []))
        place.keep(pack)
    typer.echo(f"{len(pack.facts)} facts and {len(pack.pieces)} files, in {folder}")


@app.command("add")
def add(
    folder: Dir,
    source: Annotated[
        Path, typer.Argument(metavar="FILE|OUT", help="A file, or what `leadline assess` wrote.")
    ],
    *,
    part: Annotated[
        Part | None, typer.Option("--as", help="Which part it is, where that cannot be told.")
    ] = None,
    same_model: Annotated[
        bool, typer.Option("--same-model", help="Its name for the model means the pack's.")
    ] = False,
) -> None:
    """Copy a model card, a CycloneDX document, an Inspect log, an assessment, or any file into it."""
    from leadline.wiring import submission as wiring

    with edge():
        piece = wiring.add(wiring.Folder(folder), source, part, same_model=same_model)
    typer.echo(f"{piece.file}: {piece.part.value} ({piece.origin.value}), {piece.digest}")
    if piece.tells:
        typer.echo(f"  {piece.tells}")


@app.command("check")
def check(
    folder: Dir,
    *,
    regime: Annotated[
        list[str] | None, typer.Option(help="A regime's id; without any, all that have effect.")
    ] = None,
    engagement: On = "",
    home: Home = None,
    path: Kept = FILE,
    as_json: AsJson = False,
) -> None:
    """Name what is present, absent and unknown, by regime, with where each text says so."""
    from leadline.wiring import submission as wiring

    with edge():
        pack = wiring.Folder(folder).pack()
        if engagement:
            rows, note = _dealt(pack, engagement, home, path)
        else:
            rows, note = _offline(pack, regime or [], home), ""
    if as_json:
        typer.echo(json.dumps({"parts": [asdict(row) for row in rows], "retention": note}))
        return
    _rows(rows)
    if note:
        typer.echo(f"retention: {note}")
    typer.echo("It can be offered as it is; nothing here is due.")


def _offline(pack: "Submission", ids: "Sequence[str]", home: Path | None) -> "tuple[Row, ...]":
    """Against the texts themselves; nobody is signed in and nothing is sent."""
    from leadline.core.engagement.submission import completeness
    from leadline.wiring.regimes import library

    held, now = library(home_of(home).folder / "regimes"), datetime.now(UTC)  # noqa: TID251 -- an edge
    texts = [held.on(id_, now.date()) for id_ in ids or held.ids()]
    return completeness([one for one in texts if ids or one.applies(now)], pack)


def _dealt(
    pack: "Submission", engagement: str, home: Path | None, path: Path
) -> "tuple[tuple[Row, ...], str]":
    from leadline.app import submission as use
    from leadline.cli.desk import at_desk

    with at_desk(home, path) as me:
        return me.do(use.checked, me.dealings(engagement), pack)


def _rows(rows: "Sequence[Row]") -> None:
    for row in rows:
        where = f"{row.regime}: {row.citation}" if row.regime else "no text speaks of it"
        typer.echo(f"{row.presence.value:8} {row.part.value:24} {where}")
        if row.words:
            typer.echo(f"         {row.words}")


@app.command("preview")
def preview(
    folder: Dir, *, engagement: On, home: Home = None, path: Kept = FILE, as_json: AsJson = False
) -> None:
    """Show every file and fact that would be offered, and who could see it until when."""
    from leadline.cli.desk import at_desk
    from leadline.wiring import submission as wiring

    with edge(), at_desk(home, path) as me:
        pack = wiring.Folder(folder).pack()
        found = _audience(me, me.dealings(engagement))
    if as_json:
        told = {"pack": pack.to_record(), "audience": asdict(found)}
        typer.echo(json.dumps(told, default=str))
        return
    _says(pack)
    show_audience(found)


def _audience(me: "Desk", on: "Dealings") -> "Audience":
    from leadline.app.audience import audience
    from leadline.wiring.people import roles

    return me.do(audience, me.known(lambda _: roles()), on, files=True)


def _says(pack: "Submission") -> None:
    typer.echo("What is offered:")
    for fact, text in pack.facts.items():
        typer.echo(f"  {fact.value}: {text}")
    for piece in pack.pieces:
        typer.echo(f"  {piece.file}: {piece.part.value}, {piece.size} bytes")


@app.command("offer")
def offer(
    folder: Dir,
    *,
    engagement: On,
    yes: Annotated[bool, typer.Option("--yes", help="Offer without asking again.")] = False,
    home: Home = None,
    path: Kept = FILE,
    as_json: AsJson = False,
) -> None:
    """Deposit the pack under the terms in effect, after showing what and to whom."""
    from leadline.cli.desk import at_desk
    from leadline.wiring import submission as wiring

    with edge(), at_desk(home, path) as me:
        place, on = wiring.Folder(folder), me.dealings(engagement)
        if not yes:
            _says(place.pack())
            show_audience(_audience(me, on))
            typer.confirm("Offer it?", abort=True, err=True)
        done = me.offer(on, place)
    told = {"manifest": done.digest, "artefact": done.manifest, "terms": done.terms}
    if as_json:
        typer.echo(json.dumps(told | {"files": list(done.files)}))
        return
    typer.echo(f"offered: {len(done.files)} files, manifest {done.digest}")
    typer.echo(f"under the terms {done.terms}")


@app.command("export")
def export(
    folder: Dir,
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A new folder.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Write the pack for others to read, with a manifest and a CycloneDX document. Nothing is sent."""
    from leadline.wiring import submission as wiring

    with edge():
        names = wiring.export(wiring.Folder(folder), out)
    typer.echo(json.dumps({"files": names}) if as_json else "\n".join(names))
