"""An operator at the command line: enrolled, vetted, told, answering, and the fairness report after it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from clearing_values import finding
from identity.people import HERE, House, house
from leadline.app import cases
from leadline.app.cases import NewParty
from leadline.cli import fairness, inventory, notice, operator
from leadline.cli.session import keep
from leadline.core.access import Bounds
from leadline.core.clearing.coordination import Moved
from leadline.core.clearing.disclosure import Move, Role
from leadline.core.marking import Marking, Tlp
from leadline.formats import csaf_out
from leadline.identity import software_key
from leadline.wiring.home import clock
from leadline.wiring.sign_in import register_file, sign_in_with_file
from operator_world import bom, ujson

NOUNS = {
    "operator": operator.app,
    "inventory": inventory.app,
    "notice": notice.app,
    "fairness": fairness.app,
}
PEOPLE = (
    ("scr", "programme", "coordinator", frozenset({"intake"})),
    ("hos", "a-hospital", "operator", frozenset[str]()),
    ("uti", "a-utility", "operator", frozenset[str]()),
    ("own", "a-project", "maintainer", frozenset[str]()),
    ("aud", "auditors", "auditor", frozenset[str]()),
)
ENROL = ("--name", "The hospital", "--sector", "health", "--contact", "Ask IT.")


@dataclass
class Terminals:
    """A terminal for each person, signed in."""

    house: House
    folder: Path

    def run(self, who: str, noun: str, *arguments: str) -> Result:
        """One command."""
        place = ["--home", str(self.house.folder), "--session", str(self.folder / who)]
        return CliRunner().invoke(NOUNS[noun], [*arguments, *place])

    def ok(self, who: str, noun: str, *arguments: str) -> str:
        """What a command prints that ends well."""
        done = self.run(who, noun, *arguments)
        assert done.exit_code == 0, done.output
        return done.stdout.strip()

    def json(self, who: str, noun: str, *arguments: str) -> Any:
        """The one document that it prints."""
        return json.loads(self.ok(who, noun, *arguments, "--json"))

    def case(self) -> str:
        """A case of one finding, with its owner."""
        self.house.clock.now = clock()
        held = finding()
        with self.house.door.parts.store.write() as tx:
            tx.put(held.id, held, marking=Marking(Tlp.AMBER_STRICT), bounds=Bounds(case="intake"))
        ctx = self.house.ctx("scr")
        made = cases.open_case(ctx, [held.id], title="a case", policy="leadline-default")
        cases.add_party(self.house.ctx("scr"), made, NewParty(Role.OWNER, "owner", person="own"))
        return made

    def file(self, name: str, data: bytes) -> str:
        """A file of this content."""
        place = self.folder / name
        place.write_bytes(data)
        return str(place)


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Terminals]:
    """An installation with everybody signed in, each with a key."""
    with house(tmp_path / "home") as made:
        made.clock.now = clock()
        until = made.clock.now + timedelta(days=50)
        for id_, org, role, named in PEOPLE:
            made.enrol(id_, role, org=org, engagements=frozenset(), cases=named, access_until=until)
            made.password(id_)
            first = made.acting(made.signed_in(id_))
            key = tmp_path / f"{id_}.key"
            software_key.make(key)
            register_file(first, key, "a test")
            keep(tmp_path / id_, sign_in_with_file(made.door, key, HERE, first.session).token)
        yield Terminals(made, tmp_path)


def test_from_enrolment_to_the_fairness_report(at: Terminals) -> None:
    """Enrolled, vetted, inventory, case, mitigation, publication, answer, proof, burn-down, report."""
    operator_id, inventory_id = enrolled(at)
    case = at.case()
    source = ("--advisory", at.file("advisory.json", csaf_out.render(ujson(id="ADV-2027-1"))))
    told_early(at, case, source)
    at.house.clock.now = clock()
    cases.move(at.house.ctx("scr"), case, Moved(Move.PUBLIC, evidence="e" * 64))
    answered_and_proved(at, case, source)
    reported(at, case)
    ended(at, operator_id, inventory_id)


def enrolled(at: Terminals) -> tuple[str, str]:
    """Tiers are published, the hospital is vetted and gave its first inventory."""
    assert "leadline-default" in at.ok("scr", "operator", "tiers", "--publish")
    shown = CliRunner().invoke(operator.app, ["tiers", "--json"])
    assert json.loads(shown.stdout)["tiers"][0]["advance_days"] == 3
    id_ = at.ok("hos", "operator", "enrol", *ENROL)
    assert at.run("hos", "operator", "enrol", *ENROL).exit_code == 5
    assert (
        at.run("uti", "operator", "enrol", *ENROL[:2], "--sector", "moon", *ENROL[4:]).exit_code
        == 2
    )
    assert at.run("hos", "operator", "vet", id_, "--grounds", "I know us").exit_code == 4
    at.ok("scr", "operator", "vet", id_, "--grounds", "spoke to its head of IT")
    (row,) = at.json("scr", "operator", "list")["operators"]
    assert row["state"] == "vetted"
    assert "vetted" in at.ok("hos", "operator", "list")
    first = at.file("first.json", bom("pkg:pypi/ujson@5.1.0", "pkg:npm/left-pad@1.0.0"))
    given = at.json("hos", "inventory", "give", first)
    assert (given["components"], given["advisories"]) == (2, 0)
    assert at.run("hos", "inventory", "give", first, "--taken", "2020-01-01T00:00Z").exit_code == 6
    return id_, str(given["id"])


def told_early(at: Terminals, case: str, source: tuple[str, str]) -> None:
    """Mitigation, with the owner's consent, to its reader alone."""
    assert at.run("scr", "notice", "release", case, "mitigation", *source).exit_code == 5
    at.ok("own", "notice", "consent", case)
    words = ("--words", "Stop the import job.", "--evidence", "replayed")
    told = at.ok("scr", "notice", "release", case, "mitigation", *source, *words)
    assert "1  told" in told
    (listed,) = at.json("hos", "notice", "list")["notices"]
    early = listed["notice"]
    assert "Stop the import job." in at.ok("hos", "notice", "show", early)
    assert "for its operator alone" in at.ok("scr", "notice", "show", early)
    assert at.run("uti", "notice", "show", early).exit_code == 4


def answered_and_proved(at: Terminals, case: str, source: tuple[str, str]) -> None:
    """Told on publication, answered, proved by a new inventory and by a check."""
    made = at.json("scr", "notice", "release", case, "published", *source)
    assert made["outcomes"] == {"told": 1}
    rows = at.json("hos", "notice", "list", case)["notices"]
    mine = rows[-1]["notice"]
    page = at.folder / "page.html"
    at.ok("hos", "notice", "show", mine, "--html", str(page), "--pdf", str(at.folder / "page.pdf"))
    assert "Why you got this" in page.read_text()
    assert at.json("hos", "notice", "show", mine)["sha256"]
    assert at.run("hos", "notice", "answer", mine, "not-applicable").exit_code == 2
    assert at.ok("hos", "notice", "answer", mine, "acting") == "acting"
    second = at.file("second.json", bom("pkg:pypi/ujson@5.2.0"))
    assert f"notice {mine}: verified-applied" in at.ok("hos", "inventory", "give", second)
    output = at.file("output.txt", b"Name: ujson\nVersion: 5.2.0\n")
    assert at.ok("hos", "notice", "prove", mine, "check", "--output", output).startswith("fixed")


def reported(at: Terminals, case: str) -> None:
    """Burn-down and fairness report, whose verifier notices a change."""
    burnt = at.json("scr", "notice", "burn-down", case, "--plot", str(at.folder / "plot"))
    assert burnt["points"][-1]["applied"] == 1
    assert (at.folder / "plot" / "burn-down.svg").read_text().startswith("<svg")
    assert "fewer than 5" in at.ok("aud", "notice", "burn-down", case)
    changed = replace(ujson(id="ADV-2027-1").flaws[0], remedy="Replace ujson by 5.2.1.")
    again = csaf_out.render(ujson(id="ADV-2027-1", flaws=(changed,)))
    correct = (
        "correct",
        case,
        "--advisory",
        at.file("again.json", again),
        "--reason",
        "A better one.",
    )
    assert at.json("scr", "notice", *correct)["outcomes"] == {"corrected": 1}
    out = at.folder / "fairness"
    told = at.ok("aud", "fairness", "report", case, "--out", str(out))
    assert "without: 0" in told
    assert sorted(one.name for one in out.iterdir()) == [
        "fairness.html", "fairness.json", "fairness.pdf",
    ]  # fmt: skip
    key = at.file("keys", at.house.door.parts.signer.vkeys().encode())
    verify = ["verify", str(out / "fairness.json"), "--key", key]
    done = CliRunner().invoke(fairness.app, verify)
    assert done.exit_code == 0, done.output
    assert "every figure follows" in done.stdout
    data = (out / "fairness.json").read_bytes().replace(b'"seconds":0', b'"seconds":1', 1)
    (out / "fairness.json").write_bytes(data)
    assert CliRunner().invoke(fairness.app, verify).exit_code == 8
    public = at.json("scr", "fairness", "report", case, "--public")
    assert public["audience"] == "public"


def ended(at: Terminals, operator_id: str, inventory_id: str) -> None:
    """What was given can be read back; after the end nothing more is taken."""
    lines = at.json("hos", "inventory", "list")["inventories"]
    assert len(lines) == 2
    shown_lines = at.json("hos", "inventory", "show", inventory_id)["lines"]
    assert len(shown_lines) == 2
    assert "left-pad" in at.ok("hos", "inventory", "show", inventory_id)
    at.ok("hos", "operator", "end", operator_id, "--reason", "we closed")
    assert at.run("hos", "inventory", "give", str(at.folder / "second.json")).exit_code == 5


def test_a_table_with_its_own_headings(at: Terminals) -> None:
    """Faults are listed with their place, and what is not understood is counted as unknown."""
    at.ok("uti", "operator", "enrol", "--name", "u", "--sector", "water", "--contact", "c")
    table = at.file("list.csv", b"Ding,Stand\npump controller,1.2\n,\n")
    mapping = at.file("map.toml", b'name = "Ding"\nversion = "Stand"\n')
    told = at.json("uti", "inventory", "give", table, "--map", mapping)
    assert told["unknown"] == told["components"]
    text = at.ok("uti", "inventory", "list")
    assert "list.csv" in text
    broken = at.file("broken.json", b'{"bomFormat": "CycloneDX", "components": 1}')
    assert at.run("uti", "inventory", "give", broken).exit_code == 2
