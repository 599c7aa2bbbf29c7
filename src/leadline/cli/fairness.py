"""`leadline fairness`: who was told what and when, and a verifier of that report that needs no account."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadline.cli.edge import edge
from leadline.cli.session import FILE, AsJson, Home, Kept, kept
from leadline.settings import home as home_of

if TYPE_CHECKING:
    from leadline.app.fairness import Document

app = typer.Typer(no_args_is_help=True, help="Who was told what and when, shown afterwards.")
REPORT = "fairness.json"


@app.command("report")
def report(
    case: Annotated[str, typer.Argument(metavar="CASE", help="The case's id.")],
    *,
    out: Annotated[
        Path | None, typer.Option(help="A folder for the report as JSON, HTML and PDF.")
    ] = None,
    public: Annotated[
        bool, typer.Option("--public", help="Keep back answers, persons and small counts.")
    ] = False,
    home: Home = None,
    path: Kept = FILE,
    as_json: AsJson = False,
) -> None:
    """Compute the fairness report of a case from its acts, and match its inventories once more."""
    from leadline.app import fairness
    from leadline.wiring.desk import at_desk

    with edge(), at_desk(home_of(home), kept(path)) as me:
        made = fairness.report(me.ctx, case, public=public)
        if out is not None:
            _write(out, made)
    if as_json:
        typer.echo(made.body.decode())
        return
    for line in _lines(made):
        typer.echo(line)


@app.command("verify")
def verify(
    file: Annotated[
        Path, typer.Argument(help="The report, as `leadline fairness report` wrote it.")
    ],
    *,
    key: Annotated[Path, typer.Option(help="The log's verifier keys, from elsewhere.")],
    as_json: AsJson = False,
) -> None:
    """Recompute a report from the acts in it, offline; exit status 8 where it does not follow."""
    from dataclasses import asdict

    from leadline.app import fairness_verify
    from leadline.app.given import content, words

    with edge():
        keys = words(content(key, 1 << 20), str(key))
        found = fairness_verify.verify(content(file, fairness_verify.BYTES_MAX), keys)
    if as_json:
        typer.echo(json.dumps({"ok": True, **asdict(found)}))
        return
    typer.echo(
        f"{found.case}: {found.acts} acts shown and {found.withheld} kept back, all in the log of"
        f" {found.origin}; {found.notices} notices; every figure follows from them"
    )
    typer.echo(f"differences without a reason: {found.unexplained}")


def _write(out: Path, made: "Document") -> None:
    from leadline.cli.pictures import folder_for, need_pictures
    from leadline.render.fairness_page import fairness_document
    from leadline.render.html import html
    from leadline.render.pdf import pdf

    need_pictures()
    place, page = folder_for(out), fairness_document(made.report, made.counts, public=made.public)
    (place / REPORT).write_bytes(made.body)
    (place / "fairness.html").write_text(html(page), encoding="utf-8")
    (place / "fairness.pdf").write_bytes(pdf(page))


def _lines(made: "Document") -> list[str]:
    found = made.report
    told = made.counts["told"]
    lines = [f"{found.case}: {'fewer than 5' if told is None else told} operators told"]
    lines += [
        f"  {one.stage:10} tier {one.tier}: {one.notices} notices, first to last {one.seconds} s"
        for one in found.spreads
    ]
    explained = made.counts["explained"]
    lines.append(
        f"differences with a reason: {'fewer than 5' if explained is None else explained},"
        f" without: {made.counts['unexplained']}"
    )
    lines += [
        f"  {one.fault.value} ({one.stage}): {one.why or 'NOT EXPLAINED'}"
        for one in found.differences
    ]
    number = found.numbering
    lines.append(
        f"acts of the case: {number.acts}, shown {number.shown}, kept back {number.withheld};"
        f" numbered without a gap up to {number.vouched}"
    )
    return [*lines, *(f"  {fault}" for fault in number.faults)]
