"""A tier that the host cannot give means no run, with the cause and what helps."""

import pytest

from leadline.core.errors import Unavailable
from leadline.core.isolation import Tier
from leadline.runner.isolation import require
from leadline.sandbox.probe import TierFacts

ALL = TierFacts(shared="", own="", driver="runsc 1 on ptrace", container="")


def test_tiers_that_can_be_had_pass() -> None:
    """Nothing is raised."""
    require(Tier.SHARED_KERNEL, ALL)
    require(Tier.OWN_KERNEL, ALL)


def test_a_missing_tier_names_cause_and_cure_and_no_lesser_tier_stands_in() -> None:
    """Each tier on its own."""
    bare = TierFacts(shared="bwrap: no", own="", driver="", container="")
    with pytest.raises(Unavailable, match="bwrap: no"):
        require(Tier.SHARED_KERNEL, bare)
    with pytest.raises(Unavailable, match=r"runsc is not installed; .*install"):
        require(Tier.OWN_KERNEL, bare)
    with pytest.raises(Unavailable, match=r"own-machine .* no provider of machines"):
        require(Tier.OWN_MACHINE, ALL)
