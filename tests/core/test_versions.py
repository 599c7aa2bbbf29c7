"""The order of versions: published fixtures, properties, and refusals."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from clearing_values import unhurried
from leadline.core.clearing.versions import KNOWN, Unparseable, Unsupported, compare, key
from leadline.core.errors import Invalid
from vectors.versions import tally

ORDERED = ("pypi", "npm", "semver", "deb")
FIXTURES = [
    ("pypi", "pypi-versions.txt", 26, 11),
    ("pypi", "pypi-versions-generated.txt", 12_306, 69),
    ("semver", "semver-versions.txt", 85, 1),
    ("npm", "semver-versions.txt", 83, 3),
    ("deb", "debian-versions.txt", 30, 0),
    ("deb", "debian-versions-generated.txt", 14_442, 0),
]


@pytest.mark.parametrize(("scheme", "name", "right", "unknown"), FIXTURES)
def test_published_order_is_never_wrong(
    vectors: Path,
    scheme: str,
    name: str,
    right: int,
    unknown: int,
    record_property: Callable[[str, object], None],
) -> None:
    """No fixture line is ordered wrongly; what cannot be ordered is counted apart."""
    counts, wrong = tally(scheme, vectors / "versions" / name)
    record_property(f"{scheme} {name}", str(dict(counts)))
    assert wrong == []
    assert (counts["right"], counts["unknown"]) == (right, unknown)


number = st.integers(0, 10**9).map(str)
word = st.sampled_from(["alpha", "beta", "rc", "x-1", "0a"])
prerelease = st.lists(number | word, max_size=3).map(".".join)
semvers = st.builds(
    lambda release, pre: ".".join(release) + (f"-{pre}" if pre else ""),
    st.lists(number, min_size=3, max_size=3),
    prerelease,
)
pypis = st.builds(
    lambda epoch, release, pre, post, dev, local: (
        f"{epoch}{'.'.join(release)}{pre}{post}{dev}{local}"
    ),
    st.sampled_from(["", "1!"]),
    st.lists(number, min_size=1, max_size=4),
    st.sampled_from(["", "a0", "b3", "rc12"]),
    st.sampled_from(["", ".post0", ".post300"]),
    st.sampled_from(["", ".dev0", ".dev7"]),
    st.sampled_from(["", "+abc", "+abc.1", "+9", "+10"]),
)
debs = st.builds(
    lambda epoch, upstream, revision: f"{epoch}1{upstream}{revision}",
    st.sampled_from(["", "0:", "2:"]),
    st.text("0a.~+Z", max_size=6),
    st.sampled_from(["", "-1", "-1~deb12u1", "-0"]),
)
versions = {"pypi": pypis, "npm": semvers, "semver": semvers, "deb": debs}


@pytest.mark.parametrize("scheme", ORDERED)
@unhurried
@given(data=st.data())
def test_comparison_is_a_total_order(scheme: str, data: st.DataObject) -> None:
    """Any three versions of a scheme are antisymmetric, reflexive and transitive."""
    a, b, c = (data.draw(versions[scheme]) for _ in range(3))
    assert compare(scheme, a, a) == 0
    assert compare(scheme, a, b) == -compare(scheme, b, a)
    if compare(scheme, a, b) <= 0 and compare(scheme, b, c) <= 0:
        assert compare(scheme, a, c) <= 0


@unhurried
@given(a=pypis, b=pypis)
def test_pypi_keys_order_as_the_reference_implementation(a: str, b: str) -> None:
    """Bytes order PEP 440 versions as `packaging` does."""
    left, right = Version(a), Version(b)
    assert compare("pypi", a, b) == (left > right) - (left < right)


@pytest.mark.parametrize(
    ("scheme", "version"),
    [
        ("pypi", "1.0-bulbasaur"),
        ("pypi", ""),
        ("pypi", "1." * 300 + "1"),
        ("semver", "1.1.3.4"),
        ("semver", "1.0.0-a..b"),
        ("semver", "1.0.0-01"),
        ("semver", "1.0.0+"),
        ("npm", "1.0"),
        ("npm", "01.0.0"),
        ("npm", "9007199254740992.0.0"),
        ("npm", "1.0.0-" + "a" * 300),
        ("deb", "a1.0"),
        ("deb", "1.0-"),
        ("deb", "1:2:3_4"),
        ("deb", "1a:2"),
    ],
)
def test_what_cannot_be_ordered_is_refused(scheme: str, version: str) -> None:
    """A version outside its scheme raises, and is never given a place."""
    with pytest.raises(Unparseable) as refusal:
        compare(scheme, version, "1.0.0")
    assert refusal.value.scheme == scheme


def test_a_colon_needs_an_epoch_before_it() -> None:
    """With an epoch the upstream part may hold a colon; without one it may not."""
    assert compare("deb", "1:2:3-1", "1:2:4-1") == -1
    with pytest.raises(Unparseable, match="epoch"):
        key("deb", "1.2:3")


@pytest.mark.parametrize("scheme", [*sorted(set(KNOWN) - set(ORDERED)), "vms"])
def test_a_scheme_without_order_says_so(scheme: str) -> None:
    """Other schemes raise, naming the twelve; the error is one of Leadline's own."""
    with pytest.raises(Unsupported, match="pypi, npm, semver, golang, cargo") as refusal:
        compare(scheme, "1", "1")
    assert isinstance(refusal.value, Invalid)
    assert len(KNOWN) == 12


def test_white_space_around_a_version_does_not_count() -> None:
    """People paste versions with blanks around them."""
    assert compare("pypi", " 1.0\n", "1.0.0") == 0
