"""What a notice says at each stage, and what it keeps to itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import clearing_values as values
from leadline.core.clearing.advisory import Flaw
from leadline.core.clearing.delivery import (
    Evidence,
    Words,
    alias,
    correction,
    early,
    local,
    public,
    wanted,
)
from leadline.core.clearing.match import Status, match
from leadline.core.clearing.product import Component, Interval, Package, Releases
from leadline.core.clearing.resemblance import plain
from leadline.core.clearing.tiers import Stage
from leadline.core.errors import Invalid

ADVISORY = values.advisory()
HELD = values.inventory(values.ujson("5.1.0"), Component("2", "left-pad", "1.0"))
DEVICE = Package("", "Acme", "Pump Controller X200")


def test_an_early_page_says_only_what_is_the_readers_own() -> None:
    """Its component, the repaired release, the moment with its zone; of the advisory not a word."""
    words = Words("", Evidence.REPLAYED, values.AT)
    made = early(values.OPERATOR, values.SECTOR, HELD, ADVISORY, Stage.ADVANCE, words)
    assert made is not None
    text = str(made.page)
    assert "Install release 5.2.0 or a later one from 2026-11-01 12:00 UTC on." in text
    for own in (ADVISORY.id, ADVISORY.title, "CVE-2021-45958", "CWE-787", "overruns"):
        assert own not in text
    assert made.why == ("ujson 5.1.0 is among the affected releases",)
    without = early(values.OPERATOR, values.SECTOR, HELD, ADVISORY, Stage.ADVANCE, Words())
    assert without is not None
    assert "on a day that is not agreed yet" in without.page.touches
    assert "as soon as it is published" in without.page.actions[0]
    fine = values.inventory(values.ujson("5.2.0"))
    assert early(values.OPERATOR, values.SECTOR, fine, ADVISORY, Stage.ADVANCE, words) is None


def test_a_mitigation_names_no_release() -> None:
    """Nor how to see that one was installed."""
    words = Words("Stop the import job.", Evidence.OWNER)
    made = early(values.OPERATOR, values.SECTOR, HELD, ADVISORY, Stage.MITIGATION, words)
    assert made is not None
    assert "5.2.0" not in str(made.page)
    assert made.page.actions == ("Stop the import job.", "Mind the ward.")
    bare = values.advisory(values.statement(fixed=Releases()))
    told = early(values.OPERATOR, values.SECTOR, HELD, bare, Stage.ADVANCE, words)
    assert told is not None
    assert "Install the repaired release" in told.page.actions[0]


def test_a_device_without_a_package_is_told_by_the_statement_that_hits_it() -> None:
    """Where no package is known, the statement is found by matching it alone."""
    hit = values.statement(
        package=DEVICE, affected=Releases((Interval(),)), fixed=Releases(), complete=True
    )
    other = values.statement()
    advisory = values.advisory(hit, other)
    pump = Component("1", "Pump Controller X200", "2.0", maker="Acme", kind="device")
    matching = match(values.inventory(pump), [advisory])
    made = early(
        values.OPERATOR, values.SECTOR, values.inventory(pump), advisory, Stage.MITIGATION, Words()
    )
    told = any(one.status is Status.AFFECTED for one in matching.matches)
    assert (made is not None) == told
    named = values.inventory(Component("1", "Pump Controller X200", "2.0", DEVICE, kind="device"))
    page = early(values.OPERATOR, values.SECTOR, named, advisory, Stage.MITIGATION, Words())
    assert page is None or page.told == (hit,)


def test_public_pages() -> None:
    """Affected, asked, or nothing; a person's own words come first."""
    made = public(values.OPERATOR, values.SECTOR, HELD, ADVISORY, Words("Do it today."))
    assert made is not None
    assert made.page.actions[0] == "Do it today."
    assert made.told == (values.statement(),)
    asked = public(
        values.OPERATOR, values.SECTOR, values.inventory(values.ujson("")), ADVISORY, Words()
    )
    assert asked is not None
    assert (asked.page.affected, len(asked.page.unknown)) == ((), 1)
    fine = values.inventory(values.ujson("5.2.0"))
    assert public(values.OPERATOR, values.SECTOR, fine, ADVISORY, Words()) is None


def test_local_pages_and_corrections() -> None:
    """A local operator is told that something was published; a correction says what changed."""
    held = local(values.OPERATOR, values.SECTOR, ADVISORY, Words("Today, please."))
    assert held.page.actions[0] == "Today, please."
    assert len(local(values.OPERATOR, values.SECTOR, ADVISORY, Words()).page.actions) == 2
    still = correction(held.page, "a wider range", concerns=True)
    assert still.heading.startswith("Corrected. ")
    assert still.actions[0] == "What changed: a wider range"
    over = correction(held.page, "it was no flaw", concerns=False)
    assert (over.affected, over.checks) == ((), ())
    assert "need not be undone" in over.actions[0]


def test_words_are_bounded() -> None:
    """Long words and wrong digests are refused, with the field's name."""
    with pytest.raises(Invalid, match="words"):
        Words("x" * 2001)
    with pytest.raises(Invalid, match="artefacts"):
        Words(artefacts=("A" * 64,))
    assert all(one.words.endswith(".") for one in Evidence)


def test_an_alias_is_another_in_each_case() -> None:
    """And the same within it."""
    assert alias("case-1", "operator-1") == alias("case-1", "operator-1")
    assert alias("case-1", "operator-1") != alias("case-2", "operator-1")


versions = st.sampled_from(["5.1.0", "5.2.0", "", "no version"])
names = st.sampled_from(["ujson", "python3-ujson", "left-pad", "UJSON", "pump"])


@values.unhurried
@given(st.lists(st.tuples(names, versions, st.booleans()), max_size=5))
def test_what_is_left_out_could_not_match(told: list[tuple[str, str, bool]]) -> None:
    """Matching only what may match gives the same pairs as matching everything."""
    whole = values.inventory(
        *(
            Component(str(at), name, version, Package("pypi", "", name.lower()) if named else None)
            for at, (name, version, named) in enumerate(told)
        )
    )
    named, devices = wanted(ADVISORY)
    some = values.inventory(
        *(
            one
            for one in whole.components
            if plain(one.name) in named
            or (plain(one.package.name) in named if one.package else devices)
        )
    )

    def pairs(held: object) -> set[tuple[str, Status]]:
        found = match(held, [ADVISORY])  # type: ignore[arg-type] # an inventory
        return {(one.asset, one.status) for one in found.matches if one.advisory == ADVISORY.id}

    assert pairs(whole) == pairs(some)


def test_a_flaw_without_statements_tells_nobody() -> None:
    """There is nothing to match."""
    empty = values.advisory(flaws=(Flaw((), "t", "d", ()),))
    assert public(values.OPERATOR, values.SECTOR, HELD, empty, Words()) is None
