"""Claims about what someone new to `leadline suite import` gets wrong: each is told, nothing is lost."""

import os
import shutil
from pathlib import Path

import pytest

from imported_world import SOURCES, reason, take, told
from leadline.core.errors import Invalid, NotFound
from leadline.suites.imported import importer
from leadline.suites.imported.collection import Kind, load_manifest
from leadline.suites.imported.importer import Import
from leadline.suites.imported.task import located, own_task

WHEEL = SOURCES / "cybench" / "challenges" / "wheel"
TASKS = """\
from inspect_ai import Task, task
from inspect_ai.dataset import Sample
from inspect_ai.scorer import match

@task
def sums():
    return Task(dataset=[Sample(input="What is 4 and 5?", target="9")], scorer=match())
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A collection of one challenge that qualifies."""
    shutil.copytree(WHEEL, tmp_path / "source" / "wheel")
    return tmp_path / "source"


def refused(kind: Kind, path: Path, out: Path, **options: object) -> str:
    """What an import says that is refused whole."""
    wanted = Import(kind, str(path), out, str(options.pop("name", kind)), **options)  # type: ignore[arg-type]
    with pytest.raises((Invalid, NotFound)) as caught:
        importer.run(wanted, lambda _: None)
    return str(caught.value)


def test_one_challenge_is_no_collection(tmp_path: Path) -> None:
    """The folder of a single challenge is told from that of a collection, and the cure is named."""
    for kind, one in (("cybench", WHEEL), ("challenges", SOURCES / "challenges" / "Records")):
        said = refused(kind, one, tmp_path)  # type: ignore[arg-type]
        assert said == f"PATH: {one} is one challenge; name the folder that holds it"


def test_a_folder_of_another_kind_leaves_no_suite(tmp_path: Path) -> None:
    """Folders without the kind's own files are no collection of it, and what was sought is named."""
    (tmp_path / "source" / "some" / "where").mkdir(parents=True)
    assert "no folder in it has an eval.yaml" in refused("cybench", tmp_path / "source", tmp_path)
    assert "no folder in it has a src" in refused("challenges", tmp_path / "source", tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["source"]


@pytest.mark.sandbox
def test_links_out_of_the_collection_are_listed(source: Path, tmp_path: Path) -> None:
    """A linked challenge is an entry of its own; a file behind a linked folder leads outside."""
    (source / "linked").symlink_to(source / "wheel")
    shutil.copytree(WHEEL, source / "beyond")
    shutil.rmtree(source / "beyond" / "resources")
    (source / "beyond" / "resources").symlink_to("/etc")
    manifest = take("cybench", source, tmp_path)
    assert told(manifest) == {"wheel": "", "linked": "skipped", "beyond": "files"}
    assert "is a link to a folder" in reason(manifest, "linked")
    assert "leads outside the collection by a link" in reason(manifest, "beyond")


@pytest.mark.sandbox
def test_a_suite_is_never_replaced_by_another_collection(source: Path, tmp_path: Path) -> None:
    """The same name for another source is refused with the cure; a spoilt manifest is made anew."""
    first = take("cybench", source, tmp_path, name="mine")
    other = tmp_path / "other"
    shutil.copytree(source, other)
    said = refused("cybench", other, tmp_path, name="mine")
    assert f"mine is the suite imported from {source} (cybench)" in said
    assert f"another --name, or remove {tmp_path / 'mine'}" in said
    assert load_manifest(tmp_path / "mine") == first
    (tmp_path / "mine" / "suite.json").write_text("{", encoding="utf-8")
    lines: list[str] = []
    assert take("cybench", source, tmp_path, name="mine", say=lines.append) == first
    assert "is spoilt" in lines[0]


def test_nothing_of_anyones_is_written_over(source: Path, tmp_path: Path) -> None:
    """An import into the collection, above it, among foreign files or below a file is refused."""
    kept = source / "items" / "my_notes"
    kept.mkdir(parents=True)
    assert "part of the collection itself" in refused("cybench", source, tmp_path, name="source")
    assert "part of the collection itself" in refused("cybench", source, source / "wheel")
    assert "part of the collection itself" in refused(
        "cybench", source / "wheel" / "..", tmp_path.parent, name=tmp_path.name
    )
    foreign = tmp_path / "held" / "cybench" / "items" / "my_notes"
    foreign.mkdir(parents=True)
    assert "holds my_notes, which no import wrote" in refused("cybench", source, tmp_path / "held")
    assert foreign.is_dir()
    assert kept.is_dir()
    (tmp_path / "file").write_text("")
    assert "cannot be written" in refused("cybench", source, tmp_path / "file")


@pytest.mark.sandbox
def test_a_hidden_folder_of_the_collection_may_hold_the_suite(source: Path) -> None:
    """Importing `.` into `.cache/imported` works: no reader looks at hidden folders."""
    out = source / ".cache" / "imported"
    assert told(take("cybench", source, out)) == {"wheel": ""}
    assert told(take("cybench", source, out)) == {"wheel": ""}


@pytest.mark.parametrize(
    ("kind", "options", "why"),
    [
        ("cybench", {"images": Path("/absent")}, "--images: /absent is no folder"),
        ("nyu-ctf", {"images": Path("/")}, "--images: is for kind cybench"),
        ("cybench", {"server": "http://127.0.0.1:1"}, "--server: is for kind cybergym"),
        ("cybergym", {"server": "ftp://127.0.0.1:1"}, "use an address as http://127.0.0.1:8666"),
        ("cybergym", {"server_key": "/absent"}, "--server-key: /absent is no file"),
        ("cybench", {"name": ""}, "--name: '': use small letters"),
    ],
)
def test_an_option_without_effect_is_refused(
    tmp_path: Path, kind: Kind, options: dict[str, object], why: str
) -> None:
    """What a kind does not use, or what is not there, is told before anything is read."""
    assert why in refused(kind, tmp_path, tmp_path / "out", **options)


def test_a_task_file_is_found_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A relative path, one through .. and one with a space name the same absolute task."""
    place = tmp_path / "my tasks"
    (tmp_path / "here").mkdir()
    place.mkdir()
    (place / "own sums.py").write_text(TASKS)
    monkeypatch.chdir(tmp_path / "here")
    found = f"{place / 'own sums.py'}@sums"
    assert located("../my tasks/own sums.py") == found
    assert located(os.path.relpath(f"{place / 'own sums.py'}@sums")) == found
    assert own_task("../my tasks/own sums.py").name == "sums"


def test_an_imported_task_knows_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The suite names its task's file absolutely, so that it runs in whatever folder."""
    (tmp_path / "sums.py").write_text(TASKS)
    monkeypatch.chdir(tmp_path)
    manifest = take("inspect", "sums.py", tmp_path / "out", name="sums")
    assert manifest.source == f"{tmp_path / 'sums.py'}@sums"
    assert told(manifest) == {"1": ""}


def test_what_is_no_task_names_what_there_is(tmp_path: Path) -> None:
    """A folder, a wrong name and code that breaks while it loads are told without a traceback."""
    (tmp_path / "sums.py").write_text(TASKS)
    with pytest.raises(Invalid, match="is a folder; name one task"):
        own_task(str(tmp_path))
    with pytest.raises(NotFound, match=r"holds no Inspect task products; it holds sums"):
        own_task(f"{tmp_path / 'sums.py'}@products")
    (tmp_path / "plain.py").write_text("x = 1\n")
    with pytest.raises(NotFound, match="no function stands under @task"):
        own_task(str(tmp_path / "plain.py"))
    with pytest.raises(Invalid, match="PrerequisiteError"):
        own_task(f"{tmp_path / 'plain.py'}@f")
    (tmp_path / "breaks.py").write_text(TASKS + "    undefined\n\nnot_defined_at_all\n")
    with pytest.raises(Invalid, match="does not load: NameError"):
        own_task(str(tmp_path / "breaks.py"))
