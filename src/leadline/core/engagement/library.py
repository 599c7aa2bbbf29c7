"""The library of regimes: every text ever used, by its digest, and the names that bodies had when.

A text is never edited. One that takes the place of another is a new file that names the digest of the
old one, so that acts made under the old text keep it, and what is new is made under the new.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from leadline.core.engagement.regime import Regime
from leadline.core.errors import Invalid, NotFound


@dataclass(frozen=True, slots=True)
class Name:
    """What a body was called from *since* until the day before *until*; an open end is None."""

    text: str
    since: date | None
    until: date | None
    cites: str


@dataclass(frozen=True, slots=True)
class Body:
    """A body under a stable id, with its names in the order of their days."""

    id: str
    names: tuple[Name, ...]

    def name(self, day: date) -> str:
        """The name on *day*; before the first name the first, after the last the last."""
        fitting = [one for one in self.names if one.since is None or one.since <= day]
        return (fitting or [self.names[0]])[-1].text


@dataclass(frozen=True, slots=True)
class Library:
    """Texts in any order; of texts with one id each but the first supersedes another.

    Raises: Invalid, naming the text, for two texts with one digest, or a text of a known id that
    supersedes none or another's predecessor.
    """

    texts: tuple[Regime, ...]
    bodies: Mapping[str, Body] = field(default_factory=dict)

    def __post_init__(self) -> None:
        digests = {one.digest for one in self.texts}
        if len(digests) != len(self.texts):
            raise Invalid("regimes", "the same text stands twice; remove one file")
        for id_ in {one.id for one in self.texts}:
            self._chain(id_)

    def ids(self) -> tuple[str, ...]:
        """Every regime's id, in order."""
        return tuple(sorted({one.id for one in self.texts}))

    def newest(self, id_: str) -> Regime:
        """The text that none supersedes.

        Raises: NotFound, naming what there is.
        """
        return self._chain(id_)[-1]

    def on(self, id_: str, day: date) -> Regime:
        """The newest text that had begun on *day*; before all of them the first.

        Raises: NotFound, as `newest`.
        """
        chain = self._chain(id_)
        begun = [one for one in chain if one.in_force.since is None or one.in_force.since <= day]
        return (begun or chain)[-1 if begun else 0]

    def each(self, id_: str) -> tuple[Regime, ...]:
        """Every text with its own days, oldest first: a text ends on the day before a later one begins.

        What a later text replaces from its first day on is left out. Together they say what had effect
        when, so that a text to come takes nothing away before its day.

        Raises: NotFound, as `newest`.
        """
        found, following = list[Regime](), date.max
        for one in reversed(self._chain(id_)):
            days, since = one.in_force, one.in_force.since or date.min
            if since < following:
                if following < date.max:
                    last = min(following - timedelta(days=1), days.until or date.max)
                    days = replace(days, until=last)
                found.append(replace(one, in_force=days))
                following = since
        return tuple(reversed(found))

    def text(self, digest: str) -> Regime:
        """The text with this SHA-256.

        Raises: NotFound, if it is in no file any more.
        """
        for one in self.texts:
            if one.digest == digest:
                return one
        raise NotFound(f"no regime file has the digest {digest}; put the file back under regimes/")

    def body(self, id_: str, day: date) -> str:
        """What the body *id_* is called on *day*.

        Raises: NotFound, for an id that the bodies' file does not have.
        """
        if id_ not in self.bodies:
            raise NotFound(f"no body {id_!r}; add it to bodies.toml")
        return self.bodies[id_].name(day)

    def _chain(self, id_: str) -> tuple[Regime, ...]:
        """The texts of one id, oldest first."""
        left = [one for one in self.texts if one.id == id_]
        if not left:
            raise NotFound(f"no regime {id_!r}; there are {', '.join(self.ids())}")
        chain, last = list[Regime](), ""
        while left:
            follow = [one for one in left if one.supersedes == last]
            if len(follow) != 1:
                problem = "each later text names the digest of the one before it in `supersedes`"
                raise Invalid(id_, problem)
            chain += follow
            left.remove(follow[0])
            last = follow[0].digest
        return tuple(chain)
