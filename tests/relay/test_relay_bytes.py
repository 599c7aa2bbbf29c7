"""What goes through the relay comes out as it went in, in every dialect."""

import asyncio
import gzip
import json
from hashlib import sha256
from pathlib import Path

import pytest

from relay import recordings
from relay.relay_world import (
    KEY,
    OTHER,
    Step,
    World,
    dialect,
    received,
    relaying,
    sent,
    status,
    until,
)

CHAT = b'{"model":"model-a","messages":[{"role":"user","content":"Gr\xc3\xbc\xc3\x9fe"}]}'


def chunked(*pieces: bytes, trailer: bytes = b"") -> bytes:
    """Pieces in chunks, as an API sends them."""
    body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return body + b"0\r\n" + trailer + b"\r\n"


def onward(world: World, raw: bytes, prefix: str, secret: str, shown: str) -> bytes:
    """What the API must have been sent for *raw*."""
    host = world.server.upstream.host
    raw = raw.replace(b"127.0.0.1:%d" % world.port, host).replace(b"/" + prefix.encode(), b"", 1)
    return raw.replace(secret.encode(), shown.encode())


@pytest.mark.parametrize("one", recordings.ALL, ids=lambda one: one.name)
@pytest.mark.parametrize("cut", [1 << 20, 7, 1], ids=["whole", "by-7", "by-1"])
def test_a_recorded_exchange_is_relayed_byte_for_byte(
    tmp_path: Path, one: recordings.Recording, cut: int
) -> None:
    """Request and answer, in whatever pieces they come; model, usage and hashes are entered."""

    async def run() -> None:
        answer = one.answer
        steps: list[Step] = [answer[at : at + cut] for at in range(0, len(answer), cut)]
        async with relaying(tmp_path, steps, dialects=(dialect(one.dialect),)) as world:
            holder = world.issue(models=(one.model,))
            raw = one.request(holder.made.prefix, world.port, holder.secret)
            assert await holder.ask(raw) == answer
            due = onward(world, raw, holder.made.prefix, holder.secret, KEY)
            assert world.api.requests == [due]
            [told] = world.ends()
            assert told["outcome"] == "complete"
            assert told["models"] == (one.answered,)
            assert told["asked"] == one.model
            assert (told["tokens"], told["counted"]) == (one.tokens, one.counted)
            assert told["request_sha256"] == sha256(one.body).hexdigest()
            assert told["response_sha256"] == sha256(one.content).hexdigest()
            assert holder.secret not in (tmp_path / "journal.jsonl").read_text()
            assert KEY not in (tmp_path / "journal.jsonl").read_text()

    asyncio.run(run())


def test_what_belongs_to_one_hop_stays_there(tmp_path: Path) -> None:
    """Hop-by-hop fields and a second carrier go no further; order, letters and doubles stay."""

    async def run() -> None:
        answer = (
            b"HTTP/1.1 200 Quite Fine\r\nX-B: 1\r\nx-a: 2\r\nX-B: 3\r\nKeep-Alive: 9\r\n"
            b"Connection: x-secret\r\nX-Secret: 1\r\nContent-Length: 2\r\n\r\nok"
        )
        async with relaying(tmp_path, [answer]) as world:
            holder = world.issue()
            heads = ["Connection: X-Hop, keep-alive", "X-Hop: 1", "x-Odd-CASE: a", "TE: trailers"]
            told = await holder.ask(holder.request(headers=[*heads, "Upgrade: h2c", "DPoP: x"]))
            assert told == (
                b"HTTP/1.1 200 Quite Fine\r\nX-B: 1\r\nx-a: 2\r\nX-B: 3\r\nContent-Length: 2\r\n\r\nok"
            )
            [seen] = world.api.requests
            assert b"x-Odd-CASE: a\r\n" in seen
            for gone in (b"X-Hop", b"TE:", b"Upgrade", b"Connection", b"DPoP"):
                assert gone not in seen

    asyncio.run(run())


def test_trailers_and_chunk_extensions_pass(tmp_path: Path) -> None:
    """The framing goes on as it came, in both directions."""

    async def run() -> None:
        body = b'4;x=1\r\n{"mo\r\n' + chunked(b'del":"model-a"}', trailer=b"X-Sum: 1\r\n")
        answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n" + chunked(
            b"{}", trailer=b"X-T: 9\r\n"
        )
        async with relaying(tmp_path, [answer]) as world:
            holder = world.issue()
            raw = holder.request(body=b"").replace(
                b"Content-Length: 0", b"Transfer-Encoding: chunked"
            )
            assert await holder.ask(raw + body) == answer
            assert world.api.requests[0].endswith(body)

    asyncio.run(run())


def test_a_connection_serves_many_requests(tmp_path: Path) -> None:
    """Also those sent before the answer to the first came; each over the same upstream connection."""

    async def run() -> None:
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
        async with relaying(tmp_path, [answer]) as world:
            holder = world.issue()
            reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
            writer.write(holder.request() * 3)
            for _ in range(3):
                assert await received(reader, b"POST") == answer
            assert await sent(reader, writer, holder.request()) == answer
            writer.close()
            assert len(world.api.requests) == 4
            assert world.api.left == 0
            await until(lambda: world.api.left == 1)

    asyncio.run(run())


def test_an_answer_that_ends_with_its_connection_keeps_its_end(tmp_path: Path) -> None:
    """An old server's answer, without a length, is told as one that ends the connection."""

    async def run() -> None:
        answer = b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nall there is"
        async with relaying(tmp_path, [answer, "close"], dialects=(OTHER,)) as world:
            holder = world.issue(models=())
            told = await holder.ask()
            assert told == (
                b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\nall there is"
            )
            assert world.ends()[0]["outcome"] == "complete"

    asyncio.run(run())


def test_interim_answers_pass_and_continue_is_the_relays_own(tmp_path: Path) -> None:
    """A client that waits for leave to send its body is told to go on."""

    async def run() -> None:
        early = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
        answer = b"HTTP/1.1 100 Continue\r\n\r\n" + early + b"HTTP/1.1 204 No Content\r\n\r\n"
        async with relaying(tmp_path, [answer]) as world:
            holder = world.issue()
            raw = holder.request(headers=["Expect: 100-continue"])
            head, _, body = raw.partition(b"\r\n\r\n")
            reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
            writer.write(head + b"\r\n\r\n")
            assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
            writer.write(body)
            assert await reader.readuntil(b"\r\n\r\n") == early
            assert status(await reader.readuntil(b"\r\n\r\n")) == 204
            writer.close()
            assert b"Expect" not in world.api.requests[0]

    asyncio.run(run())


def test_100_megabytes_pass_in_little_memory(tmp_path: Path) -> None:
    """A client that takes nothing stops the sender; once it takes, all of it comes."""

    async def run() -> None:
        piece, count = b"x" * (1 << 20), 100
        head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (len(piece) * count)
        async with relaying(tmp_path, [head, *[piece] * count], dialects=(OTHER,)) as world:
            holder = world.issue(models=())
            reader, writer = await asyncio.open_connection("127.0.0.1", world.port, limit=1 << 16)
            writer.write(holder.request())
            await reader.readuntil(b"\r\n\r\n")
            await asyncio.sleep(0.5)
            assert world.api.sent < 40 << 20  # what the buffers of four sockets hold
            taken, hashed = 0, sha256()
            while taken < len(piece) * count:
                got = await reader.read(1 << 20)
                hashed.update(got)
                taken += len(got)
            writer.close()
            await until(lambda: bool(world.ends()))
            [told] = world.ends()
            assert told["response_bytes"] == taken
            assert told["response_sha256"] == hashed.hexdigest()

    asyncio.run(run())


def test_100_megabytes_go_up_as_well(tmp_path: Path) -> None:
    """A large request of an API that the relay does not read is streamed."""

    async def run() -> None:
        body = b"y" * (100 << 20)
        async with relaying(
            tmp_path, [b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"], dialects=(OTHER,)
        ) as world:
            holder = world.issue(models=())
            assert status(await holder.ask(holder.request(body=body))) == 200
            assert world.ends()[0]["request_bytes"] == len(body)

    asyncio.run(run())


def test_a_compressed_answer_is_read_but_not_unfolded(tmp_path: Path) -> None:
    """The bytes go on as they are; the usage within them counts."""

    async def run() -> None:
        content = gzip.compress(
            json.dumps(
                {"model": "m-1", "usage": {"prompt_tokens": 3, "completion_tokens": 4}}
            ).encode()
        )
        head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n"
        answer = head % len(content) + content
        async with relaying(tmp_path, [answer]) as world:
            holder = world.issue()
            assert await holder.ask() == answer
            assert (world.ends()[0]["tokens"], world.ends()[0]["counted"]) == (7, "answer")

    asyncio.run(run())


def test_a_key_in_the_query_is_swapped_where_it_stands(tmp_path: Path) -> None:
    """As Gemini's own clients may send it."""

    async def run() -> None:
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
        async with relaying(
            tmp_path, [answer], dialects=(dialect("gemini"),), base="/base/"
        ) as world:
            holder = world.issue()
            path = f"/{holder.made.prefix}/v1beta/models/model-a:generateContent"
            raw = (
                f"POST {path}?alt=sse&key={holder.secret}&x=%C3%BC HTTP/1.1\r\nHost: a\r\n"
                "Content-Length: 2\r\n\r\n{}"
            ).encode()
            assert status(await holder.ask(raw)) == 200
            line = world.api.requests[0].split(b"\r\n")[0]
            due = f"POST /base/v1beta/models/model-a:generateContent?alt=sse&key={KEY}&x=%C3%BC"
            assert line == f"{due} HTTP/1.1".encode()

    asyncio.run(run())
