"""A log that another implementation wrote and signed verifies here."""

from pathlib import Path

import pytest

from leadline.app.verify import verify_bundle
from leadline.core.errors import Tampered
from leadline.core.record import tlog
from leadline.formats import checkpoint, note, tiles

FOLDER = Path(__file__).parents[1] / "formats" / "published_log"
WORDS = [
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eit",
    "nain",
    "ten",
    "ileven",
    "twelf",
    "threeten",
    "fourten",
    "fivten",
]


def laid_out(folder: Path, size: int) -> Path:
    """A bare tile folder with the published checkpoint of *size*."""
    for path, content in tiles.tree_files(word.encode() for word in WORDS[:size]):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    (folder / "checkpoint").write_bytes((FOLDER / f"checkpoint.{size}").read_bytes())
    return folder


@pytest.mark.parametrize("size", [8, 10, 15])
def test_the_log_of_another_implementation_verifies(size: int, tmp_path: Path) -> None:
    """Its entries, its signed roots, its key; the leftovers of smaller trees may stay."""
    folder = laid_out(tmp_path, size)
    if size > 10:
        for path, content in tiles.tree_files(word.encode() for word in WORDS[:10]):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
    (folder / ".state").mkdir()
    (folder / ".state" / "treeState").write_bytes(b"{}")
    (folder / "checkpoint.10").write_bytes((FOLDER / "checkpoint.10").read_bytes())
    found = verify_bundle(folder, (FOLDER / "log.vkey").read_text("utf-8"))
    assert (found.kind, found.size, found.origin) == ("tiles", size, "example.com/log/testdata")


def test_its_heads_are_consistent_as_it_signed_them(tmp_path: Path) -> None:
    """The proof from 10 to 15 leads to both published roots."""
    old, new = (
        checkpoint.parse(note.parse((FOLDER / f"checkpoint.{size}").read_bytes()).text)
        for size in (10, 15)
    )
    level = b"".join(tlog.leaf_hash(word.encode()) for word in WORDS)
    proof = tlog.consistency_proof(10, 15, lambda tile: level[: tile.width * 32])
    tlog.verify_consistency(10, 15, proof, old.root, new.root)


def test_one_word_of_it_changed_is_found(tmp_path: Path) -> None:
    """So the acceptance above is no accident."""
    folder = laid_out(tmp_path, 15)
    path = folder / "tile/entries/000.p/15"
    path.write_bytes(path.read_bytes().replace(b"seven", b"sever"))
    with pytest.raises(Tampered):
        verify_bundle(folder, (FOLDER / "log.vkey").read_text("utf-8"))
