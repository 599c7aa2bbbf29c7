"""A9: cases walked at random, by everything that can be asked of one; what must always hold, holds."""

from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from case_acts import EVIDENCE, POLICIES, Acted
from leadline.app.cases import shipped
from leadline.core.clearing.case import JUSTIFICATIONS, Standing, standing
from leadline.core.clearing.case_words import (
    Affected,
    Answer,
    Clock,
    Embargo,
    FixState,
    Move,
    Report,
    Role,
    Running,
)
from leadline.core.clearing.coordination import Moved, Stated
from leadline.core.clearing.disclosure import Due
from leadline.core.errors import Invalid, NotFound, Refused

PARTIES = ("finder", "owner", "second-owner", "upstream", "list")
ROLES = {
    "finder": Role.FINDER,
    "owner": Role.OWNER,
    "second-owner": Role.OWNER,
    "upstream": Role.UPSTREAM,
    "list": Role.DOWNSTREAM,
}
SOMEBODY = st.sampled_from([*PARTIES, "coordinator", "nobody"])
# Which states of the embargo may follow which, in one step (Vultron EM).
FOLLOWS = {
    Embargo.NONE: {Embargo.NONE, Embargo.PROPOSED, Embargo.EXITED},
    Embargo.PROPOSED: {Embargo.PROPOSED, Embargo.NONE, Embargo.ACTIVE, Embargo.EXITED},
    Embargo.ACTIVE: {Embargo.ACTIVE, Embargo.REVISE, Embargo.EXITED},
    Embargo.REVISE: {Embargo.REVISE, Embargo.ACTIVE, Embargo.EXITED},
    Embargo.EXITED: {Embargo.EXITED},
}


class Cases(RuleBasedStateMachine):
    """Everything that people may ask, in any order; a refusal changes nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.case = Acted()
        self.before: Standing | None = None
        self.seen = 0

    @initialize(policy=st.sampled_from(sorted(shipped())), way=st.integers(0, 4))
    def begin(self, policy: str, way: int) -> None:
        """Under any of the disclosure policies, some way along, so that long ways need no luck."""
        self.case = Acted(policy)
        for party in PARTIES if way > 0 else ():
            self.case.add(party, ROLES[party], project=party)
        for party in PARTIES if way > 1 else ():
            self.case.send(party)
        if way > 2:
            self.attempt("state", "owner", Stated(Report.VALID))
        if way > 3:
            self.attempt("propose", "finder", 9)
            self.everybody_accepts()
        self.before, self.seen = self.case.stands, len(self.case.acts)

    def attempt(self, what: str, *given: object, **more: object) -> None:
        """Ask for something; refusals are as good as deeds."""
        size = len(self.case.acts)
        try:
            getattr(self.case, what)(*given, **more)
        except (Refused, Invalid, NotFound):
            assert len(self.case.acts) == size

    @rule(hours=st.sampled_from([1, 24, 24 * 6, 24 * 31]))
    def wait(self, hours: int) -> None:
        """Time goes on."""
        self.case.later(hours=hours)

    @rule(party=st.sampled_from(PARTIES), role=st.sampled_from([None, *Role]))
    def join(self, party: str, role: Role | None) -> None:
        """Somebody takes part, perhaps again, perhaps in another part."""
        self.attempt("add", party, role or ROLES[party], project=party)

    @rule(party=SOMEBODY)
    def leave(self, party: str) -> None:
        """Somebody leaves."""
        self.attempt("remove", party)

    @rule(party=st.sampled_from(PARTIES), ago=st.integers(0, 48))
    def send(self, party: str, ago: int) -> None:
        """A person sent something to somebody who is there."""
        if party in {one.id for one in self.case.stands.present}:
            self.attempt("send", party, ago)

    @rule(
        party=SOMEBODY,
        report=st.sampled_from([None, *Report]),
        fix=st.sampled_from([None, *FixState]),
        affected=st.sampled_from([None, *Affected]),
        why=st.sampled_from(["", "nonsense", *JUSTIFICATIONS]),
    )
    def state(
        self,
        party: str,
        report: Report | None,
        fix: FixState | None,
        affected: Affected | None,
        why: str,
    ) -> None:
        """Somebody says something."""
        self.attempt("state", party, Stated(report, fix, affected, why))

    @rule(by=SOMEBODY, days=st.integers(-3, 120), reason=st.sampled_from(["", "they need it"]))
    def propose(self, by: str, days: int, reason: str) -> None:
        """Somebody proposes a date."""
        self.attempt("propose", by, days, (), reason)

    @rule(party=SOMEBODY, said=st.sampled_from(Answer), days=st.sampled_from([None, 3, 20, 200]))
    def answer(self, party: str, said: Answer, days: int | None) -> None:
        """Somebody answers one."""
        self.attempt("answer", party, said, days)

    @rule()
    def everybody_accepts(self) -> None:
        """Whoever was asked accepts."""
        held = self.case.stands.terms.proposal
        for party in held.asked if held else ():
            self.attempt("answer", party, Answer.ACCEPT)

    @rule(who=st.sets(SOMEBODY))
    def end(self, who: set[str]) -> None:
        """Some agree to end it."""
        self.attempt("end", tuple(who))

    @rule(
        move=st.sampled_from([one for one in Move if one is not Move.EXTENDED]),
        party=st.sampled_from(["", *PARTIES]),
        since=st.sampled_from([None, None, 5, 400]),
        evidence=st.sampled_from([EVIDENCE, EVIDENCE, EVIDENCE, ""]),
        consents=st.booleans(),
    )
    def move(
        self, *, move: Move, party: str, since: int | None, evidence: str, consents: bool
    ) -> None:
        """Something became of it."""
        known = None if since is None else self.case.now - timedelta(hours=since)
        agrees = self.case.stands.terms.parties if consents else ()
        self.attempt("move", Moved(move, evidence, known, "a reason", party, consents=agrees))

    @rule(
        clock=st.sampled_from(Clock),
        party=st.sampled_from(["", *PARTIES]),
        days=st.integers(1, 120),
    )
    def extend(self, clock: Clock, party: str, days: int) -> None:
        """Somebody asks for longer."""
        until = self.case.now + timedelta(days=days)
        asked = Moved(Move.EXTENDED, "", None, "they ask", party, clock, until)
        self.attempt("move", asked)

    @rule(project=st.sampled_from(PARTIES), paused=st.booleans(), days=st.sampled_from([None, 9]))
    def contract(self, *, project: str, paused: bool, days: int | None) -> None:
        """A maintainer pauses or goes on."""
        until = None if days is None else self.case.now + timedelta(days=days)
        self.attempt("contract", project, paused=paused, until=until)

    @rule(policy=st.sampled_from(sorted(shipped())))
    def choose(self, policy: str) -> None:
        """Another disclosure policy."""
        self.attempt("choose", policy)

    @rule(party=SOMEBODY)
    def credit(self, party: str) -> None:
        """Somebody is credited."""
        self.attempt("credit", party)

    @rule()
    def close(self) -> None:
        """It is closed."""
        self.attempt("close")

    @invariant()
    def holds(self) -> None:
        """The invariants of the three machines, and the laws of the clocks, after every step."""
        stands, now = self.case.stands, self.case.now
        knowledge(stands)
        secrecy(stands, self.case)
        dates(stands, self.case)
        if self.before is not None:
            assert stands.credits[: len(self.before.credits)] == self.before.credits
            self.stepwise()
            over = self.before.public is not None
            assert not (over and stands.embargoed(now))
        self.before, self.seen = stands, len(self.case.acts)

    def stepwise(self) -> None:
        """Each act by itself: the embargo's next state is one of Vultron's; no date before the act."""
        for size in range(self.seen, len(self.case.acts)):
            if size == 0:
                continue
            last = self.case.acts[size]
            one = standing(self.case.acts[:size], POLICIES)
            two = standing(self.case.acts[: size + 1], POLICIES)
            assert two.terms.state in FOLLOWS[one.terms.state], last
            old = {(due.clock, due.party): due for due in one.clocks(last.at)}
            for due in two.clocks(last.at):
                law(old.get((due.clock, due.party)), due, last.at)


def law(old: Due | None, due: Due, at: datetime) -> None:
    """No act moves a date to a moment before that act."""
    if due.at is not None and (old is None or old.at != due.at):
        assert due.at >= at, (old, due, at)


def knowledge(stands: Standing) -> None:
    """What is known where: F implies V, D implies F, X implies P; no answer is its own value."""
    for one in stands.participants.values():
        assert one.fix is FixState.NONE or not one.vendor or one.aware
        if one.affected is Affected.NOT_AFFECTED:
            assert one.justification in JUSTIFICATIONS
        if one.answered is None:
            assert one.affected is Affected.UNSAID
            assert one.word in {"no answer", "not told", "removed"}
    assert stands.exploit_public is None or stands.public is not None


def secrecy(stands: Standing, case: Acted) -> None:
    """No embargo beside P, X or A, nor under a text without one; the shortest date governs."""
    state, now = stands.terms.state, case.now
    if state in {Embargo.PROPOSED, Embargo.ACTIVE, Embargo.REVISE}:
        assert stands.public is None
        assert stands.exploit_public is None
        assert stands.attacks is None or stands.terms.mitigation_only
        assert stands.disclosure.embargo
    if stands.public is not None or not stands.disclosure.embargo:
        assert not stands.embargoed(now)
    if stands.embargo(now) in {Embargo.ACTIVE, Embargo.REVISE}:
        assert stands.embargoed(now)
        assert stands.terms.until is not None
        assert stands.public_at is not None
        assert now < stands.public_at <= stands.terms.until


def dates(stands: Standing, case: Acted) -> None:
    """The same acts give the same dates; nothing ends before it starts; a pause spares the exploited."""
    assert standing(tuple(case.acts), POLICIES) == stands
    for one in stands.clocks(case.now):
        assert one.at is None or one.at >= one.started
        assert (one.state is Running.PAUSED) == (one.at is None and one.met is None)
        if one.clock is Clock.EXPLOITED:
            assert one.at is not None
    later = {one: one.at for one in stands.clocks(case.now + timedelta(days=999))}
    assert [one.at for one in stands.clocks(case.now)] == list(later.values())


def walk(steps: int, examples: int) -> None:
    """So many walks of so many steps."""
    run_state_machine_as_test(
        Cases,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_a_sample_of_walks() -> None:
    """Some hundred steps."""
    walk(30, 25)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_a_hundred_thousand_steps() -> None:
    """The whole campaign."""
    walk(100, 1000)
