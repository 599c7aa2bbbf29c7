"""The report as a value, and the summary that programs read."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import jsonschema_rs
import pytest

from leadline.core import report as shown
from leadline.core.errors import Invalid
from render.sample import START, UPLIFT, families, model_report, report, suites, wide_report

RATE = {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}
COUNT = {"type": "integer", "minimum": 0}
TEXT = {"type": "string", "minLength": 1}


def strict(**properties: Any) -> dict[str, Any]:
    """An object with exactly these keys, all of them present."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


FAMILY = strict(
    name=TEXT,
    attempted=COUNT,
    solved=COUNT,
    infra=COUNT,
    missing=COUNT,
    interval={"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2},
    upper_bound={"type": ["number", "null"]},
    budget=TEXT,
)
UPLIFTED = strict(
    items=COUNT,
    unshared=COUNT,
    subject=RATE,
    baseline=RATE,
    point={"type": "number", "minimum": -1, "maximum": 1},
    interval={"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2},
    test=TEXT,
    p={"type": ["number", "null"]},
    subject_alone={"type": ["integer", "null"]},
    baseline_alone={"type": ["integer", "null"]},
    p_adjusted={"type": ["number", "null"]},
)
SUMMARY = strict(
    schema={"const": "leadline.summary/1"},
    leadline=TEXT,
    engagement=TEXT,
    regime=TEXT,
    subject=strict(kind={"enum": ["tool-agent", "model"]}, name=TEXT, digest=TEXT),
    started={"type": "string", "format": "date-time"},
    ended={"type": "string", "format": "date-time"},
    isolation=strict(
        tier=TEXT,
        egress_proof={"type": "boolean"},
        egress_checks=COUNT,
        digest=TEXT,
        kill_drill_s={"type": "number"},
    ),
    suites={
        "type": "array",
        "items": strict(
            name=TEXT,
            state={"enum": ["ran", "unavailable"]},
            reason={"type": "string"},
            families={"type": "array", "items": FAMILY},
            outcomes={"type": "object", "additionalProperties": COUNT},
            milestones={"type": "array", "items": strict(name=TEXT, reached=COUNT, of=COUNT)},
            uplift={"oneOf": [{"type": "null"}, UPLIFTED]},
        ),
    },
    scope={
        "type": "array",
        "items": strict(
            source=TEXT,
            watched=COUNT,
            not_observed=COUNT,
            samples=COUNT,
            acts=COUNT,
            alarms=COUNT,
            interval={"type": "array", "items": {"type": "number"}},
        ),
    },
    losses={"type": "array", "items": TEXT},
    late={"type": "array", "items": TEXT},
    decision=strict(
        state={"enum": ["above", "below", "undetermined"]},
        threshold=RATE,
        alpha_above=RATE,
        alpha_below=RATE,
        samples_used=COUNT,
        samples_total=COUNT,
        basis=TEXT,
    ),
    findings={
        "type": "array",
        "items": strict(
            id=TEXT,
            replayed={"type": "boolean"},
            verdict=TEXT,
            group={"type": "string"},
            purl={"type": "string"},
            operators={"type": "array", "items": TEXT},
        ),
    },
    log=strict(origin=TEXT, size=COUNT, root=TEXT),
    not_measured={"type": "array", "items": TEXT, "minItems": 1},
)


@pytest.mark.parametrize(
    "made", [report(), model_report(), wide_report()], ids=["tool-agent", "model", "wide"]
)
def test_the_summary_has_the_contracts_keys_and_words(made: shown.Report) -> None:
    """Every key of the contract is there, and each enumeration uses its own words."""
    text = json.dumps(shown.summary(made))
    jsonschema_rs.validator_for(SUMMARY, validate_formats=True).validate(json.loads(text))


def test_the_summary_repeats_the_reports_numbers() -> None:
    """The summary is the report's facts, not others."""
    made = json.loads(json.dumps(shown.summary(report())))
    planted = made["suites"][0]["families"]
    assert [(row["solved"], row["attempted"]) for row in planted] == [
        (12, 16),
        (9, 16),
        (5, 16),
        (0, 15),
    ]
    assert [row["upper_bound"] for row in planted] == [None, None, None, 0.181]
    assert made["suites"][2]["state"] == "unavailable"
    assert [row["replayed"] for row in made["findings"]] == [True, True, True, False]
    assert made["log"] == {"origin": report().log.origin, "size": 41, "root": report().log.root}


@pytest.mark.parametrize(
    ("checks", "held", "proof"), [(25, 25, True), (25, 24, False), (0, 0, False)]
)
def test_an_egress_proof_needs_every_check(checks: int, held: int, proof: bool) -> None:  # noqa: FBT001
    """One check amiss, or no check at all, is no proof."""
    isolation = replace(report().isolation, egress_checks=checks, egress_held=held)
    made = json.loads(json.dumps(shown.summary(replace(report(), isolation=isolation))))
    assert made["isolation"]["egress_proof"] is proof


def test_the_whole_report_is_json() -> None:
    """Times, enumerations and the marking become text; nothing is left out."""
    made = json.loads(json.dumps(report().to_dict()))
    assert made["marking"] == "TLP:GREEN"
    assert made["started"] == START.isoformat()
    assert made["decision"]["state"] == "above"
    assert len(made["decision"]["path"]) == 63
    assert made["engagement"]["anchor"] == (START + timedelta(days=45)).isoformat()
    assert (
        replace(report(), engagement=replace(report().engagement, anchor=None)).to_dict()[
            "engagement"
        ]
        != report().to_dict()["engagement"]
    )


def test_a_value_of_another_kind_is_refused() -> None:
    """A field that JSON cannot carry is a bug, not an empty value."""
    with pytest.raises(TypeError, match="set"):
        shown._json(set())


def with_family(**fields: Any) -> shown.Report:
    """The report with its first family changed."""
    planted, *others = suites()
    family = replace(families()[0], **fields)
    return replace(report(), suites=(replace(planted, families=(family,)), *others))


def with_decision(**fields: Any) -> shown.Report:
    """The report with its decision changed."""
    return replace(report(), decision=replace(report().decision, **fields))


def with_suite(**fields: Any) -> shown.Report:
    """The report with its first suite changed."""
    planted, *others = suites()
    return replace(report(), suites=(replace(planted, **fields), *others))


def with_uplift(**fields: Any) -> shown.Report:
    """The report with an uplift that differs from the sample's."""
    return with_suite(uplift=replace(UPLIFT, **fields))


NAIVE = datetime(2026, 11, 3, 9, 0)  # noqa: DTZ001


@pytest.mark.parametrize(
    ("field", "make"),
    [
        ("started", lambda: replace(report(), started=NAIVE)),
        ("ended", lambda: replace(report(), ended=START - timedelta(seconds=1))),
        ("timeline[0]", lambda: replace(report(), timeline=(shown.Deed(NAIVE, "x"),))),
        ("decision.threshold", lambda: with_decision(threshold=0)),
        ("decision.alpha_above", lambda: with_decision(alpha_above=1)),
        ("decision.alpha_below", lambda: with_decision(alpha_below=-0.1)),
        ("decision.samples_used", lambda: with_decision(samples_used=65)),
        ("suites.planted.reason", lambda: with_suite(reason="x")),
        ("suites.planted.stack overflow.solved", lambda: with_family(solved=17)),
        ("suites.planted.stack overflow.interval", lambda: with_family(interval=(0.9, 0.1))),
        ("suites.planted.stack overflow.upper_bound", lambda: with_family(upper_bound=0.1)),
        ("suites.planted.stack overflow.upper_bound", lambda: with_family(solved=0)),
        (
            "isolation.egress_held",
            lambda: replace(report(), isolation=replace(report().isolation, egress_held=26)),
        ),
        (
            "operators.x.page",
            lambda: replace(
                report(), operators=(shown.OperatorRow("x", "y", "z", "javascript:alert(1)"),)
            ),
        ),
        (
            "operators.x.page",
            lambda: replace(report(), operators=(shown.OperatorRow("x", "y", "z", "../a.html"),)),
        ),
        ("not_measured", lambda: replace(report(), not_measured=())),
        ("suites.planted.uplift.point", lambda: with_uplift(interval=(-1.1, 0.2))),
        ("suites.planted.uplift.point", lambda: with_uplift(interval=(0.2, 0.3))),
        ("suites.planted.uplift.items", lambda: with_uplift(items=0)),
        ("suites.planted.uplift.items", lambda: with_uplift(unshared=-1)),
    ],
)
def test_what_cannot_be_right_is_refused_by_name(field: str, make: Any) -> None:
    """A count, interval, time or link that cannot be right never reaches a page."""
    with pytest.raises(Invalid) as caught:
        make()
    assert caught.value.field == field


def test_the_summary_has_the_uplift_where_there_is_a_baseline() -> None:
    """A model's suite gives difference, ends and test; the tool agent's own has null."""
    told = json.loads(json.dumps(shown.summary(model_report())))
    planted, registry = (one["uplift"] for one in told["suites"][:2])
    assert planted["point"] == 0.117
    assert planted["interval"] == [-0.004, 0.231]
    assert (planted["items"], planted["test"], planted["p"]) == (60, "mcnemar, exact", 0.092)
    assert registry is None


def test_nothing_attempted_needs_no_bound() -> None:
    """Without attempts there is no success rate to bound."""
    made = with_family(attempted=0, solved=0, interval=(0.0, 1.0))
    assert made.suites[0].families[0].upper_bound is None
