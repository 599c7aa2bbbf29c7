"""A maintainer checks a report: four answers, evidence, and nothing left behind."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import leadline
from leadline.cli.main import app

pytestmark = pytest.mark.sandbox
PROJECT = Path(leadline.__file__).parents[2] / "docs" / "tutorial" / "project"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tutorial's repository, and where builds are kept."""
    folder = tmp_path_factory.mktemp("shelf")
    subprocess.run(
        ["/bin/sh", str(PROJECT / "make-repository.sh"), str(folder / "shelf")], check=True
    )
    return folder


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """The tutorial's report, to be written beside."""
    return Path(shutil.copytree(PROJECT / "report", tmp_path / "report"))


def replay(place: Path, bundle: Path, *more: str) -> Result:
    """The command, on the tutorial's repository."""
    words = ["--repo", str(place / "shelf"), "--cache", str(place / "cache")]
    return CliRunner().invoke(app, ["replay", str(bundle), *words, *more])


def told(done: Result) -> dict[str, object]:
    """The one JSON document on standard output."""
    assert done.exit_code == 0, done.output
    document: dict[str, object] = json.loads(done.stdout)
    return document


def test_the_four_answers(place: Path, bundle: Path) -> None:
    """As the contract with the outside has them; progress goes to standard error."""
    began = time.monotonic()
    document = told(replay(place, bundle, "--json"))
    assert document["reproduces"] == {"head": True, "release": True}
    assert (document["in_scope"], document["known"]) == (True, None)
    assert document["evidence"] == str(bundle / "evidence")
    assert document["release"] == "v1.1.0"
    assert time.monotonic() - began < 60
    record = json.loads((bundle / "evidence" / "replay.json").read_text())
    assert record["signature"][:2] == ["stack-buffer-overflow", "read_label"]
    assert len(record["runs"]["head"]["runs"]) == 5
    assert re.fullmatch(r"read_label at src/shelf\.c:\d+", str(document["where"]))
    report = (bundle / "evidence" / "report.txt").read_text()
    assert re.search(r"in read_label /target/src/shelf\.c:\d+", report)


def test_an_older_release_without_the_flaw(place: Path, bundle: Path) -> None:
    """Named on the command line, before what the bundle names."""
    document = told(replay(place, bundle, "--json", "--release", "v1.0.0"))
    assert document["reproduces"] == {"head": True, "release": False}
    document = told(replay(place, bundle, "--json", "--release", "v9"))
    assert document["reproduces"] == {"head": True, "release": None}
    reasons = document["reasons"]
    assert isinstance(reasons, dict)
    assert "names no commit" in reasons["release"]


def test_words_for_a_person(place: Path, bundle: Path, tmp_path: Path) -> None:
    """A line for each question; the same for a page of a CI system."""
    page = tmp_path / "page.md"
    done = replay(place, bundle, "--summary", str(page))
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert [line.split(":")[0].split()[0] for line in lines] == [
        "On",
        "On",
        "In",
        "Already",
        "Where",
        "Evidence",
    ]
    assert "5 of 5 runs showed stack-buffer-overflow in read_label" in lines[0]
    assert lines[0] in page.read_text()


def test_what_is_known_already(place: Path, bundle: Path, tmp_path: Path) -> None:
    """The same bytes are; what crashes alike may be; another is not; its own evidence does not count."""
    earlier = tmp_path / "earlier"
    shutil.copytree(bundle, earlier / "one")
    assert told(replay(place, bundle, "--json", "--known", str(earlier)))["known"] is True
    assert told(replay(place, bundle, "--json", "--known", str(bundle)))["known"] is None
    changed = bundle / "proof.shelf"
    changed.write_bytes(changed.read_bytes().replace(b"workshop", b"basement"))
    description = bundle / "leadline-replay.toml"
    description.write_text(description.read_text().replace('cwe = "CWE-121"\n', ""))
    assert told(replay(place, bundle, "--json", "--known", str(earlier)))["known"] is False
    told(replay(place, earlier / "one", "--json"))
    document = told(replay(place, bundle, "--json", "--known", str(earlier)))
    reasons = document["reasons"]
    assert isinstance(reasons, dict)
    assert document["known"] is None
    assert "a person decides" in reasons["known"]


def test_what_is_out_of_scope(place: Path, bundle: Path) -> None:
    """By the project's own file; a bundle that names no file is not guessed about."""
    description = bundle / "leadline-replay.toml"
    text = description.read_text()
    description.write_text(text.replace('["src/shelf.c"]\nseeds', '["tests/run.sh"]\nseeds'))
    assert told(replay(place, bundle, "--json"))["in_scope"] is False
    description.write_text(text.replace('paths = ["src/shelf.c"]\n', ""))
    assert told(replay(place, bundle, "--json"))["in_scope"] is None


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["ABSENT", "--repo", "."], 4),
        (["BUNDLE", "--repo", "ABSENT"], 4),
        (["BUNDLE", "--repo", "BUNDLE"], 4),
        (["BUNDLE", "--repo", "SHELF", "--known", "ABSENT"], 4),
        (["BUNDLE", "--repo", "SHELF", "--commit", "-x"], 2),
        (["BUNDLE", "--repo", "SHELF", "--commit", "v9"], 4),
        (["BUNDLE", "--repo", "SHELF", "--tier", "another"], 2),
    ],
)
def test_what_cannot_be_asked(place: Path, bundle: Path, words: list[str], code: int) -> None:
    """One line, and the exit code of its kind."""
    named = {
        "BUNDLE": str(bundle),
        "SHELF": str(place / "shelf"),
        "ABSENT": str(bundle / "absent"),
    }
    argv = [named.get(word, word) for word in words]
    done = CliRunner().invoke(app, ["replay", *argv, "--cache", str(place / "cache")])
    assert done.exit_code == code, done.output
    assert len(done.stderr.splitlines()) == 1


def test_a_stranger_s_folder_leads_nowhere(place: Path, bundle: Path, tmp_path: Path) -> None:
    """No link in a bundle is followed, neither to read nor to write."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (bundle / "evidence").symlink_to(outside)
    assert replay(place, bundle).exit_code == 2
    assert list(outside.iterdir()) == []
    (bundle / "evidence").unlink()
    (bundle / "evidence").mkdir()
    (outside / "file").write_text("mine")
    (bundle / "evidence" / "replay.json").symlink_to(outside / "file")
    assert replay(place, bundle).exit_code == 0
    assert (outside / "file").read_text() == "mine"
    (bundle / "more").symlink_to("/etc/passwd")
    assert replay(place, bundle).exit_code == 2


def test_an_interruption_leaves_nothing_behind(place: Path, bundle: Path, tmp_path: Path) -> None:
    """Ctrl-C ends boxes and builds, and takes scratch folders away; the repository is as it was."""
    description = bundle / "leadline-replay.toml"
    build = '[build]\nwith = "command"\n[[build.steps]]\nargv = ["sleep", "300"]\n[run]'
    text = re.sub(r"\[build\].*?\[run\]", build, description.read_text(), flags=re.DOTALL)
    description.write_text(text)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    argv = [sys.executable, "-m", "leadline", "replay", str(bundle), "--repo", str(place / "shelf")]
    process = subprocess.Popen(
        [*argv, "--cache", str(tmp_path / "cache")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={"PATH": "/usr/bin:/bin", "TMPDIR": str(scratch), "HOME": str(tmp_path)},
        start_new_session=True,
    )
    assert process.stderr is not None
    assert b"building" in process.stderr.readline()
    deadline = time.monotonic() + 60
    while not boxes_of(process.pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    running = boxes_of(process.pid)
    assert running
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode != 0
    deadline = time.monotonic() + 10
    while any(map(alive, running)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not [pid for pid in running if alive(pid)]
    assert list(scratch.iterdir()) == []
    status = subprocess.run(
        ["/usr/bin/git", "status", "--porcelain"],
        cwd=place / "shelf",
        capture_output=True,
        check=True,
    )
    assert status.stdout == b""


def boxes_of(parent: int) -> list[int]:
    """The boxes that a process has started."""
    path = Path(f"/proc/{parent}/task/{parent}/children")
    return [int(pid) for pid in path.read_text().split()] if path.exists() else []


def alive(pid: int) -> bool:
    """Whether a process still runs; one that only waits to be counted by its parent does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
