"""What a developer's relay committed to, as the installation takes it: a signed head and sums, no entry."""

from hashlib import sha256

from leadline.app.context import Context
from leadline.app.engagement import Dealings
from leadline.app.signature import check
from leadline.core.access import Action
from leadline.core.errors import Refused, Tampered
from leadline.core.record.act import Kind, instant
from leadline.formats import cosignature, note
from leadline.formats.relay_journal import Statement, statement_of

PLACE = "relay commitments"


def read(content: bytes, vkeys: str) -> Statement:
    """The statement, if every key that can sign it did.

    Raises: Invalid, for what is no statement; Tampered, if a signature is missing or bad.
    """
    signed = note.parse(content)
    told = statement_of(signed.text)
    keys = [cosignature.text_key(one) for one in note.parse_vkeys(vkeys)]
    known = [one for one in keys if one is not None]
    if any(one.name != told.origin for one in known):
        raise Tampered(PLACE, f"the keys are not those of {told.origin}")
    cosignature.require(PLACE, signed, known, check)
    return told


def receive(ctx: Context, on: Dealings, content: bytes, vkeys: str) -> Statement:
    """Record what a relay committed to for an engagement.

    That a longer journal continues a shorter one is not proved by its head; who keeps both can have it
    proved by the entries.

    Raises: Invalid, Tampered, as `read`; Refused, if it is of other dealings, signed by other keys than
    the same relay's before, of fewer entries, or of as many and not the same.
    """
    ctx.require(Action.SUBMISSION_OFFER, on.resource())
    told, keys = read(content, vkeys), _digest(vkeys)
    if on.id not in told.engagements:
        raise Refused(f"these commitments say nothing of {on.id}")
    with ctx.store.read() as view:
        earlier = [one.act for one in view.acts(engagement=on.id, kind=Kind.RELAY_COMMITTED)]
    for act in earlier:
        if act.about == told.origin:
            if act.detail.get("keys", keys) != keys:  # older acts name none
                raise Refused(f"{told.origin} committed with other keys before; ask its developer")
            _follows(int(str(act.detail["size"])), str(act.detail["root"]), told)
    with ctx.store.write() as tx:
        tx.record(
            ctx.act(
                Kind.RELAY_COMMITTED,
                told.origin,
                on.id,
                size=told.size,
                root=told.root,
                keys=keys,
                stated=instant(told.at),
                keeps_bodies=told.keeps_bodies,
                **told.counts,
            )
        )
    return told


def _digest(vkeys: str) -> str:
    """SHA-256 of a key file, in whatever order its lines stand."""
    return sha256("\n".join(sorted(vkeys.split())).encode()).hexdigest()


def _follows(size: int, root: str, told: Statement) -> None:
    if told.size < size:
        raise Refused(f"{told.origin} committed to {size} entries before, now to {told.size}")
    if told.size == size and told.root != root:
        raise Refused(f"{told.origin} committed to another journal of {size} entries before")
