"""Reading hand-written TOML strictly: every error names the file and the key, and no key is ignored."""

import tomllib
from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import TypeVar

from leadline.core.errors import Invalid

V = TypeVar("V", str, int, float, bool, date, datetime)
W = TypeVar("W", bound=StrEnum)


class Table:
    """A TOML table that counts which keys were read; `done` refuses the others."""

    def __init__(self, file: str, key: str, values: Mapping[str, object]) -> None:
        self._file, self._key, self._values = file, key, values
        self._read: set[str] = set()

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def keys(self) -> frozenset[str]:
        """The keys as written."""
        return frozenset(self._values)

    def wrong(self, name: str, problem: str) -> Invalid:
        """The error for key *name* of this table."""
        return Invalid(f"{self._file}: {self._path(name)}", problem)

    def value(self, name: str, kind: type[V]) -> V:
        """The value of a key that is due.

        Raises: Invalid, if it is absent or of another kind; whole numbers do as fractions.
        """
        if name not in self._values:
            raise self.wrong(name, f"is missing; give it as {kind.__name__}")
        self._read.add(name)
        found = self._values[name]
        if kind is float and type(found) is int:
            found = self._fraction(name, found)
        if type(found) is not kind:
            raise self.wrong(name, f"is {type(found).__name__}; give it as {kind.__name__}")
        return found

    def optional(self, name: str, kind: type[V]) -> V | None:
        """As `value`, None where the key is absent."""
        return self.value(name, kind) if name in self._values else None

    def text(self, name: str) -> str:
        """Text that says something.

        Raises: Invalid, if it is absent or blank.
        """
        found = self.value(name, str)
        if not found.strip():
            raise self.wrong(name, "is empty; say it, or leave the entry out")
        return found

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts, empty where the key is absent."""
        self._read.add(name)
        found = self._values.get(name, [])
        if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
            raise self.wrong(name, "give a list of texts")
        return tuple(found)

    def choice(self, name: str, words: type[W]) -> W:
        """One of a closed set of words.

        Raises: Invalid, listing the words.
        """
        found = self.text(name)
        if found not in set(words):
            raise self.wrong(name, f"{found!r} is none of {', '.join(words)}")
        return words(found)

    def moment(self, name: str) -> datetime:
        """A date and time with its offset.

        Raises: Invalid, if it has none.
        """
        found = self.value(name, datetime)
        if found.tzinfo is None:
            raise self.wrong(name, "a time needs an offset, such as 2026-11-15T09:00:00-05:00")
        return found

    def table(self, name: str) -> "Table":
        """A table that is due."""
        self._read.add(name)
        found = self._values.get(name)
        if not isinstance(found, dict):
            raise self.wrong(name, "is missing or no table")
        return Table(self._file, self._path(name), found)

    def tables(self, name: str) -> list["Table"]:
        """An array of tables, empty where the key is absent."""
        self._read.add(name)
        found = self._values.get(name, [])
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            raise self.wrong(name, f"give [[{self._path(name)}]] tables")
        return [
            Table(self._file, f"{self._path(name)}[{number}]", one)
            for number, one in enumerate(found, 1)
        ]

    def done(self) -> None:
        """Return if every key was read.

        Raises: Invalid, naming the first key that nothing reads.
        """
        for name in sorted(set(self._values) - self._read):
            raise self.wrong(name, "is no key of such a file; remove it or correct its spelling")

    def _fraction(self, name: str, number: int) -> float:
        try:
            return float(number)
        except OverflowError:
            raise self.wrong(name, "is beyond what a fraction can hold") from None

    def _path(self, name: str) -> str:
        return f"{self._key}.{name}" if self._key else name


def open_table(content: bytes, file: str) -> Table:
    """The root table of a TOML file.

    Raises: Invalid, naming *file*, if it is no UTF-8 or no TOML, or nested too deeply.
    """
    try:
        return Table(file, "", tomllib.loads(content.decode("utf-8")))
    except (ValueError, RecursionError) as error:  # also for an integer of thousands of digits
        raise Invalid(file, f"is no TOML: {error}") from error
