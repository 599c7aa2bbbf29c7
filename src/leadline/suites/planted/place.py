"""How a box calls the Python that runs planted programs: this host's interpreter, at a neutral path."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

from leadline.sandbox.survey import python_binds, python_env
from leadline.suites.item import Bind

# Isolated, without byte code written and without `site`: nothing beside the driver is imported.
_OPTIONS = ("-I", "-B", "-S")


@dataclass(frozen=True, slots=True)
class Interpreter:
    """The command's first words, the variables it needs and what must be bound for it."""

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    binds: tuple[Bind, ...] = ()


def interpreter() -> Interpreter:
    """The running interpreter as a box sees it."""
    binds = tuple(Bind(bind.source, bind.target) for bind in python_binds())
    if not binds:
        return Interpreter((f"/usr/bin/python3.{sys.version_info.minor}", *_OPTIONS))
    path = f"{binds[0].target}/bin/python3"
    return Interpreter((path, *_OPTIONS), python_env(), binds)
