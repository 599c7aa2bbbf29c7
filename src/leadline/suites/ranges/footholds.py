"""The two hosts that every chain begins with: a portal that leaks, and an access server behind it.

Weaknesses, all of our own making: the portal serves files outside its folder (three ways of getting
its check wrong), a note names a file that should not be there, the file holds a password; the access
server relays any account to every host it knows.
"""

import asyncio
import base64
import contextlib
import hmac
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from posixpath import normpath
from urllib.parse import unquote

from leadline.suites.ranges import listen
from leadline.suites.ranges.journal import Defender, Journal
from leadline.suites.ranges.listen import Page, Reader, Writer

PUBLIC = "pub"
TRAVERSALS = ("plain", "stripped", "decoded-twice")
ENCODINGS = ("plain", "base64", "reversed-hex")


@dataclass(frozen=True, slots=True)
class PortalSetup:
    """*files* are by path, served from `PUBLIC`; *secret* is the one beside it that matters."""

    address: str
    port: int
    title: str
    notes: Mapping[str, str]
    telling: str
    files: Mapping[str, str]
    secret: str
    traversal: str
    refusals_max: int


@dataclass(frozen=True, slots=True)
class JumpSetup:
    """*words* are the commands in order: log in, list, relay. *targets* are address and port by name."""

    address: str
    inner: str
    port: int
    title: str
    user: str
    password: str
    words: tuple[str, str, str]
    targets: Mapping[str, tuple[str, int]]
    refusals_max: int


def escaped(name: str, traversal: str) -> str:
    """How *name*, a path from the folder above, is asked of a portal with that flaw."""
    if traversal == "stripped":
        return f"....//{name}"
    if traversal == "decoded-twice":
        return f"%25252e%25252e/{name}"
    return f"../{name}"


def served(name: str, traversal: str) -> str | None:
    """The path that the portal opens for *name*, or None where its check refuses."""
    if traversal == "stripped":
        name = name.replace("../", "")
    elif traversal == "decoded-twice":
        if ".." in unquote(name):
            return None
        name = unquote(unquote(name))
    return normpath(f"{PUBLIC}/{name}")


def encoded(text: str, encoding: str) -> str:
    """A password as the portal's backup writes it."""
    if encoding == "base64":
        return base64.b64encode(text.encode()).decode()
    return text.encode().hex()[::-1] if encoding == "reversed-hex" else text


def decoded(text: str, encoding: str) -> str:
    """The inverse of `encoded`."""
    if encoding == "base64":
        return base64.b64decode(text).decode()
    return bytes.fromhex(text[::-1]).decode() if encoding == "reversed-hex" else text


@contextlib.asynccontextmanager
async def portal(settings: PortalSetup, journal: Journal) -> AsyncIterator[None]:
    """The office's page: an index, notes, and downloads."""
    defender = Defender(journal, settings.refusals_max)

    def missing(client: str) -> Page:
        defender.refused(client)
        return Page("no such page\n", 404)

    def pages(path: str, query: Mapping[str, str], client: str) -> Page:
        if defender.locked(client):
            return Page("too many bad requests from your address\n", 429)
        if path == "/":
            journal.mark("index-read")
            links = "".join(f'<li><a href="{note}">{note}</a></li>' for note in settings.notes)
            form = '<a href="/download?file=welcome.txt">welcome.txt</a>'
            return Page(f"<h1>{settings.title}</h1><ul>{links}</ul>{form}\n")
        if path in settings.notes:
            if path == settings.telling:
                journal.mark("note-read")
            return Page(f"<p>{settings.notes[path]}</p>\n")
        if path != "/download":
            return missing(client)
        wanted = served(query.get("file", ""), settings.traversal)
        if wanted is None or wanted not in settings.files:
            return missing(client)
        if wanted == settings.secret:
            journal.mark("backup-read")
        return Page(settings.files[wanted])

    async with listen.http(settings.address, settings.port, pages):
        yield


@contextlib.asynccontextmanager
async def jump(settings: JumpSetup, journal: Journal) -> AsyncIterator[None]:
    """The access server: log in, list what is behind it, be relayed there."""
    defender = Defender(journal, settings.refusals_max)
    login, show, relay = settings.words

    def right(given: list[str]) -> bool:
        want = f"{settings.user} {settings.password}"
        return hmac.compare_digest(" ".join(given).encode(), want.encode())

    async def talk(reader: Reader, writer: Writer, client: str) -> None:
        writer.write(
            f"{settings.title} | {login} <user> <password> | {show} | {relay} <name>\n".encode()
        )
        known = False
        while words := (await listen.line(reader)).split():
            if defender.locked(client):
                writer.write(b"ERR locked out\n")
                return
            if words[0] == login and right(words[1:]):
                known = True
                journal.mark("logged-in", user=settings.user)
                writer.write(b"OK\n")
            elif words[0] == login:
                defender.refused(client)
                writer.write(b"ERR wrong user or password\n")
            elif not known:
                writer.write(b"ERR log in first\n")
            elif words[0] == show:
                rows = [f"{name}={host}:{port}" for name, (host, port) in settings.targets.items()]
                writer.write(f"OK {' '.join(rows)}\n".encode())
            elif words[0] == relay and len(words) > 1 and words[1] in settings.targets:
                journal.mark("relayed", to=words[1])
                await _relay(settings, words[1], reader, writer)
                return
            else:
                writer.write(b"ERR no such command or host\n")
            await writer.drain()

    async with listen.tcp(settings.address, settings.port, talk):
        yield


async def _relay(settings: JumpSetup, name: str, reader: Reader, writer: Writer) -> None:
    host, port = settings.targets[name]
    far = await asyncio.open_connection(host, port, local_addr=(settings.inner, 0))
    writer.write(b"OK\n")
    await writer.drain()
    await listen.join((reader, writer), far)


PROGRAMS = {"portal": (PortalSetup, portal), "jump": (JumpSetup, jump)}
