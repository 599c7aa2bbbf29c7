"""SPDX inventories, as JSON and as tag-value text."""

import json
from typing import Any

import pytest

from leadline.core.clearing.product import Inventory, Naming, package
from leadline.core.errors import Invalid
from leadline.formats import spdx


def document(*packages: dict[str, Any], **fields: Any) -> bytes:
    """A document of version 2.3 with these packages."""
    held = {"spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "packages": list(packages)}
    return json.dumps(held | fields).encode()


def ref(kind: str, locator: str) -> dict[str, str]:
    """One external reference."""
    category = "SECURITY" if kind.startswith("cpe") else "PACKAGE-MANAGER"
    return {"referenceCategory": category, "referenceType": kind, "referenceLocator": locator}


UJSON = {
    "SPDXID": "SPDXRef-u",
    "name": "ujson",
    "versionInfo": "5.1.0",
    "supplier": "Organization: Sample Ltd (mail@sample.example)",
    "externalRefs": [ref("purl", "pkg:pypi/ujson@5.1.0")],
}
TAGS = """SPDXVersion: SPDX-2.3
DataLicense: CC0-1.0
SPDXID: SPDXRef-DOCUMENT
# a remark
DocumentComment: <text>two
lines</text>

PackageName: ujson
SPDXID: SPDXRef-u
PackageVersion: 5.1.0
PackageSupplier: Organization: Sample Ltd (mail@sample.example)
PackageLicenseConcluded: NOASSERTION
ExternalRef: PACKAGE-MANAGER purl pkg:pypi/ujson@5.1.0
ExternalRef: odd

PackageName: panel
SPDXID: SPDXRef-p
PrimaryPackagePurpose: DEVICE
PackageComment: <text>in the hall</text>
PackageVersion: NOASSERTION

FileName: ./x
SPDXID: SPDXRef-file
Relationship: SPDXRef-p GENERATED_FROM SPDXRef-u
Relationship: SPDXRef-DOCUMENT DESCRIBES SPDXRef-p
"""


def places(inventory: Inventory) -> list[str]:
    """Where the faults are."""
    return [fault.place for fault in inventory.faults]


def test_a_package_is_read_with_its_identity() -> None:
    """Name, release, maker and purl; both forms give the same component."""
    data = document(UJSON)
    assert spdx.recognises(data)
    (held,) = spdx.parse(data).components
    assert (held.ref, held.name, held.version, held.maker) == (
        "SPDXRef-u",
        "ujson",
        "5.1.0",
        "Sample Ltd",
    )
    assert held.package == package("pypi", "", "ujson")
    assert spdx.parse(data).faults == ()
    assert spdx.parse(TAGS.encode()).components[0] == held
    assert spdx.parse(TAGS.replace("\n", "\r\n").encode()).components[0] == held


def test_tag_value_text_is_read() -> None:
    """Sections, comments and texts over several lines; files are no packages."""
    data = b"\xef\xbb\xbf" + TAGS.encode()
    assert spdx.recognises(data)
    inventory = spdx.parse(data)
    panel = inventory.components[1]
    assert (panel.ref, panel.kind, panel.version, panel.comment) == (
        "SPDXRef-p",
        "device",
        "",
        "in the hall",
    )
    assert [(name.package.name, name.naming) for name in panel.names] == [("ujson", Naming.MAPPED)]
    assert places(inventory) == ["line 16", "line 16"]


def test_what_is_not_asserted_is_unknown_and_a_fault() -> None:
    """Every package is kept; what cannot be read is listed by place."""
    inventory = spdx.parse(
        document(
            UJSON | {"versionInfo": "NOASSERTION", "supplier": "NOASSERTION"},
            UJSON | {"externalRefs": [ref("purl", "odd"), ref("purl", "pkg:npm/u@5.2")]},
            UJSON | {"SPDXID": "SPDXRef-v", "externalRefs": [], "versionInfo": "NONE"},
            UJSON | {"SPDXID": "SPDXRef-w", "externalRefs": [ref("purl", "NOASSERTION")]},
        )
    )
    assert [(c.version, c.maker, c.package is None) for c in inventory.components] == [
        ("5.1.0", "", False),
        ("5.2", "Sample Ltd", False),
        ("", "Sample Ltd", True),
        ("5.1.0", "Sample Ltd", True),
    ]
    assert sorted(places(inventory)) == [
        "/packages/1",  # a purl
        "/packages/1",  # two releases
        "/packages/1",  # its id
        "/packages/2",
        "/packages/2",
        "/packages/3",
    ]


def test_other_names_are_kept() -> None:
    """The source that it was generated from, and a CPE where no registry's purl decides."""
    source: dict[str, Any] = {"SPDXID": "SPDXRef-s", "name": "openssl", "versionInfo": "3"}
    source["externalRefs"] = [ref("purl", "pkg:deb/debian/openssl@3")]
    refs = [
        ref("purl", "pkg:deb/debian/libssl3@3"),
        ref("cpe23Type", "cpe:2.3:a:openssl:openssl:3:*:*:*:*:*:*:*"),
        ref("cpe22Type", "x"),
    ]
    built = UJSON | {"SPDXID": "SPDXRef-b", "externalRefs": refs}
    links = [
        {"spdxElementId": a, "relationshipType": kind, "relatedSpdxElement": b}
        for a, kind, b in (
            ("SPDXRef-b", "GENERATED_FROM", "SPDXRef-s"),
            ("SPDXRef-s", "GENERATED_FROM", "SPDXRef-s"),
            ("SPDXRef-b", "GENERATED_FROM", "SPDXRef-gone"),
            ("SPDXRef-b", "CONTAINS", "SPDXRef-s"),
        )
    ]
    first, second, third = spdx.parse(
        document(source, built, UJSON, relationships=links)
    ).components
    assert first.names == third.names == ()
    assert [(n.package.type, n.package.name, n.naming.value) for n in second.names] == [
        ("deb", "openssl", "mapped"),
        ("cpe", "openssl", "possible"),
    ]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (document(spdxVersion="SPDX-2.1"), r"'SPDX-2.1'; this reader knows SPDX-2.2 and SPDX-2.3"),
        (b'{"@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld", "@graph": []}', "SPDX 3"),
        (document(packages={}), r"/packages: expected an array"),
        (document({}, {"name": "x"}), r"/packages/0: its name is missing; .*/packages/1: SPDXID"),
        (document("odd"), r"/packages/0: its name"),  # type: ignore[arg-type]
        (document(*[{}] * 60), "and 20 more"),
        (b"SPDXVersion: SPDX-3.0\n", "SPDX 3"),
        (b"SPDXVersion: SPDX-2.3\nodd line\nPackageName: x", r"line 2: expected a tag"),
        (b"SPDXVersion: SPDX-2.3\n" + b"odd\n" * 200, "line 101: .*and 1 more"),
        (b"SPDXVersion: SPDX-2.3\nPackageName: <text>x\n", r"line 2: <text> is not closed"),
        (b"SPDXVersion: SPDX-2.3\nPackageName: x\n", r"line 2: SPDXID is missing"),
        (b"SPDXVersion: \xff", "no UTF-8: .* at byte 13"),
        (b"SPDXVersion: \n" + b"\n" * spdx.LINES_MAX, "more than 2000000 lines"),
        (b"SPDXVersion: " + b" " * spdx.BYTES_MAX, "longer than"),
        (b"SPDXVersion: SPDX-2.3\n" + b"PackageName: x\n" * 200_001, "more than 200000 packages"),
    ],
)
def test_what_is_no_inventory_is_refused(data: bytes, problem: str) -> None:
    """Every place is named, and what would be right."""
    assert spdx.recognises(data) or b"@context" in data
    with pytest.raises(Invalid, match=problem):
        spdx.parse(data)


@pytest.mark.parametrize("data", [b"{}", b"a,b\n1,2", b"<bom/>"])
def test_other_forms_are_not_taken_for_spdx(data: bytes) -> None:
    """Only what names the format is."""
    assert not spdx.recognises(data)
