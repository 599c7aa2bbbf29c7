"""Loader of the published version order fixtures (google/osv-scalibr, Apache-2.0)."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from leadline.core.clearing.versions import Unparseable, compare

ORDERS = {"<": -1, "=": 0, ">": 1}
REFUSED = Path(__file__).parent / "refused_versions.toml"


@dataclass
class Tally:
    """How the lines of one file came out; *wrong* and *refused* are the lines themselves."""

    right: int = 0
    wrong: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


def lines(file: Path) -> Iterator[str]:
    """The comparisons of one file, without comments and blank lines."""
    for line in file.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith(("#", "//")):
            yield line


def tally(scheme: str, file: Path) -> Tally:
    """Every comparison of one file, both ways round."""
    held = Tally()
    for line in lines(file):
        left, sign, right = line.split(" ")
        try:
            forth, back = compare(scheme, left, right), compare(scheme, right, left)
        except Unparseable:
            held.refused.append(line)
            continue
        if forth == ORDERS[sign] == -back:
            held.right += 1
        else:
            held.wrong.append(line)
    return held


def refused(scheme: str, name: str) -> tuple[list[str], list[str]]:
    """The lines listed as refused: those the scheme does not admit, and those it does."""
    listed = tomllib.loads(REFUSED.read_text(encoding="utf-8"))
    entry = listed.get(scheme, {}).get(name.removesuffix(".txt"), {})
    return entry.get("not_admitted", []), entry.get("disputed", [])
