"""Names of devices as they are written in many ways, and makers under all their names."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearing_values import unhurried
from leadline.core.clearing.asset_names import is_strong, names, near, said, squash
from leadline.core.clearing.makers import Maker, Makers


def forms(text: str) -> list[list[tuple[str, tuple[str, ...]]]]:
    """What each name of a text needs, apart from words that may be left out."""
    return [
        [(need.kind, need.forms) for need in name.needs if need.kind != "weak"]
        for name in names(text)
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("NPort 5110", [[("word", ("nport",)), ("code", ("5110",))]]),
        ("ADAM-3600", [[("code", ("adam3600",))]]),
        ("PowerLogic PM 8000", [[("word", ("powerlogic",)), ("code", ("pm8000", "8000"))]]),
        ("Drive Composer Pro", [[("word", ("drive",)), ("word", ("composer",)), ("word", ("pro",))]]),
        ("SCT version 14", [[("word", ("sct",)), ("branch", ("14",))]]),
        ("Crimson 3.2", [[("word", ("crimson",)), ("branch", ("3.2",))]]),
        ("ConnectPort LTS 8/16/32", [[("word", ("connectport",)), ("word", ("lts",)), ("code", ("lts32", "lts16", "lts8", "8", "16", "32"))]]),
        ("XGK-CPUU/H/A", [[("word", ("xgkcpuu", "xgkcpuh", "xgkcpua"))]]),
        ("Metasys ADS/ADX/OAS", [[("word", ("metasys",)), ("word", ("ads", "adx", "oas"))]]),
        ("WebAccess/SCADA", [[("word", ("webaccess",)), ("word", ("scada",))]]),
        ("Interface/Software", [[]]),
        ("AFF660/665", [[("code", ("aff660", "665", "aff665"))]]),
        ("Bently Nevada 3701/40", [[("word", ("bently",)), ("word", ("nevada",)), ("code", ("370140",))]]),
        ("FX5U(C) CPU modules", [[("code", ("fx5u", "fx5uc"))]]),
        ("SVMPC1, SVMPC2", [[("code", ("svmpc1",))], [("code", ("svmpc2",))]]),
        ("N6854A and N6841A RF", [[("code", ("n6854a",))], [("code", ("n6841a",))]]),
        ("RTLS Studio, a program", [[("word", ("rtls",)), ("word", ("studio",))]]),
        ("FX5U-xMy/z x=32,64, y=T", [[("code", ("fx5u",))]]),
        ("Airlink Router (MP70, LX 40) running ALEOS", [[("word", ("airlink",)), ("code", ("mp70", "lx40"))]]),
        ("Quantum HD panels (Q5)", [[("word", ("quantum",)), ("code", ("q5",))]]),
        ("SEPCOS firmware (1.24.xx feature level)", [[("word", ("sepcos",)), ("branch", ("1.24.xx",))]]),
        ("Easy UPS (Windows 10, 11)", [[("word", ("easy",)), ("word", ("ups",))]]),
        ("Gateway Station (GWS)", [[]]),
        ("Metasys System Configuration Tool (SCT)", [[("word", ("metasys",)), ("word", ("configuration",))], [("word", ("sct",))]]),
        ("Power Line Communications (PLC)", [[]]),
        ("Tool (XYZ)", [[]]),
        ("with a name", [[("word", ("with",)), ("word", ("name",))]]),
        ("Suite including Genesix, Hyper Historian, and Mobex", [[], [("word", ("genesix",))], [("word", ("hyper",)), ("word", ("historian",))], [("word", ("mobex",))]]),
        ("Widget including former Unity", [[("word", ("widget",))]]),
        ("", []),
        ("--", []),
        ("-/-", []),
        ("H-/-", [[]]),
        ("1.2.3 (4)", [[("branch", ("1.2.3",))]]),
    ],
)  # fmt: skip
def test_a_name_says_what_a_line_must_say(
    text: str, expected: list[list[tuple[str, tuple[str, ...]]]]
) -> None:
    """Codes, words, and the branch of a version; lists are spread out."""
    assert forms(text) == expected


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("CPU (part numbers BMEP* and BMEH*)", "bmep582040"),
        ("IPC-HDBW2XXX", "ipchdbw2231e"),
        ("CJ2H-CPU6\u25a1 -EIP", "cj2hcpu68eip"),
        ("CJ2M-CPU**", "cj2mcpu34"),
        ("SYSMAC CJ2H-CPU6[](-EIP)", "cj2hcpu67eip"),
    ],
)
def test_open_places_of_a_code_stand_for_anything(text: str, code: str) -> None:
    """Stars, boxes and capital Xs; the pattern holds what they may stand for."""
    (name,) = names(text)
    patterns = [*name.patterns, *(need.pattern for need in name.needs if need.pattern)]
    assert any(re.fullmatch(pattern, code) for pattern in patterns), patterns


def test_too_many_open_places_are_no_pattern() -> None:
    """So that no advisory can make a line take long."""
    (name,) = names("A*B*C*D*E*F9")
    assert all("[a-z0-9]" not in need.pattern for need in name.needs)


def test_order_numbers_are_enough_and_letters_limit() -> None:
    """An order number in brackets or given apart names the product; a series letter is kept."""
    (name,) = names("LOGO! 12/24RCE (6ED1052-1MD08-0BA1)", ("6ED1 052",))
    assert name.models == {"6ed10521md080ba1", "6ed1052"}
    assert names("1756-EN2T Series A")[0].letters == {"A"}
    assert names("MicroLogix 1400 B/C")[0].letters == {"B", "C"}
    assert names("IQ Series Controllers")[0].series
    assert "iq" in names("IQ Series")[0].words
    assert names("A need (X1, Y2)")[0].needs[-1].strong is False


def test_a_line_is_read_alone_and_joined() -> None:
    """Hyphens, spaces, humps and joined numbers never matter; short forms are spelled out."""
    line = said("Moxa NPORT5110 Safety Mgr", "NPORT5110 Safety Mgr Webserver1", "FW 2.1 series B")
    assert {"nport", "5110", "nport5110", "manager"} <= line.grams
    assert "fw21" in line.beside
    assert line.codes == ("nport5110", "webserver1")
    assert line.letters == {"B"}
    assert "sm" in line.initials
    assert said("TotalysMultiProcessor", "", "").grams >= {"totalys", "multiprocessor"} - {
        "multiprocessor"
    }
    assert said("x", "", "").codes == ()


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("schneider", "schnieder", True),
        ("siemens", "simens", True),
        ("mitsubishi", "mitsubshi", True),
        ("omron", "omrom", True),
        ("omron", "emron", False),
        ("abcd", "abce", False),
        ("codesys", "cosysde", False),
        ("automation", "automatization", False),
        ("yokogawa", "yokagawo", True),
        ("lenovo", "lavono", False),
    ],
)
def test_a_slip_of_the_finger_is_near(one: str, other: str, expected: bool) -> None:  # noqa: FBT001 -- value under test
    """One sign, two in long words, and the first sign is right."""
    assert near(one, other) is expected


@unhurried
@given(st.text(max_size=60), st.text(max_size=60))
def test_any_text_is_read(one: str, other: str) -> None:
    """A name of any signs gives names or none, a line anything or nothing; nearness has no side."""
    assert all(
        squash(form) == form
        for name in names(one)
        for need in name.needs
        for form in need.forms
        if need.kind != "branch"
    )
    assert said(one, other, one).grams is not None
    assert near(one, other) == near(other, one)


@pytest.mark.parametrize(
    ("code", "expected"), [("m580", False), ("nport", False), ("51100", False), ("gt25w", True)]
)
def test_a_strong_code_has_letters_and_digits(code: str, expected: bool) -> None:  # noqa: FBT001 -- value under test
    """And five signs."""
    assert is_strong(code) is expected


MAKERS = Makers(
    [
        Maker("jci", ("Johnson Controls", "Tyco", "JCI"), "merged in 2016"),
        Maker("abb", ("ABB",), "own name"),
        Maker("hitachi", ("Hitachi Energy", "ABB Power Grids"), "sold in 2020"),
        Maker("se", ("Schneider Electric", "SE"), "own name"),
    ],
    ["Sensormatic Electronics, LLC, a subsidiary of Johnson Controls Inc.", "Zavio", "mySCADA", "mySCADA Technologies", "n/a", "", "Franklin Fueling System", "Step Tools, Inc"],
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Tyco", {"jci"}),
        ("Sensormatic", {"jci"}),
        ("JCI", {"jci"}),
        ("Jonson Controls", {"jci"}),
        ("Schnieder", {"se"}),
        ("SE", {"se"}),
        ("SE 200", set()),
        ("ABB Power Grids", {"hitachi"}),
        ("ABB", {"abb"}),
        ("myscada tech.", {"myscada"}),
        ("FFS", {"franklin"}),
        ("Grundfos", set()),
        ("", set()),
    ],
)
def test_a_maker_is_known_by_all_its_names(text: str, expected: set[str]) -> None:
    """The table's, the advisories', initials alone in the field, and slips of the finger."""
    assert MAKERS.ids(text) == expected


def test_a_line_without_its_maker_keeps_its_model() -> None:
    """And a line that is only its maker keeps that."""
    assert MAKERS.without("Tyco iSTAR-Ultra") == "iSTAR-Ultra"
    assert MAKERS.without("Tyco") == "Tyco"
    assert MAKERS.without("LOGO! 8") == "LOGO! 8"
    assert MAKERS.ids("LOGO! 8") == MAKERS.ids("LOGO! 8") == frozenset()
