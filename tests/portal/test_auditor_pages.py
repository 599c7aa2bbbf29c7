"""The log: its head and files for everybody; acts, proofs, agreement and fairness for auditors."""

import json

import pytest

import make
from identity.people import House
from inline import TestClient
from leadline.app import explorer
from leadline.app.explorer import View, Wanted
from leadline.app.proof import check
from leadline.core.errors import Denied, Invalid, NotFound
from leadline.core.record.act import Kind
from leadline.formats import tlog_policy
from leadline.formats.manifest import decode_opening
from leadline.formats.tlog_proof import ActProof
from portal.test_frame import csrf
from portal.test_public_pages import client_of, record_publish, signed_in

HOSTILE = "<script>alert(1)</script>"


def grown(at: House, number: int = 3) -> None:
    """Some acts in the log, one of them about a hostile name."""
    with at.door.parts.store.write() as tx:
        for n in range(number):
            kind = Kind.ACCESS_DENIED if n % 2 else Kind.RESULT_READ
            tx.record(
                make.act(7000 + n, kind, about=HOSTILE, action="case:read", rules=("need-to-know",))
            )


@pytest.fixture
def ann(at: House) -> TestClient:
    """An auditor's browser at a log that is signed."""
    at.enrol("ann", "auditor")
    client = signed_in(at, "ann")
    grown(at)
    record_publish(at)
    return client


def test_anybody_reads_the_head_and_the_files(at: House, ann: TestClient) -> None:
    """Head, keys, quorum file, tiles; nothing beside them; not acts."""
    client = client_of(at)
    page = client.get("/log").text
    assert "The head signed last" in page
    assert client.get("/log/checkpoint").text == ann.get("/log/checkpoint").text
    assert client.get("/log/keys").text == at.door.parts.signer.vkeys()
    assert tlog_policy.parse(client.get("/log/policy").content).logs
    size = int(client.get("/log/checkpoint").text.split("\n")[1])
    assert client.get(f"/log/tile/0/000.p/{size}").status_code == 200
    for path in ("/log/tile/..%2f..%2fkeys%2flog.key", "/log/tile/0/999", "/log/tile/x"):
        assert client.get(path).status_code == 404
    told = client.get("/log/consistency", params={"old": 1, "new": size}).json()
    assert told["new"] == size
    assert client.get("/log/consistency?old=1&new=999").status_code == 404
    assert client.get("/log/consistency?old=0&new=1").status_code == 422
    assert client.get("/log/acts").headers["location"].startswith("/sign-in")


def test_before_the_first_head_the_log_says_so(at: House) -> None:
    """No empty table, and what it means."""
    assert "Nothing is signed yet" in client_of(at).get("/log").text
    assert client_of(at).get("/log/checkpoint").status_code == 404


def test_acts_are_found_by_question(ann: TestClient) -> None:
    """Newest first; each question; filters kept; names are text; rules can be looked up."""
    page = ann.get("/log/acts").text
    assert HOSTILE not in page
    assert "&lt;script&gt;" in page
    denied = ann.get("/log/acts?view=denied&about=%3Cscript%3Ealert(1)%3C/script%3E").text
    assert '/about/access#need-to-know"' in denied
    assert "result read" not in denied.split("<tbody>")[1]
    assert "No such act" in ann.get("/log/acts?view=people&actor=nobody-of-that-name").text
    assert ann.get("/log/acts?view=none").status_code == 422
    assert ann.get("/log/acts?kind=none").status_code == 422
    assert ann.get("/log/acts?after=x").status_code == 422


def test_an_act_can_be_taken_away_and_checked(at: House, ann: TestClient) -> None:
    """Proof, opening and quorum file verify offline as the command does it; a later act has no proof yet."""
    act = make.act(7001).id
    assert "Checked in this browser" in ann.get(f"/log/acts/{act}").text
    proof, opening = ann.get(f"/log/acts/{act}/proof"), ann.get(f"/log/acts/{act}/opening")
    assert f'filename="{act}.tlog-proof"' in proof.headers["content-disposition"]
    policy = tlog_policy.parse(ann.get("/log/policy").content)
    found = check(ActProof(decode_opening(opening.content), proof.text), policy)
    assert found.index == decode_opening(opening.content).index
    with at.door.parts.store.write() as tx:
        tx.record(make.act(7100))
    late = make.act(7100).id
    assert "No signed head covers this act yet" in ann.get(f"/log/acts/{late}").text
    assert ann.get(f"/log/acts/{late}/proof").status_code == 409
    assert ann.get("/log/acts/no-such").status_code == 404


@pytest.mark.parametrize(
    "path", ["/log/acts", "/log/agreement", "/log/fairness", "/log/acts/act-7001"]
)
def test_only_who_may_read_the_record_reads_it(at: House, path: str) -> None:
    """A developer is told that the rules do not allow it, and by which."""
    grown(at)
    at.enrol("dora", "developer")
    assert signed_in(at, "dora").get(path).status_code == 403


def test_record_and_log_agree_or_it_is_said(at: House, ann: TestClient) -> None:
    """All agree; a published folder with another head does not, and nothing is mended by looking."""
    assert "agree at this moment" in ann.get("/log/agreement").text
    (at.home.log / "checkpoint").write_bytes(b"something else")
    page = ann.get("/log/agreement").text
    assert "does not agree" in page
    assert (at.home.log / "checkpoint").read_bytes() == b"something else"


def test_what_was_signed_and_what_stands_may_part(at: House, ann: TestClient) -> None:
    """Nothing signed yet agrees; a head that nobody signed does not."""
    ctx = at.ctx("ann")
    (at.home.keys / "log.checkpoint").write_bytes(b"x")
    held = {one.what: one.holds for one in explorer.agreements(ctx)}
    assert held == {"Acts and entries": True, "Signed head": False, "Published folder": False}
    (at.home.keys / "log.checkpoint").unlink()
    assert {one.what: one.holds for one in explorer.agreements(ctx)}["Signed head"]


def test_fairness_asks_for_a_case(ann: TestClient) -> None:
    """Without a case it says so; a case that there is not is not found."""
    page = ann.get("/log/fairness").text
    assert "No case was opened yet" in page
    token = csrf(page)
    assert ann.post("/log/fairness", data={"_csrf": token, "case": ""}).status_code == 422
    assert ann.post("/log/fairness", data={"_csrf": token, "case": "none"}).status_code in {
        403,
        404,
    }


def test_pages_go_back_to_the_beginning(at: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every act once, in whatever windows; what is rare is found further back."""
    at.enrol("ann", "auditor")
    grown(at, 30)
    ctx = at.ctx("ann")
    monkeypatch.setattr(explorer, "PAGE", 4)
    monkeypatch.setattr(explorer, "WINDOW", 3)
    monkeypatch.setattr(explorer, "WINDOWS_MAX", 2)
    seen, before = list[int](), None
    while True:
        page = explorer.acts(ctx, Wanted(View.REFUSED, before=before))
        seen += [one.index for one in page.acts]
        if page.further is None:
            break
        before = page.further
    assert seen == sorted(range(1, 30, 2), reverse=True)
    with pytest.raises(Invalid):
        explorer.acts(ctx, Wanted(kind="nothing"))
    at.enrol("dora", "developer")
    with pytest.raises(Denied):
        explorer.acts(at.ctx("dora"), Wanted())


def test_two_sizes_have_a_proof_once_the_larger_is_signed(at: House, ann: TestClient) -> None:
    """Of one size with itself it is empty."""
    with pytest.raises(NotFound):
        explorer.consistency(at.ctx("ann"), 1, 10**6)
    assert json.loads(ann.get("/log/consistency?old=1&new=1").text)["hashes"] == []
