"""``leadline session``: list and end sessions; also where the terminal keeps its own."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadline.cli.edge import edge
from leadline.core.errors import Invalid, NotFound, Refused
from leadline.settings import home as home_of
from leadline.settings import server as server_of

if TYPE_CHECKING:
    from leadline.wiring.sign_in import Acting, Door

app = typer.Typer(help="Sessions: yours, at this and other devices.", no_args_is_help=True)

Home = Annotated[
    Path | None, typer.Option(help="The installation; else LEADLINE_HOME, else out/.state.")
]
Kept = Annotated[
    Path, typer.Option("--session", help="The file, of mode 0600, that holds your session.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
FILE = Path("~/.leadline/session")


@app.callback()
def session() -> None:
    """Sessions."""


def keep(path: Path, token: str) -> None:
    """Write the session's token to its file, which only its owner reads."""
    place = path.expanduser()
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    new = place.with_name(f".{place.name}.new")
    new.unlink(missing_ok=True)
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as out:
        out.write(token + "\n")
    new.replace(place)


def kept(path: Path) -> str:
    """The token in a session's file.

    Raises: NotFound; Refused, if others can read it.
    """
    place = path.expanduser()
    try:
        mode, text = place.stat().st_mode, place.read_text().strip()
    except FileNotFoundError:
        raise NotFound("you are not signed in; run `leadline sign-in`") from None
    if mode & 0o077:
        raise Refused(f"{place} can be read by others; sign in again") from None
    return text


def driven_there(out: Path) -> bool:
    """Whether *out* names a run at a server, by its engagement: a folder of this machine is always a run here."""
    return server_of() is not None and not out.exists()


@contextmanager
def acting(home: Path | None, path: Path) -> Iterator[tuple["Door", "Acting"]]:
    """The door, and who the kept session stands for."""
    from leadline.wiring.sign_in import at_door

    token = kept(path)
    with at_door(home_of(home)) as door:
        yield door, door.acting(token)


@app.command("list")
def list_(home: Home = None, path: Kept = FILE, *, as_json: AsJson = False) -> None:
    """Your sessions that still count."""
    from leadline.app import sign_in
    from leadline.core.account import assurance

    with edge(), acting(home, path) as (_, me):
        found = [
            {
                "id": one.id,
                "started": one.started.isoformat(),
                "seen": one.seen.isoformat(),
                "methods": sorted(one.methods),
                "assurance": assurance(one.methods),
                "client": one.client,
                "this": me.session is not None and one.id == me.session.id,
            }
            for one in sign_in.sessions(me.ctx)
        ]
    if as_json:
        typer.echo(json.dumps({"sessions": found}))
        return
    for one in found:
        mark = "*" if one["this"] else " "
        typer.echo(f"{mark} {one['id']}  since {one['started']}  {one['client']}")


@app.command("revoke")
def revoke(
    which: Annotated[str | None, typer.Argument(help="Its id; without one, this session.")] = None,
    home: Home = None,
    path: Kept = FILE,
) -> None:
    """End a session at once, at whatever device it is."""
    from leadline.app import sign_in

    with edge(), acting(home, path) as (_, me):
        if which is not None:
            sign_in.revoke(me.ctx, which)
        elif me.session is None:
            raise Invalid("session", "name one")
        else:
            sign_in.sign_out(me.ctx, me.session)
            path.expanduser().unlink()
