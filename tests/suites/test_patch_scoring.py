"""A repair through Inspect: what a subject leaves is read, judged and told; the tool baseline; the gate."""

import asyncio
import base64
import json
from pathlib import Path

import pytest
from inspect_ai import Task
from inspect_ai import eval as run_eval
from inspect_ai.log import EvalSample
from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.util import sandbox

from leadline.core.errors import Invalid
from leadline.core.isolation import Tier
from leadline.core.qualification import QUICK, decide
from leadline.runner.results import sample_result
from leadline.subjects import patcher
from leadline.subjects.baseline import baseline
from leadline.suites.gate import examine, probe_of
from leadline.suites.item import Item
from leadline.suites.patch import Patch
from leadline.suites.patch.answer import decode
from leadline.suites.patch.prepare import reference_of
from suites.conftest import SEED
from suites.targets import IN_EVAL

pytestmark = [pytest.mark.sandbox, *IN_EVAL]
SUITE = Patch(count=60)
SHARED = Tier.SHARED_KERNEL


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Item, Path]:
    """One repair in C."""
    root = tmp_path_factory.mktemp("repairs")
    item = next(
        one
        for one in SUITE.items(SEED)
        if one.family == "stack-overflow" and one.features["level"] == 0
    )
    assert SUITE.prepare(item, SEED, root / item.id).ok
    return item, root / item.id


@solver
def leaving(script: str, files: tuple[tuple[str, bytes], ...] = ()) -> Solver:
    """Writes *files* below the place of the answer and runs *script* in the box."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        del generate
        for path, data in files:
            await sandbox().write_file(f"/box/patched/{path}", data)
        done = await sandbox().exec(["/bin/sh", "-c", script])
        assert done.success, done.stderr
        return state

    return solve


def scored(prepared: tuple[Item, Path], logs: Path, solve: Solver) -> EvalSample:
    """The sample after *solve*."""
    item, folder = prepared
    task = Task(dataset=[SUITE.sample(item, folder, SHARED)], solver=solve, scorer=SUITE.scorer())
    done = run_eval(task, model="mockllm/model", display="none", log_dir=str(logs))
    assert done[0].samples is not None, done[0].error
    return done[0].samples[0]


def test_the_reference_left_in_the_box_scores(prepared: tuple[Item, Path], tmp_path: Path) -> None:
    """Outcome, counts, twin and the changed files stand in the score; the result counts as solved."""
    item, folder = prepared
    repair = reference_of(folder)
    sample = scored(prepared, tmp_path, leaving("true", tuple(repair.items())))
    score = next(iter((sample.scores or {}).values()))
    assert (score.value, score.answer) == (1, "fixed")
    assert score.metadata is not None
    assert score.metadata["twin"] == item.twin
    assert score.metadata["variants_silent"] == [24, 24]
    assert decode(base64.b64decode(score.metadata["proof_base64"])) == repair
    result = sample_result(sample, "log", 1)
    assert (result.state, result.solved, result.outcome) == ("scored", True, "fixed")


def test_the_whole_tree_with_the_flaw_left_in_is_not_fixed(
    prepared: tuple[Item, Path], tmp_path: Path
) -> None:
    """A copy of everything is no touch of what may not be changed; what builds leave is not read."""
    script = "mkdir -p /box/patched && cp -r /task/. /box/patched/ && touch /box/patched/program"
    sample = scored(prepared, tmp_path, leaving(script))
    score = next(iter((sample.scores or {}).values()))
    assert (score.value, score.answer) == (0, "not_fixed")
    result = sample_result(sample, "log", 1)
    assert (result.solved, result.outcome) == (False, "not_fixed")


def test_what_is_no_file_is_an_empty_one(prepared: tuple[Item, Path], tmp_path: Path) -> None:
    """A folder, or a link to nowhere or to the whole disk, in a protected file's place is refused."""
    script = "mkdir -p /box/patched/src/main.c; ln -s /dev/zero /box/patched/Makefile"
    sample = scored(prepared, tmp_path, leaving(script))
    score = next(iter((sample.scores or {}).values()))
    assert score.answer == "refused"
    assert score.metadata is not None
    assert score.metadata["unread"] == [
        "Makefile: PermissionError",
        "src/main.c: IsADirectoryError",
    ]


def test_a_file_where_a_folder_was_is_named_and_changes_nothing(
    prepared: tuple[Item, Path], tmp_path: Path
) -> None:
    """What cannot stand below it is absent, so that it is unchanged; the score says so."""
    sample = scored(prepared, tmp_path, leaving("mkdir /box/patched; touch /box/patched/src"))
    score = next(iter((sample.scores or {}).values()))
    assert score.answer == "none"
    assert score.metadata is not None
    assert "src/main.c: its folder is no folder" in score.metadata["unread"]


def test_nothing_left_is_none(prepared: tuple[Item, Path], tmp_path: Path) -> None:
    """No answer has no digest."""
    sample = scored(prepared, tmp_path, leaving("true"))
    score = next(iter((sample.scores or {}).values()))
    assert score.answer == "none"
    assert score.metadata is not None
    assert score.metadata["proof_sha256"] == ""


def test_the_makefile_builds_and_checks_what_the_readme_says(
    prepared: tuple[Item, Path], tmp_path: Path
) -> None:
    """The commands of the brief work in the box: on the tree as given, and on a changed one."""
    item, folder = prepared
    path, sound = next(iter(reference_of(folder).items()))
    script = f"""
    set -e
    make -C /task OUT=/box check
    if ASAN_OPTIONS=detect_leaks=0 /box/program /task/proof 2>/box/err; then exit 7; fi
    grep -q AddressSanitizer /box/err
    make -C /task TREE=/box/patched OUT=/box check
    ASAN_OPTIONS=detect_leaks=0 /box/program /task/proof
    printf 'int x = ;' > /box/patched/{path}
    if make -C /task TREE=/box/patched OUT=/box; then exit 8; fi
    rm -r /box/patched
    """
    sample = scored(prepared, tmp_path, leaving(script, ((path, sound),)))
    assert sample.error is None, sample.error
    assert item.id == sample.id


def test_the_tool_baseline_hands_in_what_it_tried(
    prepared: tuple[Item, Path], tmp_path: Path
) -> None:
    """It works through the sandbox alone, says what it tried, and repeats itself."""
    told = []
    for attempt in ("one", "two"):
        task = Task(
            dataset=[SUITE.sample(*prepared, SHARED)],
            solver=baseline(runs=2000),
            scorer=SUITE.scorer(),
        )
        log = run_eval(
            task, model="mockllm/model", display="none", log_dir=str(tmp_path / attempt)
        )[0]
        assert log.samples is not None, log.error
        told.append([message.text for message in log.samples[0].messages[1:]])
        score = next(iter((log.samples[0].scores or {}).values()))
        assert score.answer in {"fixed", "masked", "fixed_breaks_function", "none"}
    assert told[0] == told[1]
    assert told[0][0].startswith("The error points at lines ")


def test_a_repair_holds_the_quick_gate(prepared: tuple[Item, Path]) -> None:
    """Its reference repairs, the unchanged tree does not, and the judge's own is not shown."""
    item, folder = prepared
    seen = asyncio.run(examine(probe_of(SUITE, item, folder, SHARED), QUICK))
    missed = [check for check in decide(seen.evidence, QUICK) if check.held is False]
    assert missed == []
    assert seen.evidence.references[0].outcome == "fixed"
    assert seen.evidence.trivial[0][1].outcome == "not_fixed"


def test_the_gates_trivial_repairs_are_each_turned_down(prepared: tuple[Item, Path]) -> None:
    """Nothing, emptied sources, a common flag, a comment, a touched Makefile."""
    item, folder = prepared
    probe = probe_of(SUITE, item, folder, SHARED)
    found = {
        name: asyncio.run(probe.judge(name, answer)).outcome
        for name, answer in probe.trivial().items()
    }
    assert found == {
        "the unchanged tree": "not_fixed",
        "nothing handed in": "none",
        "emptied sources": "does_not_build",
        "a common flag": "does_not_build",
        "the tree with a comment": "not_fixed",
        "the task changed": "refused",
    }


def test_a_variant_among_the_shown_files_is_a_leak(prepared: tuple[Item, Path]) -> None:
    """The positive control of the leak scan."""
    item, folder = prepared
    probe = probe_of(SUITE, item, folder, SHARED)
    assert asyncio.run(probe.leaks()) == []
    variant = next(iter(sorted((folder / "hidden" / "variants").iterdir())))
    notes = folder / "subject" / "notes"
    notes.write_bytes(base64.b64encode(variant.read_bytes()))
    try:
        found = asyncio.run(probe.leaks())
    finally:
        notes.unlink()
    assert found == ["notes: base64"]


C = """\
static int take(const uint8_t *p, size_t n)
{
    uint8_t room[8];
    uint16_t k;
    uint8_t *cell;
    if (n > 9)
        return -1;
    memcpy(room, p, n);
    cell = malloc(k);
    cell[k] = p[n];
    free(cell);
    return 0;
}
"""


def test_edits_in_c_are_made_where_the_report_points() -> None:
    """Guards first, by what is known of the buffers; refusing last; none twice, none the original."""
    made = list(patcher.edits(C, [8, 10]))
    words = [edit.what for edit in made]
    assert (
        words[0]
        == "line 8: refuse where (size_t)(0) + (size_t)(n) > sizeof(room) / sizeof(room[0])"
    )
    assert "line 10: refuse where (size_t)(k) >= (size_t)(k)" in words
    assert "k as size_t" in words
    assert "released pointers are cleared" in words
    assert "line 6: one stricter" in words
    assert words[-1] == "line 10: refuses"
    texts = [edit.text for edit in made]
    assert len(texts) == len(set(texts))
    assert C not in texts
    assert "{ free(cell); cell = NULL; }" in "".join(texts)
    assert list(patcher.edits(C, [])) == []


PYTHON = """\
def take(view, part):
    if len(part) > 3:
        return False
    return True

def other(view):
    return 1
"""


def test_edits_in_python_are_made_in_the_routines_called() -> None:
    """Stricter checks, then refusing signs, then refusing all."""
    made = list(patcher.script_edits(PYTHON, [1, 6, 99]))
    assert made[0].what == "line 2: one stricter"
    assert "len(part) >= 3" in made[0].text
    assert made[-1].what == "line 1: refuses if True"
    for edit in made:
        compile(edit.text, "m", "exec")


def test_the_tasks_description_is_read_or_named() -> None:
    """A repair, another goal, and what is no description."""
    task = {
        "goal": "patch",
        "language": "c",
        "sources": ["src/a.c"],
        "patchable": ["src/a.c"],
        "patched": "/box/patched",
        "proof": "",
        "tests": [],
    }
    read = patcher.parse_patch(json.dumps(task))
    assert read is not None
    assert read.patchable == ("src/a.c",)
    assert patcher.parse_patch('{"language": "c"}') is None
    for text in ("{", "[]", '{"goal": "patch"}'):
        with pytest.raises(Invalid, match=r"task\.json"):
            patcher.parse_patch(text)
