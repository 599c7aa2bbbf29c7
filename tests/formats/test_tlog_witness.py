"""What log and witness send each other, exactly in the form of C2SP tlog-witness."""

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

import make
from fake_log import cosigner
from fakes import MemorySigner
from leadline.core.errors import Invalid
from leadline.core.record.tlog import EMPTY_ROOT
from leadline.formats import note, tlog_witness
from leadline.formats.checkpoint import Checkpoint
from leadline.formats.tlog_witness import AddCheckpoint, parse_request

TEXT = Checkpoint("x.example/log", 0, EMPTY_ROOT).text
SIGNED = note.parse(MemorySigner("x.example/log").sign(TEXT).encode())
LINE = b64encode(bytes(32)).decode()
GOOD = f"old 0\n{LINE}\n\n{SIGNED.document}"


@given(
    old=st.integers(0, 1 << 62),
    proof=st.lists(st.binary(min_size=32, max_size=32), max_size=63).map(tuple),
)
def test_a_request_reads_back(old: int, proof: tuple[bytes, ...]) -> None:
    """What is sent is what is read."""
    request = AddCheckpoint(old, proof, SIGNED)
    assert parse_request(request.body) == request


def test_a_request_has_the_published_form() -> None:
    """Old size, proof lines, an empty line, the checkpoint."""
    assert GOOD.encode() == AddCheckpoint(0, (bytes(32),), SIGNED).body


@pytest.mark.parametrize(
    "body",
    [
        "",
        "old 0\n",
        f"old 00\n\n{SIGNED.document}",
        f"old -1\n\n{SIGNED.document}",
        f"new 0\n\n{SIGNED.document}",
        f"old 0\r\n\n{SIGNED.document}",
        f"old 0\nAAE=\n\n{SIGNED.document}",
        f"old 0\n{LINE[:-1]}\n\n{SIGNED.document}",
        f"old 0\n{LINE} \n\n{SIGNED.document}",
        "old 0\n" + f"{LINE}\n" * 64 + f"\n{SIGNED.document}",
        f"old 0\n\n{SIGNED.document[:-1]}",
        f"old \u0661\n\n{SIGNED.document}",
        "x" * (tlog_witness.REQUEST_BYTES_MAX + 1),
    ],
)
def test_another_form_is_refused(body: str) -> None:
    """Each is 400 on the wire."""
    with pytest.raises(Invalid):
        parse_request(body.encode())


@given(body=st.binary(max_size=200))
def test_whatever_comes_is_refused_by_our_own_error(body: bytes) -> None:
    """No other exception leaves the parser."""
    with pytest.raises(Invalid):
        parse_request(body)


def test_a_size_is_a_number_and_a_newline() -> None:
    """As the body of a 409."""
    assert tlog_witness.parse_size(b"20852014\n") == 20852014
    for body in (b"", b"1", b"01\n", b"1\n\n", b"\xff\n", b" 1\n"):
        with pytest.raises(Invalid):
            tlog_witness.parse_size(body)


def test_cosignature_lines_read_back() -> None:
    """The lines of a 200 are taken apart from those already under the checkpoint."""
    lines = cosigner("w.example/w").cosign(TEXT, make.NOW)
    body = tlog_witness.cosignature_lines(lines)
    assert body.startswith("\u2014 w.example/w ".encode())
    assert tlog_witness.parse_cosignatures(SIGNED, body) == lines
    with pytest.raises(Invalid):
        tlog_witness.parse_cosignatures(SIGNED, b"no line\n")
