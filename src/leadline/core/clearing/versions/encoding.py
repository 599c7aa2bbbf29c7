"""The order-preserving bytes that all schemes share, and the two refusals."""

from leadline.core.errors import Invalid


class Unparseable(Invalid):
    """This version cannot be ordered under its scheme; the answer to any question is unknown."""

    code = "invalid"

    def __init__(self, scheme: str, version: str, problem: str) -> None:
        self.scheme, self.version = scheme, version
        super().__init__("version", f"{version!r} cannot be ordered as {scheme}: {problem}")


class Unsupported(Invalid):
    """This version scheme has no order here; the answer to any question is unknown."""

    code = "invalid"

    def __init__(self, scheme: str, known: tuple[str, ...]) -> None:
        self.scheme = scheme
        problem = f"{scheme!r} has no order here; the twelve schemes are {', '.join(known)}"
        super().__init__("scheme", problem)


def number(value: int) -> bytes:
    """A natural number below 2**2040 as bytes that sort as numbers do: length, then big-endian."""
    body = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return bytes([len(body)]) + body


def text(value: str) -> bytes:
    """ASCII text without NUL, closed by NUL so that a prefix sorts before what it begins."""
    return value.encode("ascii") + b"\x00"
