"""Signed notes, verifier keys, and what each kind of signature covers."""

from base64 import b64encode
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.app.signature import check
from leadline.core.errors import Invalid, Tampered
from leadline.formats import cosignature, note
from leadline.formats.note import Kind, Note, Signature, VerifierKey
from refusal import answer

NOTES = Path(__file__).parent / "published_notes"
GOOD = (NOTES / "signed-note.txt").read_bytes()
KEY = note.parse_vkeys((NOTES / "signed-note.vkey").read_text("utf-8"))
CHECKPOINT = "log.example\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"
published = pytest.mark.parametrize(
    "name", ["signed-note", "sumdb-note", "arche2025h1", "mldsa-log"]
)


@published
def test_published_note_verifies(name: str) -> None:
    """A note signed by another implementation verifies with its published keys, and round-trips."""
    data = (NOTES / f"{name}.txt").read_bytes()
    keys = (NOTES / f"{name}.vkey").read_text("utf-8")
    signed = note.parse(data)
    cosignature.require(name, signed, note.parse_vkeys(keys), check)
    assert data.decode() == signed.document
    assert keys == "".join(f"{key.line}\n" for key in note.parse_vkeys(keys))


@published
def test_published_note_with_one_changed_character_is_refused(name: str) -> None:
    """Another first letter of the text, and no key's signature verifies any more."""
    signed = note.parse((NOTES / f"{name}.txt").read_bytes())
    changed = Note("X" + signed.text[1:], signed.signatures)
    for key in note.parse_vkeys((NOTES / f"{name}.vkey").read_text("utf-8")):
        with pytest.raises(Tampered, match="did not make"):
            cosignature.require(name, changed, [key], check)


def test_every_key_must_have_signed() -> None:
    """A key without a signature refuses the note; a stranger's signature changes nothing."""
    signed = note.parse(GOOD)
    other = VerifierKey("other.example", Kind.ED25519, bytes(32))
    stranger = Signature("stranger.example", b"1234", b"anything")
    cosignature.require("here", Note(signed.text, (stranger, *signed.signatures)), KEY, check)
    with pytest.raises(Tampered, match="no signature by the key other"):
        cosignature.require("here", signed, [*KEY, other], check)
    with pytest.raises(Invalid, match="no key"):
        cosignature.require("here", signed, [], check)


def test_one_bad_signature_of_a_known_key_refuses_the_note() -> None:
    """A good signature does not make up for a bad one with the same name and ID."""
    signed = note.parse(GOOD)
    bad = Signature(KEY[0].name, KEY[0].id, bytes(64))
    short = Signature(KEY[0].name, KEY[0].id, bytes(63))
    for one in (bad, short):
        with pytest.raises(Tampered, match="here: the signature by example"):
            cosignature.require("here", Note(signed.text, (*signed.signatures, one)), KEY, check)


def test_sixteen_signatures_are_taken_and_a_text_may_hold_empty_lines() -> None:
    """The specification's least limit holds; the last empty line divides."""
    lines = tuple(Signature(f"key{n}", b"1234", b"s") for n in range(16))
    signed = Note("a\n\n\nb\n", lines)
    assert signed == note.parse(signed.document.encode())


@given(data=st.binary(max_size=200))
def test_any_bytes_are_a_note_to_the_byte_or_invalid(data: bytes) -> None:
    """Whatever is parsed is written again as the same bytes."""
    found = answer(note.parse, data)
    assert isinstance(found, Invalid) or data == found.document.encode()


@given(
    text=st.text(st.characters(codec="utf-8", min_codepoint=0x20), max_size=40),
    names=st.lists(st.text(st.characters(codec="utf-8", categories=["L", "N"]), min_size=1)),
    blob=st.binary(min_size=5, max_size=20),
)
def test_every_note_round_trips(text: str, names: list[str], blob: bytes) -> None:
    """A text and its signature lines come back from the bytes."""
    lines = tuple(Signature(name[:60], blob[:4], blob[4:]) for name in ["x", *names][:60])
    signed = Note(f"{text}\n", lines)
    assert signed == note.parse(signed.document.encode())


SIGNATURE = GOOD.decode().splitlines()[2].removeprefix("\u2014 example.com/foo ")


@pytest.mark.parametrize(
    ("why", "data"),
    [
        ("UTF-8", GOOD + b"\xff"),
        ("control", GOOD.replace(b"This", b"Th\tis")),
        ("control", GOOD.replace(b"\n", b"\r\n")),
        ("no newline at the end", GOOD[:-1]),
        ("no empty line", GOOD.replace(b"\n\n", b"\n")),
        ("no empty line", b"text\n\n"),
        ("no empty line", b""),
        ("em dash", GOOD.replace("\u2014".encode(), b"-")),
        ("em dash", b"text\n\n\xe2\x80\x94 name\n"),
        ("without spaces", b"text\n\n\xe2\x80\x94  " + SIGNATURE.encode() + b"\n"),
        ("without spaces, plus", GOOD.replace(b"com/foo", b"com+foo")),
        ("without spaces", GOOD.replace(b"com/foo", "com\u2003foo".encode())),
        ("255 bytes", GOOD.replace(b"com/foo", b"c" * 256)),
        ("standard base64", GOOD.replace(b"QM=", b"Q-=")),
        ("standard base64", GOOD.replace(b"QM=", b"QM")),
        ("canonical", GOOD.replace(b"QM=", b"QN=")),
        ("no bytes after", b"text\n\n\xe2\x80\x94 name " + b64encode(b"1234") + b"\n"),
        ("signatures; at most", b"t\n\n" + b"\xe2\x80\x94 name MTIzNDU=\n" * 65),
        ("at most 131072", b"x" * (128 * 1024 + 1)),
    ],
)
def test_a_note_in_another_form_is_refused(why: str, data: bytes) -> None:
    """Each departure from the specification's form is refused with its reason."""
    with pytest.raises(Invalid, match=why):
        note.parse(data)


LINE = KEY[0].line


@pytest.mark.parametrize(
    ("why", "line"),
    [
        ("NAME.ID.KEY", "example.com/foo"),
        ("NAME.ID.KEY", "example.com/foo+530d903a"),
        ("NAME.ID.KEY", LINE.replace("530d903a", "530D903A")),
        ("standard base64", LINE + "*"),
        ("canonical", "n+00000000+AR=="),
        ("kind 0x02", f"n+00000000+{b64encode(bytes([2] * 33)).decode()}"),
        ("kind 0xff", f"n+00000000+{b64encode(bytes([255] * 33)).decode()}"),
        ("kind 0x is", "n+00000000+"),
        ("32 bytes are due", f"n+00000000+{b64encode(bytes([1] * 32)).decode()}"),
        ("1312 bytes are due", f"n+00000000+{b64encode(bytes([6] * 33)).decode()}"),
        ("without spaces", LINE.replace("com/foo", "com foo")),
        ("without spaces", LINE.removeprefix("example.com/foo")),
    ],
)
def test_a_key_line_in_another_form_is_refused(why: str, line: str) -> None:
    """Each departure is refused with its reason, and the line of the file is named."""
    with pytest.raises(Invalid, match=f"key file line 2: .*{why}"):
        note.parse_vkeys(f"\n{line}\n")


def test_a_key_that_does_not_match_its_id_is_tampering() -> None:
    """The ID is a digest of name and key; another name with the same ID does not verify."""
    with pytest.raises(Tampered, match="line 1: 530d903a is not the ID"):
        note.parse_vkeys(LINE.replace("com/foo", "com/bar"))


def test_key_files_are_not_empty_and_name_each_key_once() -> None:
    """No key, or the same one twice, is refused."""
    with pytest.raises(Invalid, match="no verifier key"):
        note.parse_vkeys("\n\n")
    with pytest.raises(Invalid, match="line 2: a key twice"):
        note.parse_vkeys(f"{LINE}\n{LINE}\n")


def test_note_texts_end_in_a_newline() -> None:
    """A text without newline at its end, or with a control character, cannot be signed."""
    note.check_text("text\n")
    for text in ("text", "te\0xt\n", "te\rxt\n"):
        with pytest.raises(Invalid, match="note text"):
            note.check_text(text)


def test_cosignature_messages_are_the_published_bytes() -> None:
    """The messages of kinds 0x04 and 0x06 are those that the specification lays out."""
    classic = VerifierKey("w.example", Kind.ED25519_COSIGNATURE, bytes(32))
    quantum = VerifierKey("w.example", Kind.ML_DSA_44_COSIGNATURE, bytes(1312))
    head = f"cosignature/v1\ntime 7\n{CHECKPOINT}"
    assert head.encode() == cosignature.message(classic, CHECKPOINT, 7)
    empty_root = bytes.fromhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    laid_out = (
        b"subtree/v1\n\0"
        b"\x09w.example"
        + bytes([0, 0, 0, 0, 0, 0, 0, 7])
        + b"\x0blog.example"
        + bytes(8)
        + bytes(8)
        + empty_root
    )
    assert laid_out == cosignature.message(quantum, CHECKPOINT, 7)
    assert cosignature.message(KEY[0], "text\n") == b"text\n"


def test_cosignatures_cover_checkpoints_only() -> None:
    """A cosignature under another text, of an impossible time or a long origin is refused."""
    for kind in (Kind.ED25519_COSIGNATURE, Kind.ML_DSA_44_COSIGNATURE):
        key = VerifierKey("w.example", kind, bytes(kind.key_bytes))
        with pytest.raises(Invalid, match="origin, size and root"):
            cosignature.message(key, "text\n")
        with pytest.raises(Invalid, match="timestamp"):
            cosignature.message(key, CHECKPOINT, 1 << 63)
    quantum = VerifierKey("w.example", Kind.ML_DSA_44_COSIGNATURE, bytes(1312))
    with pytest.raises(Invalid, match="255"):
        cosignature.message(quantum, CHECKPOINT.replace("log.example", "l" * 256))


def test_a_witness_signs_no_other_text() -> None:
    """Only the log's own keys have a form for other texts; the contexts keep the two apart."""
    quantum = VerifierKey("log.example", Kind.ML_DSA_44_COSIGNATURE, bytes(1312))
    text_key = cosignature.text_key(quantum)
    assert text_key is not None
    assert text_key.id != quantum.id
    assert cosignature.context(text_key.kind) != cosignature.context(quantum.kind)
    assert KEY[0] == cosignature.text_key(KEY[0])
    witness = VerifierKey("w.example", Kind.ED25519_COSIGNATURE, bytes(32))
    assert cosignature.text_key(witness) is None
