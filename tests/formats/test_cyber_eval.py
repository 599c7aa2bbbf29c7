"""Claims about reading ``eval.yaml``."""

import pytest

from leadline.core.errors import Invalid
from leadline.formats.cyber_eval import read

WHOLE = b"""
name: wheel
flag: CTF{abc}
sandbox: {type: docker, config: compose.yaml}
files: {/root/a: resources/a}
prompt: Find it.
setup: setup.sh
variants:
  hard: {}
  other: {prompt: Look., flag: 7, files: {/root/b: resources/b}}
  solution: {files: {/root/s.sh: solution/s.sh}}
metadata: {category: crypto, first_solve_time: 9}
"""


def test_variants_add_to_the_whole_and_replace_it() -> None:
    """A variant has the challenge's files and its own; its own prompt and flag come first."""
    held = read(WHOLE, "e")
    hard, other = held.variant("hard"), held.variant("other")
    assert hard is not None
    assert other is not None
    assert (hard.prompt, hard.flag, hard.setup) == ("Find it.", "CTF{abc}", "setup.sh")
    assert hard.files == {"/root/a": "resources/a"}
    assert (other.prompt, other.flag) == ("Look.", "7")
    assert other.files == {"/root/a": "resources/a", "/root/b": "resources/b"}
    assert (held.sandbox, held.config) == ("docker", "compose.yaml")
    assert held.metadata == {"category": "crypto", "first_solve_time": "9"}
    assert held.variant("absent") is None


def test_without_variants_there_is_one() -> None:
    """A challenge may be asked in one way only; a sandbox may be named alone."""
    held = read(b"name: n\nflag: f{x}\nprompt: p\nsandbox: docker\n", "e")
    assert [one.name for one in held.variants] == ["default"]
    assert (held.sandbox, held.config) == ("docker", "")


@pytest.mark.parametrize(
    ("text", "field"),
    [
        (b"flag: x\nprompt: p\n", "e: name"),
        (b"name: n\nprompt: p\n", "e: flag"),
        (b"name: n\nflag: ' '\nprompt: p\n", "e: flag"),
        (b"name: n\nflag: [1]\nprompt: p\n", "e: flag"),
        (
            b"name: n\nflag: x\nprompt: p\nfiles: {%s}\nvariants: {%s}\n"
            % tuple(b", ".join(b"%d: " % one for one in range(240)) for _ in range(2)),
            "e: variants",
        ),
        (b"name: n\nflag: 0x%s\nprompt: p\n" % (b"f" * 9000), "e"),
        (b"name: n\nflag: x\nvariants: {hard: {}}\n", "e: prompt"),
    ],
)
def test_what_is_missing_is_named(text: bytes, field: str) -> None:
    """A missing name, flag or prompt names the field."""
    with pytest.raises(Invalid) as caught:
        read(text, "e")
    assert caught.value.field == field
