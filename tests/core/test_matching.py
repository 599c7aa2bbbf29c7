"""The status lattice: what may be said of a release, and what must stay unknown."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearing_values import UJSON, advisory, inventory, statement, ujson, unhurried
from leadline.core.clearing.advisory import Statement
from leadline.core.clearing.match import EVERY, Status, match, read
from leadline.core.clearing.product import Component, Interval, Package, Releases, package
from leadline.core.clearing.versions.ranges import contains

VERSIONS = ["1.0", "2.0", "5.1.0", "5.2.0", "6.0", "5.2.0rc1", "garbled!", "1.0-bank", ""]


@pytest.mark.parametrize(
    ("version", "status"),
    [
        ("1.35", Status.NOT_AFFECTED),
        ("2.0", Status.AFFECTED),
        ("5.1.0", Status.AFFECTED),
        ("5.2.0rc1", Status.AFFECTED),
        ("5.2.0", Status.FIXED),
        ("5.4.0", Status.FIXED),
        ("garbled!", Status.UNKNOWN),
        (" ", Status.UNKNOWN),
    ],
)
def test_a_complete_range_decides_every_release(version: str, status: Status) -> None:
    """Below, inside, at and above the range; what cannot be ordered is unknown."""
    reading = read(statement(), version)
    assert reading.status is status
    assert bool(reading.ask) == (status is Status.UNKNOWN)
    assert reading.why


@pytest.mark.parametrize(
    ("interval", "version", "held"),
    [
        (Interval(), "any!", True),
        (Interval("1.0", low_included=False), "1.0", False),
        (Interval("1.0"), "1.0", True),
        (Interval(high="2.0"), "2.0", False),
        (Interval(high="2.0", high_included=True), "2.0", True),
        (Interval("odd!", "2.0"), "1.0", None),
        (Interval("1.0", "odd!"), "1.5", None),
        (Interval("1.0", "2.0"), "odd!", None),
        (Interval("2.0", "1.0"), "1.5", None),
    ],
)
def test_ends_of_an_interval(interval: Interval, version: str, held: bool | None) -> None:  # noqa: FBT001 -- the expected value
    """Ends count as they say; an end or a release without order gives no answer."""
    assert contains(Releases((interval,)), "pypi", version) is held


@pytest.mark.parametrize(
    ("listed", "version", "held"),
    [
        ("1.0", "1.0.0", True),
        ("0.9-doduo", "0.9-doduo", True),
        ("0.9-doduo", "0.9", False),
        ("1.0", "odd!", None),
    ],
)
def test_listed_releases(listed: str, version: str, held: bool | None) -> None:  # noqa: FBT001 -- the expected value
    """Equal under the scheme or as text; a release without order may be any of them."""
    assert contains(Releases(listed=(listed,)), "pypi", version) is held


def test_ranges_and_lists_are_a_union() -> None:
    """A listed release outside the range is affected, as OSV says."""
    held = statement(affected=Releases((Interval("2.0", "3.0"),), ("4.5",)))
    assert read(held, "4.5").status is Status.AFFECTED
    assert read(held, "2.5").status is Status.AFFECTED


@pytest.mark.parametrize(
    ("changed", "version", "status"),
    [
        ({"complete": False}, "1.0", Status.UNKNOWN),
        ({"complete": False}, "6.0", Status.FIXED),
        ({"doubts": ("commits only",)}, "1.0", Status.UNKNOWN),
        ({"doubts": ("commits only",)}, "5.1.0", Status.AFFECTED),
        ({"untested": Releases((Interval(high="2.0"),))}, "1.0", Status.UNKNOWN),
        ({"untested": Releases((Interval("bad!"),))}, "1.0", Status.UNKNOWN),
        ({"not_affected": Releases(listed=("1.0",))}, "1.0", Status.NOT_AFFECTED),
        ({"affected": Releases((Interval(),))}, "", Status.AFFECTED),
        ({"affected": Releases((Interval("bad!"),))}, "6.0", Status.UNKNOWN),
        ({"fixed": Releases(listed=("bad!",))}, "6.0", Status.NOT_AFFECTED),
        ({"scheme": "vms"}, "6.0", Status.UNKNOWN),
    ],
)
def test_caution_decides(changed: dict[str, object], version: str, status: Status) -> None:
    """Doubts, untested releases and foreign orders keep the answer open; explicit words count."""
    assert read(replace(statement(), **changed), version).status is status  # type: ignore[arg-type]


releases = st.builds(
    Releases,
    st.lists(
        st.builds(
            Interval,
            st.sampled_from(VERSIONS),
            st.sampled_from(VERSIONS),
            st.booleans(),
            st.booleans(),
        ),
        max_size=2,
    ).map(tuple),
    st.lists(st.sampled_from(VERSIONS[:-1]), max_size=2).map(tuple),
)
statements = st.builds(
    Statement,
    package=st.just(UJSON),
    affected=releases,
    fixed=releases,
    not_affected=st.just(Releases()),
    untested=releases,
    complete=st.booleans(),
    doubts=st.sampled_from([(), ("odd",)]),
)


@unhurried
@given(held=statements, version=st.sampled_from(VERSIONS))
def test_not_affected_is_never_said_of_what_is_not_understood(
    held: Statement, version: str
) -> None:
    """Where a bound or the release has no order, or a doubt stands, nothing is called not affected."""
    bounds = [version, *held.affected.listed]
    bounds += [end for span in held.affected.intervals for end in (span.low, span.high) if end]
    murky = not version or held.doubts or not held.complete
    if read(held, version).status is Status.NOT_AFFECTED:
        assert not murky
        assert version not in {"garbled!", "1.0-bank"}
        assert contains(held.affected, "pypi", version) is False


@unhurried
@given(held=statements, version=st.sampled_from(VERSIONS[:-1]))
def test_an_affected_release_is_never_played_down(held: Statement, version: str) -> None:
    """Whatever else a statement says, a release in its affected set is affected."""
    if contains(held.affected, "pypi", version) is True:
        assert read(held, version).status is Status.AFFECTED


def test_a_pair_that_names_another_product_is_not_listed() -> None:
    """An identified component of another package gives no pair at all."""
    numpy = Component("1", "numpy", "1.0", package("pypi", "", "numpy"))
    found = match(inventory(numpy), [advisory()])
    assert (found.assets, found.matches, found.questions) == (1, (), ())


def test_a_withdrawn_advisory_matches_nothing() -> None:
    """It is kept by whoever holds it, and says nothing of any component."""
    assert match(inventory(ujson("5.1.0")), [advisory(withdrawn=True)]).matches == ()


def test_the_worst_of_several_statements_stands() -> None:
    """Two flaws of one advisory give one pair, the more cautious."""
    harmless = statement(affected=Releases(listed=("1.0",)))
    held = advisory(harmless, statement(), statement(doubts=("odd",)))
    (pair,) = match(inventory(ujson("5.1.0")), [held]).matches
    assert pair.status is Status.AFFECTED


def test_an_asset_named_twice_is_never_played_down() -> None:
    """Two components under one reference give the more cautious answer."""
    (pair,) = match(inventory(ujson("5.1.0"), ujson("6.0")), [advisory()]).matches
    assert pair.status is Status.AFFECTED


@pytest.mark.parametrize("name", ["ujson", "UJSON", "python3-ujson", "ujson for Python"])
def test_a_name_without_identity_becomes_a_question(name: str) -> None:
    """A component that may be the package is unknown, for that advisory and for every other."""
    found = match(inventory(Component("7", name, "5.1.0")), [advisory()])
    assert [(pair.advisory, pair.status) for pair in found.matches] == [
        ("ADV-1", Status.UNKNOWN),
        (EVERY, Status.UNKNOWN),
    ]
    assert [question.asset for question in found.questions] == ["7", "7"]


def test_a_repackaged_copy_becomes_a_question() -> None:
    """Debian's copy has its own numbers, so the registry's range does not decide it."""
    copy = Component("1", "python3-ujson", "5.1.0-1", package("deb", "debian", "python3-ujson"))
    (pair,) = match(inventory(copy), [advisory()]).matches
    assert pair.status is Status.UNKNOWN


def test_a_device_is_unknown_where_libraries_are_spoken_of() -> None:
    """What is inside a device is not on its label; without such advisories nothing is asked."""
    device = Component("2", "RTU-210", "4.60", kind="device", maker="Brookline")
    (pair,) = match(inventory(device), [advisory()]).matches
    assert (pair.advisory, pair.status) == (EVERY, Status.UNKNOWN)
    other = statement(package=Package("", "Acme", "Unrelated 9"))
    assert match(inventory(device), [advisory(other)]).matches == ()


@pytest.mark.parametrize(
    ("maker", "model", "vendor", "product", "asked"),
    [
        ("Brookline Controls", "RTU 210", "Brookline", "RTU-210", True),
        ("", "RTU-210", "Brookline", "RTU-210 firmware", True),
        ("Kestrel", "RTU-21", "Brookline", "RTU-21", False),
        ("Brookline", "RTU-310", "Brookline", "RTU-210", False),
        ("Brookline", "A1", "Brookline", "A100", False),
        ("Brookline", "", "Brookline", "A100", False),
        ("Former Owner", "SDM-6000", "Brookline", "Manager SDM6000", True),
        ("Former Owner", "Dashboard", "Brookline", "Dashboard", False),
        (
            "Brookline Ltd",
            "Quantum HD panel",
            "Brookline Inc",
            "Quantum Unity control panels",
            True,
        ),
        ("Brookline Ltd", "Web server", "Brookline Inc", "Data server", False),
        ("Brookline", "A1", "Brookline", "a-1", True),
    ],
)
def test_a_device_that_resembles_a_product_is_asked_about(
    maker: str,
    model: str,
    vendor: str,
    product: str,
    asked: bool,  # noqa: FBT001 -- the expected value
) -> None:
    """Maker and model must fit, or a long model code alone; even then the answer is a question."""
    device = Component("2", model, "4.60", kind="device", maker=maker)
    held = advisory(statement(package=Package("", vendor, product)))
    found = match(inventory(device), [held]).matches
    assert [pair.status for pair in found] == ([Status.UNKNOWN] if asked else [])


def test_the_order_of_advisories_does_not_matter() -> None:
    """The same pairs come out, in order of advisory id."""
    one, two = advisory(id="A"), advisory(id="B")
    found = match(inventory(ujson("5.1.0")), [two, one])
    assert found == match(inventory(ujson("5.1.0")), [one, two])
    assert [pair.advisory for pair in found.matches] == ["A", "B"]
