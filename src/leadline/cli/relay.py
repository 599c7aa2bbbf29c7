"""`leadline relay`: between an evaluator and the developer's model API, inside the developer's boundary."""

import json
from dataclasses import asdict
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated

import typer

from leadline.cli.edge import edge
from leadline.cli.session import FILE, AsJson, Home, Kept, kept
from leadline.core.errors import Invalid
from leadline.settings import home as home_of

app = typer.Typer(
    help="A relay in front of a model's API, run by its developer.", no_args_is_help=True
)
KEY = "LEADLINE_RELAY_UPSTREAM_KEY"
MICROS = 1_000_000

Folder = Annotated[Path, typer.Option("--state", help="The relay's own folder, of mode 0700.")]
FOLDER = Path("relay")
Amount = Annotated[str, typer.Option(help="An amount such as 12.50; 0 is no cap.")]
CaseAmount = Annotated[str, typer.Option(help="The same, for the whole engagement.")]


def _micros(option: str, text: str) -> int:
    try:
        whole = Decimal(text) * MICROS
        if whole != int(whole) or whole < 0:
            raise Invalid(option, "an amount from 0 on, with six digits after the point at most")
    except (InvalidOperation, ValueError, OverflowError):
        raise Invalid(option, f"{text!r} is no amount such as 12.50") from None
    return int(whole)


@app.command("serve")
def serve(  # noqa: PLR0913, PLR0917 -- what a process is started with
    upstream: Annotated[str, typer.Option(help="The API's https URL; http on this machine.")],
    dialect: Annotated[
        list[str] | None,
        typer.Option(help="What it speaks, such as openai-chat; several one by one."),
    ] = None,
    state: Folder = FOLDER,
    key_file: Annotated[
        Path | None, typer.Option(help=f"The file with the API's own key; else {KEY}.")
    ] = None,
    listen: Annotated[str, typer.Option(help="HOST:PORT.")] = "127.0.0.1:8444",
    public_url: Annotated[str, typer.Option(help="As evaluators see it, for DPoP proofs.")] = "",
    certificate: Annotated[
        Path | None, typer.Option(help="A certificate in PEM, to listen with TLS.")
    ] = None,
    certificate_key: Annotated[Path | None, typer.Option(help="Its key in PEM.")] = None,
    client_authorities: Annotated[
        Path | None, typer.Option(help="Who signs holders' certificates, in PEM.")
    ] = None,
    upstream_authorities: Annotated[
        Path | None,
        typer.Option(help="Who signs the API's certificate, in PEM; else the system's."),
    ] = None,
    keep_bodies: Annotated[
        Path | None, typer.Option(help="A folder for sealed bodies; without it none is kept.")
    ] = None,
    bodies_key: Annotated[Path | None, typer.Option(help="The X25519 public key in PEM.")] = None,
) -> None:
    """Relay an API until told to end. It keeps commitments, and no body unless terms say so."""
    from leadline.settings import secret
    from leadline.wiring import relay as wiring

    with edge():
        how = wiring.Serving(
            state,
            upstream,
            secret(KEY, key_file),
            tuple(dialect or ()),
            listen,
            public_url,
            certificate,
            certificate_key,
            client_authorities,
            upstream_authorities,
            keep_bodies,
            bodies_key,
        )
        wiring.serve(how, lambda text: typer.echo(text, err=True))


@app.command("issue")
def issue(  # noqa: PLR0913, PLR0917 -- what a credential is bound to
    engagement: Annotated[str, typer.Option(help="The engagement it is for.")],
    model: Annotated[list[str] | None, typer.Option(help="A model that may be asked.")] = None,
    answer: Annotated[
        list[str] | None, typer.Option(help="A name that may answer; else whoever answers first.")
    ] = None,
    path: Annotated[
        list[str] | None, typer.Option(help="A path it is for, or below, with a last slash.")
    ] = None,
    minutes: Annotated[int, typer.Option(help="How long it lives, a day at most.")] = 480,
    bound: Annotated[
        str, typer.Option(help="certificate:THUMBPRINT or dpop:THUMBPRINT of its holder.")
    ] = "",
    requests: Annotated[int, typer.Option(help="Requests a minute.")] = 60,
    streams: Annotated[int, typer.Option(help="Requests at a time.")] = 16,
    tokens: Annotated[int, typer.Option(help="Tokens in all; 0 is no cap.")] = 0,
    case_tokens: Annotated[int, typer.Option(help="Tokens of the whole engagement.")] = 0,
    bytes_: Annotated[int, typer.Option("--bytes", help="Bytes both ways; 0 is no cap.")] = 0,
    money: Amount = "0",
    case_money: CaseAmount = "0",
    price_in: Annotated[str, typer.Option(help="For a million tokens asked.")] = "0",
    price_out: Annotated[str, typer.Option(help="For a million tokens answered.")] = "0",
    worst_tokens: Annotated[
        int, typer.Option(help="What counts where an answer's usage cannot be read.")
    ] = 200_000,
    state: Folder = FOLDER,
    *,
    as_json: AsJson = False,
) -> None:
    """Give out a credential for one engagement; its secret is shown this once."""
    from leadline.wiring import relay as wiring

    with edge():
        told = {
            "requests_a_minute": requests,
            "streams": streams,
            "tokens": tokens,
            "micros": _micros("--money", money),
            "bytes": bytes_,
            "case_tokens": case_tokens,
            "case_micros": _micros("--case-money", case_money),
            "worst_tokens": worst_tokens,
            "price_in": _micros("--price-in", price_in),
            "price_out": _micros("--price-out", price_out),
        }
        wanted = {
            "do": "issue",
            "engagement": engagement,
            "models": model or [],
            "answers": answer or [],
            "paths": path or [],
            "minutes": minutes,
            "bound": bound,
            "caps": wiring.caps(told),
        }
        made = wiring.issued(state, wanted)
    if as_json:
        typer.echo(json.dumps(made))
        return
    typer.echo(f"credential   {made['id']}, until {made['until']}")
    typer.echo(f"base path    /{made['prefix']}")
    typer.echo(f"secret       {made['secret']}   (shown this once)")
    typer.echo(made["overshoot"], err=True)


@app.command("list")
def list_(state: Folder = FOLDER, *, as_json: AsJson = False) -> None:
    """Credentials, what each has used, and whether another model answered."""
    from leadline.wiring import relay as wiring

    with edge():
        found = wiring.listed(state)
    if as_json:
        typer.echo(json.dumps(asdict(found)))
        return
    for one in found.credentials:
        typer.echo(
            f"{one['id']}  {one['state']:8} until {one['until']}  {one['engagement']}  "
            f"{one['requests']} requests, {one['tokens']} tokens, {one['streams']} open"
        )
        if one["subject_changed"]:
            typer.echo(f"  another model answered: {one['subject_changed']}")
    typer.echo(f"{found.refused} requests refused; the journal says why")


@app.command("revoke")
def revoke(
    ids: Annotated[list[str] | None, typer.Argument(help="Credentials.")] = None,
    *,
    all_: Annotated[bool, typer.Option("--all", help="Every credential: a withdrawal.")] = False,
    why: Annotated[str, typer.Option(help="Why; it is part of the journal.")] = "revoked",
    state: Folder = FOLDER,
    as_json: AsJson = False,
) -> None:
    """End credentials for good, and the streams that are open under them."""
    from leadline.wiring import relay as wiring

    with edge():
        if bool(ids) == all_:
            raise Invalid("ids", "name credentials, or give --all")
        ended = wiring.tell(state, {"do": "revoke", "ids": ids or [], "why": why})
    if as_json:
        typer.echo(json.dumps({"ended": ended}))
        return
    names = ", ".join(map(str, ended)) if isinstance(ended, (list, tuple)) else ""
    typer.echo(f"ended for good: {names or 'nothing; none was open'}")


@app.command("verify")
def verify(
    journal: Annotated[Path, typer.Argument(help="The journal, or the relay's folder.")],
    head: Annotated[
        Path | None, typer.Option(help="A signed head; else the one beside it.")
    ] = None,
    keys: Annotated[Path | None, typer.Option(help="Verifier keys; else those beside it.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Check every line of a journal, its tree, and the head that was signed."""
    from leadline.wiring import relay as wiring

    with edge():
        found = wiring.verified(journal, head, keys)
    told = {
        "ok": True,
        "size": found.size,
        "root": found.root,
        "signed": found.signed,
        "torn_bytes": found.torn_bytes,
        "counts": dict(found.counts),
    }
    if as_json:
        typer.echo(json.dumps(told))
        return
    typer.echo(f"{found.size} entries, {found.signed} of them signed, root {found.root}")
    if found.torn_bytes:
        typer.echo(f"a torn line of {found.torn_bytes} bytes follows; the next start cuts it off")


@app.command("commitments")
def commitments(
    out: Annotated[
        Path | None, typer.Option(help="The file to write; else standard output.")
    ] = None,
    state: Folder = FOLDER,
) -> None:
    """The signed head of the journal and sums over it, to hand over: no entry and no body."""
    from leadline.wiring import relay as wiring

    with edge():
        text = str(wiring.tell(state, {"do": "commitments"}))
        if out is not None:
            out.write_text(text)
            return
    typer.echo(text, nl=False)


@app.command("receive")
def receive(
    engagement: Annotated[str, typer.Argument(help="The engagement it is about.")],
    file: Annotated[Path, typer.Argument(help="What `leadline relay commitments` wrote.")],
    *,
    keys: Annotated[Path, typer.Option(help="The relay's verifier keys.")],
    home: Home = None,
    path: Kept = FILE,
) -> None:
    """Record at the installation what a developer's relay committed to."""
    from leadline.app import relay_commitments
    from leadline.wiring.desk import at_desk

    with edge(), at_desk(home_of(home), kept(path)) as me:
        on = me.dealings(engagement)
        told = relay_commitments.receive(me.ctx, on, file.read_bytes(), keys.read_text())
    typer.echo(f"{told.size} entries, {told.counts['exchanges']} exchanges, root {told.root}")
