"""`leadline lease`: say what you mean to look at, and learn whether others do, never who."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadline.cli.edge import edge
from leadline.cli.session import FILE, AsJson, Home, Kept

if TYPE_CHECKING:
    from leadline.core.clearing.lease import Standing

app = typer.Typer(
    no_args_is_help=True,
    help="Scan leases: who looks where, so that work is shared out. A lease is advice alone.",
)
Id = Annotated[str, typer.Argument(metavar="LEASE", help="As `leadline lease list` prints it.")]
Hours = Annotated[int, typer.Option(help="For how many hours from now: 24 to 72.")]


@app.command("take")
def take(  # noqa: PLR0913 -- a lease says this much
    target: Annotated[str, typer.Argument(help="A purl, or a repository's https address.")],
    range_: Annotated[
        str, typer.Option("--range", help="Of a repository: BASE..COMMIT, in full.")
    ] = "",
    *,
    in_: Annotated[list[str] | None, typer.Option("--in", help="A path glob; else all.")] = None,
    weakness: Annotated[list[str] | None, typer.Option(help="Such as CWE-787; else all.")] = None,
    effort: Annotated[int, typer.Option(help="Hours of work that you plan.")],
    hours: Hours = 48,
    family: Annotated[str, typer.Option(help="The model's family, if you wish to say.")] = "",
    checkout: Annotated[Path | None, typer.Option(help="A checkout of it, to list files.")] = None,
    blind_key: Annotated[
        Path | None, typer.Option(help="The epoch's key: only tokens are handed in.")
    ] = None,
    only_ask: Annotated[bool, typer.Option("--only-ask", help="Ask, and take none.")] = False,
    home: Home = None,
    path: Kept = FILE,
    as_json: AsJson = False,
) -> None:
    """Take a lease on a package or on commits of a repository. Nobody is kept from looking too."""
    from leadline.app import leases
    from leadline.cli.desk import at_desk
    from leadline.wiring.checkout import target_from, target_of

    named = target_from(target, range_, tuple(in_ or ("**",)), tuple(weakness or ()))
    with edge(), at_desk(home, path) as me:
        what, tree = target_of(named, checkout, blind_key)
        if only_ask:
            id_, answer = "", me.do(leases.ask, what, tree)
        else:
            done = me.do(leases.take, what, tree, hours=hours, effort_hours=effort, family=family)
            id_, answer = done.lease.id, done.answer
    told = {"lease": id_, "answer": answer.state, "overlap": answer.overlap, "words": answer.words}
    typer.echo(json.dumps(told) if as_json else f"{id_}  {answer.words}".strip())
    _say_blind(what.blind)


@app.command("renew")
def renew(lease: Id, hours: Hours = 48, home: Home = None, path: Kept = FILE) -> None:
    """Let your open lease run on, for some hours from now."""
    from leadline.app import leases
    from leadline.cli.desk import at_desk

    with edge(), at_desk(home, path) as me:
        typer.echo(_line(me.do(leases.renew, lease, hours=hours)))


@app.command("close")
def close(
    lease: Id,
    manifest: Annotated[
        Path | None, typer.Option(help="The run's manifest, JSON; without one nothing counts.")
    ] = None,
    home: Home = None,
    path: Kept = FILE,
    *,
    as_json: AsJson = False,
) -> None:
    """Close your lease. What the manifest covers counts as looked at, for its commit alone."""
    from leadline.app import leases
    from leadline.cli.desk import at_desk
    from leadline.formats.run_manifest import load_run_manifest

    with edge(), at_desk(home, path) as me:
        read = load_run_manifest(manifest.read_bytes(), manifest.name) if manifest else None
        held = me.do(leases.close, lease, read)
    typer.echo(json.dumps(_row(held)) if as_json else _line(held))


@app.command("list")
def list_(home: Home = None, path: Kept = FILE, *, as_json: AsJson = False) -> None:
    """List your leases; a coordinator sees all of them."""
    from leadline.app import leases
    from leadline.cli.desk import at_desk

    with edge(), at_desk(home, path) as me:
        held, now = me.do(leases.listed), me.now
    if as_json:
        typer.echo(json.dumps({"leases": [_row(one) for one in held]}))
        return
    for one in held:
        soon = "  ENDS SOON" if one.open and now >= one.lease.notice_at else ""
        typer.echo(f"{_line(one)}{soon}")


@app.command("show")
def show(lease: Id, home: Home = None, path: Kept = FILE, *, as_json: AsJson = False) -> None:
    """Show one lease in full."""
    from leadline.app import leases
    from leadline.cli.desk import at_desk

    with edge(), at_desk(home, path) as me:
        held = me.do(leases.show, lease)
    if as_json:
        typer.echo(json.dumps(_row(held)))
        return
    for name, value in _row(held).items():
        typer.echo(f"{name:14} {value}")


@app.command("months")
def months(home: Home = None, path: Kept = FILE, *, as_json: AsJson = False) -> None:
    """Totals of each month. Numbers below five are not said."""
    from leadline.app import leases
    from leadline.cli.desk import at_desk

    with edge(), at_desk(home, path) as me:
        found = me.do(leases.monthly)
    names = ("month", "leases", "proved", "unproved", "finders")
    rows = [{name: getattr(one, name) for name in names} for one in found]
    if as_json:
        typer.echo(json.dumps({"months": rows}))
        return
    for row in rows:
        told = (
            f"{name} {'fewer than 5' if row[name] is None else row[name]}" for name in names[1:]
        )
        typer.echo(f"{row['month']}  {', '.join(told)}")


def _say_blind(tokens: tuple[str, ...]) -> None:
    from leadline.core.clearing.lease import BLIND

    if tokens:
        typer.echo(BLIND, err=True)


def _line(held: "Standing") -> str:
    of = held.lease.target.of or f"{len(held.lease.blocks)} tokens"
    why = f" ({held.why})" if held.why else ""
    until = held.until.isoformat(timespec="minutes")
    return f"{held.lease.id}  {held.state.value:19} until {until}  {of}{why}"


def _row(held: "Standing") -> dict[str, object]:
    """A lease as `--json` prints it; times in UTC."""
    from leadline.core.record.act import instant

    lease, of = held.lease, held.lease.target
    return {
        "lease": lease.id,
        "state": held.state.value,
        "why": held.why,
        "purl": of.purl,
        "repository": of.repository,
        "base": of.base,
        "commit": of.commit,
        "paths": of.paths,
        "weaknesses": of.weaknesses,
        "blocks": lease.blocks,
        "effort_hours": lease.effort_hours,
        "start": instant(lease.start),
        "notice_at": instant(lease.notice_at),
        "until": instant(held.until),
    }
