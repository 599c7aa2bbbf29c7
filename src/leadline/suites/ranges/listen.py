"""The servers that hosts' programs are made of: lines, HTTP, tunnels; asyncio and nothing else.

A connection that misbehaves ends by itself and takes nothing along: length, time and number are
bounded for every client.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import parse_qsl, urlsplit

LINE_BYTES_MAX = 8_192
IDLE_SECONDS_MAX = 60.0
CONNECTIONS_MAX = 128
BROKEN = (OSError, EOFError, LookupError, TimeoutError, TypeError, ValueError)

Reader: TypeAlias = asyncio.StreamReader
Writer: TypeAlias = asyncio.StreamWriter
Talk = Callable[[Reader, Writer, str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Page:
    """An answer over HTTP."""

    text: str
    status: int = 200


Pages = Callable[[str, Mapping[str, str], str], Page]  # path, query, the client's address


@contextlib.asynccontextmanager
async def tcp(
    address: str, port: int, talk: Talk, peers: frozenset[str] = frozenset()
) -> AsyncIterator[int]:
    """Serve *talk* on one address and give the port; 0 takes a free one.

    Connections from others than *peers* (if any are named) are closed at once.
    """
    talks: set[asyncio.Task[None]] = set()

    async def one(reader: Reader, writer: Writer, client: str) -> None:
        try:
            await talk(reader, writer, client)
        except BROKEN:
            # A client that went, or sent what no client sends, is cut off; nobody else notices.
            writer.transport.abort()
        finally:
            writer.close()

    def accepted(reader: Reader, writer: Writer) -> None:
        client = str((writer.get_extra_info("peername") or ("",))[0])
        if len(talks) >= CONNECTIONS_MAX or (peers and client not in peers):
            writer.close()
            return
        task = asyncio.create_task(one(reader, writer, client))
        talks.add(task)
        task.add_done_callback(talks.discard)

    server = await asyncio.start_server(accepted, address, port, limit=LINE_BYTES_MAX)
    try:
        async with server:
            yield int(server.sockets[0].getsockname()[1])
    finally:
        for task in talks:
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)


async def line(reader: Reader) -> str:
    """The next line without its end; empty at the end of the stream.

    Raises: ValueError over the bound, TimeoutError after a minute of silence.
    """
    async with asyncio.timeout(IDLE_SECONDS_MAX):
        return (await reader.readline()).decode("utf-8").rstrip("\r\n")


@contextlib.asynccontextmanager
async def http(
    address: str, port: int, pages: Pages, peers: frozenset[str] = frozenset()
) -> AsyncIterator[None]:
    """Answer GET requests from *pages*, one a connection."""

    async def talk(reader: Reader, writer: Writer, client: str) -> None:
        method, target, *_ = [*(await line(reader)).split(" "), "", ""]
        while await line(reader):
            continue
        parts = urlsplit(target)
        page = Page("only GET is spoken here\n", 405)
        if method == "GET":
            page = pages(parts.path, dict(parse_qsl(parts.query)), client)
        body = page.text.encode("utf-8")
        head = f"HTTP/1.1 {page.status} {_REASONS[page.status]}\r\nContent-Length: {len(body)}\r\n"
        writer.write(head.encode("ascii") + b"Content-Type: text/html\r\nConnection: close\r\n\r\n")
        writer.write(body)
        await writer.drain()

    async with tcp(address, port, talk, peers):
        yield


_REASONS = {
    200: "OK",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    429: "Too Many",
}


async def pump(reader: Reader, writer: Writer) -> None:
    """Copy until the end of the stream, then close what was written to."""
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    finally:
        writer.close()


async def join(near: tuple[Reader, Writer], far: tuple[Reader, Writer]) -> None:
    """Carry bytes both ways until either side ends."""
    copies = [
        asyncio.create_task(pump(near[0], far[1])),
        asyncio.create_task(pump(far[0], near[1])),
    ]
    try:
        await asyncio.wait(copies, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for copy in copies:
            copy.cancel()
        await asyncio.gather(*copies, return_exceptions=True)
