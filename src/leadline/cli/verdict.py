"""`leadline verdict`: the two sides of a one-way directory."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadline.cli.edge import edge
from leadline.cli.session import FILE, Home, Kept, acting
from leadline.core.errors import Invalid
from leadline.formats.note import NOTE_BYTES_MAX

if TYPE_CHECKING:
    from leadline.app.high_side import Taken

app = typer.Typer(no_args_is_help=True, help="Requests to, and verdicts from, a high side.")
Between = Annotated[Path, typer.Argument(help="The directory between the two sides.")]
Keys = Annotated[Path, typer.Option("--key", help="The other side's verifier keys, one a line.")]
Named = Annotated[str, typer.Option(help="The engagement that it is for.")]


@app.command("ask")
def ask(  # noqa: PLR0913 -- options of a command
    directory: Between,
    *,
    pack: Annotated[str, typer.Option(help="The name that the high side gave of its set.")],
    model: Annotated[str, typer.Option(help="The subject's digest.")],
    family: Annotated[str, typer.Option(help="The model family.")],
    terms: Annotated[str, typer.Option(help="The digest of the agreed terms.")],
    engagement: Named,
    session: Kept = FILE,
    days: Annotated[int, typer.Option(min=1, max=90, help="How long the request stands.")] = 14,
    home: Home = None,
) -> None:
    """As the low side: write a signed request."""
    from leadline.app import high_side

    with edge(), acting(home, session) as (_, me):
        asking = high_side.Asking(pack, model, family, terms, days)
        typer.echo(high_side.ask(me.ctx, engagement, asking, directory).id)


@app.command("take")
def take(directory: Between, *, key: Keys, session: Kept = FILE, home: Home = None) -> None:
    """As the high side: read the requests."""
    from leadline.app import high_side

    with edge(), acting(home, session) as (_, me):
        _tell(high_side.take(me.ctx, directory, _keys(key)))


@app.command("send")
def send(
    directory: Between,
    *,
    request: Annotated[str, typer.Option(help="The request's id.")],
    run: Annotated[str, typer.Option(help="The session whose released score answers it.")],
    session: Kept = FILE,
    home: Home = None,
) -> None:
    """As the high side: write the signed verdict, the one file that goes back."""
    from leadline.app import high_side

    with edge(), acting(home, session) as (_, me):
        typer.echo(high_side.send(me.ctx, request, run, directory).id)


@app.command("import")
def import_(
    directory: Between, *, key: Keys, engagement: Named, session: Kept = FILE, home: Home = None
) -> None:
    """As the low side: take verdicts that answer our requests; exit 8 if anything was refused."""
    from leadline.app import high_side

    with edge(), acting(home, session) as (_, me):
        found = high_side.receive(me.ctx, engagement, directory, _keys(key))
    _tell(found)
    if any(one.refused for one in found):
        raise typer.Exit(8)


def _keys(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(NOTE_BYTES_MAX).decode("utf-8", "replace")
    except OSError as error:
        raise Invalid("--key", f"{path} cannot be read: {error.strerror}") from error


def _tell(found: Sequence["Taken"]) -> None:
    for one in found:
        typer.echo(f"{one.name}: {'refused: ' + one.refused if one.refused else one.id}")
