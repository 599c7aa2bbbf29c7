"""The Cedar rules against a second reading of them, broken requests, and the engine's traps."""

import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

import fake_access
import make
from access import asking
from leadline.access import cedar
from leadline.core.access import Action, Circumstances
from leadline.core.errors import Invalid
from leadline.formats.roles_toml import Grant, Reach, deed

REQUESTS = 6_000
DATA = Path(str(files("leadline") / "data"))
SCHEMA = (DATA / "access" / "leadline.cedarschema").read_text()
RULE = '@id("{id}") @reason("said plainly") {text};\n'


def compare(count: int) -> tuple[int, Counter[str]]:
    """Ask both readings *count* times; how many were allowed, and how often each rule decided."""
    shipped, chance = cedar.shipped(), random.Random(14409)  # noqa: S311 -- repeats from run to run
    plain = fake_access.PlainAccess(shipped.roles)
    allowed, decided = 0, Counter[str]()
    for _ in range(count):
        asked = asking.request(chance)
        facts = (asked.person, asked.action, asked.thing, asked.given)
        decision, expected = shipped.decide(*facts), plain.decide(*facts)
        assert decision.allowed == expected.allowed, (facts, decision, expected)
        assert decision.reason != cedar.NOT_DECIDED or not applies(asked)
        allowed += decision.allowed
        decided.update(decision.rules)
    return allowed, decided


def applies(asked: asking.Asked) -> bool:
    """Whether some role grants the action on that kind, so that the schema knows it."""
    wanted = deed(asked.action, asked.thing.kind)
    return any(wanted in role.deeds(r) for role in cedar.shipped().roles.values() for r in Reach)


def test_two_readings_of_the_rules_agree() -> None:
    """On 6,000 random requests Cedar and plain Python answer alike; every rule decides some."""
    allowed, decided = compare(REQUESTS)
    assert allowed >= REQUESTS // 10
    assert set(decided) == set(cedar.shipped().rules.reasons)
    assert min(decided.values()) >= REQUESTS // 1000


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_two_readings_agree_a_million_times() -> None:
    """One request in ten or more is allowed, and each rule decides at least a thousand."""
    allowed, decided = compare(1_000_000)
    print(f"{allowed} allowed", *decided.most_common(), sep="\n")  # noqa: T201 -- shown with -s
    assert allowed >= 100_000
    assert set(decided) == set(cedar.shipped().rules.reasons)
    assert min(decided.values()) >= 1_000


BREAKS: dict[str, Callable[[Any], Any]] = {
    "nothing": lambda _value: None,
    "a number": lambda _value: 7,
    "a list in place of text": lambda value: [value],
}


@pytest.mark.parametrize("damage", BREAKS)
@pytest.mark.parametrize(
    "field", ["id", "org", "roles", "engagements", "compartments", "suspended", "access_until"]
)
def test_a_malformed_person_is_denied(field: str, damage: str) -> None:
    """No field of a person can be broken into an allow, and nothing of it is repeated."""
    person = make.principal("evaluator")
    thing = make.resource("assessment")
    whole = cedar.shipped().decide(person, Action.ASSESSMENT_RUN, thing, Circumstances(make.NOW))
    assert whole.allowed
    broken = BREAKS[damage](getattr(person, field))
    if field == "access_until" and broken is None:
        return  # not malformed: a person without an end, which has its own rule
    changes: dict[str, Any] = {field: broken}
    bad = replace(person, **changes)
    decision = cedar.shipped().decide(bad, Action.ASSESSMENT_RUN, thing, Circumstances(make.NOW))
    assert not decision.allowed
    assert make.PROGRAMME not in decision.reason


@pytest.mark.parametrize("damage", BREAKS)
@pytest.mark.parametrize("field", ["id", "engagement", "org", "marking"])
def test_a_malformed_thing_is_denied(field: str, damage: str) -> None:
    """No field of a thing either."""
    changes: dict[str, Any] = {field: BREAKS[damage]("x")}
    bad = replace(make.resource("assessment"), **changes)
    person = make.principal("evaluator")
    decision = cedar.shipped().decide(person, Action.ASSESSMENT_RUN, bad, Circumstances(make.NOW))
    assert not decision.allowed


OTHER: tuple[object, ...] = (None, 7, 2.5, "x", b"x", True, ["e1"], {"e1": 1}, object())
MALFORMED = {
    "person": "id org roles engagements compartments suspended access_until cases clearance",
    "thing": "kind id engagement org marking case level embargo_until owner",
    "given": "now approvers asserted proved assurance suspended",
}


def broken(chance: random.Random) -> asking.Asked:
    """A request that is allowed, but for one fact that has another type than declared, or is gone."""
    while True:
        asked = asking.request(chance)
        facts = (asked.person, asked.action, asked.thing, asked.given)
        if not cedar.shipped().decide(*facts).allowed:
            continue
        part = chance.choice(tuple(MALFORMED))
        field = chance.choice(MALFORMED[part].split())
        whole = getattr(asked, part)
        value = chance.choice(OTHER)
        optional = field in {"access_until", "embargo_until"} and value is None
        if not optional and type(value) is not type(getattr(whole, field)):
            changes: dict[str, Any] = {field: value}
            changed: dict[str, Any] = {part: replace(whole, **changes)}
            return replace(asked, **changed)


def count_allowed(count: int) -> int:
    """How many of *count* broken requests are allowed."""
    chance, allowed = random.Random(100), 0  # noqa: S311 -- repeats from run to run
    for _ in range(count):
        asked = broken(chance)
        facts = (asked.person, asked.action, asked.thing, asked.given)
        allowed += cedar.shipped().decide(*facts).allowed
    return allowed


def test_a_broken_request_is_never_allowed() -> None:
    """2,000 requests that would be allowed, each with one fact missing or of another type."""
    assert count_allowed(2_000) == 0


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_a_hundred_thousand_broken_requests_are_never_allowed() -> None:
    """The same, 100,000 times."""
    assert count_allowed(100_000) == 0


def test_a_request_without_a_part_is_denied() -> None:
    """No person, no thing, no circumstances, no action."""
    person, thing = make.principal("evaluator"), make.resource("assessment")
    whole: tuple[Any, ...] = (person, Action.ASSESSMENT_RUN, thing, Circumstances(make.NOW))
    assert cedar.shipped().decide(*whole).allowed
    for at in range(len(whole)):
        parts: list[Any] = [None if n == at else part for n, part in enumerate(whole)]
        assert not cedar.shipped().decide(*parts).allowed


def test_a_time_without_offset_is_denied() -> None:
    """Neither the present nor an end of access may leave its zone open."""
    person, thing = make.principal("evaluator"), make.resource("assessment")
    bare = make.UNTIL.replace(tzinfo=None)
    shipped = cedar.shipped()
    late = shipped.decide(
        replace(person, access_until=bare), Action.ASSESSMENT_RUN, thing, Circumstances(make.NOW)
    )
    no_zone = shipped.decide(
        person, Action.ASSESSMENT_RUN, thing, Circumstances(make.NOW.replace(tzinfo=None))
    )
    assert not late.allowed
    assert not no_zone.allowed


def test_a_mistaken_role_cannot_take_the_developers_choice() -> None:
    """Where a role file grants withdrawal to evaluators, the rule above roles still refuses it."""
    shipped = cedar.shipped()
    grant = Grant(Reach.ANY, frozenset({Action.ENGAGEMENT_WITHDRAW}), frozenset({"engagement"}))
    evaluator = replace(shipped.roles["evaluator"], grants=(grant,))
    mistaken = cedar.CedarAccess(shipped.rules, {**shipped.roles, "evaluator": evaluator})
    decision = mistaken.decide(
        make.principal("evaluator"),
        Action.ENGAGEMENT_WITHDRAW,
        make.resource(),
        Circumstances(make.NOW),
    )
    assert (decision.allowed, decision.rules) == (False, ("developer-alone",))


def rules_of(folder: Path, *rules: str, schema: str = SCHEMA) -> cedar.Rules:
    """Rules numbered from 0 under the shipped schema."""
    (folder / "leadline.cedarschema").write_text(schema)
    text = "".join(RULE.format(id=f"r{at}", text=rule) for at, rule in enumerate(rules))
    (folder / "x.cedar").write_text(text)
    return cedar.load_rules(folder)


def asked() -> tuple[Mapping[str, object], list[cedar.Entity]]:
    """A request about two entities, as the engine takes it."""
    user = {"uid": {"type": "User", "id": "p"}, "parents": [], "attrs": user_facts()}
    facts = {"engagement": "e", "org": "o", "tlp": "TLP:CLEAR", "case": "", "owner": ""}
    numbers = {"level": 0, "embargo_until": 0}
    attributes: dict[str, object] = {**facts, **numbers, "compartments": []}
    thing = {"uid": {"type": "Engagement", "id": "t"}, "parents": [], "attrs": attributes}
    return {
        "principal": user["uid"],
        "action": {"type": "Action", "id": "engagement:read"},
        "resource": thing["uid"],
        "context": {
            "now": 2**62,
            "deed": "x",
            "other_approvers": 0,
            "asserted": False,
            "proved": False,
            "assurance": 1,
            "suspended_orgs": [],
            "suspended_compartments": [],
            "suspended_engagements": [],
        },
    }, [user, thing]


def user_facts() -> dict[str, object]:
    """Every attribute of a user."""
    deeds = ("own_deeds", "named_deeds", "any_deeds", "self_deeds")
    sets = ("engagements", "cases", "compartments", "sides", *deeds)
    flags = {"suspended": False, "time_boxed": False, "roles_sound": True}
    return {"id": "p", "org": "o", "clearance": 0, **flags, **{name: [] for name in sets}}


EVERYONE = "permit (principal, action, resource)"
ERRS = "forbid (principal, action, resource) when { 9223372036854775807 + context.assurance > 0 }"


def test_a_rule_that_errs_denies(tmp_path: Path) -> None:
    """The engine skips a forbid that overflows and says Allow; the answer here is no."""
    request_, entities = asked()
    assert cedar.evaluate(rules_of(tmp_path, EVERYONE), request_, entities).allowed
    decision = cedar.evaluate(rules_of(tmp_path, EVERYONE, ERRS), request_, entities)
    assert (decision.allowed, decision.rules) == (False, ())
    assert "overflow" not in decision.reason


@pytest.mark.parametrize("absent", [0, 1])
def test_an_absent_entity_denies(tmp_path: Path, absent: int) -> None:
    """A permit for everyone does not reach a person or a thing that was not given."""
    request_, entities = asked()
    del entities[absent]
    assert not cedar.evaluate(rules_of(tmp_path, EVERYONE), request_, entities).allowed


def test_an_absent_attribute_denies(tmp_path: Path) -> None:
    """The schema refuses a person without `suspended`."""
    request_, entities = asked()
    facts = {k: v for k, v in user_facts().items() if k != "suspended"}
    entities[0] = {**entities[0], "attrs": facts}
    assert not cedar.evaluate(rules_of(tmp_path, EVERYONE), request_, entities).allowed


def test_a_deed_the_schema_does_not_know_denies(tmp_path: Path) -> None:
    """A permit for everyone does not invent an action on a kind."""
    request_, entities = asked()
    request_ = {**request_, "action": {"type": "Action", "id": "notice:issue"}}
    entities[1] = {**entities[1], "uid": {"type": "Record", "id": "t"}}
    request_ = {**request_, "resource": entities[1]["uid"]}
    assert not cedar.evaluate(rules_of(tmp_path, EVERYONE), request_, entities).allowed


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("permit (principal, action, resource);", "@id"),
        ('@id("a") permit (principal, action, resource);', "@reason"),
        ('@id("") @reason("r") permit (principal, action, resource);', "@id"),
        ("permit (principal", "no Cedar rules"),
        (RULE.format(id="a", text=EVERYONE) * 2, "stands twice"),
        (
            RULE.format(id="a", text="permit (principal == ?principal, action, resource)"),
            "template",
        ),
        (
            RULE.format(
                id="a", text="permit (principal, action, resource) when { principal.rank > 3 }"
            ),
            "contradicts the schema",
        ),
    ],
)
def test_a_broken_rule_stops_start_up(tmp_path: Path, text: str, said: str) -> None:
    """The error names the file and the problem."""
    (tmp_path / "leadline.cedarschema").write_text(SCHEMA)
    (tmp_path / "x.cedar").write_text(text)
    with pytest.raises(Invalid, match=said) as caught:
        cedar.load_rules(tmp_path)
    assert caught.value.field == "x.cedar"


def test_a_broken_schema_stops_start_up(tmp_path: Path) -> None:
    """And one that is missing."""
    with pytest.raises(Invalid, match=r"leadline\.cedarschema"):
        rules_of(tmp_path, EVERYONE, schema="entity entity entity")
    (tmp_path / "leadline.cedarschema").unlink()
    with pytest.raises(Invalid, match="cedar"):
        cedar.load_rules(tmp_path)


def test_a_grant_that_cannot_apply_stops_start_up(tmp_path: Path) -> None:
    """A role file that grants an action on a kind the schema does not join to it is named."""
    text = (DATA / "roles" / "worker.toml").read_text()
    wrong = text.replace('kinds = ["engagement", "assessment"]', 'kinds = ["notice"]')
    assert wrong != text
    (tmp_path / "worker.toml").write_text(wrong)
    with pytest.raises(Invalid, match=r"worker\.toml: .* does not apply to notice"):
        cedar.load(DATA / "access", tmp_path)


def test_the_digest_is_of_every_file(tmp_path: Path) -> None:
    """A changed rule is another digest; the same text the same."""
    one = rules_of(tmp_path, EVERYONE).digest
    assert rules_of(tmp_path, EVERYONE).digest == one
    assert rules_of(tmp_path, EVERYONE, schema=SCHEMA + "\n").digest != one
    assert rules_of(tmp_path, EVERYONE, EVERYONE).digest != one


def test_every_action_can_be_done_by_somebody() -> None:
    """No action of the vocabulary is out of reach of every role."""
    granted = {
        action
        for role in cedar.shipped().roles.values()
        for grant in role.grants
        for action in grant.actions
    }
    assert granted == set(Action)
