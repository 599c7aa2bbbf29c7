"""`leadline run`: what concerns a run itself: its kill switch, its forecast, logs from elsewhere."""

import json
from pathlib import Path
from typing import Annotated

import typer

from leadline.cli.edge import edge
from leadline.cli.session import FILE, Kept, driven_there

DRILL_TOO_LATE = 5
Out = Annotated[
    Path, typer.Argument(help="Folder of an assessment; of a run at a server its engagement's id.")
]
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


@app.command("compare")
def compare(
    first: Annotated[Path, typer.Argument(help="Folder of a finished assessment.")],
    second: Annotated[Path, typer.Argument(help="Folder of another, on the same items.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Set two finished assessments beside each other, item by item: the first less the second."""
    from leadline.wiring import run as wiring

    with edge():
        document, lines = wiring.compare(first, second)
        typer.echo(json.dumps(document) if as_json else "\n".join(lines))


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


@app.command("kill")
def kill(
    out: Out,
    *,
    reason: Annotated[str, typer.Option(help="Why; it stands in the record.")] = "not given",
    session: Kept = FILE,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """End every sandbox of a run now; nothing is asked back, and the record follows when it can."""
    from leadline.wiring import run as wiring

    with edge():
        if driven_there(out):
            from leadline.cli.desk import at_server
            from leadline.client import runs

            with at_server(session) as there:
                done = dict(runs.kill(there, str(out), reason))
            gone = f"{done['processes']} processes gone in {done['gone_s']} s, {done['left']} left"
            typer.echo(json.dumps(done) if as_json else gone)
            return
        ended = wiring.kill(out, reason)
        words = f"{ended['processes']} processes gone in {ended['gone_s']} s, {ended['left']} left"
        typer.echo(json.dumps(ended) if as_json else words)
        typer.echo(f"key: {ended['key']}", err=True)
        entered = wiring.settle(out)
        typer.echo(f"entered in the record: {entered}", err=True)


@app.command("drive")
def drive(
    out: Annotated[Path, typer.Argument(help="Folder of a run of an installation.")],
    *,
    lock: Annotated[int, typer.Option(hidden=True, help="The run's lock, as a descriptor.")] = -1,
) -> None:
    """Drive a run that was begun from a page to its end; the server starts this by itself."""
    from leadline import settings
    from leadline.cli.progress import Progress
    from leadline.wiring import runs as wiring

    with edge():
        plan = wiring.drive(settings.workspace(out.absolute()), Progress(plain=True), lock)
        typer.echo(f"{plan.id} has finished")


@app.command("settle")
def settle(out: Annotated[Path, typer.Argument(help="Folder of an assessment.")]) -> None:
    """Enter what a run's warden did while the store was away."""
    from leadline.core.errors import Invalid
    from leadline.wiring import run as wiring

    with edge():
        if driven_there(out):
            told = "a warden's journal lies where its run does; this is done at the installation itself"
            raise Invalid("--server", told)
        typer.echo(f"{wiring.settle(out)} entered")


@app.command("drill")
def drill(
    *,
    out: Annotated[
        Path | None, typer.Option(help="Folder of an assessment whose record takes the drill in.")
    ] = None,
    tier: Annotated[str, typer.Option(help="Isolation tier of the boxes.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Fire the kill switch at sandboxes that resist, with driver and store stopped, and measure."""
    from leadline import settings
    from leadline.core.errors import Invalid
    from leadline.wiring import run as wiring

    with edge():
        if settings.server() is not None and (out is None or driven_there(out)):
            told = "a drill measures the machine that it is fired on; fire it there, and name no server"
            raise Invalid("--server", told)
        done = wiring.drill(out, tier)
    if as_json:
        typer.echo(json.dumps(done))
    else:
        links, key = done["links_s"], done["key_s"]
        typer.echo(f"{done['processes']} processes gone in {done['seconds']:.3f} s (2 s)")
        typer.echo("links: " + (done["range"] if links is None else f"down in {links:.3f} s (1 s)"))
        typer.echo("key: " + ("not refused" if key is None else f"refused in {key:.3f} s (5 s)"))
        typer.echo(f"driver and store when ordered: {done['driver']}, {done['store']} (T: stopped)")
    if not done["ok"]:
        raise typer.Exit(DRILL_TOO_LATE)


@app.command("scope")
def scope(
    out: Out,
    *,
    session: Kept = FILE,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """List what was seen outside of each item's scope, for a person to judge, and what was not watched."""
    from leadline.wiring import run as wiring

    with edge():
        if driven_there(out):
            from leadline.cli.desk import at_server
            from leadline.client import runs

            with at_server(session) as there:
                document = wiring.scope_of(runs.results(there, str(out)))
        else:
            document = wiring.scope(out)
    if as_json:
        typer.echo(json.dumps(document))
        return
    for sample in document["samples"]:
        for entry in sample["scope"]:
            place = f"{sample['subject']}, {sample['item']}, repeat {sample['epoch']}"
            typer.echo(f"{entry['severity']}: {place}: {entry['source']}: {entry['rule']}")
            typer.echo(f"    {entry['at']} {entry['what']}")
    for one in document["counts"]:
        share = one["share"]
        told = f" ({share['low']:.3f} to {share['high']:.3f})" if share else ""
        typer.echo(f"{one['source']}: in {one['samples']} of {one['watched']} samples{told}")
        if one["unobserved"]:
            typer.echo(f"    not observed in {one['unobserved']} samples")


@app.command("thaw")
def thaw(
    out: Out,
    *,
    reason: Annotated[str, typer.Option(help="Why the run may go on; it stands in the record.")],
    session: Kept = FILE,
) -> None:
    """Let a run that its kill switch froze go on; `leadline assess --resume` then finishes it.

    At a server it is driven on at once.
    """
    from leadline.wiring import run as wiring

    with edge():
        if driven_there(out):
            from leadline.cli.desk import at_server
            from leadline.client import runs

            with at_server(session) as there:
                runs.thaw(there, str(out), reason)
            typer.echo("it goes on")
            return
        typer.echo(f"{wiring.thaw(out, reason)} shards queued again")


@app.command("import-log")
def import_log(
    files: Annotated[list[Path], typer.Argument(help="Inspect eval logs, .eval or .json.")],
    *,
    items: Annotated[
        Path | None,
        typer.Option(help="Folder of the imported suite: judge the logs' submissions again."),
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
        if again := log.get("judged_again"):
            told = f"{again['agree']} agree, {len(again['differ'])} differ"
            typer.echo(f"    judged again: {told}, {again['not_possible']} could not be")
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
