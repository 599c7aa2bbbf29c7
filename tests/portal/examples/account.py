"""One's own account, and signatures that are asked for."""

from portal.examples import SIGNED_IN, Example
from portal.world import World

SIGNERS = frozenset(
    {"administrator", "second-administrator", "concurring-official", "determining-official"}
)
ONCE = frozenset({409})  # the example's code, challenge or key is none


def build(world: World) -> None:
    """A request of the administrator's that another administrator may sign; a session of each."""
    from leadline.app import sign_in

    asked = sign_in.ask_recovery(world.ctx("administrator"), "finder")
    world.ids["request"] = asked.id


EXAMPLES = {
    "GET /account": Example("/account", SIGNED_IN),
    "POST /account/password": Example(
        "/account/password", SIGNED_IN, {"password": "another long sentence"}
    ),
    "POST /account/passkeys": Example(
        "/account/passkeys", SIGNED_IN, {"challenge": "none", "answer": "{}"}, answers=ONCE
    ),
    "POST /account/certificates": Example("/account/certificates", SIGNED_IN, answers=ONCE),
    "POST /account/keys/{key}/end": Example("/account/keys/none/end", frozenset()),
    "POST /account/sessions/{session}/end": Example(
        "/account/sessions/{session}/end",
        frozenset({"evaluator", "administrator", "second-administrator"}),
    ),
    "POST /account/recovery/end": Example("/account/recovery/end", SIGNED_IN),
    "GET /account/credentials": Example("/account/credentials", SIGNED_IN),
    "POST /account/credentials": Example(
        "/account/credentials", SIGNED_IN, {"engagement": "x"}, answers=frozenset({422})
    ),
    "POST /account/credentials/{credential}/end": Example(
        "/account/credentials/none/end", frozenset()
    ),
    "GET /approvals": Example("/approvals", SIGNED_IN),
    "GET /approvals/{request}": Example("/approvals/{request}", SIGNERS),
    "POST /approvals/{request}": Example(
        "/approvals/{request}", SIGNERS, {"_answer": "{}"}, answers=frozenset({422})
    ),
}
