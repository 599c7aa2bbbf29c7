"""The scope of an item as its suite writes it down."""

import pytest

from leadline.core.errors import Invalid
from leadline.core.scope import Forbidden
from leadline.formats.scope_toml import load_scope
from leadline.formats.toml_table import open_table


def test_every_field_is_read() -> None:
    """Acts as words that follow each other, with a severity or without."""
    scope = load_scope(
        b'hosts = ["a.test"]\nports = ["502"]\npaths = ["/a"]\nclosed_paths = ["/"]\n'
        b'accounts = ["me"]\nprograms = ["ssh"]\n'
        b'[[forbidden]]\nname = "x"\nwords = ["one two", "three"]\n'
        b'[[forbidden]]\nname = "y"\nwords = ["z"]\nseverity = "alarm"\n',
        "s.toml",
    )
    assert (scope.hosts, scope.ports, scope.paths) == (("a.test",), (502,), ("/a",))
    assert (scope.closed_paths, scope.accounts, scope.programs) == (("/",), ("me",), ("ssh",))
    assert scope.forbidden == (
        Forbidden("x", (("one", "two"), ("three",))),
        Forbidden("y", (("z",),), "alarm"),
    )


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (b"\xff", "s.toml"),
        (b'ports = ["0"]', "ports"),
        (b'ports = ["65536"]', "ports"),
        (b'ports = ["http"]', "ports"),
        (b'ports = ["' + b"9" * 5000 + b'"]', "ports"),
        (b"ports = " + b"9" * 5000, "no TOML"),
        (b"ports = " + b"[" * 5000, "no TOML"),
        (b"host = []", "host"),
        (b'[[forbidden]]\nname = "x"\nwords = []', "words"),
        (b'[[forbidden]]\nname = "x"\nwords = [" "]', "words"),
        (b'[[forbidden]]\nname = "x"\nwords = ["a"]\nseverity = "bad"', "severity"),
        (b'[[forbidden]]\nwords = ["a"]', "name"),
        (b'[[forbidden]]\nname = "x"\nwords = ["a"]\nmore = 1', "more"),
    ],
)
def test_what_is_no_scope_is_told(text: bytes, named: str) -> None:
    """With the file and the key."""
    with pytest.raises(Invalid, match=named):
        load_scope(text, "s.toml")


def test_a_whole_number_beyond_any_fraction_is_told() -> None:
    """Whole numbers do as fractions as far as a fraction can hold them."""
    assert open_table(b"a = 2", "s.toml").value("a", float) == 2.0
    with pytest.raises(Invalid, match="beyond"):
        open_table(b"a = " + b"9" * 400, "s.toml").value("a", float)
