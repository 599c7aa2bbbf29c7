"""A list of parties as people keep one: a name, a contact and, if it is known, a product, line by line.

Comma, semicolon or tab part the columns; a first line of headings is passed over. Quoting is RFC 4180's.
"""

import csv
import io
from dataclasses import dataclass

from leadline.core.errors import Invalid

ROWS_MAX = 2_000
CELLS_MAX = 3
_HEADINGS = frozenset({"name", "vendor", "party", "company", "organisation", "organization"})


@dataclass(frozen=True, slots=True)
class Listed:
    """One line: who it is, where reports go, and a Package-URL of what it makes; both may be empty."""

    name: str
    contact: str = ""
    product: str = ""


def load_parties(text: str) -> tuple[Listed, ...]:
    """Every line, in order.

    Raises: Invalid, naming the line, for one without a name, with more columns, or a name given twice.
    """
    first = text.lstrip("\ufeff").partition("\n")[0]
    mark = max("\t;,", key=first.count)
    reader = csv.reader(io.StringIO(text.lstrip("\ufeff"), newline=""), delimiter=mark, strict=True)
    found = dict[str, Listed]()
    try:
        for row in reader:
            place, cells = f"line {reader.line_num}", [cell.strip() for cell in row]
            if not any(cells) or (not found and cells[0].casefold() in _HEADINGS):
                continue
            if len(cells) > CELLS_MAX:
                raise Invalid(place, "has more than name, contact and product")
            one = Listed(*cells)
            if not one.name or one.name in found:
                raise Invalid(place, "names nobody" if not one.name else f"{one.name!r:.80} again")
            if len(found) == ROWS_MAX:
                raise Invalid(place, f"more than {ROWS_MAX:,} parties")
            found[one.name] = one
    except csv.Error as error:
        raise Invalid(f"line {reader.line_num}", str(error)) from error
    if not found:
        raise Invalid("line 1", "nobody is named; one line each: name, contact")
    return tuple(found.values())
