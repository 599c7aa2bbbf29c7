"""Claims about reading replays as what they write."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.core.errors import Invalid
from leadline.formats.replay_xml import BYTES_MAX, is_replay, read

HEAD = b'<?xml version="1.0" standalone="no" ?>\n<!DOCTYPE pov SYSTEM "/usr/share/cgc-docs/replay.dtd">\n'


def pov(inner: bytes) -> bytes:
    """A proof with *inner* as its replay."""
    return HEAD + b"<pov><cbid>x</cbid><replay>" + inner + b"</replay></pov>"


def test_writes_are_joined_and_reads_left_out() -> None:
    """Text with its escapes and hexadecimal become bytes, in order."""
    inner = (
        b"<write><data>a\\n\\x41\\101\\\\\n</data><data format='hex'>00 ff\n0a</data></write>"
        b"<read><delim>\\n</delim><match><data>yes</data></match></read><delay>5</delay>"
        b"<write echo='no'><data>\\r\\q</data></write><write><data/></write>"
    )
    assert read(pov(inner), "p") == b"a\nAA\\\x00\xff\n\rq"


@given(st.binary(max_size=200))
def test_any_bytes_can_be_written(data: bytes) -> None:
    """Hexadecimal carries every byte."""
    assert read(pov(f"<write><data format='hex'>{data.hex()}</data></write>".encode()), "p") == data


def test_a_replay_is_told_from_an_input() -> None:
    """An input's own bytes are no replay, not even where they begin like markup."""
    assert is_replay(pov(b""))
    assert is_replay(b"  <cfepoll>")
    assert not is_replay(b"<html>")
    assert not is_replay(b"\x00pov")


@pytest.mark.parametrize("declared", ["foo", "utf-7", "hex", "idna", "utf-16"])
def test_a_replay_is_utf_8_whatever_it_says(declared: str) -> None:
    """A declared encoding is nothing that the parser looks up."""
    head = f'<?xml version="1.0" encoding="{declared}"?>'.encode()
    assert read(head + b"<pov><write><data>a</data></write></pov>", "p") == b"a"


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (pov(b"<write><var>TYPE1_IP</var></write>"), "depends on what it read"),
        (pov(b"<write><data format='hex'>0</data></write>"), "no hexadecimal"),
        (pov(b"<write><data format='base64'>AA</data></write>"), "unknown format"),
        (pov("<write><data>\u20ac</data></write>".encode()), "beyond one byte"),
        (b"<pov", "no XML"),
        (b"<html/>", "a html is no replay"),
        (b'<!DOCTYPE pov [<!ENTITY a "aaaa">]><pov/>', "declares entities"),
        ('<!DOCTYPE pov [<!ENTITY a "aaaa">]><pov/>'.encode("utf-16"), "no UTF-8"),
        ('<!DOCTYPE pov [<!ENTITY a "aaaa">]><pov/>'.encode("utf-16-le"), "zero bytes"),
        (b" " * (BYTES_MAX + 1), "longer than"),
    ],
)
def test_what_is_no_fixed_input_is_refused(data: bytes, problem: str) -> None:
    """Variables, entities, other documents and spoilt data are each refused by name."""
    with pytest.raises(Invalid, match=problem):
        read(data, "p")
