"""`leadline incident`: what happened, who knew when, how it ended. Reporting tells nobody by itself."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from leadline.cli.edge import edge
from leadline.cli.session import FILE, AsJson, Home, Kept, kept
from leadline.core.engagement.regime import Event
from leadline.settings import home as home_of

if TYPE_CHECKING:
    from leadline.app.incidents import Record

app = typer.Typer(
    no_args_is_help=True, help="Incidents: what happened, who knew when, how it ended."
)
Id = Annotated[str, typer.Argument(metavar="INCIDENT", help="Its id.")]
Text = Annotated[str, typer.Option(help="What happened, in words; kept in the vault.")]
Who = Annotated[str, typer.Option(help="Who knew: a name or a role; kept in the vault.")]
Known = Annotated[str, typer.Option(help="When, such as 2027-03-01T09:00-05:00.")]
Zone = Annotated[str, typer.Option(help="The time zone of times without an offset.")]
Category = Annotated[
    list[str] | None, typer.Option(help="A word of the texts; several one by one; else unknown.")
]


@app.command("report")
def report(  # noqa: PLR0913 -- options of a command
    *,
    happened: Annotated[str, typer.Option(help="When it happened, such as 2027-03-01T09:00Z.")],
    known: Known,
    who: Who,
    text: Text,
    notifies: Annotated[str, typer.Option(help="The person who owns telling third parties.")],
    category: Category = None,
    engagement: Annotated[str, typer.Option(help="The engagement it belongs to, if any.")] = "",
    zone: Zone = "",
    home: Home = None,
    path: Kept = FILE,
) -> None:
    """Put an incident on record. It tells nobody; `leadline duty list` shows what is owed."""
    from leadline.app import incidents
    from leadline.app.moment import moment
    from leadline.wiring.desk import at_desk
    from leadline.wiring.duties import law

    with edge(), at_desk(home_of(home), kept(path)) as me:
        told = incidents.Told(text, who, moment("known", known, zone), tuple(category or ()))
        at = moment("happened", happened, zone)
        texts, on = law(me.home).texts(), me.dealings(engagement) if engagement else None
        made = incidents.report(me.ctx, texts, told, happened=at, notifies=notifies, on=on)
    typer.echo(f"{made.id} on record; `leadline duty list` shows what is owed and by when")


@app.command("known")
def known(
    incident: Id,
    *,
    at: Known,
    who: Who,
    text: Text,
    category: Category = None,
    zone: Zone = "",
    home: Home = None,
    path: Kept = FILE,
) -> None:
    """Add who knew of INCIDENT and when, or of what kind it was found to be."""
    from leadline.app import incidents
    from leadline.app.moment import moment
    from leadline.wiring.desk import at_desk
    from leadline.wiring.duties import law

    with edge(), at_desk(home_of(home), kept(path)) as me:
        told = incidents.Told(text, who, moment("at", at, zone), tuple(category or ()))
        incidents.add_knowledge(me.ctx, law(me.home).texts(), incident, told)


@app.command("resolve")
def resolve(
    incident: Id,
    *,
    at: Annotated[str, typer.Option(help="When, such as 2027-03-01T09:00-05:00.")],
    text: Annotated[str, typer.Option(help="How, in words; kept in the vault.")],
    fix: Annotated[bool, typer.Option("--fix", help="A fix is available; not resolved.")] = False,
    zone: Zone = "",
    home: Home = None,
    path: Kept = FILE,
) -> None:
    """Put on record that INCIDENT was resolved, or that a fix is available."""
    from leadline.app import incidents
    from leadline.app.moment import moment
    from leadline.wiring.desk import at_desk

    event = Event.FIX_AVAILABLE if fix else Event.INCIDENT_RESOLVED
    with edge(), at_desk(home_of(home), kept(path)) as me:
        incidents.resolve(me.ctx, incident, moment("at", at, zone), text, event)


@app.command("show")
def show(incident: Id, home: Home = None, path: Kept = FILE, *, as_json: AsJson = False) -> None:
    """Show INCIDENT: who knew when, of what kind, and how it ended."""
    from leadline.app import incidents
    from leadline.wiring.desk import at_desk

    with edge(), at_desk(home_of(home), kept(path)) as me:
        found = incidents.incident(me.ctx, incident)
        said = [incidents.told(me.ctx, act) for act in found.acts if "content" in act.detail]
    told = {**_line(found), "told": [dict(one) for one in said]}
    if as_json:
        typer.echo(json.dumps(told))
        return
    for name, value in told.items():
        typer.echo(f"{name}: {value}" if name != "told" else "told:")
    for one in said:
        typer.echo(f"  {one['who'] or '-'}: {one['text']}")


@app.command("list")
def list_(home: Home = None, path: Kept = FILE, *, as_json: AsJson = False) -> None:
    """List the incidents that you may know of."""
    from leadline.app import incidents
    from leadline.wiring.desk import at_desk

    with edge(), at_desk(home_of(home), kept(path)) as me:
        found = [_line(one) for one in incidents.incidents(me.ctx)]
    if as_json:
        typer.echo(json.dumps({"incidents": found}))
        return
    for one in found:
        typer.echo(f"{one['id']}  known {one['known']}  {one['categories']}  {one['ended']}")


def _line(record: "Record") -> dict[str, str]:
    """An incident in short; times in UTC."""
    from leadline.core.engagement.incident import ENDS, occurrences
    from leadline.core.record.act import instant

    one, found = record.incident, occurrences(record.incident, record.acts)
    knew = [each.moment for each in found if each.event is Event.INCIDENT_KNOWN]
    ends = [f"{each.event} {instant(each.at)}" for each in found if each.event in ENDS]
    words = sorted({word for each in found for word in each.categories})
    return {
        "id": one.id,
        "organisation": one.org,
        "engagement": one.engagement,
        "happened": instant(one.happened),
        "known": instant(min(knew)),
        "categories": ", ".join(words),
        "notifies": one.notifies,
        "ended": ", ".join(ends),
    }
