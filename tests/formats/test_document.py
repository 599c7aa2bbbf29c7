"""Someone else's JSON, within limits."""

import pytest

from leadline.core.errors import Invalid
from leadline.formats.document import items, load, record, records, text, texts


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b'{"a": 1, "a": 2}', "'a' stands twice"),
        (b"[1]", "object"),
        (b"{", "no JSON"),
        (b"\xff\xfe{}", "no JSON"),
        (b'{"a":' + b"[" * 200_000, "nested too deeply"),
        (b" " * 101, "longer"),
    ],
)
def test_what_is_no_object_is_refused(data: bytes, problem: str) -> None:
    """Each error names the document and what is wrong."""
    with pytest.raises(Invalid, match=problem) as refusal:
        load(data, "some file", 100 if problem == "longer" else 1 << 20)
    assert refusal.value.field == "some file"


def test_a_byte_order_mark_does_not_count() -> None:
    """Editors write one."""
    assert load(b'\xef\xbb\xbf{"a": "b"}', "x") == {"a": "b"}


def test_values_of_another_kind_read_as_nothing() -> None:
    """A published document that is not valid does not stop the reader."""
    assert record([]) == {}
    assert records({"a": 1}) == []
    assert records([{}, 1]) == [{}]
    assert items("text") == ()
    assert texts(["a", 1]) == ("a",)
    assert text(1) == ""
