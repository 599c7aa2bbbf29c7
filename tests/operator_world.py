"""Operators beside a case in an installation in memory, each person with ids of its own.

What one person does takes no id from another, so that two installations can be compared byte by byte.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import clearing_values as values
import leadline
from case_world import CaseWorld
from leadline.app import cases, notices, operators
from leadline.app.cases import NewParty
from leadline.app.context import Context
from leadline.app.operators import Stated
from leadline.core.clearing.advisory import Advisory
from leadline.core.clearing.case import Answer, FixState, Report
from leadline.core.clearing.coordination import Moved
from leadline.core.clearing.coordination import Stated as Status
from leadline.core.clearing.delivery import Delivery, Words
from leadline.core.clearing.disclosure import Move, Role
from leadline.core.clearing.operator import Exposure, Mode
from leadline.core.clearing.tiers import Stage
from leadline.core.marking import Tlp
from leadline.formats.tiers_toml import load_tiers

TIERS_FILE = Path(leadline.__file__).parent / "data" / "tiers" / "leadline-default.toml"
TIERS = load_tiers(TIERS_FILE.read_bytes(), TIERS_FILE.name)
# name, sector, people served: the first is of tier 1, the second of tier 3
OPERATORS: Mapping[str, tuple[str, int]] = {
    "hospital": ("health", 9_000),
    "utility": ("water", 20_000),
    "bank": ("finance", 5_000),
}


def bom(*purls: str) -> bytes:
    """A CycloneDX inventory of these packages."""
    parts = [
        {
            "type": "library",
            "bom-ref": f"ref-{at}",
            "name": purl.rsplit("/", 1)[-1].partition("@")[0],
            "version": purl.partition("@")[2],
            "purl": purl,
        }
        for at, purl in enumerate(purls)
    ]
    return json.dumps(
        {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": parts}
    ).encode()


def ujson(**fields: Any) -> Advisory:
    """The advisory of the tests: ujson from 2.0 up to 5.2.0."""
    return values.advisory(**{"id": "LEADLINE-2027-0001", "tlp": Tlp.AMBER_STRICT, **fields})


@dataclass
class OperatorWorld:
    """Tiers are published; nobody is enrolled yet."""

    inner: CaseWorld = field(default_factory=CaseWorld)
    numbers: dict[str, int] = field(default_factory=dict)
    operator: dict[str, str] = field(default_factory=dict)
    case: str = ""
    owner: str = ""

    def __post_init__(self) -> None:
        operators.publish_tiers(self.at("screener"), TIERS)
        self.after(hours=1)

    @property
    def now(self) -> datetime:
        """The time."""
        return self.inner.world.now

    def after(self, **later: float) -> None:
        """Let time go on."""
        self.inner.world.after(**later)

    def at(self, person: str) -> Context:
        """That person now, with ids of its own."""
        return replace(self.inner.at(person), new_id=self._ids(person))

    def _ids(self, person: str) -> Callable[[str], str]:
        def made(prefix: str) -> str:
            self.numbers[person] = self.numbers.get(person, 0) + 1
            return f"{prefix}-{person}-{self.numbers[person]:04d}"

        return made

    def enrol(self, person: str, *, vetted: bool = True, **stated: Any) -> str:
        """Enrol that person's organisation, and have it vetted."""
        sector, serves = OPERATORS[person]
        given = Stated(
            f"The {person}",
            (sector,),
            serves,
            Exposure.UNKNOWN,
            2,
            "Ask the IT on call.",
            Mode.HOSTED,
        )
        made = operators.enrol(
            self.at(person),
            replace(given, **stated),
            tuple(notices.sectors()),
        )
        self.operator[person] = made.id
        if vetted:
            operators.vet(self.at("screener"), made.id, "spoke to its head of IT")
        return made.id

    def give(self, person: str, *purls: str) -> operators.Given:
        """Give an inventory a minute later."""
        self.after(minutes=1)
        return operators.give(self.at(person), bom(*purls), "inventory.cdx.json")

    def open(self) -> str:
        """A case of the owner `maintainer`, one hour later."""
        self.after(hours=1)
        self.case = self.inner.open()
        new = NewParty(Role.OWNER, "the owner", person="maintainer")
        self.owner = cases.add_party(self.at("screener"), self.case, new)
        return self.case

    def ready(self, days: float) -> None:
        """The owner has a fix, and everybody agrees on a day of publication."""
        for report in (Report.RECEIVED, Report.VALID, Report.ACCEPTED):
            cases.state(self.at("maintainer"), self.case, self.owner, Status(report=report))
        cases.state(self.at("maintainer"), self.case, self.owner, Status(fix=FixState.READY))
        until = self.now + timedelta(days=days)
        stands = cases.propose(self.at("screener"), self.case, until)
        assert stands.terms.proposal is not None
        for one in stands.terms.proposal.asked:
            person = stands.participants[one].person
            if person != "screener":
                cases.answer(self.at(person), self.case, Answer.ACCEPT)

    def publish(self) -> None:
        """The case becomes public now."""
        cases.move(self.at("screener"), self.case, Moved(Move.PUBLIC, evidence="e" * 64))

    def release(
        self, stage: Stage, advisory: Advisory | None = None, words: Words | None = None
    ) -> tuple[Delivery, ...]:
        """The screener releases notices."""
        return notices.release(self.at("screener"), self.case, advisory or ujson(), stage, words)
