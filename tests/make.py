"""Makers of valid values with sensible fields, so that a test states only what it is about."""

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count

from leadline.core.access import Principal, Resource
from leadline.core.marking import Marking, Tlp
from leadline.core.record.act import Act, Kind, Value

NOW = datetime(2027, 3, 1, 9, 30, tzinfo=UTC)
UNTIL = datetime(2027, 6, 1, tzinfo=UTC)
DEVELOPER = "demonstration-developer"
PROGRAMME = "demonstration-programme"
ENGAGEMENT = "engagement-0001"


def marking(tlp: Tlp = Tlp.AMBER_STRICT, *compartments: str) -> Marking:
    """AMBER+STRICT without compartments unless told."""
    return Marking(tlp, frozenset(compartments))


def principal(
    *roles: str,
    id_: str = "person-0001",
    org: str = PROGRAMME,
    engagements: tuple[str, ...] = (ENGAGEMENT,),
    compartments: tuple[str, ...] = (),
    suspended: bool = False,
    access_until: datetime | None = UNTIL,
    cases: tuple[str, ...] = (),
    clearance: int = 0,
) -> Principal:
    """A person of the programme, named on the engagement, whose access has not ended."""
    return Principal(
        id_,
        f"Demonstration {' and '.join(roles) or 'person'}",
        org,
        frozenset(roles),
        frozenset(engagements),
        frozenset(compartments),
        suspended,
        access_until,
        frozenset(cases),
        clearance,
    )


def developer(org: str = DEVELOPER) -> Principal:
    """A person of the developer, not named on any engagement."""
    return principal("developer", org=org, engagements=())


def resource(
    kind: str = "engagement",
    *,
    id_: str = "thing-0001",
    engagement: str = ENGAGEMENT,
    org: str = DEVELOPER,
    tlp: Tlp = Tlp.AMBER_STRICT,
    compartments: tuple[str, ...] = (),
    case: str = "",
    level: int = 0,
    embargo_until: datetime | None = None,
    owner: str = "",
) -> Resource:
    """A thing of the developer's engagement."""
    marked = marking(tlp, *compartments)
    return Resource(kind, id_, engagement, org, marked, case, level, embargo_until, owner)


def act(
    number: int = 1,
    kind: Kind = Kind.INQUIRY_LODGED,
    *,
    engagement: str = ENGAGEMENT,
    about: str = ENGAGEMENT,
    **detail: Value,
) -> Act:
    """An act with the id `act-<number>`."""
    return Act(f"act-{number:04d}", kind, NOW, "person-0001", about, engagement, detail)


def blinders() -> Callable[[], bytes]:
    """32-byte blinders that repeat from run to run: 1, 2, 3, ..."""
    numbers = count(1)
    return lambda: next(numbers).to_bytes(32, "big")


def ids() -> Callable[[str], str]:
    """Ids with a prefix that repeat from run to run."""
    numbers = count(1)
    return lambda prefix: f"{prefix}-{next(numbers):04d}"
