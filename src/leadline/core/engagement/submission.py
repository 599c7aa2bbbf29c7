"""A submission pack: what a developer hands over when it offers access, part by part.

Which parts a text or its practice speaks of is data (`Regime.pack`). A part that is absent or unknown is
named with its citation and nothing else: it is never a reason not to offer.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from leadline.core.engagement.inquiry import UNKNOWN, Form, answer
from leadline.core.engagement.regime import Regime
from leadline.core.engagement.terms import Terms
from leadline.core.errors import Invalid
from leadline.core.record.act import Value


class Part(StrEnum):
    """The parts that a pack can have, and that a regime file may name."""

    MODEL_CARD = "model-card"
    SYSTEM_CARD = "system-card"
    SAFETY_TESTS = "safety-tests"
    RED_TEAM = "red-team-results"
    DATA_HANDLING = "data-handling-protocol"
    COMPUTE = "compute-statement"
    PARTNER_DATE = "partner-date"
    PUBLIC_DATE = "public-date"
    WEIGHTS_VERSION = "weights-version"
    VARIANT = "variant"
    CONTACT = "contact"


class Fact(StrEnum):
    """What the pack says in words of its own; the keys of its file."""

    MODEL = "model"
    WEIGHTS_VERSION = "weights_version"
    VARIANT = "variant"
    CONTACT = "contact"
    PARTNER_DATE = "partner_date"
    PUBLIC_DATE = "public_date"
    TRAINING_OPERATIONS = "training_operations"
    DATA_LOCATION = "data_location"
    RETENTION_DAYS = "retention_days"


FORMS: Mapping[Fact, Form] = {
    Fact.VARIANT: Form.VARIANT,
    Fact.PARTNER_DATE: Form.WHEN,
    Fact.PUBLIC_DATE: Form.WHEN,
    Fact.TRAINING_OPERATIONS: Form.NUMBER,
    Fact.RETENTION_DAYS: Form.COUNT,
}
# A part that facts alone can be.
SAID: Mapping[Part, tuple[Fact, ...]] = {
    Part.DATA_HANDLING: (Fact.DATA_LOCATION, Fact.RETENTION_DAYS),
    Part.COMPUTE: (Fact.TRAINING_OPERATIONS,),
    Part.PARTNER_DATE: (Fact.PARTNER_DATE,),
    Part.PUBLIC_DATE: (Fact.PUBLIC_DATE,),
    Part.WEIGHTS_VERSION: (Fact.WEIGHTS_VERSION,),
    Part.VARIANT: (Fact.VARIANT,),
    Part.CONTACT: (Fact.CONTACT,),
}


class Origin(StrEnum):
    """What a file of the pack was recognised as."""

    HUGGING_FACE_CARD = "hugging-face-card"
    CYCLONEDX = "cyclonedx-ml-bom"
    INSPECT_LOG = "inspect-log"
    ASSESSMENT = "assessment"  # a folder that `leadline assess` wrote
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Piece:
    """One file of the pack. *digest* is its SHA-256 in hex, *tells* what it says of itself, in short."""

    part: Part
    file: str
    digest: str
    size: int
    origin: Origin
    tells: str = ""


@dataclass(frozen=True, slots=True)
class Submission:
    """The pack's facts and files. *unknown* are parts of which the developer does not know.

    Raises: Invalid, naming fact or file, for a value that cannot be or a file that stands twice.
    """

    facts: Mapping[Fact, str] = field(default_factory=dict)
    pieces: tuple[Piece, ...] = ()
    unknown: frozenset[Part] = frozenset()

    def __post_init__(self) -> None:
        for fact, said in self.facts.items():
            if answer(fact.value, FORMS.get(fact, Form.TEXT), said) != said:
                raise Invalid(fact.value, "is not in its one spelling; read it with `saying`")
        files = [piece.file for piece in self.pieces]
        if len(set(files)) != len(files):
            raise Invalid("pieces", "a file stands twice; one file is one part")

    def saying(self, fact: Fact, text: str) -> "Submission":
        """The pack with one more fact, or with another one."""
        said = answer(fact.value, FORMS.get(fact, Form.TEXT), text)
        return Submission({**self.facts, fact: said}, self.pieces, self.unknown)

    def holding(self, piece: Piece) -> "Submission":
        """The pack with one more file; one of the same name is replaced."""
        others = (one for one in self.pieces if one.file != piece.file)
        return Submission(self.facts, (*others, piece), self.unknown - {piece.part})

    def state(self, part: Part) -> "Presence":
        """Whether a part is there."""
        if any(piece.part is part for piece in self.pieces):
            return Presence.PRESENT
        said = [self.facts.get(fact) for fact in SAID.get(part, ())]
        if part in self.unknown or UNKNOWN in said:
            return Presence.UNKNOWN
        return Presence.PRESENT if said and all(said) else Presence.ABSENT

    def to_record(self) -> dict[str, Value]:
        """The manifest: what the digest of an offer is of."""
        return {
            "facts": {fact.value: self.facts[fact] for fact in sorted(self.facts)},
            "pieces": tuple(
                {
                    "part": piece.part.value,
                    "file": piece.file,
                    "digest": piece.digest,
                    "size": piece.size,
                    "origin": piece.origin.value,
                    "tells": piece.tells,
                }
                for piece in sorted(self.pieces, key=lambda one: one.file)
            ),
            "unknown": tuple(sorted(part.value for part in self.unknown)),
        }


class Presence(StrEnum):
    """Whether a part of the pack is there."""

    PRESENT = "present"
    ABSENT = "absent"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Row:
    """One part, as one text speaks of it; *regime* and *citation* are empty for what none asks for."""

    part: Part
    presence: Presence
    regime: str = ""
    words: str = ""
    citation: str = ""


def completeness(regimes: Iterable[Regime], pack: Submission) -> tuple[Row, ...]:
    """What each text speaks of and whether it is there; after that, what is there besides.

    Raises: Invalid, naming the regime, if its file names a part that no pack has.
    """
    rows = list[Row]()
    for regime in regimes:
        for named in regime.pack:
            if named.part not in set(Part):
                raise Invalid(regime.id, f"{named.part!r} is no part of a pack: {', '.join(Part)}")
            part = Part(named.part)
            citation = regime.source(named.cites).citation
            rows.append(Row(part, pack.state(part), regime.id, named.words, citation))
    named_parts = {row.part for row in rows}
    beside = (Row(part, pack.state(part)) for part in Part if part not in named_parts)
    return (*rows, *(row for row in beside if row.presence is not Presence.ABSENT))


def retention(pack: Submission, terms: Terms) -> str:
    """How the pack's days of retention compare with the terms'; empty where they agree."""
    said = pack.facts.get(Fact.RETENTION_DAYS, UNKNOWN)
    if said == UNKNOWN:
        return f"the pack names no days of retention; the terms say {terms.retention_days}"
    if int(said) == terms.retention_days:
        return ""
    return f"the pack says {int(said)} days of retention, the terms {terms.retention_days}"
