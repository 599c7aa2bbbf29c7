"""Whether this host gives an isolation tier; where it does not, nothing runs."""

from leadline.core.errors import Unavailable
from leadline.core.isolation import Tier
from leadline.sandbox.probe import TierFacts, gather_tiers, judge_tiers


def require_tier(tier: Tier) -> None:
    """As `require`, for a command that does not look at the host's tiers itself.

    Nothing is looked up for a shared kernel: the first box says what is wrong with it.
    """
    if tier is not Tier.SHARED_KERNEL:
        require(tier)


def require(tier: Tier, facts: TierFacts | None = None) -> None:
    """Do nothing where *tier* can be had here, as *facts* (looked up unless given) show.

    Raises: Unavailable, with the cause and what helps. There is no fall-back to a lesser tier.
    """
    seen = gather_tiers() if facts is None else facts
    check = next(one for one in judge_tiers(seen) if one.name == f"tier {tier}")
    if not check.ok:
        raise Unavailable(f"{check.name} cannot be had here: {check.cause}; {check.cure}")
