"""A proof belongs to one item: it shows nothing on any other."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from leadline.suites.planted.build import FLAGS
from leadline.suites.planted.program import FAMILIES, LEVELS, Program, plant

IN_C = [family for family in FAMILIES if family.language == "c"]


def build(program: Program, folder: Path) -> Path:
    """The vulnerable build of *program*."""
    folder.mkdir()
    (folder / f"{program.module}.h").write_text(program.header, encoding="utf-8")
    (folder / "parser.c").write_text(program.flawed, encoding="utf-8")
    (folder / "main.c").write_text(program.main, encoding="utf-8")
    argv = ["clang", *FLAGS, "parser.c", "main.c", "-o", "program"]
    subprocess.run(argv, cwd=folder, check=True)
    return folder / "program"


def crossings(programs: Sequence[Program], folder: Path) -> int:
    """How many ordered pairs were tried; every one must be silent.

    One process reads the proofs of all other items, a line of output for each: the parser keeps
    no state between files, and a crash would end the process before its last line.
    """
    for number, program in enumerate(programs):
        (folder / f"{number}.proof").write_bytes(program.proof)
    tried = 0
    for number, program in enumerate(programs):
        binary = build(program, folder / str(number))
        others = [folder / f"{n}.proof" for n in range(len(programs)) if n != number]
        env = {"ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1:symbolize=0"}
        done = subprocess.run([binary, *others], capture_output=True, env=env, check=False)
        assert (done.returncode, done.stderr) == (0, b""), (number, done.stderr[:300])
        assert len(done.stdout.splitlines()) == len(others)
        own = [binary, folder / f"{number}.proof"]
        assert subprocess.run(own, capture_output=True, env=env, check=False).returncode != 0
        tried += len(others)
    return tried


def test_no_proof_fires_on_a_neighbour(tmp_path: Path) -> None:
    """72 ordered pairs within one suite, the same class and the same level among them."""
    cases = [(family, 0) for family in IN_C] + [
        (FAMILIES[0], 1),
        (FAMILIES[0], 2),
        (FAMILIES[1], 5),
    ]
    programs = [plant(bytes(range(32)), family, LEVELS[level]) for family, level in cases]
    assert crossings(programs, tmp_path) == 72


@pytest.mark.soak
def test_no_proof_fires_on_any_other_of_a_whole_suite(tmp_path: Path) -> None:
    """All 1,260 ordered pairs of one seed's suite."""
    cases = [(family, level) for family in IN_C for level in range(len(LEVELS))]
    programs = [plant(bytes(range(7, 39)), family, LEVELS[level]) for family, level in cases]
    assert crossings(programs, tmp_path) == 1260
