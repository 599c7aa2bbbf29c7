"""``leadline match``: which components of an inventory known advisories touch, offline."""

import json
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from leadline.cli.edge import edge


def match(
    inventory: Annotated[Path, typer.Argument(help="CycloneDX JSON, or a table (CSV).")],
    advisories: Annotated[
        Path | None, typer.Option(help="A folder of CSAF 2.0 and OSV documents (JSON).")
    ] = None,
    headings: Annotated[
        Path | None, typer.Option("--map", help="TOML or JSON: meaning = heading of the table.")
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Match INVENTORY against advisories. Nothing leaves this host."""
    from leadline.app.match import match_files

    with edge():
        answer = match_files(inventory, advisories, headings)
        matching = answer.matching
        if as_json:
            document = {
                "assets": matching.assets,
                "matches": [
                    {"asset": m.asset, "advisory": m.advisory, "status": m.status, "why": m.why}
                    for m in matching.matches
                ],
                "questions": [
                    {"asset": q.asset, "advisory": q.advisory, "ask": q.ask}
                    for q in matching.questions
                ],
                "advisories": len(answer.advisories),
                "faults": [{"place": f.place, "problem": f.problem} for f in answer.faults],
            }
            typer.echo(json.dumps(document))
            return
        for held in matching.matches:
            typer.echo(f"{held.status:12}  {held.asset}  {held.advisory}  {held.why}")
        counts = Counter(held.status for held in matching.matches)
        told = ", ".join(f"{counts[status]} {status}" for status in sorted(counts)) or "no pair"
        read = f"{matching.assets} assets, {len(answer.advisories)} advisories: {told}"
        typer.echo(f"{read}; {len(matching.questions)} questions, {len(answer.faults)} faults")
        for fault in answer.faults:
            typer.echo(f"fault: {fault.place}: {fault.problem}", err=True)
