"""The intake contract's file: small is enough, everything can be said, every fault has its line."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from leadline.core.clearing.contract import Contract, Embargo, Exclusion, Wanted, explain
from leadline.core.clearing.finding import Severity
from leadline.core.clearing.report import Faulty
from leadline.formats import contract_toml
from leadline.formats.contract_toml import infer_contract, load_contract
from reporting import MINIMAL

FULL = b"""
project = "libexample"
contact = "https://example.org/security"
packages = ["pkg:generic/libexample", "pkg:deb/debian/libexample"]
repositories = ["https://example.org/libexample"]
maintainers = ["Ada", "Bob"]
per_week = 3
max_open = 5
paused = true
paused_until = 2027-04-01T00:00:00+02:00
embargo = "ai-found-is-public"
disclosure = "leadline-default"
minimum_severity = "medium"
upstream_first = "libupstream"
decline_route = "the list hardening@example.org"

[scope]
include = ["src/"]
exclude = ["tests/"]
releases = ["2.*"]

[[exclusion]]
clause = "3.1"
says = "The configuration is trusted."
paths = ["src/config/"]
weaknesses = ["CWE-400"]

[evidence]
reproducer = "welcome"
patch = "unwanted"
test = "required"
human_confirmer = "required"
"""


def faults(content: bytes) -> dict[str, str]:
    """What is wrong, by place."""
    with pytest.raises(Faulty) as refused:
        load_contract(content)
    return {one.place: one.problem for one in refused.value.faults}


def test_a_few_lines_are_enough() -> None:
    """The rest has defaults that send little."""
    made = load_contract(MINIMAL)
    assert (made.project, made.per_week, made.max_open, made.paused) == ("bsdiff4", 2, 3, False)
    assert (made.reproducer, made.embargo) == (Wanted.REQUIRED, Embargo.PRIVATE)
    assert made.digest == hashlib.sha256(MINIMAL).hexdigest()
    least = load_contract(b'project = "p"\ncontact = "c"\n')
    assert (least.per_week, least.inferred) == (1, False)


def test_everything_can_be_said() -> None:
    """Each key arrives."""
    assert load_contract(FULL) == Contract(
        "libexample",
        "https://example.org/security",
        ("pkg:generic/libexample", "pkg:deb/debian/libexample"),
        ("https://example.org/libexample",),
        ("Ada", "Bob"),
        ("src/",),
        ("tests/",),
        ("2.*",),
        (Exclusion("3.1", "The configuration is trusted.", ("src/config/",), ("CWE-400",)),),
        Wanted.WELCOME,
        Wanted.UNWANTED,
        Wanted.REQUIRED,
        Wanted.REQUIRED,
        3,
        5,
        paused=True,
        paused_until=datetime(2027, 3, 31, 22, tzinfo=UTC),
        embargo=Embargo.AI_FOUND_IS_PUBLIC,
        disclosure_policy="leadline-default",
        minimum_severity=Severity.MEDIUM,
        upstream_first="libupstream",
        decline_route="the list hardening@example.org",
        digest=hashlib.sha256(FULL).hexdigest(),
    )


def test_one_word_pauses() -> None:
    """The whole change of the commit that pauses."""
    made = load_contract(MINIMAL + b"paused = true\n")
    assert "PAUSED" in "\n".join(explain(made, datetime.now(UTC)))  # noqa: TID251 -- any moment


def test_every_fault_is_listed_with_its_line() -> None:
    """All of them at once, and what would be right."""
    told = faults(
        b"""project = "!"
contact = ""
per_week = 0
max_open = "many"
packages = ["none"]
repositories = [""]
paused = "yes"
paused_until = 2027-04-01T00:00:00
embargo = "never"
mystery = 1
[scope]
inclde = []
include = "src"
[[exclusion]]
says = "x"
weaknesses = ["400"]
odd = 1
[evidence]
reproducer = "maybe"
"""
    )
    assert set(told) == {
        ", line 10: mystery",
        ", line 12: scope.inclde",
        ", line 1: project",
        ", line 2: contact",
        ", line 5: packages",
        ", line 6: repositories",
        ", line 13: scope.include",
        ", line 17: exclusion.odd",
        ", line 16: exclusion.weaknesses",
        ": exclusion[1].clause",
        ", line 19: evidence.reproducer",
        ", line 3: per_week",
        ", line 4: max_open",
        ", line 7: paused",
        ", line 8: paused_until",
        ", line 9: embargo",
    }
    assert "paused = true" in told[", line 3: per_week"]
    assert "there are contact" in told[", line 10: mystery"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"project = ", "is no TOML"),
        (b"\xff", "is no TOML"),
        (b"#" * (contract_toml.BYTES_MAX + 1), "larger than"),
    ],
)
def test_what_is_no_file_of_this_kind(content: bytes, words: str) -> None:
    """One fault of the whole."""
    assert words in faults(content)[""]


def test_tables_that_are_none() -> None:
    """A word where a table is due, and a table where an array of them is."""
    told = faults(MINIMAL + b'scope = "all"\nevidence = 3\nexclusion = "none"\n')
    assert set(told) == {", line 6: scope", ", line 7: evidence", ", line 8: exclusion"}


@pytest.mark.parametrize(
    ("policy", "contact"),
    [
        (b"Write to security@example.org please.", "security@example.org"),
        (
            b"Use https://example.org/a/b/security/advisories/new or a@example.org.",
            "https://example.org/a/b/security/advisories/new",
        ),
        (b"[mail](mailto:sec@example.org)", "sec@example.org"),
    ],
)
def test_a_security_policy_gives_a_contact_and_nothing_else(policy: bytes, contact: str) -> None:
    """It says that it was read out of one, and asks for nothing that nobody asked for."""
    made = infer_contract(policy, "a/b")
    assert (made.contact, made.inferred, made.per_week) == (contact, True, 1)
    assert made.reproducer is Wanted.WELCOME
    assert made.digest == hashlib.sha256(policy).hexdigest()


@pytest.mark.parametrize(
    ("policy", "project"), [(b"no address", "p"), (b"a@example.org", "!"), (b"\xff", "p")]
)
def test_a_policy_that_names_nobody_is_no_contract(policy: bytes, project: str) -> None:
    """The cure names the file to add."""
    with pytest.raises(Faulty):
        infer_contract(policy, project)


def test_the_example_of_the_guide_is_taken() -> None:
    """Both of them: the small one and the whole one."""
    page = (Path(__file__).parents[2] / "docs/how-to/write-an-intake-contract.md").read_text()
    examples = page.split("```toml\n")[1:]
    assert len(examples) >= 2
    for one in examples:
        assert load_contract(one.partition("```")[0].encode()).project
