"""How far a sample is kept apart from the machine it runs on.

Source: design, evaluation 2 and 3; the tiers are ordered, each covers what the ones before it do.
"""

from enum import StrEnum

from leadline.core.errors import Invalid


class Tier(StrEnum):
    """Least isolation first."""

    SHARED_KERNEL = "shared-kernel"  # namespaces and a system call filter on the host's own kernel
    OWN_KERNEL = "own-kernel"  # a kernel of the sample's own between it and the host's
    OWN_MACHINE = "own-machine"  # a machine of the sample's own, virtual or real

    def covers(self, need: "Tier") -> bool:
        """Whether this tier is at least *need*."""
        order = list(Tier)
        return order.index(self) >= order.index(need)


OFFICIAL = Tier.OWN_KERNEL  # the least for an official run of a model


def parse_tier(text: str, field: str = "tier") -> Tier:
    """The tier named *text*.

    Raises: Invalid, naming *field* and the tiers there are.
    """
    try:
        return Tier(text)
    except ValueError:
        known = ", ".join(Tier)
        raise Invalid(field, f"{text!r} is no isolation tier; use one of {known}") from None


def least(kind: str, *, official: bool, suites: tuple[str, ...] = ()) -> Tier:
    """The least tier for a run of a subject of *kind* over *suites* (the tier that each asks for).

    A shared kernel is for the tool baseline and for self-assessment; an official run of a model
    needs a kernel of its own at least.
    """
    needs = [parse_tier(need, "suite's isolation") for need in suites]
    if official and kind != "tool-agent":
        needs.append(OFFICIAL)
    return max(needs, key=list(Tier).index, default=Tier.SHARED_KERNEL)
