"""Isolation tiers: their order, and what a run needs at least."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.core.errors import Invalid
from leadline.core.isolation import Tier, least, parse_tier


@given(st.sampled_from(list(Tier)), st.sampled_from(list(Tier)))
def test_of_two_tiers_one_covers_the_other(one: Tier, other: Tier) -> None:
    """The tiers are totally ordered."""
    assert one.covers(other) or other.covers(one)
    assert (one.covers(other) and other.covers(one)) == (one is other)


def test_an_unknown_tier_names_field_and_cure() -> None:
    """What is no tier is refused with the field and the tiers there are."""
    with pytest.raises(Invalid, match=r"--tier.*own-kernel"):
        parse_tier("vault", "--tier")


def test_an_official_run_of_a_model_needs_a_kernel_of_its_own() -> None:
    """The tool baseline and self-assessment do with a shared one."""
    assert least("model", official=True) is Tier.OWN_KERNEL
    assert least("model", official=False) is Tier.SHARED_KERNEL
    assert least("tool-agent", official=True) is Tier.SHARED_KERNEL


def test_a_suite_may_ask_for_more() -> None:
    """The most demanding suite decides; no suite lowers what an official run needs."""
    assert least("tool-agent", official=False, suites=("own-machine", "shared-kernel")) == (
        Tier.OWN_MACHINE
    )
    assert least("model", official=True, suites=("shared-kernel",)) is Tier.OWN_KERNEL
