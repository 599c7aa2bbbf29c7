"""Regime files: one law or programme as TOML, beside a file of examples.

A reader knows every key by name and refuses any other. Each entry that states law carries `cites`, the
id of one of the file's sources. No toll, pause or hold exists in Leadline; a file may only *quote* a
claim of one, as a root table of that name with `words` and `cites`, and nothing reads it.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from hashlib import sha256
from typing import get_args

from leadline.core.engagement.clock import EndedBy
from leadline.core.engagement.engagement import State
from leadline.core.engagement.regime import (
    AccessRule,
    Anchor,
    Body,
    Confidence,
    Decider,
    Duty,
    InForce,
    Participation,
    Party,
    Regime,
    Source,
    Statement,
    Status,
    Term,
)
from leadline.formats.toml_table import Table, open_table

QUOTED_ONLY = ("toll", "pause", "hold")


def load_regime(content: bytes, file: str) -> Regime:
    """The regime that *content* states; *file* is the name that errors give.

    Raises: Invalid, naming file and key, for an unknown, missing or mistyped key, a citation of no
    source, or a toll, pause or hold without its citation.
    """
    root = open_table(content, file)
    sources = tuple(_source(table) for table in root.tables("sources"))
    if not sources:
        raise root.wrong("sources", "a regime cites at least one source")
    known = frozenset(source.id for source in sources)
    regime = Regime(
        id=root.text("id"),
        title=root.text("title"),
        digest=sha256(content).hexdigest(),
        status=root.choice("status", Status),
        in_force=_in_force(root.table("in_force")),
        participation=root.choice("participation", Participation),
        consequences=root.text("consequences"),
        confidence=_confidence(root),
        last_checked=root.value("last_checked", date),
        sources=sources,
        anchor=_anchor(root.table("anchor"), known) if "anchor" in root else None,
        window=_window(root.table("window"), known) if "window" in root else None,
        decides=_decider(root.table("decides"), known) if "decides" in root else None,
        consults=tuple(_body(table, known) for table in root.tables("consults")),
        duties=tuple(_duty(table, known) for table in root.tables("duties")),
        clocks=tuple(_term(table, known) for table in root.tables("clocks")),
        statements=tuple(_statement(root, name, known) for name in QUOTED_ONLY if name in root),
    )
    if regime.window and not regime.anchor:
        raise root.wrong("window", "an access window is counted from an [anchor]; state it")
    root.done()
    return regime


def _in_force(table: Table) -> InForce:
    days = InForce(table.optional("since", date), table.optional("until", date))
    table.done()
    return days


def _anchor(table: Table, known: frozenset[str]) -> Anchor:
    anchor = Anchor(
        table.text("id"), table.text("words"), _party(table, "set_by"), _cites(table, known)
    )
    table.done()
    return anchor


def _window(table: Table, known: frozenset[str]) -> AccessRule:
    names = ("days_before_anchor_max", "days_open_max")
    before, opened = (table.value(name, int) for name in names)
    for name, days in zip(names, (before, opened), strict=True):
        if days < 1:
            raise table.wrong(name, f"{days} days leave no window; leave [window] out instead")
    rule = AccessRule(before, opened, table.text("words"), _cites(table, known))
    table.done()
    return rule


def _body(table: Table, known: frozenset[str]) -> Body:
    body = Body(table.text("role"), table.text("body"), _cites(table, known))
    table.done()
    return body


def _decider(table: Table, known: frozenset[str]) -> Decider:
    decider = Decider(table.text("role"), table.text("body"), _cites(table, known))
    table.done()
    return decider


def _duty(table: Table, known: frozenset[str]) -> Duty:
    duty = Duty(_party(table, "who"), table.text("words"), _cites(table, known))
    table.done()
    return duty


def _term(table: Table, known: frozenset[str]) -> Term:
    term = Term(
        table.text("id"),
        table.text("starts_at"),
        table.value("days", int),
        table.text("words"),
        _cites(table, known),
        table.optional("due", date),
    )
    table.done()
    return term


def _statement(root: Table, name: str, known: frozenset[str]) -> Statement:
    table = root.table(name)
    if "cites" not in table:
        problem = f"no {name} exists here; a file may only quote one, with words and cites"
        raise root.wrong(name, problem)
    statement = Statement(name, table.text("words"), _cites(table, known))
    table.done()
    return statement


def _source(table: Table) -> Source:
    source = Source(
        table.text("id"),
        table.text("citation"),
        table.text("url"),
        table.text("read"),
        _confidence(table),
    )
    table.done()
    return source


def _cites(table: Table, known: frozenset[str]) -> str:
    cited = table.text("cites")
    if cited not in known:
        raise table.wrong("cites", f"{cited!r} is no [[sources]] id of this file")
    return cited


def _confidence(table: Table) -> Confidence:
    found = table.text("confidence")
    for mark in get_args(Confidence):
        if found == mark:
            return mark  # type: ignore[no-any-return] # get_args gives the literal's own values
    raise table.wrong("confidence", f"{found!r} is none of {', '.join(get_args(Confidence))}")


def _party(table: Table, name: str) -> Party:
    match table.text(name):
        case "developer":
            return "developer"
        case "government":
            return "government"
        case other:
            raise table.wrong(name, f"{other!r} is neither developer nor government")


class Did(StrEnum):
    """What a party does in an example, in the words of the record."""

    INQUIRY_LODGED = "inquiry.lodged"
    ANCHOR_SET = "anchor.set"
    TERMS_AGREED = "terms.agreed"
    ACCESS_OPENED = "access.opened"
    ACCESS_EXTENDED = "access.extended"
    ACCESS_ENDED = "access.ended"
    ENGAGEMENT_ENDED = "engagement.ended"
    ENGAGEMENT_WITHDRAWN = "engagement.withdrawn"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing done in an example. *time* is the anchor, the expiry or the extension's end.

    *refused* is a part of the refusal's words, empty where the act is recorded.
    """

    at: datetime
    by: Party
    did: Did
    time: datetime | None
    refused: str


@dataclass(frozen=True, slots=True)
class Expected:
    """The dates and the word that follow; None where there is no such date."""

    opens_not_before: datetime | None
    ends: datetime | None
    ended_by: EndedBy | None
    asked_at: datetime
    state: State


@dataclass(frozen=True, slots=True)
class Example:
    """A story with its outcome, in terms that a lawyer can check against the text."""

    says: str
    steps: tuple[Step, ...]
    expected: Expected


_TIMES = {
    Did.ANCHOR_SET: "anchor",
    Did.TERMS_AGREED: "expires",
    Did.ACCESS_EXTENDED: "until",
}


def load_examples(content: bytes, file: str) -> tuple[str, tuple[Example, ...]]:
    """The id of the regime that the examples are of, and the examples.

    Raises: Invalid, naming file and key, as `load_regime`.
    """
    root = open_table(content, file)
    regime = root.text("regime")
    examples = tuple(_example(table) for table in root.tables("example"))
    if not examples:
        raise root.wrong("example", "give at least one [[example]]")
    root.done()
    return regime, examples


def _example(table: Table) -> Example:
    expect = table.table("expect")
    expected = Expected(
        expect.moment("opens_not_before") if "opens_not_before" in expect else None,
        expect.moment("ends") if "ends" in expect else None,
        expect.choice("ended_by", EndedBy) if "ended_by" in expect else None,
        expect.moment("asked_at"),
        expect.choice("state", State),
    )
    expect.done()
    example = Example(
        table.text("says"), tuple(_step(one) for one in table.tables("act")), expected
    )
    table.done()
    return example


def _step(table: Table) -> Step:
    did = table.choice("did", Did)
    step = Step(
        table.moment("at"),
        _party(table, "by"),
        did,
        table.moment(_TIMES[did]) if did in _TIMES else None,
        table.text("refused") if "refused" in table else "",
    )
    table.done()
    return step
