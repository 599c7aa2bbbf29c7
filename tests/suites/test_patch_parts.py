"""The pure parts of a repair's judgement: answers, diffs, variants, and what may not become more."""

import asyncio
import difflib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadline.core.errors import Invalid
from leadline.core.isolation import Tier
from leadline.suites.item import Observation
from leadline.suites.patch import answer, built, c_tree, diff, recipe, variants
from leadline.suites.patch.answer import Tree
from leadline.suites.patch.batch import _read, _told
from leadline.suites.patch.built import Built
from leadline.suites.patch.judge import quiet
from leadline.suites.patch.py_tree import SOURCE_BYTES_MAX, PyTree

TREE = Tree({"src/a.c": b"a", "Makefile": b"m"}, frozenset({"src/a.c"}))
MODULE = """\
import re

class View:
    def __init__(self, secret, replies):
        self.count = 0
        self.kept = secret
        self.out = replies

def routine(view, part):
    if len(part) > 3:
        return False
    view.out.append(part.decode())
    return True

def lay_out(folder, secret):
    pass

def read(data, secret, folder, key, replies):
    return routine(View(secret, replies), data)
"""


@given(st.dictionaries(st.text(max_size=20), st.binary(max_size=50), max_size=5))
def test_an_answer_is_read_back_as_it_was(files: dict[str, bytes]) -> None:
    """Encoding and decoding are inverse; equal answers have equal digests."""
    assert answer.decode(answer.encode(files)) == files
    assert answer.digest(files) == answer.digest(dict(reversed(files.items())))


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b'{"a": 1}', b'{"a": "?"}', b"null"])
def test_what_is_no_answer_is_refused(data: bytes) -> None:
    """Other JSON, other base64, nothing."""
    with pytest.raises(Invalid):
        answer.decode(data)


def test_too_many_files_are_refused() -> None:
    """A bound on what a log may hold."""
    with pytest.raises(Invalid, match="at most"):
        answer.decode(b"{" + b",".join(b'"%d":""' % n for n in range(4097)) + b"}")


def test_only_what_may_be_changed_is_taken() -> None:
    """Unknown paths, protected files and endless ones are refused; unchanged ones are no touch."""
    assert TREE.refused({"src/a.c": b"b", "Makefile": b"m"}) == ""
    assert "may not" in TREE.refused({"Makefile": b"x"})
    assert "no file" in TREE.refused({"src/b.c": b""})
    assert "over" in TREE.refused({"src/a.c": bytes(answer.FILE_BYTES_MAX + 1)})
    assert TREE.with_({"src/a.c": b"b", "Makefile": b"x"}) == {"src/a.c": b"b", "Makefile": b"m"}
    assert TREE.changed({"src/a.c": b"b", "Makefile": b"m"}) == ("src/a.c",)


LINES = st.lists(st.text(alphabet="ab -+@", max_size=6), min_size=1, max_size=30)


@given(LINES, LINES)
@settings(max_examples=200)
def test_a_diff_is_applied_exactly(old: list[str], new: list[str]) -> None:
    """What difflib writes gives the other file back, whatever its lines begin with."""
    before, after = "".join(f"{x}\n" for x in old), "".join(f"{x}\n" for x in new)
    lines = difflib.unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), "a/src/x", "b/src/x"
    )
    patch = "".join(lines)
    done = diff.apply(patch, {"src/x": before.encode()})
    assert done == ({"src/x": after.encode()} if patch else {})


def test_a_diff_that_does_not_fit_is_refused() -> None:
    """Another context, or a file that is not there."""
    patch = "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-one\n+two\n"
    assert diff.apply(patch, {"x": b"one\n"}) == {"x": b"two\n"}
    with pytest.raises(Invalid, match="line 1"):
        diff.apply(patch, {"x": b"other\n"})
    with pytest.raises(Invalid, match="not there"):
        diff.apply(patch, {})


@given(st.binary(min_size=1, max_size=40), st.lists(st.binary(max_size=40), max_size=3))
@settings(max_examples=50)
def test_mutants_are_new_short_enough_and_repeatable(proof: bytes, samples: list[bytes]) -> None:
    """No mutant twice, none the proof or a sample, none over the limit, the same each time."""
    made = [one.data for one in variants.mutants(proof, samples, b"seed", 64)]
    assert len(made) == len(set(made)) <= variants.TRIES_MAX
    assert not {proof, *samples} & set(made)
    assert all(len(one) <= 64 for one in made)
    assert made == [one.data for one in variants.mutants(proof, samples, b"seed", 64)]


def test_an_insertion_is_covered_by_the_length_before_it() -> None:
    """A record's length grows with its payload, so that the format still holds."""
    proof = b"HEAD\x07payload"
    made = {one.data for one in variants.mutants(proof, [b"HEAD\x01x"], b"seed", 64)}
    assert b"HEAD\x08pay load" in made
    assert b"HEAD\x08payload " in made


def test_variants_are_chosen_to_share_as_little_as_possible() -> None:
    """One that breaks the middle of the proof is taken before many that only append to it."""
    proof = b"abcdefghijklmnop"
    outer = [variants.Mutant(proof + bytes([n]) * n, inner=False) for n in range(1, 40)]
    inner = [variants.Mutant(b"abcdefgh?jklmnop", inner=True)]
    chosen = variants.varied([*outer, *inner], proof, 24)
    assert len(chosen) == len(set(chosen)) == 24
    assert inner[0].data in chosen
    assert variants.shared(chosen, proof, 6) == [
        b"abcdef",
        b"bcdefg",
        b"cdefgh",
        b"jklmno",
        b"klmnop",
    ]
    assert variants.varied([], proof, 24) == []


def test_own_lines_are_told_from_the_systems() -> None:
    """Attributes in system headers are not the program's."""
    shown = '# 1 "src/a.c"\nint a;\n# 1 "/usr/include/x.h" 1\n__attribute__((x)) int b;\n# 3 "src/a.c" 2\nasm("");\n'
    assert c_tree.own_lines(shown) == 'int a;\nasm("");'
    assert c_tree.odd_words({"a.c": b"#line 3\n"}, shown) == ("asm", "#line")


def test_more_of_a_mark_or_another_frame_silences() -> None:
    """Less of it does not; what is gone from the interface is told apart."""
    original = Built(exports=frozenset({"a", "b"}), marks=("x", "x"), frame=frozenset({"read 1"}))
    assert built.silencing(original, original) == ""
    fewer = Built(exports=frozenset({"a"}), marks=("x",), frame=original.frame)
    assert built.silencing(original, fewer) == ""
    assert built.removed(original, fewer) == ("b",)
    more = Built(marks=("x", "x", "x"), frame=original.frame)
    assert "uses x" in built.silencing(original, more)
    assert "changes read" in built.silencing(original, Built(frame=frozenset({"read 2"})))


def _built(text: str) -> Built:
    tree = PyTree(("src/m.py",), ("src/m.py",), {"driver.py": b"d"})
    return asyncio.run(tree.build({"src/m.py": text.encode()}, Tier.SHARED_KERNEL))


CHANGES = [
    ("> 3", ">= 3", ""),
    ("> 3", "> 3 or b'/' in part or not part.isalnum()", ""),
    ("> 3", "> view.count", ""),
    ("view.out.append", "view.out.append(); view.out.append", ".out"),
    ("len(part) > 3", "view.kept in part.decode()", ".kept"),
    ("import re", "import re, os", "import os"),
    ("return False", "exit()", "exit"),
    ("return False", "raise SystemExit", "SystemExit"),
    ("folder, secret):\n    pass", "folder, secret):\n    return", "lay_out"),
    ("key, replies):\n    return routine", "key, replies):\n    return not routine", "read"),
    ("def routine", "def __getattr__(name):\n    return 1\n\ndef routine", "__getattr__"),
    ("def routine", "read = 1\n\ndef routine", "read ="),
]


@pytest.mark.parametrize(("old", "new", "word"), CHANGES)
def test_python_may_look_at_values_and_no_more(old: str, new: str, word: str) -> None:
    """Stricter checks are free; what reaches the replies, the secret or outside is counted."""
    text = MODULE.replace(old, new, 1)
    assert text != MODULE
    told = built.silencing(_built(MODULE), _built(text))
    assert (word in told) if word else told == ""


def test_a_module_is_put_beside_the_judges_parts() -> None:
    """Its names are its interface; what is no Python is no build."""
    made = _built(MODULE)
    assert set(made.files) == {"m.py", "driver.py"}
    assert made.exports == {"View", "routine", "lay_out", "read"}
    assert "is no Python: SyntaxError: " in _built("def (:").problem
    assert "is no Python: " in _built("(" * 5000).problem
    assert f"has over {SOURCE_BYTES_MAX} bytes" in _built("#" * SOURCE_BYTES_MAX + "\n").problem


def test_the_driver_is_asked_without_its_report() -> None:
    """Of C the same command answers."""
    python = recipe.recipe_of("python", ["src/m.py"], ["src/m.py"], {})
    argv = ("python3", "/target/driver.py", "--report", "/report", "/box/input")
    assert python.asking(argv) == ("python3", "/target/driver.py", "/box/input")
    plain = recipe.recipe_of("c", ["src/a.c"], ["src/a.c"], {})
    assert plain.asking(("/target/program", "/box/input")) == ("/target/program", "/box/input")
    with pytest.raises(ValueError, match="cobol"):
        recipe.recipe_of("cobol", [], [], {})


def test_a_recipe_is_read_back_with_what_the_original_was_like() -> None:
    """So that a judge need not build the original again."""
    original = Built(exports=frozenset({"a"}), marks=("x", "x"), frame=frozenset({"read 1"}))
    for language, parts in (("c", {}), ("python", {"key": b"k"})):
        made = recipe.recipe_of(language, ["src/a"], ["src/a"], parts)
        assert recipe.loaded(recipe.saved(made, original), parts) == (made, original)


def test_a_batch_tells_each_input_apart() -> None:
    """Reports, silence, stopped runs, and those that the box did not come to."""
    said = (
        "@@@@ 0000 1\n==7==ERROR: AddressSanitizer: heap-use-after-free on address 0x1\n"
        "SUMMARY: AddressSanitizer: heap-use-after-free (/x+0x1)\n"
        "@@@@ 0001 0\n@@@@ 0002 124\n"
    )
    found = _read(said, 4, Path("/nowhere"))
    assert [one.fired for one in found] == [True, False, False, False]
    assert [quiet(one) for one in found] == [False, True, False, False]
    told = _told("accepted 1 ab secret\nrefused 0 cd\n", 3)
    assert [(one.fired, one.kind) for one in told[:2]] == [(True, "canary"), (False, "")]
    assert not quiet(told[2])
    assert quiet(Observation(fired=False))
    assert not quiet(Observation(fired=False, kind="memory"))
