"""`leadline register` at the command line, with and without an installation."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from threading import Barrier, Thread

import pytest
from typer.testing import CliRunner, Result

import leadline
from desk_terminal import Terminal, terminal
from leadline.app import entries
from leadline.cli import register
from leadline.core.engagement.register import Entry
from leadline.core.errors import Stale
from leadline.core.record.act import Kind
from leadline.wiring.home import clock
from leadline.wiring.register import kinds

DEMONSTRATION = Path(leadline.__file__).parent / "data" / "demonstration" / "register.toml"
TASK = """
[[entry]]
id = "task"
kind = "ordered-task"
title = "Harden the systems"
authority = "an order"
scope = "all systems"
since = 2026-06-02
due = 2026-07-02
cites = "the order"
confidence = "P"
"""
CALL = """
[[entry]]
id = "call"
kind = "government-contact"
title = "A call"
authority = "an agency"
scope = "the framework"
since = 2026-08-04
confidence = "P"
"""


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Terminal]:
    """A terminal of an installation with a programme officer and a developer."""
    with terminal(tmp_path, register.app) as made:
        yield made


def run(*arguments: str) -> Result:
    """One command without an installation."""
    return CliRunner().invoke(register.app, list(arguments))


def test_an_officer_keeps_the_register(at: Terminal, tmp_path: Path) -> None:
    """Written, found overdue, proved, ended; a public reader's list stays empty throughout."""
    file, proof = tmp_path / "task.toml", tmp_path / "proof.txt"
    file.write_text(TASK)
    proof.write_text("the instruction")
    assert at.ok("officer", "write", str(file)) == "task: revision 1\n"
    assert "** overdue **" in at.ok("officer", "list", "--on", "2026-07-03")
    assert "0 entries" in at.ok("developer", "list")
    told = json.loads(at.ok("officer", "due", "--json"))
    assert [one["id"] for one in told["entries"]] == ["task"]
    at.ok("officer", "evidence", "task", str(proof), "--what", "as issued", "--done", "2026-07-01")
    assert "** " not in at.ok("officer", "list")
    assert json.loads(at.ok("officer", "due", "--json"))["entries"] == []
    digest = json.loads(at.ok("officer", "show", "task", "--json"))["evidence"][0]["digest"]
    copy = tmp_path / "copy.txt"
    at.ok("officer", "fetch", "task", digest, str(copy))
    assert copy.read_text() == "the instruction"
    assert at.run("officer", "fetch", "task", digest, str(copy)).exit_code == 2
    shown = at.ok("officer", "show", "task")
    assert "revision: 2" in shown
    day = (clock() + timedelta(days=1)).date().isoformat()
    assert day in at.ok("officer", "end", "task", "--day", day, "--why", "revoked")
    assert json.loads(at.ok("officer", "show", "task", "--json"))["ended"] == "revoked"


def test_a_developer_keeps_and_exports_its_own_log(at: Terminal, tmp_path: Path) -> None:
    """What it enters, it lists as JSON; the officer's lists do not have it."""
    file = tmp_path / "call.toml"
    file.write_text(CALL)
    assert at.ok("developer", "write", str(file), "--own") == "call: revision 1\n"
    told = json.loads(at.ok("developer", "list", "--own", "--json"))
    assert [one["title"] for one in told["entries"]] == ["A call"]
    for more in ((), ("--own",)):
        assert json.loads(at.ok("officer", "list", "--json", *more))["entries"] == []


def test_what_is_refused_says_why_and_changes_nothing(at: Terminal, tmp_path: Path) -> None:
    """Exit 2 for what cannot be, 3 for who may not, 4 for what is not there, 6 for a second writer."""
    file, two = tmp_path / "task.toml", tmp_path / "two.toml"
    file.write_text(TASK)
    two.write_text(TASK + CALL)
    at.ok("officer", "write", str(file))
    before = at.ok("officer", "list", "--json")
    for person, arguments, code in (
        ("developer", ("write", str(file)), 3),
        ("officer", ("write", str(file)), 6),
        ("officer", ("write", str(two), "--revision", "1"), 2),
        ("officer", ("write", str(tmp_path / "none.toml")), 4),
        ("officer", ("show", "nothing"), 4),
        ("officer", ("end", "task", "--day", "2026-02-30", "--why", "w"), 2),
        ("officer", ("evidence", "nothing", str(file), "--what", "w"), 4),
    ):
        assert at.run(person, *arguments).exit_code == code, arguments
    assert at.ok("officer", "list", "--json") == before


def test_anybody_reads_what_is_public(at: Terminal, tmp_path: Path) -> None:
    """Without being signed in, and nothing else."""
    file = tmp_path / "task.toml"
    public = TASK.replace("ordered-task", "supply-chain-designation").replace('"task"', '"shown"')
    file.write_text(TASK + public.replace("due = 2026-07-02\n", ""))
    at.ok("officer", "write", str(file))
    place = ("--home", str(at.house.folder), "--session", str(tmp_path / "none"))
    done = run("list", "--public", "--json", *place)
    assert [one["id"] for one in json.loads(done.output)["entries"]] == ["shown"]
    assert run("list", *place).exit_code == 4


def test_of_two_officers_at_once_one_is_told(at: Terminal) -> None:
    """Both begin at the same revision; the register has one new entry, and one of them reads again."""
    known = kinds()
    entry = Entry(
        "task", "ordered-task", "T", date(2026, 6, 2), "a", "s", due=date(2026, 7, 2), cites="c"
    )
    begin, told = Barrier(2), list[str]()

    def write(title: str) -> None:
        ctx = at.house.ctx("officer")
        begin.wait()
        try:
            entries.written(ctx, known, replace(entry, title=title))
            told.append(title)
        except Stale:
            told.append("stale")

    threads = [Thread(target=write, args=(title,)) for title in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kept = entries.kept(at.house.ctx("officer"), "task")
    assert sorted(told) == sorted([kept.entry.title, "stale"])
    assert at.house.kinds().count(Kind.ENTRY_WRITTEN) == 1


def test_the_demonstration_is_read_without_an_installation(tmp_path: Path) -> None:
    """The page has what stands out first, in words."""
    page = tmp_path / "register.html"
    done = run("list", "--file", str(DEMONSTRATION), "--on", "2026-10-01", "--page", str(page))
    assert done.exit_code == 0, done.output
    assert "** overdue, unproved **" in done.output
    text = page.read_text()
    assert text.index("overdue, unproved") < text.index("Supply-chain designation")
    assert "under injunction-2026-08-27 (a federal court)" in text
    again = run("list", "--file", str(DEMONSTRATION), "--on", "2026-07-01", "--json")
    assert json.loads(again.output)["on"] == "2026-07-01"


def test_files_that_cannot_be_are_refused(tmp_path: Path) -> None:
    """A day, a file too large to be one, and a page that cannot be written."""
    demo = str(DEMONSTRATION)
    nowhere = str(tmp_path / "no" / "page.html")
    assert run("list", "--file", demo, "--on", "2026-02-29").exit_code == 2
    assert run("list", "--file", demo, "--page", nowhere).exit_code == 2
    large = tmp_path / "large.toml"
    with large.open("wb") as out:
        out.truncate((16 << 20) + 1)
    assert "is larger than" in run("list", "--file", str(large)).output
    empty = tmp_path / "none.toml"
    empty.write_text('[[entry]]\nid = "x"\n')
    assert run("list", "--file", str(empty)).exit_code == 2


def test_kinds_are_listed_with_what_they_do() -> None:
    """For people and for programs."""
    assert "enjoins supply-chain-designation, waiver" in run("kinds").output
    told = json.loads(run("kinds", "--json").output)
    assert len(told["kinds"]) == 7
