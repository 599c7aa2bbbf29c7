"""What a hostile evaluator, a hostile API or a failing disk could try; each fails closed."""

import asyncio
import errno
import gzip
import os
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from leadline.core.errors import Invalid, Unavailable
from leadline.formats.http1 import Fields
from leadline.formats.relay_journal import Entry
from leadline.relay import control
from leadline.relay.bodies import SealedBodies
from leadline.relay.journal import HEAD as HEAD_FILE
from leadline.relay.journal import JOURNAL, open_journal, verify
from leadline.relay.ledger import Credential, Ledger
from leadline.relay.server import upstream_at
from leadline.relay.watch import Watch
from leadline.vault.keys import open_signer
from leadline.wiring.relay import Steady, prover
from relay.relay_world import (
    NOW,
    ORIGIN,
    OTHER,
    QUICK,
    Holder,
    Step,
    caps,
    dialect,
    received,
    relaying,
    sent,
    status,
    until,
)

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
EVIL = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
EVENT = b'data: {"model":"model-a-1"}\n\n'
BITE_SECONDS = 2.0


@pytest.mark.parametrize(
    "first",
    [[b"HTTP/1.1 204 No Content\r\n\r\n" + EVIL], [OK, 0.05, EVIL]],
    ids=["at-once", "late"],
)
def test_what_an_api_says_unasked_is_no_answer(tmp_path: Path, first: Sequence[Step]) -> None:
    """It would else be taken for that to the next request, and every later one be off by one."""

    async def run() -> None:
        async with relaying(tmp_path, first, [OK], dialects=(OTHER,)) as world:
            holder = world.issue(models=())
            reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
            assert status(await sent(reader, writer, holder.request())) in {200, 204}
            await asyncio.sleep(0.2)
            assert await sent(reader, writer, holder.request()) == OK
            writer.close()

    asyncio.run(run())


def test_interim_answers_without_end(tmp_path: Path) -> None:
    """So many are passed on, and then it is no HTTP any more."""

    async def run() -> None:
        hint = b"HTTP/1.1 103 Early Hints\r\n\r\n"
        async with relaying(tmp_path, [hint * 100, OK]) as world:
            holder = world.issue()
            reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
            writer.write(holder.request())
            told = [status(await reader.readuntil(b"\r\n\r\n")) for _ in range(33)]
            assert told == [103] * 32 + [502]
            writer.close()
            assert world.ends()[0]["outcome"] == "upstream_malformed"

    asyncio.run(run())


@pytest.mark.parametrize(
    ("target", "headers"),
    [
        ("", ()),
        ("?a=b", ()),
        ("/v1/files/..;/admin", ()),
        ("/v1/files/..;x=1/admin", ()),
        ("/v1/files/a", ("X-Original-URL: /admin",)),
        ("/v1/files/a", ("X-HTTP-Method-Override: DELETE",)),
        ("/v1/chat/completions/", ()),
        ("/v1/Chat/completions", ()),
        ("/v1/chat;x/completions", ()),
        ("/v1/models/model-b/", ()),
    ],
)
def test_a_path_that_servers_take_for_another(
    tmp_path: Path, target: str, headers: tuple[str, ...]
) -> None:
    """Also where the credential covers all below /v1/, the model is compared."""

    async def run() -> None:
        async with relaying(tmp_path, [OK]) as world:
            holder = world.issue(paths=("/v1/",))
            raw = holder.request(target, b'{"model":"model-b"}', headers=headers)
            assert status(await holder.ask(raw)) == 403
            other = holder.request("/v1/chat/completions", b'{"model":"model-b"}', method="PUT")
            assert status(await holder.ask(other)) == 403
            assert world.api.requests == []

    asyncio.run(run())


def test_no_path_at_all_goes_no_further(tmp_path: Path) -> None:
    """An unread API included: it would be sent a line that is no request."""

    async def run() -> None:
        async with relaying(tmp_path, [OK], dialects=(OTHER,)) as world:
            holder = world.issue(models=())
            assert status(await holder.ask(holder.request(""))) == 403
            assert world.api.requests == []

    asyncio.run(run())


def test_what_waits_to_be_read_is_bounded_over_all(tmp_path: Path) -> None:
    """Many slow senders cannot fill the memory; what one held is given back."""

    async def run() -> None:
        limits = replace(QUICK, held=1000)
        async with relaying(tmp_path, [OK], limits=limits) as world:
            holder = world.issue()
            body = b'{"model":"model-a","x":"%s"}' % (b"x" * 600)
            _, slow = await asyncio.open_connection("127.0.0.1", world.port)
            slow.write(holder.request(body=body)[:-1])
            await until(lambda: world.state.held > 0)
            assert status(await holder.ask(holder.request(body=body))) == 503
            slow.close()
            await until(lambda: world.state.held == 0)
            assert status(await holder.ask(holder.request(body=body))) == 200
            assert world.state.held == 0

    asyncio.run(run())


def test_fifty_at_once_do_not_pass_a_cap(tmp_path: Path) -> None:
    """The cap is looked at and counted in one step."""

    async def run() -> None:
        async with relaying(tmp_path, [OK]) as world:
            holder = world.issue(caps=caps(requests_a_minute=10, streams=0))
            told = await asyncio.gather(*(holder.ask() for _ in range(50)))
            assert sorted(status(one) for one in told) == [200] * 10 + [429] * 40
            assert len(world.api.requests) == 10

    asyncio.run(run())


async def _streaming(holder: Holder) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", holder.world.port)
    writer.write(holder.request())
    await reader.readuntil(EVENT)
    return reader, writer


async def _reset(reader: asyncio.StreamReader) -> float:
    """The seconds until a stream ends, which it does not as a whole one would."""
    begun = time.monotonic()
    with pytest.raises(ConnectionResetError):
        await _drained(reader)
    return time.monotonic() - begun


async def _drained(reader: asyncio.StreamReader) -> None:
    while await reader.read(65536):
        continue


ENDLESS: list[Step] = [HEAD, *cast("list[Step]", [EVENT, 0.05] * 400)]


def test_an_answer_that_ends_with_its_connection_is_reset_when_it_is_cut(tmp_path: Path) -> None:
    """A mere close would tell the client that it has all of it."""

    async def run() -> None:
        async with relaying(tmp_path, ENDLESS) as world:
            holder = world.issue()
            reader, writer = await _streaming(holder)
            await asyncio.to_thread(control.tell, tmp_path, {"do": "revoke"})
            assert await _reset(reader) < BITE_SECONDS
            writer.close()

    asyncio.run(run())


def _full(*_: object) -> int:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_revocation_bites_though_the_disk_is_full(tmp_path: Path) -> None:
    """At once; the developer is told that it is not entered, and it is, once there is room."""

    async def run() -> None:
        async with relaying(tmp_path, ENDLESS) as world:
            holder = world.issue()
            reader, writer = await _streaming(holder)
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(os, "write", _full)
                with pytest.raises(Unavailable, match="counts no more"):
                    await asyncio.to_thread(control.tell, tmp_path, {"do": "revoke"})
                assert await _reset(reader) < BITE_SECONDS
                assert b'"code": "journal"' in await holder.ask()
            writer.close()
            await until(lambda: bool(world.entries("credential.revoked")))
            assert status(await holder.ask()) == 401
            assert world.state.revoke([], "again") == ()

    asyncio.run(run())


def test_a_disk_that_keeps_nothing_ends_what_runs(tmp_path: Path) -> None:
    """What was entered may not be there after a power cut: nothing more is relayed or signed."""

    async def run() -> None:
        async with relaying(tmp_path, ENDLESS) as world:
            holder = world.issue()
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(os, "fdatasync", _full)
                reader, writer = await _streaming(holder)
                assert await _reset(reader) < BITE_SECONDS
            assert b'"code": "journal"' in await holder.ask()
            with pytest.raises(Unavailable, match="start the relay again"):
                world.state.journal.sign()
            writer.close()
            raise EndError

    with pytest.raises((EndError, Unavailable)):
        asyncio.run(run())


class EndError(Exception):
    """The test came to its end."""


def test_expiry_bites_while_the_disk_hangs(tmp_path: Path) -> None:
    """Streams are looked at apart from what waits for the disk."""

    async def run() -> None:
        async with relaying(tmp_path, ENDLESS) as world:
            holder = world.issue(minutes=1)
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(os, "fdatasync", lambda _: time.sleep(3))
                reader, writer = await _streaming(holder)
                await asyncio.sleep(0.5)
                world.clock.now += timedelta(minutes=1)
                assert await _reset(reader) < BITE_SECONDS
            writer.close()

    asyncio.run(run())


def test_a_head_that_cannot_be_kept_is_said(tmp_path: Path) -> None:
    """And one that stands is not signed again."""

    async def run() -> None:
        async with relaying(tmp_path, [OK]) as world:
            journal = world.state.journal
            world.issue()
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(os, "fsync", _full)
                with pytest.raises(Unavailable, match=r"journal\.head"):
                    journal.sign()
            assert journal.sign() is journal.sign()

    asyncio.run(run())


def test_bodies_that_cannot_be_kept_end_the_answer(tmp_path: Path) -> None:
    """Terms that want them kept want no answer without."""

    async def run() -> None:
        keep = SealedBodies(tmp_path / "bodies", X25519PrivateKey.generate().public_key())
        large = HEAD + EVENT + b"x" * 200_000
        async with relaying(tmp_path, [large, 5.0], keep=keep, dialects=(OTHER,)) as world:
            holder = world.issue(models=())
            (tmp_path / "bodies").rmdir()
            (tmp_path / "bodies").write_text("")
            reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
            writer.write(holder.request())
            assert await _first(reader) in {0, 503}
            writer.close()
            assert world.ends()[0]["outcome"] == "broken off"

    asyncio.run(run())


async def _first(reader: asyncio.StreamReader) -> int:
    (told,) = await asyncio.gather(received(reader, b"POST"), return_exceptions=True)
    if isinstance(told, bytes):
        return status(told)
    assert isinstance(told, ConnectionError), told
    return 0


STREAMED = Fields(((b"Content-Encoding", b"gzip"), (b"Content-Type", b"text/event-stream")))


def test_a_bomb_keeps_nobody_waiting() -> None:
    """A few bytes that unfold to 64 MB of empty lines; and a second member that would be missed."""
    chat = dialect("openai-chat")
    begun, watch = time.process_time(), Watch(chat, STREAMED)
    watch.take(gzip.compress(b"\n" * (64 << 20)))
    assert not watch.readable
    assert time.process_time() - begun < 5
    two = Watch(chat, STREAMED)
    two.take(gzip.compress(EVENT) + gzip.compress(EVENT))
    assert not two.readable


def test_a_clock_that_is_set_back_puts_off_no_end() -> None:
    """Time goes on from where it was, after a restart from the journal's last entry; forward counts."""
    wall, passed = [NOW], [100.0]
    clock = Steady(None, lambda: wall[0], lambda: passed[0])
    assert clock() == NOW
    wall[0], passed[0] = NOW - timedelta(hours=5), 160.0
    assert clock() == NOW + timedelta(minutes=1)
    wall[0] = NOW + timedelta(hours=1)
    assert clock() == NOW + timedelta(hours=1)
    later = NOW + timedelta(hours=2)
    assert Steady(later, lambda: wall[0], lambda: passed[0])() == later


def test_numbers_of_old_proofs_are_forgotten() -> None:
    """While a journal is read as well: memory does not grow with it."""
    ledger = Ledger()
    issued = Credential("c", "d", "e", "p", NOW).record()
    ledger.take(Entry(0, NOW, "credential.issued", issued, b""))
    for number in range(1, 2000):
        at = NOW + timedelta(seconds=number)
        begun = {"id": "x", "credential": "c", "proof": str(number)}
        ledger.take(Entry(number, at, "exchange.begun", begun, b""))
    assert len(ledger.proofs) <= 301
    assert ledger.last == NOW + timedelta(seconds=1999)


@pytest.mark.parametrize(
    "url",
    [
        "https://a:99999",
        "https://[x",
        "https://:word@a.example",
        "https://a.example/#x",
        "https://a.example/a b",
        "https://ü.example",
    ],
)
def test_an_upstream_that_is_no_plain_url(url: str) -> None:
    """Each is named; a password would else go into the Host field."""
    with pytest.raises(Invalid, match="--upstream"):
        upstream_at(url, "key", None)


def test_without_a_cap_on_streams_no_bound_is_claimed(tmp_path: Path) -> None:
    """None is no zero."""

    async def run() -> None:
        async with relaying(tmp_path, [OK]) as world:
            ledger = world.state.journal.ledger
            told = ledger.overshoot(world.issue(caps=caps(streams=0)).made)
            assert "as many as are sent" in told
            assert "3 at a time" in ledger.overshoot(world.issue(caps=caps(streams=3)).made)

    asyncio.run(run())


def test_wherever_a_kill_tears_the_journal_it_is_whole_again(tmp_path: Path) -> None:
    """Cut at any place behind what was signed: the rest of that line goes, and what it said is lost."""
    journal = open_journal(tmp_path, open_signer, ORIGIN, NOW)
    issued = Credential("c", "d", "e", "p", NOW).record()
    journal.append(NOW, "credential.issued", **issued)
    journal.sign()
    begun = {"id": "x", "credential": "c", "method": "POST", "path": "/", "asked": "", "proof": ""}
    journal.append(NOW, "exchange.begun", **begun)
    journal.append(NOW, "requests.refused", count=1)
    path = tmp_path / JOURNAL
    whole, head = path.read_bytes(), (tmp_path / HEAD_FILE).read_bytes()
    journal.close()
    lines = whole.splitlines(keepends=True)
    signed, second = len(lines[0]), len(lines[0] + lines[1])
    for cut in {signed, second, *range(signed, len(whole) + 1, 23), second - 1, len(whole) - 1}:
        path.write_bytes(whole[:cut])
        (tmp_path / HEAD_FILE).write_bytes(head)
        again = open_journal(tmp_path, open_signer, ORIGIN, NOW)
        lost = 1 if cut >= second else 0
        assert again.ledger.counts["exchanges"] == lost
        assert again.ledger.counts["refused"] == (1 if cut == len(whole) else 0)
        again.close()
        assert verify(path).torn_bytes == 0


@pytest.mark.parametrize(
    "proof",
    ["", "a.b.c", "A" * 30_000, "W10.e30.", "eyJhbGciOiJub25lIiwidHlwIjoiZHBvcCtqd3QifQ.e30.", "é"],
)
def test_what_is_no_proof_is_a_bad_credential(tmp_path: Path, proof: str) -> None:
    """Whatever it is; the connection is answered as any other."""

    async def run() -> None:
        async with relaying(tmp_path, [OK], prove=prover()) as world:
            holder = world.issue(bound="dpop:" + "a" * 43)
            assert status(await holder.ask(holder.request(headers=[f"DPoP: {proof}"]))) == 401

    asyncio.run(run())
