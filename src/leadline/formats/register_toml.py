"""The dated register as TOML: kinds of entries, entries as people write them, and examples of both.

A reader knows every key by name and refuses any other.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TypeVar, get_args

from leadline.core.engagement.regime import Confidence
from leadline.core.engagement.register import (
    Effect,
    Entry,
    EntryKind,
    Keeper,
    Mark,
    Part,
    Proof,
    Relation,
    Rule,
)
from leadline.core.errors import Invalid
from leadline.formats.toml_table import Table, open_table

ENTRIES_MAX = 10_000
W = TypeVar("W", bound=StrEnum)


def load_kind(content: bytes, file: str) -> EntryKind:
    """The kind that *content* states; *file* is the name that errors give.

    Raises: Invalid, naming file and key.
    """
    root = open_table(content, file)
    relations = dict(_rule(table) for table in root.tables("relation"))
    try:
        kind = EntryKind(
            root.text("id"),
            root.text("title"),
            root.text("words"),
            root.value("public", bool),
            frozenset(_words(root, "kept_by", Keeper)),
            frozenset(_words(root, "needs", Part)),
            root.value("evidence", str),
            relations,
        )
    except Invalid as error:
        raise _named(file, error) from error
    root.done()
    return kind


def load_entries(content: bytes, file: str) -> tuple[Entry, ...]:
    """The ``[[entry]]`` tables of a file, in the order written.

    Raises: Invalid, naming file and key, also for a file without an entry.
    """
    root = open_table(content, file)
    found = _entries(root)
    root.done()
    try:
        for one in found:
            one.check()
    except Invalid as error:
        raise _named(file, error) from error
    return found


@dataclass(frozen=True, slots=True)
class Expected:
    """What holds of one entry on the example's day. *because* is part of the reason, if there is one."""

    entry: str
    in_effect: bool
    because: str
    exempt: tuple[str, ...]
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Example:
    """Entries and what follows from them on one day; or the refusal, where *refused* has its words."""

    says: str
    on: date
    entries: tuple[Entry, ...]
    expected: tuple[Expected, ...]
    refused: str


def load_examples(content: bytes, file: str) -> tuple[str, tuple[Example, ...]]:
    """The id of the kind that the examples are of, and the examples.

    Raises: Invalid, naming file and key.
    """
    root = open_table(content, file)
    kind = root.text("kind")
    examples = tuple(_example(table) for table in root.tables("example"))
    if not examples:
        raise root.wrong("example", "give at least one [[example]]")
    root.done()
    return kind, examples


def kinds_of(files: Mapping[str, bytes]) -> dict[str, EntryKind]:
    """Kinds by id, from files by name.

    Raises: Invalid, naming the file, for one that is not named after its kind.
    """
    found = dict[str, EntryKind]()
    for name, content in files.items():
        kind = load_kind(content, name)
        if name != f"{kind.id}.toml":
            raise Invalid(name, f"it states the kind {kind.id!r}; name the file {kind.id}.toml")
        found[kind.id] = kind
    return found


def _example(table: Table) -> Example:
    example = Example(
        table.text("says"),
        table.value("on", date),
        _entries(table),
        tuple(_expected(one) for one in table.tables("expect")),
        table.text("refused") if "refused" in table else "",
    )
    if bool(example.expected) == bool(example.refused):
        raise table.wrong("expect", "give [[expect]] tables, or the words of the refusal")
    table.done()
    return example


def _expected(table: Table) -> Expected:
    expected = Expected(
        table.text("entry"),
        table.value("in_effect", bool),
        table.text("because") if "because" in table else "",
        table.texts("exempt"),
        tuple(_words(table, "marks", Mark)),
    )
    table.done()
    return expected


def _rule(table: Table) -> tuple[str, Rule]:
    rule = Rule(table.choice("effect", Effect), frozenset(table.texts("to")), table.text("words"))
    found = table.text("how"), rule
    table.done()
    return found


def _entries(table: Table) -> tuple[Entry, ...]:
    tables = table.tables("entry")
    if not 0 < len(tables) <= ENTRIES_MAX:
        raise table.wrong("entry", f"give one to {ENTRIES_MAX} [[entry]] tables")
    return tuple(_entry(one) for one in tables)


def _entry(table: Table) -> Entry:
    def words(name: str) -> str:
        return table.text(name) if name in table else ""

    entry = Entry(
        id=table.text("id"),
        kind=table.text("kind"),
        title=table.text("title"),
        since=table.value("since", date),
        authority=words("authority"),
        scope=words("scope"),
        until=table.optional("until", date),
        due=table.optional("due", date),
        done=table.optional("done", date),
        version=words("version"),
        cites=words("cites"),
        confidence=_confidence(table),
        note=words("note"),
        relates=tuple(_relation(one) for one in table.tables("relates")),
        evidence=tuple(_proof(one) for one in table.tables("evidence")),
        org=words("org"),
        ended=words("ended"),
    )
    table.done()
    return entry


def _relation(table: Table) -> Relation:
    relation = Relation(table.text("how"), table.text("to"))
    table.done()
    return relation


def _proof(table: Table) -> Proof:
    proof = Proof(table.text("digest"), table.text("what"), table.moment("at"), table.text("by"))
    table.done()
    return proof


def _confidence(table: Table) -> Confidence:
    found = table.text("confidence")
    for mark in get_args(Confidence):
        if found == mark:
            return mark  # type: ignore[no-any-return] # get_args gives the literal's own values
    raise table.wrong("confidence", f"{found!r} is none of {', '.join(get_args(Confidence))}")


def _words(table: Table, name: str, words: type[W]) -> list[W]:
    found = table.texts(name)
    for one in found:
        if one not in set(words):
            raise table.wrong(name, f"{one!r} is none of {', '.join(words)}")
    return [words(one) for one in found]


def _named(file: str, error: Invalid) -> Invalid:
    return Invalid(f"{file}: {error.field}", error.problem)
