"""The table of makers and all their names: `data/makers.toml`."""

import tomllib

from leadline.core.clearing.makers import Maker
from leadline.core.errors import Invalid
from leadline.formats.document import items, records, text, texts

FORMAT = "makers_toml"


def load(data: bytes, name: str = "makers.toml") -> tuple[Maker, ...]:
    """Every maker of the table.

    Raises: Invalid, naming the entry, if it is no TOML, an id stands twice, or an entry has no id, names
    or source.
    """
    try:
        table = tomllib.loads(data.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise Invalid(name, f"no TOML: {error}") from None
    found: dict[str, Maker] = {}
    for place, entry in enumerate(records(table.get("maker")), 1):
        held = Maker(
            text(entry.get("id")), texts(list(items(entry.get("names")))), text(entry.get("source"))
        )
        if not held.id or not held.names or not held.source.strip():
            raise Invalid(f"{name}: maker {place}", "needs an id, names and a source")
        if held.id in found:
            raise Invalid(f"{name}: maker {place}", f"{held.id!r} stands twice")
        found[held.id] = held
    return tuple(found.values())
