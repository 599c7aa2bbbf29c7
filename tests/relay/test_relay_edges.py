"""What cannot be read, cannot be written, or comes broken: named, bounded, and never guessed."""

import asyncio
import gzip
import os
from pathlib import Path

import pytest

from leadline.core.errors import Unavailable
from leadline.formats.http1 import Fields
from leadline.relay import watch as watching
from leadline.relay.watch import Watch
from relay.relay_world import NOW, OTHER, dialect, relaying, status, until

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
CHAT = dialect("openai-chat")
GZIP = Fields(((b"Content-Encoding", b"gzip"),))


def watched(fields: Fields, *pieces: bytes) -> Watch:
    """A watch that has seen pieces and the end."""
    watch = Watch(CHAT, fields)
    for piece in pieces:
        watch.take(piece)
    watch.end()
    return watch


def test_what_cannot_be_read_is_said_to_be_unread() -> None:
    """Another coding, a broken one, one that unfolds without end, too much, or no JSON."""
    brotli = Fields(((b"content-encoding", b"br"),))
    bomb = gzip.compress(b"0" * (watching.UNFOLDED_BYTES_MAX + 1))
    cases = [
        watched(brotli, b"{}"),
        watched(GZIP, b"no gzip", b"more"),
        watched(GZIP, bomb, b"x"),
        watched(Fields(()), b"x" * (watching.ANSWER_BYTES_MAX + 1)),
        watched(Fields(()), b"{"),
    ]
    assert [one.readable for one in cases] == [False] * len(cases)
    assert watched(GZIP, gzip.compress(b"{}")).readable


def test_a_full_disk_relays_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be entered does not go on; half a line is taken back."""

    async def run() -> None:
        async with relaying(tmp_path, [OK]) as world:
            holder, journal = world.issue(), world.state.journal
            size, real = journal.size, os.write
            with monkeypatch.context() as patch:
                patch.setattr(os, "write", lambda file, data: real(file, data[:10]))
                told = await holder.ask()
                assert (status(told), b'"code": "journal"' in told) == (503, True)
                with pytest.raises(Unavailable, match="whole"):
                    journal.append(NOW, "relay.stopped")
            assert (journal.size, world.api.requests) == (size, [])
            assert status(await holder.ask()) == 200
            assert [one.number for one in world.entries()] == list(range(journal.size))

    asyncio.run(run())


@pytest.mark.parametrize(
    ("framing", "body", "outcome"),
    [
        ("Transfer-Encoding: chunked", b"5\r\nabcdeXX\r\n", "client_framing"),
        ("Content-Length: 9", b"half", "client_gone"),
    ],
)
def test_a_request_that_breaks_in_its_middle(
    tmp_path: Path, framing: str, body: bytes, outcome: str
) -> None:
    """The upstream's connection ends as well; the entry says whose fault it was."""

    async def run() -> None:
        async with relaying(tmp_path, [OK], dialects=(OTHER,)) as world:
            holder = world.issue(models=())
            raw = holder.request(body=b"").replace(b"Content-Length: 0", framing.encode())
            _, writer = await asyncio.open_connection("127.0.0.1", world.port)
            writer.write(raw + body)
            await until(lambda: bool(world.entries("exchange.begun")))
            await asyncio.sleep(0.1)
            writer.close()
            await until(lambda: bool(world.ends()))
            assert world.ends()[0]["outcome"] == outcome

    asyncio.run(run())


@pytest.mark.parametrize("body", [b"zz\r\n", b'5\r\n{"modXX\r\n'])
def test_a_request_that_breaks_before_it_goes_on(tmp_path: Path, body: bytes) -> None:
    """Nothing was begun."""

    async def run() -> None:
        async with relaying(tmp_path, [OK]) as world:
            holder = world.issue()
            raw = holder.request(body=b"").replace(
                b"Content-Length: 0", b"Transfer-Encoding: chunked"
            )
            assert status(await holder.ask(raw + body)) == 400
            assert world.entries("exchange.begun") == []

    asyncio.run(run())


def test_an_early_answer_is_passed_on(tmp_path: Path) -> None:
    """An API that answers before it has the request: its answer goes to the client."""

    async def run() -> None:
        early = b"HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        listening = await asyncio.start_server(
            lambda reader, writer: _early(reader, writer, early), "127.0.0.1", 0
        )
        port = listening.sockets[0].getsockname()[1]
        async with relaying(
            tmp_path, upstream=f"http://127.0.0.1:{port}", dialects=(OTHER,)
        ) as world:
            holder = world.issue(models=())
            raw = holder.request(body=b"x").replace(b"Content-Length: 1", b"Content-Length: 900")
            reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
            writer.write(raw)
            assert status(await reader.readuntil(b"\r\n\r\n")) == 413
            writer.close()
            await until(lambda: bool(world.ends()))
        listening.close()

    asyncio.run(run())


async def _early(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: bytes) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(answer)
    await reader.read()
    writer.close()
