"""Contacts from files: a list of our own, OSV repositories, CSAF publishers, intake contracts."""

import json
from datetime import UTC, datetime

import pytest

from leadline.core.clearing.contract import Contract
from leadline.core.clearing.directory import Address, Channel, Project
from leadline.core.errors import Invalid
from leadline.formats.contacts_toml import (
    BYTES_MAX,
    from_contract,
    from_csaf,
    from_osv,
    load_contacts,
    rendered,
)

SEEN = datetime(2027, 3, 1, tzinfo=UTC)
LIST = b"""
[[project]]
name = "curl"
packages = ["pkg:generic/curl"]
owners = ["The curl team"]
answered = 2027-02-01T00:00:00Z
[[project.address]]
channel = "github"
to = "curl/curl"
source = "https://curl.se/.well-known/security.txt"
seen = 2027-01-01T00:00:00Z
expires = 2028-01-01T00:00:00Z
key = "https://curl.se/key.asc"
[[project]]
name = "zlib"
"""


def test_a_list_of_projects() -> None:
    """Every field, and a project of which nothing is known yet."""
    curl, zlib = load_contacts(LIST, "contacts.toml")
    assert curl.packages == ("pkg:generic/curl",)
    assert curl.addresses[0].channel is Channel.GITHUB
    assert zlib == Project("zlib")
    told = rendered(curl, datetime(2028, 2, 1, tzinfo=UTC))
    addresses = told["addresses"]
    assert isinstance(addresses, list)
    assert addresses[0]["doubt"] == "expired 2028-01-01"
    assert json.dumps(rendered(zlib, SEEN))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ((b'"zlib"', b'"curl"'), "stands twice"),
        ((b'"zlib"', b'" "'), "is empty"),
        ((b'"zlib"', b'"a\\u0007b"'), "printable"),
        ((b"pkg:generic/curl", b"curl"), "packages"),
        ((b'"github"', b'"pigeon"'), "is none of"),
        ((b'"curl/curl"', b'"curl"'), "OWNER/REPOSITORY"),
        ((b"seen = 2027-01-01T00:00:00Z", b"seen = 2027-01-01T00:00:00"), "offset"),
        ((b"owners", b"owner"), "is no key"),
        ((LIST, b""), "holds no"),
        ((LIST, b"#" * (BYTES_MAX + 1)), "divide it"),
    ],
)
def test_wrong_lists_are_refused(change: tuple[bytes, bytes], problem: str) -> None:
    """Named by file and key."""
    with pytest.raises(Invalid, match=problem):
        load_contacts(LIST.replace(*change), "contacts.toml")


def test_osv_repositories() -> None:
    """A repository at GitHub takes private reports; others are left out."""
    record = {
        "affected": [
            {
                "package": {"purl": "pkg:pypi/one?x=1"},
                "ranges": [
                    {"repo": "https://github.com/a/one.git"},
                    {"repo": "https://git.example/b"},
                    {},
                ],
            },
            {"package": {"purl": "nonsense"}, "ranges": [{"repo": "https://github.com/a/two"}]},
            {"ranges": [{"repo": "https://github.com/a/two"}]},
        ]
    }
    found = from_osv(json.dumps(record).encode(), "OSV-1.json", SEEN)
    assert [(one.name, one.packages) for one in found] == [
        ("a/one", ("pkg:pypi/one",)),
        ("a/two", ()),
    ]


def test_csaf_publishers() -> None:
    """The mail addresses in the contact details; none without a name or an address."""
    document = {"document": {"publisher": {"name": "Acme", "contact_details": "to p@acme.example"}}}
    found = from_csaf(json.dumps(document).encode(), "a.json", SEEN)
    assert found == (
        Project(
            "Acme",
            (),
            ("Acme",),
            (Address(Channel.MAIL, "p@acme.example", "CSAF document a.json", SEEN),),
        ),
    )
    for publisher in ({}, {"name": "A"}, {"contact_details": "a@b.example"}):
        data = json.dumps({"document": {"publisher": publisher}}).encode()
        assert from_csaf(data, "a.json", SEEN) == ()


def test_an_intake_contract() -> None:
    """Its contact, and its repositories' private forms."""
    contract = Contract(
        "one",
        "https://github.com/a/one/security/advisories/new or one@b.example",
        ("pkg:pypi/one",),
        ("https://github.com/a/one",),
        ("somebody",),
    )
    made = from_contract(contract, ".leadline.toml", SEEN)
    assert {(one.channel, one.to) for one in made.addresses} == {
        (Channel.MAIL, "one@b.example"),
        (Channel.GITHUB, "a/one"),
    }
    assert made.owners == ("somebody",)
