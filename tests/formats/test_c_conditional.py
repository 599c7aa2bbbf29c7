"""Claims about a C source as it is without the repair."""

import re
import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadline.core.errors import Invalid
from leadline.formats.c_conditional import CONDITION_LENGTH_MAX, DEPTH_MAX, mentions, without


def cut(source: str) -> str:
    """*source* without the repair."""
    return without(source, "PATCHED")


def test_the_flawed_part_stays_and_the_repair_goes() -> None:
    """Either way of asking, with and without an else, leaves no line of the repair."""
    assert cut("a\n#ifdef PATCHED\nb\n#else\nc\n#endif\nd\n") == "a\nc\nd\n"
    assert cut("#ifndef PATCHED_1\na\n#else\nb\n#endif\n") == "a\n"
    assert cut(" # if defined(PATCHED) || defined PATCHED_2 /* x */\nb\n#endif\n") == ""
    assert cut("#if !defined(PATCHED) && !PATCHED_1\na\n#endif") == "a\n"
    assert cut("#if PATCHED\nb\n#elif PATCHED_1\nc\n#else\nd\n#endif\n") == "d\n"
    assert cut("#ifndef PATCHED\na\n#elif !PATCHED\nb\n#else\nc\n#endif\n") == "a\n"


def test_other_conditionals_stay_as_they_are() -> None:
    """Only what asks about the macro alone is resolved; what is nested is resolved inside."""
    other = "#ifdef A\n#if B > 2\nx\n#endif\n#elif C\ny\n#else\nz\n#endif\n"
    assert cut(other) == other
    assert cut("#ifdef A\n#ifdef PATCHED\nb\n#endif\nc\n#endif\n") == "#ifdef A\nc\n#endif\n"
    assert cut("#ifdef PATCHED\n#ifdef A\nb\n#endif\n#endif\nc\n") == "c\n"


def test_what_cannot_be_resolved_still_tells() -> None:
    """A condition that mixes the macro with others stays, and is found to speak of it."""
    mixed = "#if defined(PATCHED) && A\nb\n#endif\n#if PATCHED + 1\n#endif\n"
    assert cut(mixed) == mixed
    assert mentions(mixed, "PATCHED")
    assert mentions("PATCHED_3", "PATCHED")
    assert not mentions("UNPATCHED PATCHEDX", "PATCHED")


@pytest.mark.parametrize(
    ("condition", "left"),
    [
        ("!PATCHED || !PATCHED && !(!PATCHED || !PATCHED)", "a\n"),
        ("!!(PATCHED || !PATCHED_1) && !PATCHED", "a\n"),
        ("(!PATCHED || PATCHED) && PATCHED", ""),
        ("PATCHED || " * 300 + "PATCHED", ""),
        ("(" * 1000 + "PATCHED" + ")" * 1000, ""),
    ],
)
def test_a_condition_binds_as_in_c(condition: str, left: str) -> None:
    """And before or, brackets before both, at any length that C asks for."""
    assert cut(f"#if {condition}\na\n#endif\n") == left


@pytest.mark.parametrize(
    "condition",
    [
        "(PATCHED",
        "PATCHED)",
        "PATCHED PATCHED",
        "PATCHED ||",
        "!",
        "PATCHED == PATCHED",
        "definedPATCHED",
    ],
)
def test_what_is_no_plain_condition_stays(condition: str) -> None:
    """It is left as it stands."""
    source = f"#if {condition}\na\n#endif\n"
    assert cut(source) == source


@pytest.mark.parametrize(
    "source",
    [
        *("#ifdef A\n", "#else\n", "#endif\n", "#if PATCHED\n#elif A\n#endif\n"),
        "#if A\n" * (DEPTH_MAX + 1) + "#endif\n" * (DEPTH_MAX + 1),
        f"#if {'/*' * CONDITION_LENGTH_MAX}\n#endif\n",
    ],
)
def test_what_is_unbalanced_or_mixed_is_refused(source: str) -> None:
    """A source that cannot be cut for certain is refused, and then not shown."""
    with pytest.raises(Invalid):
        cut(source)


PARTS = st.recursive(
    st.integers(0, 99).map(lambda number: f"line {number}\n"),
    lambda inner: st.tuples(
        st.sampled_from(
            ["#ifdef PATCHED", "#ifndef PATCHED", "#if !defined(PATCHED)", "#if PATCHED_1"]
        ),
        st.lists(inner, max_size=3).map("".join),
        st.lists(inner, max_size=3).map("".join),
    ).map(lambda parts: f"{parts[0]}\n{parts[1]}#else\n{parts[2]}#endif\n"),
    max_leaves=12,
)


@pytest.mark.skipif(shutil.which("clang") is None, reason="asks the C preprocessor itself")
@settings(max_examples=15)
@given(st.lists(PARTS, max_size=4).map("".join))
def test_the_preprocessor_agrees(source: str) -> None:
    """What is left is what the preprocessor itself leaves, and asks about nothing any more."""
    argv = ["clang", "-E", "-P", "-xc", "-"]
    done = subprocess.run(
        argv, input=source, capture_output=True, text=True, check=True, timeout=60
    )
    left = cut(source)
    assert re.findall(r"line \d+", left) == re.findall(r"line \d+", done.stdout)
    assert "#" not in left
