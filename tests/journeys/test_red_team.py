"""What was done to others in 2026, tried here: each attempt fails, leaves an act, and raises an alert.

One installation on real drivers: SQLite, Cedar, the sealed vault, the signed log. An auditor, who
holds no content, must find every attempt afterwards.
"""

import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

import make
import sealed_world as sw
import terms_world
from identity.people import House, house
from identity.prover import Prover
from leadline.app import alerts, approval, credentials, listing, log, vaulting
from leadline.app.context import Context
from leadline.app.vaulting import Material, Offer
from leadline.core.access import Action
from leadline.core.errors import Denied, LeadlineError, NotFound, Refused, Tampered
from leadline.core.record.act import Kind
from leadline.identity.dpop import Sent
from leadline.identity.software_key import SoftwareKey
from leadline.settings import Home
from leadline.wiring import backup
from leadline.wiring import home as wiring
from leadline.wiring.sign_in import Request

PATH = "/api/v1/engagements"
CONTENT = b"CANARY-91d0 what the developer handed over in confidence"
MATERIAL = Material(make.ENGAGEMENT, make.DEVELOPER, "developer")
PEOPLE = {
    "contractor": "evaluator",
    "keeper": "custodian",
    "official": "determining-official",
    "second": "concurring-official",
    "auditor": "auditor",
    "administrator": "administrator",
}


@dataclass
class Site:
    """A house whose auditor counts what an attempt left."""

    house: House
    keys: dict[str, SoftwareKey] = field(default_factory=dict)

    def ctx(self, id_: str) -> Context:
        """A person, signed in."""
        return self.house.ctx(id_)

    def sign(self, id_: str, request_id: str, challenge: bytes) -> None:
        """The person signs a request."""
        approval.approve(self.ctx(id_), request_id, self.keys[id_].sign(challenge))

    def deposit(self) -> str:
        """One sealed artefact of the developer's."""
        offer = Offer(MATERIAL, make.marking(), sealed=True, bytes_max=1 << 20)
        return vaulting.deposit(self.ctx("developer"), offer, [CONTENT]).id

    @contextmanager
    def attempt(self, *kinds: Kind, alert: str) -> Iterator[None]:
        """What happens inside leaves acts of these kinds, and an alert that the auditor reads."""
        acts_before = len(self.house.kinds())
        known = {one.id for one in alerts.listed(self.ctx("auditor"))}
        yield
        left = self.house.kinds()[acts_before:]
        assert {*kinds, Kind.ALERT_RAISED} <= set(left)
        raised = [one for one in alerts.listed(self.ctx("auditor")) if one.id not in known]
        assert alert in {one.kind for one in raised}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """An installation with one engagement and everybody who works on it."""
    with house(tmp_path / "home") as built:
        # The key service reads its own clock, so that no caller's clock opens anything.
        found, built.clock.now = Site(built), wiring.clock()
        for id_, role in PEOPLE.items():
            built.enrol(id_, role, access_until=built.clock.now + timedelta(days=30))
        built.enrol("developer", "developer", org=make.DEVELOPER)
        built.engagement()
        terms_world.agreed(built.door.parts.store, built.clock.now)
        for id_ in (*PEOPLE, "developer"):
            found.keys[id_] = built.key(id_)
        yield found


def refused(*errors: type[LeadlineError]) -> AbstractContextManager[object]:
    """The attempt ends in one of these."""
    return pytest.raises(errors)


def test_a_contractors_valid_credential_from_elsewhere(site: Site) -> None:
    """The secret alone, and the secret with another machine's key: nobody is let in."""
    prover, now = Prover(), site.house.clock.now
    made = credentials.issue(
        site.ctx("contractor"),
        (Action.ENGAGEMENT_READ,),
        make.ENGAGEMENT,
        f"jkt:{prover.jkt}",
        now + timedelta(days=7),
    )
    sent = Sent("GET", site.house.door.site.origin + PATH, made.secret)
    elsewhere = Request("GET", PATH, Prover().proof(sent, now))
    for request in (Request("GET", PATH), elsewhere):
        with site.attempt(Kind.CREDENTIAL_REFUSED, alert="credential"), refused(Denied):
            site.house.door.acting_with(made.secret, request)
    own = Request("GET", PATH, prover.proof(sent, now))
    found = listing.engagements(site.house.door.acting_with(made.secret, own).ctx)
    assert [one.id for one in found] == [make.ENGAGEMENT]


def test_a_guessed_name(site: Site) -> None:
    """An engagement of others and one that does not exist answer alike, and both are noticed."""
    site.house.engagement("engagement-of-others")
    told = []
    for name in ("engagement-of-others", "engagement-made-up"):
        with (
            site.attempt(Kind.ACCESS_DENIED, alert="denial"),
            pytest.raises(NotFound) as answer,
        ):
            listing.engagement(site.ctx("contractor"), name)
        told.append(str(answer.value).replace(name, "it"))
    assert told[0] == told[1]


def test_a_time_box_a_second_past(site: Site) -> None:
    """At the last instant it opens; at the end of the time-box, nothing."""
    end = site.house.clock.now + timedelta(days=30)
    site.house.clock.now = end - timedelta(seconds=1)
    assert listing.engagement(site.ctx("contractor"), make.ENGAGEMENT).id == make.ENGAGEMENT
    site.house.clock.now = end
    # The auditor's access has ended in the same instant, and is renewed for the finding.
    site.house.enrol("auditor", "auditor", access_until=end + timedelta(days=30))
    with site.attempt(Kind.ACCESS_DENIED, alert="denial"), refused(NotFound, Denied):
        listing.engagement(site.ctx("contractor"), make.ENGAGEMENT)


def test_a_second_approver_equal_to_the_first(site: Site) -> None:
    """One person's two signatures are one; the requester's own is none; with one other it is shut."""
    artefact = site.deposit()
    asked = vaulting.ask_unsealing(site.ctx("keeper"), artefact, "assessment")
    to_sign = approval.challenge(asked)
    for person in ("keeper", "official"):
        site.sign(person, asked.id, to_sign)
    with site.attempt(alert="approval"), refused(Refused):
        site.sign("official", asked.id, to_sign)
    with (
        site.attempt(Kind.ACCESS_DENIED, alert="denial"),
        refused(Denied),
        vaulting.unseal(site.ctx("keeper"), asked.id),
    ):
        pass
    site.sign("second", asked.id, to_sign)
    with vaulting.unseal(site.ctx("keeper"), asked.id) as file:
        assert file.read() == CONTENT
    with (
        site.attempt(alert="approval"),
        refused(Refused),
        vaulting.unseal(site.ctx("keeper"), asked.id),
    ):
        pass


def test_a_sealed_item_asked_for_twice(site: Site) -> None:
    """Terms say one showing: the second is refused before anything is shown."""
    world = sw.World(site.house.door.parts.store, now=site.house.clock.now)
    pack = world.pack(6, once=True)
    measure = sw.Measure(3)
    world.ran(pack, measure)
    measure.shown.clear()
    with site.attempt(alert="exposure"), refused(Refused):
        world.ran(pack, measure)
    assert measure.shown == []
    assert site.house.kinds().count(Kind.ITEM_EXPOSED) == 6


def test_a_bundle_with_a_byte_changed(site: Site, tmp_path: Path) -> None:
    """Handed in as a record, it is refused with the place, and the attempt stands in ours."""
    copy, parts = tmp_path / "backup", site.house.door.parts
    backup.make_backup(Home(site.house.folder), copy)
    vkeys = parts.signer.vkeys()
    log.receive_bundle(site.ctx("auditor"), copy, vkeys)
    target = next(path for path in sorted((copy / "tile").rglob("*")) if path.is_file())
    content = bytearray(target.read_bytes())
    content[len(content) // 2] ^= 1
    target.write_bytes(content)
    with site.attempt(Kind.BUNDLE_REFUSED, alert="bundle"), refused(Tampered):
        log.receive_bundle(site.ctx("auditor"), copy, vkeys)


def test_a_backup_stolen_after_shredding(site: Site, tmp_path: Path) -> None:
    """Put back whole with today's keys, the developer's material opens for nobody, whoever signs."""
    artefact, parts = site.deposit(), site.house.door.parts
    home = Home(site.house.folder)
    backup.make_backup(home, tmp_path / "stolen")
    assert parts.keys is not None
    receipt = vaulting.shred(site.ctx("developer"), parts.keys, MATERIAL)
    assert receipt.backups
    thief = Home(tmp_path / "thief")
    vkeys = tmp_path / "vkeys"
    vkeys.write_text(parts.signer.vkeys())
    backup.restore(tmp_path / "stolen", thief, vkeys)
    shutil.rmtree(thief.keys)
    shutil.copytree(home.keys, thief.keys)
    with wiring.opened(thief) as theirs:
        door = replace(site.house.door, parts=copied(site, theirs))
        stolen = Site(House(door, site.house.clock, thief), site.keys)
        asked = vaulting.ask_unsealing(stolen.ctx("keeper"), artefact, "assessment")
        for person in ("keeper", "official", "second"):
            stolen.sign(person, asked.id, approval.challenge(asked))
        with (
            stolen.attempt(alert="vault"),
            pytest.raises((Refused, NotFound), match="is not here"),
            vaulting.unseal(stolen.ctx("keeper"), asked.id),
        ):
            pass
    assert CONTENT not in b"".join(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())


def copied(site: Site, theirs: wiring.Parts) -> wiring.Parts:
    """The thief's parts at the test's time."""
    return replace(theirs, clock=site.house.clock)
