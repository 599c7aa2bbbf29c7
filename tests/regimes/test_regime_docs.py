"""The page about regimes names every shipped text and every key that a file may have."""

import re
from pathlib import Path

from leadline.formats import regime_examples, regime_toml
from leadline.wiring.regimes import DATA, library

PAGE = (Path(__file__).parents[2] / "docs" / "explanation" / "regime.md").read_text("utf-8")
KEY = re.compile(r'(?:table|root|span|known), "([a-z_]+)"|\("([a-z_]+)"')


def test_every_shipped_text_is_in_the_table() -> None:
    """By its id, so that a new file asks for its row."""
    assert [id_ for id_ in library().ids() if f"`{id_}`" not in PAGE] == []


def test_a_citation_names_nobody_s_file() -> None:
    """A reader can look for a publisher and a date, never for a name in somebody's collection."""
    files = sorted(DATA.rglob("*.toml"))
    assert len(files) > len(library().ids())
    found = re.compile(r"\d+_[0-9a-f]{16}\.\w+")
    named = {file.name: found.findall(file.read_text("utf-8")) for file in files}
    assert {name: some for name, some in named.items() if some} == {}


def test_each_section_of_the_californian_code_is_cited_for_what_it_says() -> None:
    """Definitions, duties, incidents and penalty stand in four sections, not in one."""
    law = library().newest("ca-sb53")
    assert {one.cites for one in law.covers} == {"bpc-11"}
    assert {one.cites for one in law.duties} == {"bpc-12"}
    assert {one.id: one.cites for one in law.reports} == {
        "critical-incident": "bpc-13",
        "imminent-danger": "bpc-13",
        "internal-use-summary": "bpc-12",
    }
    assert law.consequences_cites == "bpc-15"


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
