"""Uploads in several requests: nothing that was told of is lost, nobody else knows of them, none stays for ever."""

import socket
from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

import make
from file_world import NOTE, ON, client_of, dealings, digest, furnished
from identity.people import House, served, until
from leadline.app import arriving, engagement
from leadline.client import handing, remote
from leadline.client.terminal import Place
from leadline.client.uses import PREFIX
from leadline.core.errors import Refused, Unavailable
from leadline.core.intake import Purpose
from leadline.core.record.act import Kind
from leadline.vault.arrivals import Arrivals
from leadline.wiring import intake
from leadline.wiring.home import clock
from program import Program, program

CUT = (0, 7, 19, len(NOTE))  # no multiples of a cipher's block


@pytest.fixture
def at(tmp_path: Path) -> Iterator[House]:
    """Two developers and an official."""
    with furnished(tmp_path) as found:
        yield found


@pytest.fixture
def client(at: House) -> TestClient:
    """The developer's."""
    return client_of(at, "dev")


def whole(data: bytes) -> dict[str, str]:
    """What a beginning says of the whole."""
    told = digest(data)["content-digest"]
    return {"upload-complete": "?0", "upload-length": str(len(data)), "repr-digest": told}


def begin(
    client: TestClient,
    data: bytes = NOTE,
    key: str = "k1",
    sent: bytes = b"",
    changed: Mapping[str, str] = MappingProxyType({}),
) -> Response:
    """Begin an upload of *data*, with *sent* of it."""
    path = f"{PREFIX}/uploads?{ON}&purpose=document&name=note.md"
    headers = {"idempotency-key": key, **whole(data), **changed}
    answer: Response = client.post(path, content=sent, headers=headers)
    return answer


def place(client: TestClient, data: bytes = NOTE, key: str = "k1") -> str:
    """The address of an upload that was begun."""
    answer = begin(client, data, key)
    assert answer.status_code == 201, answer.text
    return str(answer.headers["location"])


def send(client: TestClient, path: str, start: int, data: bytes, complete: str = "?0") -> Response:
    """One part."""
    headers = {"upload-offset": str(start), "upload-complete": complete}
    kind = {"content-type": "application/partial-upload"}
    answer: Response = client.patch(path, content=data, headers={**headers, **kind})
    return answer


def lying(at: House) -> list[Path]:
    """What lies between requests."""
    return list((at.folder / "arriving").glob("*"))


def test_parts_become_the_file(at: House, client: TestClient) -> None:
    """Each is acknowledged where it stands; the last is answered as one upload is, and again the same."""
    path = place(client)
    assert (
        client.options(f"{PREFIX}/uploads").headers["accept-patch"] == "application/partial-upload"
    )
    for start, end in pairwise(CUT):
        done = send(client, path, start, NOTE[start:end])
        assert (done.status_code, done.headers["upload-offset"]) == (204, str(end)), done.text
        head = client.head(path)
        assert (head.status_code, head.headers["upload-offset"]) == (204, str(end))
        assert (head.headers["upload-complete"], head.headers["upload-length"]) == (
            "?0",
            str(len(NOTE)),
        )
    assert "max-age=604800" in client.head(path).headers["upload-limit"]
    (file,) = lying(at)
    assert file.stat().st_size == len(NOTE)
    assert NOTE[:7] not in file.read_bytes()
    one, two = (send(client, path, len(NOTE), b"", "?1") for _ in range(2))
    assert (one.status_code, one.content) == (two.status_code, two.content) == (201, one.content)
    assert one.json()["digest"] == sha256(NOTE).hexdigest()
    assert one.headers["upload-complete"] == client.head(path).headers["upload-complete"] == "?1"
    assert at.kinds().count(Kind.ARTEFACT_RECEIVED) == 1
    assert not lying(at)
    assert send(client, path, len(NOTE), b"more", "?1").status_code == 409
    (own,) = client.get(f"{PREFIX}/uploads/own").json()
    assert own["artefact"] == one.json()["id"] == client.get(path).json()["artefact"]


def test_the_whole_may_come_in_the_last_request(at: House, client: TestClient) -> None:
    """Or begin with the first one, whose key tells the same upload again and where it stands."""
    assert send(client, place(client), 0, NOTE, "?1").status_code == 201
    one, two = begin(client, key="k2", sent=NOTE[:9]), begin(client, key="k2", sent=NOTE[:9])
    assert one.headers["location"] == two.headers["location"]
    assert one.headers["upload-offset"] == two.headers["upload-offset"] == "9"
    assert send(client, one.headers["location"], 9, NOTE[9:], "?1").status_code == 201
    assert begin(client, NOTE + b"x", key="k2").status_code == 422
    assert at.kinds().count(Kind.ARTEFACT_RECEIVED) == 2


@pytest.mark.parametrize(
    ("start", "data", "complete", "status"),
    [
        (3, b"x", "?0", 409),
        (0, NOTE + b"x", "?0", 422),
        (0, NOTE[:5], "?1", 409),
        (0, NOTE, "yes", 422),
        (-1, NOTE, "?0", 422),
    ],
)
def test_what_does_not_fit_is_refused(
    client: TestClient, start: int, data: bytes, complete: str, status: int
) -> None:
    """Another place, more than was announced, too early an end, no header; then it goes on all the same."""
    path = place(client)
    answer = send(client, path, start, data, complete)
    assert answer.status_code == status, answer.text
    if start == 3:
        assert answer.headers["upload-offset"] == "0"
    now = int(client.head(path).headers["upload-offset"])
    assert now <= len(NOTE)
    assert send(client, path, now, NOTE[now:], "?1").status_code == 201


def test_another_kind_of_body_is_none(client: TestClient) -> None:
    """415, before anything of it counts."""
    headers = {"upload-offset": "0", "upload-complete": "?0", "content-type": "text/plain"}
    assert client.patch(place(client), content=NOTE, headers=headers).status_code == 415


def test_nobody_else_knows_of_it(at: House, client: TestClient) -> None:
    """Neither another developer nor a colleague: as what there is not, in the same bytes."""
    path = place(client)
    send(client, path, 0, NOTE[:9])
    at.enrol("colleague", "developer", org=make.DEVELOPER)
    at.password("colleague")
    for person in ("rival", "colleague", "official"):
        other = client_of(at, person)
        for to in (path, f"{PREFIX}/uploads/upload-none"):
            answers = [other.get(to), send(other, to, 9, NOTE[9:], "?1"), other.delete(to)]
            told = [{k: v for k, v in one.json().items() if k != "request_id"} for one in answers]
            assert [one.status_code for one in answers] == [404] * 3
            assert told[0] == told[1] == told[2]
            assert other.head(to).status_code == 404
        assert other.get(f"{PREFIX}/uploads/own").json() == []
    assert client.head(path).headers["upload-offset"] == "9"


def test_two_at_once_are_told_apart(at: House, client: TestClient) -> None:
    """While one request holds an upload every other one is refused in words, and nothing of it counts."""
    path = place(client)
    with intake.arrivals(at.home).held(path.rpartition("/")[2]):
        answer = send(client, path, 0, NOTE, "?1")
        assert answer.status_code == client.head(path).status_code == 409
        assert "another request is at this upload" in answer.json()["detail"]
    assert send(client, path, 0, NOTE, "?1").status_code == 201
    assert at.kinds().count(Kind.ARTEFACT_RECEIVED) == 1


@pytest.mark.parametrize("kind", ["other bytes", "not taken"])
def test_what_is_refused_as_a_whole_is_over(at: House, client: TestClient, kind: str) -> None:
    """On record, with nothing kept; the answer says that it is about the whole."""
    data = NOTE if kind == "other bytes" else b"\0" * len(NOTE)
    path = place(client, data)
    answer = send(client, path, 0, data[:-1] + (b"!" if data == NOTE else b"\0"), "?1")
    assert (answer.status_code, answer.headers["upload-complete"]) == (422, "?1"), answer.text
    assert at.kinds().count(Kind.ARTEFACT_REFUSED) == 1
    assert not lying(at)
    assert client.head(path).status_code == 404
    assert at.kinds().count(Kind.ARTEFACT_RECEIVED) == 0


def test_how_many_and_how_large(
    at: House, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many as an organisation may have; of a length; while there is room. One that is given up makes room."""
    for length in ("0", "", "x", str(2 << 40)):
        assert begin(client, changed={"upload-length": length}).status_code == 422
    assert begin(client, changed={"repr-digest": ""}).json()["field"] == "Repr-Digest"
    paths = [place(client, key=f"k{number}") for number in range(arriving.EACH)]
    ninth = begin(client, key="k9")
    assert ninth.status_code == 409
    assert "give one up" in ninth.json()["detail"]
    send(client, paths[0], 0, NOTE[:5])
    assert client.delete(paths[0]).status_code == 204
    assert client.delete(paths[0]).status_code == 404
    assert paths[0].rpartition("/")[2] not in {one.name for one in lying(at)}
    monkeypatch.setattr(Arrivals, "room", lambda _: len(NOTE))
    assert begin(client, key="k9").status_code == 503
    monkeypatch.undo()
    assert begin(client, key="k9").status_code == 201


def test_it_ends_by_itself(at: House, client: TestClient) -> None:
    """After a week; with its engagement; what nobody has any more goes; what is under way stays."""
    old = place(client, key="k1")
    send(client, old, 0, NOTE[:5])
    at.clock.forward(days=4)
    client = client_of(at, "dev")
    young = place(client, key="k2")
    send(client, young, 0, NOTE[:6])
    (at.folder / "arriving" / "upload-lost").write_bytes(b"x")
    arrivals, store = intake.arrivals(at.home), at.door.parts.store
    assert arriving.sweep(store, at.clock.now, arrivals) == 1
    at.clock.forward(days=3)
    client = client_of(at, "dev")
    assert client.head(old).status_code == 404
    assert arriving.sweep(store, at.clock.now, arrivals) == 1
    assert client.head(young).headers["upload-offset"] == "6"
    engagement.withdraw(at.ctx("dev"), dealings())
    assert send(client, young, 6, NOTE[6:], "?1").status_code in {403, 404, 409}
    assert arriving.sweep(store, at.clock.now, arrivals) == 1
    assert not lying(at)
    assert at.kinds().count(Kind.ARTEFACT_RECEIVED) == 0


def test_a_full_disk_keeps_what_came(
    at: House, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503; there is room again, and it goes on."""
    path = place(client)
    send(client, path, 0, NOTE[:5])
    monkeypatch.setattr("leadline.vault.arrivals.room", lambda _: 0)
    assert send(client, path, 5, NOTE[5:]).status_code == 503
    monkeypatch.undo()
    assert send(client, path, 5, NOTE[5:], "?1").status_code == 201


def test_a_line_that_breaks_loses_nothing(at: House) -> None:
    """What came before the cut stays; the rest completes it."""
    with served(at, None, "localhost") as url:
        origin = url.replace("127.0.0.1", "localhost")
        token = at.signed_in("dev")
        headers = {
            "cookie": f"__Host-leadline={token.token}",
            "origin": origin,
            "x-csrf-token": token.csrf,
        }
        with httpx.Client(base_url=url, headers=headers, trust_env=False) as client:
            path = place(client)  # type: ignore[arg-type]  # asked alike
            half = len(NOTE) // 2
            _cut(url, path, headers, NOTE[:half], lambda: lying(at)[0].stat().st_size == half)
            until(lambda: client.head(path).headers.get("upload-offset") == str(half))
            assert send(client, path, half, NOTE[half:], "?1").status_code == 201  # type: ignore[arg-type]  # as above
    assert at.kinds().count(Kind.ARTEFACT_REFUSED) == 0


def _cut(
    url: str, path: str, headers: Mapping[str, str], some: bytes, came: Callable[[], bool]
) -> None:
    """Send *some* of more, and break off once it *came*."""
    parts = urlsplit(url)
    lines = [f"PATCH {path} HTTP/1.1", f"host: {parts.netloc}", f"content-length: {len(NOTE)}"]
    more = {"upload-offset": "0", "upload-complete": "?1"}
    kind = {"content-type": "application/partial-upload"}
    lines += [f"{name}: {value}" for name, value in {**headers, **more, **kind}.items()]
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=20) as one:
        one.sendall("\r\n".join([*lines, "", ""]).encode() + some)
        until(came)


def after(number: int, do: Callable[[], None]) -> Callable[[httpx.Response], None]:
    """A hook that acts once, when that many parts were acknowledged."""
    seen = list[str]()

    def hook(answer: httpx.Response) -> None:
        if answer.request.method == "PATCH" and answer.status_code == 204:
            seen.append(answer.headers["upload-offset"])
            if len(seen) == number:
                do()

    return hook


@pytest.mark.timeout(600)
def test_a_killed_server_loses_nothing_that_it_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGKILL amid an upload: begun again, the sender goes on by itself where it stood; taken in once."""
    data = b"".join(b"%d. A line that was measured.\n" % number for number in range(20_000))
    file = tmp_path / "long.md"
    file.write_bytes(data)
    monkeypatch.setattr(handing, "PART_BYTES", 100_003)
    with furnished(tmp_path / "house") as at:
        at.clock.now = clock()
        token = at.signed_in("dev").token
        with program(at.folder) as server:
            held = list[str]()
            with remote.opened(Place(server.url), token) as there:
                there.client.event_hooks["response"] = [after(3, server.kill)]
                one = handing.File(file, make.ENGAGEMENT, Purpose.DOCUMENT, sealed=False)
                made = handing.deposit(there, one, held.append, lambda _: _again(server))
                again = handing.deposit(there, one, held.append)
        assert made["digest"] == sha256(data).hexdigest()
        assert again["id"] == made["id"]
        assert held[0].startswith("held up at 200006 of 648890 bytes")
        assert "handed over already" in held[-1]
        assert at.kinds().count(Kind.ARTEFACT_RECEIVED) == 1
        assert at.kinds().count(Kind.ARTEFACT_REFUSED) == 0
        assert not lying(at)


def _again(server: Program) -> None:
    if server.running is None:
        server.start()


def test_a_sender_gives_up_in_the_end(at: House, tmp_path: Path) -> None:
    """After as many tries as bring nothing more; the same call goes on later."""
    file = tmp_path / "note.md"
    file.write_bytes(NOTE)
    with (
        served(at, None, "127.0.0.1") as url,
        remote.opened(Place(url), at.signed_in("dev").token) as there,
    ):
        one, told = handing.File(file, make.ENGAGEMENT, Purpose.DOCUMENT, sealed=False), list[str]()
        rests = list[float]()
        id_ = handing._begun(there, one, sha256(NOTE).hexdigest(), len(NOTE))
        with intake.arrivals(at.home).held(id_), pytest.raises(Refused):
            handing.deposit(there, one, told.append, rests.append)
        assert told[0] == "going on"
        assert len(rests) == handing.TRIES
        assert max(rests) == handing.SECONDS_MOST
        assert handing.deposit(there, one, told.append)["digest"] == sha256(NOTE).hexdigest()


def test_unavailable_is_told_to_a_sender_that_cannot_begin(tmp_path: Path) -> None:
    """No server: nothing to go on with."""
    (tmp_path / "note.md").write_bytes(NOTE)
    one = handing.File(tmp_path / "note.md", make.ENGAGEMENT, Purpose.DOCUMENT, sealed=False)
    with (
        remote.opened(Place("http://127.0.0.1:1"), "session-x") as there,
        pytest.raises(Unavailable),
    ):
        handing.deposit(there, one, print)
