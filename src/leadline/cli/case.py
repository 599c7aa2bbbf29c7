"""`leadline case`: coordinate one vulnerability with everybody whose fix it needs."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadline.cli.edge import edge
from leadline.cli.session import FILE, AsJson, Home, Kept
from leadline.core.clearing.case_words import Affected, Answer, Clock, FixState, Move, Report, Role
from leadline.settings import home as home_of

if TYPE_CHECKING:
    from leadline.core.clearing.disclosure import Disclosure
    from leadline.wiring.desk import Desk

app = typer.Typer(
    no_args_is_help=True, help="Cases: the coordination of one vulnerability, and its dates."
)
party = typer.Typer(no_args_is_help=True, help="Who takes part in a case.")
embargo = typer.Typer(no_args_is_help=True, help="Until when a case is secret, as parties agree.")
app.add_typer(party, name="party")
app.add_typer(embargo, name="embargo")
Id = Annotated[str, typer.Argument(metavar="CASE", help="Its id, as `leadline case list` has it.")]
Findings = Annotated[list[str], typer.Argument(metavar="FINDING", help="Ids of findings.")]
Policy = Annotated[
    str, typer.Option("--disclosure", help="Its id, as `leadline case disclosures` lists them.")
]
Zone = Annotated[str, typer.Option(help="The time zone of a moment without an offset.")]
Reason = Annotated[str, typer.Option(help="Why; it stands in the record.")]
Party = Annotated[str, typer.Option("--party", help="The party's id; else the one that you are.")]
Reference = Annotated[
    str, typer.Option(help="Where a party without an account here said so, such as a message's id.")
]


@app.command("open")
def open_(
    findings: Findings,
    *,
    title: Annotated[
        str, typer.Option(help="What it is about, in a line that stays with the case.")
    ],
    policy: Policy,
    home: Home = None,
    path: Kept = FILE,
) -> None:
    """Open a case from findings at intake, under a disclosure policy that you name; there is no default."""
    from leadline.app import cases
    from leadline.cli.desk import at_desk

    with edge(), at_desk(home, path) as me:
        under = _policy(me, policy)
        typer.echo(me.do(cases.open_case, findings, title=title, policy=under))


@app.command("list")
def list_(home: Home = None, path: Kept = FILE, *, as_json: AsJson = False) -> None:
    """List the cases that you take part in, each as you may see it."""
    from leadline.app import case_view
    from leadline.cli.desk import at_desk
    from leadline.wiring.cases import document, stamp

    with edge(), at_desk(home, path) as me:
        found = me.do(case_view.listed)
    if as_json:
        typer.echo(json.dumps({"cases": [document(one) for one in found]}))
        return
    for one in found:
        silent = sum(held.silent for held in one.parties)
        until = f"public from {stamp(one.public_at)}" if one.public_at else "no date yet"
        told = f"; {silent} silent" if silent else ""
        typer.echo(f"{one.case}  {one.stage}; {until}{told}  {one.title}")


@app.command("show")
def show(case: Id, home: Home = None, path: Kept = FILE, *, as_json: AsJson = False) -> None:
    """Show a case as you may see it: parties, who is silent, findings, clocks."""
    from leadline.app import case_view
    from leadline.cli.desk import at_desk
    from leadline.wiring.cases import document, lines

    with edge(), at_desk(home, path) as me:
        seen = me.do(case_view.view, case)
    typer.echo(json.dumps(document(seen)) if as_json else "\n".join(lines(seen)))


def _policy(me: "Desk", name: str) -> "str | Disclosure":
    """A disclosure policy of the installation; a server looks the name up by itself."""
    from leadline.wiring.cases import disclosure as named
    from leadline.wiring.desk import AtDesk

    return named(me.home, name) if isinstance(me, AtDesk) else name


@app.command("join")
def join(case: Id, findings: Findings, home: Home = None, path: Kept = FILE) -> None:
    """Put further findings of the same root cause into a case."""
    from leadline.app import cases
    from leadline.cli.desk import at_desk

    with edge(), at_desk(home, path) as me:
        made = me.do(cases.join, case, findings)
        typer.echo(f"{case}: {len(made.findings)} findings")


@app.command("state")
def state(  # noqa: PLR0913 -- options of a command
    case: Id,
    *,
    party: Party = "",
    report: Annotated[Report | None, typer.Option(help="Where its report is.")] = None,
    fix: Annotated[FixState | None, typer.Option(help="How far its fix is.")] = None,
    affected: Annotated[Affected | None, typer.Option(help="Whether its products are.")] = None,
    justification: Annotated[str, typer.Option(help="A code of OpenVEX and CSAF, if not.")] = "",
    reference: Reference = "",
    home: Home = None,
    path: Kept = FILE,
) -> None:
    """State where your party is. A coordinator states it for a party without an account, with a reference."""
    from leadline.app import cases
    from leadline.cli.desk import at_desk, here
    from leadline.core.clearing.coordination import Stated

    with edge(), at_desk(home, path) as me:
        by = party or me.do(cases.own_party, case)
        said = Stated(report, fix, affected, justification)
        stands = cases.state(here(me).ctx, case, by, said, reference)
        typer.echo(f"{by}: {stands.participants[by].word}; {stands.participants[by].affected}")


@app.command("move")
def move(  # noqa: PLR0913 -- options of a command
    case: Id,
    what: Annotated[Move, typer.Argument(help="What became of it.")],
    *,
    evidence: Annotated[str, typer.Option(help="A file that shows it, or its SHA-256.")] = "",
    since: Annotated[str, typer.Option(help="Since when it is so, if not since now.")] = "",
    until: Annotated[str, typer.Option(help="For a longer time or a pause: until when.")] = "",
    zone: Zone = "",
    reason: Reason = "",
    party: Annotated[str, typer.Option(help="Whose clock, or whose pause.")] = "",
    clock: Annotated[Clock | None, typer.Option(help="Which clock gets longer.")] = None,
    consent: Annotated[list[str] | None, typer.Option(help="Parties that agree, one each.")] = None,
    home: Home = None,
    path: Kept = FILE,
) -> None:
    """Put on record that it became public, is exploited, was found again, or that a clock changes."""
    from leadline.app import cases
    from leadline.cli.desk import at_desk
    from leadline.core.clearing.coordination import Moved
    from leadline.wiring.cases import evidence as digest_of
    from leadline.wiring.cases import when

    with edge(), at_desk(home, path) as me:
        known, ends = when("since", since, zone), when("until", until, zone)
        shown, agrees = digest_of(evidence), tuple(consent or ())
        asked = Moved(what, shown, known, reason, party, clock, ends, agrees)
        stands = me.do(cases.move, case, asked)
        typer.echo(f"{case}: {what.value}; embargo {stands.embargo(me.now).value}")


@app.command("credit")
def credit(
    case: Id,
    finder: Annotated[str, typer.Argument(help="The finder's party.")],
    name: Annotated[str, typer.Argument(help="How the finder wants to be named.")],
    *,
    shared: Annotated[bool, typer.Option("--shared", help="Shared with other finders.")] = False,
    home: Home = None,
    path: Kept = FILE,
) -> None:
    """Decide that a finder is credited; it is not changed afterwards."""
    from leadline.app import cases
    from leadline.cli.desk import at_desk

    with edge(), at_desk(home, path) as me:
        me.do(cases.credit, case, finder, name, shared=shared)


@app.command("close")
def close(case: Id, *, reason: Reason, home: Home = None, path: Kept = FILE) -> None:
    """Close a case that is public, or in which no vendor has anything left to do."""
    from leadline.app import cases
    from leadline.cli.desk import at_desk

    with edge(), at_desk(home, path) as me:
        me.do(cases.close, case, reason)


@app.command("disclosures")
def disclosures(home: Home = None, *, as_json: AsJson = False) -> None:
    """List the disclosure policies that a case can be opened under, with their days."""
    from leadline.formats.values import plain
    from leadline.wiring.cases import disclosures as held

    with edge():
        found = held(home_of(home))
    if as_json:
        typer.echo(json.dumps({"disclosures": [plain(one) for one in found.values()]}))
        return
    for one in found.values():
        terms = ", ".join(f"{term.clock.value} {term.days} d" for term in one.terms)
        typer.echo(f"{one.id:24} {one.confirmed:13} {terms or 'no embargo'}")


@app.command("disclosure")
def disclosure(
    case: Id, *, policy: Policy, reason: Reason, home: Home = None, path: Kept = FILE
) -> None:
    """Change the disclosure policy of a case; what becomes shorter by it counts from now."""
    from leadline.app import cases
    from leadline.cli.desk import at_desk

    with edge(), at_desk(home, path) as me:
        me.do(cases.choose, case, _policy(me, policy), reason)


@app.command("clocks")
def clocks(case: Id, home: Home = None, path: Kept = FILE, *, as_json: AsJson = False) -> None:
    """The clocks of a case, those that fell due first; every time with its zone."""
    from leadline.app import case_view
    from leadline.cli.desk import at_desk
    from leadline.wiring.cases import clock_lines, document

    with edge(), at_desk(home, path) as me:
        seen = me.do(case_view.view, case)
    page = json.dumps({"case": case, "clocks": document(seen)["clocks"]})
    typer.echo(page if as_json else "\n".join(clock_lines(seen.clocks)))


@app.command("timeline")
def timeline(
    case: Id,
    out: Annotated[
        Path | None, typer.Option(help="Write a page to print, such as case.html.")
    ] = None,
    home: Home = None,
    path: Kept = FILE,
    *,
    as_json: AsJson = False,
) -> None:
    """What happened in a case, oldest first; with --out as a page with its picture."""
    from leadline.app import case_view
    from leadline.cli.desk import at_desk
    from leadline.wiring.cases import document, page, timeline_lines

    with edge(), at_desk(home, path) as me:
        seen = me.do(case_view.view, case)
        if out is not None:
            page(seen, me.now, out)
    told = json.dumps({"case": case, "timeline": document(seen)["timeline"]})
    typer.echo(told if as_json else "\n".join(timeline_lines(seen)))


@app.command("sweep")
def sweep(home: Home = None, path: Kept = FILE, *, as_json: AsJson = False) -> None:
    """Put on record what fell due in the cases that you coordinate; once each."""
    from leadline.app import cases
    from leadline.cli.desk import at_desk
    from leadline.formats.values import plain
    from leadline.wiring.cases import stamp

    with edge(), at_desk(home, path) as me:
        found = me.do(cases.sweep)
    if as_json:
        typer.echo(json.dumps({"fell_due": [plain(one) for one in found]}))
        return
    for one in found:
        whose = f" {one.party}" if one.party else ""
        typer.echo(f"{one.case}: {one.clock.value}{whose} {stamp(one.at)}, goes to {one.goes_to}")


@party.command("add")
def add(  # noqa: PLR0913 -- options of a command
    case: Id,
    name: Annotated[str, typer.Argument(help="Who it is; the same name renews it.")],
    *,
    role: Annotated[Role, typer.Option(help="In which part.")],
    product: Annotated[list[str] | None, typer.Option(help="A Package-URL, one each.")] = None,
    contact: Annotated[str, typer.Option(help="An address, if the directory has none.")] = "",
    person: Annotated[str, typer.Option(help="Its account here, if it has one.")] = "",
    project: Annotated[str, typer.Option(help="The project whose intake contract it is.")] = "",
    need: Annotated[str, typer.Option(help="Why it needs the content already now.")] = "",
    home: Home = None,
    path: Kept = FILE,
) -> None:
    """Add a party, or renew it; a person with an account is named for the case as long as a grant lasts."""
    from leadline.app import cases
    from leadline.cli.desk import at_desk

    with edge(), at_desk(home, path) as me:
        sold = tuple(product or ())
        new = cases.NewParty(role, name, contact, sold, person, project, need)
        typer.echo(me.do(cases.add_party, case, new))


@party.command("proposed")
def proposed(case: Id, *, home: Home = None, path: Kept = FILE, as_json: AsJson = False) -> None:
    """Name who makes the case's packages and is no party of it, by contracts and the directory."""
    from leadline.app import contacts
    from leadline.cli.desk import at_desk

    with edge(), at_desk(home, path) as me:
        found = me.do(contacts.proposed, case)
    if as_json:
        rows = [
            {"project": one.project, "products": one.products, "contact": one.contact,
             "source": one.source}
            for one in found
        ]  # fmt: skip
        typer.echo(json.dumps({"proposed": rows}))
        return
    for one in found:
        made = ", ".join(one.products)
        typer.echo(f"{one.project}  {made}  {one.contact or 'no address'}; by {one.source}")


@party.command("remove")
def remove(
    case: Id,
    which: Annotated[str, typer.Argument(metavar="PARTY", help="Its id.")],
    *,
    reason: Reason,
    home: Home = None,
    path: Kept = FILE,
) -> None:
    """A party leaves; its person is named for the case no more."""
    from leadline.app import cases
    from leadline.cli.desk import at_desk

    with edge(), at_desk(home, path) as me:
        me.do(cases.remove_party, case, which, reason)


@embargo.command("propose")
def propose(
    case: Id,
    until: Annotated[str, typer.Argument(help="Until when, with hour and offset or --zone.")],
    *,
    zone: Zone = "",
    party: Party = "",
    ask: Annotated[
        list[str] | None, typer.Option(help="A party to ask; else owners and finders.")
    ] = None,
    reason: Reason = "",
    home: Home = None,
    path: Kept = FILE,
) -> None:
    """Propose until when it is secret; a change of an agreed date needs a reason."""
    from leadline.app import cases
    from leadline.app.moment import moment
    from leadline.cli.desk import at_desk, here

    with edge(), at_desk(home, path) as me:
        ends, asked = moment("until", until, zone), tuple(ask or ())
        made = cases.propose(here(me).ctx, case, ends, party=party, asked=asked, reason=reason)
        held = made.terms.proposal
        typer.echo(f"{case}: asked {', '.join(held.asked) if held else 'nobody'}")


@embargo.command("answer")
def answer(
    case: Id,
    said: Annotated[Answer, typer.Argument(help="What the party says.")],
    *,
    party: Party = "",
    until: Annotated[str, typer.Option(help="Accept with an earlier date.")] = "",
    zone: Zone = "",
    reference: Reference = "",
    home: Home = None,
    path: Kept = FILE,
) -> None:
    """Answer the proposed date; once everybody accepts, the shortest date governs."""
    from leadline.app import cases
    from leadline.cli.desk import at_desk, here
    from leadline.wiring.cases import when

    with edge(), at_desk(home, path) as me:
        ends = when("until", until, zone)
        made = cases.answer(here(me).ctx, case, said, party=party, until=ends, reference=reference)
        typer.echo(f"{case}: embargo {made.embargo(me.now).value}")


@embargo.command("end")
def end(
    case: Id,
    *,
    agrees: Annotated[list[str] | None, typer.Option(help="A party that agrees, one each.")] = None,
    home: Home = None,
    path: Kept = FILE,
) -> None:
    """End an agreed embargo before its date, because everybody whom it binds agrees."""
    from leadline.app import cases
    from leadline.cli.desk import at_desk

    with edge(), at_desk(home, path) as me:
        me.do(cases.end_embargo, case, agrees or [])
