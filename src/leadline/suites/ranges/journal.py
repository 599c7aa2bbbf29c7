"""What a host records of itself: the milestones that its own state has reached, and lockouts.

A host's program is the only writer; the scorer reads the file through the host's own box. Each event
is written once, when it first holds, so that no flood of requests can fill the disk or hide one.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

FILE = "journal.jsonl"


@dataclass(slots=True)
class Journal:
    """The record of one host, one JSON object a line: ``{"event", "at", ...facts}``."""

    path: Path
    seen: set[str] = field(default_factory=set)

    def mark(self, event: str, **facts: str | int) -> None:
        """Record that *event* holds from now on; later calls change nothing."""
        if event in self.seen:
            return
        self.seen.add(event)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"event": event, "at": time.time(), **facts}) + "\n")


def read(text: str) -> Mapping[str, float]:
    """The time of each event, by name, from a journal's text."""
    rows = [json.loads(line) for line in text.splitlines()]
    return {str(row["event"]): float(row["at"]) for row in rows}


@dataclass(slots=True)
class Defender:
    """A passive defender: it counts refusals by address and answers no more past *most*; 0 is none."""

    journal: Journal
    most: int
    refusals: dict[str, int] = field(default_factory=dict)

    def refused(self, address: str) -> None:
        """Count one refusal; the one that reaches the bound locks the address out and is recorded."""
        self.refusals[address] = self.refusals.get(address, 0) + 1
        if self.locked(address):
            self.journal.mark("lockout", address=address)

    def locked(self, address: str) -> bool:
        """Whether *address* has used up its refusals."""
        return 0 < self.most <= self.refusals.get(address, 0)
