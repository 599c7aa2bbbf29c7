"""`leadline regime`: laws and programmes as dated data: list, read, explain, compare and check them."""

import json
from dataclasses import asdict
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadline.cli.edge import edge
from leadline.cli.pictures import need_pictures
from leadline.cli.session import AsJson, Home
from leadline.core.errors import Invalid, NotFound, Unavailable
from leadline.settings import home as home_of

if TYPE_CHECKING:
    from leadline.core.engagement.library import Library
    from leadline.core.engagement.regime import Regime
    from leadline.render.document import Document

app = typer.Typer(no_args_is_help=True, help="Laws and programmes, as dated data with citations.")
Which = Annotated[str, typer.Argument(metavar="ID", help="A regime's id, such as us-eo-14409.")]
On = Annotated[str, typer.Option(help="As of this day, such as 2027-01-01; else today in UTC.")]


def day_of(text: str) -> date:
    """The day that an option names; today in UTC without one.

    Raises: Invalid, for anything that is no day.
    """
    from leadline.wiring.regimes import utc_now

    try:
        return date.fromisoformat(text) if text else utc_now().date()
    except ValueError:
        raise Invalid("--on", f"{text!r:.40} is no day such as 2027-01-01") from None


def library_of(home: Path | None) -> "Library":
    """The texts that come with Leadline and those of the installation, if there is one."""
    from leadline.wiring.regimes import library

    return library(home_of(home).folder / "regimes")


def write_page(path: Path, document: "Document") -> None:
    """Write a document as one HTML file.

    Raises: Unavailable, with what to install; Invalid, if the file cannot be written.
    """
    try:
        from leadline.render.html import html
    except ModuleNotFoundError as error:
        told = f"a page needs {error.name}; install it with: pip install 'leadline[server]'"
        raise Unavailable(told) from error
    write(path, html(document), "--out")


def write(path: Path, content: str, option: str) -> None:
    """Write a text file.

    Raises: Invalid, naming *option*, if it cannot be written.
    """
    try:
        path.write_text(content, encoding="utf-8")
    except OSError as error:
        raise Invalid(option, f"{path} cannot be written: {error.strerror}") from error


@app.command("list")
def list_(home: Home = None, on: On = "", *, as_json: AsJson = False) -> None:
    """List the texts: what standing each has, how sure its reading is, and how old."""
    from leadline.render.regime_words import days_of, is_stale

    with edge():
        held, day = library_of(home), day_of(on)
        found = [held.on(id_, day) for id_ in held.ids()]
    rows = [
        {
            "id": one.id,
            "title": one.title,
            "status": one.status.value,
            "since": one.in_force.since,
            "until": one.in_force.until,
            "participation": one.participation.value,
            "confidence": one.confidence,
            "last_checked": one.last_checked,
            "stale": is_stale(one, day),
            "contested": bool(one.contested),
            "digest": one.digest,
        }
        for one in found
    ]
    if as_json:
        typer.echo(json.dumps({"regimes": rows}, default=str))
        return
    for one in found:
        old = ", long ago: read the sources again" if is_stale(one, day) else ""
        typer.echo(f"{one.id}  ({one.status.value}, {one.participation.value})")
        typer.echo(f"  {one.title}")
        told = f"  {days_of(one)}; confidence {one.confidence}; checked {one.last_checked}{old}"
        typer.echo(told)


@app.command("show")
def show(id_: Which, home: Home = None, on: On = "", *, as_json: AsJson = False) -> None:
    """Show what one file says, entry by entry, each with its citation."""
    from leadline.render.regime_page import regime_table
    from leadline.render.text import text

    with edge():
        held, day = library_of(home), day_of(on)
        found = held.on(id_, day)
        if as_json:
            typer.echo(json.dumps(asdict(found), default=str))
            return
        typer.echo(text(regime_table(found, held, day)), nl=False)


@app.command("explain")
def explain(
    id_: Which,
    *,
    out: Annotated[Path | None, typer.Option(help="Write the page as one HTML file.")] = None,
    home: Home = None,
    on: On = "",
) -> None:
    """Explain one text in plain sentences, each with the clause it rests on; made from its file alone."""
    from leadline.render.regime_page import regime_document
    from leadline.render.text import text

    with edge():
        held, day = library_of(home), day_of(on)
        page = regime_document(held.on(id_, day), held, day)
        if out is not None:
            write_page(out, page)
            return
    typer.echo(text(page), nl=False)


@app.command("compare")
def compare(
    ids: Annotated[list[str], typer.Argument(metavar="ID...", help="Two regimes or more.")],
    *,
    plot: Annotated[
        Path | None, typer.Option(help="Draw one engagement under each, as an SVG file.")
    ] = None,
    anchor: Annotated[
        str, typer.Option(help="The anchor to draw with, such as 2026-12-01T09:00Z.")
    ] = "",
    home: Home = None,
    on: On = "",
    as_json: AsJson = False,
) -> None:
    """Set texts side by side: anchor, days, who decides, reports, what follows, and how sure."""
    from leadline.render.regime_page import compared, comparison_document
    from leadline.render.text import text

    with edge():
        held, day = library_of(home), day_of(on)
        if len(set(ids)) < 2 or len(set(ids)) != len(ids):  # noqa: PLR2004 -- a comparison has two sides
            raise Invalid(
                "ID", "name two regimes or more, each once; `leadline regime list` has them"
            )
        found = [held.on(id_, day) for id_ in ids]
        if plot is not None or anchor:
            _draw(plot, found, held, anchor, day)
        rows = compared(found, held, day)
        if as_json:
            typer.echo(json.dumps({"regimes": ids, "rows": [asdict(row) for row in rows]}))
            return
        typer.echo(text(comparison_document(rows, day)), nl=False)


def _draw(
    plot: Path | None, found: "list[Regime]", held: "Library", anchor: str, day: date
) -> None:
    """Draw one engagement under each text.

    Raises: Invalid, for an anchor that is no moment, or without a file; Unavailable.
    """
    if plot is None:
        raise Invalid("--anchor", "says what to draw; give --plot with a file for the picture")
    need_pictures()
    from leadline.core.engagement.engagement import sound
    from leadline.render.comparison import regimes_compared, story

    at = _moment(anchor) if anchor else datetime.combine(day, time(9), UTC)
    sound("--anchor" if anchor else "--on", at)
    if not anchor:
        at += timedelta(days=30)
    write(plot, regimes_compared(found, held, story(at)).svg, "--plot")


def _moment(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid("--anchor", f"{text!r:.40} is no time such as 2026-12-01T09:00Z") from None
    if at.tzinfo is None:
        raise Invalid("--anchor", "a time needs its zone, such as 2026-12-01T09:00Z")
    return at


@app.command("check")
def check(
    folder: Annotated[
        Path | None, typer.Argument(help="A folder of regime files to try beside what there is.")
    ] = None,
    *,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Try every file: it loads, each clause cites a source, and each example beside it comes true."""
    from leadline.wiring.regimes import checked

    with edge():
        if folder is not None and not folder.is_dir():
            raise NotFound(f"{folder} is no folder; name one that has regime files")
        own = home_of(home).folder / "regimes"
        found = checked(folder or (own if own.is_dir() else None))
    if as_json:
        typer.echo(json.dumps({"files": [asdict(one) for one in found]}))
    else:
        for one in found:
            typer.echo(f"{'!! ' if one.faults else 'ok '} {one.file}: {one.examples} examples")
    for fault in (fault for one in found for fault in one.faults):
        typer.echo(f"leadline: invalid: {fault}", err=True)
    if any(one.faults for one in found):
        raise typer.Exit(2)
