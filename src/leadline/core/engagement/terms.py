"""The terms under which a developer opens access: words for people, limits for machines.

EO 14409 sec. 3(b)(ii) names confidentiality, cybersecurity, insider risk, intellectual property, use
and nondisclosure. Terms have effect once both parties have agreed to the same digest.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from leadline.core.errors import Invalid, Refused
from leadline.core.record.act import Value, instant


@dataclass(frozen=True, slots=True)
class Terms:
    """Agreed terms. *purposes* are the short words a reader names when reading; *expires* ends access.

    *retention_days* counts from the end of access; 0 means until then.
    """

    confidentiality: str
    cybersecurity: str
    insider_risk: str
    intellectual_property: str
    use: str
    nondisclosure: str
    purposes: tuple[str, ...]
    retention_days: int
    expires: datetime

    def __post_init__(self) -> None:
        for name in WORDS:
            if not getattr(self, name).strip():
                raise Invalid(name, "say in words what was agreed, or that nothing was")
        if not self.purposes:
            raise Invalid("purposes", "name at least one purpose, such as 'assessment'")
        if self.retention_days < 0:
            raise Invalid("retention_days", f"{self.retention_days} days cannot be")
        instant(self.expires)

    @property
    def digest(self) -> str:
        """SHA-256 in hex of the terms' canonical JSON; what both parties agree to."""
        text = json.dumps(
            self.to_record(), sort_keys=True, separators=(",", ":"), ensure_ascii=False
        )
        return sha256(text.encode()).hexdigest()

    def to_record(self) -> dict[str, Value]:
        """The mapping that the digest is of."""
        words: dict[str, Value] = {name: str(getattr(self, name)) for name in WORDS}
        return words | {
            "purposes": self.purposes,
            "retention_days": self.retention_days,
            "expires": instant(self.expires),
        }

    def require(self, purpose: str, now: datetime) -> None:
        """Return if the terms cover reading for *purpose* at *now*.

        Raises: Refused, naming what the terms do cover.
        """
        if now >= self.expires:
            raise Refused(f"the terms expired at {instant(self.expires)}; agree new ones")
        if purpose not in self.purposes:
            covered = ", ".join(self.purposes)
            raise Refused(f"the terms cover {covered}, not {purpose!r}; agree new ones to read so")

    def destroy_by(self, ended: datetime) -> datetime:
        """When what was received under the terms is to be destroyed, given the end of access."""
        return ended + timedelta(days=self.retention_days)


WORDS = (
    "confidentiality",
    "cybersecurity",
    "insider_risk",
    "intellectual_property",
    "use",
    "nondisclosure",
)
