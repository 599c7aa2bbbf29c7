"""``leadline artefact``: what was taken in, what anyone reads here, and publication by two persons."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from leadline.cli.edge import edge
from leadline.cli.session import FILE, AsJson, Home, Kept, acting
from leadline.core.intake import Purpose
from leadline.settings import home as home_of

app = typer.Typer(help="Artefacts: private until two persons publish them.", no_args_is_help=True)
Allowed = Annotated[
    list[str], typer.Option("--allow", help="PATH=BYTES: a file to publish, and its largest size.")
]
Canaries = Annotated[
    Path | None, typer.Option(help="A file of strings, one a line, that must not leave.")
]


@app.callback()
def artefact() -> None:
    """Artefacts."""


@app.command("deposit")
def deposit(
    file: Annotated[Path, typer.Argument(help="The file to hand over.")],
    *,
    engagement: Annotated[str, typer.Option(help="The engagement it belongs to.")],
    purpose: Annotated[
        Purpose, typer.Option("--as", help="What it is for; archives only as evidence.")
    ] = Purpose.DOCUMENT,
    sealed: Annotated[
        bool, typer.Option("--sealed", help="Opens for two approvers and a proof only.")
    ] = False,
    home: Home = None,
    session: Kept = FILE,
    as_json: AsJson = False,
) -> None:
    """Hand FILE over: through the quarantine, judged by its content, into the vault.

    To a server it goes in parts: after a broken line, or an end of either side, the same command goes on.
    """
    from leadline.cli.desk import at_desk

    with edge(), at_desk(home, session) as me:
        taken = me.deposit(file, engagement, purpose, sealed=sealed)
    short = f"{taken.id}  {taken.content}  {taken.digest}"
    typer.echo(json.dumps(asdict(taken)) if as_json else short)


@app.command("list")
def list_(home: Home = None, session: Kept = FILE, *, as_json: AsJson = False) -> None:
    """List the artefacts that you may read."""
    from leadline.app import intake
    from leadline.cli.desk import at_desk

    with edge(), at_desk(home, session) as me:
        rows = [row.value for row in me.do(intake.listed)]
    if as_json:
        found = [
            {
                "id": row.id,
                "engagement": row.engagement,
                "name": row.name,
                "content": row.judged.content.value,
                "purpose": row.purpose.value,
                "bytes": row.bytes,
                "digest": row.digest,
                "received": row.received_at.isoformat(),
            }
            for row in rows
        ]
        typer.echo(json.dumps({"artefacts": found}))
        return
    for row in rows:
        typer.echo(f"{row.id}  {row.engagement}  {row.judged.content.value:12} {row.name}")


@app.command("scan")
def scan(home: Home = None, session: Kept = FILE, *, as_json: AsJson = False) -> None:
    """See what an anonymous caller reads here: exit 5 if there is anything but publications."""
    from leadline.wiring import intake as wiring

    with edge(), acting(home, session) as (_, me):
        found = wiring.scan(me.ctx, home_of(home))
    if as_json:
        typer.echo(json.dumps(found))
    else:
        typer.echo(f"published: {len(found['published'])}")
        for kind in ("listed", "unlisted"):
            for name in found[kind]:
                typer.echo(f"readable, and not published ({kind}): {name}")
    if found["listed"] or found["unlisted"]:
        raise typer.Exit(5)


@app.command("check")
def check(
    file: Annotated[Path, typer.Argument(help="The final artefact, as it would be published.")],
    *,
    allow: Allowed = [],  # noqa: B006 -- Typer reads it, nobody changes it
    canaries: Canaries = None,
    as_json: AsJson = False,
) -> None:
    """Look into FILE as a publication would; nothing is recorded. Exit 5 if something was found."""
    from leadline.wiring import intake as wiring

    with edge():
        files, flaws = wiring.look(file, allow, canaries)
    told = [{"rule": one.rule, "where": one.where, "why": one.why} for one in flaws]
    if as_json:
        typer.echo(json.dumps({"files": dict(files), "flaws": told}))
    else:
        for one in flaws:
            typer.echo(f"{ascii(one.where)[1:-1]}: {one.rule}: {one.why}")
        typer.echo(f"{len(files)} files, {len(flaws)} findings")
    if flaws:
        raise typer.Exit(5)


@app.command("publish")
def publish(
    artefact: Annotated[str, typer.Argument(help="The artefact's id.")],
    *,
    allow: Allowed,
    request: Annotated[
        str, typer.Option(help="The request that two others and you signed; without it, ask.")
    ] = "",
    canaries: Canaries = None,
    home: Home = None,
    session: Kept = FILE,
) -> None:
    """Ask for a publication, or carry out the one that was signed.

    Without --request the artefact is looked into and a request is made; sign it with `leadline
    approval approve`, have two others sign it, and give its id here.
    """
    from leadline.app import publish as use
    from leadline.wiring import intake as wiring

    with edge(), acting(home, session) as (_, me):
        plan = wiring.plan(artefact, allow, canaries)
        if not request:
            typer.echo(use.ask(me.ctx, plan).id)
            return
        done = use.publish(me.ctx, request, plan, wiring.published(home_of(home)))
        typer.echo(f"{done.digest}  {done.bytes} bytes, readable by anyone")
