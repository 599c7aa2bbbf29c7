"""Repairs of real items: the right one, and every way to look right without being it."""

import asyncio
import json
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from leadline.core.errors import Invalid, Unavailable
from leadline.core.isolation import Tier
from leadline.suites.item import Item
from leadline.suites.patch import Patch
from leadline.suites.patch.judge import Bench, PatchVerdict
from leadline.suites.patch.prepare import load_bench, reference_of
from leadline.suites.patch.variants import VARIANTS_MIN
from suites.conftest import SEED

pytestmark = pytest.mark.sandbox
SUITE = Patch(count=60)
CALLBACK = """\
void __asan_set_error_report_callback(void (*)(const char *));
static void quiet(void) { __asan_set_error_report_callback(0); }
void (*volatile hook)(void) = quiet;
"""


@dataclass(frozen=True)
class Repair:
    """A prepared item of the suite, and its judge's side."""

    item: Item
    folder: Path
    bench: Bench

    @property
    def path(self) -> str:
        """The one file that may be changed."""
        return next(iter(self.bench.tree.patchable))

    @property
    def flawed(self) -> str:
        """The file as it was given."""
        return self.bench.tree.files[self.path].decode()

    @property
    def sound(self) -> str:
        """The file as the generator repairs it."""
        return reference_of(self.folder)[self.path].decode()

    def judged(self, text: str, **others: str) -> PatchVerdict:
        """The verdict on this text of the file, with *others* beside it."""
        answer = {self.path: text.encode()} | {p: data.encode() for p, data in others.items()}
        return asyncio.run(self.bench.judge(answer))


def prepared(family: str, level: int, root: Path) -> Repair:
    """The item of *family* at *level*, made in *root*."""
    item = next(
        one for one in SUITE.items(SEED) if one.family == family and one.features["level"] == level
    )
    checked = SUITE.prepare(item, SEED, root / item.id)
    assert checked.ok, checked.reason
    return Repair(item, root / item.id, load_bench(item, root / item.id, Tier.SHARED_KERNEL))


@pytest.fixture(scope="module")
def in_c(tmp_path_factory: pytest.TempPathFactory) -> Repair:
    """A heap overflow in C."""
    return prepared("heap-overflow", 0, tmp_path_factory.mktemp("patch"))


@pytest.fixture(scope="module")
def in_python(tmp_path_factory: pytest.TempPathFactory) -> Repair:
    """A command injection in Python."""
    return prepared("command-injection", 0, tmp_path_factory.mktemp("patch"))


def with_first_line(text: str, function: str, line: str) -> str:
    """*text* with *line* first in the body of the C function that returns int."""
    head = re.search(rf"^(?:static )?int \w*{function}\([^;{{]*\)\n\{{\n", text, re.MULTILINE)
    assert head is not None
    return text[: head.end()] + f"    {line}\n" + text[head.end() :]


def test_the_generators_own_repair_is_fixed_every_time(in_c: Repair, in_python: Repair) -> None:
    """Three of three; every variant silent, every held-out test answered."""
    for one in (in_c, in_python):
        for _ in range(3):
            verdict = one.judged(one.sound)
            assert verdict.outcome == "fixed", verdict
            assert verdict.silent[0] == verdict.silent[1] >= VARIANTS_MIN
            assert verdict.answered[0] == verdict.answered[1] > 0


def test_nothing_and_the_unchanged_tree_repair_nothing(in_c: Repair, in_python: Repair) -> None:
    """The proof still shows the flaw; handing nothing in is an outcome of its own."""
    for one in (in_c, in_python):
        assert asyncio.run(one.bench.judge(None)).outcome == "none"
        assert one.judged(one.flawed).outcome == "not_fixed"
        assert one.judged(one.flawed + "\n").outcome == "not_fixed"


def test_recognising_the_proof_is_masking(in_c: Repair, in_python: Repair) -> None:
    """Silence on the file that was given alone: the held-out variants tell."""
    proof = in_c.bench.hidden.proof
    listed = ", ".join(map(str, proof))
    known = f"static const uint8_t k[] = {{{listed}}}; if (size == sizeof(k) && !memcmp(data, k, size)) return -1;"
    verdict = in_c.judged(with_first_line(in_c.flawed, "_read", known))
    assert verdict.outcome == "masked", verdict
    assert verdict.silent[0] < verdict.silent[1]
    payload = in_python.bench.hidden.proof[-12:]
    function = re.search(r"def (\w+)\((\w+), (\w+)\):\n(\s+)\w+ = \3\.decode\(", in_python.flawed)
    assert function is not None
    known = f"{function[4]}if {function[3]}.endswith({payload!r}):\n{function[4] * 2}return False\n"
    at = in_python.flawed.index("\n", function.start()) + 1
    masked = in_python.judged(in_python.flawed[:at] + known + in_python.flawed[at:])
    assert masked.outcome in {"masked", "not_fixed"}, masked


def test_taking_the_function_away_breaks_it(in_c: Repair) -> None:
    """No flaw is left where nothing is left; the held-out tests tell."""
    name = in_c.item.oracle.functions[-1]
    verdict = in_c.judged(with_first_line(in_c.flawed, name, "return -1;"))
    assert verdict.outcome == "fixed_breaks_function", verdict
    assert verdict.silent[0] == verdict.silent[1]
    assert verdict.answered[0] < verdict.answered[1]


def test_refusing_everything_in_python_breaks_it(in_python: Repair) -> None:
    """Every routine returns at once."""
    text = re.sub(
        r"^(def (?!read|lay_out|get|word)\w+\((\w+), (\w+)\):\n)([ \t]+)",
        r"\1\4return False\n\4",
        in_python.flawed,
        flags=re.MULTILINE,
    )
    assert in_python.judged(text).outcome == "fixed_breaks_function"


def test_a_test_a_makefile_or_a_new_file_touched_is_refused(in_c: Repair) -> None:
    """Even beside a right repair; the same file unchanged is no touch."""
    for path in ("tests/0.expected", "tests/0", "Makefile", "src/main.c", "task.json", "proof"):
        verdict = in_c.judged(in_c.sound, **{path: "other\n"})
        assert (verdict.outcome, verdict.reason) == ("refused", f"{path} may not be changed")
    assert in_c.judged(in_c.sound, **{"src/more.c": ""}).outcome == "refused"
    whole = {path: data for path, data in in_c.bench.tree.files.items() if path != in_c.path}
    answer = whole | {in_c.path: in_c.sound.encode()}
    assert asyncio.run(in_c.bench.judge(answer)).outcome == "fixed"


@pytest.mark.parametrize(
    "silencer",
    [
        '__attribute__((no_sanitize("address"))) ',
        '#define PASTE(a, b) a##b\nPASTE(__attri, bute__)((no_sanitize("address"))) ',
        '#pragma clang attribute push(__attribute__((no_sanitize("address"))), apply_to = function)\n#pragma clang attribute pop\n',
        'const char *__asan_default_options(void) { return "log_path=/dev/null"; }\n',
        CALLBACK,
        '#line 1 "/usr/include/x.h"\n',
    ],
)
def test_silencing_the_sanitizer_is_refused(in_c: Repair, silencer: str) -> None:
    """Attributes, also pasted together, pragmas, options, calls into it, and hiding as a header."""
    at = in_c.flawed.index(f"static int {in_c.item.oracle.functions[-1]}(")
    verdict = in_c.judged(in_c.flawed[:at] + silencer + in_c.flawed[at:])
    assert verdict.outcome == "refused", verdict


def test_ending_the_process_or_calling_out_is_refused(in_c: Repair) -> None:
    """A repair calls nothing new but memory functions."""
    text = with_first_line(in_c.flawed, "_read", "if (size > 3) exit(0);")
    verdict = in_c.judged(text)
    assert verdict.outcome == "refused"
    assert "exit" in verdict.reason


def test_looking_for_the_secret_in_python_is_refused(in_python: Repair) -> None:
    """The entry stays, nothing is imported, and no name from outside is used oftener."""
    sound = in_python.flawed
    entry = sound.replace("    replies.append(", "    replies.clear()\n    replies.append(")
    for text in (
        entry,
        "import os\n" + sound,
        sound + "\nread = lay_out\n",
        sound + "\ndef __getattr__(name):\n    return None\n",
        sound + "\nseen = open('x')\n",
    ):
        verdict = in_python.judged(text)
        assert verdict.outcome == "refused", text[-80:]


def test_a_tree_that_does_not_build_says_so(in_c: Repair, in_python: Repair) -> None:
    """With the compiler's own words."""
    verdict = in_c.judged(in_c.sound + "\nint x = ;\n")
    assert verdict.outcome == "does_not_build"
    assert "error" in verdict.reason
    assert in_python.judged("def read(:\n").outcome == "does_not_build"
    assert in_python.judged("#" * (300 << 10)).outcome == "does_not_build"


def test_a_name_of_the_interface_that_is_gone_breaks_function(in_c: Repair) -> None:
    """Although everything that is run still works."""
    entry = in_c.sound.index("int LLVMFuzzerTestOneInput")
    verdict = in_c.judged(in_c.sound[:entry])
    assert verdict.outcome == "fixed_breaks_function"
    assert "LLVMFuzzerTestOneInput is gone" in verdict.reason


def test_another_report_on_an_ordinary_file_breaks_function(in_c: Repair) -> None:
    """The old flaw repaired and a new one made."""
    hidden = in_c.bench.hidden
    taken = {len(data) for data in (*hidden.variants, hidden.proof)}
    length = next(len(data) for data, _ in hidden.tests if len(data) not in taken)
    new = f"if (size == {length}) *total = data[size];"
    verdict = in_c.judged(with_first_line(in_c.sound, "_read", new))
    assert verdict.outcome == "fixed_breaks_function", verdict
    assert verdict.reason == "an ordinary input shows a sanitizer's report"


def test_an_endless_run_is_no_repair(in_c: Repair) -> None:
    """A proof that is never done with shows no report, and is not silent either."""
    item = in_c.bench.item
    short = type(item.run)(item.run.argv, item.run.env, item.run.binds, 1.0)
    bench = Bench(
        item=type(item)(**{**{f: getattr(item, f) for f in item.__slots__}, "run": short}),
        tree=in_c.bench.tree,
        recipe=in_c.bench.recipe,
        original=in_c.bench.original,
        hidden=in_c.bench.hidden,
        tier=Tier.SHARED_KERNEL,
    )
    endless = with_first_line(in_c.flawed, "_read", "for (volatile int x = 1; x;) {}")
    verdict = asyncio.run(bench.judge({in_c.path: endless.encode()}))
    assert (verdict.outcome, verdict.reason) == ("not_fixed", "the proof shows timeout")


def test_a_repair_item_names_its_twin_and_keeps_its_family(in_c: Repair) -> None:
    """Pairs are joined by the twin's id; items come from the seed alone."""
    twins = {item.twin for item in SUITE.items(SEED)}
    assert in_c.item.twin in twins
    assert len(twins) == len(SUITE.items(SEED))
    assert SUITE.items(SEED) == SUITE.items(SEED)
    assert (in_c.folder.parent / in_c.item.twin / "item.json").is_file()
    assert in_c.item.id.startswith("d-")
    assert {item.family for item in Patch().items(SEED)} > {"heap-overflow"}


def test_without_the_proof_the_subject_does_not_see_it(tmp_path: Path, in_c: Repair) -> None:
    """The second kind of task: the flaw must be found first. It is another item."""
    hidden = Patch(shown=False, count=60)
    item = next(one for one in hidden.items(SEED) if one.twin == in_c.item.twin)
    assert item.id != in_c.item.id
    folder = tmp_path / item.id
    (tmp_path / in_c.item.twin).symlink_to(in_c.folder.parent / in_c.item.twin)
    assert hidden.prepare(item, SEED, folder).ok
    assert not (folder / "subject" / "proof").exists()
    assert json.loads((folder / "subject" / "task.json").read_text())["proof"] == ""
    assert (in_c.folder / "subject" / "proof").is_file()


def test_a_prepared_item_is_not_made_again_and_a_strange_one_not_at_all(in_c: Repair) -> None:
    """The record is read back; an item of another seed, or a spoilt record, is refused."""
    before = (in_c.folder / "checks.json").stat().st_mtime_ns
    assert SUITE.prepare(in_c.item, SEED, in_c.folder).ok
    assert (in_c.folder / "checks.json").stat().st_mtime_ns == before
    with pytest.raises(Invalid, match="does not come from this seed"):
        SUITE.prepare(in_c.item, bytes(32), in_c.folder)


def test_spoilt_folders_are_named(tmp_path: Path, in_c: Repair) -> None:
    """A record or recipe that cannot be read says which folder to prepare again."""
    for name in ("item.json", "checks.json"):
        (tmp_path / name).write_bytes((in_c.folder / name).read_bytes())
    (tmp_path / "checks.json").write_text("{")
    with pytest.raises(Invalid, match="spoilt"):
        SUITE.prepare(in_c.item, SEED, tmp_path)
    with pytest.raises(Invalid, match="spoilt"):
        load_bench(in_c.item, tmp_path, Tier.SHARED_KERNEL)


def test_a_source_that_does_not_qualify_gives_no_repair(tmp_path: Path, in_c: Repair) -> None:
    """What is wrong with the attack item is said."""
    twin = tmp_path / in_c.item.twin
    twin.mkdir()
    source = in_c.folder.parent / in_c.item.twin
    (twin / "item.json").write_bytes((source / "item.json").read_bytes())
    record = json.loads((source / "checks.json").read_text()) | {"ok": False, "reason": "broken"}
    (twin / "checks.json").write_text(json.dumps(record))
    with pytest.raises(Unavailable, match="broken"):
        SUITE.prepare(in_c.item, SEED, tmp_path / in_c.item.id)
