"""Relay blocks and cases of other desks: read, grown, refused."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.core.errors import Invalid
from leadline.core.marking import Tlp, read_tlp
from leadline.formats import magpie, stix, vince
from leadline.formats.magpie import Hop, Terms
from leadline.formats.vince import ForeignCase, Vendor, VendorStatus, Vulnerability

AT = datetime(2027, 3, 1, tzinfo=UTC)
HOP = Hop("b", "coordinator", "2027-03-01T00:00:00Z", "case-1", "")


def block(**fields: Any) -> dict[str, Any]:
    """A small block."""
    held: dict[str, Any] = {
        "relay": magpie.RELAY,
        "id": "r-1",
        "finder_credits": ["Ada"],
        "reporter_chain": [{"party": "Ada", "role": "finder", "at": "2027-01-01T00:00:00Z"}],
    }
    return held | fields


def test_a_new_block_says_what_it_was_given() -> None:
    """Terms without a moment or words leave them out."""
    made = magpie.first("r-1", [{"name": "Ada"}], ["https://a.example/1"], Terms(AT, Tlp.RED, "x"))
    assert (made.id, made.until, made.tlp, made.terms, made.hops) == ("r-1", AT, Tlp.RED, "x", ())
    assert made.origins == ("https://a.example/1",)
    bare = magpie.first("r-1", [], [], Terms(None, Tlp.AMBER_STRICT))
    assert (bare.until, bare.terms, bare.tlp) == (None, "", Tlp.AMBER_STRICT)
    grown = magpie.appended(magpie.appended(bare, HOP), HOP)
    assert grown.hops == (HOP, HOP)
    assert grown.frozen == bare.frozen


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 53), 1 << 53) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(
    extra=st.dictionaries(st.text(min_size=1, max_size=9), json_values, max_size=4),
    ascii_=st.booleans(),
    indent=st.sampled_from([None, 0, 3]),
    hops=st.integers(1, 4),
)
def test_growing_changes_no_other_byte(
    extra: dict[str, Any],
    ascii_: bool,  # noqa: FBT001 -- drawn
    indent: int | None,
    hops: int,
) -> None:
    """Whatever fields, spacing and escapes others use."""
    held = {**extra, **block(), "z": extra}
    raw = json.dumps(held, ensure_ascii=ascii_, indent=indent)
    first = magpie.parse(raw.encode())
    assert first.data == raw.encode()
    grown = first
    for _ in range(hops):
        grown = magpie.appended(grown, HOP)
    assert grown.frozen == first.frozen
    assert grown.chain[:1] == first.chain
    assert grown.raw.startswith(first.raw[: first.ends[-1]])
    assert grown.raw.endswith(first.raw[first.ends[-1] :])
    assert len(grown.hops) == 1 + hops


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"relay": "other"}, "is due"),
        ({"id": ""}, "id is due"),
        ({"finder_credits": "Ada"}, "finder_credits"),
        ({"reporter_chain": None}, "reporter_chain is due"),
        ({"reporter_chain": ["Ada"]}, "objects"),
        ({"reporter_chain": [{}]}, "reporter_chain/0: a party"),
        ({"reporter_chain": [{"party": "x"}] * (magpie.CHAIN_MAX + 1)}, "at most"),
        ({"embargo": {"until": "soon"}}, "with a zone"),
        ({"embargo": {"until": "2027-03-01T00:00:00"}}, "with a zone"),
        ({"id": "\ud800"}, "surrogate"),
    ],
)
def test_what_is_no_block_is_refused(changed: dict[str, Any], problem: str) -> None:
    """With the field and what would be right."""
    with pytest.raises(Invalid, match=problem):
        magpie.parse(json.dumps(block(**changed)).encode())


def test_edges_of_a_block() -> None:
    """No byte order mark; no chain that is too long; an object as a credit stays whole."""
    raw = json.dumps(block(finder_credits=[{"b": 1, "a": "x"}])).encode()
    assert magpie.parse(raw).credits == ('{"a": "x", "b": 1}',)
    with pytest.raises(Invalid, match="byte order"):
        magpie.parse(b"\xef\xbb\xbf" + raw)
    full = magpie.parse(
        json.dumps(block(reporter_chain=[{"party": "x"}] * magpie.CHAIN_MAX)).encode()
    )
    with pytest.raises(Invalid, match="hops"):
        magpie.appended(full, HOP)
    empty = magpie.parse(json.dumps(block(reporter_chain=[])).encode())
    assert len(magpie.appended(empty, HOP).sealed(0).splitlines()) == 4


def case(**fields: Any) -> ForeignCase:
    """A case with everything in it."""
    held: dict[str, Any] = {
        "title": "Overflow",
        "summary": "Words.",
        "ids": ("VU#123456", "VRF#26-01-ABCDE", "case-1"),
        "tlp": Tlp.AMBER_STRICT,
        "due": AT,
        "vulnerabilities": (Vulnerability("d", "CVE-2027-1000", "pkg:pypi/x@1", "CWE-787", "ai"),),
        "vendors": (
            Vendor("A", VendorStatus.AFFECTED),
            Vendor("B", VendorStatus.NOT_AFFECTED, "component_not_present", "Not in it."),
            Vendor("C", VendorStatus.CLAIMED),
            Vendor("D", VendorStatus.UNKNOWN),
            Vendor("E", VendorStatus.NO_ANSWER),
        ),
    }
    return ForeignCase(**(held | fields))


def test_a_case_reads_back() -> None:
    """All of it; no answer stays no answer, and a claim a claim."""
    assert vince.parse(vince.render(case())) == case()
    bare = ForeignCase("t")
    assert vince.parse(vince.render(bare)) == bare
    assert vince.foreign("VU#1")
    assert not vince.foreign("case-1")


def test_silence_and_claims_are_never_not_affected() -> None:
    """A status that is missing is no answer; one without a justification is a claim."""
    held = {"title": "t", "vendors": [{"vendor": "A"}, {"vendor": "B", "status": "not_affected"}],
            "vuls": [{"origin": "gpt"}]}  # fmt: skip
    read = vince.parse(json.dumps(held).encode())
    assert [one.status for one in read.vendors] == [VendorStatus.NO_ANSWER, VendorStatus.CLAIMED]
    assert read.tlp is Tlp.RED
    assert read.vulnerabilities[0].origin == ""


def test_every_fault_of_a_case_is_told() -> None:
    """With its place."""
    held = {"title": " ", "vuid": "VU-1", "due_date": "soon", "vuls": [1],
            "vendors": [{"status": "Fine"}, 2]}  # fmt: skip
    with pytest.raises(Invalid) as caught:
        vince.parse(json.dumps(held).encode())
    told = caught.value.problem
    for place in (
        "/title",
        "/vuid",
        "/due_date",
        "/vuls",
        "/vendors ",
        "/vendors/0/vendor",
        "/vendors/0/status",
    ):
        assert place in told
    with pytest.raises(Invalid, match="/due_date"):
        vince.parse(b'{"title": "t", "due_date": "2027-01-01"}')


def through_csaf(label: Tlp) -> Tlp:
    """TLP 1 and back."""
    return read_tlp(label.word_1)


def through_stix(label: Tlp) -> Tlp:
    """The marking definition's id and back."""
    return stix.read_tlp(stix.marking(label))


def through_block(label: Tlp) -> Tlp:
    """A relay block's terms and back."""
    return magpie.parse(magpie.first("r", [], [], Terms(None, label)).data).tlp


def through_case(label: Tlp) -> Tlp:
    """A case of another desk and back."""
    return vince.parse(vince.render(ForeignCase("t", tlp=label))).tlp


ROUTES = (through_csaf, through_stix, through_block, through_case)


@pytest.mark.parametrize("label", list(Tlp))
def test_no_chain_of_three_conversions_loosens_a_label(label: Tlp) -> None:
    """All 64 chains (clearinghouse reference, A14)."""
    for one in ROUTES:
        for two in ROUTES:
            for three in ROUTES:
                assert three(two(one(label))).strictness >= label.strictness
    assert stix.read_tlp("marking-definition--x") is Tlp.RED
