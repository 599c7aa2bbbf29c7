"""Someone else's JSON, within limits."""

import time

import pytest

from leadline.core.errors import Invalid
from leadline.formats.document import (
    DOCUMENT_BYTES_MAX,
    check_shape,
    items,
    load,
    record,
    records,
    repeated,
    text,
    texts,
    value,
)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b'{"a": 1, "a": 2}', "'a' stands twice"),
        (b"[1]", "object"),
        (b"{", "no JSON"),
        (b"\xff\xfe{}", "no JSON"),
        (b'{"a":' + b"[" * 200_000, "nested too deeply"),
        (b'{"a":' * 70 + b"1" + b"}" * 70, "64 levels"),
        (b'{"a": NaN}', "NaN is no number"),
        (b'{"a": -Infinity}', "no number"),
        (b'{"a": 1e999}', "no number"),
        (b'{"a": 9007199254740993}', "beyond 2"),
        (b'{"a": ' + b"9" * 5000 + b"}", "beyond 2"),
        (b'{"a": [' + b"," * 1_000_001, "divide it"),
        (b" " * 101, "longer"),
    ],
)
def test_what_is_no_object_is_refused(data: bytes, problem: str) -> None:
    """Each error names the document and what is wrong."""
    with pytest.raises(Invalid, match=problem) as refusal:
        load(data, "some file", 100 if problem == "longer" else 1 << 20)
    assert refusal.value.field == "some file"


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"x" * 101, "longer than 100 bytes"),
        (b"{" * 11, "more than 10 objects"),
        (b"a" * (DOCUMENT_BYTES_MAX + 1), "leave them out"),
        (b"\xc4\x80," * (DOCUMENT_BYTES_MAX // 2), "signs beyond Latin"),
        (b",".join(b'"%x": 1' % n for n in range(200_000)), "different keys"),
    ],
)
def test_a_shape_that_fills_a_memory_is_refused(data: bytes, problem: str) -> None:
    """Before anything is built of it."""
    with pytest.raises(Invalid, match=problem):
        check_shape(data, "x", 100 if problem.startswith("longer") else 1 << 30, 10)


def test_a_long_list_of_things_has_the_shape() -> None:
    """Few keys, short texts, Latin letters; small documents may hold anything."""
    one = '{"name":"é"},'.encode()
    check_shape(one * 2_000_000, "x", 1 << 30, 2_000_000)
    check_shape(one * 100_000, "x", 1 << 30, 2_000_000)
    check_shape("\u4e2d".encode() * 1000, "x", 1 << 30, 10)


def test_a_byte_order_mark_does_not_count() -> None:
    """Editors write one."""
    assert load(b'\xef\xbb\xbf{"a": "b"}', "x") == {"a": "b"}
    assert load(b'{"a": [9007199254740992, 1.5, {"b": []}]}', "x")["a"] == [1 << 53, 1.5, {"b": []}]


def test_values_of_another_kind_read_as_nothing() -> None:
    """A published document that is not valid does not stop the reader."""
    assert record([]) == {}
    assert records({"a": 1}) == []
    assert records([{}, 1]) == [{}]
    assert items("text") == ()
    assert texts(["a", 1]) == ("a",)
    assert text(1) == ""


def test_a_repeated_key_is_found_in_linear_time() -> None:
    """Comparing each key with each other took minutes for a document of 3 MiB."""
    keys = b",".join(b'"%x":0' % number for number in range(200_000))
    began = time.process_time()
    with pytest.raises(Invalid, match="'0' stands twice"):
        load(b"{" + keys + b',"0":1}', "x")
    assert time.process_time() - began < 2


def test_the_first_repeat_is_named() -> None:
    """Nothing where each stands once."""
    assert repeated(["a", "b", "a", "b"]) == "a"
    assert repeated(["a", "b"]) == ""


def test_a_bare_value_is_one() -> None:
    """JSON is not only objects, where a caller takes others."""
    assert value(b"1", "x") == 1
