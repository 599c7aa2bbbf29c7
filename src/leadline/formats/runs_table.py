"""Runs of many models at many tasks, as METR and others publish them: CSV or JSON lines.

Headings are known under two spellings each. A row without a human time or without a score is left out
and counted, never taken for a failure.
"""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from leadline.core.errors import Invalid
from leadline.core.measure.horizon import Runs

ROWS_MAX = 2_000_000
NAME_LENGTH_MAX = 256  # every name takes as much memory as the longest
SPELLINGS = {
    "model": ("model", "alias", "agent"),
    "task": ("task", "task_id"),
    "score": ("score", "score_binarized"),
    "minutes": ("human_minutes", "best_available_minutes"),
    "family": ("family", "task_family"),
    "weight": ("weight", "invsqrt_task_weight"),
    "source": ("human_minutes_source", "best_available_source"),
}
NEEDED = ("model", "task", "score", "minutes")


@dataclass(frozen=True, slots=True)
class RunsTable:
    """The runs that can be fitted, and how many rows were left out for want of a time or a score.

    *families* is False where the table names none: then every task is a family of its own.
    """

    runs: Runs
    without_minutes: int
    without_score: int
    families: bool


def read_runs(text: str) -> RunsTable:
    """Read CSV with a heading, or JSON objects one a line.

    Raises: Invalid, naming the column or the row, for what cannot be read; numbers out of range are
    left to `core.measure.horizon.check_runs`.
    """
    rows = _json_lines(text) if text.lstrip()[:1] == "{" else _csv(text)
    if not rows:
        raise Invalid("runs", "the table holds none; below a heading, one run a row")
    known = _columns(rows[0])
    kept: list[Mapping[str, object]] = []
    without_minutes = without_score = 0
    for row in rows:
        if _empty(row.get(known["minutes"])):
            without_minutes += 1
        elif _empty(row.get(known["score"])):
            without_score += 1
        else:
            kept.append(row)
    if not kept:
        raise Invalid("runs", "no row has both a human time and a score")
    runs = Runs(
        _texts(kept, known["model"]),
        _texts(kept, known["task"]),
        _texts(kept, known.get("family", known["task"])),
        _numbers(kept, known["minutes"]),
        _numbers(kept, known["score"]),
        _numbers(kept, known["weight"]) if "weight" in known else None,
        _texts(kept, known["source"], empty=True) if "source" in known else None,
    )
    return RunsTable(runs, without_minutes, without_score, "family" in known)


def _csv(text: str) -> list[Mapping[str, object]]:
    reader = csv.DictReader(io.StringIO(text), strict=True)
    rows: list[Mapping[str, object]] = []
    try:
        for row in reader:
            if None in row or None in row.values():
                raise Invalid(
                    f"row {reader.line_num}", "has another number of fields than the heading"
                )
            rows.append(dict(row))
            _bounded(rows)
    except csv.Error as error:
        raise Invalid(f"row {reader.line_num}", str(error)) from error
    return rows


def _json_lines(text: str) -> list[Mapping[str, object]]:
    rows: list[Mapping[str, object]] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise Invalid(f"line {number}", f"is no JSON: {error}") from error
        if not isinstance(row, dict):
            raise Invalid(f"line {number}", "is no JSON object")
        rows.append(row)
        _bounded(rows)
    return rows


def _bounded(rows: list[Mapping[str, object]]) -> None:
    if len(rows) > ROWS_MAX:
        raise Invalid("runs", f"more than {ROWS_MAX:,} rows; divide the table by model")


def _columns(first: Mapping[str, object]) -> dict[str, str]:
    known: dict[str, str] = {}
    for name, spellings in SPELLINGS.items():
        found = [one for one in spellings if one in first]
        if len(found) > 1:
            raise Invalid("heading", f"{' and '.join(found)} mean the same; keep one")
        if found:
            known[name] = found[0]
    missing = [" or ".join(SPELLINGS[name]) for name in NEEDED if name not in known]
    if missing:
        sign = next((word for word in (";", "\t") if any(word in one for one in first)), "")
        cure = f"; its fields are divided by {sign!r}, and commas are due" if sign else ""
        raise Invalid("heading", f"no column {'; no column '.join(missing)}{cure}")
    return known


def _empty(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _texts(
    rows: Iterable[Mapping[str, object]], column: str, *, empty: bool = False
) -> "np.ndarray[tuple[int], np.dtype[np.str_]]":
    """The column's names; *empty* ones only where that is said."""
    told = []
    for number, row in enumerate(rows, 1):
        value = row.get(column)
        absent = _empty(value)
        if (absent and not empty) or isinstance(value, (dict, list, bool)):
            raise Invalid(f"{column}, kept row {number}", "is no name")
        name = "" if absent else str(value).strip()
        if len(name) > NAME_LENGTH_MAX:
            raise Invalid(
                f"{column}, kept row {number}", f"is longer than {NAME_LENGTH_MAX} characters"
            )
        told.append(name)
    return np.array(told, dtype=np.str_)


def _numbers(
    rows: Iterable[Mapping[str, object]], column: str
) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    told = []
    for number, row in enumerate(rows, 1):
        told.append(_number(row.get(column), f"{column}, kept row {number}"))
    return np.array(told, dtype=np.float64)


def _number(value: object, place: str) -> float:
    """*value* as a number; raises Invalid, naming its *place*, where it is none."""
    if isinstance(value, (str, int, float)):
        try:
            return float(value)
        except (ValueError, OverflowError) as error:
            raise Invalid(place, f"{value!r:.80} is no number") from error
    raise Invalid(place, f"{value!r:.80} is no number")
