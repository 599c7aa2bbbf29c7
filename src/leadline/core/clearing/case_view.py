"""What one reader sees of a case: built from what that reader may know, never cut out of the whole.

The table `SEEN` says which parts each reader gets at each stage (clearinghouse reference, 7.3); a part
that is not in it is not read at all while a view is made. A proof is in no view, at no stage. The name
of a model is shown only where its developer's consent is on record.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from leadline.core.clearing.case import Participant, Standing, silent_by
from leadline.core.clearing.case_file import CaseFile, Party
from leadline.core.clearing.case_words import Move, Role, Stage
from leadline.core.clearing.disclosure import Due, text
from leadline.core.clearing.finding import UNNAMED_MODEL, Finding
from leadline.core.record.act import Act, Kind


class Part(StrEnum):
    """A part of a case that somebody sees or does not see."""

    OWN = "own"  # what the reader stated, and its own reports
    DATES = "dates"  # the disclosure policy, the embargo, the dates of the case
    EXISTENCE = "existence"
    TITLE = "title"
    PARTIES = "parties"
    CONTACTS = "contacts"
    TIMELINE = "timeline"
    FIXES = "fixes"
    SUMMARY = "summary"  # of each finding: title, package, weakness
    CONTENT = "content"  # of each finding: what was observed, and where
    CREDITS = "credits"


class Reader(StrEnum):
    """The kinds of readers of the table. Operators read notices, not cases: they see nothing here."""

    OWNER = "owner"
    STREAM = "upstream or downstream"
    COORDINATOR = "coordinator"
    FINDER = "finder"
    OPERATOR = "operator"
    PUBLIC = "public"


_ALL = frozenset(Part) - {Part.CONTACTS}
_METADATA = frozenset(
    {
        Part.OWN,
        Part.DATES,
        Part.TITLE,
        Part.PARTIES,
        Part.CONTACTS,
        Part.TIMELINE,
        Part.FIXES,
    }
)
_OWN = frozenset({Part.OWN, Part.DATES})
_TOLD = frozenset({Part.DATES, Part.EXISTENCE, Part.TITLE, Part.SUMMARY, Part.CREDITS})
_NOTHING = frozenset[Part]()
_SECRET = (Stage.CONFIRMED, Stage.FIX_IN_WORK)
_OPEN = (Stage.PUBLISHED, Stage.DETAILED)

SEEN: Mapping[tuple[Reader, Stage], frozenset[Part]] = {
    **{(Reader.OWNER, stage): _ALL for stage in Stage},
    **{(Reader.COORDINATOR, stage): _ALL | _METADATA for stage in Stage},
    **{(Reader.COORDINATOR, stage): _METADATA for stage in _SECRET},
    **{(Reader.STREAM, stage): _ALL for stage in Stage},
    (Reader.STREAM, Stage.CONFIRMED): _OWN,
    (Reader.STREAM, Stage.FIX_IN_WORK): _OWN | {Part.FIXES},
    **{(Reader.FINDER, stage): _OWN for stage in Stage},
    (Reader.FINDER, Stage.PUBLISHED): _OWN | _TOLD,
    (Reader.FINDER, Stage.DETAILED): _OWN | _TOLD | {Part.CONTENT},
    **{(Reader.OPERATOR, stage): _NOTHING for stage in Stage},
    **{(Reader.PUBLIC, stage): _NOTHING for stage in Stage},
    **{(Reader.OPERATOR, stage): _TOLD for stage in _OPEN},
    **{(Reader.PUBLIC, stage): _TOLD for stage in _OPEN},
    (Reader.OPERATOR, Stage.DETAILED): _TOLD | {Part.CONTENT},
    (Reader.PUBLIC, Stage.DETAILED): _TOLD | {Part.CONTENT},
}
_READERS = {
    Role.OWNER: Reader.OWNER,
    Role.UPSTREAM: Reader.STREAM,
    Role.DOWNSTREAM: Reader.STREAM,
    Role.COORDINATOR: Reader.COORDINATOR,
    Role.FINDER: Reader.FINDER,
}


@dataclass(frozen=True, slots=True)
class SeenParty:
    """A party as a reader sees it. *word* and *affected* may say that there is no answer."""

    id: str
    name: str
    role: str
    word: str
    report: str
    fix: str
    affected: str
    justification: str
    told: datetime | None
    answered: datetime | None
    silent: bool
    products: tuple[str, ...]
    contact: str = ""


@dataclass(frozen=True, slots=True)
class SeenFinding:
    """A finding as a reader sees it; *observation* and *places* are empty below its content."""

    id: str
    title: str
    purl: str
    cwe: str
    found_by: str
    observation: str = ""
    places: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SeenClock:
    """A clock: of which party, until when, and what has become of it."""

    clock: str
    party: str
    started: datetime
    at: datetime | None
    state: str
    late: bool


@dataclass(frozen=True, slots=True)
class Event:
    """One act in the words of the timeline."""

    at: datetime
    what: str
    party: str = ""
    words: str = ""
    until: str = ""


@dataclass(frozen=True, slots=True)
class CaseView:
    """A case as one reader sees it. What is empty or None may exist and not be shown; see *parts*."""

    case: str
    readers: tuple[str, ...]
    parts: tuple[str, ...]
    stage: str = ""
    title: str = ""
    opened: datetime | None = None
    closed: datetime | None = None
    disclosure: str = ""
    embargo: str = ""
    embargoed: bool | None = None
    public_at: datetime | None = None
    public: datetime | None = None
    agreed: datetime | None = None
    proposed: datetime | None = None
    parties: tuple[SeenParty, ...] = ()
    findings: tuple[SeenFinding, ...] = ()
    fixes: tuple[str, ...] = ()
    clocks: tuple[SeenClock, ...] = ()
    timeline: tuple[Event, ...] = ()
    credits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Whole:
    """Everything known of a case, from which a view is made."""

    stands: Standing
    file: CaseFile
    findings: tuple[Finding, ...]
    finders: Mapping[str, str]  # who handed each finding in, by finding


def parts_of(
    stands: Standing, person: str, now: datetime
) -> tuple[frozenset[Part], tuple[Reader, ...]]:
    """What this account sees, and as which readers; the public for whoever is no party.

    Who needs the content, for a recorded reason, has all of it at every stage.
    """
    mine, stage = stands.of_person(person), stands.stage(now)
    readers = tuple(dict.fromkeys(_READERS[one.role] for one in mine)) or (Reader.PUBLIC,)
    seen = frozenset[Part]().union(*(SEEN[reader, stage] for reader in readers))
    if any(one.need for one in mine):
        seen |= _ALL
    told = Move.EXISTENCE in stands.facts.firsts
    if readers == (Reader.PUBLIC,) and told:
        seen |= {Part.EXISTENCE, Part.DATES}
    return seen, readers


def view(whole: Whole, person: str, now: datetime) -> CaseView:
    """The case as this account sees it at this moment."""
    stands = whole.stands
    parts, readers = parts_of(stands, person, now)
    mine = {one.id for one in stands.of_person(person)}
    dates, title = Part.DATES in parts, Part.TITLE in parts
    if not parts:
        return CaseView(stands.id, tuple(readers), ())
    terms, clocks = stands.terms, stands.clocks(now)
    return CaseView(
        case=stands.id,
        readers=tuple(one.value for one in readers),
        parts=tuple(one.value for one in Part if one in parts),
        stage=stands.stage(now).value,
        title=whole.file.title if title else "",
        opened=stands.opened_at,
        closed=stands.closed_at,
        disclosure=stands.policy if dates else "",
        embargo=stands.embargo(now).value if dates else "",
        embargoed=stands.embargoed(now) if dates else None,
        public_at=stands.public_at if dates else None,
        public=stands.public if dates else None,
        agreed=terms.until if dates else None,
        proposed=terms.proposal.until if dates and terms.proposal else None,
        parties=tuple(_parties(whole, parts, mine, clocks)),
        findings=tuple(_findings(whole, parts, person)),
        fixes=tuple(_fixes(stands)) if Part.FIXES in parts else (),
        clocks=tuple(_clocks(whole, parts, mine, clocks)) if dates else (),
        timeline=tuple(_timeline(whole, parts, mine)),
        credits=tuple(_credits(whole)) if Part.CREDITS in parts else (),
    )


def _parties(
    whole: Whole, parts: frozenset[Part], mine: set[str], clocks: Sequence[Due]
) -> Iterator[SeenParty]:
    stands, all_ = whole.stands, Part.PARTIES in parts
    silent = frozenset(silent_by(clocks))
    words = {one.id: one for one in whole.file.parties}
    for one in stands.present:
        if (all_ or one.id in mine) and one.id in words:
            held = words[one.id]
            contact = held.contact if Part.CONTACTS in parts or one.id in mine else ""
            yield _party(one, held, silent=one.id in silent, contact=contact)


def _party(one: Participant, held: Party, *, silent: bool, contact: str) -> SeenParty:
    return SeenParty(
        one.id,
        held.name,
        one.role.value,
        one.word,
        one.report.value,
        one.fix.value if one.vendor else "",
        one.affected.value if one.vendor else "",
        one.justification,
        one.told,
        one.answered,
        silent,
        held.products,
        contact,
    )


def _findings(whole: Whole, parts: frozenset[Part], person: str) -> Iterator[SeenFinding]:
    content, summary = Part.CONTENT in parts, Part.SUMMARY in parts
    for one in whole.findings:
        own = Part.OWN in parts and bool(person) and whole.finders.get(one.id) == person
        if content or summary or own:
            yield _finding(one, content=content or own)


def _finding(one: Finding, *, content: bool) -> SeenFinding:
    named = one.origin != "ai" or bool(one.consent)
    places = tuple(
        ":".join(part for part in (where.file, where.function) if part) for where in one.locations
    )
    return SeenFinding(
        one.id,
        one.title,
        one.purl,
        one.cwe,
        f"{one.origin}: {one.found_by if named else UNNAMED_MODEL}",
        one.observation if content else "",
        places if content else (),
    )


def _fixes(stands: Standing) -> Iterator[str]:
    for act in stands.acts:
        if act.kind is Kind.FIX_MOVED:
            yield f"{act.about} {text(act, 'state')}".strip()


def _clocks(
    whole: Whole, parts: frozenset[Part], mine: set[str], clocks: Sequence[Due]
) -> Iterator[SeenClock]:
    names = {one.id: one.name for one in whole.file.parties}
    for one in clocks:
        if not one.party or one.party in mine or Part.PARTIES in parts:
            name = names.get(one.party, "")
            yield SeenClock(one.clock.value, name, one.started, one.at, one.state.value, one.late)


_WORDS = {
    Kind.CASE_OPENED: "opened",
    Kind.CASE_JOINED: "a further finding joined",
    Kind.CASE_CLOSED: "closed",
    Kind.CASE_MOVED: "",
    Kind.CASE_RELAYED: "relayed to another clearinghouse",
    Kind.CASE_RECEIVED: "received from another clearinghouse",
    Kind.PARTICIPANT_ADDED: "takes part",
    Kind.PARTICIPANT_REMOVED: "takes part no more",
    Kind.STATUS_STATED: "states",
    Kind.DISCLOSURE_CHOSEN: "disclosure policy",
    Kind.EMBARGO_PROPOSED: "proposes a date",
    Kind.EMBARGO_ANSWERED: "answers the proposed date",
    Kind.EMBARGO_BEGUN: "a date is agreed",
    Kind.EMBARGO_REVISED: "another date is agreed",
    Kind.EMBARGO_ENDED: "the embargo ended",
    Kind.CLOCK_FELL_DUE: "fell due, and goes to a coordinator",
    Kind.CREDIT_DECIDED: "credit was decided",
    Kind.DRAFT_WRITTEN: "a message was drafted",
    Kind.DRAFT_SENT: "a person sent a message",
    Kind.FIX_MOVED: "a fix moved on",
    Kind.ADVISORY_PUBLISHED: "an advisory was published",
}
_TOLD_OF = ("move", "disclosure", "report", "fix", "affected", "answer", "cause", "clock", "state")


def _timeline(whole: Whole, parts: frozenset[Part], mine: set[str]) -> Iterator[Event]:
    """The acts that this reader may know of: all of them, or its own party's."""
    all_ = Part.TIMELINE in parts
    names = {one.id: one.name for one in whole.file.parties}
    for act in whole.stands.acts:
        party = text(act, "party")
        if act.kind in _WORDS and (all_ or (Part.OWN in parts and party in mine)):
            yield _event(act, names.get(party, ""))


def _event(act: Act, party: str) -> Event:
    told = [text(act, name) for name in _TOLD_OF if text(act, name)]
    what = " ".join(part for part in (_WORDS[act.kind], *told) if part)
    until = text(act, "until") if act.kind is not Kind.PARTICIPANT_ADDED else ""
    return Event(act.at, what, party, text(act, "reason"), until)


def _credits(whole: Whole) -> Iterator[str]:
    names = {one.id: one.credit for one in whole.file.parties}
    yield from (names[one.party] for one in whole.stands.credits if names.get(one.party))


def silent_first(parties: Sequence[SeenParty]) -> tuple[SeenParty, ...]:
    """Those who are silent first, then by role and name."""
    return tuple(sorted(parties, key=lambda one: (not one.silent, one.role, one.name, one.id)))
