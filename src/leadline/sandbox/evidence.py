"""The record of an egress proof: what was expected, what was seen, and by which box."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal

from leadline.sandbox.box import Identity
from leadline.sandbox.config import canonical

Outcome = Literal["proved", "refuted", "void"]


@dataclass(frozen=True, slots=True)
class Check:
    """One observation against what is expected of a sealed box."""

    id: str
    expected: str
    observed: str
    ok: bool


@dataclass(frozen=True, slots=True)
class Control:
    """One canary tried from outside: it must answer, or the silence inside means nothing."""

    id: str
    reached: bool
    accepted: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """The record of one proof; `digest` is what samples carry.

    *image_digest* covers names, kinds, sizes and modes of everything under the image and the binds,
    not the bytes of their files. *limits* names what enforces each bound of the box. *started* and *ended* are UTC.
    """

    run: str
    shard: str
    host_boot_id: str
    kernel: str
    provider: str
    provider_version: str
    box_digest: str
    seal_digest: str
    config_digest: str
    image_digest: str
    sbxinit_digest: str
    seccomp_digest: str
    probe_digest: str
    mode: str
    tier: str
    limits: Mapping[str, str]
    checks: tuple[Check, ...]
    positive_controls: tuple[Control, ...]
    started: str
    ended: str

    @property
    def _driver(self) -> tuple[str, str]:
        return self.provider_version, self.tier

    @property
    def outcome(self) -> Outcome:
        """`void` if a control failed, else whether every check holds."""
        if not self.positive_controls or not all(
            c.reached and c.accepted for c in self.positive_controls
        ):
            return "void"
        return "proved" if all(check.ok for check in self.checks) else "refuted"

    @property
    def ok(self) -> bool:
        """Whether a run may start on it."""
        return self.outcome == "proved"

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON of `to_dict`, in hexadecimal."""
        return hashlib.sha256(canonical(self.to_dict())).hexdigest()

    def to_dict(self) -> dict[str, object]:
        """The record as JSON values, with its outcome."""
        document: dict[str, object] = json.loads(json.dumps(asdict(self)))
        return {**document, "outcome": self.outcome}

    def covers(self, identity: Identity, boot_id: str) -> bool:
        """As `supports`, for a box that may differ in its read-only binds alone.

        What such binds hold was not part of the proof: look at them with `egress.sockets_under`.
        """
        parts = (identity.seal, identity.init, identity.seccomp, identity.kernel, identity.mode)
        own = (self.seal_digest, self.sbxinit_digest, self.seccomp_digest, self.kernel, self.mode)
        same = parts == own and self._driver == (identity.driver, identity.tier)
        return self.ok and same and self.host_boot_id == boot_id

    def supports(self, identity: Identity, boot_id: str) -> bool:
        """Whether a box of *identity*, on the host started as *boot_id*, is what was proved."""
        return self.ok and self.box_digest == identity.digest and self.host_boot_id == boot_id
