"""Partners at the desk: what is outside the agreement is refused, recorded, and seen by no other."""

import base64
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import make
from desk_world import MODEL, PEOPLE, SHIPPED, SUBJECT, DeskWorld
from leadline.app import engagement, partners, terms
from leadline.app.assertion import Signed
from leadline.core.engagement.partner import Partner, Position, Rest, Stage, TargetUse
from leadline.core.errors import Denied, Invalid, LeadlineError, NotFound, Refused
from leadline.core.record.act import Kind
from leadline.formats.canonical import encode
from leadline.formats.values import plain
from leadline.store.sql import open_store
from leadline.wiring.home import KINDS
from vault_world import World

STAGES = (Stage(("api",), 10, 100), Stage(("api", "tuning"), 5, 100))
USE = TargetUse("target-1", "api", 1)
UTILITY, BANK = "a-utility", "a-bank"


def hand(person: str) -> Callable[[bytes], Signed]:
    """What that person's key answers."""

    def sign(challenge: bytes) -> Signed:
        signature = base64.b64encode(World().key(person).sign(challenge)).decode()
        return Signed(f"key-{person}", "key", {"signature": signature})

    return sign


def with_banker(world: DeskWorld) -> DeskWorld:
    """And a person of another partner, named for the engagement too."""
    banker = make.principal(
        "trusted-partner", id_="banker", org=BANK, engagements=(make.ENGAGEMENT,)
    )
    world.enrol(banker)
    return world


@pytest.fixture
def world() -> DeskWorld:
    """Terms for assessment and defence in effect, no partner yet."""
    return agreed_terms(with_banker(DeskWorld()))


def agreed_terms(world: DeskWorld) -> DeskWorld:
    """Both parties sign."""
    text = world.terms(purposes=("assessment", "defence"))
    for person in ("developer", "official"):
        terms.agree(world.at(person), world.on, text, hand(person))
    return world


def partner(world: DeskWorld, organisation: str = UTILITY, **more: object) -> Partner:
    """What the official proposes."""
    until = world.now + timedelta(days=20)
    made = Partner(
        organisation, "early access", ("target-1", "target-2"), STAGES, until, "government"
    )
    return replace(made, **more)  # type: ignore[arg-type] # fields of a partner by name


def admitted(world: DeskWorld, organisation: str = UTILITY, stages: int = 1) -> None:
    """Proposed by the official, agreed and opened by the developer, signed by the partner."""
    made = partner(world, organisation)
    partners.propose(world.at("official"), world.on, made, "it runs water works")
    partners.agree(world.at("developer"), world.on, organisation, "agreed")
    person = "partner" if organisation == UTILITY else "banker"
    partners.sign(world.at(person), world.on, hand(person))
    for stage in range(stages):
        partners.open_stage(world.at("developer"), world.on, organisation, stage)


def used(world: DeskWorld, use: TargetUse = USE, purpose: str = "defence") -> Position:
    """The partner uses a target."""
    return partners.use_target(world.at("partner"), world.on, UTILITY, use, purpose=purpose)


def test_a_partner_is_proposed_by_one_party_and_agreed_by_the_other(world: DeskWorld) -> None:
    """Signed by the partner, opened by the developer, used within what is left; each an act."""
    admitted(world)
    assert used(world).left == 9
    kinds = [act.kind.value for act in world.acts() if act.kind.value.startswith("partner")]
    assert kinds == [
        "partner.proposed",
        "partner.agreed",
        "partner.agreed",
        "partner.stage_opened",
        "partner.used",
    ]
    (use,) = world.acts(Kind.PARTNER_USED)
    text = terms.held(world.at("developer"), world.on).effective
    assert text is not None
    assert (use.detail["terms"], use.detail["purpose"]) == (text.digest, "defence")
    (proposal,) = world.acts(Kind.PARTNER_PROPOSED)
    assert b"water works" in world.vault.get(str(proposal.detail["reason"]))
    assert proposal.detail["until"] == "2027-03-21T09:30:00.000000Z"


def test_no_party_agrees_to_its_own_proposal(world: DeskWorld) -> None:
    """Neither the developer to the developer's nor the government to the government's."""
    own = partner(world, proposed_by="developer")
    partners.propose(world.at("developer"), world.on, own, "we trust them")
    with pytest.raises(Refused, match="the developer proposed"):
        partners.agree(world.at("colleague"), world.on, UTILITY, "so do I")
    partners.agree(world.at("official"), world.on, UTILITY, "agreed")
    bank = partner(world, BANK)
    partners.propose(world.at("official"), world.on, bank, "it is a bank")
    with pytest.raises(Refused, match="the government proposed"):
        partners.agree(world.at("official"), world.on, BANK, "agreed")


def test_each_part_is_for_whose_it_is(world: DeskWorld) -> None:
    """By the access rules: proposing, agreeing, opening, using, listing."""
    admitted(world)
    on = world.on
    for person in ("evaluator", "partner", "rival", "operator"):
        with pytest.raises(Denied):
            partners.propose(world.at(person), on, partner(world, BANK), "r")
        with pytest.raises(Denied):
            partners.agree(world.at(person), on, UTILITY, "r")
    for person in ("official", "evaluator", "partner"):
        with pytest.raises(Denied):
            partners.open_stage(world.at(person), on, UTILITY, 1)
    for person in ("developer", "official", "rival"):
        with pytest.raises(Denied):
            partners.use_target(world.at(person), on, UTILITY, USE, purpose="defence")
    with pytest.raises(Denied):
        partners.listed(world.at("partner"), on)
    with pytest.raises(Denied):
        partners.scope(world.at("developer"), on)


@pytest.mark.parametrize(
    ("use", "purpose", "told"),
    [
        (replace(USE, target="target-9"), "defence", "none of the targets"),
        (replace(USE, target="TARGET-1"), "defence", "none of the targets"),
        (replace(USE, capability="tuning"), "defence", "no stage that is open"),
        (replace(USE, credits=11), "defence", "10 credits are left"),
        (USE, "weapons", "no terms cover"),
        (USE, "research", "cover assessment, defence"),
    ],
)
def test_a_use_outside_is_refused_recorded_and_shown(
    world: DeskWorld, use: TargetUse, purpose: str, told: str
) -> None:
    """Nothing is spent, and the developer sees who tried what."""
    admitted(world)
    with pytest.raises(Refused, match=told):
        used(world, use, purpose)
    assert world.acts(Kind.PARTNER_USED) == []
    (shown,) = terms.refusals(world.at("developer"), world.on)
    assert (shown.who, shown.org, shown.what) == ("partner", UTILITY, use.target)
    assert told in shown.why


def test_a_partner_whose_time_ended_a_second_ago_is_refused(world: DeskWorld) -> None:
    """Its own end, and that of the terms."""
    admitted(world)
    world.after(days=20, seconds=1)
    with pytest.raises(Refused, match="what was agreed with this partner ended"):
        used(world)
    world.after(days=40)
    with pytest.raises(Refused, match="the terms expired"):
        used(world)
    assert len(terms.refusals(world.at("developer"), world.on)) == 2


def test_an_end_counts_from_the_next_use_on(world: DeskWorld) -> None:
    """By either party, or by the partner; what is to be destroyed is named with its day."""
    for person in ("developer", "official", "partner"):
        admitted(world)
        used(world)
        rest = Rest(world.now, None, "as agreed")
        ending = partners.end(world.at(person), world.on, UTILITY, rest)
        assert ending.received == ("target-1",)
        assert ending.destroy_by == world.now + timedelta(days=90)
        with pytest.raises(Refused, match="use ended"):
            used(world)
        with pytest.raises(Refused, match="ended at"):
            partners.end(world.at(person), world.on, UTILITY, rest)
    assert [act.detail["party"] for act in world.acts(Kind.PARTNER_ENDED)] == [
        "developer",
        "government",
        "partner",
    ]


def test_one_is_restricted_and_the_others_are_not(world: DeskWorld) -> None:
    """From the effective date to its end, under a named authority."""
    admitted(world)
    admitted(world, BANK)
    since, until = world.now + timedelta(hours=1), world.now + timedelta(hours=2)
    letter = Rest(since, until, "a letter of the Secretary, para. 2")
    assert partners.end(world.at("official"), world.on, UTILITY, letter).destroy_by is None
    used(world)
    world.after(hours=1)
    with pytest.raises(Refused, match="a letter of the Secretary"):
        used(world)
    partners.use_target(world.at("banker"), world.on, BANK, USE, purpose="defence")
    world.after(hours=1)
    assert used(world).left == 8


def test_new_terms_are_signed_before_the_next_use(world: DeskWorld) -> None:
    """A partner's signature is under one text."""
    admitted(world)
    second = terms.draft(world.at("developer"), world.on, 50)
    for person in ("developer", "official"):
        terms.agree(world.at(person), world.on, second, hand(person))
    with pytest.raises(Refused, match="has not signed the terms in effect"):
        used(world)
    assert partners.sign(world.at("partner"), world.on, hand("partner")) == second.digest
    used(world)
    with pytest.raises(Refused, match="signed these terms already"):
        partners.sign(world.at("partner"), world.on, hand("partner"))


def test_nothing_is_signed_without_terms() -> None:
    """And nothing used."""
    world = with_banker(DeskWorld())
    partners.propose(world.at("official"), world.on, partner(world), "r")
    partners.agree(world.at("developer"), world.on, UTILITY, "r")
    with pytest.raises(Refused, match="no terms are in effect"):
        partners.sign(world.at("partner"), world.on, hand("partner"))
    with pytest.raises(Refused, match="no terms are in effect"):
        used(world)


def test_after_a_withdrawal_or_an_end_nothing_is_used(world: DeskWorld) -> None:
    """At once; a partner's use still ends as any other time."""
    admitted(world)
    engagement.end(world.at("official"), world.on)
    with pytest.raises(Refused, match="this engagement ended"):
        used(world)
    engagement.withdraw(world.at("developer"), world.on)
    with pytest.raises(Refused, match="withdrawn"):
        used(world)
    partners.end(world.at("partner"), world.on, UTILITY, Rest(world.now, None, "over"))


def test_a_partner_learns_nothing_of_another(world: DeskWorld) -> None:
    """What is another's answers in the words of what is not there."""
    admitted(world)
    banker = world.at("banker")
    tried: list[tuple[str, Callable[[str], object]]] = [
        (
            "use",
            lambda name: partners.use_target(banker, world.on, name, USE, purpose="defence"),
        ),
        ("end", lambda name: partners.end(banker, world.on, name, Rest(world.now, None, "a"))),
    ]
    before = world.acts()
    for _, attempt in tried:
        told = []
        for name in (UTILITY, "nobody"):
            with pytest.raises(NotFound) as refused:
                attempt(name)
            told.append(str(refused.value).replace(name, "X"))
        assert told[0] == told[1]
    with pytest.raises(NotFound, match="no partner a-bank"):
        partners.scope(banker, world.on)
    assert world.acts() == before


def test_a_refused_proposal_changes_nothing(world: DeskWorld) -> None:
    """No row and no act: without a reason, twice, of the developer, in the past, out of order."""
    propose = partners.propose
    official, on = world.at("official"), world.on
    propose(official, on, partner(world), "r")
    before, kept = world.acts(), set(world.vault.content)
    with pytest.raises(Refused, match="proposed already"):
        propose(official, on, partner(world, targets=("more",)), "r")
    with pytest.raises(Invalid, match="reason"):
        propose(official, on, partner(world, BANK), " ")
    with pytest.raises(Invalid, match="past"):
        propose(official, on, partner(world, BANK, expires=world.now), "r")
    with pytest.raises(Refused, match="has not agreed"):
        partners.open_stage(world.at("developer"), on, UTILITY, 0)
    with pytest.raises(NotFound, match="no partner nobody"):
        partners.agree(world.at("developer"), on, "nobody", "another reason")
    with pytest.raises(Refused, match="the government proposed"):
        partners.agree(official, on, UTILITY, "a third reason")
    with pytest.raises(Refused, match="proposed already"):
        propose(official, on, partner(world), "a fourth reason")
    assert world.acts() == before
    assert set(world.vault.content) == kept
    (listed,) = partners.listed(world.at("evaluator"), on)
    assert listed.partner.targets == ("target-1", "target-2")


def view(world: DeskWorld) -> bytes:
    """All that the utility's person sees: its scope, or why it sees none."""
    ctx = world.at("partner")
    try:
        found = partners.scope(ctx, world.on)
    except LeadlineError as error:
        return repr(error).encode()
    shown = {"left": found.position.left, "opened": found.position.opened}
    return encode(plain({"position": found.position, "terms": found.terms, **shown}))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.sampled_from(["sign", "open", "use", "refused", "end"]), max_size=5),
    st.booleans(),
)
def test_two_worlds_that_differ_in_another_partner_look_the_same(
    steps: list[str],
    first: bool,  # noqa: FBT001 -- Hypothesis gives it
) -> None:
    """Byte for byte, whatever the other is and does, before or after."""
    worlds = [agreed_terms(with_banker(DeskWorld())) for _ in range(2)]
    with_bank, without = worlds
    if not first:
        admitted(with_bank)
    rest = Rest(with_bank.now, None, "a")
    deeds: dict[str, Callable[[], object]] = {
        "sign": lambda: partners.sign(with_bank.at("banker"), with_bank.on, hand("banker")),
        "open": lambda: partners.open_stage(with_bank.at("developer"), with_bank.on, BANK, 0),
        "use": lambda: partners.use_target(
            with_bank.at("banker"), with_bank.on, BANK, USE, purpose="defence"
        ),
        "refused": lambda: partners.use_target(
            with_bank.at("banker"), with_bank.on, BANK, USE, purpose="weapons"
        ),
        "end": lambda: partners.end(with_bank.at("official"), with_bank.on, BANK, rest),
    }
    partners.propose(with_bank.at("official"), with_bank.on, partner(with_bank, BANK), "r")
    partners.agree(with_bank.at("developer"), with_bank.on, BANK, "r")
    for step in steps:
        before = view(with_bank)
        try:
            deeds[step]()
        except Refused:
            assert view(with_bank) == before
    if first:
        admitted(with_bank)
    admitted(without)
    assert view(with_bank) == view(without)
    for world in worlds:
        used(world)
    assert view(with_bank) == view(without)


@contextmanager
def on_database(place: str) -> Iterator[DeskWorld]:
    """The same people and engagement on a database."""
    with closing(open_store(place, kinds=KINDS)) as store:
        world = DeskWorld()
        world.store = store
        for id_, org, role, named in PEOPLE:
            engagements = (make.ENGAGEMENT,) if named else ()
            world.enrol(make.principal(role, id_=id_, org=org, engagements=engagements))
        engagement.open_draft(world.at("developer"), world.on, MODEL, SUBJECT)
        yield world


def spend(world: DeskWorld, place: str, number: int) -> list[str]:
    """Four uses by the partner's person, behind the second wall; what was left, or why not."""
    counter = iter(range(1000))
    person = world.at("partner").principal
    told = []
    with closing(open_store(place, kinds=KINDS)) as store:
        ctx = replace(
            world.at("partner"),
            store=store.acting(SHIPPED.tenancy(person)),
            new_id=lambda prefix: f"{prefix}-{number}-{next(counter)}",
        )
        for _ in range(4):
            try:
                found = partners.use_target(ctx, world.on, UTILITY, USE, purpose="defence")
                told.append(str(found.left))
            except Refused as error:
                told.append(str(error))
    return told


def test_two_uses_at_once_never_overspend(database_url: str) -> None:
    """Eight threads, each with its own connection, ask for 10 credits one by one: ten succeed."""
    with on_database(database_url) as world:
        admitted(agreed_terms(world))
        with ThreadPoolExecutor(8) as pool:
            told = [
                one
                for some in pool.map(lambda number: spend(world, database_url, number), range(8))
                for one in some
            ]
        assert sorted(int(one) for one in told if one.isdigit()) == list(range(10))
        assert sum("0 credits are left" in one for one in told) == 22
        (found,) = partners.listed(world.at("developer"), world.on)
        assert (found.left, found.spent) == (0, 10)
        assert len(terms.refusals(world.at("developer"), world.on)) == 22
