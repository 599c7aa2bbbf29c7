"""Regime files: one law or programme as TOML. Its examples are read by `regime_examples`.

A reader knows every key by name and refuses any other. Each entry that states law carries `cites`, the
id of one of the file's sources; bodies are ids of the bodies' file. No pause or hold exists in
Leadline; a file may only *quote* a claim of one, as a root table of that name with `words` and
`cites`, and nothing reads it. A toll exists where a text is cited for it, and names the reports it
moves.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from math import isfinite
from typing import get_args

from leadline.core.engagement.regime import (
    AccessRule,
    Anchor,
    AskAgain,
    Body,
    Clause,
    Condition,
    Confidence,
    Contest,
    Decider,
    Duty,
    Event,
    Fact,
    InForce,
    PackPart,
    Participation,
    Party,
    Regime,
    Report,
    Source,
    Statement,
    Status,
    Term,
    Toll,
    Trigger,
    Unit,
)
from leadline.formats.toml_table import Table, open_table

QUOTED_ONLY = ("pause", "hold")
PUBLIC = "public"  # to whom a publication is; no body
NUMBERS = frozenset({Fact.TRAINING_OPERATIONS, Fact.YEARLY_REVENUE})
YES_OR_NO = frozenset({Fact.OPEN_WEIGHTS, Fact.DETERMINATION})
NARROWED = frozenset({Event.INCIDENT_KNOWN, Event.INCIDENT_RESOLVED, Event.FIX_AVAILABLE})
LIMIT = 100_000  # days and other counts; far beyond any law, and within what dates can hold
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class _Known:
    """What an entry may refer to; *bodies* is None where nobody knows them."""

    sources: frozenset[str]
    bodies: frozenset[str] | None
    classes: frozenset[str] = frozenset()


def load_regime(content: bytes, file: str, bodies: Collection[str] | None = None) -> Regime:
    """The regime that *content* states; *file* is the name that errors give.

    *bodies* are the ids that the bodies' file knows; without it any id will do.

    Raises: Invalid, naming file and key, for an unknown, missing or mistyped key, a citation of no
    source, a body, report or class that is not there, two entries of one id, numbers or days that
    contradict each other, or a toll, pause or hold without its citation.
    """
    root = open_table(content, file)
    sources = tuple(_source(table) for table in root.tables("sources"))
    if not sources:
        raise root.wrong("sources", "a regime cites at least one source")
    _once(root, "sources", (source.id for source in sources))
    ids = None if bodies is None else frozenset(bodies)
    known = _Known(frozenset(source.id for source in sources), ids)
    covers = tuple(_condition(table, known) for table in root.tables("covers"))
    known = _Known(known.sources, ids, frozenset(one.of for one in covers if one.of))
    reports = tuple(_report(table, known) for table in root.tables("reports"))
    _once(root, "reports", (report.id for report in reports))
    consequences = _clause(root.table("consequences"), known)
    clocks = tuple(_term(table, known) for table in root.tables("clocks"))
    _once(root, "clocks", (clock.id for clock in clocks))
    regime = Regime(
        id=_id(root, "id"),
        title=root.text("title"),
        digest=sha256(content).hexdigest(),
        status=root.choice("status", Status),
        in_force=_in_force(root.table("in_force"), known),
        participation=root.choice("participation", Participation),
        consequences=consequences.words,
        consequences_cites=consequences.cites,
        confidence=_confidence(root),
        last_checked=root.value("last_checked", date),
        sources=sources,
        anchor=_anchor(root.table("anchor"), known) if "anchor" in root else None,
        window=_window(root.table("window"), known) if "window" in root else None,
        decides=_decider(root.table("decides"), known) if "decides" in root else None,
        consults=tuple(_body(table, known) for table in root.tables("consults")),
        advises=tuple(_body(table, known) for table in root.tables("advises")),
        duties=tuple(_duty(table, known) for table in root.tables("duties")),
        clocks=clocks,
        statements=tuple(_statement(root, name, known) for name in QUOTED_ONLY if name in root),
        covers=covers,
        recusal=_clause(root.table("recusal"), known) if "recusal" in root else None,
        lapse=_clause(root.table("lapse"), known) if "lapse" in root else None,
        asks_again=tuple(_ask_again(table, known) for table in root.tables("asks_again")),
        reports=reports,
        pack=tuple(_part(table, known) for table in root.tables("pack")),
        toll=_toll(root, known, reports) if "toll" in root else None,
        contested=tuple(_contest(table, known) for table in root.tables("contested")),
        supersedes=_digest(root, "supersedes") if "supersedes" in root else "",
    )
    if regime.window and not regime.anchor:
        raise root.wrong("window", "an access window is counted from an [anchor]; state it")
    root.done()
    return regime


def _in_force(table: Table, known: _Known) -> InForce:
    since, until = _days(table)
    words = table.text("words") if "words" in table else ""
    days = InForce(since, until, words, _cites(table, known))
    table.done()
    return days


def _days(table: Table) -> tuple[date | None, date | None]:
    since, until = table.optional("since", date), table.optional("until", date)
    if since and until and until < since:
        raise table.wrong("until", f"{until} is before since, {since}; exchange or correct them")
    return since, until


def _condition(table: Table, known: _Known) -> Condition:
    fact = table.choice("fact", Fact)
    tests = [name for name in ("above", "at_least", "any_of", "yes") if name in table]
    if len(tests) != 1:
        raise table.wrong("fact", "give exactly one of above, at_least, any_of and yes")
    (test,) = tests
    fits = (
        {"above", "at_least"} if fact in NUMBERS else {"yes"} if fact in YES_OR_NO else {"any_of"}
    )
    if test not in fits:
        raise table.wrong(test, f"does not fit {fact.value}; use {' or '.join(sorted(fits))}")
    words = table.texts("any_of")
    if test == "any_of" and not words:
        raise table.wrong("any_of", "is empty; name at least one answer")
    condition = Condition(
        fact,
        table.text("words"),
        _cites(table, known),
        _number(table, "above"),
        _number(table, "at_least"),
        words,
        table.optional("yes", bool),
        _id(table, "of") if "of" in table else "",
    )
    table.done()
    return condition


def _number(table: Table, name: str) -> float | None:
    found = table.optional(name, float)
    if found is not None and not (isfinite(found) and found >= 0):
        raise table.wrong(name, f"{found} is no number that an answer can be compared with")
    return found


def _anchor(table: Table, known: _Known) -> Anchor:
    anchor = Anchor(
        _id(table, "id"), table.text("words"), party(table, "set_by"), _cites(table, known)
    )
    table.done()
    return anchor


def _window(table: Table, known: _Known) -> AccessRule:
    names = ("days_before_anchor_max", "days_open_max")
    before, opened = (_count(table, name) for name in names)
    floor = 0
    if "days_before_anchor_min" in table:
        floor = _count(table, "days_before_anchor_min")
    if floor > before:
        problem = f"a floor of {floor} days is above the ceiling of {before}; correct one"
        raise table.wrong("days_before_anchor_min", problem)
    rule = AccessRule(before, opened, table.text("words"), _cites(table, known), floor)
    table.done()
    return rule


def _count(table: Table, name: str) -> int:
    found = table.value(name, int)
    if not 1 <= found <= LIMIT:
        raise table.wrong(name, f"{found} is not from 1 to {LIMIT}; leave the entry out instead")
    return found


def _body(table: Table, known: _Known) -> Body:
    body = Body(table.text("role"), _body_id(table, "body", known), _cites(table, known))
    table.done()
    return body


def _body_id(table: Table, name: str, known: _Known) -> str:
    found = _id(table, name)
    if known.bodies is not None and found not in known.bodies:
        raise table.wrong(name, f"{found!r} is no body that bodies.toml knows; add it there")
    return found


def _decider(table: Table, known: _Known) -> Decider:
    concurs = table.texts("concurs")
    decider = Decider(
        _id(table, "role"),
        _body_id(table, "body", known),
        _cites(table, known),
        _count(table, "quorum") if "quorum" in table else 1,
        concurs,
        table.optional("reconsiders", bool) or False,
    )
    if decider.quorum > 1 and not concurs:
        raise table.wrong(
            "quorum", "more than one decide only with the roles that concur; name them"
        )
    table.done()
    return decider


def _clause(table: Table, known: _Known) -> Clause:
    clause = Clause(table.text("words"), _cites(table, known))
    table.done()
    return clause


def _duty(table: Table, known: _Known) -> Duty:
    duty = Duty(
        party(table, "who"),
        table.text("words"),
        _cites(table, known),
        _class(table, known),
        table.optional("since", date),
    )
    table.done()
    return duty


def _class(table: Table, known: _Known) -> str:
    """A class of developers that [[covers]] entries of the file define with `of`."""
    if "only" not in table:
        return ""
    found = table.text("only")
    if found not in known.classes:
        raise table.wrong("only", f"no [[covers]] entry of the file says what {found!r} is (`of`)")
    return found


def _term(table: Table, known: _Known) -> Term:
    term = Term(
        _id(table, "id"),
        table.text("starts_at"),
        _count(table, "days"),
        table.text("words"),
        _cites(table, known),
        table.optional("due", date),
    )
    table.done()
    return term


def _report(table: Table, known: _Known) -> Report:
    to = PUBLIC if table.text("to") == PUBLIC else _body_id(table, "to", known)
    report = Report(
        id=_id(table, "id"),
        who=party(table, "who"),
        event=table.choice("event", Event),
        to=to,
        words=table.text("words"),
        cites=_cites(table, known),
        within=_span(table, "within") if "within" in table else None,
        every=_span(table, "every") if "every" in table else None,
        until=table.choice("until", Event) if "until" in table else None,
        categories=_words(table, "categories"),
        parts=table.texts("parts"),
        only=_class(table, known),
        keep_years=_count(table, "keep_years") if "keep_years" in table else 0,
    )
    if report.until and not report.every:
        raise table.wrong("until", "ends a series; give `every`, or leave it out")
    if report.categories and report.event not in NARROWED:
        raise table.wrong(
            "categories", f"narrow an incident or its fix; {report.event.value} is none"
        )
    table.done()
    return report


def _span(table: Table, name: str) -> tuple[int, Unit]:
    """A length of time, such as ``{ days = 15 }``."""
    span = table.table(name)
    units = [unit for unit in Unit if unit in span]
    if len(units) != 1:
        raise table.wrong(name, f"give one of {', '.join(Unit)}, such as {{ days = 15 }}")
    length = _count(span, units[0])
    span.done()
    return length, units[0]


def _words(table: Table, name: str) -> tuple[str, ...]:
    found = table.texts(name)
    for word in found:
        if not _ID.fullmatch(word):
            raise table.wrong(name, f"{word!r} is no short word; use a-z, 0-9 and hyphens")
    return found


def _ask_again(table: Table, known: _Known) -> AskAgain:
    found = AskAgain(table.choice("trigger", Trigger), table.text("words"), _cites(table, known))
    table.done()
    return found


def _part(table: Table, known: _Known) -> PackPart:
    part = PackPart(_id(table, "part"), table.text("words"), _cites(table, known))
    table.done()
    return part


def _toll(root: Table, known: _Known, reports: tuple[Report, ...]) -> Toll:
    table = root.table("toll")
    if "cites" not in table:
        problem = "a clock stands still only where a text says so; give reports, words and cites"
        raise root.wrong("toll", problem)
    toll = Toll(table.texts("reports"), table.text("words"), _cites(table, known))
    if not toll.reports:
        raise table.wrong("reports", "name the reports of this file whose clocks it moves")
    for id_ in toll.reports:
        if id_ not in {report.id for report in reports}:
            raise table.wrong("reports", f"{id_!r} is no [[reports]] id of this file")
    table.done()
    return toll


def _contest(table: Table, known: _Known) -> Contest:
    since, until = _days(table)
    contest = Contest(table.text("words"), _cites(table, known), since, until)
    table.done()
    return contest


def _statement(root: Table, name: str, known: _Known) -> Statement:
    table = root.table(name)
    if "cites" not in table:
        problem = f"no {name} exists here; a file may only quote one, with words and cites"
        raise root.wrong(name, problem)
    statement = Statement(name, table.text("words"), _cites(table, known))
    table.done()
    return statement


def _source(table: Table) -> Source:
    source = Source(
        _id(table, "id"),
        table.text("citation"),
        table.text("url") if "url" in table else "",
        table.text("read"),
        _confidence(table),
    )
    table.done()
    return source


def _cites(table: Table, known: _Known) -> str:
    cited = table.text("cites")
    if cited not in known.sources:
        raise table.wrong("cites", f"{cited!r} is no [[sources]] id of this file")
    return cited


def _confidence(table: Table) -> Confidence:
    found = table.text("confidence")
    for mark in get_args(Confidence):
        if found == mark:
            return mark  # type: ignore[no-any-return] # get_args gives the literal's own values
    raise table.wrong("confidence", f"{found!r} is none of {', '.join(get_args(Confidence))}")


def party(table: Table, name: str) -> Party:
    """Whose side: the developer's or the government's."""
    match table.text(name):
        case "developer":
            return "developer"
        case "government":
            return "government"
        case other:
            raise table.wrong(name, f"{other!r} is neither developer nor government")


def _id(table: Table, name: str) -> str:
    found = table.text(name)
    if not _ID.fullmatch(found):
        raise table.wrong(name, f"{found!r} is no id; use a-z, 0-9 and hyphens")
    return found


def _digest(table: Table, name: str) -> str:
    found = table.text(name)
    if not _DIGEST.fullmatch(found):
        raise table.wrong(name, "give the SHA-256 of the older file, 64 hexadecimal digits")
    return found


def _once(root: Table, name: str, ids: Iterable[str]) -> None:
    seen = set[str]()
    for id_ in ids:
        if id_ in seen:
            raise root.wrong(name, f"two entries have the id {id_!r}; rename one")
        seen.add(id_)
