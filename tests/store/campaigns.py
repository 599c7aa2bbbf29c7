"""What the campaigns against the write path share: the writers, what they told, and the comparison."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from conformance.sightings import KINDS, Remark
from leadline.app.ports import Opened, Reading
from leadline.core.record import tlog
from leadline.core.record.act import to_record
from leadline.core.record.commitment import commit, entry
from leadline.formats import canonical, tiles
from leadline.store.sql import open_store
from store.writers import Round

TESTS = Path(__file__).parent.parent


@dataclass
class Told:
    """All that writers of one database ever acknowledged."""

    acts: dict[str, int] = field(default_factory=dict)
    heads: set[tuple[int, bytes]] = field(default_factory=set)
    open: set[str] = field(default_factory=set)
    stood: int = 0

    def take(self, line: str) -> None:
        """Note what one line tells; nothing may be told twice."""
        what, *words = line.split()
        if what == "begin":
            self.open.add(words[0])
        elif what == "ack":
            assert words[0] not in self.acts, f"{words[0]} was acknowledged twice"
            self.acts[words[0]] = int(words[1])
            self.open.discard(words[0])
        elif what == "head":
            self.heads.add((int(words[0]), bytes.fromhex(words[1])))
        elif what == "undone":
            self.open.remove(words[0])
        elif what == "stood":
            self.stood += 1
        else:
            assert what == "unavailable", line

    def to_try_again(self) -> list[str]:
        """The acts that were begun and never acknowledged; they are no longer open after this."""
        again, self.open = self.open, set()
        return sorted(id_ for id_ in again if not id_.startswith("undone"))


class Writers:
    """The program that forks a writer for each round."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "store.writers"]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self._process = subprocess.Popen(command, cwd=TESTS, text=True, **pipes)  # type: ignore[call-overload]

    def begin(self, plan: Round) -> None:
        """Start a round."""
        self._process.stdin.write(plan.line())
        self._process.stdin.flush()

    def lines(self) -> Iterator[str]:
        """What the round's writer tells, as it comes; the last is how it ended."""
        for line in self._process.stdout:
            yield line.rstrip("\n")
            if line.startswith("ended"):
                return

    def close(self) -> None:
        """End the program."""
        self._process.communicate()


def compare(url: str, told: Told) -> None:
    """Open the database anew and hold it against what was told."""
    with closing(open_store(url, kinds=KINDS)) as store, store.read() as view:
        acts = view.acts()
        present = {one.act.id: one.index for one in acts}
        assert len(present) == len(acts) == view.log_size()
        assert [one.index for one in acts] == list(range(len(acts)))
        assert told.acts.items() <= present.items()
        assert not [id_ for id_ in present if id_.startswith("undone")]
        assert {one.id for one in view.find(Remark)} == set(present)
        check_log(view, acts)
        root = view.log_root()
        for size, old_root in told.heads:
            if size:
                proof = view.consistency(size, len(acts))
                tlog.verify_consistency(size, len(acts), proof, old_root, root)
        told.heads.add((len(acts), root))


def check_log(view: Reading, acts: Sequence[Opened]) -> None:
    """Root and files are those of the acts."""
    records = [(one.blinder, canonical.encode(to_record(one.act))) for one in acts]
    entries = [entry(commit(blinder, record)) for blinder, record in records]
    grown = tlog.append(tlog.Edge(), [tlog.leaf_hash(one) for one in entries])
    assert view.log_root() == tlog.root(grown.edge)
    assert dict(view.log_files()) == dict(tiles.tree_files(entries))
