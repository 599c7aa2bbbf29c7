"""The vocabulary of authorisation: who, what, on which thing. The rules themselves are Cedar text.

Individuals hold access, never organisations. Roles are data; an action and a kind of resource are
code, because each needs a use case that checks it.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from leadline.core.marking import Marking, Tlp


class Action(StrEnum):
    """``noun:verb``; every use case in `leadline.app` begins by requiring one."""

    INQUIRY_LODGE = "inquiry:lodge"
    INQUIRY_ANSWER = "inquiry:answer"
    ANCHOR_SET = "anchor:set"
    TERMS_AGREE = "terms:agree"
    ACCESS_OPEN = "access:open"
    ACCESS_END = "access:end"
    ENGAGEMENT_READ = "engagement:read"
    ENGAGEMENT_END = "engagement:end"
    ENGAGEMENT_WITHDRAW = "engagement:withdraw"
    ASSESSMENT_PLAN = "assessment:plan"
    ASSESSMENT_RUN = "assessment:run"
    ASSESSMENT_READ = "assessment:read"
    EVIDENCE_SEAL = "evidence:seal"
    FINDING_RECORD = "finding:record"
    FINDING_REPLAY = "finding:replay"
    GROUP_PROPOSE = "group:propose"
    ADVISORY_DRAFT = "advisory:draft"
    NOTICE_ISSUE = "notice:issue"
    DETERMINATION_RECORD = "determination:record"
    RECORD_READ = "record:read"


@dataclass(frozen=True, slots=True)
class Principal:
    """A person or worker. *engagements* are those whose content it needs to know."""

    id: str
    name: str
    org: str
    roles: frozenset[str]
    engagements: frozenset[str] = frozenset()
    compartments: frozenset[str] = frozenset()
    suspended: bool = False
    access_until: datetime | None = None  # None only for workers of this installation


@dataclass(frozen=True, slots=True)
class Resource:
    """The thing an action touches, with every attribute that rules read."""

    kind: str  # "engagement", "assessment", "finding", "advisory", "notice", "determination", "record"
    id: str
    engagement: str = ""
    org: str = ""  # the developer whose engagement it is
    marking: Marking = field(default_factory=lambda: Marking(Tlp.AMBER_STRICT))


@dataclass(frozen=True, slots=True)
class Decision:
    """An answer with its grounds: *rules* are the ids of the rules that decided."""

    allowed: bool
    rules: tuple[str, ...]
    reason: str
