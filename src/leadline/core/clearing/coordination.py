"""What may be done in a case as it stands: each function answers the detail of the act, or refuses.

Nothing here decides about a flaw or a fix. It keeps the three machines of `case` in order, and refuses
what would bend a date: a proposal once something is public, a change without a reason, a longer time
than the disclosure policy gives.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from leadline.core.clearing.case import FOLLOWS, JUSTIFICATIONS, Participant, Standing
from leadline.core.clearing.case_file import words
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
)
from leadline.core.clearing.disclosure import (
    ENDS_SECRECY,
    OF_PARTIES,
    PUBLISHING,
    Disclosure,
    Due,
    due_of,
)
from leadline.core.errors import Invalid, Refused
from leadline.core.record.act import Value, instant

Detail = dict[str, Value]
WITNESSED = frozenset(
    {Move.ELSEWHERE, Move.PUBLIC_FIX, Move.EXPLOIT, Move.ATTACKS, Move.REDISCOVERED}
)
OF_A_PROJECT = frozenset({Move.PAUSED, Move.RESUMED, Move.RUN_ON})
REASONED = frozenset({Move.PAUSED, Move.RUN_ON, Move.EXTENDED})
_SHA256 = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Stated:
    """What a party says of itself; None where it says nothing about it."""

    report: Report | None = None
    fix: FixState | None = None
    affected: Affected | None = None
    justification: str = ""


@dataclass(frozen=True, slots=True)
class Moved:
    """How somebody wants to move the case. *evidence* is a digest, *since* when it was first so.

    *clock* and *until* are for a longer time, *consents* for attacks during which only the mitigation
    is told: everybody whom the embargo binds.
    """

    move: Move
    evidence: str = ""
    since: datetime | None = None
    reason: str = ""
    party: str = ""
    clock: Clock | None = None
    until: datetime | None = None
    consents: tuple[str, ...] = ()


def check_open(stands: Standing) -> None:
    """Return if the case was not closed.

    Raises: Refused.
    """
    if stands.closed_at is not None:
        raise Refused(f"{stands.id} was closed {instant(stands.closed_at)}; open a new one")


def stated(stands: Standing, party: str, said: Stated) -> Detail:
    """A party states where it is.

    Raises: NotFound; Invalid, for nothing said, or a justification that is no code of the standard;
    Refused, for a step that the machine does not have.
    """
    held = stands.participant(party)
    if said == Stated():
        raise Invalid("report", "say at least one of report, fix and affected")
    detail: dict[str, Value] = {"party": party}
    if said.report is not None:
        _check_step(held, said.report)
        detail["report"] = said.report.value
    if said.fix is not None:
        _check_fix(held, said.fix)
        detail["fix"] = said.fix.value
    return detail | _affected(held, said)


def _check_step(held: Participant, report: Report) -> None:
    # Whoever states anything has received the report, so the first step need not be said.
    start = Report.RECEIVED if held.report is Report.START else held.report
    if report not in FOLLOWS[start] | {start}:
        after = ", ".join(sorted(one.value for one in FOLLOWS[start])) or "nothing"
        raise Refused(f"after {start.value} comes {after}, not {report.value}")


def _check_fix(held: Participant, fix: FixState) -> None:
    if not held.vendor:
        raise Refused(f"a {held.role.value} has no fix of its own; its vendor states it")
    if fix is FixState.DEPLOYED and held.fix is FixState.NONE:
        raise Refused("a fix is ready before it is deployed; state that first")


def _affected(held: Participant, said: Stated) -> Detail:
    if said.affected is None:
        if said.justification:
            raise Invalid("justification", "is for a product that is not affected; say so with it")
        return {}
    if not held.vendor:
        raise Refused(f"a {held.role.value} has no products here")
    if said.affected in {Affected.UNSAID, Affected.CLAIMED}:
        raise Invalid("affected", "give affected, not affected or unknown")
    if said.justification and said.justification not in JUSTIFICATIONS:
        known = ", ".join(JUSTIFICATIONS)
        raise Invalid("justification", f"{said.justification!r:.80} is none of {known}")
    if said.justification and said.affected is not Affected.NOT_AFFECTED:
        raise Invalid("justification", "is for a product that is not affected")
    return {"affected": said.affected.value, "justification": said.justification}


def bound(stands: Standing, now: datetime) -> datetime | None:
    """The last moment that the disclosure policy's own clocks leave to an agreed date."""
    wanted = ENDS_SECRECY - {Clock.AGREED}
    found = due_of(stands.facts, stands.policies, now)
    return min((one.at for one in found if one.clock in wanted and one.at), default=None)


def chosen(stands: Standing, policy: Disclosure, reason: str, now: datetime) -> Detail:
    """The parties change the disclosure policy of a case.

    Raises: Invalid, without a reason; Refused, once it is secret no more or closed, for the one it has,
    or for one without embargo while a date is agreed or proposed.
    """
    check_open(stands)
    if not stands.embargoed(now):
        raise Refused(f"{stands.id} is secret no more: no disclosure policy changes that")
    if policy.digest == stands.disclosure.digest:
        raise Refused(f"{policy.id} governs already")
    if not policy.embargo and stands.terms.state is not Embargo.NONE:
        raise Refused(f"{policy.id} has no embargo; end the one there is first")
    why = words(reason, "reason")
    return {"disclosure": policy.id, "digest": policy.digest, "reason": why}


def check_embargo(stands: Standing) -> None:
    """Return if there can be an embargo here at all.

    Raises: Refused, naming the act that made it public, or the disclosure policy that has none.
    """
    check_open(stands)
    if not stands.disclosure.embargo:
        raise Refused(f"{stands.policy} has no embargo; what it governs is public")
    public = stands.facts.public
    if public is not None:
        raise Refused(f"public since {instant(public.at)} by {public.act}: nothing keeps it secret")
    attacks = stands.facts.firsts.get(Move.ATTACKS)
    if attacks is not None:
        raise Refused(f"attacks are known since {instant(attacks.at)} by {attacks.act}")
    if stands.terms.state is Embargo.EXITED:
        ended = stands.terms.ended
        raise Refused(f"the embargo ended {instant(ended) if ended else ''}: {stands.terms.cause}")


def proposed(
    stands: Standing, by: str, until: datetime, asked: Sequence[str], reason: str, now: datetime
) -> Detail:
    """A party proposes a date; a change of an agreed one needs a reason.

    Without *asked* every owner and finder is asked. Whoever proposes accepts.

    Raises: NotFound; Invalid, for a date without zone or a change without reason; Refused, where there
    can be no embargo, the agreed date is over, or the disclosure policy ends it earlier.
    """
    proposer = stands.participant(by)
    check_embargo(stands)
    if until.tzinfo is None:
        raise Invalid("until", "a date needs an hour and a zone, such as 2027-03-01T12:00+01:00")
    if until <= now:
        raise Invalid("until", "give a moment to come; an embargo is ended by its own command")
    state, last = stands.embargo(now), bound(stands, now)
    if state is Embargo.EXITED or not stands.embargoed(now):
        raise Refused("the date has come: nothing keeps it secret any more")
    if last is not None and until > last:
        raise Refused(f"{stands.policy} keeps it secret until {instant(last)} at the latest")
    agreed = state in {Embargo.ACTIVE, Embargo.REVISE}
    if agreed and not reason.strip():
        raise Invalid("reason", "a date is changed with a reason; say why")
    wanted = tuple(asked) or _everybody(stands, proposer, agreed=agreed)
    for one in wanted:
        stands.participant(one)
    others = tuple(one for one in dict.fromkeys(wanted) if one != by)
    if not others:
        raise Refused("there is nobody to agree with; add a party, or name whom to ask")
    detail: dict[str, Value] = {"party": by, "until": instant(until), "asked": others}
    return detail | {"reason": words(reason, "reason") if reason.strip() else ""}


def _everybody(stands: Standing, proposer: Participant, *, agreed: bool) -> tuple[str, ...]:
    if agreed:
        return tuple(one.id for one in stands.present if one.id in stands.terms.parties)
    roles = {Role.OWNER, Role.FINDER}
    found = [one.id for one in stands.present if one.role in roles]
    return tuple(one for one in found if one != proposer.id)


def answered(
    stands: Standing, party: str, answer: Answer, until: datetime | None, now: datetime
) -> Detail:
    """A party answers what is proposed; with *until* it accepts an earlier date.

    Raises: NotFound; Refused, if nothing is proposed, it was not asked, or the date has come by now;
    Invalid, for a date that is later, over, or has no zone.
    """
    stands.participant(party)
    check_embargo(stands)
    held = stands.terms.proposal
    if held is None:
        raise Refused("no date is proposed")
    if party not in held.asked:
        raise Refused("this party was not asked; whoever proposes names it")
    if until is not None and until.tzinfo is None:
        raise Invalid("until", "a date needs an hour and a zone, such as 2027-03-01T12:00+01:00")
    if until is not None and (until > held.until or answer is Answer.DECLINE):
        raise Invalid("until", "accept with an earlier date, or propose another one")
    if until is not None and until <= now:
        raise Invalid("until", "give a moment to come; an embargo is ended by its own command")
    if answer is Answer.ACCEPT and (held.shortest <= now or not stands.embargoed(now)):
        raise Refused("the date has come while it was waited for; propose another one")
    detail: dict[str, Value] = {"party": party, "proposal": held.id, "answer": answer.value}
    return detail | ({"until": instant(until)} if until else {})


def agreed(stands: Standing) -> Detail | None:
    """What an embargo begins or goes on with, once everybody who was asked accepts; else None.

    The shortest of the dates governs.
    """
    held = stands.terms.proposal
    if held is None or not held.accepted:
        return None
    parties = tuple(dict.fromkeys((*stands.terms.parties, held.by, *held.asked)))
    detail: dict[str, Value] = {"proposal": held.id, "until": instant(held.shortest)}
    return detail | {"parties": parties, "reason": held.reason}


def ended(stands: Standing, agrees: Collection[str]) -> Detail:
    """The embargo ends because everybody agrees.

    Raises: Refused, if there is none, or naming who did not agree.
    """
    check_embargo(stands)
    if stands.terms.state not in {Embargo.ACTIVE, Embargo.REVISE}:
        raise Refused("no date is agreed; the disclosure policy alone keeps it secret")
    here = {one.id for one in stands.present}
    missing = [one for one in stands.terms.parties if one not in agrees and one in here]
    if missing:
        raise Refused(f"these parties did not agree: {', '.join(missing)}")
    return {"cause": End.ALL_AGREE.value, "agreed": tuple(sorted(agrees))}


def moved(stands: Standing, asked: Moved, now: datetime) -> Detail:
    """Somebody moves the case: something became public, was exploited, found again, or a clock changes.

    Raises: Invalid, naming the field; NotFound, for a party; Refused, where it is so already, or may
    not be so yet.
    """
    move = asked.move
    detail: dict[str, Value] = {"move": move.value}
    if move in WITNESSED and not _SHA256.fullmatch(asked.evidence):
        raise Invalid("evidence", "give what shows it: a file, or the SHA-256 of one")
    if asked.evidence:
        detail["evidence"] = asked.evidence
    if asked.since is not None:
        if asked.since.tzinfo is None or asked.since > now:
            raise Invalid("since", "give a moment that has been, with its offset")
        detail["since"] = instant(asked.since)
    if asked.reason or move in REASONED:
        detail["reason"] = words(asked.reason, "reason")
    if asked.party:
        detail["party"] = stands.participant(asked.party).id
    if move in PUBLISHING or move in {Move.ATTACKS, Move.FIX_OUT}:
        return detail | _happened(stands, asked)
    if move is Move.EXTENDED:
        return detail | extended(stands, asked, now)
    if move in OF_A_PROJECT:
        return detail | _project(stands, asked)
    return detail | _told(stands, move, now)


def _happened(stands: Standing, asked: Moved) -> Detail:
    if asked.move in stands.facts.firsts:
        before = stands.facts.firsts[asked.move]
        raise Refused(f"that is on record since {instant(before.at)} by {before.act}")
    if not asked.consents:
        return {}
    running = stands.terms.state in {Embargo.ACTIVE, Embargo.REVISE}
    if asked.move is not Move.ATTACKS or not running:
        raise Refused("only during attacks, under an agreed embargo, is the mitigation told alone")
    missing = [one for one in stands.terms.parties if one not in asked.consents]
    if missing:
        raise Refused(f"these parties did not consent: {', '.join(missing)}")
    return {"mitigation_only": True, "consents": asked.consents}


def _project(stands: Standing, asked: Moved) -> Detail:
    if not stands.participant(asked.party).vendor:
        raise Refused("only the clocks of a vendor stand still")
    if asked.until is None:
        return {}
    if asked.until.tzinfo is None:
        raise Invalid("until", "a moment needs its offset")
    return {"until": instant(asked.until)}


def _told(stands: Standing, move: Move, now: datetime) -> Detail:
    facts, disclosure = stands.facts, stands.disclosure
    if move is Move.EXISTENCE and disclosure.term(Clock.EXISTENCE) is None:
        raise Refused(f"{stands.policy} does not announce that there is a case")
    if move is Move.DETAILS:
        if facts.public is None:
            raise Refused("details come after publication")
        waits = [one for one in stands.clocks(now) if one.clock is Clock.DETAILS]
        running = [one.at for one in waits if one.state is Running.RUNNING and one.at]
        known = {Move.EXPLOIT, Move.ELSEWHERE} & set(facts.firsts)
        if running and not known:
            raise Refused(f"{stands.policy} tells details from {instant(running[0])}")
    if move is not Move.REDISCOVERED and move in facts.firsts:
        raise Refused(f"that is on record by {facts.firsts[move].act}")
    return {}


def extended(stands: Standing, asked: Moved, now: datetime) -> Detail:
    """A clock gets longer, by its disclosure policy's own measure.

    Raises: Invalid, naming the field; Refused, if it does not run, or its text does not allow it.
    """
    clock, until = asked.clock, asked.until
    if clock is None or clock is Clock.AGREED:
        raise Invalid("clock", "name a clock of the disclosure policy; a date is agreed anew")
    if (clock in OF_PARTIES) != bool(asked.party):
        raise Invalid("party", "name the party whose clock it is, and none for one of the case")
    if until is None or until.tzinfo is None:
        raise Invalid("until", "a date needs an hour and a zone, such as 2027-03-01T12:00+01:00")
    runs = _running(stands, clock, asked.party, now)
    term = stands.disclosure.term(clock)
    if term is None or not term.extend:
        raise Refused(f"{stands.policy} does not make this clock longer")
    if runs.extended:
        raise Refused(f"it was made longer already, by {runs.extended[-1]}")
    most = runs.at + timedelta(days=term.extend) if runs.at else until
    if runs.at is None or not runs.at < until <= most:
        raise Refused(f"{stands.policy} makes it longer until {instant(most)} at the latest")
    if term.engaged and stands.participant(asked.party).report not in {
        Report.VALID,
        Report.ACCEPTED,
    }:
        raise Refused("it is made longer for a party that works on it; it has not said so")
    return {"clock": clock.value, "until": instant(until)}


def _running(stands: Standing, clock: Clock, party: str, now: datetime) -> Due:
    for one in stands.clocks(now):
        if (one.clock, one.party) == (clock, party):
            if one.state is not Running.RUNNING:
                raise Refused(f"the clock does not run: {one.state.value}")
            return one
    raise Refused("the clock has not begun")


def rediscovery(stands: Standing, now: datetime) -> datetime | None:
    """The earlier date that independent rediscovery proposes, if it does; it never takes effect itself."""
    policy = stands.disclosure
    # The first finder is none of those who found it again.
    enough = policy.rediscovered and stands.count(Move.REDISCOVERED) + 1 >= policy.rediscovered
    secret = policy.embargo and stands.facts.public is None and stands.embargoed(now)
    if not enough or not secret or stands.terms.state is Embargo.EXITED:
        return None
    until, last = now + timedelta(days=policy.shorten_days), stands.public_at
    return until if last is None or until < last else None


def credited(stands: Standing, party: str, shared: bool) -> Detail:  # noqa: FBT001 -- a fact
    """Whom a coordinator names, once and for all.

    Raises: NotFound; Refused, if it was decided, or the party found nothing.
    """
    held = stands.participant(party)
    if held.role is not Role.FINDER:
        raise Refused("credit goes to a finder")
    before = next((one for one in stands.credits if one.party == party), None)
    if before is not None:
        raise Refused(f"decided {instant(before.at)}; credit is not changed afterwards")
    return {"party": party, "shared": shared}


def removed(stands: Standing, party: str, reason: str) -> Detail:
    """A party leaves the case.

    Raises: NotFound; Invalid, without a reason; Refused, for the last coordinator.
    """
    held = stands.participant(party)
    coordinators = [one for one in stands.present if one.role is Role.COORDINATOR]
    if held.role is Role.COORDINATOR and len(coordinators) == 1:
        raise Refused("the last coordinator stays; add another one first")
    return {"party": party, "reason": words(reason, "reason")}


def closed(stands: Standing, reason: str, now: datetime) -> Detail:
    """The case is closed: it is public, or no vendor has anything left to do.

    Raises: Invalid, without a reason; Refused, naming who is not done.
    """
    check_open(stands)
    done = {Report.CLOSED, Report.INVALID}
    left = [one.id for one in stands.present if one.vendor and one.report not in done]
    if stands.embargoed(now) and left:
        raise Refused(f"it is secret still, and these vendors are not done: {', '.join(left)}")
    return {"reason": words(reason, "reason")}
