"""What crosses between a low and a high side: a request one way, a verdict the other.

Upheld here: every field is a digest, an unguessable id, a whole number or one of a few words, so
that nothing can be said in it that was not agreed; a verdict answers one request once.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from leadline.core.errors import Invalid, Refused
from leadline.core.record.act import Value, instant
from leadline.core.sealed.session import LABELS, MODES

DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)
ID = re.compile(r"[a-z]{1,16}-[0-9a-f]{32}", re.ASCII)
FAMILY = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}", re.ASCII)


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What the low side asks for. *pack* is the name that both sides use for the set."""

    id: str
    pack: str
    model: str  # digest of the subject
    family: str
    terms: str
    nonce: str
    expires: datetime
    answered: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """What comes back, whole. Ranges are percent; *request* is the digest of the request's record."""

    id: str
    asked: str  # the request's id
    request: str
    model: str
    low: int
    high: int
    interval_low: int
    interval_high: int
    items: int
    commitment: str
    outcomes: str
    driver: str
    mode: str


def check_request(one: RunRequest) -> None:
    """Return if every field has its form; raises Invalid, naming the first that has not."""
    forms = {
        "id": (ID, one.id),
        "pack": (ID, one.pack),
        "model": (DIGEST, one.model),
        "family": (FAMILY, one.family),
        "terms": (DIGEST, one.terms),
        "nonce": (DIGEST, one.nonce),
    }
    _formed(forms)


def check_verdict(one: Verdict) -> None:
    """Return if every field has its form; raises Invalid, naming the first that has not."""
    forms = {
        "id": (ID, one.id),
        "asked": (ID, one.asked),
        "request": (DIGEST, one.request),
        "model": (DIGEST, one.model),
        "commitment": (DIGEST, one.commitment),
        "outcomes": (DIGEST, one.outcomes),
    }
    _formed(forms)
    for low, high in ((one.low, one.high), (one.interval_low, one.interval_high)):
        if not 0 <= low < high <= 100:  # noqa: PLR2004 -- percent
            raise Invalid("low, high", "a range runs from 0 to 100 percent, low end first")
    if not 1 <= one.items <= 100_000:  # noqa: PLR2004 -- as many as a pack may hold
        raise Invalid("items", "1 to 100000 are due")
    if one.driver not in LABELS or one.mode not in MODES:
        raise Invalid("driver, mode", "not one that is known here")


def check_answer(one: Verdict, request: RunRequest | None, digest: str, now: datetime) -> None:
    """Return if *one* answers *request*, whose record has *digest*, for the first time and in time.

    Raises: Refused, naming what does not fit.
    """
    if request is None:
        raise Refused("a verdict nobody here asked for")
    if request.answered:
        raise Refused("this request was answered already")
    if now >= request.expires:
        raise Refused(f"the request ended on {instant(request.expires)}")
    if (one.request, one.model) != (digest, request.model):
        raise Refused("the verdict is about another request or another model")


def request_record(one: RunRequest) -> Mapping[str, Value]:
    """The mapping that is signed; whether it was answered is this side's own knowledge."""
    return {
        "id": one.id,
        "pack": one.pack,
        "model": one.model,
        "family": one.family,
        "terms": one.terms,
        "nonce": one.nonce,
        "expires": instant(one.expires),
    }


def _formed(forms: Mapping[str, tuple[re.Pattern[str], str]]) -> None:
    for name, (form, text) in forms.items():
        if not form.fullmatch(text):
            raise Invalid(name, "not in the form agreed; nothing else may stand here")
