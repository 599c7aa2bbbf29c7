"""The public check of a list: answered at once, kept nowhere, and blind for what is not public."""

import re
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from html import unescape
from pathlib import Path
from threading import BoundedSemaphore

import pytest

import clearing_values as values
from app.test_embargoed_matching import Counted, secret
from identity.people import House, application
from inline import TestClient
from leadline.app import check, match
from leadline.app.assets import Words
from leadline.app.match import read_inventory
from leadline.core.access import Bounds
from leadline.core.clearing.product import Inventory
from leadline.core.marking import Marking, Tlp
from leadline.http.pages import check as page_module
from leadline.wiring import check as wiring
from workbooks import Cell, packed, parts, sheet

NOTHING = check.Shelved(match.Feed(), Words({}))
ORIGIN = "https://localhost:8443"
LIST = (
    "Software;Version;Package manager;Where\n"
    "ujson;5.1.0;PyPI;Ward A\n"
    "ujson;5.4.0;PyPI;Ward B\n"
    "<script>alert(1)</script>;1.0;;Ward C\n"
)
DEVICES = (
    "Manufacturer,Model,Firmware,Location\n"
    "Example Company,Pump Controller 3000,1.0,Pump house\n"
    "Example Company,Pump Controller 3000,,Well\n"
)


@pytest.fixture
def client(at: House) -> TestClient:
    """A browser that follows nothing by itself; ujson is known to be flawed."""
    with at.door.parts.store.write() as tx:
        tx.put("ADV-1", values.advisory(), marking=Marking(Tlp.CLEAR))
    return TestClient(
        application(at.portal), base_url=ORIGIN, headers={"origin": ORIGIN}, follow_redirects=False
    )


def state(folder: Path) -> dict[str, bytes]:
    """Every file of the installation but the database's own, whose rows are counted apart."""
    return {
        str(path.relative_to(folder)): sha256(path.read_bytes()).digest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith("leadline.db")
    }


def test_a_pasted_list_is_answered_at_once(client: TestClient) -> None:
    """By place: what, tonight, then, why; and every status as a word."""
    page = client.post("/check", data={"list": LIST, "exposed": "no", "call": "Extension 4711"})
    assert page.status_code == 200
    text = " ".join(re.sub(r"<[^>]+>", " ", page.text).split())
    assert "1 line of your list is affected" in text
    assert "Ward A: 1 device needs work tonight" in text
    assert "Replace ujson by 5.2.0 or a later release." in text
    assert "CVE-2021-45958" in text
    assert "Extension 4711" in text
    assert "Ward C: something to find out" in text
    assert "This list is not kept" not in text
    assert "Your list was not kept" in text
    assert "<script>alert" not in page.text
    assert "&lt;script&gt;alert(1)" in page.text


def test_a_file_and_a_packages_list(client: TestClient) -> None:
    """CycloneDX by a file; SPDX and XML say what they are."""
    bom = (
        b'{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"type":"library",'
        b'"name":"ujson","version":"5.1.0","purl":"pkg:pypi/ujson@5.1.0"}]}'
    )
    page = client.post("/check", files={"file": ("list.json", bom)}, data={"list": ""})
    assert "1 line of your list is affected" in page.text
    other = client.post("/check", files={"file": ("list.xml", b"<bom/>")})
    assert other.status_code == 422
    assert "export the inventory as CycloneDX JSON" in other.text


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ({"list": ""}, "is missing; fill it in"),
        ({"list": "name,version\n"}, "lists nothing"),
        ({"list": LIST, "exposed": "perhaps"}, "is one of: yes, no, unknown"),
        ({"list": "x", "carried": "%%%"}, "did not come back whole"),
        ({"list": "{"}, "CycloneDX JSON, SPDX 2 or a table"),
    ],
)
def test_what_is_wrong_is_said_beside_the_field(
    client: TestClient, form: dict[str, str], told: str
) -> None:
    """422, and what was pasted is still there."""
    page = client.post("/check", data=form)
    assert page.status_code == 422
    assert told in page.text
    assert 'name="list"' in page.text


def test_unclear_columns_are_asked_about_once(client: TestClient) -> None:
    """A form with the headings; what it says counts, and goes along from then on."""
    unclear = "Dings,Bums,Wo\nujson,5.1.0,Keller\n"
    page = client.post("/check", data={"list": unclear})
    assert page.status_code == 200
    assert "What do your columns mean?" in page.text
    carried = re.search(r'name="carried" value="([^"]+)"', page.text)
    assert carried
    form = {"carried": carried[1], "name": "pasted.txt", "columns": "yes"}
    again = client.post("/check", data=form)
    assert again.status_code == 422
    assert "say which column holds the product" in again.text
    columns = {"column-name": "Dings", "column-version": "Bums", "column-site": "Wo"}
    done = client.post("/check", data=form | columns)
    assert "Keller: something to find out" in done.text
    assert 'name="column-site" value="Wo"' in done.text or "Questions" not in done.text


def pump(folder: Path) -> None:
    """A public advisory about a device, put beside the installation."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.joinpath("pump.json").write_text(PUMP)


PUMP = """{"document": {"category": "csaf_security_advisory", "csaf_version": "2.0",
"publisher": {"category": "coordinator", "name": "Example Agency", "namespace": "https://agency.example",
 "contact_details": "desk@agency.example"},
"title": "Example Company Pump Controller 3000", "notes": [{"category": "summary", "title": "Risk evaluation",
 "text": "An attacker could stop the pump."}],
"tracking": {"current_release_date": "2026-01-01T00:00:00Z", "id": "ICSA-26-001-01",
 "initial_release_date": "2026-01-01T00:00:00Z", "revision_history": [{"date": "2026-01-01T00:00:00Z",
 "number": "1", "summary": "First"}], "status": "final", "version": "1"}},
"product_tree": {"branches": [{"category": "vendor", "name": "Example Company", "branches": [
 {"category": "product_name", "name": "Pump Controller 3000", "branches": [
  {"category": "product_version_range", "name": "<2.0",
   "product": {"name": "Pump Controller 3000: <2.0", "product_id": "P1"}}]}]}]},
"vulnerabilities": [{"cve": "CVE-2026-0001", "product_status": {"known_affected": ["P1"]},
 "remediations": [{"category": "mitigation", "details": "Block port 80 at the firewall.", "product_ids": ["P1"]},
  {"category": "vendor_fix", "details": "Update to version 2.0 or later.", "product_ids": ["P1"]}]}]}"""


def test_a_question_is_answered_in_the_form(at: House, client: TestClient) -> None:
    """A near miss becomes yes or no; the answer stays in the form, a further answer changes it."""
    pump(at.folder / wiring.FOLDER)
    page = client.post("/check", data={"list": DEVICES})
    assert "Pump house: 1 device needs work tonight" in page.text
    assert "Block port 80 at the firewall." in page.text
    key = re.search(r'name="answer-([0-9a-f]{16})"', page.text)
    assert key
    carried = re.search(r'name="carried" value="([^"]+)"', page.text)
    assert carried
    form = {"carried": carried[1], "name": "pasted.txt", f"answer-{key[1]}": "yes"}
    yes = client.post("/check", data=form)
    assert "Well: 1 device needs work tonight" in yes.text
    no = client.post("/check", data=form | {f"answer-{key[1]}": "no"})
    assert "Well: 1 device" not in no.text
    release = client.post("/check", data=form | {f"release-{key[1]}": "2.4"})
    assert "Well: 1 device" not in release.text
    assert 'value="2.4"' in release.text


def test_nothing_is_kept(at: House, client: TestClient) -> None:
    """No act, no row, no file; also where it goes wrong."""
    client.post("/check", data={"list": LIST})
    store = at.door.parts.store

    def counted() -> tuple[int, Counter[str]]:
        with store.read() as view:
            kinds = Counter({str(kind): len(view.find(kind)) for kind in _kinds()})
            return view.log_size(), kinds

    before, files = counted(), state(at.folder)
    client.post("/check", data={"list": LIST})
    client.post("/check", data={"list": "{"})
    client.post("/check", files={"file": ("canary.csv", LIST.encode())})
    assert counted() == before
    assert state(at.folder) == files


def _kinds() -> list[type]:
    from leadline.wiring.home import KINDS

    return list(KINDS)


def test_a_long_list_is_chosen_again(
    client: TestClient, at: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is too long for the form is asked for once more; nothing of it is in the page."""
    pump(at.folder / wiring.FOLDER)
    monkeypatch.setattr(page_module, "CARRIED_MAX", 10)
    page = client.post("/check", data={"list": DEVICES})
    assert 'name="carried"' not in page.text
    assert "Choose the same file again" in page.text


def test_others_wait(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """A few at once; whoever comes then is told to try again, and nothing is lost."""
    monkeypatch.setattr(wiring, "_turns", BoundedSemaphore(1))
    with wiring._turn():
        page = client.post("/check", data={"list": LIST})
    assert page.status_code == 503
    assert client.post("/check", data={"list": LIST}).status_code == 200


def test_too_much_is_refused_before_it_is_read(client: TestClient) -> None:
    """64 MB and a little for the form."""
    told = {"content-length": str(wiring.BYTES_MAX + (2 << 20))}
    assert client.post("/check", content=b"", headers=told).status_code == 413


def test_without_anything_public_that_is_said(at: House) -> None:
    """An empty installation never reads as good news."""
    alone = TestClient(application(at.portal), base_url=ORIGIN, headers={"origin": ORIGIN})
    page = alone.post("/check", data={"list": LIST}).text
    assert "There is nothing to compare your list with" in page
    assert "not the same as good news" in page
    assert "No advisory here names anything" not in page


def text_of(page: str) -> str:
    """What a page says, without its marks."""
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def test_a_title_above_the_headings_is_no_all_clear(at: House, client: TestClient) -> None:
    """It is passed over; where nothing is named after all, the page says how it read the list."""
    pump(at.folder / wiring.FOLDER)
    titled = "Pumpen, Geräteliste;;;Stand: 03.11.2026;;\nNr.;Hersteller;Gerät / Typ;Softwarestand;Raum;X\n"
    found = client.post(
        "/check", data={"list": f"{titled}1;Example Company;Pump Controller 3000;1.0;OP;"}
    )
    assert "1 line of your list is affected" in found.text
    other = client.post(
        "/check", data={"list": "Maker,Model,Version,Site\nNobody,Thing 7,1.0,Ward A\n"}
    )
    text = text_of(other.text)
    assert "No advisory here names anything on your list" in text
    assert "That is no all-clear." in text
    assert (
        "The first lines as they were read Line What Version Place 2 Nobody Thing 7 1.0 Ward A"
        in text
    )
    assert "<details open><summary>How the list was read" in other.text
    assert "Named by no advisory here (1)" in text
    good = client.post(
        "/check",
        data={
            "list": DEVICES.split("\n", maxsplit=1)[0]
            + "\nExample Company,Pump Controller 3000,2.0,OP"
        },
    )
    assert "No line of your list is affected by the advisories here" in good.text


def test_how_new_the_advisories_are_stands_on_screen_and_paper(
    at: House, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newest day, when the sheet was made, and a warning where all of them are old."""
    pump(at.folder / wiring.FOLDER)
    text = text_of(client.post("/check", data={"list": DEVICES}).text)
    found = re.search(r"Held against (2 public advisories \([^)]*\)[^)]*\))\.", text)
    assert found
    assert "1 of Example Agency, the newest of 1 January 2026" in found[1]
    assert re.search(
        r"Written by Leadline on \d+ \w+ \d{4}, \d\d:\d\d UTC from your own list and "
        + re.escape(found[1]),
        text,
    )
    monkeypatch.setattr(wiring, "STALE", timedelta(days=40_000))
    assert "takes no part in this answer" not in client.post("/check", data={"list": DEVICES}).text
    monkeypatch.setattr(wiring, "STALE", timedelta(days=-40_000))
    late = text_of(client.post("/check", data={"list": DEVICES}).text)
    text = text_of(late)
    assert re.search(
        r"The newest advisory of .{3,60} here is of \d+ \w+ \d{4}\. What was published since", text
    )


def test_the_advisories_are_read_ahead(at: House) -> None:
    """What the first list would wait for lies ready, and is read no second time."""
    pump(at.folder / wiring.FOLDER)
    wiring.read_ahead(at.portal.home).join(60)
    before = wiring._shelved.cache_info().misses
    assert [one.id for one in wiring.imported(at.portal.home).feed.advisories] == ["ICSA-26-001-01"]
    assert wiring._shelved.cache_info().misses == before


def test_whose_advisories_in_words() -> None:
    """The three with the most; one without a name and without a date too."""

    def told(number: int, *sources: check.Source) -> str:
        return wiring.against(check.Checked(Inventory((), ()), (), {}, (), number, (), sources))

    assert told(0) == "0 public advisories"
    many = tuple(check.Source(name, 1, None) for name in ("", "a", "b", "c"))
    assert told(4, *many) == (
        "4 public advisories (1 of publishers who are not named; 1 of a; 1 of b; others)"
    )


def test_all_places_on_one_sheet(at: House, client: TestClient) -> None:
    """Where there are several; it says tonight, then, and what to find out."""
    pump(at.folder / wiring.FOLDER)
    page = client.post("/check", data={"list": DEVICES, "call": "Extension 4711"})
    text = text_of(page.text)
    assert "All places: 1 device needs work tonight" in text
    assert "Print the overview alone" in text
    assert (
        text.index("All places: 1")
        < text.index("Questions that settle")
        < text.index("Pump house: 1")
    )
    one = client.post("/check", data={"list": "\n".join(DEVICES.split("\n")[:2])})
    assert "All places" not in one.text


def test_a_workbook_is_read_as_it_is(at: House, client: TestClient) -> None:
    """A number that may have lost a zero is said on the page, and asked about."""
    pump(at.folder / wiring.FOLDER)
    rows: dict[int, list[Cell]] = {
        1: ["Maker", "Model", "Firmware", "Site"],
        2: ["Example Company", "Pump Controller 3000", ("1.1", "n", 0), "Pump house"],
    }
    data = packed(parts({"Devices": sheet(rows), "Legend": sheet({})}))
    page = client.post("/check", files={"file": ("list.xlsx", data)})
    assert page.status_code == 200
    assert "as 4.60 becomes 4.6" in unescape(page.text)
    assert "the other sheets were not: Legend" in page.text
    assert "Is the version of Example Company Pump Controller 3000" in page.text


def test_a_workbook_says_what_to_do(client: TestClient) -> None:
    """Whoever chooses an Excel file that cannot be read is told to copy its cells."""
    page = client.post("/check", files={"file": ("list.xlsx", b"PK\x03\x04" + bytes(100))})
    assert page.status_code == 422
    assert "copying its cells and pasting them does as well" in page.text


def test_a_list_without_headings_keeps_its_first_device(at: House, client: TestClient) -> None:
    """The tick goes along with the columns, and with the answers after them."""
    pump(at.folder / wiring.FOLDER)
    bare = "Example Company;Pump Controller 3000;1.0;Halle\nExample Company;Pump Controller 3000;;Ward\n"
    asked = client.post("/check", data={"list": bare})
    assert "My list has no line of headings" in asked.text
    carried = re.search(r'name="carried" value="([^"]+)"', asked.text)
    assert carried
    columns = {
        "column-maker": "Example Company",
        "column-model": "Pump Controller 3000",
        "column-version": "1.0",
        "column-site": "Halle",
    }
    form = {"carried": carried[1], "name": "pasted.txt", "columns": "yes", **columns}
    lost = client.post("/check", data=form)
    assert "Halle: 1 device needs work tonight" not in lost.text
    kept = client.post("/check", data=form | {"headless": "yes"})
    assert "Halle: 1 device needs work tonight" in kept.text
    assert '<input type="hidden" name="headless" value="yes">' in kept.text


def test_a_list_given_twice_is_not_guessed_at(client: TestClient) -> None:
    """Pasted and as a file: neither is dropped in silence."""
    page = client.post("/check", files={"file": ("a.csv", LIST.encode())}, data={"list": LIST})
    assert page.status_code == 422
    assert "is here twice, pasted and as a file" in page.text


def test_what_was_answered_stands_apart(at: House, client: TestClient) -> None:
    """An answer that says nothing is asked about anew, and not shown twice as open."""
    pump(at.folder / wiring.FOLDER)
    page = client.post("/check", data={"list": DEVICES})
    key = re.search(r'name="answer-([0-9a-f]{16})"', page.text)
    carried = re.search(r'name="carried" value="([^"]+)"', page.text)
    assert key
    assert carried
    form = {"carried": carried[1], "name": "pasted.txt"}
    said = {f"answer-{key[1]}": "", f"release-{key[1]}": "2.4"}  # as a browser sends both
    done = client.post("/check", data=form | said).text
    assert "Each is answered." in done
    assert done.index("What you answered (1)") < done.index('value="2.4"')


def embargoed(at: House) -> None:
    """Drafts of every careless kind, in a case that is not public."""
    with at.door.parts.store.write() as tx:
        for number, marking in enumerate((Tlp.AMBER_STRICT, Tlp.CLEAR, Tlp.RED)):
            held = secret(id=f"canary-draft-{number}", tlp=marking)
            tx.put(held.id, held, marking=Marking(marking), bounds=Bounds(case="case-secret"))


def test_what_is_under_embargo_changes_nothing(at: House, client: TestClient) -> None:
    """Byte for byte the same answers, errors and number of looks at the store."""
    names = ("canary-package", "ujson", "left-pad")
    lists = [
        f"name,version,source\n{name},2.0.0,{kind}\n" for name in names for kind in ("npm", "pypi")
    ]
    lists += ["{", "name,version\n"]

    def asked() -> tuple[list[bytes], Counter[str]]:
        answers = [client.post("/check", data={"list": one}).content for one in lists]
        answers = [re.sub(rb'name="_once" value="[^"]+"', b"", one) for one in answers]
        count = Counted(at.door.nobody().store)
        ctx = replace(at.door.nobody(), store=count)
        for one in lists[:-2]:
            check.check(ctx, read_inventory(one.encode(), "x", {}), NOTHING, {})
        return answers, count.asked

    before = asked()
    embargoed(at)
    after = asked()
    assert before == after
    assert all(b"canary-title" not in one for one in after[0])
