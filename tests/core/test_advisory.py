"""Drafting an advisory from replayed findings."""

from dataclasses import replace
from datetime import datetime

import pytest

from clearing_values import AT, advisory, finding, statement
from leadline.core.clearing.advisory import UNREPLAYED, draft
from leadline.core.clearing.finding import ReplayVerdict
from leadline.core.clearing.match import Status, read
from leadline.core.clearing.product import package
from leadline.core.errors import Invalid
from leadline.core.marking import Tlp

FIXED = "pkg:pypi/bsdiff4@1.2.0"


def test_only_what_was_tried_is_claimed() -> None:
    """The tried release is affected, the fixed one fixed, earlier ones unknown, later ones fixed."""
    (flaw,) = draft([finding()], fixed_purl=FIXED, at=AT, tlp=Tlp.AMBER).flaws
    (held,) = flaw.statements
    told = {version: read(held, version).status for version in ("1.1.9", "1.2.0", "1.0", "1.3")}
    assert told == {
        "1.1.9": Status.AFFECTED,
        "1.2.0": Status.FIXED,
        "1.0": Status.UNKNOWN,
        "1.3": Status.FIXED,
    }


def test_the_text_says_who_found_it_and_holds_no_proof() -> None:
    """An AI system is named as such, a tool as a tool; the proof's digest is nowhere."""
    by_tool = draft([finding()], fixed_purl=FIXED, at=AT, tlp=Tlp.AMBER)
    by_ai = draft(
        [finding(origin="ai", found_by="model-x")], fixed_purl=FIXED, at=AT, tlp=Tlp.AMBER
    )
    assert "without an AI system" in by_tool.flaws[0].description
    assert "by an AI system (model-x)" in by_ai.flaws[0].description
    assert "b" * 64 not in repr(by_tool)
    assert "fictional" in by_tool.publisher


@pytest.mark.parametrize(
    ("verdict", "fix_tried", "says", "never"),
    [
        (
            None,
            False,
            "no replay of ours confirms it. That 1.2.0 repairs it is stated",
            "shows itself",
        ),
        (ReplayVerdict.FLAKY, True, "no replay of ours confirms it", "shows itself"),
        (
            ReplayVerdict.CONFIRMED,
            False,
            "itself on 1.1.9. That 1.2.0 repairs it is stated",
            "not on",
        ),
        (ReplayVerdict.FIX_EFFECTIVE, False, "not on a repaired build. That 1.2.0", "not on 1.2.0"),
        (ReplayVerdict.FIX_EFFECTIVE, True, "on 1.1.9 and not on 1.2.0.", "is stated"),
        (ReplayVerdict.FIX_INEFFECTIVE, False, "on a repaired build too. That 1.2.0", "not on"),
        (ReplayVerdict.FIX_INEFFECTIVE, True, "on 1.1.9, and on 1.2.0 too.", "is stated"),
    ],
)
def test_a_draft_claims_no_replay_that_was_not_made(
    verdict: ReplayVerdict | None,
    fix_tried: bool,  # noqa: FBT001 -- a parameter of the test
    says: str,
    never: str,
) -> None:
    """What was tried and what is merely stated read differently."""
    found = finding()
    replays = {found.id: verdict} if verdict else UNREPLAYED
    one = draft([found], fixed_purl=FIXED, at=AT, tlp=Tlp.RED, replays=replays, fix_tried=fix_tried)
    told = one.flaws[0].description
    assert says in told
    assert never not in told


def test_a_person_is_called_no_tool() -> None:
    """Who found it is one of three, and a person is the third."""
    one = draft([finding(origin="person")], fixed_purl=FIXED, at=AT, tlp=Tlp.RED)
    assert "Found by a person (" in one.flaws[0].description


def test_the_first_finding_names_the_advisory_whatever_the_order() -> None:
    """One group gives one advisory id; ids of all findings are carried."""
    second = replace(finding(), at=AT.replace(hour=13), ids=("CVE-2020-15904", "PYSEC-2020-30"))
    one = draft([finding(), second], fixed_purl=FIXED, at=AT, tlp=Tlp.AMBER)
    two = draft([second, finding()], fixed_purl=FIXED, at=AT, tlp=Tlp.AMBER)
    assert one.id == two.id
    assert set(one.flaws[0].ids) == {"CVE-2020-15904", "PYSEC-2020-30"}
    assert one.flaws[0].cve == "CVE-2020-15904"
    assert len(one.references) == 1


@pytest.mark.parametrize(
    ("findings", "fixed", "at", "field"),
    [
        ([], FIXED, AT, "findings"),
        ([finding(), finding(purl="pkg:pypi/x@1")], FIXED, AT, "findings"),
        ([finding()], "pkg:pypi/other@1.2.0", AT, "fixed_purl"),
        ([finding()], "pkg:pypi/bsdiff4", AT, "fixed_purl"),
        ([finding(purl="pkg:pypi/bsdiff4")], FIXED, AT, "fixed_purl"),
        ([finding()], FIXED, datetime(2026, 1, 1), "at"),  # noqa: DTZ001 -- no zone is the point
    ],
)
def test_what_cannot_be_drafted_is_refused(
    findings: list[object], fixed: str, at: datetime, field: str
) -> None:
    """The error names what does not fit."""
    with pytest.raises(Invalid) as refusal:
        draft(findings, fixed_purl=fixed, at=at, tlp=Tlp.RED)  # type: ignore[arg-type]
    assert refusal.value.field == field


def test_packages_are_named_once() -> None:
    """In order of first mention."""
    other = statement(package=package("npm", "", "x"))
    named = [held.name for held in advisory(statement(), other, statement()).packages]
    assert named == ["ujson", "x"]


def test_a_flaw_may_have_no_cve() -> None:
    """Then there is none, rather than another id in its place."""
    flaw = replace(advisory().flaws[0], ids=("GHSA-1",))
    assert flaw.cve == ""
