"""What a list of files to publish says, and which names nobody meant to publish."""

import pytest

from leadline.core.publication import Flaw, check_listing, check_paths


def test_only_what_is_listed_and_no_larger_is_published() -> None:
    """Unlisted, oversized and absent files are told apart; the rest passes."""
    found = {"a.js": 10, "b.js": 11, "c.js": 1}
    listed = {"a.js": 10, "b.js": 10, "d.js": 1}
    assert [(flaw.rule, flaw.where) for flaw in check_listing(found, listed)] == [
        ("oversized", "b.js"),
        ("unlisted", "c.js"),
        ("absent", "d.js"),
    ]
    assert check_listing({"a.js": 10}, {"a.js": 10}) == ()


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        (".env", "hidden"),
        ("a/.git/config", "hidden"),
        ("__MACOSX/a", "hidden"),
        ("a/Thumbs.db", "hidden"),
        ("cli.js.map", "source map"),
        ("lib.pdb", "source map"),
        ("notes.txt~", "source map"),
        ("a.py.bak", "source map"),
    ],
)
def test_names_that_tell_of_leftovers(path: str, rule: str) -> None:
    """One flaw each, which names the file."""
    (flaw,) = check_paths([path, "a/plain.txt", "roadmap.txt"])
    assert (flaw.rule, flaw.where) == (rule, path)
    assert isinstance(flaw, Flaw)
