"""A case as a page to print: who is silent stands first, and what a reader may not see is not there."""

from datetime import timedelta

from case_world import CaseWorld
from leadline.app import case_view, cases, drafts
from leadline.app.cases import NewParty
from leadline.app.drafts import Asked
from leadline.core.clearing.case_words import Role
from leadline.render.case_pages import CASE, ROWS_MAX, case_document, timeline_figure
from leadline.render.html import html


def silent_case(vendors: int) -> tuple[CaseWorld, str]:
    """Vendors that were all told a month ago, of whom none has answered."""
    world = CaseWorld()
    case = world.open()
    for number in range(vendors):
        new = NewParty(Role.OWNER, f"Vendor {number:02d}", f"v{number}@canary.example")
        cases.add_party(world.at("screener"), case, new)
    for made in drafts.write(world.at("screener"), case, Asked()).messages:
        drafts.sent(world.at("screener"), made.id, "mail", world.now)
    world.world.after(days=29)
    again = NewParty(Role.COORDINATOR, "the screener", person="screener", need="goes on")
    cases.add_party(world.at("screener"), case, again)
    world.world.after(days=2)
    return world, case


def test_who_is_silent_stands_first_and_in_words() -> None:
    """The picture, its table and the page say the same."""
    world, case = silent_case(3)
    seen = case_view.view(world.at("screener"), case)
    page = html(case_document(seen, world.now))
    assert "No answer within the disclosure policy" in page
    assert page.count("SILENT") == 3
    assert "TLP:AMBER+STRICT" in page
    figure = timeline_figure(seen, world.now)
    assert "7 clocks fell due" in figure.alt
    assert figure.data.rows[0][1] in {CASE, "Demonstration coordinator"}


def test_a_case_of_many_draws_those_who_are_late() -> None:
    """The rows that are left out are counted."""
    world, case = silent_case(ROWS_MAX + 5)
    seen = case_view.view(world.at("screener"), case)
    figure = timeline_figure(seen, world.now)
    assert f"The first {ROWS_MAX} of" in figure.alt
    assert "Vendor 00" in figure.svg


def test_a_page_for_somebody_who_sees_next_to_nothing() -> None:
    """No empty tables, no title, and the id in its place."""
    world = CaseWorld()
    case = world.peopled()
    page = html(case_document(case_view.view(world.at("downstream"), case), world.now))
    assert "canary-case" not in page
    assert case in page
    world.world.after(days=1)
    seen = case_view.view(world.at("downstream"), case)
    assert timedelta(0) <= world.now - (seen.opened or world.now)
