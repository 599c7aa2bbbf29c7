"""An authenticator in software: it makes the attestation and assertion objects a real one makes.

Its flags, counter, origin and relying party can each be set wrong, as an attacker's would be.
"""

import base64
import json
import secrets
from dataclasses import dataclass, field
from hashlib import sha256

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

UP, UV, AT = 0x01, 0x04, 0x40


def b64(content: bytes) -> str:
    """base64url without padding, as browsers write it."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    """The opposite."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class SoftwarePasskey:
    """One discoverable credential (ES256) on one device."""

    rp_id: str = "localhost"
    origin: str = "https://localhost:8443"
    flags: int = UP | UV
    count: int = 0
    private: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    handle: bytes = field(default_factory=lambda: secrets.token_bytes(32))

    def create(self, options: dict[str, object]) -> str:
        """The answer to `navigator.credentials.create`, as JSON text."""
        client = self._client("webauthn.create", str(options["challenge"]))
        numbers = self.private.public_key().public_numbers()
        cose = cbor2.dumps(
            {
                1: 2,
                3: -7,
                -1: 1,
                -2: numbers.x.to_bytes(32, "big"),
                -3: numbers.y.to_bytes(32, "big"),
            }
        )
        attested = bytes(16) + len(self.handle).to_bytes(2, "big") + self.handle + cose
        data = self._data(self.flags | AT) + attested
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        response = {"clientDataJSON": b64(client), "attestationObject": b64(attestation)}
        return self._answer(response)

    def get(self, options: dict[str, object]) -> str:
        """The answer to `navigator.credentials.get`, as JSON text."""
        self.count += 1
        client = self._client("webauthn.get", str(options["challenge"]))
        data = self._data(self.flags)
        signature = self.private.sign(data + sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        response = {
            "clientDataJSON": b64(client),
            "authenticatorData": b64(data),
            "signature": b64(signature),
        }
        return self._answer(response)

    def _client(self, kind: str, challenge: str) -> bytes:
        told = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps(told).encode()

    def _data(self, flags: int) -> bytes:
        return sha256(self.rp_id.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big")

    def _answer(self, response: dict[str, str]) -> str:
        handle = b64(self.handle)
        return json.dumps(
            {"id": handle, "rawId": handle, "type": "public-key", "response": response}
        )
