"""The accounts of one's own organisation, route by route: what is wrong is named, what is hostile is text."""

import re
from datetime import timedelta

import pytest

import make
from identity.people import House
from leadline.app import approval, organisation, sign_in
from leadline.core.organisation import Organisation, Task
from portal.visits import Visitor, visitor

ORG, EVIL = make.DEVELOPER, "<script>alert(1)</script>"


@pytest.fixture
def ann(at: House) -> Visitor:
    """An account administrator of two, of an organisation with two people more."""
    made = Organisation(ORG, frozenset({"developer"}), 0, at.clock.now, "kim")
    with at.door.parts.store.write() as tx:
        tx.put(ORG, made, marking=make.marking(), org=ORG)
    for id_ in ("ann", "abe"):
        at.enrol(id_, "account-administrator", org=ORG, engagements=frozenset())
    at.enrol("dev", "developer", org=ORG, name=EVIL, engagements=frozenset())
    at.enrol("far", "developer", org="another-developer", engagements=frozenset())
    return visitor(at, "ann")


def signed(at: House, who: str) -> None:
    """Whatever waits for this person's signature."""
    key = at.key(who)
    for one in approval.waiting(at.ctx(who)):
        approval.approve(at.ctx(who), one.request.id, key.sign(approval.challenge(one.request)))


def request_on(page: str) -> str:
    """The request that a page offers to carry out."""
    return str(re.findall(r'name="request" value="([^"]+)"', page)[0])


def test_names_are_text_and_wrong_input_is_named(at: House, ann: Visitor) -> None:
    """A stored script is shown as it stands; what was typed stays."""
    for path in ("/organisation", "/organisation/people/dev", "/organisation/delegations/new"):
        page = ann.get(path).text
        assert EVIL not in page
        assert "&lt;script&gt;" in page
    form = {"id": "a/b", "name": "Bo Example", "roles": "developer", "until": "2027-05-01"}
    again = ann.post("/organisation/people", data=form)
    assert again.status_code == 422
    assert 'value="Bo Example"' in again.text
    assert "no slash" in again.text
    for changed, words in (
        ({"id": "bo", "until": "soon"}, "write a day"),
        ({"id": "bo", "roles": "evaluator"}, "and not evaluator"),
        ({"id": "bo", "until": "2029-05-01"}, "366 days"),
    ):
        again = ann.post("/organisation/people", data={**form, **changed})
        assert (again.status_code, words in again.text) == (422, True), again.text
    assert at.ctx("ann").principal.org == ORG


def test_a_person_is_looked_after_from_one_page(at: House, ann: Visitor) -> None:
    """Entered, invited, given a role, renewed, suspended, restored, ended."""
    form = {"id": "bo", "name": "Bo Example", "roles": "developer", "until": "2027-05-01"}
    assert (
        ann.post("/organisation/people", data=form)
        .headers["location"]
        .startswith("/organisation/people/bo?")
    )
    to = "/organisation/people/bo"
    code = re.findall(r"<pre>(.*)</pre>", ann.post(f"{to}/invitation").text)[0]
    assert code not in ann.get(to).text
    for name, sent in (
        ("roles", {"roles": "developer", "role_until": "2027-03-20"}),
        ("grants/end", {"scope": "role", "name": "developer"}),
        ("renewal", {"until": "2027-09-01"}),
        ("suspension", {"reason": "on leave"}),
        ("restoration", {"reason": "back"}),
        ("recovery/end", {}),
        ("ending", {"why": "left"}),
    ):
        assert ann.post(f"{to}/{name}", data=sent).status_code == 303, name
    assert "This account has ended" in ann.get(to).text
    wrong = ann.post(
        "/organisation/people/dev/roles", data={"roles": "developer", "role_until": "2028-01-01"}
    )
    assert 'id="fault-role-until"' in wrong.text or 'id="fault-role_until"' in wrong.text
    assert "This is you" in ann.get("/organisation/people/ann").text


def test_sessions_of_people_are_ended(at: House, ann: Visitor) -> None:
    """And the page says where somebody is signed in."""
    at.password("dev")
    session = at.signed_in("dev").session.id
    page = ann.get("/organisation/people/dev").text
    assert session in page
    assert ann.post(f"/organisation/people/dev/sessions/{session}/end").status_code == 303
    assert not sign_in.sessions(at.ctx("ann"), "dev")


def test_appointment_and_dismissal(at: House, ann: Visitor) -> None:
    """Two signatures make an administrator; one may stop oneself."""
    to = "/organisation/people/dev"
    assert ann.post(f"{to}/appointment-request").status_code == 303
    assert "nobody has signed it yet" in ann.get(to).text
    signed(at, "abe")
    request = request_on(ann.get(to).text)
    assert ann.post(f"{to}/appointment", data={"request": request}).status_code == 303
    assert "no longer do this" in ann.get(to).text
    gone = ann.post("/organisation/people/ann/dismissal")
    assert gone.headers["location"].startswith("/?")
    assert ann.get("/organisation").status_code == 403


def test_recovery_by_two(at: House, ann: Visitor) -> None:
    """The second administrator signs, the first begins; the code stands there once."""
    at.password("dev")
    to = "/organisation/people/dev"
    assert ann.post(f"{to}/recovery-request").status_code == 303
    assert "nobody has signed it yet" in ann.get(to).text
    signed(at, "abe")
    shown = ann.post(f"{to}/recovery", data={"request": request_on(ann.get(to).text)})
    assert "A recovery for dev" in shown.text
    assert "is being recovered" in ann.get("/organisation").text
    assert "An account is being recovered" in ann.get("/").text


def test_people_of_others_are_not_there(at: House, ann: Visitor) -> None:
    """Byte for byte as people that there are not."""
    for kind in ("", "/suspension", "/ending", "/renewal", "/recovery-request", "/dismissal"):
        pages = []
        for id_ in ("far", "fax"):
            to = f"/organisation/people/{id_}{kind}"
            answer = ann.post(to, data={"reason": "x", "why": "x"}) if kind else ann.get(to)
            assert answer.status_code == 404, (kind, id_)
            text = re.sub(r'name="_once" value="[^"]*"', "", answer.text)
            pages.append(text.replace(id_, "ID"))
        assert pages[0] == pages[1], kind


def test_delegations(at: House, ann: Visitor) -> None:
    """Named, seen by the delegate, used as a delegate, and ended; what cannot be says why."""
    form = {"to": "dev", "tasks": "stop", "begins": "2027-03-01", "until": "2027-03-20"}
    for changed, field in (
        ({"until": "2028-01-01"}, "until"),
        ({"begins": "soon"}, "begins"),
        ({"begins": "2026-01-01"}, "begins"),
        ({"tasks": "rule"}, "tasks"),
    ):
        again = ann.post("/organisation/delegations", data={**form, **changed})
        assert again.status_code == 422, changed
        assert f'id="fault-{field}"' in again.text, changed
    assert ann.post("/organisation/delegations", data=form).status_code == 303
    dev = visitor(at, "dev")
    assert "You act for ann" in dev.get("/").text
    assert "You act for ann" in dev.get("/organisation").text
    at.enrol("eve", "developer", org=ORG, engagements=frozenset())
    to = "/organisation/people/eve"
    assert dev.post(f"{to}/suspension", data={"reason": "on leave"}).status_code == 303
    assert dev.post(f"{to}/ending", data={"why": "left"}).status_code == 403
    assert dev.get("/organisation/delegations/new").status_code == 403
    id_ = organisation.of(at.ctx("ann")).delegations[0].id
    assert dev.post(f"/organisation/delegations/{id_}/end").headers["location"].startswith("/?")
    assert dev.get("/organisation").status_code == 403


def test_a_delegate_recovers_for_somebody(at: House, ann: Visitor) -> None:
    """His own request is shown to him, and the second signature is another administrator's."""
    at.enrol("eve", "developer", org=ORG, engagements=frozenset())
    at.password("eve")
    until = at.clock.now + timedelta(days=3)
    organisation.delegate(at.ctx("ann"), "dev", [Task.RECOVER], at.clock.now, until)
    dev, to = visitor(at, "dev"), "/organisation/people/eve"
    assert dev.post(f"{to}/recovery-request").status_code == 303
    signed(at, "abe")
    request = request_on(dev.get(to).text)
    assert "A recovery for eve" in dev.post(f"{to}/recovery", data={"request": request}).text
    assert ann.get("/").status_code == 200


def test_an_organisation_nobody_founded_says_so(at: House) -> None:
    """Its administrator is told whom to ask; nobody can be entered."""
    at.enrol("odd", "account-administrator", org="a-vendor", engagements=frozenset())
    odd = visitor(at, "odd")
    assert "was not founded here yet" in odd.get("/organisation").text
    assert "was not founded" in odd.get("/organisation/people/new").text
    assert "One person alone" in odd.get("/").text
    assert "There is nobody to name" in odd.get("/organisation/delegations/new").text


def test_founding_by_two(at: House) -> None:
    """A wrong name comes back beside its field; the second signs; codes stand there once."""
    for keeper in ("kim", "kay"):
        at.enrol(keeper, "administrator", org="installation", engagements=frozenset())
    kim = visitor(at, "kim")
    assert "No organisation looks after" in kim.get("/admin/organisations").text
    form = {
        "organisation": "a-vendor",
        "roles": "maintainer",
        "clearance": "0",
        "name1": "Vic Example",
        "id1": "vic",
        "name2": "Val Example",
        "id2": "vic",
    }
    again = kim.post("/admin/organisations", data=form)
    assert again.status_code == 422
    assert "two different persons" in again.text
    assert kim.post("/admin/organisations", data={**form, "id2": "val"}).status_code == 303
    assert "nobody has signed it yet" in kim.get("/admin/organisations").text
    signed(at, "kay")
    request = request_on(kim.get("/admin/organisations").text)
    shown = kim.post("/admin/organisations/foundings", data={"request": request}).text
    assert len(re.findall(r"<pre>", shown)) == 2
    page = kim.get("/admin/organisations").text
    assert "a-vendor" in page
    assert "<pre>" not in page
    assert "account administrators of a-vendor" in kim.get("/admin/machine").text


def test_one_ends_a_lost_key_of_ones_own(at: House, ann: Visitor) -> None:
    """With two factors, and never the last thing to sign in with."""
    keys = re.findall(r"/account/keys/([^/]+)/end", ann.get("/account").text)
    assert len(keys) == 2
    assert ann.post(f"/account/keys/{keys[0]}/end").status_code == 303
    assert ann.post(f"/account/keys/{keys[0]}/end").status_code == 404
    at.enrol("eve", "developer", org=ORG, engagements=frozenset())
    key = at.key("eve")
    only = sign_in.by_key(
        at.door.nobody(),
        (asked := at.door.challenge())[0].id,
        key.sign(asked[1]),
        sign_in.Caller("127.0.0.1", "a test"),
    )
    assert at.acting(only).ctx.assurance == 1
