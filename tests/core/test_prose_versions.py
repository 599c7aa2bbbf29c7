"""Versions and statements about them, as makers of devices write both."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearing_values import unhurried
from leadline.core.clearing.prose import (
    STATEMENT_MAX,
    VERSION_MAX,
    Place,
    named,
    place,
    span,
    version,
    within,
)


@pytest.mark.parametrize(
    ("ours", "other", "expected"),
    [
        ("4.60", "V4.60", Place.SAME),
        ("4.5", "4.60", Place.BEFORE),
        ("1.16", "1.14", Place.AFTER),
        ("R15B", "R16A", Place.BEFORE),
        ("R151.1", "151.2", Place.BEFORE),
        ("V3.3.8 build 230112", "3.3.8_build230112", Place.SAME),
        ("1.2 FP2 HF9", "1.2 FP2 HF10", Place.BEFORE),
        ("3.36", "3.36b", Place.SHORTER),
        ("3.36b", "3.36", Place.LONGER),
        ("12", "12.0.38", Place.SHORTER),
        ("8.0", "8.0.0", Place.SAME),
        ("3.2", "3.20", Place.OPEN),
        ("1.20", "1.3", Place.OPEN),
        ("1.9", "1.16", Place.BEFORE),
        ("1.5.0.0 Beta 4", "1.5.0.0", Place.BEFORE),
        ("1.5.0.0", "1.5.0.0 Beta 4", Place.AFTER),
        ("1.0 rc1", "1.0.1", Place.BEFORE),
        ("WB10.B929", "WB10.9a17", Place.OPEN),
        ("C4.93", "M4.93", Place.OPEN),
        ("RTS/RTD_3.6.6", "RTS_3.6.5", Place.AFTER),
        ("2022", "11.1", Place.OPEN),
        ("V9 Rev.U", "9 Rev.ZD", Place.BEFORE),
        ("A_B", "B_0", Place.OPEN),
        ("January 2020", "manufactured 06/2021", Place.BEFORE),
        ("June/20/2023", "June/21/2023", Place.BEFORE),
        ("June/20/2023", "4.0", Place.OPEN),
        ("5 digits of serial number 24031", "5 digits of serial number 24061", Place.BEFORE),
        ("5 digits of serial number 24061", "5 digits of serial number 24061", Place.SAME),
    ],
)
def test_two_versions_have_the_order_that_a_reader_sees(
    ours: str, other: str, expected: Place
) -> None:
    """Or none, where a reader could not tell."""
    one, two = version(ours), version(other)
    assert one is not None
    assert two is not None
    assert place(one, two) is expected


@pytest.mark.parametrize(
    "text", ["", "  ", "no version on label", "x" * (VERSION_MAX + 1), "-", "n/a"]
)
def test_what_is_no_version_is_none(text: str) -> None:
    """Nothing is made of it."""
    assert version(text) is None


@pytest.mark.parametrize(
    ("said", "held", "expected"),
    [
        ("Versions 4.60 and prior", "4.42", True),
        ("Versions 4.60 and prior", "4.61", False),
        ("Versions 4.60 and prior", "4.60", True),
        ("All versions prior to V2.3.1", "2.3.0", True),
        ("All versions prior to V2.3.1", "2.3.1", False),
        ("V1.0 up to and including V1.4", "1.4", True),
        ("V1.0 up to and including V1.4", "1.5", False),
        ("2.x", "2.7", True),
        ("2.x", "3.0", False),
        ("firmware 2.x", "2", True),
        ("< V3.2 Update 1", "3.1", True),
        ("< V3.2 Update 1", "V3.2", None),
        ("< V3.2 Update 1", "V3.2 Update 1", False),
        ("vers:intdot/>=1.0|<2.0", "1.9", True),
        ("vers:intdot/>=1.0|!=1.5|<2.0", "1.6", True),
        ("vers:intdot/>=1.0|!=1.5|<2.0", "1.5", False),
        ("vers:intdot/>=1.0|!=1.5|<2.0", "9", False),
        ("vers:intdot/<1.0|>=2.0|<=2.4", "0.9", True),
        ("vers:intdot/<1.0|>=2.0|<=2.4", "1.5", False),
        ("vers:intdot/<1.0|>=2.0|<=2.4", "2.4", True),
        ("vers:intdot/1.1|>3.0", "1.1", True),
        ("vers:intdot/1.1|>3.0", "2.0", False),
        ("vers:intdot/1.1|!=3.0", "2.0", False),
        ("vers:intdot/!=1.5", "1.5", False),
        ("vers:intdot/!=1.5", "1.6", True),
        ("vers:intdot/>=2.0|<1.0", "3.0", None),
        ("vers:intdot/>=1.0|>=2.0", "3.0", None),
        ("vers:intdot/<1.0|odd", "0.5", None),
        ("vers:none/*", "7", None),
        ("vers:all/*", "7", True),
        ("*", "7", True),
        ("all", "7", True),
        ("All versions only if web components are used", "7", True),
        ("All versions < V16 Update 5", "V15", True),
        ("vers:all/>=V4.5.0<V4.5.2", "4.5.1", True),
        ("vers:all/>=V4.5.0<V4.5.2", "4.5.2", False),
        ("vers:all/>=V4.5.0<V4.5.2", "4.4", False),
        (">= 2.0 | <= 2.7", "2.7.1", None),
        (">= 2.0 | < 2.7", "2.7.1", False),
        ("> 8.0.4", "8.0.4", False),
        ("> 8.0.4", "8.0.4.1", True),
        ("> FW16", "FW16.1", True),
        (">= 8.0.4", "8", None),
        ("All 8.1 versions prior to 8.1.10", "8.1.9", True),
        ("All 8.1 versions prior to 8.1.10", "8.0.9", False),
        ("All 8.0 versions after 8.0.4", "8.0.5", True),
        ("All 8.0 versions after 8.0.4", "8.1.0", False),
        (">FW16_up_to_and_including_FW26", "FW22", True),
        (">FW16_up_to_and_including_FW26", "FW16", False),
        (">= 9.3.0 -  but not including 9.3.8", "9.3.8", False),
        ("12.4.1-12.4.11", "12.4.10", True),
        ("12.4.1-12.4.11", "12.4.12", False),
        ("20-33", "25", True),
        ("1.275M\u20141.280S", "1.276A", True),
        ("R3.08.10 - R3.09.00", "R3.09.00", True),
        ("v6.0 though v6.6.9", "6.5", True),
        ("10 and 11", "10", True),
        ("10 and 11", "12", False),
        ("Versions 3.0.7 3.0.8 3.0.9", "3.0.8", True),
        ("5.1.0-x | 5.1.1-x | >= 6.0.0-1 | <= 6.0.0-3", "6.0.0-2", True),
        ("5.1.0-x | 5.1.1-x | >= 6.0.0-1 | <= 6.0.0-3", "5.1.1-4", True),
        ("13.0 | < 13.0.1", "12.1", None),
        ("13.0 | < 13.0.1", "13.0.0", True),
        ("<=8.1 | >= 8.1.10", "8.1.20", True),
        ("<=8.1 | >= 8.1.10", "8.1.5", None),
        (">= 1.0 | >= 2.4", "0.9", None),
        (">= 3.0 | <= 2.0", "2.5", None),
        ("= 4.2", "4.2", True),
        ("v7.0 and higher versions", "7.1", True),
        ("2.8.16", "2.8.15", False),
        ("2.8", "2.8.15", None),
        ("R15B", "R15", None),
        ("FPGA_10.19_CPU_2.0.6", "CPU 2.0.6 FPGA 10.19", True),
        ("<=with_the_first_5_digits_of_serial_number_24061", "serial 24", None),
        ("<= 2.5-GA (Windows 7, 10)", "2.4", True),
        ("1.000 (These products are sold in limited regions)", "1.000", True),
        ("Versions including affected FTP server", "3", True),
        ("Serial numbers of a kind", "3", None),
        ("", "3", None),
        ("<=", "3", None),
        ("9" * (STATEMENT_MAX + 1), "3", None),
        ("June/20/2023", "3.0", None),
        ("<April/17/2023", "April/16/2023", True),
        ("<4.x", "5.1.0", False),
        ("<4.x", "4.1.0", False),
        ("<=4.x", "4.1.0", True),
        (">=4.x", "4.1.0", True),
        (">4.x", "4.1.0", False),
        (">=4.1.x", "4", None),
        ("1.0, 1.1 and -", "1.1", True),
        ("from 5.1 to 5.9", "5.4", True),
        ("from 5.1 to 5.9", "6.0", False),
        ("| 1.0", "1.0", True),
    ],
)
def test_a_statement_holds_a_version_or_not_or_nobody_can_tell(
    said: str,
    held: str,
    expected: bool | None,  # noqa: FBT001 -- the value under test
) -> None:
    """Shorter spellings and statements that are not understood leave it open."""
    found = version(held)
    assert found is not None
    assert within(span(said), found) is expected


def test_a_condition_is_kept_in_its_own_words() -> None:
    """Whoever reads the verdict decides whether it holds."""
    for text in (
        "All versions only if web components are used",
        "< V10.4 only when running on ROX",
    ):
        assert span(text).condition == text


def test_remedies_name_versions() -> None:
    """With a dot, or with a word that says so; an advisory's number is none."""
    found = named(
        (
            "Update to version 2.3.1 or later, see 8DBD000121.",
            "V9 Rev U or higher",
            "Version .",
            "1.2 1.2",
        )
    )
    assert [held.text for held in found] == ["version 2.3.1", "V9 Rev U", "1.2"]


numbers = st.lists(st.integers(0, 99), min_size=1, max_size=4).map(
    lambda row: ".".join(map(str, row))
)


@unhurried
@given(numbers, numbers)
def test_the_order_is_the_same_from_both_sides(ours: str, other: str) -> None:
    """Before one way is after the other way, and what is open is open both ways or decided safely."""
    one, two = version(ours), version(other)
    assert one is not None
    assert two is not None
    mirrored = {
        Place.BEFORE: {Place.AFTER, Place.OPEN},
        Place.AFTER: {Place.BEFORE},
        Place.SAME: {Place.SAME},
        Place.SHORTER: {Place.LONGER},
        Place.LONGER: {Place.SHORTER},
        Place.OPEN: {Place.OPEN, Place.BEFORE},
    }
    assert place(two, one) in mirrored[place(one, two)]


@unhurried
@given(st.text(max_size=80), numbers)
def test_what_is_not_understood_excludes_nothing(said: str, held: str) -> None:
    """No text makes a version safe unless a bound or a list was read from all of it."""
    found = version(held)
    assert found is not None
    read = span(said)
    if within(read, found) is False:
        assert read.understood
        assert read.bounds or read.listed


# What makers might write, and a version that is meant by it: never may it stand outside.
MEANT = (
    ("\u2264 3.4", "3.2"), ("1.0 through 2.0, and 3.0", "3.0"), ("V3.0 to V3.4 and V4.0 to V4.2", "4.1"),
    ("V3.0 to V3.4, V4.0 to V4.2", "3.2"), ("1.0.0-1.2.0, 2.0.0-2.1.0", "2.0.5"),
    ("1.0 - 1.2; 2.0 - 2.1", "1.1"), ("no later than 3.4", "3.1"), ("3.4+", "3.5"),
    ("3.4 onwards", "3.5"), ("before and including 3.4", "3.4"), ("2.0..3.0", "2.5"),
    ("2.0 ~ 3.0", "2.5"), ("[2.0,3.0)", "2.5"), ("2.0/2.1/2.2", "2.2"), (">= 2.10 < 3.0", "2.9"),
    ("3.4 and lower, 4.0 to 4.3", "3.1"), ("3.4 and prior; 4.0 through 4.3", "3.1"),
    ("3.4 and prior, 4.3 and prior", "4.2"), ("<= 3.4, 4.1", "4.1"), ("<3.4 and 4.1", "4.1"),
    ("3.4 und fr\u00fcher", "3.2"), ("3.4/prior", "3.1"), ("3.4 (and prior)", "3.1"),
    ("3.4 incl. earlier", "3.1"), ("3.4 plus earlier", "3.1"), ("3.4 as well as earlier", "3.1"),
    ("not earlier than 3.4", "3.6"), ("ahead of 3.4", "3.1"),
)  # fmt: skip


@pytest.mark.parametrize(("said", "held"), MEANT)
def test_what_is_left_over_of_a_statement_excludes_nothing(said: str, held: str) -> None:
    """A list, a range or a word that was not read as one leaves the question open at least."""
    found = version(held)
    assert found is not None
    assert within(span(said), found) is not False


@pytest.mark.parametrize(
    ("said", "inside", "outside"),
    [
        ("V3.0 to V3.4 and V4.0 to V4.2", "4.1", "5.0"),
        ("1.0 through 2.0, and 3.0", "3.0", "2.5"),
        ("3.4 (and prior)", "3.1", "3.5"),
        ("no later than 3.4", "3.4", "3.5"),
        ("\u2265 3.0 | \u2264 3.4", "3.1", "2.0"),
    ],
)
def test_lists_of_ranges_are_read(said: str, inside: str, outside: str) -> None:
    """Each range by itself."""
    found = [version(inside), version(outside)]
    assert [one and within(span(said), one) for one in found] == [True, False]


def test_another_image_with_one_letter_in_common_is_another() -> None:
    """B_0 of one maker's board is no A_B of another."""
    ours, other = version("A_B-r0"), version("B_0")
    assert ours is not None
    assert other is not None
    assert place(ours, other) is Place.OPEN
