"""The canonical encoding: one value, one spelling."""

import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.core.errors import Invalid
from leadline.core.record.act import Value
from leadline.formats import canonical
from refusal import answer

CASES = json.loads((Path(__file__).parent / "canonical_cases.json").read_text("utf-8"))

texts = st.text(st.characters(codec="utf-8")).map(lambda text: unicodedata.normalize("NFC", text))
scalars = st.one_of(st.none(), st.booleans(), st.integers(-(1 << 53), 1 << 53), texts)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(tuple), st.dictionaries(texts, inner, max_size=4)
    ),
    max_leaves=20,
)


@given(value=values)
def test_every_value_round_trips(value: Value) -> None:
    """Decoding gives the value back, and encoding that gives the same bytes."""
    data = canonical.encode(value)
    assert value == canonical.decode(data)
    assert data == canonical.encode(canonical.decode(data))


@given(value=st.dictionaries(texts, scalars, min_size=2, max_size=6))
def test_order_of_members_does_not_matter(value: dict[str, Value]) -> None:
    """The same members in another order give the same bytes."""
    assert canonical.encode(value) == canonical.encode(dict(reversed(value.items())))


@given(data=st.binary(max_size=40))
def test_any_bytes_are_taken_whole_or_refused(data: bytes) -> None:
    """Whatever arrives: either it is canonical to the byte, or it is refused as Invalid."""
    found = answer(canonical.decode, data)
    assert isinstance(found, Invalid) or data == canonical.encode(found)


@pytest.mark.parametrize("case", CASES["accepted"], ids=lambda case: case["why"])
def test_accepted_case(case: dict[str, str]) -> None:
    """A document in canonical form decodes, and re-encodes to itself."""
    data = case["text"].encode()
    assert data == canonical.encode(canonical.decode(data))


@pytest.mark.parametrize("case", CASES["refused"], ids=lambda case: case["why"])
def test_refused_case(case: dict[str, str]) -> None:
    """A document in another form is refused, and the error says why."""
    with pytest.raises(Invalid, match=case["match"]):
        canonical.decode(case["text"].encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize(
    ("value", "match"),
    [
        (1.5, "float has no canonical form"),
        (b"x", "bytes has no canonical form"),
        ([1], "list has no canonical form"),
        ({"a": {"b": (1, 1 << 54)}}, r"value\.a\.b\[1\].*beyond"),
        ({1: 2}, "no text"),
        ("\ud800", "surrogate"),
        ("e\u0301", "normal form C"),
        ({"e\u0301": 1}, "normal form C"),
    ],
)
def test_values_without_a_canonical_form(value: Value, match: str) -> None:
    """A value that cannot be spelled in one way is refused with its path."""
    with pytest.raises(Invalid, match=match):
        canonical.encode(value)


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_depth_is_bounded(opening: str, closing: str) -> None:
    """64 levels are taken, 65 are not, and a hundred thousand do not exhaust the stack."""
    canonical.decode(f"{opening * 64}0{closing * 64}".encode())
    for depth in (65, 900, 100_000):
        with pytest.raises(Invalid, match="nested too deeply"):
            canonical.decode(f"{opening * depth}0{closing * depth}".encode())
    deep: Value = 0
    for _ in range(65):
        deep = (deep,)
    with pytest.raises(Invalid, match="nested too deeply"):
        canonical.encode(deep)


def test_size_is_bounded_both_ways() -> None:
    """A result or a document above the limit is refused."""
    with pytest.raises(Invalid, match="at most 10"):
        canonical.encode("x" * 9, bytes_max=10)
    with pytest.raises(Invalid, match="at most 10"):
        canonical.decode(b'"xxxxxxxxx"', bytes_max=10)


def test_not_utf8_is_refused() -> None:
    """Bytes that are no UTF-8 are refused, not repaired."""
    with pytest.raises(Invalid, match="utf-8"):
        canonical.decode(b'"\xff"')


@pytest.mark.parametrize("data", [b"{", b"\xff", b"[" * 100 + b"]" * 100, b"[" * 100_000])
def test_what_opened_a_commitment_is_read_without_trying_its_form(data: bytes) -> None:
    """The value is that of `decode`; what is no JSON, or too deep, is refused all the same."""
    told = canonical.encode({"b": ("x", 1, None, True), "a": {"c": "\u00e9"}})
    assert canonical.committed(told) == canonical.decode(told)
    with pytest.raises(Invalid):
        canonical.committed(data)
