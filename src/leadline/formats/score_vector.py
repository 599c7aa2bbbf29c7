"""What a holder of a hazardous suite may hand over: a digest, a count, a score for each item. No text.

    {"suite_digest": 64 hexadecimal digits, "count": N, "scores": [N numbers], "signature": optional}

Every value has a form in which no item text fits: the digest is SHA-256, a score lies between 0 and 1
with at most three decimals, a signature is 64 bytes of Ed25519. Anything else refuses the whole
document, and no word of it stands in the error, so that nothing of it reaches a log or a record.
"""

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from leadline.core.errors import Invalid
from leadline.formats import document
from leadline.formats.canonical import encode

BYTES_MAX = 4 << 20
COUNT_MAX = 100_000
CONTEXT = b"leadline/scores/v1\0"
_FIELDS = frozenset({"suite_digest", "count", "scores", "signature"})
_DIGEST = re.compile(r"[0-9a-f]{64}")
_SIGNATURE = re.compile(r"[A-Za-z0-9+/]{86}==")
_MILLI = 1000


@dataclass(frozen=True, slots=True)
class ScoreVector:
    """Scores in thousandths, in the holder's order; *signature* is empty where there is none."""

    suite_digest: str
    thousandths: tuple[int, ...]
    signature: bytes = b""

    @property
    def signed(self) -> bytes:
        """The bytes that the signature is over: a context, then canonical JSON of the other fields."""
        return CONTEXT + encode(
            {"suite_digest": self.suite_digest, "thousandths": self.thousandths}
        )


def read(data: bytes, name: str) -> ScoreVector:
    """The scores in *data*.

    Raises: Invalid, naming the field but never quoting the document, if it has any other form.
    """
    try:
        held = document.load(data, name, BYTES_MAX)
    except Invalid:
        # Its message may quote the document.
        raise Invalid(name, "is no JSON object within bounds") from None
    if held.keys() - _FIELDS:
        raise Invalid(
            name, f"has other fields than {', '.join(sorted(_FIELDS))}; nothing of it was kept"
        )
    digest, count, scores = held.get("suite_digest"), held.get("count"), held.get("scores")
    if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
        raise Invalid("suite_digest", "must be SHA-256 in 64 small hexadecimal digits")
    if not isinstance(count, int) or isinstance(count, bool) or not 0 < count <= COUNT_MAX:
        raise Invalid("count", f"must be a whole number from 1 to {COUNT_MAX}")
    if not isinstance(scores, list) or len(scores) != count:
        raise Invalid("scores", "must be an array of as many numbers as count says")
    return ScoreVector(digest, tuple(_thousandths(one) for one in scores), _signature(held))


def _thousandths(score: object) -> int:
    if isinstance(score, bool) or not isinstance(score, int | float) or not 0 <= score <= 1:
        raise Invalid("scores", "each must be a number from 0 to 1")
    # As it was written: 0.1 is 100 thousandths, and a fourth decimal could carry more than a score.
    whole = round(score * _MILLI)
    if json.dumps(whole / _MILLI) != json.dumps(float(score)):
        raise Invalid("scores", "each may have three decimals at most")
    return whole


def _signature(held: Mapping[str, object]) -> bytes:
    given = held.get("signature")
    if given is None:
        return b""
    if not isinstance(given, str) or not _SIGNATURE.fullmatch(given):
        raise Invalid("signature", "must be an Ed25519 signature, 64 bytes in base64")
    return base64.b64decode(given)
