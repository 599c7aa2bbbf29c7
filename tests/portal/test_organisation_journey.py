"""An organisation's accounts in a real browser: founded by two, entered by its own, handed over for a holiday."""

import pytest
from playwright.sync_api import Page

import make
from leadline.core.organisation import Organisation
from portal.test_account_journey import another, keeper, press, said
from portal.web import Web

pytestmark = pytest.mark.browser
HOSPITAL = "A hospital"


def founded(web: Web, name: str = HOSPITAL) -> None:
    """The organisation with two account administrators, as if founded a while ago."""
    at = web.at
    made = Organisation(name, frozenset({"operator"}), 0, at.clock.now, "ada")
    with at.door.parts.store.write() as tx:
        tx.put(name, made, marking=make.marking(), org=name)
    for id_, called in (("ann", "Ann Example"), ("abe", "Abe Example")):
        at.enrol(id_, "account-administrator", org=name, name=called, engagements=frozenset())
        at.password(id_)


def strongly(web: Web, person: str, to: str) -> Page:
    """Signed in with password and passkey, on a page."""
    web.sign_in(person)
    page = web.goto("/account")
    press(page, "Add a passkey")
    said(page, "It is registered.")
    web.goto(f"/sign-in?next={to}")
    press(page, "Sign in with a passkey")
    page.wait_for_url(f"{web.origin}{to}")
    return page


def test_two_found_an_organisation(web: Web) -> None:
    """One administrator asks, another signs exactly that, and two codes stand there once."""
    web.authenticator()
    keeper(web, "ada")
    page = web.goto("/admin/organisations")
    web.check("organisations-empty")
    page.get_by_role("link", name="Found an organisation").click()
    page.get_by_label("Its name").fill(HOSPITAL)
    page.get_by_text("Operator of systems: Runs").click()
    for at, (name, id_) in enumerate((("Ann Example", "ann"), ("Abe Example", "abe")), 1):
        page.locator(f"#field-name{at}").fill(name)
        page.locator(f"#field-id{at}").fill(id_)
    web.check("organisation-found")
    press(page, "Ask for the second signature")
    said(page, "nobody has signed it yet")
    with another(web) as other:
        keeper(other, "bea")
        other.goto("/")
        other.page.get_by_role("link", name="Sign: give an organisation").click()
        said(other.page, HOSPITAL)
        other.check("organisation-signature")
        press(other.page, "Sign with a passkey")
        said(other.page, "You have signed this request.")
    page = web.goto("/admin/organisations")
    web.check("organisations-signed")
    press(page, "Found it")
    web.check("organisation-founded")
    codes = page.locator("pre").all_inner_texts()
    assert len(set(codes)) == 2
    page = web.goto("/admin/organisations")
    said(page, "2")
    web.check("organisations")
    with another(web) as other:
        first = other.goto("/invitation")
        first.get_by_label("The code").fill(codes[0])
        press(first, "Begin")
        press(first, "Add a passkey")
        said(first, "It is registered.")
        other.goto("/organisation")
        said(first, "Accounts of A hospital")


def test_an_account_administrators_day(web: Web) -> None:
    """She enters somebody, invites her, and names her as delegate by keyboard alone; that one acts for her."""
    web.authenticator()
    founded(web)
    web.at.enrol("dee", "operator", org=HOSPITAL, name="Dee Example", engagements=frozenset())
    web.at.password("dee")
    page = strongly(web, "ann", "/organisation")
    web.check("organisation")
    page.get_by_role("link", name="Enter a person").click()
    for label, words in (("Full name", "Bo Example"), ("Id", "bo")):
        page.get_by_label(label, exact=True).fill(words)
    page.get_by_label("Access ends on").fill("2027-09-01")
    page.get_by_text("Operator of systems: Runs").click()
    web.check("organisation-enter")
    press(page, "Enter")
    said(page, "The person is entered.")
    web.check("organisation-person")
    press(page, "Make an invitation")
    said(page, "It counts at once")
    _delegated_by_keyboard(web)
    web.check("organisation-delegated")
    with another(web) as other:
        acts = strongly(other, "dee", "/")
        other.check("start-delegate")
        acts.get_by_role("link", name="Accounts of A hospital").click()
        said(acts, "You act for ann until")
        other.check("organisation-delegate")
        other.goto("/organisation/people/abe")
        said(acts, "A delegate does nothing to an account administrator")
        other.goto("/organisation/people/bo")
        acts.get_by_label("Why", exact=True).fill("left her card on the train")
        press(acts, "Stop this person at the next request")
        said(acts, "Suspended")
    page = web.goto("/organisation/people/bo")
    said(page, "suspended")


def _delegated_by_keyboard(web: Web) -> None:
    """Nothing but keys: to the link, through the form, and sent."""
    page = web.goto("/organisation")
    link = page.get_by_role("main").get_by_role("link", name="Name a delegate")
    for _ in range(60):
        page.keyboard.press("Tab")
        if link.evaluate("one => one === document.activeElement"):
            break
    page.keyboard.press("Enter")
    page.wait_for_url(f"{web.origin}/organisation/delegations/new")
    web.check("organisation-delegation")
    page.get_by_label("Who", exact=True).focus()
    page.keyboard.type("Dee")
    for presses in ("Tab", "Space", "Tab", "Tab", "Space"):
        page.keyboard.press(presses)
    page.get_by_label("Until the end of").focus()
    page.keyboard.type("03152027")
    page.keyboard.press("Enter")
    page.wait_for_load_state()
    said(page, "What this person does meanwhile says for whom.")


def test_a_recovery_is_seen_by_everybody_it_concerns(web: Web) -> None:
    """One account administrator asks, the other signs; both see it until it is called off."""
    web.authenticator()
    founded(web)
    web.at.enrol("dee", "operator", org=HOSPITAL, name="Dee Example", engagements=frozenset())
    web.at.password("dee")
    page = strongly(web, "ann", "/organisation/people/dee")
    press(page, "Ask for a recovery")
    said(page, "nobody has signed it yet")
    with another(web) as other:
        strongly(other, "abe", "/")
        other.page.get_by_role("link", name="Sign: let a person sign in again").click()
        press(other.page, "Sign with a passkey")
        said(other.page, "You have signed this request.")
        web.goto("/organisation/people/dee")
        press(page, "Begin the recovery")
        said(page, "A recovery for dee")
        other.goto("/")
        said(other.page, "An account is being recovered")
        other.goto("/organisation")
        other.check("organisation-recovery")
        press(other.page, "Call it off")
        said(other.page, "The code opens nothing any more.")
