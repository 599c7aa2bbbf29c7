"""Sealed packs, from sealing to reveal."""

import statistics
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest

import make
import sealed_world as sw
from fakes import Faulty
from leadline.app import approval, sealed
from leadline.app.context import Context
from leadline.core.alert import Alert
from leadline.core.errors import (
    Denied,
    Invalid,
    LeadlineError,
    NotFound,
    Refused,
    Tampered,
    Unavailable,
)
from leadline.core.record.act import Act, Kind
from leadline.core.sealed.budget import Account
from leadline.core.sealed.pack import Pack, Scheme
from leadline.core.sealed.session import API_MODE
from leadline.formats.sealed_report import measured
from leadline.store.sql import open_store
from leadline.wiring.home import KINDS
from sealed_world import Measure, World

ABSENT = "pack-" + "0" * 32


@pytest.fixture
def world(sqlite_url: str) -> Iterator[World]:
    """An installation over SQLite."""
    with closing(open_store(sqlite_url, kinds=KINDS)) as store:
        yield World(store)


def test_a_sealed_pack_is_run_released_and_revealed(world: World) -> None:
    """Each step leaves its act in order, and what comes out is a band."""
    pack = world.pack(25)
    measure = Measure(18)
    session, told = world.ran(pack, measure)
    released = sealed.release_score(world.ctx("lead"), session.id, sw.limits())
    reveal = sealed.reveal(world.ctx("lead"), session.id)
    assert len(measure.shown) == 25
    assert (reveal.low, reveal.high, released.left) == (80, 90, 4)
    assert reveal.interval_low < 80
    assert reveal.interval_high > 90 or reveal.interval_high == 100
    with world.store.read() as view:
        kinds = [one.act.kind for one in view.acts()]
    order = [
        Kind.PACK_SEALED,
        Kind.PACK_COMMITTED,
        Kind.UNSEALING_AUTHORISED,
        Kind.PACK_UNSEALED,
        Kind.ITEM_EXPOSED,
        Kind.EVIDENCE_SEALED,
        Kind.SCORE_RELEASED,
        Kind.PACK_REVEALED,
    ]
    assert sorted(order, key=kinds.index) == order
    assert kinds.count(Kind.ITEM_EXPOSED) == 25
    assert b"NO HARDWARE PROTECTION" in told.text


def test_api_mode_says_who_can_see_every_prompt(world: World) -> None:
    """The report of such a run carries the sentence, and no such report says that items were secret."""
    _, told = world.ran(world.pack(6), Measure(3), mode="api")
    assert API_MODE.encode() in told.text
    assert b"items were secret" not in told.text.lower()


def test_what_was_shown_stands_in_the_ledger_with_its_act(world: World) -> None:
    """Item, model, host, mode, time and person, once for each item."""
    pack = world.pack(6)
    world.ran(pack, Measure(3))
    ledger = sealed.exposures(world.ctx("keeper"), pack.id)
    assert sorted(one.item for one in ledger) == sorted(pack.items)
    assert {(one.model, one.family, one.host, one.mode, one.at, one.who) for one in ledger} == {
        (sw.MODEL, "family-a", "host-1", "custody", make.NOW, "lead")
    }
    acts = world.acts(Kind.ITEM_EXPOSED)
    assert sorted(str(one["item"]) for one in acts) == sorted(pack.items)


@pytest.mark.parametrize("persisted", [True, False])
def test_nothing_is_shown_unless_the_ledger_holds_it(sqlite_url: str, *, persisted: bool) -> None:
    """Where the ledger's write fails, no item was shown; where it held after all, none is shown again."""
    with closing(open_store(sqlite_url, kinds=KINDS)) as store:
        faulty = Faulty(store)
        world = World(faulty)
        pack, measure = world.pack(6), Measure(3)
        session = sealed.commit(world.ctx("lead"), pack.id, world.plan(), sw.limits())
        runner = world.runner(measure)
        world.unsealed(pack, session, runner)
        faulty.fail_next(persisted=persisted)
        with pytest.raises(Unavailable):
            sealed.run(world.ctx("lead"), session.id, runner, "host-1", sw.limits())
        assert measure.shown == []
        assert len(world.acts(Kind.ITEM_EXPOSED)) == (6 if persisted else 0)
        if persisted:
            with pytest.raises(Refused, match="this session is ran"):
                sealed.run(world.ctx("lead"), session.id, runner, "host-1", sw.limits())
        else:
            sealed.run(world.ctx("lead"), session.id, runner, "host-1", sw.limits())
            assert len(measure.shown) == 6


def test_an_item_asked_for_twice_where_terms_say_once_is_refused_and_an_alert(world: World) -> None:
    """For the same family, before anything is committed; another family may still see it."""
    pack = world.pack(6, once=True)
    world.ran(pack, Measure(3))
    with pytest.raises(Refused, match="second time"):
        sealed.commit(world.ctx("lead"), pack.id, world.plan(), sw.limits())
    assert [alert.kind for alert in world.alerts()] == ["exposure"]
    world.ran(pack, Measure(3), family="family-b")
    assert len(world.acts(Kind.ITEM_EXPOSED)) == 12


def test_two_sessions_prepared_side_by_side_show_an_item_once(world: World) -> None:
    """The ledger decides when the item is to be shown, not when the session was agreed."""
    pack, measure = world.pack(6, once=True), Measure(3)
    sessions = [
        sealed.commit(world.ctx("lead"), pack.id, world.plan(), sw.limits()) for _ in range(2)
    ]
    runners = [world.runner(measure) for _ in sessions]
    for session, runner in zip(sessions, runners, strict=True):
        world.unsealed(pack, session, runner)
    sealed.run(world.ctx("lead"), sessions[0].id, runners[0], "host-1", sw.limits())
    measure.shown.clear()
    with pytest.raises(Refused, match="second time"):
        sealed.run(world.ctx("lead"), sessions[1].id, runners[1], "host-1", sw.limits())
    assert measure.shown == []
    assert [alert.kind for alert in world.alerts()] == ["exposure"]
    assert len(world.acts(Kind.ITEM_EXPOSED)) == 6


def test_items_shown_three_times_to_a_family_leave_the_set(world: World) -> None:
    """Then nothing is left, and the refusal names the rotation."""
    pack = world.pack(6)
    for _ in range(3):
        world.ran(pack, Measure(3))
    with pytest.raises(Refused, match=r"no item .* rotation is due on 2027-05-30"):
        sealed.commit(world.ctx("lead"), pack.id, world.plan(), sw.limits())


def test_a_suspected_leak_retires_an_item_at_once(world: World) -> None:
    """The next run goes without it, and it is an act and an alert."""
    pack = world.pack(6)
    sealed.suspect(world.ctx("keeper"), pack.id, pack.items[2])
    session = sealed.commit(world.ctx("lead"), pack.id, world.plan(), sw.limits())
    assert session.shown == tuple(item for item in pack.items if item != pack.items[2])
    assert [alert.kind for alert in world.alerts()] == ["exposure"]
    assert world.acts(Kind.ITEM_EXPOSED) == [{"item": pack.items[2], "leak": True}]
    with pytest.raises(NotFound, match="no item"):
        sealed.suspect(world.ctx("keeper"), pack.id, "f" * 64)


def test_the_sixth_score_of_a_family_is_refused_until_rotation(world: World) -> None:
    """The refusal is an act, names the day, and rotation on that day begins a new budget."""
    limits = replace(sw.limits(), exposures_max=100)
    pack = world.pack(25)
    for left in (4, 3, 2, 1, 0):
        session, _ = world.ran(pack, Measure(18), limits=limits)
        assert sealed.release_score(world.ctx("lead"), session.id, limits).left == left
    with pytest.raises(Refused, match=r"5 of 5 .* on 2027-05-30"):
        sealed.commit(world.ctx("lead"), pack.id, world.plan(), limits)
    world.ran(pack, Measure(18), limits=limits, family="family-b")
    with pytest.raises(Refused, match="this cycle ends on 2027-05-30"):
        sealed.rotate(world.ctx("keeper"), pack.id, limits)


def test_a_score_that_ran_before_the_budget_was_spent_stays_inside(world: World) -> None:
    """Two runs on the last budget: one score leaves, the other is refused with an act."""
    limits = replace(sw.limits(), runs_max=1)
    pack = world.pack(25)
    first, _ = world.ran(pack, Measure(18))
    second, _ = world.ran(pack, Measure(25))
    sealed.release_score(world.ctx("lead"), first.id, limits)
    with pytest.raises(Refused, match="rotation restores them on"):
        sealed.release_score(world.ctx("lead"), second.id, limits)
    assert [one["used"] for one in world.acts(Kind.SCORE_REFUSED)] == [1]
    assert len(world.acts(Kind.SCORE_RELEASED)) == 1


@pytest.mark.parametrize("persisted", [True, False])
def test_a_release_debits_with_its_act_or_not_at_all(sqlite_url: str, *, persisted: bool) -> None:
    """Whatever the write did, act and debit agree, and one session gives one release."""
    with closing(open_store(sqlite_url, kinds=KINDS)) as store:
        faulty = Faulty(store)
        world = World(faulty)
        pack = world.pack(25)
        session, _ = world.ran(pack, Measure(18))
        faulty.fail_next(persisted=persisted)
        with pytest.raises(Unavailable):
            sealed.release_score(world.ctx("lead"), session.id, sw.limits())
        with store.read() as view:
            used = [row.value.used for row in view.find(Account)]
        assert len(world.acts(Kind.SCORE_RELEASED)) == len(used) == (1 if persisted else 0)
        if persisted:
            with pytest.raises(Refused, match="this session is reported"):
                sealed.release_score(world.ctx("lead"), session.id, sw.limits())
        else:
            assert sealed.release_score(world.ctx("lead"), session.id, sw.limits()).left == 4


def test_a_rotation_takes_a_third_and_begins_anew(world: World) -> None:
    """After the cycle's days; what left is not shown again."""
    pack = world.pack(9)
    world.released(pack, Measure(4))
    world.later(days=90)
    with pytest.raises(Denied, match="access-ended"):
        sealed.rotate(replace_until(world), pack.id, sw.limits())
    after = sealed.rotate(world.ctx("keeper"), pack.id, sw.limits())
    assert (after.cycle, len(after.shown)) == (1, 5)
    session = sealed.commit(world.ctx("lead"), pack.id, world.plan(), sw.limits())
    assert session.shown == after.shown
    assert [one["left"] for one in world.acts(Kind.PACK_ROTATED)] == [5]


def replace_until(world: World) -> Context:
    """The keeper with an access that ended yesterday."""
    ctx = world.ctx("keeper")
    return replace(
        ctx, principal=replace(ctx.principal, access_until=world.now - timedelta(days=1))
    )


def test_an_unsealing_needs_two_others_over_this_very_runner(world: World) -> None:
    """Without approvals, with one, with those for another runner, or used again: nothing opens."""
    pack = world.pack(6)
    session = sealed.commit(world.ctx("lead"), pack.id, world.plan(), sw.limits())
    runner = world.runner(Measure(3))
    runner.prepare(session)
    quote = runner.quote(session.nonce)
    ctx, told = world.ctx("keeper"), measured(quote)
    request = sealed.ask_unsealing(ctx, session.id, told)
    for person in ("keeper", "official"):
        signed = world.signed(person, approval.challenge(request))
        approval.approve(world.ctx(person), request.id, signed)
        with pytest.raises(Denied, match="two-persons"):
            sealed.authorise(ctx, session.id, told, approval.granted(ctx, request.id), sw.limits())
    other = measured(replace(quote, measurement="0" * 64))
    granted = world.granted(session, other.quote)
    with pytest.raises(Refused, match="another session or another runner"):
        sealed.authorise(ctx, session.id, told, granted, sw.limits())
    good = world.granted(session, quote)
    sealed.authorise(ctx, session.id, told, good, sw.limits())
    with pytest.raises(Refused):
        sealed.authorise(ctx, session.id, told, good, sw.limits())
    assert len(world.acts(Kind.UNSEALING_AUTHORISED)) == 1
    assert {alert.kind for alert in world.alerts()} == {"denial"}


def test_shares_that_open_nothing_are_an_alert(world: World) -> None:
    """One share where two are due: refused, recorded, and the right ones still open the pack."""
    pack = world.pack(6)
    session = sealed.commit(world.ctx("lead"), pack.id, world.plan(), sw.limits())
    runner = world.runner(Measure(3))
    runner.prepare(session)
    quote = runner.quote(session.nonce)
    granted = world.granted(session, quote)
    proof = sealed.authorise(world.ctx("keeper"), session.id, measured(quote), granted, sw.limits())
    one = world.passed(pack, session, quote, (0,))
    with pytest.raises(Refused, match="1 of the 2"):
        sealed.release(world.ctx("lead"), session.id, runner, quote, proof, one)
    assert [alert.kind for alert in world.alerts()] == ["unsealing"]
    assert world.acts(Kind.PACK_UNSEALED) == []
    both = world.passed(pack, session, quote)
    sealed.release(world.ctx("lead"), session.id, runner, quote, proof, both)
    assert len(world.acts(Kind.PACK_UNSEALED)) == 1


class Mute:
    """A signer that has been lost."""

    def vkeys(self) -> str:
        """No keys."""
        raise Unavailable("the log's keys are away")

    def sign(self, text: str) -> str:
        """No signature."""
        raise Unavailable("the log's keys are away")


def test_a_lost_log_stops_keys_and_never_a_removal(world: World) -> None:
    """No proof, no unsealing; a leak is still entered and a pack still rotated."""
    pack = world.pack(6)
    session = sealed.commit(world.ctx("lead"), pack.id, world.plan(), sw.limits())
    runner = world.runner(Measure(3))
    runner.prepare(session)
    quote = runner.quote(session.nonce)
    granted = world.granted(session, quote)
    mute = replace(world.ctx("keeper"), signer=Mute())
    with pytest.raises(Unavailable):
        sealed.authorise(mute, session.id, measured(quote), granted, sw.limits())
    assert world.acts(Kind.UNSEALING_AUTHORISED) == []
    sealed.suspect(mute, pack.id, pack.items[0])
    later = replace(mute, clock=lambda: make.NOW + timedelta(days=90))
    assert sealed.rotate(later, pack.id, sw.limits()).cycle == 1


def test_a_reveal_comes_after_the_score_and_rests_on_the_logged_commitment(world: World) -> None:
    """Before the release it is refused; it names the index of the commitment's act."""
    pack = world.pack(6)
    session, _ = world.ran(pack, Measure(3))
    with pytest.raises(Refused, match="the reveal comes after"):
        sealed.reveal(world.ctx("lead"), session.id)
    sealed.release_score(world.ctx("lead"), session.id, sw.limits())
    made = sealed.reveal(world.ctx("lead"), session.id)
    with world.store.read() as view:
        [opened] = view.acts(kind=Kind.PACK_COMMITTED)
    assert made.committed == opened.index
    assert made.seed == bytes(range(32)).hex()


def test_a_report_about_something_else_is_tampering(world: World) -> None:
    """A runner that answers for another session, or whose evidence is not what it says."""
    for changed in ("session", "evidence"):
        pack = world.pack(6)
        session = sealed.commit(world.ctx("lead"), pack.id, world.plan(), sw.limits())
        runner = world.runner(Measure(3))
        world.unsealed(pack, session, runner)
        lying = sw.Lying(runner, changed)
        with pytest.raises(Tampered, match="sealed report"):
            sealed.run(world.ctx("lead"), session.id, lying, "host-1", sw.limits())


def test_an_intake_whose_shares_do_not_fit_is_refused(world: World) -> None:
    """Too few shares, or an id that is not random."""
    id_ = "pack-" + "1" * 32
    sealing = world.sealing(id_, 2)
    items = tuple(item.commitment.hex() for item in sw.items(2))
    intake = sealed.Intake(
        id_,
        sealing.ciphertext,
        items,
        sw.CODE,
        Scheme(),
        sealing.shares,
        sw.SEALED,
        make.ENGAGEMENT,
    )
    for wrong in (replace(intake, shares=sealing.shares[:2]), replace(intake, id="my pack")):
        with pytest.raises(Invalid):
            sealed.seal(world.ctx("keeper"), wrong)
    sealed.seal(world.ctx("keeper"), intake)


def answer(world: World, person: str, id_: str) -> tuple[type[LeadlineError], str]:
    """What *person* is told about a pack, with the id left out."""
    with pytest.raises(LeadlineError) as caught:
        sealed.read(world.ctx(person), id_)
    return type(caught.value), str(caught.value).replace(id_, "ID")


@pytest.mark.parametrize("person", ["developer", "auditor", "official"])
def test_a_hidden_pack_answers_as_one_that_never_was(world: World, person: str) -> None:
    """Same error, same words, same acts and alerts but for the id asked for; no listing shows it."""
    hidden = world.pack(6, hidden=True)
    told = list[tuple[type[LeadlineError], str]]()
    left = list[tuple[list[object], int]]()
    for id_ in (hidden.id, ABSENT):
        with world.store.read() as view:
            acts, alerts = len(view.acts()), len(view.find(Alert))
        told.append(answer(world, person, id_))
        with world.store.read() as view:
            fresh = [shape(one.act, id_) for one in view.acts()[acts:]]
        left.append((fresh, len(world.alerts()) - alerts))
    assert told[0] == told[1] == (NotFound, "no pack ID")
    assert left[0] == left[1]
    assert left[0][1] == 1
    assert sealed.listed(world.ctx(person)) == []


def shape(act: Act, id_: str) -> object:
    """All of an act but what is random or the id that was asked for."""
    detail = {name: value for name, value in act.detail.items() if name != "alert"}
    return act.kind, act.actor, act.about.replace(id_, "ID"), act.engagement, detail


def test_no_act_about_a_hidden_pack_names_it(world: World) -> None:
    """From sealing to reveal: its id stands in no act, approval requests included."""
    pack = world.pack(6, hidden=True)
    session, _ = world.ran(pack, Measure(3))
    sealed.release_score(world.ctx("lead"), session.id, sw.limits())
    sealed.reveal(world.ctx("lead"), session.id)
    with world.store.read() as view:
        told = [str(one.act) for one in view.acts()]
    assert not [one for one in told if pack.id in one]
    assert [one for one in told if pack.pseudonym in one]


@pytest.mark.parametrize("id_", ["", "pack", "pack-XYZ", "x" * 300, "pack-\0", "../pack-00"])
def test_a_name_that_is_none_is_answered_the_same(world: World, id_: str) -> None:
    """Guessed names of any form: not found, with an act and an alert."""
    with pytest.raises(NotFound, match="no pack malformed"):
        sealed.read(world.ctx("developer"), id_)
    assert len(world.alerts()) == 1


def test_a_session_of_a_hidden_pack_is_not_found_either(world: World) -> None:
    """For whoever may not know of the pack, in the words for a session that never was."""
    pack = world.pack(6, hidden=True)
    session = sealed.commit(world.ctx("lead"), pack.id, world.plan(), sw.limits())
    for id_ in (session.id, "session-" + "0" * 32):
        with pytest.raises(NotFound, match=f"no session {id_}"):
            sealed.prove_commitment(world.ctx("developer"), id_)


def test_whoever_may_know_of_a_hidden_pack_reads_and_lists_it(world: World) -> None:
    """The keeper and the lead; an open pack that somebody may not read is denied by name of rule."""
    pack, open_ = world.pack(6, hidden=True), world.pack(6)
    assert sealed.read(world.ctx("lead"), pack.id) == pack
    assert {one.id for one in sealed.listed(world.ctx("keeper"))} == {pack.id, open_.id}
    with pytest.raises(Denied, match="compartments"):
        sealed.read(world.ctx("developer"), open_.id)


def medians(world: World, hidden: Pack, rounds: int) -> tuple[float, float]:
    """Median seconds of an answer about the hidden pack and about an absent one, in turn."""
    spent: dict[str, list[float]] = {hidden.id: [], ABSENT: []}
    for number in range(rounds):
        pair = (hidden.id, ABSENT) if number % 2 else (ABSENT, hidden.id)
        for id_ in pair:
            start = time.perf_counter()
            with pytest.raises(NotFound):
                sealed.read(world.ctx("developer"), id_)
            spent[id_].append(time.perf_counter() - start)
    return statistics.median(spent[hidden.id]), statistics.median(spent[ABSENT])


def test_a_hidden_pack_takes_about_as_long_as_an_absent_one(world: World) -> None:
    """Medians of 150 answers each within a half, for busy machines; the long campaign asks for 5 % in 10,000."""
    first, second = medians(world, world.pack(6, hidden=True), 150)
    assert abs(first - second) / second < 0.5


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_ten_thousand_answers_do_not_tell_hidden_from_absent(world: World) -> None:
    """Medians within 5 %."""
    first, second = medians(world, world.pack(6, hidden=True), 5000)
    assert abs(first - second) / second < 0.05
