"""Core records to JSON text and back.

A kind is the name a record is stored under; it never changes once rows exist. Which records there are
is for `wiring` to say. What is stored must come back equal: a value that does not is refused when
it is written, not discovered when it is read.
"""

from collections.abc import Mapping
from typing import TypeVar, cast

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError

from leadline.core.access import Principal
from leadline.core.errors import Invalid, Tampered

T = TypeVar("T")


class Records:
    """The conversion for a set of kinds; each is compiled once."""

    def __init__(self, kinds: Mapping[type, str]) -> None:
        if len(set(kinds.values())) != len(kinds):
            raise Invalid("kinds", "two records share a name; each needs its own")
        self._kinds = dict(kinds)
        self._adapters: dict[type, object] = {}

    def takes(self, record: type) -> bool:
        """Whether it is among the kinds."""
        return record in self._kinds

    def kind(self, record: type) -> str:
        """The name *record* is stored under.

        Raises: Invalid, if it is not among the kinds.
        """
        if record not in self._kinds:
            raise Invalid(
                "record", f"{record.__name__} has no stored kind; add it to the store's kinds"
            )
        return self._kinds[record]

    def dump(self, value: object) -> str:
        """JSON text that `load` turns into an equal value.

        Raises: Invalid, if the value does not survive: a field of another type than declared, a
        float that is no number, bytes that are no text.
        """
        record = type(value)
        adapter = self._adapter(record)
        try:
            text = adapter.dump_json(value, warnings="error").decode("utf-8")
            back = adapter.validate_json(text, strict=True)
        except (PydanticSerializationError, ValidationError, UnicodeError) as error:
            raise Invalid(record.__name__, f"cannot be stored: {error}") from error
        if back != value:
            raise Invalid(record.__name__, "does not come back equal; use plain immutable fields")
        return text

    def load(self, record: type[T], place: str, text: str) -> T:
        """The value that `dump` wrote.

        Raises: Tampered, naming *place* but not the content, if the text is no such record.
        """
        try:
            return self._adapter(record).validate_json(text, strict=True)
        except ValidationError as error:
            fields = ", ".join(".".join(map(str, e["loc"])) for e in error.errors())
            problem = f"the stored text is no {record.__name__} of this version: {fields}"
            raise Tampered(place, problem) from None

    def _adapter(self, record: type[T]) -> TypeAdapter[T]:
        if record not in self._adapters:
            self._adapters[record] = TypeAdapter(record)
        return cast("TypeAdapter[T]", self._adapters[record])


PRINCIPALS = Records({Principal: "principal"})
