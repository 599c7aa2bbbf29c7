"""Partners, determinations, incidents and reports: the rest of what a developer's people do on pages."""

from datetime import timedelta

import pytest

import make
from identity.people import House
from leadline.app import exchange, partners
from leadline.core.record.act import Act, Kind, Value
from portal.test_developer_pages import PATH, SCRIPT, dealings, dev, sent, signs, terms
from portal.visits import Visitor, visitor

__all__ = ["dev"]
PROPOSAL = {
    "organisation": "a-utility",
    "tier": "utility",
    "targets": "a plant\nanother plant",
    "capabilities-1": "scan",
    "credits-1": "5",
    "uses-1": "5",
    "expires": "2027-05-01T00:00",
    "zone": "UTC",
    "reason": "they asked",
}


def test_a_partner_from_proposal_to_its_end(at: House, dev: Visitor) -> None:
    """Proposed, agreed by the other side, signed by its own people, opened, rested, ended."""
    at.enrol("partner", "trusted-partner", org="a-utility")
    wrong = dev.post(f"{PATH}/partners", data=PROPOSAL | {"capabilities-1": ""})
    assert 'id="fault-capabilities-1"' in wrong.text
    assert (
        'id="fault-credits-1"'
        in dev.post(f"{PATH}/partners", data=PROPOSAL | {"credits-1": "x"}).text
    )
    sent(dev, "/partners", **PROPOSAL)
    official, partner = visitor(at, "official"), visitor(at, "partner")
    agreement = {"organisation": "a-utility", "reason": "why not"}
    assert dev.post(f"{PATH}/partners/agreement", data=agreement).status_code == 409
    assert "Why you agree" in official.get(f"{PATH}/partners").text
    sent(official, "/partners/agreement", **agreement)
    assert "No terms are in effect" in partner.get(f"{PATH}/partnership").text
    terms(at)
    assert "not signed" in partner.get(f"{PATH}/partnership").text
    first = partner.get("/").text
    assert f'href="{PATH}/partnership"' in first
    assert "Its terms wait for your signature." in first
    assert "partner-signed" in signs(partner, at, "/partnership")
    sent(dev, "/partners/stage", organisation="a-utility", stage="0")
    page = partner.get(f"{PATH}/partnership").text
    assert "a plant, another plant" in page
    assert "scan" in page
    ending = {"organisation": "a-utility", "authority": "a letter", "zone": "UTC"}
    assert "field-until" in dev.post(f"{PATH}/partners/end", data=ending | {"until": "soon"}).text
    sent(dev, "/partners/end", **ending, until="2027-03-05T00:00")
    assert "rests until" in dev.get(f"{PATH}/partners").text
    assert sent(partner, "/partners/end", **ending).startswith(f"{PATH}/partnership")
    assert "use ended" in dev.get(f"{PATH}/partners").text
    assert partners.listed(at.ctx("dev"), dealings())[0].left == 5


def recorded(at: House, **more: Value) -> str:
    """A determination as its act says it."""
    detail: dict[str, Value] = {
        "party": "government",
        "answer": "undetermined",
        "official": "A demonstration official",
        "demonstration": True,
        "outcome": "undetermined",
        "basis": "b" * 64,
        "criteria": "c" * 64,
        "alpha_above": "0.05",
        "alpha_below": "0.05",
        "model": SCRIPT,
        "weights_version": "v1",
        "subject": "d" * 64,
        "variant": "not-stated",
        "trigger": "new evidence",
        "expires": "2027-12-01T00:00:00Z",
        "regime": dealings().regime.digest,
        "proposal": "e" * 64,
        "caveats": ("only in English",),
        **more,
    }
    act = Act(
        "act-1",
        Kind.DETERMINATION_RECORDED,
        at.clock.now,
        "official",
        make.ENGAGEMENT,
        make.ENGAGEMENT,
        detail,
    )
    with at.door.parts.store.write() as tx:
        tx.record(act)
    return act.id


def test_words_stand_beside_a_determination(at: House, dev: Visitor) -> None:
    """A response, and a wish to look again; a dissent's reasons are readable; a model's name is text."""
    ctx = at.ctx("official")
    reasons = ctx.vault.put(b"too few items", marking=make.marking(), engagement=make.ENGAGEMENT)
    said: dict[str, Value] = {"party": "government", "proposal": "e" * 64, "reasons": reasons}
    about = make.ENGAGEMENT
    act = Act("act-0", Kind.DETERMINATION_DISSENTED, at.clock.now, "second", about, about, said)
    with at.door.parts.store.write() as tx:
        tx.record(act)
    about = recorded(at, dissenting=(reasons,))
    page = dev.get(f"{PATH}/determinations").text
    assert "too few items" in page
    assert "only in English" in page
    assert SCRIPT not in page
    assert "determination recorded" in dev.get(PATH).text
    empty = dev.post(f"{PATH}/responses", data={"determination": about})
    assert (empty.status_code, 'id="fault-response"' in empty.text) == (422, True)
    sent(dev, "/responses", determination=about, response="We see it so.")
    asked = dev.post(
        f"{PATH}/reconsiderations", data={"determination": about, "reasons": "Look again."}
    )
    page = dev.get(f"{PATH}/determinations").text
    assert "We see it so." in page
    assert ("Look again." in page) == (asked.status_code == 303)
    assert (
        dev.post(
            f"{PATH}/responses", data={"determination": "act-none", "response": "x"}
        ).status_code
        == 404
    )


INCIDENT = {
    "text": f"It wrote {SCRIPT}.",
    "happened": "2027-02-20T09:00",
    "known": "2027-02-21T09:00",
    "zone": "UTC",
    "who": "the one on call",
    "notifies": "dev",
    "categories": ["unknown"],
    "engagement": make.ENGAGEMENT,
}


def incident(who: Visitor) -> str:
    """An incident on record; its path."""
    answer = who.post("/incidents", data=INCIDENT)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"]).partition("?")[0]


def test_an_incident_from_its_report_to_its_end(at: House, dev: Visitor) -> None:
    """On record, added to, resolved; each wrong field is named."""
    assert (
        'id="fault-happened"' in dev.post("/incidents", data=INCIDENT | {"happened": "soon"}).text
    )
    assert (
        'id="fault-notifies"' in dev.post("/incidents", data=INCIDENT | {"notifies": "nobody"}).text
    )
    place = incident(dev)
    page = dev.get(place).text
    assert "It wrote &lt;script&gt;" in page
    more = {
        "text": "It was a serious one.",
        "known": "2027-02-22T09:00",
        "zone": "UTC",
        "who": "us",
        "categories": "serious-incident",
    }
    assert dev.post(f"{place}/knowledge", data=more | {"known": "soon"}).status_code == 422
    assert dev.post(f"{place}/knowledge", data=more).status_code == 303
    assert "serious incident" in dev.get("/incidents").text
    end = {"event": "incident-resolved", "at": "2027-02-25T09:00", "zone": "UTC", "how": "Ended."}
    assert 'id="fault-event"' in dev.post(f"{place}/resolution", data=end | {"event": "other"}).text
    assert dev.post(f"{place}/resolution", data=end).status_code == 303
    assert "incident resolved" in dev.get("/incidents").text
    at.enrol("rival", "developer", org="another-developer", engagements=frozenset())
    rival = visitor(at, "rival")
    assert rival.get(place).status_code == 404
    assert rival.post(f"{place}/knowledge", data=more).status_code == 404


def test_a_report_is_drafted_and_put_on_record_as_sent(at: House, dev: Visitor) -> None:
    """The draft is a file to finish; sending is said afterwards; the copy is kept."""
    import re

    place = incident(dev)
    page = dev.get("/duties").text
    duty = re.findall(r'name="duty" value="([^"]+)"', page)[0]
    assert f"/incidents/{place.rsplit('/', 1)[1]}" not in page
    draft = dev.post("/duties/draft", data={"duty": duty})
    assert draft.text.startswith("# Draft")
    assert "attachment" in draft.headers["content-disposition"]
    assert dev.post("/duties/draft", data={"duty": "none"}).status_code == 404
    said = {
        "duty": duty,
        "at": "2027-02-28T09:00",
        "zone": "UTC",
        "to": "the institute",
        "reference": "by mail",
    }
    early = dev.post("/duties/sent", data=said | {"at": "2027-01-01T00:00"})
    assert (early.status_code, "field-at" in early.text) == (422, True)
    done = dev.post("/duties/sent", data=said, files={"copy": ("report.pdf", b"%PDF")})
    assert done.status_code == 303, done.text
    assert "sent" in dev.get("/duties").text
    assert dev.post("/duties/sent", data=said).status_code == 409


def test_what_began_is_on_record(dev: Visitor) -> None:
    """By day and model; another event, and a day to come, are named."""
    form = {"began": "deployed", "about": SCRIPT, "since": "2027-02-01T00:00", "since_zone": "UTC"}
    assert 'id="fault-began"' in dev.post("/duties/beginnings", data=form | {"began": "x"}).text
    assert (
        dev.post("/duties/beginnings", data=form | {"since": "2028-01-01T00:00"}).status_code == 422
    )
    assert dev.post("/duties/beginnings", data=form).status_code == 303
    page = dev.get("/duties").text
    assert "&lt;script&gt;" in page
    assert SCRIPT not in page


def test_dates_are_in_order_and_marked(at: House, dev: Visitor) -> None:
    """Those of the person; of the organisation on request; what is overdue says so in words."""
    incident(dev)
    at.clock.forward(days=1)
    page = visitor(at, "dev").get("/calendar?whose=party").text
    assert "Overdue or unproved" in page
    assert "/calendar/picture.svg?whose=party" in page


def test_words_stay_readable_or_say_that_they_ended(at: House, dev: Visitor) -> None:
    """After a withdrawal each page still opens."""
    about = recorded(at)
    asked = exchange.ask(at.ctx("official"), dealings(), "How was it trained?").id
    sent(dev, "/messages", to="government", message="hello")
    sent(dev, "/questions", asked=asked, answer="On text.")
    sent(dev, "/responses", determination=about, response="We see it so.")
    sent(dev, "/withdrawal")
    for path in ("/messages", "/questions", "/determinations", "/inquiries", "/terms", "/exports"):
        page = dev.get(PATH + path)
        assert page.status_code == 200, (path, page.text)


@pytest.mark.parametrize("kind", [Kind.ENGAGEMENT_ENDED, Kind.ENGAGEMENT_WITHDRAWN])
def test_nothing_is_offered_once_it_is_over(at: House, dev: Visitor, kind: Kind) -> None:
    """No form stands where no act can follow."""
    recorded(at)
    at.clock.forward(minutes=1)
    with at.door.parts.store.write() as tx:
        tx.record(
            Act(
                "act-over",
                kind,
                at.clock.now,
                "dev",
                make.ENGAGEMENT,
                make.ENGAGEMENT,
                {"party": "developer"},
            )
        )
    for path in (
        "/access",
        "/messages",
        "/questions",
        "/submission",
        "/determinations",
        "/partners",
        "/inquiries",
    ):
        page = dev.get(PATH + path).text
        assert f'action="{PATH}' not in page, path
    assert at.clock.now - timedelta(minutes=1) == make.NOW
