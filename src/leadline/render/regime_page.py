"""The plain page of a law or programme, and several side by side, from regime files and nothing else.

Each sentence cites a clause, so that a reader can check it and a changed file changes the page. The
same file gives the same page.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from leadline.core.engagement.library import Library
from leadline.core.engagement.regime import Event, Participation, Regime, Status
from leadline.core.marking import Tlp
from leadline.render.document import Bullets, Column, Document, Facts, Prose, Section, Table
from leadline.render.regime_words import (
    CONFIDENCE,
    STATUS,
    Said,
    TextOn,
    day_of,
    days,
    is_stale,
    span,
)

_OVER = {Status.SUPERSEDED, Status.REVOKED}


def regime_document(regime: Regime, library: Library, day: date) -> Document:
    """The page, with the names that bodies have on *day*."""
    on = TextOn(regime, library, day)
    told: tuple[tuple[str, str, Iterable[Said]], ...] = (
        ("means", "What it is", (on.standing(), on.in_force(), on.consequences())),
        ("whom", "Whom it speaks to", on.covers()),
        ("do", _heading(regime), _doing(on)),
        ("nothing", "If you do nothing", _nothing(on)),
        ("government", "What the government takes on", _government(on)),
        ("who", "Who decides, and who is only heard", on.people()),
        ("ends", "What ends access", _ending(on)),
        ("silence", "What silence means", on.silence()),
        ("release", "Does somebody decide whether a model comes out?", _release(on)),
        ("training", "Does it look into training?", _training(on)),
        ("why", "Why these days?", _why(on)),
        ("again", "What raises the question again", on.again()),
        ("pack", "What a submission may consist of", on.pack()),
        ("dates", "The text's own dates", on.terms()),
        ("reported", "Reported, and no part of the rules", on.reported()),
        ("contested", "What is contested", on.contested()),
    )
    standing = f"{regime.id} · {STATUS[regime.status]}"
    return Document(
        title=regime.title,
        kicker=standing,
        marking=Tlp.CLEAR.value,
        record=standing,
        at=datetime.combine(regime.last_checked, time(), UTC),
        closing=(
            f"Made from the file of {regime.id} alone, SHA-256 {regime.digest}. It is no legal advice."
        ),
        cover=tuple(_sections(told[:4])),
        sections=(*_sections(told[4:]), _sources(regime, day)),
    )


def _sections(told: Iterable[tuple[str, str, Iterable[Said]]]) -> Iterator[Section]:
    for id_, heading, said in told:
        lines = tuple(one.line() for one in said)
        if lines:
            yield Section(id_, heading, (Bullets(lines),))


def _heading(regime: Regime) -> str:
    """The heading of what a developer does; only a statute in force, or soon to be, says must."""
    if regime.status is Status.NEVER_IN_FORCE:
        return "What it would have asked of a developer, had it come into force"
    if regime.status in _OVER:
        return "What it asked of a developer, while it had effect"
    if regime.participation is Participation.STATUTE:
        return "What you must do where it applies, and by when"
    return "What you may do, and by when"


def _doing(on: TextOn) -> Iterator[Said]:
    said = [*on.anchor(), *on.window(), *on.duties("developer"), *on.reports("developer")]
    yield from said
    if not said:
        yield on.from_file("It asks nothing of a developer", "no [[duties]], no [[reports]]")


def _government(on: TextOn) -> Iterator[Said]:
    yield from on.duties("government")
    yield from on.reports("government")


def _ending(on: TextOn) -> Iterator[Said]:
    rule = on.regime.window
    if rule is None:
        yield on.from_file("It sets no access of its own, and so no end of it", "no [window]")
        return
    ends = f"that time; {days(rule.days_open_max)} after access opened; the end of the agreed terms"
    words = f"Access ends at the earliest of: {ends}; an end by either party; the developer's withdrawal"
    yield on.from_file(words, "[window]; that the earliest counts is Leadline's reading")


def _nothing(on: TextOn) -> Iterator[Said]:
    regime = on.regime
    if not regime.applies(datetime.combine(on.day, time(), UTC)):
        since = regime.in_force.since
        words = f"Nothing follows: on {day_of(on.day)} the text has no effect"
        if since and since > on.day:
            words = f"Nothing follows yet: the text has no effect before {day_of(since)}"
        yield on.from_file(words, "status and in_force")
    elif regime.participation is Participation.VOLUNTARY:
        yield on.from_file("Nothing follows: taking part is voluntary", "participation")
    elif regime.participation is Participation.CONTRACT:
        words = "Nothing follows: it speaks only to those who agreed to it"
        yield on.from_file(words, "participation")
    else:
        words = (
            "Its duties do not wait for an act of yours: they apply where its conditions are met"
        )
        yield on.from_file(words, "participation and [[covers]]")
    yield on.consequences()


def _release(on: TextOn) -> Iterator[Said]:
    regime = on.regime
    one = regime.decides
    if one and regime.status is Status.PRIVATE_PROGRAMME:
        words = "Decided is who takes part in the programme, and nothing about a release"
        yield on.from_source(f"{words}; that decides: {on.body(one.body)}", one.cites)
    elif one:
        words = "There is an answer to record, and no rule of the file makes a release wait for it"
        yield on.from_source(f"{words}; it is recorded by: {on.body(one.body)}", one.cites)
    else:
        words = "The file names nobody who decides anything about a model"
        yield on.from_file(words, "no [decides]")
    if regime.participation is Participation.STATUTE:
        yield from on.duties("government")
    yield on.consequences()
    yield from on.reported()


def _training(on: TextOn) -> Iterator[Said]:
    begun = [one for one in on.regime.reports if one.event is Event.TRAINING_BEGUN]
    for one in begun:
        yield on.from_source(f"It asks for a report about training: {one.words}", one.cites)
    if not begun:
        yield on.from_file("No report of the file begins with training", "[[reports]]")
    if rule := on.regime.window:
        yield on.from_source(
            f"Access is to a model, and the developer gives it: {rule.words}", rule.cites
        )


def _why(on: TextOn) -> Iterator[Said]:
    rule, anchor = on.regime.window, on.regime.anchor
    if rule and anchor:
        least = rule.days_before_anchor_min
        floor = f"{days(least)} were named as the least" if least else "no number is the least"
        words = f"{days(rule.days_open_max)} are the most that access may last, and {floor}"
        yield on.from_source(words, rule.cites)
        yield on.from_source(f"They are counted from one moment: {anchor.words}", anchor.cites)
        yield from on.silence()
    else:
        yield on.from_file("It sets no days of access", "no [window]")
    for one in on.regime.reports:
        if one.within:
            yield on.from_source(f"{span(one.within)}: for the report “{one.id}”", one.cites)


def _sources(regime: Regime, day: date) -> Section:
    old = (
        " That is long ago: read them again before relying on this."
        if is_stale(regime, day)
        else ""
    )
    checked = f"The sources were last checked on {day_of(regime.last_checked)}.{old}"
    sure = f"How sure this reading is, as a whole: {CONFIDENCE[regime.confidence]}."
    table = Table(
        "Sources",
        tuple(map(Column, ("Source", "Citation", "How it was read", "How sure", "Where"))),
        tuple(
            (one.id, one.citation, one.read, CONFIDENCE[one.confidence], one.url)
            for one in regime.sources
        ),
    )
    return Section("sources", "Sources", (Prose(checked), Prose(sure), table))


def regime_table(regime: Regime, library: Library, day: date) -> Document:
    """The file's content as it stands, key by key, each with its citation: for a lawyer to check."""
    on = TextOn(regime, library, day)
    groups = (
        ("anchor", on.anchor()),
        ("window", on.window()),
        ("covers", on.covers()),
        ("decides, consults, advises, recusal", on.people()),
        ("lapse, toll", on.silence()),
        ("duties of the developer", on.duties("developer")),
        ("duties of the government", on.duties("government")),
        ("reports of the developer", on.reports("developer")),
        ("reports of the government", on.reports("government")),
        ("asks_again", on.again()),
        ("pack", on.pack()),
        ("clocks", on.terms()),
        ("statements", on.reported()),
        ("contested", on.contested()),
    )
    rows = tuple((key, one.words, one.cites) for key, said in groups for one in said)
    facts = Facts(
        (
            ("id", regime.id),
            ("status", regime.status.value),
            ("in force", on.in_force().words),
            ("participation", regime.participation.value),
            ("consequences", regime.consequences),
            ("confidence", f"{regime.confidence}: {CONFIDENCE[regime.confidence]}"),
            ("last checked", regime.last_checked.isoformat()),
            ("SHA-256 of the file", regime.digest),
        )
    )
    columns = tuple(map(Column, ("Key", "What it says", "Where it stands")))
    page = regime_document(regime, library, day)
    return Document(
        title=page.title,
        kicker=page.kicker,
        marking=page.marking,
        record=page.record,
        at=page.at,
        closing=page.closing,
        cover=(
            Section("file", "The file", (facts,)),
            Section("entries", "Entries", (Table("Entries", columns, rows),)),
            _sources(regime, day),
        ),
    )


@dataclass(frozen=True, slots=True)
class Row:
    """One thing compared: by regime id, its words, and what they cite."""

    what: str
    values: dict[str, str]
    cites: dict[str, str]


def compared(regimes: Sequence[Regime], library: Library, day: date) -> tuple[Row, ...]:
    """Texts side by side, with the names that bodies have on *day*."""
    readings = [TextOn(regime, library, day) for regime in regimes]
    rows = []
    for what, read in _ROWS.items():
        said = {on.regime.id: tuple(read(on)) for on in readings}
        values = {id_: " ".join(one.words for one in some) for id_, some in said.items()}
        cites = {
            id_: "; ".join(dict.fromkeys(one.cites for one in some)) for id_, some in said.items()
        }
        rows.append(Row(what, values, cites))
    return tuple(rows)


def comparison_document(rows: Sequence[Row], day: date) -> Document:
    """The comparison as a page."""
    sections = tuple(
        Section(
            row.what.replace(" ", "-"),
            row.what.capitalize(),
            (
                Facts(
                    tuple((id_, f"{told} [{row.cites[id_]}]") for id_, told in row.values.items())
                ),
            ),
        )
        for row in rows
    )
    ids = ", ".join(rows[0].values)
    return Document(
        title="Regimes side by side",
        kicker=ids,
        marking=Tlp.CLEAR.value,
        record=f"Regimes as of {day_of(day)}",
        at=datetime.combine(day, time(), UTC),
        closing="Made from the regime files alone. It is no legal advice.",
        cover=sections,
    )


def _floor(on: TextOn) -> Iterator[Said]:
    rule = on.regime.window
    if rule is None:
        yield on.from_file("None", "no [window]")
    else:
        least = rule.days_before_anchor_min
        words = f"{days(least)}, as named; nothing is computed with it" if least else "No least"
        yield on.from_source(words, rule.cites)


def _ceiling(on: TextOn) -> Iterator[Said]:
    rule = on.regime.window
    if rule is None:
        yield on.from_file("None", "no [window]")
    else:
        before, opened = days(rule.days_before_anchor_max), days(rule.days_open_max)
        yield on.from_source(f"From {before} before the anchor, for {opened}", rule.cites)


def _heard(on: TextOn) -> Iterator[Said]:
    heard = (*on.regime.consults, *on.regime.advises)
    for one in heard:
        yield on.from_source(on.body(one.body), one.cites)
    if not heard:
        yield on.from_file("Nobody is named", "no [[consults]], no [[advises]]")


def _decides(on: TextOn) -> Iterator[Said]:
    if one := on.regime.decides:
        more = f", {one.quorum} together" if one.quorum > 1 else ""
        yield on.from_source(f"{on.body(one.body)}{more}", one.cites)
    else:
        yield on.from_file("Nobody about a model", "no [decides]")


def _reports(on: TextOn) -> Iterator[Said]:
    yield from on.reports("developer")
    yield from on.reports("government")
    if not on.regime.reports:
        yield on.from_file("None", "no [[reports]]")


def _anchor(on: TextOn) -> Iterator[Said]:
    yield from on.anchor()
    if on.regime.anchor is None:
        yield on.from_file("None", "no [anchor]")


def _contested(on: TextOn) -> Iterator[Said]:
    yield from on.contested()
    if not on.regime.contested:
        yield on.from_file("Nothing", "no [[contested]]")


def _sure(on: TextOn) -> Iterator[Said]:
    yield on.from_file(CONFIDENCE[on.regime.confidence].capitalize(), "confidence")


def _checked(on: TextOn) -> Iterator[Said]:
    old = ", long ago" if is_stale(on.regime, on.day) else ""
    yield on.from_file(f"{day_of(on.regime.last_checked)}{old}", "last_checked")


_ROWS: dict[str, Callable[[TextOn], Iterable[Said]]] = {
    "standing": lambda on: (on.standing(),),
    "in force": lambda on: (on.in_force(),),
    "whom it speaks to": TextOn.covers,
    "anchor": _anchor,
    "floor": _floor,
    "ceiling": _ceiling,
    "who decides": _decides,
    "who is heard": _heard,
    "reports": _reports,
    "what silence means": TextOn.silence,
    "consequences": lambda on: (on.consequences(),),
    "contested": _contested,
    "confidence": _sure,
    "last checked": _checked,
}
