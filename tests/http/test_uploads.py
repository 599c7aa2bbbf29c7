"""Files over HTTP: streamed, bounded, counted once; senders that lie, stop, break off, or come twice at once."""

import socket
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

import make
from file_world import NOTE, ON, agreed, client_of, digest, furnished
from identity.people import PASSWORD, House, served, until
from leadline.app import intake
from leadline.client.uses import PREFIX
from leadline.core.engagement.submission import Fact, Origin, Part, Piece, Submission
from leadline.core.record.act import Kind
from leadline.formats.inquiry_toml import dump_submission
from leadline.http.api import coming, uploads


@pytest.fixture
def at(tmp_path: Path) -> Iterator[House]:
    """Two developers and an official; no terms yet."""
    with furnished(tmp_path) as found:
        yield found


@pytest.fixture
def client(at: House) -> TestClient:
    """The developer's."""
    return client_of(at, "dev")


def sent(
    client: TestClient, data: bytes, key: str, said: Mapping[str, str] | None = None, more: str = ""
) -> Response:
    """One upload."""
    answer: Response = client.post(
        f"{PREFIX}/uploads?{ON}&purpose=document&name=note.md{more}",
        content=data,
        headers={"idempotency-key": key, **(digest(data) if said is None else said)},
    )
    return answer


def test_an_upload_is_taken_once(at: House, client: TestClient) -> None:
    """Under one key one act; the answer is the same, and another file needs another key."""
    one, two = sent(client, NOTE, "k1"), sent(client, NOTE, "k1")
    assert (one.status_code, one.content) == (two.status_code, two.content) == (201, one.content)
    told = one.json()
    assert (told["digest"], told["bytes"]) == (sha256(NOTE).hexdigest(), len(NOTE))
    assert (told["purpose"], told["name"], told["content"]) == ("document", "note.md", "text")
    assert at.kinds().count(Kind.ARTEFACT_RECEIVED) == 1
    assert sent(client, NOTE + b"\n", "k1").status_code == 422
    assert sent(client, NOTE, "k2").status_code == 201


@pytest.mark.parametrize(
    ("data", "said", "more", "field"),
    [
        (NOTE, {}, "", "Content-Digest"),
        (NOTE, {"content-digest": "sha-256=:none:"}, "", "Content-Digest"),
        (NOTE, {"content-digest": f"sha-256=:{'=' * 44}:"}, "", "Content-Digest"),
        (NOTE, digest(b"other bytes"), "", "digest"),
        (b"", digest(b""), "", ""),
        (b"\0" * 64, digest(b"\0" * 64), "", ""),
        (b"import os\nos.system('x')\n" * 9, None, "&sealed=perhaps", "query.sealed"),
    ],
)
def test_what_is_not_taken_leaves_nothing(
    at: House,
    client: TestClient,
    data: bytes,
    said: Mapping[str, str] | None,
    more: str,
    field: str,
) -> None:
    """Refused with the place of the problem; the key is free, and no byte stays."""
    answer = sent(client, data, "k1", said, more)
    assert answer.status_code == 422, answer.text
    assert field in {"", answer.json()["field"]}
    assert at.kinds().count(Kind.ARTEFACT_RECEIVED) == 0
    assert not list((at.home.folder / "quarantine").glob("*"))
    assert sent(client, NOTE, "k1").status_code == 201


def test_another_party_hands_nothing_in(at: House) -> None:
    """As what there is not, with the same bytes, and before anything of the body is read."""
    rival = client_of(at, "rival")
    answer = sent(rival, NOTE, "k1")
    absent = rival.post(
        f"{PREFIX}/uploads?engagement=none&purpose=document",
        content=NOTE,
        headers={"idempotency-key": "k2", **digest(NOTE)},
    )
    hidden = [
        {k: v for k, v in one.json().items() if k != "request_id"} for one in (answer, absent)
    ]
    assert answer.status_code == absent.status_code == 404
    assert hidden[0] == hidden[1]
    form = {"pack": ("submission.toml", b"x" * 9)}
    for noun in ("submissions", "weights"):
        to = f"{PREFIX}/{noun}?{ON}"
        assert rival.post(to, files=form, headers={"idempotency-key": "k"}).status_code == 404
    assert at.kinds().count(Kind.ARTEFACT_REFUSED) == 0


def test_turns_end_with_the_sender(
    at: House, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of one organisation two at once, of all together as many as there are; then 503."""
    turns = coming.Turns(most=2, each=1)
    monkeypatch.setattr(uploads, "TURNS", turns)
    with turns.of(make.DEVELOPER):
        assert sent(client, NOTE, "k1").status_code == 503
    with turns.of("one"), turns.of("two"):
        assert sent(client, NOTE, "k1").status_code == 503
    assert sent(client, NOTE, "k1").status_code == 201


def test_two_at_once_under_one_key(at: House) -> None:
    """One is taken in; the other one is told that it is, or was."""

    def one(own: TestClient) -> int:
        return sent(own, NOTE, "k1").status_code

    clients = [client_of(at, "dev") for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        found = sorted(pool.map(one, clients))
    assert found in ([201, 201], [201, 409])
    assert at.kinds().count(Kind.ARTEFACT_RECEIVED) == 1


def test_a_disk_that_is_full_is_no_error_of_this_program(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Said in a problem document; the key is free."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(intake.Running, "fill", full)
    assert sent(client, NOTE, "k1").status_code == 503
    monkeypatch.undo()
    assert sent(client, NOTE, "k1").status_code == 201


def pack(**files: bytes) -> bytes:
    """A pack that names these files."""
    pieces = tuple(
        Piece(Part.MODEL_CARD, name, sha256(data).hexdigest(), len(data), Origin.FILE, "")
        for name, data in files.items()
    )
    return dump_submission(Submission({Fact.MODEL: "our model"}, pieces))


def offered(client: TestClient, key: str, own: bytes, *files: tuple[str, bytes]) -> Response:
    """One submission."""
    parts = [("pack", ("submission.toml", own)), *(("file", one) for one in files)]
    answer: Response = client.post(
        f"{PREFIX}/submissions?{ON}", files=parts, headers={"idempotency-key": key}
    )
    return answer


def test_a_submission_is_offered_once(at: House, client: TestClient) -> None:
    """Every file under the terms in effect, and the manifest; none without terms."""
    own = pack(card=NOTE)
    assert offered(client, "k1", own, ("card", NOTE)).status_code == 409
    agreed(at)
    one, two = (offered(client, "k1", own, ("card", NOTE)) for _ in range(2))
    assert (one.status_code, one.content) == (two.status_code, two.content) == (201, one.content)
    assert len(one.json()["files"]) == 1
    assert at.kinds().count(Kind.SUBMISSION_OFFERED) == 1


@pytest.mark.parametrize(
    ("own", "files", "field"),
    [
        (b"", [("card", NOTE)], "pack"),
        (b"no = [toml", [("card", NOTE)], "pack"),
        (b"x" * (257 << 10), [], "pack"),
        (pack(card=NOTE), [], "card"),
        (pack(card=NOTE), [("card", NOTE + b"!")], "card"),
        (pack(card=NOTE), [("card", NOTE), ("card", NOTE)], "file"),
        (pack(card=NOTE), [("../card", NOTE)], "card"),
    ],
)
def test_a_submission_that_is_none(
    at: House, client: TestClient, own: bytes, files: list[tuple[str, bytes]], field: str
) -> None:
    """Refused with the file or the part that is wrong; nothing of it is deposited."""
    agreed(at)
    answer = offered(client, "k1", own, *files)
    assert answer.status_code == 422, answer.text
    assert field in answer.json()["field"]
    assert at.kinds().count(Kind.ARTEFACT_RECEIVED) == 0


def test_forms_of_another_kind(at: House, client: TestClient) -> None:
    """No form, a part that is no file, more than may come."""
    to, key = f"{PREFIX}/submissions?{ON}", {"idempotency-key": "k1"}
    assert client.post(to, json={}, headers=key).status_code == 415
    broken = {**key, "content-type": "multipart/form-data"}
    assert client.post(to, content=b"--x", headers=broken).status_code == 400
    text = {**key, "content-type": "multipart/form-data; boundary=x"}
    body = b'--x\r\ncontent-disposition: form-data; name="pack"\r\n\r\nx\r\n--x--\r\n'
    assert client.post(to, content=body, headers=text).status_code in {400, 422}
    many = [("file", (f"n{number}", b"x")) for number in range(uploads.FILES_MAX + 1)]
    assert client.post(to, files=many, headers=key).status_code == 400
    large = {
        **key,
        "content-length": str(1 << 30),
        "content-type": "multipart/form-data; boundary=x",
    }
    assert client.post(to, content=b"x", headers=large).status_code == 413
    get = client.request("GET", f"{PREFIX}/uploads", content=b"x" * (300 << 10))
    assert get.status_code == 413


def test_weights_without_a_key_are_not_taken(at: House, client: TestClient) -> None:
    """No key is agreed here: nothing is taken in, whatever the signature says."""
    agreed(at)
    answer = client.post(
        f"{PREFIX}/weights?{ON}",
        files=[("signature", ("s.sig", b"{}")), ("file", ("a.safetensors", b"x"))],
        headers={"idempotency-key": "k1"},
    )
    assert answer.status_code == 409, answer.text
    assert at.kinds().count(Kind.ARTEFACT_RECEIVED) == 0


@pytest.fixture
def over(at: House) -> Iterator[tuple[str, dict[str, str]]]:
    """The same over a socket: its address, and what a session sends with each request."""
    with served(at, None, "localhost") as url:
        with httpx2.Client(
            base_url=url, headers={"origin": url.replace("127.0.0.1", "localhost")}
        ) as one:
            told = {"name": "dev", "password": PASSWORD}
            begun = one.post(f"{PREFIX}/sign-in/password", json=told)
            token = begun.headers["set-cookie"].partition(";")[0]
        yield (
            url,
            {
                "cookie": token,
                "origin": url.replace("127.0.0.1", "localhost"),
                "x-csrf-token": begun.json()["csrf"],
            },
        )


def begun(url: str, headers: Mapping[str, str], length: int) -> socket.socket:
    """A connection with the head of an upload of that length, and nothing of its body."""
    parts = urlsplit(url)
    lines = [f"POST {PREFIX}/uploads?{ON}&purpose=document HTTP/1.1", f"host: {parts.netloc}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines += [f"content-length: {length}", "", ""]
    made = socket.create_connection((parts.hostname or "", parts.port or 0), timeout=20)
    made.sendall("\r\n".join(lines).encode())
    return made


def test_a_connection_that_is_cut_leaves_nothing(
    at: House, over: tuple[str, dict[str, str]]
) -> None:
    """The refusal is on record, the turn is free, and the same upload is taken afterwards."""
    url, headers = over
    said = {**headers, "idempotency-key": "k1", **digest(NOTE * 9)}
    with begun(url, said, len(NOTE * 9)) as one:
        one.sendall(NOTE)
        until(lambda: coming.TURNS._held.total() == 1)
    until(lambda: coming.TURNS._held.total() == 0)
    assert at.kinds().count(Kind.ARTEFACT_REFUSED) == 1
    assert not list((at.home.folder / "quarantine").glob("*"))
    with begun(url, said, len(NOTE * 9)) as one:
        one.sendall(NOTE * 9)
        assert b" 201 " in one.recv(4096).split(b"\r\n")[0]
    assert at.kinds().count(Kind.ARTEFACT_RECEIVED) == 1


def test_a_sender_that_says_nothing_is_sent_away(
    at: House, over: tuple[str, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a problem, while it still listens; its turn is free."""
    monkeypatch.setattr(coming, "SECONDS_SILENT", 0.3)
    url, headers = over
    with begun(url, {**headers, "idempotency-key": "k1", **digest(NOTE)}, len(NOTE)) as one:
        assert b" 422 " in one.recv(4096).split(b"\r\n")[0]
    assert coming.TURNS._held.total() == 0
    assert at.kinds().count(Kind.ARTEFACT_REFUSED) == 1
