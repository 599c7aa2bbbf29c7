"""One request and its answer, passed on byte for byte while hashes are taken of both.

Upheld here: nothing reaches the upstream before a credential, its path, its model and its caps were
looked at; a body's bytes go on in the very framing they came in; an answer that did not come whole is
never given a clean end; whatever happens, the exchange has an entry that says how it ended.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from leadline.core.errors import Invalid
from leadline.formats import http1
from leadline.formats.dialect_toml import Carrier
from leadline.formats.http1 import Body, Framing, Request, Response
from leadline.relay.bodies import SealedBodies
from leadline.relay.ledger import Cost
from leadline.relay.state import (
    STATUS,
    Admitted,
    Peer,
    RefusedHere,
    State,
    ascii_of,
    carriers,
    check_model,
)
from leadline.relay.watch import Watch
from leadline.relay.wire import GoneError, Side

if TYPE_CHECKING:
    from leadline.core.record.act import Value

CHANGED = b"Leadline-Subject-Changed"
ANSWERED = b"Leadline-Relay"
LOOK_BYTES_MAX = 32 << 20
FIRST_BYTES_MAX = 1 << 20
BIG_BYTES = 256 * 1024
INTERIM_MAX = 32
REASONS: Mapping[int, str] = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    408: "Request Timeout",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    429: "Too Many Requests",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds that each step may take, and how many connections there may be."""

    idle: float = 75.0  # between two requests of a connection
    head: float = 20.0
    body: float = 60.0  # between two pieces of a request
    connect: float = 10.0
    answer: float = 900.0  # until the upstream says anything, and between two pieces
    client: float = 300.0  # a client that takes nothing
    first: float = 1.0  # how long a head waits for the first piece, which may tell the model
    connections: int = 1024
    held: int = 256 << 20  # bytes of all requests that wait until their model's name was read


@dataclass(frozen=True, slots=True)
class Upstream:
    """The API behind the relay. *key* is shown to it in place of the evaluator's credential."""

    host: bytes  # as the Host field says it
    base: bytes  # a path before every path, without its last slash
    key: str
    connect: Callable[[], Awaitable[Side]]


class Exchange:
    """One exchange on a client's connection. *upstream_side* is that connection's own, or None."""

    def __init__(
        self,
        state: State,
        upstream: Upstream,
        limits: Limits,
        client: Side,
        upstream_side: Side | None,
        keep: SealedBodies | None,
    ) -> None:
        self._state, self._to, self._limits, self._keep = state, upstream, limits, keep
        self.client, self.side = client, upstream_side
        self.admitted: Admitted | None = None
        self.cut_why = ""
        self._id = ""
        self._asked = ""
        self._looked = b""
        self._status = 0
        self._outcome = ""
        self._change = ""
        self._sent, self._got = sha256(), sha256()
        self._sent_bytes = self._got_bytes = 0
        self._watch: Watch | None = None
        self._held = 0
        self.head_sent = False

    def cut(self, why: str) -> None:
        """End it at once, on both sides."""
        self.cut_why = self.cut_why or why
        self.client.abort()
        if self.side is not None:
            self.side.abort()

    async def run(self, request: Request, peer: Peer, *, secure: bool) -> bool:
        """Serve one request; answers whether the connection can take another.

        Raises: RefusedHere, before anything went to the upstream; GoneError, if the client left.
        """
        admitted = self._state.admit(request, peer, secure=secure)
        self.admitted = admitted
        body = http1.request_body(request)
        if admitted.path == STATUS:
            return await self._status_answer(body)
        self._state.within(admitted.credential, peer)
        streams, id_ = self._state.streams, admitted.credential.id
        streams[id_] = streams.get(id_, 0) + 1
        try:
            return await self._relay(request, body, admitted)
        finally:
            streams[id_] -= 1
            self._release()

    async def _relay(self, request: Request, body: Body, admitted: Admitted) -> bool:
        if b"100-continue" in request.fields.words(b"expect"):
            await self.client.write(b"HTTP/1.1 100 Continue\r\n\r\n", self._limits.client)
        held = await self._look(request, body, admitted)
        await self._connect()
        self._id = self._state.begin(admitted, request.method.decode(), self._asked)
        try:
            self._note_sent(self._looked)
            self._looked = b""
            reusable = await self._pass(request, body, admitted, held)
        except TimeoutError:
            self._outcome = self._outcome or "slow"
            raise self._failed(504, "upstream_slow") from None
        except Invalid as error:
            self._outcome = self._outcome or "upstream_malformed"
            raise self._failed(502, "upstream_malformed") from error
        except GoneError:
            self._outcome = self._outcome or (
                "client_gone" if self.client.gone else "upstream_gone"
            )
            raise self._failed(502, "upstream_gone") from None
        else:
            self._outcome = "complete"
            return reusable
        finally:
            self._enter(admitted)

    def _failed(self, status: int, code: str) -> Exception:
        """What follows a failure: an answer if none was begun, else an end that is not clean."""
        if self.side is not None:
            self.side.abort()
            self.side = None
        if self.head_sent or self.client.gone or self.cut_why:
            self.client.abort()
            return GoneError()
        return RefusedHere(status, code, "the model's API behind this relay gave no whole answer")

    async def _look(self, request: Request, body: Body, admitted: Admitted) -> list[bytes]:
        """Read the model's name before anything goes on; answers the bytes read for it."""
        endpoint, credential = admitted.endpoint, admitted.credential
        if endpoint is None or not endpoint.named:
            return []
        if endpoint.named == "path":
            self._asked = endpoint.model(admitted.path) or ""
            return []
        if request.fields.all(b"content-encoding"):
            raise RefusedHere(415, "coding", "send the body without a content coding")
        held, content, size = list[bytes](), list[bytes](), 0
        while not body.done:
            raw, pieces = await self._from_client(body)
            held.append(raw)
            content += pieces
            size += len(raw)
            if size > LOOK_BYTES_MAX:
                raise RefusedHere(413, "size", f"over {LOOK_BYTES_MAX} bytes")
            self._held += len(raw)
            self._state.held += len(raw)
            if self._state.held > self._limits.held:
                raise RefusedHere(503, "busy", "too much is being sent at this time")
        whole = b"".join(content)
        try:
            if len(whole) > BIG_BYTES:
                self._asked = await asyncio.to_thread(admitted.dialect.requested, whole)
            else:
                self._asked = admitted.dialect.requested(whole)
        except Invalid as error:
            raise RefusedHere(400, "body", str(error)) from error
        check_model(credential, self._asked)
        self._looked = whole
        return held

    def _release(self) -> None:
        """What was held of the request is gone, or goes with the exchange."""
        self._state.held -= self._held
        self._held = 0

    async def _from_client(self, body: Body) -> tuple[bytes, list[bytes]]:
        """The next bytes of the request's body, and the content in them."""
        try:
            data = await self.client.read(self._limits.body)
        except TimeoutError:
            raise RefusedHere(408, "slow", "the body did not come") from None
        if not data:
            raise GoneError
        try:
            used, pieces = body.feed(data)
        except Invalid as error:
            raise RefusedHere(400, "framing", str(error)) from error
        self.client.unread(data[used:])
        return data[:used], pieces

    async def _connect(self) -> None:
        if self.side is not None and (self.side.gone or self.side.unread_bytes):
            self.side.abort()  # what it said unasked must not pass for the next answer
            self.side = None
        if self.side is None:
            try:
                async with asyncio.timeout(self._limits.connect):
                    self.side = await self._to.connect()
            except TimeoutError:
                raise RefusedHere(
                    504, "upstream_slow", "no connection to the model's API"
                ) from None
            except OSError as error:
                why = f"upstream_down: {type(error).__name__}"
                raise RefusedHere(
                    502, "upstream_down", "no connection to the model's API", why
                ) from None
        self.client.on_gone = lambda: self.cut("client_gone")
        if self.cut_why or self.client.gone:
            self.cut("client_gone")
            raise GoneError

    async def _pass(
        self, request: Request, body: Body, admitted: Admitted, held: list[bytes]
    ) -> bool:
        assert self.side is not None  # noqa: S101 -- connected before
        head = http1.spell(
            b"%s %s HTTP/1.1" % (request.method, self._target(admitted)),
            self._onward(request, admitted),
        )
        onward = b"".join([head, *held])
        held.clear()  # a stream may be long, and its request is not needed any more
        await self.side.write(onward, self._limits.answer)
        del onward
        self._release()
        sending = asyncio.ensure_future(self._send(body))
        try:
            response = await self._response_head(sending)
            whole = await self._answer(request, response, admitted)
            sent = sending.done() and sending.exception() is None
            return whole and sent and not self._closing(request)
        finally:
            if not sending.done():
                sending.cancel()
                await asyncio.wait({sending})
            elif not sending.cancelled():
                sending.exception()  # looked at, so that nothing complains of it later

    async def _send(self, body: Body) -> None:
        """Pass the rest of the request's body on."""
        assert self.side is not None  # noqa: S101 -- connected before
        while not body.done:
            try:
                raw, pieces = await self._from_client(body)
            except RefusedHere as error:
                self.cut(f"client_{error.code}")
                raise GoneError from error
            for piece in pieces:
                self._note_sent(piece)
            await self.side.write(raw, self._limits.answer)

    async def _response_head(self, sending: "asyncio.Future[None]") -> Response:
        """The final head; interim ones are passed on, but for 100, which the relay gives itself."""
        assert self.side is not None  # noqa: S101 -- connected before
        interim = 0
        while True:
            try:
                data = await self.side.head(self._limits.answer, self._limits.answer)
            except TimeoutError:
                if sending.done():
                    raise
                continue  # it still takes the request, and `_send` minds how fast
            if not data:
                raise GoneError
            response = http1.parse_response(data)
            if response.status == 101:  # noqa: PLR2004 -- nobody asked for another protocol
                raise Invalid("status", "a change of protocol that was not asked for")
            if response.status >= 200:  # noqa: PLR2004 -- final
                self._status = response.status
                return response
            http1.response_body(b"", response)
            interim += 1
            if interim > INTERIM_MAX:
                raise Invalid("status", f"over {INTERIM_MAX} interim answers")
            if response.status != 100:  # noqa: PLR2004 -- Continue
                line = b"HTTP/1.1 %d%s" % (response.status, response.reason)
                told = http1.spell(line, response.fields.end_to_end())
                await self.client.write(told, self._limits.client)

    async def _answer(self, request: Request, response: Response, admitted: Admitted) -> bool:
        """Pass the answer on; answers whether both connections can be used again."""
        assert self.side is not None  # noqa: S101 -- connected before
        body = http1.response_body(request.method, response)
        watch = self._watch = Watch(admitted.dialect, response.fields)
        first = await self._first(body, watch)
        fields = list(response.fields.end_to_end())
        change = self._judge(admitted) or self._state.journal.ledger.changed.get(
            admitted.credential.id, ""
        )
        if change:
            fields.append((CHANGED, ascii_of(change).encode()))
        until_close = body.framing is Framing.CLOSE
        if until_close:
            fields.append((b"Connection", b"close"))
            self.client.ends_by_closing = True
        line = b"HTTP/1.1 %d%s" % (response.status, response.reason)
        self.head_sent = True
        await self.client.write(http1.spell(line, fields) + first, self._limits.client)
        while not body.done:
            raw = await self._from_upstream(body, watch)
            if raw:
                await self.client.write(raw, self._limits.client)
        watch.end()
        self._judge(admitted)
        if until_close or b"close" in response.fields.words(b"connection") or not response.minor:
            self.side.close()
            self.side = None
        return not until_close

    async def _first(self, body: Body, watch: Watch) -> bytes:
        """What came until the model's name stood in it, so that the head can tell a change."""
        assert self.side is not None  # noqa: S101 -- connected before
        taken, size, loop = list[bytes](), 0, asyncio.get_running_loop()
        ends = loop.time() + self._limits.first
        while watch.readable and not watch.told.models and not body.done and size < FIRST_BYTES_MAX:
            if watch.streams and taken:
                break  # a stream is never kept waiting for more than its first piece
            if not await self.side.came(max(ends - loop.time(), 0.001)):
                break
            raw = await self._from_upstream(body, watch)
            taken.append(raw)
            size += len(raw)
        if taken and body.done:
            watch.end()
        return b"".join(taken)

    async def _from_upstream(self, body: Body, watch: Watch) -> bytes:
        """The next bytes of the answer."""
        assert self.side is not None  # noqa: S101 -- connected before
        data = await self.side.read(self._limits.answer)
        if not data:
            if body.framing is Framing.CLOSE and not self.side.broken and not self.cut_why:
                body.end()
                return b""
            self._outcome = "upstream_cut" if not self.client.gone else ""
            raise GoneError
        used, pieces = body.feed(data)
        if used < len(data):
            raise Invalid("answer", "more than its own length says")
        for piece in pieces:
            self._got.update(piece)
            self._got_bytes += len(piece)
            watch.take(piece)
            if self._keep is not None:
                self._keep.piece(f"{self._id}.response", piece)
        return data

    def _judge(self, admitted: Admitted) -> str:
        """Whether another model answers than was expected."""
        if self._watch is not None and self._watch.told.models and self._status < 400:  # noqa: PLR2004
            self._change = self._state.changed(
                admitted.credential, self._asked, self._watch.told.models
            )
        return self._change

    def _note_sent(self, piece: bytes) -> None:
        self._sent.update(piece)
        self._sent_bytes += len(piece)
        if self._keep is not None:
            self._keep.piece(f"{self._id}.request", piece)

    def _target(self, admitted: Admitted) -> bytes:
        query = admitted.query
        if admitted.carrier.query:
            start = admitted.carrier.query.encode() + b"="
            parts = query.split(b"&")
            key = self._to.key.encode()
            query = b"&".join(start + key if one.startswith(start) else one for one in parts)
        target = self._to.base + admitted.path.encode()
        return target + b"?" + query if query else target

    def _onward(self, request: Request, admitted: Admitted) -> list[http1.Field]:
        """The fields as they go on: the host and the credential are the upstream's."""
        names = {one.header.encode() for one in carriers(self._state.dialects) if one.header}
        gone = (names | {b"dpop", b"expect"}) - {admitted.carrier.header.encode()}
        fields = list[http1.Field]()
        for name, value in request.fields.end_to_end():
            lower = name.lower()
            if lower == b"host":
                fields.append((name, self._to.host))
            elif lower == admitted.carrier.header.encode():
                fields.append((name, shown_key(admitted.carrier, self._to.key)))
            elif lower not in gone:
                fields.append((name, value))
        return fields

    def _closing(self, request: Request) -> bool:
        return b"close" in request.fields.words(b"connection") or self.client.gone

    def _enter(self, admitted: Admitted) -> None:
        """The entry of this exchange, however it ended."""
        self.client.on_gone = None
        outcome = self.cut_why or self._outcome or "broken off"
        complete = outcome == "complete"
        watch, caps = self._watch, admitted.credential.caps
        read: Cost | None = None
        if watch is not None and watch.readable and watch.told.usage.output is not None:
            usage = watch.told.usage
            read = Cost((usage.input or 0) + (usage.output or 0), caps.cost(usage), "answer")
        cost = self._state.cost(admitted, status=self._status, complete=complete, told=read)
        told: dict[str, Value] = {
            "outcome": outcome,
            "status": self._status,
            "asked": ascii_of(self._asked),
            "models": tuple(ascii_of(one) for one in watch.told.models) if watch else (),
            "fingerprints": tuple(ascii_of(one) for one in watch.told.fingerprints[:4])
            if watch
            else (),
            "tokens": cost.tokens,
            "micros": cost.micros,
            "counted": cost.source,
            "request_bytes": self._sent_bytes,
            "request_sha256": self._sent.hexdigest(),
            "response_bytes": self._got_bytes,
            "response_sha256": self._got.hexdigest(),
        }
        self._state.end(admitted, self._id, told, self._change)
        if self._keep is not None:
            self._keep.end(f"{self._id}.request")
            self._keep.end(f"{self._id}.response")

    async def _status_answer(self, body: Body) -> bool:
        """Tell the holder of a credential what is committed: the signed head, and its own id."""
        assert self.admitted is not None  # noqa: S101 -- admitted before
        credential, journal = self.admitted.credential, self._state.journal
        told = {
            "credential": credential.id,
            "engagement": credential.engagement,
            "head": journal.sign(),
            "keeps_bodies": journal.ledger.keeps_bodies,
            "subject_changed": journal.ledger.changed.get(credential.id, ""),
        }
        data = json.dumps(told).encode()
        await self.client.write(answer(200, b"OK", data, close=not body.done), self._limits.client)
        return body.done


def shown_key(carrier: Carrier, key: str) -> bytes:
    """The upstream's credential as a header holds it."""
    return f"{carrier.scheme} {key}".encode() if carrier.scheme else key.encode()


def answer(status: int, reason: bytes, data: bytes, *, close: bool) -> bytes:
    """An answer of the relay itself."""
    fields = [
        (b"Content-Type", b"application/json"),
        (b"Content-Length", str(len(data)).encode()),
        (b"Cache-Control", b"no-store"),
        (ANSWERED, b"answered here"),
    ]
    if close:
        fields.append((b"Connection", b"close"))
    return http1.spell(b"HTTP/1.1 %d %s" % (status, reason), fields) + data


def refusal(error: RefusedHere) -> bytes:
    """What the relay says where it passes nothing on; the connection ends with it."""
    told = {"error": {"type": "leadline_relay", "code": error.code, "message": error.told}}
    reason = REASONS[error.status].encode()
    return answer(error.status, reason, json.dumps(told).encode(), close=True)
