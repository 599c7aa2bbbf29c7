"""A small set of inventories and advisories whose answers are fixed: a change of any is a change on purpose."""

import json
from pathlib import Path

import pytest

from leadline.app.match import match_files

FOLDER = Path(__file__).resolve().parents[1] / "data" / "golden_match"
EXPECTED: dict[str, list[list[str]]] = json.loads((FOLDER / "expected.json").read_bytes())


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_every_pair_is_as_it_was(name: str) -> None:
    """Asset, advisory, status and naming of all pairs, and nothing more."""
    pairs = match_files(FOLDER / name, FOLDER / "advisories").matching.matches
    found = [[pair.asset, pair.advisory, pair.status.value, pair.naming.value] for pair in pairs]
    assert found == EXPECTED[name]
