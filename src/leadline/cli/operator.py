"""`leadline operator`: organisations that run systems, and who is told when."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadline.cli.edge import edge
from leadline.cli.session import FILE, AsJson, Home, Kept
from leadline.core.clearing.operator import Exposure, Mode

if TYPE_CHECKING:
    from leadline.app.operators import Listed
    from leadline.core.clearing.tiers import Tiers

app = typer.Typer(no_args_is_help=True, help="Organisations that run systems, and their tiers.")
Id = Annotated[str, typer.Argument(metavar="OPERATOR", help="Its id.")]
Why = Annotated[str, typer.Option(help="Why; the record keeps its digest.")]


@app.command("enrol")
def enrol(  # noqa: PLR0913 -- one option a fact
    *,
    name: Annotated[str, typer.Option(help="What your organisation is called.")],
    sector: Annotated[list[str], typer.Option(help="A sector it is in; repeat it for several.")],
    contact: Annotated[str, typer.Option(help="Whom your people ask, in one line.")],
    serves: Annotated[int, typer.Option(help="How many people depend on it.")] = 0,
    exposure: Annotated[
        Exposure, typer.Option(help="Whether systems can be reached from public networks.")
    ] = Exposure.UNKNOWN,
    changes: Annotated[int, typer.Option(help="How many changes a week you can make.")] = 0,
    mode: Annotated[
        Mode, typer.Option(help="hosted: your inventory is matched here; local: on your host.")
    ] = Mode.HOSTED,
    competes: Annotated[
        list[str] | None, typer.Option(help="An organisation whose software competes with yours.")
    ] = None,
    home: Home = None,
    path: Kept = FILE,
) -> None:
    """Enrol your own organisation. A coordinator of another organisation vets it afterwards."""
    from leadline.app import notices, operators
    from leadline.cli.desk import at_desk

    with edge(), at_desk(home, path) as me:
        stated = operators.Stated(
            name, tuple(sector), serves, exposure, changes, contact, mode, tuple(competes or ())
        )
        made = me.do(operators.enrol, stated, tuple(notices.sectors()))
    typer.echo(made.id)
    typer.echo(operators.terms(mode), err=True)


@app.command("list")
def list_(home: Home = None, path: Kept = FILE, *, as_json: AsJson = False) -> None:
    """List operators: your own, or all for a coordinator."""
    from leadline.app import operators
    from leadline.cli.desk import at_desk

    with edge(), at_desk(home, path) as me:
        rows = [_row(one) for one in me.do(operators.listed)]
    if as_json:
        typer.echo(json.dumps({"operators": rows}))
        return
    for row in rows:
        typer.echo(f"{row['id']}  {row['state']:10}  {row['mode']:6}  {row['name']}")


@app.command("vet")
def vet(
    operator: Id,
    *,
    grounds: Annotated[str, typer.Option(help="How you know that it is who it says.")],
    home: Home = None,
    path: Kept = FILE,
) -> None:
    """Put on record that an operator of another organisation is who it says it is."""
    from leadline.app import operators
    from leadline.cli.desk import at_desk

    with edge(), at_desk(home, path) as me:
        me.do(operators.vet, operator, grounds)


@app.command("end")
def end(operator: Id, *, reason: Why, home: Home = None, path: Kept = FILE) -> None:
    """End an enrolment: it takes part in nothing from now on. What it gave stays sealed."""
    from leadline.app import operators
    from leadline.cli.desk import at_desk

    with edge(), at_desk(home, path) as me:
        me.do(operators.end, operator, reason)


@app.command("tiers")
def tiers(
    name: Annotated[str, typer.Argument(help="A shipped order, or a TOML file.")] = "",
    *,
    publish: Annotated[
        bool, typer.Option("--publish", help="Put it in force for cases opened from now on.")
    ] = False,
    home: Home = None,
    path: Kept = FILE,
    as_json: AsJson = False,
) -> None:
    """Show an order of tiers, or publish it. No case has one of its own."""
    from dataclasses import asdict

    from leadline.app import operators
    from leadline.cli.desk import at_desk

    with edge():
        held = _tiers(name)
        if publish:
            with at_desk(home, path) as me:
                me.do(operators.publish_tiers, held)
    if as_json:
        typer.echo(json.dumps({**asdict(held), "digest": held.digest}))
        return
    typer.echo(f"{held.id}  {held.digest}")
    for one in held.tiers:
        told = f"{one.advance_days} days before" if one.advance_days else "on the day"
        typer.echo(f"  {one.id}  {told:14}  {one.title}")


def _tiers(name: str) -> "Tiers":
    from leadline.app.given import content
    from leadline.formats.tiers_toml import load_tiers
    from leadline.wiring.regimes import DATA

    shipped = DATA / "tiers" / f"{name or 'leadline-default'}.toml"
    file = shipped if shipped.is_file() else Path(name)
    return load_tiers(content(file, 1 << 20), file.name)


def _row(one: "Listed") -> dict[str, object]:
    """An operator as `--json` prints it; times in UTC."""
    from leadline.core.record.act import instant

    held = one.enrolment
    state = "ended" if one.ended else "vetted" if one.vetted else "not vetted"
    return {
        "id": held.id,
        "org": held.org,
        "name": held.name,
        "state": state,
        "mode": held.mode.value,
        "sectors": list(held.sectors),
        "serves": held.serves,
        "exposure": held.exposure.value,
        "changes_a_week": held.changes,
        "contact": held.contact,
        "competes": list(held.competes),
        "enrolled": instant(held.at),
        "vetted": instant(one.vetted) if one.vetted else None,
        "ended": instant(one.ended) if one.ended else None,
    }
