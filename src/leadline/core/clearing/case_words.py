"""The closed vocabularies of a case: its clocks, parts, moves and states; needs nothing else."""

from enum import StrEnum


class Clock(StrEnum):
    """What runs. The first three run for each party by itself, the others for the whole case."""

    ACKNOWLEDGE = "acknowledge"
    SILENCE = "silence"
    DISCLOSURE = "disclosure"
    EXPLOITED = "exploited"
    STAGE = "stage"
    EXISTENCE = "existence"
    DETAILS = "details"
    AGREED = "agreed"


class Start(StrEnum):
    """What a clock counts from."""

    CASE = "case"
    REPORT = "report"
    HANDOVER = "handover"
    EXPLOITATION = "exploitation"
    FIX = "fix"


class End(StrEnum):
    """What ends an embargo before its date."""

    PUBLIC_ELSEWHERE = "public-elsewhere"
    PUBLIC_FIX = "public-fix"
    EXPLOITED = "exploited"
    ALL_AGREE = "all-agree"


class OnFix(StrEnum):
    """What a released fix does to a clock: nothing, it falls due with it, or it is met by it."""

    NOTHING = "nothing"
    DUE = "due"
    MET = "met"


class Role(StrEnum):
    """In which part somebody takes part in a case. Operators are no participants: they get notices."""

    FINDER = "finder"
    OWNER = "owner"
    UPSTREAM = "upstream"
    DOWNSTREAM = "downstream"
    COORDINATOR = "coordinator"


class Move(StrEnum):
    """What a case can be moved by, apart from what parties state of themselves."""

    PUBLIC = "public"
    ELSEWHERE = "public-elsewhere"
    PUBLIC_FIX = "public-fix"
    EXPLOIT = "exploit-public"
    ATTACKS = "attacks"
    FIX_OUT = "fix-released"
    REDISCOVERED = "rediscovered"
    EXISTENCE = "existence-announced"
    DETAILS = "details-published"
    EXTENDED = "extended"
    PAUSED = "paused"
    RESUMED = "resumed"
    RUN_ON = "clocks-run-on"


class Running(StrEnum):
    """What has become of a clock. `PAUSED` has no date: it waits until somebody lets it run on."""

    RUNNING = "running"
    PAUSED = "paused"
    FELL_DUE = "fell due"
    MET = "met"


class Report(StrEnum):
    """Report management of one participant (Vultron RM)."""

    START = "start"
    RECEIVED = "received"
    INVALID = "invalid"
    VALID = "valid"
    DEFERRED = "deferred"
    ACCEPTED = "accepted"
    CLOSED = "closed"


class FixState(StrEnum):
    """How far one vendor's fix is (Vultron CS, the vendor's part)."""

    NONE = "none"
    READY = "ready"
    DEPLOYED = "deployed"


class Affected(StrEnum):
    """What one vendor says of its own products. A claim is not believed until it is justified."""

    UNSAID = "no answer"
    UNKNOWN = "unknown"
    AFFECTED = "affected"
    CLAIMED = "claims not to be affected, without justification"
    NOT_AFFECTED = "not affected"


class Embargo(StrEnum):
    """The embargo of a case (Vultron EM)."""

    NONE = "none"
    PROPOSED = "proposed"
    ACTIVE = "active"
    REVISE = "revise"
    EXITED = "exited"


class Answer(StrEnum):
    """What a party says to a proposed date."""

    ACCEPT = "accept"
    DECLINE = "refuse"


class Stage(StrEnum):
    """How far a case is, as the table of what each reader sees counts it."""

    CONFIRMED = "confirmed"
    FIX_IN_WORK = "fix in work"
    DATE_AGREED = "date agreed"
    PUBLISHED = "published"
    DETAILED = "details published"
