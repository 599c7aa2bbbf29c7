"""Grants end by themselves, soon, and never after the person's own access."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

import make
from leadline.core.access import Principal
from leadline.core.errors import Invalid
from leadline.core.grant import (
    DUE,
    GRANT_MAX,
    PERSON_MAX,
    Grant,
    Scope,
    check_grant,
    check_person,
    with_grants,
)

DAY = timedelta(days=1)
BARE = make.principal("evaluator", engagements=())


def grant(
    scope: Scope = Scope.ENGAGEMENT,
    name: str = "e1",
    until: datetime = make.NOW + DAY,
    to: str = "person-0001",
) -> Grant:
    """A grant of one day, given now."""
    return Grant(to, scope, name, until, "admin", make.NOW)


def test_what_stands_is_added_where_it_belongs() -> None:
    """Each scope to its own set; what the entry itself holds stays."""
    person = make.principal("evaluator", compartments=("a",))
    grants = [grant(scope, f"new-{scope.value}") for scope in Scope]
    seen = with_grants(person, grants, make.NOW)
    assert seen.engagements == person.engagements | {"new-engagement"}
    assert seen.cases == {"new-case"}
    assert seen.compartments == {"a", "new-compartment"}
    assert seen.roles == {"evaluator", "new-role"}


@given(st.timedeltas(timedelta(days=-60), timedelta(days=60)))
def test_a_grant_stands_from_its_beginning_until_its_end(after: timedelta) -> None:
    """At the very end it has ended, and before it was given it was not."""
    one = grant(until=make.NOW + 10 * DAY)
    now = make.NOW + after
    stands = timedelta(0) <= after < 10 * DAY
    assert one.stands(now) is stands
    assert bool(with_grants(BARE, [one], now).engagements) is stands
    assert one.due(now) is (stands and 10 * DAY - after <= DUE)


def test_another_persons_grant_gives_nothing() -> None:
    """Grants are one person's."""
    assert with_grants(BARE, [grant(to="another")], make.NOW) == BARE


def test_one_person_has_one_grant_of_a_thing() -> None:
    """Its id says whose and of what, so that giving it again renews it."""
    assert grant().id == "person-0001/engagement/e1"


@pytest.mark.parametrize(
    ("until", "sound"),
    [
        (timedelta(0), False),
        (timedelta(microseconds=1), True),
        (GRANT_MAX, True),
        (GRANT_MAX + timedelta(microseconds=1), False),
    ],
)
def test_a_grant_ends_within_thirty_days(until: timedelta, *, sound: bool) -> None:
    """Neither at once nor later."""
    one = grant(until=make.NOW + until)
    if sound:
        check_grant(one, BARE)
        return
    with pytest.raises(Invalid, match="until"):
        check_grant(one, BARE)


def test_a_grant_does_not_outlast_the_person() -> None:
    """Nor is one given to somebody without an end of access."""
    for until in (make.NOW + timedelta(hours=1), None):
        with pytest.raises(Invalid, match="outlast"):
            check_grant(grant(), replace(BARE, access_until=until))


def test_a_grant_names_something() -> None:
    """A blank is nothing, and a control character no name."""
    for name in (" ", "a\nb"):
        with pytest.raises(Invalid, match="name"):
            check_grant(grant(name=name), BARE)


def test_an_individual_is_enrolled() -> None:
    """The usual entry is taken."""
    check_person(replace(BARE, access_until=make.NOW + PERSON_MAX), make.NOW)


WRONG: dict[str, tuple[str, Principal]] = {
    "no id": ("id", replace(BARE, id="")),
    "a colon": ("id", replace(BARE, id="org:x")),
    "a slash": ("id", replace(BARE, id="a/b")),
    "a blank before": ("name", replace(BARE, name=" Ada")),
    "a line break": ("name", replace(BARE, name="Ada\nLovelace")),
    "no organisation": ("org", replace(BARE, org="")),
    "an organisation by name": ("name", replace(BARE, name="Vendor", org="Vendor")),
    "an organisation by id": ("name", replace(BARE, id="vendor", org="vendor")),
    "no end": ("until", replace(BARE, access_until=None)),
    "an end that is past": ("until", replace(BARE, access_until=make.NOW)),
    "an end far off": ("until", replace(BARE, access_until=make.NOW + PERSON_MAX + DAY)),
    "a level below none": ("clearance", replace(BARE, clearance=-1)),
    "an engagement": ("engagements", make.principal("evaluator")),
    "a case": ("engagements", replace(BARE, cases=frozenset({"c"}))),
    "a compartment": ("engagements", replace(BARE, compartments=frozenset({"c"}))),
}


@pytest.mark.parametrize(("field", "person"), WRONG.values(), ids=WRONG.keys())
def test_nobody_else_is(field: str, person: Principal) -> None:
    """Organisations, shared names, endless access and grants by the back door are named."""
    with pytest.raises(Invalid) as caught:
        check_person(person, make.NOW)
    assert caught.value.field == field
