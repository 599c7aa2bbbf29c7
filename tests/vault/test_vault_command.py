"""`leadline vault`, each person with a session and a key of their own, on the real key service."""

import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import make
import terms_world
from leadline.app import sign_in, vaulting
from leadline.app.sign_in import Caller
from leadline.app.vaulting import Material, Offer
from leadline.cli import main
from leadline.cli.session import keep
from leadline.core.engagement.engagement import Engagement
from leadline.core.record.act import Kind
from leadline.identity.password import Cost, Passwords
from leadline.settings import Home
from leadline.wiring import home as wiring
from leadline.wiring.sign_in import door, register_file, sign_in_with_file

RUN = CliRunner()
QUICK = Passwords(Cost(memory=64, passes=1, lanes=1))
PASSWORD = "a long and quiet sentence"
HERE = Caller("127.0.0.1", "a test")
CONTENT = b"CANARY-91be-weights" * 1000
OWN = Material(make.ENGAGEMENT, make.DEVELOPER, "developer")
WHY = ("--purpose", "assessment")
PEOPLE = {
    "keeper": make.principal("custodian", id_="keeper"),
    "official": make.principal("determining-official", id_="official"),
    "coordinator": make.principal("coordinator", id_="coordinator"),
    "developer": replace(make.developer(), id="developer"),
}


@dataclass
class Office:
    """An installation, and a folder with the session and key file of each person."""

    home: Home
    folder: Path

    def run(self, person: str, *arguments: str | Path) -> Result:
        """What a command answers to *person*."""
        seat = ["--home", self.home.folder, "--session", self.folder / f"{person}.session"]
        return RUN.invoke(main.app, [str(one) for one in (*arguments, *seat)])

    def good(self, person: str, *arguments: str | Path) -> str:
        """Standard output of a command that ends well."""
        result = self.run(person, *arguments)
        assert result.exit_code == 0, result.output
        return result.stdout.strip()

    def enrol(self) -> None:
        """Everybody, with a password and a key, signed in with both; and the engagement."""
        with wiring.opened(self.home) as parts:
            until = wiring.clock() + (make.UNTIL - make.NOW)
            facts = Engagement(
                make.ENGAGEMENT, "us", "digest", make.DEVELOPER, "model", "digest", make.NOW
            )
            with parts.store.write() as tx:
                tx.put(
                    make.ENGAGEMENT,
                    facts,
                    marking=make.marking(),
                    engagement=make.ENGAGEMENT,
                    org=make.DEVELOPER,
                )
                for person in PEOPLE.values():
                    tx.put_principal(replace(person, access_until=until))
            terms_world.agreed(parts.store, wiring.clock())
            for name in PEOPLE:
                at = replace(door(self.home, parts), passwords=QUICK)
                sign_in.set_password(at.opened(name, 3), QUICK.new(PASSWORD))
                acting = at.acting(at.by_password(name, PASSWORD, HERE).token)
                register_file(acting, self.folder / f"{name}.key", "a test's")
                both = sign_in_with_file(at, self.folder / f"{name}.key", HERE, acting.session)
                keep(self.folder / f"{name}.session", both.token)

    def deposit(self, *, sealed: bool) -> str:
        """The id of an artefact that the developer hands in."""
        with wiring.opened(self.home) as parts, parts.store.read() as view:
            developer = view.principal("developer")
        with wiring.opened(self.home) as parts:
            offer = Offer(OWN, make.marking(), sealed, len(CONTENT))
            return vaulting.deposit(parts.context(developer), offer, (CONTENT,)).id

    def sign(self, request: str, *people: str) -> None:
        """Those people sign a request."""
        for person in people:
            key = self.folder / f"{person}.key"
            self.good(person, "approval", "approve", request, "--key", key)

    def acts(self, kind: Kind) -> int:
        """How many acts of a kind there are."""
        with wiring.opened(self.home) as parts, parts.store.read() as view:
            return len(view.acts(kind=kind))


@pytest.fixture(scope="module")
def enrolled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an installation and everybody's seats; each test gets a copy."""
    folder = tmp_path_factory.mktemp("office")
    found = Office(Home(folder / "home"), folder)
    wiring.make(found.home)
    found.enrol()
    return folder


@pytest.fixture
def office(enrolled: Path, tmp_path: Path) -> Office:
    """With everybody signed in."""
    shutil.copytree(enrolled, tmp_path / "office")
    return Office(Home(tmp_path / "office" / "home"), tmp_path / "office")


def test_a_sealed_artefact_opens_for_three_signatures_and_is_listed(office: Office) -> None:
    """Asked, refused, signed, opened once, and found by who looks at the openings."""
    artefact, out = office.deposit(sealed=True), office.folder / "plain"
    told = office.good("keeper", "vault", "ask", artefact, "--purpose", "assessment")
    request = told.partition(":")[0]
    assert office.run("keeper", "vault", "unseal", request, "--out", out).exit_code == 3
    office.sign(request, "keeper", "official", "coordinator")
    office.good("keeper", "vault", "unseal", request, "--out", out)
    assert out.read_bytes() == CONTENT
    assert out.stat().st_mode & 0o777 == 0o600
    more = office.folder / "more"
    assert office.run("keeper", "vault", "unseal", request, "--out", more).exit_code == 5
    assert not more.exists()
    listed = json.loads(office.good("keeper", "vault", "openings", make.ENGAGEMENT, "--json"))
    assert [one["actor"] for one in listed["openings"]] == ["keeper"]
    assert "keeper" in office.good("keeper", "vault", "openings", make.ENGAGEMENT)
    assert office.run("keeper", "vault", "read", artefact, "--out", more, *WHY).exit_code == 5


def test_working_content_is_read_into_a_new_file(office: Office) -> None:
    """Never over one that is there."""
    artefact, out = office.deposit(sealed=False), office.folder / "plain"
    office.good("keeper", "vault", "read", artefact, "--out", out, *WHY)
    assert out.read_bytes() == CONTENT
    assert office.run("keeper", "vault", "read", artefact, "--out", out, *WHY).exit_code == 5
    assert office.run("keeper", "vault", "read", "artefact-none", "--out", out, *WHY).exit_code == 4


def test_keys_are_rotated_and_attested(office: Office) -> None:
    """The driver says whom it does not protect from."""
    office.deposit(sealed=True)
    assert office.good("keeper", "vault", "rotate", make.ENGAGEMENT) == "epoch 2"
    assert "no protection from the operator" in office.good(
        "keeper", "vault", "attest", make.ENGAGEMENT
    )
    assert office.run("keeper", "vault", "rotate", make.ENGAGEMENT, "--owner", "x").exit_code == 2
    assert office.run("keeper", "vault", "rotate", "none").exit_code == 4


def test_a_hold_stops_shredding_until_it_is_lifted(office: Office) -> None:
    """The refusal names the authority; the receipt claims no proof."""
    office.deposit(sealed=True)
    placed = office.good("keeper", "vault", "hold", make.ENGAGEMENT, "--authority", "order 27-0042")
    hold = placed.partition(":")[0]
    office.good(
        "keeper",
        "vault",
        "hold",
        make.ENGAGEMENT,
        "--authority",
        "schedule 020",
        "--owner",
        "agency",
        "--until",
        "2030-01-01",
    )
    shred = ["vault", "shred", make.ENGAGEMENT, "--yes"]
    refused = office.run("developer", *shred)
    assert (refused.exit_code, "order 27-0042" in refused.output) == (5, True)
    assert office.acts(Kind.SHREDDING_REFUSED) == 1
    office.good(
        "official", "vault", "lift", make.ENGAGEMENT, hold, "--authority", "order of 2027-03-02"
    )
    kept = json.loads(office.good("keeper", "vault", "holds", make.ENGAGEMENT, "--json"))
    assert [one["lifted"] is None for one in kept["holds"]].count(True) == 1
    assert "stands" in office.good("keeper", "vault", "holds", make.ENGAGEMENT)
    receipt = office.good("developer", *shred)
    assert "Evidenced deletion" in receipt
    assert "proof" not in receipt
    again = json.loads(office.good("developer", *shred, "--json"))
    assert again["ended"]
    assert office.acts(Kind.MATERIAL_SHREDDED) == 1
    for path in office.home.folder.rglob("*"):
        assert not path.is_file() or b"CANARY-91be" not in path.read_bytes()


def test_the_custodian_shreds_on_a_signed_request(office: Office) -> None:
    """Asked for with a reason; not both asked for and named."""
    office.deposit(sealed=True)
    shred = ["vault", "shred", make.ENGAGEMENT]
    request = office.good("keeper", *shred, "--ask", "the terms have ended")
    both = ["--ask", "x", "--request", request]
    assert office.run("keeper", *shred, *both).exit_code == 2
    office.sign(request, "official", "coordinator")
    assert "Evidenced" in office.good("keeper", *shred, "--request", request, "--yes")


def test_destroying_asks_first(office: Office) -> None:
    """Without a yes nothing happens."""
    office.deposit(sealed=True)
    assert office.run("developer", "vault", "shred", make.ENGAGEMENT).exit_code == 1
    assert office.acts(Kind.MATERIAL_SHREDDED) == 0
