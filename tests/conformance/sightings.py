"""Two kinds of record that exist for the stores' suite only."""

from dataclasses import dataclass
from datetime import datetime

import make
from leadline.core.marking import Tlp


@dataclass(frozen=True, slots=True)
class Sighting:
    """A record of every field type that core records use."""

    name: str
    count: int = 0
    seen: datetime = make.NOW
    label: Tlp = Tlp.GREEN
    tags: frozenset[str] = frozenset()
    places: tuple[tuple[str, int], ...] = ()
    share: float | None = None


@dataclass(frozen=True, slots=True)
class Remark:
    """A second kind, whose ids may equal those of the first."""

    text: str


KINDS: dict[type, str] = {Sighting: "sighting", Remark: "remark"}
