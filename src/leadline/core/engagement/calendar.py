"""One sorted list of dates for a person or a party: what opens, what ends, what is due, and why.

Every date is computed from acts when it is asked for. An end is the end of somebody's access, terms or
grant; nothing of a release follows from any date here. The dates of an engagement that was withdrawn or
ended are those of what outlives it: answers and reports.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from enum import StrEnum

from leadline.core.engagement.clock import EndedBy, Window, time_in
from leadline.core.engagement.engagement import Standing, over
from leadline.core.engagement.obligation import Obligation, Stage
from leadline.core.engagement.regime import Party
from leadline.core.engagement.register import Entry
from leadline.core.grant import Grant
from leadline.core.record.act import Act, Kind, instant


class What(StrEnum):
    """What a date is of."""

    ANCHOR = "anchor"
    ACCESS_NOT_BEFORE = "access-opens-not-before"
    ACCESS_ENDS = "access-ends"
    TERMS_END = "terms-end"
    DETERMINATION_ENDS = "determination-ends"
    PARTNER_ENDS = "partner-access-ends"
    PARTNER_REST_ENDS = "partner-rest-ends"
    RESULT_ENDS = "result-readable-until"
    GRANT_ENDS = "grant-ends"
    REPORT_DUE = "report-due"
    ENTRY_DUE = "entry-due"
    ENTRY_ENDS = "entry-ends"
    OTHER_ENDS = "ends"


WORDS: Mapping[What, str] = {
    What.ANCHOR: "Planned first release to another trusted partner; the developer's own date",
    What.ACCESS_NOT_BEFORE: "Government access may open from here on, if the developer offers it",
    What.ACCESS_ENDS: "Government access ends",
    What.TERMS_END: "Terms end",
    What.DETERMINATION_ENDS: "A determination ends",
    What.PARTNER_ENDS: "A trusted partner's access ends",
    What.PARTNER_REST_ENDS: "A trusted partner's use goes on after a rest",
    What.RESULT_ENDS: "A result is no longer readable",
    What.GRANT_ENDS: "A grant ends",
    What.REPORT_DUE: "A report is due",
    What.ENTRY_DUE: "An entry of the register is due",
    What.ENTRY_ENDS: "An entry of the register ends",
    What.OTHER_ENDS: "Something agreed ends",
}
BECAUSE: Mapping[EndedBy, str] = {
    EndedBy.ANCHOR: "the planned partner release, or what the developer extended it to",
    EndedBy.DAYS_OPEN: "the days that the text gives",
    EndedBy.WITHDRAWAL: "the developer withdrew",
    EndedBy.TERMS_EXPIRY: "the terms end",
    EndedBy.PARTY: "a party ended it",
}


@dataclass(frozen=True, slots=True)
class Dated:
    """One date. *id* stays the same when the date moves, and *moved* counts how often it did.

    *party* or *person* is whose date it is, both empty for everybody's who sees the thing. *whole_day*
    says that the day counts and not the hour; *stands_out* that it is overdue or unproved. *due* is
    whether somebody has yet to do something by it.
    """

    id: str
    at: datetime
    what: What
    words: str
    engagement: str = ""
    party: Party | None = None
    person: str = ""
    why: str = ""
    moved: int = 0
    whole_day: bool = False
    stands_out: bool = False
    due: bool = False
    of: str = ""


def dates(
    now: datetime,
    standings: Iterable[Standing] = (),
    obligations: Iterable[Obligation] = (),
    entries: Iterable[Entry] = (),
    grants: Iterable[Grant] = (),
    *,
    theirs: Iterable[Entry] = (),
    names: Mapping[str, str] | None = None,
) -> tuple[Dated, ...]:
    """All dates of these things, in order of time.

    *theirs* are entries that others see to; *names* are what recipients are called.
    """
    found = [one for on in standings for one in _of_engagement(on)]
    found += [_of_obligation(one, (names or {}).get(one.to, one.to)) for one in obligations]
    found += [one for row in entries for one in _of_entry(row, now)]
    found += [replace(one, due=False) for row in theirs for one in _of_entry(row, now)]
    found += [
        Dated(
            f"grant/{one.id}",
            one.until,
            What.GRANT_ENDS,
            f"{WORDS[What.GRANT_ENDS]}: {one.scope.value} {one.name}",
            person=one.principal,
            why=f"given by {one.given_by}; it ends unless renewed",
        )
        for one in grants
    ]
    return tuple(sorted(found, key=lambda one: (one.at, one.id)))


def reading_ends(id_: str, engagement: str, until: datetime, person: str) -> Dated:
    """The end of one person's result, for somebody who knows nothing else of the engagement."""
    what = What.RESULT_ENDS
    return Dated(f"{engagement}/{what}/{id_}", until, what, WORDS[what], engagement, person=person)


def partner_ends(organisation: str, engagement: str, until: datetime) -> Dated:
    """The end of a partner's access, for the partner's own people."""
    what = What.PARTNER_ENDS
    words = f"{WORDS[what]}: {organisation}"
    return Dated(f"{engagement}/{what}/{organisation}", until, what, words, engagement)


def of_person(found: Iterable[Dated], person: str, party: Party) -> tuple[Dated, ...]:
    """Those that are this person's: its own, its party's, and everybody's."""
    return tuple(one for one in found if one.person in {"", person} and one.party in {None, party})


def of_party(found: Iterable[Dated], people: Collection[str], party: Party) -> tuple[Dated, ...]:
    """Those of *people*, the caller's own house, and of everybody; ends of one person show who."""
    return tuple(
        replace(one, words=f"{one.words} ({one.person})") if one.person else one
        for one in found
        if one.party in {None, party} and (not one.person or one.person in people)
    )


def _of_engagement(on: Standing) -> Iterable[Dated]:
    """The windows under each text, and whatever an act gave an end."""
    ended = bool(over(on.acts))
    for regime, found in on.windows.items():
        if found.opened or not ended:
            yield from _of_window(on, regime, found, over=ended)
    ends = dict[str, Dated]()
    for act in on.acts:
        _note(ends, act, on.engagement.id)
    for one in ends.values():
        if not ended or one.what is What.DETERMINATION_ENDS:
            yield one


def _of_window(on: Standing, regime: str, found: Window, *, over: bool) -> Iterable[Dated]:
    """What is planned, if the engagement goes on, and the end of access that was opened."""
    id_ = f"{on.engagement.id}/{regime}"
    anchors = [
        act for act in on.recorded(Kind.ANCHOR_SET) if act.detail.get("under") in {None, regime}
    ]
    moved = max(len(anchors) - 1, 0)

    def dated(what: What, at: datetime, why: str, times: int = moved) -> Dated:
        words = f"{WORDS[what]} ({regime})"
        place = f"{id_}/{what}", at, what, words, on.engagement.id
        return Dated(*place, why=why, moved=times, of=regime)

    if found.anchor and not over:
        why = f"named by the developer; shown in {found.zone or 'UTC'}"
        yield dated(What.ANCHOR, found.anchor, why)
    if found.opens_not_before and not found.opened and not over:
        yield dated(What.ACCESS_NOT_BEFORE, found.opens_not_before, "counted back from the anchor")
    if found.ends and found.ended_by:
        # Every act can move this end, so that the number of acts counts.
        yield dated(What.ACCESS_ENDS, found.ends, BECAUSE[found.ended_by], len(on.acts))


@dataclass(frozen=True, slots=True)
class _Rule:
    """How acts of a kind end something: the details that name it, and the kind that takes it away.

    *each* says that it is named by what the act is about; *person* is the detail with whose end it is.
    An act of the kind *gone* that carries an end of its own is a rest, and takes nothing away.
    """

    what: What
    names: tuple[str, ...] = ()
    gone: Kind | None = None
    person: str = ""
    each: bool = False


_ENDS: Mapping[Kind, _Rule] = {
    Kind.TERMS_AGREED: _Rule(What.TERMS_END),
    Kind.DETERMINATION_RECORDED: _Rule(What.DETERMINATION_ENDS),
    Kind.PARTNER_PROPOSED: _Rule(What.PARTNER_ENDS, ("partner",), Kind.PARTNER_ENDED),
    Kind.PARTNER_AGREED: _Rule(What.PARTNER_ENDS, ("partner",), Kind.PARTNER_ENDED),
    Kind.PARTNER_ENDED: _Rule(What.PARTNER_REST_ENDS, ("partner",), Kind.PARTNER_ENDED),
    Kind.RESULT_SENT: _Rule(What.RESULT_ENDS, (), Kind.RESULT_RECALLED, "to", each=True),
}
_OTHER = _Rule(What.OTHER_ENDS, ("id",), each=True)
# The window computes the first of these ends, grants and entries are listed from their rows, and the
# rest only repeat the end that something else set.
_ELSEWHERE = {
    Kind.ACCESS_EXTENDED,
    Kind.GRANT_GIVEN,
    Kind.ENTRY_WRITTEN,
    Kind.CUSTODY_ENTERED,
    Kind.RESULT_READ,
    Kind.USE_RECORDED,
    Kind.USE_REFUSED,
}


def _note(ends: dict[str, Dated], act: Act, engagement: str) -> None:
    """Take one act into account: an end that it sets, moves or takes away."""
    for kind, rule in _ENDS.items():
        if act.kind is rule.gone and "until" not in act.detail:
            _take(ends, _key(kind, rule, act), act)
    if act.kind in _ELSEWHERE or "until" not in act.detail:
        return
    rule = _ENDS.get(act.kind, _OTHER)
    key, at = _key(act.kind, rule, act), time_in(act, "until")
    other, person = ends.get(key), act.detail.get(rule.person)
    subject = ", ".join(str(act.detail[name]) for name in rule.names if name in act.detail)
    moved = other.moved + (other.at != at) if other else 0
    ends[key] = Dated(
        f"{engagement}/{key}",
        at,
        rule.what,
        f"{WORDS[rule.what]}{': ' + subject if subject else ''}",
        engagement,
        person=person if isinstance(person, str) else "",
        why=f"{act.kind.value} of {instant(act.at)}",
        moved=moved,
    )


def _take(ends: dict[str, Dated], key: str, act: Act) -> None:
    """Take an end away, at once or as soon as the act's own date; a rest then ends no more."""
    one = ends.pop(key, None)
    since = time_in(act, "since") if "since" in act.detail else act.at
    if one is None or since <= act.at:
        return
    if one.at <= since:
        ends[key] = one
    elif one.what is not What.PARTNER_REST_ENDS:
        why = f"{act.kind.value} of {instant(act.at)}"
        ends[key] = replace(one, at=since, why=why, moved=one.moved + 1)


def _key(kind: Kind, rule: _Rule, act: Act) -> str:
    """One key for one thing, whichever act speaks of it."""
    named = [str(act.detail[name]) for name in rule.names if name in act.detail]
    if rule is _OTHER:
        named = [kind.value, *named]
    return "/".join((rule.what.value, *([act.about] if rule.each else []), *named))


def _of_obligation(one: Obligation, recipient: str) -> Dated:
    """A report's due time; where the text gives no number, the moment from which it is owed."""
    owed = "due" if one.due else "due without undue delay from then on"
    stage = {
        Stage.SENT: "sent",
        Stage.OVERDUE: "overdue: not on record as sent",
        Stage.DUE: owed,
    }[one.stage]
    return Dated(
        f"duty/{one.id}",
        one.due or one.started,
        What.REPORT_DUE,
        f"{WORDS[What.REPORT_DUE]} ({one.regime}, {one.rule}, to {recipient}): {stage}",
        one.engagement,
        party=one.who,
        why=one.words,
        moved=int(one.stage is Stage.SENT),
        stands_out=one.stage is Stage.OVERDUE,
        due=one.stage is not Stage.SENT,
        of=one.regime,
    )


def _of_entry(row: Entry, now: datetime) -> Iterable[Dated]:
    """A row's due day, and the day on which it ends."""
    if row.due:
        late = row.done is None and row.due < now.astimezone(UTC).date()
        yield _day(row, row.due, What.ENTRY_DUE, due=row.done is None, stands_out=late)
    if row.until:
        yield _day(row, row.until, What.ENTRY_ENDS)


def _day(
    row: Entry, day: date, what: What, *, due: bool = False, stands_out: bool = False
) -> Dated:
    return Dated(
        f"entry/{row.org}/{row.id}/{what}",
        datetime.combine(day, time(), UTC),
        what,
        f"{WORDS[what]}: {row.title}",
        whole_day=True,
        due=due,
        stands_out=stands_out,
    )
