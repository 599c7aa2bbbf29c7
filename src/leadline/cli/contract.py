"""`leadline contract`: a project's terms for reports, checked, entered and shown."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from leadline.cli.edge import edge
from leadline.cli.finding import escaped
from leadline.cli.session import FILE, AsJson, Home, Kept, kept
from leadline.settings import home as home_of

if TYPE_CHECKING:
    from datetime import datetime

    from leadline.core.clearing.contract import Contract

app = typer.Typer(
    no_args_is_help=True, help="What a project takes, on which terms, how much a week."
)
File = Annotated[Path, typer.Argument(help="The project's .leadline.toml.")]


@app.callback()
def contract() -> None:
    """Intake contracts."""


@app.command("check")
def check(file: File, *, as_json: AsJson = False) -> None:
    """Say in plain words what FILE asks of finders, or list every fault. Needs no account."""
    from leadline.wiring.home import clock

    with edge():
        page = _page(_load(file, ""), clock())
    typer.echo(json.dumps(page) if as_json else "\n".join(map(escaped, page["says"])))


@app.command("add")
def add(
    file: File,
    *,
    infer: Annotated[
        str, typer.Option(help="FILE is a SECURITY.md of this project, which has no terms.")
    ] = "",
    home: Home = None,
    path: Kept = FILE,
) -> None:
    """Enter the terms of a project, or their newest version; to pause, enter it with `paused = true`."""
    from leadline.app import contracts, given
    from leadline.formats.contract_toml import BYTES_MAX
    from leadline.wiring.desk import at_desk

    with edge(), at_desk(home_of(home), kept(path)) as me:
        made = contracts.add(me.ctx, _load(file, infer), given.content(file, BYTES_MAX))
        typer.echo("\n".join(map(escaped, _page(made, me.ctx.now)["says"])))


@app.command("show")
def show(
    project: Annotated[str, typer.Argument(help="The project.")],
    home: Home = None,
    path: Kept = FILE,
    *,
    as_json: AsJson = False,
) -> None:
    """Show a project's terms before you spend work on a report."""
    from leadline.app import contracts
    from leadline.wiring.desk import at_desk

    with edge(), at_desk(home_of(home), kept(path)) as me:
        found = contracts.shown(me.ctx, project)
        page = _page(found.contract, me.ctx.now)
    page["versions"] = [
        {"at": one.at.isoformat(), "by": one.by, "digest": one.digest, "paused": one.paused}
        for one in found.versions
    ]
    told = [f"version {one['digest'][:16]}, entered {one['at']}" for one in page["versions"]]
    lines = [*map(escaped, page["says"]), *told]
    typer.echo(json.dumps(page) if as_json else "\n".join(lines))


@app.command("list")
def list_(home: Home = None, path: Kept = FILE, *, as_json: AsJson = False) -> None:
    """List the projects whose terms are on file."""
    from leadline.app import contracts
    from leadline.wiring.desk import at_desk

    with edge(), at_desk(home_of(home), kept(path)) as me:
        rows = [_row(one, me.ctx.now) for one in contracts.listed(me.ctx)]
    if as_json:
        typer.echo(json.dumps({"contracts": rows}))
        return
    for row in rows:
        state = "paused" if row["paused"] else f"{row['per_week']} a week"
        typer.echo(f"{row['project']}  {state}{'  (inferred)' if row['inferred'] else ''}")


def _load(file: Path, infer: str) -> "Contract":
    """The terms in a file; each fault is a line on standard error.

    Raises: Invalid or NotFound.
    """
    from leadline.app import given
    from leadline.core.clearing.report import Faulty
    from leadline.formats.contract_toml import BYTES_MAX, infer_contract, load_contract

    content = given.content(file, BYTES_MAX)
    try:
        return infer_contract(content, infer) if infer else load_contract(content, file.name)
    except Faulty as error:
        for fault in error.faults:
            typer.echo(escaped(f"{file.name}{fault.place}: {fault.problem}"), err=True)
        raise


def _row(one: "Contract", now: "datetime") -> dict[str, Any]:
    return {
        "project": one.project,
        "digest": one.digest,
        "inferred": one.inferred,
        "paused": one.stands_still(now),
        "paused_until": one.paused_until.isoformat() if one.paused_until else None,
        "per_week": one.per_week,
        "max_open": one.max_open,
        "embargo": one.embargo.value,
    }


def _page(one: "Contract", now: "datetime") -> dict[str, Any]:
    from leadline.core.clearing.contract import explain

    return {**_row(one, now), "says": list(explain(one, now))}
