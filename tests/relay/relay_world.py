"""A relay on loopback between a scripted API and a client that speaks in bytes."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import leadline
from leadline.core.access import EPOCH
from leadline.core.record.act import Value
from leadline.formats import http1
from leadline.formats.dialect_toml import Carrier, Dialect, load_dialect
from leadline.formats.relay_journal import Entry, entry_of
from leadline.relay import journal as journals
from leadline.relay.bodies import SealedBodies
from leadline.relay.exchange import Limits
from leadline.relay.ledger import Caps, Credential
from leadline.relay.server import Listening, Server, upstream_at
from leadline.relay.state import Prove, State
from leadline.vault.keys import open_signer

DATA = Path(leadline.__file__).parent / "data" / "relay"
KEY = "sk-upstream-key"
ORIGIN = "leadline.example/relay"
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
OTHER = Dialect("other", "Another API", "", (Carrier("authorization", "Bearer"),))
Step = bytes | float | str
QUICK = Limits(idle=30, head=20, body=20, connect=20, answer=20, client=30, first=0.2)


def dialect(name: str) -> Dialect:
    """One that comes with Leadline."""
    file = DATA / f"{name}.toml"
    return load_dialect(file.read_bytes(), file.name)


@dataclass
class Api:
    """Plays its answers in order, one a request, the last again and again; keeps what it was sent."""

    answers: Sequence[Sequence[Step]]
    requests: list[bytes] = field(default_factory=list)
    sent: int = 0
    left: int = 0
    ends: list[str] = field(default_factory=list)
    tasks: set["asyncio.Task[None] | None"] = field(default_factory=set)

    async def end(self) -> None:
        """End every connection that is still open."""
        tasks = [one for one in self.tasks if one is not None and not one.done()]
        for one in tasks:
            one.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        self.tasks.add(asyncio.current_task())
        try:
            await self._connection(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError) as error:
            self.ends.append(type(error).__name__)
        except asyncio.CancelledError:
            writer.transport.abort()
            raise
        self.left += 1
        writer.close()

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            raw = bytearray(await reader.readuntil(http1.END))
            body = http1.request_body(http1.parse_request(bytes(raw)))
            while not body.done:
                piece = await reader.read(65536)
                if not piece:
                    break
                raw += piece
                body.feed(piece)
            steps = self.answers[min(len(self.requests), len(self.answers) - 1)]
            self.requests.append(bytes(raw))
            if not await self._play(writer, steps):
                break

    async def _play(self, writer: asyncio.StreamWriter, steps: Sequence[Step]) -> bool:
        for step in steps:
            if isinstance(step, bytes):
                writer.write(step)
                await writer.drain()
                self.sent += len(step)
            elif isinstance(step, float):
                await asyncio.sleep(step)
            elif step == "reset":
                writer.transport.abort()
                return False
            else:
                return False
        return True


@dataclass
class Clock:
    """Time that a test moves."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        """The time."""
        return self.now


@dataclass
class World:
    """A running relay with what a test needs of it."""

    api: Api
    server: Server
    port: int
    clock: Clock
    folder: Path

    @property
    def state(self) -> State:
        """What the relay knows."""
        return self.server.state

    def issue(self, **wanted: object) -> "Holder":
        """A credential for the model `model-a`, for an hour unless told otherwise."""
        minutes = int(str(wanted.pop("minutes", 60)))
        like = Credential("", "", "engagement-1", "", EPOCH, models=("model-a",))
        like = replace(like, **wanted)  # type: ignore[arg-type] # tests name real fields
        made, secret = self.state.issue(like, lifetime=timedelta(minutes=minutes))
        return Holder(self, made, secret)

    def entries(self, *kinds: str) -> list[Entry]:
        """What the journal's file holds; of all kinds without any."""
        return [one for one in entries(self.folder) if not kinds or one.kind in kinds]

    def ends(self) -> list[dict[str, Value]]:
        """The details of each exchange that ended."""
        return [dict(one.detail) for one in self.entries("exchange.ended")]


@dataclass
class Holder:
    """Whoever holds a credential."""

    world: World
    made: Credential
    secret: str

    def request(
        self,
        target: str = "/v1/chat/completions",
        body: bytes = b'{"model":"model-a"}',
        *,
        method: str = "POST",
        headers: Sequence[str] = (),
        secret: str = "",
        prefix: str = "",
    ) -> bytes:
        """A request's bytes."""
        lines = [
            f"{method} /{prefix or self.made.prefix}{target} HTTP/1.1",
            f"Host: 127.0.0.1:{self.world.port}",
            f"Authorization: Bearer {secret or self.secret}",
            f"Content-Length: {len(body)}",
            *headers,
        ]
        return "\r\n".join(lines).encode() + http1.END + body

    async def ask(self, raw: bytes | None = None, *, port: int = 0) -> bytes:
        """Send on a connection of its own; answers everything that comes until the answer ends."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port or self.world.port)
        try:
            return await sent(reader, writer, self.request() if raw is None else raw)
        finally:
            writer.close()
            await asyncio.gather(writer.wait_closed(), return_exceptions=True)


async def sent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, raw: bytes) -> bytes:
    """Send and read one answer whole, or what came of it before the connection ended."""
    writer.write(raw)
    await asyncio.gather(writer.drain(), return_exceptions=True)
    return await received(reader, raw.partition(b" ")[0])


async def received(reader: asyncio.StreamReader, method: bytes) -> bytes:
    """One answer, as it came."""
    try:
        raw = await reader.readuntil(http1.END)
        response = http1.parse_response(raw)
        body = http1.response_body(method, response)
        while not body.done:
            piece = await reader.read(65536)
            if not piece:
                break
            raw += piece
            body.feed(piece)
    except (asyncio.IncompleteReadError, ConnectionError) as error:
        return getattr(error, "partial", b"")
    return raw


async def until(claim: Callable[[], bool], seconds: float = 20) -> None:
    """Wait until a claim holds."""
    async with asyncio.timeout(seconds):
        while not claim():  # noqa: ASYNC110 -- what is waited for is in a file
            await asyncio.sleep(0.02)


def entries(folder: Path) -> list[Entry]:
    """What a folder's journal holds."""
    lines = (folder / journals.JOURNAL).read_bytes().splitlines()
    return [entry_of(line, number) for number, line in enumerate(lines)]


def status(raw: bytes) -> int:
    """The status of an answer's bytes; 0 for none."""
    return int(raw.split(b" ")[1]) if raw else 0


@asynccontextmanager
async def relaying(
    folder: Path,
    *answers: Sequence[Step],
    dialects: Sequence[Dialect] = (),
    limits: Limits = QUICK,
    clock: Clock | None = None,
    prove: Prove | None = None,
    keep: SealedBodies | None = None,
    upstream: str = "",
    base: str = "",
) -> AsyncIterator[World]:
    """A relay in this process, before a scripted API."""
    api, time = Api(answers or ([b""],)), clock or Clock()
    listening = await asyncio.start_server(api.serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    journal = journals.open_journal(folder, open_signer, ORIGIN, time())
    state = State(journal, dialects or (dialect("openai-chat"),), time, prove)
    to = upstream_at(upstream or f"http://127.0.0.1:{port}{base}", KEY, None)
    server = Server(state, to, folder, limits, keep)
    try:
        async with server.serving(Listening()) as own:
            yield World(api, server, own, time, folder)
    finally:
        listening.close()
        await api.end()
        journal.close()
        await asyncio.sleep(0)  # what was closed is closed in the loop's next turn


def caps(**wanted: int) -> Caps:
    """Caps with these."""
    return Caps(**wanted)
