"""Bundles, benches and workshops for tests of replays and fixes that need no box."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from leadline.core.clearing.fix import Drafted
from leadline.core.clearing.replaying import (
    Basis,
    Build,
    BuildWith,
    Bundle,
    Oracle,
    OracleKind,
    Replay,
    Shown,
)

FIRED = Shown(fired=True, kind="heap-buffer-overflow", frames=("parse", "main"))
SILENT = Shown(fired=False)
BROKEN = Shown(None, why="the program does not start here: no library")


def a_bundle(**changed: Any) -> Bundle:
    """A bundle whose proof is that of `reporting.reported`, as changed."""
    sound: dict[str, Any] = {
        "title": "a flaw",
        "purl": "pkg:pypi/bsdiff4@1.1.1",
        "release": "v1",
        "paths": ("src/a.c",),
        "build": Build(BuildWith.MAKE),
        "command": ("./prog", "{proof}"),
        "proof": "proof.bin",
        "oracle": Oracle(OracleKind.SANITIZER),
        "files": {"proof.bin": b"proof"},
    }
    return Bundle(**(sound | changed))


@dataclass
class FakeBench:
    """Answers each run with the next of *proof*, and plain inputs with what *plain* says."""

    proof: list[Shown]
    plain: dict[bytes, Shown] = field(default_factory=dict)
    asked: list[bytes] = field(default_factory=list)
    build: str = "b" * 64
    environment: str = "e" * 64

    def runs(self, data: bytes, times: int) -> Sequence[Shown]:
        """What was put in."""
        self.asked += [data] * times
        if data in self.plain or data == b"":
            return [self.plain.get(data, SILENT)] * times
        return [self.proof.pop(0) if len(self.proof) > 1 else self.proof[0] for _ in range(times)]


def sound_draft(**changed: Any) -> Drafted:
    """A draft of which everything that is due holds, as changed."""
    held = Replay("0" * 64, Basis.RUN, (FIRED,) * 5, (SILENT,) * 5)
    sound: dict[str, Any] = {
        "base": "c" * 40,
        "subject": "d" * 64,
        "origin": "tool",
        "made_by": "baseline",
        "outcome": "fixed",
        "patch": b"--- a/src/a.c\n+++ b/src/a.c\n",
        "touches": ("src/a.c",),
        "replay": held,
        "variants": (24, 24),
        "samples": (5, 5),
        "tests": (True, True),
    }
    return Drafted(**(sound | changed))


@dataclass
class FakeWorkshop:
    """Hands in the draft it was made with."""

    drafted: Drafted
    asked: list[Bundle] = field(default_factory=list)

    def draft(self, bundle: Bundle) -> Drafted:
        """What was put in."""
        self.asked.append(bundle)
        return self.drafted
