"""Serve files from a public folder that holds links to others.

Input: the path of the request. Beside the public folder lies another, `private`, with the file
`staff.txt`, to which no link leads. The flaw is reached when the answer is that file's text.
"""  # noqa: INP001 -- copied beside the release it drives; never imported from here

import asyncio
import importlib
import secrets
import tempfile
from pathlib import Path

web = importlib.import_module("aiohttp.web")

SECRET = secrets.token_hex(16)
_root = Path(tempfile.mkdtemp(prefix="site-"))
for _folder, _file, _text in (
    ("public", "index.html", "<p>welcome</p>"),
    ("public/css", "site.css", "p { margin: 0 }"),
    ("private", "staff.txt", SECRET),
):
    (_root / _folder).mkdir(exist_ok=True)
    (_root / _folder / _file).write_text(_text, encoding="utf-8")


async def _ask(path: bytes) -> bytes:
    """The service's answer to a request for *path*."""
    app = web.Application()
    app.router.add_static("/static/", _root / "public", follow_symlinks=True)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        reader, writer = await asyncio.open_connection(*runner.addresses[0][:2])
        writer.write(b"GET " + path + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        answer = await asyncio.wait_for(reader.read(), 5)
        writer.close()
        return answer
    finally:
        await runner.cleanup()


def one_input(data: bytes) -> bool:
    """Ask for the path; True if the answer is the private file."""
    if b" " in data or not data.decode("latin-1").isprintable():
        return False
    return SECRET.encode() in asyncio.run(_ask(data))
