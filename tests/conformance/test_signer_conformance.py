"""What every signer promises; see `leadline.app.ports.Signer`."""

import pytest

from leadline.app import signature
from leadline.app.ports import Signer
from leadline.core.errors import Invalid, Tampered
from leadline.formats import cosignature, note

NAME = "demonstration.example/log"


def test_a_signed_note_holds_the_text_and_a_line_per_key(signer: Signer) -> None:
    """Text, an empty line, and as many signatures as there are verifier keys, all by name."""
    text = "any statement\nof two lines\n"
    signed = signer.sign(text)
    head, _, tail = signed.rpartition("\n\n")
    assert head + "\n" == text
    lines = tail.splitlines()
    assert len(lines) == len(signer.vkeys().splitlines())
    assert all(line.startswith(f"\u2014 {NAME} ") for line in lines)
    parsed = note.parse(signed.encode())
    assert parsed.text == text
    keys = [key for key in map(cosignature.text_key, note.parse_vkeys(signer.vkeys())) if key]
    assert len(keys) == len(lines)
    cosignature.require("note", parsed, keys, signature.check)
    forged = note.Note("another statement\n", parsed.signatures)
    with pytest.raises(Tampered):
        cosignature.require("note", forged, keys, signature.check)


def test_verifier_keys_name_the_log(signer: Signer) -> None:
    """Each line is a C2SP verifier key of this name, and repeats from call to call."""
    lines = signer.vkeys().splitlines()
    assert lines
    assert all(line.startswith(f"{NAME}+") for line in lines)
    assert signer.vkeys().splitlines() == lines


def test_two_texts_have_two_signatures(signer: Signer) -> None:
    """A signature is about its text."""
    one, two = (signer.sign(f"{word}\n").rpartition("\n\n")[2] for word in ("one", "two"))
    assert one != two


@pytest.mark.parametrize("text", ["", "no newline at the end", "a tab\t\n", "nul\0\n"])
def test_what_is_no_note_text_is_not_signed(signer: Signer, text: str) -> None:
    """C2SP signed-note: text ends in a newline and holds no other control character."""
    with pytest.raises(Invalid):
        signer.sign(text)
