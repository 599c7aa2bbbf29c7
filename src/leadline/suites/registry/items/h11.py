"""Read a chunked request that a proxy in front of the service has passed on.

Input: the request, bytes and all. The flaw is reached when the whole body is accepted although the two
bytes after a chunk are not the line's end that RFC 9112 demands there.
"""  # noqa: INP001 -- copied beside the release it drives; never imported from here

import importlib

h11 = importlib.import_module("h11")

REFUSALS: tuple[type[Exception], ...] = (h11.ProtocolError,)


def _well_formed(body: bytes) -> bool:
    """Whether *body* is chunks of which each ends as RFC 9112, 7.1, says."""
    rest = body
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        length = int(size.split(b";")[0], 16)
        if length == 0:
            return True
        if rest[length : length + 2] != b"\r\n":
            return False
        rest = rest[length + 2 :]
    return False


def one_input(data: bytes) -> bool:
    """Read the request; True if a malformed body was taken for whole."""
    connection = h11.Connection(h11.SERVER)
    connection.receive_data(data)
    chunked = False
    for _ in range(len(data)):
        event = connection.next_event()
        if isinstance(event, h11.Request):
            chunked = (b"transfer-encoding", b"chunked") in event.headers
        if isinstance(event, h11.EndOfMessage):
            return chunked and not _well_formed(data.partition(b"\r\n\r\n")[2])
    return False
