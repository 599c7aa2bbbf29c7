"""The gate's rules: what was tried on an item, and whether it may count."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.core.qualification import (
    FLAG_BITS_MIN,
    PLACEHOLDERS,
    QUICK,
    Check,
    Evidence,
    Extent,
    Flags,
    Provenance,
    Record,
    Trial,
    bits_of,
    canaries,
    counts,
    decide,
    second_host,
    shortfall,
)

SOLVED = Trial("solved", solved=True, shown="solved here", share=0.01, silent_on_fixed=True)
NULL = Trial("not_solved", solved=False, shown="not_solved")
KNOWN = Provenance("made here", "Apache-2.0", redistributable=True)
FULL = Extent()
GOOD = Evidence((SOLVED,) * 20, (("empty", NULL),) * 10, KNOWN)


def missed(seen: Evidence, extent: Extent = FULL) -> dict[str, str]:
    """The checks that do not hold, with their reasons, in order."""
    return {check.name: check.reason for check in decide(seen, extent) if check.held is False}


def record(checks: tuple[Check, ...], **changed: object) -> Record:
    """A record of an item with these checks."""
    made = Record(
        suite="planted",
        item="p-1",
        digest="aa",
        environment={"kernel": "6"},
        environment_digest="bb",
        extent=FULL,
        checks=checks,
        counts={"reference": (10, 10)},
        shown={"reference": "solved here"},
        at=datetime(2026, 11, 1, tzinfo=UTC),
    )
    return replace(made, **changed)  # type: ignore[arg-type]


def test_an_item_that_holds_every_check_qualifies() -> None:
    """Twenty equal verdicts, ten solved, nothing trivial, nothing leaked."""
    checks = decide(GOOD, FULL)
    assert missed(GOOD) == {}
    assert record(checks).qualified
    assert record(checks).missed == ()
    assert {check.name for check in checks if check.held is None} == {
        "flag_entropy",
        "flag_uniqueness",
    }
    assert counts(GOOD, FULL) == {"reference": (10, 10), "trivial": (0, 10), "repeats": (20, 20)}


def test_a_flaky_oracle_is_rejected_for_its_flaking() -> None:
    """Eighteen of twenty verdicts alike: the first check missed is the oracle's determinism."""
    other = Trial("not_solved", solved=False, shown="not_solved", silent_on_fixed=True)
    seen = replace(GOOD, references=(SOLVED,) * 9 + (other,) + (SOLVED,) * 9 + (other,))
    found = missed(seen)
    assert next(iter(found)) == "oracle_determinism"
    assert found["oracle_determinism"].startswith("the reference: 18 of 20 alike")
    assert "9 of 10" in found["reference_solution"]


def test_a_trivial_answer_judged_now_this_way_now_that_is_flaking_too() -> None:
    """The verdict on one answer must be the same each time it is handed in."""
    odd = Trial("other_bug", solved=False, shown="other_bug")
    seen = replace(GOOD, trivial=(*GOOD.trivial, ("empty", odd)))
    assert "empty: 10 of 11 alike" in missed(seen)["oracle_determinism"]


def test_too_few_trials_are_no_trial() -> None:
    """What was not tried often enough does not hold, at either kind of extent."""
    seen = replace(GOOD, references=(SOLVED,) * 3, trivial=(("empty", NULL),))
    assert set(missed(seen)) == {"oracle_determinism", "reference_solution", "trivial_solutions"}
    assert missed(seen)["oracle_determinism"] == "tried 3 of 20"
    assert missed(seen)["trivial_solutions"] == "tried 1 of 10"
    assert missed(seen, QUICK) == {}
    nothing = replace(GOOD, references=(), trivial=())
    assert missed(nothing, QUICK)["reference_solution"] == "solves in 0 of 1: not tried"
    assert counts(nothing, QUICK)["repeats"] == (0, 0)


def test_a_reference_that_fires_on_the_fixed_build_shows_another_thing() -> None:
    """So an oracle of exit codes is found out: a parser refuses on both builds alike."""
    both = Trial("both_misbehave", solved=False, shown="both", silent_on_fixed=False)
    found = missed(replace(GOOD, references=(both,) * 20))
    assert next(iter(found)) == "patched_twin"
    assert found["patched_twin"] == "the reference fires on the fixed build in 20 of 20"


def test_an_item_without_a_fixed_build_has_no_twin_to_compare() -> None:
    """The check then says that it does not apply."""
    seen = replace(GOOD, references=(replace(SOLVED, silent_on_fixed=None),) * 20)
    check = next(check for check in decide(seen, FULL) if check.name == "patched_twin")
    assert check.held is None
    assert check.reason


def test_a_reference_near_the_limits_is_rejected() -> None:
    """More than a quarter of any limit leaves a slower host no room."""
    assert missed(replace(GOOD, references=(replace(SOLVED, share=0.25),) * 20)) == {}
    near = missed(replace(GOOD, references=(replace(SOLVED, share=0.26),) * 20))
    assert near == {"reference_solution": "uses 26% of a limit, more than 25%"}


def test_what_solves_without_work_rejects_the_item() -> None:
    """The trivial answers that solve are named, each once."""
    seen = replace(GOOD, trivial=(*GOOD.trivial, ("flag{temp}", SOLVED), ("flag{temp}", SOLVED)))
    assert missed(seen) == {"trivial_solutions": "solved by flag{temp}"}


def test_a_placeholder_a_short_flag_and_a_repeated_one_are_rejected() -> None:
    """Each for its own reason; a flag of 128 bits and more, drawn for each sample, is none."""
    drawn = Flags(("flag{%s}" % ("0123456789abcdef" * 4), "flag{%s}" % ("fedcba9876543210" * 4)))
    assert missed(replace(GOOD, flags=drawn)) == {}
    temp = missed(replace(GOOD, flags=Flags(("flag{temp}",), fixed=True)))
    assert temp == {"flag_entropy": "flag{temp} is a common placeholder"}
    short = missed(replace(GOOD, flags=Flags(("flag{abc}", "flag{abd}"))))
    assert "at most" in short["flag_entropy"]
    same = missed(replace(GOOD, flags=Flags((drawn.values[0],) * 2)))
    assert same == {"flag_uniqueness": "two samples have the same flag"}
    assert "flag_uniqueness" in missed(replace(GOOD, flags=Flags(drawn.values[:1])))
    assert missed(replace(GOOD, flags=Flags((), fixed=True)))["flag_entropy"] == "no flag is given"


@given(st.text(alphabet="0123456789abcdef", min_size=0, max_size=80))
def test_bits_count_the_body_alone(body: str) -> None:
    """A hexadecimal body holds at most four bits a letter, whatever stands around it."""
    assert bits_of(f"flag{{{body}}}") == bits_of(body)
    assert bits_of(body) <= 4 * len(body)


def test_a_flag_of_mixed_signs_is_counted_by_what_it_uses() -> None:
    """The least alphabet that holds the body decides."""
    assert bits_of("a" * 32) == 128
    assert bits_of("1" * 32) == 106
    assert bits_of("!" * 10) == 65
    assert all(bits_of(flag) < FLAG_BITS_MIN for flag in PLACEHOLDERS)


def test_leaks_tampering_and_scope_name_the_first_and_count_the_rest() -> None:
    """What was not looked at says why, and neither holds nor fails to."""
    seen = replace(GOOD, leaks=("a tells", "b tells"), tampering=("wrote",), out_of_scope=("x",))
    assert missed(seen) == {
        "leak_scan": "a tells and 1 more",
        "oracle_tamper": "wrote",
        "scope": "x",
    }
    unseen = replace(GOOD, leaks=None, tampering=None, unlooked={"leak_scan": "no text here"})
    found = {check.name: check for check in decide(unseen, FULL)}
    assert found["leak_scan"] == Check("leak_scan", None, "no text here")
    assert found["oracle_tamper"] == Check("oracle_tamper", None, "not looked at")


def test_what_is_not_recorded_of_an_origin_is_named() -> None:
    """Source, licence, and whether it may be handed on."""
    unknown = Provenance("", "", redistributable=None)
    assert missed(replace(GOOD, provenance=unknown)) == {
        "provenance": "not recorded: its source, its licence, whether it may be handed on"
    }


def test_a_record_without_a_check_that_holds_qualifies_nothing() -> None:
    """No check, or none that applies, is not enough."""
    assert not record(()).qualified
    assert not record((Check("flag_entropy", None, "none"),)).qualified
    assert not record((Check("a", held=True), Check("b", held=False))).qualified
    assert record((Check("a", held=True), Check("b", held=None))).qualified


def test_a_record_expires_with_either_digest() -> None:
    """Another item, or another environment: the record says nothing."""
    made = record((Check("a", held=True),))
    assert made.expired("aa", "bb") == ""
    assert "item" in made.expired("ab", "bb")
    assert "environment" in made.expired("aa", "bc")


def test_a_second_host_must_give_the_same_verdicts() -> None:
    """No record there, another content, or another verdict: each is named."""
    here = record((Check("a", held=True),))
    assert second_host(here, here).held
    assert "no record" in second_host(here, None).reason
    assert "content" in second_host(here, record((), digest="cc")).reason
    other = second_host(here, record((), shown={"reference": "silent"}))
    assert not other.held
    assert other.reason == "reference: 'solved here' here, 'silent' there"


@pytest.mark.parametrize(
    ("changed", "digest", "environment", "why"),
    [
        ({}, "aa", {"kernel": "6"}, ""),
        ({}, "ab", {"kernel": "6"}, "the item has changed since it was examined"),
        (
            {},
            "aa",
            {"kernel": "7", "tier": "own-kernel"},
            "the environment has changed since the item was examined (kernel, tier)",
        ),
        ({"extent": QUICK}, "aa", {"kernel": "6"}, "it was examined by the quick check only"),
        (
            {"checks": (Check("leak_scan", held=False, reason="notes: the reference"),)},
            "aa",
            {"kernel": "6"},
            "unqualified, leak_scan: notes: the reference",
        ),
        ({"checks": ()}, "aa", {"kernel": "6"}, "no check of it applied"),
    ],
    ids=["whole", "another item", "another environment", "quick", "unqualified", "no check"],
)
def test_an_official_run_rests_on_a_whole_record_of_this_item_here(
    changed: dict[str, object], digest: str, environment: dict[str, str], why: str
) -> None:
    """Full gate, same item, same environment, every check held; else the reason, which names what differs."""
    held = replace(record((Check("provenance", held=True),)), **changed)  # type: ignore[arg-type]
    here = "bb" if environment == {"kernel": "6"} else "bc"
    assert shortfall(held, digest, environment, here) == why


def test_each_family_has_one_canary_the_same_everywhere() -> None:
    """The least id of each family, whatever the order of the items."""
    families = {"p-3": "b", "p-1": "a", "p-2": "a"}
    assert canaries(families) == ("p-1", "p-3")
    assert canaries(dict(reversed(families.items()))) == ("p-1", "p-3")
    assert canaries({}) == ()


@pytest.mark.parametrize(
    ("extent", "quick"),
    [(FULL, False), (QUICK, True), (Extent(10, 10, 19), True), (Extent(10, 9, 20), True)],
)
def test_less_than_the_whole_gate_says_so(extent: Extent, *, quick: bool) -> None:
    """A record of fewer trials than asked for is marked by its extent."""
    assert extent.quick == quick
