"""What anybody may read, and concerns."""

from leadline.app import concerns
from leadline.wiring.register import sectors
from portal.examples import EVERYBODY, SIGNED_IN, Example
from portal.world import World

RAISES = frozenset({"operator", "other-operator", "maintainer", "other-maintainer", "finder"})
ANSWERS = frozenset({"coordinator", "programme-officer"})


def build(world: World) -> None:
    """A concern of the hospital's."""
    made = concerns.raised(world.ctx("operator"), sectors(), "health", "Notices come at night.")
    world.ids["concern"] = made.id


EXAMPLES = {
    "GET /register": Example("/register", EVERYBODY),
    "GET /register.json": Example("/register.json", EVERYBODY),
    "GET /counts": Example("/counts", EVERYBODY),
    "GET /counts.csv": Example("/counts.csv", EVERYBODY),
    "GET /counts.svg": Example("/counts.svg", EVERYBODY),
    "GET /about/method": Example("/about/method", EVERYBODY),
    "GET /about/access": Example("/about/access", EVERYBODY),
    "GET /regimes": Example("/regimes", EVERYBODY),
    "GET /regimes/compared": Example("/regimes/compared?id=us-eo-14409&id=ca-sb53", EVERYBODY),
    "GET /regimes/{regime}": Example("/regimes/us-eo-14409", EVERYBODY),
    "GET /advisories": Example("/advisories", EVERYBODY),
    # Nothing is published in this world, and that looks the same to everybody.
    "GET /advisories/{advisory}": Example(
        "/advisories/NO-SUCH", EVERYBODY, answers=frozenset({404})
    ),
    "GET /feed/{path:path}": Example("/feed/none.json", EVERYBODY, answers=frozenset({404})),
    "GET /concerns": Example("/concerns", SIGNED_IN),
    "POST /concerns": Example("/concerns", RAISES, {"sector": "health", "text": "A worry."}),
    "POST /concerns/{concern}/answer": Example(
        "/concerns/{concern}/answer", ANSWERS, {"answer": "An answer."}
    ),
}
