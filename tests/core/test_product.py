"""Package identity and components."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

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


# Types whose newest rules the Package-URL library does not know yet; for gem and rpm it accepts a
# qualifier's key in capitals. None of them decides a match today.
DIFFERING = {
    "brew", "chrome-extension", "cpan", "gem", "git", "julia", "otp", "rpm", "swift", "vcpkg",
    "vscode-extension",
}  # fmt: skip


def _agrees(case: dict[str, object]) -> bool:
    """Whether the package part of a published case is read as it says."""
    text, expected = case["input"], case.get("expected_output")
    assert isinstance(text, str)
    try:
        release = parse_purl(text)
    except Invalid:
        return bool(case.get("expected_failure"))
    if case.get("expected_failure") or not isinstance(expected, dict):
        return False
    held = release.package
    named = (held.type, held.namespace or None, release.version or None)
    same = named == tuple(expected.get(part) for part in ("type", "namespace", "version"))
    return same and (held.type == "pypi" or held.name == expected["name"])


def test_published_package_urls_are_read(
    vectors: Path, record_property: Callable[[str, object], None]
) -> None:
    """Of the required parse cases none may crash; those read otherwise are counted."""
    counts: Counter[bool] = Counter()
    odd: list[str] = []
    for file in sorted((vectors / "purl").rglob("*.json")):
        for case in json.loads(file.read_bytes())["tests"]:
            if case["test_type"] == "parse" and case["test_group"] == "required":
                agrees = _agrees(case)
                counts[agrees] += 1
                if not agrees:
                    odd.append(f"{file.name.removesuffix('-test.json')}: {case['description']}")
    record_property("package-url", str({"agree": counts[True], "odd": odd}))
    assert {case.partition(":")[0] for case in odd} <= DIFFERING, "\n".join(odd)
    assert counts[True] > 150
