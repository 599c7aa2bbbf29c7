"""``leadline findings``: raw reports, and what they may have in common."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadline.cli.edge import edge
from leadline.cli.session import FILE, AsJson, Home, Kept, kept
from leadline.core.clearing.evidence import Claim
from leadline.settings import home as home_of

if TYPE_CHECKING:
    from leadline.core.clearing.evidence import EvidenceEdge

app = typer.Typer(help="Findings: reports of crashes and other flaws.", no_args_is_help=True)


@app.callback()
def findings() -> None:
    """Findings: reports of crashes and other flaws."""


@app.command()
def group(
    folder: Annotated[Path, typer.Argument(help="A folder of sanitizer texts and CASR reports.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Propose which reports in FOLDER may be one flaw. Nothing is merged."""
    from leadline.app.findings import group_folder

    with edge():
        proposed = group_folder(folder)
        if as_json:
            document = {
                "reports": proposed.reports,
                "groups": [
                    {"id": g.id, "rung": g.rung, "members": g.members, "why": g.why}
                    for g in proposed.groups
                ],
                "unparsed": [fault.place for fault in proposed.unparsed],
                "problems": {fault.place: fault.problem for fault in proposed.unparsed},
            }
            typer.echo(json.dumps(document))
            return
        for held in proposed.groups:
            typer.echo(f"{held.id}  rung {held.rung}  {len(held.members)} reports  {held.why}")
            for member in held.members:
                typer.echo(f"    {member}")
        for fault in proposed.unparsed:
            typer.echo(f"not read: {fault.place}: {fault.problem}", err=True)


Because = Annotated[str, typer.Option(help="Why; it is kept for those who may read it.")]


@app.command()
def regroup(
    case: Annotated[str, typer.Option(help="The case; else what is in no case yet.")] = "intake",
    home: Home = None,
    path: Kept = FILE,
    *,
    as_json: AsJson = False,
) -> None:
    """Run today's rules over all findings of a case. Nothing is merged; all of it can be taken back."""
    from leadline.app import evidence
    from leadline.wiring.desk import at_desk

    with edge(), at_desk(home_of(home), kept(path)) as me:
        done = evidence.regroup(me.ctx, case)
    told = {
        "added": [_row(one) for one in done.added],
        "retracted": [_row(one) for one in done.retracted],
        "clusters": done.picture.clusters,
        "proposals": [[*one.one, *one.two] for one in done.picture.proposals],
        "doubts": [{"findings": one.findings, "why": one.why} for one in done.picture.doubts],
    }
    if as_json:
        typer.echo(json.dumps(told))
        return
    typer.echo(f"{len(done.added)} pieces of evidence added, {len(done.retracted)} taken back")
    for doubt in done.picture.doubts:
        typer.echo(
            f"a person decides: {doubt.why}: {', '.join(one[:16] for one in doubt.findings)}"
        )


@app.command()
def judge(
    one: Annotated[str, typer.Argument(help="A finding's id.")],
    two: Annotated[str, typer.Argument(help="Another's.")],
    claim: Annotated[Claim, typer.Argument(help="One flaw, or not.")],
    *,
    because: Because,
    home: Home = None,
    path: Kept = FILE,
) -> None:
    """Say that two findings are one flaw, or that they are not; it can be taken back."""
    from leadline.app import evidence
    from leadline.wiring.desk import at_desk

    with edge(), at_desk(home_of(home), kept(path)) as me:
        typer.echo(evidence.confirm(me.ctx, one, two, claim, because).id)


@app.command()
def retract(
    evidence_id: Annotated[str, typer.Argument(metavar="EVIDENCE", help="As `explain` prints it.")],
    *,
    because: Because,
    home: Home = None,
    path: Kept = FILE,
) -> None:
    """Take a piece of evidence back. What it joined is apart again; nothing is lost."""
    from leadline.app import evidence
    from leadline.wiring.desk import at_desk

    with edge(), at_desk(home_of(home), kept(path)) as me:
        evidence.retract(me.ctx, evidence_id, because)


@app.command()
def explain(
    finding: Annotated[str, typer.Argument(help="A finding's id.")],
    home: Home = None,
    path: Kept = FILE,
    *,
    as_json: AsJson = False,
) -> None:
    """Why a finding is with others, may be with others, or is kept apart."""
    from leadline.app import evidence
    from leadline.wiring.desk import at_desk

    with edge(), at_desk(home_of(home), kept(path)) as me:
        seen = evidence.explain(me.ctx, finding)
    told = {
        "finding": seen.finding,
        "cluster": seen.cluster,
        "evidence": [_row(one) for one in seen.edges],
        "proposals": [[*one.one, *one.two] for one in seen.proposals],
        "doubts": [{"findings": one.findings, "why": one.why} for one in seen.doubts],
    }
    if as_json:
        typer.echo(json.dumps(told))
        return
    typer.echo(f"one flaw with: {', '.join(set(seen.cluster) - {finding}) or 'no other'}")
    for one in seen.edges:
        who = "a person" if one.judged else one.rule
        typer.echo(f"{one.id}  {one.claim.value:8} rung {one.rung}  {who}  {one.other(finding)}")
    for doubt in seen.doubts:
        typer.echo(f"a person decides: {doubt.why}")


def _row(one: "EvidenceEdge") -> dict[str, object]:
    """A piece of evidence as `--json` prints it; times in UTC."""
    from leadline.core.record.act import instant

    return {
        "id": one.id,
        "a": one.a,
        "b": one.b,
        "rung": one.rung,
        "claim": one.claim.value,
        "rule": one.rule,
        "judged": one.judged,
        "by": one.by,
        "at": instant(one.at),
    }
