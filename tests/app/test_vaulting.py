"""The vault's use cases: what adds power waits for two others and a proof, what takes it away does not."""

import base64
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256

import pytest

import make
import terms_world
from fake_vault import FaultyKeyStore
from fakes import Faulty, MemorySigner, MemoryStore, MemoryVault
from leadline.access import cedar
from leadline.app import approval, vaulting
from leadline.app.assertion import Signed
from leadline.app.context import OWN, Context
from leadline.app.ports import Store
from leadline.app.vaulting import Material, Offer
from leadline.core.account import RegisteredKey
from leadline.core.alert import Alert
from leadline.core.approval import Request
from leadline.core.errors import Denied, Invalid, NotFound, Refused, Tampered, Unavailable
from leadline.core.marking import Tlp
from leadline.core.record.act import Act, Kind
from leadline.core.vaulting import EVIDENCED, Basis, Hold, Owner
from leadline.formats import tlog_policy
from leadline.wiring.home import KINDS
from vault_world import World

SHIPPED = cedar.shipped()
ROLES = {
    "custodian": "custodian",
    "official": "determining-official",
    "coordinator": "coordinator",
    "evaluator": "evaluator",
}
CONTENT = b"weights of a model" * 1000


@dataclass
class Office:
    """An installation with four persons of the programme and one of the developer."""

    now: datetime = make.NOW
    signer: MemorySigner = field(default_factory=MemorySigner)
    id_: Callable[[str], str] = field(default_factory=make.ids)
    keys: FaultyKeyStore = field(init=False)
    vault: MemoryVault = field(init=False)
    store: Store = field(init=False)
    faulty: Faulty = field(init=False)

    def __post_init__(self) -> None:
        self.store = MemoryStore(make.blinders(), KINDS)
        self.faulty = Faulty(self.store)

        def roster(id_: str) -> RegisteredKey:
            with self.store.read() as view:
                return view.get(RegisteredKey, id_).value

        def policy() -> tlog_policy.Policy:
            return tlog_policy.alone(self.signer.vkeys())

        self.keys = FaultyKeyStore(lambda: self.now, roster, policy)
        self.vault = MemoryVault(self.keys)
        people = [make.principal(role, id_=name) for name, role in ROLES.items()]
        people.append(replace(make.developer(), id="developer", engagements=frozenset({"none"})))
        with self.store.write() as tx:
            for person in people:
                tx.put_principal(person)
                public = World().key(person.id).public_key().public_bytes_raw()
                text = base64.b64encode(public).decode()
                added = make.NOW - timedelta(days=1)
                key = RegisteredKey(f"key-{person.id}", person.id, "key", text, added)
                tx.put(key.id, key, marking=OWN)
        terms_world.agreed(self.store, make.NOW)

    def at(self, person: str, store: Store | None = None) -> Context:
        """What a use case is given when that person acts now."""
        with self.store.read() as view:
            principal = view.principal(person)
        return Context(
            principal,
            lambda: self.now,
            self.id_,
            store or self.store,
            SHIPPED,
            self.vault,
            self.signer,
            assurance=3,
        )

    def sign(self, request: Request, *people: str) -> str:
        """Those people sign the request; answers its id."""
        for person in people:
            signature = World().key(person).sign(approval.challenge(request))
            evidence = {"signature": base64.b64encode(signature).decode()}
            approval.approve(self.at(person), request.id, Signed(f"key-{person}", "key", evidence))
        return request.id

    def acts(self, kind: Kind) -> list[Act]:
        """All acts of a kind."""
        with self.store.read() as view:
            return [one.act for one in view.acts(kind=kind)]

    def alerts(self, kind: str) -> list[Alert]:
        """All alerts of a kind."""
        with self.store.read() as view:
            return [row.value for row in view.find(Alert) if row.value.kind == kind]

    def withdraw(self) -> None:
        """The developer withdraws: the act alone, as another process writes it."""
        ctx = self.at("developer")
        with self.store.write() as tx:
            tx.record(ctx.act(Kind.ENGAGEMENT_WITHDRAWN, make.ENGAGEMENT, make.ENGAGEMENT))


@pytest.fixture
def office() -> Office:
    """A fresh one."""
    return Office()


def material(owner: Owner = "developer") -> Material:
    """That owner's material of the engagement."""
    return Material(make.ENGAGEMENT, make.DEVELOPER, owner)


def offer(*, sealed: bool = True, bytes_max: int = 1 << 20) -> Offer:
    """The developer's, under TLP:AMBER+STRICT."""
    return Offer(material(), make.marking(Tlp.AMBER_STRICT), sealed, bytes_max, "terms-digest")


def deposited(office: Office, *, sealed: bool = True) -> str:
    """The id of an artefact that the developer handed in."""
    return vaulting.deposit(office.at("developer"), offer(sealed=sealed), (CONTENT,)).id


def asked(office: Office, artefact: str) -> Request:
    """The custodian asks to open it."""
    return vaulting.ask_unsealing(office.at("custodian"), artefact, "assessment")


def test_a_deposit_is_an_act_with_digest_terms_and_owner(office: Office) -> None:
    """And a state value with them."""
    id_ = deposited(office)
    (act,) = office.acts(Kind.ARTEFACT_RECEIVED)
    assert (act.about, act.detail["digest"]) == (id_, sha256(CONTENT).hexdigest())
    assert (act.detail["owner"], act.detail["protection"]) == ("developer", "sealed")
    assert act.detail["terms"] == "terms-digest"


def test_more_than_agreed_leaves_no_artefact(office: Office) -> None:
    """Neither state nor act."""
    with pytest.raises(Invalid):
        vaulting.deposit(office.at("developer"), offer(bytes_max=10), (CONTENT,))
    assert office.acts(Kind.ARTEFACT_RECEIVED) == []


def test_what_is_open_stops_reading_at_the_developers_withdrawal(office: Office) -> None:
    """What was not read yet stays unread, without anybody closing the file."""
    offered = offer(sealed=False, bytes_max=1 << 22)
    content = bytes(3 << 20)
    id_ = vaulting.deposit(office.at("developer"), offered, (content,)).id
    with vaulting.read(office.at("evaluator"), id_, "assessment") as file:
        assert len(file.read(10)) == 10
        office.withdraw()
        with pytest.raises(Refused, match="has ended while it was open"):
            file.read()


def test_reading_working_content_is_an_act_before_a_byte_is_out(office: Office) -> None:
    """If the act cannot be written, nothing is handed out."""
    id_ = deposited(office, sealed=False)
    with vaulting.read(office.at("evaluator"), id_, "assessment") as file:
        assert file.read() == CONTENT
    assert [act.actor for act in office.acts(Kind.ARTEFACT_READ)] == ["evaluator"]
    office.faulty.fail_next(persisted=False)
    with (
        pytest.raises(Unavailable),
        vaulting.read(office.at("evaluator", office.faulty), id_, "assessment"),
    ):
        pytest.fail("a file was handed out")


def test_every_reading_carries_its_purpose_and_the_terms(office: Office) -> None:
    """Of what the developer owns the terms' digest too; of the agency's own its purpose alone."""
    working, sealed = deposited(office, sealed=False), deposited(office)
    terms = terms_world.agreed(office.store, make.NOW, engagement="another")
    with vaulting.read(office.at("evaluator"), working, "assessment"):
        pass
    request = asked(office, sealed)
    office.sign(request, "custodian", "official", "coordinator")
    with vaulting.unseal(office.at("custodian"), request.id):
        pass
    (read,), (opened,) = office.acts(Kind.ARTEFACT_READ), office.acts(Kind.ARTEFACT_UNSEALED)
    for act in (read, opened):
        assert (act.detail["purpose"], act.detail["terms"]) == ("assessment", terms.digest)
    own = Offer(material("agency"), make.marking(), sealed=False, bytes_max=100)
    minutes = vaulting.deposit(office.at("evaluator"), own, (b"minutes",)).id
    with vaulting.read(office.at("evaluator"), minutes, "oversight"):
        pass
    assert "terms" not in office.acts(Kind.ARTEFACT_READ)[-1].detail


def test_a_purpose_outside_the_terms_reads_nothing_and_is_recorded(office: Office) -> None:
    """Working or sealed, the developer's or the agency's own."""
    working, sealed = deposited(office, sealed=False), deposited(office)
    own = Offer(material("agency"), make.marking(), sealed=False, bytes_max=100)
    minutes = vaulting.deposit(office.at("evaluator"), own, (b"minutes",)).id
    for id_, purpose in (
        (working, "weapons"),
        (working, "defence"),
        (minutes, "surveillance"),
        (minutes, "anything"),
    ):
        with pytest.raises(Refused), vaulting.read(office.at("evaluator"), id_, purpose):
            pytest.fail("a file was handed out")
    with pytest.raises(Refused, match="no terms cover"):
        vaulting.ask_unsealing(office.at("custodian"), sealed, "weapons")
    assert office.acts(Kind.ARTEFACT_READ) == []
    told = [(act.detail["what"], act.detail["purpose"]) for act in office.acts(Kind.USE_REFUSED)]
    assert told[0] == (f"artefact/{working}", "weapons")
    assert told[-1] == (f"artefact/{sealed}", "weapons")


def test_signatures_outlive_no_terms(office: Office) -> None:
    """Asked and signed while the terms stood, refused a second after their end."""
    office.now = make.NOW + timedelta(days=365) - timedelta(seconds=1)
    with office.store.write() as tx:
        for name in (*ROLES, "developer"):
            later = office.now + timedelta(days=1)
            tx.put_principal(replace(tx.principal(name), access_until=later))
    request = asked(office, deposited(office))
    office.sign(request, "custodian", "official", "coordinator")
    office.now += timedelta(seconds=2)
    with (
        pytest.raises(Refused, match="the terms expired"),
        vaulting.unseal(office.at("custodian"), request.id),
    ):
        pytest.fail("a file was handed out")
    assert office.acts(Kind.UNSEALING_AUTHORISED) == []
    assert len(office.acts(Kind.USE_REFUSED)) == 1


def test_reading_what_is_sealed_is_refused_and_an_alert(office: Office) -> None:
    """Reading is not unsealing."""
    id_ = deposited(office)
    with pytest.raises(Refused), vaulting.read(office.at("evaluator"), id_, "assessment"):
        pytest.fail("a file was handed out")
    (alert,) = office.alerts("vault")
    assert alert.about == f"artefact/{id_}"


def test_two_others_and_the_requester_unseal_once(office: Office) -> None:
    """The authorisation and the opening are acts; a second opening is refused and an alert."""
    request = asked(office, deposited(office))
    office.sign(request, "custodian", "official", "coordinator")
    with vaulting.unseal(office.at("custodian"), request.id) as file:
        assert file.read() == CONTENT
    (authorised,) = office.acts(Kind.UNSEALING_AUTHORISED)
    assert authorised.detail["approvers"] == ("coordinator", "official")
    (opened,) = office.acts(Kind.ARTEFACT_UNSEALED)
    assert opened.detail["request"] == request.id
    with pytest.raises(Refused), vaulting.unseal(office.at("custodian"), request.id):
        pytest.fail("a file was handed out")
    assert office.alerts("approval")
    (one,) = vaulting.decryptions(office.at("custodian"), material())
    assert (one.act, one.actor, one.digest) == (
        opened.id,
        "custodian",
        sha256(CONTENT).hexdigest(),
    )


@pytest.mark.parametrize(
    "signers",
    [
        (),
        ("custodian",),
        ("custodian", "official"),
        ("official", "coordinator"),
    ],
)
def test_fewer_signatures_open_nothing(office: Office, signers: tuple[str, ...]) -> None:
    """Refused by the rules, which is an act and an alert; the request stays open."""
    request = asked(office, deposited(office))
    office.sign(request, *signers)
    with pytest.raises(Denied), vaulting.unseal(office.at("custodian"), request.id):
        pytest.fail("a file was handed out")
    assert office.acts(Kind.UNSEALING_AUTHORISED) == []
    assert office.alerts("denial")


def test_another_person_cannot_use_the_request(office: Office) -> None:
    """It is the requester's alone."""
    request = asked(office, deposited(office))
    office.sign(request, "custodian", "official", "coordinator")
    with pytest.raises(NotFound), vaulting.unseal(office.at("evaluator"), request.id):
        pytest.fail("a file was handed out")


@pytest.mark.parametrize("persisted", [True, False])
def test_a_key_store_that_fails_opens_nothing_and_uses_the_request_up(
    office: Office, *, persisted: bool
) -> None:
    """The authorisation stands in the record; the opening does not; asking anew is due."""
    request = asked(office, deposited(office))
    office.sign(request, "custodian", "official", "coordinator")
    office.keys.fail_next(persisted=persisted)
    with pytest.raises(Unavailable), vaulting.unseal(office.at("custodian"), request.id):
        pytest.fail("a file was handed out")
    assert len(office.acts(Kind.UNSEALING_AUTHORISED)) == 1
    assert office.acts(Kind.ARTEFACT_UNSEALED) == []
    with pytest.raises(Refused), vaulting.unseal(office.at("custodian"), request.id):
        pytest.fail("a file was handed out")


@pytest.mark.parametrize("writes", range(4))
@pytest.mark.parametrize("persisted", [True, False])
def test_no_opening_without_its_act(office: Office, writes: int, *, persisted: bool) -> None:
    """Whichever write fails, a file is out only if the opening stands in the record."""
    request = asked(office, deposited(office))
    office.sign(request, "custodian", "official", "coordinator")
    office.faulty.fail_after(writes, persisted=persisted)
    out = False
    try:
        with vaulting.unseal(office.at("custodian", office.faulty), request.id) as file:
            out = file.read() == CONTENT
    except Unavailable:
        assert not out
    else:
        assert out
    assert not out or len(office.acts(Kind.ARTEFACT_UNSEALED)) == 1


def test_damaged_ciphertext_is_an_alert(office: Office) -> None:
    """After all signatures counted."""
    request = asked(office, deposited(office))
    office.sign(request, "custodian", "official", "coordinator")
    office.vault.content[sha256(CONTENT).hexdigest()] += b"x"
    with pytest.raises(Tampered), vaulting.unseal(office.at("custodian"), request.id):
        pytest.fail("a file was handed out")
    assert [alert.about for alert in office.alerts("vault")] == ["artefact/artefact-0001"]


def test_withdrawal_ends_everything_of_the_developers_at_once(office: Office) -> None:
    """Signed or not: nothing is received, read or unsealed after it, and every opening is listed."""
    sealed, working = deposited(office), deposited(office, sealed=False)
    first, second = asked(office, sealed), asked(office, sealed)
    for request in (first, second):
        office.sign(request, "custodian", "official", "coordinator")
    with vaulting.unseal(office.at("custodian"), first.id):
        pass
    office.withdraw()
    with (
        pytest.raises(Refused, match="withdrawn"),
        vaulting.unseal(office.at("custodian"), second.id),
    ):
        pytest.fail("a file was handed out")
    with (
        pytest.raises(Refused, match="withdrawn"),
        vaulting.read(office.at("evaluator"), working, "assessment"),
    ):
        pytest.fail("a file was handed out")
    with pytest.raises(Refused, match="withdrawn"):
        deposited(office)
    (one,) = vaulting.end_access(office.at("developer"), office.keys, material())
    assert one.actor == "custodian"
    assert office.keys.ended(make.ENGAGEMENT, "developer")


def test_rotation_is_an_act_and_says_what_it_does_not_do(office: Office) -> None:
    """Epoch and number of keys moved; the content opens as before."""
    id_ = deposited(office)
    office.now += timedelta(minutes=1)
    assert vaulting.rotate(office.at("custodian"), office.keys, material()) == 2
    (act,) = office.acts(Kind.KEY_ROTATED)
    assert (act.detail["epoch"], act.detail["moved"]) == (2, 1)
    assert "keeps it" in str(act.detail["note"])
    request = asked(office, id_)
    office.sign(request, "custodian", "official", "coordinator")
    with vaulting.unseal(office.at("custodian"), request.id) as file:
        assert file.read() == CONTENT


def legal(owner: Owner | None = None, authority: str = "order 27-0042 of a court") -> Hold:
    """A legal hold as a person enters it."""
    return Hold("", "", owner, Basis.LEGAL_HOLD, authority, make.NOW, "")


def schedule(until: datetime, owner: Owner | None = "agency") -> Hold:
    """A records schedule as a person enters it."""
    return Hold("", "", owner, Basis.RECORDS_SCHEDULE, "schedule item 020", make.NOW, "", until)


def test_the_developer_destroys_its_own_and_the_agencys_stays(office: Office) -> None:
    """The receipt names keys, earlier openings and backups, and never says proof of deletion."""
    sealed = deposited(office)
    request = asked(office, sealed)
    office.sign(request, "custodian", "official", "coordinator")
    with vaulting.unseal(office.at("custodian"), request.id):
        pass
    office.vault.put(b"minutes", marking=make.marking(), engagement=make.ENGAGEMENT)
    with office.store.write() as tx:
        made = office.at("custodian").act(Kind.BACKUP_MADE, "backup-1", "", keys=True)
        tx.record(made)
    receipt = vaulting.shred(office.at("developer"), office.keys, material())
    assert receipt.digests == (sha256(CONTENT).hexdigest(),)
    assert [one.driver for one in receipt.destroyed] == ["memory"]
    assert len(receipt.decryptions) == 1
    assert (receipt.backups, receipt.key_copies) == (("backup-1",), ("backup-1",))
    assert (receipt.kept, receipt.ended) == (1, make.NOW)
    assert receipt.statement == EVIDENCED
    assert "Evidenced deletion" in receipt.statement
    assert "proof" not in receipt.statement.lower()
    assert office.vault.get(sha256(b"minutes").hexdigest()) == b"minutes"
    (act,) = office.acts(Kind.MATERIAL_SHREDDED)
    assert act.detail["keys"] == tuple(one.compartment for one in receipt.destroyed)
    assert vaulting.shred(office.at("developer"), office.keys, material()) == receipt
    assert len(office.acts(Kind.MATERIAL_SHREDDED)) == 1


def test_the_custodian_needs_two_others(office: Office) -> None:
    """And the request counts for the owner it names."""
    deposited(office)
    with pytest.raises(Denied):
        vaulting.shred(office.at("custodian"), office.keys, material())
    request = vaulting.ask_shredding(office.at("custodian"), material(), "terms say so")
    office.sign(request, "official", "coordinator")
    with pytest.raises(Refused, match="not for the agency"):
        vaulting.shred(office.at("custodian"), office.keys, material("agency"), request.id)
    receipt = vaulting.shred(office.at("custodian"), office.keys, material(), request.id)
    assert receipt.approvers == ("coordinator", "official")


@pytest.mark.parametrize("owner", [None, "developer"])
def test_a_legal_hold_refuses_naming_the_authority(office: Office, owner: Owner | None) -> None:
    """The refusal is an act; once lifted, the material goes."""
    deposited(office)
    hold = vaulting.place_hold(office.at("custodian"), material(), legal(owner))
    with pytest.raises(Refused, match="order 27-0042 of a court"):
        vaulting.shred(office.at("developer"), office.keys, material())
    (act,) = office.acts(Kind.SHREDDING_REFUSED)
    assert "order 27-0042 of a court" in str(act.detail["reasons"])
    assert office.vault.holdings(make.ENGAGEMENT)
    vaulting.lift_hold(office.at("official"), material(), hold.id, "order of 2027-03-02")
    with pytest.raises(Refused):
        vaulting.lift_hold(office.at("official"), material(), hold.id, "again")
    (kept,) = vaulting.holds(office.at("custodian"), material())
    assert (kept.lifted, kept.lifted_by) == (make.NOW, "official")
    assert vaulting.shred(office.at("developer"), office.keys, material()).ended


def test_a_hold_on_the_agencys_records_does_not_keep_the_developers_material(
    office: Office,
) -> None:
    """Developer material is separated from agency records first."""
    deposited(office)
    vaulting.place_hold(office.at("custodian"), material(), legal("agency"))
    assert vaulting.shred(office.at("developer"), office.keys, material()).ended


def test_agency_records_go_when_their_schedule_says_so_and_two_others_sign(office: Office) -> None:
    """Not without a schedule, not before its end, not on one person's word."""
    office.vault.put(b"minutes", marking=make.marking(), engagement=make.ENGAGEMENT)
    agency = material("agency")

    def signed() -> str:
        request = vaulting.ask_shredding(office.at("custodian"), agency, "retention ended")
        return office.sign(request, "official", "coordinator")

    with pytest.raises(Refused, match="no records schedule"):
        vaulting.shred(office.at("custodian"), office.keys, agency, signed())
    end = make.NOW + timedelta(days=30)
    vaulting.place_hold(office.at("custodian"), agency, schedule(end))
    with pytest.raises(Refused, match="schedule item 020"):
        vaulting.shred(office.at("custodian"), office.keys, agency, signed())
    office.now = end
    with pytest.raises(Refused, match="two others"):
        vaulting.shred(office.at("developer"), office.keys, agency)
    receipt = vaulting.shred(office.at("custodian"), office.keys, agency, signed())
    assert receipt.ended == end
    with pytest.raises(NotFound):
        office.vault.get(sha256(b"minutes").hexdigest())


def test_shredding_that_was_interrupted_is_finished_by_the_next_call(office: Office) -> None:
    """The first write stands, the second fails: the keys are gone, and then it is recorded."""
    deposited(office)
    office.faulty.fail_after(1, persisted=False)
    with pytest.raises(Unavailable):
        vaulting.shred(office.at("developer", office.faulty), office.keys, material())
    assert office.acts(Kind.MATERIAL_SHREDDED) == []
    receipt = vaulting.shred(office.at("developer"), office.keys, material())
    assert receipt.ended
    assert [act.about for act in office.acts(Kind.MATERIAL_SHREDDED)] == [receipt.id]


def test_a_hold_names_its_authority(office: Office) -> None:
    """And nothing is entered without."""
    with pytest.raises(Invalid):
        vaulting.place_hold(office.at("custodian"), material(), legal(authority=" "))
    assert vaulting.holds(office.at("custodian"), material()) == ()
