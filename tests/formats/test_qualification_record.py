"""Qualification records: one spelling, read back whole, refused if anything is off."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from leadline.core.errors import Invalid
from leadline.core.qualification import QUICK, Check, Record
from leadline.formats import qualification as form

RECORD = Record(
    suite="planted",
    item="p-1",
    digest="aa",
    environment={"kernel": "6", "tier": "shared-kernel"},
    environment_digest=form.environment_digest({"kernel": "6", "tier": "shared-kernel"}),
    extent=QUICK,
    checks=(Check("a", held=True), Check("b", held=None, reason="does not apply")),
    counts={"reference": (1, 1)},
    shown={"reference": "solved"},
    at=datetime(2026, 11, 1, tzinfo=UTC),
    milliseconds=12,
)


def test_a_record_is_read_back_as_it_was() -> None:
    """Encoding and decoding are inverse; the bytes are canonical."""
    data = form.encode(RECORD)
    assert form.decode(data) == RECORD
    assert form.encode(form.decode(data)) == data
    assert json.loads(data)["qualified"] is True


def test_the_statement_names_signer_item_and_record() -> None:
    """Four lines; another byte in the record gives another statement."""
    data = form.encode(RECORD)
    lines = form.statement(data, "example.org/log").splitlines()
    assert lines[:3] == [form.HEADER, "example.org/log", "p-1"]
    assert len(lines) == 4
    other = form.encode(replace(RECORD, milliseconds=13))
    assert form.statement(other, "example.org/log").splitlines()[3] != lines[3]


def test_equal_environments_have_equal_digests() -> None:
    """The order of the parts is nothing; any part's change is."""
    one = form.environment_digest({"a": "1", "b": "2"})
    assert form.environment_digest({"b": "2", "a": "1"}) == one
    assert form.environment_digest({"a": "1", "b": "3"}) != one


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("v", 2),
        ("suite", 1),
        ("item", None),
        ("environment", []),
        ("environment", {"kernel": 6}),
        ("environment", {"kernel": "7", "tier": "shared-kernel"}),
        ("environment_digest", "00"),
        ("extent", [1, 1]),
        ("extent", [1, 1, True]),
        ("extent", [1, 1, -1]),
        ("extent", "111"),
        ("checks", {}),
        ("checks", [["a", True]]),
        ("checks", [["a", 1, ""]]),
        ("checks", [["a", True, None]]),
        ("counts", []),
        ("at", "0001-01-01T00:00:00+23:59"),
        ("counts", {"reference": [1]}),
        ("shown", {"reference": 1}),
        ("at", "yesterday"),
        ("at", "2026-11-01"),
        ("milliseconds", "12"),
        ("qualified", False),
    ],
)
def test_a_record_with_anything_off_is_refused(member: str, value: object) -> None:
    """Wrong types, missing parts, and an answer that its own checks do not give."""
    members = json.loads(form.encode(RECORD)) | {member: value}
    data = json.dumps(members, sort_keys=True, separators=(",", ":")).encode()
    with pytest.raises(Invalid):
        form.decode(data)


@pytest.mark.parametrize("data", [b"[]", b"{}", b"", b"1"])
def test_what_is_no_record_is_refused(data: bytes) -> None:
    """Lists, empty objects and other JSON."""
    with pytest.raises(Invalid):
        form.decode(data)
