"""Files of the dated register: every key known, every error with file and key."""

import pytest

from leadline.core.engagement.register import Effect, Keeper, Part
from leadline.core.errors import Invalid
from leadline.formats.register_toml import kinds_of, load_entries, load_examples, load_kind

KIND = b"""
id = "k"
title = "K"
words = "w"
public = true
kept_by = ["programme"]
needs = ["scope"]
evidence = ""
[[relation]]
how = "ends"
effect = "stops"
to = ["k"]
words = "w"
"""
ENTRY = b"""
[[entry]]
id = "one"
kind = "k"
title = "T"
since = 2026-01-01
confidence = "P"
"""
EXAMPLE = b'kind = "k"\n[[example]]\nsays = "s"\non = 2026-01-01\n' + ENTRY.replace(
    b"[[entry]]", b"[[example.entry]]"
)


def test_a_kind_says_what_its_entries_need_and_do() -> None:
    """A kind says what its entries need and do."""
    kind = kinds_of({"k.toml": KIND})["k"]
    assert kind.needs == {Part.SCOPE}
    assert kind.kept_by == {Keeper.PROGRAMME}
    assert kind.relations["ends"].effect is Effect.STOPS


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (b'id = "k"', b'id = "other"', "name the file other.toml"),
        (b'["scope"]', b'["colour"]', "'colour' is none of"),
        (b'["programme"]', b'["somebody"]', "'somebody' is none of"),
        (b'["programme"]', b"[]", "k.toml: kept_by: name who writes"),
        (b'"stops"', b'"melts"', "relation.1.\\.effect"),
        (b"public = true", b"public = 1", "public: is int"),
        (b'evidence = ""', b'evidence = ""\nspare = 1', "spare: is no key"),
    ],
)
def test_a_kind_that_cannot_be_is_refused_by_file_and_key(
    old: bytes, new: bytes, told: str
) -> None:
    """A kind that cannot be is refused by file and key."""
    assert old in KIND
    with pytest.raises(Invalid, match=told):
        kinds_of({"k.toml": KIND.replace(old, new, 1)})


def test_an_entry_is_read_with_all_it_can_have() -> None:
    """An entry is read with all it can have."""
    text = (
        ENTRY
        + b"""
until = 2026-02-01
due = 2026-01-15
done = 2026-01-10
authority = "a"
scope = "s"
version = "1"
cites = "c"
note = "n"
org = "o"
relates = [{ how = "ends", to = "two" }]
evidence = [{ digest = "aa", what = "w", at = 2026-01-02T09:00:00+01:00, by = "b" }]
"""
    )
    (one,) = load_entries(text, "f.toml")
    assert (one.org, one.relates[0].to, one.evidence[0].by) == ("o", "two", "b")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (b"2026-01-01", b"2026-02-30", "is no TOML"),
        (b"2026-01-01", b"2026-01-01T09:00:00Z", "since: is datetime"),
        (b'"P"', b'"sure"', "confidence: 'sure' is none of"),
        (b'title = "T"', b'title = " "', "title: is empty"),
        (b"since", b"until = 2025-01-01\nsince", "f.toml: until: one: it ends on 2025-01-01"),
        (b'"P"', b'"P"\ncolour = "red"', "colour: is no key"),
        (b'"P"', b'"P"\nrelates = [{ how = "x", to = "y", z = 1 }]', "z: is no key"),
        (
            b'"P"',
            b'"P"\nevidence = [{ digest = "a", what = "w", at = 2026-01-02T09:00:00, by = "b" }]',
            "a time needs an offset",
        ),
    ],
)
def test_an_entry_that_cannot_be_is_refused_by_file_and_key(
    old: bytes, new: bytes, told: str
) -> None:
    """An entry that cannot be is refused by file and key."""
    with pytest.raises(Invalid, match=told):
        load_entries(ENTRY.replace(old, new, 1), "f.toml")


def test_a_file_without_entries_is_refused() -> None:
    """A file without entries is refused."""
    with pytest.raises(Invalid, match="give one to"):
        load_entries(b"", "f.toml")


def test_examples_expect_something_or_a_refusal() -> None:
    """Examples expect something or a refusal."""
    refused = EXAMPLE.replace(b'says = "s"', b'says = "s"\nrefused = "scope"')
    assert load_examples(refused, "f.toml")[1][0].refused == "scope"
    expects = (
        EXAMPLE + b'[[example.expect]]\nentry = "one"\nin_effect = true\nmarks = ["expired"]\n'
    )
    assert load_examples(expects, "f.toml")[1][0].expected[0].in_effect
    for wrong, told in (
        (EXAMPLE, "or the words of the refusal"),
        (b'kind = "k"\n', "give at least one"),
        (expects.replace(b'"expired"', b'"late"'), "'late' is none of"),
    ):
        with pytest.raises(Invalid, match=told):
            load_examples(wrong, "f.toml")


def test_a_kind_is_named_in_every_error() -> None:
    """A kind is named in every error."""
    with pytest.raises(Invalid, match=r"k\.toml"):
        load_kind(b"\xff", "k.toml")
