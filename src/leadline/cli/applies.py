"""`leadline applies`: six questions, and which laws and programmes apply, with their numbers."""

import json
import sys
from dataclasses import asdict
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadline.cli.edge import edge
from leadline.cli.regime import On, day_of, library_of, write_page
from leadline.cli.session import AsJson, Home
from leadline.cli.table import text_of
from leadline.core.errors import Invalid

if TYPE_CHECKING:
    from leadline.core.engagement.coverage import Answers, Applies
    from leadline.formats.questions_toml import Question

UNKNOWN = "unknown"


def applies(
    answers: Annotated[
        Path | None, typer.Option(help="A TOML file of answers; a missing one is unknown.")
    ] = None,
    *,
    answer: Annotated[
        list[str] | None, typer.Option(help="NAME=VALUE, such as training-operations=3e24; repeat.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write the page as one HTML file.")] = None,
    on: On = "",
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Six questions, each of which may stay unknown, and what applies to you. Nothing is kept or sent.

    At a terminal it asks; with answers given it does not. Names: training-operations,
    yearly-revenue-usd, places, open-weights, stage, agreements.
    """
    from leadline.core.engagement.coverage import applies as applied
    from leadline.render.applies_page import applies_document
    from leadline.render.text import text
    from leadline.wiring.regimes import questions

    with edge():
        day, held = day_of(on), library_of(home)
        asked = questions()
        known = _answers(answers, answer or [], asked)
        now = datetime.combine(day, time(), UTC)
        found = [applied(held.on(id_, day), known, now) for id_ in held.ids()]
        page = applies_document(found, known, asked, day)
        if out is not None:
            write_page(out, page)
    if as_json:
        typer.echo(json.dumps(_document(found, known, day), default=str))
    elif out is None:
        typer.echo(text(page), nl=False)


def _answers(file: Path | None, given: list[str], asked: "tuple[Question, ...]") -> "Answers":
    """The answers of a file, of options, or of whoever sits at the terminal.

    Raises: Invalid, naming the answer, for one that cannot be; NotFound, for a file that is not there.
    """
    from leadline.formats.questions_toml import load_answers, written

    if file is not None:
        if given:
            raise Invalid("--answers", "give a file or single answers, not both")
        return load_answers(text_of(file).encode(), file.name, asked)
    if given:
        return load_answers(written(_named(given, asked), asked).encode(), "--answer", asked)
    if not sys.stdin.isatty():
        return load_answers(b"", "--answer", asked)
    return load_answers(_asked(asked).encode(), "answers", asked)


def _named(given: list[str], asked: "tuple[Question, ...]") -> dict[str, str]:
    """Answers by the names of their questions.

    Raises: Invalid, for a text without a name, or one that is no question's or stands twice.
    """
    names, found = [one.fact.value for one in asked], dict[str, str]()
    for one in given:
        name, equals, said = one.partition("=")
        if not equals or name not in names or name in found:
            problem = f"{one!r:.60} is no NAME=VALUE, once for each of {', '.join(names)}"
            raise Invalid("--answer", problem)
        found[name] = said
    return found


def _asked(questions: "tuple[Question, ...]") -> str:
    """Ask each question until its answer can be read; the answers as TOML."""
    from leadline.formats.questions_toml import written

    typer.echo(
        "Six questions. Press Enter for “I don't know”. Nothing is stored or sent.\n", err=True
    )
    lines = []
    for at, one in enumerate(questions, 1):
        typer.echo(f"{at}. {one.text}\n   {one.why}\n   {one.help}", err=True)
        for option in one.options:
            typer.echo(f"     {option.word}: {option.text}", err=True)
        said = typer.prompt("  ", default=UNKNOWN, err=True)
        while problem := _problem({one.fact.value: said}, questions):
            typer.echo(f"   {problem}", err=True)
            said = typer.prompt("  ", default=UNKNOWN, err=True)
        lines.append(written({one.fact.value: said}, questions))
    return "".join(lines)


def _problem(given: dict[str, str], questions: "tuple[Question, ...]") -> str:
    """What is wrong with an answer in words; nothing, if it can be read."""
    from leadline.formats.questions_toml import load_answers, written

    try:
        load_answers(written(given, questions).encode(), "answer", questions)
    except Invalid as error:
        return str(error)
    return ""


def _document(found: "list[Applies]", known: "Answers", day: date) -> dict[str, object]:
    """The answers for machines, each with its reasons and citations."""
    return {
        "day": day,
        "answers": asdict(known),
        "stored": False,
        "regimes": [
            {
                "id": one.regime.id,
                "title": one.regime.title,
                "verdict": one.verdict.value,
                "otherwise": one.otherwise.value,
                "since": one.regime.in_force.since,
                "until": one.regime.in_force.until,
                "confidence": one.regime.confidence,
                "contested": bool(one.regime.contested),
                "classes": None if one.classes is None else sorted(one.classes),
                "missing": [fact.value for fact in one.missing],
                "reasons": [
                    {
                        "fact": reason.fact.value if reason.fact else None,
                        "met": reason.met,
                        "found": reason.found,
                        "words": reason.words,
                        "cites": one.regime.source(reason.cites).citation,
                    }
                    for reason in one.reasons
                ],
            }
            for one in found
        ],
    }
