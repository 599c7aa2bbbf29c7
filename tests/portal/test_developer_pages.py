"""The developer's pages of an engagement: each shows, takes what is right, names what is wrong, hides what is hidden."""

import io
import zipfile
from datetime import timedelta

import pytest

import make
from identity.people import House
from leadline.app import engagement as desk
from leadline.app import exchange, results
from leadline.app.engagement import Dealings
from leadline.core.assessment import Subject
from leadline.core.engagement.terms import Terms
from leadline.core.record.act import Kind
from leadline.wiring.desk import library
from portal.visits import Visitor, in_words, visitor

SCRIPT = "<script>alert(1)</script>"
PATH = f"/engagements/{make.ENGAGEMENT}"
SECTIONS = (
    "",
    "/record",
    "/access",
    "/withdrawal",
    "/inquiries",
    "/terms",
    "/terms/draft",
    "/questions",
    "/messages",
    "/submission",
    "/receipts",
    "/determinations",
    "/partners",
    "/partners/proposal",
    "/exports",
)
OWN = (
    "/engagements",
    "/inquiries",
    "/calendar",
    "/duties",
    "/incidents",
    "/incidents/report",
    "/results",
)


def dealings() -> Dealings:
    """The engagement of these tests."""
    texts = library()
    return Dealings(make.ENGAGEMENT, make.DEVELOPER, texts.newest("us-eo-14409"), texts)


@pytest.fixture
def dev(at: House) -> Visitor:
    """A developer, signed in, with an engagement that is a draft; an official is named for it."""
    at.enrol("dev", "developer", org=make.DEVELOPER, engagements=frozenset())
    at.enrol("official", "determining-official")
    at.enrol("officer", "programme-officer")
    desk.open_draft(at.ctx("dev"), dealings(), "A quiet model", Subject("model", "m", "d" * 64))
    return visitor(at, "dev")


def terms(at: House, *purposes: str) -> Terms:
    """Terms that both sides signed."""
    words = purposes or ("assessment", "evidence")
    made = Terms("c", "s", "i", "p", "u", "n", words, 90, at.clock.now + timedelta(days=60))
    for person in ("dev", "official"):
        desk.agree_terms(at.ctx(person), dealings(), made)
    return made


def opened(at: House) -> None:
    """Terms in effect and access open."""
    desk.set_anchor(at.ctx("dev"), dealings(), at.clock.now + timedelta(days=20), "UTC")
    terms(at)
    desk.open_access(at.ctx("dev"), dealings())


def sent(who: Visitor, path: str, **data: object) -> str:
    """Send a form that is taken; answers where it leads."""
    answer = who.post(PATH + path, data=data)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def signs(who: Visitor, at: House, path: str, **data: object) -> str:
    """Send a form that needs a signature, sign what it asks for with a key, and send it again."""
    from leadline.app import approval
    from leadline.core.approval import Request

    asked = who.post(PATH + path, data=data)
    assert "Sign what will be done" in asked.text
    in_words(asked.text, data)
    with at.door.parts.store.read() as view:
        request = next(row.value for row in view.find(Request) if not row.value.used)
    ctx = at.ctx(request.requester)
    key = at.key(request.requester)
    approval.approve(ctx, request.id, key.sign(approval.challenge(request)))
    return sent(who, path, **data, _request=request.id)


def test_every_page_shows_in_every_state(at: House, dev: Visitor) -> None:
    """A draft, open access, and after a withdrawal; each but the last offers the way out."""
    for path in OWN:
        assert dev.get(path).status_code == 200, path
    for path in SECTIONS:
        page = dev.get(PATH + path)
        assert page.status_code == 200, (path, page.text)
        assert f'href="{PATH}/withdrawal"' in page.text, path
    opened(at)
    for path in SECTIONS:
        page = dev.get(PATH + path)
        assert page.status_code == 200, path
        assert "Government access ends" in page.text, path
    assert dev.get(f"{PATH}/timeline.svg").headers["content-type"].startswith("image/svg+xml")
    assert dev.get("/calendar/picture.svg").text.startswith("<svg")
    assert dev.get("/calendar?whose=party").status_code == 200
    sent(dev, "/withdrawal")
    for path in SECTIONS:
        page = dev.get(PATH + path)
        assert page.status_code == 200, path
        assert "Withdraw</a>" not in page.text, path
    assert "Nothing is left to withdraw from" in dev.get(f"{PATH}/withdrawal").text


def test_strangers_meet_what_is_not_there(at: House, dev: Visitor) -> None:
    """Another developer, reading and acting; nothing changes."""
    at.enrol("rival", "developer", org="another-developer", engagements=frozenset())
    rival = visitor(at, "rival")
    assert "A quiet model" not in rival.get("/engagements").text
    for path in (*SECTIONS, "/timeline.svg", "/partnership"):
        assert rival.get(PATH + path).status_code == 404, path
    posts = (
        "/anchor",
        "/access",
        "/withdrawal",
        "/end",
        "/terms",
        "/messages",
        "/submission",
        "/exports",
    )
    for path in posts:
        assert (
            rival.post(PATH + path, data={"message": "x", "to": "government"}).status_code == 404
        ), path
    assert Kind.ENGAGEMENT_WITHDRAWN not in at.kinds()


def test_access_from_the_planned_date_to_its_end(at: House, dev: Visitor) -> None:
    """Anchor, opening, a shorter anchor is a later end's limit, ending; a wrong date is named."""
    wrong = dev.post(f"{PATH}/anchor", data={"anchor": "soon", "zone": "UTC"})
    assert wrong.status_code == 422
    assert (
        'id="field-anchor"'
        in dev.post(
            f"{PATH}/anchor", data={"anchor": "soon", "zone": "UTC", "under": "us-eo-14409"}
        ).text
    )
    assert "anchor-set" in sent(
        dev, "/anchor", anchor="2027-03-21T09:00", zone="America/New_York", under="us-eo-14409"
    )
    assert "21 March 2027, 09:00 America/New_York" in dev.get(f"{PATH}/access").text
    early = dev.post(f"{PATH}/access", data={"under": "us-eo-14409"})
    assert early.status_code == 409
    assert "agreed to no terms yet" in early.text
    terms(at)
    assert "access-opened" in sent(dev, "/access", under="us-eo-14409")
    assert "access open" in dev.get(PATH).text
    late = dev.post(f"{PATH}/extension", data={"until": "2028-01-01T00:00", "until_zone": "UTC"})
    assert late.status_code == 409
    assert "access-ended" in sent(dev, "/closing", under="us-eo-14409")
    assert "access closed" in dev.get(PATH).text
    assert dev.post(f"{PATH}/closing").status_code == 409


def test_access_lasts_longer_only_as_far_as_the_date(at: House, dev: Visitor) -> None:
    """After the date moved earlier and later again, the developer extends."""
    opened(at)
    sent(dev, "/anchor", anchor="2027-03-10T09:00", zone="UTC", under="us-eo-14409")
    sent(dev, "/anchor", anchor="2027-03-20T09:00", zone="UTC", under="us-eo-14409")
    assert "access-extended" in sent(
        dev, "/extension", until="2027-03-15T09:00", until_zone="UTC", under="us-eo-14409"
    )
    assert "15 March 2027" in dev.get(f"{PATH}/access").text


def test_weights_texts_and_the_end(dev: Visitor) -> None:
    """By digest; a further regime; the end."""
    wrong = dev.post(
        f"{PATH}/weights", data={"name": SCRIPT, "digest": "abc", "variant": "not-stated"}
    )
    assert (wrong.status_code, SCRIPT in wrong.text) == (422, False)
    sent(dev, "/weights", name="v2", digest="e" * 64, variant="with-safeguards")
    assert "e" * 64 in dev.get(f"{PATH}/access").text
    sent(dev, "/regimes", regime="eu-ai-act-gpai")
    sent(dev, "/end")
    assert "this engagement ended" in dev.get(PATH).text.lower()


def test_withdrawal_is_confirmed_and_at_once(at: House, dev: Visitor) -> None:
    """The page says what ends and what stays; one press; it is not done by reading the page."""
    opened(at)
    page = dev.get(f"{PATH}/withdrawal")
    assert "Nobody asks for a reason" in page.text
    assert Kind.ENGAGEMENT_WITHDRAWN not in at.kinds()
    assert "withdrawn" in sent(dev, "/withdrawal")
    page = dev.get(PATH)
    assert "Withdrawn. Everything of yours ended" in page.text


def test_terms_are_written_read_and_signed(at: House, dev: Visitor) -> None:
    """A first text by form and signature; the official's next version waits, with what it changes."""
    words = (
        "confidentiality",
        "cybersecurity",
        "insider_risk",
        "intellectual_property",
        "use",
        "nondisclosure",
    )
    form = dict.fromkeys(words, "as was said") | {
        "retention_days": "30",
        "expires": "2027-05-01T00:00",
        "zone": "UTC",
    }
    wrong = dev.post(
        f"{PATH}/terms", data=form | {"retention_days": "many", "purposes": "assessment"}
    )
    assert 'id="fault-retention-days"' in wrong.text
    assert dev.post(f"{PATH}/terms", data=form).status_code == 422
    text = form | {"purposes": ["assessment"], "export_rules": "one rule\nanother"}
    assert "terms-signed" in signs(dev, at, "/terms", **text)
    assert "waits for the other" in dev.get(f"{PATH}/terms").text
    official = visitor(at, "official")
    page = official.get(f"{PATH}/terms").text
    assert "Waits for your signature" in page
    digest = next(act.detail["terms"] for act in acts(at, Kind.TERMS_AGREED))
    assert official.post(f"{PATH}/terms", data={"offered": "0" * 64}).status_code == 412
    signs(official, at, "/terms", offered=digest)
    assert "No terms are in effect" not in dev.get(f"{PATH}/terms").text
    assert "Write the next version" in dev.get(f"{PATH}/terms/draft").text
    assert official.post(f"{PATH}/terms", data={"offered": digest}).status_code == 412


def acts(at: House, kind: Kind) -> list:  # type: ignore[type-arg]
    """The acts of a kind."""
    with at.door.parts.store.read() as view:
        return [one.act for one in view.acts(kind=kind)]


def test_messages_reach_those_they_name(at: House, dev: Visitor) -> None:
    """A side and a person; script is text; nobody named is a fault at the field."""
    assert 'id="fault-to"' in dev.post(f"{PATH}/messages", data={"message": "hello"}).text
    assert 'id="fault-message"' in dev.post(f"{PATH}/messages", data={"to": "government"}).text
    assert (
        dev.post(
            f"{PATH}/messages", data={"to": "government", "persons": "nobody-here", "message": "x"}
        ).status_code
        == 404
    )
    sent(dev, "/messages", to=["government"], persons="official", message=SCRIPT)
    for who in (dev, visitor(at, "official")):
        page = who.get(f"{PATH}/messages").text
        assert "&lt;script&gt;" in page
        assert SCRIPT not in page


def test_a_question_is_answered_if_one_likes(at: House, dev: Visitor) -> None:
    """One without an answer says so; an answer stands below it; an empty one is named at its own field."""
    asked = exchange.ask(at.ctx("official"), dealings(), "How was it trained?").id
    assert "No answer yet" in dev.get(f"{PATH}/questions").text
    assert "1 question" in dev.get("/engagements").text
    empty = dev.post(f"{PATH}/questions", data={"asked": asked})
    assert 'id="fault-answer"' in empty.text
    sent(dev, "/questions", asked=asked, answer="On text.")
    page = dev.get(f"{PATH}/questions").text
    assert "On text." in page
    assert "No answer yet" not in page
    assert visitor(at, "official").get(f"{PATH}/questions").status_code == 200


def test_a_submission_is_tested_without_a_trace_and_offered(at: House, dev: Visitor) -> None:
    """The test keeps nothing; a file that is nothing known names its field; the offer is on record."""
    page = dev.get(f"{PATH}/submission").text
    assert "To offer it, terms are in effect first" in page
    before = at.kinds()
    tested = dev.post(
        f"{PATH}/submission/check", data={"model": "A quiet model", "retention_days": "30"}
    )
    assert "What the test found" in tested.text
    assert 'value="A quiet model"' in tested.text
    assert at.kinds() == before
    odd = dev.post(f"{PATH}/submission/check", files={"file-1": ("../odd.bin", b"\x00\x01")})
    assert (odd.status_code, 'id="fault-file-1"' in odd.text) == (422, True)
    wrong = dev.post(f"{PATH}/submission/check", data={"partner_date": "soon"})
    assert 'id="fault-partner-date"' in wrong.text
    terms(at)
    assert dev.post(f"{PATH}/submission").status_code == 422
    with_file = dev.post(
        f"{PATH}/submission",
        data={"model": "A quiet model", "part-1": "system-card"},
        files={"file-1": ("../card.txt", b"a card")},
    )
    assert with_file.status_code == 303, with_file.text
    assert Kind.SUBMISSION_OFFERED in at.kinds()
    assert "Manifest, SHA-256" in dev.get(f"{PATH}/submission").text


def test_results_are_read_for_a_purpose_and_receipted(at: House, dev: Visitor) -> None:
    """Downloaded as a file and never shown; another purpose is not let through; recall is its sender's."""
    terms(at)
    parcel = results.Parcel(
        "<b>estimate.html", ("dev",), at.clock.now + timedelta(days=9), "assessment"
    )
    one = results.send(at.ctx("official"), dealings(), b"<script>", parcel)[0]
    assert "&lt;b&gt;estimate.html" in dev.get("/results").text
    assert dev.post(f"/results/{one.id}/reading", data={"purpose": "evidence"}).status_code == 409
    got = dev.post(f"/results/{one.id}/reading", data={"purpose": "assessment"})
    assert got.content == b"<script>"
    assert got.headers["content-type"] == "application/octet-stream"
    assert got.headers["content-disposition"] == 'attachment; filename="_b_estimate.html"'
    page = dev.get(f"{PATH}/receipts").text
    assert "by dev for assessment" in page
    assert "Not let through" in page
    assert (
        dev.post("/results/result-none/reading", data={"purpose": "assessment"}).status_code == 404
    )
    official = visitor(at, "official")
    assert official.post(f"{PATH}/recalls", data={"result": one.id}).status_code == 303
    assert dev.post(f"{PATH}/recalls", data={"result": one.id}).status_code == 409
    at.clock.forward(days=10)
    assert "Its time is over" in visitor(at, "dev").get("/results").text


def test_evidence_leaves_as_one_signed_file(at: House, dev: Visitor) -> None:
    """A ZIP whose content verifies; the page lists it; a recipient is needed."""
    terms(at)
    assert 'id="fault-recipient"' in dev.post(f"{PATH}/exports", data={"purpose": "evidence"}).text
    got = dev.post(f"{PATH}/exports", data={"recipient": "An authority", "purpose": "evidence"})
    assert got.status_code == 200, got.text
    with zipfile.ZipFile(io.BytesIO(got.content)) as found:
        assert "evidence/export.json" in found.namelist()
    assert "An authority" in dev.get(f"{PATH}/exports").text
