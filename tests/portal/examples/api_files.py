"""The API's routes for files, machinery and lists that are made by hand.

What is sent as a file is JSON here, which a file may be.
"""

import base64
import json
from hashlib import sha256

import make
from leadline.app import arriving
from leadline.app.intake import Upload
from leadline.core.intake import Purpose
from leadline.wiring import intake
from portal.examples import EVERYBODY, SIGNED_IN, Example
from portal.examples.admin import KEEPERS
from portal.examples.admin import READERS as WATCHERS
from portal.examples.coordinator import HANDS_IN, READS
from portal.examples.developer import DEV, PARTIES
from portal.examples.evaluator import KNOWS, RUNNERS
from portal.world import World

V1, ON = "/api/v1", "engagement={engagement}"
KEY = {"idempotency-key": "one-example"}
LIST = {
    "bomFormat": "CycloneDX",
    "specVersion": "1.5",
    "components": [{"type": "library", "name": "ujson", "version": "5.1.0"}],
}
SAID = {"said": "what was measured"}
SENT = json.dumps(SAID, ensure_ascii=False, separators=(",", ":")).encode()
DIGEST = {
    "content-digest": f"sha-256=:{base64.b64encode(sha256(SENT).digest()).decode()}:",
}
TERMS = base64.b64encode(b"terms").decode()
# A JSON file is no form; what a form does is tried in `tests/http/test_uploads.py`.
NO_FORM = frozenset({415})
RUN_OF_PACK = {"subject": "baseline", "family": "tool-agents", "terms": TERMS}
TO = {"to": "a court", "purpose": "assessment"}
DEPOSIT = DEV | KNOWS

PLACE = {
    "content-type": "application/partial-upload",
    "upload-offset": "0",
    "upload-complete": "?1",
}


def build(world: World) -> None:
    """An upload that the developer began, with nothing of it yet."""
    ctx = world.ctx("developer")
    announced = Upload(make.ENGAGEMENT, make.DEVELOPER, Purpose.EVIDENCE, "said.json", len(SENT))
    arrivals = intake.arrivals(world.at.home)
    world.ids["upload"] = arriving.begin(ctx, announced, sha256(SENT).hexdigest(), arrivals).id


EXAMPLES = {
    f"POST {V1}/check": Example(f"{V1}/check?name=list.json", EVERYBODY, json=LIST),
    f"GET {V1}/concerns/counts": Example(f"{V1}/concerns/counts", EVERYBODY),
    f"GET {V1}/lists/rows.csv": Example(f"{V1}/lists/rows.csv?thing=advisory", SIGNED_IN),
    # Nothing is published in this world.
    f"GET {V1}/published/{{digest}}": Example(
        f"{V1}/published/{'d' * 64}", EVERYBODY, answers=frozenset({404})
    ),
    f"POST {V1}/uploads": Example(
        f"{V1}/uploads?{ON}&purpose=evidence",
        DEPOSIT,
        json=SAID,
        headers={**KEY, **DIGEST},
    ),
    f"OPTIONS {V1}/uploads": Example(f"{V1}/uploads", EVERYBODY),
    f"GET {V1}/uploads/own": Example(f"{V1}/uploads/own", SIGNED_IN),
    f"GET {V1}/uploads/{{upload}}": Example(f"{V1}/uploads/{{upload}}", DEV),
    f"PATCH {V1}/uploads/{{upload}}": Example(
        f"{V1}/uploads/{{upload}}", DEV, json=SAID, headers=PLACE
    ),
    f"DELETE {V1}/uploads/{{upload}}": Example(f"{V1}/uploads/{{upload}}", DEV),
    f"POST {V1}/submissions": Example(
        f"{V1}/submissions?{ON}", DEV, json=SAID, headers=KEY, answers=NO_FORM
    ),
    f"POST {V1}/weights": Example(
        f"{V1}/weights?{ON}", DEPOSIT, json=SAID, headers=KEY, answers=NO_FORM
    ),
    f"POST {V1}/engagements/{{engagement}}/exports": Example(
        f"{V1}/engagements/{{engagement}}/exports", PARTIES, json=TO, headers=KEY
    ),
    f"POST {V1}/findings/files": Example(
        f"{V1}/findings/files?name=report.json",
        HANDS_IN | READS,
        json={"no": "report"},
        headers=KEY,
    ),
    f"POST {V1}/packs/{{pack}}/sessions": Example(
        f"{V1}/packs/{{pack}}/sessions", RUNNERS, json=RUN_OF_PACK, headers=KEY
    ),
    f"GET {V1}/jobs": Example(f"{V1}/jobs", WATCHERS),
    f"GET {V1}/installation/keys": Example(f"{V1}/installation/keys", WATCHERS),
    f"GET {V1}/installation/machine": Example(f"{V1}/installation/machine", WATCHERS),
    f"GET {V1}/why": Example(
        f"{V1}/why?person=evaluator&action=engagement:read&thing=engagement/{{engagement}}",
        WATCHERS,
    ),
    f"GET {V1}/backups": Example(f"{V1}/backups", WATCHERS),
    f"POST {V1}/backups": Example(f"{V1}/backups", KEEPERS, headers=KEY),
    # The world has none: those who may look are told so, and everybody else that they may not.
    f"POST {V1}/backups/{{backup}}/checks": Example(
        f"{V1}/backups/none/checks", frozenset(), headers=KEY
    ),
}
