"""HTTP/1.1 as a relay follows it: one reading of each message, or none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.core.errors import Invalid
from leadline.formats import http1
from leadline.formats.http1 import Body, Fields, Framing, Response
from refusal import answer

REQUEST = b"POST /a?b=c HTTP/1.1\r\nHost: h\r\nX-A:  1 \t\r\nx-a: 2\r\n\r\n"


def test_a_head_is_read_and_spelled_as_it_was() -> None:
    """Order, letters and doubles stay; white space around a value goes."""
    head = http1.parse_request(REQUEST)
    assert (head.method, head.target, head.path) == (b"POST", b"/a?b=c", b"/a")
    assert head.fields.all(b"x-a") == (b"1", b"2")
    spelled = http1.spell(b"POST /a?b=c HTTP/1.1", head.fields.pairs)
    assert spelled == REQUEST.replace(b"  1 \t", b" 1")
    assert http1.parse_request(spelled) == head


def test_hop_by_hop_fields_end_here_and_framing_does_not() -> None:
    """Connection names more of them; it cannot take the framing or the host away."""
    raw = (
        b"GET / HTTP/1.1\r\nHost: h\r\nConnection: X-Mine, content-length, host\r\nX-Mine: 1\r\n"
        b"TE: trailers\r\nContent-Length: 0\r\nX-Other: 2\r\n\r\n"
    )
    kept = [name for name, _ in http1.parse_request(raw).fields.end_to_end()]
    assert kept == [b"Host", b"Content-Length", b"X-Other"]


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        (b"x" * (http1.HEAD_BYTES_MAX + 1), "head"),
        (b"GET / HTTP/1.1\r\nHost: h\r\n", "head"),
        (b"GET / HTTP/1.1\r\nHost: h" + b"\r\nA: b" * 128 + b"\r\n\r\n", "head"),
        (b"GET  / HTTP/1.1\r\nHost: h\r\n\r\n", "request line"),
        (b"G@T / HTTP/1.1\r\nHost: h\r\n\r\n", "request line"),
        (b"GET / HTTP/2\r\nHost: h\r\n\r\n", "version"),
        (b"GET a HTTP/1.1\r\nHost: h\r\n\r\n", "target"),
        (b"GET /#f HTTP/1.1\r\nHost: h\r\n\r\n", "target"),
        (b"GET / HTTP/1.1\r\nHost : h\r\n\r\n", "field"),
        (b"GET / HTTP/1.1\r\nHost: h\r\nA: \x7f\r\n\r\n", "A"),
        (b"GET / HTTP/1.1\r\nHost: h\r\nA: b\nC: d\r\n\r\n", "A"),
        (b"GET / HTTP/1.1\r\n\r\n", "Host"),
        (
            b"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            "Content-Length",
        ),
        (b"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1, 1\r\n\r\n", "Content-Length"),
        (b"GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n", "Transfer-Encoding"),
        (b"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n", "body"),
        (b"HEAD / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", "body"),
    ],
)
def test_other_request_heads_are_refused(raw: bytes, field: str) -> None:
    """The message names the part."""
    with pytest.raises(Invalid) as refused:
        http1.parse_request(raw)
    assert refused.value.field == field


def test_status_lines() -> None:
    """With and without a reason; others are refused."""
    assert http1.parse_response(b"HTTP/1.0 204\r\n\r\n") == Response(0, 204, b" ", Fields(()))
    assert http1.parse_response(b"HTTP/1.1 200 All  Well\r\n\r\n").reason == b" All  Well"
    for raw in (b"HTTP/1.1 99 a\r\n\r\n", b"HTTP/2 200 OK\r\n\r\n", b"ICY 200 OK\r\n\r\n"):
        with pytest.raises(Invalid, match="status line"):
            http1.parse_response(raw)


@pytest.mark.parametrize(
    ("method", "head", "framing"),
    [
        (b"HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", Framing.NONE),
        (b"GET", b"HTTP/1.1 304 No\r\nContent-Length: 5\r\n\r\n", Framing.NONE),
        (b"GET", b"HTTP/1.1 103 Early\r\n\r\n", Framing.NONE),
        (b"GET", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", Framing.LENGTH),
        (b"GET", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n", Framing.CHUNKED),
        (b"GET", b"HTTP/1.1 200 OK\r\n\r\n", Framing.CLOSE),
    ],
)
def test_where_an_answer_ends(method: bytes, head: bytes, framing: Framing) -> None:
    """By method, status, length, chunks, or the connection."""
    assert http1.response_body(method, http1.parse_response(head)).framing is framing


def test_where_a_request_ends() -> None:
    """Without a length or chunks it has no body."""
    for field, framing in (
        (b"A: b", Framing.NONE),
        (b"Content-Length: 3", Framing.LENGTH),
        (b"Transfer-Encoding: chunked", Framing.CHUNKED),
    ):
        head = http1.parse_request(b"PUT / HTTP/1.1\r\nHost: h\r\n" + field + b"\r\n\r\n")
        assert http1.request_body(head).framing is framing


@pytest.mark.parametrize("field", [b"Content-Length: 5", b"Transfer-Encoding: chunked"])
@pytest.mark.parametrize("status", [b"204", b"103"])
def test_an_answer_without_a_body_tells_of_none(status: bytes, field: bytes) -> None:
    """One reader would wait for what another takes for the next answer."""
    head = http1.parse_response(b"HTTP/1.1 " + status + b" X\r\n" + field + b"\r\n\r\n")
    with pytest.raises(Invalid, match="has none"):
        http1.response_body(b"POST", head)


def test_an_old_server_has_no_chunks() -> None:
    """HTTP/1.0 with chunks could be read in two ways."""
    head = http1.parse_response(b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    with pytest.raises(Invalid, match="Transfer-Encoding"):
        http1.response_body(b"GET", head)


PIECES = st.lists(st.binary(min_size=1, max_size=40), max_size=6)


@given(pieces=PIECES, size=st.integers(1, 30), after=st.binary(max_size=20))
def test_chunks_are_followed_whatever_the_pieces(
    pieces: list[bytes], size: int, after: bytes
) -> None:
    """However the bytes are cut, the content is the same and what follows is left."""
    raw = b"".join(b"%X ;a=b\r\n%s\r\n" % (len(one), one) for one in pieces)
    raw += b"0\r\nX-T: 1\r\n\r\n"
    body, content, used = Body(Framing.CHUNKED, 0), b"", 0
    whole = raw + after
    while not body.done:
        taken, found = body.feed(whole[used : used + size])
        content += b"".join(found)
        used += taken
    assert content == b"".join(pieces)
    assert whole[used:] == after
    assert body.feed(after) == (0, [])
    body.end()


def test_other_framings() -> None:
    """A length is counted, the end of a connection is none."""
    body = Body(Framing.LENGTH, 5)
    assert body.feed(b"") == (0, [])
    assert body.feed(b"abc") == (3, [b"abc"])
    with pytest.raises(Invalid, match="before its end"):
        body.end()
    assert body.feed(b"defg") == (2, [b"de"])
    assert body.done
    close = Body(Framing.CLOSE, 0)
    assert close.feed(b"ab") == (2, [b"ab"])
    assert close.feed(b"") == (0, [])
    close.end()
    assert close.done
    assert Body(Framing.LENGTH, 0).done


@pytest.mark.parametrize(
    "raw",
    [
        b"\r\n",
        b"x\r\n",
        b"-1\r\n",
        b"0x1\r\n",
        b"1\nab",
        b"1\r\nab\r\n",
        b"a" * 300,
        b"0\r\nbad\r\n",
        b"0\r\nContent-Length: 1\r\n",
        b"0\r\n" + b"A: " + b"b" * 17_000,
        b"0\r\n" + b"A: bbbbbbbbbbbbbbbbbbbbbbbbbbbbb\r\n" * 600,
    ],
)
def test_other_chunks_are_refused(raw: bytes) -> None:
    """Never repaired."""
    with pytest.raises(Invalid):
        Body(Framing.CHUNKED, 0).feed(raw)


def test_a_chunk_is_no_line() -> None:
    """Bytes within a chunk are never read as one."""
    with pytest.raises(AssertionError):
        http1._chunk_data(Body(Framing.CHUNKED, 0), b"")


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """Nothing but our own error comes out."""
    for parse in (http1.parse_request, http1.parse_response, Body(Framing.CHUNKED, 0).feed):
        answer(parse, data + http1.END)
