"""A witness: it cosigns a log's checkpoint if it continues the one it cosigned before.

Anybody can run one. It learns a log's size and root and when they changed, and nothing of what the
log holds. What it vouches for is order: that all who see its cosignature see one growing log.

Upheld here: comparing with the last checkpoint and replacing it is one step, durable before the
answer. A witness whose memory is lost must refuse; that is for `Memory` to notice.

Source: C2SP tlog-witness; tlog-cosignature.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from leadline.app.signature import check, ml_dsa_required
from leadline.core.errors import Invalid, Tampered
from leadline.core.record import tlog
from leadline.formats import checkpoint, cosignature, tlog_witness
from leadline.formats.checkpoint import Checkpoint
from leadline.formats.note import Kind, Note, Signature, VerifierKey
from leadline.formats.tlog_policy import Policy
from leadline.formats.tlog_witness import AddCheckpoint

TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a witness says over HTTP. *kind* is the Content-Type."""

    status: int
    body: bytes
    kind: str = TEXT


@dataclass(frozen=True, slots=True)
class Seen:
    """The last head of one log that was cosigned."""

    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class Slot:
    """What the memory holds of one log while nobody else can change it.

    *replace* is durable when it returns.
    """

    seen: Seen | None
    replace: Callable[[Seen], None]


class Memory(Protocol):
    """What a witness remembers. Losing it without losing the key would let a log be rewritten."""

    def held(self, origin: str) -> AbstractContextManager[Slot]:
        """The slot of one log, for this caller alone, over all processes.

        Raises: Unavailable, if the memory is lost or unreadable.
        """
        ...


class Cosigner:
    """The keys of a witness: one Ed25519 and one ML-DSA-44 key under one name.

    A policy names one of the two for each witness; two lines would count one witness twice.

    Raises: Invalid, if *name* cannot name a key; Unavailable, if ML-DSA-44 is missing.
    """

    def __init__(self, name: str, ed25519: bytes, ml_dsa_44: bytes) -> None:
        self.name = name
        self._ed25519 = Ed25519PrivateKey.from_private_bytes(ed25519)
        with ml_dsa_required():
            self._ml_dsa = MLDSA44PrivateKey.from_seed_bytes(ml_dsa_44)
        classic = self._ed25519.public_key().public_bytes_raw()
        quantum = self._ml_dsa.public_key().public_bytes_raw()
        self._classic = VerifierKey(name, Kind.ED25519_COSIGNATURE, classic)
        self._quantum = VerifierKey(name, Kind.ML_DSA_44_COSIGNATURE, quantum)

    def vkeys(self) -> str:
        """The two C2SP verifier keys, one a line."""
        return f"{self._classic.line}\n{self._quantum.line}\n"

    def cosign(self, text: str, now: datetime) -> tuple[Signature, ...]:
        """Cosignatures of the checkpoint *text* at *now*, one per key."""
        seconds = int(now.timestamp())
        stamp = seconds.to_bytes(cosignature.TIMESTAMP_BYTES, "big")
        classic = self._ed25519.sign(cosignature.message(self._classic, text, seconds))
        quantum = self._ml_dsa.sign(
            cosignature.message(self._quantum, text, seconds),
            cosignature.context(Kind.ML_DSA_44_COSIGNATURE),
        )
        return tuple(
            Signature(self.name, key.id, stamp + blob)
            for key, blob in ((self._classic, classic), (self._quantum, quantum))
        )


@dataclass(frozen=True, slots=True)
class Witness:
    """A witness at work: its keys, the logs it knows by origin, and its memory."""

    cosigner: Cosigner
    logs: Mapping[str, Sequence[VerifierKey]]
    memory: Memory

    def add_checkpoint(self, body: bytes, now: datetime) -> Answer:
        """The answer to ``POST /add-checkpoint``, as the specification has it.

        Raises: Unavailable, if the memory is lost: then nothing is cosigned.
        """
        try:
            request = tlog_witness.parse_request(body)
        except Invalid as error:
            return _told(400, str(error))
        head = self._head(request)
        if isinstance(head, Answer):
            return head
        with self.memory.held(head.origin) as slot:
            refusal = _judge(slot.seen, request, head)
            if refusal is not None:
                return refusal
            slot.replace(Seen(head.size, head.root))
        lines = self.cosigner.cosign(request.signed.text, now)
        return Answer(200, tlog_witness.cosignature_lines(lines))

    def _head(self, request: AddCheckpoint) -> Checkpoint | Answer:
        """The head in the request, signed by a log this witness knows; or the refusal."""
        origin = request.signed.text.partition("\n")[0]
        if origin not in self.logs:
            return _told(404, "this witness does not know that log")
        try:
            _require_one(request.signed, self.logs[origin])
        except (Invalid, Tampered) as error:
            return _told(403, str(error))
        try:
            head = checkpoint.parse(request.signed.text)
        except Invalid as error:
            return _told(422 if error.field == "root" else 400, str(error))
        if request.old > head.size:
            return _told(400, f"old {request.old} is beyond the checkpoint's {head.size}")
        return head


def known_logs(policy: Policy) -> dict[str, list[VerifierKey]]:
    """The keys of each log of a policy, by origin.

    Raises: Invalid, if it names none.
    """
    logs = dict[str, list[VerifierKey]]()
    for log in policy.logs:
        logs.setdefault(log.key.name, []).append(log.key)
    if not logs:
        raise Invalid("policy", "it names no log; add a line `log VKEY`")
    return logs


def _told(status: int, problem: str) -> Answer:
    return Answer(status, f"{problem}\n".encode())


def _require_one(signed: Note, keys: Sequence[VerifierKey]) -> None:
    """Return if a known key signed, and no signature by a known key is bad."""
    present = [key for key in keys if any(line.by(key) for line in signed.signatures)]
    cosignature.require("checkpoint", signed, present, check)


def _judge(seen: Seen | None, request: AddCheckpoint, head: Checkpoint) -> Answer | None:
    """The refusal that is due, or None where the head continues what was seen."""
    size = seen.size if seen else 0
    if request.old != size:
        return Answer(409, f"{size}\n".encode(), tlog_witness.SIZE_TYPE)
    if seen is not None and head.size == size and head.root != seen.root:
        return Answer(409, f"{size}\n".encode(), tlog_witness.SIZE_TYPE)
    try:
        if size and seen:
            tlog.verify_consistency(size, head.size, request.proof, seen.root, head.root)
        elif request.proof:
            return _told(422, "from the empty log on there is nothing to prove")
    except (Invalid, Tampered) as error:
        return _told(422, str(error))
    return None
