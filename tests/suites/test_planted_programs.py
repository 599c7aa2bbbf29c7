"""A planted program follows from its seed, and tells nothing of where its flaw is."""

import dataclasses
import io
import re
import subprocess
import tokenize
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadline.core.errors import Invalid, Unavailable
from leadline.suites.planted import SUITE, Planted
from leadline.suites.planted.brief import subject_files
from leadline.suites.planted.build import leaks, repair
from leadline.suites.planted.draw import Draw
from leadline.suites.planted.params import LEVELS, Params
from leadline.suites.planted.program import FAMILIES, INPUT_BYTES_MAX, Family, plant
from leadline.suites.planted.suite import digest_of, item_of

if TYPE_CHECKING:
    from leadline.suites.item import Suite

SEEDS = st.binary(min_size=32, max_size=32)
CASES = [(family, params) for family in FAMILIES for params in LEVELS]
C_CASES = [case for case in CASES if case[0].language == "c"]
# Fixed once: if this changes, GENERATOR must change with it, or old commitments mean other items.
KNOWN = "c1036b"


def test_a_draw_repeats_and_stays_within_its_bounds() -> None:
    """Equal seed and label give equal choices; another label gives others."""
    one, two, other = Draw(b"s", "a"), Draw(b"s", "a"), Draw(b"s", "b")
    assert one.take(5000) == two.take(5000)
    assert two.take(16) != other.take(16)
    one.take(16)
    numbers = [one.between(3, 5) for _ in range(200)]
    assert set(numbers) == {3, 4, 5}
    assert numbers == [two.between(3, 5) for _ in range(200)]
    assert sorted(one.shuffled(range(9))) == list(range(9))
    assert {one.chance(0), one.chance(100)} == {False, True}


@given(st.binary(max_size=8), st.lists(st.integers(0, 6000), max_size=5))
def test_a_draw_is_one_stream_however_it_is_cut(seed: bytes, sizes: list[int]) -> None:
    """Many small takes give the bytes of one large one."""
    parts = Draw(seed, "x")
    joined = b"".join(parts.take(size) for size in sizes)
    assert joined == Draw(seed, "x").take(sum(sizes))


def test_the_suite_satisfies_its_port() -> None:
    """`SUITE` is what an entry point must offer."""
    suite: Suite = SUITE
    assert (suite.name, suite.domain, suite.isolation) == ("planted", "cyber", "shared-kernel")


def test_one_seed_gives_one_suite() -> None:
    """Same seed, same items to the byte: fourteen classes, ten items a level, each id its own."""
    items = SUITE.items(bytes(32))
    assert items == SUITE.items(bytes(32))
    assert len({item.id for item in items}) == len(items) == 60
    assert {item.family for item in items} == {family.name for family in FAMILIES}
    assert len(FAMILIES) == 14
    assert [item.features["level"] for item in items] == [n for n in range(6) for _ in range(10)]
    assert all(item.id == f"p-{item.digest[:16]}" for item in items)
    assert all(item.family not in item.id for item in items)


def test_the_generator_gives_what_it_gave() -> None:
    """The digest over one seed's items is the one of this generator's version."""
    joined = "".join(item.digest for item in SUITE.items(bytes(range(32))))
    assert Draw(joined.encode(), "known").take(3).hex() == KNOWN


@settings(max_examples=5, deadline=None)
@given(SEEDS, SEEDS)
def test_other_seeds_give_other_items(one: bytes, two: bytes) -> None:
    """No item of one seed is an item of another; a single changed bit is enough."""
    flipped = bytes([one[0] ^ 1]) + one[1:]
    digests = [{item.digest for item in SUITE.items(seed)} for seed in (one, flipped)]
    assert not digests[0] & digests[1]
    if one != two:
        assert not digests[0] & {item.digest for item in SUITE.items(two)}


@settings(max_examples=25, deadline=None)
@given(SEEDS, st.sampled_from(CASES))
def test_every_program_is_whole(seed: bytes, case: tuple[Family, Params]) -> None:
    """One place differs, every file fits, and the proof is no file that a subject is given."""
    family, params = case
    program = plant(seed, family, params)
    assert program == plant(seed, family, params)
    assert program.flawed != program.sound
    changed = [line for line in repair(program).splitlines()[2:] if line[0] in "+-"]
    assert 1 <= len(changed) <= 6
    files = (program.proof, *program.samples, *program.held_out, *program.edges)
    assert all(len(data) <= INPUT_BYTES_MAX for data in files)
    assert files.count(program.proof) == 1
    assert program.routines >= params.fillers + 2
    pattern = r"^(?:static )?\w+ (\w+)\([^;]*\)$" if family.language == "c" else r"^def (\w+)\("
    defined = re.findall(pattern, program.flawed, re.MULTILINE)
    assert len(defined) == len(set(defined)) >= program.routines + 3
    for name in program.functions:
        assert len(re.findall(rf"\b{name}\(", program.flawed)) >= 2 or name in program.flawed


@settings(max_examples=25, deadline=None)
@given(SEEDS, st.sampled_from(CASES))
def test_the_subject_is_told_nothing(seed: bytes, case: tuple[Family, Params]) -> None:
    """No file that it sees holds the proof in any encoding, the bug's class or a telling word."""
    program = plant(seed, *case)
    files = subject_files(program)
    assert leaks(program, files) == []
    text = b"\n".join(files.values()).lower()
    for word in (b"vuln", b"flaw", b"bug", b"distract", b"decoy", b"guard", b"safe", b"sound"):
        assert word not in text
    if program.family.language == "c":
        assert "//" not in program.flawed
        assert "/*" not in program.flawed
    else:
        tokens = tokenize.generate_tokens(io.StringIO(program.flawed).readline)
        assert not any(token.type == tokenize.COMMENT for token in tokens)


def compiles(seed: bytes, folder: Path) -> str:
    """What the compiler says against any program of *seed*, flawed or sound; all warnings count."""
    folder.mkdir()
    names: list[str] = []
    for number, (family, params) in enumerate(C_CASES):
        program = plant(seed, family, params)
        (folder / f"{number}.h").write_text(program.header, encoding="utf-8")
        for text in (program.flawed, program.sound):
            names.append(f"{len(names)}.c")
            own = text.replace(f'"{program.module}.h"', f'"{number}.h"')
            (folder / names[-1]).write_text(own, encoding="utf-8")
    argv = [
        "clang",
        "-fsyntax-only",
        "-Wall",
        "-Wextra",
        "-Wno-unused-parameter",
        "-Werror",
        *names,
    ]
    return subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False).stderr


def test_programs_compile_without_a_warning(tmp_path: Path) -> None:
    """All 72 texts of one seed; `y003y003...` once gave two functions one name."""
    assert compiles(b"y003" * 8, tmp_path / "a") == ""


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_programs_of_many_seeds_compile_without_a_warning(tmp_path: Path) -> None:
    """2,160 texts of 30 seeds."""
    for number in range(30):
        assert compiles(bytes([number]) * 32, tmp_path / str(number)) == ""


def test_a_leak_is_seen_in_each_encoding() -> None:
    """The scan finds the proof plain, reversed, in hexadecimal and in base64, and the class."""
    program = plant(bytes(32), *CASES[0])
    told = {
        "plain": b"x" + program.proof,
        "reversed": program.proof[::-1],
        "hex": program.proof.hex().encode(),
        "class": program.classes[0].upper().encode(),
        "ok": b"nothing",
    }
    assert leaks(program, told) == ["plain", "reversed", "hex", "class"]


def test_harder_levels_have_more_in_the_way() -> None:
    """Depth and size grow with the level, and only the easiest show the flawed code at work."""
    depths = [level.depth for level in LEVELS]
    assert depths[-1] > depths[-2] > max(depths[:-2])
    assert [level.fillers for level in LEVELS] == sorted(level.fillers for level in LEVELS)
    assert [level.shown for level in LEVELS] == [True, True, False, False, False, False]


def test_two_items_do_not_look_alike() -> None:
    """No function text of one seed's items occurs in another's, and the formats differ."""
    programs = [plant(bytes(32), family, params) for family, params in CASES]
    body = r"^(?:static int .*?^}|def \w+\(\w+, \w+\):\n(?:[ \t]+.*\n|\n)+)"
    bodies = [set(re.findall(body, p.flawed, re.DOTALL | re.MULTILINE)) for p in programs]
    for number, texts in enumerate(bodies):
        assert texts
        assert not texts & set(chain(*bodies[:number]))
    assert len({program.proof[:6] for program in programs}) == len(programs)


def test_a_digest_covers_every_part() -> None:
    """Changing any part of the content changes the item."""
    program = plant(bytes(32), *CASES[0])
    item = item_of(program)
    assert item.digest == digest_of(program)
    assert item.cwe == "CWE-121"
    assert item.input_bytes_max == INPUT_BYTES_MAX
    assert SUITE.program(item, bytes(32)) == program


def test_a_short_seed_is_refused() -> None:
    """A seed of under 128 bits could be guessed."""
    with pytest.raises(Invalid, match="seed"):
        SUITE.items(bytes(15))
    assert SUITE.items(bytes(16))


def test_an_item_of_another_seed_is_refused() -> None:
    """An item is only prepared from the seed it came from."""
    item = SUITE.items(bytes(32))[0]
    foreign = dataclasses.replace(item, family="another")
    deeper = dataclasses.replace(item, features={**item.features, "locks": 99})
    bare = dataclasses.replace(item, features={"level": 1})
    for asked, seed in (
        (item, bytes([1]) * 32),
        *((one, bytes(32)) for one in (foreign, deeper, bare)),
    ):
        with pytest.raises(Invalid, match="does not come from this seed"):
            SUITE.program(asked, seed)


def test_without_a_compiler_the_suite_is_unavailable() -> None:
    """The message names what is missing and the package that has it."""
    suite = Planted(find=lambda _: None)
    with pytest.raises(Unavailable, match="Debian: clang"):
        suite.items(bytes(32))
