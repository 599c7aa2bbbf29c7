"""Hugging Face model cards: what is read, and that a change leaves every other byte alone."""

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from leadline.core.errors import Invalid
from leadline.formats import model_card
from leadline.formats.model_card import Plain, Result

CARD = b"""---
language:
- en
license: apache-2.0   # as published
base_model: demonstration/base
tags:
  - code
  - security
datasets: [demonstration/one, demonstration/two]
x-our-own: {kept: "as it is",   spaces: 3}
# results below were measured in March
model-index:
- name: demonstration-model
  results:
  - task:
      type: cyber
    dataset:
      name: planted
      type: planted
    metrics:
    - type: solved
      value: 0.25
    - {type: steps, value: 12}
widget: |
  text: not a key
---
# Demonstration model

--- three hyphens in a line of text are text
"""


def test_what_a_card_says() -> None:
    """Licence, bases, data sets, tags and results; the body is what follows the second fence."""
    card = model_card.load(CARD, "README.md")
    assert model_card.recognises(CARD)
    assert card.content == CARD
    assert card.licence == "apache-2.0"
    assert card.base_models == ("demonstration/base",)
    assert card.datasets == ("demonstration/one", "demonstration/two")
    assert card.tags == ("code", "security")
    assert card.results == (
        Result("cyber", "planted", "solved", "0.25"),
        Result("cyber", "planted", "steps", "12"),
    )
    assert card.body.startswith("# Demonstration model\n")


def test_a_change_leaves_every_other_byte_as_it_was() -> None:
    """A key in its place, comments above the next key kept, a new key at the end."""
    card = model_card.load(CARD, "README.md")
    results = [Result("cyber", "planted", "solved", "0.5")]
    changes: dict[str, Plain] = {"license": "mit", "datasets": ["a", "b: c"], "new-key": True}
    new = model_card.revised(
        card, {**changes, "model-index": model_card.index("m", results)}, "README.md"
    )
    gone = [line for line in CARD.splitlines() if line not in new.content.splitlines()]
    assert gone[0].startswith(b"license: apache-2.0")
    assert all(b"# results below" not in line and b"x-our-own" not in line for line in gone)
    assert new.content.endswith(CARD[CARD.index(b"---\n# Demonstration") :])
    assert (new.licence, new.datasets, new.results) == ("mit", ("a", "b: c"), tuple(results))
    assert b"new-key: true\n---\n" in new.content
    assert model_card.revised(card, {}, "README.md") == card
    shorter = model_card.revised(card, {"x-our-own": 1}, "README.md").content
    assert b"x-our-own: 1\n# results below were measured in March\nmodel-index:" in shorter


def test_a_card_without_metadata_gets_some() -> None:
    """Fences are put before it; with ends of lines as the card has them."""
    plain = model_card.load(b"# A model\n", "README.md")
    assert (plain.front, plain.body, plain.licence) == ("", "# A model\n", "")
    assert model_card.revised(plain, {"license": "mit"}, "x").content == (
        b'---\nlicense: "mit"\n---\n# A model\n'
    )
    windows = model_card.load(b"\xef\xbb\xbf---\r\na: 1\r\nlicense: x\r\n---\r\nb\r\n", "x")
    assert model_card.revised(windows, {"a": 2}, "x").content == (
        b"\xef\xbb\xbf---\r\na: 2\r\nlicense: x\r\n---\r\nb\r\n"
    )
    empty = model_card.load(b"---\n---\n", "x")
    assert model_card.revised(empty, {"a": 2}, "x").content == b"---\na: 2\n---\n"
    assert model_card.load(b"", "x").results == ()
    assert not model_card.recognises(b"# A model\n---\n")


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"x" * (10 << 20), "longer than"),
        (b"---\nlicense: \xff\n---\n", "no UTF-8"),
        (CARD.decode().encode("utf-16"), "no UTF-8"),
        (b"---\nlicense: mit\n", "no second such line"),
        (b"---\n- a\n- b\n---\n", "no mapping"),
        (b"---\na: 1\na: 2\n---\n", "stands twice"),
        (b"---\na: !!python/object/apply:os.system [x]\n---\n", "no YAML"),
        (
            b"---\na: &a [x,x,x,x,x,x,x,x]\n"
            + b"".join(
                b"%c: &%c [%s]\n" % (98 + n, 98 + n, b",".join([b"*%c" % (97 + n)] * 8))
                for n in range(9)
            )
            + b"---\n",
            "aliases written out",
        ),
    ],
)
def test_what_is_no_card_is_refused(data: bytes, problem: str) -> None:
    """Too large, another encoding, no end, no mapping, a bomb: the file is named."""
    with pytest.raises(Invalid, match=problem) as told:
        model_card.load(data, "README.md")
    assert "README.md" in str(told.value)


@pytest.mark.parametrize(
    "front",
    ["{license: mit}\n", '"license": mit\n', "license: a\rb: 1\n", "license: &l mit\nb: *l\n"],
)
def test_metadata_in_another_style_is_not_changed(front: str) -> None:
    """What cannot be changed line by line is refused, and nothing is lost."""
    card = model_card.load(f"---\n{front}---\n".encode(), "README.md")
    with pytest.raises(Invalid):
        model_card.revised(card, {"license": "other"}, "README.md")


def test_results_of_odd_shapes_are_read_as_far_as_they_go() -> None:
    """A metric without a value, a data set without a name, a list that is none."""
    data = (
        b"---\ntags: 7\nbase_model: [a, {b: c}]\nlicense: [mit]\nmodel-index:\n"
        b"- results:\n  - dataset: {type: t}\n    metrics: [{type: m}, 3]\n---\n"
    )
    card = model_card.load(data, "x")
    assert card.results == (Result("", "t", "m", ""),)
    assert (card.tags, card.base_models, card.licence) == (("7",), ("a",), "")


@given(
    st.text(st.characters(exclude_categories=["Cs"])),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
)
def test_any_value_is_kept_exactly_or_refused(body: str, value: str) -> None:
    """Whatever the body and the value: the value reads back, and the body stays as it was."""
    card = model_card.load(f"---\nlicense: mit\nz: 1\n---\n{body}".encode(), "x")
    try:
        new = model_card.revised(card, {"license": value}, "x")
    except Invalid:
        reject()
    assert (new.licence, new.body) == (value, body)
    assert "z: 1" in new.front
