"""Claims about reading someone else's YAML within limits."""

import pytest
import yaml  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st

from leadline.core.errors import Invalid
from leadline.formats.bounded_yaml import (
    BYTES_MAX,
    DEPTH_MAX,
    TEXTS_MAX,
    VALUES_MAX,
    load,
    load_texts,
)

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text("abc ", max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("xyz", min_size=1), inner),
    max_leaves=20,
)


@given(PLAIN)
def test_what_was_written_is_read(value: object) -> None:
    """Any plain value comes back as it was dumped."""
    assert load(yaml.safe_dump(value).encode(), "a.yaml") == value


def test_nothing_is_none() -> None:
    """An empty file holds no value."""
    assert load(b"", "a.yaml") is None


def test_anchors_and_merge_keys_are_taken() -> None:
    """Compose files share settings by anchors; a merge key may stand twice."""
    text = b"a: &a {x: 1}\nb: &b [*a, 2]\nc:\n  <<: *a\n  y: 2\nd: *b\n"
    assert load(text, "a.yaml") == {
        "a": {"x": 1},
        "b": [{"x": 1}, 2],
        "c": {"x": 1, "y": 2},
        "d": [{"x": 1}, 2],
    }


def bomb() -> bytes:
    """Nine lines that stand for half a billion values."""
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    for before, name in zip("abcdefgh", "bcdefghi", strict=True):
        lines.append(f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]")
    return "\n".join(lines).encode()


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (bomb(), f"more than {VALUES_MAX} values"),
        (b"[" * (DEPTH_MAX + 1), "nested too deeply"),
        (b"a: &a\n- *a\n", "inside what it stands for"),
        (b"x" * (BYTES_MAX + 1), "longer than"),
        (b"\xff\xfe\xff", "no UTF-8"),
        (b"a: [", "no YAML"),
        (b"a: 1\na: 2\n", "'a' stands twice"),
        (b"!!python/object/apply:os.system ['true']", "no YAML"),
        (b"a: 1\n---\nb: 2\n", "no YAML"),
        (b"a: 2026-99-99\n", "no YAML"),
        (b'!!int ""', "not what its tag"),
        (b"!!float _", "not what its tag"),
        (b"!!bool x", "not what its tag"),
        (b"!!timestamp x", "not what its tag"),
        (b'"\\UFFFFFFFF"', "its escape"),
        (b"0x" + b"f" * 9000, "at most 100 characters"),
        (b"1:" * 400 + b"1.5", "at most 100 characters"),
        (b'!!int {=: "0x' + b"f" * 9000 + b'"}', "at most 100 characters"),
        (
            b"- &a " + b"x" * 9000 + b"\n- [" + b"*a, " * 9000 + b"]",
            f"more than {VALUES_MAX} values",
        ),
    ],
)
def test_what_could_harm_is_refused(data: bytes, problem: str) -> None:
    """A bomb, a knot, a tag that names code and the like are each refused by name."""
    with pytest.raises(Invalid, match=problem):
        load(data, "a.yaml")


@given(value=st.recursive(st.text("ab.1 ", max_size=5), lambda held: st.lists(held, max_size=3)
    | st.dictionaries(st.text("xyz", min_size=1, max_size=4), held, max_size=3)))  # fmt: skip
def test_texts_that_were_written_are_read(value: object) -> None:
    """Whatever is built of texts comes back as it was."""
    data = yaml.safe_dump(value).encode()
    assert load_texts(data, "x") == value


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"a: 1.10", {"a": "1.10"}),
        (b"a: 2024-01-02\nb: no\nc:", {"a": "2024-01-02", "b": "no", "c": ""}),
        (b"\xef\xbb\xbf- !!int 5", ["5"]),
        (b"", None),
    ],
)
def test_scalars_stay_texts(data: bytes, found: object) -> None:
    """Numbers, dates and words for yes and no are not changed."""
    assert load_texts(data, "x") == found


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"a: &x 1\nb: *x", "anchors"),
        (b"*x", "anchors"),
        (b"a: 1\na: 2", "'a' stands twice"),
        (b"[a]: 1", "a key is no text"),
        (b"a: 1\n---\nb: 2", "one YAML document"),
        (b"a: [", "no YAML"),
        (b"\xff", "no UTF-8"),
        (b"[" * (DEPTH_MAX + 1), "nested too deeply"),
        (b"- a\n" * (TEXTS_MAX + 1), "divide it"),
        (b" " * (BYTES_MAX + 1), "longer than"),
    ],
)
def test_what_could_harm_is_refused_as_texts_too(data: bytes, problem: str) -> None:
    """The error names the document."""
    with pytest.raises(Invalid, match=problem) as refusal:
        load_texts(data, "some file")
    assert refusal.value.field == "some file"
