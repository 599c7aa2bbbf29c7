"""The early question: one question a page, kept at once, seen by nobody else, sent when its author wants."""

import json
import re

import pytest

import make
from identity.people import House
from leadline.app import inquiry_draft
from leadline.core.errors import Denied
from leadline.core.record.act import Kind
from leadline.wiring.regimes import questions
from portal.visits import Visitor, visitor

SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def dev(at: House) -> Visitor:
    """A developer, signed in."""
    at.enrol("dev", "developer", org=make.DEVELOPER, engagements=frozenset())
    return visitor(at, "dev")


def once(page: str) -> str:
    """A page without the numbers that count a form once."""
    return re.sub(r'name="_once" value="[^"]*"', "", page)


def begun(who: Visitor) -> str:
    """A new draft's path."""
    answer = who.post("/inquiries")
    found = re.fullmatch(
        r"(/inquiries/draft-[0-9a-f]+)/questions/training-operations", answer.headers["location"]
    )
    assert found
    return found[1]


def said(who: Visitor, draft: str, **answers: str) -> None:
    """Answer some questions."""
    for name, text in answers.items():
        answer = who.post(f"{draft}/questions/{name}", data={"answer": text, "then": "next"})
        assert answer.status_code == 303, (name, answer.text)


def test_a_question_from_its_first_answer_to_its_receipt(at: House, dev: Visitor) -> None:
    """Skipped, unknown and answered; the preview names who sees it; the receipt has its proof later."""
    draft = begun(dev)
    page = dev.get(f"{draft}/questions/training-operations")
    assert "Question 1 of 6" in " ".join(page.text.split())
    then = dev.post(
        f"{draft}/questions/training-operations", data={"answer": "3e25", "then": "next"}
    )
    assert then.headers["location"] == f"{draft}/questions/yearly-revenue-usd"
    dev.post(f"{draft}/questions/yearly-revenue-usd", data={"answer": "", "then": "unknown"})
    dev.post(f"{draft}/questions/places", data={"answer": ["us", "eu"], "then": "next"})
    then = dev.post(f"{draft}/questions/agreements", data={"then": "skip"})
    assert then.headers["location"] == f"{draft}/texts"
    assert "What applies to you" in dev.get(f"{draft}/texts").text
    said(dev, draft, model="A model", partner_date="2027-06-01")
    then = dev.post(f"{draft}/questions/self_assessment", data={"then": "skip"})
    assert then.headers["location"] == f"{draft}/preview"
    overview = dev.get(draft).text
    assert "United States; European Union" in overview
    assert "not answered" in overview
    assert at.kinds().count(Kind.INQUIRY_LODGED) == 0
    preview = dev.get(f"{draft}/preview")
    assert "3e25" in preview.text
    assert "3e+25" not in preview.text
    assert "Whoever may answer is in no list yet" in preview.text
    assert "TLP:AMBER+STRICT" in preview.text
    lodged = dev.post(f"{draft}/lodging")
    assert lodged.status_code == 303
    receipt = dev.get(lodged.headers["location"])
    assert "No answer yet" in receipt.text
    assert "The proof comes with" in receipt.text
    assert at.kinds().count(Kind.INQUIRY_LODGED) == 1
    assert dev.get(draft).status_code == 404
    assert "A model" in dev.get("/inquiries").text


def test_the_proof_can_be_downloaded_once_the_log_is_signed(at: House, dev: Visitor) -> None:
    """Both files; neither for an act that is none of the engagement's."""
    from leadline.wiring import record

    draft = begun(dev)
    said(dev, draft, model="A model")
    receipt = dev.post(f"{draft}/lodging").headers["location"].partition("?")[0]
    record.publish(at.home)
    assert "Keep both files" in dev.get(receipt).text
    engagement, act = receipt.split("/")[2], receipt.split("/")[4]
    proof = dev.get(f"/engagements/{engagement}/proofs/{act}.tlog-proof")
    assert proof.text.startswith("c2sp.org/tlog-proof@")
    assert "attachment" in proof.headers["content-disposition"]
    opening = json.loads(dev.get(f"/engagements/{engagement}/proofs/{act}.json").text)
    assert opening["record"]["id"] == act
    for name in ("act-none.json", f"{act}.exe", act):
        assert dev.get(f"/engagements/{engagement}/proofs/{name}").status_code == 404


def test_a_changed_answer_leads_back_to_the_answers(dev: Visitor) -> None:
    """Whoever came to change one thing is not led through all that follows; a fault keeps the way back."""
    draft = begun(dev)
    at = f"{draft}/questions/open-weights"
    assert f"{at}?back=answers" in dev.get(draft).text
    assert 'name="back" value="answers"' in dev.get(f"{at}?back=answers").text
    then = dev.post(at, data={"answer": "no", "then": "next", "back": "answers"})
    assert then.headers["location"].partition("?")[0] == draft
    wrong = dev.post(
        f"{draft}/questions/partner_date", data={"answer": "March 2027", "back": "answers"}
    )
    assert 'name="back" value="answers"' in wrong.text
    assert "is no day of the calendar; write a day such as 2027-01-15" in wrong.text


def test_a_receipt_says_what_was_said_in_the_words_and_order_of_the_questions(
    dev: Visitor,
) -> None:
    """No inner word of the programme, and no order by one."""
    draft = begun(dev)
    said(dev, draft, model="A model", purpose="Writes code.", stage="under-development")
    page = dev.get(dev.post(f"{draft}/lodging").headers["location"]).text
    told = page[page.index("What was said") :]
    assert told.index("A model") < told.index("Writes code.") < told.index("under development")
    assert "under-development" not in told


def test_a_wrong_answer_is_named_and_kept_for_another_try(dev: Visitor) -> None:
    """422, the field, what was typed; a script is text."""
    draft = begun(dev)
    answer = dev.post(
        f"{draft}/questions/training-operations", data={"answer": SCRIPT, "then": "next"}
    )
    assert answer.status_code == 422
    assert "is no number such as 3e24" in answer.text
    assert SCRIPT not in answer.text
    assert "&lt;script&gt;" in answer.text
    said(dev, draft, purpose=SCRIPT)
    for page in (draft, f"{draft}/questions/purpose", f"{draft}/preview"):
        assert SCRIPT not in dev.get(page).text
    wrong = dev.post(f"{draft}/questions/partner_date", data={"answer": "soon", "then": "next"})
    assert "write a day such as 2027-01-15" in wrong.text
    assert dev.post(f"{draft}/questions/nothing", data={"answer": "x"}).status_code == 404
    assert dev.get(f"{draft}/questions/nothing").status_code == 404


def test_an_answer_is_taken_back_and_a_draft_deleted(at: House, dev: Visitor) -> None:
    """Empty takes it back; deleting leaves nothing, and no act."""
    draft = begun(dev)
    said(dev, draft, model="A model")
    said(dev, draft, model="")
    assert inquiry_draft.mine(at.ctx("dev"))[0].said == {}
    kept = dev.post(f"{draft}/questions/model", data={"answer": "Another", "then": "later"})
    assert kept.headers["location"] == "/inquiries?said=draft-kept"
    assert "Another" in dev.get("/inquiries").text
    before = at.kinds()
    assert dev.post(f"{draft}/removal").headers["location"] == "/inquiries?said=draft-discarded"
    assert "Another" not in dev.get("/inquiries").text
    assert at.kinds() == before


def test_a_draft_without_an_answer_is_not_sent(dev: Visitor) -> None:
    """The preview says what is enough."""
    draft = begun(dev)
    assert "name is enough to ask" in dev.get(f"{draft}/preview").text
    assert dev.post(f"{draft}/lodging").status_code == 422


def test_a_draft_is_its_authors_alone(at: House, dev: Visitor) -> None:
    """A colleague and a rival meet what is not there; who may not ask begins none."""
    draft = begun(dev)
    at.enrol("colleague", "developer", org=make.DEVELOPER, engagements=frozenset())
    other = visitor(at, "colleague")
    absent = other.get("/inquiries/draft-none")
    hidden = other.get(draft)
    assert (hidden.status_code, once(hidden.text)) == (404, once(absent.text))
    for path in ("/lodging", "/removal", "/questions/model"):
        assert other.post(draft + path, data={"answer": "x"}).status_code == 404
    at.enrol("auditor", "auditor")
    with pytest.raises(Denied):
        inquiry_draft.begin(at.ctx("auditor"))


def test_asking_again_stands_in_the_same_engagement(at: House, dev: Visitor) -> None:
    """Both inquiries, oldest first."""
    draft = begun(dev)
    said(dev, draft, model="A model")
    engagement = dev.post(f"{draft}/lodging").headers["location"].split("/")[2]
    second = (
        dev.post(f"/engagements/{engagement}/inquiries").headers["location"].split("/questions")[0]
    )
    said(dev, second, model="A model, newer")
    assert dev.post(f"{second}/lodging").headers["location"].split("/")[2] == engagement
    page = dev.get(f"/engagements/{engagement}/inquiries").text
    assert page.count("No answer yet") == 2
    assert dev.get(f"/engagements/{engagement}/inquiries/act-none").status_code == 404


def test_what_was_sent_and_interrupted_is_not_sent_twice(at: House, dev: Visitor) -> None:
    """The draft that stayed behind is taken away, and nothing is asked again."""
    from leadline.app.context import OWN
    from leadline.core.access import Bounds

    draft = begun(dev)
    said(dev, draft, model="A model")
    held = inquiry_draft.mine(at.ctx("dev"))[0]
    dev.post(f"{draft}/lodging")
    with at.door.parts.store.write() as tx:
        tx.put(held.id, held, marking=OWN, org=held.org, bounds=Bounds(owner=held.owner))
    assert dev.post(f"{draft}/lodging").status_code == 303
    assert at.kinds().count(Kind.INQUIRY_LODGED) == 1
    assert inquiry_draft.mine(at.ctx("dev")) == ()


def test_the_six_answers_go_over_into_the_inquiry(at: House, dev: Visitor) -> None:
    """Once answered, once sent; no operations at all is no number to send."""
    draft = begun(dev)
    said(dev, draft, **{"training-operations": "0", "stage": "with-partners", "open-weights": "no"})
    held = inquiry_draft.mine(at.ctx("dev"))[0].inquiry(questions())
    assert held.to_record() == {
        "asked": "would this model be covered?",
        "stage": "with-partners",
        "training_operations": "unknown",
    }


def test_six_answers_are_kept_for_the_organisation(at: House, dev: Visitor) -> None:
    """By its own wish; from then on they say what may be owed."""
    draft = begun(dev)
    said(dev, draft, **{"training-operations": "3e26"})
    assert "Keep them for my organisation" in dev.get(f"{draft}/texts").text
    assert dev.post(f"{draft}/answers").headers["location"] == "/duties?said=answers-kept"
    assert at.kinds()[-1] is Kind.REGIME_ADDED
    assert dev.get("/duties").status_code == 200


def test_anybody_answers_six_questions_and_nothing_is_kept(at: House, dev: Visitor) -> None:
    """Without a sign-in; a wrong number is named at its field."""
    dev.cookies.clear()
    assert "Six questions" in dev.get("/coverage").text
    answer = dev.post(
        "/coverage",
        data={"training-operations": "1e26", "places": ["us", "eu"], "open-weights": "yes"},
    )
    assert answer.status_code == 200
    assert "What does not apply to you" in answer.text
    assert "read and forgotten" in answer.text
    wrong = dev.post("/coverage", data={"yearly-revenue-usd": "much"})
    assert wrong.status_code == 422
    assert 'id="fault-yearly-revenue-usd"' in wrong.text
    assert "assess it yourself" in dev.get("/open-weights").text
    assert at.kinds().count(Kind.INQUIRY_LODGED) == 0
