"""EPSS: a day's scores, gzipped or not."""

import gzip
from datetime import UTC, datetime

import pytest

from leadline.core.errors import Invalid
from leadline.formats import epss

DAY = b"""#model_version:v2025.03.14,score_date:2026-11-18T00:00:00+0000
cve,epss,percentile
CVE-1999-0001,0.0046,0.7385
CVE-1999-0002,1,0.99999
"""


def test_the_published_form_is_read() -> None:
    """Both forms give the same; the moment is in UTC."""
    found = epss.parse(DAY)
    assert (found.model, found.scored) == ("v2025.03.14", datetime(2026, 11, 18, tzinfo=UTC))
    assert found.scores == {"CVE-1999-0001": (0.0046, 0.7385), "CVE-1999-0002": (1.0, 0.99999)}
    assert epss.parse(gzip.compress(DAY)) == found
    assert epss.parse(b"\xef\xbb\xbf" + DAY.replace(b"\n", b"\r\n")) == found


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "first line"),
        (DAY.partition(b"\n")[2], "first line"),
        (DAY.replace(b"+0000", b""), "with an offset"),
        (DAY.replace(b"2026-11-18", b"2026-13-18"), "first line"),
        (DAY.replace(b"2026-11-18T00:00:00+0000", b"0001-01-01T00:00:00+1000"), "first line"),
        (DAY.replace(b"v2025.03.14", b""), "first line"),
        (DAY.replace(b"cve,epss", b"id,epss"), "heading"),
        (DAY.replace(b",1,0.9", b",1.1,0.9"), "row 2: expected a CVE id, once"),
        (DAY.replace(b",1,0.9", b",nan,0.9"), "row 2: expected a CVE id, once"),
        (DAY.replace(b",1,0.9", b",high,0.9"), "row 2: expected a CVE id, once"),
        (DAY.replace(b",1,0.9", b",0.9"), "row 2: expected a CVE id, once"),
        (DAY.replace(b"0002", b"0001"), "row 2: expected a CVE id, once"),
        (DAY.replace(b"CVE-1999-0002", b"CVE-1"), "row 2: expected a CVE id, once"),
        (DAY + b'"', "no CSV"),
        (DAY + b"\xff", "no UTF-8"),
        (gzip.compress(DAY)[:-1], "cut off"),
        (gzip.compress(DAY) * 2, "others follow"),
        (b"\x1f\x8b" + bytes(20), "no gzip"),
        (gzip.compress(bytes(epss.BYTES_MAX + 1)), "longer than"),
    ],
)
def test_what_is_no_such_table_is_refused(data: bytes, problem: str) -> None:
    """Each fault is named with its row."""
    with pytest.raises(Invalid, match=problem):
        epss.parse(data)


def test_rows_are_bounded() -> None:
    """A table that grows beyond what memory should hold ends in a refusal."""
    head = b"".join(DAY.splitlines(keepends=True)[:2])
    rows = b"".join(b"CVE-2026-%07d,0,0\n" % number for number in range(epss.ROWS_MAX + 1))
    with pytest.raises(Invalid, match="more than 500,000 rows"):
        epss.parse(head + rows)
