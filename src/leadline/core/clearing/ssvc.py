"""Decision tables of SSVC, decided also where inputs are unknown, and never by a default.

A table gives one outcome for each combination of its inputs' values. Where an input is unknown, the
table is evaluated over every completion: one outcome is a decision, and several leave it undetermined
between the least and the most urgent of them, with the inputs that would settle it.
Source: CERT/CC, Stakeholder-Specific Vulnerability Categorization, https://github.com/CERTCC/SSVC
(schema 2.0.0 of decision points and tables).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

from leadline.core.errors import Invalid


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a decision point: its key within the point, its name and what it means."""

    key: str
    name: str
    definition: str


@dataclass(frozen=True, slots=True)
class Point:
    """A decision point under its full id, such as ``cisa:KEV:1.0.0``; values from least to most urgent."""

    id: str
    name: str
    definition: str
    values: tuple[Value, ...]

    def __post_init__(self) -> None:
        keys = [value.key for value in self.values]
        if not keys or len(set(keys)) != len(keys):
            raise Invalid(self.id, "needs values, each with a key of its own")

    def level(self, key: str) -> int:
        """The place of *key* among the values, 0 the least urgent.

        Raises: Invalid, listing the keys.
        """
        for place, value in enumerate(self.values):
            if value.key == key:
                return place
        keys = ", ".join(value.key for value in self.values)
        raise Invalid(self.id, f"{key!r:.40} is none of {keys}; leave out what is unknown")

    def value(self, key: str) -> Value:
        """The value under *key*.

        Raises: Invalid, listing the keys.
        """
        return self.values[self.level(key)]


@dataclass(frozen=True, slots=True)
class Decision:
    """What a table says of what is known.

    *least* and *most* are the ends of what is still possible by urgency, *possible* all of it in that
    order. *needed* are the unknown inputs that settle it together, whatever their answers, and none of
    which can be spared in every case; *immaterial* are unknown inputs that cannot change the outcome.
    """

    table: str
    outcome: Point
    known: tuple[tuple[str, str], ...]
    least: Value
    most: Value
    possible: tuple[Value, ...]
    needed: tuple[Point, ...]
    immaterial: tuple[Point, ...]

    @property
    def determined(self) -> bool:
        """Whether one outcome is left."""
        return len(self.possible) == 1

    @property
    def levels(self) -> tuple[int, int]:
        """The places of *most* and of *least* among the outcomes, 0 the least urgent."""
        return self.outcome.level(self.most.key), self.outcome.level(self.least.key)

    def words(self) -> str:
        """The decision for people, with what would settle it or did not matter."""
        if not self.determined:
            asked = " and ".join(point.name for point in self.needed)
            return (
                f"undetermined: between {self.least.name} and {self.most.name}; "
                f"to settle it, find out: {asked}"
            )
        if self.immaterial:
            spared = " and ".join(point.name for point in self.immaterial)
            return f"{self.most.name}; unknown, and without effect here: {spared}"
        return self.most.name


@dataclass(frozen=True, slots=True)
class Table:
    """A complete decision table: *rows* gives the outcome's key by the inputs' keys in their order.

    Raises: Invalid, for a combination that is missing, or a key that no point has.
    """

    id: str
    name: str
    inputs: tuple[Point, ...]
    outcome: Point
    rows: Mapping[tuple[str, ...], str]

    def __post_init__(self) -> None:
        points = [*(point.id for point in self.inputs), self.outcome.id]
        if not self.inputs or len(set(points)) != len(points):
            raise Invalid(self.id, "needs inputs and an outcome, each point once")
        size = 1
        for point in self.inputs:
            size *= len(point.values)
        if len(self.rows) != size:
            raise Invalid(
                self.id, f"has {len(self.rows)} rows; its inputs have {size} combinations"
            )
        for keys, outcome in self.rows.items():
            if len(keys) != len(self.inputs):
                raise Invalid(self.id, f"a row has {len(keys)} inputs of {len(self.inputs)}")
            for point, key in zip(self.inputs, keys, strict=True):
                point.level(key)
            self.outcome.level(outcome)

    def input(self, id_: str) -> Point:
        """The input under its full id.

        Raises: Invalid, listing the inputs.
        """
        found = next((point for point in self.inputs if point.id == id_), None)
        if found is None:
            told = ", ".join(point.id for point in self.inputs)
            raise Invalid(f"{id_:.80}", f"is no input of {self.id}; its inputs are {told}")
        return found

    def decide(self, known: Mapping[str, str]) -> Decision:
        """The outcome for what is *known*: keys of values by ids of inputs; an unknown one is left out.

        Raises: Invalid, for an input or a value that the table does not have.
        """
        for id_, key in known.items():
            self.input(id_).level(key)
        choices = [self._choices(point, known) for point in self.inputs]
        found = {keys: self.rows[keys] for keys in product(*choices)}
        levels = sorted({self.outcome.level(outcome) for outcome in found.values()})
        missing = [
            (place, point) for place, point in enumerate(self.inputs) if point.id not in known
        ]
        needed = tuple(point for place, point in missing if _matters(place, found))
        return Decision(
            table=self.id,
            outcome=self.outcome,
            known=tuple((point.id, known[point.id]) for point in self.inputs if point.id in known),
            least=self.outcome.values[levels[0]],
            most=self.outcome.values[levels[-1]],
            possible=tuple(self.outcome.values[level] for level in levels),
            needed=needed,
            immaterial=tuple(point for _, point in missing if point not in needed),
        )

    @staticmethod
    def _choices(point: Point, known: Mapping[str, str]) -> tuple[str, ...]:
        if point.id in known:
            return (known[point.id],)
        return tuple(value.key for value in point.values)


def _matters(place: int, rows: Mapping[tuple[str, ...], str]) -> bool:
    """Whether two rows that differ in the input at *place* alone have different outcomes.

    The inputs for which this holds settle the outcome together, and without any one of them there is
    a completion in which it stays open: they are the smallest set, and there is no other.
    """
    seen: dict[tuple[str, ...], str] = {}
    return any(
        seen.setdefault((*keys[:place], *keys[place + 1 :]), outcome) != outcome
        for keys, outcome in rows.items()
    )
