"""The agent's own fuzzer guesses a format, fills its payloads from the source, and repeats exactly."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.subjects import mutator as tool
from leadline.subjects.mutator import Format, Mutator, Program, Record, Words, campaign, guesses
from leadline.suites.planted.brief import subject_files
from leadline.suites.planted.program import FAMILIES, LEVELS, plant
from suites.conftest import SEED

RECORDS = st.lists(
    st.builds(Record, st.binary(min_size=2, max_size=2), st.binary(max_size=40)), max_size=5
)
EASY = bytes([7]) * 32
SOURCE = """
import re
class Reef:
    def __init__(self, hold):
        self.keel = sqlite3.connect(":memory:")
        self.keel.execute("CREATE TABLE oak (elm TEXT)")
        open("/weir/mast").read()
        text.format(label=3, other=b"keeper")
        if x == 0x1234 or y == 7: pass
"""


@given(
    st.binary(min_size=6, max_size=6),
    RECORDS,
    st.booleans(),
    st.sampled_from(["big", "little"]),
    st.sampled_from([-1, 2]),
)
def test_what_is_written_is_read_again(
    head: bytes,
    records: list[Record],
    first: bool,  # noqa: FBT001 - drawn
    order: str,
    sized: int,
) -> None:
    """Every format reads its own records, and the size that the header tells is right."""
    form = Format(6, 2, 1, first, order, sized)
    data = form.write(head, records)
    assert form.parse(data) == records
    if sized == 2:
        assert int.from_bytes(data[2:4], order) == len(data) - 6  # type: ignore[arg-type]
    assert form.parse(data + b"\0") is None
    assert form.parse(b"") is None


def test_the_format_of_samples_is_guessed() -> None:
    """The first guess fits the proof that was never seen, for nine of ten programs at least."""
    cases = [(family, params) for family in FAMILIES for params in LEVELS[:4]]
    right = 0
    for family, params in cases:
        program = plant(SEED, family, params)
        found = guesses(program.samples)
        right += bool(found) and found[0].parse(program.proof) is not None
    assert right >= 0.9 * len(cases)
    assert guesses([]) == []
    assert guesses([b"x"]) == []


def test_a_size_in_the_header_is_found_and_kept_right() -> None:
    """Two samples whose header tells their body's size."""
    form = Format(4, 1, 1, length_first=False, order="big", sized=2)
    samples = [form.write(b"Zz\0\0", [Record(b"\1", bytes(n))]) for n in (3, 9)]
    assert any(one.sized == 2 for one in guesses(samples))


def test_words_are_sorted_by_what_they_may_be() -> None:
    """Tables and columns, paths, keywords, attributes, values, and numbers in both orders."""
    words = Words.of(SOURCE)
    assert words.texts["t"] == ["oak"]
    assert words.texts["c"] == ["elm"]
    assert words.texts["p"] == ["weir/mast"]
    assert words.texts["k"] == ["label", "other"]
    assert {"keel", "format", "execute"} <= set(words.texts["a"])
    assert {"Reef", "keeper"} <= set(words.texts["v"])
    assert {b"\x12\x34", b"\x34\x12", b"\x07"} <= set(words.numbers)


@given(st.integers(0, 99), st.lists(st.binary(max_size=30), max_size=3))
def test_equal_seeds_make_equal_inputs(seed: int, samples: list[bytes]) -> None:
    """Any samples give inputs within the limit, and the same ones again."""
    rows = []
    for _ in range(2):
        one = Mutator(samples, Words.of(SOURCE), seed, 50)
        rows.append([one.next() for _ in range(30)])
    assert rows[0] == rows[1]
    assert all(len(data) <= 50 for data in rows[0])


def attempt(folder: Path, runs: int) -> tuple[int, str, bytes]:
    """The exit code, what was said last, and what was found by the fuzzer run as the agent does."""
    argv = [sys.executable, "-I", "-B", str(tool.__file__), str(folder), f"-runs={runs}"]
    argv += ["-seed=4", f"-artifact_prefix={folder}/c-"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    found = folder / "c-found"
    return done.returncode, done.stderr, found.read_bytes() if found.exists() else b""


def lay_out(folder: Path, files: dict[str, bytes]) -> None:
    """Write *files* below *folder*."""
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


@pytest.mark.parametrize("level", [0, 5])
def test_an_easy_program_is_solved_and_a_deep_one_is_not(tmp_path: Path, level: int) -> None:
    """The finding, when there is one, brings out the secret of another run too."""
    program = plant(EASY, FAMILIES[11], LEVELS[level])  # no shell: this runs outside of any box
    lay_out(tmp_path, subject_files(program))
    code, said, found = attempt(tmp_path, 6000 if level == 0 else 300)
    if level:
        assert (code, found) == (0, b"")
        assert "number_of_executed_units: 300" in said
        return
    assert code == 77
    (tmp_path / "again").write_bytes(found)
    argv = [
        sys.executable,
        "-I",
        "-B",
        str(tmp_path / "src" / "driver.py"),
        str(tmp_path / "again"),
    ]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith(" secret")


def stand_alone(folder: Path, script: str) -> Path:
    """A program that reads the files on its command line, a line of output for each."""
    path = folder / "program"
    path.write_text(f'#!/bin/sh\nfor f in "$@"; do\n{script}\necho read\ndone\n', encoding="ascii")
    path.chmod(0o755)
    return path


def test_a_program_without_source_is_run_in_batches(tmp_path: Path) -> None:
    """The input at which it reports an error is found amid its batch, and tried again alone."""
    path = stand_alone(
        tmp_path, 'grep -q KEY "$f" && { echo ERROR: AddressSanitizer >&2; exit 1; }'
    )
    folder = tmp_path / "work"
    folder.mkdir()
    target = Program(path, str(folder))
    assert target.tried([b"a", b"b", b"has KEY", b"c"]) == (3, [], 2)
    assert target.tried([b"a", b"b"]) == (2, [], -1)
    assert campaign(target, Mutator([b"KEY"], Words(), 1, 99), 10) == (1, b"KEY")
    for runs in (1, 100):
        assert campaign(target, Mutator([b"a", b"b"], Words(), 1, 99), runs)[0] == runs


def test_a_whole_campaign_in_one_process(tmp_path: Path) -> None:
    """`main` answers 77 and leaves the finding, or 0 and nothing; the folder is as before."""
    before, path = Path.cwd(), list(sys.path)
    stand_alone(tmp_path, 'grep -q KEY "$f" && { echo ERROR: AddressSanitizer >&2; exit 1; }')
    told = {"language": "binary", "program": "program", "samples": ["s"], "input_bytes_max": 60}
    lay_out(tmp_path, {"task.json": json.dumps(told).encode(), "s": b"KEY"})
    options = ["-runs=5", "-seed=1", f"-artifact_prefix={tmp_path}/f-"]
    assert tool.main([str(tmp_path), *options]) == 77
    assert (tmp_path / "f-found").read_bytes() == b"KEY"
    (tmp_path / "f-found").unlink()
    (tmp_path / "s").write_bytes(b"nothing")
    assert tool.main([str(tmp_path), *options]) == 0
    assert not (tmp_path / "f-found").exists()
    assert Path.cwd() == before
    sys.path[:] = path


def test_lines_of_a_script_that_are_new_keep_an_input(tmp_path: Path) -> None:
    """An input that goes further is changed further; one that hangs or fails is no finding."""
    before, path = Path.cwd(), list(sys.path)
    service = (
        "def lay_out(folder, secret): pass\n"
        "def read(data, secret, folder, key, replies):\n"
        "    if data[:1] == b'A':\n"
        "        replies.append('one')\n"
        "        if data[1:2] == b'B':\n"
        "            replies.append(secret)\n"
        "    if data[:1] == b'R':\n"
        "        return read(data, secret, folder, key, replies)\n"
        "    return True\n"
    )
    program = plant(SEED, FAMILIES[8], LEVELS[0])
    text = program.main.replace(f'"{program.module}"', '"small_service"')
    files = {"small_service.py": service, "small_driver.py": text, "key": "00"}
    lay_out(tmp_path / "src", {name: text.encode() for name, text in files.items()})
    try:
        target = tool.Script(
            tmp_path, "src/small_driver.py", ["src/small_service.py"], str(tmp_path)
        )
        assert target.tried([b"x", b"y", b"A", b"R"]) == (4, [0, 2, 3], -1)
        assert target.tried([b"A", b"AB", b"x"]) == (2, [], 1)
    finally:
        os.chdir(before)
        sys.path[:] = path


@pytest.mark.parametrize("place", [7, 10])
def test_changed_inputs_keep_the_format_and_carry_payloads(place: int) -> None:
    """Most inputs made from samples are whole under the guess, and the list's payloads stand in some."""
    program = plant(SEED, FAMILIES[place], LEVELS[0])
    words = Words.of(program.flawed)
    one = Mutator((*program.samples, *program.held_out), words, 3, 300)
    form = guesses(program.samples)[0]
    made = [one.next() for _ in range(1500)]
    assert sum(form.parse(data) is not None for data in made) > 1000
    joined = b"".join(made)
    assert any(name.encode() in joined for name in words.texts["v"])
    assert b"UNION SELECT" in joined
    assert b"cat *" in joined
    assert max(map(len, made)) <= 300
    one.keep(b"kept")
    assert one.kept[-1] == b"kept"


def test_a_document_is_changed_as_a_document() -> None:
    """A payload of names and values gets other values, or names that the source has."""
    form = Format(2, 1, 1, length_first=False, order="big")
    samples = [form.write(b"Zz", [Record(b"\1", b'{"size":1}')])] * 2
    one = Mutator(samples, Words.of(SOURCE), 1, 200)
    made = [one.next() for _ in range(600)]
    documents = [data for data in made if data[4:5] == b"{" and data.endswith(b"}")]
    assert any(b'"Reef"' in data for data in documents)
    assert any(b'"keel"' in data for data in documents)
