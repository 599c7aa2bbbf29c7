"""A case as a page to print: its timeline as a picture, its parties with who is silent, its clocks.

Made from one reader's view, so that the page of one says nothing that the reader may not know.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from leadline.core.clearing.case_view import CaseView, SeenClock, silent_first
from leadline.core.marking import Tlp
from leadline.render.document import Block, Column, Document, Facts, Figure, Prose, Section, Table
from leadline.render.timeline import Look, Mark, timeline
from leadline.render.vega import hour
from leadline.render.words import moment

CASE: Final = "the case"
HAPPENED: Final = "happened"
RUNS: Final = "a clock falls due"
FELL: Final = "fell due"
STATES: Final = (HAPPENED, RUNS, FELL)
LOOK: Final = Look(26, 90, {"scale": {"type": "utc"}}, {})
ROWS_MAX: Final = 40
CLOSING: Final = (
    "Dates are computed from the record whenever this page is made. A party without an answer has said "
    "nothing; that is not a word about its products. Nothing here is about the release of any model."
)


def case_document(seen: CaseView, now: datetime) -> Document:
    """The page of a case, for the reader that *seen* was made for."""
    facts = [
        ("Stage", seen.stage or "not shown"),
        ("Disclosure policy", seen.disclosure or "not shown"),
        ("Embargo", seen.embargo or "not shown"),
        ("Public from", moment(seen.public_at) if seen.public_at else "no date yet"),
    ]
    silent = [one.name for one in seen.parties if one.silent]
    head: list[Block] = [Facts(tuple(facts))]
    if silent:
        told = f"No answer within the disclosure policy's days: {', '.join(sorted(silent))}."
        head.append(Prose(f"{told} A coordinator goes on.", strong=True))
    if seen.timeline or seen.clocks:
        head.append(timeline_figure(seen, now))
    sections = [
        Section("parties", "Parties", (_parties(seen),)) if seen.parties else None,
        Section("clocks", "Clocks", (_clocks(seen.clocks),)) if seen.clocks else None,
        Section("findings", "Findings", (_findings(seen),)) if seen.findings else None,
    ]
    return Document(
        title=seen.title or seen.case,
        kicker=f"{seen.case} · as {', '.join(seen.readers)}",
        marking=(Tlp.AMBER_STRICT if seen.embargoed is not False else Tlp.CLEAR).value,
        record=seen.case,
        at=now,
        closing=CLOSING,
        cover=(Section("now", "Where it stands", tuple(head)),),
        sections=tuple(one for one in sections if one is not None),
    )


def timeline_figure(seen: CaseView, now: datetime) -> Figure:
    """Parties down the side, time along the foot: what happened, what runs, what fell due."""
    marks: list[tuple[datetime, str, str, str]] = [
        (one.at, one.party or CASE, HAPPENED, one.what) for one in seen.timeline
    ]
    for one in seen.clocks:
        if one.at is not None and one.state != "met":
            state = FELL if one.state == "fell due" else RUNS
            marks.append((one.at, one.party or CASE, state, one.clock))
    late = {row for _, row, state, _ in marks if state == FELL}
    first = sorted(marks, key=lambda one: (one[1] != CASE, one[1] not in late))
    rows = list(dict.fromkeys(row for _, row, _, _ in first))
    shown = frozenset(rows[:ROWS_MAX])
    drawn = [Mark(at, row, state) for at, row, state, _ in sorted(marks) if row in shown]
    due = sum(state == FELL for _, _, state, _ in marks)
    more = f" The first {ROWS_MAX} of {len(rows)} rows are drawn." if len(rows) > ROWS_MAX else ""
    return Figure(
        caption="What happened and what falls due; the line is the moment at which this was made",
        alt=f"{len(marks)} marks in {len(rows)} rows; {due} clocks fell due.{more}",
        svg=timeline(drawn, STATES, rows[:ROWS_MAX], hour(now), LOOK),
        data=_events(seen),
    )


def _events(seen: CaseView) -> Table:
    return Table(
        "Every entry",
        (Column("When"), Column("Who"), Column("What"), Column("Why, until when")),
        tuple(
            (moment(one.at), one.party or CASE, one.what, f"{one.words} {one.until}".strip())
            for one in seen.timeline
        ),
    )


def _parties(seen: CaseView) -> Table:
    columns = ("Party", "Part", "Answer", "Report", "Fix", "Products", "Told", "First answer")
    return Table(
        "Every party; those who are silent first",
        tuple(Column(one) for one in columns),
        tuple(
            (
                one.name,
                one.role,
                f"{one.affected}{' · SILENT' if one.silent else ''}" or one.word,
                one.word,
                one.fix or "none of its own",
                ", ".join(one.products) or "none named",
                moment(one.told) if one.told else "not told",
                moment(one.answered) if one.answered else "no answer",
            )
            for one in silent_first(seen.parties)
        ),
    )


def _clocks(clocks: Sequence[SeenClock]) -> Table:
    return Table(
        "Every clock",
        (Column("Clock"), Column("Party"), Column("Falls due"), Column("State")),
        tuple(
            (
                one.clock,
                one.party or CASE,
                moment(one.at) if one.at else "paused",
                f"{one.state}{', late' if one.late else ''}",
            )
            for one in clocks
        ),
    )


def _findings(seen: CaseView) -> Table:
    return Table(
        "Every finding that this reader sees",
        (Column("Finding"), Column("Title"), Column("Software"), Column("Weakness"), Column("By")),
        tuple(
            (one.id[:16], one.title, one.purl, one.cwe or "not classified", one.found_by)
            for one in seen.findings
        ),
    )
