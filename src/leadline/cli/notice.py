"""`leadline notice`: what operators are told, what they answer, and how many applied it."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from leadline.cli.edge import edge
from leadline.cli.session import FILE, AsJson, Home, Kept
from leadline.core.clearing.delivery import Evidence
from leadline.core.clearing.receipt import Answer, Proof
from leadline.core.clearing.tiers import Stage

if TYPE_CHECKING:
    from leadline.app.notices import BurnDown, Told
    from leadline.core.clearing.advisory import Advisory
    from leadline.core.clearing.delivery import Delivery, Release
    from leadline.core.clearing.receipt import Receipt
    from leadline.wiring.desk import Desk

app = typer.Typer(no_args_is_help=True, help="What operators are told, and what they answer.")
Id = Annotated[str, typer.Argument(metavar="NOTICE", help="Its id.")]
Case = Annotated[str, typer.Argument(metavar="CASE", help="The case's id.")]
Source = Annotated[
    str, typer.Option("--advisory", help="A file (CSAF or OSV), or the id of the case's draft.")
]
BYTES_MAX = 16 << 20
OUTPUT_MAX = 1 << 20


@app.command("list")
def list_(
    case: Annotated[str, typer.Argument(help="One case; else all you may know of.")] = "",
    home: Home = None,
    path: Kept = FILE,
    *,
    as_json: AsJson = False,
) -> None:
    """List notices: your own, or those of your cases. What they say is not listed."""
    from leadline.app import notices
    from leadline.cli.desk import at_desk

    with edge(), at_desk(home, path) as me:
        rows = [_row(one) for one in me.do(notices.listed, case)]
    if as_json:
        typer.echo(json.dumps({"notices": rows}))
        return
    for row in rows:
        typer.echo(f"{row['notice']}  {row['sent']}  {row['stage']:10}  {row['state']}")


@app.command("show")
def show(
    notice: Id,
    *,
    html: Annotated[Path | None, typer.Option(help="Write the page as HTML.")] = None,
    pdf: Annotated[Path | None, typer.Option(help="Write the page as PDF.")] = None,
    home: Home = None,
    path: Kept = FILE,
    as_json: AsJson = False,
) -> None:
    """Show a notice. That your organisation opened it is put on record."""
    from leadline.app import notices
    from leadline.cli.desk import at_desk

    with edge(), at_desk(home, path) as me:
        told = me.do(notices.show, notice)
        if told.row is not None:
            _write(told.row, html, pdf)
    if as_json:
        typer.echo(json.dumps(_document(told)))
        return
    for line in _lines(told):
        typer.echo(line)


@app.command("answer")
def answer(
    notice: Id,
    said: Annotated[Answer, typer.Argument(help="What your organisation does about it.")],
    *,
    why: Annotated[str, typer.Option(help="Why it does not apply; sealed.")] = "",
    home: Home = None,
    path: Kept = FILE,
) -> None:
    """Answer a notice: acknowledged, acting, applied, or not-applicable with the reason."""
    from leadline.app import notices
    from leadline.cli.desk import at_desk

    with edge(), at_desk(home, path) as me:
        found = me.do(notices.answer, notice, said, why)
    typer.echo(found.state.value)


@app.command("prove")
def prove(
    notice: Id,
    how: Annotated[Proof, typer.Argument(help="How you show it.")] = Proof.INVENTORY,
    *,
    inventory: Annotated[str, typer.Option(help="An inventory's id; the newest without it.")] = "",
    sha256: Annotated[str, typer.Option(help="Of the installed artefact, in hex.")] = "",
    output: Annotated[Path | None, typer.Option(help="A file with what the check printed.")] = None,
    home: Home = None,
    path: Kept = FILE,
) -> None:
    """Show that what a notice named is repaired: by an inventory, an artefact or a check's output."""
    from leadline.app import notices
    from leadline.app.given import content, words
    from leadline.cli.desk import at_desk

    with edge(), at_desk(home, path) as me:
        text = words(content(output, OUTPUT_MAX), str(output)) if output else ""
        given = {Proof.INVENTORY: inventory, Proof.ARTEFACT: sha256, Proof.CHECK: text}
        found, shown, why = me.do(notices.prove, notice, how, given[how])
    typer.echo(f"{shown.value}: {why}")
    typer.echo(found.state.value)


@app.command("consent")
def consent(case: Case, home: Home = None, path: Kept = FILE) -> None:
    """Agree, as an owner, that operators are told of a mitigation before the case is public."""
    from leadline.app import notices
    from leadline.cli.desk import at_desk

    with edge(), at_desk(home, path) as me:
        me.do(notices.consent, case)


@app.command("release")
def release(  # noqa: PLR0913 -- one option a fact
    case: Case,
    stage: Annotated[Stage, typer.Argument(help="What they are told of.")],
    *,
    advisory: Source,
    words: Annotated[str, typer.Option(help="What you say to everybody alike.")] = "",
    evidence: Annotated[Evidence, typer.Option(help="On what ground.")] = Evidence.PUBLISHED,
    artefact: Annotated[
        list[str] | None, typer.Option(help="SHA-256 of a repaired artefact; repeat it.")
    ] = None,
    home: Home = None,
    path: Kept = FILE,
    as_json: AsJson = False,
) -> None:
    """Tell every operator of the tiers whose turn it is, at one moment, of what touches it."""
    from leadline.app import notices
    from leadline.cli.desk import at_desk
    from leadline.core.clearing.delivery import Words

    with edge(), at_desk(home, path) as me:
        said = Words(words, evidence, None, tuple(artefact or ()))
        me.do(notices.release, case, _advisory(me, case, advisory), stage, said)
        made = me.do(notices.releases, case)[-1]
    _tell(made, as_json=as_json)


@app.command("correct")
def correct(
    case: Case,
    *,
    advisory: Source,
    reason: Annotated[str, typer.Option(help="What changed, in words that the readers get.")],
    home: Home = None,
    path: Kept = FILE,
    as_json: AsJson = False,
) -> None:
    """Tell those who got a notice, before anybody else, that its advisory was changed or withdrawn."""
    from leadline.app import notices
    from leadline.cli.desk import at_desk

    with edge(), at_desk(home, path) as me:
        me.do(notices.correct, case, _advisory(me, case, advisory), reason)
        made = me.do(notices.releases, case)[-1]
    _tell(made, as_json=as_json)


@app.command("burn-down")
def burn_down(
    case: Case,
    *,
    plot: Annotated[
        Path | None, typer.Option(help="A folder for the picture and its data.")
    ] = None,
    home: Home = None,
    path: Kept = FILE,
    as_json: AsJson = False,
) -> None:
    """How many operators were told, answered, applied and proved it. Applied is what counts."""
    from leadline.app import notices
    from leadline.cli.desk import at_desk
    from leadline.render.notice_delivery import SHOWN, burn_down_row

    with edge(), at_desk(home, path) as me:
        found = me.do(notices.burn_down, case)
        rows = [
            {"at": one.at.isoformat(), **burn_down_row(one, exact=found.exact)}
            for one in found.points
        ]
        if plot is not None:
            _plot(plot, found)
    if as_json:
        typer.echo(json.dumps({"case": case, "exact": found.exact, "points": rows}))
        return
    last = rows[-1] if rows else {}
    for name in ("told", "applied", *(state.value for state in SHOWN)):
        count = last.get(name, 0)
        typer.echo(f"{name:18} {'fewer than 5' if count is None else count}")


def _advisory(me: "Desk", case: str, source: str) -> "Advisory":
    from leadline.app import match, notices
    from leadline.app.given import content

    file = Path(source)
    if file.is_file():
        return match.read_advisory(content(file, BYTES_MAX), file.name)
    return me.do(notices.drafted, case, source)


def _write(row: "Delivery", html: Path | None, pdf: Path | None) -> None:
    if html is None and pdf is None:
        return
    from leadline.cli.pictures import need_pictures
    from leadline.render.notice_delivery import delivery_document
    from leadline.wiring.inquiry import write

    need_pictures()
    page = delivery_document(row)
    if html is not None:
        from leadline.render.html import html as html_of

        write(html, html_of(page).encode())
    if pdf is not None:
        from leadline.render.pdf import pdf as pdf_of

        write(pdf, pdf_of(page))


def _plot(folder: Path, found: "BurnDown") -> None:
    from leadline.cli.pictures import folder_for, need_pictures, table_csv
    from leadline.core.errors import Refused
    from leadline.render.notice_delivery import burn_down as picture

    need_pictures()
    figure = picture(found.points, exact=found.exact)
    if figure is None:
        raise Refused("nobody was told of this case yet")
    place = folder_for(folder)
    (place / "burn-down.svg").write_text(figure.svg, encoding="utf-8")
    (place / "burn-down.csv").write_text(table_csv(figure.data), encoding="utf-8")


def _tell(made: "Release", *, as_json: bool) -> None:
    from collections import Counter

    counts = Counter(one.outcome.value for one in made.considered)
    left = Counter(one.why for one in made.considered if one.why)
    told = {
        "release": made.id,
        "stage": made.stage.value,
        "tiers": list(made.told),
        "considered": len(made.considered),
        "outcomes": dict(counts),
        "reasons": dict(left),
    }
    if as_json:
        typer.echo(json.dumps(told))
        return
    typer.echo(f"{made.id}: {made.stage.value} to tiers {', '.join(made.told) or '-'}")
    for name, count in sorted(counts.items()):
        typer.echo(f"  {count:6}  {name}")
    for why, count in sorted(left.items()):
        typer.echo(f"  {count:6}  of these: {why}")


def _row(one: "Told") -> dict[str, Any]:
    """A notice as `--json` lists it; times in UTC."""
    from leadline.core.record.act import instant

    held: Receipt = one.receipt
    return {
        "notice": held.notice,
        "case": held.case,
        "operator": one.operator,
        "stage": held.stage,
        "tier": held.tier,
        "sent": instant(held.sent),
        "opened": instant(held.opened) if held.opened else None,
        "state": held.state.value,
        "changed": instant(held.changed) if held.changed else None,
        "public_at": instant(one.public_at) if one.public_at else None,
    }


def _document(told: "Told") -> dict[str, Any]:
    from leadline.formats.values import plain

    row = told.row
    if row is None:
        return _row(told)
    return {
        **_row(told),
        "page": plain(row.page),
        "why": list(row.why),
        "evidence": row.evidence.words,
        "artefacts": list(row.artefacts),
        "sha256": row.digest,
        "signed": row.signed,
        "corrects": row.corrects,
    }


def _lines(told: "Told") -> list[str]:
    row = told.row
    shown = _row(told)
    head = f"{shown['notice']}  {shown['stage']}  sent {shown['sent']}  {shown['state']}"
    if row is None:
        return [head, "What it says is for its operator alone."]
    page = row.page
    lines = [head, "", page.heading, "", page.touches, ""]
    for line, why in zip(page.affected, row.why, strict=False):
        lines.append(f"  {line.where}: {line.component} {line.installed}; {why}")
    for held in page.unknown:
        lines.append(f"  {held.line.where}: {held.line.component}; unknown: {held.why}")
        lines.append(f"      {held.ask}")
    lines += ["", *(f"  {at}. {step}" for at, step in enumerate(page.actions, 1)), ""]
    lines += [*(f"  {check}" for check in page.checks), "", page.whom, "", row.evidence.words]
    return lines
