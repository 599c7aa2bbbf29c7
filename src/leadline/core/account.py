"""What a person signs and signs in with, apart from what the person may do.

Nothing here is a secret: a registered key holds public halves only.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Method(StrEnum):
    """How a person signs. ``key`` shows possession of a file, never that its holder was there."""

    KEY = "key"
    CERTIFICATE = "certificate"
    WEBAUTHN = "webauthn"


@dataclass(frozen=True, slots=True)
class RegisteredKey:
    """A key that one person signs with; *method* is a `Method`.

    *public* is base64: the COSE key of a passkey, the DER certificate of a card, the 32 bytes of an
    Ed25519 key. *handle* is what the holder's device knows it by: a passkey's credential id, the
    SHA-256 of a certificate. *rp_id* and *origin* are the only ones a passkey's signature counts
    for, *count* is the signature counter last seen.
    """

    id: str
    principal: str
    method: str
    public: str
    added: datetime
    ended: datetime | None = None
    note: str = ""
    handle: str = ""
    rp_id: str = ""
    origin: str = ""
    count: int = 0

    def held(self, at: datetime) -> bool:
        """Whether it was registered and not yet ended at that instant."""
        return self.added <= at and (self.ended is None or at < self.ended)
