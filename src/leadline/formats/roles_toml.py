"""Roles as data: one TOML file each, named after the role.

A role says on which side of the dealings its holders stand, what they may do to which kinds of
resource, and how far each grant reaches. Rules about persons, markings and the developer's own
choices stand above roles, in the access rules.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from leadline.core.access import Action
from leadline.core.errors import Invalid

CONTENT_KINDS = ("engagement", "assessment", "finding", "advisory", "notice", "determination")
SEALED_KINDS = ("record", "artefact", "pack", "item")
OFFICE_KINDS = ("principal", "grant", "credential", "session", "alert", "installation")
DESK_KINDS = ("incident", "result", "entry", "concern")
CLEARING_KINDS = ("case", "project", "lease", "operator", "inventory")
KIND_ORDER = (*CONTENT_KINDS, *SEALED_KINDS, *OFFICE_KINDS, *DESK_KINDS, *CLEARING_KINDS)
RESOURCE_KINDS = frozenset(KIND_ORDER)


class Reach(StrEnum):
    """How far a grant goes; markings narrow each of them further."""

    OWN = "own"  # what belongs to the holder's organisation
    NAMED = "named"  # engagements the holder is named for
    ANY = "any"
    SELF = "self"  # what belongs to the holder in person, such as a session


class Side(StrEnum):
    """Where the holders of a role stand."""

    DEVELOPER = "developer"
    INSTALLATION = "installation"
    ADMINISTRATION = "administration"  # people and machines, no content
    ACCOUNTS = "accounts"  # the people of one organisation, no content
    COMMUNITY = "community"
    PUBLIC = "public"


W = TypeVar("W", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Grant:
    """Every action on every kind, within *reach*."""

    reach: Reach
    actions: frozenset[Action]
    kinds: frozenset[str]


@dataclass(frozen=True, slots=True)
class Role:
    """One role. *time_boxed*: a holder needs a day on which access ends."""

    id: str
    title: str
    summary: str
    side: Side
    time_boxed: bool
    excludes: frozenset[str]
    grants: tuple[Grant, ...]

    def deeds(self, reach: Reach) -> frozenset[str]:
        """``action kind`` for all that the role grants with *reach*."""
        return frozenset(
            deed(action, kind)
            for grant in self.grants
            if grant.reach is reach
            for action in grant.actions
            for kind in grant.kinds
        )


def deed(action: Action, kind: str) -> str:
    """The one spelling of an action on a kind of resource."""
    return f"{action.value} {kind}"


def sound(roles: Mapping[str, Role], held: frozenset[str]) -> bool:
    """Whether every role is known and none excludes another."""
    known = [roles[name] for name in held if name in roles]
    excluded = {name for role in known for name in role.excludes}
    return len(known) == len(held) and not excluded & held


def parse(id_: str, text: bytes) -> Role:
    """The role in the file *id_*`.toml`.

    Raises: Invalid, naming file and key, for what is no TOML, an unknown or missing key, or a value
    outside its vocabulary.
    """
    try:
        data: Mapping[str, object] = tomllib.loads(text.decode("utf-8"))
    except ValueError as error:
        raise Invalid(f"{id_}.toml", f"not TOML: {error}") from None
    table = _Table(f"{id_}.toml", data)
    role = Role(
        id_,
        table.text("title"),
        table.text("summary"),
        table.word("side", Side),
        table.flag("time_boxed"),
        frozenset(table.texts("excludes")),
        tuple(_grant(one) for one in table.tables("grants")),
    )
    table.nothing_else()
    return role


def check(roles: Mapping[str, Role]) -> None:
    """Return if every role that another excludes exists.

    Raises: Invalid, naming the file.
    """
    for role in roles.values():
        for other in sorted(role.excludes - set(roles)):
            raise Invalid(f"{role.id}.toml excludes", f"there is no role {other!r}")


def _grant(table: "_Table") -> Grant:
    kinds = frozenset(table.texts("kinds"))
    for kind in sorted(kinds - RESOURCE_KINDS):
        raise Invalid(f"{table.place} kinds", f"{kind!r} is none of {sorted(RESOURCE_KINDS)}")
    words = table.texts("actions")
    unknown = [word for word in words if word not in set(Action)]
    if unknown:
        raise Invalid(f"{table.place} actions", f"{unknown[0]!r} is no action")
    if not words or not kinds:
        raise Invalid(table.place, "a grant names at least one action and one kind")
    grant = Grant(table.word("reach", Reach), frozenset(map(Action, words)), kinds)
    table.nothing_else()
    return grant


class _Table:
    """A TOML table read key by key; what was not asked for is an error."""

    def __init__(self, place: str, data: Mapping[str, object]) -> None:
        self.place, self._data = place, data
        self._read = set[str]()

    def _value(self, key: str) -> object:
        self._read.add(key)
        if key not in self._data:
            raise Invalid(f"{self.place} {key}", "missing")
        return self._data[key]

    def text(self, key: str) -> str:
        value = self._value(key)
        if not isinstance(value, str) or not value:
            raise Invalid(f"{self.place} {key}", "a text is due")
        return value

    def flag(self, key: str) -> bool:
        value = self._value(key)
        if not isinstance(value, bool):
            raise Invalid(f"{self.place} {key}", "true or false is due")
        return value

    def word(self, key: str, words: type[W]) -> W:
        value = self.text(key)
        if value not in set(words):
            raise Invalid(f"{self.place} {key}", f"{value!r} is none of {', '.join(words)}")
        return words(value)

    def texts(self, key: str) -> Sequence[str]:
        value = self._value(key)
        texts = [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
        if not isinstance(value, list) or len(texts) != len(value):
            raise Invalid(f"{self.place} {key}", "a list of texts is due")
        if len(set(texts)) != len(texts):
            raise Invalid(f"{self.place} {key}", "a word stands twice")
        return texts

    def tables(self, key: str) -> "Sequence[_Table]":
        value = self._value(key)
        found = [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
        if not isinstance(value, list) or len(found) != len(value):
            raise Invalid(f"{self.place} {key}", f"write [[{key}]] tables")
        return [_Table(f"{self.place} {key}[{at}]", one) for at, one in enumerate(found)]

    def nothing_else(self) -> None:
        for key in sorted(set(self._data) - self._read):
            raise Invalid(f"{self.place} {key}", "this key is not known here")
