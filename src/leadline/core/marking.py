"""The marking that every artefact carries: TLP 2.0 label and compartment.

A derived artefact carries the strictest marking of what it was made from (`Marking.join`); nothing
loosens a marking but an act of publication. Source: FIRST, Traffic Light Protocol 2.0 (2022).
"""

from dataclasses import dataclass
from enum import StrEnum

from typing_extensions import override

from leadline.core.errors import Invalid


class Tlp(StrEnum):
    """TLP 2.0 labels, spelled as the standard spells them."""

    RED = "TLP:RED"
    AMBER_STRICT = "TLP:AMBER+STRICT"
    AMBER = "TLP:AMBER"
    GREEN = "TLP:GREEN"
    CLEAR = "TLP:CLEAR"

    @property
    def strictness(self) -> int:
        """0 for CLEAR to 4 for RED."""
        return (Tlp.CLEAR, Tlp.GREEN, Tlp.AMBER, Tlp.AMBER_STRICT, Tlp.RED).index(self)

    @property
    def word_1(self) -> str:
        """The label of TLP 1 that is as strict or stricter: there is no AMBER+STRICT, so RED."""
        return _TLP_1[self]


_TLP_1 = {
    Tlp.RED: "RED",
    Tlp.AMBER_STRICT: "RED",
    Tlp.AMBER: "AMBER",
    Tlp.GREEN: "GREEN",
    Tlp.CLEAR: "WHITE",
}
_WORDS = {
    **{label.value.removeprefix("TLP:"): label for label in Tlp},
    "WHITE": Tlp.CLEAR,
    "AMBER STRICT": Tlp.AMBER_STRICT,
    "AMBER_STRICT": Tlp.AMBER_STRICT,
    "AMBER-STRICT": Tlp.AMBER_STRICT,
}


def read_tlp(text: str) -> Tlp:
    """The label that a text names, of TLP 1 or 2 with or without ``TLP:``; RED for anything else."""
    return _WORDS.get(" ".join(text.upper().split()).removeprefix("TLP:").strip(), Tlp.RED)


@dataclass(frozen=True, slots=True)
class Marking:
    """Who may see an artefact: a TLP label, and the compartments a reader must all hold."""

    tlp: Tlp
    compartments: frozenset[str] = frozenset()

    def join(self, other: "Marking") -> "Marking":
        """The marking of something made from both: the stricter label, all compartments."""
        tlp = max(self.tlp, other.tlp, key=lambda label: label.strictness)
        return Marking(tlp, self.compartments | other.compartments)

    @override
    def __str__(self) -> str:
        return "//".join((self.tlp.value, *sorted(self.compartments)))


def parse_marking(text: str) -> Marking:
    """Read what `str(marking)` wrote.

    Raises: Invalid, if the label is not one of TLP 2.0's.
    """
    label, *compartments = text.split("//")
    try:
        return Marking(Tlp(label), frozenset(compartments))
    except ValueError:
        known = ", ".join(Tlp)
        raise Invalid("marking", f"{label!r} is no TLP 2.0 label; use one of {known}") from None
