"""A coordinator in a real browser: from two reports to a published advisory, with 121 vendors."""

import zipfile
from base64 import b64encode

import pytest

from identity.people import HERE
from leadline.app import evidence, sign_in
from leadline.core.access import Bounds
from leadline.core.clearing.evidence import Claim, EvidenceEdge
from leadline.core.clearing.finding import Finding, ReplayResult
from leadline.core.marking import Marking, Tlp
from leadline.http.api.caller import COOKIE
from portal.web import Web
from reporting import as_bytes

pytestmark = pytest.mark.browser

VENDORS = 121
MAKE_PASSKEY = """async (options) => {
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
  return JSON.stringify((await navigator.credentials.create({publicKey})).toJSON());
}"""


def signed_in(web: Web, person: str) -> None:
    """A session with two factors, in this browser."""
    at = web.at
    at.password(person)
    key = at.key(person)
    made, to_sign, _ = at.door.challenge()
    first = at.signed_in(person).session
    token = sign_in.by_key(at.door.nobody(), made.id, key.sign(to_sign), HERE, first).token
    web.context.add_cookies(
        [
            {
                "name": COOKIE,
                "value": token,
                "url": web.origin.replace("http:", "https:"),
                "secure": True,
            }
        ]
    )


def passkey(web: Web, person: str) -> None:
    """A passkey of the person's, made by this browser."""
    token = next(one["value"] for one in web.context.cookies() if one["name"] == COOKIE)
    acting = web.at.door.acting(token)
    made, options = web.at.door.ask_passkey(acting)
    answer = web.page.evaluate(MAKE_PASSKEY, dict(options))
    web.at.door.add_passkey(acting, made.id, answer)
    assert acting.ctx.principal.id == person


def reports() -> bytes:
    """Two reports of one flaw, by two tools, as lines of JSON."""
    proof = {
        "base64": b64encode(b"A" * 9).decode(),
        "oracle": "AddressSanitizer: heap-buffer-overflow",
    }
    common = {"component": "pkg:pypi/libexample@2.1", "weakness": "CWE-787", "reproducer": proof}
    first = as_bytes(
        title="Heap overflow in patch() on a negative length", found={"by": "ai"}, **common
    )
    second = as_bytes(
        title="patch() writes before its buffer",
        found={"by": "tool", "name": "libFuzzer"},
        **common,
    )
    return first + b"\n" + second.replace(b"QUFBQUFB", b"QUFBQUFC") + b"\n"  # fmt: skip


def replayed(web: Web) -> None:
    """What replaying the reports in a sandbox leaves: a result each, and what the rules propose."""
    ctx = web.at.ctx("cora")
    with web.at.door.parts.store.write() as tx:
        ids = sorted(row.id for row in tx.find(Finding))
        for one in ids:
            result = ReplayResult(one, (True,) * 5, (), "a" * 64)
            bounds = Bounds(case="intake", owner="cora")
            tx.put(f"{one}/replay", result, marking=Marking(Tlp.RED), bounds=bounds)
    edge = EvidenceEdge(
        ids[0], ids[1], 3, Claim.POSSIBLE, "c" * 64, "cora", ctx.now, "crash-places/2"
    )
    evidence.add_edge(ctx, edge)


def intake(web: Web) -> None:
    """Two reports come in as one file and are seen to be one flaw."""
    page = web.goto("/reports")
    web.check("coordinator-empty")
    page.get_by_label("A file with one report or many").set_input_files(
        {"name": "found.jsonl", "mimeType": "application/json", "buffer": reports()}
    )
    page.get_by_role("button", name="Hand in").click()
    assert "2 reports taken in" in page.inner_text("h1")
    web.check("coordinator-receipts")
    replayed(web)
    page.get_by_role("link", name="To the reports").click()
    web.check("coordinator-reports")
    page.get_by_role("link", name="Heap overflow in patch() on a negative length").click()
    assert "confirmed" in page.inner_text("main")
    web.check("coordinator-report")
    web.goto("/groups")
    web.check("coordinator-groups-proposed")
    page.get_by_label("What you saw").fill("The same check is missing; one change repairs both.")
    page.get_by_role("button", name="Confirm: one flaw").click()
    web.check("coordinator-groups")
    page.get_by_role("link", name="Open a case with these").click()


def case(web: Web) -> str:
    """A case with 121 vendors, from a list as a spreadsheet copies it; answers its address."""
    page = web.page
    page.get_by_label("What it is about").fill("libexample: a write before a buffer")
    page.locator('input[value="leadline-default"]').check()
    web.check("coordinator-case-form")
    page.get_by_role("button", name="Open the case").click()
    web.check("coordinator-case-empty")
    here = page.url.partition("?")[0]
    page.get_by_role("link", name="Add vendors").click()
    rows = "\n".join(
        f"Vendor {n:03d},security@vendor-{n:03d}.example" for n in range(1, VENDORS + 1)
    )
    page.get_by_label("One vendor a line: name, contact").fill(f"Name,Contact\n{rows}")
    page.locator('input[name="list-role"][value="owner"]').check()
    web.check("coordinator-parties")
    page.get_by_role("button", name="Add all of them").click()
    assert "121 vendors" in page.inner_text("main")
    return here


def notices(web: Web, here: str) -> None:
    """A message for each vendor, written at once, taken away, and marked as sent."""
    page = web.goto(here.removeprefix(web.origin) + "/drafts")
    page.get_by_role("button", name="Write a message for each of them").click()
    assert "121 messages written and not sent" in page.inner_text("main")
    web.check("coordinator-messages")
    with page.expect_download() as taken:
        page.get_by_role("link", name="Take all of them away").click()
    with zipfile.ZipFile(taken.value.path()) as archive:
        assert len(archive.namelist()) == VENDORS
        assert "pkg:pypi/libexample@2.1" in archive.read(archive.namelist()[0]).decode()
    page.get_by_role("link", name="Read the message to security@vendor-001.example").click()
    web.check("coordinator-message")
    page.get_by_role("link", name="All messages of the case").click()
    page.get_by_label("When").fill(web.at.clock.now.strftime("%Y-%m-%dT%H:%M"))
    page.get_by_label("Where from").fill("the clearinghouse's mailbox")
    page.get_by_role("button", name="Put on record that I sent them").click()
    assert "121 messages sent" in page.inner_text("main")


def answers(web: Web, here: str) -> None:
    """One vendor answers; a month later the others are silent, and stand first."""
    page = web.goto(here.removeprefix(web.origin))
    page.get_by_role("link", name="Vendor 007").click()
    page.get_by_label("Its products are").select_option("affected")
    page.get_by_label("Where it said so").fill("its mail of this morning")
    web.check("coordinator-party")
    page.get_by_role("button", name="Put on record").first.click()
    web.at.clock.forward(days=20)
    signed_in(web, "cora")
    page = web.goto(here.removeprefix(web.origin) + "/parties")
    page.get_by_role("button", name="Renew it for 30 days").click()
    web.at.clock.forward(days=11)
    signed_in(web, "cora")
    page = web.goto(here.removeprefix(web.origin))
    assert "120 parties are silent" in page.inner_text("main")
    web.check("coordinator-case")
    web.goto(here.removeprefix(web.origin) + "/timeline")
    web.check("coordinator-timeline")
    web.goto(here.removeprefix(web.origin) + "/dates")
    web.check("coordinator-dates")


def publication(web: Web, here: str) -> None:
    """It becomes public elsewhere; the advisory is signed with a passkey and published."""
    place = here.removeprefix(web.origin)
    page = web.goto(place + "/events")
    page.get_by_label("What happened").select_option("public-elsewhere")
    page.locator("#field-evidence-file").set_input_files(
        {"name": "page.html", "mimeType": "text/html", "buffer": b"a page that tells of it"}
    )
    web.check("coordinator-events")
    page.get_by_role("button", name="Put on record").click()
    page = web.goto(place + "/advisories")
    web.check("coordinator-advisories")
    page.get_by_label("The repaired release").fill("pkg:pypi/libexample@2.2")
    page.get_by_role("button", name="Draft", exact=True).click()
    web.check("coordinator-advisory-draft")
    page.get_by_role("button", name="Publish, and sign it").click()
    web.check("coordinator-sign")
    page.get_by_role("button", name="Sign with a passkey, and do it").click()
    page.get_by_text("It is public in").wait_for()
    web.check("coordinator-advisory")


def boards(web: Web, here: str) -> None:
    """What is left to look at over all cases."""
    place = here.removeprefix(web.origin)
    for path, name in (
        ("/cases", "board"),
        ("/fixes", "fixes"),
        ("/priority", "priority"),
        ("/drafts", "drafts"),
        ("/operators", "operators"),
        ("/projects", "contacts"),
        ("/leases", "leases"),
        ("/relayed-cases", "elsewhere"),
        (place + "/fixes", "case-fixes"),
        (place + "/notices", "case-notices"),
        (place + "/priority", "case-urgency"),
        (place + "/relay", "case-relay"),
    ):
        web.goto(path)
        web.check(f"coordinator-{name}")


def test_from_two_reports_to_an_advisory(web: Web) -> None:
    """Intake, group, case, 121 vendors, messages, one answer, silence, advisory, boards."""
    web.at.enrol("cora", "coordinator", cases=frozenset({"intake"}), engagements=frozenset())
    web.authenticator()
    web.goto("/")
    signed_in(web, "cora")
    passkey(web, "cora")
    intake(web)
    here = case(web)
    notices(web, here)
    answers(web, here)
    publication(web, here)
    boards(web, here)
