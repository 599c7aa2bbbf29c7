"""The planted flaw is the only one: a repaired program withstands the fuzzer that is set on it."""

import subprocess
from pathlib import Path

import pytest

from leadline.suites.planted.program import FAMILIES, LEVELS, Family, Program, plant


def withstands(program: Program, folder: Path, runs: int) -> bool:
    """Whether *runs* runs from every file of ordinary use and the proof leave the sound text silent."""
    folder.mkdir()
    (folder / f"{program.module}.h").write_text(program.header, encoding="utf-8")
    (folder / "parser.c").write_text(program.sound, encoding="utf-8")
    argv = ["clang", "-g", "-O1", "-fsanitize=address,undefined,fuzzer", "parser.c", "-o", "fuzz"]
    subprocess.run(argv, cwd=folder, check=True)
    files = (program.proof, *program.samples, *program.held_out, *program.edges)
    names = []
    for number, data in enumerate(files):
        (folder / f"seed{number}").write_bytes(data)
        names.append(f"seed{number}")
    options = [f"-runs={runs}", "-seed=5", "-max_len=512", f"-seed_inputs={','.join(names)}"]
    env = {"ASAN_OPTIONS": "allocator_may_return_null=1", "UBSAN_OPTIONS": "halt_on_error=1"}
    env["PATH"] = "/usr/bin:/bin"
    done = subprocess.run(
        ["./fuzz", *options], cwd=folder, env=env, capture_output=True, text=True, check=False
    )
    return done.returncode == 0 and "runtime error" not in done.stderr


IN_C = [family for family in FAMILIES if family.language == "c"]


@pytest.mark.parametrize("family", IN_C, ids=lambda family: family.name)
def test_a_repaired_program_withstands_the_fuzzer(tmp_path: Path, family: Family) -> None:
    """Memory errors, undefined behaviour and leaks are looked for, from the proof onwards."""
    assert withstands(plant(bytes(range(32)), family, LEVELS[3]), tmp_path / "p", 30_000)


@pytest.mark.soak
def test_every_repaired_program_of_a_suite_withstands_the_fuzzer(tmp_path: Path) -> None:
    """All 36 programs of one seed, 300,000 runs each."""
    for family in IN_C:
        for level in range(len(LEVELS)):
            program = plant(bytes(range(9, 41)), family, LEVELS[level])
            assert withstands(program, tmp_path / f"{family.name}{level}", 300_000)
