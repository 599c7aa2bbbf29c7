"""A submission pack on its way into the vault, under the terms in effect, with one act at the end."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256

from leadline.app import engagement as desk
from leadline.app import terms, vaulting
from leadline.app.context import Context
from leadline.app.engagement import PARTIES, Dealings
from leadline.app.ports import Writing
from leadline.app.vaulting import Material, Offer
from leadline.core.access import Action
from leadline.core.engagement.engagement import require_going_on
from leadline.core.engagement.submission import Piece, Row, Submission, completeness, retention
from leadline.core.engagement.terms import Terms
from leadline.core.errors import Invalid, Refused
from leadline.core.record.act import Kind, Value, instant
from leadline.core.vaulting import Artefact
from leadline.formats.canonical import encode

Content = Callable[[Piece], Iterable[bytes]]


@dataclass(frozen=True, slots=True)
class Offered:
    """What was offered: the manifest's artefact, each file's, and the terms they came under."""

    manifest: Artefact
    files: tuple[Artefact, ...]
    terms: str


def checked(ctx: Context, on: Dealings, pack: Submission) -> tuple[tuple[Row, ...], str]:
    """What each text of the engagement speaks of and whether it is there, and a word on retention.

    The word is empty where the pack's days are the terms', or no terms are in effect.
    """
    stands = desk.standing(ctx, on)
    agreed = _in_effect(ctx, on)
    return completeness(stands.regimes, pack), retention(pack, agreed) if agreed else ""


def offer(ctx: Context, on: Dealings, pack: Submission, content: Content) -> Offered:
    """Deposit every file of the pack and its manifest, and record what was offered.

    An absent part is no reason not to. What is interrupted leaves files that were received, each with
    its act, and no offer; offering again offers all of it.

    Raises: Denied; Invalid, for a pack that says nothing or a file that changed since it was added;
    Refused, without terms in effect, or after a withdrawal or an end.
    """
    ctx.require(Action.SUBMISSION_OFFER, on.resource())
    if not pack.facts and not pack.pieces:
        raise Invalid("pack", "is empty; a model's name, or one file, is a beginning")
    agreed = _terms(ctx, on)
    require_going_on(desk.standing(ctx, on).acts)
    for piece in pack.pieces:
        _unchanged(piece, content)
    mine = Material(on.id, on.developer, "developer")
    files = tuple(_deposited(ctx, mine, agreed, piece, content) for piece in pack.pieces)
    record: dict[str, Value] = {
        "engagement": on.id,
        "terms": agreed.digest,
        "pack": pack.to_record(),
        "artefacts": tuple(one.id for one in files),
    }
    text = encode(record)

    def beside(tx: Writing, kept: Artefact) -> None:
        require_going_on(one.act for one in tx.acts(engagement=on.id))
        detail = {"party": "developer", "manifest": kept.digest, "terms": agreed.digest}
        tx.record(ctx.act(Kind.SUBMISSION_OFFERED, kept.id, on.id, **detail, files=len(files)))

    taken = Offer(mine, PARTIES, sealed=False, bytes_max=len(text), terms=agreed.digest)
    manifest = vaulting.deposit(ctx, taken, [text], beside)
    return Offered(manifest, files, agreed.digest)


def _terms(ctx: Context, on: Dealings) -> Terms:
    """The terms that everything comes under; raises Refused, if there are none."""
    agreed = _in_effect(ctx, on)
    if agreed is None:
        raise Refused("no terms are in effect; both parties sign the same text first")
    if ctx.now >= agreed.expires:
        raise Refused(f"the terms expired at {instant(agreed.expires)}; agree new ones")
    return agreed


def _in_effect(ctx: Context, on: Dealings) -> Terms | None:
    with ctx.store.read() as view:
        return terms.text(view, on.id)


def _unchanged(piece: Piece, content: Content) -> None:
    running = sha256()
    for chunk in content(piece):
        running.update(chunk)
    if running.hexdigest() != piece.digest:
        raise Invalid(piece.file, "changed since it was added; add it again")


def _deposited(
    ctx: Context, mine: Material, agreed: Terms, piece: Piece, content: Content
) -> Artefact:
    taken = Offer(mine, PARTIES, sealed=False, bytes_max=piece.size, terms=agreed.digest)
    return vaulting.deposit(ctx, taken, content(piece))
