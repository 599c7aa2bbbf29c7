"""CVSS vectors as CSAF and CVE carry them: the vector, its base score and the word for it.

Sources: FIRST, CVSS v2.0 guide, v3.0, v3.1 and v4.0 specifications (severity words: section 5, v2 has none).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from leadline.core.clearing.priority import cvss

_WORDS = ((9.0, "CRITICAL"), (7.0, "HIGH"), (4.0, "MEDIUM"), (0.1, "LOW"), (0.0, "NONE"))


@dataclass(frozen=True, slots=True)
class Scored:
    """A vector with its base score. *field* is the member of a CSAF score that holds it."""

    version: str
    vector: str
    score: float

    @property
    def field(self) -> str:
        """``cvss_v2``, ``cvss_v3`` or ``cvss_v4``."""
        return f"cvss_v{self.version[0]}"

    @property
    def document(self) -> Mapping[str, object]:
        """The members that the schemas of FIRST require."""
        held: dict[str, object] = {
            "version": self.version,
            "vectorString": self.vector,
            "baseScore": self.score,
        }
        return held if self.version == "2.0" else held | {"baseSeverity": self.word}

    @property
    def word(self) -> str:
        """The severity that versions 3 and 4 give this score."""
        return next(word for least, word in _WORDS if self.score >= least)


def read(vector: str) -> Scored:
    """A vector with its score.

    Raises: Invalid, if it is none; Unavailable, without the package ``cvss``.
    """
    plain = vector.strip().removeprefix("CVSS:2.0/").removeprefix("(").removesuffix(")")
    version = plain[5:8] if plain.startswith("CVSS:") else "2.0"
    return Scored(version, plain, cvss(plain))
