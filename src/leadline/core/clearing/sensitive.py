"""What in a report looks like a secret or like somebody's data, told by kind and place alone.

A text in which something is found is kept in the vault and shown to nobody until its finder stands by
it or hands in another. Only forms that hardly occur by chance are looked for; that nothing is found
says nothing.
"""

import re
from collections.abc import Iterator

_MARKS = (
    ("a private key", re.compile(r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----")),
    ("a cloud access key", re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b")),
    ("a token of a forge", re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|glpat-[A-Za-z0-9_-]{20})\b")),
    ("a signed web token", re.compile(r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}")),
    ("a password in an address", re.compile(r"\b[a-z][a-z0-9+.-]{1,15}://[^\s/:@]{1,64}:[^\s/@]{1,64}@")),
    ("a social security number", re.compile(r"(?i)\b(?:ssn|social security)\W{1,12}\d{3}-\d{2}-\d{4}\b")),
)  # fmt: skip
_CARD = re.compile(r"(?<![\d.-])(?:\d{4}[ -]){3}\d{4}(?![\d.-])")
_LINE_CHARACTERS_MAX = 10_000


def spotted(text: str) -> tuple[str, ...]:
    """Each kind that was found with its line, such as ``a private key (line 3)``; once per line."""
    lines = (line[:_LINE_CHARACTERS_MAX] for line in text.splitlines())
    return tuple(f"{kind} (line {at})" for at, line in enumerate(lines, 1) for kind in _kinds(line))


def _kinds(line: str) -> Iterator[str]:
    for kind, mark in _MARKS:
        if mark.search(line):
            yield kind
    if any(_luhn(found[0]) for found in _CARD.finditer(line)):
        yield "a payment card number"


def _luhn(text: str) -> bool:
    """The check digit of ISO/IEC 7812-1, annex B."""
    digits = [int(sign) for sign in reversed(text) if sign.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0
