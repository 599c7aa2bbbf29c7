"""The description of a replay bundle: read strictly, every fault with its key."""

import pytest

from leadline.core.clearing.replaying import BuildWith, OracleKind
from leadline.core.errors import Invalid
from leadline.formats.replay_toml import BYTES_MAX, FILE, load_bundle, proof_name

FILES = {"proof.bin": b"p", "seed": b"s", "judge.py": b""}
PLAIN = """\
format = "leadline-replay/1"
title = "a flaw"
[build]
with = "make"
[run]
command = ["./prog", "{proof}"]
proof = "proof.bin"
[oracle]
kind = "sanitizer"
"""
WHOLE = """\
format = "leadline-replay/1"
title = "a flaw"
purl = "pkg:generic/shelf@1.0"
release = "v1.0"
paths = ["src/a.c"]
cwe = "CWE-787"
ids = ["CVE-2026-0001"]
seeds = ["seed"]
[build]
with = "command"
sanitizers = ["none"]
needs = ["cc"]
[[build.steps]]
argv = ["cc", "-o", "prog", "a.c"]
[run]
command = ["./prog"]
stdin = true
seconds = 5
proof = "proof.bin"
[oracle]
kind = "flag"
flag = "/flag/secret"
[repair]
sources = ["a.c", "main.c"]
changeable = ["a.c"]
test = ["make", "check"]
samples = ["seed"]
"""


def test_the_least_and_the_most() -> None:
    """Defaults where nothing is said, and everything that can be."""
    least = load_bundle(PLAIN.encode(), FILES)
    assert (least.seconds, least.stdin, least.build.sanitizers) == (20.0, False, ("address",))
    assert (least.release, least.repair, least.data) == ("", None, b"p")
    most = load_bundle(WHOLE.encode(), FILES)
    assert most.build.by is BuildWith.COMMAND
    assert most.build.steps == (("cc", "-o", "prog", "a.c"),)
    assert (most.build.sanitizers, most.seconds, most.stdin) == ((), 5.0, True)
    assert (most.oracle.kind, most.oracle.flag) == (OracleKind.FLAG, "/flag/secret")
    assert most.repair is not None
    assert most.repair.changeable == ("a.c",)


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("leadline-replay/1", "leadline-replay/9", "format"),
        ('title = "a flaw"', 'title = " "', "title"),
        ('title = "a flaw"', 'title = "a"\nodd = 1', "odd"),
        ('with = "make"', 'with = "ant"', "build.with"),
        ('with = "make"', 'with = "make"\nodd = 1', "build.odd"),
        ('with = "make"', 'with = "make"\nsanitizers = ["thread"]', "build.sanitizers"),
        ('with = "make"', 'with = "make"\nsanitizers = ["none", "address"]', "build.sanitizers"),
        ('with = "make"', 'with = "command"\n[[build.steps]]\nargv = []', "build.steps[1].argv"),
        (
            'with = "make"',
            'with = "command"\n[[build.steps]]\nx = 1\nargv = ["a"]',
            "build.steps[1].x",
        ),
        ('with = "make"', f'with = "make"\ntargets = {["x"] * 300}', "build.targets"),
        ('proof = "proof.bin"', 'proof = "other"', "other"),
        ('proof = "proof.bin"', 'proof = "proof.bin"\nenv = 1', "run.env"),
        ("{proof}", "x\\u0000", "run.command"),
        ("./prog", "/bin/sh", "run.command"),
        ('kind = "sanitizer"', 'kind = "exit"', "oracle.kind"),
        ('kind = "sanitizer"', 'kind = "flag"\nflag = "/etc/x"', "oracle.flag"),
        ('kind = "sanitizer"', 'kind = "flag"\nflag = "/flag/../x"', "oracle.flag"),
        ('kind = "sanitizer"', 'kind = "sanitizer"\nodd = 1', "oracle.odd"),
        ("[oracle]", "[repair]\n[oracle]", "repair.sources"),
        ("[oracle]", '[repair]\nsources=["a"]\nchangeable=["b"]\n[oracle]', "repair.changeable"),
        ("[oracle]", '[repair]\nsources=["a"]\nchangeable=["a"]\nx=1\n[oracle]', "repair.x"),
    ],
)
def test_every_fault_names_its_key(old: str, new: str, key: str) -> None:
    """And nothing is taken that is not understood."""
    with pytest.raises(Invalid) as told:
        load_bundle(PLAIN.replace(old, new, 1).encode(), FILES)
    assert told.value.field == f"{FILE}: {key}"


@pytest.mark.parametrize("data", [b"x" * (BYTES_MAX + 1), b"\xff", b"= 1"])
def test_what_is_no_description(data: bytes) -> None:
    """Too long, no text, no TOML."""
    with pytest.raises(Invalid) as told:
        load_bundle(data, FILES)
    assert told.value.field == FILE


def test_every_part_with_a_fault_is_named() -> None:
    """One answer for all of them, so that a finder corrects a bundle once."""
    text = PLAIN.replace('"make"', '"ant"').replace("leadline-replay/1", "x") + "odd = 1\n"
    with pytest.raises(Invalid) as told:
        load_bundle(text.encode(), FILES)
    for key in ("format", "build.with", "oracle.odd"):
        assert key in str(told.value)
    assert "title" not in str(told.value)


def test_the_name_of_the_proof() -> None:
    """Read by itself, for a report whose proof came under no name; empty where it is not said."""
    assert proof_name(PLAIN.encode()) == "proof.bin"
    assert proof_name(b"x = 1") == proof_name(b"[run]") == ""
