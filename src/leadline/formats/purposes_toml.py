"""The vocabulary of purposes, from its data file."""

from leadline.core.engagement.purpose import Purpose, Purposes
from leadline.formats.toml_table import Table, open_table


def load_purposes(content: bytes, file: str) -> Purposes:
    """Read a file of ``[[purposes]]`` tables.

    Raises: Invalid, naming file and key, for a missing, unknown, wrong or repeated entry.
    """
    root = open_table(content, file)
    found = Purposes(tuple(_purpose(table) for table in root.tables("purposes")))
    root.done()
    return found


def _purpose(table: Table) -> Purpose:
    never = table.value("never", bool) if "never" in table else False
    found = Purpose(table.text("id"), table.text("words"), never)
    table.done()
    return found
