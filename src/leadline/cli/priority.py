"""``leadline priority``: by when a flaw is to be fixed, and which comes first. Unknown stays unknown."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadline.cli.edge import edge
from leadline.cli.session import FILE, AsJson, Home, Kept, kept
from leadline.settings import home as home_of

if TYPE_CHECKING:
    from leadline.app.priority import Row, Weighed

app = typer.Typer(
    no_args_is_help=True, help="By when a flaw is to be fixed, and which comes first."
)
Kev = Annotated[Path | None, typer.Option(help="CISA's list of known exploited ones, JSON.")]
Epss = Annotated[Path | None, typer.Option(help="A day's EPSS scores, CSV or CSV.gz.")]
Records = Annotated[Path | None, typer.Option(help="A CVE record with SSVC values, or a folder.")]
Zone = Annotated[str, typer.Option(help="The zone of days, and of times without offset.")]
Reason = Annotated[str, typer.Option(help="Why; it stands in the record.")]
Case = Annotated[str, typer.Argument(metavar="CASE", help="Its id.")]


@app.command()
def why(  # noqa: PLR0913 -- one option a fact
    cve: Annotated[str, typer.Argument(help="Its CVE id; without one the lists say nothing.")] = "",
    *,
    exposed: Annotated[str, typer.Option(help="Reachable from public networks: yes, no.")] = "",
    automatable: Annotated[str, typer.Option(help="Reliably automatable: yes, no.")] = "",
    impact: Annotated[str, typer.Option(help="partial, total.")] = "",
    detected: Annotated[
        str, typer.Option(help="First detection here, such as 2026-11-03T10:00.")
    ] = "",
    fix: Annotated[str, typer.Option(help="When a fix came.")] = "",
    kev: Kev = None,
    epss: Epss = None,
    records: Records = None,
    zone: Zone = "UTC",
    bound: Annotated[
        bool, typer.Option(help="You are an agency that the directive binds.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Say by when one flaw is to be fixed at one operator. Asks nobody; nothing leaves this host."""
    from leadline.app.moment import known_zone, moment
    from leadline.app.priority import weigh
    from leadline.core.clearing.directive import Facts
    from leadline.wiring.clock import clock
    from leadline.wiring.lists import lists_of, said

    with edge():
        lists, when = lists_of(kev, epss, records), known_zone("zone", zone)
        told = {"exposed": exposed, "automatable": automatable, "impact": impact}
        seen = moment("--detected", detected, zone) if detected else None
        repaired = moment("--fix", fix, zone) if fix else None
        facts = Facts(cve.strip().upper(), bound=bound, detected=seen, fix=repaired)
        found = weigh(lists, facts, said(told, "you"), clock(), when)
        _show([_weighed(found)], as_json=as_json)


@app.command()
def cvss(
    vector: Annotated[str, typer.Argument(help="Of version 2.0, 3.0, 3.1 or 4.0.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Print the base score of a CVSS vector. It is shown beside cases, and orders nothing."""
    from leadline.core.clearing.priority import cvss as score_of

    with edge():
        score = score_of(vector)
        typer.echo(json.dumps({"vector": vector, "score": score}) if as_json else f"{score:.1f}")


@app.command("import")
def import_(
    kind: Annotated[str, typer.Argument(help="kev, epss or records.")],
    path: Annotated[Path, typer.Argument(help="The file; for records also a folder.")],
    home: Home = None,
    session: Kept = FILE,
) -> None:
    """Keep a public list that somebody fetched; its digest stands in the record."""
    from leadline.wiring.desk import at_desk
    from leadline.wiring.lists import take_in

    with edge(), at_desk(home_of(home), kept(session)) as me:
        found = take_in(me.ctx, me.home, kind, path)
        typer.echo(f"{found.kind}: {found.count} entries, {found.stated}; sha256 {found.digest}")


@app.command()
def say(
    case: Case,
    what: Annotated[str, typer.Argument(help="exposed, automatable, impact, cve, attacks, …")],
    value: Annotated[str, typer.Argument(help="What is so; unknown takes it back.")],
    reason: Reason,
    home: Home = None,
    session: Kept = FILE,
) -> None:
    """Enter one fact about a case that its place rests on, with its reason."""
    from leadline.app import priority
    from leadline.wiring.desk import at_desk
    from leadline.wiring.lists import spoken

    with edge(), at_desk(home_of(home), kept(session)) as me:
        priority.say(me.ctx, case, *spoken(what, value), reason)
        typer.echo(f"entered for {case}: {what} is {value}")


@app.command()
def put(
    case: Case,
    outcome: Annotated[str, typer.Argument(help="FSU, 60D, 14D, 3D or 3DF.")],
    reason: Reason,
    home: Home = None,
    session: Kept = FILE,
    zone: Zone = "UTC",
) -> None:
    """Move a case in the queue, by name and with a reason. It changes no date."""
    from leadline.app import priority
    from leadline.app.moment import known_zone
    from leadline.wiring.desk import at_desk
    from leadline.wiring.lists import kept as lists_kept

    with edge(), at_desk(home_of(home), kept(session)) as me:
        lists = lists_kept(me.ctx, me.home)
        made = priority.put(me.ctx, case, outcome, reason, lists, known_zone("zone", zone))
        typer.echo(f"{case} stands where {made.outcome} would put it; its dates are as before")


@app.command("list")
def list_(
    home: Home = None, session: Kept = FILE, zone: Zone = "UTC", *, as_json: AsJson = False
) -> None:
    """List the cases, the most urgent first, each with what puts it before the next."""
    from leadline.app.moment import known_zone
    from leadline.wiring.desk import at_desk
    from leadline.wiring.lists import queue_of

    with edge(), at_desk(home_of(home), kept(session)) as me:
        _show(
            [_row(row) for row in queue_of(me.ctx, me.home, known_zone("zone", zone))],
            as_json=as_json,
        )


@dataclass(frozen=True, slots=True)
class _Shown:
    """One flaw as programs and as people read it."""

    document: Mapping[str, object]
    lines: tuple[str, ...]


def _row(row: "Row") -> _Shown:
    place, below = row.place, _weighed(row.weighed)
    moved = place.override or place.aside
    document: dict[str, object] = {
        "case": place.case.id,
        "why": place.why,
        "operators": place.case.operators,
        "moved_by": moved and {"by": moved.by, "reason": moved.reason, "outcome": moved.outcome},
        "moved_in_effect": place.override is not None,
    }
    lines = [f"{place.case.id}  {place.case.operators} operators", *below.lines]
    if moved is not None:
        state = "moved" if place.override is not None else "no longer moved"
        lines.append(f"    {state} by {moved.by}: {moved.reason}")
    if place.why:
        lines.append(f"    before the next: {place.why}")
    return _Shown({**document, **below.document}, tuple(lines))


def _weighed(found: "Weighed") -> _Shown:
    due, decision, chance = found.due, found.due.decision, found.likelihood
    document: dict[str, object] = {
        "clock": due.clock,
        "determined": decision.determined,
        "earliest": decision.most.name,
        "latest": decision.least.name,
        "owed": due.owed and due.owed.isoformat(),
        "from_fix": due.from_fix and due.from_fix.isoformat(),
        "find_out": [point.name for point in decision.needed],
        "answers": [
            {"input": one.point, "value": one.value, "by": one.by, "why": one.why}
            for one in found.answers
        ],
        "epss": chance and {"probability": chance.probability, "at": chance.scored.isoformat()},
        "words": list(due.words),
    }
    lines = [f"  {line}" for line in due.words]
    lines += [f"    {one.point:16} {one.value or 'unknown':8} {one.why}" for one in found.answers]
    if chance is not None:
        lines.append(f"    EPSS {chance.probability:.3f}, shown beside; decides nothing")
    return _Shown(document, tuple(lines))


def _show(shown: Sequence[_Shown], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"rows": [one.document for one in shown]}))
        return
    for one in shown:
        typer.echo("\n".join(one.lines))
