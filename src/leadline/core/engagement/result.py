"""A result on its way to one named person: until when, for what, under which terms."""

from dataclasses import dataclass
from datetime import datetime

from leadline.core.errors import Invalid
from leadline.core.record.act import instant

NAME_MAX = 120


@dataclass(frozen=True, slots=True)
class Result:
    """One recipient's own entry; another recipient of the same thing has another.

    *digest* is the SHA-256 of the content in the vault, *terms* of the terms it was sent under, empty
    where its recipient is of the developer. *purpose* is what it was sent for.
    """

    id: str
    engagement: str
    developer: str
    recipient: str
    name: str
    digest: str
    size: int
    until: datetime
    purpose: str
    terms: str
    sent_at: datetime
    sent_by: str
    sender_org: str

    def __post_init__(self) -> None:
        instant(self.until)
        if not self.name or len(self.name) > NAME_MAX or not self.name.isprintable():
            raise Invalid("name", f"say in up to {NAME_MAX} characters what is sent")
        if self.until <= self.sent_at:
            raise Invalid("until", f"{instant(self.until)} is past; name a later end")
