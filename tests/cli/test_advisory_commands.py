"""Advisories, the feed and hops at the command line, of a coordinator with a session and a key."""

import json
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import make
from clearing_world import INTAKE
from desk_terminal import Terminal
from formats.test_advisory_toml import FULL
from identity.people import house
from leadline.app import cases
from leadline.cli.main import app
from leadline.core.clearing.coordination import Moved
from leadline.core.clearing.disclosure import Move
from leadline.core.errors import Unavailable
from leadline.settings import Home
from leadline.wiring import feed as wiring_feed
from leadline.wiring.home import clock

POLICY = "leadline-default"
TEXT = FULL.replace('untested = ["*"]', "complete = true").replace('"> 6"', '"6.0"')


@dataclass
class Office:
    """A coordinator's installation, and its case."""

    terminal: Terminal
    case: str

    @property
    def home(self) -> Path:
        """The installation's folder."""
        return self.terminal.house.folder

    def ok(self, *arguments: str) -> str:
        """What a command prints that ends well."""
        return self.terminal.ok("cora", *arguments).strip()

    def run(self, *arguments: str) -> Result:
        """One command."""
        return self.terminal.run("cora", *arguments)

    def key(self) -> str:
        """The key option."""
        return f"--key={self.terminal.key('cora')}"

    def over(self) -> None:
        """The case is secret no more."""
        ctx = self.terminal.house.ctx("cora")
        cases.move(ctx, self.case, Moved(Move.ELSEWHERE, "ab" * 32))

    def vkeys(self, folder: Path) -> Path:
        """The installation's verifier keys in a file, as others get them."""
        place = folder / "keys.txt"
        place.write_text(self.ok("feed", "keys") + "\n")
        return place


def office(folder: Path) -> Iterator[Office]:
    """An installation with a coordinator and a case."""
    folder.mkdir()
    with house(folder / "home") as made:
        made.clock.now = clock()
        until = made.clock.now + timedelta(days=50)
        held = {"org": make.PROGRAMME, "engagements": frozenset(), "access_until": until}
        made.enrol("cora", "coordinator", cases=frozenset({INTAKE}), **held)
        case = cases.open_case(made.ctx("cora"), (), title="Overflow", policy=POLICY)
        yield Office(Terminal(made, folder, app), case)


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Office]:
    """One office."""
    yield from office(tmp_path / "one")


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Office]:
    """Another office."""
    yield from office(tmp_path / "two")


def drafted(at: Office, folder: Path) -> Path:
    """A draft is kept with the case."""
    file = folder / "advisory.toml"
    file.write_text(TEXT)
    assert at.ok("advisory", "draft", at.case, str(file)) == "EXAMPLE-2027-1"
    return file


def test_from_a_draft_to_a_withdrawn_advisory(one: Office, tmp_path: Path) -> None:
    """Refused under embargo; then in every format and the feed at once; then withdrawn."""
    drafted(one, tmp_path)
    shown = json.loads(one.ok("advisory", "show", one.case, "EXAMPLE-2027-1", "--json"))
    assert shown["faults"] == []
    assert {loss["format"] for loss in shown["losses"]} >= {"csaf", "stix"}
    assert "Overflow in ujson" in one.ok("advisory", "show", one.case, "EXAMPLE-2027-1")
    told = one.run("advisory", "publish", one.case, "EXAMPLE-2027-1", one.key())
    assert told.exit_code == 5
    assert "under embargo" in told.stderr
    assert not (one.home / "feed").exists()
    one.over()
    done = json.loads(
        one.ok("advisory", "publish", one.case, "EXAMPLE-2027-1", one.key(), "--json")
    )
    assert done["fresh"]
    assert done["notices"] == 0
    assert done["notes"][0].startswith("no operator was told")
    keys = one.vkeys(tmp_path)
    feed = one.home / "feed"
    assert feed.is_symlink()
    verified = CliRunner().invoke(app, ["feed", "verify", str(feed), "--key", str(keys), "--json"])
    assert json.loads(verified.stdout)["serial"] == 1
    for path in done["files"]:
        assert (feed / path).is_file()
    before = {path: path.read_bytes() for path in sorted(feed.rglob("*")) if path.is_file()}
    assert "act" in one.ok("advisory", "publish", one.case, "EXAMPLE-2027-1", one.key())
    assert {path: path.read_bytes() for path in sorted(feed.rglob("*")) if path.is_file()} == before
    why = tmp_path / "why.txt"
    why.write_text("It was no flaw.\n")
    assert "files" in one.ok("advisory", "withdraw", one.case, "EXAMPLE-2027-1",
                             f"--reason={why}", one.key())  # fmt: skip
    assert b"It was no flaw." in (feed / "advisories" / "example-2027-1.html").read_bytes()
    again = CliRunner().invoke(
        app, ["feed", "verify", str(feed), "--key", str(keys), "--since", "2"]
    )
    assert again.exit_code == 0
    assert "as signed" in again.stdout
    why.write_text("  \n")
    assert (
        one.run("advisory", "withdraw", one.case, "X", f"--reason={why}", one.key()).exit_code == 2
    )


def test_a_tampered_feed_ends_with_eight(one: Office, tmp_path: Path) -> None:
    """As every proof that does not hold."""
    drafted(one, tmp_path)
    one.over()
    one.ok("advisory", "publish", one.case, "EXAMPLE-2027-1", one.key())
    place = one.ok("feed", "build", "--site", "https://feeds.example/leadline")
    keys = one.vkeys(tmp_path)
    assert (
        "https://feeds.example/leadline/csaf"
        in (Path(place) / "atom.xml")
        .with_name("csaf")
        .joinpath("provider-metadata.json")
        .read_text()
    )
    page = Path(place) / "advisories" / "example-2027-1.txt"
    page.write_bytes(page.read_bytes() + b" ")
    verified = CliRunner().invoke(app, ["feed", "verify", place, "--key", str(keys)])
    assert verified.exit_code == 8
    assert one.run("feed", "build", "--site", "ftp://x").exit_code == 2
    assert one.run("feed", "build").exit_code == 0
    states = [
        held for held in (one.home / "feed.states").iterdir() if not held.name.startswith(".")
    ]
    assert len(states) <= 2


def test_a_feed_that_cannot_be_written_says_so(one: Office) -> None:
    """And what was there stays."""
    one.ok("feed", "build")
    states = one.home / "feed.states"
    was = (one.home / "feed").resolve()
    (one.home / "feed.site").unlink()
    (one.home / "feed.site").mkdir()
    with pytest.raises(Unavailable, match="cannot be written"):
        wiring_feed.build(one.terminal.house.ctx("cora"), Home(one.home))
    assert (one.home / "feed").resolve() == was
    assert states.is_dir()


def test_rendering_needs_no_account(tmp_path: Path) -> None:
    """From TOML or from CSAF; into a new folder; faults and losses are told."""
    file = tmp_path / "advisory.toml"
    file.write_text(TEXT)
    out = tmp_path / "out"
    done = CliRunner().invoke(app, ["advisory", "render", str(file), str(out), "--json"])
    told = json.loads(done.stdout)
    assert told["faults"] == []
    (document,) = out.glob("csaf/white/*/*.json")
    second = CliRunner().invoke(app, ["advisory", "render", str(document), str(tmp_path / "two")])
    assert second.exit_code == 0
    assert "losses: csaf: pkg:" in second.stdout
    assert CliRunner().invoke(app, ["advisory", "render", str(file), str(out)]).exit_code == 2
    below = tmp_path / "advisory.toml" / "x"
    assert CliRunner().invoke(app, ["advisory", "render", str(file), str(below)]).exit_code == 2


def test_what_a_draft_is_made_of_is_said_once(one: Office, tmp_path: Path) -> None:
    """A file, or the fixed release; and the text that is published is the advisory that is named."""
    file = drafted(one, tmp_path)
    assert one.run("advisory", "draft", one.case).exit_code == 2
    assert one.run("advisory", "draft", one.case, "--fixed=pkg:pypi/x@1").exit_code == 2
    told = one.run("advisory", "publish", one.case, "OTHER", one.key(), f"--file={file}")
    assert told.exit_code == 2


def test_a_case_goes_from_one_office_to_another_and_back(
    one: Office, two: Office, tmp_path: Path
) -> None:
    """Parcels are private folders; the receipt tells the id there; what was changed ends with eight."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    ours, theirs = one.vkeys(tmp_path / "a"), two.vkeys(tmp_path / "b")
    parcel, receipt = tmp_path / "parcel", tmp_path / "receipt"
    assert "nothing was sent" in one.ok("hop", "send", one.case, str(parcel))
    assert stat.S_IMODE(parcel.stat().st_mode) == 0o700
    assert one.run("hop", "send", one.case, str(parcel)).exit_code == 2
    came = json.loads(
        two.ok("hop", "receive", str(parcel), f"--key={ours}", f"--disclosure={POLICY}",
               f"--receipt={receipt}", "--json")
    )  # fmt: skip
    assert came["fresh"]
    again = two.ok("hop", "receive", str(parcel), f"--key={ours}", f"--disclosure={POLICY}")
    assert again == f"{came['case']}: known already"
    assert one.ok("hop", "returned", one.case, str(receipt), f"--key={theirs}") == came["case"]
    back = tmp_path / "back"
    two.ok("hop", "send", came["case"], str(back))
    home = one.ok("hop", "receive", str(back), f"--key={theirs}", f"--disclosure={POLICY}")
    assert home.startswith(f"{one.case}: known already")
    rows = json.loads(one.ok("hop", "list", one.case, "--json"))["passings"]
    assert [row["way"] for row in rows] == ["out", "in"]
    assert "hops" in one.ok("hop", "list", one.case)
    (back / "case.json").write_bytes((back / "case.json").read_bytes() + b" ")
    assert (
        one.run("hop", "receive", str(back), f"--key={theirs}", f"--disclosure={POLICY}").exit_code
        == 8
    )
    for number in range(20):
        (back / f"f{number}").write_bytes(b"")
    assert (
        one.run("hop", "receive", str(back), f"--key={theirs}", f"--disclosure={POLICY}").exit_code
        == 8
    )
    none = one.run(
        "hop", "receive", str(tmp_path / "none"), f"--key={theirs}", f"--disclosure={POLICY}"
    )
    assert none.exit_code == 4
