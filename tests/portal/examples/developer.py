"""The developer's pages, which the other party of the engagement sees as far as it reads the engagement."""

from datetime import timedelta

import make
from leadline.app import exchange, incidents, inquiry, inquiry_draft, obligations, partners, results
from leadline.app.incidents import Told
from leadline.core.engagement.inquiry import Inquiry, Question
from leadline.core.engagement.partner import Partner, Stage
from leadline.core.engagement.regime import Party
from leadline.core.record.act import Act, Kind, Value
from leadline.wiring import record
from leadline.wiring.duties import law
from leadline.wiring.regimes import questions
from portal.examples import EVERYBODY, FINE, SIGNED_IN, Example
from portal.world import World

DEV = frozenset({"developer"})
DEVELOPERS = DEV | {"rival"}  # of their own organisation each
PARTIES = DEV | {"determining-official"}
TALK = PARTIES | {"concurring-official", "evaluation-lead", "evaluator", "programme-officer"}
READ = TALK | {"auditor", "coordinator", "custodian", "developer-security-contact"}
OFFICIALS = frozenset({"concurring-official", "determining-official"})
PARTNER, OTHER_PARTNER = "a-utility", "another-utility"


def build(world: World) -> None:
    """A draft, an inquiry with its proof, partners, a result, a determination, an incident with what is owed."""
    ids, on = world.ids, world.dealings
    dev = world.ctx("developer")
    ids["early_draft"] = inquiry_draft.begin(dev).id
    inquiry_draft.say(dev, ids["early_draft"], "model", "another model", questions())
    ids["early_inquiry"] = inquiry.lodge(dev, on, Inquiry({Question.MODEL: "a model"})).id
    ours = _partner(world, PARTNER, "developer")
    theirs = _partner(world, OTHER_PARTNER, "government")
    partners.propose(dev, on, ours, "they asked")
    partners.propose(world.ctx("determining-official"), on, theirs, "they asked")
    partners.agree(world.ctx("determining-official"), on, PARTNER, "why not")
    parcel = results.Parcel(
        "estimate.txt", ("evaluator",), dev.now + timedelta(days=30), "assessment"
    )
    ids["sent_result"] = results.send(dev, on, b"an estimate", parcel)[0].id
    told = Told("it did what it should not", "the one on call", dev.now)
    made = incidents.report(
        dev, law(world.at.home).texts(), told, happened=dev.now, notifies="developer", on=on
    )
    ids["own_incident"] = made.id
    ids["lately"] = dev.now.replace(tzinfo=None).isoformat()
    ids["owed_report"] = next(
        one.id for one in obligations.owed(dev, law(world.at.home)) if one.about == made.id
    )
    ids["question"] = exchange.ask(world.ctx("determining-official"), on, "How was it trained?").id
    ids["determination"] = _determination(world)
    record.publish(world.at.home)


def _partner(world: World, organisation: str, party: Party) -> Partner:
    until = world.at.clock.now + timedelta(days=30)
    return Partner(organisation, "utility", ("a plant",), (Stage(("scan",), 5, 5),), until, party)


def _determination(world: World) -> str:
    """A recorded one, as its act says it."""
    regime = world.dealings.regime.digest
    detail: dict[str, Value] = {
        "party": "government", "answer": "undetermined", "official": "A demonstration official", "demonstration": True,
        "outcome": "undetermined", "basis": "b" * 64, "criteria": "c" * 64, "alpha_above": 5, "alpha_below": 5,
        "model": "a model", "weights_version": "v1", "subject": "d" * 64, "variant": "not-stated", "trigger": "new evidence",
        "expires": "2027-12-01T00:00:00Z", "regime": regime, "proposal": "e" * 64, "caveats": ("only in English",),
    }  # fmt: skip
    act = Act(
        "act-determination",
        Kind.DETERMINATION_RECORDED,
        world.at.clock.now,
        "determining-official",
        make.ENGAGEMENT,
        make.ENGAGEMENT,
        detail,
    )
    with world.at.door.parts.store.write() as tx:
        tx.record(act)
    return act.id


TERMS = dict.fromkeys(
    (
        "confidentiality",
        "cybersecurity",
        "insider_risk",
        "intellectual_property",
        "use",
        "nondisclosure",
    ),
    "as was said",
) | {"purposes": "assessment", "retention_days": "30", "expires": "2027-12-01T00:00", "zone": "UTC"}
PROPOSAL = {
    "organisation": "a-third-utility", "tier": "utility", "targets": "a plant", "capabilities-1": "scan",
    "credits-1": "5", "uses-1": "5", "expires": "2027-12-01T00:00", "zone": "UTC", "reason": "they asked",
}  # fmt: skip
INCIDENT = {
    "text": "more of it",
    "who": "the one on call",
    "known": "{lately}",
    "zone": "UTC",
}
E, D, INC = "/engagements/{engagement}", "/inquiries/{early_draft}", "/incidents/{own_incident}"
E_, D_, INC_ = "/engagements/{engagement}", "/inquiries/{draft}", "/incidents/{incident}"
UNDER = {"under": "us-eo-14409"}
# The world's access opened long ago, or has a state in which this is not to be done once more.
ONCE = FINE | {409}

EXAMPLES = {
    "GET /coverage": Example("/coverage", EVERYBODY),
    "POST /coverage": Example("/coverage", EVERYBODY, {"training-operations": "3e25"}),
    "GET /open-weights": Example("/open-weights", EVERYBODY),
    "GET /inquiries": Example("/inquiries", SIGNED_IN),
    "POST /inquiries": Example("/inquiries", DEVELOPERS),
    f"GET {D_}": Example(D, DEV),
    f"GET {D_}/questions/{{name}}": Example(f"{D}/questions/model", DEV),
    f"POST {D_}/questions/{{name}}": Example(f"{D}/questions/model", DEV, {"answer": "a model", "then": "next"}),
    f"GET {D_}/texts": Example(f"{D}/texts", DEV),
    f"POST {D_}/answers": Example(f"{D}/answers", DEV),
    f"GET {D_}/preview": Example(f"{D}/preview", DEV),
    f"POST {D_}/lodging": Example(f"{D}/lodging", DEV),
    f"POST {D_}/removal": Example(f"{D}/removal", DEV),
    "GET /engagements": Example("/engagements", SIGNED_IN),
    f"GET {E_}": Example(E, READ),
    f"GET {E_}/timeline.svg": Example(f"{E}/timeline.svg", READ),
    f"GET {E_}/record": Example(f"{E}/record", READ),
    f"GET {E_}/inquiries": Example(f"{E}/inquiries", READ),
    f"POST {E_}/inquiries": Example(f"{E}/inquiries", DEV),
    f"GET {E_}/inquiries/{{act}}": Example(f"{E}/inquiries/{{early_inquiry}}", READ),
    f"GET {E_}/proofs/{{name}}": Example(f"{E}/proofs/{{early_inquiry}}.json", READ),
    f"GET {E_}/access": Example(f"{E}/access", READ),
    f"POST {E_}/anchor": Example(f"{E}/anchor", DEV, {"anchor": "2027-12-01T00:00", "zone": "UTC", **UNDER}),
    f"POST {E_}/access": Example(f"{E}/access", DEV, UNDER, answers=ONCE),
    f"POST {E_}/extension": Example(f"{E}/extension", DEV, {"until": "2027-03-20T00:00", "until_zone": "UTC", **UNDER}, answers=ONCE),
    f"POST {E_}/closing": Example(f"{E}/closing", PARTIES, UNDER, answers=ONCE),
    f"POST {E_}/regimes": Example(f"{E}/regimes", DEV, {"regime": "eu-ai-act-gpai"}),
    f"POST {E_}/weights": Example(f"{E}/weights", DEV, {"name": "v2", "digest": "e" * 64, "variant": "not-stated"}),
    f"GET {E_}/withdrawal": Example(f"{E}/withdrawal", READ),
    f"POST {E_}/withdrawal": Example(f"{E}/withdrawal", DEV),
    f"POST {E_}/end": Example(f"{E}/end", PARTIES),
    f"GET {E_}/terms": Example(f"{E}/terms", READ),
    f"GET {E_}/terms/draft": Example(f"{E}/terms/draft", READ),
    f"POST {E_}/terms": Example(f"{E}/terms", PARTIES, TERMS),
    f"GET {E_}/messages": Example(f"{E}/messages", TALK),
    f"POST {E_}/messages": Example(f"{E}/messages", TALK | {"trusted-partner"}, {"to": "government", "message": "hello"}),
    f"GET {E_}/questions": Example(f"{E}/questions", TALK),
    f"POST {E_}/questions": Example(f"{E}/questions", DEV, {"asked": "{question}", "answer": "yes"}),
    f"GET {E_}/determinations": Example(f"{E}/determinations", READ),
    f"POST {E_}/responses": Example(f"{E}/responses", DEV, {"determination": "{determination}", "response": "we see it so"}),
    f"POST {E_}/reconsiderations": Example(
        f"{E}/reconsiderations", DEV, {"determination": "{determination}", "reasons": "we see it so"}, answers=ONCE
    ),
    f"GET {E_}/partners": Example(f"{E}/partners", READ),
    f"GET {E_}/partners/proposal": Example(f"{E}/partners/proposal", READ),
    f"POST {E_}/partners": Example(f"{E}/partners", PARTIES, PROPOSAL),
    # Whoever proposed it does not agree to it as well.
    f"POST {E_}/partners/agreement": Example(
        f"{E}/partners/agreement", PARTIES, {"organisation": OTHER_PARTNER, "reason": "why not"}, answers=ONCE
    ),
    f"POST {E_}/partners/stage": Example(f"{E}/partners/stage", DEV, {"organisation": PARTNER, "stage": "0"}),
    f"POST {E_}/partners/end": Example(
        f"{E}/partners/end", PARTIES | {"trusted-partner"}, {"organisation": PARTNER, "authority": "a letter"}
    ),
    f"GET {E_}/partnership": Example(f"{E}/partnership", frozenset({"trusted-partner"})),
    f"POST {E_}/partnership": Example(f"{E}/partnership", frozenset({"trusted-partner"})),
    f"GET {E_}/submission": Example(f"{E}/submission", READ),
    f"POST {E_}/submission/check": Example(f"{E}/submission/check", READ, {"model": "a model"}),
    f"POST {E_}/submission": Example(f"{E}/submission", DEV, {"model": "a model"}),
    f"GET {E_}/weights": Example(f"{E}/weights", READ),
    # Without a signature over them no weights are taken.
    f"POST {E_}/weights/deliveries": Example(
        f"{E}/weights/deliveries", READ, {"any": "thing"}, answers=frozenset({422})
    ),
    f"GET {E_}/receipts": Example(f"{E}/receipts", READ),
    f"POST {E_}/recalls": Example(f"{E}/recalls", DEV, {"result": "{sent_result}"}),
    f"GET {E_}/exports": Example(f"{E}/exports", READ),
    f"POST {E_}/exports": Example(f"{E}/exports", PARTIES, {"recipient": "a court", "purpose": "assessment"}),
    "GET /results": Example("/results", SIGNED_IN),
    "POST /results/{result}/reading": Example("/results/{sent_result}/reading", frozenset({"evaluator"}), {"purpose": "assessment"}),
    "GET /calendar": Example("/calendar", SIGNED_IN),
    "GET /calendar/picture.svg": Example("/calendar/picture.svg", SIGNED_IN),
    "GET /duties": Example("/duties", SIGNED_IN),
    "POST /duties/beginnings": Example(
        "/duties/beginnings", DEVELOPERS, {"began": "deployed", "about": "a model", "since": "{lately}", "since_zone": "UTC"}
    ),
    "POST /duties/draft": Example("/duties/draft", DEV, {"duty": "{owed_report}"}),
    "POST /duties/sent": Example(
        "/duties/sent", DEV, {"duty": "{owed_report}", "at": "{lately}", "zone": "UTC", "to": "them", "reference": "by mail"},
    ),
    "GET /incidents": Example("/incidents", SIGNED_IN),
    "GET /incidents/report": Example("/incidents/report", SIGNED_IN),
    # Each names its own people; this person is of one of the two.
    "POST /incidents": Example(
        "/incidents", DEVELOPERS, {**INCIDENT, "happened": "2027-03-01T00:00", "notifies": "developer"}, answers=FINE | {422}
    ),
    f"GET {INC_}": Example(INC, DEV | OFFICIALS | {"auditor", "evaluator"}),
    f"POST {INC_}/knowledge": Example(f"{INC}/knowledge", DEV | {"evaluator"}, INCIDENT),
    f"POST {INC_}/resolution": Example(
        f"{INC}/resolution", DEV | {"evaluator"}, {"event": "incident-resolved", "at": "{lately}", "zone": "UTC", "how": "it was ended"}
    ),
}  # fmt: skip
