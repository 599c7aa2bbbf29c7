"""A witness answers as C2SP tlog-witness says, over values and over HTTP."""

import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.client import HTTPConnection
from importlib import import_module
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import make
from bundles import head_of
from fake_log import ORIGIN, MemoryMemory, context, cosigner, grow
from fakes import MemorySigner
from leadline.app import log
from leadline.app.signature import check
from leadline.app.witness import Seen, Witness, known_logs
from leadline.core.errors import Invalid, NotFound, Refused, Tampered, Unavailable
from leadline.core.record import tlog
from leadline.core.record.tlog import EMPTY_ROOT
from leadline.formats import cosignature, note, tlog_policy
from leadline.formats.checkpoint import Checkpoint
from leadline.formats.note import Note
from leadline.formats.tlog_witness import PATH, SIZE_TYPE, AddCheckpoint, parse_cosignatures
from leadline.settings import Home
from leadline.wiring.log import FolderOutlet
from leadline.wiring.witness import KEY, MEMORY, new_witness, open_witness

SIGNER = MemorySigner(ORIGIN)
ENTRIES = [bytes([1, n]) for n in range(20)]


def tile(wanted: tlog.Tile) -> bytes:
    """The log's one level of tiles."""
    return b"".join(tlog.leaf_hash(entry) for entry in ENTRIES[: wanted.width])


def signed(size: int, *, root: bytes | None = None, signer: MemorySigner = SIGNER) -> Note:
    """The head of that size, signed."""
    head = Checkpoint(ORIGIN, size, root or head_of(ENTRIES[:size]).root)
    return note.parse(signer.sign(head.text).encode())


def request(old: int, size: int, **parts: Note) -> AddCheckpoint:
    """An honest request."""
    proof = tlog.consistency_proof(old, size, tile)
    return AddCheckpoint(old, proof, parts.get("signed", signed(size)))


def fresh() -> Witness:
    """A witness that has seen nothing."""
    logs = known_logs(tlog_policy.alone(SIGNER.vkeys()))
    return Witness(cosigner("w.example/w"), logs, MemoryMemory())


def test_a_growing_log_is_cosigned_at_every_size() -> None:
    """200, two signature lines that verify, and the memory moves on."""
    witness, old = fresh(), 0
    for size in (0, 1, 1, 2, 3, 8, 9, 20):
        asked = request(old, size)
        answer = witness.add_checkpoint(asked.body, make.NOW)
        assert answer.status == 200
        lines = parse_cosignatures(asked.signed, answer.body)
        assert len(lines) == 2
        keys = note.parse_vkeys(witness.cosigner.vkeys())
        cosignature.require("answer", Note(asked.signed.text, lines), keys, check)
        stamp = int.from_bytes(lines[0].signature[:8], "big")
        assert stamp == int(make.NOW.timestamp())
        old = size


def status(witness: Witness, asked: AddCheckpoint | bytes) -> int:
    """The status of the answer; a refusal never changes the memory."""
    memory = witness.memory
    assert isinstance(memory, MemoryMemory)
    before = dict(memory.heads)
    body = asked if isinstance(asked, bytes) else asked.body
    answer = witness.add_checkpoint(body, make.NOW)
    assert answer.status == 200 or memory.heads == before
    return answer.status


def test_each_refusal_has_its_status() -> None:
    """400, 403, 404, 409, 422, as the specification lists them."""
    witness = fresh()
    assert witness.add_checkpoint(request(0, 9).body, make.NOW).status == 200
    stranger = MemorySigner("stranger.example/log")
    other = Checkpoint("stranger.example/log", 1, bytes(32))
    assert status(witness, b"nothing") == 400
    assert status(witness, AddCheckpoint(12, (), signed(10))) == 400
    foreign = note.parse(stranger.sign(other.text).encode())
    assert status(witness, AddCheckpoint(0, (), foreign)) == 404
    unsigned = note.parse(stranger.sign(signed(10).text).encode())
    assert status(witness, AddCheckpoint(9, (), unsigned)) == 403
    line = signed(10).signatures[0]
    forged = Note(signed(11).text, (line,))
    assert status(witness, AddCheckpoint(9, (), forged)) == 403
    assert status(witness, request(8, 10)) == 409
    assert status(witness, AddCheckpoint(0, (), signed(10))) == 409
    assert status(witness, AddCheckpoint(9, (), signed(9, root=bytes(32)))) == 409
    assert status(witness, AddCheckpoint(9, (bytes(32),), signed(9))) == 422
    assert status(witness, AddCheckpoint(9, (), signed(10))) == 422
    good = request(9, 10)
    assert status(witness, AddCheckpoint(9, good.proof[::-1], good.signed)) == 422
    assert status(witness, AddCheckpoint(9, good.proof, signed(10, root=bytes(32)))) == 422
    assert status(fresh(), AddCheckpoint(0, (bytes(32),), signed(9))) == 422
    assert status(witness, good) == 200


def test_a_conflict_tells_the_size_it_has_seen() -> None:
    """The body of a 409 is the size, in the type of the specification."""
    witness = fresh()
    witness.add_checkpoint(request(0, 9).body, make.NOW)
    answer = witness.add_checkpoint(request(3, 10).body, make.NOW)
    assert (answer.status, answer.kind, answer.body) == (409, SIZE_TYPE, b"9\n")


def test_an_empty_log_with_another_root_is_refused() -> None:
    """The root of nothing is SHA-256 of nothing: 422, whatever signed it."""
    text = Checkpoint(ORIGIN, 0, EMPTY_ROOT).text.replace("47DEQp", "57DEQp")
    body = AddCheckpoint(0, (), note.parse(SIGNER.sign(text).encode()))
    assert status(fresh(), body) == 422
    text = Checkpoint(ORIGIN, 0, EMPTY_ROOT).text.replace("\n0\n", "\n00\n")
    body = AddCheckpoint(0, (), note.parse(SIGNER.sign(text).encode()))
    assert status(fresh(), body) == 400


def test_a_two_headed_log_gets_one_head_cosigned() -> None:
    """The second head of a size, and whatever continues it, are refused for good."""
    witness = fresh()
    assert status(witness, request(0, 9)) == 200
    other = [bytes([2, n]) for n in range(20)]
    head = head_of(other[:9]).root
    assert status(witness, AddCheckpoint(9, (), signed(9, root=head))) == 409
    longer = signed(12, root=head_of(other[:12]).root)
    level = b"".join(map(tlog.leaf_hash, other))
    proof = tlog.consistency_proof(9, 12, lambda one: level[: one.width * 32])
    assert status(witness, AddCheckpoint(9, proof, longer)) == 422
    assert status(witness, AddCheckpoint(0, (), longer)) == 409


@pytest.fixture
def place(tmp_path: Path) -> tuple[Path, Path, str]:
    """A witness's folder, its policy file, and its keys."""
    vkeys = new_witness(tmp_path / "witness", "w.example/w")
    logs = "".join(f"log {line}\n" for line in SIGNER.vkeys().splitlines())
    (tmp_path / "policy").write_text(f"{logs}quorum none\n", encoding="utf-8")
    return tmp_path / "witness", tmp_path / "policy", vkeys


def test_a_witness_keeps_its_keys_and_memory_in_a_folder(place: tuple[Path, Path, str]) -> None:
    """Opened again, it goes on where it was; nobody else may read it; it is made once."""
    folder, known, vkeys = place
    first = open_witness(folder, known)
    assert first.cosigner.vkeys() == vkeys
    assert first.add_checkpoint(request(0, 9).body, make.NOW).status == 200
    again = open_witness(folder, known)
    assert again.add_checkpoint(request(0, 9).body, make.NOW).body == b"9\n"
    assert again.add_checkpoint(request(9, 10).body, make.NOW).status == 200
    for file in (KEY, MEMORY):
        assert (folder / file).stat().st_mode & 0o077 == 0
    with pytest.raises(Refused, match="already"):
        new_witness(folder, "w.example/w")


@pytest.mark.parametrize("damage", [None, b"", b"{}", b'{"format":"leadline/witness/v1"}'])
def test_a_witness_without_its_memory_refuses(
    place: tuple[Path, Path, str], damage: bytes | None
) -> None:
    """Lost, empty, of another witness: it never begins at zero again, at start or at work."""
    folder, known, _ = place
    working = open_witness(folder, known)
    working.add_checkpoint(request(0, 9).body, make.NOW)
    if damage is None:
        (folder / MEMORY).unlink()
    else:
        (folder / MEMORY).write_bytes(damage)
    with pytest.raises(Unavailable, match="cosigns nothing more"):
        open_witness(folder, known)
    with pytest.raises(Unavailable, match="cosigns nothing more"):
        working.add_checkpoint(request(0, 9).body, make.NOW)


def test_a_memory_of_another_witness_or_shape_is_none(
    place: tuple[Path, Path, str], tmp_path: Path
) -> None:
    """It is bound to the keys."""
    folder, known, _ = place
    new_witness(tmp_path / "other", "w.example/w")
    own = (folder / MEMORY).read_bytes()
    for content in (
        (tmp_path / "other" / MEMORY).read_bytes(),
        own.replace(b'"logs":{}', b'"logs":7'),
        own.replace(b'"logs":{}', b'"logs":{"x":7}'),
    ):
        (folder / MEMORY).write_bytes(content)
        with pytest.raises(Unavailable):
            open_witness(folder, known)


def test_what_is_no_witness_is_not_served(place: tuple[Path, Path, str], tmp_path: Path) -> None:
    """No folder, no policy, a policy without logs, a key file of another make."""
    folder, known, _ = place
    with pytest.raises(NotFound, match="witness new"):
        open_witness(tmp_path / "absent", known)
    with pytest.raises(Invalid, match="--policy"):
        open_witness(folder, tmp_path / "absent")
    (tmp_path / "empty").write_bytes(b"quorum none\n")
    with pytest.raises(Invalid, match="names no log"):
        open_witness(folder, tmp_path / "empty")
    for content in (b"{}", (folder / KEY).read_bytes().replace(b'"ed25519":"', b'"ed25519":"zz')):
        (folder / KEY).write_bytes(content)
        with pytest.raises(Invalid, match="witness key"):
            open_witness(folder, known)
    with pytest.raises(Invalid, match="--name"):
        new_witness(tmp_path / "x", "a name")


def test_racing_requests_never_set_the_memory_back(place: tuple[Path, Path, str]) -> None:
    """Many at once, each from what it was told: sizes only grow, over processes' locks."""
    folder, known, _ = place
    witnesses = [open_witness(folder, known) for _ in range(4)]
    sizes = list[int]()

    def run(witness: Witness) -> None:
        old = 0
        for size in range(1, 20):
            answer = witness.add_checkpoint(request(min(old, size), size).body, make.NOW)
            if answer.status == 409:
                old = int(answer.body)
            elif answer.status == 200:
                old = size
            with witness.memory.held(ORIGIN) as slot:
                sizes.append(slot.seen.size if slot.seen else 0)

    threads = [threading.Thread(target=run, args=(one,)) for one in witnesses]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with witnesses[0].memory.held(ORIGIN) as slot:
        assert slot.seen == Seen(19, head_of(ENTRIES[:19]).root)
    assert sizes == sorted(sizes)


@contextmanager
def served(witness: Witness) -> Iterator[str]:
    """The witness over HTTP on loopback; answers its address."""
    http = import_module("leadline.http.witness")
    bound = http.listening("127.0.0.1:0")
    server = http.server(witness, lambda: datetime.now(UTC))  # noqa: TID251 -- an edge of its own
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        bound.close()


def test_a_log_and_a_witness_over_http(place: tuple[Path, Path, str], tmp_path: Path) -> None:
    """Publishing to a served witness, and every other request to it."""
    folder, known, vkeys = place
    home = Home(tmp_path / "home")
    home.keys.mkdir(parents=True)
    with served(open_witness(folder, known)) as url:
        lines = [f"log {line}" for line in SIGNER.vkeys().splitlines()]
        lines += [f"witness w {vkeys.splitlines()[0]} {url}/", "quorum w"]
        (home.keys / "log.policy").write_text("".join(f"{one}\n" for one in lines), "utf-8")
        outlet = FolderOutlet(home)
        ctx = context(outlet, signer=SIGNER)
        grow(ctx, 3)
        assert log.announce(ctx).witnesses == ("w",)
        grow(ctx, 300, 3)
        proof = log.require_proof(ctx, "act-9299")
        assert log.check(proof, log.policy_of(ctx)).words == "cosigned by w.example/w"
        assert outlet.post(f"{url}/x", b"").status == 404
        assert outlet.post(url + PATH, b"x").status == 400
        assert outlet.post(url + PATH, bytes(1 << 20)).status == 413
        connection = HTTPConnection(urlsplit(url).netloc, timeout=60)
        connection.request("GET", PATH)
        assert connection.getresponse().status == 405
        connection.close()
        (folder / MEMORY).unlink()
        assert outlet.post(url + PATH, request(0, 1).body).status == 503
    with pytest.raises(Unavailable, match="no answer"):
        outlet.post(url + PATH, b"")


def test_addresses_that_cannot_be_listened_on(tmp_path: Path) -> None:
    """The option is named."""
    http = import_module("leadline.http.witness")
    for address in ("127.0.0.1", "127.0.0.1:x", "127.0.0.1:99999", "192.0.2.1:1"):
        with pytest.raises(Invalid, match="--listen"):
            http.listening(address)


def test_a_witness_that_is_slow_does_not_hold_anybody_up(tmp_path: Path) -> None:
    """It drips one byte at a time: the whole exchange has one time limit."""
    listener = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def drip() -> None:
        peer, _ = listener.accept()
        peer.recv(1 << 16)
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n")
        peer.settimeout(0)
        while not stop.wait(0.05) and not select.select([peer], [], [], 0)[0]:
            peer.send(b"x")
        peer.close()

    thread = threading.Thread(target=drip)
    thread.start()
    began = time.monotonic()
    outlet = FolderOutlet(Home(tmp_path), seconds_max=0.5)
    with pytest.raises(Unavailable):
        outlet.post(f"http://127.0.0.1:{listener.getsockname()[1]}/", b"")
    assert time.monotonic() - began < 60  # of some eight minutes
    stop.set()
    thread.join()
    listener.close()


def test_other_addresses_are_not_asked(tmp_path: Path) -> None:
    """A file, a host without a name."""
    for url in ("file:///etc/passwd", "gopher://x", "http:///add-checkpoint", "nothing"):
        with pytest.raises(Unavailable, match="no http or https"):
            FolderOutlet(Home(tmp_path)).post(url, b"")


def test_the_folder_outlet_keeps_and_shows(tmp_path: Path) -> None:
    """Files appear whole, full tiles never change, partial ones go when the full one is there."""
    home = Home(tmp_path)
    home.keys.mkdir()
    outlet = FolderOutlet(home)
    assert (outlet.last(), outlet.policy(), outlet.incidents()) == (b"", b"", [])
    outlet.keep(b"one")
    outlet.keep(b"two")
    assert outlet.last() == b"two"
    assert (home.keys / "log.checkpoint").stat().st_mode & 0o077 == 0
    for at in (1, 2):
        outlet.enter(f'{{"at":"{at}","place":"log"}}')
    assert len(outlet.incidents()) == 1
    outlet.enter('{"at":"3","place":"log head"}')
    assert len(outlet.incidents()) == 2
    outlet.settle()
    outlet.settle()
    assert outlet.incidents() == []
    outlet.show({"tile/0/000.p/3": b"abc", "tile/entries/000.p/3": b"abc"}, b"x")
    outlet.show({"tile/0/000": b"abcd"}, b"y")
    assert not (home.log / "tile/0/000.p").exists()
    assert (home.log / "tile/entries/000.p/3").exists()
    assert (home.log / "checkpoint").read_bytes() == b"y"
    with pytest.raises(Tampered, match="never changes"):
        outlet.show({"tile/0/000": b"abce"}, b"z")
    assert (home.log / "checkpoint").read_bytes() == b"y"
