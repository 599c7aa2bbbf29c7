"""What a project's terms say of a report, and what they say in plain words."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from leadline.core.clearing.contract import (
    Claims,
    Contract,
    Embargo,
    Exclusion,
    Wanted,
    explain,
    judge,
    package_of,
    repository_of,
)
from leadline.core.clearing.finding import Evidence, Finding, Location, Severity
from leadline.core.clearing.report import Stage
from reporting import reported, terms

NOW = datetime(2027, 3, 1, 9, tzinfo=UTC)


def made(**fields: Any) -> Finding:
    """A report of bsdiff4."""
    return reported(**fields).finding


@pytest.mark.parametrize(
    ("url", "plain"),
    [
        ("https://Example.org/a/b.git", "example.org/a/b"),
        ("git@example.org:a/b.git", "example.org/a/b"),
        ("ssh://git@example.org:22/a/b/", "example.org/a/b"),
        ("example.org/a/b", "example.org/a/b"),
    ],
)
def test_a_repository_has_one_spelling(url: str, plain: str) -> None:
    """Scheme, user, port, ending and case do not count."""
    assert repository_of(url) == plain


def test_a_contract_claims_by_project_package_or_repository() -> None:
    """In each spelling; what is no package claims nothing."""
    one = terms("p", packages=("pkg:pypi/BSDiff4", "none"), repositories=("https://e.org/p.git",))
    other = terms("q", packages=("pkg:pypi/q",))
    place = Location("a.c", repository="git@e.org:p")
    for found in (
        made(purl="pkg:pypi/bsdiff4@1"),
        made(purl="", project="p"),
        made(purl="pkg:pypi/else@1", locations=(place,)),
    ):
        assert Claims([other, one]).on(found) == (one,)
    for found in (made(purl=""), made(purl="not one"), made(purl="pkg:pypi/else")):
        assert Claims([other, one]).on(found) == ()
    assert package_of("none") is None


def test_without_a_contract_a_coordinator_asks_first() -> None:
    """The lane is that of the package, else of the project, the repository or the report alone."""
    places = (Location("b.c"), Location("a.c", repository="https://e.org/p"))
    found = [
        judge([], made()),
        judge([], made(purl="", project="p")),
        judge([], made(purl="", locations=places)),
        judge([], made(purl="")),
    ]
    assert {one.stage for one in found} == {Stage.SCREENED}
    assert all("no contract is on file" in one.reason for one in found)
    assert len({one.lane for one in found}) == 4
    assert judge([], made(purl="pkg:pypi/bsdiff4@7")).lane == found[0].lane


def test_two_contracts_for_one_package_are_for_a_coordinator() -> None:
    """Whichever comes first, the answer is the same."""
    one, two = terms("p"), terms("q")
    found = judge([one, two], made())
    assert found == judge([two, one], made())
    assert (found.stage, found.contract) == (Stage.SCREENED, None)
    assert "2 contracts claim" in found.reason


def test_what_is_required_and_missing_is_listed_whole() -> None:
    """A person's own report needs no other person to look at it."""
    strict = terms(patch=Wanted.REQUIRED, test=Wanted.REQUIRED, human_confirmer=Wanted.REQUIRED)
    bare = made(proof=None, origin="ai")
    assert [one.partition(":")[0] for one in judge([strict], bare).lacking] == [
        "a reproducer",
        "a patch",
        "a test",
        "a person who looked at it",
    ]
    full = Evidence(patch="a" * 64, test="b" * 64)
    assert not judge([strict], made(origin="ai", confirmed_by="Ada", evidence=full)).lacking
    assert not judge([strict], made(origin="person", evidence=full)).lacking
    assert not judge([terms(reproducer=Wanted.WELCOME)], made(proof=None)).lacking


@pytest.mark.parametrize(
    ("clause", "fits"),
    [
        (Exclusion("1", "for people to read"), False),
        (Exclusion("1", "crashes", weaknesses=("CWE-787",)), True),
        (Exclusion("1", "hangs", weaknesses=("CWE-400",)), False),
        (Exclusion("1", "test code", paths=("tests/",)), True),
        (Exclusion("1", "test code", paths=("tests/**/*.c",)), True),
        (Exclusion("1", "other code", paths=("src/*",)), False),
        (Exclusion("1", "both", paths=("tests/",), weaknesses=("CWE-400",)), False),
    ],
)
def test_a_clause_of_the_threat_model_fits_what_it_names(clause: Exclusion, fits: bool) -> None:  # noqa: FBT001 -- a row
    """And says which clause it was and where hardening goes."""
    contract = terms(exclusions=(clause,), decline_route="the hardening list")
    found = judge([contract], made(locations=(Location("./tests/a.c"), Location("tests/d/b.c"))))
    assert (found.stage is Stage.OUT_OF_THREAT_MODEL) == fits
    assert (found.clause == "1") == fits
    assert ("the hardening list" in found.reason) == fits


def test_a_report_that_names_no_place_is_not_excluded_by_a_guess() -> None:
    """It might lie outside of what is excluded; so might one of several places."""
    contract = terms(
        exclusions=(Exclusion("1", "test code", paths=("tests/",)),), exclude=("doc/",)
    )
    assert judge([contract], made()).stage is Stage.SCREENED
    two = (Location("tests/a.c"), Location("src/a.c"))
    assert judge([contract], made(locations=two)).stage is Stage.SCREENED


@pytest.mark.parametrize(
    ("contract", "fields", "inside"),
    [
        ({"exclude": ("doc/",)}, {"locations": (Location("doc/a.c"),)}, False),
        ({"exclude": ("doc/",)}, {"locations": (Location("doc/a.c"), Location("a.c"))}, True),
        ({"include": ("src/",)}, {"locations": (Location("doc/a.c"),)}, False),
        ({"include": ("src/",)}, {"locations": (Location("src/a.c"),)}, True),
        ({"include": ("src/",)}, {}, True),
        ({"releases": ("1.*", "2.0")}, {"purl": "pkg:pypi/bsdiff4@0.9"}, False),
        ({"releases": ("1.*", "2.0")}, {"purl": "pkg:pypi/bsdiff4@1.9"}, True),
        ({"releases": ("1.*",)}, {"purl": "pkg:pypi/bsdiff4"}, True),
        ({"releases": ("1.*",)}, {"purl": "", "project": "bsdiff4"}, True),
        ({"minimum_severity": Severity.HIGH}, {"severity": Severity.LOW}, False),
        ({"minimum_severity": Severity.HIGH}, {"severity": Severity.HIGH}, True),
        ({"minimum_severity": Severity.HIGH}, {}, True),
    ],
)
def test_scope_is_what_the_contract_says_and_unknown_is_inside(
    contract: dict[str, Any],
    fields: dict[str, Any],
    inside: bool,  # noqa: FBT001 -- a row
) -> None:
    """What is not known never puts a report outside."""
    found = judge([terms(**contract)], made(**fields))
    assert (found.stage is Stage.SCREENED) == inside
    assert (found.clause == "scope") != inside


def test_nothing_of_the_finding_stands_in_a_reason() -> None:
    """Reasons are recorded in acts, which hold no content."""
    place = (Location("secret/path.c"),)
    contract = terms(exclude=("secret/",), upstream_first="the upstream project")
    assert "path" not in judge([contract], made(locations=place)).reason
    assert "upstream project be told first" in judge([contract], made()).reason


@pytest.mark.parametrize(
    ("embargo", "origin", "public"),
    [
        (Embargo.PRIVATE, "ai", False),
        (Embargo.AI_FOUND_IS_PUBLIC, "ai", True),
        (Embargo.AI_FOUND_IS_PUBLIC, "tool", False),
        (Embargo.PUBLIC, "person", True),
    ],
)
def test_embargo_is_the_projects_word(embargo: Embargo, origin: str, public: bool) -> None:  # noqa: FBT001 -- a row
    """What a model found is public where the project says so."""
    assert terms(embargo=embargo).no_embargo(made(origin=origin)) is public


def test_a_pause_begins_with_one_word_and_ends_by_itself() -> None:
    """With an end, that is when; without one, when the project says so."""
    later = NOW + timedelta(days=1)
    assert terms(paused=True).stands_still(NOW)
    assert terms(paused=True, paused_until=later).stands_still(NOW)
    assert not terms(paused=True, paused_until=later).stands_still(later)
    assert terms(paused_until=later).stands_still(NOW)
    assert not terms(paused_until=later).stands_still(later)
    assert not terms().stands_still(NOW)


def test_the_terms_in_plain_words() -> None:
    """Everything that a sender must know, a sentence a line; nothing that was not said."""
    told = "\n".join(explain(terms(), NOW))
    assert "2 reports in any 7 days" in told
    assert "Open: reports are taken." in told
    assert "Out of scope" not in told
    full = terms(
        inferred=True,
        contact="",
        maintainers=(),
        per_week=1,
        paused=True,
        include=("src/",),
        exclude=("doc/",),
        releases=("2.*",),
        exclusions=(Exclusion("1", "be kind"), Exclusion("2", "hangs", weaknesses=("CWE-400",))),
        reproducer=Wanted.UNWANTED,
        embargo=Embargo.PUBLIC,
        disclosure_policy="leadline-default",
        minimum_severity=Severity.LOW,
        upstream_first="upstream",
        decline_route="a list",
    )
    words = "\n".join(explain(full, NOW))
    for part in (
        "read out of a security policy",
        "nobody named here",
        "PAUSED: nothing",
        "1 report in any",
        "Please do not send a reproducer.",
        "In scope: src/.",
        "Out of scope: doc/.",
        "Releases looked after: 2.*.",
        "Severity low and up.",
        "clause 1: be kind (for people to read",
        "clause 2: hangs",
        "there is no embargo",
        "policy leadline-default",
        "Tell upstream first.",
        "goes to a list",
    ):
        assert part in words
    until = Contract("p", paused_until=NOW + timedelta(days=1))
    assert "PAUSED until 2027-03-02T09:00+00:00" in "\n".join(explain(until, NOW))
