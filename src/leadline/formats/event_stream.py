"""Event streams as they arrive: the data of each event, whatever the boundaries of the pieces.

Source: HTML Living Standard, section 9.2 (server-sent events): lines end in CR LF, LF or CR; a line
that begins with a colon is a comment; several ``data`` lines of one event are joined by LF.
"""

EVENT_BYTES_MAX = 1 << 20
_MARK = b"\xef\xbb\xbf"


class EventStream:
    """Takes pieces, gives the data of the events that they complete.

    An event of more than `EVENT_BYTES_MAX` is left out, and *lost* tells that one was.
    """

    def __init__(self) -> None:
        self.lost = False
        self._line = bytearray()
        self._data = list[bytes]()
        self._held = 0
        self._after_cr = False
        self._first = True

    def feed(self, piece: bytes) -> list[bytes]:
        """The data of each event that *piece* completes."""
        if self._after_cr and piece.startswith(b"\n"):
            piece, self._after_cr = piece[1:], False
        if not piece:
            return []
        self._after_cr = piece.endswith(b"\r")
        lines = piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        found = list[bytes]()
        for line in lines[:-1]:
            if not line and not self._line and not self._data:
                self._first = False
                continue  # an empty line that ends no event
            self._keep(line)
            whole = bytes(self._line)
            self._line.clear()
            done = self._take(whole)
            if done is not None:
                found.append(done)
        self._keep(lines[-1])
        return found

    def _keep(self, part: bytes) -> None:
        if self._held + len(self._line) + len(part) > EVENT_BYTES_MAX:
            self.lost = True
            self._line.clear()
            self._data.clear()
            self._held = 0
            return
        self._line += part

    def _take(self, line: bytes) -> bytes | None:
        """The data of the event that *line* ends, if it is empty and there was any."""
        if self._first:
            line, self._first = line.removeprefix(_MARK), False
        if not line:
            data, self._data, self._held = self._data, [], 0
            return b"\n".join(data) if data else None
        name, _, value = line.partition(b":")
        if name == b"data":
            self._data.append(value.removeprefix(b" "))
            self._held += len(value) + 1  # an empty one takes room as well
        return None
