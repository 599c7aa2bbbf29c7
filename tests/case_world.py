"""Cases in an installation in memory: findings at intake, and people as their grants have them."""

from dataclasses import dataclass, field, replace
from datetime import datetime

import make
from clearing_world import INTAKE, clearing_world
from desk_world import DeskWorld
from leadline.app import cases, people
from leadline.app.cases import NewParty
from leadline.app.context import Context
from leadline.app.ports import Store
from leadline.core.access import Bounds
from leadline.core.clearing.case_words import Role
from leadline.core.clearing.finding import Evidence, Finding, Location, ReplayResult, Severity
from leadline.core.marking import Marking, Tlp

CANARY = "canary"  # stands in every field that an embargo covers


@dataclass
class CaseWorld:
    """Two findings of two finders at intake, replayed; everybody acts with what stands of its grants."""

    world: DeskWorld = field(default_factory=clearing_world)
    findings: list[str] = field(default_factory=list)
    parties: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for person, org in (("upstreamer", "an-upstream"), ("stranger", "a-stranger")):
            self.world.enrol(make.principal("maintainer", id_=person, org=org, engagements=()))
        for number, owner in enumerate(("finder", "other-finder")):
            self.findings.append(self.finding(number, owner))

    def finding(self, number: int, owner: str, *, replayed: bool = True) -> str:
        """A finding at intake, as its submission leaves it; answers its id."""
        made = Finding(
            "ai",
            f"canary-model-{number}",
            "planted",
            f"canary-item-{number}",
            "run-1",
            "family",
            f"canary-title-{number}",
            f"pkg:generic/canary-package-{number}@1.0",
            "d" * 64,
            f"{number:064x}",
            f"canary-observation-{number}",
            self.world.now,
            f"CWE-{9100 + number}",
            severity=Severity.HIGH,
            locations=(Location(f"canary-file-{number}.c", f"canary-function-{number}"),),
            evidence=Evidence(oracle=f"canary-oracle-{number}"),
        )
        marking, bounds = Marking(Tlp.RED), Bounds(case=INTAKE, owner=owner)
        with self.world.store.write() as tx:
            tx.put(made.id, made, marking=marking, bounds=bounds)
            if replayed:
                result = ReplayResult(made.id, (True,) * 5, (), "a" * 64)
                tx.put(f"{made.id}/replay", result, marking=marking, bounds=bounds)
        return made.id

    @property
    def now(self) -> datetime:
        """The moment."""
        return self.world.now

    @property
    def store(self) -> Store:
        """The store."""
        return self.world.store

    def at(self, person: str) -> Context:
        """As `DeskWorld.at`, with what stands of the person's grants."""
        ctx = self.world.at(person)
        with self.store.read() as view:
            return replace(ctx, principal=people.present(view, ctx.principal, ctx.now))

    def open(self, number: int = 0, policy: str = "leadline-default") -> str:
        """A case of one finding, opened by the screener."""
        return cases.open_case(
            self.at("screener"), [self.findings[number]], title="canary-case", policy=policy
        )

    def add(self, case: str, person: str, role: Role, *, need: str = "", project: str = "") -> str:
        """A person takes part; answers the party's id."""
        new = NewParty(
            role,
            f"canary-name-{person}",
            f"{person}@canary.example",
            (f"pkg:generic/canary-product-{person}@1",),
            person,
            project,
            need,
        )
        self.parties[person] = cases.add_party(self.at("screener"), case, new)
        return self.parties[person]

    def peopled(self, policy: str = "leadline-default") -> str:
        """A case with everybody in it."""
        case = self.open(policy=policy)
        self.add(case, "maintainer", Role.OWNER)
        self.add(case, "upstreamer", Role.UPSTREAM)
        self.add(case, "downstream", Role.DOWNSTREAM)
        found = cases.standing(self.at("screener"), case).present
        self.parties |= {one.person: one.id for one in found}
        return case
