"""Read a request that a proxy in front of the service has passed on.

Input: the request, bytes and all. The proxy takes a length for what RFC 9112 allows, decimal digits (and
hexadecimal ones for a chunk), and anything else for none. The flaw is reached when the service takes a
body by a length that is none.
"""  # noqa: INP001 -- copied beside the release it drives; never imported from here

import importlib
import re

adjustments = importlib.import_module("waitress.adjustments")
parser = importlib.import_module("waitress.parser")

HEAD_MAX = 16
_LENGTH = re.compile(rb"[0-9]+")
_CHUNK = re.compile(rb"[0-9A-Fa-f]+")


def _strange(head: bytes, body: bytes) -> bool:
    """Whether a stated length, of the body or of its first chunk, is none."""
    lines = [line.partition(b":") for line in head.split(b"\r\n")[1:]]
    fields = {name.strip().lower(): value.strip(b" \t") for name, _, value in lines}
    if b"transfer-encoding" in fields:
        return not _CHUNK.fullmatch(body.split(b"\r\n")[0].split(b";")[0])
    return b"content-length" in fields and not _LENGTH.fullmatch(fields[b"content-length"])


def one_input(data: bytes) -> bool:
    """Read the request; True if a body came by a length that is none."""
    request = parser.HTTPRequestParser(adjustments.Adjustments())
    rest = data
    while rest and not request.completed:
        taken = request.received(rest)
        rest = rest[taken:]
        if taken == 0:
            break
    if not request.completed or request.error is not None or request.body_rcv is None:
        return False
    head, _, body = data.partition(b"\r\n\r\n")
    return len(request.body_rcv) > 0 and head.count(b"\r\n") < HEAD_MAX and _strange(head, body)
