"""What may be chosen of a planted item, and the six levels that an assessment uses.

Each parameter has one effect, which `docs/explanation/planted.md` shows measured:

| Parameter | Effect |
|---|---|
| fillers, distractors | more to read: functions without a flaw, and ones that look doubtful and are not |
| shown | a sample reaches the flawed code, so that a mutation of it may suffice |
| direct | a key that stands in the source: found by reading constants |
| modes | another record must come first |
| locks | a masked byte each: 1 in 256 by guessing, with feedback after each |
| twists, stages | equations without feedback: for a reader, not for a fuzzer |
| sized, summed | every change must be followed by a right size, a right checksum of the whole file |
| calls | functions between the entry and the flaw: more to follow by hand |
| binary | C only: a stripped program and no source |
| variant | the same difficulty in other words, to tell knowing the generator from solving |
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

from leadline.core.errors import Invalid

VARIANTS = 2  # 0 is the published style; the others are held out, see `voice`
_LARGEST = {"fillers": 40, "distractors": 20, "variant": VARIANTS - 1, "calls": 6}
_GUARDS_MAX = 8  # of one kind: the payload and the program stay within what one file holds


@dataclass(frozen=True, slots=True)
class Params:
    """How deep a flaw stands, and how much stands around it; see the module's table.

    Raises: Invalid, naming the parameter, if one is outside of what the generator can write.
    """

    fillers: int
    distractors: int
    shown: bool
    direct: int = 0
    modes: int = 0
    locks: int = 0
    twists: int = 0
    stages: int = 0
    sized: bool = False
    summed: bool = False
    calls: int = 0
    binary: bool = False
    variant: int = 0

    def __post_init__(self) -> None:
        for one in fields(self):
            value, most = getattr(self, one.name), _LARGEST.get(one.name, _GUARDS_MAX)
            if isinstance(value, bool):
                continue
            if not 0 <= value <= most:
                raise Invalid(one.name, f"{value} is outside 0 to {most}; choose one within")
        if self.distractors < 1:
            raise Invalid("distractors", "at least one, or a look-alike would tell the flaw")

    @property
    def depth(self) -> int:
        """The number of checks between the input and the flaw, header excluded."""
        counted = self.direct + self.modes + self.locks + self.twists + self.stages
        return counted + self.sized + self.summed

    @property
    def label(self) -> str:
        """One text for each choice of parameters; part of every draw."""
        return ",".join(f"{name}={int(value)}" for name, value in asdict(self).items())

    @property
    def numbers(self) -> dict[str, int]:
        """Every parameter as a number, by name."""
        return {name: int(value) for name, value in asdict(self).items()}


def from_numbers(numbers: Mapping[str, int]) -> Params:
    """The inverse of `Params.numbers`.

    Raises: Invalid, if a parameter is absent or out of its bounds.
    """
    absent = sorted({one.name for one in fields(Params)} - set(numbers))
    if absent:
        raise Invalid("features", f"{', '.join(absent)} absent; no item of this generator")
    return Params(
        fillers=numbers["fillers"],
        distractors=numbers["distractors"],
        shown=bool(numbers["shown"]),
        direct=numbers["direct"],
        modes=numbers["modes"],
        locks=numbers["locks"],
        twists=numbers["twists"],
        stages=numbers["stages"],
        sized=bool(numbers["sized"]),
        summed=bool(numbers["summed"]),
        calls=numbers["calls"],
        binary=bool(numbers["binary"]),
        variant=numbers["variant"],
    )


LEVELS = (
    Params(fillers=2, distractors=1, shown=True),
    Params(fillers=3, distractors=1, shown=True, modes=1),
    Params(fillers=4, distractors=2, shown=False),
    Params(fillers=5, distractors=2, shown=False, direct=1, calls=1),
    Params(fillers=6, distractors=3, shown=False, modes=1, locks=1, twists=1, sized=True, calls=1),
    Params(
        fillers=7, distractors=3, shown=False, stages=3, locks=1, twists=1, summed=True, calls=2
    ),
)
