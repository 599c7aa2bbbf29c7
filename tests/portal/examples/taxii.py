"""What programs fetch: the public collection, and that of the drafts of a case."""

from leadline.app import sharing
from leadline.http.taxii import ROOT
from portal.examples import EVERYBODY, Example
from portal.world import World

# Who is named for the whole of the case under embargo.
PARTIES = frozenset({"coordinator", "maintainer"})
ONE, PLACE = ROOT + "collections/{collection}/", ROOT + "collections/{drafts}/"
ABSENT = frozenset({404})  # nothing is published or drafted in this world
NONE = "vulnerability--00000000-0000-5000-8000-000000000000"


def build(world: World) -> None:
    """Where the drafts of the case are."""
    world.ids["drafts"] = sharing.Collection(world.ids["case"], "", "").id


EXAMPLES = {
    "GET /taxii2/": Example("/taxii2/", EVERYBODY),
    f"GET {ROOT}": Example(ROOT, EVERYBODY),
    f"GET {ROOT}status/{{status}}/": Example(f"{ROOT}status/none/", EVERYBODY, answers=ABSENT),
    f"GET {ROOT}collections/": Example(f"{ROOT}collections/", EVERYBODY),
    f"GET {ONE}": Example(PLACE, PARTIES),
    f"GET {ONE}manifest/": Example(f"{PLACE}manifest/", PARTIES),
    f"GET {ONE}objects/": Example(f"{PLACE}objects/", PARTIES),
    f"GET {ONE}objects/{{object_}}/": Example(f"{PLACE}objects/{NONE}/", PARTIES, answers=ABSENT),
    f"GET {ONE}objects/{{object_}}/versions/": Example(
        f"{PLACE}objects/{NONE}/versions/", PARTIES, answers=ABSENT
    ),
    # Collections are read alone, and say so to whoever may read them.
    f"POST {ONE}objects/": Example(f"{PLACE}objects/", PARTIES, answers=frozenset({403})),
    f"DELETE {ONE}objects/{{object_}}/": Example(
        f"{PLACE}objects/{NONE}/", PARTIES, answers=frozenset({403})
    ),
}
