"""The manifest, the signed statement, and the lines of opened acts."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.core.errors import Invalid
from leadline.formats import canonical, manifest
from leadline.formats.checkpoint import Checkpoint
from leadline.formats.manifest import File, Opening, Statement
from refusal import answer

HEX = "0123456789abcdef" * 4
STATEMENT = Statement(Checkpoint("log.example", 3, bytes(32)), HEX)
names = st.from_regex(r"[a-z0-9_][a-z0-9._+@=,-]{0,8}", fullmatch=True)
paths = st.lists(names, min_size=1, max_size=3).map("/".join)
sizes = st.integers(0, 1 << 40)


@given(files=st.dictionaries(paths, sizes.map(lambda size: File(HEX, size)), max_size=5))
def test_every_manifest_round_trips(files: dict[str, File]) -> None:
    """Paths, digests and lengths come back."""
    own = {manifest.MANIFEST, manifest.STATEMENT}
    files = {path: file for path, file in files.items() if path not in own}
    assert files == manifest.decode(manifest.encode(files))


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/etc/passwd",
        "../up",
        "a/../b",
        "a//b",
        "a/",
        "./a",
        ".hidden",
        "-option",
        "with space",
        "tab\t",
        "line\n",
        "\u00e9",
        "\udcff",
        "back\\slash",
        "a" * 513,
    ],
)
def test_odd_names_are_refused(path: str) -> None:
    """A name that a shell, another file system or a reader could take otherwise is refused."""
    with pytest.raises(Invalid, match="not a name"):
        manifest.check_path(path)
    with pytest.raises(Invalid, match="not a name"):
        manifest.encode({path: File(HEX, 0)})


def test_names_of_evidence_are_taken() -> None:
    """The names that Inspect, CSAF and the log give their files may stand in a bundle."""
    for path in (
        "tile/0/x001/000.p/17",
        "logs/2027-03-01T09-30-00+00-00_planted_AbC123.eval",
        "advisories/leadline-2027-0001.json",
    ):
        manifest.check_path(path)


@pytest.mark.parametrize(
    ("why", "document"),
    [
        ("object of paths", "[]"),
        ("sha256.*due", '{"a":{"bytes":1}}'),
        ("sha256.*due", '{"a":1}'),
        ("sha256.*due", f'{{"a":{{"bytes":-1,"sha256":"{HEX}"}}}}'),
        ("sha256.*due", f'{{"a":{{"bytes":true,"sha256":"{HEX}"}}}}'),
        ("sha256.*due", f'{{"a":{{"bytes":"1","sha256":"{HEX}"}}}}'),
        ("sha256.*due", f'{{"a":{{"bytes":1,"sha256":"{HEX.upper()}"}}}}'),
        ("sha256.*due", '{"a":{"bytes":1,"sha256":1}}'),
        ("not a name", f'{{"../a":{{"bytes":1,"sha256":"{HEX}"}}}}'),
        ("case only", f'{{"A":{{"bytes":1,"sha256":"{HEX}"}},"a":{{"bytes":1,"sha256":"{HEX}"}}}}'),
        ("neither itself", f'{{"manifest.json":{{"bytes":1,"sha256":"{HEX}"}}}}'),
        ("neither itself", f'{{"manifest.note":{{"bytes":1,"sha256":"{HEX}"}}}}'),
        ("canonical", "{} "),
    ],
)
def test_a_manifest_in_another_form_is_refused(why: str, document: str) -> None:
    """Each departure is refused with its reason."""
    with pytest.raises(Invalid, match=why):
        manifest.decode(document.encode())


def test_statement_round_trips() -> None:
    """Origin, size, root and the manifest's digest come back from the text."""
    assert manifest.parse_statement(STATEMENT.text) == STATEMENT


@pytest.mark.parametrize(
    "text",
    [
        "",
        STATEMENT.text.replace("v1", "v2"),
        STATEMENT.text.replace(HEX, HEX.upper()),
        STATEMENT.text[:-1],
        STATEMENT.text.replace("\n3\n", "\n03\n"),
        STATEMENT.text.replace(HEX, f"another\n{HEX}"),
        STATEMENT.head.text,
    ],
)
def test_a_statement_in_another_form_is_refused(text: str) -> None:
    """What is not exactly five lines of the statement is refused."""
    with pytest.raises(Invalid):
        manifest.parse_statement(text)


records = st.dictionaries(st.sampled_from("abc"), st.integers(-5, 5))


@given(index=st.integers(0, 1 << 40), blinder=st.binary(min_size=32, max_size=32), record=records)
def test_every_opening_round_trips(index: int, blinder: bytes, record: dict[str, int]) -> None:
    """Index, blinder and record come back from the line, and open the same entry."""
    opening = Opening(index, blinder, record)
    again = manifest.decode_opening(manifest.encode_opening(opening))
    assert opening == again
    assert opening.entry == again.entry
    assert len(opening.entry) == 33


GOOD = {"blinder": HEX, "index": 1, "record": {"id": "a"}}


@pytest.mark.parametrize(
    ("why", "change"),
    [
        ("nothing else", {"more": 1}),
        ("blinder", {"blinder": HEX[2:]}),
        ("blinder", {"blinder": 1}),
        ("counts from 0", {"index": -1}),
        ("counts from 0", {"index": True}),
        ("counts from 0", {"index": "1"}),
        ("an object", {"record": "text"}),
    ],
)
def test_an_act_line_in_another_form_is_refused(why: str, change: dict[str, object]) -> None:
    """Each departure is refused with its reason."""
    line = json.dumps(GOOD | change, sort_keys=True, separators=(",", ":"))
    with pytest.raises(Invalid, match=why):
        manifest.decode_opening(f"{line}\n".encode())


def test_act_lines_end_in_a_newline_and_hold_an_object() -> None:
    """A line that was cut, or is no object, is refused."""
    line = canonical.encode({"blinder": HEX, "index": 1, "record": {"id": "a"}})
    manifest.decode_opening(line + b"\n")
    for bad in (line, b"[]\n"):
        with pytest.raises(Invalid, match="one object a line"):
            manifest.decode_opening(bad)


@given(data=st.binary(max_size=60))
def test_any_bytes_are_refused_as_invalid(data: bytes) -> None:
    """Whatever arrives as a manifest or a line: it is canonical, or it is refused."""
    files = answer(manifest.decode, data)
    assert isinstance(files, Invalid) or data == manifest.encode(files)
    opening = answer(manifest.decode_opening, data)
    assert isinstance(opening, Invalid) or data == manifest.encode_opening(opening)


def test_shown_names_are_one_printable_line() -> None:
    """Whatever a file system let through, what is printed holds no control character."""
    assert manifest.shown("a\nb") == "a\\nb"
    assert manifest.shown("\udcff\x1b[2J\u00e9").isprintable()
    assert manifest.shown("\udcff\x1b[2J\u00e9").isascii()


def test_digests_are_sha256_in_hex() -> None:
    """The digest of nothing is the published one."""
    published = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert published == manifest.digest(b"")
