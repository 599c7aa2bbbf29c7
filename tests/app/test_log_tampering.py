"""What is done to a log behind its back is found: every trial of every kind, not most of them."""

import random
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

import make
from bundles import head_of, write_log
from fake_log import ORIGIN, MemoryMemory, policy, witness
from fakes import MemorySigner
from leadline.app.proof import check_head
from leadline.app.verify import verify_bundle
from leadline.app.witness import Seen
from leadline.core.errors import Tampered
from leadline.core.record import tlog
from leadline.formats import note, tiles, tlog_policy
from leadline.formats.checkpoint import Checkpoint
from leadline.formats.note import Note
from leadline.formats.tlog_policy import Quorum
from leadline.formats.tlog_witness import AddCheckpoint, parse_cosignatures

SIZE, OK = 300, 200
SIGNER = MemorySigner(ORIGIN)
NAMES = [f"body{n}.example/witness" for n in range(3)]
POLICY = tlog_policy.parse(policy(SIGNER.vkeys(), NAMES, "2"))


def entry(number: int, head: int = 0) -> bytes:
    """An entry in its form: the version byte and 32 bytes."""
    return b"\x01" + number.to_bytes(16, "big") + head.to_bytes(16, "big")


ENTRIES = [entry(number) for number in range(SIZE)]


@dataclass
class Log:
    """A published log in a folder, and a way to put back what a trial changed."""

    folder: Path
    whole: dict[str, bytes]

    @classmethod
    def written(cls, folder: Path) -> "Log":
        """The honest log."""
        write_log(folder, ENTRIES, SIGNER)
        paths = (path for path in sorted(folder.rglob("*")) if path.is_file())
        return cls(folder, {str(path.relative_to(folder)): path.read_bytes() for path in paths})

    def put(self, files: dict[str, bytes | None]) -> None:
        """Replace files; None takes one away."""
        for path, content in files.items():
            if content is None:
                (self.folder / path).unlink()
            else:
                (self.folder / path).write_bytes(content)

    def refused(self, files: dict[str, bytes | None]) -> None:
        """The verifier notices that these files are other ones, or the trial fails."""
        self.put(files)
        try:
            with pytest.raises(Tampered):
                verify_bundle(self.folder, SIGNER.vkeys())
        finally:
            self.put({path: self.whole[path] for path in files})

    def rebuilt(self, entries: Sequence[bytes]) -> dict[str, bytes | None]:
        """What somebody writes who has every file but no key: tiles of other entries."""
        made = dict(tiles.tree_files(entries))
        return {path: made.get(path) for path in self.whole if path != "checkpoint"}


def flipped(log: Log, dice: random.Random) -> None:
    """One bit of one file, each file as likely as the others."""
    path = dice.choice(sorted(log.whole))
    content = bytearray(log.whole[path])
    content[dice.randrange(len(content))] ^= 1 << dice.randrange(8)
    log.refused({path: bytes(content)})


def removed(log: Log, dice: random.Random) -> None:
    """One entry is gone; the files that the tree then has are all recomputed."""
    gone = dice.randrange(SIZE)
    kept = [*ENTRIES[:gone], *ENTRIES[gone + 1 :]]
    if dice.random() < 0.5:
        kept.append(entry(SIZE + 1))
    log.refused(log.rebuilt(kept))


def reordered(log: Log, dice: random.Random) -> None:
    """Two entries have changed places, tiles recomputed."""
    one, two = dice.sample(range(SIZE), 2)
    changed = list(ENTRIES)
    changed[one], changed[two] = changed[two], changed[one]
    log.refused(log.rebuilt(changed))


def rewritten(log: Log, dice: random.Random) -> None:
    """One entry is another one, tiles recomputed, all or only the lowest level."""
    changed = list(ENTRIES)
    changed[dice.randrange(SIZE)] = entry(dice.randrange(SIZE), 1)
    files = log.rebuilt(changed)
    if dice.random() < 0.5:
        files = {path: content for path, content in files.items() if "entries" in path}
    log.refused(files)


def taken_away(log: Log, dice: random.Random) -> None:
    """A whole file is missing, empty or cut short."""
    path = dice.choice(sorted(log.whole))
    content = log.whole[path]
    cut = dice.choice([None, b"", content[: dice.randrange(len(content))]])
    log.refused({path: cut})


def head_changed(log: Log, dice: random.Random) -> None:
    """The checkpoint names another size or root, under the old signature."""
    size = dice.choice([SIZE - 1, SIZE + 1, dice.randrange(1, SIZE)])
    root = dice.choice(
        [dice.randbytes(32), head_of(ENTRIES[:SIZE]).root, head_of(ENTRIES[:9]).root]
    )
    head, signed = Checkpoint(ORIGIN, size, root), note.parse(log.whole["checkpoint"])
    log.refused({"checkpoint": Note(head.text, signed.signatures).document.encode()})


SEEN = Seen(SIZE, head_of(ENTRIES).root)
WITNESSES = [witness(name, SIGNER.vkeys()) for name in NAMES]


def two_headed(log: Log, dice: random.Random) -> None:
    """The log itself, with its key, shows one half of the world another history.

    The second head is signed and is a whole log by itself: a client without witnesses takes it. The
    witnesses saw the first, and cosign nothing that does not continue it, whatever they are told.
    """
    del log
    fork = dice.randrange(SIZE)
    size = dice.randrange(fork + 1, SIZE + 50)
    other = [*ENTRIES[:fork], *(entry(number, 2) for number in range(fork, size))]
    second = note.parse(SIGNER.sign(head_of(other).text).encode())
    made = dict(tiles.tree_files(other))
    old = dice.choice([0, min(size, SIZE)])
    proof = tlog.consistency_proof(old, size, lambda tile: made[tile.path])
    lines = list(second.signatures)
    for one in WITNESSES:
        assert isinstance(one.memory, MemoryMemory)
        one.memory.heads[ORIGIN] = SEEN
        answer = one.add_checkpoint(AddCheckpoint(old, proof, second).body, make.NOW)
        assert one.memory.heads[ORIGIN] == SEEN
        if answer.status == OK:
            lines += parse_cosignatures(second, answer.body)
    shown = Note(second.text, tuple(lines))
    check_head(shown, POLICY.at(Quorum.NONE))
    with pytest.raises(Tampered, match="quorum"):
        check_head(shown, POLICY)


KINDS: Sequence[Callable[[Log, random.Random], None]] = (
    flipped,
    removed,
    reordered,
    rewritten,
    taken_away,
    head_changed,
    two_headed,
)


def campaign(folder: Path, trials: int, seed: int) -> Counter[str]:
    """That many trials, kinds in turn; answers how many of each were found."""
    log, dice, found = Log.written(folder), random.Random(seed), Counter[str]()  # noqa: S311 -- repeatable
    for trial in range(trials):
        kind = KINDS[trial % len(KINDS)]
        kind(log, dice)
        found[kind.__name__] += 1
    verify_bundle(folder, SIGNER.vkeys())
    return found


def test_tampering_is_found(tmp_path: Path) -> None:
    """A sample of the campaign: every trial of seven kinds, and the log itself still verifies."""
    assert campaign(tmp_path / "log", 420, seed=1).total() == 420


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_tampering_is_found_in_every_one_of_100_000_trials(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Split view, removed, reordered, rewritten, flipped, missing, another head: 100 % found."""
    found = campaign(tmp_path / "log", 100_000, seed=2)
    with capsys.disabled():
        sys.stdout.write(f"\ntampering found: {dict(found)}\n")
    assert found.total() == 100_000
