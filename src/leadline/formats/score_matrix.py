"""Tables of models by items, in the three forms that are published: wide, bit strings, and long.

Empty is missing, never 0. Scores are 0, 1 or a fraction between.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from leadline.core.errors import Invalid

FloatArray = npt.NDArray[np.float64]
CELLS_MAX = 20_000_000
BITS = ("agent", "bits")
LONG = ("agent", "task", "successes", "trials")


@dataclass(frozen=True, slots=True)
class ScoreMatrix:
    """Models in the file's order, items in the order of their columns; nan is missing."""

    models: tuple[str, ...]
    items: tuple[str, ...]
    scores: FloatArray


def read_matrix(text: str, items: Sequence[str] | None = None) -> ScoreMatrix:
    """Read ``model,<item>...``, ``agent,bits`` with *items* beside it, or ``agent,task,successes,trials``.

    Raises: Invalid, naming the row and the column, for names given twice, scores outside [0, 1], rows of
    another length, and bits without their list of items.
    """
    rows = _rows(text)
    heading = tuple(cell.strip() for cell in rows[0]) if rows else ()
    if heading == BITS:
        return _bits(rows[1:], items)
    if heading == LONG:
        return _long(rows[1:])
    return _wide(heading, rows[1:])


def _rows(text: str) -> list[list[str]]:
    reader, cells = csv.reader(io.StringIO(text), strict=True), 0
    rows: list[list[str]] = []
    try:
        for row in reader:
            cells += len(row)
            if cells > CELLS_MAX:
                raise Invalid("matrix", f"more than {CELLS_MAX:,} cells; divide it by model")
            if any(cell.strip() for cell in row):
                rows.append(row)
    except csv.Error as error:
        raise Invalid(f"row {reader.line_num}", str(error)) from error
    return rows


def _wide(heading: tuple[str, ...], rows: Sequence[Sequence[str]]) -> ScoreMatrix:
    sign = next((one for one in (";", "\t") if len(heading) == 1 and one in heading[0]), "")
    if sign:
        raise Invalid("heading", f"its fields are divided by {sign!r}, and commas are due")
    items, models, scores = heading[1:], [], []
    for number, row in enumerate(rows, 2):
        if len(row) != len(heading):
            raise Invalid(
                f"row {number}", f"has {len(row)} fields where the heading has {len(heading)}"
            )
        models.append(row[0].strip())
        cells = zip(items, row[1:], strict=True)
        scores.append([_score(cell, f"row {number}, {item}") for item, cell in cells])
    return _matrix(models, items, scores)


def _bits(rows: Sequence[Sequence[str]], items: Sequence[str] | None) -> ScoreMatrix:
    if items is None:
        raise Invalid("items", "a table of bits needs its list of items beside it: NAME_items.txt")
    models, scores = [], []
    for number, row in enumerate(rows, 2):
        if len(row) != len(BITS) or len(row[1].strip()) != len(items):
            raise Invalid(f"row {number}", f"is not a name and {len(items)} bits")
        if set(row[1].strip()) - {"0", "1"}:
            raise Invalid(f"row {number}", "holds other signs than 0 and 1")
        models.append(row[0].strip())
        scores.append([float(bit) for bit in row[1].strip()])
    return _matrix(models, tuple(items), scores)


def _long(rows: Sequence[Sequence[str]]) -> ScoreMatrix:
    held: dict[tuple[str, str], float] = {}
    for number, row in enumerate(rows, 2):
        if len(row) != len(LONG):
            raise Invalid(
                f"row {number}", f"has {len(row)} fields where the heading has {len(LONG)}"
            )
        pair = (row[0].strip(), row[1].strip())
        if pair in held:
            raise Invalid(f"row {number}", f"{pair[0]} at {pair[1]} was given before")
        won, tried = (
            _count(cell, f"row {number}, {name}")
            for name, cell in zip(LONG[2:], row[2:], strict=True)
        )
        if won > tried:
            raise Invalid(f"row {number}", "more successes than trials")
        held[pair] = won / tried if tried else float("nan")
    models, items = (tuple(dict.fromkeys(pair[n] for pair in held)) for n in (0, 1))
    scores = [[held.get((model, item), float("nan")) for item in items] for model in models]
    return _matrix(models, items, scores)


def _matrix(
    models: Sequence[str], items: Sequence[str], scores: Sequence[Sequence[float]]
) -> ScoreMatrix:
    for name, names in (("models", models), ("items", items)):
        if not names:
            raise Invalid(name, "the table has none; its heading is model and then the items")
        seen: set[str] = set()
        for one in names:
            if not one:
                raise Invalid(name, "one of them has no name")
            if one in seen:
                raise Invalid(name, f"{one!r} is given twice")
            seen.add(one)
    return ScoreMatrix(tuple(models), tuple(items), np.array(scores, dtype=np.float64))


def _score(cell: str, place: str) -> float:
    if not cell.strip():
        return float("nan")
    try:
        value = float(cell)
    except ValueError as error:
        raise Invalid(place, f"{cell!r:.40} is no number") from error
    if not 0 <= value <= 1:
        raise Invalid(place, f"{cell!r:.40} is no score from 0 to 1; leave it empty where missing")
    return value


def _count(cell: str, place: str) -> int:
    text = cell.strip()
    if not (text.isascii() and text.isdigit() and len(text) < len("1000000000")):
        raise Invalid(place, f"{cell!r:.40} is no count")
    return int(text)


def items_of(text: str) -> tuple[str, ...]:
    """The names of a list of items, one a line."""
    return tuple(line.strip() for line in text.splitlines() if line.strip())
