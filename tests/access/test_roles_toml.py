"""Role files: what is read, and that every mistake is named with its file and key."""

from importlib.resources import files
from pathlib import Path

import pytest

from leadline.core.access import Action
from leadline.core.errors import Invalid
from leadline.formats import roles_toml
from leadline.formats.roles_toml import Grant, Reach, Role, Side

FOLDER = Path(str(files("leadline") / "data" / "roles"))
TEXT = """\
title = "Reader"
summary = "Reads."
side = "community"
time_boxed = true
excludes = ["writer"]

[[grants]]
reach = "any"
actions = ["record:read"]
kinds = ["advisory", "notice"]
"""
NEVER = ("approv", "clearance", "licen", "block", "pass/fail", "safe", "certif", "gate")


def test_a_role_is_read_whole() -> None:
    """Every key arrives."""
    kinds = frozenset({"advisory", "notice"})
    grant = Grant(Reach.ANY, frozenset({Action.RECORD_READ}), kinds)
    expected = Role(
        "reader",
        "Reader",
        "Reads.",
        Side.COMMUNITY,
        time_boxed=True,
        excludes=frozenset({"writer"}),
        grants=(grant,),
    )
    role = roles_toml.parse("reader", TEXT.encode())
    assert role == expected
    assert role.deeds(Reach.ANY) == {"record:read advisory", "record:read notice"}
    assert role.deeds(Reach.OWN) == frozenset()


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ('title = "Reader"', "title = ", "reader.toml"),
        ('title = "Reader"', "", "reader.toml title"),
        ('title = "Reader"', 'title = ""', "reader.toml title"),
        ('title = "Reader"', "title = 3", "reader.toml title"),
        ('title = "Reader"', 'title = "Reader"\nrank = 1', "reader.toml rank"),
        ('"community"', '"enemy"', "reader.toml side"),
        ("time_boxed = true", 'time_boxed = "yes"', "reader.toml time_boxed"),
        ('["writer"]', '"writer"', "reader.toml excludes"),
        ('["writer"]', "[1]", "reader.toml excludes"),
        ('["writer"]', '["writer", "writer"]', "reader.toml excludes"),
        ("[[grants]]", "[grants]", "reader.toml grants"),
        ('"any"', '"far"', "reader.toml grants[0] reach"),
        ('"record:read"', '"record:burn"', "reader.toml grants[0] actions"),
        ('["record:read"]', "[]", "reader.toml grants[0]"),
        ('"notice"', '"secret"', "reader.toml grants[0] kinds"),
        ('["advisory", "notice"]', "[]", "reader.toml grants[0]"),
        ('reach = "any"', 'reach = "any"\nrank = 1', "reader.toml grants[0] rank"),
    ],
)
def test_a_mistake_is_named(old: str, new: str, field: str) -> None:
    """File and key stand in the error."""
    assert old in TEXT
    with pytest.raises(Invalid) as caught:
        roles_toml.parse("reader", TEXT.replace(old, new, 1).encode())
    assert caught.value.field == field


def test_grants_that_are_no_tables_are_named() -> None:
    """A list of other things is no list of grants."""
    text = TEXT[: TEXT.index("[[grants]]")] + "grants = [1]\n"
    with pytest.raises(Invalid, match="grants"):
        roles_toml.parse("reader", text.encode())


def test_bytes_that_are_no_text_are_named() -> None:
    """Not UTF-8 is not TOML."""
    with pytest.raises(Invalid, match=r"reader\.toml: not TOML"):
        roles_toml.parse("reader", b"\xff")


def test_an_excluded_role_exists() -> None:
    """A misspelt exclusion would exclude nobody."""
    role = roles_toml.parse("reader", TEXT.encode())
    with pytest.raises(Invalid, match=r"reader\.toml excludes: there is no role 'writer'"):
        roles_toml.check({"reader": role})
    writer = roles_toml.parse("writer", TEXT.replace('["writer"]', "[]").encode())
    roles_toml.check({"reader": role, "writer": writer})


FILES = sorted(file for file in FOLDER.glob("*.toml") if ".examples" not in file.name)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_shipped_role_uses_no_word_of_a_gate(file: Path) -> None:
    """Title and summary say what people do, never that something is let through."""
    role = roles_toml.parse(file.stem, file.read_bytes())
    said = f"{role.title} {role.summary}".lower()
    assert role.grants
    assert not [word for word in NEVER if word in said]
