"""Every access rule file has examples beside it, and they come out as they say.

A row leaves out what is usual: org `demonstration-programme`, named for `engagement-0001`, access
until June, a thing of `demonstration-developer` in that engagement, TLP:AMBER+STRICT, one factor,
nothing signed and nothing suspended. The person is `person-0001`.
"""

import json
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import cedarpy
import pytest

import make
from leadline.access import cedar
from leadline.core.access import Action, Circumstances, Decision
from leadline.core.marking import Tlp

FOLDER = Path(str(files("leadline") / "data" / "access"))
RULE_FILES = sorted(FOLDER.glob("*.cedar"))
KEYS = {"rule", "why", "roles", "org", "engagements", "compartments", "suspended", "access_until"}
KEYS |= {"endless", "action", "kind", "tlp", "within", "answer", "decided_by"}
KEYS |= {"cases", "clearance", "case", "level", "embargo_until", "owner"}
KEYS |= {"approvers", "asserted", "proved", "assurance", "suspensions"}
PERMITS = {"own-organisation", "need-to-know", "need-to-know-case", "whole-installation"}
PERMITS |= {"own-person"}

Row = Mapping[str, Any]


def rows(file: Path) -> list[Row]:
    """The examples beside a rule file."""
    beside = file.with_suffix(".examples.toml")
    found: list[Row] = tomllib.loads(beside.read_text())["example"]
    return found


ROWS = [pytest.param(row, id=f"{row['rule']}: {row['why']}") for f in RULE_FILES for row in rows(f)]


def ask(access: cedar.CedarAccess, row: Row) -> Decision:
    """The decision on one row."""
    until = None if row.get("endless") else row.get("access_until", make.UNTIL)
    person = make.principal(
        *row["roles"],
        org=row.get("org", make.PROGRAMME),
        engagements=tuple(row.get("engagements", [make.ENGAGEMENT])),
        compartments=tuple(row.get("compartments", [])),
        suspended=row.get("suspended", False),
        access_until=until,
        cases=tuple(row.get("cases", [])),
        clearance=row.get("clearance", 0),
    )
    further = {
        name: row[name] for name in ("case", "level", "embargo_until", "owner") if name in row
    }
    tlp, within = Tlp(row.get("tlp", "TLP:AMBER+STRICT")), tuple(row.get("within", []))
    thing = make.resource(row["kind"], tlp=tlp, compartments=within, **further)
    given = Circumstances(
        make.NOW,
        approvers=frozenset(row.get("approvers", [])),
        asserted=row.get("asserted", False),
        proved=row.get("proved", False),
        assurance=row.get("assurance", 1),
        suspended=frozenset(row.get("suspensions", [])),
    )
    return access.decide(person, Action(row["action"]), thing, given)


@pytest.mark.parametrize("row", ROWS)
def test_an_example_comes_out_as_it_says(row: Row) -> None:
    """Answer and, for a rule that decides, its id and reason."""
    access = cedar.shipped()
    decision = ask(access, row)
    assert set(row) <= KEYS
    assert ("allow" if decision.allowed else "deny") == row["answer"]
    if (row["answer"] == "allow") == (row["rule"] in PERMITS):
        assert row["rule"] in decision.rules
        assert access.rules.reasons[row["rule"]] in decision.reason
    if "decided_by" in row:
        assert list(decision.rules) == row["decided_by"]


@pytest.mark.parametrize("file", RULE_FILES, ids=lambda file: file.name)
def test_every_rule_has_an_example_of_each_answer(file: Path) -> None:
    """At least one row where the rule's subject is allowed and one where it is denied."""
    parsed = json.loads(cedarpy.policies_to_json_str(file.read_text()))["staticPolicies"]
    ids = {policy["annotations"]["id"] for policy in parsed.values()}
    seen = {(row["rule"], row["answer"]) for row in rows(file)}
    assert seen == {(id_, answer) for id_ in ids for answer in ("allow", "deny")}


Policy = dict[str, Any]


def inverted(policy: Policy) -> Policy:
    """The rule with its condition turned round."""
    first, *more = policy["conditions"]
    turned = {"when": "unless", "unless": "when"}[first["kind"]]
    return {**policy, "conditions": [{**first, "kind": turned}, *more]}


def reversed_(policy: Policy) -> Policy:
    """The rule with the opposite effect."""
    return {**policy, "effect": {"permit": "forbid", "forbid": "permit"}[policy["effect"]]}


CHANGES: Mapping[str, Callable[[Policy], Policy | None]] = {
    "taken away": lambda _policy: None,
    "its condition inverted": inverted,
    "its effect reversed": reversed_,
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("rule", sorted(cedar.shipped().rules.reasons))
def test_no_rule_can_go_unnoticed(rule: str, change: str, tmp_path: Path) -> None:
    """Take any one rule away or turn it round: an example's answer changes, or the grounds for it."""
    shipped = cedar.shipped()
    (tmp_path / "x.cedarschema").write_bytes((FOLDER / "leadline.cedarschema").read_bytes())
    for file in RULE_FILES:
        document = json.loads(cedarpy.policies_to_json_str(file.read_text()))
        kept = dict[str, Policy]()
        for name, policy in document["staticPolicies"].items():
            hit = policy["annotations"]["id"] == rule
            left = CHANGES[change](policy) if hit else policy
            if left is not None:
                kept[name] = left
        text = cedarpy.policies_from_json_str(json.dumps({**document, "staticPolicies": kept}))
        (tmp_path / file.name).write_text(text)
    changed = cedar.CedarAccess(cedar.load_rules(tmp_path), shipped.roles)
    assert len(changed.rules.reasons) == len(shipped.rules.reasons) - (change == "taken away")
    assert any(ask(changed, row) != ask(shipped, row) for file in RULE_FILES for row in rows(file))


def test_the_usual_row_is_what_the_header_says() -> None:
    """The rows rely on these words."""
    assert (make.PROGRAMME, make.DEVELOPER) == (
        "demonstration-programme",
        "demonstration-developer",
    )
    assert replace(make.principal("evaluator")).access_until == make.UNTIL
