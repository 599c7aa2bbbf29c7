"""`leadline duty`: what texts ask to be reported, drafted here and sent by a human."""

import json
from datetime import UTC, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadline.cli.edge import edge
from leadline.cli.session import FILE, AsJson, Home, Kept, kept
from leadline.core.engagement.regime import Event
from leadline.core.errors import Invalid, Unavailable
from leadline.settings import home as home_of

if TYPE_CHECKING:
    from leadline.core.engagement.obligation import Obligation

app = typer.Typer(no_args_is_help=True, help="Reports that texts ask for: due when, to whom.")
Id = Annotated[
    str, typer.Argument(metavar="DUTY", help="Its id, as `leadline duty list` prints it.")
]
Zone = Annotated[str, typer.Option(help="The time zone of times without an offset.")]
At = Annotated[str, typer.Option(help="When, such as 2027-03-01T09:00-05:00.")]


@app.command("list")
def list_(
    engagement: Annotated[str, typer.Argument(help="One engagement; else everything.")] = "",
    home: Home = None,
    path: Kept = FILE,
    *,
    as_json: AsJson = False,
) -> None:
    """List what is owed: what is overdue stands out, what is presumed says so."""
    from leadline.app import obligations
    from leadline.formats.report_draft import named
    from leadline.wiring.desk import at_desk
    from leadline.wiring.duties import law

    with edge(), at_desk(home_of(home), kept(path)) as me:
        on, texts = me.dealings(engagement) if engagement else None, law(me.home, me.library)
        found = obligations.owed(me.ctx, texts, on)
        rows = [_row(one, named(me.library, one.to, me.ctx.now.date())) for one in found]
    if as_json:
        typer.echo(json.dumps({"duties": rows}))
        return
    for row, one in zip(rows, found, strict=True):
        mark = "OVERDUE" if row["stage"] == "overdue" else row["stage"]
        typer.echo(f"{mark:8} {row['due'] or 'without undue delay':27} {row['id']}")
        typer.echo(f"         to {row['to']}: {row['words']}")
        for note in one.contested:
            typer.echo(f"         contested: {note.words}")


@app.command("follow")
def follow(
    regime: Annotated[str, typer.Argument(help="A regime's id, as `leadline regime list` has it.")],
    *,
    class_: Annotated[
        list[str] | None, typer.Option("--class", help="A class of it that you are in.")
    ] = None,
    no_class: Annotated[bool, typer.Option("--no-class", help="You are in none of them.")] = False,
    home: Home = None,
    path: Kept = FILE,
) -> None:
    """Say that a text applies to your organisation, and in which class; without one it is unknown."""
    from leadline.app import obligations
    from leadline.wiring.desk import at_desk
    from leadline.wiring.duties import law

    with edge(), at_desk(home_of(home), kept(path)) as me:
        said = class_ or ([] if no_class else None)
        obligations.follow(me.ctx, law(me.home, me.library), regime, said)


@app.command("answers")
def answers(
    file: Annotated[Path, typer.Argument(help="A TOML file, as `leadline applies --answers`.")],
    home: Home = None,
    path: Kept = FILE,
) -> None:
    """Keep your organisation's six answers: they say which texts may apply to it from now on."""
    from leadline.app import obligations
    from leadline.cli.table import text_of
    from leadline.formats.questions_toml import load_answers
    from leadline.wiring.desk import at_desk
    from leadline.wiring.regimes import questions

    with edge(), at_desk(home_of(home), kept(path)) as me:
        said = load_answers(text_of(file).encode(), file.name, questions())
        obligations.answer(me.ctx, said)


@app.command("began")
def began(
    event: Annotated[Event, typer.Argument(help="What began.")],
    model: Annotated[str, typer.Argument(help="The model.")],
    *,
    at: At,
    zone: Zone = "",
    home: Home = None,
    path: Kept = FILE,
) -> None:
    """Put on record that the training, internal use or deployment of MODEL began."""
    from leadline.app import incidents
    from leadline.app.moment import moment
    from leadline.wiring.desk import at_desk

    with edge(), at_desk(home_of(home), kept(path)) as me:
        made = incidents.began(me.ctx, event, model, moment("at", at, zone))
    typer.echo(made.id)


@app.command("draft")
def draft(
    duty: Id,
    out: Annotated[Path, typer.Argument(help="The file to write, such as report.md.")],
    home: Home = None,
    path: Kept = FILE,
) -> None:
    """Draft the report of DUTY into OUT. What is unknown says so; a human finishes and sends it."""
    from leadline.app import obligations
    from leadline.wiring.desk import at_desk
    from leadline.wiring.duties import law

    with edge(), at_desk(home_of(home), kept(path)) as me:
        if out.exists():
            raise Invalid(str(out), "is there already; choose another name")
        if not out.parent.is_dir():
            raise Invalid(str(out), "is in no folder that is there; make it, or choose another")
        out.write_bytes(obligations.draft(me.ctx, law(me.home, me.library), duty))


@app.command("sent")
def sent(
    duty: Id,
    *,
    at: At,
    to: Annotated[str, typer.Option(help="Whom it was sent to.")],
    reference: Annotated[str, typer.Option(help="The recipient's reference, or how it went.")],
    copy: Annotated[
        Path | None, typer.Option(help="What was sent, to be kept.", exists=True, dir_okay=False)
    ] = None,
    zone: Zone = "",
    home: Home = None,
    path: Kept = FILE,
) -> None:
    """Put on record that a human sent the report of DUTY. Leadline sends nothing."""
    from leadline.app import obligations
    from leadline.app.moment import moment
    from leadline.wiring.desk import at_desk
    from leadline.wiring.duties import law

    with edge(), at_desk(home_of(home), kept(path)) as me:
        texts, when = law(me.home, me.library), moment("at", at, zone)
        held = copy.read_bytes() if copy else b""
        obligations.sent(me.ctx, texts, duty, at=when, to=to, reference=reference, copy=held)


@app.command("sweep")
def sweep(
    home: Home = None,
    *,
    days: Annotated[int, typer.Option(min=0, max=366, help="How many days ahead.")] = 7,
    as_json: AsJson = False,
) -> None:
    """Write reminders of what is due within some days, or overdue, into the outbox; once each."""
    from leadline.wiring import duties
    from leadline.wiring.home import clock, opened

    place = home_of(home)
    with edge(), opened(place) as parts:
        now = clock()
        swept = duties.reminders(parts, place, timedelta(days=days), now)
        made = duties.write(place.folder / "outbox", swept.found, now)
    told = f"{len(swept.found)} due within {days} days or overdue; {len(made)} reminders written"
    due = [{"person": one.person, "text": one.text} for one in swept.found]
    page = {"due": due, "written": [one.name for one in made], "unread": list(swept.unread)}
    typer.echo(json.dumps(page) if as_json else told)
    with edge():
        if swept.unread:
            raise Unavailable(f"the dates of some could not be read: {'; '.join(swept.unread)}")


def _row(one: "Obligation", recipient: str) -> dict[str, object]:
    """A duty as `--json` prints it; times in UTC."""
    from leadline.core.record.act import instant

    return {
        "id": one.id,
        "stage": one.stage.value,
        "due": one.due.astimezone(UTC).isoformat(timespec="minutes") if one.due else None,
        "started": instant(one.started),
        "who": one.who,
        "to": recipient,
        "words": one.words
        + (" (presumed: a category or class is unknown)" if one.presumed else ""),
        "regime": one.regime,
        "digest": one.digest,
        "cites": one.cites,
        "engagement": one.engagement,
        "about": one.about,
        "number": one.number,
        "presumed": one.presumed,
        "late": one.late,
        "sent": instant(one.sent.at) if one.sent else None,
        "keep_until": instant(one.keep_until) if one.keep_until else None,
        "contested": [note.words for note in one.contested],
    }
