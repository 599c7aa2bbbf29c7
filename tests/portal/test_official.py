"""The official's pages: one sheet, each claim to its evidence, and a determination with a dissent beside it."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import make
from identity.people import House, house
from leadline.app import assessed, assessment, engagement, listing
from leadline.app.decision_verify import DRAWS
from leadline.core.account import Method, RegisteredKey
from leadline.core.engagement.engagement import Engagement
from leadline.core.marking import Marking, Tlp
from leadline.core.measure.assessed import decide, of_subject
from leadline.core.record.act import Kind
from leadline.core.record.commitment import derived_seed
from leadline.formats.criteria_toml import load_criteria
from leadline.wiring.desk import criteria_packs
from portal.assessed_world import (
    MODEL,
    REASONS,
    SECRET,
    SUBJECT,
    TWO,
    Assessed,
    assess,
    open_engagement,
    two_sign,
)
from portal.visits import in_words, visitor

ON = f"/engagements/{make.ENGAGEMENT}"
HERE = f"{ON}/determination"
WORDED = {
    "official": "Ada Demonstration, director",
    "variant": "not-stated",
    "expires": "2027-09-01T12:00",
    "zone": "UTC",
    "trigger": "another weights version",
    "caveats": "Holds for these suites.\nHolds for this budget.",
    "statement": "What the developer may say to others.",
    "written": "",
}


@pytest.fixture
def at(tmp_path: Path) -> Iterator[House]:
    """An installation in the folder of its own run."""
    with house(tmp_path / "out" / ".state") as found:
        yield found


@pytest.fixture
def done(at: House) -> Assessed:
    """A finished assessment under a regime of two persons."""
    two_sign(at)
    made = assess(at, open_engagement(at, TWO))
    at.enrol("second", "concurring-official")
    return made


def test_the_queue_and_the_first_page_say_what_waits(at: House, done: Assessed) -> None:
    """No answer yet is said as such."""
    client = visitor(at, "official")
    page = client.get("/determinations").text
    assert MODEL in page
    assert "no answer yet" in page
    assert f"Brief on {MODEL}" in client.get("/").text
    at.enrol("other", "determining-official", engagements=frozenset())
    assert "You are named for no engagement" in visitor(at, "other").get("/determinations").text


def test_an_engagement_whose_text_is_gone_hides_no_other(at: House, done: Assessed) -> None:
    """It is counted, with the cure; first page and list stand."""
    facts = replace(engagement_row(at), id="engagement-lost", regime_digest="e" * 64)
    with at.door.parts.store.write() as tx:
        tx.put(facts.id, facts, marking=Marking(Tlp.AMBER_STRICT), engagement=facts.id)
    official = at.ctx("official").principal
    at.enrol("third", "determining-official", engagements=official.engagements | {facts.id})
    client = visitor(at, "third")
    page = client.get("/determinations")
    assert page.status_code == 200
    assert MODEL in page.text
    assert "1 engagement that you are named for cannot be read" in page.text
    assert f"Brief on {MODEL}" in client.get("/").text


def engagement_row(at: House) -> Engagement:
    """The one engagement that stands."""
    return listing.engagements(at.ctx("official"))[0]


def test_the_brief_says_what_was_measured_and_what_was_not(at: House, done: Assessed) -> None:
    """Both errors as counts of cases; what was not measured; each claim with its act."""
    client = visitor(at, "official")
    page = client.get(f"{ON}/brief").text
    assert page.count("5 in 100") >= 2
    assert "Not measured" in page
    assert "Whether the subject held back" in page
    assert client.get(f"{ON}/brief.pdf").content.startswith(b"%PDF")
    links = set(re.findall(rf'href="({ON}/(?:evidence|criteria)/[^"]+)"', page))
    assert len(links) >= 5
    for link in links:
        assert client.get(link).status_code == 200


def test_a_claim_leads_to_its_evidence_in_two_clicks(at: House, done: Assessed) -> None:
    """From the sheet to the act, from the act to what it names, as text."""
    client = visitor(at, "official")
    for words in ("an egress proof", "a plan fixed before", "planted:"):
        page = client.get(f"{ON}/brief").text
        act = re.findall(rf'href="([^"]+)">[^<]*{words}', page)[0]
        shown = client.get(act).text
        content = re.findall(rf'href="({ON}/evidence/[0-9a-f]{{64}})"', shown)[0]
        assert '<pre class="ll-hostile"' in client.get(content).text
    assert client.get(f"{ON}/evidence/{'0' * 64}").status_code == 404
    assert client.get(f"{ON}/evidence/acts/act-of-nobody").status_code == 404


def test_the_decision_leads_to_its_log(at: House, done: Assessed) -> None:
    """The act holds a head; what it rests on is the log up to that head."""
    found = assessed.read(at.ctx("official"), done.on)
    assert found is not None
    pack = criteria_packs()["demonstration"]
    criteria = load_criteria(pack.read_bytes(), pack.name)
    samples = of_subject(found.results, SUBJECT.name)
    course = decide(criteria, done.plan, samples, derived_seed(SECRET.seed, DRAWS))
    assert course is not None
    assessment.record_course(at.ctx("evaluator"), done.plan, course)
    client = visitor(at, "official")
    act = re.findall(r'href="([^"]+)">After', client.get(f"{ON}/brief").text)[0]
    log = re.findall(rf'href="({ON}/evidence/[0-9a-f]{{64}})"', client.get(act).text)
    assert len(log) == 1
    text = client.get(log[0]).text
    assert log[0].rsplit("/", 1)[1] in text
    assert text.count("&#34;step&#34;") >= 1


def test_a_family_leads_to_the_acts_that_sealed_its_own_attempts(at: House, done: Assessed) -> None:
    """And to no other suite's; one that nothing is sealed of leads nowhere."""
    client = visitor(at, "official")
    page = client.get(f"{ON}/brief").text
    rows = re.findall(rf'href="({ON}/evidence/acts/[^"]+)"[^>]*>(\w+): ([^<]+)</a>', page)
    assert {suite for _, suite, _ in rows} == {
        suite.name for suite in done.plan.suites if suite.items
    }
    items = done.plan.items
    for act, suite, family in rows:
        digest = re.findall(rf'href="({ON}/evidence/[0-9a-f]{{64}})"', client.get(act).text)[0]
        sealed = set(re.findall(r"&#34;item&#34;: &#34;([^&]+)&#34;", client.get(digest).text))
        assert (suite, family) in {(items[one][0], items[one][1].family) for one in sealed}


def test_what_ended_is_not_asked_for(at: House) -> None:
    """No form to fill in and sign, of which the answer would be no."""
    on = open_engagement(at)
    assess(at, on)
    engagement.withdraw(at.ctx("developer"), on)
    page = visitor(at, "official").get(HERE).text
    assert "this engagement was withdrawn on 1 " in page
    assert "Sign and record" not in page


def test_others_do_not_see_a_brief(at: House, done: Assessed) -> None:
    """It is not there for a stranger; its developer may not read it."""
    at.enrol("other", "determining-official", engagements=frozenset())
    stranger, developer = visitor(at, "other"), visitor(at, "developer")
    for path in ("/brief", "/brief.pdf", "/determination", "/criteria/demonstration"):
        assert stranger.get(ON + path).status_code == 404
        assert developer.get(ON + path).status_code == 403


def test_a_determination_is_proposed_dissented_from_and_recorded(at: House, done: Assessed) -> None:
    """Each with its own signature; the dissent stands beside it everywhere."""
    official, second = visitor(at, "official"), visitor(at, "second")
    third = at.enrol("third", "concurring-official").id
    assert official.signs(HERE + "/proposals", WORDED | {"deed": "propose"}).status_code == 303
    proposal = re.findall(r"Digest <code>([0-9a-f]{64})", official.get(HERE).text)[0]
    empty = second.post(HERE + "/dissents", data={"proposal": proposal, "reasons": " "})
    assert empty.status_code == 422
    assert "reasons: is missing" in empty.text
    said = {"proposal": proposal, "reasons": REASONS}
    assert second.signs(HERE + "/dissents", said).status_code == 303
    early = official.signs(HERE + "/records", {"proposal": proposal})
    assert early.status_code == 409
    other = visitor(at, third)
    asked = other.post(HERE + "/concurrences", data={"proposal": proposal})
    in_words(asked.text, {name: WORDED[name] for name in ("official", "trigger")})
    concurs = other.signs(HERE + "/concurrences", {"proposal": proposal})
    assert concurs.status_code == 303
    assert official.signs(HERE + "/records", {"proposal": proposal}).status_code == 303
    for path in (HERE, f"{ON}/brief"):
        assert REASONS in official.get(path).text
    wanted = {Kind.DETERMINATION_DISSENTED, Kind.DETERMINATION_RECORDED}
    assert wanted <= set(at.kinds())
    basis = re.findall(rf'href="({ON}/evidence/[0-9a-f]{{64}})">The log', official.get(HERE).text)
    assert official.get(basis[0]).status_code == 200
    of = re.findall(r'name="of" value="([^"]+)"', official.get(HERE).text)[0]
    words = {"of": of, "new_trigger": "another scaffold", "new_caveats": "Holds for this budget."}
    assert official.signs(HERE + "/corrections", words).status_code == 303
    assert "another scaffold" in official.get(f"{ON}/brief").text


def test_a_form_keeps_what_was_typed_and_names_the_field(at: House, done: Assessed) -> None:
    """A wrong date, an end in the past, TOML that is none, too many caveats; nothing is recorded."""
    client = visitor(at, "official")
    wrong = client.post(HERE + "/proposals", data=WORDED | {"expires": "soon"})
    assert wrong.status_code == 422
    assert 'value="soon"' in wrong.text
    assert "Ada Demonstration" in wrong.text
    text = client.post(HERE + "/proposals", data=WORDED | {"written": "<script>"})
    assert text.status_code == 422
    assert "&lt;script&gt;</textarea>" in text.text
    many = client.post(HERE + "/proposals", data=WORDED | {"caveats": "x\n" * 21})
    assert "at most 20 lines" in many.text
    past = client.signs(HERE + "/proposals", WORDED | {"expires": "2027-03-01T00:00"})
    assert past.status_code in {409, 422}
    assert Kind.DETERMINATION_PROPOSED not in at.kinds()


def test_one_person_decides_where_the_text_says_so(at: House) -> None:
    """Recorded at once, with a statement that the developer may hand on; nobody concurs."""
    assess(at, open_engagement(at))
    client = visitor(at, "official")
    page = client.get(HERE).text
    assert "Sign and record" in page
    told = WORDED | {"deed": "record", "statement": "It was answered on this day."}
    assert client.signs(HERE + "/proposals", told).status_code == 303
    page = client.get(HERE).text
    link = re.findall(rf'href="({ON}/statements/[0-9a-f]{{64}})"', page)[0]
    assert "It was answered on this day." in client.get(link).text
    assert Kind.DETERMINATION_RECORDED in at.kinds()


def test_whoever_has_no_passkey_is_told_where_to_add_one(at: House, done: Assessed) -> None:
    """Before a button that only a passkey answers; what was written stays."""
    client, form = visitor(at, "official"), WORDED | {"deed": "propose"}
    told = 'href="/account" target="_blank"'
    assert told not in client.post(HERE + "/proposals", data=form).text
    with at.door.parts.store.write() as tx:
        for row in tx.find(RegisteredKey):
            if row.value.method == Method.WEBAUTHN.value:
                tx.remove(RegisteredKey, row.id)
    page = client.post(HERE + "/proposals", data=form)
    assert "Sign what will be done" in page.text
    assert told in page.text
    assert WORDED["official"] in page.text


def test_an_official_steps_aside(at: House, done: Assessed) -> None:
    """And then proposes nothing."""
    client = visitor(at, "official")
    assert client.post(HERE + "/recusals").status_code == 303
    assert "You are recused" in client.get(HERE).text
    refused = client.signs(HERE + "/proposals", WORDED | {"deed": "propose"})
    assert refused.status_code == 409


def test_before_a_plan_there_is_a_sheet_too(at: House) -> None:
    """It says that nothing was measured, and takes a determination as TOML."""
    on = open_engagement(at)
    client = visitor(at, "official")
    assert "Nothing was measured yet" in client.get(f"{ON}/brief").text
    assert client.get(f"{ON}/brief.pdf").content.startswith(b"%PDF")
    none = client.post(HERE + "/proposals", data=WORDED)
    assert none.status_code == 422
    text = f"""
answer = "undetermined"
outcome = "undetermined"
basis = "{"b" * 64}"
criteria = "demonstration"
pack = "demonstration"
official = "Ada Demonstration"
expires = 2027-09-01T12:00:00Z
trigger = "another weights version"
demonstration = true
[scope]
model = "{MODEL}"
weights_version = "{SUBJECT.name}"
subject = "{SUBJECT.digest}"
[errors]
above = 0.05
below = 0.05
"""
    sent = client.signs(HERE + "/proposals", WORDED | {"written": text, "deed": "record"})
    assert sent.status_code == 303, on.id
