"""``leadline organisation``: the accounts of an organisation, looked after by its own people."""

import json
from datetime import UTC, datetime
from typing import Annotated

import typer

from leadline.cli.edge import edge
from leadline.cli.session import FILE, AsJson, Home, Kept, acting
from leadline.core.errors import Invalid
from leadline.core.organisation import Task

app = typer.Typer(
    no_args_is_help=True,
    help="Organisations that look after their own accounts: administrators and delegates.",
)
Person = Annotated[str, typer.Argument(help="The person's id.")]
Request = Annotated[str | None, typer.Option(help="The request that a second person signed.")]
Until = Annotated[str, typer.Option(help="The day or moment it ends, such as 2027-06-01.")]


def _moment(option: str, text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid(option, f"{text!r} is no day such as 2027-06-01") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


@app.command("found")
def found(  # noqa: PLR0917 -- each is an option of the command line
    name: Annotated[str, typer.Argument(help="The organisation, as it stands with its people.")],
    role: Annotated[
        list[str] | None, typer.Option(help="What its people may be; several one by one.")
    ] = None,
    first: Annotated[
        list[str] | None, typer.Option(help="ID=NAME of an account administrator; give it twice.")
    ] = None,
    clearance: Annotated[int, typer.Option(min=0, help="The highest level of content.")] = 0,
    request: Request = None,
    home: Home = None,
    path: Kept = FILE,
) -> None:
    """Ask for a founding, or, with --request, found it: prints a one-time code for each."""
    from leadline.app import approval
    from leadline.app import organisation as use
    from leadline.wiring import people as wiring

    with edge(), acting(home, path) as (_, me):
        if request is None:
            pairs = [text.partition("=") for text in first or []]
            if not all(id_ and mark and told for id_, mark, told in pairs):
                raise Invalid("--first", "write ID=NAME")
            named = [use.Named(id_, told) for id_, _, told in pairs]
            asked = use.ask_founding(me.ctx, wiring.roles(), name, role or (), clearance, named)
            typer.echo(asked.id)
            return
        for one in use.found(me.ctx, wiring.roles(), approval.granted(me.ctx, request)):
            told = f"one-time code: {one.code}" if one.code else "signs in as before"
            typer.echo(f"{one.name} is {one.principal}; {told}")


@app.command("list")
def list_(home: Home = None, path: Kept = FILE, *, as_json: AsJson = False) -> None:
    """Every organisation that was founded, and what is wanting there."""
    from leadline.app import organisation as use

    with edge(), acting(home, path) as (_, me):
        rows = [
            {
                "name": one.name,
                "administrators": watch.now,
                "wanting": watch.words,
                "roles": sorted(one.roles),
            }
            for one, watch in use.watched(me.ctx)
        ]
    if as_json:
        typer.echo(json.dumps({"organisations": rows}))
        return
    for row in rows:
        typer.echo(f"{row['name']}  {row['administrators']}  {row['wanting'] or 'nothing wanting'}")


@app.command("show")
def show(home: Home = None, path: Kept = FILE, *, as_json: AsJson = False) -> None:
    """Your own organisation: its people, who looks after them, and who stands in for whom."""
    from leadline.app import organisation as use

    with edge(), acting(home, path) as (_, me):
        seen = use.of(me.ctx)
        shown = {
            "name": seen.name,
            "wanting": seen.watch.words,
            "people": [
                {
                    "id": one.person.id,
                    "name": one.person.name,
                    "roles": sorted(one.person.roles),
                    "suspended": one.person.suspended,
                    "until": one.person.access_until.isoformat() if one.person.access_until else "",
                }
                for one in seen.people
            ],
            "delegations": [
                {
                    "id": one.id,
                    "of": one.of,
                    "to": one.to,
                    "tasks": sorted(one.tasks),
                    "begins": one.begins.isoformat(),
                    "until": one.until.isoformat(),
                }
                for one in seen.delegations
            ],
            "recoveries": [
                {"principal": one.principal, "due": one.due.isoformat()} for one in seen.recoveries
            ],
        }
    typer.echo(json.dumps(shown, indent=None if as_json else 1))


@app.command("appoint")
def appoint(person: Person, request: Request = None, home: Home = None, path: Kept = FILE) -> None:
    """Ask that somebody look after accounts, or, with --request, make it so."""
    from leadline.app import approval
    from leadline.app import organisation as use

    with edge(), acting(home, path) as (_, me):
        if request is None:
            typer.echo(use.ask_appointment(me.ctx, person).id)
        else:
            use.appoint(me.ctx, person, approval.granted(me.ctx, request))


@app.command("dismiss")
def dismiss(person: Person, home: Home = None, path: Kept = FILE) -> None:
    """Let somebody no longer look after accounts; the last one stays."""
    from leadline.app import organisation as use

    with edge(), acting(home, path) as (_, me):
        use.dismiss(me.ctx, person)


@app.command("renew")
def renew(person: Person, *, until: Until, home: Home = None, path: Kept = FILE) -> None:
    """Let a person's access end later, within a year."""
    from leadline.app import organisation as use

    with edge(), acting(home, path) as (_, me):
        use.renew(me.ctx, person, _moment("--until", until))


@app.command("end-account")
def end_account(
    person: Person,
    *,
    reason: Annotated[str, typer.Option(help="Why; it is part of the record.")],
    home: Home = None,
    path: Kept = FILE,
) -> None:
    """End an account for good: keys, sessions, credentials, grants and delegations with it."""
    from leadline.app import organisation as use

    with edge(), acting(home, path) as (_, me):
        use.end_account(me.ctx, person, reason)


@app.command("call-off")
def call_off(person: Person, home: Home = None, path: Kept = FILE) -> None:
    """Call off every open invitation and recovery of a person; prints how many there were."""
    from leadline.app import sign_in as use

    with edge(), acting(home, path) as (_, me):
        typer.echo(use.call_off(me.ctx, person))


@app.command("delegate")
def delegate(
    to: Person,
    task: Annotated[list[Task], typer.Option(help="What for; several one by one.")],
    until: Until,
    begins: Annotated[str | None, typer.Option("--from", help="When it begins; else now.")] = None,
    home: Home = None,
    path: Kept = FILE,
) -> None:
    """Have somebody do some of your tasks for a stated time; prints the delegation's id."""
    from leadline.app import organisation as use

    with edge(), acting(home, path) as (_, me):
        start = _moment("--from", begins) if begins else me.ctx.now
        typer.echo(use.delegate(me.ctx, to, task, start, _moment("--until", until)).id)


@app.command("end-delegation")
def end_delegation(
    delegation: Annotated[str, typer.Argument(help="The delegation's id.")],
    home: Home = None,
    path: Kept = FILE,
) -> None:
    """End a delegation now."""
    from leadline.app import organisation as use

    with edge(), acting(home, path) as (_, me):
        use.end_delegation(me.ctx, delegation)
