"""The table of what shows each row of the evaluation side: every file and test that it names is there."""

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
TABLE = TESTS.parent / "docs" / "reference" / "evaluation-tests.md"
NAMED = re.compile(r"`(?:(?P<file>[a-z_/]+\.py))?(?:::)?(?P<test>test_[a-z0-9_]+)?(?:\[[a-z]+\])?`")


def named(row: str) -> list[tuple[list[str], str]]:
    """Each test that *row* names, with the files that it names before it."""
    files: list[str] = []
    found = []
    for match in NAMED.finditer(row):
        if match["file"]:
            files.append(match["file"])
        if match["test"]:
            found.append((list(files), match["test"]))
    return found


def test_every_test_that_the_table_names_is_there() -> None:
    """A test that was renamed or taken away leaves no claim behind it."""
    rows = [row for row in TABLE.read_text(encoding="utf-8").splitlines() if row.startswith("|")]
    checked = 0
    for row in rows:
        for path in re.findall(r"`([a-z_/]+\.py)", row):
            there = path.startswith(("bench/", "sandbox/battery.py")) or "/" not in path
            assert there or (TESTS / path).is_file(), path
        for files, test in named(row):
            places = [TESTS / name for name in files if (TESTS / name).is_file()]
            texts = [place.read_text(encoding="utf-8") for place in places]
            assert any(f"def {test}(" in text for text in texts), f"{test} is not in {files}"
            checked += 1
    assert checked > 50


def test_every_row_of_the_design_is_there_once() -> None:
    """Twenty-two rows in order, none without a test."""
    rows = re.findall(r"^\| (\d+) \|(.*)$", TABLE.read_text(encoding="utf-8"), re.MULTILINE)
    assert [int(number) for number, _ in rows] == list(range(1, 23))
    assert all("test_" in text for _, text in rows)
