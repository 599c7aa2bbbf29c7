"""From a spreadsheet to printed pages, by keyboard alone, in a real browser; and the same without a script."""

import re

import pytest

import clearing_values as values
from identity.people import House
from leadline.core.marking import Marking, Tlp
from leadline.wiring import check as wiring
from portal.test_check_page import pump
from portal.web import Web, browsing

pytestmark = pytest.mark.browser
SHEET = (
    "Manufacturer\tModel\tFirmware\tLocation\n"
    "Example Company\tPump Controller 3000\t1.0\tPump house\n"
    "Example Company\tPump Controller 3000\t\tWell\n"
    "Other Works\tFlow meter 7\t3.1\tReservoir\n"
)


def known(at: House) -> None:
    """What is public here: a flaw of a library and one of a device."""
    pump(at.folder / wiring.FOLDER)
    with at.door.parts.store.write() as tx:
        tx.put("ADV-1", values.advisory(), marking=Marking(Tlp.CLEAR))


def reach(web: Web, text: str, *, presses: int = 60) -> None:
    """Go on with Tab until what has the focus is called *text*."""
    for _ in range(presses):
        web.page.keyboard.press("Tab")
        said = web.page.evaluate(
            "(() => { const e = document.activeElement; const l = e.labels && e.labels[0];"
            " return (e.getAttribute('aria-label') || (l && l.innerText) || e.innerText || ''); })()"
        )
        if text in said:
            return
    pytest.fail(f"nothing called {text!r} can be reached by Tab")


def sheets(pdf: bytes) -> int:
    """How many pages a PDF has."""
    return len(re.findall(rb"/Type\s*/Page\b", pdf))


def test_from_a_spreadsheet_to_printed_pages_by_keyboard(web: Web) -> None:
    """Paste, check, answer one question, print: every place on one sheet, and nothing else."""
    known(web.at)
    page = web.goto("/")
    reach(web, "Check a list")
    page.keyboard.press("Enter")
    page.wait_for_url("**/check")
    web.check("check-form")
    reach(web, "Paste your list")
    page.evaluate("text => { window.pasted = text; }", SHEET)
    page.keyboard.insert_text(SHEET)
    reach(web, "Check the list")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=The pages to print")
    assert "1 line of your list is affected" in page.inner_text("h1")
    web.check("check-result")
    reach(web, "I cannot tell now")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    reach(web, "Use these answers")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=2 lines of your list are affected")
    web.check("check-answered")
    page.evaluate("window.print = () => { window.printed = true; }")
    page.keyboard.press("Control+Home")
    reach(web, "Print 2 pages")
    page.keyboard.press("Enter")
    assert page.evaluate("window.printed")
    assert sheets(page.pdf(format="A4")) == 3
    page.evaluate("window.print = () => { window.alone = document.body.className; }")
    reach(web, "Print the overview alone")
    page.keyboard.press("Enter")
    assert "ll-overview-alone" in page.evaluate("window.alone")
    page.evaluate("document.body.classList.add('ll-overview-alone')")
    assert sheets(page.pdf(format="A4")) == 1


def test_without_a_script(at: House) -> None:
    """The same with scripts off."""
    known(at)
    with browsing(at, scripts=False) as web:
        page = web.goto("/check")
        page.get_by_label("Paste your list").fill(SHEET)
        page.get_by_role("button", name="Check the list").click()
        assert "Pump house: 1 device needs work tonight" in page.inner_text("main")
        assert "use the print command of your browser" in page.inner_text("main")


def test_a_table_with_other_headings(web: Web) -> None:
    """What the columns mean is asked once."""
    known(web.at)
    page = web.goto("/check")
    page.get_by_label("Paste your list").fill("Dings,Bums,Wo\nujson,5.1.0,Keller\n")
    page.get_by_role("button", name="Check the list").click()
    page.wait_for_selector("text=What do your columns mean?")
    web.check("check-columns")
