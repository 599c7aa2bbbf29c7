"""What became of a notice: no answer, acknowledged, acting, applied, proved; computed from acts alone.

No answer is a state of its own, never *not applicable*. *Applied* is the operator's word; *verified* is
what an inventory, an artefact's digest or a check's output shows. A later proof that shows the flaw again
is flagged and undoes nothing of the record.
Source: clearinghouse reference, section 8.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from leadline.core.clearing.advisory import Advisory, Flaw, Statement
from leadline.core.clearing.match import Status, match, read
from leadline.core.clearing.product import Inventory
from leadline.core.record.act import Act, Kind


class Answer(StrEnum):
    """What an operator can say."""

    ACKNOWLEDGED = "acknowledged"
    ACTING = "acting"
    APPLIED = "applied"
    NOT_APPLICABLE = "not-applicable"


class State(StrEnum):
    """Where a notice stands. *reverted*: it was proved once, and a later proof shows the flaw again."""

    NO_ANSWER = "no-answer"
    ACKNOWLEDGED = "acknowledged"
    ACTING = "acting"
    NOT_APPLICABLE = "not-applicable"
    APPLIED = "applied"
    VERIFIED = "verified-applied"
    REVERTED = "reverted"


class Proof(StrEnum):
    """How a remedy is shown."""

    INVENTORY = "inventory"
    ARTEFACT = "artefact"
    CHECK = "check"


class Shown(StrEnum):
    """What a proof came to."""

    FIXED = "fixed"
    AFFECTED = "affected"
    UNKNOWN = "unknown"


DONE = frozenset({State.APPLIED, State.VERIFIED})
# The acts by which a notice comes to another state; that it was opened, or corrected, counts nobody otherwise.
COUNTED = frozenset({Kind.NOTICE_SENT, Kind.NOTICE_ANSWERED, Kind.REMEDY_PROVED})
_SAID = {
    Answer.ACKNOWLEDGED.value: State.ACKNOWLEDGED,
    Answer.ACTING.value: State.ACTING,
    Answer.APPLIED.value: State.APPLIED,
    Answer.NOT_APPLICABLE.value: State.NOT_APPLICABLE,
}


@dataclass(frozen=True, slots=True)
class Receipt:
    """One notice by its acts. *opened* and *changed* are None as long as nothing of the kind happened."""

    notice: str
    case: str
    operator: str
    stage: str
    tier: str
    sent: datetime
    opened: datetime | None = None
    state: State = State.NO_ANSWER
    changed: datetime | None = None


def receipts(acts: Sequence[Act]) -> Mapping[str, Receipt]:
    """The receipts of all notices that *acts* tell of being sent, by id, in the order of sending."""
    found = dict[str, Receipt]()
    for act in acts:
        if act.kind is Kind.NOTICE_SENT:
            case, operator, stage, tier = (
                str(act.detail.get(name, "")) for name in ("case", "operator", "stage", "tier")
            )
            found[act.about] = Receipt(act.about, case, operator, stage, tier, act.at)
        elif act.about in found:
            found[act.about] = after(found[act.about], act)
    return found


def after(one: Receipt, act: Act) -> Receipt:
    """The receipt once *act* happened, which is about its notice."""
    state, opened = one.state, one.opened
    if act.kind is Kind.NOTICE_OPENED:
        opened = opened or act.at
    elif act.kind is Kind.NOTICE_ANSWERED:
        said = _SAID[str(act.detail["answer"])]
        # A word does not undo a proof, and repeating "applied" adds nothing to one.
        state = one.state if one.state is State.VERIFIED and said is State.APPLIED else said
    elif act.kind is Kind.REMEDY_PROVED:
        state = _proved(one.state, str(act.detail["shown"]))
    changed = act.at if state is not one.state else one.changed
    return Receipt(
        one.notice, one.case, one.operator, one.stage, one.tier, one.sent, opened, state, changed
    )


def _proved(state: State, shown: str) -> State:
    if shown == Shown.FIXED:
        return State.VERIFIED
    if shown == Shown.AFFECTED and state in DONE:
        return State.REVERTED
    return state


def by_inventory(
    told: Sequence[Statement], inventory: Inventory, assets: Collection[str]
) -> tuple[Shown, str]:
    """Whether *inventory* shows that what a notice named is repaired, and why.

    Every component counts that is affected; one that nothing can be said of counts where it is of a
    package that the notice names, or stands where the notice named one (*assets*). What is gone is
    repaired; a list of nothing shows nothing.
    """
    if not inventory.components:
        return Shown.UNKNOWN, "the inventory lists no component"
    matching = match(inventory, [_told(told)])
    found = {one.asset: one for one in matching.matches}
    packages = {statement.package for statement in told}
    open_, why = "", "none of your components has a release that is affected"
    for component in inventory.components:
        one = found.get(component.ref)
        if one is None:
            continue
        if one.status is Status.AFFECTED:
            return Shown.AFFECTED, f"{component.label}: {one.why}"
        named = component.package in packages or component.ref in assets
        if one.status is Status.UNKNOWN and named and not open_:
            open_ = f"{component.label}: {one.why}"
    return (Shown.UNKNOWN, open_) if open_ else (Shown.FIXED, why)


def _told(statements: Sequence[Statement]) -> Advisory:
    flaw = Flaw(ids=(), title="", description="", statements=tuple(statements))
    return Advisory(id="told", title="", flaws=(flaw,), revisions=())


def by_version(statement: Statement, version: str) -> tuple[Shown, str]:
    """Whether one release is repaired, and why."""
    reading = read(statement, version)
    if reading.status is Status.AFFECTED:
        return Shown.AFFECTED, reading.why
    repaired = reading.status in {Status.FIXED, Status.NOT_AFFECTED}
    return (Shown.FIXED if repaired else Shown.UNKNOWN), reading.why


def by_check(told: Sequence[Statement], output: str) -> tuple[Shown, str]:
    """Whether the output of the check that a notice names shows a repaired release.

    Only a line ``Version: X`` is read; what a check says beyond it is kept, and not understood.
    """
    versions = [
        line.partition(":")[2].strip()
        for line in output.splitlines()
        if line.partition(":")[0].strip().casefold() == "version"
    ]
    packages = {statement.package for statement in told}
    if len(versions) != 1 or len(packages) != 1:
        return Shown.UNKNOWN, "one line `Version: X` about one package is read; give an inventory"
    shown = [by_version(statement, versions[0]) for statement in told]
    for word in (Shown.AFFECTED, Shown.UNKNOWN):
        for found, why in shown:
            if found is word:
                return found, why
    return shown[0]


@dataclass(frozen=True, slots=True)
class Point:
    """How many operators stand where at one moment; the counts of *states* add up to all told."""

    at: datetime
    states: Mapping[State, int]

    @property
    def told(self) -> int:
        """How many were told."""
        return sum(self.states.values())

    @property
    def applied(self) -> int:
        """How many applied the remedy, proved or not: the number that matters."""
        return sum(count for state, count in self.states.items() if state in DONE)


def burn_down(acts: Sequence[Act]) -> tuple[Point, ...]:
    """What operators did about one case, one point for each moment at which something changed.

    An operator that was told at several stages counts once, by what it did last.
    """
    stands = dict[str, dict[str, Receipt]]()  # by operator, by notice
    operator_of = dict[str, str]()
    counts, states = dict.fromkeys(State, 0), dict[str, State]()
    points = list[tuple[datetime, tuple[int, ...]]]()
    for act in acts:
        if act.kind is Kind.NOTICE_SENT:
            one = receipts([act])[act.about]
            operator_of[act.about] = one.operator
        elif act.about in operator_of and act.kind in COUNTED:
            one = after(stands[operator_of[act.about]][act.about], act)
        else:
            continue
        stands.setdefault(one.operator, {})[one.notice] = one
        if one.operator in states:
            counts[states[one.operator]] -= 1
        states[one.operator] = best(tuple(stands[one.operator].values())).state
        counts[states[one.operator]] += 1
        if points and points[-1][0] == act.at:
            points.pop()
        points.append((act.at, tuple(counts.values())))
    names = tuple(State)
    return tuple(Point(at, dict(zip(names, told, strict=True))) for at, told in points)


@dataclass(frozen=True, slots=True)
class Batch:
    """The notices of one tier that were sent at one moment: how many stand where."""

    sent: datetime
    stage: str
    tier: str
    states: Mapping[State, int]

    @property
    def told(self) -> int:
        """How many were sent."""
        return sum(self.states.values())


def batches(acts: Sequence[Act]) -> tuple[Batch, ...]:
    """All notices that *acts* tell of, by moment, stage and tier, in the order of sending."""
    found = dict[tuple[datetime, str, str], dict[State, int]]()
    for one in receipts(acts).values():
        states = found.setdefault((one.sent, one.stage, one.tier), dict.fromkeys(State, 0))
        states[one.state] += 1
    return tuple(Batch(*which, states) for which, states in found.items())


def best(found: Sequence[Receipt]) -> Receipt:
    """Of the notices of one operator the one that says most: changed last, else sent last."""
    return max(found, key=lambda one: (one.changed is not None, one.changed or one.sent))
