"""A planted item is built whole, checked, and rejected if any claim about it does not hold."""

import asyncio
import dataclasses
import hashlib
import json
import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from leadline.core.errors import Invalid, Unavailable
from leadline.sandbox.box import Bind, Box, BoxConfig
from leadline.suites.differential import judge, load_item
from leadline.suites.item import Bind as Bound
from leadline.suites.item import Item, Oracle, Qualification
from leadline.suites.planted import SUITE, Planted
from leadline.suites.planted.build import prepare
from leadline.suites.planted.program import LEVELS, Program
from suites.conftest import SEED, Built

pytestmark = pytest.mark.sandbox


def tree(folder: Path) -> dict[str, str]:
    """The digest of every file below *folder*."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_an_item_of_every_class_and_level_holds_every_check(built: tuple[Built, ...]) -> None:
    """The checks are recorded by name, all true, with the compiler that built it."""
    assert len(built) == len(LEVELS) == len({one.item.family for one in built})
    for one in built:
        record = json.loads((one.folder / "checks.json").read_text(encoding="utf-8"))
        assert record["ok"]
        assert all(record["checks"].values())
        assert "clang" in record["compiler"]
        assert len(record["checks"]) == 10
        assert load_item(one.folder) == one.item


def test_a_folder_has_the_form_that_every_suite_shares(built: tuple[Built, ...]) -> None:
    """The subject's part holds no more than the brief, the sources, a Makefile and samples."""
    for one in built:
        top = {path.name for path in one.folder.iterdir()}
        assert top == {
            "item.json",
            "checks.json",
            "subject",
            "vulnerable",
            "fixed",
            "reference",
        }
        seen = {
            str(path.relative_to(one.folder / "subject")) for path in one.folder.rglob("subject/*")
        }
        assert seen == {"README.md", "task.json", "Makefile", "src", "samples"}
        assert (one.folder / "reference" / "proof").read_bytes() == one.program.proof


def test_the_reference_solves_and_the_fixed_build_is_silent(built: tuple[Built, ...]) -> None:
    """The report names a function and class that were planted; a trivial answer shows nothing."""
    for one in built:
        verdict = asyncio.run(judge(one.item, one.folder, one.program.proof))
        assert verdict.outcome == "solved"
        assert verdict.vulnerable.kind in one.program.classes
        assert set(verdict.vulnerable.frames[:3]) & set(one.program.functions)
        assert asyncio.run(judge(one.item, one.folder, b"\0" * 40)).outcome == "not_solved"


def test_a_second_call_builds_nothing(built: tuple[Built, ...]) -> None:
    """It answers the record of the first, with a compiler that would refuse to run."""
    one = built[0]
    before = tree(one.folder)
    again = prepare(one.item, one.program, one.folder, "/nonexistent/clang")
    assert again.ok
    assert tree(one.folder) == before


def test_a_rebuild_is_the_same_to_the_byte(built: tuple[Built, ...], tmp_path: Path) -> None:
    """Programs hold no path, time or number of the place they were built in."""
    one = built[1]
    SUITE.prepare(one.item, SEED, tmp_path / "elsewhere" / one.item.id)
    assert tree(tmp_path / "elsewhere" / one.item.id) == tree(one.folder)


def test_the_repair_is_a_patch_of_the_subjects_source(
    built: tuple[Built, ...], tmp_path: Path
) -> None:
    """`patch -p1` in the subject's folder gives the sound source."""
    one = built[2]
    shutil.copytree(one.folder / "subject", tmp_path / "s")
    if shutil.which("patch") is None:
        pytest.skip("patch is not installed")
    argv = ["patch", "-s", "-p1", "-i", str(one.folder / "reference" / "repair.patch")]
    subprocess.run(argv, cwd=tmp_path / "s", check=True)
    text = (tmp_path / "s" / "src" / f"{one.program.module}.c").read_text(encoding="utf-8")
    assert text == one.program.sound


def test_the_subject_can_build_and_crash_its_program(built: tuple[Built, ...]) -> None:
    """In a box, with only /task, the Makefile works and the reference crashes the result."""
    one = built[0]

    async def story() -> tuple[int, str]:
        bind = Bind(source=str(one.folder / "subject"), target="/task")
        async with await Box.start(BoxConfig(binds=(bind,))) as box:
            made = await box.exec(["make", "-s", "-C", "/task", "OUT=/box"], timeout=60)
            await box.write("/box/proof", one.program.proof)
            run = await box.exec(["/box/program", "/box/proof"], timeout=60)
            return made.returncode, run.stderr.decode()

    code, said = asyncio.run(story())
    assert code == 0
    assert "ERROR: AddressSanitizer" in said


def broken(program: Program, item: Item, which: str) -> tuple[Program, Item]:
    """*program* with one untrue claim."""
    unused = "".join(f"int unused{n};\n" for n in range(9))
    changes: dict[str, dict[str, object]] = {
        "reference_solves": {"proof": program.samples[0]},
        "reference_silent_on_fixed": {"sound": program.flawed},
        "others_silent_on_vulnerable": {"held_out": (program.proof,)},
        "ordinary_accepted": {"samples": (b"junk",)},
        "subject_sees_no_answer": {"samples": (*program.samples, program.proof)},
        "repair_is_small": {"sound": program.sound + unused},
    }
    if which == "proof_within_limit":
        return program, dataclasses.replace(item, input_bytes_max=3)
    return dataclasses.replace(program, **changes[which]), item  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "which",
    [
        "reference_solves",
        "reference_silent_on_fixed",
        "others_silent_on_vulnerable",
        "ordinary_accepted",
        "proof_within_limit",
        "subject_sees_no_answer",
        "repair_is_small",
    ],
)
def test_an_untrue_claim_disqualifies_the_item(
    built: tuple[Built, ...], tmp_path: Path, which: str
) -> None:
    """The record names the check; a later call repeats it without building."""
    program, item = broken(built[0].program, built[0].item, which)
    checked = prepare(item, program, tmp_path / "i", "clang")
    assert not checked.ok
    assert not checked.checks[which]
    assert which in checked.reason
    assert prepare(item, program, tmp_path / "i", "/nonexistent/clang") == checked


def test_another_function_or_class_is_not_the_planted_one(
    built: tuple[Built, ...], tmp_path: Path
) -> None:
    """A reference that fires elsewhere than it says does not qualify."""
    one = built[0]
    for oracle in (
        Oracle("sanitizer", ("double-free",), one.program.functions),
        Oracle("sanitizer", one.program.classes, ("main2",)),
    ):
        item = dataclasses.replace(one.item, oracle=oracle)
        checked = prepare(
            item, one.program, tmp_path / oracle.classes[0] / oracle.functions[0], "clang"
        )
        assert not checked.checks["reference_solves"]


@pytest.mark.parametrize("compiler", ["/nonexistent/clang", "false"])
def test_a_compiler_that_does_not_work_leaves_no_folder(
    built: tuple[Built, ...], tmp_path: Path, compiler: str
) -> None:
    """Unavailable names it; nothing is left that looks finished."""
    one = built[0]
    with pytest.raises(Unavailable, match=compiler):
        prepare(one.item, one.program, tmp_path / "i", compiler)
    assert list(tmp_path.iterdir()) == []


def test_a_judge_without_boxes_is_unavailable(built: tuple[Built, ...], tmp_path: Path) -> None:
    """An item is never called unqualified because the host could not check it."""
    one = built[0]
    run = dataclasses.replace(one.item.run, binds=(Bound("/nonexistent/folder", "/extra"),))
    with pytest.raises(Unavailable, match="no sandbox to check item"):
        prepare(dataclasses.replace(one.item, run=run), one.program, tmp_path / "i", "clang")
    assert list(tmp_path.iterdir()) == []


def test_a_half_made_or_foreign_folder_is_made_anew(
    built: tuple[Built, ...], tmp_path: Path
) -> None:
    """A folder without a record, or of another item, is replaced whole."""
    one, other = built[0], built[1]
    folder = tmp_path / "i"
    shutil.copytree(other.folder, folder)
    assert SUITE.prepare(one.item, SEED, folder).ok
    assert tree(folder) == tree(one.folder)
    (folder / "checks.json").unlink()
    (folder / "vulnerable" / "program").unlink()
    assert SUITE.prepare(one.item, SEED, folder).ok
    assert tree(folder) == tree(one.folder)


@pytest.mark.parametrize("text", ["{}", "{", "[]"])
def test_a_spoilt_record_is_named_and_not_believed(
    built: tuple[Built, ...], tmp_path: Path, text: str
) -> None:
    """Records appear whole, so a spoilt one was changed by someone; the cure is in the message."""
    folder = tmp_path / "i"
    shutil.copytree(built[0].folder, folder)
    (folder / "checks.json").write_text(text, encoding="utf-8")
    with pytest.raises(Invalid, match="remove the folder"):
        SUITE.prepare(built[0].item, SEED, folder)


def test_a_strict_umask_does_not_shut_the_box_out(built: tuple[Built, ...], tmp_path: Path) -> None:
    """What was built under umask 077 is read by a box that has a user of its own."""
    one = built[0]
    before = os.umask(0o077)
    try:
        checked = SUITE.prepare(one.item, SEED, tmp_path / "i")
    finally:
        os.umask(before)
    assert checked.ok
    assert asyncio.run(judge(one.item, tmp_path / "i", one.program.proof)).outcome == "solved"


def test_many_may_prepare_one_item_at_once(built: tuple[Built, ...], tmp_path: Path) -> None:
    """Each gets a good record and the folder is one of theirs, whole."""
    one = built[0]
    folder = tmp_path / "i"

    def work(_: int) -> Qualification:
        return Planted().prepare(one.item, SEED, folder)

    with ThreadPoolExecutor(3) as pool:
        assert all(checked.ok for checked in pool.map(work, range(3)))
    assert tree(folder) == tree(one.folder)
    assert [path.name for path in tmp_path.iterdir()] == ["i"]
