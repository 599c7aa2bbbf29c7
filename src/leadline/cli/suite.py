"""`leadline suite`: which suites are installed and whether they can run here."""

import json
from pathlib import Path
from typing import Annotated

import typer

from leadline.cli.edge import edge

INTERRUPTED = 130

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
        Path | None,
        typer.Option("--out", help="Folder of records. Default: the installation's own."),
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
            out=Path(),
            extent=QUICK if quick else Extent(repeats=repeats),
            count=count,
            seed=seed,
            tier=parse_tier(tier),
            again=again.absolute() if again else None,
            keep=keep,
        )
        place = settings.home(home)
        campaign = wiring.placed(campaign, out, place)
        done = wiring.qualify(
            settings.load(), campaign, place, lambda line: typer.echo(line, err=True)
        )
    if as_json:
        typer.echo(json.dumps(done))
        return
    for line in wiring.told(done):
        typer.echo(line)


@app.command("import")
def import_suite(  # noqa: PLR0913 -- one option each
    kind: Annotated[
        str,
        typer.Argument(
            help="cybench, intercode-ctf, nyu-ctf, cybergym, challenges, or inspect.",
            metavar="KIND",
        ),
    ],
    path: Annotated[
        str,
        typer.Argument(help="The collection's folder; for inspect PACKAGE/TASK or FILE.py@TASK."),
    ],
    *,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder of collections. Default: .cache/imported.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name of the suite. Default: KIND.")] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="1 reference, 1 empty answer, 3 repeats.")
    ] = False,
    images: Annotated[
        Path | None, typer.Option(help="Folder of unpacked images, named as docs/how-to says.")
    ] = None,
    server: Annotated[str, typer.Option(help="cybergym: URL of its submission server.")] = "",
    server_key: Annotated[
        Path | None, typer.Option(help="cybergym: file with that server's key.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Import someone else's collection unchanged; each item goes through the qualification gate.

    A second import of the same collection takes over what has not changed; Ctrl-C leaves nothing half
    written.
    """
    from leadline import settings
    from leadline.wiring import imports as wiring

    request = wiring.Request(kind, path, out, name, quick, images, server, server_key)
    with edge():
        try:
            done, folder = wiring.import_collection(
                settings.load(), request, lambda line: typer.echo(line, err=True)
            )
        except KeyboardInterrupt:
            typer.echo("stopped; the same command goes on from here", err=True)
            raise typer.Exit(INTERRUPTED) from None
    if as_json:
        typer.echo(json.dumps(done))
        return
    typer.echo(f"{done['qualified']} of {done['items']} items qualified; the suite is {folder}")
    for word in ("unqualified", "skipped"):
        rows = done[word]
        assert isinstance(rows, list)  # noqa: S101 -- the manifest's own answer
        for row in rows:
            check = f"{row['check']}: " if "check" in row else ""
            typer.echo(f"    {word} {row['id']}: {check}{row['reason']}")
