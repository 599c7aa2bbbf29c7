"""``leadline match``: which components of an inventory known advisories touch, offline."""

import json
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadline.cli.edge import edge
from leadline.core.errors import Invalid

if TYPE_CHECKING:
    from leadline.app.match import Answer

_TOLD_EVERY = 2_000  # documents read between two words about it


def match(  # noqa: PLR0913 -- one parameter for each option
    inventory: Annotated[
        Path,
        typer.Argument(help="CycloneDX JSON, SPDX 2 (JSON or text), or a table (CSV, .xlsx)."),
    ],
    advisories: Annotated[
        Path | None,
        typer.Option(help="A folder or archive of CSAF 2.0 and OSV documents (JSON, YAML)."),
    ] = None,
    headings: Annotated[
        Path | None, typer.Option("--map", help="TOML or JSON: meaning = heading of the table.")
    ] = None,
    *,
    answers: Annotated[
        Path | None, typer.Option(help="TOML: your answers to the questions, kept and read again.")
    ] = None,
    asking: Annotated[
        bool, typer.Option("--ask", help="Ask the open questions here; keep them in --answers.")
    ] = False,
    pages: Annotated[
        Path | None, typer.Option(help="A folder for one page of each site to print.")
    ] = None,
    kev: Annotated[
        Path | None, typer.Option(help="CISA's list of exploited flaws (JSON), for the pages.")
    ] = None,
    call: Annotated[str, typer.Option(help="Whom to call first, for the pages.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Match INVENTORY against advisories. Nothing leaves this host."""
    from leadline.app.match import match_files
    from leadline.cli.assets_work import ask, write_pages

    with edge():
        answer = match_files(inventory, advisories, headings, _reading, answers)
        if asking and ask(answer.assets, _kept(answers)):
            answer = match_files(inventory, advisories, headings, _reading, answers)
        if pages:
            write_pages(answer.assets, pages, kev, call)
        if as_json:
            typer.echo(json.dumps(_document(answer)))
        else:
            _tell(answer)


def _kept(answers: Path | None) -> Path:
    if answers is None:
        raise Invalid("--ask", "name the file that keeps the answers with --answers")
    return answers


def _reading(read: int) -> None:
    """A word now and then on standard error, where a person may wait."""
    if read % _TOLD_EVERY == 0 and sys.stderr.isatty():
        typer.echo(f"{read} documents read", err=True)


def _document(answer: "Answer") -> dict[str, object]:
    matching = answer.matching
    return {
        "assets": matching.assets,
        "matches": [
            {
                "asset": m.asset,
                "advisory": m.advisory,
                "status": m.status,
                "why": m.why,
                "naming": m.naming,
            }
            for m in matching.matches
        ],
        "questions": [
            {"asset": q.asset, "advisory": q.advisory, "ask": q.ask} for q in matching.questions
        ],
        "advisories": len(answer.advisories),
        "faults": [{"place": f.place, "problem": f.problem} for f in answer.faults],
    }


def _tell(answer: "Answer") -> None:
    """What needs a person: affected and unknown pairs; what is settled is counted."""
    matching = answer.matching
    for held in matching.matches:
        if held.status in {"affected", "unknown"}:
            name = "" if held.naming == "exact" else f"  ({held.naming} name)"
            typer.echo(f"{held.status:9} {held.asset}  {held.advisory}  {held.why}{name}")
    asked: dict[str, Counter[str]] = {}
    for question in matching.questions:
        asked.setdefault(question.ask, Counter())[question.asset] += 1
    for ask, assets in asked.items():
        typer.echo(f"question  {', '.join(assets)}  {ask}")
    counts = Counter(held.status for held in matching.matches)
    told = ", ".join(f"{counts[status]} {status}" for status in sorted(counts)) or "no pair"
    read = f"{matching.assets} assets, {len(answer.advisories)} advisories: {told}"
    typer.echo(f"{read}; {len(matching.questions)} questions, {len(answer.faults)} faults")
    for fault in answer.faults:
        typer.echo(f"fault: {fault.place}: {fault.problem}", err=True)
