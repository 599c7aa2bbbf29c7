"""The catalogue of known exploited vulnerabilities: whole or not at all."""

import json
from datetime import UTC, date, datetime

import pytest

from leadline.core.clearing.exploited import Listing
from leadline.core.errors import Invalid
from leadline.formats import kev

ENTRY = {
    "cveID": "CVE-2026-0001",
    "vendorProject": "Sample",
    "product": "Thing",
    "vulnerabilityName": "Sample Thing Overflow",
    "dateAdded": "2026-10-02",
    "shortDescription": "An overflow.",
    "requiredAction": "Apply mitigations.",
    "dueDate": "2026-10-23",
    "knownRansomwareCampaignUse": "Known",
    "notes": "",
    "cwes": ["CWE-787"],
}
LIST = {
    "title": "CISA Catalog of Known Exploited Vulnerabilities",
    "catalogVersion": "2026.11.01",
    "dateReleased": "2026-11-01T15:00:12.9427Z",
    "count": 2,
    "vulnerabilities": [
        ENTRY,
        {**ENTRY, "cveID": "CVE-2026-0002", "knownRansomwareCampaignUse": "Unknown"},
    ],
}


def encoded(**changes: object) -> bytes:
    """The list with *changes*."""
    return json.dumps({**LIST, **changes}).encode()


def test_the_published_form_is_read() -> None:
    """Release with fractions of a second, days, ransomware use."""
    found = kev.parse(encoded())
    assert found.version == "2026.11.01"
    assert found.released == datetime(2026, 11, 1, 15, 0, 12, 942700, UTC)
    assert found.listed == {
        "CVE-2026-0001": Listing("CVE-2026-0001", date(2026, 10, 2), ransomware=True),
        "CVE-2026-0002": Listing("CVE-2026-0002", date(2026, 10, 2), ransomware=False),
    }
    assert kev.parse(encoded(catalogVersion=None)).version == "not given"


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"count": 3}, "counts 3 entries and holds 2"),
        ({"count": None}, "only the whole list"),
        ({"count": 0, "vulnerabilities": []}, "counts 0 entries"),
        ({"vulnerabilities": [ENTRY, ENTRY]}, "entry 2: CVE-2026-0001 stands twice"),
        ({"vulnerabilities": [ENTRY, 7]}, "entry 2: cveID"),
        ({"vulnerabilities": [ENTRY, {**ENTRY, "cveID": "x"}]}, "'x' is no CVE id"),
        (
            {
                "vulnerabilities": [
                    ENTRY,
                    {**ENTRY, "cveID": "CVE-2026-0002", "dateAdded": "2026-02-30"},
                ]
            },
            "entry 2: dateAdded",
        ),
        ({"dateReleased": "2026-11-01T15:00:00"}, "with an offset"),
        ({"dateReleased": "yesterday"}, "with an offset"),
        ({"dateReleased": "0001-01-01T00:00:00+10:00"}, "with an offset"),
        ({"count": 50_001, "vulnerabilities": [{}] * 50_001}, "more than 50,000"),
    ],
)
def test_a_list_that_is_not_whole_is_refused(changes: dict[str, object], problem: str) -> None:
    """Each fault is named with its entry."""
    with pytest.raises(Invalid, match=problem):
        kev.parse(encoded(**changes))


def test_what_is_no_json_is_refused() -> None:
    """By name."""
    with pytest.raises(Invalid, match="KEV: no JSON"):
        kev.parse(b"cveID,dateAdded")
