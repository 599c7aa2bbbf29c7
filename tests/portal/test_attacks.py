"""Attacks on the portal, each tried: what a page of elsewhere, a stranger or a hostile text can do here."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from typing_extensions import override

from identity.people import HERE, PASSWORD, application
from leadline.app import sign_in
from leadline.app.sign_in import csrf_of
from leadline.http.api.caller import COOKIE
from leadline.http.pages.frame import local
from portal.examples import Example, examples, filled, world
from portal.world import EVERYONE, Model, World

ORIGIN = "https://localhost:8443"
HOSTILE = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>{{7*7}}"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """The world, built once."""
    return world(tmp_path_factory)


@pytest.fixture
def at(made: Model, tmp_path: Path) -> Iterator[World]:
    """A world of a test's own."""
    with made.copied(tmp_path / "copy") as found:
        yield found


def browser(at: World, person: str = "", **headers: str) -> TestClient:
    """A browser in which that person is signed in."""
    client = TestClient(
        application(at.at.portal),
        base_url=ORIGIN,
        headers={"origin": ORIGIN, **headers},
        follow_redirects=False,
    )
    if person:
        client.cookies.set(COOKIE, at.tokens[person])
    return client


def attempt(at: World, person: str, token: str, origin: str | None) -> int:
    """What comes of a form that ends the person's password, sent with this token from this origin."""
    client = browser(at, person)
    del client.headers["origin"]
    headers = {} if origin is None else {"origin": origin}
    sent = {"_csrf": token, "password": "another long sentence"}
    return client.post("/account/password", data=sent, headers=headers).status_code


def test_a_page_of_elsewhere_changes_nothing(at: World) -> None:
    """Without the token, with another session's, from another origin, from none, from a sandbox."""
    own, other = csrf_of(at.tokens["auditor"]), csrf_of(at.tokens["evaluator"])
    assert attempt(at, "auditor", "", ORIGIN) == 403
    assert attempt(at, "auditor", other, ORIGIN) == 403
    for origin in ("https://evil.example", "null", "https://localhost:8443.evil.example", "http://localhost:8443", None):  # fmt: skip
        assert attempt(at, "auditor", own, origin) == 403, origin
    assert attempt(at, "auditor", own, ORIGIN) == 303


def test_every_post_of_a_page_asks_for_the_token(at: World) -> None:
    """Whoever is signed in, and whatever the form: without the token nothing is done."""
    app = application(at.at.portal)
    unsessioned = {"/sign-in", "/invitation"}
    for key, one in examples().items():
        method, _, route = key.partition(" ")
        if method != "POST" or route.startswith("/api/") or not (one.roles & set(EVERYONE)):
            continue
        person = min(one.roles & set(EVERYONE))
        client = TestClient(
            app, base_url=ORIGIN, headers={"origin": "https://evil.example"}, follow_redirects=False
        )
        client.cookies.set(COOKIE, at.tokens[person])
        before = size(at)
        answer = client.post(filled(one.path, at.ids), data=form_of(at, one))
        assert answer.status_code == 403, (key, answer.status_code)
        assert size(at) == before, key
        client.headers["origin"] = ORIGIN
        if not any(route.startswith(prefix) for prefix in unsessioned) and needs_session(key):
            answer = client.post(filled(one.path, at.ids), data=form_of(at, one))
            assert answer.status_code == 403, (key, answer.status_code)
            assert size(at) == before, key


def needs_session(key: str) -> bool:
    """Whether nobody without a session may send it: the token is for those alone."""
    return "nobody" not in examples()[key].roles


def form_of(at: World, one: Example) -> dict[str, str | list[str]]:
    """The form of an example, without a token."""
    given = {
        name: filled(value, at.ids) if isinstance(value, str) else list(value)
        for name, value in one.form.items()
    }
    return {"_once": "", **given}


def size(at: World) -> int:
    """How many acts there are."""
    with at.at.door.parts.store.read() as view:
        return view.log_size()


def test_a_session_that_was_planted_is_not_taken_over(at: World) -> None:
    """Signing in gives a new secret; whoever planted the old one, or one of its own making, has nothing."""
    planted = "session-00000000000000000000000000000000.planted"
    client = browser(at)
    client.cookies.set(COOKIE, planted)
    client.post("/sign-in", data={"name": "auditor", "password": PASSWORD, "next": "/"})
    jar = client.cookies.jar
    fresh = [one.value for one in jar if one.name == COOKIE and one.value != planted]
    assert fresh
    again = browser(at)
    again.cookies.set(COOKIE, planted)
    assert again.get("/account").status_code == 303
    # A step up ends the session before it: its secret is worth nothing any more.
    first = at.at.door.by_password("evaluator", PASSWORD, HERE)
    stepped = at.at.door.by_password("evaluator", PASSWORD, HERE, first.session)
    assert stepped.token != first.token
    assert at.at.door.session(first.token) is None


def test_the_cookie_is_bound_to_this_host(at: World) -> None:
    """Secure, out of scripts' reach, of the whole host and of no other, and not sent along by others."""
    client = browser(at)
    answer = client.post("/sign-in", data={"name": "auditor", "password": PASSWORD, "next": "/"})
    words = {word.strip().casefold() for word in answer.headers["set-cookie"].split(";")}
    assert answer.headers["set-cookie"].startswith("__Host-")
    assert {"secure", "httponly", "path=/", "samesite=lax"} <= words
    assert not any(word.startswith("domain") for word in words)


@pytest.mark.parametrize(
    "to",
    [
        "//evil.example",
        "https://evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "javascript:alert(1)",
        "/%0d%0aSet-Cookie:x=y",
        "/\r\nSet-Cookie: x=y",
        "data:text/html,x",
        " //evil.example",
    ],
)
def test_nobody_is_led_elsewhere_and_no_header_is_added(at: World, to: str) -> None:
    """After signing in, at the first page or at an address of this portal, with no header of the sender's."""
    client = browser(at)
    answer = client.post("/sign-in", data={"name": "auditor", "password": PASSWORD, "next": to})
    place = answer.headers["location"]
    assert answer.status_code == 303
    assert place.startswith("/")
    assert not place.startswith(("//", "/\\"))
    assert len(answer.headers.get_list("set-cookie")) == 1
    assert not re.search(r"[\r\n\t]", place)
    shown = client.get("/sign-in", params={"next": to}).text
    assert f'value="{local(to)}"' in shown.replace("&amp;", "&")


def test_a_header_or_a_field_does_not_change_the_method(at: World) -> None:
    """A GET stays a GET; a POST that calls itself DELETE is a POST."""
    client = browser(at, "auditor")
    before = size(at)
    for name in ("X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"):
        assert client.get("/account", headers={name: "DELETE"}).status_code == 200
    path = f"/account/sessions/{at.ids['session']}/end"
    assert client.get(path).status_code == 405
    assert client.get(f"{path}?_method=POST").status_code == 405
    assert client.put("/account").status_code == 405
    assert size(at) == before


def test_a_second_cookie_of_the_name_opens_nothing(at: World) -> None:
    """Two cookies of one name: at most one counts, and neither with the other's token."""
    client = browser(at)
    token = at.tokens["auditor"]
    both = {"cookie": f"{COOKIE}={token}; {COOKIE}=planted"}
    assert client.get("/account", headers=both).status_code in {200, 303}
    planted = {"cookie": f"{COOKIE}=planted; {COOKIE}={at.tokens['evaluator']}"}
    sent = {"_csrf": csrf_of(token), "password": "another long sentence"}
    assert client.post("/account/password", data=sent, headers=planted).status_code == 403


def test_a_revoked_session_ends_with_the_next_request(at: World) -> None:
    """Ended by its owner, by an administrator, by suspension, by the end of access."""
    client = browser(at, "evaluator")
    assert client.get("/account").status_code == 200
    sign_in.revoke(at.ctx("administrator"), at.ids["session"])
    assert client.get("/account").status_code == 303
    client = browser(at, "auditor")
    client.post("/sign-out", data={"_csrf": csrf_of(at.tokens["auditor"])})
    client.cookies.set(COOKIE, at.tokens["auditor"])
    assert client.get("/account").status_code == 303


def test_no_page_is_framed_and_none_is_kept(at: World) -> None:
    """Clickjacking and sniffing: on pages, on faults, on the API, signed in or not."""
    client = browser(at, "administrator")
    for path in ("/", "/account", "/admin/people", "/nowhere", "/api/v1/session", "/sign-in"):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy, path
        assert "unsafe" not in policy, path
        assert headers["x-content-type-options"] == "nosniff", path
        assert headers["cache-control"] == "no-store", path
        assert headers["cross-origin-opener-policy"] == "same-origin", path


def normal(answer: Response) -> str:
    """An answer without what is random in each, and without the address that was asked for."""
    text = re.sub(r'(?<=name="_once" value=")[^"]*', "", answer.text)
    return f"{answer.status_code} {text}"


@pytest.mark.parametrize(
    "kind", ["engagements/{engagement}", "cases/{case}", "admin/people/{person}"]
)
def test_what_is_hidden_answers_as_what_is_not_there(at: World, kind: str) -> None:
    """Byte for byte, for a stranger who guesses, and with as many acts left behind."""
    for person in ("rival", "other-operator", "other-maintainer"):
        client, left = browser(at, person), list[int]()
        answers = []
        for ids in (at.ids, {name: f"{value[:-2]}zz" for name, value in at.ids.items()}):
            before = size(at)
            answers.append(normal(client.get("/" + kind.format_map(ids))))
            left.append(size(at) - before)
        assert answers[0] == answers[1], person
        assert answers[0].startswith(("403", "404")), person
        assert left[0] == left[1], (person, left)


def test_names_of_accounts_are_not_found_out(at: World) -> None:
    """An unknown name and a wrong password answer in the same words, and so do codes."""
    client = browser(at)
    wrong = [
        normal(client.post("/sign-in", data={"name": name, "password": "not the password"}))
        for name in ("auditor", "nobody-of-that-name")
    ]
    assert wrong[0] == wrong[1].replace("nobody-of-that-name", "auditor")
    codes = [normal(client.post("/invitation", data={"code": code})) for code in ("a" * 43, "b")]
    assert codes[0].split()[0] == codes[1].split()[0] == "401"


class Elements(HTMLParser):
    """The elements and attributes of a page, and the addresses it names."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.wrong = list[str]()

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "script" and not (given.get("src") or "").startswith("/static/"):
            self.wrong.append(f"script {attrs}")
        if tag in {"img", "iframe", "object", "embed", "svg", "style", "base"} and (
            tag != "img" or not re.match(r"/(?!/)|data:image/", given.get("src") or "")
        ):
            self.wrong.append(f"{tag} {attrs}")
        for name, value in attrs:
            if name.startswith("on") or name == "style":
                self.wrong.append(f"{tag} {name}")
            where = (value or "").strip().casefold()
            if name in {"href", "src", "action", "formaction"} and where.startswith(
                ("javascript:", "vbscript:", "data:text")
            ):
                self.wrong.append(f"{tag} {name}={value}")


def test_a_hostile_text_stays_text(at: World) -> None:
    """In every text field of every example's form, then on every page as everybody who may see it."""
    client = browser(at)
    for key, one in examples().items():
        method, _, route = key.partition(" ")
        mine = sorted(one.roles & set(EVERYONE))
        if method == "POST" and not route.startswith("/api/") and mine:
            poison(at, client, one, mine[0])
    for key, one in examples().items():
        if key.startswith("GET /") and not key.startswith("GET /api/"):
            for person in sorted(one.roles & set(EVERYONE))[:3]:
                client.cookies.clear()
                client.cookies.set(COOKIE, at.tokens[person])
                looked_at(client.get(filled(one.path, at.ids)), f"{key} as {person}")


SAFE = frozenset({"scope", "until", "clearance", "roles", "request", "engagement", "name", "act"})


def poison(at: World, client: TestClient, one: Example, person: str) -> None:
    """Send the form with a hostile text in every text of it: all at once, then one by one."""
    if one.path.startswith(("/sign-out", "/account/sessions")) or "/suspensions" in one.path:
        return
    client.cookies.clear()
    client.cookies.set(COOKIE, at.tokens[person])
    plain = form_of(at, one)
    token = {"_csrf": csrf_of(at.tokens[person])}
    changed = {
        name: f"{value}{HOSTILE}" if isinstance(value, str) and name not in SAFE else value
        for name, value in plain.items()
    }
    every = {name: HOSTILE if isinstance(value, str) else value for name, value in plain.items()}
    for form in (every, changed):
        path = filled(one.path, at.ids)
        looked_at(client.post(path, data={**form, **token}), f"POST {path}")


def policy(answer: Response) -> str:
    """What a browser lets the page do."""
    return str(answer.headers.get("content-security-policy", ""))


def looked_at(answer: Response, where: str) -> None:
    """No element, attribute or address of a page was made from data; what is sandboxed is another origin."""
    if re.search(r"(^|; *)sandbox( allow-scripts)?(;|$)", policy(answer)):
        return
    if not answer.headers.get("content-type", "").startswith("text/html"):
        return
    page = Elements()
    page.feed(answer.text)
    assert not page.wrong, (where, page.wrong)
    assert "<script>alert" not in answer.text, where
    assert "onerror=alert(2)>" not in answer.text.replace("&gt;", ">") or "&lt;img" in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/sign-in?next=%22%3E%3Cscript%3Ealert(1)%3C/script%3E",
        "/invitation?code=%22%3E%3Cscript%3Ealert(1)%3C/script%3E",
        "/admin/people?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E",
        "/admin/why?person=%3Cscript%3E&action=%3Cscript%3Ealert(1)&thing=%22onmouseover=alert(1)",
        "/?said=%3Cscript%3Ealert(1)%3C/script%3E",
        "/nowhere/%3Cscript%3Ealert(1)%3C/script%3E",
        "/sign-in/provider?code=%22%3E%3Cscript%3Ealert(1)%3C/script%3E",
    ],
)
def test_what_an_address_says_is_not_carried_out(at: World, path: str) -> None:
    """Reflected texts are texts."""
    looked_at(browser(at, "administrator").get(path), path)


def test_an_upload_is_bounded(at: World) -> None:
    """A body above the cap, a length that is no number, a form with too many fields or files."""
    client = browser(at, "auditor")
    token = csrf_of(at.tokens["auditor"])
    large = {"_csrf": token, "password": "x" * 300_000}
    assert client.post("/account/password", data=large).status_code == 413
    many = {"_csrf": token, **{f"f{number}": "x" for number in range(1_100)}}
    assert client.post("/account/password", data=many).status_code in {400, 413, 422}
    files = [("files", (f"{number}", b"x")) for number in range(30)]
    assert client.post("/account/password", data={"_csrf": token}, files=files).status_code in {400, 413, 422}  # fmt: skip
    odd = {"content-type": "application/json"}
    assert client.post("/account/password", content=b"{}", headers=odd).status_code == 422
    told = {"content-length": "-1", "content-type": "application/x-www-form-urlencoded"}
    assert client.post("/account/password", content=b"", headers=told).status_code in {400, 413}


@pytest.mark.parametrize(
    "name", ["../../../etc/passwd", "a\r\nX-Injected: 1", "\u202egpj.exe", "a" * 5_000]
)
def test_the_name_of_a_file_is_data(at: World, name: str) -> None:
    """It names nothing on this machine, and becomes no header."""
    client = browser(at, "auditor")
    files = {"password": (name, b"x")}
    answer = client.post("/account/password", data={"_csrf": csrf_of(at.tokens["auditor"])}, files=files)  # fmt: skip
    assert answer.status_code in {400, 422}
    assert "x-injected" not in answer.headers
    looked_at(answer, name)
