"""The seal of places in collections, from one secret in ``keys/taxii.key`` that all processes share."""

import hmac
import secrets
from functools import partial

from leadline.formats.taxii import Seal
from leadline.settings import Home
from leadline.wiring.log import locked, write

KEY, KEY_BYTES = "taxii.key", 32


def seal(home: Home) -> Seal:
    """What this installation seals places with; without its secret, walks begin again, and nothing else."""
    place = home.keys / KEY
    with locked(home.keys / "taxii.lock"):
        if not place.exists():
            write(place, secrets.token_bytes(KEY_BYTES), 0o600)
    return partial(_sealed, place.read_bytes())


def _sealed(key: bytes, told: bytes) -> bytes:
    return hmac.digest(key, told, "sha256")
