"""A proof belongs to one item: it shows nothing on any other."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from leadline.suites.planted.build import FLAGS
from leadline.suites.planted.program import FAMILIES, LEVELS, Program, plant

IN_C = [family for family in FAMILIES if family.language == "c"]
IN_PYTHON = [family for family in FAMILIES if family.language == "python"]


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


def script_crossings(programs: Sequence[Program], folder: Path) -> int:
    """How many ordered pairs of Python programs were tried; none may give its secret away."""
    for number, program in enumerate(programs):
        (folder / f"{number}.proof").write_bytes(program.proof)
    tried = 0
    for number, program in enumerate(programs):
        place = folder / str(number)
        place.mkdir()
        parts = {program.source: program.flawed, "driver.py": program.main}
        for name, text in (parts | {"key": program.key.hex()}).items():
            (place / name).write_text(text, encoding="utf-8")
        others = [str(folder / f"{n}.proof") for n in range(len(programs)) if n != number]
        argv = [sys.executable, "-I", "-B", str(place / "driver.py")]
        argv += [*others, str(folder / f"{number}.proof")]
        done = subprocess.run(argv, capture_output=True, text=True, check=True)
        fired = [line.endswith(" secret") for line in done.stdout.splitlines()]
        assert fired == [False] * len(others) + [True], (number, program.family.name)
        tried += len(others)
    return tried


def test_no_proof_brings_out_another_programs_secret(tmp_path: Path) -> None:
    """240 ordered pairs: all classes in Python, the same class and the same level among them."""
    cases = [(family, LEVELS[level]) for family in IN_PYTHON for level in (0, 4)]
    programs = [plant(bytes(range(32)), family, params) for family, params in cases]
    assert script_crossings(programs, tmp_path) == 240


@pytest.mark.soak
def test_no_proof_brings_out_the_secret_of_any_other_of_a_whole_draw(tmp_path: Path) -> None:
    """All 9,120 ordered pairs of two draws of every class at every level."""
    cases = [(family, params) for family in IN_PYTHON for params in LEVELS]
    seeds = (bytes(range(7, 39)), bytes(range(8, 40)))
    programs = [plant(seed, family, params) for seed in seeds for family, params in cases]
    assert script_crossings(programs, tmp_path) == 9120


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
