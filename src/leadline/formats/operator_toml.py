"""Operators and sectors as data files: who runs an inventory, and the words for its sector."""

import tomllib
from collections.abc import Mapping

from leadline.core.clearing.notice import Sector
from leadline.core.clearing.product import Operator
from leadline.core.errors import Invalid

FORMAT = "operator_toml"


def parse_operator(data: bytes, name: str) -> Operator:
    """Read one operator.

    Raises: Invalid, if the file is no TOML, or lacks a key, or has one that is unknown or no text.
    """
    held = _table(data, name, {"id", "name", "sector", "contact"}, {"sample"})
    return Operator(
        held["id"], held["name"], held["sector"], held["contact"], held["sample"] == "yes"
    )


def parse_sector(data: bytes, name: str) -> Sector:
    """Read one sector.

    Raises: Invalid, as `parse_operator` does.
    """
    held = _table(data, name, {"id", "title", "care", "ask"}, set())
    return Sector(held["id"], held["title"], held["care"], held["ask"])


def _table(data: bytes, name: str, texts: set[str], flags: set[str]) -> Mapping[str, str]:
    try:
        table = tomllib.loads(data.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Invalid(name, f"no TOML: {error}") from None
    odd = sorted(set(table) ^ (texts | flags))
    if odd:
        raise Invalid(name, f"missing or unknown keys: {', '.join(odd)}")
    wrong = [key for key in sorted(texts) if not isinstance(table[key], str) or not table[key]]
    wrong += [key for key in sorted(flags) if not isinstance(table[key], bool)]
    if wrong:
        raise Invalid(
            name, f"{wrong[0]} must be {'true or false' if wrong[0] in flags else 'a text'}"
        )
    return {key: value if isinstance(value, str) else "yes" * value for key, value in table.items()}
