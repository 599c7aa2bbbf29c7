"""People by use case, on real stores: enrolled, granted, suspended, and what the next request says."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

import make
from fakes import MemorySigner, MemoryStore, MemoryVault
from leadline.access import cedar
from leadline.access.why import explain
from leadline.app import people
from leadline.app.context import Context
from leadline.app.ports import Store
from leadline.core.access import Action, Principal, Resource
from leadline.core.alert import Alert
from leadline.core.errors import Denied, Invalid, NotFound, Refused
from leadline.core.grant import Grant, Scope, Suspension
from leadline.core.organisation import Delegation, Organisation, Stopped
from leadline.core.record.act import Kind
from leadline.store.sql import open_store

KINDS = {
    Grant: "grant",
    Suspension: "suspension",
    Alert: "alert",
    Organisation: "organisation",
    Delegation: "delegation",
    Stopped: "stopped-person",
}
ROLES = cedar.shipped().roles
ADMIN = make.principal("administrator", id_="admin", engagements=())
NEW = make.principal("evaluator", id_="eve", engagements=())
SOON = make.NOW + timedelta(days=20)
ASSESSMENT = make.resource("assessment")


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """An empty store of each kind."""
    if request.param == "memory":
        yield MemoryStore(make.blinders(), KINDS)
        return
    made = open_store(request.getfixturevalue("sqlite_url"), kinds=KINDS)
    yield made
    made.close()


NUMBERS = make.ids()


def acting(store: Store, person: Principal, after: timedelta = timedelta(0)) -> Context:
    """A context as `wiring.home` opens it, from what the store holds at that moment."""
    now = make.NOW + after
    with store.read() as view:
        known = {one.id: one for one in view.principals()}
        present = people.present(view, known.get(person.id, person), now)
        suspended = people.suspensions(view)
    return Context(
        present,
        lambda: now,
        NUMBERS,
        store,
        cedar.shipped(),
        MemoryVault(),
        MemorySigner(),
        assurance=2,
        suspended=suspended,
    )


def may(store: Store, person: Principal, after: timedelta = timedelta(0)) -> bool:
    """Whether the next request of this person to run the assessment is allowed."""
    ctx = acting(store, person, after)
    return ctx.decision(Action.ASSESSMENT_RUN, ASSESSMENT).allowed


def kinds(store: Store) -> list[Kind]:
    """Every act so far."""
    with store.read() as view:
        return [opened.act.kind for opened in view.acts()]


def test_access_comes_by_a_grant_and_ends_with_it(store: Store) -> None:
    """Enrolment gives nothing; a grant does until its instant; renewed, until the new one."""
    people.enrol(acting(store, ADMIN), ROLES, NEW)
    assert not may(store, NEW)
    people.give(acting(store, ADMIN), ROLES, "eve", Scope.ENGAGEMENT, make.ENGAGEMENT, SOON)
    assert may(store, NEW)
    assert may(store, NEW, timedelta(days=20) - timedelta(microseconds=1))
    assert not may(store, NEW, timedelta(days=20))
    later = acting(store, ADMIN, timedelta(days=15))
    end = later.now + timedelta(days=30)
    people.give(later, ROLES, "eve", Scope.ENGAGEMENT, make.ENGAGEMENT, end)
    assert may(store, NEW, timedelta(days=21))
    people.end(acting(store, ADMIN), "eve", Scope.ENGAGEMENT, make.ENGAGEMENT)
    assert not may(store, NEW)
    with pytest.raises(NotFound):
        people.end(acting(store, ADMIN), "eve", Scope.ENGAGEMENT, make.ENGAGEMENT)
    assert kinds(store) == [
        Kind.PRINCIPAL_ENROLLED,
        Kind.GRANT_GIVEN,
        Kind.GRANT_GIVEN,
        Kind.GRANT_ENDED,
    ]
    with store.read() as view:
        given = [o.act.detail["renewed"] for o in view.acts(kind=Kind.GRANT_GIVEN)]
    assert given == [False, True]


@pytest.mark.parametrize(
    "what", ["eve", f"org:{make.PROGRAMME}", f"engagement:{make.ENGAGEMENT}", "compartment:alpha"]
)
def test_suspension_holds_for_the_next_request(store: Store, what: str) -> None:
    """A person, an organisation, an engagement, a compartment: at once, and restored likewise."""
    thing = make.resource("assessment", compartments=("alpha",))
    person = make.principal("evaluator", id_="eve", compartments=("alpha",))
    with store.write() as tx:
        tx.put_principal(person)

    def allowed() -> bool:
        return acting(store, person).decision(Action.ASSESSMENT_RUN, thing).allowed

    admin = replace(ADMIN, org="elsewhere")
    assert allowed()
    people.suspend(acting(store, admin), what, "a credential was seen elsewhere")
    assert not allowed()
    with pytest.raises(Refused, match="suspended already"):
        people.suspend(acting(store, admin), what, "again")
    people.restore(acting(store, admin), what, "it was a mistake")
    assert allowed()
    with pytest.raises(Refused, match="not suspended"):
        people.restore(acting(store, admin), what, "again")
    assert kinds(store) == [Kind.PRINCIPAL_SUSPENDED, Kind.PRINCIPAL_RESTORED]


def test_taking_away_needs_one_factor_and_giving_two(store: Store) -> None:
    """An administrator with a password alone suspends, and neither enrols, restores nor grants."""
    people.enrol(acting(store, ADMIN), ROLES, NEW)
    weak = replace(acting(store, ADMIN), assurance=1)
    people.suspend(weak, "eve", "seen elsewhere")
    with pytest.raises(Denied, match="two factors"):
        people.restore(weak, "eve", "well")
    with pytest.raises(Denied, match="two factors"):
        people.give(weak, ROLES, "eve", Scope.CASE, "c", SOON)
    with pytest.raises(Denied, match="two factors"):
        people.enrol(weak, ROLES, replace(NEW, id="else"))


def test_nobody_serves_himself(store: Store) -> None:
    """An administrator gives no grant to himself, and suspended does not restore himself."""
    people.enrol(acting(store, replace(ADMIN, id="first")), ROLES, ADMIN)
    with pytest.raises(Denied, match="himself"):
        people.give(acting(store, ADMIN), ROLES, "admin", Scope.ENGAGEMENT, "e", SOON)
    people.suspend(acting(store, ADMIN), "admin", "lost key")
    with pytest.raises(Denied):
        people.restore(acting(store, ADMIN), "admin", "found it")


@pytest.mark.parametrize(
    ("roles", "said"),
    [
        ((), "at least one"),
        (("superuser",), "no role 'superuser'"),
        (("evaluator", "determining-official"), "exclude each other"),
    ],
)
def test_roles_are_known_and_fit_together(store: Store, roles: tuple[str, ...], said: str) -> None:
    """At enrolment, and when a role is granted."""
    with pytest.raises(Invalid, match=said):
        people.enrol(acting(store, ADMIN), ROLES, replace(NEW, roles=frozenset(roles)))


def test_a_granted_role_is_checked_against_those_held(store: Store) -> None:
    """An evaluator is not made an official for a while."""
    people.enrol(acting(store, ADMIN), ROLES, NEW)
    with pytest.raises(Invalid, match="exclude each other"):
        people.give(acting(store, ADMIN), ROLES, "eve", Scope.ROLE, "determining-official", SOON)
    people.give(acting(store, ADMIN), ROLES, "eve", Scope.ROLE, "coordinator", SOON)
    assert acting(store, NEW).principal.roles == {"evaluator", "coordinator"}


def test_mistakes_are_named(store: Store) -> None:
    """An absent person, a second enrolment, no reason, a strange target."""
    admin = acting(store, ADMIN)
    people.enrol(admin, ROLES, NEW)
    with pytest.raises(Refused, match="enrolled already"):
        people.enrol(admin, ROLES, NEW)
    with pytest.raises(NotFound):
        people.give(admin, ROLES, "nobody", Scope.CASE, "c", SOON)
    with pytest.raises(NotFound):
        people.suspend(admin, "nobody", "seen elsewhere")
    with pytest.raises(Invalid, match="reason"):
        people.suspend(admin, "eve", " ")
    for strange in ("room:1", "org:"):
        with pytest.raises(Invalid, match="what"):
            people.suspend(admin, strange, "why")


def _never() -> Resource:
    raise AssertionError("looked up for somebody who may not ask")


def test_others_may_do_none_of_it(store: Store) -> None:
    """Each use case asks the rules first, and a refusal is an act."""
    ctx = acting(store, make.principal("evaluator", "coordinator"))
    attempts: list[Callable[[], object]] = [
        lambda: people.enrol(ctx, ROLES, NEW),
        lambda: people.give(ctx, ROLES, "eve", Scope.CASE, "c", SOON),
        lambda: people.end(ctx, "eve", Scope.CASE, "c"),
        lambda: people.suspend(ctx, "eve", "why"),
        lambda: people.restore(ctx, "eve", "why"),
        lambda: people.why(ctx, EXPLAIN, "eve", Action.ENGAGEMENT_READ, _never),
    ]
    for one in attempts:
        with pytest.raises(Denied):
            one()
    assert kinds(store).count(Kind.ACCESS_DENIED) == len(attempts)


def test_the_list_shows_whom_one_may_know_of(store: Store) -> None:
    """Everybody to an administrator, with what is due for renewal; oneself to others."""
    admin = acting(store, ADMIN)
    people.enrol(admin, ROLES, NEW)
    people.enrol(admin, ROLES, replace(NEW, id="ivo"))
    people.give(admin, ROLES, "eve", Scope.CASE, "c1", make.NOW + timedelta(days=3))
    people.give(admin, ROLES, "eve", Scope.CASE, "c2", SOON)
    everybody = people.listed(admin)
    assert [one.person.id for one in everybody] == ["eve", "ivo"]
    assert [grant.name for grant in everybody[0].grants] == ["c1", "c2"]
    assert [grant.name for grant in everybody[0].due] == ["c1"]
    assert [one.person.id for one in people.listed(acting(store, NEW))] == ["eve"]


EXPLAIN = partial(explain, cedar.shipped())


def asked(store: Store, action: Action, thing: Resource, person: Principal = NEW) -> list[set[str]]:
    """The changes of which each would allow it."""
    with store.write() as tx:
        tx.put_principal(person)
    found = people.why(acting(store, ADMIN), EXPLAIN, person.id, action, lambda: thing)
    assert not found.decision.allowed
    return [set(one) for one in found.changes]


def test_why_yes(store: Store) -> None:
    """The rules that decided, their reasons, and the role that grants it."""
    with store.write() as tx:
        tx.put_principal(make.principal("evaluator", id_="eve"))
    admin = acting(store, ADMIN)
    found = people.why(admin, EXPLAIN, "eve", Action.ASSESSMENT_RUN, lambda: ASSESSMENT)
    assert found.decision.allowed
    assert list(found.reasons) == ["need-to-know"]
    assert found.roles == ("evaluator: where named for the engagement or the case",)
    assert found.changes == ()


def test_why_no_says_what_would_change_it(store: Store) -> None:
    """One missing thing is named alone; two together."""
    run, late = Action.ASSESSMENT_RUN, timedelta(days=1)
    assert {f"a grant of the engagement {make.ENGAGEMENT}"} in asked(store, run, ASSESSMENT)
    in_case = replace(ASSESSMENT, case="c1")
    assert {"a grant of the case c1"} in asked(store, run, in_case)
    ready = make.principal("evaluator", id_="eve")
    high = make.resource("assessment", level=2, compartments=("x", "y"))
    assert asked(store, run, high, ready) == [{"grants of the compartments x, y", "level 2"}]
    red = make.resource("assessment", embargo_until=make.NOW + late, engagement="")
    assert asked(store, run, red, ready) == []
    ended = replace(ready, access_until=make.NOW)
    assert asked(store, run, ASSESSMENT, ended) == [{"a later end of the person's access"}]
    stopped = replace(ready, suspended=True)
    assert asked(store, run, ASSESSMENT, stopped) == [{"the end of the person's suspension"}]
    advisory = make.resource("advisory", embargo_until=make.NOW + late, engagement="", org="")
    told = asked(store, Action.RECORD_READ, advisory, replace(ready, roles=frozenset({"auditor"})))
    assert told == [{f"the end of the embargo at {(make.NOW + late).isoformat()}"}]


def test_why_no_names_what_must_happen_first(store: Store) -> None:
    """Signatures of others, the own one, a proof, and suspensions around a person."""
    lead = make.principal("evaluation-lead", id_="lea")
    unsealing = asked(store, Action.ARTEFACT_UNSEAL, make.resource("artefact"), lead)
    assert unsealing == [
        {
            "the person's own signature under this very act",
            "two other persons' signatures under this very act",
        }
    ]
    assert asked(store, Action.PACK_REVEAL, make.resource("pack"), lead) == [
        {"an inclusion proof of the act it rests on"}
    ]
    people.suspend(acting(store, ADMIN), f"engagement:{make.ENGAGEMENT}", "why")
    told = asked(store, Action.ASSESSMENT_RUN, ASSESSMENT, lead)
    assert told == [{f"the end of the suspension of engagement:{make.ENGAGEMENT}"}]


def test_why_no_names_a_role(store: Store) -> None:
    """Where nothing but another role is missing, each role that would do is named."""
    told = asked(store, Action.ALERT_READ, make.resource("alert", engagement=""), NEW)
    assert told == []  # the roles that read alerts exclude an evaluator's
    coordinator = make.principal("coordinator", id_="cora")
    told = asked(store, Action.PACK_RUN, make.resource("pack"), coordinator)
    assert told == [{"the role evaluation-lead"}, {"the role evaluator"}, {"the role worker"}]
