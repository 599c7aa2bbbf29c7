"""Findings and the table of replay verdicts."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearing_values import finding, unhurried
from leadline.core.clearing.finding import ReplayResult, ReplayVerdict, further_replays
from leadline.core.errors import Invalid

runs = st.lists(st.sampled_from([True, False, None]), max_size=8).map(tuple)


def test_the_id_is_the_content() -> None:
    """What was seen has one id whenever it is handed in; every other field makes another finding."""
    first = finding()
    elsewhere = first.at.astimezone(timezone(timedelta(hours=5)))
    assert replace(first, at=elsewhere).id == first.id
    changed = {
        replace(first, origin="ai").id,
        replace(first, found_by="another tool").id,
        replace(first, observation="another").id,
        replace(first, ids=("CVE-2020-15904", "GHSA-1")).id,
        replace(first, proof_sha256="c" * 64).id,
    }
    assert replace(first, at=first.at + timedelta(seconds=1)).id == first.id
    assert len(changed | {first.id}) == 6


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("at", datetime(2026, 1, 1)),  # noqa: DTZ001 -- a moment without zone is the point
        ("proof_sha256", "B" * 64),
        ("proof_sha256", "b" * 63),
        ("found_by", ""),
    ],
)
def test_what_later_pages_could_not_show_is_refused(field: str, value: object) -> None:
    """The error names the field."""
    with pytest.raises(Invalid) as refusal:
        finding(**{field: value})
    assert refusal.value.field == field


@pytest.mark.parametrize(
    ("vulnerable", "fixed", "verdict"),
    [
        ((True,) * 5, (False,) * 5, "confirmed, fix effective"),
        ((True,) * 5, (True,) * 5, "confirmed, fix ineffective"),
        ((True,) * 5, (False, True), "confirmed, fix ineffective"),
        ((True,) * 5, (), "confirmed"),
        ((True, False), (False,), "flaky"),
        ((False,) * 5, (False,) * 5, "not-reproduced"),
        ((False,) * 5, (True,) * 5, "not-reproduced"),
        ((), (), "environment-fault"),
        ((None,), (False,), "environment-fault"),
        ((True,), (None,), "environment-fault"),
    ],
)
def test_each_row_of_the_table(
    vulnerable: tuple[bool | None, ...], fixed: tuple[bool | None, ...], verdict: str
) -> None:
    """The words are those of the reference; only a full house of firings confirms."""
    result = ReplayResult("f", vulnerable, fixed, "env")
    assert result.verdict == verdict
    assert result.confirmed == verdict.startswith("confirmed")


@unhurried
@given(vulnerable=runs, fixed=runs)
def test_confirmation_needs_every_run(
    vulnerable: tuple[bool | None, ...], fixed: tuple[bool | None, ...]
) -> None:
    """A confirmed finding fired in all runs; the rate counts finished runs only."""
    result = ReplayResult("f", vulnerable, fixed, "env")
    assert 0.0 <= result.rate <= 1.0
    if result.confirmed:
        assert result.rate == 1.0
        assert None not in vulnerable


def test_a_flaky_finding_is_run_twenty_times() -> None:
    """Two of five firings ask for fifteen further runs; a confirmed one asks for none."""
    flaky = ReplayResult("f", (True, True, False, False, False), (), "env")
    assert flaky.verdict is ReplayVerdict.FLAKY
    assert flaky.rate == pytest.approx(0.4)
    assert further_replays(flaky) == 15
    assert further_replays(ReplayResult("f", (True,) * 5, (), "env")) == 0


def test_moments_are_kept_in_utc() -> None:
    """The maker's moment is the one the id is made of."""
    assert finding().at.tzinfo is UTC
