"""Event streams: the same events whatever the pieces; comments and endings as the standard has them."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.formats.event_stream import EVENT_BYTES_MAX, EventStream

STREAM = (
    b"\xef\xbb\xbf: comment\n\ndata: one\r\nevent: x\rdata:two\r\n\r\ndata\n\nid: 7\n\n"
    b"data:  gr\xc3\xbc\xc3\x9fe\r\rdata: [DONE]\n\ndata: cut"
)
EVENTS = [b"one\ntwo", b"", b" gr\xc3\xbc\xc3\x9fe", b"[DONE]"]


@given(cuts=st.lists(st.integers(0, len(STREAM)), max_size=8))
def test_pieces_do_not_matter(cuts: list[int]) -> None:
    """Between CR and LF, or within a letter: the events are the same; the last has no end yet."""
    reader, found = EventStream(), list[bytes]()
    ends = [0, *sorted(cuts), len(STREAM)]
    for start, end in pairwise(ends):
        found += reader.feed(STREAM[start:end])
    assert found == EVENTS
    assert not reader.lost


@pytest.mark.parametrize(
    "piece",
    [
        b"data: " + b"x" * EVENT_BYTES_MAX,
        b"data: xxxxxxxxxxxxxxxxxxxxxx\n" * 50_000,
        b"data:\n" * (EVENT_BYTES_MAX + 2),
    ],
)
def test_an_endless_event_is_left_out_and_said(piece: bytes) -> None:
    """What is held is bounded; later events are read again."""
    reader = EventStream()
    assert reader.feed(piece) == []
    assert reader.lost
    assert reader.feed(b"\n\ndata: a\n\n")[-1] == b"a"


def test_empty_lines_before_a_stream_end_no_event() -> None:
    """Nor does a mark behind them begin anything."""
    assert EventStream().feed(b"\n\r\n\xef\xbb\xbfdata: a\ndata: b\n\n\n\n") == [b"b"]


def test_one_line_feed_belongs_to_a_carriage_return() -> None:
    """The next is a line of its own, though each comes in a piece of its own."""
    reader = EventStream()
    assert [reader.feed(one) for one in (b"data: a\r", b"\n", b"\n")] == [[], [], [b"a"]]
