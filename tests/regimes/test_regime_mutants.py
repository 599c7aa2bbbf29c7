"""No number and no date of the law can change without an example that notices.

Each mutant of each file is read and its examples are run, always all of them. What is not changed, and
why, is in `law_mutants`.
"""

from pathlib import Path

import pytest

from law_mutants import Mutant, mutants
from leadline.app.regimes import Known, check, check_names
from leadline.core.engagement.library import Body
from leadline.wiring.regimes import BODIES, DATA, EXAMPLES, library, questions

HELD = library()
ROLES = frozenset(file.stem for file in (DATA / "roles").glob("*.toml"))
# The clock of our own choice goes to nobody's body.
KNOWN = Known({**HELD.bodies, "third-parties": Body("third-parties", ())}, ROLES, questions())
FILES = [
    one
    for folder in ("regimes", "obligations")
    for one in sorted((DATA / folder).glob("*.toml"))
    if EXAMPLES not in one.name
]


def survives(file: Path, mutant: Mutant) -> bool:
    """Whether the changed file loads, and every example beside it still holds."""
    beside = file.with_name(file.stem + EXAMPLES)
    if file.name == BODIES:
        return not check_names(mutant.text.encode(), beside.read_bytes(), BODIES).faults
    found = check({file.name: mutant.text.encode(), beside.name: beside.read_bytes()}, KNOWN)
    return all(not one.faults for one in found)


def test_no_changed_number_or_date_goes_unnoticed(capsys: pytest.CaptureFixture[str]) -> None:
    """Prints killed/total; a survivor is named with its file and line."""
    survivors, told, total = list[str](), list[str](), 0
    for file in [*FILES, DATA / BODIES]:
        found = list(mutants(file.read_text("utf-8")))
        alive = [f"{file.name}, {one.where}" for one in found if survives(file, one)]
        told.append(f"{file.name}: {len(found) - len(alive)}/{len(found)}")
        survivors, total = survivors + alive, total + len(found)
    with capsys.disabled():
        print(f"\nmutants killed: {total - len(survivors)}/{total}  ({'; '.join(told)})")  # noqa: T201
    assert survivors == []
    assert total > len(FILES) * 10


def test_the_harness_changes_what_it_says() -> None:
    """Counts, dates, fractions and numbers in words; never a clause's number, a name or a source."""
    text = """\
id = "ca-sb53"
last_checked = 2026-10-10
since = 2028-02-29
above = 1e26
revenue = 500_000_000
within = { days = 15 }
any_of = ["code-2026"]
words = "Section 3(b), EO 14409: 30 days, 10^26, Kimi K3."
[[sources]]
words = "7 days"
"""
    assert [(one.was, one.now) for one in mutants(text)] == [
        ("2028-02-29", "2028-02-28"),
        ("2028-02-29", "2028-03-01"),
        ("1e26", "9.999999999999999e+25"),
        ("1e26", "1.0000000000000002e+26"),
        ("500_000_000", "499999999"),
        ("500_000_000", "500000001"),
        ("15", "14"),
        ("15", "16"),
        ("30", "29"),
        ("30", "31"),
        ("10", "9"),
        ("10", "11"),
        ("26", "25"),
        ("26", "27"),
    ]


def test_an_unchanged_file_survives() -> None:
    """The harness kills by examples, not by its own doing."""
    for file in [*FILES, DATA / BODIES]:
        assert survives(file, Mutant(0, "", "", file.read_text("utf-8")))
