"""Small tables of two columns beside a larger one: a date for each model, a family for each item."""

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import date

from leadline.core.errors import Invalid

ROWS_MAX = 1_000_000
SEPARATORS = ("__", "/", ":")
FAMILIES_MAX = 60
ALL = "all items"
FIRST_YEAR, LAST_YEAR = 1950, 2200


def read_pairs(text: str, heading: tuple[str, str]) -> dict[str, str]:
    """The second column by the first; *heading* is what the first row must say.

    Raises: Invalid, naming the row, for another heading, an empty cell or a name given twice.
    """
    reader = csv.reader(io.StringIO(text), strict=True)
    told: dict[str, str] = {}
    try:
        first = tuple(cell.strip().lower() for cell in next(reader, []))
        if first != heading:
            raise Invalid("heading", f"is not {','.join(heading)}")
        for row in reader:
            if not any(cell.strip() for cell in row):
                continue
            place = f"row {reader.line_num}"
            if len(row) != len(heading) or not all(cell.strip() for cell in row):
                raise Invalid(place, f"needs both {' and '.join(heading)}")
            name, value = (cell.strip() for cell in row)
            if name in told:
                raise Invalid(place, f"{name!r:.80} is given twice")
            if len(told) == ROWS_MAX:
                raise Invalid(place, f"more than {ROWS_MAX:,} rows")
            told[name] = value
    except csv.Error as error:
        raise Invalid(f"row {reader.line_num}", str(error)) from error
    return told


def read_dates(text: str, models: Sequence[str]) -> dict[str, date]:
    """The day of release of each of *models* that the table ``model,date`` names; others are left out.

    Raises: Invalid, as `read_pairs`; for a date that is not of the form 2026-11-03; if no model of the
    table is among *models*.
    """
    told: dict[str, date] = {}
    for name, value in read_pairs(text, ("model", "date")).items():
        try:
            day = date.fromisoformat(value)
        except ValueError as error:
            raise Invalid(
                f"date of {name:.80}", f"{value!r:.40} is no date like 2026-11-03"
            ) from error
        if not FIRST_YEAR <= day.year <= LAST_YEAR:
            problem = f"{value} is not within {FIRST_YEAR} and {LAST_YEAR}"
            raise Invalid(f"date of {name:.80}", problem)
        if name in models:
            told[name] = day
    if not told:
        raise Invalid("models", "none of the dated models has runs; names must be spelled alike")
    return told


def read_families(text: str, items: Sequence[str]) -> dict[str, str]:
    """The family of every item, by the table ``item,family``.

    Raises: Invalid, as `read_pairs`, or if an item has no family there.
    """
    told = read_pairs(text, ("item", "family"))
    missing = next((item for item in items if item not in told), None)
    if missing is not None:
        raise Invalid("families", f"{missing!r:.80} has none")
    return {item: told[item] for item in items}


def families_by_name(items: Sequence[str]) -> Mapping[str, str]:
    """Families read off the names: what stands before the first separator that all names have.

    One family of all items, `ALL`, where there is no such separator or it makes more than
    `FAMILIES_MAX` families.
    """
    for separator in SEPARATORS:
        if all(separator in item.strip(separator) for item in items):
            told = {item: item.split(separator, 1)[0] for item in items}
            if len(set(told.values())) <= FAMILIES_MAX:
                return told
    return dict.fromkeys(items, ALL)
