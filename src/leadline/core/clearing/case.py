"""A case: the coordination of one vulnerability, computed from its acts and from nothing else.

Three machines run side by side, after Vultron: report management for each participant, the embargo for
the case, and what is known where (vendor aware, fix ready, fix deployed for each vendor; public aware,
exploit public, attacks seen for the case). Upheld here, whatever acts there are:

- a fix that is ready implies an aware vendor, a deployed one a fix that is ready;
- a public exploit implies that the flaw is public;
- no embargo is active once the flaw or an exploit is public, nor during attacks, except for the
  mitigation alone and with everybody's consent; of several terms the shortest governs;
- no answer is a value of its own and never reads as not affected, which needs a justification.

Source: Householder, Vultron: a protocol for coordinated vulnerability disclosure (CMU/SEI-2022-SR-012).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from leadline.core.clearing.case_words import (
    Affected,
    Answer,
    Clock,
    Embargo,
    End,
    FixState,
    Move,
    Report,
    Role,
    Running,
    Stage,
)
from leadline.core.clearing.disclosure import (
    ENDS_SECRECY,
    VENDORS,
    Disclosure,
    Due,
    Facts,
    check_known,
    due_of,
    moment_in,
    read,
    text,
)
from leadline.core.errors import NotFound
from leadline.core.record.act import Act, Kind, Value

__all__ = [
    "FOLLOWS",
    "JUSTIFICATIONS",
    "Affected",
    "Answer",
    "Credit",
    "Embargo",
    "FixState",
    "Participant",
    "Proposal",
    "Report",
    "Stage",
    "Standing",
    "Terms",
    "in_log_order",
    "standing",
    "texts",
]

BY_LINK = "link/"  # before a party's id: whoever shows the link of a party; no account is called so
# Which states of a report follow which; a state may always be said again.
FOLLOWS: Mapping[Report, frozenset[Report]] = {
    Report.START: frozenset({Report.RECEIVED}),
    Report.RECEIVED: frozenset({Report.INVALID, Report.VALID}),
    Report.INVALID: frozenset({Report.VALID, Report.CLOSED}),
    Report.VALID: frozenset({Report.DEFERRED, Report.ACCEPTED}),
    Report.DEFERRED: frozenset({Report.ACCEPTED, Report.CLOSED}),
    Report.ACCEPTED: frozenset({Report.DEFERRED, Report.CLOSED}),
    Report.CLOSED: frozenset(),
}


# The words of the acts; asked about for every act of every case, so made once.
_ROLES, _REPORTS, _FIXSTATES = frozenset(Role), frozenset(Report), frozenset(FixState)
_AFFECTEDS, _ANSWERS = frozenset(Affected), frozenset(Answer)

# OpenVEX 0.2.0 and CSAF 2.0 (3.2.3.5) spell the same five.
JUSTIFICATIONS = (
    "component_not_present",
    "vulnerable_code_not_present",
    "vulnerable_code_not_in_execute_path",
    "vulnerable_code_cannot_be_controlled_by_adversary",
    "inline_mitigations_already_exist",
)


@dataclass(frozen=True, slots=True)
class Participant:
    """One party of a case. *person* is its account here, if it has one; *project* its contract's id.

    *need* says that it was recorded why this party needs the content before a date is agreed.
    """

    id: str
    role: Role
    person: str
    project: str
    added: datetime
    need: bool = False
    told: datetime | None = None
    answered: datetime | None = None
    report: Report = Report.START
    fix: FixState = FixState.NONE
    affected: Affected = Affected.UNSAID
    justification: str = ""
    removed: datetime | None = None

    @property
    def vendor(self) -> bool:
        """Whether it makes or ships something of its own."""
        return self.role in VENDORS

    @property
    def aware(self) -> bool:
        """Whether the vendor knows (Vultron V)."""
        return self.vendor and (self.report is not Report.START or self.fix is not FixState.NONE)

    @property
    def word(self) -> str:
        """Its state in one word; no answer is a word of its own."""
        if self.removed is not None:
            return "removed"
        if self.answered is None:
            return "not told" if self.told is None else "no answer"
        return self.report.value


@dataclass(frozen=True, slots=True)
class Proposal:
    """A date for the embargo: who was asked, and who said what. *reason* is due for a change."""

    id: str
    by: str
    at: datetime
    until: datetime
    asked: tuple[str, ...]
    reason: str = ""
    answers: Mapping[str, tuple[Answer, datetime]] = field(default_factory=dict)

    @property
    def accepted(self) -> bool:
        """Whether everybody who was asked accepts."""
        return all(self._said(party) is Answer.ACCEPT for party in self.asked)

    @property
    def declined(self) -> tuple[str, ...]:
        """Who said no."""
        return tuple(party for party in self.asked if self._said(party) is Answer.DECLINE)

    @property
    def shortest(self) -> datetime:
        """The earliest date that anybody who accepts gave."""
        given = [until for answer, until in self.answers.values() if answer is Answer.ACCEPT]
        return min([self.until, *given])

    def _said(self, party: str) -> Answer | None:
        found = self.answers.get(party)
        return found[0] if found else None


@dataclass(frozen=True, slots=True)
class Terms:
    """The embargo as acts have it; *began* and *until* are None while none was agreed."""

    state: Embargo = Embargo.NONE
    began: datetime | None = None
    until: datetime | None = None
    parties: tuple[str, ...] = ()
    proposal: Proposal | None = None
    ended: datetime | None = None
    cause: str = ""
    mitigation_only: bool = False


@dataclass(frozen=True, slots=True)
class Credit:
    """Whom a coordinator decided to name, and the digest of the name as it was given."""

    party: str
    shared: bool
    name_sha256: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """One case as its acts have it. *participants* includes those that were removed.

    *public_at* is from when nothing keeps it secret any more; None while no clock of that kind runs.
    The earliest of: publication, the end of the embargo, the agreed date, and what the disclosure
    policy gives. Of a case whose disclosure policy has no embargo, the moment at which it was chosen.
    """

    id: str
    opened_at: datetime
    policy: str
    policies: Mapping[str, Disclosure]
    participants: Mapping[str, Participant]
    findings: tuple[str, ...]
    terms: Terms
    credits: tuple[Credit, ...]
    closed_at: datetime | None
    acts: tuple[Act, ...]
    facts: Facts
    public_at: datetime | None = None

    @property
    def disclosure(self) -> Disclosure:
        """The disclosure policy that governs now."""
        return self.policies[self.facts.chosen[-1][1]]

    @property
    def present(self) -> tuple[Participant, ...]:
        """The parties that were not removed, in the order in which they were added."""
        return tuple(one for one in self.participants.values() if one.removed is None)

    @property
    def public(self) -> datetime | None:
        """Since when the flaw is public (Vultron P); None if it is not."""
        return self.facts.public.at if self.facts.public else None

    @property
    def exploit_public(self) -> datetime | None:
        """Since when an exploit is public (Vultron X)."""
        found = self.facts.firsts.get(Move.EXPLOIT)
        return found.at if found else None

    @property
    def attacks(self) -> datetime | None:
        """Since when attacks are known (Vultron A)."""
        found = self.facts.firsts.get(Move.ATTACKS)
        return found.at if found else None

    def clocks(self, now: datetime) -> tuple[Due, ...]:
        """Every clock that runs or ran, and the agreed date, if there is one."""
        return (*due_of(self.facts, self.policies, now), *self._agreed(now))

    def _agreed(self, now: datetime) -> tuple[Due, ...]:
        """The agreed date as a clock; an embargo that ended met it."""
        began, until = self.terms.began, self.terms.until
        if began is None or until is None:
            return ()
        over = [at for at in (self.public, self.terms.ended) if at is not None]
        state = Running.FELL_DUE if now >= until else Running.RUNNING
        met = min(over, default=None)
        act = next(one.id for one in self.acts if one.kind is Kind.EMBARGO_BEGUN)
        return (Due(Clock.AGREED, "", began, until, Running.MET if met else state, act, met=met),)

    def _public_at(self) -> datetime | None:
        if not self.disclosure.embargo:
            return self.facts.chosen[-1][0]
        over = [at for at in (self.public, self.terms.ended) if at is not None]
        known = self.facts.firsts.get(Move.ATTACKS)
        if known and End.EXPLOITED in self.disclosure.ends_on and not self.terms.mitigation_only:
            over.append(known.recorded)
        held = due_of(self.facts, self.policies, self.opened_at, ENDS_SECRECY)
        ends = [one.at for one in (*held, *self._agreed(self.opened_at))]
        return min([*over, *(at for at in ends if at is not None)], default=None)

    def embargoed(self, now: datetime) -> bool:
        """Whether what the case is about is secret at this moment."""
        until = self.public_at
        return until is None or now < until

    def embargo(self, now: datetime) -> Embargo:
        """The embargo's state; an agreed one whose date came, or which a clock overtook, is over."""
        agreed = self.terms.state in {Embargo.ACTIVE, Embargo.REVISE}
        return Embargo.EXITED if agreed and not self.embargoed(now) else self.terms.state

    def silent(self, now: datetime) -> tuple[str, ...]:
        """Vendors that were told and did not answer within the disclosure policy's days."""
        return silent_by(self.clocks(now))

    def stage(self, now: datetime) -> Stage:
        """How far it is, for the table of what each reader sees."""
        if not self.disclosure.embargo or {Move.EXPLOIT, Move.DETAILS} & set(self.facts.firsts):
            return Stage.DETAILED
        if self.public is not None:
            details = [one.at for one in self.clocks(now) if one.clock is Clock.DETAILS]
            due = any(at is not None and now >= at for at in details)
            return Stage.DETAILED if due else Stage.PUBLISHED
        owners = [one for one in self.present if one.role is Role.OWNER]
        ready = bool(owners) and all(one.fix is not FixState.NONE for one in owners)
        if (ready or self.facts.fix is not None) and self.embargo(now) is Embargo.ACTIVE:
            return Stage.DATE_AGREED
        working = any(
            one.report is Report.ACCEPTED or one.fix is not FixState.NONE for one in owners
        )
        return Stage.FIX_IN_WORK if working or self.facts.fix else Stage.CONFIRMED

    def participant(self, party: str) -> Participant:
        """One party that was not removed.

        Raises: NotFound.
        """
        found = self.participants.get(party)
        if found is None or found.removed is not None:
            raise NotFound(f"no party {party:.80} in {self.id}; see `leadline case show`")
        return found

    def of_person(self, person: str) -> tuple[Participant, ...]:
        """The parties that this account stands for; one without an account is spoken for by its link."""
        return tuple(
            one for one in self.present if person and (one.person or BY_LINK + one.id) == person
        )

    def count(self, move: Move) -> int:
        """How often the case was moved by it."""
        return sum(act.kind is Kind.CASE_MOVED and text(act, "move") == move for act in self.acts)


def silent_by(clocks: Iterable[Due]) -> tuple[str, ...]:
    """Whose time to answer is over, by clocks that were read already."""
    return tuple(
        one.party for one in clocks if one.clock is Clock.SILENCE and one.state is Running.FELL_DUE
    )


def standing(acts: Sequence[Act], policies: Mapping[str, Disclosure]) -> Standing:
    """What the acts of one case, in the order of the log, amount to. *policies* are by digest.

    Raises: NotFound, if none of them opened it; Invalid, if its disclosure policy is not there.
    """
    first = next((act for act in acts if act.kind is Kind.CASE_OPENED), None)
    if first is None:
        raise NotFound("there is no such case")
    fold = _Fold()
    for act in acts:
        step = _STEPS.get(act.kind)
        if step is not None:
            step(fold, act)
    facts = read(acts)
    made = Standing(
        id=first.about,
        opened_at=first.at,
        policy="",
        policies=policies,
        participants=fold.participants,
        findings=tuple(dict.fromkeys(fold.findings)),
        terms=fold.terms,
        credits=tuple(fold.credits),
        closed_at=fold.closed,
        acts=tuple(acts),
        facts=facts,
    )
    check_known(facts, policies)
    return replace(made, policy=made.disclosure.id, public_at=made._public_at())  # noqa: SLF001 -- its own


def texts(value: Value) -> tuple[str, ...]:
    """The texts of a list in an act's detail."""
    return tuple(str(one) for one in value) if isinstance(value, tuple) else ()


@dataclass(slots=True)
class _Fold:
    participants: dict[str, Participant] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)
    credits: list[Credit] = field(default_factory=list)
    terms: Terms = field(default_factory=Terms)
    closed: datetime | None = None
    over: bool = False  # public, an exploit public, or attacks: no embargo begins any more


def _findings(fold: _Fold, act: Act) -> None:
    fold.findings.extend(texts(act.detail.get("findings", ())))


def _added(fold: _Fold, act: Act) -> None:
    party, role = text(act, "party"), text(act, "role")
    if not party or role not in _ROLES:
        return
    person, project, need = (
        text(act, "person"),
        text(act, "project"),
        act.detail.get("need") is True,
    )
    held = fold.participants.get(party)
    fold.participants[party] = (
        replace(held, role=Role(role), person=person, project=project, need=need, removed=None)
        if held
        else Participant(party, Role(role), person, project, act.at, need)
    )


def _removed(fold: _Fold, act: Act) -> None:
    held = fold.participants.get(text(act, "party"))
    if held is not None:
        fold.participants[held.id] = replace(held, removed=act.at)


def _told(fold: _Fold, act: Act) -> None:
    held = fold.participants.get(text(act, "party"))
    if held is not None and held.told is None:
        fold.participants[held.id] = replace(held, told=moment_in(act, "sent") or act.at)


def _stated(fold: _Fold, act: Act) -> None:
    held = fold.participants.get(text(act, "party"))
    if held is None:
        return
    report, fix, affected = (text(act, name) for name in ("report", "fix", "affected"))
    # Whoever states anything has received the report, and a vendor with a fix is aware.
    reached = Report.RECEIVED if held.report is Report.START else held.report
    why = text(act, "justification")
    said = Affected(affected) if affected in _AFFECTEDS else held.affected
    if said is Affected.NOT_AFFECTED and why not in JUSTIFICATIONS:
        said = Affected.CLAIMED
    fold.participants[held.id] = replace(
        held,
        told=held.told or act.at,
        answered=held.answered or act.at,
        report=Report(report) if report in _REPORTS else reached,
        fix=FixState(fix) if fix in _FIXSTATES else held.fix,
        affected=said,
        justification=why if said is Affected.NOT_AFFECTED else "",
    )


def _proposed(fold: _Fold, act: Act) -> None:
    until = moment_in(act, "until")
    if until is None or fold.over or fold.terms.state is Embargo.EXITED:
        return
    by = text(act, "party")
    made = Proposal(
        text(act, "proposal"),
        by,
        act.at,
        until,
        texts(act.detail.get("asked", ())),
        text(act, "reason"),
        {by: (Answer.ACCEPT, until)},
    )
    agreed = fold.terms.state in {Embargo.ACTIVE, Embargo.REVISE}
    state = Embargo.REVISE if agreed else Embargo.PROPOSED
    fold.terms = replace(fold.terms, state=state, proposal=made)


def _answered(fold: _Fold, act: Act) -> None:
    held, word = fold.terms.proposal, text(act, "answer")
    if held is None or held.id != text(act, "proposal") or word not in _ANSWERS:
        return
    said = (Answer(word), moment_in(act, "until") or held.until)
    made = replace(held, answers={**held.answers, text(act, "party"): said})
    fold.terms = replace(fold.terms, proposal=made)
    if made.declined:
        agreed = fold.terms.state is Embargo.REVISE
        state = Embargo.ACTIVE if agreed else Embargo.NONE
        fold.terms = replace(fold.terms, state=state, proposal=None)


def _begun(fold: _Fold, act: Act) -> None:
    until = moment_in(act, "until")
    if until is None or fold.over or fold.terms.state is Embargo.EXITED:
        return
    fold.terms = replace(
        fold.terms,
        state=Embargo.ACTIVE,
        began=fold.terms.began or act.at,
        until=until,
        parties=texts(act.detail.get("parties", ())) or fold.terms.parties,
        proposal=None,
    )


def _ended(fold: _Fold, act: Act) -> None:
    _exit(fold, act.at, text(act, "cause"))


def _exit(fold: _Fold, at: datetime, cause: str) -> None:
    if fold.terms.state is not Embargo.EXITED:
        fold.terms = replace(fold.terms, state=Embargo.EXITED, ended=at, cause=cause, proposal=None)


def _moved(fold: _Fold, act: Act) -> None:
    word = text(act, "move")
    if word not in {Move.PUBLIC, Move.ELSEWHERE, Move.PUBLIC_FIX, Move.EXPLOIT, Move.ATTACKS}:
        return
    fold.over = True
    running = fold.terms.state in {Embargo.ACTIVE, Embargo.REVISE}
    if word == Move.ATTACKS and running and act.detail.get("mitigation_only") is True:
        fold.terms = replace(fold.terms, state=Embargo.ACTIVE, proposal=None, mitigation_only=True)
    elif fold.terms.state is not Embargo.NONE:
        _exit(fold, act.at, word)


def _published(fold: _Fold, act: Act) -> None:
    fold.over = True
    if fold.terms.state is not Embargo.NONE:
        _exit(fold, act.at, Move.PUBLIC)


def _credited(fold: _Fold, act: Act) -> None:
    party, shared = text(act, "party"), act.detail.get("shared") is True
    if all(one.party != party for one in fold.credits):
        fold.credits.append(Credit(party, shared, text(act, "name"), act.at))


def _closed(fold: _Fold, act: Act) -> None:
    fold.closed = fold.closed or act.at


_STEPS = {
    Kind.CASE_OPENED: _findings,
    Kind.CASE_JOINED: _findings,
    Kind.PARTICIPANT_ADDED: _added,
    Kind.PARTICIPANT_REMOVED: _removed,
    Kind.DRAFT_SENT: _told,
    Kind.STATUS_STATED: _stated,
    Kind.EMBARGO_PROPOSED: _proposed,
    Kind.EMBARGO_ANSWERED: _answered,
    Kind.EMBARGO_BEGUN: _begun,
    Kind.EMBARGO_REVISED: _begun,
    Kind.EMBARGO_ENDED: _ended,
    Kind.CASE_MOVED: _moved,
    Kind.ADVISORY_PUBLISHED: _published,
    Kind.CREDIT_DECIDED: _credited,
    Kind.CASE_CLOSED: _closed,
}


def in_log_order(acts: Iterable[tuple[int, Act]]) -> tuple[Act, ...]:
    """Acts by their place in the log, each once."""
    return tuple(act for _, act in sorted(dict(acts).items()))
