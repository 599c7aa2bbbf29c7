"""The folder that an inquiry is written in: its file, and under which engagement it was sent."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from leadline.app.given import content
from leadline.core.engagement.inquiry import Inquiry, Question
from leadline.core.errors import Invalid
from leadline.formats import inquiry_toml

if TYPE_CHECKING:
    from leadline.app.audience import Audience
    from leadline.app.engagement import Dealings
    from leadline.app.inquiry_draft import InquiryDraft
    from leadline.core.record.act import Act
    from leadline.wiring.desk import AtDesk

REGIME = "us-eo-14409"
FILE, SENT = "inquiry.toml", "engagement"


@dataclass(frozen=True, slots=True)
class Folder:
    """One inquiry's folder; what is not there yet is an inquiry without answers."""

    path: Path

    def inquiry(self) -> Inquiry:
        """What was answered so far.

        Raises: NotFound, if there is no such file; Invalid, naming file and key.
        """
        file = self.path / FILE
        return inquiry_toml.load_inquiry(content(file, inquiry_toml.BYTES_MAX), str(file))

    def begun(self) -> Inquiry:
        """As `inquiry`, an empty one where nothing was written yet."""
        return self.inquiry() if (self.path / FILE).exists() else Inquiry()

    def keep(self, inquiry: Inquiry) -> None:
        """Write the file, whole or not at all."""
        write(self.path / FILE, inquiry_toml.dump_inquiry(inquiry))

    def engagement(self) -> str:
        """The engagement that it was, or was about to be, sent under; empty before that."""
        file = self.path / SENT
        return content(file, 1 << 10).decode("ascii", "replace").strip() if file.exists() else ""


def saying(inquiry: Inquiry, pair: str) -> Inquiry:
    """The inquiry with one more answer from ``NAME=ANSWER``.

    Raises: Invalid, for a name that is no question, or an answer that is none.
    """
    name, mark, text = pair.partition("=")
    if not mark or name not in set(Question):
        raise Invalid("--answer", f"{name[:60]!r}: write NAME=ANSWER, one of {', '.join(Question)}")
    return inquiry.saying(Question(name), text)


def dealings(me: "AtDesk", folder: Folder, regime: str) -> "Dealings":
    """The dealings that the folder's inquiry belongs to; new ones, where it was never sent.

    Raises: as `leadline.app.inquiry.fresh`.
    """
    from leadline.app import inquiry as use
    from leadline.app.engagement import Dealings

    id_ = folder.engagement()
    found = use.fresh(me.ctx, me.library, regime)
    if known(me, id_):
        return me.dealings(id_)
    # Where an id was kept, sending was interrupted before anything was written.
    return Dealings(id_ or found.id, found.developer, found.regime, me.library)


def lodge(me: "AtDesk", folder: Folder, on: "Dealings") -> "tuple[Act | None, str]":
    """Send the folder's inquiry, and answer its act; None, where that very inquiry waits already.

    The engagement's id is kept first, so that an interruption anywhere sends nothing twice.
    """
    from leadline.app import inquiry as use

    asked = folder.inquiry()
    if on.id == folder.engagement() and waits(me, on, asked):
        return None, on.id
    write(folder.path / SENT, on.id.encode() + b"\n")
    return use.lodge(me.ctx, on, asked), on.id


def draft_dealings(me: "AtDesk", draft: "InquiryDraft", regime: str = REGIME) -> "Dealings":
    """The dealings that a person's draft belongs to; new ones, where it was never sent.

    Raises: as `leadline.app.inquiry.fresh`.
    """
    from leadline.app import inquiry as use
    from leadline.app.engagement import Dealings

    if known(me, draft.engagement):
        return me.dealings(draft.engagement)
    found = use.fresh(me.ctx, me.library, regime)
    return Dealings(draft.engagement, found.developer, found.regime, me.library)


def draft_audience(me: "AtDesk", draft: "InquiryDraft") -> "Audience":
    """Who could see the draft once it is lodged."""
    from leadline.app.audience import audience
    from leadline.wiring.people import roles

    return audience(me.ctx, roles(), draft_dealings(me, draft))


def lodge_draft(me: "AtDesk", draft: "InquiryDraft") -> str:
    """Send a person's draft and discard it; answers the engagement's id.

    What waits already, because sending was interrupted, is not sent twice.
    """
    from leadline.app import inquiry as use
    from leadline.app import inquiry_draft
    from leadline.wiring.regimes import questions

    on, asked = draft_dealings(me, draft), draft.inquiry(questions())
    if not waits(me, on, asked):
        use.lodge(me.ctx, on, asked)
    inquiry_draft.discard(me.ctx, draft.id)
    return on.id


def known(me: "AtDesk", engagement: str) -> bool:
    """Whether there is such an engagement for this person to know of."""
    from leadline.app import listing

    return any(one.id == engagement for one in listing.engagements(me.ctx))


def waits(me: "AtDesk", on: "Dealings", inquiry: Inquiry) -> bool:
    """Whether the newest inquiry of the engagement is this one, and has no answer."""
    from leadline.app import inquiry as use

    if not known(me, on.id):
        return False
    found = use.asked(me.ctx, on)
    return bool(found) and found[-1].said == inquiry.to_record() and not found[-1].answers


def write(file: Path, data: bytes) -> None:
    """Write *file* in one step, for its owner's eyes; its folder is made.

    Raises: Invalid, naming the file, where that is not possible.
    """
    new = file.with_name(f".{file.name}.new")
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        new.unlink(missing_ok=True)
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as out:
            out.write(data)
        new.replace(file)
    except OSError as error:
        raise Invalid(str(file), f"cannot be written: {error.strerror}") from error
