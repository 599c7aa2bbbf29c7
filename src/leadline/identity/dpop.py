"""DPoP proofs (RFC 9449): that whoever sends a request holds the key a credential is bound to."""

import base64
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from urllib.parse import urlsplit

from joserfc import jwk, jws, jwt
from joserfc.errors import JoseError

from leadline.core.errors import Refused

ALGORITHMS = ("ES256", "EdDSA", "Ed25519")
SKEW = timedelta(seconds=60)
BYTES_MAX, NUMBER_MAX = 4096, 128
KEEP = 2 * SKEW + timedelta(seconds=10)
KEYS: Mapping[str, type[jwk.ECKey | jwk.OKPKey]] = {"EC": jwk.ECKey, "OKP": jwk.OKPKey}


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof that verified: *jkt* is its key's RFC 7638 thumbprint, *number* may serve once."""

    jkt: str
    number: str


@dataclass(frozen=True, slots=True)
class Sent:
    """The request a proof must be of; *credential* is what it authorises with."""

    method: str
    url: str
    credential: str


def verify(text: str, sent: Sent, now: datetime) -> Proof:
    """The proof, if it is of this request, fresh, and by the key it names.

    Raises: Refused, without saying more than which part does not hold.
    """
    if len(text) > BYTES_MAX:
        raise Refused("the DPoP proof is too long")
    try:
        found = jws.extract_compact(text.encode("ascii"))
        header = found.headers()
        key = KEYS[header["jwk"]["kty"]].import_key(header["jwk"])
        claims = jwt.decode(text, key, algorithms=list(ALGORITHMS)).claims
    except (JoseError, ValueError, KeyError, TypeError) as error:
        raise Refused("the DPoP proof does not verify") from error
    if key.is_private:
        raise Refused("the DPoP proof shows a private key, which is nobody's any more")
    if header.get("typ") != "dpop+jwt":
        raise Refused("the DPoP proof is of another type")
    number, at = claims.get("jti"), claims.get("iat")
    if not isinstance(number, str) or not 0 < len(number) <= NUMBER_MAX:
        raise Refused("the DPoP proof has no jti")
    if not isinstance(at, int) or isinstance(at, bool):
        raise Refused("the DPoP proof has no iat")
    if abs(now.timestamp() - at) > SKEW.total_seconds():
        raise Refused("the DPoP proof is not of this minute")
    due = {"htm": sent.method, "htu": _place(sent.url), "ath": ath(sent.credential)}
    told = {**claims, "htu": _place(str(claims.get("htu", "")))}
    for name, value in due.items():
        if not hmac.compare_digest(str(told.get(name, "")).encode(), value.encode()):
            raise Refused(f"the DPoP proof is of another request ({name})")
    return Proof(key.thumbprint(), f"{key.thumbprint()} {number}")


def ath(credential: str) -> str:
    """The credential's hash as a proof names it."""
    return _base64url(sha256(credential.encode("ascii", "replace")).digest())


def thumbprint(der: bytes) -> str:
    """``x5t#S256`` of a certificate (RFC 8705)."""
    return _base64url(sha256(der).digest())


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _place(url: str) -> str:
    """The URL without query and fragment, as RFC 9449 compares it."""
    parts = urlsplit(url)
    return f"{parts.scheme.lower()}://{parts.netloc.lower()}{parts.path}"
