"""Drafted repairs on a real project: the right one, and every way to look right without being it."""

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from inspect_ai.agent import Agent, AgentState, agent
from inspect_ai.util import sandbox

import leadline
from leadline.app.checking import read_bundle
from leadline.core.assessment import Budget, Subject
from leadline.core.clearing.fix import Drafted
from leadline.core.clearing.replaying import Bundle, Oracle, OracleKind, Repair
from leadline.runner.fixing import HostWorkshop, decode_patch
from leadline.runner.replay.build import Builder
from leadline.runner.replay.lab import HostLab
from leadline.runner.replay.source import Repository
from leadline.runner.subject import Runnable

pytestmark = pytest.mark.sandbox
PROJECT = Path(leadline.__file__).parents[2] / "docs" / "tutorial" / "project"
SOURCE = (PROJECT / "shelf" / "src" / "shelf.c").read_text()
COPY = "    memcpy(text, data, length);\n    while (length > 0"
ROOM = "    if (length > LABEL_MAX)\n        return -1;\n"


@agent(name="scripted")
def scripted(files: Mapping[str, str]) -> Agent:
    """Hands in the files that it was made with, by their paths in the project."""

    async def execute(state: AgentState) -> AgentState:
        for path, text in files.items():
            await sandbox().write_file(f"/box/patched/src/{path}", text)
        return state

    return execute


def subject(files: Mapping[str, str]) -> Runnable:
    """A subject that writes these files."""
    of = Subject("tool-agent", "scripted", "d" * 64)
    return Runnable(of, None, lambda _: scripted(files), Budget(0, 0, 0, 0), 1)


@dataclass(frozen=True)
class Desk:
    """The tutorial's project and report."""

    bundle: Bundle
    lab: HostLab

    def draft(self, files: Mapping[str, str], **changed: object) -> Drafted:
        """What comes of a subject that writes *files*."""
        bundle = replace(self.bundle, **changed)  # type: ignore[arg-type]
        said: list[str] = []
        return HostWorkshop(self.lab, subject(files), "tool", said.append).draft(bundle)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """The tutorial's repository, its builds kept over the tests of this file."""
    place = tmp_path_factory.mktemp("fixing")
    subprocess.run(
        ["/bin/sh", str(PROJECT / "make-repository.sh"), str(place / "shelf")], check=True
    )
    shutil.copytree(PROJECT / "report", place / "report")
    lab = HostLab(Repository(place / "shelf"), Builder(place / "cache"), lambda _: None)
    return Desk(read_bundle(place / "report"), lab)


def changed(old: str, new: str) -> dict[str, str]:
    """The program with one passage changed."""
    assert old in SOURCE
    return {"src/shelf.c": SOURCE.replace(old, new)}


def test_a_repair_that_holds(desk: Desk) -> None:
    """A candidate, and its difference applies to the commit."""
    done = desk.draft(changed(COPY, ROOM + COPY))
    assert done.shortfalls() == ()
    assert done.touches == ("src/shelf.c",)
    assert b"+    if (length > LABEL_MAX)" in done.patch
    repository = desk.lab.repository.folder
    subprocess.run(
        ["/usr/bin/git", "apply", "--check"], cwd=repository, input=done.patch, check=True
    )


def test_a_repair_for_this_one_file_alone(desk: Desk) -> None:
    """Silent on the proof, loud on what the subject never saw."""
    exact = "    if (length == 57)\n        return -1;\n"
    (why,) = desk.draft(changed(COPY, exact + COPY)).shortfalls()
    assert "masked" in why


def test_a_repair_that_takes_the_feature_away(desk: Desk) -> None:
    """No label is read any more: what is ordinary is answered otherwise."""
    (why,) = desk.draft(changed(COPY, "    return 0;\n" + COPY)).shortfalls()
    assert "fixed_breaks_function" in why


def test_a_repair_that_breaks_what_only_the_project_tests(desk: Desk) -> None:
    """The samples hold, the project's own tests do not."""
    narrow = changed("length - 2 > SHELF_NAME_MAX", "length - 2 > SHELF_NAME_MAX - 1")
    both = {"src/shelf.c": narrow["src/shelf.c"].replace(COPY, ROOM + COPY)}
    repair = desk.bundle.repair
    assert repair is not None
    fewer = replace(repair, samples=("plain.shelf", "ordinary.shelf"))
    done = desk.draft(both, repair=fewer)
    assert done.outcome == "fixed"
    assert done.shortfalls() == ("the project's own tests do not succeed with the patch",)


def test_a_name_of_the_interface_that_vanishes(desk: Desk) -> None:
    """Refused by the judge, which sees the object's names."""
    hidden = SOURCE.replace(COPY, ROOM + COPY).replace(
        "unsigned long shelf_total(", "static unsigned long total_of("
    )
    more = hidden + "\n#define shelf_total total_of\n"
    done = desk.draft({"src/shelf.c": more})
    assert done.shortfalls()


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "no repair was handed in"),
        ({"src/shelf.c": "no C at all"}, "does_not_build"),
        ({"src/main.c": "int main(void) { return 0; }\n"}, "may not be changed"),
        (changed("#include <stdlib.h>", "#include <stdlib.h>\n#pragma GCC optimize 0"), "refused"),
    ],
)
def test_what_is_no_repair(desk: Desk, files: Mapping[str, str], words: str) -> None:
    """Nothing, what does not build, other files than may change, and silencing."""
    assert words in " ".join(desk.draft(files).shortfalls())


@pytest.mark.parametrize(
    ("changed_to", "words"),
    [
        ({"repair": None}, "says nothing under [repair]"),
        ({"oracle": Oracle(OracleKind.SIGNAL)}, "AddressSanitizer reports"),
        ({"stdin": True}, "read one file"),
        ({"repair": Repair(("src/test_a.c",), ("src/test_a.c",), (), ())}, "belongs to the tests"),
        ({"repair": Repair(("src/absent.c",), ("src/absent.c",), (), ())}, "no file of the tree"),
        (
            {"repair": Repair(("src/main.c",), ("src/main.c",), (), ())},
            "do not compile by themselves",
        ),
        (
            {"repair": Repair(("src/shelf.c", "src/main.c"), ("src/shelf.c",), (), ())},
            "ordinary input",
        ),
    ],
)
def test_what_no_subject_is_asked(desk: Desk, changed_to: dict[str, object], words: str) -> None:
    """The reason is said before anything is drafted."""
    (why,) = desk.draft({}, **changed_to).shortfalls()
    assert words in why


def test_a_score_that_holds_no_patch() -> None:
    """Is nothing handed in."""
    assert decode_patch("") == decode_patch("e30=") == {}
