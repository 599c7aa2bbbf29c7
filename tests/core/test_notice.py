"""What operators are told."""

from dataclasses import replace

import pytest

from clearing_values import OPERATOR, SECTOR, UJSON, advisory, inventory, statement, ujson
from leadline.core.clearing.advisory import Advisory
from leadline.core.clearing.match import match
from leadline.core.clearing.notice import Notice, notice, questions
from leadline.core.clearing.product import Component, Inventory, Releases, package
from leadline.core.marking import Tlp


def told(held: Inventory, about: Advisory) -> Notice | None:
    """The notice that the sample operator gets."""
    return notice(OPERATOR, SECTOR, held, match(held, [about]), about)


def test_a_notice_names_the_readers_own_components_and_what_to_do() -> None:
    """Lines, action, check, whom to ask, marking, and no due date that nobody computed."""
    held = inventory(
        ujson("5.1.0", "2", site="Portal"),
        ujson("4.0", "b"),
        ujson("odd!", "4", site="Warehouse"),
        ujson("6.0", "5"),
    )
    page = told(held, advisory(tlp=Tlp.AMBER, found_by="model-x"))
    assert page is not None
    assert [(line.where, line.installed) for line in page.affected] == [
        ("Portal", "5.1.0"),
        ("b", "4.0"),
    ]
    assert [line.line.installed for line in page.unknown] == ["odd!"]
    assert page.heading.startswith("ujson: 2 of your components")
    assert page.actions[0] == "Tonight: Replace ujson by 5.2.0 or a later release."
    assert "Mind the ward." in page.actions
    assert "pip show ujson" in page.checks[0]
    assert "5.2.0 or later" in page.checks[0]
    assert page.whom == "Ask your IT. Ask the maker."
    assert (page.tlp, page.found_by, page.due) == (Tlp.AMBER, "model-x", "")


@pytest.mark.parametrize(
    ("contact", "ask", "whom"),
    [
        (
            "IT on call, extension 4711",
            "Ask the maker.",
            "IT on call, extension 4711. Ask the maker.",
        ),
        ("Ask IT!", "Ask the maker.", "Ask IT! Ask the maker."),
        ("IT on call", "", "IT on call"),
        ("", "Ask the maker.", "Ask the maker."),
    ],
)
def test_whom_to_ask_is_a_sentence_of_its_own(contact: str, ask: str, whom: str) -> None:
    """However the operator's own line ends."""
    held, about = inventory(ujson("5.1.0")), advisory()
    operator, sector = replace(OPERATOR, contact=contact), replace(SECTOR, ask=ask)
    page = notice(operator, sector, held, match(held, [about]), about)
    assert page is not None
    assert page.whom == whom


@pytest.mark.parametrize("version", ["5.2.0", "1.0", "odd!", ""])
def test_only_an_affected_component_gives_a_notice(version: str) -> None:
    """Unknown grants nothing: who lists every name learns nothing."""
    assert told(inventory(ujson(version)), advisory()) is None


def test_a_flaw_without_remedy_says_so() -> None:
    """No release is invented; another ecosystem gets its own check, an unknown one a plain one."""
    kinds = [package("npm", "", "x"), package("cargo", "", "y")]
    for kind, check in zip(kinds, ["npm ls x", "Look up"], strict=True):
        said = statement(package=kind, affected=Releases(listed=("1",)), fixed=Releases())
        about = advisory(said)
        about = replace(about, flaws=(replace(about.flaws[0], remedy=""), advisory().flaws[0]))
        page = told(inventory(Component("1", kind.name, "1", kind)), about)
        assert page is not None
        assert "No fixed release is named yet" in page.actions[0]
        assert check in page.checks[0]
        assert page.heading.startswith(f"{kind.name}: one of your components")
        assert "ujson" not in page.touches + page.heading


def test_lines_without_identity_become_questions_without_an_advisory() -> None:
    """Each line is unknown, says why, and whom to ask for what."""
    held = inventory(
        Component("2", "RTU", "4.60", kind="device", maker="Acme", site="North"),
        Component("3", "RTU", kind="device"),
        Component("4", "Ledger"),
        ujson("5.1.0", "5"),
    )
    page = questions(OPERATOR, SECTOR, held)
    assert page is not None
    assert page.heading.startswith("3 of 4 lines")
    assert [line.status for line in page.lines] == ["unknown"] * 3
    assert [line.line.where for line in page.lines] == ["North", "line 3", "line 4"]
    assert page.lines[0].ask.startswith("Ask Acme: which software is inside RTU with firmware 4.60")
    assert page.lines[1].ask.startswith("Read the firmware version of RTU")
    assert "the maker" in page.lines[1].ask
    assert page.lines[2].ask.startswith("Which package is Ledger")
    assert "ADV" not in repr(page)


def test_an_inventory_that_names_every_package_has_no_questions() -> None:
    """Nothing is asked where nothing is open."""
    assert questions(OPERATOR, SECTOR, inventory(ujson("1.0"))) is None
    assert UJSON.name == "ujson"
