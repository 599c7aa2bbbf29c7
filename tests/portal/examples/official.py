"""Examples of the official's routes, in the world that the evaluator's examples leave."""

import make
from leadline.app import approval, determinations, engagement
from leadline.core.access import Action
from leadline.core.approval import Granted
from leadline.core.record.act import Kind
from leadline.formats.determination_toml import load_determination
from portal.assessed_world import SUBJECT
from portal.examples import SIGNED_IN, Example
from portal.examples.evaluator import READERS
from portal.world import World

DECIDE = frozenset({"determining-official"})
STEP_ASIDE = READERS - {"coordinator"}
SAY = frozenset({"determining-official", "concurring-official"})
ON, AT = "/engagements/{which}", "/engagements/{engagement}"
WRITTEN = f"""answer = "undetermined"
outcome = "undetermined"
basis = "{"b" * 64}"
criteria = "c"
official = "Ada Demonstration"
expires = 2027-09-01T12:00:00Z
trigger = "another weights version"
demonstration = true
[scope]
model = "a model nobody heard of"
weights_version = "{SUBJECT.name}"
subject = "{"d" * 64}"
[errors]
above = 0.05
below = 0.05
"""


def build(world: World) -> None:
    """The act that proved isolation, and its record."""
    with world.at.door.parts.store.read() as view:
        act = view.acts(kind=Kind.ISOLATION_PROVED)[0].act
    world.ids["proved"] = act.id
    world.ids["proof"] = str(act.detail["evidence"])
    made = load_determination(WRITTEN.encode(), "made.toml")
    with (
        world.at.door.parts.store.write() as tx
    ):  # what the act among the developer's examples says
        told, on = f"{make.ENGAGEMENT}/determination/{'e' * 64}", make.ENGAGEMENT
        tx.put(told, made, marking=make.marking(), engagement=on, org=make.DEVELOPER)
    world.ids["proposal"], world.ids["recorded"] = _recorded(world)
    said = determinations.respond(
        world.ctx("developer"), world.dealings, world.ids["recorded"], "we see it otherwise"
    )
    world.ids["reasons"] = str(said.detail["response"])


def _recorded(world: World) -> tuple[str, str]:
    """A determination that the official proposed and recorded: its digest, and the act."""
    ctx, on = world.ctx("determining-official"), world.dealings
    made = load_determination(WRITTEN.encode(), "made.toml")
    key, facts = world.at.key("determining-official"), engagement.signed_facts(made)

    def signed() -> Granted:
        action = Action.DETERMINATION_RECORD
        return approval.asserted(ctx, action, on.resource(), facts, key.sign)

    determinations.propose(ctx, on, made, signed())
    act = engagement.record_determination(ctx, on, made, signed())
    return facts["determination"], act.id


EXAMPLES = {
    "GET /determinations": Example("/determinations", SIGNED_IN),
    f"GET {ON}/brief": Example(f"{AT}/brief", READERS),
    f"GET {ON}/brief.pdf": Example(f"{AT}/brief.pdf", READERS),
    f"GET {ON}/determination": Example(f"{AT}/determination", READERS),
    ON.join(("GET ", "/evidence/acts/{act}")): Example(AT + "/evidence/acts/{proved}", READERS),
    ON.join(("GET ", "/evidence/{digest}")): Example(AT + "/evidence/{proof}", READERS),
    ON.join(("GET ", "/criteria/{pack}")): Example(f"{AT}/criteria/demonstration", READERS),
    f"GET {ON}/statements/" + "{digest}": Example(AT + "/statements/{reasons}", READERS),
    f"POST {ON}/determination/proposals": Example(
        f"{AT}/determination/proposals", DECIDE, {"written": WRITTEN}
    ),
    f"POST {ON}/determination/records": Example(
        f"{AT}/determination/records", DECIDE, {"proposal": "{proposal}"}
    ),
    f"POST {ON}/determination/concurrences": Example(
        f"{AT}/determination/concurrences", SAY, {"proposal": "{proposal}"}
    ),
    f"POST {ON}/determination/dissents": Example(
        f"{AT}/determination/dissents", SAY, {"proposal": "{proposal}", "reasons": "it is thin"}
    ),
    f"POST {ON}/determination/recusals": Example(f"{AT}/determination/recusals", STEP_ASIDE),
    f"POST {ON}/determination/corrections": Example(
        f"{AT}/determination/corrections",
        DECIDE,
        {"of": "{recorded}", "new_trigger": "another scaffold", "new_caveats": ""},
    ),
    # Nobody asked to look again under this text, which offers no such thing.
    f"POST {ON}/determination/answers": Example(
        f"{AT}/determination/answers",
        DECIDE,
        {"asked": "{recorded}", "answer": "it was looked at again"},
        answers=frozenset({404}),
    ),
}
