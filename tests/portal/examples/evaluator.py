"""Examples of the evaluator's routes; the world gets a finished assessment of its engagement."""

from datetime import timedelta
from pathlib import Path

from leadline.core.assessment import Budget, ShardResult
from leadline.http.pages.viewer import Ticket
from leadline.wiring import sealed as wiring
from leadline.wiring.sealed import Subject
from portal.assessed_world import SUBJECT, assess
from portal.examples import EVERYBODY, SIGNED_IN, Example
from portal.sealed_packs import seal
from portal.world import World

READERS = frozenset(
    {
        "coordinator",
        "concurring-official",
        "determining-official",
        "evaluation-lead",
        "evaluator",
    }
)
RUNNERS = frozenset({"evaluation-lead", "evaluator"})
KNOWS = RUNNERS | {"custodian"}
RUN = "/engagements/{which}/assessment"
AT = "/engagements/{engagement}/assessment"
ATTEMPT = "/samples/{item:path}/{epoch}"
SESSION, AT_SESSION = "/sealed/{pack}/sessions/{session}", "/sealed/{pack}/sessions/{run}"
BELOW = "/viewer/{which}"
TICKET = "/viewer/{ticket}"


def build(world: World) -> None:
    """An assessment that has run, and an address of one of its logs that does not end."""
    assess(world.at, world.dealings)
    with world.at.door.parts.store.read() as view:
        result = view.find(ShardResult)[0].value
    log, digest = next(iter(result.logs.items()))
    ends = world.at.clock.now + timedelta(days=900)
    world.ids["pack"] = seal(world.at, "custodian").id
    subject = Subject("baseline", "tool-agents", Budget(), Path())
    run = wiring.prepare(world.at.ctx("evaluation-lead"), world.ids["pack"], subject, b"terms")
    world.ids["run"] = run.id
    world.ids.update(
        {"attempted": result.samples[0].item, "ticket": Ticket(log, digest, ends).text()}
    )


EXAMPLES = {
    "GET /assessments": Example("/assessments", SIGNED_IN),
    f"GET {RUN}": Example(AT, READERS),
    # The world's assessment is finished; another one is another engagement.
    f"POST {RUN}": Example(
        AT, RUNNERS, {"suites": "planted", "subject": "baseline"}, answers=frozenset({409})
    ),
    f"GET {RUN}/path.svg": Example(f"{AT}/path.svg", READERS),
    f"GET {RUN}/families.svg": Example(f"{AT}/families.svg", READERS),
    f"GET {RUN}/events": Example(f"{AT}/events", READERS),
    f"GET {RUN}/plan": Example(f"{AT}/plan", READERS),
    f"GET {RUN}/results": Example(f"{AT}/results", READERS),
    RUN.join(("GET ", "/samples/{item:path}/{epoch}")): Example(
        AT + "/samples/{attempted}/1", READERS
    ),
    f"POST {RUN}" + ATTEMPT + "/marks": Example(
        AT + "/samples/{attempted}/1/marks",
        RUNNERS,
        {"subject": SUBJECT.name, "reason": "the harness gave it the answer"},
    ),
    # Nothing of it was lost, and it is marked by none whom this mark is of.
    f"POST {RUN}" + ATTEMPT + "/retries": Example(
        AT + "/samples/{attempted}/1/retries",
        RUNNERS,
        {"subject": SUBJECT.name, "why": "the box was lost"},
        answers=frozenset({409}),
    ),
    f"POST {RUN}" + ATTEMPT + "/marks/{mark_id}/dissents": Example(
        AT + "/samples/{attempted}/1/marks/act-0/dissents",
        READERS,
        {"subject": SUBJECT.name, "dissent": "it was not"},
        answers=frozenset({404}),
    ),
    f"POST {RUN}" + ATTEMPT + "/marks/{mark_id}/withdrawals": Example(
        AT + "/samples/{attempted}/1/marks/act-0/withdrawals",
        RUNNERS,
        {"subject": SUBJECT.name, "back": "it was not"},
        answers=frozenset({404}),
    ),
    f"POST {RUN}/stops": Example(f"{AT}/stops", RUNNERS, {"reason": "enough was seen"}),
    # Nothing of a run that has finished is frozen.
    f"POST {RUN}/resumptions": Example(
        f"{AT}/resumptions", RUNNERS, {"why": "a false alarm"}, answers=frozenset({409})
    ),
    f"GET {BELOW}/index.html": Example(f"{TICKET}/index.html", EVERYBODY),
    f"GET {BELOW}/storage.js": Example(f"{TICKET}/storage.js", EVERYBODY),
    f"GET {BELOW}" + "/assets/{name}": Example(f"{TICKET}/assets/index.css", EVERYBODY),
    # The world's logs do not lie beside its copies.
    f"GET {BELOW}/logs/log.eval": Example(
        f"{TICKET}/logs/log.eval", EVERYBODY, answers=frozenset({404})
    ),
    "GET /sealed": Example("/sealed", SIGNED_IN),
    "GET /sealed/{pack}": Example("/sealed/{pack}", KNOWS),
    # Without terms nothing is committed to; whoever may not run it is refused before or told the same.
    "POST /sealed/{pack}/sessions": Example(
        "/sealed/{pack}/sessions", KNOWS, {"subject": "baseline"}, answers=frozenset({403, 422})
    ),
    # Its cycle has not ended.
    "POST /sealed/{pack}/cycles": Example(
        "/sealed/{pack}/cycles", frozenset({"custodian"}), answers=frozenset({409})
    ),
    f"GET {SESSION}": Example(AT_SESSION, KNOWS),
    f"GET {SESSION}/commitment": Example(f"{AT_SESSION}/commitment", RUNNERS),
    # Its unsealing was not authorised, its score has not left.
    f"GET {SESSION}/proof.json": Example(
        f"{AT_SESSION}/proof.json", KNOWS, answers=frozenset({409})
    ),
    f"POST {SESSION}/unsealing-requests": Example(
        f"{AT_SESSION}/unsealing-requests", KNOWS, {"told": "{}"}, answers=frozenset({422})
    ),
    f"POST {SESSION}/unsealings": Example(
        f"{AT_SESSION}/unsealings", KNOWS, {"request": "request-0"}, answers=frozenset({422})
    ),
    f"POST {SESSION}/reveals": Example(
        f"{AT_SESSION}/reveals",
        frozenset({"custodian", "evaluation-lead"}),
        answers=frozenset({409}),
    ),
    f"POST {SESSION}/opening-requests": Example(
        f"{AT_SESSION}/opening-requests",
        KNOWS,
        {"randomness": "no hex", "count": "1"},
        answers=frozenset({422}),
    ),
    # No session of it has run.
    "POST /sealed/{pack}/scores": Example(
        "/sealed/{pack}/scores", KNOWS, {"session": "session-00"}, answers=frozenset({404})
    ),
}
