"""Whoever holds a DPoP key, and proves it with each request."""

import secrets
from datetime import datetime

from joserfc import jwk, jwt

from leadline.identity import dpop
from leadline.identity.dpop import Sent


class Prover:
    """One key."""

    def __init__(self, kind: str = "EC") -> None:
        made: jwk.ECKey | jwk.OKPKey = (
            jwk.ECKey.generate_key("P-256") if kind == "EC" else jwk.OKPKey.generate_key("Ed25519")
        )
        self.key, self.algorithm = made, "ES256" if kind == "EC" else "Ed25519"
        self.public, self.private = made.as_dict(private=False), made.as_dict(private=True)

    @property
    def jkt(self) -> str:
        """The thumbprint that a credential is bound to."""
        return self.key.thumbprint()

    def proof(
        self,
        sent: Sent,
        now: datetime,
        *,
        header: dict[str, object] | None = None,
        claims: dict[str, object] | None = None,
    ) -> str:
        """A proof of one request; *header* and *claims* set parts wrong, None leaves one out."""
        head = {"typ": "dpop+jwt", "alg": self.algorithm, "jwk": self.public, **(header or {})}
        told: dict[str, object] = {
            "jti": secrets.token_urlsafe(16),
            "htm": sent.method,
            "htu": sent.url,
            "iat": int(now.timestamp()),
            "ath": dpop.ath(sent.credential),
            **(claims or {}),
        }
        kept = {name: value for name, value in told.items() if value is not None}
        return jwt.encode(head, kept, self.key, algorithms=[self.algorithm])
