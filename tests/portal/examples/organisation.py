"""The accounts of one's own organisation."""

from datetime import timedelta

import make
from leadline.app import organisation
from leadline.app.organisation import Named
from leadline.core.organisation import Organisation, Task
from leadline.wiring.people import roles
from portal.examples import Example
from portal.examples.admin import KEEPERS, READERS
from portal.world import OTHER_DEVELOPER, World

OWN = frozenset({"account-administrator", "second-keeper"})
ALL = OWN | {"other-keeper"}
WHY = {"reason": "left the organisation"}
AT = "/organisation/people/{own_person}"
NEW = {"id": "ada", "name": "Ada Example", "roles": ["developer"], "until": "2027-05-01"}
UNSIGNED = frozenset({409})


def build(world: World) -> None:
    """Both developers founded; a person who never signed in, a session of it, a delegation, a founding."""
    at = world.at
    with at.door.parts.store.write() as tx:
        for name in (make.DEVELOPER, OTHER_DEVELOPER):
            made = Organisation(name, frozenset({"developer"}), 0, at.clock.now, "administrator")
            tx.put(name, made, marking=make.marking(), org=name)
    for id_ in ("own-new", "own-old"):
        at.enrol(id_, "developer", org=make.DEVELOPER, engagements=frozenset())
    until = at.clock.now + timedelta(days=9)
    keeper = world.ctx("account-administrator")
    world.ids["delegation"] = organisation.delegate(
        keeper, "own-old", [Task.ENTER], at.clock.now, until
    ).id
    at.password("own-old")
    world.ids["own_session"] = at.signed_in("own-old").session.id
    two = [Named("vic", "Vic Example"), Named("val", "Val Example")]
    asked = organisation.ask_founding(
        world.ctx("administrator"), roles(), "a-vendor", ["maintainer"], 0, two
    )
    appointing = organisation.ask_appointment(keeper, "own-old")
    world.ids |= {
        "founding": asked.id,
        "appointing": appointing.id,
        "own_person": "own-old",
        "own_new": "own-new",
    }


EXAMPLES = {
    "GET /organisation": Example("/organisation", ALL | READERS),
    "GET /organisation/people/new": Example("/organisation/people/new", ALL | READERS),
    "POST /organisation/people": Example("/organisation/people", ALL | KEEPERS, NEW),
    "GET /organisation/people/{person}": Example(AT, OWN),
    "POST /organisation/people/{person}/invitation": Example(
        "/organisation/people/{own_new}/invitation", OWN
    ),
    "POST /organisation/people/{person}/suspension": Example(f"{AT}/suspension", OWN, WHY),
    "POST /organisation/people/{person}/restoration": Example(
        f"{AT}/restoration",
        OWN,
        WHY,
        answers=frozenset({409}),  # nobody suspended this person
    ),
    "POST /organisation/people/{person}/ending": Example(
        f"{AT}/ending", OWN, {"why": "left the organisation"}
    ),
    "POST /organisation/people/{person}/renewal": Example(
        f"{AT}/renewal", OWN, {"until": "2027-09-01"}
    ),
    "POST /organisation/people/{person}/roles": Example(
        f"{AT}/roles", OWN, {"roles": "developer", "role_until": "2027-03-20"}
    ),
    "POST /organisation/people/{person}/grants/end": Example(
        f"{AT}/grants/end",
        frozenset(),  # there is no such grant
        {"scope": "role", "name": "developer"},
    ),
    "POST /organisation/people/{person}/sessions/{session}/end": Example(
        f"{AT}/sessions/{{own_session}}/end", OWN
    ),
    "POST /organisation/people/{person}/recovery-request": Example(f"{AT}/recovery-request", OWN),
    "POST /organisation/people/{person}/recovery": Example(
        f"{AT}/recovery",
        frozenset({"account-administrator"}),
        {"request": "{appointing}"},
        answers=frozenset({403, 409}),  # signed for something else, and by nobody
    ),
    "POST /organisation/people/{person}/recovery/end": Example(f"{AT}/recovery/end", OWN),
    "POST /organisation/people/{person}/appointment-request": Example(
        f"{AT}/appointment-request", OWN
    ),
    "POST /organisation/people/{person}/appointment": Example(
        f"{AT}/appointment",
        frozenset({"account-administrator"}),
        {"request": "{appointing}"},
        answers=UNSIGNED,
    ),
    "POST /organisation/people/{person}/dismissal": Example(
        "/organisation/people/second-keeper/dismissal", OWN
    ),
    "GET /organisation/delegations/new": Example("/organisation/delegations/new", ALL),
    "POST /organisation/delegations": Example(
        "/organisation/delegations",
        OWN,
        {"to": "own-new", "tasks": ["enter"], "begins": "2027-03-20", "until": "2027-04-01"},
    ),
    "POST /organisation/delegations/{delegation}/end": Example(
        "/organisation/delegations/{delegation}/end", OWN | KEEPERS
    ),
    "GET /admin/organisations": Example("/admin/organisations", READERS),
    "GET /admin/organisations/new": Example("/admin/organisations/new", READERS),
    "POST /admin/organisations": Example(
        "/admin/organisations",
        KEEPERS,
        {
            "organisation": "another-vendor",
            "roles": ["maintainer"],
            "clearance": "0",
            "name1": "Vera Example",
            "id1": "vera",
            "name2": "Vito Example",
            "id2": "vito",
        },
    ),
    "POST /admin/organisations/foundings": Example(
        "/admin/organisations/foundings",
        frozenset({"administrator"}),
        {"request": "{founding}"},
        answers=UNSIGNED,
    ),
}
