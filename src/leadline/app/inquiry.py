"""An inquiry from its file to its answer: sent by the developer, answered by the deciding role or not."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from leadline.app import engagement as desk
from leadline.app.context import Context
from leadline.app.engagement import Dealings
from leadline.core.assessment import Subject
from leadline.core.engagement.engagement import Engagement
from leadline.core.engagement.inquiry import UNKNOWN, Inquiry, Question
from leadline.core.engagement.library import Library
from leadline.core.engagement.regime import require_effect
from leadline.core.errors import Invalid, NotFound, Refused
from leadline.core.record.act import Act, Kind, Value
from leadline.formats.canonical import decode


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer as it stands in the record; *signed* is the request that the official signed."""

    act: str
    index: int
    at: datetime
    by: str
    answer: str
    reasons: tuple[str, ...]
    signed: str


@dataclass(frozen=True, slots=True)
class Asked:
    """One inquiry with its answers, oldest first; none is a normal state and changes nothing."""

    act: str
    index: int
    at: datetime
    by: str
    digest: str
    said: Mapping[str, str]
    answers: tuple[Answered, ...]


def fresh(ctx: Context, library: Library, regime: str) -> Dealings:
    """Dealings that do not exist yet, under the text of *regime* that has effect now.

    Raises: NotFound, for a regime that there is not; Refused, for one without effect.
    """
    text = library.on(regime, ctx.now.date())
    require_effect(text, ctx.now)
    return Dealings(ctx.new_id("engagement"), ctx.principal.org, text, library)


def lodge(ctx: Context, on: Dealings, inquiry: Inquiry) -> Act:
    """Ask; the draft of the engagement is opened where there is none.

    What was answered goes to the vault, its digest on record. Asking again is always possible.

    Raises: Invalid, if nothing was answered; Denied; Refused, after a withdrawal or an end.
    """
    if not inquiry.answers:
        raise Invalid("inquiry", "nothing is answered yet; the model's name is enough to ask")
    with ctx.store.read() as view:
        drafted = bool(view.find(Engagement, engagement=on.id))
    if not drafted:
        model = inquiry.answers.get(Question.MODEL, UNKNOWN)
        # Nothing of the weights is known, and nothing is asked of them.
        desk.open_draft(ctx, on, model, Subject("model", model, ""))
    desk.lodge_inquiry(ctx, on, inquiry.to_record())
    with ctx.store.read() as view:
        return view.acts(engagement=on.id, kind=Kind.INQUIRY_LODGED)[-1].act


def asked(ctx: Context, on: Dealings) -> tuple[Asked, ...]:
    """Every inquiry of an engagement with its answers, for whoever may read it."""
    desk.standing(ctx, on)
    with ctx.store.read() as view:
        lodged = view.acts(engagement=on.id, kind=Kind.INQUIRY_LODGED)
        given = view.acts(engagement=on.id, kind=Kind.INQUIRY_ANSWERED)
    found = []
    for one in lodged:
        answers = tuple(
            Answered(
                other.act.id,
                other.index,
                other.act.at,
                other.act.actor,
                str(other.act.detail.get("answer")),
                _texts(other.act.detail.get("caveats")),
                str(other.act.detail.get("request", "")),
            )
            for other in given
            if other.act.detail.get("inquiry") == one.act.id
        )
        digest = str(one.act.detail.get("question", ""))
        said = _said(ctx, digest) if digest else {}
        found.append(Asked(one.act.id, one.index, one.act.at, one.act.actor, digest, said, answers))
    return tuple(found)


def _texts(value: Value) -> tuple[str, ...]:
    return tuple(str(one) for one in value) if isinstance(value, tuple) else ()


def _said(ctx: Context, digest: str) -> Mapping[str, str]:
    """What was asked; empty, where the developer's material no longer opens."""
    value: Value
    try:
        value = decode(ctx.vault.get(digest))
    except (NotFound, Refused):
        value = None
    held = value if isinstance(value, Mapping) else {}
    return {key: str(one) for key, one in held.items()}
