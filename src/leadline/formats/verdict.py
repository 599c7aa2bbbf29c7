"""Requests and verdicts between a low and a high side: signed notes of bounded size, fixed in form."""

from collections.abc import Mapping
from hashlib import sha256

from leadline.core.errors import Invalid
from leadline.core.sealed.verdict import (
    RunRequest,
    Verdict,
    check_request,
    check_verdict,
    request_record,
)
from leadline.formats import canonical
from leadline.formats.pack import flat, read_text, text
from leadline.formats.values import plain

REQUEST = "leadline/run-request/v1"
VERDICT = "leadline/verdict/v1"
FILE_BYTES_MAX = 8 << 10  # a verdict with its Ed25519 and its ML-DSA-44 signature is about 5 KiB


def request_digest(one: RunRequest) -> str:
    """SHA-256 of the canonical bytes of what was asked, in hex; a verdict names it."""
    return sha256(canonical.encode(request_record(one))).hexdigest()


def encode_request(one: RunRequest) -> str:
    """The text to sign; raises Invalid, if a field has not its form."""
    check_request(one)
    return text(REQUEST, request_record(one))


def decode_request(whole: str) -> RunRequest:
    """What `encode_request` wrote, as not answered yet; raises Invalid, naming the field."""
    value = read_text(REQUEST, _bounded(whole))
    if not isinstance(value, Mapping) or "answered" in value:
        raise Invalid("request", "the fields of a request are due")
    one = flat(RunRequest, "request", {**value, "answered": False})
    check_request(one)
    return one


def encode_verdict(one: Verdict) -> str:
    """The text to sign; raises Invalid, if a field has not its form."""
    check_verdict(one)
    return text(VERDICT, plain(one))


def decode_verdict(whole: str) -> Verdict:
    """What `encode_verdict` wrote; raises Invalid, naming the field."""
    one = flat(Verdict, "verdict", read_text(VERDICT, _bounded(whole)))
    check_verdict(one)
    return one


def _bounded(whole: str) -> str:
    if len(whole) > FILE_BYTES_MAX:
        raise Invalid("text", f"more than the {FILE_BYTES_MAX} characters that it may have")
    return whole
