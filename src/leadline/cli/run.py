"""`leadline run`: what concerns a run itself: its kill switch, its forecast, logs from elsewhere."""

import json
from pathlib import Path
from typing import Annotated

import typer

from leadline.cli.edge import edge

app = typer.Typer(no_args_is_help=True, help="Runs: drills, forecasts, logs from elsewhere.")


@app.command("forecast")
def forecast(
    out: Annotated[Path, typer.Argument(help="Folder of an assessment.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Say when the run will have finished, what it will cost, and what is left out if it does not fit."""
    from leadline import settings
    from leadline.wiring import run as wiring

    with edge():
        document, words = wiring.forecast(out, settings.load())
        typer.echo(json.dumps(document) if as_json else words)


@app.command("merge")
def merge(
    logs: Annotated[
        list[Path], typer.Argument(help="Eval logs, or the one folder of an assessment.")
    ],
    *,
    reducer: Annotated[
        list[str] | None,
        typer.Option(help="How repeats become one score, as Inspect names it: mean, pass_at_2."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Join eval logs and compute every metric anew from the samples."""
    from leadline.wiring import run as wiring

    with edge():
        document = wiring.merge(logs, tuple(reducer or ()))
        if as_json:
            typer.echo(json.dumps(document))
            return
        for group in document["groups"]:
            rung = f", {group['rung']}" if group["rung"] else ""
            typer.echo(f"{group['suite']}, {group['subject']}{rung}: {group['samples']} samples")
            for name, metrics in group["metrics"].items():
                told = ", ".join(f"{metric} {value:.4g}" for metric, value in metrics.items())
                typer.echo(f"  {name}: {told}")
        typer.echo(f"{len(document['duplicates'])} duplicates, not counted")


@app.command("index")
def index(
    out: Annotated[Path, typer.Argument(help="Folder of an assessment.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Count the samples of a run by suite, subject and outcome, without reading its logs."""
    from leadline.wiring import run as wiring

    with edge():
        document = wiring.index(out)
        if as_json:
            typer.echo(json.dumps(document))
            return
        for one in document["counts"]:
            typer.echo(
                f"{one['suite']}, {one['subject']}: {one['samples']} samples, {one['solved']} solved, "
                f"{one['limit']} at a limit, {one['infra']} lost, {one['missing']} missing"
            )
        for item, repeat, subject, log in document["duplicates"]:
            typer.echo(f"duplicate: {item}, repeat {repeat} of {subject}, in {log}")
        for flag in document["flags"]:
            typer.echo(f"look at: {flag['text']}")


@app.command("thaw")
def thaw(
    out: Annotated[Path, typer.Argument(help="Folder of an assessment.")],
    *,
    reason: Annotated[str, typer.Option(help="Why the run may go on; it stands in the record.")],
) -> None:
    """Let a run that its kill switch froze go on; `leadline assess --resume` then finishes it."""
    from leadline.wiring import run as wiring

    with edge():
        typer.echo(f"{wiring.thaw(out, reason)} shards queued again")


@app.command("import-log")
def import_log(
    files: Annotated[list[Path], typer.Argument(help="Inspect eval logs, .eval or .json.")],
    *,
    items: Annotated[
        Path | None,
        typer.Option(help="Folder of prepared items: judge the logs' submissions again."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Say what eval logs from elsewhere hold; several are put together only where all is equal."""
    from leadline.wiring import imports as wiring

    with edge():
        document = wiring.import_logs(files, items)
    if as_json:
        typer.echo(json.dumps(document))
        return
    for log in document.get("files", [document]):
        typer.echo(f"{log['file']}: {log['task']} on {log['subject']}: {log['status']}")
        typer.echo(f"    {log['samples']} samples, {log['provenance']}")
        for score in log["scores"]:
            told = ", ".join(f"{name} {value:.4g}" for name, value in score["metrics"].items())
            typer.echo(f"    {score['name']}: {told}")
    for lost in document.get("unread", []):
        typer.echo(f"not read: {lost['file']}: {lost['reason']}", err=True)


@app.command("import-scores")
def import_scores(
    file: Annotated[Path, typer.Argument(help="A holder's digest, count and scores, in JSON.")],
    *,
    domain: Annotated[str, typer.Option(help="biology, chemistry or other.")],
    holder: Annotated[str, typer.Option(help="Who ran the suite and reports the scores.")],
    key: Annotated[
        Path | None, typer.Option(help="The holder's Ed25519 public key, PEM, to check with.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Take in scores of a suite whose items never enter; anything but scores is refused whole."""
    from leadline.wiring import imports as wiring

    with edge():
        document = wiring.import_scores(file, domain, holder, key)
    if as_json:
        typer.echo(json.dumps(document))
        return
    estimate = document["estimate"]
    typer.echo(f"{document['domain']}: {document['solved']} of {document['count']} solved in full")
    typer.echo(
        f"    mean {estimate['point']:.3f} ({estimate['low']:.3f} to {estimate['high']:.3f})"
    )
    typer.echo(f"    {document['provenance']}; signature: {document['signature']}")
