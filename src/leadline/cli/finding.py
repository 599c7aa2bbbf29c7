"""`leadline finding`: hand in reports, see where they stand, answer and withdraw them."""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

import typer

from leadline.cli.edge import edge
from leadline.cli.session import FILE, AsJson, Home, Kept
from leadline.core.clearing.report import Stage, Told
from leadline.core.errors import Invalid
from leadline.formats.report_forms import Form

if TYPE_CHECKING:
    from leadline.app.offered import Offered
    from leadline.app.reports import FindingState, Opening, Outcome
    from leadline.core.clearing.report import Draft, Faulty, Receipt
    from leadline.wiring.desk import Desk

app = typer.Typer(no_args_is_help=True, help="Reports of findings: handed in, followed, answered.")
Id = Annotated[str, typer.Argument(metavar="FINDING", help="Its id, as its receipt has it.")]
Reason = Annotated[str, typer.Option(help="Why; the finder reads it.")]
Part = Literal["text", "proof"]


@app.command("submit")
def submit(
    path: Annotated[Path, typer.Argument(help="A report, a folder, .jsonl or .tar.gz of them.")],
    *,
    form: Annotated[
        Form | None, typer.Option("--as", help="Its form; else told by content.")
    ] = None,
    origin: Annotated[str, typer.Option(help="Who found it: ai, tool or person.")] = "",
    say: Annotated[
        list[str] | None,
        typer.Option(help="NAME=TEXT for forms that cannot: found-by, consent, confirmed-by, ..."),
    ] = None,
    opening: Annotated[
        Path | None, typer.Option(help="What `leadline finding commit` wrote for this report.")
    ] = None,
    home: Home = None,
    kept_at: Kept = FILE,
    as_json: AsJson = False,
) -> None:
    """Hand in reports; each is taken whole or not at all, and every fault is listed.

    --say takes found-by (a model only with consent), consent, confirmed-by, component and project.
    """
    from leadline.app import offered, reports
    from leadline.cli.desk import at_desk, here

    with edge(), at_desk(home, kept_at) as me:
        told, page = _told(me.now, origin, say or []), _Page()
        drafts = page.drafts(offered.offered(path, told, form))
        opens = _opening(opening) if opening else None
        for some in reports.submitting(here(me).ctx, drafts, opening=opens):
            page.took(some)
    page.show(as_json=as_json)


@app.command("commit")
def commit(
    path: Annotated[Path, typer.Argument(help="One report in Leadline's own JSON.")],
    out: Annotated[Path, typer.Argument(help="The file to write; keep it to yourself.")],
    home: Home = None,
    kept_at: Kept = FILE,
) -> None:
    """Commit to a report without showing it: your credit counts from now, once you hand it in.

    Hand in the very same report later, with --opening OUT.
    """
    from leadline.app import offered, reports
    from leadline.cli.desk import at_desk, here

    with edge(), at_desk(home, kept_at) as me:
        if out.exists():
            raise Invalid(str(out), "is there already; choose another name")
        draft = offered.only(path, Told(me.now))
        made = reports.commit_to(here(me).ctx, draft)
        out.touch(mode=0o600)
        out.write_text(json.dumps({"commitment": made.commitment, "blinder": made.blinder}))
    typer.echo(made.commitment)


def _opening(file: Path) -> "Opening":
    from leadline.app import given
    from leadline.app.reports import Opening
    from leadline.formats.document import load, text

    held = load(given.content(file, 4096), file.name)
    return Opening(text(held.get("commitment")), text(held.get("blinder")))


def _told(now: datetime, origin: str, say: list[str]) -> Told:
    """What the command line says of every report. Raises: Invalid."""
    from leadline.core.clearing.finding import Origin

    if origin and origin not in get_args(Origin):
        raise Invalid("origin", f"{origin!r:.40} is none of {', '.join(get_args(Origin))}")
    said = dict.fromkeys(("found-by", "consent", "confirmed-by", "component", "project"), "")
    for pair in say:
        name, sign, text = pair.partition("=")
        if name not in said or not sign or not text.isprintable():
            raise Invalid("say", f"{pair!r:.80} is no NAME=TEXT; the names are {', '.join(said)}")
        said[name] = text
    return Told(now, origin or None, *said.values())  # type: ignore[arg-type] # just compared


class _Page:
    """What came of each report, in the order in which they were read."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._done = 0
        self._receipts: list[tuple[str, Receipt]] = []
        self._refused: list[dict[str, Any]] = []

    def drafts(self, found: "Iterable[Offered]") -> "Iterator[Draft]":
        """The reports that could be read, while the faults of others are noted."""
        for one in found:
            if one.faulty is not None:
                self._refuse(one.name, one.faulty)
            for draft in one.drafts:
                self._names.append(one.name)
                yield draft

    def took(self, outcomes: "Iterable[Outcome]") -> None:
        """Note what came of the next reports."""
        from leadline.core.clearing.report import Faulty

        for one in outcomes:
            name = self._names[self._done]
            self._done += 1
            if isinstance(one, Faulty):
                self._refuse(name, one)
            else:
                self._receipts.append((name, one))

    def _refuse(self, name: str, faulty: "Faulty") -> None:
        told = [{"place": one.place, "problem": one.problem} for one in faulty.faults]
        self._refused.append({"name": name, "faults": told})

    def show(self, *, as_json: bool) -> None:
        """Print it; ends with the code of what cannot be right if anything was refused."""
        if as_json:
            rows = [{"name": name, **_receipt(one)} for name, one in self._receipts]
            typer.echo(json.dumps({"receipts": rows, "refused": self._refused}))
        else:
            for name, one in self._receipts:
                typer.echo("\n".join(map(escaped, _receipt_lines(name, one))))
        for row in self._refused:
            for fault in row["faults"]:
                told = escaped(f"{row['name']}{fault['place']}: {fault['problem']}")
                typer.echo(told, err=True)
        if self._refused:
            count = len(self._refused)
            typer.echo(
                f"leadline: invalid: {count} not taken, {len(self._receipts)} taken", err=True
            )
            raise typer.Exit(2)


def _receipt(one: "Receipt") -> dict[str, Any]:
    return {
        "finding": one.finding,
        "at": one.at.isoformat(),
        "commitment": one.commitment,
        "index": one.index,
        "state": one.stage.value,
        "reason": one.reason,
        "known": one.known,
        "place": one.place,
        "expected": _when(one.expected),
        "asks": list(one.asks),
    }


def _receipt_lines(name: str, one: "Receipt") -> Iterator[str]:
    yield f"{one.finding}  {one.stage.value}"
    yield f"  {name} {'was here before' if one.known else 'is taken'}: {one.reason}"
    if one.place is not None:
        yield from _place_lines(one.place, one.expected)
    yield f"  yours since {_at(one.at)}; commitment {one.commitment}, entry {one.index} of the log"
    yield from (f"  asked of you: {asked}" for asked in one.asks)


def _place_lines(place: int, expected: datetime | None) -> Iterator[str]:
    """Where it stands in its project's queue, and the first moment at which it may be sent on."""
    sent = f"not before {_at(expected)}" if expected else "at a time that nobody knows yet"
    yield f"  place {place} in its project's queue; it goes to the maintainers {sent}"


def _at(at: datetime) -> str:
    """A moment for people; `--json` has it to the microsecond."""
    from leadline.render.words import moment

    return moment(at)


def _when(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


@app.command("list")
def list_(home: Home = None, path: Kept = FILE, *, as_json: AsJson = False) -> None:
    """List the reports that you may read with their states and places, the oldest first."""
    from leadline.cli.desk import at_desk

    with edge(), at_desk(home, path) as me:
        found = map(_state, _listed(me))
        if as_json:
            typer.echo(json.dumps({"findings": list(found)}))
            return
        for row in found:
            place = f", place {row['place']}" if row["place"] else ""
            typer.echo(f"{row['finding']}  {row['state']}{place}: {escaped(row['title'])}")


def _listed(me: "Desk") -> "Iterator[FindingState]":
    """The whole list, part by part."""
    from leadline.app import browse, reports

    after: str | None = ""
    while after is not None:
        part = me.do(reports.listed, after, browse.LIMIT_MAX)
        yield from part.items
        after = part.next


@app.command("show")
def show(id_: Id, home: Home = None, path: Kept = FILE, *, as_json: AsJson = False) -> None:
    """Show where a report stands, its place, and what is asked of its finder."""
    from leadline.app import reports
    from leadline.cli.desk import at_desk

    with edge(), at_desk(home, path) as me:
        found = me.do(reports.state, id_)
    typer.echo(
        json.dumps(_state(found)) if as_json else "\n".join(map(escaped, _state_lines(found)))
    )


def _state(one: "FindingState") -> dict[str, Any]:
    return {
        "finding": one.finding,
        "title": one.title,
        "state": one.stage.value,
        "reason": one.reason,
        "submitted": one.submitted.isoformat(),
        "commitment": one.commitment,
        "index": one.index,
        "place": one.place,
        "expected": _when(one.expected),
        "waits_for": one.waits_for,
        "answer_due": _when(one.answer_due),
        "answers": [{"at": at.isoformat(), "words": words} for at, words in one.answers],
        "asks": list(one.asks),
        "case": one.case,
        "queue": {"waiting": one.waiting, "oldest": _when(one.oldest)},
        "steps": [
            {"at": step.at.isoformat(), "state": step.stage.value, "reason": step.reason}
            for step in one.steps
        ],
    }


def _state_lines(one: "FindingState") -> Iterator[str]:
    yield f"{one.finding}  {one.stage.value}"
    yield f"  {one.title}"
    yield f"  it stands there because {one.reason}"
    if one.place is not None:
        yield from _place_lines(one.place, one.expected)
        yield f"  what it waits for: {one.waits_for}"
        since = f", the oldest since {_at(one.oldest)}" if one.oldest else ""
        yield f"  reports in that queue: {one.waiting}{since}"
    if one.case:
        yield f"  its case: {one.case}"
    if one.answer_due:
        yield f"  a coordinator answers you by {_at(one.answer_due)}"
    yield from (f"  asked of you: {asked}" for asked in one.asks)
    yield from (f"  answered {_at(at)}: {words}" for at, words in one.answers)
    yield "  so far:"
    for step in one.steps:
        why = "" if step.reason == step.stage.value else f": {step.reason}"
        yield f"    {_at(step.at)}  {step.stage.value}{why}"


def escaped(text: str) -> str:
    """Somebody else's words for a terminal: no control character reaches it."""
    return "".join(c if c.isprintable() else " " for c in text)


@app.command("read")
def read(
    id_: Id,
    out: Annotated[Path, typer.Argument(help="The file to write, which is not there yet.")],
    *,
    part: Annotated[str, typer.Option(help="text, proof, or the name of a file of it.")] = "text",
    home: Home = None,
    path: Kept = FILE,
) -> None:
    """Write the bytes of a report, its proof or a file of it to OUT; whatever they say is data."""
    from leadline.app import reports
    from leadline.cli.desk import at_desk

    with edge(), at_desk(home, path) as me:
        if out.exists():
            raise Invalid(str(out), "is there already; choose another name")
        reads = {"text": reports.text, "proof": reports.proof}
        data = me.do(reads[part], id_) if part in reads else me.do(reports.file, id_, part)
        out.touch(mode=0o600)
        out.write_bytes(data)


@app.command("withdraw")
def withdraw(id_: Id, home: Home = None, path: Kept = FILE) -> None:
    """Take back your own report, at any state before a case."""
    from leadline.app import reports
    from leadline.cli.desk import at_desk

    with edge(), at_desk(home, path) as me:
        me.do(reports.withdraw, id_)


@app.command("stand-by")
def stand_by(id_: Id, home: Home = None, path: Kept = FILE) -> None:
    """Say that your text may be shown as it is, though it looks as if it held a secret."""
    from leadline.app import reports
    from leadline.cli.desk import at_desk

    with edge(), at_desk(home, path) as me:
        me.do(reports.stand_by, id_)


@app.command("answer")
def answer(
    id_: Id,
    words: Annotated[Path, typer.Argument(help="A text file with the words, or - .")],
    home: Home = None,
    path: Kept = FILE,
) -> None:
    """Answer the finder, as a coordinator."""
    from leadline.app import reports
    from leadline.cli.desk import at_desk
    from leadline.cli.words import words_of

    with edge(), at_desk(home, path) as me:
        me.do(reports.answer, id_, words_of(words))


@app.command("move")
def move(
    id_: Id,
    to: Annotated[Stage, typer.Argument(help="The state it goes to.")],
    *,
    reason: Reason,
    home: Home = None,
    path: Kept = FILE,
) -> None:
    """Take a report to its next state, as a coordinator."""
    from leadline.app import reports
    from leadline.cli.desk import at_desk

    with edge(), at_desk(home, path) as me:
        me.do(reports.move, id_, to, reason)


@app.command("hasten")
def hasten(id_: Id, *, reason: Reason, home: Home = None, path: Kept = FILE) -> None:
    """Put a report ahead of its queue, because it is exploited already, as a coordinator."""
    from leadline.app import reports
    from leadline.cli.desk import at_desk

    with edge(), at_desk(home, path) as me:
        me.do(reports.hasten, id_, reason)


@app.command("assign")
def assign(
    id_: Id,
    project: Annotated[str, typer.Argument(help="The project whose it is; its terms are on file.")],
    *,
    reason: Reason,
    home: Home = None,
    path: Kept = FILE,
) -> None:
    """Say whose a report is, as a coordinator: where two contracts claim it, or none did."""
    from leadline.app import reports
    from leadline.cli.desk import at_desk

    with edge(), at_desk(home, path) as me:
        stage = me.do(reports.assign, id_, project, reason)
    typer.echo(stage.value)


@app.command("credit")
def credit(
    ids: Annotated[list[str], typer.Argument(metavar="FINDING...", help="Of one root cause.")],
    home: Home = None,
    path: Kept = FILE,
    *,
    as_json: AsJson = False,
) -> None:
    """Decide whose credit one root cause is: the earliest commitment, shared within 24 hours."""
    from leadline.app import reports
    from leadline.cli.desk import at_desk

    with edge(), at_desk(home, path) as me:
        found = me.do(reports.decide_credit, ids)
    parts = {"shared": found.shared, "later": found.later, "void": found.void}
    rows = {name: [one.by for one in some] for name, some in parts.items()}
    lines = [f"{name}: {', '.join(who) or 'nobody'}" for name, who in rows.items()]
    typer.echo(json.dumps(rows) if as_json else "\n".join(lines))
