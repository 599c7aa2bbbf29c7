"""From a reported finding to a repair that people sent: replayed on record, drafted, read, moved on."""

import hashlib
import json
import shutil
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

import leadline
import make
from desk_terminal import Terminal
from identity.people import house
from leadline.cli.main import app
from leadline.wiring.home import clock
from reporting import as_bytes

pytestmark = pytest.mark.sandbox
PROJECT = Path(leadline.__file__).parents[2] / "docs" / "tutorial" / "project"
PEOPLE = (
    ("finder", "a-finder", "finder", ()),
    ("screener", make.PROGRAMME, "coordinator", ("intake",)),
    ("stranger", "a-project", "maintainer", ()),
)


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Terminal]:
    """An installation with a finder and a coordinator, and the tutorial's repository."""
    subprocess.run(
        ["/bin/sh", str(PROJECT / "make-repository.sh"), str(tmp_path / "shelf")], check=True
    )
    shutil.copytree(PROJECT / "report", tmp_path / "report")
    with house(tmp_path / "home") as made:
        made.clock.now = clock()
        until = made.clock.now + timedelta(days=50)
        for id_, org, role, cases in PEOPLE:
            made.enrol(
                id_,
                role,
                org=org,
                engagements=frozenset(),
                cases=frozenset(cases),
                access_until=until,
            )
        yield Terminal(made, tmp_path, app)


def submitted(at: Terminal) -> str:
    """The tutorial's finding, handed in with its bundle; answers its id."""
    folder = at.folder / "report"
    beside = [
        {
            "name": path.name,
            "file": path.name,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        }
        for path in sorted(folder.iterdir())
        if path.name != "proof.shelf"
    ]
    report = folder / "report.json"
    report.write_bytes(
        as_bytes(
            component="pkg:generic/shelf@1.1.0",
            reproducer={"file": "proof.shelf"},
            attachments=beside,
        )
    )
    page = json.loads(at.ok("finder", "finding", "submit", str(report), "--json"))
    report.unlink()
    id_: str = page["receipts"][0]["finding"]
    return id_


def work(at: Terminal) -> list[str]:
    """Where the repository and finished builds are."""
    return ["--repo", str(at.folder / "shelf"), "--cache", str(at.folder / "cache")]


def test_from_a_finding_to_applied(at: Terminal) -> None:
    """Each step by whoever may take it, and the board beside it."""
    finding = submitted(at)
    bundle = str(at.folder / "report")
    told = at.ok("screener", "replay", bundle, *work(at), "--finding", finding)
    assert "confirmed: 5 of 5 runs showed stack-buffer-overflow in read_label" in told
    told = at.ok("screener", "replay", bundle, *work(at), "--finding", finding, "--fixed", "v1.0.0")
    assert "confirmed, fix effective" in told
    words = ["--title", "a label", "--disclosure", "leadline-default"]
    case = at.ok("screener", "case", "open", finding, *words).split()[-1]
    page = json.loads(at.ok("screener", "fix", "board", case, "--json"))
    assert (page["counts"]["reproduced"], page["counts"]["patched"]) == (1, 0)

    drafted = at.run(
        "screener", "fix", "propose", finding, "--subject", "baseline", *work(at), "--json"
    )
    assert drafted.exit_code == 0, drafted.output
    told_of = json.loads(drafted.stdout)
    assert told_of["candidate"], told_of
    assert told_of["variants"]["tried"] >= 20
    assert told_of["variants"]["silent"] == told_of["variants"]["tried"]
    assert told_of["verdict"] == "confirmed, fix effective"
    assert told_of["tests"] == {"before": True, "after": True}
    fix = told_of["fix"]

    patch = at.folder / "shelf.patch"
    shown = at.ok("screener", "fix", "show", fix, "--patch", str(patch))
    assert "written by a tool without a model" in shown
    assert "a person has to read it" in patch.read_text()
    git = ["/usr/bin/git", "apply", "--check", str(patch)]
    subprocess.run(git, cwd=at.folder / "shelf", check=True)
    assert at.run("screener", "fix", "show", fix, "--patch", str(patch)).exit_code == 2

    assert fix_moves_on(at, finding, fix, case)


def fix_moves_on(at: Terminal, finding: str, fix: str, case: str) -> bool:
    """A second is refused, people move the first on, and the board follows."""
    second = at.run("screener", "fix", "propose", finding, "--subject", "baseline", *work(at))
    assert second.exit_code == 5
    assert "--supersedes" in second.output
    for to, where in (
        ("sent", "security@shelf.example.org"),
        ("merged", "c0ffee"),
        ("released", "1.2.0"),
    ):
        at.ok("screener", "fix", "move", fix, to, "--where", where)
    assert at.run("screener", "fix", "move", fix, "sent", "--where", "again").exit_code == 5
    at.ok("screener", "fix", "move", fix, "applied", "--where", "a notice, answered")
    board = at.folder / "board.html"
    lines = at.ok("screener", "fix", "board", case, "--page", str(board)).splitlines()
    assert lines[0].endswith("merged 1  released 1  applied 1")
    assert "From report to applied" in board.read_text()
    assert "0 pairs" in at.ok("screener", "fix", "cross", case, *work(at))
    listed = at.ok("screener", "fix", "list", case)
    assert fix in listed
    page = json.loads(at.ok("screener", "fix", "list", case, "--json"))
    assert [one["state"] for one in page["fixes"][0]["moves"]][-1] == "applied"
    assert json.loads(at.ok("screener", "fix", "show", fix, "--json"))["base"]
    assert at.run("stranger", "fix", "board", case).exit_code == 3
    return at.run("stranger", "fix", "show", fix).exit_code in {3, 4}


def test_a_person_s_word_in_place_of_a_run(at: Terminal) -> None:
    """Entered as that; without a folder and without a word nothing is asked."""
    finding = submitted(at)
    at.ok("screener", "replay", "--finding", finding, "--seen", "the two pages differ")
    state = json.loads(at.ok("screener", "finding", "show", finding, "--json"))
    assert "confirmed" in json.dumps(state)
    assert at.run("screener", "replay", "--finding", finding).exit_code == 2
    assert at.run("stranger", "replay", "--finding", finding, "--seen", "x").exit_code in {3, 4}


def test_a_draft_that_falls_short_says_so(at: Terminal) -> None:
    """A repository whose tests do not run gives no candidate, with the reason; a proof that is silent none."""
    finding = submitted(at)
    text = (at.folder / "report" / "leadline-replay.toml").read_text()
    untested = at.folder / "untested"
    shutil.copytree(at.folder / "report", untested)
    (untested / "leadline-replay.toml").write_text(text.replace('["make", "check"]', '["false"]'))
    done = at.run(
        "screener",
        *("fix", "propose", finding, "--subject", "baseline", "--bundle", str(untested)),
        *work(at),
    )
    assert done.exit_code == 0, done.output
    assert "no candidate" in done.stdout
    assert "do not succeed without the patch" in done.stdout
    done = at.run(
        "screener",
        *("fix", "propose", finding, "--subject", "baseline", "--commit", "v1.0.0", *work(at)),
    )
    assert "nothing was drafted: 0 of 5 runs showed it" in done.stdout
