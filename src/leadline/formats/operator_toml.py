"""Operators and sectors as data files: who runs an inventory, and the words for its sector."""

from leadline.core.clearing.notice import Sector
from leadline.core.clearing.product import Operator
from leadline.formats.toml_table import open_table


def load_operator(content: bytes, file: str) -> Operator:
    """Read one operator.

    Raises: Invalid, naming file and key, for a missing, unknown or wrong entry.
    """
    root = open_table(content, file)
    operator = Operator(
        id=root.text("id"),
        name=root.text("name"),
        sector=root.text("sector"),
        contact=root.text("contact"),
        sample=root.value("sample", bool),
    )
    root.done()
    return operator


def load_sector(content: bytes, file: str) -> Sector:
    """Read one sector.

    Raises: Invalid, naming file and key, for a missing, unknown or wrong entry.
    """
    root = open_table(content, file)
    sector = Sector(root.text("id"), root.text("title"), root.text("care"), root.text("ask"))
    root.done()
    return sector
