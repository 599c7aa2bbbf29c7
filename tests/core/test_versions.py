"""The order of versions: published fixtures, properties, and refusals."""

import random
from collections.abc import Callable
from functools import partial
from itertools import chain, pairwise, permutations, product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearing_values import unhurried
from leadline.core.clearing.versions import (
    KNOWN,
    Unparseable,
    Unsupported,
    compare,
    key,
    range_key,
)
from leadline.core.errors import Invalid
from vectors.version_orders import DISPUTED, REFERENCES, order_or_none, versions
from vectors.versions import refused, tally

FIXTURES = [
    ("pypi", "pypi-versions.txt", 26, 11),
    ("pypi", "pypi-versions-generated.txt", 12_306, 69),
    ("deb", "debian-versions.txt", 30, 0),
    ("deb", "debian-versions-generated.txt", 14_442, 0),
    ("rpm", "redhat-versions.txt", 165, 0),
    ("apk", "alpine-versions.txt", 745, 33),
    ("apk", "alpine-versions-generated.txt", 13_979, 0),
    ("maven", "maven-versions.txt", 102, 0),
    ("maven", "maven-versions-generated.txt", 14_733, 19),
    ("composer", "packagist-versions.txt", 89, 6),
    ("composer", "packagist-versions-generated.txt", 10_611, 19),
    ("gem", "rubygems-versions.txt", 23, 2),
    ("gem", "rubygems-versions-generated.txt", 4_098, 0),
    ("nuget", "nuget-versions.txt", 35, 0),
    ("semver", "semver-versions.txt", 85, 1),
    ("npm", "semver-versions.txt", 83, 3),
    ("golang", "semver-versions.txt", 85, 1),
    ("cargo", "semver-versions.txt", 54, 32),
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
    """No line is ordered wrongly; each refused line is listed, and few of those the scheme admits."""
    held = tally(scheme, vectors / "versions" / name)
    not_admitted, disputed = refused(scheme, name)
    record_property(f"{scheme} {name}", f"{held.right} right, {len(held.refused)} refused")
    assert held.wrong == []
    assert (held.right, len(held.refused)) == (right, unknown)
    assert sorted(held.refused) == sorted(not_admitted + disputed)
    assert held.right >= 0.98 * (held.right + len(disputed))


@pytest.mark.parametrize("scheme", KNOWN)
@unhurried
@given(seed=st.integers(0, 2**32))
def test_comparison_is_a_total_order(scheme: str, seed: int) -> None:
    """Any three versions: reflexive, antisymmetric, transitive; equal keys exactly for equals."""
    draw = random.Random(seed)  # noqa: S311 -- hypothesis chooses the seed
    drawn = [versions(scheme, draw) for _ in range(3)]
    places = {pair: order_or_none(scheme, *pair) for pair in product(drawn, repeat=2)}
    for (a, b), place in places.items():
        assert places[a, a] == 0
        back = places[b, a]
        assert place == (None if back is None else -back)
        if place is not None:
            assert (place == 0) == (key(scheme, a) == key(scheme, b))
    for a, b, c in permutations(drawn, 3):
        one, two, both = places[a, b], places[b, c], places[a, c]
        if one is not None and two is not None and both is not None and one <= 0 and two <= 0:
            assert both <= 0


@pytest.mark.parametrize("scheme", sorted(REFERENCES))
@unhurried
@given(seed=st.integers(0, 2**32))
def test_keys_order_as_the_reference_does(scheme: str, seed: int) -> None:
    """Bytes order versions as a direct transcription of the scheme's own comparison, or a library."""
    draw = random.Random(seed)  # noqa: S311 -- hypothesis chooses the seed
    a, b = versions(scheme, draw), versions(scheme, draw)
    place = order_or_none(scheme, a, b)
    assert place is None or place == REFERENCES[scheme](a, b)
    assert place is not None or scheme in DISPUTED


@pytest.mark.soak
@pytest.mark.parametrize("scheme", KNOWN)
def test_a_hundred_thousand_versions_of_each_scheme(scheme: str) -> None:
    """Sorted by key, neighbours compare so, both ways; and as the reference does, where there is one."""
    draw = random.Random(scheme)  # noqa: S311 -- the same versions every time
    drawn = sorted((versions(scheme, draw) for _ in range(100_000)), key=partial(key, scheme))
    reference = REFERENCES.get(scheme)
    for a, b in chain(pairwise(drawn), zip(drawn, reversed(drawn), strict=True)):
        place = order_or_none(scheme, a, b)
        if place is None:
            assert scheme in DISPUTED
            continue
        held = (key(scheme, a) > key(scheme, b)) - (key(scheme, a) < key(scheme, b))
        assert place == held
        assert order_or_none(scheme, b, a) == -place
        if reference is not None:
            assert place == reference(a, b)


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
        ("golang", "v1.2-rc1"),
        ("golang", "1.02.3"),
        ("golang", "v1.2.3-01"),
        ("cargo", "v1.2.3"),
        ("cargo", "1.2"),
        ("cargo", "18446744073709551616.0.0"),
        ("cargo", "1.2.3-a..b"),
        ("nuget", "1.2.3.4.5"),
        ("nuget", "v1.0"),
        ("nuget", "1.0-a..b"),
        ("gem", "1beta"),
        ("gem", "1.0_1"),
        ("gem", "1..0"),
        ("rpm", "1-2-3"),
        ("rpm", "1 2"),
        ("rpm", "1\x00"),
        ("maven", "1.0,2.0"),
        ("maven", "[1.0]"),
        ("maven", "1.0é"),
        ("composer", "1.2.3.#"),
        ("composer", "1.0-snapshot"),
        ("composer", "1.x-dev"),
        ("composer", "1..0"),
        ("apk", "1.0A"),
        ("apk", "1-r"),
        ("apk", "1_foo"),
        ("apk", ".1"),
        ("apk", "1.0-r1-r2"),
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


@pytest.mark.parametrize("scheme", ["vms", "", "PyPI", "debian"])
def test_a_scheme_without_order_says_so(scheme: str) -> None:
    """Other schemes raise, naming the twelve; the error is one of Leadline's own."""
    with pytest.raises(Unsupported, match="pypi, npm, semver, golang, cargo") as refusal:
        compare(scheme, "1", "1")
    assert isinstance(refusal.value, Invalid)
    assert len(KNOWN) == 12


@pytest.mark.parametrize(
    ("scheme", "ordered"),
    [
        ("golang", "v1.0.0-0.20200101000000-abcdef v1 v1.0.1 1.2 v2.0.0+incompatible"),
        ("cargo", "1.0.0-alpha.1 1.0.0 1.0.1"),
        ("nuget", "1.0.0--1 1.0.0-1 1.0.0-20200101000000 1.0.0-a 1 1.0.0.1"),
        ("gem", "1.a.0.b 1.a 1.a.0.1 1.a.1 1 1.0.0.1 1.1"),
        ("gem", "1-1 1.rc 1"),
        ("rpm", "1~ 1 1- 1-0 1^ 1.a 1.0 1:0"),
        ("rpm", "1~a 1~1 1 1a 1.0"),
        ("apk", "1_alpha_pre 1_alpha 1_alpha1 1_rc 1 1-r0 1~ab 1_cvs 1_p 1a 1a1 1.0 1.00 1.05 1.1"),
        ("apk", "8.2.0015 8.2.002"),
        ("maven", "1-alpha 1-rc1 1-snapshot 1 1-sp 1-foo 1-1 1.1"),
        ("maven", "3.6.2.FL.20090615 3.6.2-FL-2009-05-11"),
        ("composer", "dev-a dev-b 1-dev 1a1 1b1 1RC1 1 1.0 1.0.0 1p1 2"),
    ],
)
def test_traps(scheme: str, ordered: str) -> None:
    """What is easily ordered wrongly, in order."""
    for one, other in pairwise(ordered.split()):
        assert compare(scheme, one, other) == -1, (one, other)


@pytest.mark.parametrize(
    ("scheme", "a", "b"),
    [
        ("golang", "v1", "1.0.0+build"),
        ("nuget", "1.0-BETA.01+x", "1.0.0.0-beta.1"),
        ("gem", "1.0.a.0", "1.a"),
        ("rpm", "0:1.a+", "1_a"),
        ("maven", "1.0.0-CR1", "1rc1"),
        ("maven", "1-ga-1.Final", "1-1"),
        ("composer", "v1.0-beta+meta", "1.0b"),
        ("apk", "01.2_p01", "1.2_p1"),
    ],
)
def test_spellings_of_one_version(scheme: str, a: str, b: str) -> None:
    """Different texts, one place."""
    assert compare(scheme, a, b) == 0


@pytest.mark.parametrize(
    ("scheme", "a", "b"),
    [
        ("maven", "2.9.0-1", "2.9.0.RC1"),
        ("maven", "1.sp", "1-alpha"),
        ("composer", "1.0-ALPHA", "1.0-BETA"),
        ("composer", "5.1.0-stable", "5.1.0-beta2"),
    ],
)
def test_where_a_schemes_own_tools_disagree_nothing_is_said(scheme: str, a: str, b: str) -> None:
    """Each has a key, the pair has no order."""
    assert key(scheme, a) != key(scheme, b)
    with pytest.raises(Unparseable, match="disagree"):
        compare(scheme, a, b)


@pytest.mark.parametrize(
    ("a", "b", "equal"),
    [
        ("1.0", "v1.0.0.0+x", True),
        ("1.0-beta", "1.0.0-BETA", True),
        ("5.1.0-stable", "5.1", True),
        ("1.0", "1.0.0p1", False),
        ("20190101", "20190101.0", False),
        ("1.2.3.4.5", "1.2.3.4", False),
    ],
)
def test_a_range_of_composer_is_judged_as_its_resolver_does(
    a: str,
    b: str,
    equal: bool,  # noqa: FBT001 -- the expected value
) -> None:
    """Filled up to four numbers."""
    assert (range_key("composer", a) == range_key("composer", b)) is equal


def test_a_branch_has_no_place_in_a_range() -> None:
    """A branch is named, not numbered; all other schemes have one key for both uses."""
    with pytest.raises(Unparseable):
        range_key("composer", "dev-main")
    assert range_key("deb", "1.0-1") == key("deb", "1.0-1")


def test_white_space_around_a_version_does_not_count() -> None:
    """People paste versions with blanks around them."""
    assert compare("pypi", " 1.0\n", "1.0.0") == 0
