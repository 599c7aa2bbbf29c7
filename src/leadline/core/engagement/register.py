"""The dated register: what has an authority, a scope, a first day and evidence, and how it bears on others.

Which kinds of entry there are, what each needs and what each does to another is data. A day is a
calendar day; *until* is the first day on which an entry has no effect any more. Nothing is stored of
what follows from the days: it is computed for the day asked about.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from enum import StrEnum
from graphlib import CycleError, TopologicalSorter

from leadline.core.engagement.regime import Confidence
from leadline.core.errors import Invalid, NotFound
from leadline.core.record.act import Value, instant

DEPTH_MAX = 50
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}", re.ASCII)


class Keeper(StrEnum):
    """Who writes entries of a kind: the programme for everybody, or a developer for itself alone."""

    PROGRAMME = "programme"
    DEVELOPER = "developer"


class Effect(StrEnum):
    """What an entry does to the one it relates to."""

    STOPS = "stops"  # while it has effect, the other has none
    EXEMPTS = "exempts"  # while it has effect, its scope is outside the other
    REPLACES = "replaces"  # from its first day on the other has no effect, whatever follows
    NONE = "none"


class Part(StrEnum):
    """What a kind can ask of its entries beside id, title and first day."""

    AUTHORITY = "authority"
    SCOPE = "scope"
    UNTIL = "until"
    DUE = "due"
    VERSION = "version"


class Mark(StrEnum):
    """Why an entry stands out."""

    OVERDUE = "overdue"
    UNPROVED = "unproved"
    EXPIRED = "expired"
    UNCITED = "without citation"


@dataclass(frozen=True, slots=True)
class Rule:
    """What one relation of a kind does, and to entries of which kinds."""

    effect: Effect
    to: frozenset[str]
    words: str


@dataclass(frozen=True, slots=True)
class EntryKind:
    """One kind of entry. *evidence* says in words what proves an entry; empty where nothing is wanted.

    Raises: Invalid, where what only some may see would change what others read.
    """

    id: str
    title: str
    words: str
    public: bool
    kept_by: frozenset[Keeper]
    needs: frozenset[Part]
    evidence: str
    relations: Mapping[str, Rule] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.kept_by:
            raise Invalid("kept_by", "name who writes such entries: programme, developer, or both")
        acts = any(rule.effect is not Effect.NONE for rule in self.relations.values())
        if acts and Keeper.DEVELOPER in self.kept_by:
            raise Invalid("kept_by", "what one developer keeps for itself changes no other entry")
        if self.public and Keeper.DEVELOPER in self.kept_by:
            raise Invalid("public", "what a developer keeps for itself is nobody else's to read")


@dataclass(frozen=True, slots=True)
class Proof:
    """One piece of evidence: its SHA-256 in hex, what it is, who entered it when."""

    digest: str
    what: str
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Relation:
    """That an entry bears on entry *to*, in a word that its kind defines."""

    how: str
    to: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry. *done* is a day on which somebody says it was done; only evidence shows it.

    *org* is the developer that keeps it for itself, empty for the programme's. *ended* says why it was
    ended by hand; *version* is that of the procedure or text it stands for.
    """

    id: str
    kind: str
    title: str
    since: date
    authority: str = ""
    scope: str = ""
    until: date | None = None
    due: date | None = None
    done: date | None = None
    version: str = ""
    cites: str = ""
    confidence: Confidence = "?"
    note: str = ""
    relates: tuple[Relation, ...] = ()
    evidence: tuple[Proof, ...] = ()
    org: str = ""
    ended: str = ""

    def check(self) -> None:
        """Return if the entry can be, whatever its kind.

        Raises: Invalid, naming the field.
        """
        if not _ID.fullmatch(self.id):
            problem = "use up to 64 small letters, digits and dashes, such as waiver-2026-01"
            raise Invalid("id", problem)
        if not self.title.strip():
            raise Invalid("title", f"{self.id}: say in a line what it is")
        if self.until is not None and self.until <= self.since:
            problem = f"{self.id}: it ends on {self.until}, which is not after its first day"
            raise Invalid("until", problem)
        for name, day in (("due", self.due), ("done", self.done)):
            if day is not None and day < self.since:
                raise Invalid(name, f"{self.id}: {day} is before its first day, {self.since}")
        if len(set(self.relates)) != len(self.relates):
            raise Invalid("relates", f"{self.id}: the same relation stands twice; leave one out")

    def to_record(self) -> dict[str, Value]:
        """The mapping whose canonical encoding has the digest that acts carry."""
        days = {name: getattr(self, name) for name in ("since", "until", "due", "done")}
        words = ("id", "kind", "title", "authority", "scope", "version", "cites", "note", "org")
        return {
            **{name: str(getattr(self, name)) for name in words},
            **{name: day.isoformat() if day else None for name, day in days.items()},
            "confidence": self.confidence,
            "ended": self.ended,
            "relates": tuple({"how": one.how, "to": one.to} for one in self.relates),
            "evidence": tuple(
                {"digest": one.digest, "what": one.what, "at": instant(one.at), "by": one.by}
                for one in self.evidence
            ),
        }


@dataclass(frozen=True, slots=True)
class Exempt:
    """A scope that is outside an entry: by which other entry, until when."""

    scope: str
    by: str
    until: date | None


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether an entry has effect on a day, in words why not, and what is exempt from it."""

    in_effect: bool
    why: tuple[str, ...] = ()
    exempt: tuple[Exempt, ...] = ()


@dataclass(frozen=True, slots=True)
class StandsOut:
    """An entry that somebody should look at, and every reason."""

    entry: Entry
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Register:
    """Kinds by id, and entries in any order; what is asked of it is answered in the order of ids."""

    kinds: Mapping[str, EntryKind]
    entries: tuple[Entry, ...]
    _by_id: Mapping[str, Entry] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        ordered = tuple(sorted(self.entries, key=lambda one: one.id))
        object.__setattr__(self, "entries", ordered)
        object.__setattr__(self, "_by_id", {one.id: one for one in ordered})

    def entry(self, id_: str) -> Entry:
        """Raises: NotFound."""
        if id_ not in self._by_id:
            raise NotFound(f"no entry {id_}; see `leadline register list`")
        return self._by_id[id_]

    def check(self) -> None:
        """Return if every entry is as its kind asks, and relations lead somewhere and never round.

        Raises: Invalid, naming entry and field.
        """
        for id_, count in Counter(one.id for one in self.entries).items():
            if count > 1:
                raise Invalid("id", f"{id_} stands twice; correct the one that is there")
        for one in self.entries:
            self._check(one)
        self._check_chains()

    def standing(self, id_: str, day: date) -> Standing:
        """Whether the entry has effect on *day*.

        Raises: NotFound.
        """
        entry = self.entry(id_)
        why = list[str]()
        if day < entry.since:
            why.append(f"its first day is {entry.since}")
        if entry.until is not None and day >= entry.until:
            why.append(f"it ended on {entry.until}{f': {entry.ended}' if entry.ended else ''}")
        exempt = list[Exempt]()
        for other, rule in self._bearing_on(entry):
            if rule.effect is Effect.REPLACES and other.since <= day:
                why.append(f"{other.id} took its place on {other.since}")
            elif rule.effect is Effect.STOPS and self.in_effect(other.id, day):
                why.append(f"since {other.since} under {other.id} ({other.authority})")
            elif rule.effect is Effect.EXEMPTS and self.in_effect(other.id, day):
                exempt.append(Exempt(other.scope, other.id, other.until))
        return Standing(not why, tuple(why), tuple(exempt))

    def in_effect(self, id_: str, day: date) -> bool:
        """Whether the entry has effect on *day*; raises as `standing`."""
        return self.standing(id_, day).in_effect

    def marks(self, entry: Entry, day: date) -> tuple[Mark, ...]:
        """Every reason why *entry* stands out on *day*, in the order of `Mark`.

        What was said to be done counts as done only with evidence. An entry that somebody ended is
        neither overdue nor expired.
        """
        wanted = bool(self.kinds[entry.kind].evidence)
        proved = bool(entry.evidence) or not wanted
        done = entry.done is not None and proved
        late = entry.due is not None and day > entry.due and not done and not entry.ended
        claimed = entry.done is not None or (entry.due is None and day >= entry.since)
        expired = entry.until is not None and day >= entry.until and not entry.ended
        own = bool(entry.org)
        found = {
            Mark.OVERDUE: late,
            Mark.UNPROVED: wanted and claimed and not proved,
            Mark.EXPIRED: expired,
            Mark.UNCITED: not entry.cites.strip() and not own,
        }
        return tuple(mark for mark, stands in found.items() if stands)

    def standing_out(self, day: date) -> tuple[StandsOut, ...]:
        """The entries with a mark on *day*, by the gravest mark, then by due day and id."""
        found = [StandsOut(one, self.marks(one, day)) for one in self.entries]
        return tuple(sorted((one for one in found if one.marks), key=_gravest_first))

    def _bearing_on(self, entry: Entry) -> Iterable[tuple[Entry, Rule]]:
        for other in self.entries:
            for one in other.relates:
                if one.to == entry.id:
                    yield other, self.kinds[other.kind].relations[one.how]

    def _check(self, entry: Entry) -> None:
        entry.check()
        if entry.kind not in self.kinds:
            known = ", ".join(sorted(self.kinds))
            raise Invalid("kind", f"{entry.id}: {entry.kind!r} is none of {known}")
        kind = self.kinds[entry.kind]
        keeper = Keeper.DEVELOPER if entry.org else Keeper.PROGRAMME
        if keeper not in kind.kept_by:
            whose = " or ".join(sorted(kind.kept_by))
            raise Invalid("kind", f"{entry.id}: a {kind.title.lower()} is kept by the {whose}")
        for part in sorted(kind.needs):
            if not getattr(entry, part):
                raise Invalid(part, f"{entry.id}: a {kind.title.lower()} has one; give it")
        for one in entry.relates:
            self._check_relation(entry, kind, one)

    def _check_relation(self, entry: Entry, kind: EntryKind, one: Relation) -> None:
        if one.how not in kind.relations:
            known = ", ".join(sorted(kind.relations)) or "no relations"
            raise Invalid("relates", f"{entry.id}: {one.how!r}: this kind has {known}")
        to = self._by_id.get(one.to)
        if to is None:
            raise Invalid("relates", f"{entry.id}: there is no entry {one.to!r}; enter it first")
        fitting = kind.relations[one.how].to
        if to.kind not in fitting:
            wanted = ", ".join(sorted(fitting))
            problem = f"{entry.id}: {one.to} is a {to.kind}; {one.how} leads to {wanted}"
            raise Invalid("relates", problem)

    def _check_chains(self) -> None:
        """No entry bears on itself, and no chain of relations is longer than `DEPTH_MAX`."""
        leads = {one.id: [other.to for other in one.relates] for one in self.entries}
        depth = dict[str, int]()
        try:
            for id_ in TopologicalSorter(leads).static_order():
                depth[id_] = 1 + max((depth[to] for to in leads[id_]), default=0)
        except CycleError as error:
            told = f"{error.args[1][0]} would bear on itself; leave one relation out"
            raise Invalid("relates", told) from None
        for id_, found in depth.items():
            if found > DEPTH_MAX:
                raise Invalid("relates", f"{id_}: a chain of more than {DEPTH_MAX} relations")


def check_kinds(kinds: Mapping[str, EntryKind]) -> None:
    """Return if relations lead to kinds that exist, and nothing hidden changes what is public.

    Raises: Invalid, naming the kind.
    """
    for kind in kinds.values():
        for how, rule in kind.relations.items():
            for to in sorted(rule.to):
                if to not in kinds:
                    raise Invalid(f"{kind.id}: {how}", f"there is no kind {to!r}")
                if rule.effect is not Effect.NONE and kinds[to].public and not kind.public:
                    problem = f"a {to} is public; what changes its effect is public as well"
                    raise Invalid(f"{kind.id}: {how}", problem)


def midnight(day: date) -> datetime:
    """The first instant of a day in UTC, as acts carry days that end something."""
    return datetime.combine(day, time(), UTC)


def _gravest_first(one: StandsOut) -> tuple[int, date, str]:
    return list(Mark).index(one.marks[0]), one.entry.due or date.max, one.entry.id
