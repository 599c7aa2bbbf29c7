"""The order of tiers as a data file: who is told when, said before any case."""

from leadline.core.clearing.tiers import Tier, Tiers
from leadline.core.errors import Invalid
from leadline.formats.toml_table import Table, open_table


def load_tiers(content: bytes, file: str) -> Tiers:
    """Read one order of tiers.

    Raises: Invalid, naming file and key, for a missing, unknown or wrong entry.
    """
    root = open_table(content, file)
    tiers = tuple(_tier(table) for table in root.tables("tier"))
    id_, age = root.text("id"), root.value("inventory_days", int)
    details = root.value("details_days", int)
    root.done()
    try:
        return Tiers(id_, age, details, tiers)
    except Invalid as error:
        raise Invalid(f"{file}: {error.field}", error.problem) from None


def _tier(table: Table) -> Tier:
    tier = Tier(
        id=table.text("id"),
        title=table.text("title"),
        sectors=table.texts("sectors"),
        serves=table.value("serves", int),
        advance_days=table.value("advance_days", int),
    )
    table.done()
    return tier
