"""Exchange profiles: both forms of a run have the same leaves, and each difference has its place."""

from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.core.errors import Invalid
from leadline.formats.document import load
from leadline.formats.exchange import (
    Difference,
    Profile,
    count,
    differences,
    dump,
    exchanged,
    load_profile,
    shared,
    surplus,
)

HEAD = b"""
id = "p"
title = "P"
body = "b"
format = "f/v1"
last_checked = 2026-10-10
cites = "c"
words = "w"
"""
PAIRS = (
    ("name", "system.name"),
    ("suites[].name", "groups[].label"),
    ("suites[].families[].solved", "groups[].tasks[].successes"),
    ("suites[].families[].interval[]", "groups[].tasks[].interval[]"),
    ("losses[]", "limits.losses[]"),
)


def text(*pairs: tuple[str, str]) -> bytes:
    """A profile's file."""
    return HEAD + b"".join(
        f'[[field]]\nours = "{ours}"\ntheirs = "{theirs}"\nwords = "w"\n'.encode()
        for ours, theirs in pairs
    )


PROFILE = load_profile(text(*PAIRS), "p.toml")
NUMBER = st.none() | st.booleans() | st.integers(-9, 9) | st.floats(0, 1) | st.text(max_size=3)
FAMILY = st.fixed_dictionaries(
    {"solved": NUMBER, "interval": st.lists(NUMBER, max_size=2), "secret": NUMBER}
)
SUMMARY = st.fixed_dictionaries(
    {
        "name": NUMBER,
        "losses": st.lists(NUMBER, max_size=3),
        "findings": st.lists(st.fixed_dictionaries({"id": NUMBER}), max_size=2),
        "suites": st.lists(
            st.fixed_dictionaries({"name": NUMBER, "families": st.lists(FAMILY, max_size=3)}),
            max_size=3,
        ),
    }
)


@given(SUMMARY)
def test_both_forms_of_a_run_agree_and_hold_nothing_that_no_field_names(
    summary: dict[str, object],
) -> None:
    """Both forms of a run agree and hold nothing that no field names."""
    ours = load(dump(shared(PROFILE, summary)), "ours")
    theirs = load(dump(exchanged(PROFILE, ours)), "theirs")
    assert differences(PROFILE, ours, theirs) == ()
    assert surplus(PROFILE, ours) == ()
    assert count(ours) == count(theirs) == count(summary) - len(surplus(PROFILE, summary))
    assert "secret" not in str(ours)
    assert "findings" not in ours


@given(SUMMARY, st.data())
def test_a_changed_leaf_is_named_by_its_place(
    summary: dict[str, object], data: st.DataObject
) -> None:
    """A changed leaf is named by its place."""
    ours = shared(PROFILE, {**summary, "name": 1})
    theirs = exchanged(PROFILE, ours)
    value = data.draw(st.sampled_from((True, 1.0, "1", None, 2)))
    assert differences(PROFILE, ours, {**theirs, "system": {"name": value}}) == (
        Difference("system.name", 1, value),
    )


def test_what_is_missing_or_more_on_either_side_is_a_difference() -> None:
    """What is missing or more on either side is a difference."""
    ours = {"name": "m", "suites": [{"name": "s", "families": [{"solved": 3}]}]}
    theirs = {"system": {"name": "m", "more": 0}, "groups": [{"label": "s", "tasks": [{}]}]}
    assert differences(PROFILE, ours, theirs) == (
        Difference("groups[0].tasks[0].successes", 3, None),
        Difference("system.more", None, 0),
    )


def test_a_gap_in_a_list_stays_a_gap() -> None:
    """A suite of which nothing is shared keeps its place, so that the next one keeps its own."""
    summary = {"suites": [{"hidden": 1}, {"name": "second"}]}
    assert exchanged(PROFILE, shared(PROFILE, summary)) == {"groups": [{}, {"label": "second"}]}


@pytest.mark.parametrize(
    ("pairs", "told"),
    [
        ((), "give one to"),
        ((("a b", "c"),), "ours: 'a b' is no path"),
        ((("a", "c."),), "theirs: 'c.' is no path"),
        ((("a[]", "c"),), "as many"),
        ((("a", "c"), ("a", "d")), "ours 'a' crosses"),
        ((("a", "c"), ("b", "c")), "theirs 'c' crosses"),
        ((("a", "c"), ("a.b", "d")), "ours 'a.b' crosses"),
        ((("a[]", "c[]"), ("a.b", "d")), "ours 'a.b' crosses"),
    ],
)
def test_paths_that_cannot_be_are_refused(pairs: tuple[tuple[str, str], ...], told: str) -> None:
    """Paths that cannot be are refused."""
    with pytest.raises(Invalid, match=told):
        load_profile(text(*pairs), "p.toml")


def test_unknown_keys_are_refused() -> None:
    """Unknown keys are refused."""
    for wrong in (b"more = 1\n" + text(*PAIRS), text(*PAIRS) + b"more = 1\n"):
        with pytest.raises(Invalid, match="more: is no key"):
            load_profile(wrong, "p.toml")


def test_a_form_holds_plain_values_in_lists_of_a_length() -> None:
    """A form holds plain values in lists of a length."""
    with pytest.raises(Invalid, match=r"name: bytes has no place"):
        shared(PROFILE, {"name": b"x"})
    with pytest.raises(Invalid, match="more than 10000"):
        shared(PROFILE, {"losses": ["x"] * 10_001})


def shipped() -> Profile:
    """The profile that comes with Leadline."""
    name = "uk-aisi.toml"
    return load_profile((files("leadline") / "data" / "exchange" / name).read_bytes(), name)


def test_the_shipped_profile_shares_numbers_and_no_findings() -> None:
    """The shipped profile shares numbers and no findings."""
    summary = {
        "subject": {"name": "m", "digest": "d"},
        "suites": [{"name": "s", "families": [{"attempted": 9, "interval": [0.1, 0.4]}]}],
        "findings": [{"id": "f", "purl": "pkg:x"}],
        "decision": {"threshold": 0.5, "samples_used": 4},
        "engagement": "engagement-1",
        "log": {"root": "r"},
    }
    ours = shared(shipped(), summary)
    assert set(ours) == {"subject", "suites", "decision"}
    assert ours["decision"] == {"samples_used": 4}
    theirs = exchanged(shipped(), ours)
    assert theirs["task_suites"] == [
        {"name": "s", "task_families": [{"attempts": 9, "success_rate_interval": [0.1, 0.4]}]}
    ]
