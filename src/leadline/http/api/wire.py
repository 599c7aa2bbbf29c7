"""What goes over the wire, and the one function that makes each of it from a core record."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from leadline.app.approval import Pending, challenge, digest
from leadline.core.account import Credential, RegisteredKey, Session, assurance
from leadline.core.engagement.concern import Count

Short = Annotated[str, Field(max_length=200)]
Long = Annotated[str, Field(max_length=65_536)]


class Wire(BaseModel):
    """Unknown fields are refused, so that a misspelt one is not silently left out."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PasswordIn(Wire):
    """A name and its password."""

    name: Short
    password: Annotated[str, Field(max_length=1024)]


class NewPasswordIn(Wire):
    """A password to be set."""

    password: Annotated[str, Field(max_length=1024)]


class InvitationIn(Wire):
    """A code that was shown once."""

    code: Short


class PasskeyIn(Wire):
    """A browser's answer to a challenge, as JSON text."""

    challenge: Short
    answer: Long


class SignedIn(Wire):
    """An answer to a challenge by another registered key; base64."""

    challenge: Short
    key: Short
    signature: Annotated[str, Field(max_length=4096)]


class ReturnIn(Wire):
    """What the provider sent the browser back with."""

    visit: Short
    returned: Annotated[str, Field(max_length=8192)]


class RedirectIn(Wire):
    """Where the provider shall send the browser back to."""

    redirect: Annotated[str, Field(max_length=1024)]


class CredentialIn(Wire):
    """What a new credential shall be good for."""

    scopes: Annotated[list[Short], Field(min_length=1, max_length=64)]
    engagement: Short
    binding: Short
    expires: datetime
    note: Short = ""


class ApprovalIn(Wire):
    """A signature over a request: a passkey's answer, or a key's id and signature."""

    answer: Long = ""
    key: Short = ""
    method: Short = ""
    signature: Annotated[str, Field(max_length=4096)] = ""


class RequestIn(Wire):
    """An intended act on an engagement, to be signed before it is done."""

    action: Short
    engagement: Short
    detail: dict[str, str] = Field(default_factory=dict, max_length=32)


class SessionOut(Wire):
    """One session; nothing in it opens anything."""

    id: str
    principal: str
    methods: list[str]
    assurance: int
    started: datetime
    seen: datetime
    client: str


class Begun(Wire):
    """A session as it begins. *csrf* goes into the X-CSRF-Token header of requests that change something."""

    session: SessionOut
    csrf: str


class ChallengeOut(Wire):
    """What to sign: hex for a key, options for a browser."""

    challenge: str
    to_sign: str
    options: dict[str, object]


class RegistrationOut(Wire):
    """What a browser is asked to make."""

    challenge: str
    options: dict[str, object]


class VisitOut(Wire):
    """A visit to the provider; *visit* stays with this client."""

    visit: str
    url: str


class KeyOut(Wire):
    """A registered key."""

    id: str
    method: str
    added: datetime
    note: str


class CredentialOut(Wire):
    """A credential; its secret is not kept anywhere."""

    id: str
    scopes: list[str]
    engagement: str
    binding: str
    issued: datetime
    expires: datetime
    note: str


class IssuedOut(Wire):
    """A new credential with its secret, shown this once."""

    credential: CredentialOut
    secret: str


class PendingOut(Wire):
    """A request for approval, with all that will be done."""

    id: str
    action: str
    kind: str
    resource: str
    engagement: str
    requester: str
    at: datetime
    expires: datetime
    detail: dict[str, object]
    digest: str
    to_sign: str
    approvers: list[str]
    asserted: bool


class CountOut(Wire):
    """Concerns of a sector; null stands for fewer than five, or would tell of fewer."""

    sector: str
    raised: int | None
    answered: int | None
    unanswered: int | None


def count(found: Count) -> CountOut:
    """From the record."""
    return CountOut(
        sector=found.sector,
        raised=found.raised,
        answered=found.answered,
        unanswered=found.unanswered,
    )


def session(found: Session) -> SessionOut:
    """From the record."""
    return SessionOut(
        id=found.id,
        principal=found.principal,
        methods=sorted(found.methods),
        assurance=assurance(found.methods),
        started=found.started,
        seen=found.seen,
        client=found.client,
    )


def key(found: RegisteredKey) -> KeyOut:
    """From the record."""
    return KeyOut(id=found.id, method=found.method, added=found.added, note=found.note)


def credential(found: Credential) -> CredentialOut:
    """From the record."""
    return CredentialOut(
        id=found.id,
        scopes=sorted(found.scopes),
        engagement=found.engagement,
        binding=found.binding,
        issued=found.issued,
        expires=found.expires,
        note=found.note,
    )


def pending(found: Pending) -> PendingOut:
    """From the record."""
    asked = found.request
    return PendingOut(
        id=asked.id,
        action=asked.action.value,
        kind=asked.kind,
        resource=asked.resource,
        engagement=asked.engagement,
        requester=asked.requester,
        at=asked.at,
        expires=asked.expires,
        detail=dict(asked.detail),
        digest=digest(asked).hex(),
        to_sign=challenge(asked).hex(),
        approvers=sorted(found.approvers),
        asserted=found.asserted,
    )
