"""HTTP/1.1 message heads and the framing of bodies: what a relay must know, and nothing it may change.

Upheld here: a message that two readers could divide differently is refused, never repaired: both
lengths at once, two lengths, another coding than ``chunked``, a line that does not end in CR LF, folded
fields, white space before a colon. A body is followed, not rewritten: whoever feeds it passes the very
bytes on, chunk lines and trailers included.

Source: RFC 9112 (sections 2.2, 3.2, 5, 6, 7); RFC 9110 section 7.6.1 for hop-by-hop fields.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from leadline.core.errors import Invalid

HEAD_BYTES_MAX = 64 * 1024
FIELDS_MAX = 128
CHUNK_LINE_BYTES_MAX = 256
TRAILER_BYTES_MAX = 16 * 1024
END = b"\r\n\r\n"

_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")
_TARGET = re.compile(rb"/[\x21-\x22\x24-\x7e]*")
_LENGTH = re.compile(rb"[0-9]{1,18}")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,15})[\t ]*(;[\t\x20-\x7e\x80-\xff]*)?")
_STATUS = re.compile(rb"HTTP/1\.([01]) ([1-5][0-9]{2})( [\t\x20-\x7e\x80-\xff]*)?")
_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"upgrade",
    }
)

Field = tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Fields:
    """Header fields as they were written: order and letters kept, outer white space taken off."""

    pairs: tuple[Field, ...]

    def all(self, name: bytes) -> tuple[bytes, ...]:
        """Every value of a field; *name* in lower case."""
        return tuple(value for key, value in self.pairs if key.lower() == name)

    def words(self, name: bytes) -> frozenset[bytes]:
        """The members of a comma-separated field, in lower case."""
        joined = b",".join(self.all(name))
        return frozenset(word.strip().lower() for word in joined.split(b",")) - {b""}

    def end_to_end(self) -> tuple[Field, ...]:
        """What goes on to the next hop: neither hop-by-hop fields nor those that Connection names.

        The framing fields stay, because the body goes on in its very framing.
        """
        kept = {b"transfer-encoding", b"content-length", b"trailer", b"host"}
        gone = (_HOP | self.words(b"connection")) - kept
        return tuple(pair for pair in self.pairs if pair[0].lower() not in gone)


@dataclass(frozen=True, slots=True)
class Request:
    """A request's head. *target* is in origin form: a path that begins with a slash, and a query."""

    method: bytes
    target: bytes
    fields: Fields

    @property
    def path(self) -> bytes:
        """The target before its question mark."""
        return self.target.partition(b"?")[0]


@dataclass(frozen=True, slots=True)
class Response:
    """A response's head. *minor* is the version after ``HTTP/1.``, *reason* with its leading space."""

    minor: int
    status: int
    reason: bytes
    fields: Fields


class Framing(Enum):
    """How the end of a body is told."""

    NONE = "none"
    LENGTH = "length"
    CHUNKED = "chunked"
    CLOSE = "close"


def parse_request(data: bytes) -> Request:
    """The request whose head is exactly *data*, the empty line included.

    Raises: Invalid, naming the part, for anything that RFC 9112 does not allow a client to send to a
    server that is no forward proxy: absolute targets, CONNECT and HTTP/1.0 among it.
    """
    line, fields = _split(data)
    parts = line.split(b" ")
    if len(parts) != 3 or not _TOKEN.fullmatch(parts[0]):  # noqa: PLR2004 -- three words make the line
        raise Invalid("request line", "a method, a target and HTTP/1.1, one space between them")
    method, target, version = parts
    if version != b"HTTP/1.1":
        raise Invalid("version", "HTTP/1.1 is spoken here")
    if not _TARGET.fullmatch(target):
        raise Invalid(
            "target", "a path that begins with a slash; no other host is reached from here"
        )
    if len(fields.all(b"host")) != 1:
        raise Invalid("Host", "exactly one is due")
    framing, length = framing_of(fields, Framing.NONE)
    if method in (b"GET", b"HEAD") and (framing is Framing.CHUNKED or length):
        raise Invalid("body", f"{method.decode()} has none; a server may take it for a request")
    return Request(method, target, fields)


def parse_response(data: bytes) -> Response:
    """The response whose head is exactly *data*, the empty line included.

    Raises: Invalid, naming the part.
    """
    line, fields = _split(data)
    found = _STATUS.fullmatch(line)
    if found is None:
        raise Invalid("status line", "HTTP/1.1, three digits and a reason are due")
    return Response(int(found[1]), int(found[2]), found[3] or b" ", fields)


def _split(data: bytes) -> tuple[bytes, Fields]:
    if len(data) > HEAD_BYTES_MAX:
        raise Invalid("head", f"over {HEAD_BYTES_MAX} bytes")
    if not data.endswith(END):
        raise Invalid("head", "it ends in an empty line")
    line, *rest = data[: -len(END)].split(b"\r\n")
    if len(rest) > FIELDS_MAX:
        raise Invalid("head", f"over {FIELDS_MAX} fields")
    return line, Fields(tuple(_field(one) for one in rest))


def _field(line: bytes) -> Field:
    name, colon, value = line.partition(b":")
    if not colon or not _TOKEN.fullmatch(name):
        raise Invalid("field", "a name, a colon directly after it, and a value on one line")
    if not _VALUE.fullmatch(value):
        raise Invalid(name.decode(), "a control character in its value")
    return name, value.strip(b" \t")


def framing_of(fields: Fields, otherwise: Framing) -> tuple[Framing, int]:
    """How a body with these fields is framed, and its length; *otherwise* where nothing says.

    Raises: Invalid, if it could be read in two ways.
    """
    lengths, codings = fields.all(b"content-length"), fields.all(b"transfer-encoding")
    if lengths and codings:
        raise Invalid("Content-Length", "not together with Transfer-Encoding")
    if codings:
        if len(codings) > 1 or codings[0].lower() != b"chunked":
            raise Invalid("Transfer-Encoding", "chunked, once, and no other coding")
        return Framing.CHUNKED, 0
    if not lengths:
        return otherwise, 0
    if len(lengths) > 1 or not _LENGTH.fullmatch(lengths[0]):
        raise Invalid("Content-Length", "one decimal number")
    return Framing.LENGTH, int(lengths[0])


def request_body(head: Request) -> "Body":
    """The body that follows a request's head; raises as `framing_of`."""
    return Body(*framing_of(head.fields, Framing.NONE))


def response_body(method: bytes, head: Response) -> "Body":
    """The body that follows a response's head, when it answers *method*; raises as `framing_of`."""
    framing = framing_of(head.fields, Framing.CLOSE)
    bare = head.status == 204 or head.status < 200  # noqa: PLR2004 -- No Content, 1xx
    if bare and (framing[0] is Framing.CHUNKED or framing[1]):
        raise Invalid("body", f"an answer of status {head.status} has none")
    if bare or method == b"HEAD" or head.status == 304:  # noqa: PLR2004 -- Not Modified
        return Body(Framing.NONE, 0)
    if head.minor == 0 and framing[0] is Framing.CHUNKED:
        raise Invalid("Transfer-Encoding", "HTTP/1.0 knows none")
    return Body(*framing)


class Body:
    """Follows one body: how many of the bytes fed belong to it, and what they carry."""

    def __init__(self, framing: Framing, length: int) -> None:
        self.framing = framing
        self.done = framing is Framing.NONE or (framing is Framing.LENGTH and not length)
        self._left = length  # of the body, or of the chunk
        self._step = _chunk_size
        self._line = bytearray()
        self._trailer = 0

    def feed(self, data: bytes) -> tuple[int, list[bytes]]:
        """How many bytes of *data* belong to the body, and the pieces of its content in them.

        The rest, once `done`, belongs to the next message.

        Raises: Invalid, for chunks that are not exactly in the form of RFC 9112 section 7.1.
        """
        if self.done:
            return 0, []
        if self.framing is Framing.CLOSE:
            return len(data), [data] if data else []
        if self.framing is Framing.LENGTH:
            piece = data[: self._left]
            self._left -= len(piece)
            self.done = not self._left
            return len(piece), [piece] if piece else []
        at, pieces = 0, list[bytes]()
        while at < len(data) and not self.done:
            if self._step is _chunk_data:
                piece = data[at : at + self._left]
                pieces.append(piece)
                at += len(piece)
                self._left -= len(piece)
                self._step = _chunk_data if self._left else _chunk_end
            else:
                at += self._take_line(data, at)
        return at, pieces

    def end(self) -> None:
        """Return if the body may end here, because the connection did.

        Raises: Invalid, if some of it is missing.
        """
        if self.framing is not Framing.CLOSE and not self.done:
            raise Invalid("body", "it ended before its end")
        self.done = True

    def _take_line(self, data: bytes, at: int) -> int:
        """Take bytes up to the end of a line; answers how many."""
        end = data.find(b"\n", at)
        taken = data[at:] if end < 0 else data[at : end + 1]
        self._line += taken
        most = TRAILER_BYTES_MAX if self._step is _trailer else CHUNK_LINE_BYTES_MAX
        if len(self._line) > most:
            raise Invalid("chunk", f"a line over {most} bytes")
        if end >= 0:
            line = bytes(self._line)
            self._line.clear()
            if not line.endswith(b"\r\n"):
                raise Invalid("chunk", "a line ends in CR LF")
            self._step(self, line[:-2])
        return len(taken)

    def size_line(self, line: bytes) -> None:
        """Take the line that begins a chunk."""
        found = _CHUNK.fullmatch(line)
        if found is None:
            raise Invalid("chunk", "its size in hex is due")
        self._left = int(found[1], 16)
        self._step = _chunk_data if self._left else _trailer

    def end_line(self, line: bytes) -> None:
        """Take the empty line that ends a chunk."""
        if line:
            raise Invalid("chunk", "it is longer than its size says")
        self._step = _chunk_size

    def trailer_line(self, line: bytes) -> None:
        """Take a trailer field, or the empty line that ends the body."""
        if not line:
            self.done = True
            return
        self._trailer += len(line)
        if self._trailer > TRAILER_BYTES_MAX:
            raise Invalid("trailer", f"over {TRAILER_BYTES_MAX} bytes")
        name, _ = _field(line)
        if name.lower() in (b"content-length", b"transfer-encoding", b"host"):
            raise Invalid("trailer", "a field that frames or routes does not belong there")


def _chunk_size(body: Body, line: bytes) -> None:
    body.size_line(line)


def _chunk_end(body: Body, line: bytes) -> None:
    body.end_line(line)


def _trailer(body: Body, line: bytes) -> None:
    body.trailer_line(line)


def _chunk_data(body: Body, line: bytes) -> None:
    """Stands for "inside a chunk", where no line is read."""
    raise AssertionError(body, line)


def spell(first: bytes, pairs: Iterable[Field]) -> bytes:
    """The bytes of a head: its *first* line and its fields."""
    return b"\r\n".join([first, *(name + b": " + value for name, value in pairs)]) + END
