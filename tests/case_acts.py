"""Cases made of acts alone, for tests of what is computed from them: no store, no rules, a clock by hand."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import make
from leadline.app.cases import shipped
from leadline.core.clearing import coordination
from leadline.core.clearing.case import Standing, standing
from leadline.core.clearing.case_words import Answer, Move, Role
from leadline.core.clearing.coordination import Moved, Stated
from leadline.core.clearing.disclosure import Disclosure
from leadline.core.record.act import Act, Kind, Value, instant

CASE = "case-0001"
EVIDENCE = "e" * 64
FINDING = "f" * 64
POLICIES = {one.digest: one for one in shipped().values()}


@dataclass
class Acted:
    """One case; each method decides as the product does and writes the act that follows."""

    policy: str = "leadline-default"
    now: datetime = make.NOW
    acts: list[Act] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.act(Kind.CASE_OPENED, findings=(FINDING,))
        held = shipped()[self.policy]
        self.act(Kind.DISCLOSURE_CHOSEN, disclosure=held.id, digest=held.digest)
        self.add("coordinator", Role.COORDINATOR)

    def act(self, kind: Kind, **detail: Value) -> Act:
        """Write any act."""
        made = Act(f"act-{len(self.acts):04d}", kind, self.now, "person", CASE, "", detail)
        self.acts.append(made)
        return made

    def later(self, **much: float) -> "Acted":
        """Let time go on."""
        self.now += timedelta(**much)
        return self

    @property
    def stands(self) -> Standing:
        """What the acts amount to."""
        return standing(self.acts, POLICIES)

    def add(self, party: str, role: Role, **more: Value) -> str:
        """A party takes part."""
        self.act(Kind.PARTICIPANT_ADDED, party=party, role=role.value, **more)
        return party

    def remove(self, party: str) -> None:
        """A party leaves."""
        self.act(Kind.PARTICIPANT_REMOVED, **coordination.removed(self.stands, party, "asked to"))

    def send(self, party: str, ago: float = 0) -> None:
        """A person sent a message to a party, some hours ago."""
        sent = instant(self.now - timedelta(hours=ago))
        self.act(Kind.DRAFT_SENT, party=party, draft="draft-1", sent=sent)

    def state(self, party: str, said: Stated) -> None:
        """A party states."""
        self.act(Kind.STATUS_STATED, **coordination.stated(self.stands, party, said))

    def propose(
        self, by: str, days: float, asked: tuple[str, ...] = (), reason: str = "a reason"
    ) -> None:
        """A party proposes a date."""
        until = self.now + timedelta(days=days)
        detail = coordination.proposed(self.stands, by, until, asked, reason, self.now)
        self.act(Kind.EMBARGO_PROPOSED, proposal=f"proposal-{len(self.acts)}", **detail)

    def answer(self, party: str, said: Answer, days: float | None = None) -> None:
        """A party answers; what everybody accepts begins."""
        until = None if days is None else self.now + timedelta(days=days)
        detail = coordination.answered(self.stands, party, said, until, self.now)
        self.act(Kind.EMBARGO_ANSWERED, **detail)
        agreed = coordination.agreed(self.stands)
        if agreed is not None:
            again = self.stands.terms.began is not None
            self.act(Kind.EMBARGO_REVISED if again else Kind.EMBARGO_BEGUN, **agreed)

    def end(self, agrees: tuple[str, ...]) -> None:
        """Everybody agrees that it ends."""
        self.act(Kind.EMBARGO_ENDED, **coordination.ended(self.stands, agrees))

    def move(self, asked: Moved | Move, **more: Value) -> None:
        """The case moves; an embargo that this ends says so."""
        wanted = Moved(asked, EVIDENCE) if isinstance(asked, Move) else asked
        before = self.stands.terms.ended
        self.act(Kind.CASE_MOVED, **coordination.moved(self.stands, wanted, self.now), **more)
        if before is None and self.stands.terms.ended is not None:
            self.act(Kind.EMBARGO_ENDED, cause=wanted.move.value)

    def choose(self, policy: str | Disclosure) -> None:
        """Another disclosure policy governs."""
        held = shipped()[policy] if isinstance(policy, str) else policy
        detail = coordination.chosen(self.stands, held, "agreed", self.now)
        self.act(Kind.DISCLOSURE_CHOSEN, **detail)

    def credit(self, party: str) -> None:
        """A finder is credited."""
        detail = coordination.credited(self.stands, party, shared=False)
        self.act(Kind.CREDIT_DECIDED, name="a" * 64, **detail)

    def close(self) -> None:
        """The case is closed."""
        self.act(Kind.CASE_CLOSED, **coordination.closed(self.stands, "done", self.now))

    def contract(self, project: str, *, paused: bool, until: datetime | None = None) -> None:
        """A maintainer's commit changes the project's intake contract."""
        ends = instant(until) if until else None
        made = self.act(Kind.CONTRACT_WRITTEN, paused=paused, paused_until=ends)
        self.acts[-1] = replace(made, about=project)
