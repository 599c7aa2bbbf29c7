"""Messages to owners: drafted here, sent by a person, never faster than the recipient takes them.

One message may tell of several findings, and of several cases of one project, so that a maintainer reads
one text and not five. What was sent stands; what is found later follows up on it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from leadline.core.clearing.contract import Contract, lane_of
from leadline.core.clearing.directory import Channel
from leadline.core.clearing.pacing import Delivered, Slot, Waiting, schedule


@dataclass(frozen=True, slots=True)
class Piece:
    """What one message says about one case: to which of its parties, about which findings."""

    case: str
    party: str
    findings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Message:
    """One drafted message. Its text is in the vault under *digest*, marked TLP:RED.

    *lane* is the recipient's queue, *follows* a message that was sent before, *replaced_by* the one
    that this was merged into. *rank* orders the queue.
    """

    id: str
    project: str
    lane: str
    channel: Channel
    to: str
    digest: str
    pieces: tuple[Piece, ...]
    written: datetime
    by: str
    rank: int = 0
    unreplayed: str = ""
    follows: str = ""
    replaced_by: str = ""
    sent: datetime | None = None
    sent_by: str = ""
    where: str = ""

    @property
    def findings(self) -> tuple[str, ...]:
        """Every finding that it tells of."""
        return tuple(one for piece in self.pieces for one in piece.findings)


class Post(StrEnum):
    """What has become of a draft."""

    READY = "may be sent"
    QUEUED = "queued"
    MERGED = "merged into another"
    SENT = "sent"


@dataclass(frozen=True, slots=True)
class Placed:
    """A draft with its place: *slot* is None for one that waits for nothing any more."""

    message: Message
    post: Post
    slot: Slot | None = None


def lane(project: str, to: str) -> str:
    """The queue of a recipient: its project's, or that of its address where there is no project."""
    return lane_of(project) if project else lane_of(f"address {to.lower()}")


def placed(
    contracts: Sequence[Contract],
    messages: Sequence[Message],
    closed: frozenset[str],
    attacked: frozenset[str],
    now: datetime,
) -> tuple[Placed, ...]:
    """Every draft with its place in its recipient's queue, in order of id.

    *closed* are closed cases, *attacked* those of which attacks are known: what tells of one of these
    waits for nobody.
    """
    delivered = [
        Delivered(one.lane, one.sent, open=any(piece.case not in closed for piece in one.pieces))
        for one in messages
        if one.sent is not None and not one.follows
    ]
    left = [one for one in messages if one.sent is None and not one.replaced_by]
    fresh = [_waiting(one, attacked) for one in left if not one.follows]
    slots = dict(schedule(contracts, fresh, delivered, now))
    for one in left:
        if one.follows:
            # It is read with what was sent, and takes no further place: only a pause holds it back.
            slots |= schedule(contracts, [_waiting(one, attacked)], (), now)
    ordered = sorted(messages, key=lambda one: one.id)
    return tuple(_placed(one, slots, now) for one in ordered)


def _waiting(one: Message, attacked: frozenset[str]) -> Waiting:
    known = any(piece.case in attacked for piece in one.pieces)
    return Waiting(one.id, one.lane, one.written, one.rank, "attacks are known" if known else "")


def _placed(one: Message, slots: Mapping[str, Slot], now: datetime) -> Placed:
    if one.replaced_by:
        return Placed(one, Post.MERGED)
    if one.sent is not None:
        return Placed(one, Post.SENT)
    slot = slots[one.id]
    return Placed(one, Post.READY if slot.due(now) else Post.QUEUED, slot)
