"""Which acts need somebody's attention: from an act to an event, and to nobody's name.

An event says which thing it is about and whose business that is. Who these people are is asked of the
access rules when it is delivered, so that nobody is told of what they may not know. It carries no words
from the act: what is told stands in the inbox, where whoever reads it is signed in.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from leadline.core.record.act import Act, Kind


class Of(StrEnum):
    """What kind of thing an event is about, and so who is asked whether they may know of it."""

    ENGAGEMENT = "engagement"
    CASE = "case"
    FINDING = "finding"
    NOTICE = "notice"
    CONCERN = "concern"
    PERSON = "person"
    REQUEST = "request"


class Channel(StrEnum):
    """How somebody is told, beside the inbox."""

    MAIL = "mail"
    WEBHOOK = "webhook"


class Rhythm(StrEnum):
    """How often somebody wants mail."""

    EACH = "each"
    DAILY = "daily"
    NEVER = "never"


WORDS: Mapping[Of, Mapping[Kind, str]] = {
    Of.ENGAGEMENT: {
        Kind.INQUIRY_LODGED: "A question came in",
        Kind.INQUIRY_ANSWERED: "A question was answered",
        Kind.ANCHOR_SET: "The planned first release to a partner has a date",
        Kind.TERMS_AGREED: "A party agreed to terms",
        Kind.ACCESS_OPENED: "Government access opened",
        Kind.ACCESS_EXTENDED: "Government access ends later",
        Kind.ACCESS_ENDED: "Government access ended",
        Kind.SUBMISSION_OFFERED: "A submission was offered",
        Kind.INFORMATION_ASKED: "Information is asked for",
        Kind.INFORMATION_ANSWERED: "Information was given",
        Kind.MESSAGE_SENT: "A message came",
        Kind.RUN_STOPPED: "A run was stopped",
        Kind.ASSESSMENT_FINISHED: "An assessment is finished",
        Kind.DETERMINATION_PROPOSED: "A determination is proposed",
        Kind.DETERMINATION_RECORDED: "A determination was recorded",
        Kind.DETERMINATION_CORRECTED: "A determination was corrected",
        Kind.RESPONSE_MADE: "The developer responded",
        Kind.RECONSIDERATION_ASKED: "Somebody asks to look again",
        Kind.RECONSIDERATION_ANSWERED: "A question to look again was answered",
        Kind.RESULT_SENT: "A result was sent",
        Kind.INCIDENT_REPORTED: "An incident was reported",
        Kind.PARTNER_PROPOSED: "A partner is proposed",
        Kind.PARTNER_AGREED: "A partner was agreed",
        Kind.MATERIAL_SHREDDED: "Material was destroyed",
        Kind.ENGAGEMENT_ENDED: "An engagement ended",
        Kind.ENGAGEMENT_WITHDRAWN: "The developer withdrew",
    },
    Of.CASE: {
        Kind.CASE_MOVED: "A case moved on",
        Kind.PARTICIPANT_ADDED: "Somebody joined a case",
        Kind.STATUS_STATED: "A party said where it stands",
        Kind.EMBARGO_PROPOSED: "A date is proposed",
        Kind.EMBARGO_ANSWERED: "A proposed date was answered",
        Kind.EMBARGO_REVISED: "A date changed",
        Kind.EMBARGO_ENDED: "A case may be known",
        Kind.CLOCK_FELL_DUE: "A date came",
        Kind.FIX_PROPOSED: "A fix is proposed",
        Kind.FIX_TESTED: "A fix was tried",
        Kind.CASE_CLOSED: "A case was closed",
    },
    Of.FINDING: {
        Kind.FINDING_ANSWERED: "A report was answered",
        Kind.FINDING_MOVED: "A report moved on",
    },
    Of.NOTICE: {
        Kind.NOTICE_SENT: "A notice came",
        Kind.NOTICE_CORRECTED: "A notice was corrected",
    },
    Of.CONCERN: {Kind.CONCERN_ANSWERED: "A concern was answered"},
    Of.PERSON: {
        Kind.GRANT_GIVEN: "You were given access",
        Kind.GRANT_ENDED: "Access of yours ended",
        Kind.RECOVERY_BEGUN: "Somebody began to recover your account; call it off if it was not you",
        Kind.RECOVERY_USED: "Your account began anew by a recovery",
        Kind.KEY_REGISTERED: "A key was added to your account",
        Kind.KEY_ENDED: "A key of your account was ended",
        Kind.PRINCIPAL_ENROLLED: "An account was made for you",
        Kind.PRINCIPAL_ENDED: "Your account was ended",
        Kind.PRINCIPAL_APPOINTED: "You look after your organisation's accounts now",
        Kind.PRINCIPAL_DISMISSED: "You no longer look after your organisation's accounts",
        Kind.DELEGATION_GIVEN: "Somebody asks you to act for them for a while",
        Kind.DELEGATION_ENDED: "What you did for somebody else has ended",
        Kind.CREDENTIAL_ISSUED: "A credential was made for your account",
        Kind.SESSION_REVOKED: "A session of yours was ended",
    },
    Of.REQUEST: {Kind.APPROVAL_ASKED: "Your signature is asked for"},
}
# What those who look after an organisation's accounts hear of its people, each from the others.
OVERSEEN: Mapping[Kind, str] = {
    Kind.RECOVERY_BEGUN: "Somebody began to recover an account of your organisation; call it off if in doubt",
    Kind.RECOVERY_USED: "An account of your organisation began anew by a recovery",
    Kind.PRINCIPAL_ENROLLED: "A person was entered in your organisation",
    Kind.PRINCIPAL_ENDED: "An account of your organisation was ended",
    Kind.PRINCIPAL_APPOINTED: "Your organisation has another account administrator",
    Kind.PRINCIPAL_DISMISSED: "Your organisation has one account administrator less",
    Kind.DELEGATION_GIVEN: "An account administrator of your organisation named a delegate",
}
URGENT = frozenset({Kind.RECOVERY_BEGUN})
_OF: Mapping[Kind, Of] = {kind: of for of, kinds in WORDS.items() for kind in kinds}
EVENTFUL = frozenset(_OF)  # acts of any other kind have no event
# Acts about a case name it in their detail where they are about something else of it.
_CASE = "case"
BACK_OFF_FIRST, BACK_OFF_MAX = timedelta(minutes=1), timedelta(hours=4)
PARKED_AFTER = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Event:
    """That something happened to one thing. *act* is the act's id; *actor* is not told of it."""

    act: str
    kind: Kind
    of: Of
    thing: str
    actor: str
    at: datetime

    @property
    def words(self) -> str:
        """What the inbox says of it, where whoever reads it is signed in."""
        return WORDS[self.of][self.kind]


def event(act: Act) -> Event | None:
    """The event of an act; None, where nobody's attention is needed."""
    of = _OF.get(act.kind)
    if of is None:
        return None
    thing = act.about
    if of is Of.ENGAGEMENT:
        thing = act.engagement
    elif of is Of.CASE:
        thing = str(act.detail.get(_CASE) or act.about)
    elif of is Of.PERSON:
        thing = str(act.detail.get("holder") or act.about.removeprefix("principal/"))
    elif of is Of.REQUEST:
        thing = str(act.detail.get("request") or act.about)
    return Event(act.id, act.kind, of, thing, act.actor, act.at) if thing else None


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of a person's inbox. *told* says by which channel it was delivered, and when."""

    id: str
    person: str
    event: Event
    leaf: int
    read: datetime | None = None
    told: tuple[tuple[str, datetime], ...] = ()

    @property
    def words(self) -> str:
        """What the inbox says of it to this very person."""
        of_another = self.event.of is Of.PERSON and self.event.thing != self.person
        return OVERSEEN[self.event.kind] if of_another else self.event.words


@dataclass(frozen=True, slots=True)
class Sending:
    """A delivery that is still to be made: one for each event, person and channel.

    *due* is when it is tried next. Parked ones are tried no more until somebody asks for it.
    """

    item: str
    person: str
    thing: str
    channel: Channel
    since: datetime
    due: datetime
    attempts: int = 0
    parked: bool = False
    problem: str = ""

    @property
    def id(self) -> str:
        """The key of the delivery; a receiver that sees it twice takes it once."""
        return f"{self.item}/{self.channel}"

    def failed(self, now: datetime, problem: str) -> "Sending":
        """After a try that did not get through: later and later, and after a day no more."""
        wait = min(BACK_OFF_FIRST * 2 ** min(self.attempts, 16), BACK_OFF_MAX)
        parked = now + wait > self.since + PARKED_AFTER
        return replace(
            self, attempts=self.attempts + 1, due=now + wait, parked=parked, problem=problem[:200]
        )


@dataclass(frozen=True, slots=True)
class Wish:
    """How a person wants to be told beside the inbox. An empty address or URL is none.

    *generation* counts the keys that webhooks are signed with: the newest and the one before count.
    """

    person: str
    mail: str = ""
    rhythm: Rhythm = Rhythm.NEVER
    webhook: str = ""
    generation: int = 1

    def channels(self, kind: Kind | None = None) -> tuple[Channel, ...]:
        """By which channels this person is told; of a recovery by all that are known."""
        wanted = self.rhythm is not Rhythm.NEVER or kind in URGENT
        mail = (Channel.MAIL,) if self.mail and wanted else ()
        return (*mail, *((Channel.WEBHOOK,) if self.webhook else ()))

    def due(self, channel: Channel, now: datetime, kind: Kind | None = None) -> datetime:
        """When something that happens now is to be told."""
        if channel is Channel.WEBHOOK or self.rhythm is Rhythm.EACH or kind in URGENT:
            return now
        morning = now.replace(hour=7, minute=0, second=0, microsecond=0)
        return morning if now <= morning else morning + timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Reached:
    """Up to which leaf of the log acts became items."""

    leaf: int


@dataclass(frozen=True, slots=True)
class Feed:
    """A calendar that one person subscribed to by an unguessable address, which can be revoked.

    *shown* are ids, times and counts of moves as last handed out, so that what vanishes is called off.
    """

    person: str
    made: datetime
    shown: tuple[tuple[str, datetime, int], ...] = ()
