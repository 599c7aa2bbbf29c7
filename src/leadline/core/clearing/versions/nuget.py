"""NuGet package versions: one to four numbers, a pre-release, build metadata.

Missing numbers are 0, case does not count, metadata is no part of the order. A pre-release identifier
is a number only if it fits 32 bits with its sign, as NuGet's own comparer reads it; a longer one, such
as a time stamp of fourteen digits, is text there and sorts after every number.
Sources: Microsoft, "NuGet package version reference"; NuGet.Versioning `VersionComparer`.
"""

import re

from leadline.core.clearing.versions.encoding import Unparseable, number, text

_FORM = re.compile(
    r"([0-9]+(?:\.[0-9]+){0,3})(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z.-]+)?"
)
_SIGNED = re.compile(r"-?[0-9]+")
_HALF = 2**31
_END, _NUMBER, _TEXT, _PRERELEASE, _RELEASE = b"\x00", b"\x01", b"\x02", b"\x00", b"\xff"


def key(version: str) -> bytes:
    """The sort key of a NuGet version.

    Raises: `Unparseable`, for more than four numbers, a leading ``v``, or an empty identifier.
    """
    match = _FORM.fullmatch(version)
    if match is None:
        raise Unparseable("nuget", version, "expected A[.B[.C[.D]]][-PRERELEASE][+METADATA]")
    parts = [int(part) for part in match[1].split(".")]
    release = b"".join(number(part) for part in (*parts, 0, 0, 0)[:4])
    if match[2] is None:
        return release + _RELEASE
    return release + _PRERELEASE + b"".join(map(_identifier, match[2].split("."))) + _END


def _identifier(identifier: str) -> bytes:
    if _SIGNED.fullmatch(identifier):
        value = int(identifier)
        if -_HALF <= value < _HALF:
            return _NUMBER + (value + _HALF).to_bytes(4, "big")
    return _TEXT + text(identifier.upper())
