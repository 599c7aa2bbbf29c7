"""Administration."""

from portal.examples import Example
from portal.world import World

KEEPERS = frozenset({"administrator", "second-administrator"})
READERS = KEEPERS | {"auditor"}
WHY = {"reason": "left the programme"}


def build(world: World) -> None:
    """A person who has never signed in, and one backup's name that there is not."""
    world.at.enrol("newcomer", "auditor", org="an-auditor", engagements=frozenset())


EXAMPLES = {
    "GET /admin/people": Example("/admin/people?q=e", READERS),
    "GET /admin/people/new": Example("/admin/people/new", READERS),
    "POST /admin/people": Example(
        "/admin/people",
        KEEPERS,
        {
            "id": "ada",
            "name": "Ada Example",
            "org": "an-auditor",
            "roles": ["auditor"],
            "until": "2027-05-01",
            "clearance": "0",
        },
    ),
    "GET /admin/people/{person}": Example("/admin/people/{person}", READERS | {"evaluator"}),
    "POST /admin/people/{person}/invitation": Example("/admin/people/newcomer/invitation", KEEPERS),
    "POST /admin/people/{person}/suspension": Example(
        "/admin/people/{person}/suspension", KEEPERS, WHY
    ),
    "POST /admin/people/{person}/restoration": Example(
        "/admin/people/{person}/restoration",
        KEEPERS,
        WHY,
        answers=frozenset({409}),  # nobody suspended this person
    ),
    "POST /admin/people/{person}/grants": Example(
        "/admin/people/{person}/grants",
        KEEPERS,
        {"scope": "engagement", "name": "engagement-0002", "until": "2027-03-20"},
    ),
    "POST /admin/people/{person}/grants/end": Example(
        "/admin/people/coordinator/grants/end", KEEPERS, {"scope": "case", "name": "{case}"}
    ),
    "POST /admin/people/{person}/recovery-request": Example(
        "/admin/people/{person}/recovery-request",
        KEEPERS,
    ),
    "POST /admin/people/{person}/recovery": Example(
        "/admin/people/finder/recovery",
        frozenset({"administrator"}),
        {"request": "{request}"},
        answers=frozenset({409}),  # nobody else signed
    ),
    "GET /admin/why": Example(
        "/admin/why?person=evaluator&action=engagement:read&thing=engagement/{engagement}", READERS
    ),
    "GET /admin/suspensions": Example("/admin/suspensions", READERS),
    "POST /admin/suspensions": Example(
        "/admin/suspensions", KEEPERS, {"what": "org:another-developer", **WHY}
    ),
    "POST /admin/suspensions/end": Example(
        "/admin/suspensions/end",
        KEEPERS,
        {"what": "org:another-developer", **WHY},
        answers=frozenset({409}),  # it is not suspended
    ),
    "GET /admin/alerts": Example("/admin/alerts", READERS),
    "GET /admin/system": Example("/admin/system", READERS),
    "POST /admin/backups": Example("/admin/backups", KEEPERS),
    "POST /admin/backups/{backup}/check": Example("/admin/backups/none/check", frozenset()),
    "GET /admin/machine": Example("/admin/machine", READERS),
}
