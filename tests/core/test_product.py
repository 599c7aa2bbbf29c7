"""Package identity and components."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearing_values import unhurried
from leadline.core.clearing.product import Component, Package, Releases, package, parse_purl
from leadline.core.errors import Invalid


@pytest.mark.parametrize(
    "spelling",
    ["pkg:pypi/Zope.Interface@5.0", "pkg:pypi/zope_interface@5.0", "pkg:PYPI/zope--interface@5.0"],
)
def test_spellings_of_one_pypi_package_are_one_value(spelling: str) -> None:
    """PEP 503: case and runs of ``-_.`` do not tell packages apart."""
    release = parse_purl(spelling)
    assert release.package == Package("pypi", "", "zope-interface")
    assert release.version == "5.0"


def test_namespaces_tell_packages_apart() -> None:
    """A scoped npm package is not the unscoped one, and Debian's is not Ubuntu's."""
    assert parse_purl("pkg:npm/%40a/x@1").package != parse_purl("pkg:npm/x@1").package
    debian, ubuntu = parse_purl("pkg:deb/debian/x@1"), parse_purl("pkg:deb/ubuntu/x@1")
    assert debian.package != ubuntu.package
    assert debian.package.scheme == "deb"


@pytest.mark.parametrize("text", ["", "ujson", "pkg:pypi", "pkg:/x", "http://x", "pkg:pypi/@1"])
def test_no_package_url_is_refused(text: str) -> None:
    """The error names the text and is Leadline's own."""
    with pytest.raises(Invalid, match="Package-URL"):
        parse_purl(text)


def test_a_package_without_a_name_is_refused() -> None:
    """Type and name must be able to stand in a Package-URL."""
    with pytest.raises(Invalid, match="type"):
        package("", "", "x")


@unhurried
@given(name=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,20}[A-Za-z0-9]", fullmatch=True))
def test_a_purl_reads_back(name: str) -> None:
    """Writing and reading a package gives the same package."""
    held = package("pypi", "", name)
    assert parse_purl(held.purl("1.0")).package == held
    assert parse_purl(held.purl()).version == ""


def test_a_component_is_called_something() -> None:
    """Maker and name where they are known, else the line it stands on."""
    assert Component("3", "RTU", maker="Acme").label == "Acme RTU"
    assert Component("3", "").label == "asset 3"


def test_an_empty_set_of_releases_is_false() -> None:
    """Nothing listed and no interval is no statement."""
    assert not Releases()
    assert Releases(listed=("1",))


def test_the_epoch_of_an_rpm_is_read_from_either_place() -> None:
    """Inventory tools put it before the version or in a qualifier."""
    inside = parse_purl("pkg:rpm/redhat/openssl@1:3.0.7-24.el9")
    beside = parse_purl("pkg:rpm/redhat/openssl@3.0.7-24.el9?epoch=1&arch=x86_64")
    assert inside == beside
    assert inside.version == "1:3.0.7-24.el9"
    assert parse_purl("pkg:rpm/redhat/openssl@3.0.7-24.el9?arch=x86_64").version[0] == "3"


def test_a_registry_and_a_name_are_a_package_of_any_type() -> None:
    """Julia's Package-URLs ask for a uuid, which an advisory's ecosystem and name do not hold."""
    assert package("julia", "", "Dates") == Package("julia", "", "Dates")
