"""Other names of a component: sources of distributions, and where it is installed."""

import pytest

from clearing_values import advisory, inventory, statement
from leadline.core.clearing.match import EVERY, Match, Status, match
from leadline.core.clearing.naming import branch, branch_of, cpe_name, identify, names_of
from leadline.core.clearing.product import (
    Component,
    Interval,
    Name,
    Naming,
    Package,
    Releases,
    package,
    release_of,
)
from leadline.core.clearing.purl import parse
from leadline.core.errors import Invalid

OPENSSL = package("deb", "debian", "openssl")
FLAW = advisory(
    statement(
        package=OPENSSL,
        affected=Releases((Interval(high="3.0.11-1"),)),
        fixed=Releases(listed=("3.0.11-1",)),
    )
)


@pytest.mark.parametrize(
    ("distribution", "words", "told"),
    [
        ("debian", "debian-12", "12"),
        ("debian", "bookworm", "12"),
        ("debian", "Debian GNU/Linux 12.4", "12"),
        ("ubuntu", "ubuntu-22.04", "22.04"),
        ("ubuntu", "jammy", "22.04"),
        ("alpine", "v3.18", "3.18"),
        ("alpine", "alpine-3.18.4", "3.18"),
        ("redhat", "rhel-9.2", "9"),
        ("redhat", "enterprise_linux:9::baseos", "9"),
        ("debian", "sid", ""),
        ("debian", "", ""),
    ],
)
def test_releases_of_distributions(distribution: str, words: str, told: str) -> None:
    """By number or by name; what is not known is empty and excludes nothing."""
    assert branch(distribution, words) == told


@pytest.mark.parametrize(
    ("text", "source", "version"),
    [
        ("pkg:deb/debian/libssl3@3.0.9-1?upstream=openssl", "openssl", "3.0.9-1"),
        ("pkg:deb/debian/libssl3@3.0.9-1+b1?upstream=openssl%403.0.9-1", "openssl", "3.0.9-1"),
        ("pkg:apk/alpine/libssl3@3.1.4-r0?upstream=openssl", "openssl", "3.1.4-r0"),
        (
            "pkg:rpm/redhat/openssl-libs@3.0.7-24.el9?upstream=openssl-3.0.7-24.el9.src.rpm",
            "openssl",
            "3.0.7-24.el9",
        ),
        ("pkg:rpm/redhat/openssl-libs@3.0.7-24.el9?upstream=openssl", "openssl", "3.0.7-24.el9"),
    ],
)
def test_sources_are_read_as_they_are_stated(text: str, source: str, version: str) -> None:
    """Each in its distribution's way of writing; the binary's release stands in where none is given."""
    (name,) = names_of(parse(text))
    assert (name.package.name, name.version, name.naming) == (source, version, Naming.MAPPED)
    assert source in name.ground


@pytest.mark.parametrize(
    "text",
    [
        "pkg:deb/debian/openssl@1?upstream=openssl",
        "pkg:deb/debian/openssl@1?distro=debian-12",
        "pkg:deb/debian/openssl@1",
        "pkg:pypi/openssl@1?upstream=x",
        "pkg:deb/debian/x@1?upstream=%00",
    ],
)
def test_no_other_name_is_made_up(text: str) -> None:
    """A source of the same name, none stated, another type, and one that is no name."""
    assert names_of(parse(text)) == ()
    assert branch_of(parse(text)) == ("12" if "distro" in text else "")


def binary(version: str = "3.0.9-1", **fields: object) -> Component:
    """Debian's binary package of a source with another name."""
    name = Name(OPENSSL, version, Naming.MAPPED, "debian builds libssl3 from openssl")
    held = {"package": package("deb", "debian", "libssl3"), "names": (name,)} | fields
    return Component("1", "libssl3", version, **held)  # type: ignore[arg-type]


def pairs(component: Component, *held: object) -> list[tuple[str, Status, Naming]]:
    """Advisory, status and naming of all pairs of one component."""
    found = match(inventory(component), held or [FLAW])  # type: ignore[arg-type]
    return [(one.advisory, one.status, one.naming) for one in found.matches]


def test_the_source_decides_under_a_mapped_name() -> None:
    """Affected and fixed alike, and the reason says by which name."""
    assert pairs(binary()) == [("ADV-1", Status.AFFECTED, Naming.MAPPED)]
    assert pairs(binary("3.0.11-1")) == [("ADV-1", Status.FIXED, Naming.MAPPED)]
    (held,) = match(inventory(binary()), [FLAW]).matches
    assert "debian builds libssl3 from openssl" in held.why


def test_a_source_that_is_not_stated_is_asked_for() -> None:
    """Only where advisories of that distribution are known and none is about the package itself."""
    assert pairs(binary(names=())) == [(EVERY, Status.UNKNOWN, Naming.POSSIBLE)]
    assert pairs(binary(names=()), advisory()) == []
    own = Component("1", "openssl", "3.0.11-1", OPENSSL)
    assert pairs(own) == [("ADV-1", Status.FIXED, Naming.EXACT)]


@pytest.mark.parametrize("version", ["", "1.0", "5.1.0", "6.0"])
@pytest.mark.parametrize("known", [True, False])
def test_a_possible_name_decides_nothing(version: str, known: bool) -> None:  # noqa: FBT001 -- both kinds
    """Whatever its release: neither affected nor fixed nor not affected, but a question."""
    ujson = statement().package
    name = Name(ujson, version, Naming.POSSIBLE, "the document says that it was copied from there")
    own = package("generic", "", "fork") if known else None
    held = Component("1", "fork", version, own, names=(name,))
    found = match(inventory(held), [advisory()])
    assert found.matches[0].status is Status.UNKNOWN
    assert found.matches[0].naming is Naming.POSSIBLE
    assert "Does 'fork' contain pkg:pypi/ujson" in found.questions[0].ask
    assert len(found.matches) == 1 + (not known)


def test_a_cpe_names_candidates_by_product() -> None:
    """Every package of that name may be meant; none under another name, and not the component's own."""
    cpe = Name(Package("cpe", "ultrajson", "ujson"), "5.1.0", Naming.POSSIBLE, "its CPE")
    held = Component("1", "json lib", "5.1.0", None, names=(cpe,))
    assert pairs(held, advisory())[0] == ("ADV-1", Status.UNKNOWN, Naming.POSSIBLE)
    other = Name(Package("cpe", "x", "y"), "1", Naming.POSSIBLE, "its CPE")
    away = Name(package("pypi", "", "gone"), "1", Naming.POSSIBLE, "said so")
    assert pairs(Component("1", "json", "1", None, names=(other, away)), advisory()) == [
        (EVERY, Status.UNKNOWN, Naming.EXACT)
    ]
    own = Component("1", "ujson", "6.0", statement().package, names=(cpe,))
    assert pairs(own, advisory()) == [("ADV-1", Status.FIXED, Naming.EXACT)]


def test_the_surer_name_stands_among_equal_answers() -> None:
    """Affected under its own name and under its source's is affected under its own."""
    both = advisory(FLAW.flaws[0].statements[0], statement(package=package("deb", "debian", "libssl3"),
        affected=Releases((Interval(),))))  # fmt: skip
    assert pairs(binary(), both) == [("ADV-1", Status.AFFECTED, Naming.EXACT)]
    assert Match("1", "A", Status.UNKNOWN, "so").naming is Naming.EXACT


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("cpe:2.3:a:Acme:json\\:c:0.15:*:*:*:*:*:*:*", ("acme", "json:c", "0.15")),
        ("cpe:2.3:o:acme:os:*:*:*:*:*:*:*:*", ("acme", "os", "")),
        ("cpe:/a:acme:json-c:0.15", ("acme", "json-c", "0.15")),
        ("cpe:/a:acme", None),
        ("cpe:2.3:a:acme:*:1:*:*:*:*:*:*:*", None),
        ("acme", None),
    ],
)
def test_a_cpe_is_a_candidate(text: str, told: tuple[str, str, str] | None) -> None:
    """Vendor, product and release, if it has a product at all."""
    held = cpe_name(text)
    if told is None:
        assert held is None
    else:
        assert held is not None
        assert (held.package.namespace, held.package.name, held.version) == told
        assert held.naming is Naming.POSSIBLE


def test_an_identity_is_all_that_a_package_url_says() -> None:
    """Release, branch and names at once."""
    held = identify("pkg:deb/debian/libssl3@3.0.9-1?upstream=openssl&distro=debian-12")
    assert held.release.version == "3.0.9-1"
    assert held.branch == "12"
    assert [name.package for name in held.names] == [OPENSSL]


@pytest.mark.parametrize(
    "text",
    [
        "pkg:pypi/Some_Name@1.0",
        "pkg:golang/github.com/a/b@v1.2.3",
        "pkg:npm/x",
        "pkg:huggingface/a/b@ABC",
        "pkg:chrome-extension/dlpngalgnefjeiefhmpklpfiohadpglk@1.2",
    ],
)
def test_the_short_way_gives_what_the_long_one_does(text: str) -> None:
    """Most Package-URLs are plain and are read without taking them apart."""
    assert identify(text).release == release_of(parse(text))


@pytest.mark.parametrize("text", ["pkg:swift/x@1", "pkg:chrome-extension/dogs@1", "no"])
def test_the_short_way_refuses_what_the_long_one_does(text: str) -> None:
    """A type's rules hold either way."""
    for read in (identify, parse):
        with pytest.raises(Invalid):
            read(text)
