"""Whose signatures count as approvals of which acts: roles by action, as TOML."""

import tomllib
from collections.abc import Mapping

from leadline.core.access import Action
from leadline.core.errors import Invalid


def parse(name: str, text: bytes) -> Mapping[Action, frozenset[str]]:
    """The roles of approvers by action; an action that is absent has none.

    Raises: Invalid, naming the file and the table, for what is no TOML, another key, an unknown
    action, one that stands twice, or a table without roles.
    """
    try:
        data: Mapping[str, object] = tomllib.loads(text.decode("utf-8"))
    except ValueError as error:
        raise Invalid(name, f"not TOML: {error}") from None
    tables = data.get("approvers")
    if set(data) != {"approvers"} or not isinstance(tables, list):
        raise Invalid(name, "write [[approvers]] tables and nothing else")
    found = dict[Action, frozenset[str]]()
    for at, table in enumerate(tables):
        place = f"{name} approvers[{at}]"
        if not isinstance(table, dict) or set(table) != {"actions", "roles"}:
            raise Invalid(place, "a table has actions and roles")
        roles = frozenset(_words(f"{place} roles", table["roles"]))
        for word in _words(f"{place} actions", table["actions"]):
            if word not in set(Action):
                raise Invalid(f"{place} actions", f"{word!r} is no action")
            if word in found:
                raise Invalid(f"{place} actions", f"{word!r} stands twice")
            found[Action(word)] = roles
    return found


def _words(place: str, value: object) -> list[str]:
    words = [word for word in value if isinstance(word, str)] if isinstance(value, list) else []
    if not words or not isinstance(value, list) or len(words) != len(value):
        raise Invalid(place, "a list of at least one text is due")
    return words
