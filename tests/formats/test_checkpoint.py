"""Checkpoints: the text of a tree head."""

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.core.errors import Invalid
from leadline.core.record.tlog import EMPTY_ROOT
from leadline.formats import checkpoint
from leadline.formats.checkpoint import Checkpoint

ROOT = bytes(range(32))
TEXT = f"log.example/1\n20852163\n{b64encode(ROOT).decode()}\n"
lines = st.text(st.characters(codec="utf-8", min_codepoint=0x20), min_size=1, max_size=20)


@given(
    origin=lines,
    size=st.integers(1, (1 << 63) - 1),
    root=st.binary(min_size=32, max_size=32),
    extensions=st.lists(lines, max_size=3),
)
def test_every_checkpoint_round_trips(
    origin: str, size: int, root: bytes, extensions: list[str]
) -> None:
    """Origin, size, root and extension lines come back from the text."""
    head = Checkpoint(origin, size, root, tuple(extensions))
    assert head == checkpoint.parse(head.text)


def test_published_form() -> None:
    """Origin, size and root stand one a line."""
    assert Checkpoint("log.example/1", 20852163, ROOT) == checkpoint.parse(TEXT)


@pytest.mark.parametrize(
    ("why", "text"),
    [
        ("origin, size and root", TEXT[:-1]),
        ("origin, size and root", "log\n1\n"),
        ("origin, size and root", ""),
        ("origin", TEXT.removeprefix("log.example/1")),
        ("leading zeros", TEXT.replace("20852163", "020852163")),
        ("leading zeros", TEXT.replace("20852163", "+20852163")),
        ("leading zeros", TEXT.replace("20852163", "\u0662")),
        ("leading zeros", TEXT.replace("20852163", "")),
        ("leading zeros", TEXT.replace("20852163", "1" * 20)),
        ("2.63", TEXT.replace("20852163", "9" * 19)),
        ("standard base64", TEXT.replace("AAEC", "A-EC")),
        ("32 bytes", TEXT.replace(b64encode(ROOT).decode(), b64encode(ROOT[1:]).decode())),
        ("empty log", TEXT.replace("20852163", "0")),
        ("extension", f"{TEXT}\n"),
    ],
)
def test_a_checkpoint_in_another_form_is_refused(why: str, text: str) -> None:
    """Each departure from the specification's form is refused with its reason."""
    with pytest.raises(Invalid, match=why):
        checkpoint.parse(text)


def test_the_empty_log_has_one_root() -> None:
    """Size 0 goes with SHA-256 of nothing."""
    assert checkpoint.parse(Checkpoint("log", 0, EMPTY_ROOT).text).root == EMPTY_ROOT
