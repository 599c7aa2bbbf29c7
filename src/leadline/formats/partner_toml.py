"""What is proposed of a partner, as a file that people write and read."""

from leadline.core.engagement.partner import Partner, Stage
from leadline.core.engagement.regime import Party
from leadline.core.errors import Invalid
from leadline.formats.toml_table import Table, open_table

BYTES_MAX = 1 << 18


def load_partner(content: bytes, file: str, proposed_by: Party) -> Partner:
    """Read a partner's file; *proposed_by* is the party of whoever proposes it.

    Raises: Invalid, naming file and key, for a missing, unknown, wrong or oversized entry.
    """
    if len(content) > BYTES_MAX:
        raise Invalid(file, f"is larger than {BYTES_MAX} bytes; assign fewer targets")
    root = open_table(content, file)
    found = Partner(
        organisation=root.text("organisation"),
        tier=root.text("tier"),
        targets=root.texts("targets"),
        stages=tuple(_stage(table) for table in root.tables("stages")),
        expires=root.moment("expires"),
        proposed_by=proposed_by,
    )
    root.done()
    return found


def _stage(table: Table) -> Stage:
    stage = Stage(
        table.texts("capabilities"), table.value("credits", int), table.value("uses_a_day", int)
    )
    table.done()
    return stage
