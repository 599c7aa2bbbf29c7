"""`leadline inquiry`: ask whether your model would be covered, from one file and without weights."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadline.cli.edge import edge
from leadline.cli.session import FILE, AsJson, Home, Kept
from leadline.core.errors import Invalid

if TYPE_CHECKING:
    from leadline.app.audience import Audience
    from leadline.app.inquiry import Asked
    from leadline.core.engagement.inquiry import Inquiry, Question
    from leadline.wiring.inquiry import Folder

app = typer.Typer(no_args_is_help=True, help="Ask whether a model would be covered; no weights.")
Dir = Annotated[Path, typer.Argument(metavar="DIR", help="The folder that the inquiry is in.")]
Regime = Annotated[str, typer.Option(help="The regime to ask under; see `leadline regime list`.")]
Key = Annotated[Path, typer.Option(help="Your key file, to sign with.")]
EO = "us-eo-14409"


@app.callback()
def inquiry() -> None:
    """Inquiries."""


@app.command("new")
def new(
    folder: Dir,
    *,
    answer: Annotated[
        list[str] | None, typer.Option(help="NAME=ANSWER; with one, nothing else is asked.")
    ] = None,
) -> None:
    """Write an inquiry, question by question; each answer is kept at once, and may be `unknown`.

    Enter alone leaves a question out. Begin again at any time: what was answered is not asked again.
    """
    from leadline.wiring import inquiry as wiring

    with edge():
        place = wiring.Folder(folder)
        asked = place.begun()
        for pair in answer or []:
            asked = wiring.saying(asked, pair)
        place.keep(asked)
        if not answer:
            asked = _wizard(place, asked)
    _told(folder, asked)


def _wizard(place: "Folder", asked: "Inquiry") -> "Inquiry":
    """Ask what is not answered yet, one after the other."""
    from leadline.core.engagement.inquiry import QUESTIONS, WORDS, Question

    typer.echo("Answer what you know; Enter leaves a question out, `unknown` is an answer.")
    typer.echo("No weights, prompts or findings are asked for. Nothing leaves this machine yet.\n")
    for question in (one for one in Question if one not in asked.answers):
        told = QUESTIONS[question]
        typer.echo(f"{told.words}\n  {told.why}")
        words = f" ({', '.join(WORDS[told.form])})" if told.form in WORDS else ""
        while said := typer.prompt(f"  {question.value}{words}", default="", show_default=False):
            asked, problem = _tried(asked, question, said)
            if not problem:
                place.keep(asked)
                break
            typer.echo(f"  {problem}")
    return asked


def _tried(asked: "Inquiry", question: "Question", said: str) -> "tuple[Inquiry, str]":
    """The inquiry with the answer, or as it was, and what is wrong with the answer."""
    try:
        return asked.saying(question, said), ""
    except Invalid as error:
        return asked, error.problem


def _told(folder: Path, asked: "Inquiry") -> None:
    from leadline.core.engagement.inquiry import Question

    typer.echo(f"{len(asked.answers)} of {len(Question)} questions answered, in {folder}")


@app.command("check")
def check(folder: Dir, *, as_json: AsJson = False) -> None:
    """Say what is answered, what is unknown, and what would make the answer better and why."""
    from leadline.core.engagement.inquiry import gaps
    from leadline.wiring import inquiry as wiring

    with edge():
        asked = wiring.Folder(folder).inquiry()
    notes = gaps(asked)
    if as_json:
        said = {question.value: text for question, text in asked.answers.items()}
        typer.echo(json.dumps({"answers": said, "notes": [asdict(note) for note in notes]}))
        return
    for question, text in asked.answers.items():
        typer.echo(f"{question.value}: {text}")
    typer.echo("")
    for note in notes:
        typer.echo(f"{note.question.value} ({note.gap.value}): {note.why}")
    _told(folder, asked)
    typer.echo("It can be sent as it is; nothing here is due.")


@app.command("preview")
def preview(
    folder: Dir,
    *,
    regime: Regime = EO,
    home: Home = None,
    path: Kept = FILE,
    as_json: AsJson = False,
) -> None:
    """Show what would be sent, who could see it, until when, and under which marking."""
    from leadline.app.audience import audience
    from leadline.cli.desk import at_desk, here
    from leadline.wiring import inquiry as wiring
    from leadline.wiring.people import roles

    with edge(), at_desk(home, path) as me:
        place = wiring.Folder(folder)
        on = wiring.dealings(here(me), place, regime)
        asked, found = place.inquiry(), audience(here(me).ctx, roles(), on)
    if as_json:
        document = {"says": asked.to_record(), "audience": asdict(found)}
        typer.echo(json.dumps(document, default=str))
        return
    _says(asked)
    show_audience(found)


def _says(asked: "Inquiry") -> None:
    typer.echo("What is sent:")
    for name, text in asked.to_record().items():
        typer.echo(f"  {name}: {text}")


def show_audience(found: "Audience") -> None:
    """Who could see it, for people."""
    typer.echo(f"Marking: {found.marking}")
    typer.echo("Who could see it now:")
    for one in found.viewers:
        until = f"until {one.until.isoformat()}" if one.until else "without an end of its own"
        typer.echo(f"  {one.name} ({one.org}; {', '.join(one.roles)}), {until}")
        typer.echo(f"    {'; '.join(one.may)}")
    typer.echo("Who could besides:")
    for kind in found.kinds:
        if kind.anyway:
            typer.echo(f"  anybody enrolled as {kind.title.lower()}: {'; '.join(kind.anyway)}")
        further = [words for words in kind.named if words not in kind.anyway]
        if further:
            typer.echo(f"  {kind.title.lower()}, once named for it: {'; '.join(further)}")


@app.command("lodge")
def lodge(
    folder: Dir,
    *,
    regime: Regime = EO,
    yes: Annotated[bool, typer.Option("--yes", help="Send without asking again.")] = False,
    home: Home = None,
    path: Kept = FILE,
    as_json: AsJson = False,
) -> None:
    """Send the inquiry, after showing what is sent and who could see it."""
    from leadline.app.audience import audience
    from leadline.cli.desk import at_desk, here
    from leadline.wiring import inquiry as wiring
    from leadline.wiring.people import roles

    with edge(), at_desk(home, path) as me:
        place = wiring.Folder(folder)
        on = wiring.dealings(here(me), place, regime)
        if not yes:
            _says(place.inquiry())
            show_audience(audience(here(me).ctx, roles(), on))
            typer.confirm("Send it?", abort=True, err=True)
        act, id_ = wiring.lodge(here(me), place, on)
    if as_json:
        sent = {"engagement": id_, "act": act.id if act else None}
        typer.echo(json.dumps(sent | {"at": act.at.isoformat() if act else None}))
    elif act is None:
        typer.echo(f"this very inquiry was sent already, under {id_}; nothing was sent twice")
    else:
        typer.echo(f"asked at {act.at.isoformat()}, under {id_}")
        typer.echo("Nothing of yours waits for the answer; you can withdraw at any moment.")


@app.command("status")
def status(
    what: Annotated[str, typer.Argument(metavar="DIR|ENGAGEMENT", help="The folder, or an id.")],
    home: Home = None,
    path: Kept = FILE,
    *,
    as_json: AsJson = False,
) -> None:
    """Show every inquiry of an engagement with its dated, signed answers."""
    from leadline.app import inquiry as use
    from leadline.cli.desk import at_desk, here
    from leadline.wiring import inquiry as wiring

    with edge(), at_desk(home, path) as me:
        folder = Path(what).is_dir()
        id_ = wiring.Folder(Path(what)).engagement() if folder else what
        if not id_ or (folder and not wiring.known(here(me), id_)):
            raise Invalid("DIR", f"the inquiry in {what} was not sent yet; `lodge` sends it")
        found = me.do(use.asked, me.dealings(id_))
    if as_json:
        told = {"engagement": id_, "inquiries": [asdict(one) for one in found]}
        typer.echo(json.dumps(told, default=str))
        return
    typer.echo(id_)
    for one in found:
        _show(one)


def _show(one: "Asked") -> None:
    typer.echo(f"asked {one.at.isoformat()} by {one.by}  leaf {one.index} of the log")
    for name, text in one.said.items():
        typer.echo(f"  {name}: {text}")
    for answer in one.answers:
        typer.echo(f"answered {answer.at.isoformat()} by {answer.by}  leaf {answer.index}")
        typer.echo(f"  {answer.answer}")
        for reason in answer.reasons:
            typer.echo(f"  {reason}")
        typer.echo(f"  signed: {answer.signed or 'no'}")
    if not one.answers:
        typer.echo("  no answer; that changes nothing of yours")


@app.command("answer")
def answer(
    engagement: Annotated[str, typer.Argument(help="The engagement's id.")],
    said: Annotated[str, typer.Argument(metavar="ANSWER", help="covered, 'not covered', ...")],
    *,
    reason: Annotated[str, typer.Option(help="What the answer rests on, in words.")],
    key: Key,
    home: Home = None,
    path: Kept = FILE,
) -> None:
    """Answer the newest inquiry, dated and signed, in the role that the regime says decides."""
    from leadline.app import engagement as use
    from leadline.cli.desk import at_desk
    from leadline.core.access import Action
    from leadline.core.engagement.determination import Answer

    with edge(), at_desk(home, path) as me:
        if said not in set(Answer):
            raise Invalid("ANSWER", f"{said!r} is none of {', '.join(Answer)}")
        on, facts = me.dealings(engagement), use.inquiry_facts(Answer(said), reason)
        granted = me.signed(Action.INQUIRY_ANSWER, on, facts, key)
        act = me.do(use.answer_inquiry, on, Answer(said), reason, granted)
    typer.echo(f"answered {act.at.isoformat()}: {said}")
