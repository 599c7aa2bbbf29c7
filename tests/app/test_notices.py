"""Notices from enrolment to proof: who is told what, when, and what it comes to."""

from dataclasses import fields, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from clearing_values import statement
from clearing_world import name_for
from leadline.app import cases, notices, operators, outbox, shelving
from leadline.app.sign_in import NOBODY
from leadline.core.access import Bounds
from leadline.core.attention import Of
from leadline.core.clearing.advisory import Flaw
from leadline.core.clearing.delivery import Delivery, Evidence, Outcome, Release, Words
from leadline.core.clearing.operator import Bar, Mode, Parcel
from leadline.core.clearing.product import (
    Component,
    Fault,
    Interval,
    Inventory,
    Name,
    Naming,
    Releases,
    package,
)
from leadline.core.clearing.receipt import Answer, Proof, Shown, State
from leadline.core.clearing.tiers import Stage
from leadline.core.errors import Denied, Invalid, NotFound, Refused, Stale
from leadline.core.marking import Marking, Tlp
from leadline.core.record.act import Kind
from operator_world import OPERATORS, TIERS, OperatorWorld, bom, ujson

if TYPE_CHECKING:
    from collections.abc import Callable

AFFECTED, FIXED = "pkg:pypi/ujson@5.1.0", "pkg:pypi/ujson@5.2.0"
OTHER = "pkg:pypi/zlib-ng@1.0"


def world_of_three() -> OperatorWorld:
    """All are vetted; the hospital and the bank are affected, the utility is not; a case is open."""
    world = OperatorWorld()
    for person in OPERATORS:
        world.enrol(person)
    world.give("hospital", AFFECTED, OTHER)
    world.give("utility", OTHER)
    world.give("bank", AFFECTED)
    world.open()
    return world


def test_advance_notice_goes_to_whom_it_concerns_tier_by_tier() -> None:
    """Tier 1 with a match is told three days before; the bank, of tier 3, on the day itself."""
    world = world_of_three()
    with pytest.raises(Refused, match="no moment of publication"):
        world.release(Stage.ADVANCE)
    world.ready(10)
    with pytest.raises(Refused, match="no tier has advance notice now"):
        world.release(Stage.ADVANCE)
    world.after(days=7.5)
    (sent,) = world.release(Stage.ADVANCE)
    assert (sent.operator, sent.tier) == (world.operator["hospital"], "1")
    assert [line.component for line in sent.page.affected] == ["ujson"]
    assert "release 5.2.0" in sent.page.actions[0]
    assert "UTC" in sent.page.actions[0]
    (told,) = notices.listed(world.at("hospital"))
    assert told.row is None
    shown = notices.show(world.at("hospital"), sent.id)
    assert shown.row == sent
    assert notices.listed(world.at("utility")) == ()
    assert not world.release(Stage.ADVANCE)
    world.after(days=3)
    world.publish()
    on_the_day = world.release(Stage.PUBLISHED, ujson())
    assert {one.operator for one in on_the_day} == {
        world.operator["hospital"], world.operator["bank"],
    }  # fmt: skip
    assert len({one.sent for one in on_the_day}) == 1
    with pytest.raises(Refused, match="the case is public"):
        world.release(Stage.ADVANCE)
    with pytest.raises(Refused, match="details follow from"):
        world.release(Stage.DETAILS)
    world.after(days=46)
    name_for(world.inner.world, "screener", world.case)
    assert len(world.release(Stage.DETAILS)) == 2
    found = notices.releases(world.at("screener"), world.case)
    assert [one.stage for one in found] == [
        Stage.ADVANCE, Stage.ADVANCE, Stage.PUBLISHED, Stage.DETAILS,
    ]  # fmt: skip
    assert [one.outcome for one in found[1].considered] == [Outcome.TOLD_BEFORE, Outcome.NO_MATCH]


def test_mitigation_needs_consent_or_attacks() -> None:
    """Only an owner consents, and the page says nothing of what repairs it."""
    world = world_of_three()
    words = Words("Stop the service that reads mail until further notice.", Evidence.REPLAYED)
    with pytest.raises(Refused, match="neither is on record"):
        world.release(Stage.MITIGATION, words=words)
    with pytest.raises(Refused, match="you stand for none"):
        notices.consent(world.at("screener"), world.case)
    notices.consent(world.at("maintainer"), world.case)
    (sent,) = world.release(Stage.MITIGATION, words=words)
    assert sent.page.actions[0] == words.text
    assert "5.2.0" not in str(sent.page)
    with pytest.raises(Refused, match="no repaired release"):
        notices.prove(world.at("hospital"), sent.id, Proof.INVENTORY)


def test_who_takes_no_part_is_told_apart_with_the_reason() -> None:
    """Not vetted, too late, too old, competing, local, ended: each with its own words."""
    world = OperatorWorld()
    world.enrol("hospital", competes=("a-project",))
    world.give("hospital", AFFECTED)
    world.enrol("utility", vetted=False)
    world.give("utility", AFFECTED)
    world.enrol("bank", mode=Mode.LOCAL)
    world.open()
    operators.vet(world.at("screener"), world.operator["utility"], "too late for this case")
    notices.consent(world.at("maintainer"), world.case)
    assert world.release(Stage.MITIGATION) == ()
    (made,) = notices.releases(world.at("screener"), world.case)
    assert {one.operator: one.why for one in made.considered} == {
        world.operator["hospital"]: Bar.COMPETES.value,
        world.operator["utility"]: Bar.NOT_VETTED.value,
    }
    world.publish()
    told = world.release(Stage.PUBLISHED)
    assert len(told) == 3
    local = next(one for one in told if one.operator == world.operator["bank"])
    assert (local.page.affected, local.page.actions[0][:21]) == ((), "Run `leadline match` ")


def test_an_inventory_given_after_the_case_was_opened_counts_for_nothing() -> None:
    """Neither late nor old inventories take part; unknown grants nothing before publication."""
    world = OperatorWorld()
    world.enrol("hospital")
    world.give("hospital", "pkg:pypi/ujson")
    world.enrol("utility")
    world.give("utility", AFFECTED)
    world.after(days=91)
    world.open()
    world.give("hospital", AFFECTED)
    notices.consent(world.at("maintainer"), world.case)
    assert world.release(Stage.MITIGATION) == ()
    (made,) = notices.releases(world.at("screener"), world.case)
    assert [one.why for one in made.considered] == [Bar.TOO_OLD.value] * 2
    world.publish()
    assert [one.operator for one in world.release(Stage.PUBLISHED)] == [
        world.operator["hospital"], world.operator["utility"],
    ]  # fmt: skip


def test_unknown_is_a_question_once_public_and_nothing_before() -> None:
    """A line without a version gets no early notice and a question on publication."""
    world = OperatorWorld()
    world.enrol("hospital")
    world.give("hospital", "pkg:pypi/ujson")
    world.open()
    notices.consent(world.at("maintainer"), world.case)
    assert world.release(Stage.MITIGATION) == ()
    world.publish()
    (asked,) = world.release(Stage.PUBLISHED)
    assert (asked.page.affected, len(asked.page.unknown)) == ((), 1)


def published() -> tuple[OperatorWorld, str]:
    """The hospital was told on publication."""
    world = world_of_three()
    world.publish()
    sent = world.release(Stage.PUBLISHED)
    return world, next(one.id for one in sent if one.operator == world.operator["hospital"])


def test_answers_and_proofs_end_in_verified_applied() -> None:
    """No answer is a state of its own; a word is not a proof; a downgrade is flagged."""
    world, notice = published()
    me = world.at("hospital")
    assert notices.listed(me)[0].receipt.state is State.NO_ANSWER
    with pytest.raises(Invalid, match="why"):
        notices.answer(me, notice, Answer.NOT_APPLICABLE)
    for said, state in (
        (Answer.ACKNOWLEDGED, State.ACKNOWLEDGED),
        (Answer.ACTING, State.ACTING),
        (Answer.APPLIED, State.APPLIED),
    ):
        assert notices.answer(me, notice, said).state is state
    with pytest.raises(Refused, match="given before the notice"):
        notices.prove(me, notice, Proof.INVENTORY)
    given = world.give("hospital", FIXED, OTHER)
    ((receipt, shown, _),) = notices.recheck(world.at("hospital"), given.snapshot.id)
    assert (receipt.state, shown) == (State.VERIFIED, Shown.FIXED)
    assert notices.recheck(world.at("hospital"), given.snapshot.id) == ()
    assert notices.answer(world.at("hospital"), notice, Answer.APPLIED).state is State.VERIFIED
    given = world.give("hospital", AFFECTED)
    ((receipt, shown, why),) = notices.recheck(world.at("hospital"), given.snapshot.id)
    assert (receipt.state, shown) == (State.REVERTED, Shown.AFFECTED)
    assert "ujson" in why
    found = notices.prove(
        world.at("hospital"), notice, Proof.CHECK, "Name: ujson\nVersion: 5.4.0\n"
    )
    assert (found[0].state, found[1]) == (State.VERIFIED, Shown.FIXED)
    found = notices.prove(world.at("hospital"), notice, Proof.ARTEFACT, "a" * 64)
    assert found[1] is Shown.UNKNOWN
    with pytest.raises(Invalid):
        notices.prove(world.at("hospital"), notice, Proof.CHECK, " ")


def test_a_named_artefact_is_a_proof() -> None:
    """The digest that the notice names shows the repair."""
    world = world_of_three()
    world.publish()
    sent = world.release(Stage.PUBLISHED, words=Words(artefacts=("b" * 64,)))
    mine = next(one for one in sent if one.operator == world.operator["bank"])
    assert notices.prove(world.at("bank"), mine.id, Proof.ARTEFACT, "b" * 64)[1] is Shown.FIXED


def test_a_correction_goes_first_to_those_who_were_told() -> None:
    """A changed advisory is corrected before anybody else hears of it; a withdrawn one as well."""
    world, notice = published()
    wider = ujson(flaws=(replace_statement(Interval("2.0", "5.0.0")),))
    with pytest.raises(Refused, match="correct those first"):
        world.release(Stage.PUBLISHED, wider)
    with pytest.raises(Refused, match="nothing to correct"):
        notices.correct(world.at("screener"), world.case, ujson(), "no change")
    world.after(hours=1)
    sent = notices.correct(world.at("screener"), world.case, wider, "5.1.0 is not affected.")
    assert {one.operator for one in sent} == {world.operator["hospital"], world.operator["bank"]}
    mine = next(one for one in sent if one.corrects == notice)
    assert mine.page.heading.startswith("Corrected: an earlier notice concerns you no more")
    with pytest.raises(Refused, match="took the place of this notice"):
        notices.answer(world.at("hospital"), notice, Answer.ACKNOWLEDGED)
    said = notices.answer(world.at("hospital"), mine.id, Answer.ACKNOWLEDGED)
    assert said.state is State.ACKNOWLEDGED
    world.after(hours=1)
    again = notices.correct(
        world.at("screener"), world.case, ujson(withdrawn=True), "It was no flaw."
    )
    assert len(again) == 2
    assert all("It was no flaw." in one.page.touches for one in again)
    with pytest.raises(Invalid):
        notices.correct(world.at("screener"), world.case, ujson(), " ")


def replace_statement(interval: Interval) -> Flaw:
    """The flaw with other affected releases."""
    flaw = ujson().flaws[0]
    return replace(flaw, statements=(statement(affected=Releases((interval,))),))


def test_another_partys_credentials_open_nothing() -> None:
    """An operator reads neither another's notice nor its inventory, and cannot tell them from none."""
    world, notice = published()
    given = world.give("hospital", FIXED)
    other = world.at("utility")
    tries: tuple[Callable[[str], object], ...] = (
        lambda id_: notices.show(other, id_),
        lambda id_: notices.answer(other, id_, Answer.APPLIED),
        lambda id_: notices.prove(other, id_, Proof.INVENTORY),
    )
    for try_ in tries:
        errors = []
        for id_ in (notice, "notice-none"):
            with pytest.raises(NotFound) as error:
                try_(id_)
            errors.append(str(error.value))
        assert errors[0] == errors[1]
    for id_ in (given.snapshot.id, "inventory-none"):
        with pytest.raises(NotFound, match="there is no such thing"):
            operators.inventory(other, id_)
    denied = [one for one in world.inner.world.acts(Kind.ACCESS_DENIED) if one.actor == "utility"]
    assert len(denied) == 8
    for person in ("finder", "maintainer", "downstream", "hospital"):
        with pytest.raises(Denied):
            notices.release(world.at(person), world.case, ujson(), Stage.PUBLISHED)
        with pytest.raises(Denied):
            notices.burn_down(world.at(person), world.case)
        assert notices.burn_downs(world.at(person), [world.case]) == {}
        named = world.case in world.at(person).principal.cases
        assert (world.case in cases.titles(world.at(person), [world.case])) == named
        assert operators.inventories(world.at(person)) == () or person == "hospital"
    assert notices.listed(world.at("clearing-auditor")) == ()
    (mine,) = operators.listed(world.at("hospital"))
    assert mine.enrolment.id == world.operator["hospital"]
    assert len(operators.listed(world.at("screener"))) == 3
    shown = notices.show(world.at("screener"), notice)
    assert shown.row is None


def test_a_refused_act_changes_nothing() -> None:
    """Every refusal leaves state and acts as they were, but for the denial itself."""
    world = world_of_three()
    before = len(world.inner.world.acts())
    with pytest.raises(Refused):
        world.release(Stage.ADVANCE)
    with pytest.raises(Refused):
        world.enrol("hospital")
    with pytest.raises(Stale):
        operators.give(
            world.at("hospital"), bom(OTHER), "x.json", taken=world.now - timedelta(days=2)
        )
    assert len(world.inner.world.acts()) == before


def test_burn_down_counts_operators_once() -> None:
    """Exact for the case's own coordinators, and for others by the auditor's right."""
    world, notice = published()
    world.after(hours=2)
    notices.answer(world.at("hospital"), notice, Answer.APPLIED)
    held = notices.burn_down(world.at("screener"), world.case)
    assert notices.burn_downs(world.at("screener"), [world.case, "case-none"]) == {world.case: held}
    assert cases.titles(world.at("screener"), [world.case, "case-none"]).keys() == {world.case}
    assert held.exact
    assert [(one.told, one.applied) for one in held.points] == [(2, 0), (2, 1)]
    assert sum(one.told for one in held.batches) == 2
    others = notices.burn_down(world.at("clearing-auditor"), world.case)
    assert (others.exact, others.batches) == (False, ())


def test_the_draft_of_a_case_is_found_by_its_id() -> None:
    """Before and after publication; another case's is not."""
    world = world_of_three()
    draft = ujson()
    with world.inner.store.write() as tx:
        tx.put(draft.id, draft, marking=Marking(Tlp.AMBER), bounds=Bounds(case=world.case))
        tx.put("ADV-CLEAR", ujson(id="ADV-CLEAR"), marking=Marking(Tlp.CLEAR))
    me = world.at("screener")
    assert notices.drafted(me, world.case, draft.id) == draft
    for unknown in ("ADV-CLEAR", "ADV-NONE"):
        with pytest.raises(NotFound, match="of this case"):
            notices.drafted(me, world.case, unknown)
    with world.inner.store.write() as tx:
        tx.record(me.act(Kind.ADVISORY_PUBLISHED, "ADV-CLEAR", "", case=world.case))
    assert notices.drafted(me, world.case, "ADV-CLEAR").id == "ADV-CLEAR"


def test_text_that_no_record_holds_is_refused_or_cleaned() -> None:
    """An advisory out of normal form is refused; an inventory is taken and its text cleaned."""
    world = world_of_three()
    world.publish()
    with pytest.raises(Invalid, match="normal form C"):
        world.release(Stage.PUBLISHED, ujson(title="e\u0301"))
    held = Inventory(
        (
            Component(
                "r\ud800", "e\u0301", "1\x00", package("npm", "ns", "p"), "device", "m", "s", "c", "b",
                (Name(package("pypi", "", "q"), "2", Naming.MAPPED, "why"),),
            ),
        ),
        (Fault("1", "odd"),),
    )  # fmt: skip
    assert {one.name for one in fields(Component)} == {
        "ref", "name", "version", "package", "kind", "maker", "site", "comment", "branch", "names",
    }  # fmt: skip
    back = shelving.understood(held)
    (one,) = back.components
    assert (one.ref, one.name, one.version) == ("r?", "\u00e9", "1 ")
    assert replace(one, ref="r\ud800", name="e\u0301", version="1\x00") == held.components[0]
    assert back.faults == held.faults
    assert shelving.understood(back) == back


def test_maps_of_headings() -> None:
    """TOML or JSON, texts only."""
    assert operators.headings_of(b'name = "Ding"', "m") == {"name": "Ding"}
    assert operators.headings_of(b'{"name": "Ding"}', "m") == {"name": "Ding"}
    for wrong in (b'{"name": 1}', b"name = 1", b"{"):
        with pytest.raises(Invalid):
            operators.headings_of(wrong, "m")


def test_tiers_are_published_before_any_case() -> None:
    """Twice is refused; a case that was opened before has none; only coordinators publish."""
    world = OperatorWorld()
    with pytest.raises(Refused, match="in force already"):
        operators.publish_tiers(world.at("screener"), TIERS)
    with pytest.raises(Denied):
        operators.publish_tiers(world.at("hospital"), TIERS)
    other = replace(TIERS, id="other")
    operators.publish_tiers(world.at("screener"), other)
    operators.publish_tiers(world.at("screener"), TIERS)
    with world.inner.store.read() as view, pytest.raises(Refused, match="never set for a case"):
        operators.tiers_before(view, world.now - timedelta(days=9))


def test_an_enrolment_is_vetted_by_others_and_ends_once() -> None:
    """Neither its own people nor anybody twice; an ended one takes no part and may enrol anew."""
    world = OperatorWorld()
    with pytest.raises(Invalid, match="sectors"):
        world.enrol("hospital", sectors=("moon",))
    id_ = world.enrol("hospital")
    screener = world.at("screener")
    with pytest.raises(Refused, match="vetted already"):
        operators.vet(screener, id_, "again")
    with pytest.raises(Invalid, match="grounds"):
        operators.vet(screener, id_, " ")
    world.inner.world.change("screener", org="a-hospital")
    with pytest.raises(Refused, match="another organisation"):
        operators.vet(world.at("screener"), id_, "one of ours")
    world.inner.world.change("screener", org="demonstration-programme")
    for wrong in (b"[]", bom()):
        with pytest.raises(Invalid):
            operators.give(world.at("hospital"), wrong, "x.json")
    with pytest.raises(NotFound):
        operators.end(world.at("utility"), id_, "not mine")
    operators.end(world.at("screener"), id_, "it asked us to")
    with pytest.raises(Refused, match="has ended"):
        operators.end(world.at("hospital"), id_, "again")
    with pytest.raises(Refused, match="your enrolment ended"):
        world.give("hospital", AFFECTED)
    assert world.enrol("hospital") != id_
    world.enrol("utility", mode=Mode.LOCAL)
    with pytest.raises(Refused, match="on your own host"):
        world.give("utility", AFFECTED)
    assert "before it is public" in operators.terms(Mode.LOCAL)


def test_inventories_that_lie_alone_are_sealed_together() -> None:
    """The next reader opens one parcel; what it gets is the same, and a parcel of old ones is left."""
    world = world_of_three()
    ctx = world.at("screener")
    with ctx.store.read() as view:
        held = [one for found in operators.snapshots(view).values() for one in found]
    shelf = shelving.Shelf(ctx.store, ctx.vault, ctx.new_id)
    first = dict(shelf.contents(held, parcel_bytes=1 << 20))
    assert first == {one: ctx.vault.get(one.read) for one in held}
    with ctx.store.read() as view:
        assert view.find(Parcel) == []
    size = sum(map(len, first.values()))
    assert dict(shelf.contents(held, parcel_bytes=size)) == first
    with ctx.store.read() as view:
        (parcel,) = view.find(Parcel)
    assert len(parcel.value.places) == len(held)
    assert dict(shelf.contents(held)) == first
    assert dict(shelf.contents(held[:1])) == {held[0]: first[held[0]]}
    world.publish()
    assert len(world.release(Stage.PUBLISHED)) == 2


def test_a_local_operator_is_corrected_in_its_own_words() -> None:
    """It is told that something changed, and to match again; before anybody was told there is nothing."""
    world = OperatorWorld()
    world.enrol("bank", mode=Mode.LOCAL)
    world.open()
    changed = ujson(flaws=(replace_statement(Interval("2.0", "5.0.0")),))
    with pytest.raises(Refused, match="nobody was told"):
        notices.correct(world.at("screener"), world.case, changed, "a narrower range")
    world.publish()
    (first,) = world.release(Stage.PUBLISHED)
    world.after(hours=1)
    (again,) = notices.correct(world.at("screener"), world.case, changed, "a narrower range")
    assert again.corrects == first.id
    assert again.page.actions[0] == "What changed: a narrower range"
    assert "leadline match" in again.page.actions[1]


def test_an_early_notice_is_corrected_early() -> None:
    """The page that takes its place says no more than its stage may; each opening of it is an act."""
    world = world_of_three()
    notices.consent(world.at("maintainer"), world.case)
    (first,) = world.release(Stage.MITIGATION)
    changed = ujson(flaws=(replace_statement(Interval("2.0", "5.1.5")),))
    world.after(hours=1)
    (again,) = notices.correct(world.at("screener"), world.case, changed, "a narrower range")
    assert again.stage is Stage.MITIGATION
    assert "5.2.0" not in str(again.page)
    for _ in range(2):
        notices.show(world.at("hospital"), again.id)
    opened = world.inner.world.acts(Kind.NOTICE_OPENED)
    assert [one.about for one in opened] == [again.id] * 2
    world.publish()
    told = world.release(Stage.PUBLISHED, changed)
    late = next(one for one in told if one.operator == world.operator["hospital"])
    for _ in range(2):
        notices.show(world.at("hospital"), late.id)
    assert len(world.inner.world.acts(Kind.NOTICE_OPENED)) == 3
    assert first.id != again.id


def test_an_early_notice_is_proved_by_asking() -> None:
    """Giving an inventory answers nothing about what is not public; asking does."""
    world = world_of_three()
    world.ready(2)
    (early,) = world.release(Stage.ADVANCE)
    given = world.give("hospital", FIXED)
    assert notices.recheck(world.at("hospital"), given.snapshot.id) == ()
    receipt, shown, _ = notices.prove(world.at("hospital"), early.id, Proof.INVENTORY)
    assert (receipt.state, shown) == (State.VERIFIED, Shown.FIXED)


def test_a_release_that_was_overtaken_writes_nothing() -> None:
    """The second of two at once is refused, whole."""
    world, _ = published()
    (made,) = notices.releases(world.at("screener"), world.case)
    before = len(world.inner.world.acts())
    with pytest.raises(Stale, match="meanwhile"):
        notices._send(world.at("screener"), made, (), [])
    assert len(world.inner.world.acts()) == before


@pytest.mark.parametrize("after", [0, 1])
def test_a_release_that_dies_in_the_middle_leaves_nothing(
    after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Called again it tells everybody, once; a third time nobody."""
    world = world_of_three()
    world.publish()
    real, written = notices._deliver, [0]

    def dies(*args: Any) -> int:
        if written[0] == after:
            raise KeyboardInterrupt
        written[0] += 1
        return real(*args)

    before = len(world.inner.world.acts())
    with monkeypatch.context() as broken:
        broken.setattr(notices, "_deliver", dies)
        with pytest.raises(KeyboardInterrupt):
            world.release(Stage.PUBLISHED)
    assert len(world.inner.world.acts()) == before
    with world.inner.store.read() as view:
        assert view.find(Delivery) == []
        assert view.find(Release) == []
    told = [one.operator for one in world.release(Stage.PUBLISHED)]
    assert sorted(told) == sorted({world.operator["hospital"], world.operator["bank"]})
    assert world.release(Stage.PUBLISHED) == ()
    assert len(world.inner.world.acts(Kind.NOTICE_SENT)) == 2


def test_a_notice_stands_in_the_inboxes_of_its_readers_and_of_nobody_else() -> None:
    """When it came, and when it was corrected; the act of the release itself tells nobody."""
    world, notice = published()
    own = replace(world.at("screener"), principal=NOBODY)

    def gathered(person: str) -> list[tuple[str, str]]:
        while outbox.gather(own, lambda one: world.at(one.id)):
            pass
        found = outbox.inbox(world.at(person))
        return [(one.item.words, one.item.event.thing) for one in found if of_notice(one)]

    def of_notice(one: outbox.Entry) -> bool:
        assert one.known
        return one.item.event.of is Of.NOTICE

    assert gathered("hospital") == [("A notice came", notice)]
    for other in ("utility", "screener", "maintainer", "clearing-auditor"):
        assert gathered(other) == []
    world.after(hours=1)
    changed = ujson(flaws=(replace_statement(Interval("2.0", "5.1.5")),))
    (again,) = (
        one
        for one in notices.correct(world.at("screener"), world.case, changed, "narrower")
        if one.corrects == notice
    )
    own = replace(world.at("screener"), principal=NOBODY)
    assert gathered("hospital") == [
        ("A notice came", again.id),
        ("A notice was corrected", notice),
        ("A notice came", notice),
    ]


def test_many_receipts_are_read_at_once() -> None:
    """Of several notices in one question; what comes out of each is the same."""
    world, notice = published()
    notices.answer(world.at("hospital"), notice, Answer.ACTING)
    with world.inner.store.read() as view:
        few = notices.receipts_of(view, [notice])
        many = notices.receipts_of(view, [notice, *(f"none-{at}" for at in range(60))])
    assert few == many
    assert few[notice].state is State.ACTING
