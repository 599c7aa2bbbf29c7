"""Debian package versions: ``[epoch:]upstream[-revision]``.

Text runs and number runs alternate. In a text run ``~`` sorts before the end of the run, letters
before all other signs; an absent number counts as 0, an absent revision as ``0``.
Source: Debian Policy 5.6.12, and `verrevcmp` of dpkg.
"""

import re

from leadline.core.clearing.versions.encoding import Unparseable, number

_FORM = re.compile(
    r"(?:(?P<epoch>[0-9]+):)?(?P<upstream>[0-9A-Za-z.+~:-]+?)(?:-(?P<revision>[0-9A-Za-z.+~]+))?"
)
_RUNS = re.compile(r"([^0-9]*)([0-9]*)")
_TILDE, _END, _LETTERS, _SIGNS = 1, 2, 3, 80


def key(version: str) -> bytes:
    """The sort key of a Debian version.

    Raises: `Unparseable`, if upstream does not begin with a digit, uses a sign Debian does not know,
    holds a colon without an epoch before it, or ends in an empty revision.
    """
    match = _FORM.fullmatch(version)
    if match is None or version.endswith("-"):
        raise Unparseable("deb", version, "expected [EPOCH:]UPSTREAM[-REVISION]")
    upstream = match["upstream"]
    if not upstream[0].isdigit():
        raise Unparseable("deb", version, "the upstream part does not begin with a digit")
    if ":" in upstream and match["epoch"] is None:
        raise Unparseable("deb", version, "a colon without an epoch before it")
    return number(int(match["epoch"] or 0)) + _part(upstream) + _part(match["revision"] or "0")


def _part(part: str) -> bytes:
    """Runs of one part; no key is a prefix of another, because the end mark sorts apart from signs."""
    encoded = bytearray()
    for signs, digits in _RUNS.findall(part):
        if signs or digits:
            encoded += bytes(map(_weight, signs))
            encoded.append(_END)
            encoded += number(int(digits or 0))
    encoded.append(_END)
    return bytes(encoded)


def _weight(sign: str) -> int:
    if sign == "~":
        return _TILDE
    return _LETTERS + ord(sign) - ord("A") if sign.isalpha() else _SIGNS + ord(sign)
