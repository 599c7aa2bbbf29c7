"""The page about regimes names every shipped text and every key that a file may have."""

import re
from pathlib import Path

from leadline.formats import regime_examples, regime_toml
from leadline.wiring.regimes import library

PAGE = (Path(__file__).parents[2] / "docs" / "explanation" / "regime.md").read_text("utf-8")
KEY = re.compile(r'(?:table|root|span|known), "([a-z_]+)"|\("([a-z_]+)"')


def test_every_shipped_text_is_in_the_table() -> None:
    """By its id, so that a new file asks for its row."""
    assert [id_ for id_ in library().ids() if f"`{id_}`" not in PAGE] == []


def test_every_key_of_a_file_is_explained() -> None:
    """Keys as the reader has them; a lawyer who writes a file finds each of them on the page."""
    source = Path(regime_toml.__file__).read_text("utf-8")
    keys = {one for found in KEY.findall(source) for one in found if one}
    assert {"reports", "within", "days_before_anchor_min", "reconsiders", "supersedes"} <= keys
    assert [key for key in sorted(keys) if not re.search(rf"\b{key}\b", PAGE)] == []


def test_every_kind_of_example_is_explained() -> None:
    """Each kind of entry of an examples file."""
    source = Path(regime_examples.__file__).read_text("utf-8")
    kinds = re.findall(r"root\.tables\(\"([a-z]+)\"\)", source)
    assert len(kinds) == 7
    assert [kind for kind in kinds if f"[[{kind}]]" not in PAGE] == []
