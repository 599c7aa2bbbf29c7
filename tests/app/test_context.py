"""What a use case is given: the answer of the rules, and what a denial leaves behind."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

import make
from fakes import MemorySigner, MemoryStore, MemoryVault
from leadline.access import cedar
from leadline.app.context import Context
from leadline.core.access import Action, Circumstances, Decision, Principal, Resource
from leadline.core.alert import ALARMING_RULES, Alert, warrants
from leadline.core.approval import Granted, Request
from leadline.core.errors import Denied
from leadline.core.record.act import Kind

KINDS: Mapping[type, str] = {Alert: "alert"}


@dataclass
class Listening:
    """Rules that answer as told and keep what they were asked."""

    answer: Decision
    asked: list[Circumstances] = field(default_factory=list)

    def decide(
        self, principal: Principal, action: Action, resource: Resource, given: Circumstances
    ) -> Decision:
        """As the port."""
        self.asked.append(given)
        return self.answer


YES = Decision(allowed=True, rules=("need-to-know",), reason="named")


def context(access: Listening, person: Principal | None = None) -> Context:
    """A context over memory."""
    numbers = make.blinders()
    return Context(
        person or make.principal("evaluator"),
        lambda: make.NOW,
        lambda prefix: f"{prefix}-{int.from_bytes(numbers(), 'big')}",
        MemoryStore(lambda: bytes(32), KINDS),
        access,  # type: ignore[arg-type]
        MemoryVault(),
        MemorySigner(),
        suspended=frozenset({"org:somewhere"}),
    )


def left(ctx: Context) -> tuple[list[Kind], list[Alert]]:
    """The acts' kinds and the alerts that stand in the store."""
    with ctx.store.read() as view:
        return [o.act.kind for o in view.acts()], [row.value for row in view.find(Alert)]


def granted(**changed: object) -> Granted:
    """Approvals of one unsealing by person-0001."""
    fields: dict[str, object] = {
        "id": "request-1",
        "action": Action.ARTEFACT_UNSEAL,
        "kind": "artefact",
        "resource": "thing-0001",
        "engagement": make.ENGAGEMENT,
        "requester": "person-0001",
        "at": make.NOW,
        "nonce": "00" * 32,
    }
    request = Request(**{**fields, **changed})  # type: ignore[arg-type]
    return Granted(request, frozenset({"person-0002", "person-0003"}), asserted=True)


def test_an_allowed_deed_leaves_nothing() -> None:
    """The rules hear what the installation established, and no act is written."""
    access = Listening(YES)
    ctx = context(access)
    ctx.require(Action.ENGAGEMENT_READ, make.resource())
    assert access.asked == [
        Circumstances(make.NOW, suspended=frozenset({"org:somewhere"}), assurance=1)
    ]
    assert left(ctx) == ([], [])


def test_an_everyday_denial_is_an_act_and_no_alert() -> None:
    """A role that does not reach somewhere is recorded with its rules, quietly."""
    ctx = context(Listening(Decision(allowed=False, rules=(), reason="no rule")))
    with pytest.raises(Denied, match="no rule"):
        ctx.require(Action.ASSESSMENT_PLAN, make.resource())
    assert left(ctx) == ([Kind.ACCESS_DENIED], [])
    with ctx.store.read() as view:
        act = view.acts()[0].act
    assert (act.about, act.actor) == ("engagement/thing-0001", "person-0001")
    assert act.detail == {"action": "assessment:plan", "rules": ()}


@pytest.mark.parametrize(
    ("kind", "rules"), [("artefact", ()), ("engagement", ("suspended", "tlp-red"))]
)
def test_a_denial_about_sealed_things_or_of_a_person_is_an_alert(
    kind: str, rules: tuple[str, ...]
) -> None:
    """It leaves an act for the auditor, and a row that somebody must look at."""
    assert warrants(Action.RECORD_READ, kind, rules)
    ctx = context(Listening(Decision(allowed=False, rules=rules, reason="no")))
    with pytest.raises(Denied):
        ctx.require(Action.RECORD_READ, make.resource(kind))
    acts, alerts = left(ctx)
    assert acts == [Kind.ACCESS_DENIED, Kind.ALERT_RAISED]
    assert [(a.kind, a.about, a.actor) for a in alerts] == [
        ("denial", f"{kind}/thing-0001", "person-0001")
    ]


def test_the_rules_that_alarm_are_rules_that_exist() -> None:
    """A rule renamed in the files does not quietly stop raising alerts."""
    assert set(cedar.shipped().rules.reasons) >= ALARMING_RULES


def test_reading_an_engagement_of_others_is_an_alert() -> None:
    """Its id is random, so whoever names it without being a party has guessed or was told."""
    ctx = context(Listening(Decision(allowed=False, rules=(), reason="no")))
    with pytest.raises(Denied):
        ctx.require(Action.ENGAGEMENT_READ, make.resource(id_="engagement-guessed"))
    assert [alert.about for alert in left(ctx)[1]] == ["engagement/engagement-guessed"]


def test_approvals_count_for_the_very_act_they_were_asked_for() -> None:
    """The rules hear of two approvers and of the requester's assertion."""
    access = Listening(YES)
    context(access).require(Action.ARTEFACT_UNSEAL, make.resource("artefact"), granted())
    assert access.asked[0].approvers == {"person-0002", "person-0003"}
    assert access.asked[0].asserted


@pytest.mark.parametrize(
    "changed",
    [
        {"action": Action.ARTEFACT_PUBLISH},
        {"kind": "pack"},
        {"resource": "thing-0002"},
        {"requester": "person-0002"},
    ],
)
def test_approvals_of_another_act_count_for_nothing(changed: dict[str, object]) -> None:
    """Another action, kind, thing or requester: the rules hear of no approval at all."""
    access = Listening(YES)
    context(access).require(Action.ARTEFACT_UNSEAL, make.resource("artefact"), granted(**changed))
    assert access.asked[0].approvers == frozenset()
    assert not access.asked[0].asserted
