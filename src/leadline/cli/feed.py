"""`leadline feed`: the public feed of advisories, built and verified."""

import json
from pathlib import Path
from typing import Annotated

import typer

from leadline.cli.edge import edge
from leadline.cli.session import FILE, AsJson, Home, Kept, kept
from leadline.cli.words import words_of
from leadline.settings import home as home_of

app = typer.Typer(no_args_is_help=True, help="The public feed of advisories, signed.")
KEYS_MAX = 1 << 17


@app.command("build")
def build(
    *,
    site: Annotated[
        str, typer.Option(help="The https address at which it is served; kept for the next time.")
    ] = "",
    home: Home = None,
    path: Kept = FILE,
) -> None:
    """Write the feed of everything published and switch to it; the same advisories, the same bytes."""
    from leadline.wiring import feed
    from leadline.wiring.desk import at_desk

    with edge(), at_desk(home_of(home), kept(path)) as me:
        typer.echo(feed.build(me.ctx, me.home, site))


@app.command("keys")
def keys(home: Home = None, path: Kept = FILE) -> None:
    """Print the verifier keys of this installation, for others to have apart from what it signs."""
    from leadline.wiring.desk import at_desk

    with edge(), at_desk(home_of(home), kept(path)) as me:
        typer.echo(me.parts.signer.vkeys(), nl=False)


@app.command("verify")
def verify(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The feed.")],
    *,
    key: Annotated[Path, typer.Option(help="The publisher's verifier keys, got apart from it.")],
    since: Annotated[int, typer.Option(min=0, help="The serial number seen last.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Verify a feed offline: every file is the one that was signed. Exit code 8 if not."""
    from leadline.app.feed_verify import verify_feed

    with edge():
        found = verify_feed(folder, words_of(key, KEYS_MAX), since=since)
    told = {
        "ok": True,
        "site": found.head.site,
        "serial": found.head.serial,
        "at": found.head.at,
        "files": found.files,
        "keys": list(found.keys),
    }
    if as_json:
        typer.echo(json.dumps(told))
        return
    typer.echo(f"{found.files} files of {found.head.site}, number {found.head.serial}: as signed")
