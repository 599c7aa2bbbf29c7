"""`leadline assess`: one complete assessment, from inquiry to verified record."""

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadline.cli.edge import edge

if TYPE_CHECKING:
    from leadline.app.request import Request
    from leadline.cli.progress import Progress
    from leadline.wiring.assess import Finished

INTERRUPTED = 130

# The options, in the order in which help lists them
Out = Annotated[Path, typer.Option("--out", help="Folder for report, record and logs.")]
Subject = Annotated[
    str,
    typer.Option(
        help="'baseline' (a tool agent, no language model) or a model as Inspect names it: "
        "openai/NAME, anthropic/NAME, openai-api/SERVICE/NAME, vllm/NAME."
    ),
]
Seed = Annotated[
    str | None,
    typer.Option(help="64 hex digits; for repeating a run. Default: fresh random bits."),
]
Resume = Annotated[bool, typer.Option("--resume", help="Finish what OUT holds.")]
Epochs = Annotated[int, typer.Option(min=1, max=100, help="Attempts at each item.")]
Items = Annotated[int, typer.Option(min=0, help="At most so many items of each suite (0: all).")]
Runs = Annotated[int, typer.Option(min=0, help="Fuzzer runs per attempt (0: default).")]
Tokens = Annotated[int, typer.Option(min=0, help="Tokens per attempt (0: default).")]
Seconds = Annotated[int, typer.Option(min=0, help="Seconds per attempt (0: default).")]
Cost = Annotated[float, typer.Option(min=0, help="US dollars per attempt (0: no limit).")]
Suite = Annotated[
    list[str] | None,
    typer.Option("--suite", help="Run this suite only; may be repeated. Default: all."),
]
Tier = Annotated[
    str, typer.Option(help="Isolation tier: shared-kernel, own-kernel or own-machine.")
]
Official = Annotated[
    bool,
    typer.Option("--official", help="For a programme: a model needs own-kernel or more."),
]
Home = Annotated[
    Path | None,
    typer.Option(help="Installation whose records of qualification an official run rests on."),
]
Rung = Annotated[
    str,
    typer.Option(help="How a model is elicited: plain, novice, tools, best-of-k, more-budget."),
]
Declare = Annotated[
    list[str] | None,
    typer.Option(help="What is declared of a model: version=, variant= or weights=TEXT."),
]
DeadMan = Annotated[
    int,
    typer.Option(help="Seconds without a sign of driver or store until the run is ended."),
]
StopOn = Annotated[
    list[str] | None,
    typer.Option(help="An alarm of this source ends the run, such as decoy; may be repeated."),
]
RunTokens = Annotated[
    int, typer.Option(min=0, help="Tokens that all attempts may use together (0: no cap).")
]
RunCost = Annotated[
    float,
    typer.Option(min=0, help="US dollars that all attempts may use together (0: no cap)."),
]
Criteria = Annotated[
    str,
    typer.Option(help="Criteria pack: demonstration, demonstration-exact, or a TOML file."),
]
Estimate = Annotated[
    bool,
    typer.Option(
        "--estimate", help="Run the whole suite, also what the decision does not ask for."
    ),
]
Plain = Annotated[bool, typer.Option("--plain", help="Lines instead of a live block.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print summary.json at the end.")]


def assess(  # noqa: PLR0913 -- one option each
    *,
    out: Out = Path("out"),
    subject: Subject = "baseline",
    seed: Seed = None,
    resume: Resume = False,
    epochs: Epochs = 1,
    items: Items = 0,
    runs: Runs = 0,
    tokens: Tokens = 0,
    seconds: Seconds = 0,
    cost: Cost = 0,
    suite: Suite = None,
    tier: Tier = "shared-kernel",
    official: Official = False,
    home: Home = None,
    rung: Rung = "",
    declare: Declare = None,
    dead_man: DeadMan = 30,
    stop_on: StopOn = None,
    run_tokens: RunTokens = 0,
    run_cost: RunCost = 0,
    criteria: Criteria = "demonstration",
    estimate: Estimate = False,
    plain: Plain = False,
    as_json: AsJson = False,
) -> None:
    """Measure a subject in sealed sandboxes and write report, summary and verifiable record.

    Ctrl-C at any moment leaves what `--resume` finishes.
    """
    from leadline import settings
    from leadline.app.request import Request
    from leadline.cli.progress import Progress
    from leadline.core.assessment import Budget

    with edge():
        request = Request(
            subject,
            epochs,
            Budget(runs, tokens, seconds, round(cost * 1e6)),
            seed_hex=seed,
            items=items,
            suites=tuple(suite or ()),
            tier=tier,
            official=official,
            home=str(settings.home(home).folder) if official else "",
            rung=rung,
            declared=_declared(declare or ()),
            run_tokens=run_tokens,
            run_cost_micro_usd=round(run_cost * 1e6),
            dead_man_seconds=dead_man,
            stop_on=tuple(stop_on or ()),
            estimate=estimate,
            criteria=criteria,
        )
        done = _measured(out, request, Progress(plain=plain), resume=resume)
        _tell(done, as_json=as_json)
        sys.exit(done.status)


def _measured(out: Path, request: "Request", progress: "Progress", *, resume: bool) -> "Finished":
    """Run the assessment; an interruption says how it is finished."""
    from leadline import settings
    from leadline.wiring import assess as wiring

    place = settings.Workspace(out.absolute())
    try:
        return wiring.assess(place, settings.load(), request, progress, resume=resume)
    except KeyboardInterrupt:
        words = f"\nstopped; `leadline assess --resume --out {out}` finishes it from here"
        typer.echo(words, err=True)
        raise typer.Exit(INTERRUPTED) from None


def _tell(done: "Finished", *, as_json: bool) -> None:
    """Lines for people, beside the summary for programs where it is asked for."""
    if as_json:
        typer.echo(json.dumps(done.summary))
    for line in done.lines:
        typer.echo(line, err=as_json)


def _declared(words: Iterable[str]) -> dict[str, str]:
    """*words* of the form KEY=TEXT; which keys there are is the subject's to say."""
    from leadline.core.errors import Invalid

    told: dict[str, str] = {}
    for word in words:
        key, equals, text = word.partition("=")
        if not equals or not key or not text:
            raise Invalid("--declare", f"{word!r} is not of the form KEY=TEXT, such as version=2")
        told[key] = text
    return told
