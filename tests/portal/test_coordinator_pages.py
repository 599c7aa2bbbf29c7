"""The coordinator's pages: each form, what is wrong with it, and what is somebody else's."""

import html
import re
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from identity.people import application
from leadline.app import approval, contacts, contracts, evidence, operators, reports
from leadline.app.sign_in import csrf_of
from leadline.core.clearing.directory import Project
from leadline.core.clearing.evidence import Claim, EvidenceEdge
from leadline.core.clearing.finding import Finding, ReplayResult
from leadline.core.clearing.operator import Enrolment, Exposure, Mode
from leadline.core.record.act import Kind
from leadline.http.api.caller import COOKIE
from portal.visits import in_words
from portal.world import Model, World, model
from reporting import as_bytes, terms

ORIGIN = "https://localhost:8443"
SCRIPT = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """The world, built once."""
    return model(tmp_path_factory)


@pytest.fixture
def world(made: Model, tmp_path: Path) -> Iterator[World]:
    """A world of one's own."""
    with made.copied(tmp_path / "world") as found:
        yield found


def client(world: World, person: str = "coordinator") -> TestClient:
    """That person's browser, which follows nothing by itself."""
    found = TestClient(
        application(world.at.portal),
        base_url=ORIGIN,
        headers={"origin": ORIGIN},
        follow_redirects=False,
    )
    found.cookies.set(COOKIE, world.tokens[person])
    return found


PAGES = (
    "/reports",
    "/reports?state=received",
    "/reports/{finding}",
    "/reports/{loose}",
    "/groups",
    "/case-form?finding={loose}",
    "/cases",
    "/cases/{case}",
    "/cases/{public_case}",
    "/cases/{case}/timeline",
    "/cases/{case}/parties",
    "/cases/{case}/parties/{party}",
    "/cases/{case}/dates",
    "/cases/{case}/events",
    "/cases/{case}/drafts",
    "/cases/{case}/advisories",
    "/cases/{case}/notices",
    "/cases/{public_case}/notices",
    "/cases/{case}/fixes",
    "/cases/{case}/priority",
    "/cases/{case}/relay",
    "/drafts",
    "/fixes",
    "/priority",
    "/leases",
    "/projects",
    "/operators",
    "/relayed-cases",
)


@pytest.mark.parametrize("path", PAGES)
def test_every_page_opens(world: World, path: str) -> None:
    """For its coordinator."""
    answer = client(world).get(path.format_map(world.ids))
    assert answer.status_code == 200, answer.text[-2000:]
    assert "<h1>" in answer.text
    assert not re.search(r"<style| style=| on\w+=\"", answer.text)


def post(world: World, path: str, data: dict[str, str | list[str]], **more: object) -> Response:
    """A form of the coordinator's session."""
    found = client(world, str(more.pop("person", "coordinator")))
    token = csrf_of(found.cookies[COOKIE])
    return found.post(path.format_map(world.ids), data={"_csrf": token, **data}, **more)  # type: ignore[arg-type]


def gone(answer: Response) -> str:
    """Where a form led, with everything that is there."""
    assert answer.status_code == 303, answer.text[-3000:]
    return str(answer.headers["location"])


def handed_in(world: World, **fields: object) -> str:
    """A report that the finder handed in by the form; answers its id."""
    file = {"reports": ("report.json", as_bytes(**fields))}
    answer = post(world, "/reports", {}, files=file, person="finder")
    assert "1 report taken in, no file not" in answer.text, answer.text
    found = re.search(r'href="/reports/([0-9a-f]{64})"', answer.text)
    assert found
    return found[1]


def test_a_report_goes_its_way(world: World) -> None:
    """Handed in, answered, put ahead, assigned, moved on; its finder reads it; hostile text stays text."""
    id_ = handed_in(world, title=f"Overflow {SCRIPT}", description=f"It is {SCRIPT}")
    place = f"/reports/{id_}"
    page = client(world).get(place).text
    assert "&lt;script&gt;alert(1)" in page
    assert SCRIPT not in page
    said = gone(post(world, f"{place}/answers", {"words": f"Thank you. {SCRIPT}"}))
    assert said == f"{place}?said=report-answered"
    assert SCRIPT not in client(world, "finder").get(place).text
    gone(post(world, f"{place}/haste", {"haste-reason": "seen in the wild"}))
    contracts.add(world.ctx("coordinator"), terms(), b"the file")
    gone(post(world, f"{place}/assignments", {"project": "bsdiff4", "assign-reason": "it says so"}))
    gone(post(world, f"{place}/moves", {"state": "duplicate", "reason": "seen before"}))
    assert "seen before" in client(world, "finder").get(place).text
    assert client(world).get(f"{place}/text").headers["content-disposition"].startswith("attach")
    assert client(world).get(f"{place}/proof").status_code == 404
    assert client(world, "rival").get(place).status_code == 404
    assert client(world, "finder").get("/reports").text.count(place) == 1


def test_a_report_without_words_is_shown_again(world: World) -> None:
    """The field is named, and what was typed elsewhere is kept."""
    place = f"/reports/{handed_in(world)}"
    for path, field, form in (
        ("moves", "reason", {"state": "duplicate"}),
        ("haste", "haste-reason", {"haste-reason": " "}),
        ("assignments", "assign-reason", {"project": "bsdiff4"}),
        ("answers", "words", {"words": ""}),
        ("judgements", "because", {"other": "0" * 64, "claim": "same"}),
    ):
        answer = post(world, f"{place}/{path}", form)  # type: ignore[arg-type]
        assert answer.status_code == 422, (path, answer.status_code)
        assert f'id="fault-{field}"' in answer.text, path


def test_a_file_that_cannot_be_read_lists_its_faults(world: World) -> None:
    """Nothing of it is kept; the others of an upload are."""
    good, bad = as_bytes(), b'{"schema": "leadline-finding-1", "title": "", "odd": 1}'
    answer = post(world, "/reports", {}, files={"reports": ("many.jsonl", good + b"\n" + bad)})
    assert "1 report taken in, 1 file not" in answer.text
    assert "Nothing of it was kept" in answer.text
    nothing = post(world, "/reports", {"origin": "ghost"}, files={"reports": ("r.json", good)})
    assert 'id="fault-origin"' in nothing.text
    assert "no file was chosen" in post(world, "/reports", {}).text
    archive = post(world, "/reports", {}, files={"reports": ("r.tar", b"no archive" * 100)})
    assert 'id="fault-reports"' in archive.text


def test_a_finder_takes_its_report_back_and_stands_by_its_text(world: World) -> None:
    """What looked like a secret is withheld until its finder says so."""
    key = "AKIA" + "IOSFODNN7EXAMPLE"
    id_ = handed_in(world, description=f"aws_access_key_id = {key}")
    place = f"/reports/{id_}"
    assert "looks as if it held" in client(world).get(place).text
    assert client(world).get(f"{place}/text").status_code == 409
    gone(post(world, f"{place}/text", {}, person="finder"))
    assert client(world).get(f"{place}/text").status_code == 200
    gone(post(world, f"{place}/withdrawal", {}, person="finder"))
    assert "withdrawn" in client(world).get(place).text


def test_groups_are_confirmed_and_split(world: World) -> None:
    """Proposed, confirmed with a reason, joined, taken back; regrouping merges nothing."""
    ids = sorted((world.ids["loose"], handed_in(world)))
    edge = EvidenceEdge(
        ids[0], ids[1], 5, Claim.POSSIBLE, "c" * 64, "coordinator", world.at.clock.now, "text/1"
    )
    evidence.add_edge(world.ctx("coordinator"), edge)
    page = client(world).get("/groups").text
    assert "Proposed: these may be one flaw" in page
    assert "their texts resemble each other" in page
    form: dict[str, str | list[str]] = {"one": ids[0], "two": ids[1], "claim": "same"}
    because = f"because-{ids[0][:16]}-{ids[1][:16]}"
    assert f'id="fault-{because}"' in post(world, "/groups/judgements", form).text
    gone(post(world, "/groups/judgements", {**form, because: "one change repairs both"}))
    page = client(world).get("/groups").text
    assert "One flaw, 2 reports" in page
    found = re.search(r'name="evidence" value="([0-9a-f]{64})"', page)
    assert found
    assert "say why" in post(world, "/groups/retractions", {"evidence": found[1]}).text
    gone(post(world, "/groups/retractions", {"evidence": found[1], "why": "it was another"}))
    assert "No group is confirmed" in client(world).get("/groups").text
    gone(post(world, "/groups", {}))


def test_another_report_is_named_by_what_the_pages_show(world: World) -> None:
    """The beginning of its id is enough; one that fits nothing comes back with what was typed."""
    one, two = world.ids["loose"], handed_in(world)
    place = f"/reports/{one}"
    form: dict[str, str | list[str]] = {"claim": "same", "because": "one line, two crashes"}
    wrong = post(world, f"{place}/judgements", {**form, "other": "0123456789abcdef"})
    assert wrong.status_code == 422
    assert 'id="fault-other"' in wrong.text
    assert "one line, two crashes" in wrong.text
    assert 'id="fault-other"' in post(world, f"{place}/judgements", {**form, "other": two[:4]}).text
    gone(post(world, f"{place}/judgements", {**form, "other": two[:16]}))
    page = client(world).get("/groups").text
    assert "One flaw, 2 reports" in page
    assert "One flaw: a person" in page


def test_a_case_is_opened_and_its_parties_come_and_go(world: World) -> None:
    """From a report; one party, a list, a removal; faults beside their fields."""
    form: dict[str, str | list[str]] = {"finding": [world.ids["loose"]], "title": "A flaw"}
    assert 'id="fault-disclosure"' in post(world, "/cases", form).text
    to = gone(post(world, "/cases", {**form, "disclosure": "leadline-default"}))
    place = to.partition("?")[0]
    more: dict[str, str | list[str]] = {"role": "owner", "name": "A vendor", "product": "no purl"}
    assert 'id="fault-product"' in post(world, f"{place}/parties", more).text
    gone(post(world, f"{place}/parties", {**more, "product": "pkg:pypi/a@1"}))
    rows: dict[str, str | list[str]] = {
        "list-role": "owner",
        "list": "A,a@a.example\nA,b@b.example",
    }
    wrong = post(world, f"{place}/parties/list", rows)
    assert "line 2: &#39;A&#39; again" in wrong.text
    assert 'id="fault-list-role"' in post(world, f"{place}/parties/list", {"list": "A"}).text
    gone(post(world, f"{place}/parties/list", {**rows, "list": "A,a@a.example\nB"}))
    page = client(world).get(place).text
    assert "3 vendors" in page
    assert "not told yet" in page
    assert "Makers who take no part" not in client(world).get(f"{place}/parties").text
    with world.at.door.parts.store.read() as view:
        purl = view.get(Finding, world.ids["loose"]).value.purl
    contacts.add(world.ctx("coordinator"), [Project("its maker", (purl,))])
    listed = client(world).get(f"{place}/parties").text
    assert "its maker" in listed.partition("Makers who take no part")[2]
    party = re.findall(rf'href="({place}/parties/[^"]+)">A vendor', page)[0]
    assert client(world).get(f"{place}/parties/party-none").status_code == 404
    assert 'id="fault-removal-reason"' in post(world, f"{party}/removal", {}).text
    gone(post(world, f"{party}/removal", {"removal-reason": "it asked to"}))
    gone(post(world, f"{place}/renewal", {}))


def test_what_a_party_says_is_written_down(world: World) -> None:
    """With a reference; a claim without justification stays a claim; a date is proposed and answered."""
    post(
        world, "/cases/{case}/parties/list", {"list-role": "owner", "list": "Sold Here,a@a.example"}
    )
    place = f"/cases/{world.ids['case']}"
    party = re.findall(rf'href="({place}/parties/[^"]+)">Sold Here', client(world).get(place).text)[
        0
    ]
    said: dict[str, str | list[str]] = {"affected": "not affected"}
    assert 'id="fault-reference"' in post(world, f"{party}/statements", said).text
    gone(post(world, f"{party}/statements", {**said, "reference": "its mail"}))
    assert "claims not to be affected, without justification" in client(world).get(party).text
    asked = party.rpartition("/")[2]
    dates: dict[str, str | list[str]] = {"until": "2027-05-01T12:00", "zone": "UTC", "asked": asked}
    assert 'id="fault-until"' in post(world, f"{place}/dates", {**dates, "until": "soon"}).text
    gone(post(world, f"{place}/dates", dates))
    assert "1 May 2027, 12:00 UTC" in client(world).get(f"{place}/dates").text
    assert "no answer yet" in client(world).get(f"{place}/dates").text
    answer: dict[str, str | list[str]] = {"answer": "accept", "until": "2027-04-20T12:00"}
    assert 'id="fault-answer-reference"' in post(world, f"{party}/answers", answer).text
    gone(post(world, f"{party}/answers", {**answer, "answer-reference": "its mail"}))
    page = client(world).get(f"{place}/dates").text
    assert "20 April 2027, 12:00 UTC" in page
    assert "End it early" in page
    everybody = re.findall(r'name="agrees" value="([^"]+)"', page)
    gone(post(world, f"{place}/agreement", {"agrees": everybody}))
    assert "exited" in client(world).get(f"{place}/dates").text


def test_what_happened_is_put_on_record(world: World) -> None:
    """With what shows it; a further report joins; the case is closed once it is public."""
    place = f"/cases/{world.ids['case']}"
    assert 'id="fault-evidence"' in post(world, f"{place}/events", {"move": "attacks"}).text
    file = {"evidence-file": ("seen.html", b"a page")}
    gone(post(world, f"{place}/events", {"move": "public-elsewhere"}, files=file))
    assert 'id="fault-finding"' not in post(world, f"{place}/findings", {"finding": []}).text
    gone(post(world, f"{place}/findings", {"finding": world.ids["loose"]}))
    again = {"disclosure": "cert-cc-45", "disclosure-reason": "agreed"}
    assert post(world, f"{place}/disclosure", again).status_code == 409  # type: ignore[arg-type]
    assert 'id="fault-closing-reason"' in post(world, f"{place}/closing", {}).text
    gone(post(world, f"{place}/closing", {"closing-reason": "it is public"}))
    assert "closed" in client(world).get("/cases").text
    assert client(world).get("/cases?state=published").status_code == 200


def test_why_no_message_was_written_stands_on_top_once(world: World) -> None:
    """Not a line for each vendor, nor a command; and nothing reads as if something had been written."""
    place = f"/cases/{world.ids['case']}"
    page = client(world).get(f"{place}/drafts").text
    assert "Nothing is written yet" in page
    rows: dict[str, str | list[str]] = {"list-role": "downstream", "list": "A,a@a.example"}
    gone(post(world, f"{place}/parties/list", rows))
    page = client(world).get(gone(post(world, f"{place}/drafts", {}))).text
    assert "1 vendor ships it to others" in page
    assert "for 14 days at most" in page
    finding = world.ids["finding"]
    with world.ctx("coordinator").store.write() as tx:
        tx.remove(ReplayResult, f"{finding}/replay")
    page = post(world, f"{place}/drafts", {}).text
    assert "No message was written" in page
    assert page.count("a finding of this case was not replayed here") == 1
    assert finding[:16] not in page[page.index("No message was written") :]


def test_messages_are_written_taken_away_and_marked_as_sent(world: World) -> None:
    """One for each vendor with an address; why there is none for the others."""
    place = f"/cases/{world.ids['case']}"
    rows = "A,a@a.example\nB,b@b.example\nNowhere"
    post(world, f"{place}/parties/list", {"list-role": "owner", "list": rows})
    written = post(world, f"{place}/drafts", {})
    page = client(world).get(gone(written)).text
    assert "3 messages written and not sent" in page
    assert "Messages are written, and none is sent" in page
    assert "because no address is known" in page
    files = client(world).get(f"{place}/drafts/archive")
    with zipfile.ZipFile(BytesIO(files.content)) as archive:
        assert len(archive.namelist()) == 3
    ids = re.findall(r'name="draft" value="([^"]+)"', page)
    letter = client(world).get(f"/drafts/{ids[0]}")
    assert letter.status_code == 200
    assert (
        "attachment" in client(world).get(f"/drafts/{ids[0]}/text").headers["content-disposition"]
    )
    moment = world.at.clock.now.strftime("%Y-%m-%dT%H:%M")
    sent: dict[str, str | list[str]] = {"at": moment, "zone": "UTC", "where": "by mail"}
    assert "choose at least one" in post(world, f"{place}/drafts/sent", sent).text
    late = {**sent, "draft": ids, "at": "2031-01-01T09:00"}
    assert 'id="fault-at"' in post(world, f"{place}/drafts/sent", late).text
    gone(post(world, f"{place}/drafts/sent", {**sent, "draft": ids}))
    assert "3 messages sent" in client(world).get(f"{place}/drafts").text
    alone: dict[str, str | list[str]] = {"to": "c@c.example", "channel": "mail"}
    assert 'id="fault-party"' in post(world, f"{place}/drafts", alone).text
    assert client(world).get("/drafts").text.count("by mail") == 0
    assert client(world, "maintainer").get(f"/drafts/{ids[0]}").status_code == 404


def test_an_advisory_waits_for_the_embargo_and_is_signed(world: World) -> None:
    """Drafted from the findings or a file; the page to sign shows what will be signed."""
    place = f"/cases/{world.ids['case']}/advisories"
    assert 'id="fault-fixed"' in post(world, place, {}).text
    assert 'id="fault-fixed"' in post(world, place, {"fixed": "no purl"}).text
    file = {"advisory": ("a.toml", b"id = 1")}
    assert 'id="fault-advisory"' in post(world, place, {}, files=file).text
    to = gone(post(world, place, {"fixed": "pkg:pypi/ujson@5.2.0"})).partition("?")[0]
    page = client(world).get(to).text
    assert "until then nothing is published" in page
    assert "Publish, and sign it" not in page
    post(world, "/cases/{case}/events", {"move": "public-elsewhere", "evidence": "ab" * 32})
    assert "Publish, and sign it" in client(world).get(to).text
    sign = post(world, f"{to}/publication", {}).text
    assert "Sign what will be done" in sign
    in_words(sign, {})
    assert "Reads past the end" in sign.partition("The text")[2]
    request = re.search(r'name="_request" value="([^"]+)"', sign)
    assert request
    ctx, key = world.ctx("coordinator"), world.at.key("coordinator")
    approval.approve(
        ctx, request[1], key.sign(approval.challenge(approval.shown(ctx, request[1]).request))
    )
    done = post(world, f"{to}/publication", {"_request": request[1], "_elsewhere": "yes"}).text
    assert "It is public in" in done
    assert 'id="fault-reason"' in post(world, f"{to}/withdrawal", {}).text
    sign = post(world, f"{to}/withdrawal", {"reason": "it was wrong"}).text
    assert "Sign what will be done" in sign
    in_words(sign, {"reason": "it was wrong"})
    assert client(world).get(f"{place}/none").status_code == 404
    told = {"stage": "published", "evidence": "published", "advisory": to.rpartition("/")[2]}
    assert post(world, "/cases/{case}/notices", told).status_code in {303, 409}  # type: ignore[arg-type]


def test_urgency_fixes_and_fairness(world: World) -> None:
    """Facts with their reason; a place by name; what is no fix; the report as a page and signed."""
    place = f"/cases/{world.ids['case']}"
    fact: dict[str, str | list[str]] = {"signal": "exposed", "value": "perhaps", "reason": "so"}
    assert 'id="fault-value"' in post(world, f"{place}/priority", fact).text
    gone(post(world, f"{place}/priority", {**fact, "value": "yes"}))
    assert (
        'id="fault-outcome"'
        in post(world, f"{place}/place", {"outcome": "now", "place-reason": "so"}).text
    )
    gone(post(world, f"{place}/place", {"outcome": "3D", "place-reason": "a hospital asked"}))
    assert "a hospital asked" in client(world).get("/priority").text
    fix: dict[str, str | list[str]] = {"fix": "fix-none", "state": "sent", "where": "there"}
    assert post(world, f"{place}/fixes", fact | fix).status_code == 404
    case = world.ids["public_case"]
    assert "Who was told what, and when" in client(world).get(f"/cases/{case}/fairness").text
    public = client(world).get(f"/cases/{case}/fairness?public=yes")
    assert "For everybody" in public.text
    assert client(world).get(f"/cases/{case}/fairness/report").json()["case"] == case


def test_a_case_goes_to_another_coordinator(world: World, made: Model, tmp_path: Path) -> None:
    """As a signed parcel, which is verified before anything of it is kept."""
    parcel = post(world, "/cases/{case}/relay", {"origin": "https://a.example/1"})
    assert parcel.headers["content-type"] == "application/zip"
    keys = world.ctx("coordinator").signer.vkeys()
    with made.copied(tmp_path / "other") as other:
        form: dict[str, str | list[str]] = {"keys": keys, "disclosure": "leadline-default"}
        wrong = post(other, "/relayed-cases", form, files={"parcel": ("p.zip", b"no zip" * 9)})
        assert 'id="fault-parcel"' in wrong.text
        came = post(other, "/relayed-cases", form, files={"parcel": ("p.zip", parcel.content)})
        assert "The case was opened here." in came.text, came.text
        receipt = re.search(r'aria-label="The receipt">(.*?)</pre>', came.text, re.DOTALL)
        assert receipt
    back = {"receipt": ("r.txt", html.unescape(receipt[1]).encode())}
    assert gone(post(world, "/cases/{case}/relay/receipt", {"keys": keys}, files=back))
    assert "was handed on" in client(world).get(f"/cases/{world.ids['case']}/relay").text


def test_of_many_operators_those_that_wait_are_shown_and_any_is_found(world: World) -> None:
    """Who runs systems may be twenty thousand: a page shows some, and says so; a word finds the others."""
    ctx = world.ctx("coordinator")
    with ctx.store.write() as tx:
        for n in range(120):
            named = (f"operator-{n:03}", f"org-{n}", f"Waterworks {n:03}", ("water",))
            held = Enrolment(*named, 10, Exposure.UNKNOWN, 1, "Ask IT.", Mode.HOSTED, (), ctx.now)
            tx.put(held.id, held, marking=operators.OWN, org=held.org)
            tx.record(ctx.act(Kind.OPERATOR_ENROLLED, held.id, ""))
            if n < 60:
                tx.record(ctx.act(Kind.OPERATOR_VETTED, held.id, "", grounds="d" * 64))
    page = client(world).get("/operators").text
    assert "of more; those that wait to be vetted stand first" in page
    shown = re.findall(r'<th scope="row">Waterworks (\d+)', page)
    assert 50 <= len(shown) == len(set(shown)) <= 100
    assert all(int(number) >= 60 for number in shown[:49])
    found = client(world).get("/operators?q=waterworks+007").text
    assert "Waterworks 007" in found
    assert "Waterworks 008" not in found
    for typed in ("operator-007", "org-7"):
        assert "Waterworks 007" in client(world).get(f"/operators?q={typed}").text, typed
    assert "No operator fits" in client(world).get("/operators?q=steelworks").text
    # one that is on no page stays chosen in a form that comes back
    back = post(world, "/operators/ended", {"end-operator": "operator-001", "end-reason": ""}).text
    assert '<option value="operator-001" selected>' in back


def test_contacts_operators_and_leases(world: World) -> None:
    """The directory takes files; operators are vetted and ended; finders take leases."""
    file = {
        "contacts": (
            "security.txt",
            b"Contact: mailto:a@b.example\nExpires: 2028-01-01T00:00:00Z\n",
        )
    }
    assert 'id="fault-contacts"' in post(world, "/projects", {}, files=file).text
    gone(post(world, "/projects", {"project": "a/lib & more"}, files=file))
    page = client(world).get("/projects?project=LIB").text
    assert "/project?name=a%2Flib+%26+more" in page
    assert client(world).get("/project?name=a%2Flib+%26+more").status_code == 200
    gone(post(world, "/project", {"name": "a/lib & more", "at": "2027-03-01T09:00", "zone": "UTC"}))
    assert client(world).get("/project?name=none").status_code == 404
    assert post(world, "/operators/vetted", {"grounds": "x"}).status_code == 422
    end: dict[str, str | list[str]] = {"end-operator": world.ids["operator"]}
    assert 'id="fault-end-reason"' in post(world, "/operators/ended", end).text
    gone(post(world, "/operators/ended", {**end, "end-reason": "it closed"}))
    bad = {"tiers": ("t.toml", b"no = 1")}
    assert 'id="fault-tiers"' in post(world, "/tiers", {}, files=bad).text
    lease: dict[str, str | list[str]] = {
        "target": "pkg:pypi/ujson@5.1.0",
        "hours": "48",
        "effort": "8",
    }
    asked = post(world, "/leases", {**lease, "only-ask": "yes"}, person="finder")
    assert "The registry says" in asked.text
    assert (
        'id="fault-hours"' in post(world, "/leases", {**lease, "hours": "9"}, person="finder").text
    )
    assert (
        'id="fault-target"'
        in post(world, "/leases", {**lease, "target": "10.0.0.1"}, person="finder").text
    )
    gone(post(world, "/leases", lease, person="finder"))
    mine = re.search(
        r"/leases/(lease-[0-9a-f]+)/renewal", client(world, "finder").get("/leases").text
    )
    assert mine
    gone(post(world, f"/leases/{mine[1]}/renewal", {"more-hours": "50"}, person="finder"))
    gone(post(world, f"/leases/{mine[1]}/closing", {}, person="finder"))


def test_the_list_of_reports_goes_on_to_its_end(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Part by part, what waits before what is over, each report once; a state that is none is named."""
    first, second, *_ = [handed_in(world, title=f"Overflow {number}") for number in range(4)]
    for id_ in (first, second):
        gone(post(world, f"/reports/{id_}/moves", {"state": "duplicate", "reason": "seen before"}))
    ctx = world.at.ctx("coordinator")
    listed = reports.listed(ctx).items
    due = [one for one in listed if one.stage.waits]
    over = [one for one in listed if not one.stage.waits]
    assert due
    assert over
    monkeypatch.setattr(reports, "PART_MAX", 1)
    browser, place, seen = client(world), "/reports", list[str]()
    while place:
        page = browser.get(place)
        assert page.status_code == 200
        seen += re.findall(r'<th scope="row"><a href="/reports/([0-9a-f]{64})"', page.text)
        further = re.search(r'href="(\?[^"]*)">Further reports', page.text)
        place = f"/reports{html.unescape(further[1])}" if further else ""
    assert seen == [one.finding for one in (*due, *over)]
    assert browser.get("/reports?state=none").status_code == 422
    assert browser.get("/reports?after=none").status_code == 422
