"""A day's EPSS scores as FIRST publishes them: CSV, gzipped or not, below a line with model and date.

Source: FIRST, EPSS data, https://www.first.org/epss/data_stats (epss_scores-YYYY-MM-DD.csv.gz).
"""

import csv
import io
import zlib
from collections.abc import Iterator
from datetime import datetime

from leadline.core.clearing.exploited import CVE, Epss
from leadline.core.errors import Invalid
from leadline.formats.document import moment

BYTES_MAX = 24 << 20
ROWS_MAX = 500_000
HEADING = ["cve", "epss", "percentile"]
_GZIP = b"\x1f\x8b"
_HEAD_MAX = 200
_ROW = "expected a CVE id, once, and two shares between 0 and 1"


def parse(data: bytes, name: str = "EPSS") -> Epss:
    """The scores; *name* stands in errors.

    Raises: Invalid, naming the row, if it is no such table, too long, has no model and date with an
    offset, or a row that is no CVE id with two shares, or one that stands twice.
    """
    plain = _inflated(data, name) if data.startswith(_GZIP) else data
    if len(plain) > BYTES_MAX:
        raise Invalid(name, f"longer than {BYTES_MAX} bytes")
    try:
        told = plain.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid(name, f"no UTF-8: {error}") from error
    head, _, rest = told.partition("\n")
    model, scored = _head(head.strip(), name)
    try:
        scores = _scores(csv.reader(io.StringIO(rest, newline=""), strict=True), name)
    except csv.Error as error:
        raise Invalid(name, f"no CSV: {error}") from error
    return Epss(model, scored, scores)


def _scores(reader: Iterator[list[str]], name: str) -> dict[str, tuple[float, float]]:
    if next(reader, None) != HEADING:
        raise Invalid(f"{name}: heading", f"expected {','.join(HEADING)} below the first line")
    scores: dict[str, tuple[float, float]] = {}
    for number, row in enumerate(reader, 1):
        if number > ROWS_MAX:
            raise Invalid(name, f"more than {ROWS_MAX:,} rows")
        try:
            cve, *shares = row
            probability, percentile = map(float, shares)
        except ValueError as error:
            raise Invalid(f"{name}: row {number}", _ROW) from error
        in_range = 0 <= probability <= 1 and 0 <= percentile <= 1
        if not in_range or cve in scores or not CVE.fullmatch(cve):
            raise Invalid(f"{name}: row {number}", _ROW)
        scores[cve] = probability, percentile
    return scores


def _inflated(data: bytes, name: str) -> bytes:
    reader = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        plain = reader.decompress(data, BYTES_MAX + 1)
    except zlib.error as error:
        raise Invalid(name, f"no gzip: {error}") from error
    if len(plain) <= BYTES_MAX and (not reader.eof or reader.unused_data):
        raise Invalid(name, "the gzip data are cut off, or others follow them")
    return plain


def _head(line: str, name: str) -> tuple[str, datetime]:
    parts = dict(
        part.split(":", 1) for part in line[:_HEAD_MAX].removeprefix("#").split(",") if ":" in part
    )
    model, scored = parts.get("model_version", ""), moment(parts.get("score_date"))
    if not line.startswith("#") or not model or scored is None:
        problem = "expected #model_version:MODEL,score_date:MOMENT with an offset"
        raise Invalid(f"{name}: first line", problem)
    return model, scored
