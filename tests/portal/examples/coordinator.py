"""The coordinator's pages, which others see as far as they are named for a case."""

from leadline.app import cases, contacts, contracts, drafts, evidence, leases, publishing, reports
from leadline.app.cases import NewParty
from leadline.core.clearing.directory import Address, Channel, Project
from leadline.core.clearing.disclosure import Role
from leadline.core.clearing.evidence import Claim
from leadline.core.clearing.lease import Target
from leadline.core.marking import Tlp
from leadline.http.pages.coordinator_shared import zipped
from operator_world import ujson
from portal.examples import SIGNED_IN, Example
from portal.world import World
from reporting import reported, terms

DESK = frozenset({"coordinator"})
# Named for the case: whoever opened it, its owner, and its finder for the outer part.
INSIDE = frozenset({"coordinator", "maintainer"})
NAMED = INSIDE | {"finder"}
READS = frozenset({"coordinator", "finder"})
HANDS_IN = frozenset(
    {"developer", "developer-security-contact", "maintainer", "other-maintainer", "rival"}
)
# Roles that may read no project.
PROJECTS = SIGNED_IN - {
    "administrator", "concurring-official", "custodian", "determining-official", "evaluation-lead",
    "programme-officer", "second-administrator", "trusted-partner",
    "account-administrator", "other-keeper", "second-keeper",
}  # fmt: skip
MAINTAIN = frozenset({"maintainer", "other-maintainer"})
SECURITY_TXT = b"Contact: mailto:a@b.example\nExpires: 2028-01-01T00:00:00Z\n"
REFUSED = frozenset({409})


def build(world: World) -> None:
    """A report at intake, a project in the directory, drafts and an advisory of the open case."""
    draft = reported()
    ctx = world.ctx("finder")
    receipt = reports.submit(ctx, draft.finding, draft.proof, draft.raw, files=draft.files)
    world.ids["report"] = receipt.finding
    coordinator, now = world.ctx("coordinator"), world.at.clock.now
    address = Address(Channel.MAIL, "security@project.example", "its security.txt", now)
    contacts.add(coordinator, [Project("a-project", addresses=(address,))])
    made = drafts.write(coordinator, world.ids["case"], drafts.Asked((world.ids["party"],)))
    world.ids["draft"] = made.messages[0].id
    contracts.add(coordinator, terms(), b"the file")
    new = NewParty(Role.DOWNSTREAM, "A vendor", "security@vendor.example")
    world.ids["vendor"] = cases.add_party(coordinator, world.ids["case"], new)
    ctx = world.ctx("coordinator")  # as it is named since
    pair = receipt.finding, world.ids["loose"]
    world.ids["edge"] = evidence.confirm(ctx, *pair, Claim.SAME, "I looked").id
    target = Target(purl="pkg:pypi/ujson@5.1.0")
    taken = leases.take(world.ctx("finder"), target, hours=48, effort_hours=8)
    world.ids["lease"] = taken.lease.id
    held = ujson(id="LEADLINE-2027-0002", tlp=Tlp.AMBER_STRICT)
    publishing.draft(coordinator, world.ids["case"], held)
    world.ids["advisory"] = held.id


C, R = "/cases/{case}", "/reports/{report}"
EXAMPLES = {
    "GET /reports": Example("/reports", SIGNED_IN),
    "POST /reports": Example(
        "/reports", READS | HANDS_IN, {"origin": "tool"}, files={"reports": ("report.json", b"{}")}
    ),
    "GET /reports/{finding}": Example(R, READS),
    "GET /reports/{finding}/text": Example(R + "/text", READS),
    "GET /reports/{finding}/proof": Example(R + "/proof", READS),
    "POST /reports/{finding}/moves": Example(
        R + "/moves", DESK, {"state": "duplicate", "reason": "it is one"}
    ),
    "POST /reports/{finding}/assignments": Example(
        R + "/assignments", DESK, {"project": "bsdiff4", "assign-reason": "it says so"}
    ),
    "POST /reports/{finding}/haste": Example(R + "/haste", DESK, {"haste-reason": "seen in use"}),
    "POST /reports/{finding}/answers": Example(R + "/answers", DESK, {"words": "Thank you."}),
    "POST /reports/{finding}/withdrawal": Example(R + "/withdrawal", frozenset({"finder"})),
    "POST /reports/{finding}/text": Example(R + "/text", READS, answers=REFUSED),
    "POST /reports/{finding}/judgements": Example(
        R + "/judgements", DESK, {"other": "{finding}", "claim": "same", "because": "I looked"}
    ),
    "GET /groups": Example("/groups", SIGNED_IN),
    "POST /groups": Example("/groups", DESK),
    "POST /groups/judgements": Example(
        "/groups/judgements", DESK, {"one": "{report}", "two": "{finding}", "claim": "same", "because": "I looked"},
    ),
    "POST /groups/retractions": Example(
        "/groups/retractions", DESK, {"evidence": "{edge}", "why": "it was another"}
    ),
    "GET /case-form": Example("/case-form?finding={loose}", SIGNED_IN),
    "POST /cases": Example(
        "/cases", DESK, {"finding": "{loose}", "title": "A flaw", "disclosure": "leadline-default"}
    ),
    "GET /cases": Example("/cases", SIGNED_IN),
    "GET /cases/{case}": Example(C, NAMED),
    "GET /cases/{case}/timeline": Example(C + "/timeline", NAMED),
    "GET /cases/{case}/parties": Example(C + "/parties", NAMED),
    "POST /cases/{case}/parties": Example(
        C + "/parties", DESK, {"role": "downstream", "name": "A distribution"}
    ),
    "POST /cases/{case}/parties/list": Example(
        C + "/parties/list", DESK, {"list-role": "owner", "list": "A,a@a.example"}
    ),
    "POST /cases/{case}/renewal": Example(C + "/renewal", DESK),
    "GET /cases/{case}/parties/{party}": Example(C + "/parties/{party}", INSIDE),
    "POST /cases/{case}/parties/{party}/statements": Example(
        C + "/parties/{vendor}/statements", DESK, {"affected": "affected", "reference": "its mail"}
    ),
    "POST /cases/{case}/parties/{party}/answers": Example(
        C + "/parties/{vendor}/answers",
        DESK,
        {"answer": "accept", "answer-reference": "its mail"},
        answers=REFUSED,  # it was not asked
    ),
    "POST /cases/{case}/parties/{party}/removal": Example(
        C + "/parties/{party}/removal", DESK, {"removal-reason": "it asked to"}
    ),
    "POST /cases/{case}/parties/{party}/credit": Example(
        C + "/parties/{party}/credit", DESK, {"credit-name": "Ada"}, answers=REFUSED
    ),
    "GET /cases/{case}/dates": Example(C + "/dates", NAMED),
    "POST /cases/{case}/dates": Example(
        C + "/dates", NAMED, {"until": "2027-04-01T12:00", "zone": "UTC"}
    ),
    "POST /cases/{case}/agreement": Example(C + "/agreement", DESK, answers=REFUSED),
    "POST /cases/{case}/disclosure": Example(
        C + "/disclosure", DESK, {"disclosure": "cert-cc-45", "disclosure-reason": "agreed"}
    ),
    "GET /cases/{case}/events": Example(C + "/events", NAMED),
    "POST /cases/{case}/events": Example(
        C + "/events", DESK, {"move": "attacks", "evidence": "ab" * 32}
    ),
    "POST /cases/{case}/findings": Example(C + "/findings", DESK, {"finding": "{loose}"}),
    "POST /cases/{case}/closing": Example(
        C + "/closing", DESK, {"closing-reason": "done"}, answers=REFUSED
    ),
    "GET /cases/{case}/drafts": Example(C + "/drafts", DESK),
    "POST /cases/{case}/drafts": Example(C + "/drafts", DESK),
    "GET /cases/{case}/drafts/archive": Example(C + "/drafts/archive", DESK),
    "POST /cases/{case}/drafts/sent": Example(
        C + "/drafts/sent", DESK, {"draft": "{draft}", "where": "by mail", "at": "2027-03-08T11:45"}
    ),
    "GET /drafts": Example("/drafts", SIGNED_IN),
    "GET /drafts/{draft}": Example("/drafts/{draft}", DESK),
    "GET /drafts/{draft}/text": Example("/drafts/{draft}/text", DESK),
    "GET /cases/{case}/advisories": Example(C + "/advisories", INSIDE),
    "POST /cases/{case}/advisories": Example(
        C + "/advisories", DESK, {"fixed": "pkg:pypi/ujson@9"}
    ),
    "GET /cases/{case}/advisories/{advisory}": Example(C + "/advisories/{advisory}", INSIDE),
    "POST /cases/{case}/advisories/{advisory}/publication": Example(
        C + "/advisories/{advisory}/publication", DESK
    ),
    "POST /cases/{case}/advisories/{advisory}/withdrawal": Example(
        C + "/advisories/{advisory}/withdrawal", DESK, {"reason": "it was wrong"}
    ),
    "GET /cases/{case}/notices": Example(C + "/notices", DESK),
    "POST /cases/{case}/notices": Example(
        C + "/notices",
        DESK,
        {"stage": "mitigation", "advisory": "{advisory}", "evidence": "owner"},
        answers=REFUSED,
    ),
    "GET /cases/{case}/fixes": Example(C + "/fixes", INSIDE),
    "POST /cases/{case}/fixes": Example(
        C + "/fixes", DESK, {"fix": "fix-none", "state": "sent", "where": "there"},
        answers=frozenset({404}),
    ),
    "GET /fixes": Example("/fixes", SIGNED_IN),
    "GET /cases/{case}/relay": Example(C + "/relay", INSIDE),
    "POST /cases/{case}/relay": Example(C + "/relay", DESK, {"origin": "https://a.example/1"}),
    "POST /cases/{case}/relay/receipt": Example(
        C + "/relay/receipt", DESK, {"keys": "none"}, files={"receipt": ("r", b"none")}, answers=frozenset({422})
    ),
    "GET /relayed-cases": Example("/relayed-cases", SIGNED_IN),
    "POST /relayed-cases": Example(
        "/relayed-cases",
        DESK,
        {"keys": "none", "disclosure": "leadline-default"},
        files={"parcel": ("parcel.zip", zipped({"relay.json": b"{}"}))},
        answers=frozenset({422}),  # these are no keys
    ),
    "GET /fixes/{fix}/patch": Example("/fixes/fix-none/patch", frozenset()),
    "POST /leases/{lease}/renewal": Example(
        "/leases/{lease}/renewal", frozenset({"finder"}), {"more-hours": "50"}
    ),
    "POST /leases/{lease}/closing": Example("/leases/{lease}/closing", frozenset({"finder"})),
    "POST /projects": Example(
        "/projects",
        DESK | MAINTAIN,
        {"project": "another"},
        files={"contacts": ("security.txt", SECURITY_TXT)},
    ),
    "GET /priority": Example("/priority", SIGNED_IN),
    "GET /cases/{case}/priority": Example(C + "/priority", INSIDE),
    "POST /cases/{case}/priority": Example(
        C + "/priority", DESK, {"signal": "exposed", "value": "yes", "reason": "it is"}
    ),
    "POST /cases/{case}/place": Example(
        C + "/place", DESK, {"outcome": "3D", "place-reason": "a hospital asked"}
    ),
    "GET /cases/{case}/fairness": Example("/cases/{public_case}/fairness", DESK),
    "GET /cases/{case}/fairness/report": Example("/cases/{public_case}/fairness/report", DESK | {"auditor"}),
    "GET /leases": Example("/leases", SIGNED_IN),
    "POST /leases": Example(
        "/leases",
        frozenset({"finder"}),
        {"target": "pkg:pypi/ujson@5.1.0", "hours": "48", "effort": "8"},
    ),
    "GET /projects": Example("/projects", PROJECTS),
    "GET /project": Example("/project?name=a-project", PROJECTS),
    "POST /project": Example("/project", DESK, {"name": "a-project"}),
    "GET /operators": Example("/operators", SIGNED_IN),
    "POST /operators/vetted": Example(
        "/operators/vetted", DESK, {"operator": "{operator}", "grounds": "x"}, answers=REFUSED
    ),
    "POST /operators/ended": Example(
        "/operators/ended", DESK | {"operator"}, {"end-operator": "{operator}", "end-reason": "x"}
    ),
    "POST /tiers": Example("/tiers", DESK, answers=REFUSED),
}  # fmt: skip
