"""TAXII's messages and questions, apart from any server."""

import base64
import hmac
import json
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearing_values import AT, unhurried
from leadline.core.errors import Invalid
from leadline.formats import taxii

KNOWN = (
    "added_after", "limit", "next", "match[id]", "match[type]", "match[version]", "match[spec_version]",
)  # fmt: skip


def seal(key: bytes, told: bytes) -> bytes:
    """As an installation with this secret has it."""
    return hmac.digest(key, told, "sha256")


OURS, THEIRS = partial(seal, b"ours"), partial(seal, b"theirs")


def asked(*sent: tuple[str, str]) -> taxii.Asked:
    """A query, read."""
    return taxii.asked(sent, KNOWN)


@pytest.mark.parametrize(
    ("header", "fits"),
    [
        ("", True), (" , ", True), ("*/*", True), ("application/*", True), (taxii.MEDIA, True),
        ("application/taxii+json", True), ("Application/TAXII+json; Version=2.1", True),
        ('application/taxii+json;version="2.1"', True), ("text/html, */*;q=0.1", True),
        ("application/taxii+json;version=2.0", False), ("application/json", False),
        ("*/*;q=0", False), ("*/*;q=0.000", False), ("*/*;q=x", False), ("*/*;q=1.5", False),
        ("application/stix+json;version=2.1", False),
    ],
)  # fmt: skip
def test_media_types(header: str, fits: bool) -> None:  # noqa: FBT001 -- of the table
    """As RFC 9110 has it, with the version that there is."""
    assert taxii.acceptable(header) is fits


def test_a_query_is_read() -> None:
    """With what it does not say as the standard has it."""
    plain = asked()
    assert (plain.limit, plain.next, plain.added_after) == (taxii.LIMIT, "", None)
    assert not plain.ids | plain.types
    assert plain.versions == {taxii.LAST}
    assert plain.here
    whole = asked(
        ("limit", "5"), ("next", "n"), ("added_after", "2026-11-01T12:00:00Z"), ("match[id]", "a,b"),
        ("match[type]", "c"), ("match[version]", "first,2026-11-01T12:00:00.5Z"),
        ("match[spec_version]", "2.0"),
    )  # fmt: skip
    assert (whole.limit, whole.next, whole.added_after) == (5, "n", AT)
    assert whole.ids == {"a", "b"}
    assert whole.types == {"c"}
    assert not whole.here
    assert whole.versions == {"first", AT + timedelta(milliseconds=500)}
    assert [name for name, _ in whole.filters] == sorted(set(KNOWN) - {"limit", "next"})
    assert asked(("limit", "99999")).limit == taxii.LIMIT_MAX
    assert asked(("match[spec_version]", "2.0,2.1")).here


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limit", "0"), ("limit", "-1"), ("limit", ""), ("limit", "1.0"), ("limit", "\u0663"), ("x", "1"),
        ("match[x]", "1"), ("added_after", "2026-11-01"), ("added_after", "2026-13-01T00:00:00Z"),
        ("added_after", "2026-11-01T12:00:00+00:00"), ("match[version]", "none"), ("match[id]", ","),
        ("match[id]", ",".join(map(str, range(101)))), ("match[type]", "a\0"), ("next", "\0"),
    ],
)  # fmt: skip
def test_what_is_no_query(name: str, value: str) -> None:
    """Is refused by the name of the parameter."""
    with pytest.raises(Invalid) as told:
        asked((name, value))
    assert told.value.field == name


def test_a_parameter_stands_once() -> None:
    """Two say two things."""
    with pytest.raises(Invalid, match="twice"):
        asked(("limit", "1"), ("limit", "2"))


MOMENTS = st.datetimes(datetime(1970, 1, 2), datetime(9000, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 -- the zone is beside


@unhurried
@given(MOMENTS, st.lists(st.text(), max_size=3))
def test_a_place_comes_back(at: datetime, bound: list[str]) -> None:
    """To the microsecond, for the same question; no other one, and no other secret, reads it."""
    text = taxii.place(at, bound, OURS)
    assert taxii.read_place(text, bound, OURS) == at
    for other, by in ((bound, THEIRS), ([*bound, ""], OURS), (["x", *bound], OURS)):
        with pytest.raises(Invalid, match="begin without"):
            taxii.read_place(text, other, by)


@unhurried
@given(st.one_of(st.text(), st.binary().map(lambda data: base64.urlsafe_b64encode(data).decode())))
def test_what_is_no_place(text: str) -> None:
    """Nothing but what was given out."""
    with pytest.raises(Invalid) as told:
        taxii.read_place(text, (), OURS)
    assert told.value.field == "next"


def test_messages() -> None:
    """Keys without content are left out, as the standard asks; times are as exact as they need be."""
    assert json.loads(taxii.discovery("t", "r")) == {
        "title": "t",
        "default": "r",
        "api_roots": ["r"],
    }
    assert json.loads(taxii.root("t", "d", 5))["max_content_length"] == 5
    one = taxii.collection("i", "t", "d")
    assert json.loads(taxii.collections([one])) == {"collections": [one]}
    assert json.loads(taxii.collections([])) == {}
    assert json.loads(taxii.envelope(['{"a":"\u00e9"}'], "n")) == {
        "more": True, "next": "n", "objects": [{"a": "\u00e9"}],
    }  # fmt: skip
    assert json.loads(taxii.envelope([], "")) == {"more": False}
    later = AT + timedelta(microseconds=1001)
    (entry,) = json.loads(taxii.manifest([("i", later, AT)], ""))["objects"]
    assert entry == {
        "id": "i", "date_added": "2026-11-01T12:00:00.001001Z", "version": "2026-11-01T12:00:00.000Z",
        "media_type": "application/stix+json;version=2.1",
    }  # fmt: skip
    assert json.loads(taxii.manifest([], "")) == {"more": False}
    assert json.loads(taxii.versions([AT], ""))["versions"] == ["2026-11-01T12:00:00.000Z"]
    assert json.loads(taxii.versions([], "")) == {"more": False}
    assert json.loads(taxii.error(404, "t", "d")) == {
        "title": "t", "description": "d", "http_status": "404",
    }  # fmt: skip
    assert taxii.dated([]) == {}
    assert list(taxii.dated([AT, later]).values()) == [taxii.stamped(AT), taxii.stamped(later)]
