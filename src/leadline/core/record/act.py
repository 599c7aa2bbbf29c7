"""Acts: the closed set of official deeds, and the one encoding that the log commits to.

An act is written once and never changed; a mistake is corrected by a further act. Progress, retries,
page views and a lapsed clock are no acts. A kind is never edited, only added.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from leadline.core.errors import Invalid

VERSION = 1

Value = str | int | bool | None | tuple["Value", ...] | Mapping[str, "Value"]


class Kind(StrEnum):
    """``noun.past_participle``; the noun is what the act is about."""

    INQUIRY_LODGED = "inquiry.lodged"
    INQUIRY_ANSWERED = "inquiry.answered"
    ANCHOR_SET = "anchor.set"
    TERMS_AGREED = "terms.agreed"
    ACCESS_OPENED = "access.opened"
    ACCESS_EXTENDED = "access.extended"
    ACCESS_ENDED = "access.ended"
    ASSESSMENT_PLANNED = "assessment.planned"
    ISOLATION_PROVED = "isolation.proved"
    KILL_DRILLED = "kill.drilled"
    RUN_STOPPED = "run.stopped"
    RUN_THAWED = "run.thawed"
    SAMPLE_RETRIED = "sample.retried"
    SAMPLE_MARKED = "sample.marked"
    MARK_DISPUTED = "mark.disputed"
    MARK_WITHDRAWN = "mark.withdrawn"
    ASSESSMENT_STARTED = "assessment.started"
    CANARIES_JUDGED = "canaries.judged"
    SUBJECT_IDENTIFIED = "subject.identified"
    EVIDENCE_SEALED = "evidence.sealed"
    DECISION_ADVANCED = "decision.advanced"
    SEED_REVEALED = "seed.revealed"
    ASSESSMENT_FINISHED = "assessment.finished"
    FINDING_RECORDED = "finding.recorded"
    FINDING_REPLAYED = "finding.replayed"
    GROUP_PROPOSED = "group.proposed"
    ADVISORY_DRAFTED = "advisory.drafted"
    NOTICE_ISSUED = "notice.issued"
    DETERMINATION_RECORDED = "determination.recorded"
    ENGAGEMENT_ENDED = "engagement.ended"
    ENGAGEMENT_WITHDRAWN = "engagement.withdrawn"
    ACCESS_DENIED = "access.denied"
    ALERT_RAISED = "alert.raised"
    PRINCIPAL_ENROLLED = "principal.enrolled"
    PRINCIPAL_SUSPENDED = "principal.suspended"
    PRINCIPAL_RESTORED = "principal.restored"
    PRINCIPAL_RENEWED = "principal.renewed"
    PRINCIPAL_ENDED = "principal.ended"
    PRINCIPAL_APPOINTED = "principal.appointed"
    PRINCIPAL_DISMISSED = "principal.dismissed"
    ORGANISATION_FOUNDED = "organisation.founded"
    DELEGATION_GIVEN = "delegation.given"
    DELEGATION_ENDED = "delegation.ended"
    GRANT_GIVEN = "grant.given"
    GRANT_ENDED = "grant.ended"
    APPROVAL_ASKED = "approval.asked"
    APPROVAL_GIVEN = "approval.given"
    SIGNED_IN = "person.signed_in"
    SIGN_IN_REFUSED = "person.sign_in_refused"
    PERSON_INVITED = "person.invited"
    RECOVERY_BEGUN = "recovery.begun"
    RECOVERY_USED = "recovery.used"
    RECOVERY_CALLED_OFF = "recovery.called_off"
    SESSION_REVOKED = "session.revoked"
    KEY_REGISTERED = "key.registered"
    KEY_ENDED = "key.ended"
    CREDENTIAL_ISSUED = "credential.issued"
    CREDENTIAL_REVOKED = "credential.revoked"
    CREDENTIAL_REFUSED = "credential.refused"
    ARTEFACT_RECEIVED = "artefact.received"
    ARTEFACT_REFUSED = "artefact.refused"
    ARTEFACT_READ = "artefact.read"
    UNSEALING_AUTHORISED = "unsealing.authorised"
    ARTEFACT_UNSEALED = "artefact.unsealed"
    PUBLICATION_AUTHORISED = "publication.authorised"
    ARTEFACT_PUBLISHED = "artefact.published"
    PUBLICATION_REFUSED = "publication.refused"
    CUSTODY_ENTERED = "custody.entered"
    KEY_ROTATED = "key.rotated"
    MATERIAL_SHREDDED = "material.shredded"
    SHREDDING_REFUSED = "shredding.refused"
    HOLD_PLACED = "hold.placed"
    HOLD_LIFTED = "hold.lifted"
    BACKUP_MADE = "backup.made"
    BACKUP_CHECKED = "backup.checked"
    PACK_SEALED = "pack.sealed"
    PACK_COMMITTED = "pack.committed"
    PACK_UNSEALED = "pack.unsealed"
    PACK_ROTATED = "pack.rotated"
    ITEM_EXPOSED = "item.exposed"
    SCORE_RELEASED = "score.released"
    SCORE_REFUSED = "score.refused"
    PACK_REVEALED = "pack.revealed"
    SESSION_PREPARED = "run_session.prepared"
    VERDICT_SENT = "verdict.sent"
    VERDICT_RECEIVED = "verdict.received"
    VERDICT_REFUSED = "verdict.refused"
    LOG_SIGNING_REFUSED = "log.signing_refused"
    BUNDLE_REFUSED = "bundle.refused"
    REGIME_ADDED = "regime.added"
    WEIGHTS_REGISTERED = "weights.registered"
    SUBMISSION_OFFERED = "submission.offered"
    INFORMATION_ASKED = "information.asked"
    INFORMATION_ANSWERED = "information.answered"
    MESSAGE_SENT = "message.sent"
    RESULT_SENT = "result.sent"
    RESULT_READ = "result.read"
    RESULT_RECALLED = "result.recalled"
    USE_RECORDED = "use.recorded"
    USE_REFUSED = "use.refused"
    PARTNER_PROPOSED = "partner.proposed"
    PARTNER_AGREED = "partner.agreed"
    PARTNER_STAGE_OPENED = "partner.stage_opened"
    PARTNER_ENDED = "partner.ended"
    PARTNER_USED = "partner.used"
    DETERMINATION_PROPOSED = "determination.proposed"
    DETERMINATION_CONCURRED = "determination.concurred"
    DETERMINATION_DISSENTED = "determination.dissented"
    DETERMINATION_CORRECTED = "determination.corrected"
    OFFICIAL_RECUSED = "official.recused"
    RESPONSE_MADE = "response.made"
    RECONSIDERATION_ASKED = "reconsideration.asked"
    RECONSIDERATION_ANSWERED = "reconsideration.answered"
    INCIDENT_REPORTED = "incident.reported"
    INCIDENT_RESOLVED = "incident.resolved"
    EVENT_RECORDED = "event.recorded"
    REPORT_DRAFTED = "report.drafted"
    REPORT_SENT = "report.sent"
    ENTRY_WRITTEN = "entry.written"
    ENTRY_EVIDENCED = "entry.evidenced"
    ENTRY_ENDED = "entry.ended"
    CONCERN_RAISED = "concern.raised"
    CONCERN_ANSWERED = "concern.answered"
    EXPORT_MADE = "export.made"
    REFERRAL_MADE = "referral.made"
    JOINT_PACK_MADE = "joint_pack.made"
    JOINT_PACK_RECEIVED = "joint_pack.received"
    RELAY_COMMITTED = "relay.committed"
    FINDING_SUBMITTED = "finding.submitted"
    FINDING_ANSWERED = "finding.answered"
    FINDING_WITHDRAWN = "finding.withdrawn"
    FINDING_MOVED = "finding.moved"
    EVIDENCE_ADDED = "evidence.added"
    EVIDENCE_RETRACTED = "evidence.retracted"
    CONTRACT_WRITTEN = "contract.written"
    PROJECT_WRITTEN = "project.written"
    CASE_OPENED = "case.opened"
    CASE_JOINED = "case.joined"
    CASE_MOVED = "case.moved"
    CASE_CLOSED = "case.closed"
    CASE_RELAYED = "case.relayed"
    CASE_RECEIVED = "case.received"
    PARTICIPANT_ADDED = "participant.added"
    PARTICIPANT_REMOVED = "participant.removed"
    STATUS_STATED = "status.stated"
    DISCLOSURE_CHOSEN = "disclosure.chosen"
    EMBARGO_PROPOSED = "embargo.proposed"
    EMBARGO_ANSWERED = "embargo.answered"
    EMBARGO_BEGUN = "embargo.begun"
    EMBARGO_REVISED = "embargo.revised"
    EMBARGO_ENDED = "embargo.ended"
    CLOCK_FELL_DUE = "clock.fell_due"
    CREDIT_DECIDED = "credit.decided"
    DRAFT_WRITTEN = "draft.written"
    DRAFT_SENT = "draft.sent"
    FIX_PROPOSED = "fix.proposed"
    FIX_TESTED = "fix.tested"
    FIX_MOVED = "fix.moved"
    PRIORITY_SET = "priority.set"
    LEASE_TAKEN = "lease.taken"
    LEASE_RENEWED = "lease.renewed"
    LEASE_CLOSED = "lease.closed"
    OPERATOR_ENROLLED = "operator.enrolled"
    OPERATOR_VETTED = "operator.vetted"
    OPERATOR_ENDED = "operator.ended"
    INVENTORY_ACCEPTED = "inventory.accepted"
    TIERS_PUBLISHED = "tiers.published"
    NOTICE_SENT = "notice.sent"
    NOTICE_OPENED = "notice.opened"
    NOTICE_ANSWERED = "notice.answered"
    NOTICE_CORRECTED = "notice.corrected"
    REMEDY_PROVED = "remedy.proved"
    ADVISORY_PUBLISHED = "advisory.published"
    ADVISORY_WITHDRAWN = "advisory.withdrawn"
    FEED_IMPORTED = "feed.imported"
    COVER = "cover"


@dataclass(frozen=True, slots=True)
class Act:
    """One recorded deed.

    *about* is the id of the object the act concerns, *engagement* the dealings it belongs to.
    *detail* holds digests, times (RFC 3339 text) and short words: never floats, never content that
    the vault should hold.
    """

    id: str
    kind: Kind
    at: datetime
    actor: str
    about: str
    engagement: str
    detail: Mapping[str, Value] = field(default_factory=dict)


def instant(at: datetime) -> str:
    """RFC 3339 in UTC with microseconds, as every record spells a time.

    Raises: Invalid, if *at* carries no offset.
    """
    if at.tzinfo is None:
        raise Invalid("at", "a time needs an offset; give it one, UTC for preference")
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def to_record(act: Act) -> dict[str, Value]:
    """The mapping whose canonical encoding the log commits to."""
    return {
        "v": VERSION,
        "id": act.id,
        "kind": act.kind.value,
        "at": instant(act.at),
        "actor": act.actor,
        "about": act.about,
        "engagement": act.engagement,
        "detail": dict(act.detail),
    }


def from_record(record: Mapping[str, Value]) -> Act:
    """Read back what `to_record` made.

    Raises: Invalid, naming the field, for another version, an unknown kind or a missing field.
    """
    if record.get("v") != VERSION:
        raise Invalid("v", f"act records are version {VERSION}, not {record.get('v')!r}")
    texts: dict[str, str] = {}
    for name in ("id", "kind", "at", "actor", "about", "engagement"):
        value = record.get(name)
        if not isinstance(value, str):
            raise Invalid(name, "an act record needs this as text")
        texts[name] = value
    detail = record.get("detail")
    if not isinstance(detail, Mapping):
        raise Invalid("detail", "an act record needs this as a mapping")
    try:
        kind, at = Kind(texts["kind"]), datetime.fromisoformat(texts["at"])
    except ValueError as error:
        raise Invalid("kind/at", str(error)) from None
    return Act(
        texts["id"], kind, at, texts["actor"], texts["about"], texts["engagement"], dict(detail)
    )
