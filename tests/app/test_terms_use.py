"""Terms are signed by both sides, checked at every use, and what is refused the developer sees."""

import base64
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from desk_world import DeskWorld
from leadline.app import engagement, terms
from leadline.app.assertion import Signed
from leadline.core.access import Action
from leadline.core.engagement.engagement import Engagement
from leadline.core.engagement.purpose import PRIORITY
from leadline.core.engagement.terms import Priority, Terms
from leadline.core.errors import Denied, Invalid, NotFound, Refused, Tampered
from leadline.core.record.act import Kind
from vault_world import World


@pytest.fixture
def world() -> DeskWorld:
    """A fresh one."""
    return DeskWorld()


def hand(person: str) -> Callable[[bytes], Signed]:
    """What that person's key answers."""

    def sign(challenge: bytes) -> Signed:
        signature = base64.b64encode(World().key(person).sign(challenge)).decode()
        return Signed(f"key-{person}", "key", {"signature": signature})

    return sign


def both(world: DeskWorld, text: Terms) -> None:
    """Developer and official sign the text."""
    for person in ("developer", "official"):
        terms.agree(world.at(person), world.on, text, hand(person))


def used(world: DeskWorld, person: str, purpose: str, **more: timedelta) -> terms.Use:
    """That person uses a result for a purpose."""
    until = world.now + more["within"] if more else None
    return terms.use(world.at(person), world.on, purpose=purpose, what="result-1", until=until)


def test_terms_have_effect_once_both_signed_by_their_own_hand(world: DeskWorld) -> None:
    """Each signature is in the act; what one side signed is offered to the other."""
    first = world.terms()
    changes = terms.agree(world.at("developer"), world.on, first, hand("developer"))
    assert "+ use: u" in changes
    offered = terms.held(world.at("official"), world.on)
    assert offered.effective is None
    assert offered.offered("government") == first
    assert offered.offered("developer") is None
    terms.agree(world.at("official"), world.on, first, hand("official"))
    assert terms.held(world.at("evaluator"), world.on).effective == first
    acts = world.acts(Kind.TERMS_AGREED)
    assert [act.detail["terms"] for act in acts] == [first.digest] * 2
    assert all(str(act.detail["request"]).startswith("request") for act in acts)
    assert world.vault.get(first.digest)


def test_new_terms_replace_the_old_ones_when_both_signed(world: DeskWorld) -> None:
    """Until then the old ones stay in effect; the draft follows what is in effect."""
    blank = terms.draft(world.at("developer"), world.on, 30)
    assert blank.version == 1
    both(world, world.terms())
    second = terms.draft(world.at("official"), world.on, 30)
    assert (second.version, second.replaces) == (2, world.terms().digest)
    second = replace(second, purposes=("assessment", "defence"))
    terms.agree(world.at("official"), world.on, second, hand("official"))
    with pytest.raises(Refused, match="cover assessment, not 'defence'"):
        used(world, "evaluator", "defence")
    changes = terms.agree(world.at("developer"), world.on, second, hand("developer"))
    assert "+ purposes: assessment, defence" in changes
    assert used(world, "evaluator", "defence").terms == second.digest


def test_what_cannot_be_signed_is_refused_and_changes_nothing(world: DeskWorld) -> None:
    """A purpose of the list, an unknown one, the same twice, a wrong follower, what has run out."""
    developer = world.at("developer")
    for wrong, told in (
        (world.terms(purposes=("assessment", "weapons")), "no terms cover 'weapons'"),
        (world.terms(purposes=("anything",)), "is none of"),
        (world.terms(days=0), "expires"),
    ):
        with pytest.raises(Invalid, match=told):
            terms.agree(developer, world.on, wrong, hand("developer"))
    assert world.acts(Kind.TERMS_AGREED, Kind.APPROVAL_ASKED) == []
    both(world, world.terms())
    before = world.acts()
    with pytest.raises(Refused, match="signed these very terms"):
        terms.agree(developer, world.on, world.terms(), hand("developer"))
    with pytest.raises(Refused, match="in effect are terms"):
        terms.agree(developer, world.on, world.terms(days=9), hand("developer"))
    assert world.acts() == before


def test_nobody_signs_for_another_and_nobody_without_the_role(world: DeskWorld) -> None:
    """Another's key is no signature; evaluators, partners and others sign no terms."""
    with pytest.raises((Refused, Tampered, NotFound)):
        terms.agree(world.at("developer"), world.on, world.terms(), hand("colleague"))
    assert world.acts(Kind.TERMS_AGREED) == []
    for person in ("evaluator", "partner", "rival", "auditor"):
        with pytest.raises(Denied):
            terms.agree(world.at(person), world.on, world.terms(), hand(person))


def desk_facts(world: DeskWorld) -> Engagement:
    """The facts of the engagement."""
    with world.store.read() as view:
        return view.get(Engagement, world.on.id).value


def test_what_came_into_effect_while_somebody_signed_is_not_signed_over(world: DeskWorld) -> None:
    """Read, then signed: what changed between is refused, whoever was quicker."""
    mine, theirs = world.terms(), world.terms(days=9)

    def meanwhile(deed: Callable[[], object]) -> Callable[[bytes], Signed]:
        def sign(challenge: bytes) -> Signed:
            deed()
            return hand("developer")(challenge)

        return sign

    quick = world.at("colleague")
    with pytest.raises(Refused, match="signed these very terms already"):
        terms.agree(
            world.at("developer"),
            world.on,
            mine,
            meanwhile(lambda: terms.agree(quick, world.on, mine, hand("colleague"))),
        )
    with pytest.raises(Refused, match="came into effect meanwhile"):
        terms.agree(world.at("developer"), world.on, theirs, meanwhile(lambda: both(world, theirs)))
    assert len(world.acts(Kind.TERMS_AGREED)) == 3
    leave = meanwhile(lambda: engagement.withdraw(quick, world.on))
    after = terms.draft(world.at("developer"), world.on, 9)
    kept = set(world.vault.content)
    with pytest.raises(Refused, match="was withdrawn"):
        terms.agree(world.at("developer"), world.on, after, leave)
    assert len(world.acts(Kind.TERMS_AGREED)) == 3
    assert set(world.vault.content) == kept


def test_a_signature_under_other_terms_is_refused(world: DeskWorld) -> None:
    """What was signed is the digest of the very text."""
    on, text = world.on, world.terms()
    granted = world.signed("developer", Action.TERMS_AGREE, on.resource(), {"terms": text.digest})
    with pytest.raises(Refused, match="signed other words"):
        engagement.agree_terms(world.at("developer"), on, world.terms(days=9), granted)
    with pytest.raises(Refused, match="signed another act"):
        engagement.agree_terms(world.at("colleague"), on, text, granted)
    elsewhere = replace(on, id="engagement-0002")
    facts = replace(desk_facts(world), id=elsewhere.id)
    with world.store.write() as tx:
        tx.put(
            facts.id, facts, marking=on.resource().marking, engagement=facts.id, org=facts.developer
        )
    with pytest.raises(Refused, match="signed another act"):
        engagement.agree_terms(world.at("developer"), elsewhere, text, granted)
    assert world.acts(Kind.TERMS_AGREED) == []
    engagement.agree_terms(world.at("developer"), on, text, granted)
    with pytest.raises(Refused, match="used"):
        engagement.agree_terms(world.at("developer"), on, text, granted)


def test_a_use_carries_purpose_and_terms(world: DeskWorld) -> None:
    """In an act; the reader's own end stands in it."""
    both(world, world.terms())
    found = used(world, "evaluator", "assessment", within=timedelta(days=2))
    (act,) = world.acts(Kind.USE_RECORDED)
    assert act.detail == found.detail()
    assert act.detail["terms"] == world.terms().digest
    assert act.detail["until"] == "2027-03-03T09:30:00.000000Z"


@pytest.mark.parametrize("purpose", ["weapons", "surveillance", "model-training"])
def test_a_disallowed_purpose_is_refused_recorded_and_shown(world: DeskWorld, purpose: str) -> None:
    """Even where both parties wrote it into their terms, past the check of signing."""
    text = world.terms(purposes=("assessment", purpose))
    for person in ("developer", "official"):
        engagement.agree_terms(world.at(person), world.on, text)
    for person in ("evaluator", "official", "developer"):
        with pytest.raises(Refused, match="no terms cover"):
            used(world, person, purpose)
    assert world.acts(Kind.USE_RECORDED) == []
    shown = terms.refusals(world.at("developer"), world.on)
    assert [one.who for one in shown] == ["evaluator", "official", "developer"]
    assert {(one.what, one.purpose) for one in shown} == {("result-1", purpose)}
    assert all("no terms cover" in one.why for one in shown)
    assert shown[0].org != shown[2].org


def test_a_reader_past_its_term_is_refused_recorded_and_shown(world: DeskWorld) -> None:
    """Past the terms' end, past its own, before any terms, and after a withdrawal."""
    with pytest.raises(Refused, match="no terms are in effect"):
        used(world, "evaluator", "assessment")
    both(world, world.terms(days=10))
    with pytest.raises(Refused, match="this reader's time ended"):
        used(world, "evaluator", "assessment", within=timedelta(seconds=-1))
    world.after(days=10)
    with pytest.raises(Refused, match="expired"):
        used(world, "evaluator", "assessment")
    world.after(days=-5)
    engagement.withdraw(world.at("developer"), world.on)
    with pytest.raises(Refused, match="withdrawn"):
        used(world, "evaluator", "assessment")
    assert used(world, "developer", "assessment").terms == world.terms(days=5).digest
    shown = terms.refusals(world.at("developer"), world.on)
    assert [one.who for one in shown] == ["evaluator"] * 4


def test_whom_the_access_rules_refuse_is_shown_as_well(world: DeskWorld) -> None:
    """A partner past its end, a rival who guessed an id: with their organisation and the rule."""
    world.change("partner", access_until=world.now)
    for person in ("partner", "rival"):
        with pytest.raises(NotFound):
            engagement.dealings(world.at(person), world.on.library, world.on.id)
    shown = terms.refusals(world.at("developer"), world.on)
    assert [(one.who, one.org, one.what, one.purpose) for one in shown] == [
        ("partner", "a-utility", f"engagement/{world.on.id}", ""),
        ("rival", "another-developer", f"engagement/{world.on.id}", ""),
    ]
    assert "access rules refuse engagement:read: access-ended" in shown[0].why
    world.change("partner", access_until=world.now + timedelta(days=1))
    with pytest.raises(Denied):
        terms.held(world.at("partner"), world.on)
    last = terms.refusals(world.at("developer"), world.on)[-1]
    assert last.why == "access rules refuse engagement:read: no role reaches there"


def test_priority_use_needs_both_signatures(world: DeskWorld) -> None:
    """One side's signature under it opens nothing."""
    priority = Priority("hospitals only", world.now + timedelta(days=3))
    text = replace(world.terms(), purposes=("assessment", PRIORITY), priority=priority)
    terms.agree(world.at("official"), world.on, text, hand("official"))
    with pytest.raises(Refused, match="no terms are in effect"):
        used(world, "official", PRIORITY)
    terms.agree(world.at("developer"), world.on, text, hand("developer"))
    assert used(world, "official", PRIORITY).terms == text.digest
    world.after(days=3)
    with pytest.raises(Refused, match="priority use that both parties signed ended"):
        used(world, "official", PRIORITY)


def test_a_purpose_is_one_short_word(world: DeskWorld) -> None:
    """What is none is refused before anything is recorded."""
    both(world, world.terms())
    before = world.acts()
    for word in ("", "x" * 81, "a\nb"):
        with pytest.raises(Invalid, match="purpose"):
            used(world, "evaluator", word)
    assert world.acts() == before


def test_refusals_and_terms_are_for_the_parties(world: DeskWorld) -> None:
    """Neither a partner, a rival nor an operator reads them."""
    for person in ("partner", "rival", "operator"):
        with pytest.raises(Denied):
            terms.refusals(world.at(person), world.on)
        with pytest.raises(Denied):
            terms.held(world.at(person), world.on)


def test_destruction_is_dated_once_access_opened(world: DeskWorld) -> None:
    """From the end of access, by the terms' days."""
    both(world, world.terms())
    assert terms.held(world.at("developer"), world.on).destroy_by is None
    world = DeskWorld()
    world.open_access(anchor_days=20)
    found = terms.held(world.at("developer"), world.on)
    assert found.destroy_by == world.now + timedelta(days=20 + 90)


def test_a_text_that_was_not_kept_covers_nothing(world: DeskWorld) -> None:
    """A digest alone, as an older record may have it, is no text to read limits from."""
    for person in ("developer", "official"):
        ctx = world.at(person)
        party = "developer" if person == "developer" else "government"
        ends = "2027-06-01T00:00:00.000000Z"
        with world.store.write() as tx:
            detail = {"party": party, "terms": "ab" * 32, "expires": ends}
            tx.record(ctx.act(Kind.TERMS_AGREED, world.on.id, world.on.id, **detail))
    assert terms.held(world.at("developer"), world.on).effective is None
    with pytest.raises(Refused, match="no terms are in effect"):
        used(world, "evaluator", "assessment")
