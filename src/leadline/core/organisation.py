"""Organisations that look after their own accounts: who may hold what there, and who stands in for whom.

An organisation has two account administrators or more. What one of them does for a while another may do
in his place, and says so; what is done to the administrators themselves is never delegated.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from leadline.core.access import Action, Principal
from leadline.core.errors import Invalid

ADMINISTRATOR = "account-administrator"
KEEPER = "administrator"  # of the whole installation
ADMINISTRATORS_MIN = 2
DELEGATION_MAX = timedelta(days=90)
LAPSING = timedelta(days=30)
NEVER_CHARTERED = frozenset({ADMINISTRATOR, KEEPER, "worker", "public"})


class Task(StrEnum):
    """What an account administrator can have somebody else do meanwhile."""

    ENTER = "enter"
    ROLES = "roles"
    STOP = "stop"
    END = "end"
    RECOVER = "recover"


# Making administrators and naming delegates are not among them: nothing of it can be handed on.
DEEDS: Mapping[Task, frozenset[Action]] = {
    Task.ENTER: frozenset({Action.PRINCIPAL_ENROL}),
    Task.ROLES: frozenset({Action.GRANT_GIVE, Action.GRANT_END}),
    Task.STOP: frozenset(
        {
            Action.PRINCIPAL_SUSPEND,
            Action.PRINCIPAL_RESTORE,
            Action.SESSION_REVOKE,
            Action.CREDENTIAL_REVOKE,
        }
    ),
    Task.END: frozenset({Action.PRINCIPAL_END}),
    Task.RECOVER: frozenset({Action.PRINCIPAL_RECOVER}),
}
SEEN = frozenset({Action.PRINCIPAL_READ, Action.SESSION_LIST})


@dataclass(frozen=True, slots=True)
class Organisation:
    """What the people of one organisation may be at the most; its id is its name."""

    name: str
    roles: frozenset[str]
    clearance: int
    founded: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Delegation:
    """*to* may do *tasks* for *of* from *begins* until *until*, as long as *of* may do them himself."""

    id: str
    org: str
    of: str
    to: str
    tasks: frozenset[Task]
    begins: datetime
    until: datetime
    given_at: datetime
    ended: datetime | None = None

    def stands(self, now: datetime) -> bool:
        """Whether it has begun and has not ended."""
        return self.ended is None and self.begins <= now < self.until

    def open(self, now: datetime) -> bool:
        """Whether it stands, or will."""
        return self.ended is None and now < self.until

    @property
    def deeds(self) -> frozenset[Action]:
        """The actions it is for, and the looking that each of them needs."""
        return SEEN.union(*(DEEDS[one] for one in self.tasks))


@dataclass(frozen=True, slots=True)
class Stopped:
    """Who suspended one person, and of which organisation he was: others of another do not restore."""

    person: str
    at: datetime
    by: str
    org: str


def check_charter(charter: Organisation, known: Iterable[str]) -> None:
    """Return if an organisation can be founded so.

    Raises: Invalid, naming the field and the cure.
    """
    name = charter.name
    if not name.strip() or name != name.strip() or not name.isprintable() or "/" in name:
        raise Invalid("organisation", "a name without surrounding blanks and slashes is due")
    if not charter.roles:
        raise Invalid("roles", "name at least one role that its people may hold")
    for role in sorted(charter.roles - set(known)):
        raise Invalid("roles", f"there is no role {role!r}; see `leadline access roles`")
    for role in sorted(charter.roles & NEVER_CHARTERED):
        raise Invalid("roles", f"{role} is no role that an organisation gives to its people")
    if charter.clearance < 0:
        raise Invalid("clearance", "0 is none; there is nothing below")


def check_within(charter: Organisation, roles: Iterable[str], clearance: int) -> None:
    """Return if somebody of the organisation may hold these.

    Raises: Invalid, naming the field and the cure.
    """
    for role in sorted(frozenset(roles) - charter.roles):
        may = ", ".join(sorted(charter.roles))
        raise Invalid("roles", f"people of {charter.name} hold {may}, and not {role}")
    if clearance > charter.clearance:
        raise Invalid(
            "clearance", f"people of {charter.name} reach level {charter.clearance} at the most"
        )


def check_delegation(given: Delegation, of: Principal, to: Principal) -> None:
    """Return if it can be given: for a stated time, to somebody of the organisation who lacks it.

    Raises: Invalid, naming the field and the cure.
    """
    if not given.tasks:
        raise Invalid("tasks", "say what this person shall do meanwhile")
    if given.to == given.of or ADMINISTRATOR in to.roles:
        raise Invalid("to", "name somebody who is no account administrator: he can do it already")
    if to.suspended or not _until(to, given.begins):
        raise Invalid("to", "this person is suspended, or access ends before the delegation begins")
    if given.begins < given.given_at:
        raise Invalid("begins", "it begins now or later")
    if not given.begins < given.until <= given.begins + DELEGATION_MAX:
        raise Invalid("until", f"it ends after it begins, within {DELEGATION_MAX.days} days")
    if not all(_until(one, given.until - timedelta(microseconds=1)) for one in (of, to)):
        raise Invalid("until", "a delegation does not outlast the access of either person")


def _until(person: Principal, at: datetime) -> bool:
    return person.access_until is not None and at < person.access_until


def administers(person: Principal, now: datetime, role: str = ADMINISTRATOR) -> bool:
    """Whether this person looks after accounts at this moment, in the own right."""
    return role in person.roles and active(person, now)


def active(person: Principal, now: datetime) -> bool:
    """Whether the account is neither suspended nor ended."""
    over = person.access_until is not None and now >= person.access_until
    return not person.suspended and not over


def administrators(persons: Iterable[Principal], org: str, now: datetime) -> tuple[Principal, ...]:
    """Who looks after the accounts of *org* at this moment."""
    return tuple(one for one in persons if one.org == org and administers(one, now))


@dataclass(frozen=True, slots=True)
class Watch:
    """How many look after an organisation's accounts, and how many still will in thirty days."""

    org: str
    now: int
    later: int

    @property
    def short(self) -> bool:
        """Whether there are fewer than two."""
        return self.now < ADMINISTRATORS_MIN

    @property
    def words(self) -> str:
        """What to do about it, or nothing."""
        if self.now == 0:
            return "Nobody looks after its accounts. Its installation's administrators must help."
        if self.short:
            return "One person alone looks after its accounts. Make a second account administrator."
        if self.later < ADMINISTRATORS_MIN:
            return "Within thirty days fewer than two are left: renew their access now."
        return ""


def watch(persons: Iterable[Principal], org: str, now: datetime) -> Watch:
    """How it stands with the account administrators of *org*."""
    held = administrators(persons, org, now)
    return Watch(org, len(held), sum(administers(one, now + LAPSING) for one in held))
