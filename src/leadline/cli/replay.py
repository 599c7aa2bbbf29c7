"""``leadline replay``: check a report against a repository, on one's own machine, without an account."""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadline.cli.edge import edge
from leadline.cli.session import FILE, Home, Kept, kept
from leadline.core.errors import Invalid
from leadline.settings import home as home_of

if TYPE_CHECKING:
    from leadline.wiring.replay import Asked

CACHE = Path("~/.cache/leadline/replay")
TierOption = Annotated[
    str, typer.Option("--tier", help="How far boxes are kept apart: shared-kernel or own-kernel.")
]


def replay(  # noqa: PLR0913, PLR0917 -- one parameter for each option
    folder: Annotated[Path | None, typer.Argument(metavar="DIR", help="A replay bundle.")] = None,
    repo: Annotated[Path, typer.Option(help="The project's git repository.")] = Path(),
    commit: Annotated[str, typer.Option(help="The commit to build.")] = "HEAD",
    release: Annotated[
        str, typer.Option(help="The tag to compare with; else the bundle's, else the last one.")
    ] = "",
    known: Annotated[
        Path | None, typer.Option(help="A folder of advisories and earlier bundles.")
    ] = None,
    evidence: Annotated[
        Path | None, typer.Option(help="Where evidence goes; else DIR/evidence.")
    ] = None,
    cache: Annotated[Path, typer.Option(help="Where builds are kept.")] = CACHE,
    summary: Annotated[
        Path | None, typer.Option(help="Add the answers to this Markdown file.")
    ] = None,
    finding: Annotated[
        str, typer.Option(help="Enter the result for this reported finding, as who is signed in.")
    ] = "",
    fixed: Annotated[
        str, typer.Option(help="With --finding: a commit or tag that is said to repair it.")
    ] = "",
    seen: Annotated[
        str,
        typer.Option(
            help="With --finding, in place of DIR: what a person saw, where no run shows it."
        ),
    ] = "",
    tier: TierOption = "shared-kernel",
    home: Home = None,
    path: Kept = FILE,
    *,
    dirty: Annotated[
        bool, typer.Option("--dirty", help="Build the working tree as it is.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Say of a report whether it reproduces, on what, whether it is in scope, and whether it is known.

    Everything is built and run in sandboxes without a network; nothing leaves this machine. An answer
    that is not known says so, and why.
    """
    from leadline.wiring import replay as wiring

    if finding and seen:
        _confirm(finding, seen, home, path)
        return
    with edge():
        if folder is None:
            raise Invalid("DIR", "name the folder of the replay bundle")
    began = time.monotonic()
    asked = wiring.Asked(folder, repo, cache, commit, release, known, evidence, dirty, fixed, tier)

    def say(text: str) -> None:
        sys.stderr.write(f"[{time.monotonic() - began:6.1f} s] {text}\n")

    if finding:
        _enter(asked, finding, say, home, path, as_json=as_json)
        return
    with edge():
        document, lines = wiring.check(asked, say)
        if summary is not None:
            with summary.open("a", encoding="utf-8") as out:
                out.write(wiring.summary(document, lines))
    typer.echo(
        json.dumps(document)
        if as_json
        else "\n".join([*lines, f"Evidence: {document['evidence']}"])
    )


def _confirm(finding: str, seen: str, home: Path | None, path: Path) -> None:
    """Put a person's own word on record; it is shown as that."""
    from leadline.app import replay as app
    from leadline.wiring.desk import at_desk

    with edge(), at_desk(home_of(home), kept(path)) as me:
        app.confirm(me.ctx, finding, seen)


def _enter(
    asked: "Asked",
    finding: str,
    say: Callable[[str], None],
    home: Path | None,
    path: Path,
    *,
    as_json: bool,
) -> None:
    """Replay a reported finding and put it on record; a proof that does not work goes back."""
    from leadline.wiring import replay as wiring
    from leadline.wiring.desk import at_desk

    with edge(), at_desk(home_of(home), kept(path)) as me:
        done = wiring.record(asked, me.ctx, finding, say)
    told = {"finding": finding, "verdict": done.verdict.value, "why": done.why}
    typer.echo(json.dumps(told) if as_json else f"{done.verdict.value}: {done.why}")
