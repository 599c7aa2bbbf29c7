"""Forms made to cost: encodings that take minutes, bodies of nobody, large files of many at once."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from identity.people import House, application, house
from leadline.http.api import coming, shell
from leadline.http.pages import frame
from leadline.wiring import check

ORIGIN = "https://localhost:8443"
LIST = b"maker;model;firmware\nAcme;PX-300;4.60\n"


@pytest.fixture
def at(tmp_path: Path) -> Iterator[House]:
    """An installation with nobody in it."""
    with house(tmp_path) as found:
        yield found


@pytest.fixture
def client(at: House) -> TestClient:
    """A browser in which nobody is signed in."""
    return TestClient(application(at.portal), base_url=ORIGIN, headers={"origin": ORIGIN})


def multipart(field: bytes, charset: str) -> tuple[bytes, dict[str, str]]:
    """A form with one field, and the header that names its encoding."""
    body = b'--x\r\ncontent-disposition: form-data; name="list"\r\n\r\n' + field + b"\r\n--x--\r\n"
    return body, {"content-type": f"multipart/form-data; boundary=x{charset}"}


@pytest.mark.parametrize("path", ["/check", "/sign-in", "/invitation", "/sealed"])
@pytest.mark.parametrize(
    "charset", ["; charset=punycode", '; CHARSET="idna"', "; charset =punycode", "; charset=utf-7"]
)
def test_a_form_is_in_utf8(client: TestClient, path: str, charset: str) -> None:
    """Whatever codec its sender names: 200,000 bytes of Punycode alone take seconds, and a megabyte a minute."""
    body, headers = multipart(b"x" * 100_000 + b"-" + b"a" * 100_000, charset)
    began = time.process_time()
    answer = client.post(path, content=body, headers=headers)
    assert answer.status_code == 415, answer.text
    assert time.process_time() - began < 1


@pytest.mark.parametrize("charset", ["", "; charset=utf-8", '; charset="UTF-8"'])
def test_a_form_that_says_utf8_is_taken(client: TestClient, charset: str) -> None:
    """Or says nothing, as browsers do."""
    assert client.post("/check", content=multipart(LIST, charset)[0], headers=multipart(b"", charset)[1]).status_code == 200  # fmt: skip


def test_of_nobody_no_large_body_is_read(at: House) -> None:
    """Asked to sign in first, before a byte is read, where pages take files from people."""
    app = application(at.portal)
    for path in ("/sealed", "/reports", "/cases/a/advisories", "/engagements/a/weights/looks"):
        for length in ([(b"content-length", b"%d" % (shell.BODY_BYTES_MAX + 1))], []):
            assert status(app, path, length) == 401, path


def status(app: Any, path: str, length: list[tuple[bytes, bytes]]) -> int:
    """What is answered to a form of which nothing ever comes."""
    told = list[int]()

    async def receive() -> dict[str, object]:
        raise AssertionError(f"{path} was read")

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            told.append(message["status"])

    head = [
        (b"host", b"localhost:8443"),
        (b"origin", ORIGIN.encode()),
        (b"content-type", b"multipart/form-data; boundary=x"),
        *length,
    ]
    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "scheme": "https",
        "http_version": "1.1",
        "headers": head,
        "client": ("127.0.0.1", 1),
        "server": ("localhost", 8443),
    }
    asyncio.run(app(scope, receive, send))
    return told[0]


def test_large_files_are_read_for_a_few_at_once(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever comes while others are read is told to come later; a short list never waits."""
    turns = coming.Turns(most=1, each=1)
    monkeypatch.setattr(frame, "LARGE", turns)
    large = LIST + b"Acme;PX-300;4.60\n" * (frame.LARGE_BYTES // 16)
    for data, due in ((LIST, 200), (large, 503)):
        with turns.of(""):
            answer = client.post("/check", files={"file": ("list.csv", data)})
        assert answer.status_code == due
    monkeypatch.setattr(check, "BYTES_MAX", len(LIST))
    assert client.post("/check", files={"file": ("list.csv", large)}).status_code != 503
    assert turns._held.total() == 0


def test_a_form_without_files_is_short(client: TestClient) -> None:
    """Its fields are decoded on the loop that everybody waits for."""
    kind = {"content-type": "application/x-www-form-urlencoded"}
    long = b"list=" + b"%20" * (frame.FIELDS_BYTES_MAX // 3)
    assert client.post("/check", content=long, headers=kind).status_code == 422
    assert client.post("/check", content=iter([b"list=x"]), headers=kind).status_code == 422
    assert client.post("/check", data={"list": LIST.decode()}).status_code == 200
