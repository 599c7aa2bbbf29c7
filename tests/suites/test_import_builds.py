"""Claims about imported challenge folders: three forms of building, one oracle."""

import asyncio
import json
import shutil
from pathlib import Path

import pytest

from imported_world import SOURCES, reason, suite, take, told
from leadline.core.errors import Invalid, NotFound, Unavailable
from leadline.core.isolation import Tier
from leadline.core.qualification import Extent
from leadline.suites.differential import judge
from leadline.suites.imported import compile as building
from leadline.suites.imported.collection import Manifest
from leadline.suites.item import Item

pytestmark = [
    pytest.mark.sandbox,
    pytest.mark.skipif(
        not (shutil.which("cmake") and shutil.which("ninja")), reason="needs cmake and ninja"
    ),
]


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the collections of this module are imported to."""
    return tmp_path_factory.mktemp("built")


@pytest.fixture(scope="module")
def challenges(out: Path) -> Manifest:
    """Challenge folders without a build of the collection's own, imported."""
    return take("challenges", SOURCES / "challenges", out)


@pytest.fixture(scope="module")
def collection(out: Path) -> Manifest:
    """A collection with a build of its own, imported."""
    return take("challenges", SOURCES / "collection", out, name="collection")


def item(manifest: Manifest, out: Path, id_: str) -> tuple[Item, Path]:
    """The item of the challenge *id_*, and its folder."""
    held = suite(out, manifest.name)
    entry = next(one for one in manifest.items if one.id == id_)
    found = held.item(entry)
    return found, held.place(found)


def test_each_challenge_has_its_outcome(challenges: Manifest) -> None:
    """A bare folder and a project qualify; no proof, no difference, no build and no form are told."""
    assert told(challenges) == {
        "Mirror": "",
        "Records": "",
        "Sturdy": "reference_solution",
        "NoProof": "reference_solution",
        "Broken": "build",
        "Pair": "skipped",
        "Noise": "skipped",
    }
    assert "use of undeclared identifier" in reason(challenges, "Broken")
    assert "no reference solution in the source" in reason(challenges, "NoProof")
    assert "2 programs that talk to each other" in reason(challenges, "Pair")
    assert challenges.licence == "Apache-2.0"


def test_the_proof_fires_on_the_flawed_build_alone(challenges: Manifest, out: Path) -> None:
    """Exit codes are ignored: both builds of both items end with 1 on every input."""
    for id_, way in (("Mirror", "< /box/input"), ("Records", "/box/input < /dev/null")):
        found, folder = item(challenges, out, id_)
        assert way in found.run.argv[-1]
        proof = (folder / "reference" / "proof").read_bytes()
        verdict = asyncio.run(judge(found, folder, proof))
        assert (verdict.outcome, verdict.fixed.fired) == ("solved", False)
        assert asyncio.run(judge(found, folder, b"level\n")).outcome == "not_solved"


def test_a_bare_folder_is_built_with_the_sanitizer(challenges: Manifest, out: Path) -> None:
    """A flaw that no signal shows is shown by AddressSanitizer, and the record says which it was."""
    found, folder = item(challenges, out, "Records")
    proof = (folder / "reference" / "proof").read_bytes()
    verdict = asyncio.run(judge(found, folder, proof))
    assert verdict.vulnerable.kind == "heap-buffer-overflow"
    assert json.loads((folder / "checks.json").read_text())["note"].startswith("AddressSanitizer")


def test_the_subject_sees_the_flaw_and_not_the_repair(challenges: Manifest, out: Path) -> None:
    """The source is shown without the repair, the proofs, the polls and the author's notes."""
    _, folder = item(challenges, out, "Mirror")
    shown = folder / "subject"
    names = {str(path.relative_to(shown)) for path in shown.rglob("*") if path.is_file()}
    assert names == {"README.md", "task.json", "src/service.c", "lib/line.c", "lib/line.h"}
    source = (shown / "src/service.c").read_text()
    assert "read_line(text, 192)" in source
    assert "PATCHED" not in source
    assert "sizeof text" not in source
    polls = [path.read_bytes() for path in (folder / "reference/held_out").iterdir()]
    assert polls == [b"level\nlevels\n"]


def test_a_collection_builds_as_it_does_by_itself(collection: Manifest, out: Path) -> None:
    """The collection's own build makes both programs; its own list of exclusions is kept."""
    assert told(collection) == {"Greeter": "", "Elsewhere": "skipped"}
    found, folder = item(collection, out, "Greeter")
    proof = (folder / "reference" / "proof").read_bytes()
    assert proof == b"B" * 511 + b"\n"  # what the proof, a program, sent
    verdict = asyncio.run(judge(found, folder, proof))
    assert (verdict.outcome, verdict.vulnerable.kind) == ("solved", "SIGSEGV")


def test_the_folder_of_challenges_may_be_named_itself(out: Path) -> None:
    """Naming ``challenges`` instead of the folder above finds the collection's build there."""
    manifest = take("challenges", SOURCES / "collection" / "challenges", out, name="inner")
    assert told(manifest)["Greeter"] == ""


def test_a_challenge_is_asked_as_a_sample(challenges: Manifest, out: Path) -> None:
    """A build is judged by the differential judge, and its sample is that of every such item."""
    held = suite(out, "challenges")
    found, folder = item(challenges, out, "Mirror")
    sample = held.sample(found, folder, Tier.SHARED_KERNEL)
    assert sample.id == found.id
    assert "Find an input" in str(sample.input)


def test_a_link_out_of_a_challenge_is_damage(tmp_path: Path) -> None:
    """A challenge with a link to the host's files is refused by name and costs no other."""
    for name in ("Sturdy", "NoProof"):
        shutil.copytree(SOURCES / "challenges" / name, tmp_path / "source" / name)
    (tmp_path / "source/Sturdy/src/passwd.h").symlink_to("/etc/passwd")
    manifest = take("challenges", tmp_path / "source", tmp_path)
    assert told(manifest) == {"Sturdy": "files", "NoProof": "reference_solution"}
    assert "leads outside the collection by a link" in reason(manifest, "Sturdy")


def test_a_program_that_cannot_bear_the_sanitizer_is_built_without(tmp_path: Path) -> None:
    """Where AddressSanitizer ends a program without any input, signals alone decide."""
    folder = tmp_path / "source" / "Early"
    (folder / "src").mkdir(parents=True)
    (folder / "pov_1").mkdir()
    (folder / "src/main.c").write_text(
        "#include <stdio.h>\n#include <stdlib.h>\n"
        "int main(void) {\n"
        "  volatile char *early = malloc(8);\n"
        "  early[9] = 1; /* harmless without a sanitizer, on every input */\n"
        "  volatile char deep[8]; volatile int at = 0; int c;\n"
        "#ifdef PATCHED\n  while ((c = getchar()) != EOF && at < 8) deep[at++] = c;\n"
        "#else\n  while ((c = getchar()) != EOF) deep[at++] = c;\n#endif\n"
        "  return 0;\n}\n"
    )
    (folder / "pov_1/pov").write_bytes(b"A" * 400)
    manifest = take("challenges", tmp_path / "source", tmp_path)
    assert told(manifest) == {"Early": ""}
    (entry,) = manifest.items
    checks = tmp_path / "challenges/items" / entry.item / "checks.json"
    assert json.loads(checks.read_text())["note"].startswith("signals alone; 1 proofs: pov_1/pov")


def test_a_common_part_that_does_not_build_costs_the_import(tmp_path: Path) -> None:
    """Without the common libraries no challenge can be built, which is said once."""
    shutil.copytree(SOURCES / "collection", tmp_path / "source")
    (tmp_path / "source/include/own.c").write_text("no C\n")
    with pytest.raises(Invalid, match=r"common part of .* does not build"):
        take("challenges", tmp_path / "source", tmp_path)


def test_missing_tools_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without cmake there is no import of challenges, and the cure is named."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable, match="cmake, ninja, clang, tar not installed"):
        building.check_tools()


def test_an_absent_folder_is_not_found(tmp_path: Path) -> None:
    """A folder that is not there is said so."""
    with pytest.raises(NotFound):
        take("challenges", tmp_path / "absent", tmp_path)


def test_proofs_that_are_no_fixed_input_are_named(tmp_path: Path) -> None:
    """A replay's writes are an input; one that depends on what it reads is left out with why."""
    folder = tmp_path / "source" / "Mirror"
    shutil.copytree(SOURCES / "challenges" / "Mirror", folder)
    (folder / "pov_1/pov.bin").unlink()
    whole = "<pov><cbid>x</cbid><replay><write>{}</write></replay></pov>"
    (folder / "pov_1/a.xml").write_text(whole.format("<var>TYPE1_IP</var>"))
    (folder / "pov_1/b.xml").write_text("<html/>")
    (folder / "pov_1/c.xml").write_text(whole.format(f"<data>{'A' * 300}\\n</data>"))
    with (folder / "pov_1/d").open("wb") as large:
        large.truncate(2 << 20)
    (folder / "src/mixed.c").write_text("#if defined(PATCHED) && A\nint a;\n#endif\n")
    (folder / "src/open.h").write_text("#ifdef B\n")
    manifest = take("challenges", tmp_path / "source", tmp_path)
    assert told(manifest) == {"Mirror": ""}
    place = tmp_path / "challenges/items" / manifest.items[0].item
    note = json.loads((place / "checks.json").read_text())["note"]
    assert "1 proofs: pov_1/c.xml; left out: pov_1/a.xml: writes a var" in note
    assert "pov_1/b.xml: no replay; pov_1/d: too large" in note
    shown = {path.name for path in (place / "subject/src").iterdir()}
    assert shown == {"service.c"}
    brief = " ".join((place / "subject/README.md").read_text().split())
    assert "less 2 files that tell the repair" in brief


def test_a_folder_without_src_and_a_long_build_are_told(tmp_path: Path) -> None:
    """Each is named; a build that makes several programs does not say which is meant."""
    root = tmp_path / "source" / "challenges"
    (root / "Empty" / "lib").mkdir(parents=True)
    (root / "Several" / "src").mkdir(parents=True)
    (root / "Several" / "src" / "main.c").write_text("int main(void) { return 0; }\n")
    (root / "Several" / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.13)\nproject(several C)\n"
        "add_executable(one src/main.c)\nadd_executable(two src/main.c)\n"
    )
    (root / "No Name").mkdir()
    (root / "No Name" / "src").mkdir()
    manifest = take("challenges", tmp_path / "source", tmp_path)
    assert told(manifest) == {"Empty": "files", "Several": "build", "No Name": "build"}
    assert "made 2 programs (one, two)" in reason(manifest, "Several")
    assert "use letters, digits" in reason(manifest, "No Name")


def test_a_simple_overflow_qualifies_at_the_gates_full_extent(tmp_path: Path) -> None:
    """A program that any long line breaks is easy, and no answer without work solves it."""
    shutil.copytree(SOURCES / "challenges" / "Mirror", tmp_path / "source" / "Mirror")
    manifest = take("challenges", tmp_path / "source", tmp_path, extent=Extent(1, 10, 1))
    assert told(manifest) == {"Mirror": ""}, reason(manifest, "Mirror")
