"""Cases, drafts and the contact directory at the command line, each by its own person, on a real store."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from identity.people import HERE, House, house
from leadline.cli import case, draft, project
from leadline.cli.session import keep
from leadline.core.access import Bounds
from leadline.core.clearing.finding import Finding, ReplayResult
from leadline.core.marking import Marking, Tlp
from leadline.identity import software_key
from leadline.wiring.home import clock
from leadline.wiring.sign_in import register_file, sign_in_with_file

NOUNS: dict[str, typer.Typer] = {"case": case.app, "draft": draft.app, "project": project.app}
PEOPLE = (
    ("carol", "the-programme", "coordinator", {"intake"}),
    ("olaf", "a-project", "maintainer", set[str]()),
    ("fiona", "a-finder", "finder", set[str]()),
    ("hugo", "a-hospital", "operator", set[str]()),
)
TITLE = "canary-title-of-the-case"


@dataclass
class Desk:
    """A terminal for each person, signed in, and one finding at intake."""

    house: House
    folder: Path
    finding: str

    def run(self, who: str, noun: str, *arguments: str) -> Result:
        """One command."""
        place = ["--home", str(self.house.folder), "--session", str(self.folder / who)]
        if arguments[0] == "disclosures":
            place = place[:2]
        return CliRunner().invoke(NOUNS[noun], [*arguments, *place])

    def ok(self, who: str, noun: str, *arguments: str) -> str:
        """What a command prints that ends well."""
        done = self.run(who, noun, *arguments)
        assert done.exit_code == 0, done.output
        return done.stdout.strip()

    def json(self, who: str, noun: str, *arguments: str) -> dict[str, object]:
        """One JSON document."""
        found = json.loads(self.ok(who, noun, *arguments, "--json"))
        assert isinstance(found, dict)
        return found

    def opened(self) -> str:
        """A case of the finding."""
        return self.ok(
            "carol",
            "case",
            "open",
            self.finding,
            "--title",
            TITLE,
            "--disclosure",
            "leadline-default",
        )


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """An installation on disk."""
    folder = tmp_path_factory.mktemp("desk")
    with house(folder / "home") as made:
        made.clock.now = clock()
        until = made.clock.now + timedelta(days=50)
        for id_, org, role, cases in PEOPLE:
            made.enrol(
                id_,
                role,
                org=org,
                engagements=frozenset(),
                access_until=until,
                cases=frozenset(cases),
            )
            made.password(id_)
            first = made.acting(made.signed_in(id_))
            key = folder / f"{id_}.key"
            software_key.make(key)
            register_file(first, key, "a test")
            keep(folder / id_, sign_in_with_file(made.door, key, HERE, first.session).token)
        found = Finding(
            *("ai", "canary-model", "s", "i", "r", "f", "canary-flaw", "pkg:pypi/canary@1"),
            *("d" * 64, "e" * 64, "canary-observation", made.clock.now),
        )
        marking, bounds = Marking(Tlp.RED), Bounds(case="intake", owner="fiona")
        with made.door.parts.store.write() as tx:
            tx.put(found.id, found, marking=marking, bounds=bounds)
            replay = ReplayResult(found.id, (True,) * 5, (), "a" * 64)
            tx.put(f"{found.id}/replay", replay, marking=marking, bounds=bounds)
        yield Desk(made, folder, found.id)


@pytest.fixture(scope="module")
def opened(desk: Desk) -> str:
    """One case with an owner."""
    case = desk.opened()
    desk.ok(
        *("carol", "case", "party", "add", case, "The owner", "--role", "owner"),
        *("--person", "olaf", "--contact", "owner@canary.example", "--product", "pkg:pypi/canary"),
    )
    return case


def party(desk: Desk, case: str, role: str) -> str:
    """The id of the party in a part."""
    seen = desk.json("carol", "case", "show", case)["parties"]
    assert isinstance(seen, list)
    return next(str(one["id"]) for one in seen if one["role"] == role)


def test_the_way_of_a_case(desk: Desk, opened: str) -> None:
    """Shown to each as it may see it, drafted, sent, answered, agreed, published, closed."""
    assert "carol" not in desk.ok("fiona", "case", "show", opened)
    assert TITLE not in desk.ok("fiona", "case", "show", opened)
    assert TITLE in desk.ok("olaf", "case", "list")
    assert desk.json("hugo", "case", "list") == {"cases": []}
    assert desk.run("hugo", "case", "show", opened).exit_code == 3
    row = _drafted(desk, opened)
    assert row["to"] == "owner@canary.example"
    text = desk.ok("carol", "draft", "show", row["draft"])
    assert "canary-observation" in text
    assert "canary-model" not in text
    out = desk.folder / "draft.eml"
    desk.ok("carol", "draft", "show", row["draft"], "--out", str(out))
    assert out.stat().st_mode & 0o777 == 0o600
    assert desk.run("carol", "draft", "show", row["draft"], "--out", str(out)).exit_code == 2
    at = (clock() - timedelta(minutes=1)).isoformat()
    desk.ok("carol", "draft", "sent", row["draft"], "--at", at, "--where", "mail <1@canary>")
    assert "sent" in desk.ok("carol", "draft", "list", opened)
    assert "no answer" in desk.ok("carol", "case", "show", opened)
    assert "running   disclosure" in desk.ok("olaf", "case", "clocks", opened)
    clocks = desk.json("olaf", "case", "clocks", opened)["clocks"]
    assert isinstance(clocks, list)
    assert all(str(one["at"]).endswith("Z") for one in clocks)
    _agreed(desk, opened)
    _ended(desk, opened)


def _drafted(desk: Desk, opened: str) -> dict[str, str]:
    written = desk.json("carol", "draft", "write", opened)["written"]
    assert isinstance(written, list)
    found = written[0]
    assert isinstance(found, dict)
    return found


def _agreed(desk: Desk, opened: str) -> None:
    """The owner engages, a date is agreed, a clock gets longer, the finder is credited."""
    desk.ok("olaf", "case", "state", opened, "--report", "valid", "--affected", "affected")
    until = (clock() + timedelta(days=20)).isoformat()
    assert desk.run("olaf", "case", "embargo", "propose", opened, "2030-01-01T09:00").exit_code == 2
    desk.ok("olaf", "case", "embargo", "propose", opened, until)
    assert "active" in desk.ok("fiona", "case", "embargo", "answer", opened, "accept")
    owner, finder = party(desk, opened, "owner"), party(desk, opened, "finder")
    longer = (clock() + timedelta(days=100)).isoformat()
    told = desk.ok(
        *("carol", "case", "move", opened, "extended", "--clock", "disclosure"),
        *("--party", owner, "--until", longer, "--reason", "they build it"),
    )
    assert "extended" in told
    desk.ok("carol", "case", "credit", opened, finder, "F. Finder")


def _ended(desk: Desk, opened: str) -> None:
    """Published elsewhere, shown as a page, and closed."""
    owner, finder = party(desk, opened, "owner"), party(desk, opened, "finder")
    until = (clock() + timedelta(days=20)).isoformat()
    shown = desk.folder / "evidence.txt"
    shown.write_text("a page")
    told = desk.ok("carol", "case", "move", opened, "public-elsewhere", "--evidence", str(shown))
    assert told.endswith("embargo exited")
    assert desk.run("olaf", "case", "embargo", "propose", opened, until).exit_code == 5
    page = desk.folder / "case.html"
    assert "agrees" not in desk.ok("carol", "case", "timeline", opened, "--out", str(page))
    assert TITLE in page.read_text()
    assert desk.json("carol", "case", "timeline", opened)["timeline"]
    assert desk.json("carol", "case", "sweep") == {"fell_due": []}
    desk.ok("carol", "case", "sweep")
    desk.ok("carol", "case", "party", "remove", opened, finder, "--reason", "asked to")
    desk.ok("carol", "case", "close", opened, "--reason", "published")
    assert desk.run("carol", "case", "join", opened, desk.finding).exit_code == 5
    end = desk.run("carol", "case", "embargo", "end", opened, "--agrees", owner)
    assert end.exit_code == 5


def test_what_is_refused_says_why(desk: Desk) -> None:
    """An unknown disclosure policy is none; evidence is a file or a digest; times have zones."""
    wrong = desk.run(
        "carol", "case", "open", desk.finding, "--title", "t", "--disclosure", "cvd-90"
    )
    assert (wrong.exit_code, "there are anthropic-cvd-2026" in wrong.output) == (4, True)
    move = ("carol", "case", "move", "case-none", "attacks", "--evidence")
    assert desk.run(*move, str(desk.folder / "nothing")).exit_code == 4
    assert desk.run(*move, "e" * 64).exit_code == 3
    assert (
        desk.run(
            "carol",
            "case",
            "disclosure",
            "case-none",
            "--disclosure",
            "cert-cc-45",
            "--reason",
            "r",
        ).exit_code
        == 3
    )


def test_the_installations_own_disclosure_policies(desk: Desk) -> None:
    """A file beside its examples counts; one whose examples do not hold stops the command."""
    assert "linux-kernel-ai-found" in desk.ok("carol", "case", "disclosures")
    folder = desk.house.folder / "disclosure"
    folder.mkdir()
    shipped = Path(case.__file__).parents[1] / "data" / "disclosure"
    text = (shipped / "cert-cc-45.toml").read_text().replace('"cert-cc-45"', '"ours"')
    (folder / "ours.toml").write_text(text)
    assert "has no ours.examples.toml" in desk.run("carol", "case", "disclosures").output
    examples = (shipped / "cert-cc-45.examples.toml").read_text()
    (folder / "ours.examples.toml").write_text(examples)
    found = desk.json("carol", "case", "disclosures")["disclosures"]
    assert isinstance(found, list)
    assert "ours" in {one["id"] for one in found}
    (folder / "ours.examples.toml").write_text(examples.replace("2027-02-19", "2027-02-20"))
    assert "expected" in desk.run("carol", "case", "disclosures").output
    (folder / "ours.toml").write_text((shipped / "cert-cc-45.toml").read_text())
    assert "is there already" in desk.run("carol", "case", "disclosures").output
    for file in folder.iterdir():
        file.unlink()


def test_the_contact_directory(desk: Desk) -> None:
    """From security.txt, OSV, CSAF, an intake contract and a list; doubts are shown."""
    txt = desk.folder / "security.txt"
    txt.write_text(
        "Contact: mailto:s@canary.example\nExpires: 2020-01-01T00:00:00Z\n"
        "Policy: https://canary.example/policy\n"
    )
    assert desk.run("carol", "project", "add", str(txt)).exit_code == 2
    told = desk.ok("carol", "project", "add", str(txt), "--project", "canary")
    assert "expired 2020-01-01" in told
    assert "expired 2020-01-01" in desk.ok("hugo", "project", "show", "canary")
    osv = desk.folder / "osv.json"
    osv.write_text(json.dumps({"affected": [{"ranges": [{"repo": "https://github.com/a/b"}]}]}))
    csaf = desk.folder / "csaf.json"
    publisher = {"name": "Acme", "contact_details": "p@acme.example"}
    csaf.write_text(json.dumps({"document": {"publisher": publisher}}))
    contract = desk.folder / ".leadline.toml"
    contract.write_text('project = "terms"\ncontact = "t@terms.example"\n')
    listed = desk.folder / "list.toml"
    listed.write_text('[[project]]\nname = "bare"\n')
    files = [str(one) for one in (osv, csaf, contract, listed)]
    assert len(desk.json("carol", "project", "add", *files)["projects"]) == 4  # type: ignore[arg-type] # a list
    assert "bare: no address" in desk.ok("hugo", "project", "list")
    assert len(desk.json("hugo", "project", "list")["projects"]) == 5  # type: ignore[arg-type] # a list
    desk.ok("carol", "project", "answered", "Acme", "--at", "2027-01-01", "--zone", "UTC")
    assert "2027-01-01" in str(desk.json("hugo", "project", "show", "Acme")["answered"])
    for name, text, code in (
        ("nothing.txt", None, 4),
        ("other.pdf", "x", 2),
        ("empty.json", "{}", 2),
        ("phone.txt", "Contact: tel:+1\nExpires: 2030-01-01T00:00:00Z\n", 2),
    ):
        file = desk.folder / name
        if text is not None:
            file.write_text(text)
        done = desk.run("carol", "project", "add", str(file), "--project", "x")
        assert done.exit_code == code, done.output
    assert desk.run("hugo", "project", "add", str(listed)).exit_code == 3
