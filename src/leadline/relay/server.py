"""The relay's process: its listening address, its control socket, and the sweep that ends streams.

The control socket lies in the state's folder, of mode 0600, and answers this user only. Whoever is
there may issue, list, revoke and take commitments while streams run.
"""

import asyncio
import contextlib
import ipaddress
import json
import os
import re
import socket
import ssl
import struct
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

from leadline.core.errors import Invalid, LeadlineError, Refused, Unavailable
from leadline.formats import http1
from leadline.relay.bodies import SealedBodies
from leadline.relay.control import SOCKET, command, socket_path
from leadline.relay.exchange import Exchange, Limits, Upstream, refusal
from leadline.relay.state import Peer, RefusedHere, State
from leadline.relay.wire import GoneError, Side

SWEEP_SECONDS = 0.25
SIGN_SECONDS = 5.0
CONTROL_BYTES_MAX = 64 * 1024
CONTROL_SECONDS = 5.0
LINGER_SECONDS = 1.0
_URL = re.compile(r"[a-z]+://[A-Za-z0-9._:\[\]-]+(/[A-Za-z0-9._~:/-]*)?")


@dataclass(frozen=True, slots=True)
class Listening:
    """Where the relay listens. Beyond loopback only with a certificate."""

    host: str = "127.0.0.1"
    port: int = 0
    tls: ssl.SSLContext | None = None

    def __post_init__(self) -> None:
        if self.tls is None and not _loopback(self.host):
            raise Refused(
                f"{self.host} is beyond this machine: give --certificate and --key, or listen on "
                "127.0.0.1"
            )


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def upstream_at(url: str, key: str, tls: ssl.SSLContext | None) -> Upstream:
    """The API at *url*.

    Raises: Invalid, for a URL that names no HTTP server, or a key that no header can carry.
    """
    try:
        parts = urlsplit(url)
        host, given = parts.hostname, parts.port
    except ValueError as error:
        raise Invalid("--upstream", f"no URL: {error}") from None
    if parts.scheme not in ("https", "http") or not host or not _URL.fullmatch(url):
        raise Invalid("--upstream", "an https URL without user, query or fragment")
    if parts.scheme == "http" and not _loopback(host):
        raise Invalid("--upstream", "plain http is for this machine only; use https")
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        raise Invalid("upstream key", "one word of printable ASCII is due")
    secure = parts.scheme == "https"
    context = (tls or ssl.create_default_context()) if secure else None
    port = given or (443 if secure else 80)

    async def connect() -> Side:
        loop = asyncio.get_running_loop()
        _, side = await loop.create_connection(Side, host, port, ssl=context)
        return side

    return Upstream(parts.netloc.encode(), parts.path.rstrip("/").encode(), key, connect)


@dataclass
class Server:
    """One running relay."""

    state: State
    upstream: Upstream
    folder: Path
    limits: Limits = field(default_factory=Limits)
    keep: SealedBodies | None = None
    _running: set[Exchange] = field(default_factory=set)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    port: int = 0

    @asynccontextmanager
    async def serving(self, at: Listening, bodies: str = "") -> AsyncIterator[int]:
        """Serve until the block ends; gives the port."""
        loop = asyncio.get_running_loop()
        secure = at.tls is not None

        def opened(side: Side) -> None:
            task = loop.create_task(self._client(side, secure=secure))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        listening = await loop.create_server(
            lambda: Side(opened), at.host, at.port, ssl=at.tls, backlog=1024
        )
        control = await self._control()
        self.state.journal.append(
            self.state.clock(),
            "relay.started",
            upstream=self.upstream.host.decode(),
            dialects=tuple(one.id for one in self.state.dialects),
            bodies=bodies,
        )
        sweeping = [loop.create_task(one) for one in (self._sweep(), self._settling())]
        try:
            self.port = int(listening.sockets[0].getsockname()[1])
            yield self.port
        finally:
            listening.close()
            control.close()
            for one in list(self._running):
                one.cut("relay_stopped")
            for side_task in list(self._tasks):
                side_task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            for one_task in sweeping:
                one_task.cancel()
            await asyncio.gather(*sweeping, return_exceptions=True)
            self.state.tell_untold(at_once=True)
            self.state.journal.append(self.state.clock(), "relay.stopped")

    # clients

    async def _client(self, client: Side, *, secure: bool) -> None:
        """Serve one connection until either end is done with it."""
        peer = _peer(client)
        one: Exchange | None = None
        again = False
        try:
            self._room()
            while (request := await self._request(client, peer)) is not None:
                side = one.side if one is not None else None
                one = Exchange(self.state, self.upstream, self.limits, client, side, self.keep)
                again = False
                self._running.add(one)
                try:
                    again = await one.run(request, peer, secure=secure)
                finally:
                    self._running.discard(one)
                if not again:
                    break
        except RefusedHere as error:
            if not client.gone:
                client.transport.write(refusal(error))
                await self._linger(client)
        except Unavailable:
            if client.gone or (one is not None and one.head_sent):
                client.abort()
            else:
                told = "this relay cannot enter what it does, and relays nothing; tell who runs it"
                client.transport.write(refusal(RefusedHere(503, "journal", told)))
                await self._linger(client)
        except (GoneError, TimeoutError):
            client.abort()
        except BaseException:
            client.abort()  # whatever it was, the answer has no clean end
            raise
        finally:
            client.close()
            if one is not None and one.side is not None:
                (one.side.close if again else one.side.abort)()

    def _room(self) -> None:
        if len(self._tasks) > self.limits.connections:
            raise RefusedHere(503, "busy", "too many connections")

    async def _linger(self, client: Side) -> None:
        """Let a client that still sends read its answer, which a reset would take from it."""
        loop = asyncio.get_running_loop()
        ends = loop.time() + LINGER_SECONDS
        while (left := ends - loop.time()) > 0 and await client.came(left):
            if not await client.read(left):
                break

    async def _request(self, client: Side, peer: Peer) -> http1.Request | None:
        """The next request; None when the client is done.

        Raises: RefusedHere; TimeoutError, GoneError, if a head does not come to its end.
        """
        if not await client.came(self.limits.idle):
            return None
        try:
            data = await client.head(self.limits.head, self.limits.head)
        except Invalid as error:
            self.state.refused(peer, f"malformed: {error}")
            raise RefusedHere(400, "malformed", str(error)) from error
        if not data:
            return None
        try:
            return http1.parse_request(data)
        except Invalid as error:
            self.state.refused(peer, f"malformed: {error}")
            raise RefusedHere(400, "malformed", str(error)) from error

    # time

    async def _sweep(self) -> None:
        """End what has expired or was revoked, whatever the disk does meanwhile."""
        while True:
            self.end_streams()
            await asyncio.sleep(SWEEP_SECONDS)

    async def _settling(self) -> None:
        """Make the journal durable, and sign it."""
        loop, signed = asyncio.get_running_loop(), 0.0
        while True:
            # house: allow swallowed-exception -- tried again; meanwhile nobody can append, and each caller is told
            with contextlib.suppress(Unavailable):
                await asyncio.to_thread(self.state.journal.settle)
                self.state.tell_untold()
                self.state.enter_revoked()
                if loop.time() - signed > SIGN_SECONDS:
                    signed = loop.time()
                    self.state.journal.sign()
            await asyncio.sleep(SWEEP_SECONDS)

    def end_streams(self) -> int:
        """Cut every exchange whose credential counts no more; answers how many."""
        lost = "journal_lost" if self.state.journal.lost else ""
        gone = [
            (one, why)
            for one in self._running
            if one.admitted is not None
            and (why := lost or self.state.ended(one.admitted.credential))
        ]
        for one, why in gone:
            one.cut(why)
        return len(gone)

    # control

    async def _control(self) -> asyncio.Server:
        (self.folder / SOCKET).unlink(missing_ok=True)
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        before = os.umask(0o177)
        try:
            with socket_path(self.folder) as path:
                sock.bind(path)
        finally:
            os.umask(before)
        return await asyncio.start_unix_server(self._told, sock=sock, limit=CONTROL_BYTES_MAX)

    async def _told(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one command of this user."""
        try:
            async with asyncio.timeout(CONTROL_SECONDS):
                line = await reader.readline()
            told: dict[str, object] = {"done": self._do(writer, line)}
        except (ValueError, TimeoutError) as error:
            told = {"error": Invalid.code, "told": f"command: {error}"}
        except LeadlineError as error:
            told = {"error": error.code, "told": str(error)}
        writer.write(json.dumps(told).encode() + b"\n")
        writer.close()

    def _do(self, writer: asyncio.StreamWriter, line: bytes) -> object:
        peer = writer.get_extra_info("socket").getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        _, uid, _ = struct.unpack("3i", peer)
        if uid != os.getuid():
            raise Refused("the control socket answers its owner only")
        try:
            return command(self.state, json.loads(line))
        finally:
            self.end_streams()


def _peer(client: Side) -> Peer:
    """Who is at the other end of a client's connection."""
    name = client.transport.get_extra_info("peername")
    tls = client.transport.get_extra_info("ssl_object")
    shown = tls.getpeercert(binary_form=True) if tls is not None else None
    print_ = urlsafe_b64encode(sha256(shown).digest()).rstrip(b"=").decode() if shown else ""
    return Peer(str(name[0]) if name else "", print_)
