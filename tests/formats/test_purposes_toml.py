"""The vocabulary of purposes reads strictly, and the one that ships says what no terms cover."""

import pytest

from leadline.app.terms import purposes
from leadline.core.engagement.purpose import PRIORITY
from leadline.core.errors import Invalid
from leadline.formats.purposes_toml import load_purposes

ONE = b'[[purposes]]\nid = "a"\nwords = "A."\n'


def test_a_purpose_is_nameable_unless_the_file_says_never() -> None:
    """And keeps its words."""
    found = load_purposes(ONE + b'[[purposes]]\nid = "b"\nwords = "B."\nnever = true\n', "p.toml")
    assert found.nameable == ("a",)
    assert [one.never for one in found.all] == [False, True]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "purposes"),
        (ONE + ONE, "stands twice"),
        (ONE + b'never = "yes"\n', "never"),
        (ONE + b"allowed = true\n", "allowed"),
        (b"other = 1\n" + ONE, "other"),
        (b'[[purposes]]\nid = "a"\n', "words"),
        (b'[[purposes]]\nid = ""\nwords = "A."\n', "id"),
        (b"purposes = 3\n", "purposes"),
        (b"\xff", "no TOML"),
    ],
)
def test_another_file_is_refused_by_name(content: bytes, told: str) -> None:
    """Each with the key."""
    with pytest.raises(Invalid, match=told):
        load_purposes(content, "p.toml")


def test_weapons_and_surveillance_are_among_what_no_terms_cover() -> None:
    """And every purpose says in a sentence what it is."""
    never = {one.id for one in purposes().all if one.never}
    assert {"weapons", "surveillance"} <= never
    assert {"assessment", "defence", "publication", PRIORITY} <= set(purposes().nameable)
    assert all(one.words.endswith(".") for one in purposes().all)
