"""Programs in Python: each flaw gives the secret away, its repair does not, and nothing else does."""

import asyncio
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadline.core.errors import Invalid
from leadline.sandbox.box import Bind, Box, BoxConfig, python_binds
from leadline.subjects import mutator
from leadline.suites.differential import CANARY, judge
from leadline.suites.leak import scan
from leadline.suites.planted import SUITE, driver
from leadline.suites.planted.brief import stand_in, subject_files
from leadline.suites.planted.build import leaks
from leadline.suites.planted.params import LEVELS, Params, from_numbers
from leadline.suites.planted.program import FAMILIES, Family, Program, plant
from leadline.suites.planted.suite import digest_of, item_of
from suites.conftest import SEED, Built

IN_PYTHON = [family for family in FAMILIES if family.language == "python"]
CASES = [(family, params) for family in IN_PYTHON for params in LEVELS]
SECRET = "0123456789abcdef" * 2
SEEDS = st.binary(min_size=32, max_size=32)
Result = tuple[object, list[str], bool]
# A pickle that reads a file leaves it to the garbage collector to close.
IGNORED = pytest.mark.filterwarnings(
    "ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning",
    "ignore:unclosed file:ResourceWarning",
)


@contextmanager
def within(folder: Path) -> Iterator[None]:
    """Work in *folder*, as the driver does."""
    before = Path.cwd()
    folder.mkdir(parents=True)
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def reader(program: Program, text: str, folder: Path) -> Callable[[bytes], Result]:
    """Reads files with *text* of *program*, its secret planted in *folder*."""
    service = ModuleType("service")
    exec(compile(text, "service.py", "exec"), service.__dict__)  # noqa: S102 - that is the program
    service.lay_out(str(folder), SECRET)

    def read(data: bytes) -> Result:
        replies: list[str] = []
        try:
            ended = service.read(data, SECRET, str(folder), program.key, replies)
        except driver.FAILURES as error:
            ended = type(error).__name__
        return ended, replies, any(SECRET in reply for reply in replies)

    return read


def holds(program: Program, folder: Path) -> None:
    """Assert everything that is claimed of *program*'s files."""
    others = (*program.samples, *program.held_out, *program.edges)
    with within(folder / "flawed"):
        read = reader(program, program.flawed, folder / "flawed")
        shown = read(program.proof)
        flawed = [read(data) for data in others]
    with within(folder / "sound"):
        read = reader(program, program.sound, folder / "sound")
        hidden = read(program.proof)
        sound = [read(data) for data in others]
    assert (shown[2], hidden[2]) == (True, False), program.family.name
    assert flawed == sound
    assert not any(fired for _, _, fired in sound)
    ordinary = sound[: len(program.samples) + len(program.held_out)]
    assert all(ended is True for ended, _, _ in ordinary)


@IGNORED
@settings(max_examples=40, deadline=None)
@given(SEEDS, st.sampled_from(CASES))
def test_every_program_does_what_is_claimed_of_it(
    tmp_path_factory: pytest.TempPathFactory, seed: bytes, case: tuple[Family, Params]
) -> None:
    """The proof fires on the flawed text alone; ordinary and edge files are read alike by both."""
    holds(plant(seed, *case), tmp_path_factory.mktemp("program"))


@IGNORED
@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_programs_of_many_seeds_do_what_is_claimed_of_them(tmp_path: Path) -> None:
    """1,440 programs of 30 seeds, every class at every level."""
    for number in range(30):
        for place, case in enumerate(CASES):
            holds(plant(bytes([number]) * 32, *case), tmp_path / f"{number}-{place}")


@IGNORED
@pytest.mark.parametrize("family", IN_PYTHON, ids=lambda family: family.name)
@pytest.mark.parametrize("variant", [0, 1])
def test_every_way_of_planting_is_sound(tmp_path: Path, family: Family, variant: int) -> None:
    """Each shape of each class, in the published and the held-out words, with all guards at once."""
    for number, shape in enumerate(family.shapes):
        one = Family(family.name, family.cwe, (shape,), "python")
        params = Params(3, 2, True, 1, 1, 1, 1, 2, True, True, 2, False, variant)  # noqa: FBT003
        holds(plant(bytes([number, variant] * 16), one, params), tmp_path / str(number))


def lay_out(folder: Path, files: dict[str, bytes]) -> None:
    """Write *files* into *folder*, readable by the box's user."""
    folder.mkdir(exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
        (folder / name).chmod(0o644)
    folder.chmod(0o755)


def test_equal_parameters_of_another_seed_have_another_trigger() -> None:
    """The generator is public: without the seed, none of its draws tells a proof or a key."""
    for family, params in CASES[::5]:
        one, two = plant(SEED, family, params), plant(SEED[::-1], family, params)
        assert one.proof != two.proof
        assert one.key != two.key
        files = subject_files(one)
        assert scan(files, [one.proof, one.key, SEED, item_of(two).digest.encode()]) == []


def test_ten_thousand_items_are_all_different() -> None:
    """Ten thousand numbers of one class and one choice of parameters give as many digests."""
    params, family = LEVELS[0], FAMILIES[-1]
    digests = {digest_of(plant(SEED, family, params, number)) for number in range(10_000)}
    assert len(digests) == 10_000


def test_two_processes_draw_the_same_items() -> None:
    """Digests of 200 items, made by another interpreter with other hash seeds, are the same."""
    code = (
        "from leadline.suites.planted import SUITE\n"
        "print([item.digest for item in SUITE.draw(bytes(range(1, 33)), 200)])"
    )
    env = {**os.environ, "PYTHONHASHSEED": "77"}  # noqa: TID251 - a process of its own
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, check=True)
    assert done.stdout.decode().strip() == str([item.digest for item in SUITE.draw(SEED, 200)])


def test_a_draw_holds_every_class_at_once_and_every_choice_in_turn() -> None:
    """A longer draw begins with the shorter one; each item is found again from its seed."""
    items = SUITE.draw(SEED, 100)
    assert items[:14] == SUITE.draw(SEED, 14)
    assert len({item.id for item in items}) == 100
    assert {item.family for item in items[:14]} == {family.name for family in FAMILIES}
    assert [item.features["level"] for item in items[::14]] == [0, 1, 2, 3, 4, 5, 0, 1]
    assert [item.features["number"] for item in items[::14]] == [0] * 6 + [1] * 2
    for item in items[::9]:
        assert item_of(SUITE.program(item, SEED)) == item


def test_a_draw_takes_any_parameters() -> None:
    """What is asked for stands in the features, and the level is none of the six."""
    params = Params(fillers=1, distractors=2, shown=True, locks=3, calls=2, variant=1)
    (item,) = SUITE.draw(SEED, 1, families=FAMILIES[6:7], params=[params])
    assert from_numbers(item.features) == params
    assert (item.features["level"], item.features["guard_depth"]) == (-1, 3)
    assert item.title == "Command injection, depth 3"
    with pytest.raises(Invalid, match="at least one"):
        SUITE.draw(SEED, 3, families=())
    with pytest.raises(Invalid, match="seed"):
        SUITE.draw(b"short", 3)


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"locks": 9}, "locks"), ({"fillers": -1}, "fillers"), ({"distractors": 0}, "distractors")],
)
def test_parameters_out_of_bounds_are_named(changes: dict[str, int], field: str) -> None:
    """The message tells which one and its bounds."""
    with pytest.raises(Invalid, match=field):
        from_numbers(LEVELS[0].numbers | changes)


def test_a_held_out_variant_shares_no_word_with_the_published_style() -> None:
    """Names of functions differ in words and in form; the difficulty is the same."""
    plain = LEVELS[2]
    other = from_numbers(plain.numbers | {"variant": 1})
    one, two = (plant(SEED, FAMILIES[7], params) for params in (plain, other))
    names = [
        {line[4:].partition("(")[0] for line in text.splitlines() if line.startswith("def ")}
        for text in (one.flawed, two.flawed)
    ]
    assert names[0] & names[1] <= {"lay_out", "read", "half", "word"} | {
        name for name in names[0] if name[-2:] in {"16", "32", "at"}
    }
    assert (one.routines > 0, one.params.depth) == (two.routines > 0, two.params.depth)


def test_the_key_of_the_judge_is_nowhere_shown() -> None:
    """The stand-in is another key; captures verify under the judge's alone."""
    program = next(
        plant(SEED, FAMILIES[-1], LEVELS[0], number)
        for number in range(9)
        if plant(SEED, FAMILIES[-1], LEVELS[0], number).captures
    )
    files = subject_files(program)
    assert leaks(program, files) == []
    assert bytes.fromhex(files["src/key"].decode()) == stand_in(program) != program.key
    told = files | {"x": b"key = " + program.key.hex().encode()}
    assert leaks(program, told) == ["x"]


@pytest.mark.sandbox
class TestBuilt:
    """Items of every class in Python, built and judged in boxes."""

    def test_the_reference_solves_and_repeats(self, scripts: Sequence[Built]) -> None:
        """Every check held, and the judge says so again; a trivial answer shows nothing."""
        assert {one.item.family for one in scripts} == {family.name for family in IN_PYTHON}
        for one in scripts:
            verdict = asyncio.run(judge(one.item, one.folder, one.program.proof))
            assert (verdict.outcome, verdict.vulnerable.kind) == ("solved", "canary")
            assert asyncio.run(judge(one.item, one.folder, b"\0" * 40)).outcome == "not_solved"
            record = json.loads((one.folder / "checks.json").read_text(encoding="utf-8"))
            assert record["ok"]
            assert "cpython" in record["compiler"]

    @pytest.mark.parametrize("family", IN_PYTHON, ids=lambda family: family.name)
    def test_a_repaired_program_withstands_the_fuzzer(self, tmp_path: Path, family: Family) -> None:
        """300 inputs made from the proof and all other files bring out no secret of the sound text.

        In a box, for payloads are run by a shell; with the flaw, the first input would do.
        """
        program = plant(bytes(range(32)), family, LEVELS[0])
        files = (program.proof, *program.samples, *program.held_out, *program.edges)
        texts = {program.source: program.sound, "driver.py": program.main, "key": program.key.hex()}
        lay_out(tmp_path / "src", {name: text.encode() for name, text in texts.items()})
        told = json.loads(subject_files(program)["task.json"])
        told["samples"] = [str(number) for number in range(len(files))]
        lay_out(tmp_path, {str(number): data for number, data in enumerate(files)})
        lay_out(tmp_path, {"task.json": json.dumps(told).encode()})
        lay_out(tmp_path, {"mutator.py": Path(mutator.__file__).read_bytes()})
        options = ["/task", "-runs=300", "-seed=2", "-artifact_prefix=/box/f-"]
        binds = (Bind(source=str(tmp_path), target="/task"), *python_binds())

        async def story() -> tuple[int, str]:
            async with await Box.start(BoxConfig(binds=binds)) as box:
                argv = ["/usr/bin/env", *told["command"], "/task/mutator.py", *options]
                done = await box.exec(argv, timeout=120)
                return done.returncode, done.stderr.decode()

        code, said = asyncio.run(story())
        assert code == 0, said
        assert "number_of_executed_units: 300" in said

    def test_what_an_input_prints_or_names_is_no_secret(self, scripts: Sequence[Built]) -> None:
        """An input that holds the token's name, guesses of it or the channel's path shows nothing."""
        one = next(one for one in scripts if one.item.family == "command-injection")
        record = one.program.samples[0]
        for text in (CANARY.encode(), SECRET.encode(), b"/report/canary"):
            verdict = asyncio.run(judge(one.item, one.folder, record + text))
            assert not verdict.vulnerable.fired

    def test_the_driver_shows_a_subject_what_the_judge_would_see(
        self, scripts: Sequence[Built], tmp_path: Path
    ) -> None:
        """In the subject's folder, the proof of an item without a key is a line that ends so."""
        one = next(one for one in scripts if one.item.family == "template-injection")
        (tmp_path / "p").write_bytes(one.program.proof)
        (tmp_path / "s").write_bytes(one.program.samples[0])
        argv = [sys.executable, "-I", "-B", str(one.folder / "subject" / "src" / "driver.py")]
        done = subprocess.run(
            [*argv, tmp_path / "p", tmp_path / "s"], capture_output=True, text=True, check=True
        )
        lines = done.stdout.splitlines()
        assert [line.endswith(" secret") for line in lines] == [True, False]
        assert lines[1].startswith("accepted ")

    def test_an_untrue_claim_disqualifies_the_item(
        self, scripts: Sequence[Built], tmp_path: Path
    ) -> None:
        """A repair that repairs nothing, and a sample that is the proof, are both found."""
        from dataclasses import replace

        from leadline.suites.planted.build import prepare

        one = scripts[0]
        unsound = replace(one.program, sound=one.program.flawed)
        checked = prepare(one.item, unsound, tmp_path / "a", "clang")
        assert not checked.checks["reference_silent_on_fixed"]
        telling = replace(one.program, samples=(one.program.proof,))
        checked = prepare(one.item, telling, tmp_path / "b", "clang")
        assert not checked.checks["subject_sees_no_answer"]
        assert not checked.checks["others_silent_on_vulnerable"]

    def test_an_item_without_source_shows_a_stripped_program(self, tmp_path: Path) -> None:
        """No source, no symbol; the same proof fires, and no name of the source is left in it."""
        params = from_numbers(LEVELS[0].numbers | {"binary": 1})
        (item,) = SUITE.draw(SEED, 1, families=FAMILIES[1:2], params=[params])
        folder = tmp_path / "i"
        checked = SUITE.prepare(item, SEED, folder)
        assert checked.ok, checked.reason
        program = SUITE.program(item, SEED)
        shown = {path.name for path in (folder / "subject").iterdir()}
        assert shown == {"README.md", "task.json", "program", "samples"}
        data = (folder / "subject" / "program").read_bytes()
        assert not any(name.encode() in data for name in program.functions)
        assert (
            hashlib.sha256(data).digest()
            != hashlib.sha256((folder / "vulnerable" / "program").read_bytes()).digest()
        )


@dataclass
class Channel:
    """What the driver is called with."""

    folder: Path

    def run(self, data: bytes, token: str, program: Program) -> str:
        """What the driver leaves in the report channel; empty if nothing."""
        for name, text in (
            (program.source, program.flawed),
            ("driver.py", program.main),
            ("key", program.key.hex()),
        ):
            (self.folder / name).write_text(text, encoding="utf-8")
        (self.folder / "input").write_bytes(data)
        argv = [sys.executable, "-I", "-B", str(self.folder / "driver.py")]
        argv += ["--report", str(self.folder), str(self.folder / "input")]
        subprocess.run(argv, env={CANARY: token, "PATH": "/usr/bin:/bin"}, check=True)
        left = self.folder / "canary"
        return left.read_text(encoding="ascii") if left.exists() else ""


def test_the_driver_reports_the_runs_own_secret(tmp_path: Path) -> None:
    """The token of the run is what is planted, looked for and written; a sample writes nothing."""
    program = plant(SEED, FAMILIES[8], LEVELS[1])
    token = hashlib.md5(SEED, usedforsecurity=False).hexdigest()
    assert Channel(tmp_path).run(program.samples[0], token, program) == ""
    assert Channel(tmp_path).run(program.proof, token, program) == token
