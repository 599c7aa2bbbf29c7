"""`leadline inventory`: lists of what an operator runs, accepted once and never changed."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadline.cli.edge import edge
from leadline.cli.session import FILE, AsJson, Home, Kept, kept
from leadline.settings import home as home_of

if TYPE_CHECKING:
    from leadline.app.operators import Given
    from leadline.core.clearing.operator import Snapshot

app = typer.Typer(no_args_is_help=True, help="Lists of what your organisation runs.")
SHOWN = 20


@app.callback()
def inventory() -> None:
    """Inventories."""


@app.command("give")
def give(
    file: Annotated[Path, typer.Argument(help="CycloneDX, SPDX, or a table (CSV, .xlsx).")],
    *,
    taken: Annotated[str, typer.Option(help="When it was true; now, if you leave it out.")] = "",
    mapping: Annotated[
        Path | None, typer.Option("--map", help="A file that names the headings of a table.")
    ] = None,
    home: Home = None,
    path: Kept = FILE,
    as_json: AsJson = False,
) -> None:
    """Give an inventory. It is matched against what is public; earlier notices are looked at again."""
    from leadline.app import notices, operators
    from leadline.app.given import content
    from leadline.app.moment import moment
    from leadline.wiring.desk import at_desk

    with edge(), at_desk(home_of(home), kept(path)) as me:
        when = moment("--taken", taken, "UTC") if taken else None
        data = content(file, operators.INVENTORY_BYTES_MAX)
        named = operators.headings_of(content(mapping, 1 << 20), "--map") if mapping else {}
        made = operators.give(me.ctx, data, file.name, when, named)
        proved = notices.recheck(me.ctx, made.snapshot.id)
    told = [{"notice": one.notice, "state": one.state.value, "why": why} for one, _, why in proved]
    document = {**_row(made.snapshot), **_matches(made), "notices": told}
    if as_json:
        typer.echo(json.dumps(document))
        return
    typer.echo(f"{made.snapshot.id}: {made.snapshot.components} components")
    for fault in made.faults[:SHOWN]:
        typer.echo(f"  {fault.place}: {fault.problem}", err=True)
    if len(made.faults) > SHOWN:
        typer.echo(f"  and {len(made.faults) - SHOWN} more; see --json", err=True)
    hit = [one for one in made.matching.matches if one.status == "affected"]
    typer.echo(f"affected by {len({one.advisory for one in hit})} of {made.advisories} advisories")
    for one in hit[:SHOWN]:
        typer.echo(f"  {one.asset}  {one.advisory}: {one.why}")
    for line in told:
        typer.echo(f"notice {line['notice']}: {line['state']}; {line['why']}")


@app.command("list")
def list_(home: Home = None, path: Kept = FILE, *, as_json: AsJson = False) -> None:
    """List the inventories that your organisation gave."""
    from leadline.app import operators
    from leadline.wiring.desk import at_desk

    with edge(), at_desk(home_of(home), kept(path)) as me:
        rows = [_row(one) for one in operators.inventories(me.ctx)]
    if as_json:
        typer.echo(json.dumps({"inventories": rows}))
        return
    for row in rows:
        typer.echo(f"{row['id']}  {row['accepted']}  {row['components']} components  {row['file']}")


@app.command("show")
def show(
    inventory_id: Annotated[str, typer.Argument(metavar="INVENTORY", help="Its id.")],
    home: Home = None,
    path: Kept = FILE,
    *,
    as_json: AsJson = False,
) -> None:
    """Show one inventory as it was understood, line by line."""
    from leadline.app import operators
    from leadline.wiring.desk import at_desk

    with edge(), at_desk(home_of(home), kept(path)) as me:
        held, found = operators.inventory(me.ctx, inventory_id)
    lines = [
        {
            "asset": one.ref,
            "component": one.label,
            "version": one.version,
            "package": one.package.purl() if one.package else None,
            "site": one.site,
        }
        for one in found.components
    ]
    if as_json:
        typer.echo(json.dumps({**_row(held), "lines": lines}))
        return
    for line in lines:
        package = line["package"] or "which package this is, is not known"
        typer.echo(f"{line['asset']}  {line['component']} {line['version']}  {package}")


def _row(one: "Snapshot") -> dict[str, object]:
    """An inventory as `--json` prints it; times in UTC."""
    from leadline.core.record.act import instant

    return {
        "id": one.id,
        "file": one.name,
        "sha256": one.raw,
        "taken": instant(one.taken),
        "accepted": instant(one.accepted),
        "components": one.components,
        "unknown": one.unknown,
        "faults": one.faults,
    }


def _matches(made: "Given") -> dict[str, object]:
    return {
        "advisories": made.advisories,
        "fault_list": [{"place": one.place, "problem": one.problem} for one in made.faults],
        "matches": [
            {"asset": one.asset, "advisory": one.advisory, "status": one.status, "why": one.why}
            for one in made.matching.matches
        ],
        "questions": [
            {"asset": one.asset, "advisory": one.advisory, "ask": one.ask}
            for one in made.matching.questions
        ],
    }
