"""The vocabulary of authorisation: who, what, on which thing. The rules themselves are Cedar text.

Individuals hold access, never organisations. Roles are data; an action and a kind of resource are
code, because each needs a use case that checks it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from leadline.core.marking import Marking, Tlp

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def microseconds(at: datetime) -> int:
    """Microseconds since 1970 in UTC, as rules and columns count time.

    Raises: TypeError, if *at* carries no offset.
    """
    return (at - EPOCH) // timedelta(microseconds=1)


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
    ARTEFACT_DEPOSIT = "artefact:deposit"
    ARTEFACT_READ = "artefact:read"
    ARTEFACT_UNSEAL = "artefact:unseal"
    ARTEFACT_PUBLISH = "artefact:publish"
    ARTEFACT_SHRED = "artefact:shred"
    KEY_ROTATE = "key:rotate"
    HOLD_PLACE = "hold:place"
    HOLD_LIFT = "hold:lift"
    PACK_SEAL = "pack:seal"
    PACK_READ = "pack:read"
    PACK_UNSEAL = "pack:unseal"
    PACK_RUN = "pack:run"
    PACK_REVEAL = "pack:reveal"
    PACK_ROTATE = "pack:rotate"
    SCORE_RELEASE = "score:release"
    ITEM_READ = "item:read"
    VERDICT_RECEIVE = "verdict:receive"
    PRINCIPAL_ENROL = "principal:enrol"
    PRINCIPAL_READ = "principal:read"
    PRINCIPAL_SUSPEND = "principal:suspend"
    PRINCIPAL_RESTORE = "principal:restore"
    PRINCIPAL_END = "principal:end"
    PRINCIPAL_RECOVER = "principal:recover"
    PRINCIPAL_APPOINT = "principal:appoint"
    ORGANISATION_FOUND = "organisation:found"
    DELEGATION_GIVE = "delegation:give"
    GRANT_GIVE = "grant:give"
    GRANT_END = "grant:end"
    CREDENTIAL_ISSUE = "credential:issue"
    CREDENTIAL_REVOKE = "credential:revoke"
    SESSION_LIST = "session:list"
    SESSION_REVOKE = "session:revoke"
    ACCESS_EXPLAIN = "access:explain"
    ALERT_READ = "alert:read"
    BACKUP_MAKE = "backup:make"
    LOG_SIGN = "log:sign"
    REGIME_ADD = "regime:add"
    WEIGHTS_REGISTER = "weights:register"
    SUBMISSION_OFFER = "submission:offer"
    INFORMATION_ASK = "information:ask"
    INFORMATION_ANSWER = "information:answer"
    MESSAGE_SEND = "message:send"
    RESULT_SEND = "result:send"
    RESULT_READ = "result:read"
    PARTNER_PROPOSE = "partner:propose"
    PARTNER_AGREE = "partner:agree"
    PARTNER_END = "partner:end"
    PARTNER_USE = "partner:use"
    DETERMINATION_CONCUR = "determination:concur"
    OFFICIAL_RECUSE = "official:recuse"
    RESPONSE_MAKE = "response:make"
    RECONSIDERATION_ANSWER = "reconsideration:answer"
    INCIDENT_REPORT = "incident:report"
    INCIDENT_READ = "incident:read"
    REPORT_SEND = "report:send"
    ENTRY_WRITE = "entry:write"
    ENTRY_READ = "entry:read"
    CONCERN_RAISE = "concern:raise"
    CONCERN_READ = "concern:read"
    CONCERN_ANSWER = "concern:answer"
    EXPORT_MAKE = "export:make"
    REFERRAL_MAKE = "referral:make"
    JOINT_EXCHANGE = "joint:exchange"
    FINDING_SUBMIT = "finding:submit"
    FINDING_READ = "finding:read"
    FINDING_WITHDRAW = "finding:withdraw"
    FINDING_ANSWER = "finding:answer"
    EVIDENCE_JUDGE = "evidence:judge"
    PROJECT_WRITE = "project:write"
    PROJECT_READ = "project:read"
    CASE_OPEN = "case:open"
    CASE_READ = "case:read"
    CASE_COORDINATE = "case:coordinate"
    CASE_STATE = "case:state"
    CASE_RELAY = "case:relay"
    DRAFT_SEND = "draft:send"
    FIX_PROPOSE = "fix:propose"
    PRIORITY_SET = "priority:set"
    LEASE_TAKE = "lease:take"
    LEASE_READ = "lease:read"
    OPERATOR_ENROL = "operator:enrol"
    OPERATOR_READ = "operator:read"
    OPERATOR_VET = "operator:vet"
    INVENTORY_GIVE = "inventory:give"
    INVENTORY_READ = "inventory:read"
    NOTICE_READ = "notice:read"
    NOTICE_ANSWER = "notice:answer"
    ADVISORY_PUBLISH = "advisory:publish"
    FAIRNESS_READ = "fairness:read"


@dataclass(frozen=True, slots=True)
class Principal:
    """A person or worker. *engagements* and *cases* are those whose content it needs to know.

    *clearance* counts from 0, which is none; a thing of level n needs a clearance of n or more.
    """

    id: str
    name: str
    org: str
    roles: frozenset[str]
    engagements: frozenset[str] = frozenset()
    compartments: frozenset[str] = frozenset()
    suspended: bool = False
    access_until: datetime | None = None  # None only for workers of this installation
    cases: frozenset[str] = frozenset()
    clearance: int = 0


@dataclass(frozen=True, slots=True)
class Resource:
    """The thing an action touches, with every attribute that rules read."""

    kind: str  # one of `leadline.formats.roles_toml.RESOURCE_KINDS`
    id: str
    engagement: str = ""
    org: str = ""  # the developer whose engagement it is
    marking: Marking = field(default_factory=lambda: Marking(Tlp.AMBER_STRICT))
    case: str = ""
    level: int = 0  # the clearance that content of this thing needs
    embargo_until: datetime | None = None
    owner: str = ""  # the person that a session, credential or principal belongs to


@dataclass(frozen=True, slots=True)
class Bounds:
    """What narrows who may see a stored value, beside its engagement, developer and marking."""

    case: str = ""
    level: int = 0
    embargo_until: datetime | None = None
    owner: str = ""


UNBOUND = Bounds()
OUTER = "/outer"  # behind the name of a case: that part of it which whoever needs no content is named for


@dataclass(frozen=True, slots=True)
class Tenancy:
    """Whose rows a connection may touch at all: the second wall, below the access rules.

    It is wider than the rules and knows nothing of actions. *labels* are the TLP labels under which
    this person may see things of others.
    """

    person: str
    org: str
    engagements: frozenset[str] = frozenset()
    cases: frozenset[str] = frozenset()
    clearance: int = 0
    labels: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What this installation itself established about a request; nothing of it comes from the caller.

    *approvers* are persons other than the requester whose verified approvals cover this very act,
    *asserted* says that the requester's own fresh assertion does, *proved* that the act it rests on
    has an inclusion proof. *assurance*: 1 one factor, 2 two factors, 3 phishing-resistant.
    *suspended* holds ``org:<id>``, ``compartment:<name>`` and ``engagement:<id>``.
    """

    now: datetime
    approvers: frozenset[str] = frozenset()
    asserted: bool = False
    proved: bool = False
    assurance: int = 1
    suspended: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Decision:
    """An answer with its grounds: *rules* are the ids of the rules that decided."""

    allowed: bool
    rules: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision laid open. *changes* are the smallest sets of changes of which each would allow it."""

    decision: Decision
    reasons: Mapping[str, str]
    roles: tuple[str, ...]
    changes: tuple[tuple[str, ...], ...]
