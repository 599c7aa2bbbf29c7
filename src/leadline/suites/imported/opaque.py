"""Domains whose items never enter: a holder runs its own suite and reports scores alone.

Biology and chemistry exist here in this way only. What is kept is what `formats.score_vector` lets
through; the domain and the holder's name are given by whoever enters the report, not by the report.
"""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from leadline.core.errors import Invalid, NotFound, Tampered
from leadline.core.measure.estimate import Json
from leadline.core.measure.interval import Interval, clustered
from leadline.formats import score_vector
from leadline.formats.score_vector import ScoreVector

Domain = Literal["biology", "chemistry", "other"]
DOMAINS: tuple[Domain, ...] = ("biology", "chemistry", "other")
_HOLDER = re.compile(r"[\w][\w .,&()'-]{0,79}")
_MILLI = 1000


@dataclass(frozen=True, slots=True)
class Reported:
    """A holder's result: counts and an interval, never an item. *signature* says what was checked."""

    domain: Domain
    holder: str
    suite_digest: str
    count: int
    solved: int  # items with a full score
    estimate: Interval
    signature: str
    sha256: str  # of the document as it was handed over

    @property
    def provenance(self) -> str:
        """Whose word it is."""
        return f"reported by {self.holder}, not run here"

    def answer(self) -> dict[str, Json]:
        """What ``leadline run import-scores --json`` prints."""
        return {
            "domain": self.domain,
            "holder": self.holder,
            "suite_digest": self.suite_digest,
            "count": self.count,
            "solved": self.solved,
            "estimate": self.estimate.to_dict(),
            "signature": self.signature,
            "sha256": self.sha256,
            "provenance": self.provenance,
            "containment": "not evidenced",
            "identity": "not evidenced",
        }


def read_report(path: Path, domain: str, holder: str, key: Path | None = None) -> Reported:
    """The report in *path*; *key* is the holder's Ed25519 public key in PEM.

    Raises: NotFound, if a file is absent; Invalid, for a document of any other form, a domain that is
    none or a name with signs that names do not have; Tampered, if the signature is not *key*'s.
    """
    if domain not in DOMAINS:
        raise Invalid("--domain", f"is none of {', '.join(DOMAINS)}")
    if not _HOLDER.fullmatch(holder):
        raise Invalid("--holder", "is no name of at most 80 letters, digits and common signs")
    data = _read(path, score_vector.BYTES_MAX + 1)
    vector = score_vector.read(data, path.name)
    scores = [one / _MILLI for one in vector.thousandths]
    return Reported(
        domain=next(one for one in DOMAINS if one == domain),
        holder=holder,
        suite_digest=vector.suite_digest,
        count=len(scores),
        solved=vector.thousandths.count(_MILLI),
        estimate=clustered(scores, range(len(scores)), n_runs=len(scores)),
        signature=_checked(vector, key),
        sha256=hashlib.sha256(data).hexdigest(),
    )


def _read(path: Path, bytes_max: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(bytes_max)
    except (FileNotFoundError, IsADirectoryError):
        raise NotFound(f"{path} is no file") from None


def _checked(vector: ScoreVector, key: Path | None) -> str:
    if not vector.signature:
        if key is not None:
            raise Tampered("signature", "is absent, though a key was given to check it with")
        return "none"
    if key is None:
        return "there, not checked: give the holder's key with --key"
    try:
        public = load_pem_public_key(_read(key, 1 << 16))
    except ValueError as error:
        raise Invalid(str(key), f"is no public key in PEM: {error}") from error
    if not isinstance(public, Ed25519PublicKey):
        raise Invalid(str(key), "is no Ed25519 key")
    try:
        public.verify(vector.signature, vector.signed)
    except InvalidSignature:
        raise Tampered("signature", "does not verify with the key given") from None
    named = hashlib.sha256(public.public_bytes_raw()).hexdigest()
    return f"verified, key {named[:16]}"
