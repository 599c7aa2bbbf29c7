"""`leadline suite`: which suites are installed and whether they can run here."""

import json
from pathlib import Path
from typing import Annotated

import typer

from leadline.cli.edge import edge

app = typer.Typer(no_args_is_help=True, help="Evaluation suites.")


@app.command("list")
def list_suites(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Name every installed suite, what it measures, and how many of its items can run here."""
    from leadline import settings
    from leadline.wiring import assess as wiring

    with edge():
        rows = wiring.suite_rows(settings.load())
    if as_json:
        typer.echo(json.dumps({"suites": rows}))
        return
    for row in rows:
        state = row["unavailable"] or f"{row['items']} items"
        typer.echo(f"{row['name']} {row['version']} ({row['domain']}): {state}")
        typer.echo(f"    {row['construct']}")
        for missing in row["missing"]:
            typer.echo(f"    not here: {missing}")


@app.command("qualify")
def qualify_suite(  # noqa: PLR0913 -- one option each
    name: Annotated[str, typer.Argument(help="A suite, as `leadline suite list` names it.")],
    *,
    count: Annotated[
        int, typer.Option(min=0, help="Items over the suite's whole range (0: an assessment's).")
    ] = 0,
    repeats: Annotated[int, typer.Option(min=1, max=1000, help="Repeats of the oracle.")] = 20,
    quick: Annotated[
        bool, typer.Option("--quick", help="1 reference, 1 empty answer, 3 repeats.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder of records. Default: qualified/NAME.")
    ] = None,
    seed: Annotated[str, typer.Option(help="Hex digits; default: fresh random bits.")] = "",
    again: Annotated[
        Path | None,
        typer.Option("--again", help="Folder of a campaign elsewhere, to be equalled."),
    ] = None,
    tier: Annotated[str, typer.Option(help="Isolation tier.")] = "shared-kernel",
    keep: Annotated[bool, typer.Option("--keep", help="Keep built items in OUT/items.")] = False,
    home: Annotated[
        Path | None, typer.Option("--home", help="Installation whose key signs the records.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Try every item of a suite by the qualification gate and write a signed record of each.

    A second call with the same folder goes on where the first ended.
    """
    from leadline import settings
    from leadline.core.isolation import parse_tier
    from leadline.core.qualification import QUICK, Extent
    from leadline.wiring import suites as wiring

    with edge():
        campaign = wiring.Campaign(
            suite=name,
            out=(out or Path("qualified") / name).absolute(),
            extent=QUICK if quick else Extent(repeats=repeats),
            count=count,
            seed=seed,
            tier=parse_tier(tier),
            again=again.absolute() if again else None,
            keep=keep,
        )
        done = wiring.qualify(
            settings.load(), campaign, settings.home(home), lambda line: typer.echo(line, err=True)
        )
    if as_json:
        typer.echo(json.dumps(done))
        return
    for line in wiring.told(done):
        typer.echo(line)
