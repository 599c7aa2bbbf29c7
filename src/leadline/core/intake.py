"""What an installation takes in: purposes, kinds of content, limits, and what was taken in."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from leadline.core.errors import Invalid

MIB = 1 << 20


class Hostile(Invalid):
    """An input of a shape that serves an attack. Its sender is told as anyone is; somebody looks at it."""


class Purpose(StrEnum):
    """What the depositor says an upload is for; each purpose has its own list of contents."""

    WEIGHTS = "weights"
    CONFIGURATION = "configuration"
    DOCUMENT = "document"
    EVIDENCE = "evidence"


class Content(StrEnum):
    """What bytes turned out to be. Nothing else is taken in."""

    SAFETENSORS = "safetensors"
    JSON = "json"
    TEXT = "text"
    PDF = "pdf"
    ZIP = "zip"
    TAR = "tar"
    TAR_GZIP = "tar.gz"


TAKEN: dict[Purpose, frozenset[Content]] = {
    Purpose.WEIGHTS: frozenset({Content.SAFETENSORS}),
    Purpose.CONFIGURATION: frozenset({Content.JSON, Content.TEXT}),
    Purpose.DOCUMENT: frozenset({Content.PDF, Content.TEXT, Content.JSON}),
    Purpose.EVIDENCE: frozenset(
        {Content.ZIP, Content.TAR, Content.TAR_GZIP, Content.TEXT, Content.JSON, Content.PDF}
    ),
}


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is taken. An upload ends at the smaller of its declared length and *upload_bytes*."""

    upload_bytes: int = 1 << 40
    text_bytes: int = 16 * MIB
    pdf_bytes: int = 64 * MIB
    archive_bytes: int = 64 * MIB
    inflated_bytes: int = 128 * MIB  # of all entries together, counted while inflating
    entries: int = 10_000
    ratio: int = 100
    path_bytes: int = 512
    bytes_per_second: int = 4096  # an upload slower than this, after the grace, is ended
    grace_seconds: float = 30.0

    def require_pace(self, came: int, seconds: float) -> None:
        """Return unless *came* bytes in *seconds* keep the installation waiting; raises Invalid."""
        if came < (seconds - self.grace_seconds) * self.bytes_per_second:
            least = self.bytes_per_second
            raise Invalid("upload", f"slower than {least} bytes a second; send it again")


DEFAULT = Limits()


@dataclass(frozen=True, slots=True)
class Judged:
    """What an upload was found to be. *entries*: of an archive; *parameters*: of weights."""

    content: Content
    entries: int = 0
    parameters: int = 0


@dataclass(frozen=True, slots=True)
class Taken:
    """What is known of an upload that was taken in: why it came, and what it was found to be.

    *id* is the artefact's, *digest* the SHA-256 of its content in hex.
    """

    id: str
    engagement: str
    digest: str
    bytes: int
    purpose: Purpose
    name: str
    judged: Judged
    received_at: datetime
    received_from: str


def check_purpose(purpose: Purpose, judged: Judged) -> None:
    """Return if content of this kind is taken for this purpose.

    Raises: Invalid, naming what is taken.
    """
    if judged.content not in TAKEN[purpose]:
        taken = ", ".join(sorted(TAKEN[purpose]))
        raise Invalid("content", f"{judged.content} is not taken as {purpose}; {taken} are")
