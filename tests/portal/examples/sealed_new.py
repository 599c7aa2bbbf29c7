"""Examples of handing over: a suite that is sealed, weights that are looked at, a form that waits for a sign-in."""

import json

from leadline.formats import sealed_pack
from portal.examples import EVERYBODY, Example
from portal.sealed_packs import prepared

KEEPER = frozenset({"custodian"})
SUITE = {"file": ("suite.sealed", sealed_pack.encode(prepared()))}
PLACE = {"engagement": "{engagement}"}
WAITS = {"_kept": json.dumps({"path": "/admin/people", "fields": [["id", "ann"]]})}

EXAMPLES = {
    "GET /sealed/new": Example("/sealed/new", KEEPER),
    "POST /sealed/looks": Example("/sealed/looks", KEEPER, PLACE, SUITE),
    "POST /sealed": Example("/sealed", KEEPER, PLACE, SUITE),
    # Without a signature nothing is told of it; whoever hands nothing in is not asked for one.
    "POST /engagements/{engagement}/weights/looks": Example(
        "/engagements/{engagement}/weights/looks",
        frozenset({"custodian", "developer", "evaluation-lead", "evaluator"}),
        {"any": "thing"},
        answers=frozenset({422}),
    ),
    "POST /sign-in/kept": Example("/sign-in/kept", EVERYBODY, WAITS),
}
