"""Passwords with Argon2id (RFC 9106), at the lower of its two recommended memory costs.

At most four are computed at once in a process, so that sign-in cannot exhaust memory; whoever waits
longer than a few seconds for a turn is told to try again.
"""

import base64
import re
import secrets
import threading
from dataclasses import dataclass

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from leadline.app.sign_in import Matched
from leadline.core.errors import Invalid, Unavailable

SALT_BYTES, HASH_BYTES = 16, 32
CHARACTERS_MIN, BYTES_MAX = 12, 1024
AT_ONCE, TURN_SECONDS = 4, 10.0
_TURNS = threading.BoundedSemaphore(AT_ONCE)
_COST = re.compile(r"\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$")


@dataclass(frozen=True, slots=True)
class Cost:
    """The parameters of Argon2id; *memory* is in KiB."""

    memory: int = 64 * 1024
    passes: int = 3
    lanes: int = 4


class Passwords:
    """Hashes and checks passwords at one cost."""

    def __init__(self, cost: Cost | None = None, *, turn_seconds: float = TURN_SECONDS) -> None:
        self.cost, self.turn_seconds = cost or Cost(), turn_seconds
        # Checked where there is no such person, so that an unknown name takes as long as a known one.
        # What no password was hashed to, no password matches.
        salt, made = (_base64(secrets.token_bytes(size)) for size in (SALT_BYTES, HASH_BYTES))
        costs = f"m={self.cost.memory},t={self.cost.passes},p={self.cost.lanes}"
        self._nobody = f"$argon2id$v=19${costs}${salt}${made}"

    def new(self, password: str) -> str:
        """The PHC string of a new password.

        Raises: Invalid, for one that is too short or too long.
        """
        if len(password) < CHARACTERS_MIN:
            raise Invalid("password", f"{CHARACTERS_MIN} characters or more")
        return self._hash(_bytes(password))

    def matches(self, password: str, phc: str | None) -> Matched:
        """Whether the password is the one; None takes as long, and is never matched."""
        known = self._nobody if phc is None else phc
        try:
            with _turn(self.turn_seconds):
                Argon2id.verify_phc_encoded(_bytes(password), known)
        except InvalidKey:
            return Matched(ok=False, again=False)
        return Matched(ok=phc is not None, again=self._old(known))

    def _old(self, phc: str) -> bool:
        found = _COST.match(phc)
        numbers = tuple(map(int, found.groups())) if found else ()
        return numbers != (self.cost.memory, self.cost.passes, self.cost.lanes)

    def _hash(self, password: bytes) -> str:
        with _turn(self.turn_seconds):
            return Argon2id(
                salt=secrets.token_bytes(SALT_BYTES),
                length=HASH_BYTES,
                iterations=self.cost.passes,
                lanes=self.cost.lanes,
                memory_cost=self.cost.memory,
            ).derive_phc_encoded(password)


class _turn:  # noqa: N801 -- reads as a statement
    """One of the few places at which hashing may run."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __enter__(self) -> None:
        if not _TURNS.acquire(timeout=self._seconds):
            raise Unavailable("too many sign-ins at once; try again in a moment")

    def __exit__(self, *_: object) -> None:
        _TURNS.release()


def _base64(content: bytes) -> str:
    """Without padding, as PHC strings have it."""
    return base64.b64encode(content).rstrip(b"=").decode()


def _bytes(password: str) -> bytes:
    content = password.encode("utf-8", "surrogatepass")
    if len(content) > BYTES_MAX:
        raise Invalid("password", f"{BYTES_MAX} bytes at the most")
    return content
