"""Intake at the command line: a maintainer's terms, a finder's reports, a coordinator's answers."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import typer

import make
from desk_terminal import Terminal
from identity.people import house
from leadline.cli import contract, finding
from leadline.wiring.home import clock
from reporting import MINIMAL, as_bytes

PEOPLE = (
    ("finder", "a-finder", "finder", ()),
    ("screener", make.PROGRAMME, "coordinator", ("intake",)),
    ("maintainer", "a-project", "maintainer", ()),
)


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Terminal]:
    """An installation with a finder, a coordinator and a maintainer."""
    app = typer.Typer()
    app.add_typer(finding.app, name="finding")
    app.add_typer(contract.app, name="contract")
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


def written(at: Terminal, name: str, data: bytes) -> str:
    """A file, and where it is."""
    place = at.folder / name
    place.parent.mkdir(exist_ok=True)
    place.write_bytes(data)
    return str(place)


def report(at: Terminal, name: str = "r.json", proof: bytes = b"boom", **fields: object) -> str:
    """A report of bsdiff4 with its proof."""
    written(at, f"{name}.bin", proof)
    data = as_bytes(
        component="pkg:pypi/bsdiff4@1.1", reproducer={"file": f"{Path(name).name}.bin"}, **fields
    )
    return written(at, name, data)


def test_terms_are_checked_entered_shown_and_paused(at: Terminal) -> None:
    """The check needs no account; faults are listed with their lines."""
    file = written(at, ".leadline.toml", MINIMAL)
    told = at.ok("maintainer", "contract", "add", file)
    assert "2 reports in any 7 days" in told
    shown = json.loads(at.ok("finder", "contract", "show", "bsdiff4", "--json"))
    assert (shown["per_week"], shown["paused"], len(shown["versions"])) == (2, False, 1)
    assert "bsdiff4  2 a week" in at.ok("finder", "contract", "list")
    written(at, ".leadline.toml", MINIMAL + b"paused = true\n")
    assert "PAUSED" in at.ok("maintainer", "contract", "add", file)
    assert "bsdiff4  paused" in at.ok("finder", "contract", "list")
    assert json.loads(at.ok("finder", "contract", "list", "--json"))["contracts"][0]["paused"]
    assert "version " in at.ok("finder", "contract", "show", "bsdiff4")
    policy = written(at, "SECURITY.md", b"Write to a@example.org.")
    assert "read out of a security policy" in at.ok(
        "screener", "contract", "add", policy, "--infer", "other"
    )
    assert "other  1 a week  (inferred)" in at.ok("finder", "contract", "list")
    bad = at.run("maintainer", "contract", "add", written(at, "bad.toml", b"per_week = 0\nx = 1\n"))
    assert bad.exit_code == 2
    for words in ("line 1: per_week", "line 2: x", "project: is missing"):
        assert words in bad.output


def test_words_of_others_reach_no_terminal_as_orders(at: Terminal) -> None:
    """Control characters in terms, titles and names of files become blanks."""
    odd = MINIMAL.replace(b"security@example.org", b"a\\u001b[2Jb")
    assert "\x1b" not in at.ok("maintainer", "contract", "add", written(at, "c.toml", odd))
    assert "a [2Jb" in at.ok("finder", "contract", "show", "bsdiff4")
    told = at.ok("finder", "finding", "submit", report(at, "r\x1b.json", title="x\x1b[31m"))
    assert "\x1b" not in told
    id_ = told.partition(" ")[0]
    assert "x [31m" in at.ok("finder", "finding", "show", id_)
    assert "x [31m" in at.ok("finder", "finding", "list")


def test_the_check_needs_no_installation(at: Terminal) -> None:
    """A maintainer reads what the file says."""
    from typer.testing import CliRunner

    file = written(at, ".leadline.toml", MINIMAL)
    done = CliRunner().invoke(contract.app, ["check", file])
    assert (done.exit_code, "Open: reports are taken." in done.output) == (0, True)
    page = json.loads(CliRunner().invoke(contract.app, ["check", file, "--json"]).output)
    assert page["project"] == "bsdiff4"


def test_a_report_from_receipt_to_answer(at: Terminal) -> None:
    """Handed in, shown, answered, moved, credited; each sees its own part."""
    at.ok("maintainer", "contract", "add", written(at, ".leadline.toml", MINIMAL))
    page = json.loads(at.ok("finder", "finding", "submit", report(at), "--json"))
    (receipt,) = page["receipts"]
    id_ = receipt["finding"]
    assert (receipt["state"], receipt["place"], page["refused"]) == ("screened", 1, [])
    told = at.ok("finder", "finding", "submit", report(at))
    assert f"{id_}  screened" in told
    assert "place 1 in its project's queue" in told
    assert "was here before: it fits the contract on file" in told
    assert "a replay, or a person, has to confirm first that it is real" in told
    written(at, "words.txt", b"thank you\x1b[31m")
    at.ok("screener", "finding", "answer", id_, str(at.folder / "words.txt"))
    at.ok("screener", "finding", "move", id_, "deduplicated", "--reason", "nothing like it")
    told = at.ok("screener", "finding", "assign", id_, "bsdiff4", "--reason", "it is theirs")
    assert told.strip() == "deduplicated"
    at.ok("screener", "finding", "hasten", id_, "--reason", "listed as exploited")
    told = at.ok("finder", "finding", "show", id_)
    for words in ("deduplicated", "answered", "thank you [31m", "listed as exploited"):
        assert words in told
    shown = json.loads(at.ok("finder", "finding", "show", id_, "--json"))
    assert [one["state"] for one in shown["steps"]][-3:] == ["deduplicated"] * 3
    assert id_ in at.ok("screener", "finding", "list")
    assert json.loads(at.ok("maintainer", "finding", "list", "--json")) == {"findings": []}
    assert "shared: finder" in at.ok("screener", "finding", "credit", id_)
    credit = json.loads(at.ok("screener", "finding", "credit", id_, "--json"))
    assert credit == {"shared": ["finder"], "later": [], "void": []}
    out = at.folder / "out.bin"
    at.ok("screener", "finding", "read", id_, str(out), "--part", "proof")
    assert out.read_bytes() == b"boom"
    assert at.run("screener", "finding", "read", id_, str(out)).exit_code == 2
    assert at.run("screener", "finding", "read", id_, str(out) + "x", "--part", "y").exit_code == 4
    at.ok("finder", "finding", "withdraw", id_)
    assert at.run("finder", "finding", "withdraw", id_).exit_code == 5
    assert at.run("maintainer", "finding", "show", id_).exit_code == 4


def test_a_batch_is_taken_as_far_as_it_is_right(at: Terminal) -> None:
    """What is not taken is listed with every fault; the command ends with 2."""
    at.ok("maintainer", "contract", "add", written(at, ".leadline.toml", MINIMAL))
    report(at, "in/a.json")
    written(at, "in/b.json", as_bytes(component="pkg:pypi/bsdiff4@1.1"))
    written(at, "in/c.json", as_bytes(found=None))
    done = at.run("finder", "finding", "submit", str(at.folder / "in"))
    assert done.exit_code == 2
    for words in (
        "a.json is taken",
        "b.json: the contract of bsdiff4",
        "c.json/found/by",
        "2 not taken, 1",
    ):
        assert words in done.output
    page = at.run("finder", "finding", "submit", str(at.folder / "in"), "--json")
    told = json.loads(page.stdout)
    assert [one["name"] for one in told["receipts"]] == ["a.json"]
    assert [one["name"] for one in told["refused"]] == ["c.json", "b.json"]


def test_the_label_and_what_else_a_form_cannot_say(at: Terminal) -> None:
    """An unlabelled crash is refused with the cure; a bad word for it names the right ones."""
    crash = b"==1==ERROR: AddressSanitizer: SEGV on unknown address\n    #0 0x1 in f /a.c:1:2\n"
    place = written(at, "crash-1.txt", crash)
    written(at, "crash-1", b"boom")
    bare = at.run("finder", "finding", "submit", place)
    assert (bare.exit_code, "labelled `ai`" in bare.output) == (2, True)
    for words in (["--origin", "robot"], ["--say", "model=x"], ["--say", "found-by"]):
        assert at.run("finder", "finding", "submit", place, *words).exit_code == 2
    say = ["--say", "found-by=afl", "--say", "component=pkg:pypi/bsdiff4@1"]
    told = at.ok("finder", "finding", "submit", place, "--origin", "tool", *say)
    assert "no contract is on file" in told
    assert at.run("finder", "finding", "submit", place, "--as", "csaf").exit_code == 2


def test_a_commitment_before_the_report(at: Terminal) -> None:
    """Its file is its finder's alone, and opens the report that is handed in later."""
    out = at.folder / "opening.json"
    told = at.ok("finder", "finding", "commit", report(at), str(out)).strip()
    assert (len(told), out.stat().st_mode & 0o777) == (64, 0o600)
    assert at.run("finder", "finding", "commit", report(at), str(out)).exit_code == 2
    at.ok("finder", "finding", "submit", report(at), "--opening", str(out))


def test_a_text_that_looks_secret_is_asked_about(at: Terminal) -> None:
    """At the receipt and later, until the finder stands by it."""
    told = at.ok("finder", "finding", "submit", report(at, description="AKIAABCDEFGHIJKLMNOP"))
    assert "asked of you" in told
    id_ = told.partition(" ")[0]
    assert "asked of you" in at.ok("finder", "finding", "show", id_)
    at.ok("finder", "finding", "stand-by", id_)
    assert "asked of you" not in at.ok("finder", "finding", "show", id_)
