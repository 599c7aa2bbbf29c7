"""`leadline access`: who may do what and why; people, their grants, and suspension at once."""

import json
from datetime import UTC, datetime
from typing import Annotated

import typer

from leadline.cli.edge import edge
from leadline.cli.session import FILE, AsJson, Home, Kept, acting
from leadline.core.access import Principal
from leadline.core.errors import Invalid
from leadline.core.grant import Scope
from leadline.settings import home as home_of

app = typer.Typer(no_args_is_help=True, help="Who may do what, and why.")
Person = Annotated[str, typer.Argument(help="The person's id.")]
Reason = Annotated[str, typer.Option(help="Why; it is part of the record.")]
Until = Annotated[str, typer.Option(help="The day or moment it ends, such as 2027-06-01.")]
Named = Annotated[str, typer.Argument(help="Its name or id.")]
Within = Annotated[Scope, typer.Argument(help="What the name is of.")]
What = Annotated[
    str, typer.Argument(help="A person's id, or org:NAME, compartment:NAME, engagement:ID.")
]


def _moment(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid("--until", f"{text!r} is no day such as 2027-06-01") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


@app.command("why")
def why(
    principal: Person,
    action: Annotated[str, typer.Argument(help="Such as assessment:run.")],
    resource: Annotated[str, typer.Argument(help="KIND/ID, such as engagement/engagement-1.")],
    home: Home = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Explain why PRINCIPAL may or may not do ACTION on RESOURCE, and what would change it."""
    from leadline.wiring import people as wiring
    from leadline.wiring.home import opened

    with edge(), opened(home_of(home)) as parts:
        ctx = wiring.at_this_machine(parts)
        found = wiring.why(parts, ctx, principal, action, resource)
    if as_json:
        typer.echo(json.dumps(found.to_dict()))
        return
    explained = found.explanation
    typer.echo(f"{'yes' if explained.decision.allowed else 'no'}: {explained.decision.reason}")
    for rule, reason in explained.reasons.items():
        typer.echo(f"  rule {rule}: {reason}")
    for role in explained.roles:
        typer.echo(f"  role {role}")
    if not explained.roles:
        typer.echo("  none of this person's roles grants it")
    for some in explained.changes:
        typer.echo(f"  would change it: {' and '.join(some)}")


@app.command("enrol")
def enrol(
    id_: Annotated[str, typer.Argument(metavar="ID", help="The person's id, never used again.")],
    *,
    name: Annotated[str, typer.Option(help="The person's name.")],
    org: Annotated[str, typer.Option(help="The organisation the person belongs to.")],
    role: Annotated[list[str], typer.Option(help="A role; several are given one by one.")],
    until: Until,
    clearance: Annotated[int, typer.Option(min=0, help="The level of content to reach.")] = 0,
    home: Home = None,
    path: Kept = FILE,
) -> None:
    """Enrol one individual, whose access ends on a day; organisations cannot be enrolled."""
    from leadline.app import people
    from leadline.wiring import people as wiring

    with edge(), acting(home, path) as (_, me):
        person = Principal(
            id_, name, org, frozenset(role), access_until=_moment(until), clearance=clearance
        )
        people.enrol(me.ctx, wiring.roles(), person)


@app.command("grant")
def grant(
    to: Person, scope: Within, named: Named, *, until: Until, home: Home = None, path: Kept = FILE
) -> None:
    """Give a grant for 30 days or less, or renew it."""
    from leadline.app import people
    from leadline.wiring import people as wiring

    with edge(), acting(home, path) as (_, me):
        people.give(me.ctx, wiring.roles(), to, scope, named, _moment(until))


@app.command("end")
def end(of: Person, scope: Within, named: Named, home: Home = None, path: Kept = FILE) -> None:
    """End a grant now."""
    from leadline.app import people

    with edge(), acting(home, path) as (_, me):
        people.end(me.ctx, of, scope, named)


@app.command("suspend")
def suspend(what: What, *, reason: Reason, home: Home = None, path: Kept = FILE) -> None:
    """Suspend at once: it holds for the next request that anybody makes."""
    from leadline.app import people

    with edge(), acting(home, path) as (_, me):
        people.suspend(me.ctx, what, reason)


@app.command("restore")
def restore(what: What, *, reason: Reason, home: Home = None, path: Kept = FILE) -> None:
    """Let what was suspended go on."""
    from leadline.app import people

    with edge(), acting(home, path) as (_, me):
        people.restore(me.ctx, what, reason)


@app.command("list")
def list_(
    home: Home = None,
    path: Kept = FILE,
    *,
    due: Annotated[
        bool, typer.Option("--due", help="Only those with grants that end within 7 days.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List the people you may know of, with their grants; each grant is renewed every 30 days or ends."""
    from leadline.app import people

    with edge(), acting(home, path) as (_, me):
        found = [one for one in people.listed(me.ctx) if one.due or not due]
    rows = [
        {
            "id": one.person.id,
            "name": one.person.name,
            "org": one.person.org,
            "roles": sorted(one.person.roles),
            "clearance": one.person.clearance,
            "suspended": one.person.suspended,
            "until": one.person.access_until.isoformat() if one.person.access_until else None,
            "grants": [
                {
                    "scope": grant.scope.value,
                    "name": grant.name,
                    "until": grant.until.isoformat(),
                    "given_by": grant.given_by,
                    "due": grant in one.due,
                }
                for grant in one.grants
            ],
        }
        for one in found
    ]
    if as_json:
        typer.echo(json.dumps({"people": rows}))
        return
    for one in found:
        person = one.person
        mark = "suspended" if person.suspended else f"until {person.access_until}"
        typer.echo(f"{person.id}  {person.name}  {person.org}  {mark}")
        typer.echo(f"  roles: {', '.join(sorted(person.roles))}")
        for grant in one.grants:
            soon = "  renew it or it ends" if grant in one.due else ""
            typer.echo(f"  {grant.scope.value} {grant.name} until {grant.until:%Y-%m-%d}{soon}")


@app.command("roles")
def roles(*, as_json: AsJson = False) -> None:
    """List the roles, and which exclude each other."""
    from leadline.wiring import people as wiring

    found = wiring.roles()
    if as_json:
        rows = [
            {
                "id": role.id,
                "title": role.title,
                "summary": role.summary,
                "side": role.side.value,
                "excludes": sorted(role.excludes),
            }
            for role in found.values()
        ]
        typer.echo(json.dumps({"roles": rows}))
        return
    for role in found.values():
        typer.echo(f"{role.id}: {role.summary}")
