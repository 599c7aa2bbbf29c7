"""The committed random order: every draw follows from a seed that was fixed before the first run.

The 53-bit word of step t is the first 53 bits of SHA-256(seed || be64(t)). A word becomes an index
below m without modulo bias: with w = floor(2^53 / m), words of w*m and above are rejected and the
index is word // w. The r-th further word of a step (r = 1, 2, ...) is the first 53 bits of
SHA-256(seed || be64(t) || be64(r)). No library generator takes part, so that anyone can redo a draw
with a pocket implementation of SHA-256, on any platform and in any year.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import TypeVar

from leadline.core.errors import Invalid

T = TypeVar("T")

SEED_BYTES_MIN = 16  # 128 bits
_BITS = 53
_WORDS = 1 << _BITS


def derive_seed(secret: bytes, public: bytes) -> bytes:
    """The seed of the draws, SHA-256(secret || public).

    *secret* was committed to before the first run; *public* is a value that nobody knew then, such as
    a beacon round named in the plan. Neither party alone can choose the order.
    """
    return sha256(secret + public).digest()


def word(seed: bytes, step: int, again: int = 0) -> int:
    """The 53-bit word of *step*; *again* counts the rejected ones before it."""
    message = seed + step.to_bytes(8, "big") + (again.to_bytes(8, "big") if again else b"")
    return int.from_bytes(sha256(message).digest()[:8], "big") >> (64 - _BITS)


def index(seed: bytes, step: int, below: int) -> int:
    """A uniform index in 0..below-1 for *step*.

    Raises: Invalid, unless 1 <= below <= 2^53.
    """
    if not 1 <= below <= _WORDS:
        raise Invalid("below", f"an index needs 1 to 2^53 places, not {below}")
    width, again = _WORDS // below, 0
    while (drawn := word(seed, step, again)) >= width * below:
        again += 1
    return drawn // width


def draw_all(seed: bytes, items: Sequence[T]) -> tuple[T, ...]:
    """*items* in the order of *seed*: step t (from 1) takes one of those left, listed as given.

    Every order is equally likely over seeds.

    Raises: Invalid, if the seed is shorter than 128 bits.
    """
    if len(seed) < SEED_BYTES_MIN:
        raise Invalid("seed", f"at least {SEED_BYTES_MIN} random bytes are due, not {len(seed)}")
    left = list(items)
    return tuple(left.pop(index(seed, step, len(left))) for step in range(1, len(left) + 1))
