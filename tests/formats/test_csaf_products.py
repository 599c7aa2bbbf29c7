"""CSAF product trees in words, their remedies, and a copy without loss."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearing_values import unhurried
from leadline.core.clearing.bulletin import Remedy
from leadline.core.errors import Invalid
from leadline.formats import csaf, csaf_products
from leadline.formats.document import load

TREE = {
    "branches": [
        {
            "category": "vendor",
            "name": " Acme ",
            "branches": [
                {
                    "category": "product_family",
                    "name": "Pump family",
                    "branches": [
                        {
                            "category": "product_name",
                            "name": "P-300",
                            "branches": [
                                {
                                    "category": "product_version_range",
                                    "name": "<= 4.60",
                                    "product": {
                                        "name": "P-300: Versions 4.60 and prior",
                                        "product_id": "A",
                                        "product_identification_helper": {
                                            "model_numbers": ["6ES7"],
                                            "skus": ["X1"],
                                        },
                                    },
                                },
                                {
                                    "category": "product_version",
                                    "name": "5.0",
                                    "product": {"name": "P-300: 5.0", "product_id": "B"},
                                },
                            ],
                        }
                    ],
                }
            ],
        }
    ],
    "full_product_names": [{"name": "Whole thing 1.0", "product_id": "C"}],
    "relationships": [
        {"full_product_name": {"name": "A in C", "product_id": "D"}, "category": "installed_on"}
    ],
}
FLAW = {
    "cve": "CVE-2026-0001",
    "product_status": {
        "known_affected": ["A", "C"],
        "first_affected": ["D"],
        "fixed": ["B"],
        "known_not_affected": ["C"],
    },
    "remediations": [
        {"category": "vendor_fix", "details": "Update to 5.0", "product_ids": ["A"]},
        {"category": "vendor_fix", "details": "Update to 5.0", "product_ids": ["C"]},
    ],
}
HEAD = {
    "csaf_version": "2.0",
    "title": "Acme Pump",
    "publisher": {"name": "Somebody", "contact_details": "1-800"},
    "tracking": {"id": "ADV-1"},
    "notes": [
        {"category": "summary", "text": "Anybody could stop the pump."},
        {"category": "general", "title": "Recommended Practices", "text": "Keep it apart."},
        {"category": "general", "title": "Other", "text": "Other."},
    ],
    "references": [
        {"category": "self", "url": "https://example.org/a.json"},
        {"category": "self", "url": "https://example.org/a"},
        {"category": "external", "url": "https://example.org/b"},
    ],
}
DOCUMENT = {"document": HEAD, "product_tree": TREE, "vulnerabilities": [FLAW, {"product_status": {"fixed": ["A"]}}]}  # fmt: skip


def test_a_tree_is_read_as_it_stands() -> None:
    """Names of family and product, the text of the version, order numbers, statuses by flaw."""
    held = csaf_products.parse(json.dumps(DOCUMENT).encode())
    first, second, third, fourth = held.products
    assert (first.maker, first.name, first.said) == ("Acme", "Pump family P-300", "<= 4.60")
    assert (first.title, first.codes) == ("P-300: Versions 4.60 and prior", ("6ES7", "X1"))
    assert (first.affected, first.fixed) == (("CVE-2026-0001",), ("/vulnerabilities/1",))
    assert (second.said, second.affected, second.fixed) == ("5.0", (), ("CVE-2026-0001",))
    assert (third.name, third.said, third.unaffected) == ("Whole thing 1.0", "", ("CVE-2026-0001",))
    assert (fourth.name, fourth.affected) == ("A in C", ("CVE-2026-0001",))
    assert held.remedies == (Remedy("vendor_fix", "Update to 5.0", frozenset({"A", "C"}), ""),)
    assert (held.risk, held.practices) == ("Anybody could stop the pump.", ("Keep it apart.",))
    assert (held.publisher, held.contact, held.url) == (
        "Somebody",
        "1-800",
        "https://example.org/a",
    )
    assert held.cves == ("CVE-2026-0001",)


def test_what_is_missing_is_empty() -> None:
    """A bare document has an id and nothing else; its title is the id."""
    bare = {"document": {"csaf_version": "2.0", "tracking": {"id": "ADV-2"}}}
    held = csaf_products.read(bare)
    assert (held.id, held.title, held.products, held.url, held.risk) == (
        "ADV-2",
        "ADV-2",
        (),
        "",
        "",
    )


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ({"document": {"csaf_version": "2.1", "tracking": {"id": "x"}}}, "knows 2.0"),
        ({"document": {"csaf_version": "2.0"}}, "tracking/id"),
        ({}, "knows 2.0"),
    ],
)
def test_what_is_no_csaf_is_refused(document: dict[str, object], problem: str) -> None:
    """With what was expected."""
    with pytest.raises(Invalid, match=problem):
        csaf_products.read(document)


def test_a_bottomless_tree_ends() -> None:
    """Branches deeper than the limit are not followed."""
    tree: dict[str, object] = {"product": {"name": "deep", "product_id": "Z"}}
    for _ in range(csaf_products.BRANCH_DEPTH_MAX + 1):
        tree = {"branches": [tree]}
    document = {"document": {"csaf_version": "2.0", "tracking": {"id": "x"}}, "product_tree": tree}
    assert csaf_products.read(document).products == ()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=12,
)


@unhurried
@given(st.dictionaries(st.text(max_size=6), json_values, max_size=4))
def test_a_copy_keeps_every_value(document: dict[str, object]) -> None:
    """Also those that this reader has no use for."""
    assert load(csaf_products.again(document), "copy") == document


def test_a_published_document_is_valid_again(published_csaf: list[bytes]) -> None:
    """Read and written, it has the same values, and the schema finds what it found before."""
    for data in published_csaf:
        before = load(data, "csaf")
        written = csaf_products.again(before)
        assert load(written, "csaf") == before
        assert csaf.faults(written) == csaf.faults(data) == ()


@pytest.fixture
def published_csaf() -> list[bytes]:
    """Our own rendering stands for published ones here; tests/vectors reads those."""
    from clearing_values import advisory

    return [csaf.render(advisory())]
