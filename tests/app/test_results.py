"""Results reach named persons only, with receipts; everything else is refused and on record."""

import base64
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

import make
from desk_world import DeskWorld
from leadline.app import engagement as desk
from leadline.app import partners
from leadline.app import results as use
from leadline.app import terms as app_terms
from leadline.app.assertion import Signed
from leadline.app.results import Parcel
from leadline.app.vaulting import Material, Offer, deposit
from leadline.core.engagement.partner import Partner, Stage
from leadline.core.engagement.result import Result
from leadline.core.errors import Denied, Invalid, NotFound, Refused
from leadline.core.record.act import Kind
from vault_world import World

CONTENT = b"7 of 9 solved"


@pytest.fixture
def world() -> DeskWorld:
    """Open access under terms that cover assessment."""
    made = DeskWorld()
    made.open_access()
    return made


def parcel(world: DeskWorld, *to: str, days: float = 5, purpose: str = "assessment") -> Parcel:
    """Something for these people."""
    return Parcel("interim figures", to, world.now + timedelta(days=days), purpose)


def sent(world: DeskWorld, *to: str, by: str = "evaluator") -> list[str]:
    """The ids of what was sent."""
    return [one.id for one in use.send(world.at(by), world.on, CONTENT, parcel(world, *to))]


def test_each_recipient_reads_its_own_and_the_developer_sees_who_did(world: DeskWorld) -> None:
    """Two recipients, two entries, two receipts; nothing of the content stands in the acts."""
    mine, theirs = sent(world, "developer", "official")
    world.after(hours=1)
    result, content = use.read(world.at("official"), theirs, "assessment")
    assert (content, result.recipient) == (CONTENT, "official")
    assert [one.id for one in use.listed(world.at("developer"))] == [mine]
    assert [one.id for one in use.listed(world.at("official"))] == [theirs]
    assert use.listed(world.at("colleague")) == []
    first, second = sorted(
        use.receipts(world.at("colleague"), world.on), key=lambda one: one.result.recipient
    )
    assert (first.reads, first.refused, first.recalled) == ((), (), None)
    assert [(one.at, one.who, one.purpose) for one in second.reads] == [
        (world.now, "official", "assessment")
    ]
    (act, _) = world.acts(Kind.RESULT_SENT)
    assert act.detail["until"] == "2027-03-06T09:30:00.000000Z"
    assert "solved" not in str([one.detail for one in world.acts()])
    assert world.acts(Kind.RESULT_READ)[0].detail["terms"] == result.terms != ""


def test_whoever_is_no_recipient_learns_nothing(world: DeskWorld) -> None:
    """The same words as for what is not there, from every other person; the developer sees it."""
    (id_,) = sent(world, "official")
    for person in ("developer", "colleague", "rival", "partner", "evaluator", "auditor"):
        with pytest.raises(NotFound) as there:
            use.read(world.at(person), id_, "assessment")
        with pytest.raises(NotFound) as absent:
            use.read(world.at(person), "result-none", "assessment")
        assert str(there.value).replace(id_, "X") == str(absent.value).replace("result-none", "X")
    (found,) = use.receipts(world.at("developer"), world.on)
    assert {one.who for one in found.refused} >= {"rival", "partner", "evaluator"}
    assert not world.acts(Kind.RESULT_READ)


@pytest.mark.parametrize(
    ("meanwhile", "purpose", "why"),
    [
        (lambda world: world.after(days=5), "assessment", "time ended"),
        (lambda world: world.after(days=5, microseconds=-1), "training", "'training'"),
        (lambda world: None, "weapons", "weapons"),
        (lambda world: desk.withdraw(world.at("developer"), world.on), "assessment", "withdrawn"),
    ],
)
def test_past_its_end_or_outside_the_terms_it_is_refused_and_shown(
    world: DeskWorld, meanwhile: Callable[[DeskWorld], None], purpose: str, why: str
) -> None:
    """A reader past its term, another purpose, one that no terms cover, a withdrawal."""
    (id_,) = sent(world, "official")
    meanwhile(world)
    with pytest.raises(Refused, match=why):
        use.read(world.at("official"), id_, purpose)
    (found,) = use.receipts(world.at("developer"), world.on)
    assert [(one.who, one.purpose) for one in found.refused] == [("official", purpose)]
    (told,) = app_terms.refusals(world.at("developer"), world.on)
    assert why in told.why
    assert not world.acts(Kind.RESULT_READ)


def test_a_recipient_whose_own_access_ended_is_told_from_a_stranger(world: DeskWorld) -> None:
    """It was sent to this person all the same; the receipt says by which rule it is not read."""
    (id_,) = sent(world, "official")
    world.change("official", access_until=world.now)
    for person in ("official", "rival"):
        with pytest.raises(NotFound):
            use.read(world.at(person), id_, "assessment")
    (found,) = use.receipts(world.at("developer"), world.on)
    assert [(one.who, one.why) for one in found.refused] == [
        ("official", "its recipient, who may not read it now: access-ended"),
        ("rival", "no recipient of it"),
    ]
    world.change("official", access_until=world.now + timedelta(days=9), roles=frozenset())
    with pytest.raises(NotFound):
        use.read(world.at("official"), id_, "assessment")
    (found,) = use.receipts(world.at("developer"), world.on)
    assert found.refused[-1].why.endswith("no role lets it")


def test_a_moment_before_its_end_it_is_read(world: DeskWorld) -> None:
    """The end is exclusive."""
    (id_,) = sent(world, "official")
    world.after(days=5, microseconds=-1)
    assert use.read(world.at("official"), id_, "assessment")[1] == CONTENT


def test_a_purpose_that_terms_cover_but_it_was_not_sent_for(world: DeskWorld) -> None:
    """Each result is for one purpose."""
    terms = world.terms(purposes=("assessment", "defence"))
    for person in ("developer", "official"):
        desk.agree_terms(world.at(person), world.on, terms)
    (id_,) = sent(world, "official")
    with pytest.raises(Refused, match="sent for 'assessment'"):
        use.read(world.at("official"), id_, "defence")


def test_a_recall_bites_at_once_and_is_its_senders_alone(world: DeskWorld) -> None:
    """The other side cannot; twice is refused; it works after a withdrawal."""
    (id_,) = sent(world, "official", "developer")[:1]
    with pytest.raises(Refused, match="recalls it"):
        use.recall(world.at("developer"), world.on, id_)
    with pytest.raises(NotFound):
        use.recall(world.at("evaluator"), world.on, "result-none")
    use.recall(world.at("evaluator"), world.on, id_)
    with pytest.raises(Refused, match="recalled"):
        use.read(world.at("official"), id_, "assessment")
    with pytest.raises(Refused, match="already"):
        use.recall(world.at("official"), world.on, id_)
    (own,) = sent(world, "official", by="developer")
    desk.withdraw(world.at("developer"), world.on)
    use.recall(world.at("developer"), world.on, own)
    recalled = {
        one.result.id: one.recalled for one in use.receipts(world.at("developer"), world.on)
    }
    assert recalled[id_] == recalled[own] == world.now


def test_receipts_show_the_government_what_it_sent_itself(world: DeskWorld) -> None:
    """What the developer sent is the developer's; who reads no engagement sees none."""
    sent(world, "official")
    sent(world, "colleague", by="developer")
    assert len(use.receipts(world.at("developer"), world.on)) == 2
    assert len(use.receipts(world.at("coordinator"), world.on)) == 1
    assert use.receipts(world.at("auditor"), world.on) == ()
    with pytest.raises(Denied):
        use.receipts(world.at("partner"), world.on)


@pytest.mark.parametrize(
    ("to", "days", "content", "problem"),
    [
        ((), 5, CONTENT, "name 1 to"),
        (("official", "official"), 5, CONTENT, "each once"),
        (("official", "nobody"), 5, CONTENT, "no person"),
        (("official",), 0, CONTENT, "is past"),
        (("official",), -1, CONTENT, "is past"),
        (("official",), 5, b"", "send 1 to"),
    ],
)
def test_what_cannot_be_sent_changes_nothing(
    world: DeskWorld, to: tuple[str, ...], days: float, content: bytes, problem: str
) -> None:
    """Nobody, somebody twice, an unknown person, an end in the past, nothing at all."""
    before = world.acts()
    with pytest.raises(Invalid, match=problem):
        use.send(world.at("evaluator"), world.on, content, parcel(world, *to, days=days))
    assert world.acts() == before


def test_what_the_vault_has_is_sent_and_its_reading_is_on_record(world: DeskWorld) -> None:
    """An artefact of this engagement; of another one there is none."""
    about = Material(world.on.id, world.on.developer, "agency")
    taken = Offer(about, world.on.resource().marking, sealed=False, bytes_max=99)
    artefact = deposit(world.at("evaluator"), taken, [CONTENT])
    to = parcel(world, "developer")
    (one,) = use.send_artefact(world.at("evaluator"), world.on, artefact.id, to)
    assert use.read(world.at("developer"), one.id, "assessment")[1] == CONTENT
    assert len(world.acts(Kind.ARTEFACT_READ)) == 1
    elsewhere = replace(world.on, id="engagement-other")
    world.change("evaluator", engagements=frozenset({world.on.id, elsewhere.id}))
    for on, id_ in ((elsewhere, artefact.id), (world.on, "artefact-none")):
        with pytest.raises(NotFound):
            use.send_artefact(world.at("evaluator"), on, id_, to)
    with pytest.raises(Denied):
        use.send_artefact(world.at("auditor"), world.on, artefact.id, to)


def test_names_are_short_and_can_be_shown(world: DeskWorld) -> None:
    """Not empty, not endless, no control characters."""
    for name in ("", "x" * 121, "a\nb"):
        with pytest.raises(Invalid, match="name"):
            use.send(
                world.at("evaluator"),
                world.on,
                CONTENT,
                Parcel(name, ("official",), world.now + timedelta(days=1), "assessment"),
            )


def test_a_partner_past_its_end_or_without_a_signature_reads_no_result(world: DeskWorld) -> None:
    """Sent once it signed, read while it stands, and then no more: refused, recorded, shown."""
    on, ends = world.on, world.now + timedelta(days=3)
    stages, org = (Stage(("api",), 1, 1),), "a-utility"
    made = Partner(org, "early", ("target-1",), stages, ends, "government")
    partners.propose(world.at("official"), on, made, "r")
    with pytest.raises(Refused, match="has not agreed to this partner"):
        sent(world, "partner")
    partners.agree(world.at("developer"), on, org, "r")
    with pytest.raises(Refused, match="has not signed the terms"):
        sent(world, "partner")

    def sign(challenge: bytes) -> Signed:
        signature = base64.b64encode(World().key("partner").sign(challenge)).decode()
        return Signed("key-partner", "key", {"signature": signature})

    partners.sign(world.at("partner"), on, sign)
    (id_,) = sent(world, "partner")
    assert use.read(world.at("partner"), id_, "assessment")[1] == CONTENT
    world.now = ends
    with pytest.raises(Refused, match="ended at"):
        use.read(world.at("partner"), id_, "assessment")
    assert app_terms.refusals(world.at("developer"), on)[-1].who == "partner"
    beside = replace(made, organisation=make.PROGRAMME, expires=ends + timedelta(days=1))
    partners.propose(world.at("official"), on, beside, "r")
    assert len(sent(world, "official")) == 1


def test_nothing_is_sent_outside_the_terms(world: DeskWorld) -> None:
    """One recipient that they do not cover, and nobody gets it; recorded; never after an end."""
    with pytest.raises(Refused, match="training"):
        use.send(
            world.at("evaluator"),
            world.on,
            CONTENT,
            parcel(world, "developer", "official", purpose="training"),
        )
    assert not world.acts(Kind.RESULT_SENT)
    assert len(world.acts(Kind.USE_REFUSED)) == 1
    desk.end(world.at("developer"), world.on)
    with pytest.raises(Refused, match="may begin a new one"):
        sent(world, "official")
    with pytest.raises(Denied):
        sent(world, "official", by="auditor")


def test_a_result_knows_its_end() -> None:
    """A time without an offset is refused where it is stored."""
    with pytest.raises(Invalid, match="offset"):
        Result(
            *("r", "e", "d", "p", "n", "0" * 64),
            1,
            make.NOW.replace(tzinfo=None),
            *("assessment", "", make.NOW, "s", "o"),
        )
