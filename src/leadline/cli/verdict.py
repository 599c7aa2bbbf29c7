"""`leadline verdict`: the two sides of a one-way directory."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadline.cli.edge import edge
from leadline.core.errors import Invalid
from leadline.formats.note import NOTE_BYTES_MAX
from leadline.settings import home as home_of

if TYPE_CHECKING:
    from leadline.app.high_side import Taken

app = typer.Typer(no_args_is_help=True, help="Requests to, and verdicts from, a high side.")
HomeDir = Annotated[Path | None, typer.Option("--home", help="The installation's folder.")]
Seat = Annotated[Path, typer.Option("--session", help="File with the token of your session.")]
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
    session: Seat,
    days: Annotated[int, typer.Option(min=1, max=90, help="How long the request stands.")] = 14,
    home: HomeDir = None,
) -> None:
    """As the low side: write a signed request."""
    from leadline.app import high_side
    from leadline.wiring import sealed as wiring

    with edge(), wiring.seated(home_of(home), session) as ctx:
        asking = high_side.Asking(pack, model, family, terms, days)
        typer.echo(high_side.ask(ctx, engagement, asking, directory).id)


@app.command("take")
def take(directory: Between, *, key: Keys, session: Seat, home: HomeDir = None) -> None:
    """As the high side: read the requests."""
    from leadline.app import high_side
    from leadline.wiring import sealed as wiring

    with edge(), wiring.seated(home_of(home), session) as ctx:
        _tell(high_side.take(ctx, directory, _keys(key)))


@app.command("send")
def send(
    directory: Between,
    *,
    request: Annotated[str, typer.Option(help="The request's id.")],
    run: Annotated[str, typer.Option(help="The session whose released score answers it.")],
    session: Seat,
    home: HomeDir = None,
) -> None:
    """As the high side: write the signed verdict, the one file that goes back."""
    from leadline.app import high_side
    from leadline.wiring import sealed as wiring

    with edge(), wiring.seated(home_of(home), session) as ctx:
        typer.echo(high_side.send(ctx, request, run, directory).id)


@app.command("import")
def import_(
    directory: Between, *, key: Keys, engagement: Named, session: Seat, home: HomeDir = None
) -> None:
    """As the low side: take verdicts that answer our requests; exit 8 if anything was refused."""
    from leadline.app import high_side
    from leadline.wiring import sealed as wiring

    with edge(), wiring.seated(home_of(home), session) as ctx:
        found = high_side.receive(ctx, engagement, directory, _keys(key))
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
