"""Grants: what one person may reach, given by a named person, until a day that is never far off.

A person's entry says what it is and which roles it holds; engagements, cases and compartments come by
grants alone, each with an end of its own, so that nothing has to happen for access to end. Source:
trust.md 5.3 (time-box) and 9 (access review every 30 days).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from leadline.core.access import Principal
from leadline.core.errors import Invalid

GRANT_MAX = timedelta(days=30)  # longer only by renewing it
PERSON_MAX = timedelta(days=366)
DUE = timedelta(days=7)  # a grant that ends within it is listed for renewal


class Scope(StrEnum):
    """What a grant names."""

    ENGAGEMENT = "engagement"
    CASE = "case"
    COMPARTMENT = "compartment"
    ROLE = "role"


@dataclass(frozen=True, slots=True)
class Grant:
    """*name* within *scope* for one person, from *given_at* until *until*."""

    principal: str
    scope: Scope
    name: str
    until: datetime
    given_by: str
    given_at: datetime

    @property
    def id(self) -> str:
        """One person has one grant of a thing; giving it again renews it."""
        return f"{self.principal}/{self.scope.value}/{self.name}"

    def stands(self, now: datetime) -> bool:
        """Whether it has begun and has not ended."""
        return self.given_at <= now < self.until

    def due(self, now: datetime) -> bool:
        """Whether it stands and somebody must renew it soon, or it ends."""
        return self.stands(now) and self.until - now <= DUE


@dataclass(frozen=True, slots=True)
class Suspension:
    """``org:NAME``, ``compartment:NAME`` or ``engagement:ID``, stopped at once for everybody."""

    id: str
    at: datetime
    by: str
    reason: str


def with_grants(person: Principal, grants: Iterable[Grant], now: datetime) -> Principal:
    """The person as access rules see it at this moment: what stands of its grants is added."""
    standing = [one for one in grants if one.principal == person.id and one.stands(now)]
    named = {scope: frozenset(g.name for g in standing if g.scope is scope) for scope in Scope}
    return replace(
        person,
        engagements=person.engagements | named[Scope.ENGAGEMENT],
        cases=person.cases | named[Scope.CASE],
        compartments=person.compartments | named[Scope.COMPARTMENT],
        roles=person.roles | named[Scope.ROLE],
    )


def check_person(person: Principal, now: datetime) -> None:
    """Return if this can be enrolled: an individual, for a bounded time, with nothing granted yet.

    Raises: Invalid, naming the field and the cure.
    """
    for field, text in (("id", person.id), ("name", person.name), ("org", person.org)):
        if not text.strip() or text != text.strip() or not text.isprintable():
            raise Invalid(field, "a text without surrounding blanks is due")
    if ":" in person.id or "/" in person.id:
        raise Invalid("id", "no colon and no slash: they separate kinds of things from names")
    if person.org in {person.id, person.name}:
        raise Invalid("name", "individuals hold access, organisations do not: name the person")
    if person.access_until is None or not now < person.access_until <= now + PERSON_MAX:
        raise Invalid("until", f"access ends on a day within {PERSON_MAX.days} days")
    if person.clearance < 0:
        raise Invalid("clearance", "0 is none; there is nothing below")
    if person.engagements or person.cases or person.compartments:
        raise Invalid("engagements", "enrol first, then give each with `leadline access grant`")


def check_grant(grant: Grant, person: Principal) -> None:
    """Return if the grant ends soon enough, and not after the person's own access.

    Raises: Invalid, naming the field and the cure.
    """
    if not grant.name.strip() or not grant.name.isprintable():
        raise Invalid("name", f"say which {grant.scope.value}")
    if not grant.given_at < grant.until <= grant.given_at + GRANT_MAX:
        raise Invalid("until", f"a grant ends within {GRANT_MAX.days} days; renew it before then")
    if person.access_until is None or grant.until > person.access_until:
        raise Invalid("until", "a grant does not outlast the person's own access")
