"""`leadline priority`: one flaw on one's own host, and the queue of an installation."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from identity.people import HERE, House, house
from leadline.app.priority import CASE, Lists
from leadline.app.priority import queue as priority_of
from leadline.cli import priority
from leadline.cli.session import keep
from leadline.core.access import Bounds
from leadline.core.clearing.case_file import CaseFile
from leadline.core.record.act import Kind
from leadline.identity import software_key
from leadline.wiring import lists
from leadline.wiring.home import clock
from leadline.wiring.sign_in import register_file, sign_in_with_file

CVE = "CVE-2026-12345"


def kev(*listed: str) -> str:
    """A list that was released just now."""
    entries = [{"cveID": one, "dateAdded": "2026-11-03"} for one in listed]
    head = {"catalogVersion": "1", "dateReleased": clock().isoformat(), "count": len(entries)}
    return json.dumps(head | {"vulnerabilities": entries})


def record() -> str:
    """A CVE record with the two values of an assessor."""
    options = [{"Automatable": "yes"}, {"Technical Impact": "total"}]
    content = {"timestamp": "2026-11-03", "options": options}
    metric = {"other": {"type": "ssvc", "content": content}}
    adp = {"providerMetadata": {"shortName": "CISA-ADP"}, "metrics": [metric]}
    return json.dumps({"cveMetadata": {"cveId": CVE}, "containers": {"adp": [adp]}})


def alone(*words: str) -> Result:
    """A command that needs no installation."""
    return CliRunner().invoke(priority.app, [*words])


def test_by_when_with_the_lists_at_hand(tmp_path: Path) -> None:
    """Every input has its source, and the day is owed from the first detection."""
    (tmp_path / "kev.json").write_text(kev(CVE))
    (tmp_path / "record.json").write_text(record())
    lists = ["--kev", str(tmp_path / "kev.json"), "--records", str(tmp_path / "record.json")]
    words = ["why", CVE, "--exposed", "yes", "--detected", "2026-11-01T12:00:00Z", *lists]
    done = alone(*words, "--json")
    assert done.exit_code == 0, done.output
    [row] = json.loads(done.stdout)["rows"]
    assert (row["determined"], row["owed"]) == (True, "2026-11-04")
    assert {one["by"] for one in row["answers"]} == {"you", "CISA", "CISA-ADP"}
    told = alone(*words).stdout
    assert "within 3 calendar days, with a forensic investigation" in told
    assert "advice here" in told


def test_nothing_is_guessed_without_lists() -> None:
    """What would settle it is named, and no date is owed."""
    done = alone("why", CVE)
    assert done.exit_code == 0, done.output
    assert "undetermined: earliest possible" in done.stdout
    assert "no date is owed yet" in done.stdout
    assert "the list is not here: import it" in done.stdout


@pytest.mark.parametrize(
    ("words", "status", "named"),
    [
        (["why", "CVE-1"], 2, "cve"),
        (["why", CVE, "--exposed", "perhaps"], 2, "exposed"),
        (["why", CVE, "--zone", "Moon/Base"], 2, "zone"),
        (["why", CVE, "--detected", "yesterday"], 2, "--detected"),
        (["why", CVE, "--fix", "2026-11-32T10:00:00"], 2, "--fix"),
        (["why", CVE, "--fix", "2026-10-25T02:30", "--zone", "Europe/Berlin"], 2, "comes twice"),
        (["why", CVE, "--kev", "not-there.json"], 4, "not-there.json"),
        (["cvss", "CVSS:9/x"], 2, "vector"),
    ],
)
def test_what_cannot_be_is_named(words: list[str], status: int, named: str) -> None:
    """Field and cure, with the status of the contract."""
    done = alone(*words)
    assert (done.exit_code, named in done.output) == (status, True), done.output


def test_a_score_is_printed() -> None:
    """Of any version."""
    vector = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
    assert alone("cvss", vector).stdout.strip() == "9.8"
    assert json.loads(alone("cvss", vector, "--json").stdout)["score"] == pytest.approx(9.8)


@dataclass
class Terminal:
    """A coordinator's and a finder's terminal."""

    house: House
    folder: Path

    def run(self, who: str, *words: str) -> Result:
        """One command."""
        place = ["--home", str(self.house.folder), "--session", str(self.folder / who)]
        return CliRunner().invoke(priority.app, [*words, *place])

    def ok(self, *words: str) -> str:
        """What the coordinator's command prints."""
        done = self.run("coo", *words)
        assert done.exit_code == 0, done.output
        return done.stdout


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Terminal]:
    """Two cases, a coordinator named for both and for intake, and a finder."""
    with house(tmp_path / "home") as made:
        made.clock.now = clock()
        until = made.clock.now + timedelta(days=50)
        cases = frozenset({"intake", "case-a", "case-b"})
        for id_, org, role, named in (
            ("coo", "office", "coordinator", cases),
            ("fin", "finders", "finder", frozenset[str]()),
        ):
            made.enrol(id_, role, org=org, cases=named, access_until=until)
            made.password(id_)
            first = made.acting(made.signed_in(id_))
            key = tmp_path / f"{id_}.key"
            software_key.make(key)
            register_file(first, key, "a test")
            keep(tmp_path / id_, sign_in_with_file(made.door, key, HERE, first.session).token)
        ctx = made.ctx("coo")
        with ctx.store.write() as tx:
            for case in ("case-a", "case-b"):
                tx.put(case, CaseFile(case, case), marking=CASE, bounds=Bounds(case=case))
                tx.record(ctx.act(Kind.CASE_OPENED, case, ""))
        yield Terminal(made, tmp_path)


def test_the_queue_of_an_installation(at: Terminal) -> None:
    """Lists are taken in, facts entered, a case moved; each place says why."""
    (at.folder / "kev.json").write_text(kev(CVE))
    (at.folder / "records").mkdir()
    (at.folder / "records" / "one.json").write_text(record())
    assert "1 entries" in at.ok("import", "kev", str(at.folder / "kev.json"))
    at.ok("import", "records", str(at.folder / "records"))
    at.ok("say", "case-b", "cve", CVE, "--reason", "assigned")
    at.ok("say", "case-a", "exposed", "no", "--reason", "the maker says so")
    rows = json.loads(at.ok("list", "--json"))["rows"]
    assert [row["case"] for row in rows] == ["case-b", "case-a"]
    assert rows[0]["determined"]
    told = at.ok("list")
    assert "before the next: " in told
    assert "its dates are as before" in at.ok("put", "case-a", "3DF", "--reason", "a plant")
    rows = json.loads(at.ok("list", "--json"))["rows"]
    assert rows[0]["case"] in {"case-a", "case-b"}
    moved = next(row for row in rows if row["case"] == "case-a")
    assert (moved["moved_by"]["by"], moved["moved_in_effect"]) == ("coo", True)
    assert "moved by coo: a plant" in at.ok("list")


def test_what_is_closed_waits_for_nobody(at: Terminal) -> None:
    """A case that was closed stands in the queue no more; whoever asks for it itself still sees why."""
    ctx = at.house.ctx("coo")
    with ctx.store.write() as tx:
        tx.record(ctx.act(Kind.CASE_CLOSED, "case-a", ""))
    assert [row["case"] for row in json.loads(at.ok("list", "--json"))["rows"]] == ["case-b"]
    assert len(priority_of(ctx, {"case-a": 0}, Lists(), UTC)) == 1


def test_operators_that_were_told_count_once(at: Terminal) -> None:
    """Two notices to one operator and one to another touch two; those of other cases are not counted."""
    ctx = at.house.ctx("coo")
    with ctx.store.write() as tx:
        for n, (case, operator) in enumerate((("case-a", "x"), ("case-a", "x"), ("case-a", "y"))):
            tx.record(ctx.act(Kind.NOTICE_SENT, f"notice-{n}", "", case=case, operator=operator))
    rows = {row["case"]: row["operators"] for row in json.loads(at.ok("list", "--json"))["rows"]}
    assert rows == {"case-a": 2, "case-b": 0}


def test_a_list_is_read_once_until_another_takes_its_place(at: Terminal) -> None:
    """A page asks for the lists each time; a day's EPSS takes longer to read than all else that it does."""
    ctx, home = at.house.ctx("coo"), at.house.home
    for content in (kev(CVE), kev("CVE-2026-54321")):
        (at.folder / "kev.json").write_text(content)
        at.ok("import", "kev", str(at.folder / "kev.json"))
        found = lists.kept(ctx, home).kev
        assert found is not None
        assert (CVE in found.listed) == (CVE in content)
        assert lists.kept(ctx, home).kev is found


def test_a_list_that_was_changed_on_disk_is_not_read(at: Terminal) -> None:
    """It is no longer what the record holds; a new import mends it."""
    (at.folder / "kev.json").write_text(kev(CVE))
    at.ok("import", "kev", str(at.folder / "kev.json"))
    held = at.house.folder / "lists" / "kev.json"
    held.write_text(kev())
    done = at.run("coo", "list")
    assert (done.exit_code, "import it anew" in done.output) == (8, True)
    held.unlink()
    assert at.run("coo", "list").exit_code == 8
    at.ok("import", "kev", str(at.folder / "kev.json"))
    at.ok("list")


def test_a_broken_list_changes_nothing(at: Terminal) -> None:
    """The one before stays."""
    (at.folder / "kev.json").write_text(kev(CVE))
    at.ok("import", "kev", str(at.folder / "kev.json"))
    (at.folder / "bad.json").write_text(kev(CVE).replace('"count": 1', '"count": 2'))
    done = at.run("coo", "import", "kev", str(at.folder / "bad.json"))
    assert (done.exit_code, "count" in done.output) == (2, True)
    assert at.run("coo", "import", "mood", str(at.folder / "bad.json")).exit_code == 2
    at.ok("list")


def test_a_finder_takes_in_and_sees_nothing(at: Terminal) -> None:
    """Denied, and an empty list: of other people's cases not even the number shows."""
    (at.folder / "kev.json").write_text(kev(CVE))
    assert at.run("fin", "import", "kev", str(at.folder / "kev.json")).exit_code == 3
    assert at.run("fin", "say", "case-a", "cve", CVE, "--reason", "r").exit_code == 3
    assert json.loads(at.run("fin", "list", "--json").stdout) == {"rows": []}
