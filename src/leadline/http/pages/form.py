"""What a person sent with a form: texts and files by name, each read once and checked where it is read."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from leadline.app.given import words
from leadline.app.moment import moment
from leadline.core.errors import Invalid

E = TypeVar("E", bound=StrEnum)
T = TypeVar("T")
TEXT_MAX = 65_536
MISSING = "is missing; fill it in"
_THOUSANDS = re.compile(r"[0-9]{1,3}(?:[.,' \u00a0\u202f\u2019][0-9]{3})+")


@dataclass(frozen=True, slots=True)
class File:
    """An uploaded file. *name* is what the sender called it, for messages only."""

    name: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of a form that came from a page of this session. Nothing in it is trusted."""

    fields: Mapping[str, Sequence[str]] = field(default_factory=dict)
    files: Mapping[str, File] = field(default_factory=dict)

    def text(self, name: str, default: str | None = None, *, longest: int = TEXT_MAX) -> str:
        """One text, without blanks around it; *default* if it is empty.

        Raises: Invalid, naming the field, if it is empty without a default, too long, or holds a NUL.
        """
        value = (self.fields.get(name) or [""])[0].strip().replace("\r\n", "\n")
        if "\0" in value:
            raise Invalid(name, "holds a character that no text has")
        if len(value) > longest:
            raise Invalid(name, f"is longer than {longest} characters")
        if value or default is not None:
            return value or (default or "")
        raise Invalid(name, MISSING)

    def one(self, name: str, kind: type[E]) -> E:
        """One of the values of an enumeration.

        Raises: Invalid, naming the field and the values.
        """
        given = self.text(name)
        try:
            return kind(given)
        except ValueError:
            known = ", ".join(member.value for member in kind)
            raise Invalid(name, f"is one of: {known}") from None

    def many(self, name: str) -> tuple[str, ...]:
        """Every value of a field that may stand several times, such as ticked boxes."""
        return tuple(value.strip() for value in self.fields.get(name, ()) if value.strip())

    def ticked(self, name: str) -> bool:
        """Whether a box was ticked."""
        return bool(self.fields.get(name))

    def number(self, name: str, least: int, most: int) -> int:
        """A whole number from *least* to *most*; its thousands may be set apart, as in 90.000.

        Raises: Invalid, naming the field.
        """
        given = self.text(name, longest=20)
        if _THOUSANDS.fullmatch(given):
            given = re.sub(r"\D", "", given)
        if not given.isascii() or not given.lstrip("-").isdecimal():
            problem = f"is a whole number from {least} to {most}, in digits alone such as 9000"
            raise Invalid(name, problem)
        value = int(given)
        if not least <= value <= most:
            raise Invalid(name, f"is a whole number from {least} to {most}")
        return value

    def moment(self, name: str, zone: str = "zone") -> datetime:
        """An instant: what a date field and the field with its zone say together.

        Raises: Invalid, naming the field.
        """
        return moment(name, self.text(name), self.text(zone, "UTC"))

    def file(self, name: str) -> File:
        """An uploaded file that has something in it.

        Raises: Invalid, naming the field.
        """
        found = self.files.get(name)
        if found is None or not found.data:
            raise Invalid(name, "no file was chosen")
        return found

    def file_or_text(self, file: str, text: str) -> File:
        """An uploaded file, or what was pasted into a text field instead.

        Raises: Invalid, naming the text field, if there is neither.
        """
        found = self.files.get(file)
        if found is not None and found.data:
            return found
        return File("pasted.txt", self.text(text, longest=8 << 20).encode())

    def read(self, name: str, how: Callable[[bytes, str], T]) -> T:
        """An uploaded file through a reader of `formats`."""
        found = self.file(name)
        return how(found.data, found.name)

    def words(self, name: str) -> str:
        """The text in an uploaded file.

        Raises: Invalid, if it is not UTF-8.
        """
        found = self.file(name)
        return words(found.data, found.name)
