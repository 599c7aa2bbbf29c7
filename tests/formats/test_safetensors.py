"""Headers of safetensors files: each rule of trust.md 3.4, and what real files hold."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.core.errors import Invalid
from leadline.formats.safetensors import BITS, header_length, parse_header


def entry(dtype: str = "F32", shape: object = (2,), at: object = (0, 8)) -> dict[str, object]:
    """One tensor's entry."""
    return {"dtype": dtype, "shape": shape, "data_offsets": at}


def header(**tensors: Any) -> bytes:
    """A header as bytes."""
    return json.dumps(tensors).encode()


def test_a_header_as_writers_make_it_is_read() -> None:
    """Two tensors in any order, free text, padding with spaces."""
    raw = header(
        b=entry("BF16", [3], [8, 14]), a=entry(), __metadata__={"format": "pt"}, c=entry("I8", [0], [14, 14])
    )  # fmt: skip
    found = parse_header(raw + b"   ", 14)
    assert [tensor.name for tensor in found.tensors] == ["a", "b", "c"]
    assert found.metadata == {"format": "pt"}
    assert found.parameters == 5


def test_an_empty_file_of_tensors_is_one() -> None:
    """No tensors and no data is consistent; a scalar has no dimensions and one element."""
    assert parse_header(b"{}", 0).tensors == ()
    assert parse_header(header(a=entry("F64", [], [0, 8])), 8).parameters == 1


def test_types_narrower_than_a_byte_fill_whole_bytes() -> None:
    """Two 4-bit numbers are a byte; one is none."""
    assert parse_header(header(a=entry("F4", [2], [0, 1])), 1).parameters == 2
    with pytest.raises(Invalid, match="takes 4 bits"):
        parse_header(header(a=entry("F4", [1], [0, 1])), 1)


BAD_LENGTHS = [
    (b"\x02\0\0", 100, "takes 8"),
    ((1).to_bytes(8, "little"), 100, "2 to"),
    (((16 << 20) + 1).to_bytes(8, "little"), 1 << 40, "2 to"),
    (b"\xff" * 8, 1 << 40, "2 to"),
    ((93).to_bytes(8, "little"), 100, "in a file of 100"),
]


@pytest.mark.parametrize(("first", "size", "problem"), BAD_LENGTHS)
def test_a_lying_length_is_refused(first: bytes, size: int, problem: str) -> None:
    """Too few bytes, too short, too long, or beyond the end of the file."""
    with pytest.raises(Invalid, match=problem):
        header_length(first, size)


def test_the_length_is_read_little_endian() -> None:
    """The announced length may end exactly with the file."""
    assert header_length((92).to_bytes(8, "little"), 100) == 92


BAD_HEADERS = {
    "white space first": (b" {}", 0, "at once"),
    "an array": (b"[]", 0, "at once"),
    "newline padding": (b"{}\n", 0, "only spaces"),
    "no JSON": (b"{a}", 0, "no JSON"),
    "two objects": (b"{}{}", 0, "no JSON"),
    "not UTF-8": (b'{"\xff":{}}', 0, "no JSON"),
    "a name twice": (
        b'{"a":{"dtype":"I8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"I8","shape":[1],"data_offsets":[0,1]}}',
        1,
        "'a' stands twice",
    ),
    "a key twice": (
        b'{"a":{"dtype":"I8","dtype":"F64","shape":[1],"data_offsets":[0,1]}}',
        1,
        "'dtype' stands twice",
    ),
    "deep": (b'{"__metadata__":' + b"[" * 9 + b"]" * 9 + b"}", 0, "8 levels"),
    "an unknown type": (header(a=entry("F128")), 8, "not known"),
    "a type that is no text": (header(a=entry(dtype=["F32"])), 8, "not known"),  # type: ignore[arg-type]
    "a negative size": (header(a=entry(shape=[-2])), 8, "whole numbers"),
    "a fraction": (header(a=entry(shape=[2.0])), 8, "whole numbers"),
    "a truth value": (header(a=entry(shape=[True, 2])), 8, "whole numbers"),
    "too many dimensions": (header(a=entry(shape=[1] * 65)), 8, "up to 64"),
    "three offsets": (header(a=entry(at=[0, 8, 8])), 8, "begin and end"),
    "end before begin": (header(a=entry(at=[8, 0])), 8, "not 8..0"),
    "a span that is too long": (header(a=entry(at=[0, 12])), 12, "takes 64 bits"),
    "a product that overflows": (
        header(a=entry(shape=[1 << 32, 1 << 32], at=[0, 0])),
        0,
        "more elements",
    ),
    "an integer beyond 2^53": (
        b'{"a":{"dtype":"I8","shape":[18446744073709551617],"data_offsets":[0,1]}}',
        1,
        "2.53",
    ),
    "a start beyond 0": (header(a=entry(at=[4, 12])), 12, "leaves a hole"),
    "a hole": (header(a=entry(), b=entry(at=[12, 20])), 20, "leaves a hole"),
    "an overlap": (header(a=entry(), b=entry(at=[4, 12])), 12, "overlaps"),
    "the same place twice": (header(a=entry(), b=entry()), 8, "overlaps"),
    "bytes left over": (header(a=entry()), 9, "the file at 9"),
    "a file that is too short": (header(a=entry()), 7, "the file at 7"),
    "data without tensors": (b"{}", 1, "the file at 1"),
    "a missing field": (header(a={"dtype": "F32", "shape": [2]}), 8, "exactly"),
    "a further field": (header(a=entry() | {"code": "import os"}), 8, "exactly"),
    "a tensor that is none": (header(a=[]), 8, "exactly"),
    "a control character": (header(**{"a\n": entry()}), 8, "printable"),
    "no name": (header(**{"": entry()}), 8, "printable"),
    "metadata that is no object": (header(__metadata__=[1]), 0, "texts"),
    "metadata that is no text": (header(__metadata__={"a": {"b": "c"}}), 0, "a text"),
}


@pytest.mark.parametrize(("raw", "size", "problem"), BAD_HEADERS.values(), ids=BAD_HEADERS)
def test_a_malformed_header_is_refused(raw: bytes, size: int, problem: str) -> None:
    """One rule each, and the error says which."""
    with pytest.raises(Invalid, match=problem):
        parse_header(raw, size)


@given(
    st.lists(
        st.tuples(st.sampled_from(sorted(BITS)), st.lists(st.integers(0, 6), max_size=3)),
        max_size=8,
    ),
    st.integers(-9, 9).filter(bool),
)
def test_whatever_fits_is_read_and_one_shift_is_found(
    kinds: list[tuple[str, list[int]]], shift: int
) -> None:
    """Any layout without holes is read; move one tensor, or the end of the file, and it is not."""
    tensors, reached = {}, 0
    for number, (dtype, outer) in enumerate(kinds):
        shape = [*outer, 8]  # so that every type fills whole bytes
        size = BITS[dtype]
        for one in outer:
            size *= one
        tensors[f"t{number}"] = entry(dtype, shape, [reached, reached + size])
        reached += size
    assert len(parse_header(header(**tensors), reached).tensors) == len(kinds)
    with pytest.raises(Invalid):
        parse_header(header(**tensors), reached + shift)
    if tensors:
        offsets = tensors["t0"]["data_offsets"]
        assert isinstance(offsets, list)
        if offsets[0] == offsets[1]:
            return  # nothing may stand between any two tensors
        tensors["t0"]["data_offsets"] = [offsets[0] + shift, offsets[1] + shift]
        with pytest.raises(Invalid):
            parse_header(header(**tensors), reached)
