"""What every set of rules promises; see `leadline.app.ports.Access`."""

from dataclasses import replace
from datetime import timedelta

import pytest

import make
from leadline.app.ports import Access
from leadline.core.access import Action, Circumstances, Principal, Resource
from leadline.core.clause import admits
from leadline.core.marking import Tlp

PLAN = Action.ASSESSMENT_PLAN
ASSESSMENT = make.resource("assessment")
EVALUATOR = make.principal("evaluator")


def allowed(
    access: Access, principal: Principal, action: Action = PLAN, thing: Resource = ASSESSMENT
) -> bool:
    """The answer at the usual moment; a denial always says why."""
    decision = access.decide(principal, action, thing, Circumstances(make.NOW))
    assert decision.reason
    return decision.allowed


def test_a_role_reaches_the_engagements_it_is_named_for(access: Access) -> None:
    """An evaluator plans there, and nowhere else."""
    assert allowed(access, EVALUATOR)
    assert not allowed(access, replace(EVALUATOR, engagements=frozenset()))
    assert not allowed(access, EVALUATOR, thing=make.resource("assessment", engagement="other"))


@pytest.mark.parametrize("action", Action)
def test_nobody_without_a_role_may_do_anything(access: Access, action: Action) -> None:
    """Default deny: for every action on every kind."""
    nobody = make.principal(access_until=make.UNTIL)
    for kind in ("engagement", "assessment", "finding", "advisory", "notice", "record"):
        thing = make.resource(kind, tlp=Tlp.CLEAR)
        assert not allowed(access, nobody, action, thing)


def test_an_unknown_kind_of_thing_is_denied(access: Access) -> None:
    """A kind that no rule knows is no way round the rules."""
    assert not allowed(access, EVALUATOR, thing=make.resource("secret", tlp=Tlp.CLEAR))


def test_suspension_ends_everything_at_once(access: Access) -> None:
    """For a developer's own withdrawal as well: a colleague must do it."""
    assert not allowed(access, replace(EVALUATOR, suspended=True))
    suspended = replace(make.developer(), suspended=True)
    assert not allowed(access, suspended, Action.ENGAGEMENT_WITHDRAW, make.resource())


def test_access_ends_at_its_instant(access: Access) -> None:
    """The last microsecond before is inside, the instant itself is outside."""
    for until, expected in ((timedelta(microseconds=1), True), (timedelta(0), False)):
        person = replace(EVALUATOR, access_until=make.NOW + until)
        assert allowed(access, person) is expected


def test_a_person_needs_an_end_of_access_and_a_worker_does_not(access: Access) -> None:
    """There is no unlimited grant to a person."""
    assert not allowed(access, replace(EVALUATOR, access_until=None))
    worker = make.principal("worker", access_until=None)
    assert allowed(access, worker, Action.ASSESSMENT_RUN)
    both = make.principal("worker", "evaluator", access_until=None)
    assert not allowed(access, both, Action.ASSESSMENT_RUN)


def test_an_unknown_role_denies_all(access: Access) -> None:
    """A misspelt role is a mistake to be found, not a smaller grant."""
    assert not allowed(access, make.principal("evaluator", "evaluater"))


def test_roles_that_exclude_each_other_deny_all(access: Access) -> None:
    """Nobody both evaluates and determines, nor stands on both sides."""
    for roles in (("evaluator", "determining-official"), ("developer", "evaluator")):
        assert not allowed(access, make.principal(*roles))


@pytest.mark.parametrize(
    "action", [Action.ANCHOR_SET, Action.ENGAGEMENT_WITHDRAW, Action.INQUIRY_LODGE]
)
@pytest.mark.parametrize(
    "role", ["evaluator", "determining-official", "coordinator", "auditor", "worker", "public"]
)
def test_the_developers_choices_are_the_developers_alone(
    access: Access, action: Action, role: str
) -> None:
    """No other role, named on the engagement or of the developer's organisation, can do them."""
    for org in (make.PROGRAMME, make.DEVELOPER):
        assert not allowed(access, make.principal(role, org=org), action, make.resource())
    assert allowed(access, make.developer(), action, make.resource())
    assert not allowed(access, make.developer("another-developer"), action, make.resource())


@pytest.mark.parametrize("tlp", Tlp)
def test_no_marking_stands_in_the_way_of_withdrawal(access: Access, tlp: Tlp) -> None:
    """Whatever the label or compartment, the developer withdraws; reading is another matter."""
    thing = make.resource(tlp=tlp, compartments=("alpha",))
    assert allowed(access, make.developer(), Action.ENGAGEMENT_WITHDRAW, thing)
    assert not allowed(access, make.developer(), Action.ENGAGEMENT_READ, thing)


def test_an_empty_organisation_owns_nothing(access: Access) -> None:
    """Two blanks are not the same organisation."""
    person = replace(make.developer(), org="")
    thing = make.resource(org="", tlp=Tlp.CLEAR)
    assert not allowed(access, person, Action.ENGAGEMENT_READ, thing)


def test_an_empty_engagement_is_nobodys(access: Access) -> None:
    """Two blanks are not the same engagement."""
    person = replace(EVALUATOR, engagements=frozenset({""}))
    assert not allowed(access, person, thing=make.resource("assessment", engagement=""))


@pytest.mark.parametrize(
    ("tlp", "readers"),
    [
        (Tlp.RED, {"named"}),
        (Tlp.AMBER_STRICT, {"named", "installation"}),
        (Tlp.AMBER, {"named", "installation"}),
        (Tlp.GREEN, {"named", "installation", "community"}),
        (Tlp.CLEAR, {"named", "installation", "community", "public"}),
    ],
)
def test_labels_are_audiences(access: Access, tlp: Tlp, readers: set[str]) -> None:
    """Who may read an advisory under each label of TLP 2.0."""
    people = {
        "named": make.principal("coordinator"),
        "installation": make.principal("auditor", engagements=()),
        "community": make.principal("operator", org="hospital", engagements=()),
        "public": make.principal("public", org="", engagements=(), access_until=None),
    }
    advisory = make.resource("advisory", tlp=tlp)
    got = {who for who, one in people.items() if allowed(access, one, Action.RECORD_READ, advisory)}
    assert got == readers


def test_every_compartment_is_needed(access: Access) -> None:
    """Holding one of two is not enough; holding more than needed is."""
    thing = make.resource("assessment", compartments=("alpha", "beta"))
    for held, expected in ((("alpha",), False), (("alpha", "beta", "gamma"), True)):
        person = make.principal("evaluator", compartments=held)
        assert allowed(access, person, thing=thing) is expected


def test_nobody_answers_about_the_own_organisation(access: Access) -> None:
    """An official of the developer's organisation answers no inquiry and determines nothing."""
    for org, expected in ((make.PROGRAMME, True), (make.DEVELOPER, False)):
        official = make.principal("determining-official", org=org)
        assert allowed(access, official, Action.INQUIRY_ANSWER, make.resource()) is expected
        thing = make.resource("determination")
        given = Circumstances(make.NOW, asserted=True)
        decision = access.decide(official, Action.DETERMINATION_RECORD, thing, given)
        assert decision.allowed is expected


def test_a_list_admits_what_is_allowed_thing_by_thing(access: Access) -> None:
    """The filter of a list and the decision about each thing are the same answer."""
    later = make.NOW + timedelta(days=1)
    things = [
        make.resource("finding", tlp=tlp, engagement=engagement, org=org, level=level, case=case)
        for tlp in Tlp
        for engagement in (make.ENGAGEMENT, "other", "")
        for org in (make.DEVELOPER, make.PROGRAMME)
        for level, case in ((0, ""), (1, "c1"))
    ]
    things += [make.resource("finding", embargo_until=at) for at in (make.NOW, later)]
    things += [make.resource("finding", compartments=held) for held in (("a",), ("a", "b"))]
    suspended = frozenset({"engagement:other", "compartment:b"})
    for role in ("evaluator", "auditor", "maintainer", "developer-security-contact"):
        person = replace(make.principal(role, compartments=("a",)), cases=frozenset({"c1"}))
        for given in (Circumstances(make.NOW), Circumstances(make.NOW, suspended=suspended)):
            clause = access.visible(person, Action.RECORD_READ, "finding", given)
            for thing in things:
                decision = access.decide(person, Action.RECORD_READ, thing, given)
                assert admits(clause, thing) is decision.allowed, (role, thing)


def test_a_tenancy_is_the_persons_own(access: Access) -> None:
    """The second wall is told who acts and to what the person belongs."""
    tenancy = access.tenancy(EVALUATOR)
    assert (tenancy.person, tenancy.org) == (EVALUATOR.id, EVALUATOR.org)
