"""The bodies' file: each body under a stable id, with the names it has had and from when.

Regimes name ids. A new name is one more `[[body.name]]` with its first day; the name before it ends
there by itself.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from leadline.core.engagement.library import Body, Name
from leadline.formats.toml_table import Table, open_table


def load_bodies(content: bytes, file: str) -> Mapping[str, Body]:
    """The bodies by their ids; *file* is the name that errors give.

    Raises: Invalid, naming file and key, for an unknown, missing or mistyped key, a citation of no
    source, a body that stands twice or has no name, or names that are not in the order of their days.
    """
    root = open_table(content, file)
    sources = frozenset(_source(table) for table in root.tables("sources"))
    bodies = dict[str, Body]()
    for table in root.tables("body"):
        body = _body(table, sources)
        if body.id in bodies:
            raise table.wrong("id", f"{body.id!r} stands twice; put its names under one entry")
        bodies[body.id] = body
    root.done()
    return bodies


def load_name_examples(content: bytes, file: str) -> tuple[tuple[str, date, str], ...]:
    """Examples: an id, a day, and what the body was called on it.

    Raises: Invalid, naming file and key.
    """
    root = open_table(content, file)
    found = tuple(_example(table) for table in root.tables("example"))
    if not found:
        raise root.wrong("example", "give at least one [[example]]")
    root.done()
    return found


def _example(table: Table) -> tuple[str, date, str]:
    found = table.text("body"), table.value("on", date), table.text("called")
    table.done()
    return found


def _source(table: Table) -> str:
    id_ = table.text("id")
    for name in ("citation", "read", "confidence"):
        table.text(name)
    if "url" in table:
        table.text("url")
    table.done()
    return id_


def _body(table: Table, sources: frozenset[str]) -> Body:
    id_, names = table.text("id"), list[Name]()
    for one in table.tables("name"):
        since = one.value("since", date) if names else one.optional("since", date)
        if names and since and names[-1].since and since <= names[-1].since:
            raise one.wrong("since", f"{since} is not after the name before it; order them by day")
        cites = one.text("cites")
        if cites not in sources:
            raise one.wrong("cites", f"{cites!r} is no [[sources]] id of this file")
        names.append(Name(one.text("text"), since, None, cites))
        one.done()
    if not names:
        raise table.wrong("name", "a body has at least one [[body.name]]")
    table.done()
    ends = [name.since for name in names[1:]]
    closed = [replace(name, until=end) for name, end in zip(names, [*ends, None], strict=True)]
    return Body(id_, tuple(closed))
