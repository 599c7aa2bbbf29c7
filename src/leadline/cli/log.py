"""``leadline log``: verify the record without trusting whoever handed it over."""

import json
from base64 import b64encode
from pathlib import Path
from typing import Annotated

import typer

from leadline.app.verify import Verified, verify_bundle
from leadline.cli.edge import edge
from leadline.core.errors import Invalid, Tampered
from leadline.formats.note import NOTE_BYTES_MAX

app = typer.Typer(help="The transparency log.", no_args_is_help=True)


@app.callback()
def log() -> None:
    """The transparency log."""


@app.command()
def verify(
    bundle: Annotated[Path, typer.Argument(help="A bundle, or a bare C2SP tile folder.")],
    key: Annotated[
        Path, typer.Option(help="Verifier keys, one a line, got apart from the bundle.")
    ],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Verify every byte of BUNDLE with the keys in KEY: exit 0 if it is intact, 8 if not."""
    with edge():
        try:
            verified = verify_bundle(bundle, _keys(key))
        except Tampered as error:
            if as_json:
                told = {"ok": False, "place": error.place, "size": None, "root": None}
                typer.echo(json.dumps(told | {"problem": error.problem}))
            raise
        typer.echo(json.dumps(document(verified)) if as_json else sentence(verified))


def _keys(key: Path) -> str:
    try:
        with key.open("rb") as file:
            return file.read(NOTE_BYTES_MAX).decode()
    except OSError as error:
        raise Invalid(
            "--key", f"{key} cannot be read: {error.strerror}; give a key file"
        ) from error
    except UnicodeDecodeError as error:
        raise Invalid("--key", f"{key} is no text; give C2SP verifier keys, one a line") from error


def document(verified: Verified) -> dict[str, bool | str | int | tuple[str, ...]]:
    """The JSON document for a bundle that verifies; *root* is in base64, as in the checkpoint."""
    return {
        "ok": True,
        "place": verified.place,
        "kind": verified.kind,
        "origin": verified.origin,
        "size": verified.size,
        "root": b64encode(verified.root).decode(),
        "acts": verified.acts,
        "withheld": verified.withheld,
        "files": verified.files,
        "keys": verified.keys,
    }


def sentence(verified: Verified) -> str:
    """The same for people."""
    head = f"{verified.origin}, {verified.size} entries, root {b64encode(verified.root).decode()}"
    if verified.kind == "tiles":
        return f"verified: the log {head}; a tile folder without acts or other files"
    return (
        f"verified: {verified.files} files and the log {head}; {verified.acts} acts opened, "
        f"{verified.withheld} withheld"
    )
