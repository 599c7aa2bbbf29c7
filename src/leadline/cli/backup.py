"""``leadline backup`` and ``leadline restore``: keep an installation, and put it back."""

import json
from pathlib import Path
from typing import Annotated

import typer

from leadline.cli.edge import edge
from leadline.settings import home as home_of

HomeDir = Annotated[
    Path | None,
    typer.Option("--home", help="The installation; else LEADLINE_HOME, else out/.state."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def backup(
    folder: Annotated[Path, typer.Argument(help="A new folder.")],
    home: HomeDir = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Write a backup into FOLDER: state, vault ciphertext and log, signed. No key is in it."""
    from leadline.wiring import backup as wiring

    with edge():
        made = wiring.make_backup(home_of(home), folder)
        if as_json:
            typer.echo(
                json.dumps(
                    {
                        "ok": True,
                        "id": made.id,
                        "size": made.size,
                        "files": made.files,
                        "manifest": made.manifest,
                    }
                )
            )
            return
        typer.echo(f"{made.id}: {made.files} files, log of {made.size} entries, in {folder}")
        typer.echo(
            "without the folder `keys` of the installation it opens nothing: keep that apart from it"
        )


def restore(
    folder: Annotated[Path, typer.Argument(help="A backup.")],
    home: HomeDir = None,
    *,
    check: Annotated[bool, typer.Option("--check", help="Verify; write nothing.")] = False,
    to: Annotated[Path | None, typer.Option("--to", help="A new installation's folder.")] = None,
    key: Annotated[
        Path | None, typer.Option(help="The log's verifier keys, where no installation is here.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Verify the backup in FOLDER, byte for byte and against what was signed since; with --to, put it back."""
    from leadline.core.errors import Invalid
    from leadline.wiring import backup as wiring

    with edge():
        if check == (to is not None):
            raise Invalid("--check", "say either --check or --to FOLDER")
        looked = (
            wiring.check_backup(home_of(home), folder, key)
            if to is None
            else wiring.restore(folder, home_of(to), key)
        )
        verified, checked = looked.checked.verified, looked.checked
        if as_json:
            typer.echo(
                json.dumps(
                    {
                        "ok": True,
                        "origin": verified.origin,
                        "size": verified.size,
                        "files": verified.files,
                        "acts": looked.acts,
                        "behind": checked.behind,
                        "told": checked.words,
                    }
                )
            )
            return
        acts = "" if looked.acts is None else f", {looked.acts} acts opened"
        typer.echo(f"verified: {verified.files} files, {verified.size} entries{acts}")
        typer.echo(checked.words)
        if to is not None:
            typer.echo(f"restored to {to}; put the folder `keys` that was kept apart there")
