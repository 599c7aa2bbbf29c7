"""Purposes: the words that people name when they use what comes under terms; the words are data."""

from collections.abc import Iterable
from dataclasses import dataclass

from leadline.core.errors import Invalid

PRIORITY = "government-priority"
"""The purpose that is covered by a signed `leadline.core.engagement.terms.Priority` and nothing else."""


@dataclass(frozen=True, slots=True)
class Purpose:
    """One purpose; *never* marks one that no terms can cover."""

    id: str
    words: str
    never: bool = False


@dataclass(frozen=True, slots=True)
class Purposes:
    """The vocabulary, in the order of its file.

    Raises: Invalid, if an id stands twice, or nothing is left that terms can name.
    """

    all: tuple[Purpose, ...]

    def __post_init__(self) -> None:
        ids = [one.id for one in self.all]
        for id_ in ids:
            if ids.count(id_) > 1:
                raise Invalid("purposes", f"{id_!r} stands twice; give each purpose one entry")
        if not self.nameable:
            raise Invalid("purposes", "name at least one that terms can cover")

    @property
    def nameable(self) -> tuple[str, ...]:
        """The ids that terms can name."""
        return tuple(one.id for one in self.all if not one.never)

    def find(self, id_: str) -> Purpose | None:
        """The purpose of that id, None if there is none."""
        return next((one for one in self.all if one.id == id_), None)

    def check(self, ids: Iterable[str]) -> None:
        """Return if terms can name every one of *ids*.

        Raises: Invalid, for a word outside the vocabulary, or one that no terms can cover.
        """
        for id_ in ids:
            found = self.find(id_)
            if found is None:
                raise Invalid("purposes", f"{id_!r} is none of {', '.join(self.nameable)}")
            if found.never:
                raise Invalid("purposes", f"no terms cover {id_!r}: {found.words} Leave it out")
