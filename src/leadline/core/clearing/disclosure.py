"""Disclosure policies, and the clocks that they start: computed from acts, never stored.

A date depends on the acts alone; *now* says only what has become of it. No act moves a date to a moment
before that act, a longer time needs an act with a reason, and a paused project's clocks stand still
until somebody lets them run on, but never the clock of an exploited flaw. A day is 24 hours.
Sources: the texts that each file in ``data/disclosure`` names.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from leadline.core.clearing.case_words import Clock, End, Move, OnFix, Role, Running, Start
from leadline.core.clearing.contract import lane_of
from leadline.core.errors import Invalid
from leadline.core.record.act import Act, Kind

__all__ = [
    "ENDS_SECRECY",
    "OF_PARTIES",
    "PUBLISHING",
    "VENDORS",
    "Clock",
    "Disclosure",
    "Due",
    "End",
    "Facts",
    "Moment",
    "Move",
    "OnFix",
    "Role",
    "Running",
    "Start",
    "Term",
    "due",
    "due_of",
    "moment_in",
    "read",
    "text",
]

VENDORS = frozenset({Role.OWNER, Role.UPSTREAM, Role.DOWNSTREAM})
PUBLISHING = frozenset({Move.PUBLIC, Move.ELSEWHERE, Move.PUBLIC_FIX, Move.EXPLOIT})
OF_PARTIES = frozenset({Clock.ACKNOWLEDGE, Clock.SILENCE, Clock.DISCLOSURE})
_ROLES, _MOVES, _CLOCKS = frozenset(Role), frozenset(Move), frozenset(Clock)
ENDS_SECRECY = frozenset({Clock.DISCLOSURE, Clock.EXPLOITED, Clock.STAGE, Clock.AGREED})


@dataclass(frozen=True, slots=True)
class Term:
    """One clock of a disclosure policy: *days* of 24 hours from *starts*.

    *extend* is by how many days at most it can be made longer, with *engaged* only for a party that
    works on it; *preferred* is a number of days that the text would like better.
    """

    clock: Clock
    days: int
    starts: Start
    extend: int = 0
    engaged: bool = False
    preferred: int = 0
    on_fix: OnFix = OnFix.NOTHING


@dataclass(frozen=True, slots=True)
class Disclosure:
    """One disclosure policy. Without *embargo* what it governs is public from the first day.

    *digest* is the SHA-256 of its file. From *rediscovered* independent finders on, a date
    *shorten_days* later is proposed. *confirmed* says how surely the text was read.
    """

    id: str
    title: str
    digest: str
    embargo: bool
    confirmed: str
    terms: tuple[Term, ...]
    ends_on: frozenset[End]
    rediscovered: int = 0
    shorten_days: int = 0
    duties: tuple[str, ...] = ()

    def term(self, clock: Clock) -> Term | None:
        """The term of one clock; None where the text has none."""
        return next((one for one in self.terms if one.clock is clock), None)


@dataclass(frozen=True, slots=True)
class Moment:
    """When something was, and the act that says so; *recorded* is when that was written down."""

    at: datetime
    act: str
    recorded: datetime


@dataclass(frozen=True, slots=True)
class Due:
    """One clock: from *started*, due *at*, which is None while it is paused.

    *because* is the act that started it, *extended* the acts that made it longer.
    """

    clock: Clock
    party: str
    started: datetime
    at: datetime | None
    state: Running
    because: str
    met: datetime | None = None
    extended: tuple[str, ...] = ()
    preferred: datetime | None = None

    @property
    def late(self) -> bool:
        """Whether it fell due before it was met, or without being met at all."""
        if self.met is not None and self.at is not None:
            return self.met > self.at
        return self.state is Running.FELL_DUE


@dataclass(slots=True)
class Facts:
    """What the clocks need to know of the acts of one case, in the order of the log."""

    opened: Moment | None = None
    chosen: list[tuple[datetime, str]] = field(default_factory=list)
    roles: dict[str, Role] = field(default_factory=dict)
    projects: dict[str, str] = field(default_factory=dict)
    reports: dict[str, Moment] = field(default_factory=dict)
    reported: Moment | None = None  # to any vendor
    handed: Moment | None = None  # to anybody downstream
    answers: dict[str, Moment] = field(default_factory=dict)
    firsts: dict[Move, Moment] = field(default_factory=dict)
    extensions: dict[tuple[Clock, str], list[tuple[datetime, Moment]]] = field(default_factory=dict)
    pauses: dict[str, list[tuple[datetime, datetime | None]]] = field(default_factory=dict)

    @property
    def public(self) -> Moment | None:
        """The first moment at which it was public."""
        found = [self.firsts[move] for move in PUBLISHING if move in self.firsts]
        return min(found, key=lambda one: (one.at, one.act), default=None)

    @property
    def fix(self) -> Moment | None:
        """The first moment at which a fix was out."""
        moves = (Move.FIX_OUT, Move.PUBLIC_FIX)
        found = [self.firsts[move] for move in moves if move in self.firsts]
        return min(found, key=lambda one: (one.at, one.act), default=None)


def text(act: Act, name: str) -> str:
    """A text in an act's detail; empty if it is none."""
    found = act.detail.get(name)
    return found if isinstance(found, str) else ""


def moment_in(act: Act, name: str) -> datetime | None:
    """A time in an act's detail; None if there is none that can be read."""
    found: datetime | None
    try:
        found = datetime.fromisoformat(text(act, name))
    except ValueError:
        found = None  # an act of another version; a date is never guessed
    return found if found is not None and found.tzinfo is not None else None


def read(acts: Iterable[Act]) -> Facts:
    """The facts in the acts of one case, which come in the order of the log."""
    facts = Facts()
    for act in acts:
        reader = _READERS.get(act.kind)
        if reader is not None:
            reader(facts, act)
    return facts


def due(acts: Sequence[Act], policies: Mapping[str, Disclosure], now: datetime) -> tuple[Due, ...]:
    """Every clock that the acts of one case started, under the disclosure policy that each moment had.

    *policies* are by digest. Clocks of parties come in the order in which parties were added.

    Raises: Invalid, if a disclosure policy that was chosen is not among *policies*: never a default.
    """
    return due_of(read(acts), policies, now)


def due_of(
    facts: Facts,
    policies: Mapping[str, Disclosure],
    now: datetime,
    only: AbstractSet[Clock] = frozenset(Clock),
) -> tuple[Due, ...]:
    """As `due`, of facts that were read already; *only* these clocks."""
    check_known(facts, policies)
    if not facts.chosen:
        return ()
    last = policies[facts.chosen[-1][1]]
    return tuple(
        found
        for term in last.terms
        if term.clock in only
        for found in _clocks(facts, policies, term, now)
    )


def check_known(facts: Facts, policies: Mapping[str, Disclosure]) -> None:
    """Return if every disclosure policy that was ever chosen is there. Raises: Invalid, naming one that is not."""
    for _, digest in facts.chosen:
        if digest not in policies:
            raise Invalid("disclosure", f"no disclosure policy with digest {digest[:16]} is here")


def _clocks(
    facts: Facts, policies: Mapping[str, Disclosure], term: Term, now: datetime
) -> Iterator[Due]:
    if term.clock not in OF_PARTIES:
        started = _started(facts, term.starts)
        if started is not None:
            yield _clock(facts, policies, term, "", started, now)
        return
    for party, role in facts.roles.items():
        wanted = VENDORS if term.clock is not Clock.DISCLOSURE else VENDORS - {Role.DOWNSTREAM}
        begun = facts.opened if term.starts is Start.CASE else facts.reports.get(party)
        if role in wanted and begun is not None:
            yield _clock(facts, policies, term, party, begun, now)


def _started(facts: Facts, start: Start) -> Moment | None:
    """When what the whole case counts from first was."""
    if start is Start.CASE:
        return facts.opened
    if start is Start.EXPLOITATION:
        return facts.firsts.get(Move.ATTACKS)
    if start is Start.FIX:
        return facts.fix
    return facts.handed if start is Start.HANDOVER else facts.reported


def _clock(
    facts: Facts,
    policies: Mapping[str, Disclosure],
    term: Term,
    party: str,
    begun: Moment,
    now: datetime,
) -> Due:
    pauses = facts.pauses.get(facts.projects.get(party, ""), []) + facts.pauses.get(party, [])
    at = _base(facts, policies, term, begun, pauses if party else [])
    at, extended = _extended(facts, policies, term.clock, party, at)
    if term.on_fix is OnFix.DUE and facts.fix is not None:
        owed = _due_with_fix(facts, policies, term.clock)
        with_fix = max(facts.fix.recorded, begun.recorded, owed)
        at = with_fix if at is None else min(at, with_fix)
    met = _met(facts, term, party)
    state = _state(at, met, now)
    preferred = begun.at + timedelta(days=term.preferred) if term.preferred else None
    return Due(term.clock, party, begun.at, at, state, begun.act, met, extended, preferred)


def _due_with_fix(facts: Facts, policies: Mapping[str, Disclosure], clock: Clock) -> datetime:
    """Since when the texts, one after another, have let this clock fall due with a fix."""
    since: datetime | None = None
    for changed, digest in facts.chosen:
        term = policies[digest].term(clock)
        held = term is not None and term.on_fix is OnFix.DUE
        since = (since or changed) if held else None
    return since or facts.chosen[-1][0]


def _base(
    facts: Facts,
    policies: Mapping[str, Disclosure],
    term: Term,
    begun: Moment,
    pauses: Sequence[tuple[datetime, datetime | None]],
) -> datetime | None:
    """The date before extensions, through every change of the disclosure policy.

    A change that makes the time shorter, or begins it, counts from the act that made it and never makes
    it longer than it was; none gives a date that was over when it was made.
    """
    at: datetime | None = None
    known = False
    for changed, digest in facts.chosen:
        held = policies[digest].term(term.clock)
        if held is None:
            at, known = None, False
            continue
        fresh = _after(begun.at, held.days, pauses)
        if changed <= begun.recorded:
            at = fresh and max(fresh, begun.recorded)
        elif not known or fresh != at:
            counted = _after(max(changed, begun.at), held.days, pauses)
            at = _changed(at, fresh, counted, changed)
        known = True
    return at


def _changed(
    at: datetime | None, fresh: datetime | None, counted: datetime | None, changed: datetime
) -> datetime | None:
    """The date after a change of the text; None is a date that does not come while a pause lasts."""
    if at is not None and (fresh is None or fresh > at):
        return fresh and max(fresh, changed)
    return min((one for one in (at, counted) if one is not None), default=None)


def _after(
    start: datetime, days: int, pauses: Sequence[tuple[datetime, datetime | None]]
) -> datetime | None:
    """*days* of 24 hours after *start*, of which none passes during a pause; None within an open one."""
    at, left = start, timedelta(days=days)
    for begins, ends in sorted(pauses, key=lambda one: one[0]):
        if ends is not None and ends <= at:
            continue
        if begins >= at + left:
            break
        left -= max(begins - at, timedelta(0))
        if ends is None:
            return None
        at = ends
    return at + left


def _extended(
    facts: Facts, policies: Mapping[str, Disclosure], clock: Clock, party: str, at: datetime | None
) -> tuple[datetime | None, tuple[str, ...]]:
    """The date with what an act added to it, never beyond what the text then in force gave."""
    for until, by in facts.extensions.get((clock, party), []):
        term = _in_force(facts, policies, clock, by.recorded)
        if at is not None and term is not None and by.recorded <= at < until:
            return min(until, at + timedelta(days=term.extend)), (by.act,)
    return at, ()


def _in_force(
    facts: Facts, policies: Mapping[str, Disclosure], clock: Clock, at: datetime
) -> Term | None:
    chosen = [digest for changed, digest in facts.chosen if changed <= at]
    return policies[chosen[-1]].term(clock) if chosen else None


def _met(facts: Facts, term: Term, party: str) -> datetime | None:
    clock = term.clock
    if clock in {Clock.ACKNOWLEDGE, Clock.SILENCE}:
        answer = facts.answers.get(party)
        return answer.recorded if answer else None
    if clock is Clock.DETAILS:
        told = facts.firsts.get(Move.DETAILS)
        return told.recorded if told else None
    found = [facts.public]
    if clock is Clock.EXISTENCE:
        found.append(facts.firsts.get(Move.EXISTENCE))
    if term.on_fix is OnFix.MET:
        found.append(facts.fix)
    return min((one.recorded for one in found if one), default=None)


def _state(at: datetime | None, met: datetime | None, now: datetime) -> Running:
    if met is not None:
        return Running.MET
    if at is None:
        return Running.PAUSED
    return Running.FELL_DUE if now >= at else Running.RUNNING


def _opened(facts: Facts, act: Act) -> None:
    facts.opened = facts.opened or Moment(act.at, act.id, act.at)


def _chosen(facts: Facts, act: Act) -> None:
    facts.chosen.append((act.at, text(act, "digest")))


def _added(facts: Facts, act: Act) -> None:
    party, role = text(act, "party"), text(act, "role")
    if not party or role not in _ROLES:
        return
    told = facts.reports.get(party)
    if told is not None and facts.roles.get(party) != role:
        # Clocks that come with this part begin to be owed by this act, not before it.
        facts.reports[party] = replace(told, recorded=max(told.recorded, act.at))
    facts.roles[party] = Role(role)
    facts.projects[party] = text(act, "project")
    _told(facts, party)


def _told(facts: Facts, party: str) -> None:
    """The first report to a vendor, and to anybody downstream, start clocks of the whole case."""
    role, told = facts.roles.get(party), facts.reports.get(party)
    if role in VENDORS:
        facts.reported = facts.reported or told
    if role is Role.DOWNSTREAM:
        facts.handed = facts.handed or told


def _removed(facts: Facts, act: Act) -> None:
    facts.roles.pop(text(act, "party"), None)


def _sent(facts: Facts, act: Act) -> None:
    party, sent = text(act, "party"), moment_in(act, "sent") or act.at
    facts.reports.setdefault(party, Moment(min(sent, act.at), act.id, act.at))
    _told(facts, party)


def _stated(facts: Facts, act: Act) -> None:
    party, said = text(act, "party"), Moment(act.at, act.id, act.at)
    facts.reports.setdefault(party, said)
    _told(facts, party)
    facts.answers.setdefault(party, said)


def _published(facts: Facts, act: Act) -> None:
    facts.firsts.setdefault(Move.PUBLIC, Moment(act.at, act.id, act.at))


def _fixed(facts: Facts, act: Act) -> None:
    if text(act, "state") == "released":
        facts.firsts.setdefault(Move.FIX_OUT, Moment(act.at, act.id, act.at))


def _moved(facts: Facts, act: Act) -> None:
    word, party = text(act, "move"), text(act, "party")
    if word not in _MOVES:
        return
    move = Move(word)
    if move is Move.EXTENDED:
        until, clock = moment_in(act, "until"), text(act, "clock")
        if until is not None and clock in _CLOCKS:
            by = Moment(until, act.id, act.at)
            facts.extensions.setdefault((Clock(clock), party), []).append((until, by))
    elif move is Move.PAUSED:
        _pause(facts, party, act.at, moment_in(act, "until"))
    elif move is Move.RESUMED:
        _run_on(facts, party, act.at)
    elif move is Move.RUN_ON:
        _run_on(facts, party, act.at)
        _run_on(facts, facts.projects.get(party, ""), act.at)
    else:
        known = moment_in(act, "since") or act.at
        facts.firsts.setdefault(move, Moment(min(known, act.at), act.id, act.at))


def _contract(facts: Facts, act: Act) -> None:
    """A project's contract, as its maintainer's latest commit has it: paused or not."""
    lane = lane_of(act.about)
    if act.detail.get("paused") is True:
        _pause(facts, lane, act.at, moment_in(act, "paused_until"))
    else:
        _run_on(facts, lane, act.at)


def _pause(facts: Facts, whose: str, at: datetime, until: datetime | None) -> None:
    _run_on(facts, whose, at)
    facts.pauses.setdefault(whose, []).append((at, until))


def _run_on(facts: Facts, whose: str, at: datetime) -> None:
    held = facts.pauses.get(whose, [])
    facts.pauses[whose] = [(a, at if b is None or b > at else b) for a, b in held]


_READERS = {
    Kind.CASE_OPENED: _opened,
    Kind.DISCLOSURE_CHOSEN: _chosen,
    Kind.PARTICIPANT_ADDED: _added,
    Kind.PARTICIPANT_REMOVED: _removed,
    Kind.DRAFT_SENT: _sent,
    Kind.STATUS_STATED: _stated,
    Kind.ADVISORY_PUBLISHED: _published,
    Kind.FIX_MOVED: _fixed,
    Kind.CASE_MOVED: _moved,
    Kind.CONTRACT_WRITTEN: _contract,
}
