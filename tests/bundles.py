"""Makers of bundles and logs: a signer in a temporary file, acts with known blinders."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import make
from leadline.app.ports import Signer
from leadline.app.seal import seal
from leadline.core.record import tlog
from leadline.core.record.act import Value, to_record
from leadline.formats import manifest, tiles
from leadline.formats.checkpoint import Checkpoint
from leadline.formats.manifest import Opening

ORIGIN = "log.example/demonstration"


def openings(count: int) -> list[Opening]:
    """That many acts, each with a blinder of its own."""
    blinder = make.blinders()
    return [Opening(n, blinder(), _record(n)) for n in range(count)]


def _record(number: int) -> Value:
    return to_record(make.act(number, digest=f"{number:064x}"))


def head_of(entries: Iterable[bytes], origin: str = ORIGIN) -> Checkpoint:
    """The tree head over *entries*."""
    edge = tlog.append(tlog.Edge(), map(tlog.leaf_hash, entries)).edge
    return Checkpoint(origin, edge.size, tlog.root(edge))


def write_log(folder: Path, entries: Sequence[bytes], signer: Signer) -> Checkpoint:
    """A bare C2SP tile folder of *entries*."""
    for path, content in tiles.tree_files(entries):
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    head = head_of(entries)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / manifest.CHECKPOINT).write_text(signer.sign(head.text), encoding="utf-8")
    return head


def write_bundle(
    folder: Path, acts: Sequence[Opening], signer: Signer, *, withheld: Sequence[int] = ()
) -> Checkpoint:
    """A sealed bundle of *acts*, some of them not opened, with two artefacts."""
    head = write_log(folder, [act.entry for act in acts], signer)
    shown = [act for act in acts if act.index not in withheld]
    write_acts(folder, shown)
    (folder / "evidence").mkdir()
    (folder / "evidence" / "finding-0001.json").write_bytes(b'{"replayed":true}')
    (folder / "plan.txt").write_bytes(b"20 items, 2 epochs\n")
    seal(folder, signer, ORIGIN)
    return head


def write_acts(folder: Path, acts: Iterable[Opening]) -> None:
    """`acts.jsonl` with these lines."""
    lines = b"".join(map(manifest.encode_opening, acts))
    (folder / manifest.ACTS).write_bytes(lines)
