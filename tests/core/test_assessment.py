"""Plans, slices, and samples that count only in sandboxes that were proved."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.core.assessment import (
    PROVED,
    Budget,
    SampleResult,
    ShardResult,
    in_proved_boxes,
    slices,
)

BOX = {part: f"the {part}" for part in PROVED}
PROOF: dict[str, object] = {name: f"the {part}" for part, name in PROVED.items()}


def sample(box: dict[str, str] = BOX) -> SampleResult:
    """A solved sample in *box*."""
    return SampleResult("i", 1, "scored", solved=True, outcome="solved", box=box)


def shard(*samples: SampleResult) -> ShardResult:
    """A shard of these samples."""
    return ShardResult("s", "baseline", "planted", 1, samples)


def test_a_sample_in_a_proved_box_counts() -> None:
    """Every part of the box equals the proof's: nothing changes."""
    assert shard(sample()) == in_proved_boxes(shard(sample()), PROOF)


@pytest.mark.parametrize("network", ["refuted", "void", ""])
def test_a_box_in_a_network_that_was_not_proved_makes_a_sample_no_evidence(network: str) -> None:
    """The box itself is the proved one, but what it was joined to is not what was declared."""
    joined = shard(sample(BOX | {"network": network}))
    assert in_proved_boxes(joined, PROOF).samples[0].state == "infra"
    fine = shard(sample(BOX | {"network": "proved"}))
    assert in_proved_boxes(fine, PROOF) == fine


@pytest.mark.parametrize("part", sorted(PROVED))
def test_one_part_that_differs_makes_a_sample_no_evidence(part: str) -> None:
    """A sample in another box is infra, solved or not, with the reason; a missing part likewise."""
    absent = {name: digest for name, digest in BOX.items() if name != part}
    for box in (BOX | {part: "another"}, BOX | {part: ""}, absent):
        (judged,) = in_proved_boxes(shard(sample(box)), PROOF).samples
        assert (judged.state, judged.solved, judged.outcome) == ("infra", False, "unproved")
        assert "egress proof" in judged.reason


def test_what_never_ran_keeps_its_own_reason() -> None:
    """Infra and missing samples had no box to compare."""
    lost = replace(sample({}), state="missing", solved=False, outcome="missing", reason="killed")
    assert (lost,) == in_proved_boxes(shard(lost), PROOF).samples


@given(st.lists(st.text(min_size=1), unique=True), st.integers(1, 9))
def test_slices_keep_order_and_lose_nothing(ids: list[str], size: int) -> None:
    """The shards of an order, joined, are the order; none is empty or over its size."""
    parts = slices(ids, size)
    assert ids == [one for part in parts for one in part]
    assert all(1 <= len(part) <= size for part in parts)


def test_a_budget_in_words_names_every_kind_that_applies() -> None:
    """0 means that a kind does not apply; nothing at all is said so."""
    assert Budget(1000, 2, 3, 4_500_000).words() == "1,000 fuzzer runs or 2 tokens or 3 s or $4.50"
    assert Budget().words() == "no limit"
