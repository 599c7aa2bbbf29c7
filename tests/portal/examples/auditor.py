"""The log: its files for everybody, acts for auditors."""

import make
from portal.examples import EVERYBODY, Example
from portal.world import World

AUDITOR = frozenset({"auditor"})
# Whoever is named for an engagement may prove its acts, its own developer too.
PROVES = AUDITOR | frozenset(
    {
        "concurring-official",
        "coordinator",
        "custodian",
        "developer",
        "developer-security-contact",
        "determining-official",
        "evaluation-lead",
        "evaluator",
        "programme-officer",
    }
)


def build(world: World) -> None:
    """An act in a log that is signed."""
    from portal.test_public_pages import record_publish

    with world.at.door.parts.store.write() as tx:
        tx.record(make.act(7000))
    record_publish(world.at)
    world.ids["act"] = make.act(7000).id


EXAMPLES = {
    "GET /log": Example("/log", EVERYBODY),
    "GET /log/checkpoint": Example("/log/checkpoint", EVERYBODY),
    "GET /log/tile/{path:path}": Example(
        "/log/tile/0/999",
        EVERYBODY,
        answers=frozenset({404}),  # this log has none so far on
    ),
    "GET /log/keys": Example("/log/keys", EVERYBODY),
    "GET /log/policy": Example("/log/policy", EVERYBODY),
    "GET /log/consistency": Example("/log/consistency?old=1&new=2", EVERYBODY),
    "GET /log/acts": Example("/log/acts", AUDITOR),
    "GET /log/acts/{act}": Example("/log/acts/{act}", AUDITOR),
    "GET /log/acts/{act}/proof": Example("/log/acts/{act}/proof", PROVES),
    "GET /log/acts/{act}/opening": Example("/log/acts/{act}/opening", PROVES),
    "GET /log/agreement": Example("/log/agreement", AUDITOR),
    "GET /log/fairness": Example("/log/fairness", AUDITOR),
    "POST /log/fairness": Example(
        "/log/fairness", AUDITOR | {"coordinator"}, {"case": "{public_case}"}
    ),
}
