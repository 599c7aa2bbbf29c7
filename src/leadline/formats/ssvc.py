"""Decision points and tables of CERT/CC's SSVC, as JSON and as CSV, read into tables that decide.

The JSON of a table carries its decision points with keys, names and the order of values. The CSV has
names only, in no order of urgency; it is read with the points that its headings name. Names are matched
without regard to letter case. Nothing is filled in: a table that misses a combination is refused.
Source: https://github.com/CERTCC/SSVC, data/json and data/csv (schemaVersion 2.0.0).
"""

import csv
import io
from collections.abc import Mapping, Sequence

from leadline.core.clearing.ssvc import Point, Table, Value
from leadline.core.errors import Invalid
from leadline.formats.document import items, load, record, records, text

SCHEMA = "2.0.0"
ROWS_MAX = 10_000
VALUES_MAX = 100
FIELD_MAX = 4_000
BYTES_MAX = 4 << 20


def read_point(data: bytes, name: str) -> Point:
    """The decision point that a JSON file defines; *name* stands in errors.

    Raises: Invalid, if it is no JSON, of another schema, or incomplete.
    """
    return _point(load(data, name, BYTES_MAX), name)


def read_table(data: bytes, name: str) -> Table:
    """The decision table that a JSON file defines, with its points; *name* stands in errors.

    Raises: Invalid, if it is no JSON, of another schema, or incomplete, or names a point or value twice
    or one that it does not define.
    """
    document = load(data, name, BYTES_MAX)
    _check_schema(document, name)
    points: dict[str, Point] = {}
    for key, entry in record(document.get("decision_points")).items():
        points[key] = _point(record(entry), f"{name}: {key}")
        if points[key].id != key:
            raise Invalid(f"{name}: {key}", f"the point calls itself {points[key].id}")
    outcome = text(document.get("outcome"))
    if outcome not in points:
        raise Invalid(f"{name}: outcome", f"{outcome!r:.80} is none of its decision points")
    inputs = tuple(point for key, point in points.items() if key != outcome)
    mapping = records(document.get("mapping"))
    _check_count(len(mapping), name)
    rows: dict[tuple[str, ...], str] = {}
    for number, row in enumerate(mapping, 1):
        if set(row) != set(points):
            raise Invalid(f"{name}: row {number}", "names other points than the table has")
        keys = tuple(text(row[point.id]) for point in inputs)
        _put(rows, keys, text(row[outcome]), f"{name}: row {number}")
    return Table(_id(document, name), _told(document, "name", name), inputs, points[outcome], rows)


def read_csv(data: bytes, name: str, points: Sequence[Point]) -> Table:
    """The decision table in a CSV file, its last column the outcome; *points* are those it may name.

    The CSV has no id of its own: the table's id is *name*.

    Raises: Invalid, naming the row, for bytes that are no such table or a heading of none of *points*.
    """
    if len(data) > BYTES_MAX:
        raise Invalid(name, f"longer than {BYTES_MAX} bytes")
    try:
        reader = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
        lines = list(reader)
    except (UnicodeDecodeError, csv.Error) as error:
        raise Invalid(name, f"no CSV: {error}") from error
    _check_count(len(lines), name)
    if not lines or len(lines[0]) < 3 or lines[0][0] != "row":  # noqa: PLR2004 -- row, input, outcome
        raise Invalid(f"{name}: heading", "expected row, the inputs and the outcome")
    by_heading = {_heading(point): point for point in points}
    columns: list[Point] = []
    for heading in lines[0][1:]:
        if heading.strip().lower() not in by_heading:
            raise Invalid(f"{name}: heading", f"{heading!r:.80} is no known decision point")
        columns.append(by_heading[heading.strip().lower()])
    rows: dict[tuple[str, ...], str] = {}
    for number, line in enumerate(lines[1:], 1):
        place = f"{name}: row {number}"
        if len(line) != len(columns) + 1:
            raise Invalid(place, f"has {len(line)} cells of {len(columns) + 1}")
        keys = [_key(point, cell, place) for point, cell in zip(columns, line[1:], strict=True)]
        _put(rows, tuple(keys[:-1]), keys[-1], place)
    return Table(name, name, tuple(columns[:-1]), columns[-1], rows)


def _check_schema(document: Mapping[str, object], name: str) -> None:
    if document.get("schemaVersion") != SCHEMA:
        found = text(document.get("schemaVersion")) or "none"
        raise Invalid(f"{name}: schemaVersion", f"is {found:.20}; {SCHEMA} is read")


def _point(document: Mapping[str, object], name: str) -> Point:
    _check_schema(document, name)
    if len(items(document.get("values"))) > VALUES_MAX:
        raise Invalid(f"{name}: values", f"more than {VALUES_MAX}")
    values = tuple(
        Value(_told(one, "key", name), _told(one, "name", name), text(one.get("definition")))
        for one in records(document.get("values"))
    )
    definition = text(document.get("definition"))
    return Point(_id(document, name), _told(document, "name", name), definition, values)


def _id(document: Mapping[str, object], name: str) -> str:
    return ":".join(_told(document, key, name) for key in ("namespace", "key", "version"))


def _told(document: Mapping[str, object], key: str, name: str) -> str:
    found = text(document.get(key))
    if not found or len(found) > FIELD_MAX:
        raise Invalid(f"{name}: {key}", f"give a text of 1 to {FIELD_MAX} characters")
    return found


def _heading(point: Point) -> str:
    """How CERT/CC's CSV names a point: the namespace follows where it is not ssvc."""
    namespace, _, rest = point.id.partition(":")
    version = rest.rpartition(":")[2]
    suffix = "" if namespace == "ssvc" else f" ({namespace})"
    return f"{point.name} v{version}{suffix}".lower()


def _key(point: Point, cell: str, place: str) -> str:
    name = cell.strip().lower()
    found = [value.key for value in point.values if value.name.lower() == name]
    if len(found) != 1:
        raise Invalid(place, f"{cell!r:.80} is no value of {point.name}")
    return found[0]


def _put(rows: dict[tuple[str, ...], str], keys: tuple[str, ...], value: str, place: str) -> None:
    if keys in rows:
        raise Invalid(place, "its combination of inputs stands in an earlier row too")
    rows[keys] = value


def _check_count(count: int, name: str) -> None:
    if count > ROWS_MAX:
        raise Invalid(name, f"more than {ROWS_MAX:,} rows")
