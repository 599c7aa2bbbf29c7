"""Who takes part as an operator, with which inventory, and who may be told before the public is.

Under embargo only a vetted operator is told, of a component that is *affected*, on an inventory that
was accepted before the case was opened and was not too old then. Whoever comes later, with every name
there is, changes nothing for that case and learns nothing of it. Each exclusion has its reason in words.
Source: clearinghouse reference, section 7.3.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from leadline.core.errors import Invalid, Stale
from leadline.core.record.act import Act, Kind

DAY = timedelta(hours=24)
WORDS_MAX = 400
SERVES_MAX = 10**10
CHANGES_MAX = 10_000


class Mode(StrEnum):
    """Where the inventory is matched: here, or on the operator's own host, which tells us nothing."""

    HOSTED = "hosted"
    LOCAL = "local"


class Exposure(StrEnum):
    """Whether systems of the inventory can be reached from public networks."""

    PUBLIC = "public"
    INTERNAL = "internal"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Enrolment:
    """One organisation as an operator, as its own person states it.

    *serves* counts people who depend on it, *changes* what it can put in place in a week. *competes*
    names organisations whose cases it keeps out of until they are public.
    """

    id: str
    org: str
    name: str
    sectors: tuple[str, ...]
    serves: int
    exposure: Exposure
    changes: int
    contact: str
    mode: Mode
    competes: tuple[str, ...]
    at: datetime

    def __post_init__(self) -> None:
        for field, text in (("name", self.name), ("contact", self.contact)):
            if not text.strip() or len(text) > WORDS_MAX or not text.isprintable():
                raise Invalid(field, f"say it in one line of at most {WORDS_MAX} characters")
        if not self.sectors or len(set(self.sectors)) != len(self.sectors):
            raise Invalid("sectors", "name at least one, each once")
        if not 0 <= self.serves <= SERVES_MAX:
            raise Invalid("serves", f"how many people depend on it, 0 to {SERVES_MAX}")
        if not 0 <= self.changes <= CHANGES_MAX:
            raise Invalid("changes", f"how many changes a week it can make, 0 to {CHANGES_MAX}")
        if self.org in self.competes:
            raise Invalid("competes", f"{self.org} is the operator itself; name others")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One accepted inventory; what it holds is sealed in the vault under *raw* and *read*.

    *raw* is the digest of the file as given, *read* of what was understood of it, with the headings
    that *map* names. *taken* is the operator's own word for when it was true, *accepted* ours.
    """

    id: str
    operator: str
    taken: datetime
    accepted: datetime
    raw: str
    read: str
    name: str
    components: int
    unknown: int
    faults: int
    map: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Parcel:
    """Many inventories sealed together: the digest of all, and where each begins and ends in it."""

    id: str
    digest: str
    places: tuple[tuple[str, int, int], ...]


def check_newer(held: Sequence[Snapshot], taken: datetime, now: datetime) -> None:
    """Return if an inventory *taken* then may follow those *held*.

    Raises: Invalid, for a moment to come; Stale, unless it is newer than each of them.
    """
    if taken > now:
        raise Invalid("taken", f"{taken.isoformat()} is to come; say when the list was true")
    newest = max((one.taken for one in held), default=None)
    if newest is not None and taken <= newest:
        raise Stale(
            f"one of {newest.isoformat()} was accepted already, and an older one never takes its"
            " place; give one that was made later"
        )


@dataclass(frozen=True, slots=True)
class Roll:
    """Everything about operators that acts say: who was vetted when, by which organisation, who ended."""

    vetted: Mapping[str, datetime]
    ended: Mapping[str, datetime]

    def takes_part(self, operator: str, now: datetime) -> bool:
        """Whether it had not ended by *now*."""
        return operator not in self.ended or now < self.ended[operator]


def roll(acts: Sequence[Act]) -> Roll:
    """What acts say of operators; the first vetting and the last end count."""
    vetted, ended = dict[str, datetime](), dict[str, datetime]()
    for act in acts:
        if act.kind is Kind.OPERATOR_VETTED:
            vetted.setdefault(act.about, act.at)
        if act.kind is Kind.OPERATOR_ENDED:
            ended[act.about] = act.at
    return Roll(vetted, ended)


class Bar(StrEnum):
    """Why an operator takes no part in a match; shown to the coordinator and in the fairness report."""

    ENDED = "its enrolment has ended"
    LOCAL = "it matches on its own host; it is told on publication"
    NOT_VETTED = "it was not vetted before the case was opened"
    NO_INVENTORY = "it gave no inventory before the case was opened"
    TOO_OLD = "its inventory was too old when the case was opened"
    COMPETES = "it names the owner of the software as a competitor"
    NONE_GIVEN = "it gave no inventory"


@dataclass(frozen=True, slots=True)
class Setting:
    """What the rule of need to know reads of a case. *owners* are organisations; *age* is policy data."""

    opened: datetime
    embargoed: bool
    owners: frozenset[str]
    age: timedelta


def participation(
    one: Enrolment, held: Sequence[Snapshot], of: Roll, on: Setting, now: datetime
) -> Snapshot | Bar:
    """The snapshot that is matched for *one* of the operators, or why none is.

    Under embargo it is the newest accepted before the case was opened; afterwards the newest.
    """
    if not of.takes_part(one.id, now):
        return Bar.ENDED
    if one.mode is Mode.LOCAL:
        return Bar.LOCAL
    if not on.embargoed:
        newest = max(held, key=_accepted, default=None)
        return newest if newest is not None else Bar.NONE_GIVEN
    vetted = of.vetted.get(one.id)
    if vetted is None or vetted >= on.opened:
        return Bar.NOT_VETTED
    return Bar.COMPETES if competing(one, on.owners) else _before(held, on)


def _before(held: Sequence[Snapshot], on: Setting) -> Snapshot | Bar:
    newest = max((one for one in held if one.accepted < on.opened), key=_accepted, default=None)
    if newest is None:
        return Bar.NO_INVENTORY
    return newest if on.opened - newest.accepted <= on.age else Bar.TOO_OLD


def competing(one: Enrolment, owners: Collection[str]) -> bool:
    """Whether *one* of the operators named any of *owners* as a competitor."""
    return any(org in owners for org in one.competes)


def _accepted(one: Snapshot) -> tuple[datetime, str]:
    return one.accepted, one.id
