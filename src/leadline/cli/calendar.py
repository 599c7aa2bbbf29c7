"""`leadline calendar`: every date that is yours to know: a list, a page to print, a file for a calendar."""

import json
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadline.cli.edge import edge
from leadline.cli.session import FILE, AsJson, Home, Kept
from leadline.core.errors import Invalid

if TYPE_CHECKING:
    from leadline.core.engagement.calendar import Dated


def calendar(
    engagement: Annotated[str, typer.Argument(help="One engagement; else everything.")] = "",
    home: Home = None,
    path: Kept = FILE,
    *,
    ics: Annotated[Path | None, typer.Option(help="Write an iCalendar file.")] = None,
    page: Annotated[Path | None, typer.Option(help="Write a page (HTML) with a picture.")] = None,
    party: Annotated[
        bool, typer.Option("--party", help="Of everybody of your organisation.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show dates in order: access, terms, grants, determinations, reports due; each with its reason."""
    from leadline.app import dates
    from leadline.cli.desk import at_desk
    from leadline.wiring.duties import law

    with edge(), at_desk(home, path) as me:
        on = me.dealings(engagement) if engagement else None
        found, of, now = (
            me.do(dates.mine, me.known(lambda at: law(at.home, at.library)), on, party=party),
            me.person,
            me.now,
        )
        name = f"{engagement or of.org}, for {of.name}"
        for file_ in filter(None, (ics, page)):
            if not file_.parent.is_dir():
                raise Invalid(str(file_), "is in no folder that is there; make it first")
        if ics:
            from leadline.formats.ics import calendar as file

            ics.write_bytes(file(found, f"Leadline: {name}", now))
        if page:
            from leadline.cli.pictures import need_pictures

            need_pictures()
            from leadline.render.calendar import calendar_document
            from leadline.render.html import html

            page.write_text(html(calendar_document(found, name, now)), encoding="utf-8")
    if as_json:
        typer.echo(json.dumps({"dates": [_row(one) for one in found]}))
        return
    for one in found:
        at = one.at.astimezone(UTC)
        shown = f"{at:%Y-%m-%d}" if one.whole_day else f"{at:%Y-%m-%d %H:%M} UTC"
        typer.echo(f"{'!' if one.stands_out else ' '} {shown:20}  {one.words}")


def _row(one: "Dated") -> dict[str, object]:
    """A date as `--json` prints it; times in UTC."""
    return {
        "id": one.id,
        "at": one.at.astimezone(UTC).isoformat(),
        "what": one.what.value,
        "words": one.words,
        "why": one.why,
        "engagement": one.engagement,
        "whole_day": one.whole_day,
        "due": one.due,
        "overdue": one.stands_out,
    }
