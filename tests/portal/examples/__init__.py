"""One example for each route: an address in the world of `portal.world`, and who may go there.

Each module of pages has a module here with `EXAMPLES`, by method and path as the router has them
(`"GET /cases/{case}"`). Where its routes need something that the world lacks, the module has
`build(world)`, which makes it (by use cases, and adds `world.ids[NAME]`); it runs once, in the order of
the modules' names. `portal.test_route_matrix` tries every route as everybody, and fails on a route
without an example.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest

from identity.people import House
from portal.world import EVERYONE, Model, World, build, model

SIGNED_IN = frozenset(EVERYONE)
NOBODY = "nobody"
EVERYBODY = SIGNED_IN | {NOBODY}
# An answer that says "you may": shown, made, gone elsewhere, signed first.
FINE = frozenset({200, 201, 202, 204, 303})


@dataclass(frozen=True, slots=True)
class Example:
    """One request to a route.

    *path* is filled in with the world's ids (`"/cases/{case}"`), and so are the texts of *form*; it may
    have a query. *roles* are the
    people who may: names of `portal.world.EVERYONE`, which are the roles and the strangers, or
    `NOBODY`; everybody else gets 403 or 404, or is asked to sign in. A POST of a page sends *form* and
    *files* (name, bytes); one of the API sends *json*. *answers* are the statuses of those who may; a
    POST that may but cannot in this world says so with a 409 there, and a comment why.
    """

    path: str
    roles: frozenset[str]
    form: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    files: Mapping[str, tuple[str, bytes]] = field(default_factory=dict)
    json: object = None
    headers: Mapping[str, str] = field(default_factory=dict)
    answers: frozenset[int] = FINE


def filled(text: str, ids: Mapping[str, str]) -> str:
    """*text* with the world's ids in place of their names; other braces stay."""
    return re.sub(r"\{(\w+)\}", lambda found: ids.get(found[1], found[0]), text)


def _modules() -> Mapping[str, object]:
    names = sorted(one.name for one in iter_modules([str(Path(__file__).parent)]))
    return {name: import_module(f"{__name__}.{name}") for name in names}


def examples() -> Mapping[str, Example]:
    """Every example, by method and path; two modules may not have the same."""
    found: dict[str, Example] = {}
    for name, module in _modules().items():
        for key, example in vars(module).get("EXAMPLES", {}).items():
            assert key not in found, f"{key} stands twice; once in {name}"
            found[key] = example
    return found


def world(temporary: pytest.TempPathFactory) -> Model:
    """The world with what every module adds to it, built once in a run of the tests."""

    def whole(at: House) -> World:
        made = build(at)
        for module in _modules().values():
            more: Callable[[World], None] | None = vars(module).get("build")
            if more is not None:
                more(made)
        return made

    return model(temporary, whole, "whole-world")
