"""An inquiry through the desk: who would see it, that it is sent, and its answer."""

from datetime import timedelta

import pytest

import make
from desk_world import DeskWorld
from leadline.access import cedar
from leadline.app import audience as views
from leadline.app import engagement as desk
from leadline.app import inquiry as use
from leadline.core.access import Action
from leadline.core.engagement.determination import Answer
from leadline.core.engagement.inquiry import Inquiry, Question
from leadline.core.errors import Denied, Invalid, NotFound, Refused
from leadline.core.grant import Grant, Scope
from leadline.core.record.act import Kind

ROLES = cedar.shipped().roles
ASKED = Inquiry().saying(Question.MODEL, "small-model").saying(Question.STAGE, "unknown")


@pytest.fixture
def world() -> DeskWorld:
    """Everybody, and a draft."""
    return DeskWorld()


def answered(world: DeskWorld, reason: str = "nothing was measured yet") -> None:
    """The official's dated, signed answer."""
    facts = desk.inquiry_facts(Answer.UNDETERMINED, reason)
    thing = world.on.resource()
    granted = world.signed("official", Action.INQUIRY_ANSWER, thing, facts)
    desk.answer_inquiry(world.at("official"), world.on, Answer.UNDETERMINED, reason, granted)


def test_an_inquiry_opens_its_own_draft_and_needs_no_weights(world: DeskWorld) -> None:
    """From nothing: new dealings, a draft without a weights version, and one act with a digest."""
    on = use.fresh(world.at("developer"), world.library, "us-eo-14409")
    act = use.lodge(world.at("developer"), on, ASKED)
    (found,) = use.asked(world.at("colleague"), on)
    assert (found.act, found.at, found.answers) == (act.id, world.now, ())
    assert found.said["model"] == "small-model"
    assert act.detail["question"] == found.digest
    assert "small-model" not in str(act.detail)
    with pytest.raises(NotFound):
        desk.dealings(world.at("rival"), world.library, on.id)


def test_asking_again_is_always_possible_and_each_answer_is_of_its_inquiry(
    world: DeskWorld,
) -> None:
    """The first unanswered for ever, the second answered: dated, by whom, signed, in the log."""
    use.lodge(world.at("developer"), world.on, ASKED)
    world.after(days=3)
    use.lodge(world.at("developer"), world.on, ASKED.saying(Question.PURPOSE, "code"))
    world.after(days=1)
    answered(world)
    first, second = use.asked(world.at("developer"), world.on)
    assert first.answers == ()
    (answer,) = second.answers
    assert (answer.by, answer.answer, answer.at) == ("official", "undetermined", world.now)
    assert answer.reasons == ("nothing was measured yet",)
    assert answer.signed
    assert answer.index > second.index


def test_an_empty_inquiry_asks_nothing(world: DeskWorld) -> None:
    """It is refused with its cure, and nothing changes."""
    before = world.acts()
    on = use.fresh(world.at("developer"), world.library, "us-eo-14409")
    with pytest.raises(Invalid, match="name is enough"):
        use.lodge(world.at("developer"), on, Inquiry())
    assert world.acts() == before


def test_only_the_developers_people_ask(world: DeskWorld) -> None:
    """Nobody of the government does, and nobody of another developer for this one."""
    for person in ("official", "rival", "evaluator"):
        with pytest.raises(Denied):
            use.lodge(world.at(person), world.on, ASKED)
    assert not world.acts(Kind.INQUIRY_LODGED)


def test_after_a_withdrawal_nothing_is_asked_and_nothing_is_shown_again(world: DeskWorld) -> None:
    """What was asked stays on record; a new inquiry is refused."""
    use.lodge(world.at("developer"), world.on, ASKED)
    desk.withdraw(world.at("developer"), world.on)
    with pytest.raises(Refused):
        use.lodge(world.at("developer"), world.on, ASKED)
    assert len(use.asked(world.at("developer"), world.on)) == 1


def test_a_regime_without_effect_begins_nothing(world: DeskWorld) -> None:
    """An unknown one is not found."""
    with pytest.raises(NotFound, match="no regime"):
        use.fresh(world.at("developer"), world.library, "us-nowhere")


def test_the_audience_is_what_the_rules_say(world: DeskWorld) -> None:
    """Those named, the own people and the auditor; not the rival, the partner or the operator."""
    with world.store.write() as tx:
        soon = world.now + timedelta(days=2)
        grant = Grant("officer", Scope.ENGAGEMENT, make.ENGAGEMENT, soon, "admin", world.now)
        tx.put(grant.id, grant, marking=make.marking())
    found = views.audience(world.at("developer"), ROLES, world.on)
    by_id = {one.id: one for one in found.viewers}
    assert {"developer", "colleague", "official", "officer", "auditor"} <= set(by_id)
    assert not {"rival", "operator", "partner"} & set(by_id)
    assert "may answer" in by_id["official"].may
    assert "may answer" not in by_id["auditor"].may
    assert by_id["officer"].until == soon
    assert by_id["auditor"].until == make.UNTIL
    assert found.marking == "TLP:AMBER+STRICT"
    kinds = {one.role: one for one in found.kinds}
    assert kinds["determining-official"].named
    assert not kinds["determining-official"].anyway
    assert kinds["auditor"].anyway
    assert "developer" not in kinds
    assert "operator" not in kinds


def test_the_audience_agrees_with_what_each_can_then_do(world: DeskWorld) -> None:
    """Whoever is listed as reading it can read it, and nobody else."""
    use.lodge(world.at("developer"), world.on, ASKED)
    found = views.audience(world.at("developer"), ROLES, world.on)
    readers = {one.id for one in found.viewers if "reads what you say" in one.may}
    with world.store.read() as view:
        everybody = [one.id for one in view.principals()]
    for person in everybody:
        if person in readers:
            assert use.asked(world.at(person), world.on)
        else:
            with pytest.raises(Denied):
                use.asked(world.at(person), world.on)


def test_files_have_an_audience_of_their_own(world: DeskWorld) -> None:
    """An evaluator reads files; the programme officer does not."""
    found = views.audience(world.at("developer"), ROLES, world.on, files=True)
    by_id = {one.id: one.may for one in found.viewers}
    assert "reads the files" in by_id["evaluator"]
    assert "reads the files" not in by_id["officer"]
    with pytest.raises(Denied):
        views.audience(world.at("official"), ROLES, world.on)
