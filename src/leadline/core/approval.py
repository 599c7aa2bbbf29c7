"""Approvals: what a person signed, about exactly one act, that cannot serve for another.

Source: trust.md 2.3 and 6 (fresh assertion per act). A request fixes everything that will be done;
its digest, with the server's nonce, is what an approver's key signs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from leadline.core.access import Action

LIFETIME = timedelta(minutes=15)
CONTEXT = b"leadline/assert/v1"

Detail = str | int | bool | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Request:
    """One intended act, as its approvers see it. *detail* names digests and persons, no content."""

    id: str
    action: Action
    kind: str
    resource: str
    engagement: str
    requester: str
    at: datetime
    nonce: str  # 32 random bytes in hex
    detail: Mapping[str, Detail] = field(default_factory=dict)
    used: bool = False

    @property
    def expires(self) -> datetime:
        """The instant from which on no approval of it counts."""
        return self.at + LIFETIME


@dataclass(frozen=True, slots=True)
class Approval:
    """One person's signature over one request, with all that an auditor needs to verify it.

    *method*: ``webauthn`` (passkey), ``certificate`` (X.509 key, PIV or CAC style) or ``key`` (an
    Ed25519 key kept in a file: no proof that its holder was there). *evidence* is base64 text by name.
    """

    id: str
    request: str
    principal: str
    at: datetime
    method: str
    key: str  # id of the registered key
    evidence: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Granted:
    """What verified, unexpired and unused approvals of one request amount to.

    *approvers* never contains the requester; *asserted* is the requester's own assertion.
    """

    request: Request
    approvers: frozenset[str]
    asserted: bool
