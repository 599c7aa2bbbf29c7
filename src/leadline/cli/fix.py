"""``leadline fix``: drafted repairs, who sent them, and how far each flaw has come."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadline.cli.edge import edge
from leadline.cli.replay import CACHE, TierOption
from leadline.cli.session import FILE, AsJson, Home, Kept, kept
from leadline.core.errors import Invalid
from leadline.settings import home as home_of

if TYPE_CHECKING:
    from leadline.app.fixes import Proposed
    from leadline.core.clearing.fix import FixStanding, Place

app = typer.Typer(no_args_is_help=True, help="Fixes: drafted here, read and sent by people.")
Id = Annotated[str, typer.Argument(metavar="FIX", help="Its id, as `leadline fix list` prints it.")]
Case = Annotated[str, typer.Argument(metavar="CASE", help="The case.")]


@app.command("propose")
def propose(  # noqa: PLR0913, PLR0917 -- one parameter for each option
    finding: Annotated[str, typer.Argument(metavar="FINDING", help="The finding's id.")],
    subject: Annotated[str, typer.Option(help="'baseline', or a model as Inspect names it.")],
    repo: Annotated[Path, typer.Option(help="The project's git repository.")] = Path(),
    bundle: Annotated[
        Path | None, typer.Option(help="The replay bundle; else the one that was reported.")
    ] = None,
    commit: Annotated[str, typer.Option(help="The commit to repair.")] = "HEAD",
    supersedes: Annotated[
        str, typer.Option(help="The candidate in whose place this one stands.")
    ] = "",
    reason: Annotated[str, typer.Option(help="Why that one is replaced.")] = "",
    consent: Annotated[
        str, typer.Option(help="How the model's developer agreed that it is named.")
    ] = "",
    tokens: Annotated[int, typer.Option(min=0, help="Most tokens; 0 for the default.")] = 0,
    seconds: Annotated[
        int, typer.Option(min=0, help="Most working seconds; 0 for the default.")
    ] = 0,
    cache: Annotated[Path, typer.Option(help="Where builds are kept.")] = CACHE,
    tier: TierOption = "shared-kernel",
    home: Home = None,
    path: Kept = FILE,
    *,
    as_json: AsJson = False,
) -> None:
    """Have SUBJECT draft a repair in a sandbox. It is a candidate only if everything that is due holds."""
    from leadline.app import fixes
    from leadline.core.assessment import Budget
    from leadline.core.clearing.fix import Instead
    from leadline.wiring import fixes as wiring
    from leadline.wiring.desk import at_desk
    from leadline.wiring.replay import Asked

    with edge(), at_desk(home_of(home), kept(path)) as me:
        held = wiring.bundle(me.ctx, finding, bundle)
        asked = Asked(bundle or Path(), repo, cache, commit, tier=tier)
        at_work = wiring.workshop(asked, subject, Budget(0, tokens, seconds, 0), _say)
        place = Instead(supersedes, reason)
        done = fixes.propose(me.ctx, finding, held, at_work, place, consent=consent)
    typer.echo(json.dumps(_proposed(done)) if as_json else "\n".join(_words(done)))


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


@app.command("list")
def list_(case: Case, home: Home = None, path: Kept = FILE, *, as_json: AsJson = False) -> None:
    """List every attempt at the flaws of CASE, those that never became candidates too."""
    from leadline.app import fixes
    from leadline.wiring.desk import at_desk

    with edge(), at_desk(home_of(home), kept(path)) as me:
        found = fixes.listed(me.ctx, case)
    if as_json:
        typer.echo(json.dumps({"fixes": [_row(one) for one in found]}))
        return
    for one in found:
        typer.echo(f"{one.id}  {one.ended or one.state.value:12}  finding {one.finding[:16]}")


@app.command("show")
def show(
    fix: Id,
    out: Annotated[Path | None, typer.Option("--patch", help="Write the patch here.")] = None,
    home: Home = None,
    path: Kept = FILE,
    *,
    as_json: AsJson = False,
) -> None:
    """Show where FIX stands and who wrote it; with --patch, write it out for a person to read."""
    from leadline.app import fixes
    from leadline.wiring.desk import at_desk

    with edge(), at_desk(home_of(home), kept(path)) as me:
        held, stands = fixes.show(me.ctx, fix)
        if out is not None:
            if out.exists():
                raise Invalid(str(out), "is there already; choose another name")
            out.write_bytes(fixes.patch(me.ctx, fix))
    told = {"label": held.label, "base": held.base, "touches": list(held.touches)}
    if as_json:
        typer.echo(json.dumps(_row(stands) | told))
        return
    typer.echo(f"{held.id}: {stands.ended or stands.state.value}; {held.label}")
    typer.echo(f"applies to {held.base}; changes {', '.join(held.touches)}")
    for one in stands.moves:
        typer.echo(f"  {one.at.isoformat()}  {one.state:9} {one.by}: {one.where}")


@app.command("move")
def move(
    fix: Id,
    to: Annotated[str, typer.Argument(help="sent, merged, released, applied or recalled.")],
    where: Annotated[
        str, typer.Option(help="Where it was sent; the commit; the version; what shows it; or why.")
    ],
    home: Home = None,
    path: Kept = FILE,
) -> None:
    """Put on record how far FIX came. Leadline sends nothing: a person did, and says so here."""
    from leadline.app import fixes
    from leadline.wiring.desk import at_desk

    with edge(), at_desk(home_of(home), kept(path)) as me:
        fixes.move(me.ctx, fix, to, where)


@app.command("cross")
def cross(
    case: Case,
    repo: Annotated[Path, typer.Option(help="The project's git repository.")] = Path(),
    commit: Annotated[str, typer.Option(help="The commit that the patches apply to.")] = "HEAD",
    cache: Annotated[Path, typer.Option(help="Where builds are kept.")] = CACHE,
    home: Home = None,
    path: Kept = FILE,
    *,
    as_json: AsJson = False,
) -> None:
    """Try each candidate of CASE on the other findings' proofs: what shows that two are one flaw."""
    from leadline.wiring import fixes as wiring
    from leadline.wiring.desk import at_desk
    from leadline.wiring.replay import Asked

    with edge(), at_desk(home_of(home), kept(path)) as me:
        found = wiring.cross(me.ctx, case, Asked(Path(), repo, cache, commit), _say)
    if as_json:
        rows = [{"a": one.a, "b": one.b, "claim": one.claim.value} for one in found]
        typer.echo(json.dumps({"evidence": rows}))
        return
    for one in found:
        typer.echo(f"{one.a[:16]}  {one.b[:16]}  {one.claim.value}")
    typer.echo(f"{len(found)} pairs that this proves something of")


@app.command("board")
def board(
    case: Case,
    page: Annotated[Path | None, typer.Option(help="Write a page (HTML) with a picture.")] = None,
    home: Home = None,
    path: Kept = FILE,
    *,
    as_json: AsJson = False,
) -> None:
    """Show how far the flaws of CASE have come, from reported to applied."""
    from leadline.app import fixes
    from leadline.cli.pictures import need_pictures
    from leadline.wiring.desk import at_desk

    with edge(), at_desk(home_of(home), kept(path)) as me:
        found, now = fixes.board(me.ctx, case), me.ctx.now
        if page is not None:
            need_pictures()
            from leadline.render.fix_board import board_document
            from leadline.render.html import html

            page.write_text(html(board_document(found, case, now)), encoding="utf-8")
    counts = {state.value: count for state, count in found.counts.items()}
    if as_json:
        rows = [_place(one) for one in found.places]
        typer.echo(json.dumps({"case": case, "counts": counts, "flaws": rows}))
        return
    typer.echo("  ".join(f"{state} {count}" for state, count in counts.items()))
    for one in found.places:
        typer.echo(f"{one.finding[:16]}  {one.state.value:10}  {one.since.isoformat()}  {one.fix}")


def _proposed(done: "Proposed") -> dict[str, object]:
    drafted = done.drafted
    return {
        "fix": done.fix,
        "candidate": done.candidate,
        "why_not": list(done.shortfalls),
        "variants": {"silent": drafted.variants[0], "tried": drafted.variants[1]},
        "samples": {"alike": drafted.samples[0], "tried": drafted.samples[1]},
        "tests": {"before": drafted.tests[0], "after": drafted.tests[1]},
        "touches": list(drafted.touches),
        "verdict": drafted.replay.verdict.value if drafted.replay else None,
    }


def _words(done: "Proposed") -> list[str]:
    if not done.candidate:
        return [f"{done.fix}: no candidate", *(f"  {one}" for one in done.shortfalls)]
    silent, tried = done.drafted.variants
    return [
        f"{done.fix}: a candidate; a person reads it, and a person sends it",
        f"  the proof is silent, and {silent} of {tried} held-out variants; the project's tests succeed",
        f"  changes {', '.join(done.drafted.touches)}; see it with `leadline fix show {done.fix}`",
    ]


def _row(one: "FixStanding") -> dict[str, object]:
    return {
        "id": one.id,
        "finding": one.finding,
        "case": one.case,
        "candidate": one.candidate,
        "state": one.state.value if one.candidate else None,
        "ended": one.ended if not one.stands else "",
        "moves": [
            {"state": held.state, "at": held.at.isoformat(), "by": held.by, "where": held.where}
            for held in one.moves
        ],
    }


def _place(one: "Place") -> dict[str, object]:
    return {
        "finding": one.finding,
        "state": one.state.value,
        "since": one.since.isoformat(),
        "fix": one.fix or None,
    }
