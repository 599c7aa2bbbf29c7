"""An engagement on one paper for its determining official: what was measured, both errors, what was not."""

from collections.abc import Iterator
from datetime import datetime
from itertools import zip_longest
from textwrap import shorten

from leadline.app.briefing import Brief, Marked
from leadline.app.marks import Mark
from leadline.core import report as shown
from leadline.render.document import Block, Bullets, Column, Document, Facts, Prose, Section, Table
from leadline.render.words import chance, ends, moment, percent, stated, verdict

DISSENTS, REASON_MAX = 2, 160  # of marks, as many as leave the paper one sheet


def brief_document(found: Brief, at: datetime) -> Document:
    """The brief as a document, for the official paper."""
    return Document(
        title=f"Brief: {found.model}",
        kicker=f"{found.regime.title}, as of {moment(at)}",
        marking="TLP:AMBER+STRICT",
        record=f"Engagement {found.on.id}",
        at=at,
        closing="This paper shows the record; the signed record is what counts.",
        cover=tuple(_sections(found)),
    )


def _sections(found: Brief) -> Iterator[Section]:
    window = found.window
    access = f"ends {moment(window.ends)}" if window.ends else "is not open"
    yield Section(
        "asked",
        "What is asked",
        (
            Prose(f"Whether {found.model} is covered, under {found.regime.id}. {_silence(found)}"),
            Facts((("Government access", access), ("State", found.word.value))),
        ),
    )
    yield Section("measured", "What was measured", tuple(_measured(found)))
    if found.marked:
        heading = f"Marked as invalid: {len(found.marked.marks)}"
        yield Section("marked", heading, tuple(_marked(found.marked)))
    yield Section("not-measured", "What was not measured", (Bullets(found.not_measured),))
    yield Section("positions", "Who said what", tuple(_positions(found)))


def _silence(found: Brief) -> str:
    return f"Taking part is {found.regime.participation.value}; silence changes nothing."


def _measured(found: Brief) -> Iterator[Block]:
    if found.decision is None:
        yield Prose("No decision stands in the record of this installation.", strong=True)
    else:
        yield Prose(stated(found.decision), strong=True)
        yield Prose(verdict(found.decision))
        yield Facts(tuple(errors(found.decision)))
    rows = tuple(_family_rows(found))
    if rows:
        last = (Column("Without marked", number=True),) if found.marked else ()
        columns = (
            Column("Suite and family"),
            Column("Solved", number=True),
            Column("Interval"),
            *last,
        )
        yield Table("Share solved by family, with 95 % intervals", columns, rows)


def errors(decision: shown.Decision) -> Iterator[tuple[str, str]]:
    """Both errors as counts of cases, with the criteria and how many samples there were."""
    yield "Says “above” wrongly", f"at most {chance(decision.alpha_above)}"
    yield "Says “below” wrongly", f"at most {chance(decision.alpha_below)}"
    yield "Samples", f"{decision.samples_used:,} of {decision.samples_total:,}"
    yield "Criteria", f"{decision.criteria}; threshold {percent(decision.threshold)}"


def _family_rows(found: Brief) -> Iterator[tuple[str, ...]]:
    less = found.marked.suites if found.marked else ()
    for suite, other in zip_longest(found.suites, less):
        for one, left in zip_longest(suite.families, other.families if other else ()):
            told = ends(one.interval) if one.attempted else "unknown"
            last = (f"{left.solved} of {left.attempted}",) if left else ()
            yield f"{suite.name}: {one.name}", f"{one.solved} of {one.attempted}", told, *last


def _marked(found: Marked) -> Iterator[Block]:
    by = ", ".join(f"{number} by {person}" for person, number in sorted(found.by.items()))
    without = found.decision
    told = (
        f"is {without.state.value}, after {without.samples_used:,} of {without.samples_total:,} samples"
        if without
        else "cannot be computed here"
    )
    yield Prose(
        f"{by}; somebody dissents from {len(found.disputed) or 'none'}. Nothing sealed is taken out: the "
        f"figures above count every attempt. Without the marked ones the decision {told}."
    )
    yield from (Prose(_dissent(one)) for one in found.disputed[:DISSENTS])
    if (more := len(found.disputed) - DISSENTS) > 0:
        yield Prose(f"Further marks with a dissent: {more}.")


def _dissent(one: Mark) -> str:
    said = one.dissents[0]
    reason = shorten(said.reason, REASON_MAX, placeholder="…")
    return f"Dissent of {said.person} from the mark on {one.item}: {reason}"


def _positions(found: Brief) -> Iterator[Block]:
    if not found.proposals and not found.given:
        yield Prose("Nothing is proposed or recorded yet. That decides nothing.")
    for given in found.given:
        made = given.determination
        yield Prose(f"Recorded {moment(given.recorded.act.at)}: {made.answer.value}.", strong=True)
        yield Prose(f"It speaks until {moment(made.expires)}; asked again by: {made.trigger}.")
        yield from (Prose(f"Dissent of {one.person}: {one.reasons}") for one in given.dissents)
    for stands in found.proposals:
        if not stands.recorded:
            answer = stands.determination.answer.value
            yield Prose(f"Proposed by {stands.proposal.by}: {answer}.", strong=True)
            yield from (Prose(f"Dissent of {one.person}: {one.reasons}") for one in stands.dissents)
