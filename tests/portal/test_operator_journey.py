"""An operator from a notice to the proof that it is repaired, and a maintainer from a link to an answer."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

import clearing_values as values
from identity.people import House
from leadline.app import cases, drafts, fixes, notices
from leadline.app.cases import NewParty
from leadline.app.drafts import Asked
from leadline.core.clearing.case_words import Role
from leadline.core.clearing.finding import Finding
from leadline.core.clearing.tiers import Stage
from leadline.core.marking import Marking, Tlp
from operator_world import ujson
from portal.test_check_journey import reach
from portal.web import Web, browsing
from portal.world import Model, World, model
from replay_values import FakeWorkshop, a_bundle, sound_draft

pytestmark = pytest.mark.browser
OLD = "Software,Version,Package manager,Where\nujson,5.1.0,PyPI,Laboratory\nujson,5.1.0,PyPI,Portal\nOrbis,3,,Ward A\n"
NEW = OLD.replace("5.1.0", "5.4.0")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """The world, built once."""
    return model(tmp_path_factory)


def known(at: House) -> None:
    """The flaw in ujson is public."""
    with at.door.parts.store.write() as tx:
        tx.put("ADV-1", values.advisory(), marking=Marking(Tlp.CLEAR))


def told(world: World) -> None:
    """The coordinator tells everybody who has not been told."""
    case = world.ids["public_case"]
    notices.release(world.ctx("coordinator"), case, ujson(), Stage.PUBLISHED)


def enrolled(web: Web) -> None:
    """From the first page to a list that is given."""
    page = web.page
    web.goto("/operator")
    web.check("operator-first")
    page.get_by_role("link", name="Enrol your organisation").click()
    page.get_by_label("What your organisation is called").fill("Alder Creek Clinic")
    page.get_by_label("Health care").check()
    page.get_by_label("How many people depend on it").fill("9000")
    page.get_by_label("How many changes a week you can make").fill("2")
    page.get_by_label("Whom your people ask").fill("IT on call, extension 4711")
    web.check("operator-enrolment")
    page.get_by_role("button", name="Enrol", exact=True).click()
    page.wait_for_url("**/operator?said=enrolled")
    assert "You gave no list yet" in page.inner_text("main")
    page.get_by_role("link", name="Give a list").click()
    page.get_by_label("Or paste it").fill(OLD)
    web.check("operator-lists")
    page.get_by_role("button", name="Give the list").click()
    page.wait_for_url("**/operator/inventories/*")
    web.check("operator-list")
    page.get_by_role("link", name="Pages to print").click()
    web.check("operator-sheets")


def test_an_operator_from_enrolment_to_proof(made: Model, tmp_path: Path) -> None:
    """Enrols, gives a list, reads its notice, answers, and shows by a newer list that it is repaired."""
    with made.copied(tmp_path / "copy") as world, browsing(world.at) as web:
        at, page = world.at, web.page
        known(at)
        at.enrol("hanna", "operator", org="a-clinic", name="Hanna Vogt", engagements=frozenset())
        at.password("hanna")
        web.sign_in("hanna")
        enrolled(web)
        at.clock.forward(minutes=5)
        told(world)
        web.goto("/operator")
        assert "1 notice waits for you" in page.inner_text("main")
        web.check("operator-home")
        web.goto("/operator/exposure")
        web.check("operator-exposure")
        web.goto("/operator/notices")
        web.check("operator-notices")
        page.get_by_role("region", name="Notices").get_by_role("link").click()
        web.check("operator-notice")
        page.get_by_label("I am on it").check()
        page.get_by_role("button", name="Answer", exact=True).click()
        page.wait_for_url("**said=answered")
        assert "being worked on" in page.inner_text("main")
        at.clock.forward(minutes=5)
        page.get_by_role("link", name="give a newer list").click()
        page.get_by_label("Or paste it").fill(NEW)
        page.get_by_role("button", name="Give the list").click()
        page.wait_for_url("**/operator/inventories/*")
        web.goto("/operator/notices")
        assert "applied, and shown" in page.inner_text("main")
        web.goto("/operator/history")
        web.check("operator-history")


def test_a_maintainer_from_the_link_to_an_answer_by_keyboard(made: Model, tmp_path: Path) -> None:
    """The link stands in the drafted message; one page; an answer; no account at any step."""
    with made.copied(tmp_path / "copy") as world, browsing(world.at) as web:
        case, page = world.ids["case"], web.page
        new = NewParty(Role.OWNER, "The ujson project", "security@project.example")
        party = cases.add_party(world.ctx("coordinator"), case, new)
        repaired(world)
        ctx = world.ctx("coordinator")
        message = drafts.write(ctx, case, Asked((party,))).messages[0]
        text = drafts.shown(ctx, message.id).text.decode()
        drafts.sent(ctx, message.id, "by mail", world.at.clock.now)
        found = re.search(rf"{web.origin}(/report/[\w-]+)", text)
        assert found
        web.goto(found[1])
        web.check("maintainer-report")
        reach(web, "It is real")
        page.keyboard.press("Space")
        reach(web, "In your words")
        page.keyboard.insert_text("Confirmed on 5.1.0; we will take your patch. <b>Thank you</b>")
        reach(web, "Send the answer")
        page.keyboard.press("Enter")
        page.wait_for_url("**said=link-answer")
        assert "It is real" in page.inner_text("main")
        assert "<b>Thank you</b>" in page.inner_text("main")
        web.check("maintainer-answered")
        stands = cases.standing(world.ctx("coordinator"), case)
        assert stands.participants[party].affected.value == "affected"
        web.goto("/contracts/draft")
        page.get_by_label("Your project").fill("ujson")
        page.get_by_label("Where reports go").fill("security@project.example")
        page.get_by_role("button", name="Show the file").click()
        page.wait_for_selector("text=Your file")
        web.check("maintainer-contract")
        world.at.password("coordinator")
        web.sign_in("coordinator")
        web.goto(f"/cases/{case}/links")
        web.check("maintainer-links")


def repaired(world: World) -> None:
    """A patch was drafted for the finding of the case, and tried."""
    finding, bundle = world.ids["finding"], a_bundle()
    with world.at.door.parts.store.write() as tx:
        row = tx.get(Finding, finding)
        held = replace(row.value, proof_sha256=bundle.proof_sha256)
        tx.put(finding, held, marking=row.marking, bounds=row.bounds, expect=row.version)
    fixes.propose(world.ctx("coordinator"), finding, bundle, FakeWorkshop(sound_draft()))
