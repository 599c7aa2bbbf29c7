"""The directive and the tables that are shipped, for tests of priority."""

import tomllib
from collections.abc import Mapping
from importlib.resources import files

from leadline.core.clearing.directive import Directive
from leadline.core.clearing.ssvc import Table
from leadline.formats import ssvc
from leadline.formats.directive_toml import load_directive

EXPOSED, KEV, AUTOMATABLE, IMPACT = POINTS = (
    "cisa:PE:1.0.0",
    "cisa:KEV:1.0.0",
    "ssvc:A:2.0.0",
    "ssvc:TI:1.0.0",
)
LEVELS = {EXPOSED: "NY", KEV: "NY", AUTOMATABLE: "NY", IMPACT: "PT"}


def shipped(*names: str) -> bytes:
    """The bytes of one data file."""
    return files("leadline").joinpath("data", *names).read_bytes()


def manifest() -> list[Mapping[str, str]]:
    """The entries of the tables' manifest."""
    found: list[Mapping[str, str]] = tomllib.loads(shipped("ssvc", "MANIFEST.toml").decode())[
        "table"
    ]
    return found


def tables() -> dict[str, Table]:
    """Every shipped table by its id."""
    held = (ssvc.read_table(shipped("ssvc", entry["file"]), entry["file"]) for entry in manifest())
    return {table.id: table for table in held}


def directive() -> Directive:
    """BOD 26-04 as shipped."""
    content = shipped("directives", "us-bod-26-04.toml")
    return load_directive(content, "us-bod-26-04.toml", tables())


def inputs(letters: str) -> dict[str, str]:
    """The known inputs from letters in the order exposed, KEV, automatable, impact; ``?`` is unknown."""
    return {point: letter for point, letter in zip(POINTS, letters, strict=True) if letter != "?"}
