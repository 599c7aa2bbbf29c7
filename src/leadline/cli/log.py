"""``leadline log``: verify the record without trusting whoever handed it over; sign, prove, witness.

`verify` reads with `core`, `formats` and pyca/cryptography only; the other commands bring an
installation along and import it when they run.
"""

import json
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from leadline.app.proof import Checked, check
from leadline.app.verify import Verified, verify_bundle
from leadline.cli.edge import edge
from leadline.core.errors import Invalid, Tampered
from leadline.core.record.act import Act, from_record
from leadline.formats import tlog_policy
from leadline.formats.manifest import ACT_BYTES_MAX, decode_opening
from leadline.formats.note import NOTE_BYTES_MAX
from leadline.formats.tlog_proof import PROOF_BYTES_MAX, ActProof

app = typer.Typer(help="The transparency log.", no_args_is_help=True)
witness = typer.Typer(help="Witnesses: run one, or see yours.", no_args_is_help=True)
app.add_typer(witness, name="witness")

Home = Annotated[
    Path | None, typer.Option(help="The installation; else LEADLINE_HOME, else out/.state.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
State = Annotated[Path, typer.Option(help="The witness's own folder: its key and its memory.")]


@app.callback()
def log() -> None:
    """The transparency log."""


@app.command()
def verify(
    what: Annotated[
        Path, typer.Argument(help="A bundle, a bare C2SP tile folder, or a .tlog-proof file.")
    ],
    key: Annotated[
        Path | None, typer.Option(help="For a folder: verifier keys, got apart from the bundle.")
    ] = None,
    opening: Annotated[
        Path | None, typer.Option(help="For a proof: the act's record and blinder.")
    ] = None,
    policy: Annotated[
        Path | None, typer.Option(help="For a proof: a C2SP tlog-policy file, got apart from it.")
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Verify every byte of a folder, or one act's proof: exit 0 if it is intact, 8 if not."""
    with edge():
        try:
            if what.is_file():
                checked, act = _checked(what, opening, policy)
                typer.echo(json.dumps(_proof(checked, act)) if as_json else _proved(checked, act))
                return
            verified = verify_bundle(what, _text(NOTE_BYTES_MAX, "--key", key).decode())
        except Tampered as error:
            if as_json:
                told = {"ok": False, "place": error.place, "size": None, "root": None}
                typer.echo(json.dumps(told | {"problem": error.problem}))
            raise
        typer.echo(json.dumps(document(verified)) if as_json else sentence(verified))


def _checked(what: Path, opening: Path | None, policy: Path | None) -> tuple[Checked, Act]:
    known = tlog_policy.parse(_text(tlog_policy.POLICY_BYTES_MAX, "--policy", policy))
    act = decode_opening(_text(ACT_BYTES_MAX, "--opening", opening))
    text = _text(PROOF_BYTES_MAX, "FILE", what).decode()
    assert isinstance(act.record, Mapping)  # noqa: S101 -- `decode_opening` takes nothing else
    return check(ActProof(act, text), known), from_record(act.record)


def _text(bytes_max: int, option: str, path: Path | None) -> bytes:
    """The content of a text file that an option names; more than it may have is not read."""
    if path is None:
        raise Invalid(option, "name the file; `leadline log verify --help` says what is in it")
    try:
        with path.open("rb") as file:
            content = file.read(bytes_max + 1)
        content.decode()
    except OSError as error:
        raise Invalid(option, f"{path} cannot be read: {error.strerror}; give a file") from error
    except UnicodeDecodeError as error:
        raise Invalid(option, f"{path} is no text") from error
    return content


def _proof(checked: Checked, act: Act) -> dict[str, bool | str | int | list[str]]:
    return {
        "ok": True,
        "place": "",
        "kind": "proof",
        "origin": checked.head.origin,
        "size": checked.head.size,
        "root": b64encode(checked.head.root).decode(),
        "index": checked.index,
        "act": act.id,
        "act_kind": act.kind.value,
        "at": act.at.isoformat(),
        "witnesses": list(checked.witnesses),
        "witnessed": checked.words,
    }


def _proved(checked: Checked, act: Act) -> str:
    return (
        f"verified: {act.kind.value} ({act.id}) of {act.at.isoformat()} is entry {checked.index} of "
        f"the log {checked.head.origin}, {checked.head.size} entries; {checked.words}"
    )


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


@app.command()
def publish(*, home: Home = None, as_json: AsJson = False) -> None:
    """Sign the log as it stands, have it cosigned, and write it as static files."""
    from leadline import settings
    from leadline.wiring import record

    with edge():
        place = settings.home(home)
        done = record.publish(place)
    root = b64encode(done.head.root).decode()
    if as_json:
        told = {"origin": done.head.origin, "size": done.head.size, "root": root}
        told |= {"witnessed": done.words, "witnesses": list(done.witnesses)}
        typer.echo(json.dumps(told | {"silent": dict(done.silent), "folder": str(place.log)}))
        return
    typer.echo(f"{done.head.origin}, {done.head.size} entries, root {root}; {done.words}")
    for name, why in sorted(done.silent.items()):
        typer.echo(f"  no cosignature by {name}: {why}")
    typer.echo(f"log: {place.log}")


@app.command()
def prove(
    act: Annotated[str, typer.Argument(help="The act's id.")],
    out: Annotated[Path, typer.Option(help="Where the .tlog-proof goes; the opening beside it.")],
    *,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Write the proof of ACT, with the record and blinder that open it, for an outsider to verify."""
    from leadline import settings
    from leadline.wiring import record

    with edge():
        proof = record.prove(settings.home(home), act)
        opening = record.write_proof(proof, out)
    if as_json:
        told = {"act": act, "index": proof.opening.index, "proof": str(out)}
        typer.echo(json.dumps(told | {"opening": str(opening)}))
        return
    typer.echo(f"entry {proof.opening.index}: {out}, opened by {opening}")
    typer.echo(f"verify it: leadline log verify {out} --opening {opening} --policy FILE")


@app.command()
def policy(
    *,
    home: Home = None,
    keys: Annotated[
        bool, typer.Option("--keys", help="The log's verifier keys alone, as `--key` takes them.")
    ] = False,
) -> None:
    """Print the quorum file (C2SP tlog-policy) that outsiders verify this log with."""
    from leadline import settings
    from leadline.wiring import record

    with edge():
        lines = record.policy(settings.home(home)).splitlines()
    for line in lines:
        if not keys:
            typer.echo(line)
        elif line.startswith("log "):
            typer.echo(line.split()[1])


@app.command()
def register(
    out: Annotated[Path | None, typer.Option(help="Write register.json and .html here.")] = None,
    *,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Count the acts by kind and month, those that are withheld too: nothing in it is private."""
    from leadline import settings
    from leadline.wiring import record

    with edge():
        found = record.register(settings.home(home))
        if out is not None:
            record.write_register(found, out)
    counts = found.counts
    if as_json:
        typer.echo(json.dumps(found.document))
        return
    typer.echo(
        f"{counts.opened} acts named by kind + {counts.withheld} withheld + {counts.cover} cover "
        f"= {counts.size} leaves; {found.under.words}"
    )
    for month in counts.months:
        for kind, count in month.acts.items():
            typer.echo(f"  {month.month}  {kind:26} {count}")
        typer.echo(f"  {month.month}  {'withheld':26} {month.withheld}")


@witness.command("new")
def new_witness(
    state: State,
    name: Annotated[str, typer.Option(help="Its key name, such as example.org/witness.")],
) -> None:
    """Make a witness in a folder and print its verifier keys; a policy names one of them."""
    from leadline.wiring import witness as wiring

    with edge():
        typer.echo(wiring.new_witness(state, name), nl=False)


@witness.command("serve")
def serve(
    state: State,
    policy: Annotated[Path, typer.Option(help="A tlog-policy file; its `log` lines are served.")],
    listen: Annotated[str, typer.Option(help="HOST:PORT.")] = "127.0.0.1:7380",
) -> None:
    """Serve `POST /add-checkpoint` (C2SP tlog-witness) until stopped."""
    from importlib import import_module

    from leadline.wiring import witness as wiring
    from leadline.wiring.home import clock

    # The two edges do not import one another; this one hands over to the other.
    http = import_module("leadline.http.witness")
    with edge():
        served = wiring.open_witness(state, policy)
        bound = http.listening(listen)
    host, port = bound.getsockname()[:2]
    typer.echo(f"witness {served.cosigner.name} at http://{host}:{port}")
    http.server(served, clock).run(sockets=[bound])


@witness.command("list")
def list_witnesses(*, home: Home = None, as_json: AsJson = False) -> None:
    """Name the witnesses of the quorum file, and which of them cosigned the last checkpoint."""
    from leadline import settings
    from leadline.wiring import record

    with edge():
        found = record.witnesses(settings.home(home))
    if as_json:
        typer.echo(json.dumps(found))
        return
    typer.echo(
        f"quorum {found['quorum']}, {'met' if found['met'] else 'not met'}: {found['words']}"
    )
    for row in found["witnesses"]:
        state = "cosigned" if row["cosigned"] else "no cosignature"
        typer.echo(f"  {row['name']}  {row['key']}  {row['url'] or 'no URL'}  {state}")
