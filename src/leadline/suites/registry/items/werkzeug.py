"""Read the cookies of a request. Input: the value of its Cookie header.

A browser lets nobody else set a cookie whose name begins with "__Host-", and the request has none. The
flaw is reached when the service sees one.
"""  # noqa: INP001 -- copied beside the release it drives; never imported from here

import importlib

werkzeug = importlib.import_module("werkzeug.http")

PROTECTED = "__Host-"


def _sent(header: str) -> bool:
    """Whether a browser would name a protected cookie in *header*."""
    return any(part.strip(" \t").startswith(PROTECTED) for part in header.split(";"))


def one_input(data: bytes) -> bool:
    """Read the header; True if a protected cookie appears that no browser has sent."""
    header = data.decode("latin-1")
    if _sent(header):
        return False
    return any(name.startswith(PROTECTED) for name in werkzeug.parse_cookie(header))
