"""A list's filter admits exactly what the rules allow thing by thing."""

import json
import random
from dataclasses import replace
from datetime import timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import cedarpy
import pytest

import fake_access
import make
from access import asking
from leadline.access import cedar, residual
from leadline.access.names import Named
from leadline.core.access import Action, Circumstances
from leadline.core.clause import NOTHING, Above, Measure, Not, Within, admits
from leadline.core.errors import Denied, Invalid
from leadline.formats.roles_toml import RESOURCE_KINDS, deed

FOLDER = Path(str(files("leadline") / "data" / "access"))
PAIRS = 6_000
THINGS = 20


@pytest.mark.parametrize("reading", ["cedar", "plain"])
def test_the_filter_admits_what_is_allowed(reading: str) -> None:
    """6,000 pairs of a request and a thing: the clause and the decision agree on each."""
    shipped = cedar.shipped()
    access = shipped if reading == "cedar" else fake_access.PlainAccess(shipped.roles)
    chance, allowed = random.Random(9), 0  # noqa: S311 -- repeats from run to run
    for _ in range(PAIRS // THINGS):
        asked = asking.request(chance)
        listing = asked.action in cedar.LISTS
        kind = asked.thing.kind if listing else "record"
        action = asked.action if listing else Action.RECORD_READ
        if kind not in RESOURCE_KINDS or not asking.known(action, kind):
            continue
        clause = access.visible(asked.person, action, kind, asked.given)
        for thing in asking.things(chance, kind, THINGS):
            decision = shipped.decide(asked.person, action, thing, asked.given)
            assert admits(clause, thing) == decision.allowed, (asked, thing, clause)
            allowed += decision.allowed
    assert allowed > PAIRS // 50


def test_names_and_times_are_set_in_as_the_engine_would() -> None:
    """What is kept for a person holds for other names and times: the clause is the engine's own for them."""
    chance, shipped = random.Random(10), cedar.shipped()  # noqa: S311 -- repeats from run to run
    for _ in range(100):
        asked = asking.request(chance)
        kind = asked.thing.kind if asked.thing.kind in RESOURCE_KINDS else "record"
        action = asked.action if asking.known(asked.action, kind) else Action.RECORD_READ
        if not asking.known(action, kind):
            continue
        for some in ((), ("e-1",), ("e-1", "case-2", "x")):
            person = replace(asked.person, engagements=frozenset(some), cases=frozenset(some[1:]))
            later = replace(asked.given, now=asked.given.now + timedelta(hours=len(some)))
            wanted, held = deed(action, kind), shipped.standing(person)
            whole = cedar._user(person, held, wanted, Named(person.engagements, person.cases))
            context = {**cedar._moment(person, later), "deed": wanted}
            due = cedar._left_over(
                shipped.rules, {**whole, "uid": cedar.USER_UID}, action, kind, context
            )
            assert shipped.visible(person, action, kind, later) == due


@pytest.mark.parametrize(
    "condition",
    [
        'principal.cases.contains("case-1")',
        "principal.cases.containsAny(principal.engagements)",
        "principal.engagements == principal.cases",
        "context.now > 0",
        "resource.embargo_until > context.now",
        "context.now < resource.level",
    ],
)
def test_a_rule_asks_nothing_else_of_names_and_time(tmp_path: Path, condition: str) -> None:
    """So that they can be set in; start-up stops at such a rule and names it."""
    with pytest.raises(Invalid, match="more"):
        rules_with(tmp_path, f"forbid (principal, action, resource) when {{ {condition} }}")


def test_a_list_of_what_no_role_grants_is_empty() -> None:
    """Default deny, in lists too."""
    clause = cedar.shipped().visible(
        make.principal("public"), Action.ALERT_READ, "alert", Circumstances(make.NOW)
    )
    assert clause == NOTHING


def test_a_malformed_person_gets_no_list() -> None:
    """What cannot be evaluated is refused, not listed."""
    person = make.principal("evaluator", clearance="high")  # type: ignore[arg-type]
    with pytest.raises(Denied):
        cedar.shipped().visible(person, Action.RECORD_READ, "finding", Circumstances(make.NOW))
    bare = Circumstances(make.NOW.replace(tzinfo=None))
    with pytest.raises(Denied):
        cedar.shipped().visible(make.principal("evaluator"), Action.RECORD_READ, "finding", bare)


def rules_with(folder: Path, text: str) -> cedar.CedarAccess:
    """The shipped rules and one more."""
    for file in (*FOLDER.glob("*.cedar"), *FOLDER.glob("*.cedarschema")):
        (folder / file.name).write_bytes(file.read_bytes())
    (folder / "more.cedar").write_text(f'@id("more") @reason("one more") {text};')
    return cedar.CedarAccess(cedar.load_rules(folder), cedar.shipped().roles)


def test_a_rule_that_errs_refuses_the_list(tmp_path: Path) -> None:
    """The engine drops an erring forbid from what is left over; the whole list is refused instead."""
    given = Circumstances(make.NOW)
    clause = cedar.shipped().visible(make.principal("auditor"), Action.RECORD_READ, "record", given)
    assert clause != NOTHING
    overflow = (
        "forbid (principal, action, resource) when { context.assurance + 9223372036854775807 > 0 }"
    )
    access = rules_with(tmp_path, overflow)
    with pytest.raises(Denied):
        access.visible(make.principal("auditor"), Action.RECORD_READ, "record", given)


def test_an_operator_without_a_meaning_in_sql_stops_start_up(tmp_path: Path) -> None:
    """Loading compiles every list for every role, so that no request finds the gap."""
    rules, roles = tmp_path / "rules", FOLDER.parent / "roles"
    rules.mkdir()
    text = 'forbid (principal, action, resource) when { resource.org like "dev-*" }'
    rules_with(rules, text)
    with pytest.raises(Invalid, match="filter") as caught:
        cedar.load(rules, roles)
    assert caught.value.field == "more"


def left_over(**facts: Any) -> residual.Node:
    """A residual with these fields in place of the usual."""
    everything = {"op": "All"}
    scopes = {"principal": everything, "action": everything, "resource": everything}
    return {"effect": "permit", **scopes, "conditions": [], **facts}


def of(attribute: str) -> residual.Node:
    """An attribute of the unknown thing."""
    return {".": {"left": {"unknown": [{"Value": "resource"}]}, "attr": attribute}}


def compiled(body: object, kind: str = "when") -> object:
    """The clause of a single permit with this condition."""
    rule = left_over(conditions=[{"kind": kind, "body": body}])
    return residual.clause({"rule": rule}, "Finding")


LEVEL = of("level")
TWO = {"Value": 2}
ABOVE_ONE, ABOVE_TWO = Above(Measure.LEVEL, 1), Above(Measure.LEVEL, 2)


@pytest.mark.parametrize(
    ("operator", "left", "right", "expected"),
    [
        (">", LEVEL, TWO, ABOVE_TWO),
        (">=", LEVEL, TWO, ABOVE_ONE),
        ("<", LEVEL, TWO, Not(ABOVE_ONE)),
        ("<=", LEVEL, TWO, Not(ABOVE_TWO)),
        (">", TWO, LEVEL, Not(ABOVE_ONE)),
        (">=", TWO, LEVEL, Not(ABOVE_TWO)),
        ("<", TWO, LEVEL, ABOVE_TWO),
        ("<=", TWO, LEVEL, ABOVE_ONE),
    ],
)
def test_numbers_compare_whichever_side_they_stand_on(
    operator: str, left: object, right: object, expected: object
) -> None:
    """Every order of operands means what it says."""
    assert compiled({operator: {"left": left, "right": right}}) == expected


@pytest.mark.parametrize("level", [1, 2, 3])
def test_a_number_may_be_equal(level: int) -> None:
    """`==` and `!=` on numbers, and `unless`."""
    same = {"==": {"left": TWO, "right": LEVEL}}
    other = {"!=": {"left": LEVEL, "right": TWO}}
    thing = make.resource(level=level)
    assert admits(compiled(same), thing) == (level == 2)  # type: ignore[arg-type]
    assert admits(compiled(other), thing) == (level != 2)  # type: ignore[arg-type]
    assert admits(compiled(same, "unless"), thing) == (level != 2)  # type: ignore[arg-type]


def test_the_things_own_set_may_stand_on_the_left() -> None:
    """`resource.compartments.contains("x")`."""
    clause = compiled({"contains": {"left": of("compartments"), "right": {"Value": "x"}}})
    assert admits(clause, make.resource(compartments=("x",)))  # type: ignore[arg-type]
    assert not admits(clause, make.resource())  # type: ignore[arg-type]


def test_sets_of_nothing_are_constants() -> None:
    """`IN ()` is no SQL, so an empty set never gets there."""
    empty = {"Set": list[object]()}
    assert compiled({"contains": {"left": empty, "right": of("org")}}) == NOTHING
    assert compiled({"containsAny": {"left": empty, "right": of("compartments")}}) == NOTHING
    within = compiled({"containsAll": {"left": empty, "right": of("compartments")}})
    assert within == Within(frozenset())


WRONG: dict[str, object] = {
    "two operators": {"Value": True, "!": {"arg": {"Value": True}}},
    "no operator": {},
    "like": {"like": {"left": of("org"), "pattern": ["Wildcard"]}},
    "a text as a condition": {"Value": "yes"},
    "an attribute of another unknown": {
        "==": {
            "left": {".": {"left": {"unknown": [{"Value": "principal"}]}, "attr": "org"}},
            "right": {"Value": "x"},
        }
    },
    "an attribute without a column": {"==": {"left": of("title"), "right": {"Value": "x"}}},
    "a number for a text": {"==": {"left": of("org"), "right": TWO}},
    "a text for a number": {"==": {"left": LEVEL, "right": {"Value": "x"}}},
    "two attributes": {"==": {"left": of("org"), "right": of("case")}},
    "a set of numbers": {"contains": {"left": {"Set": [TWO]}, "right": of("org")}},
    "another set": {"containsAny": {"left": {"Set": []}, "right": of("org")}},
    "isEmpty": {"isEmpty": {"left": {"Set": []}, "right": of("compartments")}},
    "another type of the unknown": {"is": {"left": {"Value": "x"}, "entity_type": "Item"}},
    "no expression": [],
    "a set that is no list": {"containsAny": {"left": {"Set": "x"}, "right": of("compartments")}},
}


@pytest.mark.parametrize("body", WRONG.values(), ids=WRONG.keys())
def test_what_is_not_understood_is_never_true(body: object) -> None:
    """Every unknown shape raises and names the rule."""
    with pytest.raises(Invalid) as caught:
        compiled(body)
    assert caught.value.field == "rule"


@pytest.mark.parametrize(
    "facts",
    [
        {"effect": "advise"},
        {"resource": {"op": "==", "entity": {"type": "Item", "id": "x"}}},
        {"conditions": [{"kind": "while", "body": {"Value": True}}]},
    ],
)
def test_another_form_of_rule_is_never_true(facts: dict[str, Any]) -> None:
    """An effect, a scope or a condition that the format does not have today."""
    with pytest.raises(Invalid):
        residual.clause({"rule": left_over(**facts)}, "Finding")


def test_the_engines_residual_has_the_form_this_reads() -> None:
    """A version of the engine with another form fails here, not in a list."""
    parsed = cedarpy.policies_to_json_str("permit (principal, action, resource) when { true };")
    assert "staticPolicies" in json.loads(parsed)
    clause = cedar.shipped().visible(
        make.developer(), Action.ENGAGEMENT_READ, "engagement", Circumstances(make.NOW)
    )
    assert admits(clause, make.resource())
    assert not admits(clause, make.resource(org="another"))
