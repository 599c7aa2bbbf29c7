"""`leadline pack` and `leadline verdict`, each person with a session of their own."""

import json
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import make
import sealed_world as sw
from leadline.app import sign_in
from leadline.app.sign_in import Caller
from leadline.cli import main
from leadline.cli.session import keep
from leadline.core.access import Principal
from leadline.core.record.act import Kind
from leadline.core.sealed.session import LABELS
from leadline.formats import sealed_pack
from leadline.identity.password import Cost, Passwords
from leadline.runner import custody
from leadline.settings import Home
from leadline.wiring import home as wiring
from leadline.wiring.sign_in import door, register_file, sign_in_with_file

RUN = CliRunner()
QUICK = Passwords(Cost(memory=64, passes=1, lanes=1))
PASSWORD = "a long and quiet sentence"
HERE = Caller("127.0.0.1", "a test")
ABSENT = "pack-" + "0" * 32
PEOPLE = {"keeper", "lead", "official", "second", "developer"}


@dataclass
class Seats:
    """An installation, and a folder with the session and key file of each person."""

    home: Home
    folder: Path

    def session(self, person: str) -> Path:
        """The file with a person's session."""
        return self.folder / f"{person}.session"

    def key(self, person: str) -> Path:
        """The file with a person's key."""
        return self.folder / f"{person}.key"

    def line(self, person: str, *arguments: object) -> list[str]:
        """A command line as *person*."""
        seat = ["--home", self.home.folder, "--session", self.session(person)]
        return [str(one) for one in (*arguments, *seat)]

    def run(self, person: str, *arguments: object) -> Result:
        """What a command answers."""
        return RUN.invoke(main.app, self.line(person, *arguments))

    def good(self, person: str, *arguments: object) -> str:
        """Standard output of a command that ends well."""
        result = self.run(person, *arguments)
        assert result.exit_code == 0, result.output
        return result.stdout.strip()

    def people(self) -> None:
        """Enrol everybody, with a password and a key, signed in with both."""
        with wiring.opened(self.home) as parts:
            now = wiring.clock()
            for id_ in PEOPLE:
                person = sw.World.person(id_)
                until = now + (make.UNTIL - make.NOW)
                with parts.store.write() as tx:
                    tx.put_principal(replace(person, access_until=until))
                self.sign_in(parts, person)

    def sign_in(self, parts: wiring.Parts, person: Principal) -> None:
        """A session by password and key, kept in its file."""
        at = replace(door(self.home, parts), passwords=QUICK)
        sign_in.set_password(at.opened(person.id, 3), QUICK.new(PASSWORD))
        first = at.by_password(person.id, PASSWORD, HERE)
        acting = at.acting(first.token)
        register_file(acting, self.key(person.id), "a test's")
        both = sign_in_with_file(at, self.key(person.id), HERE, acting.session)
        keep(self.session(person.id), both.token)


@pytest.fixture
def seats(tmp_path: Path) -> Seats:
    """An installation with everybody signed in."""
    home = Home(tmp_path / "home")
    wiring.make(home)
    found = Seats(home, tmp_path)
    found.people()
    return found


def custodians(seats: Seats) -> list[Path]:
    """Three custodians' key files."""
    files = [seats.folder / f"custodian-{number}" for number in range(3)]
    for file in files:
        result = RUN.invoke(main.app, ["pack", "custodian", str(file)])
        assert result.exit_code == 0, result.output
    return files


def sealed(seats: Seats, *more: str) -> tuple[str, list[Path]]:
    """A pack of two planted items, and its custodians."""
    files = custodians(seats)
    given = [word for file in files for word in ("--custodian", f"{file}.pub")]
    options = ["--engagement", make.ENGAGEMENT, "--compartment", sw.COMPARTMENT, "--items", "2"]
    return seats.good("keeper", "pack", "seal", *given, *options, *more), files


@dataclass
class Papers:
    """One run at the terminal: its ids and files."""

    seats: Seats
    pack: str
    keys: list[Path]
    session: str = ""

    def file(self, name: str) -> Path:
        """A file of the run."""
        return self.seats.folder / name

    def commit(self) -> str:
        """Commit; answers what was said beside the session's id."""
        self.file("terms").write_text("one showing each")
        options = ["--family", "tool-agents", "--terms", self.file("terms"), "--runs", "20000"]
        words = ["pack", "commit", self.pack, *options, "--out", self.file("commitment")]
        committed = self.seats.run("lead", *words)
        assert committed.exit_code == 0, committed.output
        self.session = committed.stdout.strip()
        return committed.stderr

    def unseal(self) -> None:
        """The keeper asks, two officials and the keeper sign, two custodians pass on."""
        meeting = ["--exchange", self.file("exchange")]
        unsealing = ["pack", "unseal", self.session, *meeting]
        sw.appeared(self.file("exchange") / "quote.json")
        request = self.seats.good("keeper", *unsealing)
        for person in ("keeper", "official", "second"):
            key = self.seats.key(person)
            self.seats.good(person, "approval", "approve", request, "--key", key)
        self.seats.good("keeper", *unsealing, "--request", request)
        told = RUN.invoke(main.app, ["log", "policy", "--home", str(self.seats.home.folder)])
        self.file("policy").write_text(told.stdout)
        for key in self.keys[:2]:
            passed = ["pack", "pass-on", *meeting, "--key", key, "--policy", self.file("policy")]
            result = RUN.invoke(main.app, [str(one) for one in passed])
            assert result.exit_code == 0, result.output

    def opened(self) -> Path:
        """Both items opened to a third party."""
        words = ["pack", "open", self.session, "--randomness", "00" * 16, "--count", "2"]
        request = self.seats.good("keeper", *words)
        for person in ("keeper", "official", "second"):
            key = self.seats.key(person)
            self.seats.good(person, "approval", "approve", request, "--key", key)
        keys = [word for key in self.keys[1:] for word in ("--custodian-key", key)]
        out = self.file("openings")
        self.seats.good("keeper", *words, "--request", request, *keys, "--out", out)
        return out

    def run(self) -> bytes:
        """The run, in a process of its own; answers the report."""
        words = ["pack", "run", self.session, "--exchange", self.file("exchange")]
        line = self.seats.line("lead", *words, "--runs", "20000", "--wait", "120")
        command = [sys.executable, "-m", "leadline", *line]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
            try:
                self.unseal()
                out, err = running.communicate(timeout=120)
            finally:
                running.kill()
        assert running.returncode == 0, err
        return out


@pytest.mark.sandbox
def test_a_pack_from_sealing_to_a_verified_reveal(seats: Seats) -> None:
    """Every command of the way; the report carries its label, and the papers verify offline."""
    papers = Papers(seats, *sealed(seats))
    assert LABELS["local-process"] in papers.commit()
    report = json.loads(papers.run())
    assert (report["items"], report["ours"]) == (2, 0)
    assert LABELS["local-process"] in report["says"]
    [released] = json.loads(seats.good("lead", "pack", "release", papers.session, "--json"))
    assert released["left"] == 4
    reveal = papers.file("reveal")
    seats.good("lead", "pack", "reveal", papers.session, "--out", reveal)
    shown = json.loads(seats.good("keeper", "pack", "exposures", papers.pack, "--json"))
    assert len(shown) == 2
    again = seats.run("keeper", "pack", "rotate", papers.pack)
    assert (again.exit_code, "this cycle ends on" in again.stderr) == (5, True)
    with wiring.opened(seats.home) as parts:
        papers.file("vkey").write_text(parts.signer.vkeys())
    words = ["pack", "verify", papers.file("commitment"), reveal, "--key", papers.file("vkey")]
    line = [str(one) for one in words]
    verified = RUN.invoke(main.app, [*line, "--policy", str(papers.file("policy"))])
    assert verified.exit_code == 0, verified.output
    assert "2 items committed at log index" in verified.stdout
    assert json.loads(RUN.invoke(main.app, [*line, "--json"]).stdout)["items"] == 2
    found = RUN.invoke(main.app, [*line, "--openings", str(papers.opened()), "--json"])
    assert (found.exit_code, json.loads(found.stdout)["opened"]) == (0, 4)
    reveal.write_text(reveal.read_text().replace('"items":2', '"items":3'))
    assert RUN.invoke(main.app, line).exit_code == 8


@pytest.mark.sandbox
def test_a_hidden_pack_and_an_absent_one_answer_alike(seats: Seats) -> None:
    """Exit code, output and error text are the same but for the id; the list is empty."""
    pack, _ = sealed(seats, "--hidden")
    assert pack in seats.good("keeper", "pack", "list")
    assert "items 2" in seats.good("lead", "pack", "show", pack)
    for words in (["show"], ["exposures"], ["rotate"]):
        answers = [seats.run("developer", "pack", *words, id_) for id_ in (pack, ABSENT)]
        hidden, absent = (
            (one.exit_code, one.stdout, one.stderr.replace(id_, "ID"))
            for one, id_ in zip(answers, (pack, ABSENT), strict=True)
        )
        assert hidden == absent
        assert hidden[0] == 4
    assert seats.good("developer", "pack", "list", "--json") == "[]"


def test_the_two_sides_of_a_directory(seats: Seats) -> None:
    """A request goes up; what is no verdict is refused with exit code 8, an act and an alert."""
    between = seats.folder / "between"
    digest = sw.MODEL
    asked = [
        "verdict", "ask", between, "--pack", "thing-" + "0" * 32, "--model", digest,
        "--family", "family-a", "--terms", sw.TERMS, "--engagement", make.ENGAGEMENT,
    ]  # fmt: skip
    request = seats.good("lead", *asked)
    with wiring.opened(seats.home) as parts:
        (seats.folder / "vkey").write_text(parts.signer.vkeys())
    key = ["--key", seats.folder / "vkey"]
    assert request in seats.good("keeper", "verdict", "take", between, *key)
    wanted = ["verdict", "import", between, "--engagement", make.ENGAGEMENT, *key]
    assert seats.good("lead", *wanted) == ""
    (between / "verdicts").mkdir()
    (between / "verdicts" / f"{request}.verdict").write_text("yes")
    refused = seats.run("lead", *wanted)
    assert (refused.exit_code, "refused" in refused.stdout) == (8, True)
    with wiring.opened(seats.home) as parts, parts.store.read() as view:
        assert len(view.acts(kind=Kind.VERDICT_REFUSED)) == 1
    sent = ["verdict", "send", between, "--request", request, "--run", "session-none"]
    assert seats.run("keeper", *sent).exit_code == 4


@pytest.mark.parametrize(
    "words",
    [
        ["pack", "verify", "nowhere", "nowhere", "--key", "nowhere"],
        ["pack", "pass-on", "--exchange", "nowhere", "--key", "nowhere", "--policy", "nowhere"],
    ],
)
def test_a_file_that_is_not_there_is_named(words: list[str]) -> None:
    """Exit code 2 and the file's name."""
    result = RUN.invoke(main.app, words)
    assert result.exit_code == 2
    assert "cannot be read" in result.stderr


def test_a_suite_is_prepared_without_an_installation(seats: Seats) -> None:
    """The file holds what a page takes in, sealed to the custodians; a file that is there stays."""
    keys, out = custodians(seats), seats.folder / "suite.sealed"
    given = [word for file in keys for word in ("--custodian", f"{file}.pub")]
    words = ["pack", "prepare", *given, "--items", "2", "--out", str(out)]
    done = RUN.invoke(main.app, words)
    assert done.exit_code == 0, done.output
    made = sealed_pack.decode(out.read_bytes())
    assert made.id in done.output
    assert len(made.items) == 2
    assert [one.custodian for one in made.shares] == [custody.read_key(one).id for one in keys]
    assert all(one.custodian in done.output for one in made.shares)
    again = RUN.invoke(main.app, words)
    assert again.exit_code == 2
    assert "exists" in again.output
