"""The pages of an operator with an account."""

from portal.examples import Example
from portal.world import World

OPERATORS = frozenset({"operator", "other-operator"})
OWN = frozenset({"operator"})
NOTICE, LIST = "/operator/notices/{notice}", "name,version\nujson,5.4.0\n"
EXAMPLES = {
    "GET /operator": Example("/operator", OPERATORS),
    "GET /operator/enrolment": Example("/operator/enrolment", OPERATORS),
    "POST /operator/enrolment": Example(
        "/operator/enrolment",
        OPERATORS,
        {
            "name": "The hospital",
            "sectors": ["health"],
            "serves": "1",
            "exposure": "unknown",
            "changes": "1",
            "contact": "IT",
            "mode": "hosted",
        },
        answers=frozenset({409}),  # both are enrolled already
    ),
    "POST /operator/enrolment/end": Example(
        "/operator/enrolment/end", OPERATORS, {"reason": "we moved"}
    ),
    "GET /operator/inventories": Example("/operator/inventories", OPERATORS),
    "POST /operator/inventories": Example("/operator/inventories", OPERATORS, {"list": LIST}),
    "GET /operator/inventories/{inventory}": Example("/operator/inventories/{own_list}", OWN),
    "GET /operator/inventories/{inventory}/sheets": Example(
        "/operator/inventories/{own_list}/sheets", OWN
    ),
    "GET /operator/exposure": Example("/operator/exposure", OPERATORS),
    "GET /operator/exposure.svg": Example("/operator/exposure.svg", OPERATORS),
    "GET /operator/history": Example("/operator/history", OPERATORS),
    "GET /operator/notices": Example("/operator/notices", OPERATORS),
    "GET /operator/notices/{notice}": Example(NOTICE, OWN),
    "POST /operator/notices/{notice}/answers": Example(
        f"{NOTICE}/answers", OWN, {"said": "acting"}
    ),
    "POST /operator/notices/{notice}/proofs": Example(
        f"{NOTICE}/proofs", OWN, {"how": "check", "output": "Version: 5.4.0"}
    ),
}


def build(world: World) -> None:
    """The id of the list that the hospital gave."""
    from leadline.app import operators

    world.ids["own_list"] = operators.inventories(world.ctx("operator"))[0].id
