"""`leadline hop`: a case passed to another coordinator's installation, and taken in from one."""

import json
from pathlib import Path
from typing import Annotated

import typer

from leadline.cli.edge import edge
from leadline.cli.session import FILE, AsJson, Home, Kept, kept
from leadline.cli.words import content_of, words_of
from leadline.settings import home as home_of

app = typer.Typer(
    no_args_is_help=True, help="Cases between coordinators: a signed parcel, which a person sends."
)
Case = Annotated[str, typer.Argument(metavar="CASE", help="The case's id.")]
Key = Annotated[
    Path, typer.Option(help="The sender's verifier keys, got apart from it; and of earlier hops.")
]
KEYS_MAX = 1 << 17


@app.command("send")
def send(
    case: Case,
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A new folder for the parcel.")],
    *,
    origin: Annotated[
        str, typer.Option(help="An address at which the case can be asked about.")
    ] = "",
    home: Home = None,
    path: Kept = FILE,
) -> None:
    """Write a parcel with CASE; you send it. Credit, terms and unknown fields stay as they came."""
    from leadline.app import relaying
    from leadline.wiring import parcels
    from leadline.wiring.desk import at_desk

    with edge(), at_desk(home_of(home), kept(path)) as me:
        parcels.check_new(out)
        parcels.write(out, relaying.export_case(me.ctx, case, origin=origin))
    typer.echo(f"{out}: nothing was sent; hand it to the next coordinator, who needs your keys")


@app.command("receive")
def receive(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The parcel.")],
    *,
    key: Key,
    disclosure: Annotated[str, typer.Option(help="The disclosure policy of the case here.")],
    receipt: Annotated[
        Path | None, typer.Option(help="A new file for the signed id to send back.")
    ] = None,
    home: Home = None,
    path: Kept = FILE,
    as_json: AsJson = False,
) -> None:
    """Verify a parcel and open its case here, or find the case it is. Exit code 8 if it was changed."""
    from leadline.app import relaying
    from leadline.wiring import parcels
    from leadline.wiring.desk import at_desk

    with edge(), at_desk(home_of(home), kept(path)) as me:
        keys = words_of(key, KEYS_MAX)
        came = relaying.receive_case(me.ctx, parcels.read(folder), keys, policy=disclosure)
        if receipt is not None:
            parcels.write_new(receipt, came.receipt)
    told = {"case": came.case, "relay": came.relay, "fresh": came.fresh}
    if as_json:
        typer.echo(json.dumps({**told, "unverified": came.unverified}))
        return
    typer.echo(f"{came.case}: {'opened' if came.fresh else 'known already'}")
    if came.unverified:
        typer.echo(
            f"{came.unverified} earlier entries of the chain are claims: no key here verifies them"
        )


@app.command("returned")
def returned(
    case: Case,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The receipt that came back.")],
    *,
    key: Key,
    home: Home = None,
    path: Kept = FILE,
) -> None:
    """Put on record under which id the next coordinator handles CASE."""
    from leadline.app import relaying
    from leadline.wiring.desk import at_desk

    with edge(), at_desk(home_of(home), kept(path)) as me:
        held, keys = content_of(file, KEYS_MAX), words_of(key, KEYS_MAX)
        typer.echo(relaying.returned(me.ctx, case, held, keys))


@app.command("list")
def list_(case: Case, home: Home = None, path: Kept = FILE, *, as_json: AsJson = False) -> None:
    """List how CASE went from hop to hop, as far as this installation knows."""
    from leadline.app import relaying
    from leadline.core.record.act import instant
    from leadline.wiring.desk import at_desk

    with edge(), at_desk(home_of(home), kept(path)) as me:
        rows = [
            {
                "at": instant(one.at),
                "way": "in" if one.received else "out",
                "relay": one.relay,
                "hops": len(one.chain),
                "tlp": one.tlp.value,
                "until": instant(one.until) if one.until else None,
                "ids": list(one.ids),
            }
            for one in relaying.passings(me.ctx, case)
        ]
    if as_json:
        typer.echo(json.dumps({"passings": rows}))
        return
    for row in rows:
        until = f"secret until {row['until']}" if row["until"] else "no embargo came with it"
        typer.echo(f"{row['at']} {row['way']:3} {row['hops']} hops, {row['tlp']}, {until}")
