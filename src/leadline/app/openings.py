"""Opening a random sample of a sealed run to a third party, which then verifies it by itself.

The third party names its randomness after the reveal; which items are opened follows from that. It is
an unsealing: two others sign for it, each item opened stands in the ledger, and only custodians'
shares can do it. The ceremony has the shares on one host, so it is held where nobody else works.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from leadline.app import approval, sealed
from leadline.app.context import Context
from leadline.core.access import Action
from leadline.core.approval import Granted, Request
from leadline.core.errors import Refused, Tampered
from leadline.core.record.act import Kind
from leadline.core.sealed.exposure import Showing
from leadline.core.sealed.pack import (
    Opening,
    Pack,
    chosen,
    item_commitment,
    opened,
    outcome_commitment,
    root,
)
from leadline.core.sealed.session import SealedReport, Stage
from leadline.formats.pack import PackedItem


@dataclass(frozen=True, slots=True)
class Unlocked:
    """A pack's items, and salt and record of every outcome in the order of the report's root."""

    items: Sequence[PackedItem]
    outcomes: Sequence[tuple[bytes, bytes]]


Unlock = Callable[[Pack, str, bytes, bytes], Unlocked]
"""Given pack, session, ciphertext and evidence; what custodians together can do."""


def ask(ctx: Context, session_id: str, randomness: str, count: int) -> Request:
    """Ask two others to sign that *count* items may be opened, chosen by *randomness* (hex)."""
    _, row = sealed.standing(ctx, Action.PACK_READ, session_id)
    detail = _detail(session_id, randomness, count)
    return approval.ask(ctx, Action.PACK_UNSEAL, sealed.thing(row), detail)


def open_sample(
    ctx: Context, session_id: str, randomness: str, count: int, granted: Granted, unlock: Unlock
) -> tuple[Opening, ...]:
    """The openings of the chosen items and of as many outcomes.

    Raises: Refused, before the reveal's score was released, or if the approvals are for another
    sample; Tampered, if pack or evidence is not what was committed to.
    """
    session, row = sealed.standing(ctx, Action.PACK_UNSEAL, session_id, granted)
    told = session.value
    told.stage.require(Stage.REPORTED, "an opening")
    if dict(granted.request.detail) != _detail(session_id, randomness, count):
        raise Refused("these approvals were given for another sample")
    places = chosen(bytes.fromhex(randomness), len(told.shown), count)
    with ctx.store.read() as view:
        report = view.get(SealedReport, session_id).value
    with ctx.store.write() as tx:
        approval.use(tx, granted)
        for place in places:
            one = Showing(
                id=ctx.new_id("showing"),
                item=told.shown[place],
                pack=row.id,
                family="",
                model="",
                host="",
                mode="opened",
                at=ctx.now,
                who=ctx.principal.id,
            )
            tx.put(one.id, one, marking=row.marking, engagement=row.engagement)
            tx.record(
                ctx.act(
                    Kind.ITEM_EXPOSED,
                    row.value.name,
                    row.engagement,
                    item=one.item,
                    mode=one.mode,
                    randomness=randomness,
                )
            )
    ciphertext, evidence = ctx.vault.get(row.value.artefact), ctx.vault.get(report.evidence)
    found = unlock(row.value, session_id, ciphertext, evidence)
    return _openings(found, told.shown, told.root, report.outcomes, places)


def _openings(
    found: Unlocked,
    shown: Sequence[str],
    items_root: str,
    outcomes_root: str,
    places: Sequence[int],
) -> tuple[Opening, ...]:
    by_commitment = {item.commitment.hex(): item for item in found.items}
    if not set(shown) <= by_commitment.keys():
        raise Tampered("pack", "an item that was committed to is not in it")
    items = [by_commitment[one] for one in shown]
    leaves = [item_commitment(item.salt, item.record) for item in items]
    results = [outcome_commitment(salt, record) for salt, record in found.outcomes]
    if (root(leaves).hex(), root(results).hex()) != (items_root, outcomes_root):
        raise Tampered("evidence", "items or outcomes are not those committed to")
    ordered = sorted(leaves)
    opened_items = [
        opened("item", leaves, place, items[place].salt, items[place].record) for place in places
    ]
    # The report's root is over outcomes in the order of their items' commitments.
    at = [ordered.index(leaves[place]) for place in places]
    return (*opened_items, *(opened("outcome", results, n, *found.outcomes[n]) for n in at))


def _detail(session_id: str, randomness: str, count: int) -> dict[str, str]:
    return {"session": session_id, "randomness": randomness, "openings": str(count)}
