"""CycloneDX inventories."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from leadline.core.clearing.product import Component, package
from leadline.core.errors import Invalid
from leadline.formats import cyclonedx


def bom(*components: Mapping[str, Any], **fields: Any) -> bytes:
    """A document of version 1.6 with these components."""
    held = {"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "components": components}
    return json.dumps(held | fields).encode()


@pytest.mark.parametrize("version", ["1.5", "1.6"])
def test_published_documents_are_read_or_refused(vectors: Path, version: str) -> None:
    """Every valid file gives an inventory; every invalid one is refused, naming a place."""
    right = 0
    for file in sorted((vectors / "cyclonedx" / version).glob("*.json")):
        data = file.read_bytes()
        if file.name.startswith("valid-"):
            stated = json.loads(data).get("components", [])
            assert len(cyclonedx.parse(data).components) >= len(stated)
        else:
            with pytest.raises(Invalid, match=r"/|specVersion") as refusal:
                cyclonedx.parse(data, file.name)
            assert refusal.value.field == file.name
        right += 1
    assert right == {"1.5": 58, "1.6": 70}[version]


def test_published_components_with_a_purl_keep_it(vectors: Path) -> None:
    """Each purl of the valid files becomes an identity or a fault; none is dropped."""
    for file in sorted((vectors / "cyclonedx").rglob("valid-*.json")):
        held = json.loads(file.read_bytes())
        stated = _purls(held.get("components", []))
        stated += _purls([held.get("metadata", {}).get("component", {})])
        inventory = cyclonedx.parse(file.read_bytes())
        read = [component for component in inventory.components if component.package]
        odd = [fault for fault in inventory.faults if fault.place.endswith("/purl")]
        assert len(read) + len(odd) == stated, file.name


def _purls(components: list[dict[str, Any]]) -> int:
    return sum(bool(c.get("purl")) + _purls(c.get("components", [])) for c in components)


@pytest.mark.parametrize("version", cyclonedx.VERSIONS)
def test_each_version_reads_the_same_component(version: str) -> None:
    """1.4 to 1.7 say name, release and purl alike."""
    entry = {"type": "library", "bom-ref": "u", "name": "ujson", "version": "5.1.0"}
    data = bom(entry | {"purl": "pkg:pypi/ujson@5.1.0"}, specVersion=version)
    assert cyclonedx.recognises(data)
    (component,) = cyclonedx.parse(data).components
    assert component == Component("u", "ujson", "5.1.0", package("pypi", "", "ujson"))


def test_nested_components_survive_in_order() -> None:
    """Inner ones follow their outer one and say where they are; pointers stand in for references."""
    inner = {
        "type": "library",
        "name": "inner",
        "components": [{"type": "library", "name": "core"}],
    }
    outer = {"type": "device", "name": "outer", "supplier": {"name": "Acme"}, "components": [inner]}
    held = cyclonedx.parse(bom(outer, {"type": "library", "name": "last"})).components
    assert [(c.ref, c.name, c.site, c.kind) for c in held] == [
        ("/components/0", "outer", "", "device"),
        ("/components/0/components/0", "inner", "inside outer", "software"),
        ("/components/0/components/0/components/0", "core", "inside inner", "software"),
        ("/components/1", "last", "", "software"),
    ]
    assert held[0].label == "Acme outer"


def test_what_the_document_is_about_counts_where_it_is_identified() -> None:
    """The subject of the document can be affected itself."""
    about = {"type": "application", "name": "app", "purl": "pkg:npm/app@1.0.0"}
    held = cyclonedx.parse(bom(metadata={"component": about})).components
    assert [(c.ref, c.version) for c in held] == [("/metadata/component", "1.0.0")]


def test_odd_components_are_kept_and_listed() -> None:
    """A repeated reference, a purl that cannot be read, and two releases are faults, not losses."""
    inventory = cyclonedx.parse(
        bom(
            {"type": "library", "bom-ref": "a", "name": "x", "purl": "no purl"},
            {"type": "library", "bom-ref": "a", "name": "y", "version": "1"},
            {
                "type": "library",
                "bom-ref": "z",
                "name": "z",
                "version": "1",
                "purl": "pkg:pypi/z@2",
            },
        )
    )
    assert [(c.ref, c.package is None, c.version) for c in inventory.components] == [
        ("a", True, ""),
        ("a", True, "1"),
        ("z", False, "2"),
    ]
    assert [fault.place for fault in inventory.faults] == [
        "/components/0/purl",
        "/components/0",
        "/components/1",
        "/components/2/version",
        "a",
    ]


def test_an_unknown_version_is_refused() -> None:
    """The error names those that are read."""
    with pytest.raises(Invalid, match=r"1\.3.*1\.4, 1\.5, 1\.6, 1\.7"):
        cyclonedx.parse(bom(specVersion="1.3"))


def test_every_fault_of_the_schema_is_named() -> None:
    """Not only the first."""
    with pytest.raises(Invalid, match=r"/components/0.*/components/1"):
        cyclonedx.parse(bom({"name": "x"}, {"type": "library"}))


def test_a_table_is_not_taken_for_cyclonedx() -> None:
    """Only a JSON object that names the format is."""
    assert not cyclonedx.recognises(b'name,"bomFormat"')
    assert not cyclonedx.recognises(b"{}")


def test_the_number_of_components_is_bounded() -> None:
    """A document beyond the limit is refused, not cut."""
    one = b'{"type":"library","name":"x"}'
    head = b'{"bomFormat":"CycloneDX","specVersion":"1.6","version":1,"components":['
    many = head + b",".join([one] * (cyclonedx.COMPONENTS_MAX + 1)) + b"]}"
    with pytest.raises(Invalid, match="more than 200000 components"):
        cyclonedx.parse(many)
    with pytest.raises(Invalid, match="divide it"):
        cyclonedx.parse(head + b"," * cyclonedx.SIGNS_MAX)


def test_a_component_without_identity_or_release_is_a_fault() -> None:
    """It is kept and stays unknown; what is no software is not asked for one."""
    held = cyclonedx.parse(
        bom(
            {"type": "library", "name": "x"},
            {"type": "cryptographic-asset", "name": "AES"},
            {"type": "library", "name": "y", "purl": "pkg:rpm/redhat/y@1?epoch=2", "version": "1"},
        )
    )
    assert [(fault.place, fault.problem[:4]) for fault in held.faults] == [
        ("/components/0", "no p"),
        ("/components/0", "no v"),
    ]
    assert held.components[2].version == "2:1"


def test_other_names_are_kept_with_their_strength() -> None:
    """Sources that a distribution or a scanner states are mapped; pedigree, evidence and CPE possible."""
    src = [
        {"name": "aquasecurity:trivy:SrcName", "value": "openssl"},
        {"name": "aquasecurity:trivy:SrcVersion", "value": "3.0.9"},
        {"name": "aquasecurity:trivy:SrcRelease", "value": "1"},
        {"name": "aquasecurity:trivy:SrcEpoch", "value": "1"},
    ]
    deb = {"type": "library", "name": "libssl3", "purl": "pkg:deb/debian/libssl3@3?distro=bookworm"}
    fork = {
        "type": "library",
        "name": "fork",
        "pedigree": {
            "ancestors": [
                {"type": "library", "name": "u", "purl": "pkg:pypi/ujson@5"},
                {"type": "library", "name": "v", "purl": "odd"},
                {"type": "library", "name": "w"},
            ]
        },
        "evidence": {"identity": [{"field": "purl", "concludedValue": "pkg:pypi/fork@1"}]},
        "cpe": "cpe:2.3:a:acme:fo\\:rk:1.0:*:*:*:*:*:*:*",
    }
    one = {"type": "library", "name": "one", "evidence": {"identity": {"field": "purl"}}}
    one["cpe"] = "cpe:2.3:a:acme:*:1:*:*:*:*:*:*:*"
    known = {"type": "library", "name": "k", "purl": "pkg:npm/k@1", "cpe": "cpe:/a:k:k:1"}
    same = [src[0] | {"value": "libssl3"}]
    held = cyclonedx.parse(
        bom(
            deb | {"properties": src},
            deb | {"properties": src[:1]},
            deb | {"properties": same},
            deb | {"properties": []},
            fork,
            one,
            known,
        )
    ).components
    told = [[(n.package.purl(), n.version, n.naming.value) for n in c.names] for c in held]
    assert told == [
        [("pkg:deb/debian/openssl", "1:3.0.9-1", "mapped")],
        [("pkg:deb/debian/openssl", "3", "mapped")],
        [],
        [],
        [
            ("pkg:pypi/ujson", "5", "possible"),
            ("pkg:pypi/fork", "1", "possible"),
            ("pkg:cpe/acme/fo:rk", "1.0", "possible"),
        ],
        [],
        [],
    ]
    assert held[0].branch == "12"


PADDING = {"description": "x" * cyclonedx.SMALL_BYTES}
LIBRARY = {"type": "library", "name": "x"}


@pytest.mark.parametrize(
    ("parts", "fields", "problem"),
    [
        ([LIBRARY | PADDING, {"type": "library"}], {}, r'/components/1: "name" is a required'),
        ([LIBRARY | PADDING, {"name": 1}], {}, r'/components/1: "type" .*/components/1: "name"'),
        ([LIBRARY | PADDING, LIBRARY, LIBRARY], {}, "/components/2: the same component"),
        (
            [LIBRARY | PADDING | {"components": [1]}],
            {},
            "/components/0/components: expected an arr",
        ),
        ([LIBRARY | PADDING | {"components": {}}], {}, "/components/0/components: expected an arr"),
        ([LIBRARY | PADDING], {f"x{n}": n for n in range(60)}, "64 fields where"),
        ([LIBRARY | PADDING, LIBRARY | {"version": 1}], {}, "/components/1/version"),
    ],
)
def test_gross_faults_of_a_large_document_are_found_first(
    parts: list[dict[str, Any]], fields: dict[str, Any], problem: str
) -> None:
    """By this reader, in words of its own; the schema's checker has the rest."""
    with pytest.raises(Invalid, match=problem):
        cyclonedx.parse(bom(*parts, **fields))


def test_a_large_document_without_faults_is_read() -> None:
    """Components that differ in anything are no repetition."""
    twins = [LIBRARY | {"scope": scope} for scope in ("optional", "required")]
    assert len(cyclonedx.parse(bom(LIBRARY | PADDING, *twins)).components) == 3
    nested = LIBRARY | PADDING | {"components": [LIBRARY | {"components": [LIBRARY]}]}
    assert len(cyclonedx.parse(bom(nested)).components) == 3
