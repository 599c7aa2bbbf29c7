"""The demonstration's people and terms, from their data file."""

from dataclasses import dataclass

from leadline.core.access import Principal
from leadline.core.engagement.terms import WORDS
from leadline.formats.toml_table import Table, open_table


@dataclass(frozen=True, slots=True)
class CastFile:
    """What the file says; *people* by the part they play, each a principal without engagements."""

    title: str
    developer: str
    model: str
    anchor_days: int
    determination_days: int
    publisher: str
    namespace: str
    terms_days: int
    retention_days: int
    terms: dict[str, str]
    people: dict[str, Principal]
    bodies: dict[str, str]


PARTS = ("developer", "evaluator", "official", "coordinator")


def load_cast(content: bytes, file: str) -> CastFile:
    """Read a cast file.

    Raises: Invalid, naming file and key, for a missing, unknown or wrong entry.
    """
    root = open_table(content, file)
    terms, people = root.table("terms"), root.table("people")
    played = {part: people.table(part) for part in PARTS}
    cast = CastFile(
        title=root.text("title"),
        developer=root.text("developer"),
        model=root.text("model"),
        anchor_days=root.value("anchor_days", int),
        determination_days=root.value("determination_days", int),
        publisher=root.text("publisher"),
        namespace=root.text("namespace"),
        terms_days=terms.value("days", int),
        retention_days=terms.value("retention_days", int),
        terms={name: terms.text(name) for name in WORDS},
        people={part: _person(table) for part, table in played.items()},
        bodies={part: table.text("body") for part, table in played.items()},
    )
    for table in (*played.values(), terms, people, root):
        table.done()
    return cast


def _person(table: Table) -> Principal:
    return Principal(
        id=table.text("id"),
        name=table.text("name"),
        org=table.text("org"),
        roles=frozenset(table.texts("roles")),
    )
