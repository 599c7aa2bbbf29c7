"""Sealing a suite on a page: looked at first, with who would know of it; then taken in, with a receipt."""

import re
from dataclasses import replace

import pytest

import make
from identity.people import House
from leadline.core.record.act import Kind
from leadline.formats import sealed_pack
from leadline.formats.sealed_pack import SealedPack
from leadline.runner.sealed_process import measurement
from portal.sealed_packs import prepared
from portal.visits import Visitor, visitor
from sealed_world import CANARY, COMPARTMENT

FORM, LOOKS, HERE = "/sealed/new", "/sealed/looks", "/sealed"


def given(one: SealedPack) -> dict[str, tuple[str, bytes]]:
    """The field with the file."""
    return {"file": ("suite.sealed", sealed_pack.encode(one))}


@pytest.fixture
def keeper(at: House) -> Visitor:
    """A custodian, signed in, and people who may run suites."""
    at.enrol("keeper", "custodian", compartments=frozenset({COMPARTMENT}))
    at.enrol("runner", "evaluator", compartments=frozenset({COMPARTMENT}))
    at.enrol("elsewhere", "evaluator")
    return visitor(at, "keeper")


PLACE = {"engagement": make.ENGAGEMENT, "compartments": COMPARTMENT}


def test_a_suite_is_looked_at_and_leaves_no_trace(at: House, keeper: Visitor) -> None:
    """What is in it, whose keys it is sealed to, and who would know of it; nothing is kept."""
    assert "leadline pack prepare" in keeper.get(FORM).text
    one = prepared()
    before = at.kinds()
    page = keeper.post(LOOKS, data=PLACE, files=given(one))
    assert page.status_code == 200, page.text
    assert all(share.custodian in page.text for share in one.shares)
    assert "2 of 3 custodians" in page.text
    assert "other code than this installation has" in page.text
    told = page.text.partition("Who would see what")[2]
    assert "runner" in told
    assert "elsewhere" not in told
    assert CANARY.decode() not in page.text
    assert at.kinds() == before
    ours = keeper.post(LOOKS, data=PLACE, files=given(prepared(measurement()))).text
    assert "the code of this installation" in ours


def test_a_suite_is_sealed_with_a_receipt(at: House, keeper: Visitor) -> None:
    """Its place in the log and its digest; who holds the compartment sees it, others do not."""
    one = prepared()
    looked = keeper.post(LOOKS, data=PLACE | {"once": "yes"}, files=given(one)).text
    (digest,) = re.findall(r'name="looked" value="([0-9a-f]{64})"', looked)
    assert 'id="field-once" name="once" checked' in looked
    done = keeper.post(HERE, data=PLACE | {"once": "yes", "looked": digest}, files=given(one))
    assert done.status_code == 303, done.text
    assert at.kinds().count(Kind.PACK_SEALED) == 1
    page = keeper.get(done.headers["location"]).text
    assert "Receipt of its sealing" in page
    assert "Entry of the log" in page
    assert ">once<" in page
    assert visitor(at, "runner").get(f"/sealed/{one.id}").status_code == 200
    assert visitor(at, "elsewhere").get(f"/sealed/{one.id}").status_code in {403, 404}
    again = keeper.post(HERE, data=PLACE, files=given(one))
    assert again.status_code == 412, again.text


def test_another_file_than_was_looked_at_is_not_sealed(at: House, keeper: Visitor) -> None:
    """Nor one that is none; each fault stands at its field, and what was typed stays."""
    other = given(replace(prepared(), id=f"pack-{'ee' * 8}"))
    wrong = keeper.post(HERE, data=PLACE | {"looked": "0" * 64}, files=other)
    assert wrong.status_code == 422
    assert "another file than the one you looked at" in wrong.text
    for data in (b"nothing of the kind", b"leadline/sealed-pack/v1\n" + b"\xff" * 30):
        answer = keeper.post(LOOKS, data=PLACE, files={"file": ("x", data)})
        assert answer.status_code == 422
        assert 'id="fault-file"' in answer.text
        assert f'value="{make.ENGAGEMENT}"' in answer.text
    none = keeper.post(LOOKS, data=PLACE)
    assert "no file was chosen" in none.text
    blank = keeper.post(LOOKS, data=PLACE | {"engagement": ""}, files=given(prepared()))
    assert 'id="fault-engagement"' in blank.text
    held = keeper.post(LOOKS, data=PLACE | {"compartments": "not-mine"}, files=given(prepared()))
    assert "you do not hold not-mine" in held.text
    assert Kind.PACK_SEALED not in at.kinds()


def test_others_seal_nothing(at: House, keeper: Visitor) -> None:
    """Whoever is no custodian is told so before a form, and by the form."""
    lead = visitor(at, "runner")
    assert lead.get(FORM).status_code == 403
    assert lead.post(HERE, data=PLACE, files=given(prepared())).status_code == 403
    assert lead.post(LOOKS, data=PLACE, files=given(prepared())).status_code == 403
    assert "Seal a suite" not in lead.get(HERE).text
    assert "Seal a suite" in keeper.get(HERE).text


def test_a_restricted_suite_is_no_suite_to_others(at: House, keeper: Visitor) -> None:
    """Its acts carry a name that is not its own."""
    one = prepared()
    done = keeper.post(HERE, data=PLACE | {"hidden": "yes"}, files=given(one))
    assert done.status_code == 303
    assert visitor(at, "elsewhere").get(f"/sealed/{one.id}").status_code == 404
    with at.door.parts.store.read() as view:
        (act,) = [opened.act for opened in view.acts(kind=Kind.PACK_SEALED)]
    assert one.id not in act.about
    assert "Receipt of its sealing" in keeper.get(f"/sealed/{one.id}").text
