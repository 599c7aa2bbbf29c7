"""Send a request whose method a user gave. Input: the method.

The flaw is reached when the service receives a header line `x-staff` that the program did not send.
"""  # noqa: INP001 -- copied beside the release it drives; never imported from here

import asyncio
import importlib

aiohttp = importlib.import_module("aiohttp")

REFUSALS: tuple[type[Exception], ...] = (aiohttp.ClientError,)
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


async def _send(method: str) -> bytes:
    """What the service receives when a request with that *method* is sent."""
    received = bytearray()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while b"\r\n\r\n" not in received:
            part = await reader.read(4096)
            if not part:
                break
            received.extend(part)
        writer.write(ANSWER)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        timeout = aiohttp.ClientTimeout(total=2)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.request(method, f"http://127.0.0.1:{port}/") as answer,
        ):
            await answer.read()
    except (aiohttp.ClientError, TimeoutError, ValueError):
        return bytes(received)
    finally:
        server.close()
    return bytes(received)


def one_input(data: bytes) -> bool:
    """Send the request; True if the header line arrived."""
    head = asyncio.run(_send(data.decode("ascii"))).partition(b"\r\n\r\n")[0]
    return any(line.lower().startswith(b"x-staff:") for line in head.split(b"\r\n")[1:])
