"""Why the rules say yes or no, and the smallest change that would turn a no into a yes.

The changes are tried against the rules themselves, so that no second reading of them can be wrong.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import combinations

from leadline.access.cedar import CedarAccess
from leadline.core.access import Action, Circumstances, Explanation, Principal, Resource
from leadline.formats.roles_toml import Reach, deed, sound

TOGETHER_MAX = 3  # how many changes at once are tried
REACHES = {
    Reach.OWN: "to what belongs to the own organisation",
    Reach.NAMED: "where named for the engagement or the case",
    Reach.ANY: "wherever markings allow",
    Reach.SELF: "to what is the person's own",
}


@dataclass(frozen=True, slots=True)
class _Case:
    person: Principal
    thing: Resource
    given: Circumstances


@dataclass(frozen=True, slots=True)
class _Change:
    told: str
    made: Callable[[_Case], _Case]


def explain(
    access: CedarAccess,
    principal: Principal,
    action: Action,
    resource: Resource,
    given: Circumstances,
) -> Explanation:
    """The decision with its grounds, what the person's roles say, and what would allow it."""
    decision = access.decide(principal, action, resource, given)
    wanted = deed(action, resource.kind)
    roles = tuple(
        f"{name}: {REACHES[reach]}"
        for name in sorted(principal.roles & set(access.roles))
        for reach in Reach
        if wanted in access.roles[name].deeds(reach)
    )
    reasons = {rule: access.rules.reasons[rule] for rule in decision.rules}
    found = () if decision.allowed else _remedies(access, _Case(principal, resource, given), action)
    return Explanation(decision, reasons, roles, found)


def _remedies(access: CedarAccess, case: _Case, action: Action) -> tuple[tuple[str, ...], ...]:
    """The smallest sets of changes that would allow it; none if three together do not."""
    changes = [one for one in _changes(access, case, action) if one.made(case) != case]
    for size in range(1, TOGETHER_MAX + 1):
        found = [
            tuple(one.told for one in some)
            for some in combinations(changes, size)
            if _allowed(access, case, action, some)
        ]
        if found:
            return tuple(found)
    return ()


def _allowed(
    access: CedarAccess, case: _Case, action: Action, changes: tuple[_Change, ...]
) -> bool:
    for change in changes:
        case = change.made(case)
    return access.decide(case.person, action, case.thing, case.given).allowed


def _changes(access: CedarAccess, case: _Case, action: Action) -> Iterator[_Change]:
    yield from _of_moment(case.given)
    yield from _of_person(case)
    yield from _of_thing(case)
    wanted = deed(action, case.thing.kind)
    for name, role in sorted(access.roles.items()):
        grants = any(wanted in role.deeds(reach) for reach in Reach)
        if grants and sound(access.roles, case.person.roles | {name}):
            yield _of_role(f"the role {name}", case.person.roles | {name})


def _of_role(told: str, roles: frozenset[str]) -> _Change:
    return _Change(told, lambda case: replace(case, person=replace(case.person, roles=roles)))


def _person(told: str, made: Callable[[Principal], Principal]) -> _Change:
    return _Change(told, lambda case: replace(case, person=made(case.person)))


def _given(told: str, made: Callable[[Circumstances], Circumstances]) -> _Change:
    return _Change(told, lambda case: replace(case, given=made(case.given)))


def _of_moment(given: Circumstances) -> Iterator[_Change]:
    yield _given(
        "the person's own signature under this very act", lambda g: replace(g, asserted=True)
    )
    others = frozenset({"one other person", "another person"})
    yield _given(
        "two other persons' signatures under this very act", lambda g: replace(g, approvers=others)
    )
    yield _given("an inclusion proof of the act it rests on", lambda g: replace(g, proved=True))
    yield _given("signing in with two factors", lambda g: replace(g, assurance=max(2, g.assurance)))
    for one in sorted(given.suspended):
        yield _without(one)


def _without(suspension: str) -> _Change:
    return _given(
        f"the end of the suspension of {suspension}",
        lambda g: replace(g, suspended=g.suspended - {suspension}),
    )


def _of_person(case: _Case) -> Iterator[_Change]:
    thing, later = case.thing, case.given.now + timedelta(days=1)
    yield _person("the end of the person's suspension", lambda p: replace(p, suspended=False))
    until = case.person.access_until
    if until is None or until <= case.given.now:
        yield _person(
            "a later end of the person's access", lambda p: replace(p, access_until=later)
        )
    if thing.engagement:
        yield _person(
            f"a grant of the engagement {thing.engagement}",
            lambda p: replace(p, engagements=p.engagements | {thing.engagement}),
        )
    if thing.case:
        yield _person(
            f"a grant of the case {thing.case}",
            lambda p: replace(p, cases=p.cases | {thing.case}),
        )
    lacking = thing.marking.compartments - case.person.compartments
    if lacking:
        yield _person(
            f"grants of the compartments {', '.join(sorted(lacking))}",
            lambda p: replace(p, compartments=p.compartments | lacking),
        )
    if thing.level > case.person.clearance:
        yield _person(f"level {thing.level}", lambda p: replace(p, clearance=thing.level))


def _of_thing(case: _Case) -> Iterator[_Change]:
    until = case.thing.embargo_until
    if until is not None and case.given.now < until:
        yield _Change(
            f"the end of the embargo at {until.isoformat()}",
            lambda case: replace(case, thing=replace(case.thing, embargo_until=None)),
        )
