"""The desk through its functions: two at once, signatures, verdicts as a basis, what is kept."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

import make
from desk_world import MODEL, SUBJECT, DeskWorld
from leadline.app import determinations, exchange
from leadline.app import engagement as desk
from leadline.app.moment import moment
from leadline.app.ports import Stored
from leadline.core.access import Action
from leadline.core.engagement import deciding
from leadline.core.engagement.determination import (
    Answer,
    Determination,
    Outcome,
    Scope,
    Variant,
)
from leadline.core.engagement.library import Library
from leadline.core.engagement.regime import Decider, InForce
from leadline.core.errors import Denied, Invalid, LeadlineError, NotFound, Refused, Stale
from leadline.core.marking import Marking, Tlp
from leadline.core.record.act import Kind
from leadline.store.sql import open_store
from leadline.wiring.desk import library
from leadline.wiring.home import KINDS

SHIPPED = library().newest("us-eo-14409")
QUORUM = replace(
    SHIPPED,
    id="quorum",
    digest="f" * 64,
    supersedes="",
    decides=Decider(
        "determining-official", "body", "sec-3a", 2, ("concurring-official",), reconsiders=True
    ),
)
TEXTS = Library((SHIPPED, QUORUM))
Rows = Sequence[Stored[object]]
FOUND = Determination(
    Scope(MODEL, "w1", SUBJECT.digest, Variant.WITH_SAFEGUARDS),
    Answer.COVERED,
    Outcome.ABOVE,
    "ab" * 32,
    "c",
    0.05,
    0.05,
    "the director",
    make.NOW + timedelta(days=60),
    "new weights",
)


def quorum() -> DeskWorld:
    """A draft under a regime whose quorum is two."""
    return DeskWorld(library=TEXTS, regime="quorum")


def decide(world: DeskWorld, who: str, found: Determination = FOUND) -> str:
    """Record, signed."""
    facts = desk.signed_facts(found)
    granted = world.signed(who, Action.DETERMINATION_RECORD, world.on.resource(), facts)
    return desk.record_determination(world.at(who), world.on, found, granted).id


def propose(world: DeskWorld, who: str = "official", found: Determination = FOUND) -> str:
    """Propose, signed; answers the proposal's digest."""
    facts = desk.signed_facts(found)
    granted = world.signed(who, Action.DETERMINATION_RECORD, world.on.resource(), facts)
    return deciding.digest_of(determinations.propose(world.at(who), world.on, found, granted))


def concur(world: DeskWorld, who: str, proposal: str) -> None:
    """Concur, signed."""
    facts = determinations.concurrence(proposal)
    granted = world.signed(who, Action.DETERMINATION_CONCUR, world.on.resource(), facts)
    determinations.concur(world.at(who), world.on, proposal, granted)


def test_a_signature_is_for_this_very_act() -> None:
    """Another's words, another proposal, a use twice: refused, and nothing is recorded."""
    world = quorum()
    proposal = propose(world)
    thing = world.on.resource()
    facts = determinations.concurrence(proposal)
    granted = world.signed("second-official", Action.DETERMINATION_CONCUR, thing, facts)
    second = world.at("second-official")
    with pytest.raises(Refused, match="other words"):
        determinations.concur(second, world.on, "another", granted)
    with pytest.raises(Refused, match="other words"):
        determinations.dissent(second, world.on, proposal, "reasons", granted)
    with pytest.raises((Denied, Refused)):
        determinations.concur(world.at("third-official"), world.on, proposal, granted)
    determinations.concur(second, world.on, proposal, granted)
    with pytest.raises(Refused, match="already"):
        determinations.concur(second, world.on, proposal, granted)
    answered = desk.inquiry_facts(Answer.COVERED, "why")
    asked = world.signed("official", Action.INQUIRY_ANSWER, thing, answered)
    desk.lodge_inquiry(world.at("developer"), world.on, {"model": MODEL})
    with pytest.raises(Refused, match="other words"):
        desk.answer_inquiry(world.at("official"), world.on, Answer.NOT_COVERED, "why", asked)
    with pytest.raises(Refused, match="another act"):
        desk.answer_inquiry(
            world.at("official"),
            world.on,
            Answer.COVERED,
            "why",
            replace(asked, asserted=False),
        )
    act = desk.answer_inquiry(world.at("official"), world.on, Answer.COVERED, "why", asked)
    assert act.detail["request"] == asked.request.id
    assert act.at == world.now


@pytest.fixture
def shared(database_url: str) -> Iterator[DeskWorld]:
    """The same desk on each database that several may write to at once."""
    with closing(open_store(database_url, kinds=KINDS)) as store:
        world = quorum()
        memory = world.store
        world.store = store
        with memory.read() as view, store.write() as tx:
            for person in view.principals():
                tx.put_principal(person)
            for kind in KINDS:
                rows: Rows = view.find(kind)
                for row in rows:
                    tx.put(
                        row.id,
                        row.value,
                        marking=row.marking,
                        engagement=row.engagement,
                        org=row.org,
                        bounds=row.bounds,
                    )
        yield world


def test_of_two_officials_at_once_one_is_refused(shared: DeskWorld) -> None:
    """Both ready to record, both at the same moment: one act, and one clear refusal."""
    shared.enrol(make.principal("determining-official", id_="deputy", org=make.PROGRAMME))
    concur(shared, "second-official", propose(shared))
    told = dict[str, str]()
    ready = threading.Barrier(2)
    thing, facts = shared.on.resource(), desk.signed_facts(FOUND)
    granted = {
        who: shared.signed(who, Action.DETERMINATION_RECORD, thing, facts)
        for who in ("official", "deputy")
    }

    def attempt(who: str) -> None:
        ready.wait()
        try:
            told[who] = desk.record_determination(
                shared.at(who), shared.on, FOUND, granted[who]
            ).kind.value
        except (Refused, Stale) as error:
            told[who] = str(error)

    threads = [threading.Thread(target=attempt, args=(who,)) for who in granted]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told.values()) == [
        "determination.recorded",
        "this very determination is recorded already",
    ]
    assert len(shared.acts(Kind.DETERMINATION_RECORDED)) == 1


def test_a_withdrawal_at_once_with_others_acts_is_recorded_and_nothing_of_theirs_after_it(
    shared: DeskWorld,
) -> None:
    """Whoever is first: the developer waits for nobody, and nobody comes after."""
    concur(shared, "second-official", propose(shared))
    thing, text = shared.on.resource(), shared.terms()
    decides = shared.signed(
        "official", Action.DETERMINATION_RECORD, thing, desk.signed_facts(FOUND)
    )
    signs = shared.signed("official", Action.TERMS_AGREE, thing, {"terms": text.digest})
    deeds = (
        lambda: desk.record_determination(shared.at("official"), shared.on, FOUND, decides),
        lambda: desk.withdraw(shared.at("developer"), shared.on),
        lambda: desk.agree_terms(shared.at("official"), shared.on, text, signs),
        lambda: exchange.ask(shared.at("evaluator"), shared.on, "a question"),
    )
    ready, told = threading.Barrier(len(deeds)), list[str]()

    def attempt(number: int) -> None:
        ready.wait()
        try:
            told.append(deeds[number]().kind.value)
        except (Refused, Stale) as error:
            told.append(str(error))

    threads = [threading.Thread(target=attempt, args=(number,)) for number in range(len(deeds))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kinds = [act.kind for act in shared.acts()]
    assert kinds[-1] is Kind.ENGAGEMENT_WITHDRAWN
    refused = [one for one in told if "this engagement was withdrawn" in one]
    assert len(told) == len(deeds)
    assert len(refused) + len(set(told) & {kind.value for kind in kinds}) == len(deeds)


def test_after_withdrawal_no_determination_is_recorded() -> None:
    """Nor proposed, nor any of the rest; what was recorded stays readable to its parties."""
    world = quorum()
    proposal = propose(world)
    desk.withdraw(world.at("developer"), world.on)
    before = world.acts(Kind.DETERMINATION_PROPOSED, Kind.DETERMINATION_CONCURRED)
    for attempt in (
        lambda: concur(world, "second-official", proposal),
        lambda: decide(world, "official"),
    ):
        with pytest.raises(Refused, match="was withdrawn"):
            attempt()
    after = world.acts(Kind.DETERMINATION_PROPOSED, Kind.DETERMINATION_CONCURRED)
    assert after == before
    assert len(determinations.page(world.at("developer"), world.on).proposals) == 1


def test_a_received_verdict_is_a_basis() -> None:
    """By the digest of its signed file, once this engagement received it."""
    world = DeskWorld()
    with pytest.raises(NotFound, match="received no verdict"):
        determinations.verdict_basis(world.at("official"), world.on, "verdict-1")
    with world.store.write() as tx:
        detail = {"verdict": "verdict-1", "file": "cd" * 32, "low": "0.4", "high": "0.5"}
        ctx = world.at("official")
        tx.record(ctx.act(Kind.VERDICT_RECEIVED, "request-1", world.on.id, **detail))
    basis = determinations.verdict_basis(world.at("official"), world.on, "verdict-1")
    assert (basis.digest, basis.low, basis.high) == ("cd" * 32, "0.4", "0.5")
    of = decide(world, "official", replace(FOUND, basis=basis.digest))
    assert determinations.current(world.at("developer"), world.on, of).basis == basis.digest


def test_a_statement_has_a_marking_of_its_own() -> None:
    """The developer reads it, and it may be handed on where the determination may not."""
    world = DeskWorld()
    ctx = world.at("official")
    digest = determinations.keep_statement(ctx, world.on, "you may say so", Marking(Tlp.GREEN))
    assert world.vault.marking(digest).tlp is Tlp.GREEN
    with pytest.raises(NotFound, match="belongs to a determination"):
        determinations.written(world.at("developer"), world.on, digest)
    of = decide(world, "official", replace(FOUND, statement=digest))
    assert determinations.written(world.at("developer"), world.on, digest) == "you may say so"
    for act in ("none", of[:-1]):
        with pytest.raises(NotFound, match="no determination"):
            determinations.current(ctx, world.on, act)
    with pytest.raises(NotFound, match="no proposal"):
        determinations.proposed(ctx, world.on, "none")


def test_what_is_refused_is_kept_nowhere() -> None:
    """Words too long, blank, or in the wrong state leave nothing in the vault."""
    world = quorum()
    of = "none"
    held = set(world.vault.content)
    for words, error in (("", Invalid), ("x" * 65_537, Invalid), ("fine", NotFound)):
        with pytest.raises(error):
            determinations.respond(world.at("developer"), world.on, of, words)
    with pytest.raises(Denied):
        exchange.questions(world.at("auditor"), world.on)
    with pytest.raises(Denied):
        desk.add_regime(world.at("official"), world.on, SHIPPED)
    assert set(world.vault.content) == held


def test_a_later_text_is_added_and_an_earlier_one_is_not() -> None:
    """The text of today counts for what is new; one to come takes its place on its day, not before."""
    world = quorum()
    newer = replace(SHIPPED, digest="e" * 64, supersedes=SHIPPED.digest)
    world.on = replace(world.on, library=Library((SHIPPED, newer, QUORUM)))
    with pytest.raises(Refused, match="another text of us-eo-14409 has effect"):
        desk.add_regime(world.at("developer"), world.on, SHIPPED)
    desk.add_regime(world.at("developer"), world.on, newer)
    stands = desk.standing(world.at("official"), world.on)
    assert [text.digest for text in stands.regimes] == [QUORUM.digest, newer.digest]
    with pytest.raises(NotFound, match="no regime file"):
        desk.add_regime(world.at("developer"), world.on, replace(newer, digest="d" * 64))
    world = quorum()
    begins = world.now.date() + timedelta(days=1)
    to_come = replace(newer, in_force=InForce(begins))
    world.on = replace(world.on, library=Library((SHIPPED, to_come, QUORUM)))
    with pytest.raises(Refused, match="another text of us-eo-14409 has effect on 2027-03-01"):
        desk.add_regime(world.at("developer"), world.on, to_come)
    desk.add_regime(world.at("developer"), world.on, SHIPPED)


def test_a_partner_reads_what_names_it_and_nothing_else() -> None:
    """A partner belongs to no side."""
    world = DeskWorld()
    first = exchange.send(world.at("official"), world.on, ["partner"], "to you alone")
    second = exchange.send(world.at("developer"), world.on, ["government"], "to the programme")
    partner = world.at("partner")
    assert [one.id for one in exchange.messages(partner, world.on)] == [first.id]
    assert exchange.read(partner, world.on, first.id) == "to you alone"
    with pytest.raises(NotFound):
        exchange.read(partner, world.on, second.id)
    assert exchange.read(world.at("officer"), world.on, second.id) == "to the programme"
    act = exchange.send(partner, world.on, ["developer"], "good morning")
    assert act.detail["party"] == "partner"
    parties = [one.detail["party"] for one in world.acts(Kind.MESSAGE_SENT)]
    assert parties == ["government", "developer", "partner"]


def test_a_partner_cannot_find_out_by_messages_who_else_is_a_partner() -> None:
    """Another partner's person is to it as nobody at all; the sides, and its own people, are not."""
    world = DeskWorld()
    for id_, org in (("banker", "a-bank"), ("plumber", "a-utility")):
        named = (make.ENGAGEMENT,)
        world.enrol(make.principal("trusted-partner", id_=id_, org=org, engagements=named))
    partner, told = world.at("partner"), set[str]()
    for id_ in ("banker", "no-one", "rival"):
        with pytest.raises(NotFound) as refused:
            exchange.send(partner, world.on, [id_], "hello")
        told.add(str(refused.value).replace(id_, "X"))
    assert len(told) == 1
    exchange.send(partner, world.on, ["plumber", "evaluator", "colleague"], "hello")
    exchange.send(world.at("official"), world.on, ["banker"], "hello")


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        ("2027-03-01T09:00", "Europe/Berlin", datetime(2027, 3, 1, 8, tzinfo=UTC)),
        ("2028-02-29", "UTC", datetime(2028, 2, 29, tzinfo=UTC)),
        ("2027-03-01T09:00-05:00", "", datetime(2027, 3, 1, 14, tzinfo=UTC)),
        ("2027-03-01T09:00-05:00", "UTC", datetime(2027, 3, 1, 14, tzinfo=UTC)),
        ("2026-10-25T02:30+01:00", "Europe/Berlin", datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),
    ],
)
def test_a_moment_is_one_instant(text: str, zone: str, expected: datetime) -> None:
    """With an offset as it stands, without one in the zone."""
    assert moment("when", text, zone) == expected


@pytest.mark.parametrize(
    ("text", "zone", "words"),
    [
        ("2027-02-29", "UTC", "is no moment"),
        ("2027-13-01", "UTC", "is no moment"),
        ("tomorrow", "UTC", "is no moment"),
        ("2027-03-01T09:00", "", "no offset"),
        ("2027-03-01T09:00", "Mars/Base", "no time zone"),
        ("2027-03-01T09:00", "../../etc/passwd", "no time zone"),
        ("2027-03-28T02:30", "Europe/Berlin", "does not exist"),
        ("2027-10-31T02:30", "Europe/Berlin", "comes twice"),
        ("0001-01-01T00:00+14:00", "UTC", "beyond the calendar"),
    ],
)
def test_what_is_no_instant_is_refused(text: str, zone: str, words: str) -> None:
    """Impossible dates, unknown zones, the hour that is skipped and the hour that comes twice."""
    with pytest.raises(Invalid, match=words):
        moment("when", text, zone)


def test_reading_by_one_who_may_not_know_is_as_if_there_were_nothing() -> None:
    """In the very words, for an engagement that is and one that is not."""
    world = DeskWorld()
    told = set()
    for id_ in (make.ENGAGEMENT, "engagement-9999"):
        with pytest.raises(NotFound) as refused:
            desk.dealings(world.at("rival"), world.library, id_)
        told.add(str(refused.value).replace(id_, "ID"))
    for id_ in (make.ENGAGEMENT, "engagement-9999"):
        with pytest.raises(LeadlineError) as left:
            desk.leave(world.at("rival"), id_)
        told.add(str(left.value).replace(id_, "ID"))
    assert told == {"no engagement ID"}
