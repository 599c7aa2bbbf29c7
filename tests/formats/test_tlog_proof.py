"""`.tlog-proof` files: exactly the form of C2SP, and nothing else."""

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes import MemorySigner
from leadline.core.errors import Invalid
from leadline.core.record.tlog import EMPTY_ROOT, SIZE_MAX
from leadline.formats import note, tlog_proof
from leadline.formats.checkpoint import Checkpoint
from leadline.formats.manifest import Opening
from leadline.formats.tlog_proof import ActProof, Proof, parse
from refusal import answer

SIGNED = MemorySigner("x.example/log").sign(Checkpoint("x.example/log", 0, EMPTY_ROOT).text)
HASHES = st.lists(st.binary(min_size=32, max_size=32), max_size=63).map(tuple)
LINE = b64encode(bytes(32)).decode()


@given(index=st.integers(0, SIZE_MAX - 1), hashes=HASHES, extra=st.binary(max_size=60))
def test_a_proof_reads_back(index: int, hashes: tuple[bytes, ...], extra: bytes) -> None:
    """What is written is read, the checkpoint verbatim."""
    proof = Proof(index, hashes, SIGNED, extra)
    assert parse(proof.document.encode()) == proof
    assert proof.note == note.parse(SIGNED.encode())


def test_the_document_has_the_published_form() -> None:
    """Header, extra, index, hashes, empty line, checkpoint; every line ends in a newline."""
    expected = f"c2sp.org/tlog-proof@v1\nextra AAE=\nindex 7\n{LINE}\n\n{SIGNED}"
    assert Proof(7, (bytes(32),), SIGNED, b"\x00\x01").document == expected
    assert ActProof(Opening(7, bytes(32), {}), expected).proof.index == 7


@given(data=st.binary(max_size=300))
def test_whatever_comes_is_refused_by_our_own_error(data: bytes) -> None:
    """No other exception leaves the parser."""
    with pytest.raises(Invalid):
        parse(data)


@given(at=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_a_changed_bit_is_refused_or_reads_as_what_it_says(at: int, bit: int) -> None:
    """A proof that parses is the text it was parsed from."""
    whole = Proof(300, (bytes(32), bytes(32)), SIGNED, b"x").document.encode()
    data = bytearray(whole)
    data[at % len(data)] ^= 1 << bit
    assert bytes(data) != whole
    read = answer(parse, bytes(data))
    assert isinstance(read, Invalid) or read.document.encode() == bytes(data)


HEAD = "c2sp.org/tlog-proof@v1\n"


@pytest.mark.parametrize(
    "text",
    [
        f"c2sp.org/tlog-proof@v2\nindex 0\n\n{SIGNED}",
        f"{HEAD}index 0\n{SIGNED.rstrip()}",
        f"{HEAD}\n{SIGNED}",
        f"{HEAD}extra AAE=\n\n{SIGNED}",
        f"{HEAD}extra \nindex 0\n\n{SIGNED}",
        f"{HEAD}extra AAF=\nindex 0\n\n{SIGNED}",
        f"{HEAD}index 00\n\n{SIGNED}",
        f"{HEAD}index -1\n\n{SIGNED}",
        f"{HEAD}index 1_0\n\n{SIGNED}",
        f"{HEAD}index \u0661\n\n{SIGNED}",
        f"{HEAD}index {SIZE_MAX}\n\n{SIGNED}",
        f"{HEAD}index 0\n{LINE[:-1]}\n\n{SIGNED}",
        f"{HEAD}index 0\nAAE=\n\n{SIGNED}",
        f"{HEAD}index 0\n" + f"{LINE}\n" * 64 + f"\n{SIGNED}",
        f"{HEAD}index 0\n\n{SIGNED[:-1]}",
        f"{HEAD}index 0\nextra AAE=\n\n{SIGNED}",
    ],
)
def test_what_is_not_exactly_in_form_is_refused(text: str) -> None:
    """Each variation of a good proof that the specification does not allow."""
    with pytest.raises(Invalid):
        parse(text.encode())


def test_limits_hold_for_values_too() -> None:
    """A proof that could not be read back cannot be made."""
    for index, hashes, extra in [
        (-1, (), b""),
        (SIZE_MAX, (), b""),
        (0, (bytes(31),), b""),
        (0, (bytes(32),) * 64, b""),
        (0, (), bytes(tlog_proof.EXTRA_BYTES_MAX + 1)),
    ]:
        with pytest.raises(Invalid):
            Proof(index, hashes, SIGNED, extra)
    with pytest.raises(Invalid):
        parse(b"\xff" + SIGNED.encode())
    with pytest.raises(Invalid, match="at most"):
        parse(b"x" * (tlog_proof.PROOF_BYTES_MAX + 1))
