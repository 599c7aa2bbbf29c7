"""Directives as TOML, beside a file of examples: inputs and events in, outcomes and days out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from leadline.core.clearing.directive import Directive, Facts, Standing, Start, Term
from leadline.core.clearing.ssvc import Table
from leadline.core.errors import Invalid
from leadline.formats import toml_table

CONFIDENCE = frozenset({"P", "2+", "1", "?", "B", "own"})


def load_directive(content: bytes, file: str, tables: Mapping[str, Table]) -> Directive:
    """The directive that *content* states, with its table from *tables*, by id.

    Raises: Invalid, naming *file* and key, for a key that is missing, unknown or wrong, a statement of
    law that cites no source of the file, or a table that is not there.
    """
    root = toml_table.open_table(content, file)
    sources = _sources(root)
    table, effect = root.table("table"), root.table("in_effect")
    start, kev, notice = root.table("start"), root.table("kev"), root.table("notice")
    for part in (table, effect, start):
        _check_cited(part, sources)
    for part in (table, kev, notice):
        _confidence(part)
    root.texts("replaces")
    root.value("issued", date)
    root.value("last_checked", date)
    id_ = table.text("id")
    if id_ not in tables:
        raise table.wrong("id", f"{id_:.80} is none of the tables here: {', '.join(tables)}")
    days = kev.value("age_max_days", int)
    if not 1 <= days <= 365:  # noqa: PLR2004 -- a year
        raise kev.wrong("age_max_days", "give 1 to 365 days")
    told = Directive(
        id=root.text("id"),
        title=root.text("title"),
        binds=root.text("binds"),
        table=tables[id_],
        terms=tuple(_term(entry) for entry in root.tables("outcome")),
        start=start.choice("rule", Start),
        start_confidence=_confidence(start),
        in_effect=effect.value("since", date),
        in_effect_confidence=_confidence(effect),
        kev=kev.text("point"),
        kev_age_max=timedelta(days=days),
        notice=notice.text("title"),
    )
    for part in (table, effect, start, kev, notice, root):
        part.done()
    return told


def _sources(root: toml_table.Table) -> frozenset[str]:
    sources = root.table("sources")
    for key in sorted(sources.keys()):
        entry = sources.table(key)
        entry.text("title")
        entry.text("url")
        entry.done()
    sources.done()
    return sources.keys()


def _check_cited(part: toml_table.Table, sources: frozenset[str]) -> None:
    if part.text("cites") not in sources:
        raise part.wrong("cites", f"is none of the file's sources: {', '.join(sorted(sources))}")


def _confidence(part: toml_table.Table) -> str:
    found = part.text("confidence")
    if found not in CONFIDENCE:
        raise part.wrong("confidence", f"is none of {', '.join(sorted(CONFIDENCE))}")
    return found


def _term(entry: toml_table.Table) -> Term:
    days = entry.optional("days", int)
    told = Term(entry.text("key"), entry.text("words"), days, entry.value("forensics", bool))
    entry.done()
    return told


@dataclass(frozen=True, slots=True)
class Example:
    """One example: the known inputs, and the least and most urgent outcome that follow; *needed* settle.

    With *facts* also the days: what is *owed* and what *sorts*, None where there is none.
    """

    words: str
    known: Mapping[str, str]
    least: str
    most: str
    needed: tuple[str, ...]
    now: datetime | None
    facts: Facts
    standing: Standing | None
    owed: date | None
    sorts: date | None


def load_examples(content: bytes, file: str) -> tuple[Example, ...]:
    """The examples beside a directive; inputs by the ids of the table's points.

    Raises: Invalid, naming *file* and key.
    """
    root = toml_table.open_table(content, file)
    found = tuple(_example(entry) for entry in root.tables("example"))
    root.done()
    if not found:
        raise Invalid(file, "holds no [[example]]")
    return found


def _example(entry: toml_table.Table) -> Example:
    inputs = entry.table("known")
    known = {key: inputs.text(key) for key in sorted(inputs.keys())}
    now, facts, standing = None, Facts(), None
    if "at" in entry:
        now, standing = entry.moment("at"), entry.choice("standing", Standing)
        facts = Facts(
            cve=entry.optional("cve", str) or "",
            embargoed=entry.optional("embargoed", bool) or False,
            bound=entry.optional("bound", bool) or False,
            listed=entry.optional("listed", date),
            detected=entry.moment("detected") if "detected" in entry else None,
            fix=entry.moment("fix") if "fix" in entry else None,
        )
    told = Example(
        words=entry.text("words"),
        known=known,
        least=entry.text("least"),
        most=entry.text("most"),
        needed=entry.texts("needed"),
        now=now,
        facts=facts,
        standing=standing,
        owed=entry.optional("owed", date) if now else None,
        sorts=entry.optional("sorts", date) if now else None,
    )
    inputs.done()
    entry.done()
    return told
