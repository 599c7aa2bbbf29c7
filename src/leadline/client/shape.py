"""The shape of a use case over HTTP, from its own signature: what goes where, and how it is written.

Values are written as pydantic writes the use cases' own types: dataclasses as objects, enumerations as
their words, moments with their offset, bytes in base64. What comes from a client is read strictly.
"""

import inspect
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime, tzinfo
from functools import cache
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

from pydantic import ConfigDict, TypeAdapter
from typing_extensions import TypeAliasType

from leadline.app.briefing import Told
from leadline.app.check import Shelved
from leadline.app.engagement import Dealings
from leadline.app.obligations import Law
from leadline.app.ports import KeyStore
from leadline.app.priority import Lists
from leadline.app.vaulting import Material
from leadline.app.weights import Dealing
from leadline.client.uses import SAFE, USES, Use
from leadline.core.approval import Granted
from leadline.core.clearing.disclosure import Disclosure
from leadline.core.engagement.library import Library
from leadline.core.engagement.regime import Regime
from leadline.core.engagement.register import EntryKind
from leadline.core.errors import Invalid
from leadline.core.sealed.exposure import Limits
from leadline.formats.questions_toml import Question
from leadline.formats.roles_toml import Role

Hint = Any  # a type as a signature names it, or a value of one
STRICT = ConfigDict(
    extra="forbid", ser_json_bytes="base64", val_json_bytes="base64", allow_inf_nan=False
)
LENIENT = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64", allow_inf_nan=False)
# What the installation knows by itself: by type, and where types are too general by name.
KNOWN: Collection[Any] = (
    Library,
    Law,
    Lists,
    Limits,
    KeyStore,
    KeyStore | None,
    Mapping[str, Role],
    Mapping[str, EntryKind],
    Iterable[Regime],
    tuple[Question, ...],
    Shelved,
    Told,
)
KNOWN_NAMES = frozenset({"sectors", "cases", "folder"})
# What is named by a text that the server looks up, with how the client names it.
NAMED: Mapping[Any, tuple[str, Callable[[Any], str]]] = {
    Granted: ("approval", lambda value: str(value.request.id)),
    Granted | None: ("approval", lambda value: str(value.request.id) if value else ""),
    Regime: ("", lambda value: str(value.id)),
    str | Disclosure: ("", lambda value: value if isinstance(value, str) else str(value.id)),
    tzinfo: ("", str),
    Dealings | None: ("engagement", lambda value: str(value.id) if value else ""),
}
_LISTS = (list, tuple, Sequence)


@dataclass(frozen=True)
class Field:
    """One parameter that comes over the wire, under *name*; *named* if the server looks it up."""

    parameter: str
    name: str
    hint: Hint
    required: bool
    default: Any
    named: bool
    reading: "Adapter"
    writing: "Adapter"


class Adapter:
    """Reads and writes one type. *strict* is for what comes from a client."""

    def __init__(self, hint: Hint, *, strict: bool = False) -> None:
        self.hint = hint
        self.strict = strict
        self._many = _adapter(hint, STRICT if strict else LENIENT)

    def dump(self, value: object) -> bytes:
        """JSON. A value that the type does not describe is an error of this program."""
        return self._many.dump_json([value], warnings="error")[1:-1]

    def load(self, data: bytes) -> Hint:
        """The value that JSON stands for; raises pydantic's ValidationError."""
        return self._many.validate_json(b"[" + data + b"]", strict=self.strict or None)[0]

    def of_text(self, texts: Sequence[str]) -> Hint:
        """The value that texts of a query stand for; raises pydantic's ValidationError."""
        given: object = texts[0]
        if is_dataclass(self.hint):
            return self.load(texts[0].encode())
        if is_list(self.hint):
            given = list(texts)
        return self._many.validate_python([given])[0]

    @property
    def pydantic(self) -> "TypeAdapter[list[Any]]":
        """The adapter of a list of it, for schemas."""
        return self._many


# The recursive type of facts (core.record.act.Value), written so that a schema of it has an end.
Fact = TypeAliasType(  # type: ignore[misc]  # recursive, which mypy knows in statements only
    "Fact",
    str | int | bool | tuple["Fact", ...] | Mapping[str, "Fact"] | None,  # type: ignore[misc]
)


def _adapter(hint: Hint, config: ConfigDict) -> "TypeAdapter[list[Any]]":
    # pydantic looks the name up in this frame, and a dataclass takes its settings from what it is in.
    Value = Fact  # noqa: N806, F841 -- looked up by its name
    return TypeAdapter(list[hint], config=config)


def is_list(hint: Hint) -> bool:
    """Whether it is a list of one type of thing."""
    origin: object = get_origin(hint)
    args = get_args(hint)
    if origin is tuple:
        return len(args) == 2 and args[1] is Ellipsis  # noqa: PLR2004 -- tuple[X, ...]
    return origin in {list, Sequence}


def item(hint: Hint) -> Hint:
    """Of what a list is."""
    return get_args(hint)[0]


@dataclass(frozen=True)
class Shape:
    """One use case over HTTP. *path* and *known* are parameters; *place* says how paths name them."""

    use: Use
    place: Mapping[str, str]
    stands: Mapping[str, Any]
    known: Mapping[str, Any]
    numbers: frozenset[str]
    fields: tuple[Field, ...]
    answer: Adapter
    paged: bool

    @property
    def binary(self) -> bool:
        """Whether it answers bytes as they are."""
        return self.answer.hint is bytes


def shape(use: Use) -> Shape:
    """Read the signature. Raises: TypeError, for one that no table can describe."""
    hints = get_type_hints(use.case)
    signature = inspect.signature(use.case)
    names = re.findall(r"\{(\w+)\}", use.path)
    own = set(signature.parameters)
    place, stands, known, coming = dict[str, str](), dict[str, Any](), dict[str, Any](), []
    for one in list(signature.parameters.values())[1:]:
        hint = hints[one.name]
        found = _in_path(one.name, hint, [n for n in names if n == one.name or n not in own])
        if hint in {Dealings, Dealing, Material} and not use.new:
            stands[one.name] = hint
        elif found:
            place[one.name] = found
        elif hint in KNOWN or one.name in KNOWN_NAMES:
            known[one.name] = hint
        elif _callable(hint):
            if one.default is inspect.Parameter.empty:
                raise TypeError(f"{use.name} takes a function: {one.name}")
        else:
            coming.append(_field(use, one, hint))
    answer = hints["return"] if use.told else NoneType
    paged = use.method == SAFE and is_list(answer)
    numbers = frozenset(name for name in place if hints[name] is int)
    return Shape(use, place, stands, known, numbers, tuple(coming), Adapter(answer), paged)


def _in_path(name: str, hint: Hint, names: Sequence[str]) -> str:
    if hint not in {str, int}:
        return ""
    if name == "id_":
        return names[-1] if names else ""
    return next((one for one in names if name in {one, f"{one}_id"}), "")


def _callable(hint: Hint) -> bool:
    return any(
        get_origin(one) is Callable or "Callable" in str(one) for one in (hint, *get_args(hint))
    )


def _field(use: Use, one: inspect.Parameter, hint: Hint) -> Field:
    name, named = one.name.rstrip("_"), False
    if use.new and hint is Dealings:
        name, named = "regime", True
    elif hint in NAMED:
        name, named = NAMED[hint][0] or name, True
    required = one.default is inspect.Parameter.empty
    wire = str if named else hint
    return Field(
        one.name,
        name,
        hint,
        required,
        None if required else one.default,
        named,
        Adapter(wire, strict=True),
        Adapter(wire),
    )


def moments(value: object, place: str) -> None:
    """Return unless a moment without an offset stands anywhere in what came.

    Raises: Invalid, naming the field.
    """
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise Invalid(place, "a moment without an offset; write one, such as +00:00 or Z")
    elif is_dataclass(value):
        for one in fields(value):
            moments(getattr(value, one.name), f"{place}/{one.name}")
    elif isinstance(value, Mapping):
        for key, one in value.items():
            moments(one, f"{place}/{key}")
    elif isinstance(value, list | tuple | set | frozenset):
        for index, one in enumerate(value):
            moments(one, f"{place}/{index}")


@cache
def shapes() -> tuple[Shape, ...]:
    """Every line of the table."""
    return tuple(map(shape, USES))
