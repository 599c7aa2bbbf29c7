"""Semantic Versioning 2.0.0, and npm's reading of it.

Build metadata is no part of the order. `semver` allows a leading ``v`` and one to three release
numbers, as published advisories write them (a missing number is 0); ``npm`` asks for three, allows a
leading ``v`` or ``=``, and refuses numbers above 2**53 - 1, as node-semver does.
Sources: semver.org, version 2.0.0, clauses 2 to 11; node-semver 7 `parse`.
"""

import re

from leadline.core.clearing.versions.encoding import Unparseable, number, text

_LOOSE = re.compile(
    r"v?([0-9]+)(?:\.([0-9]+))?(?:\.([0-9]+))?(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?"
)
_NPM = re.compile(
    r"[v=\s]*(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)"
    r"(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?"
)
_NPM_NUMBER_MAX = 2**53 - 1
_NPM_CHARACTERS_MAX = 256
_END, _NUMBER, _TEXT, _RELEASE = b"\x00", b"\x01", b"\x02", b"\xff"


def key(version: str) -> bytes:
    """The sort key of a semantic version.

    Raises: `Unparseable`, for more than three release numbers, or an empty or zero-padded identifier.
    """
    match = _LOOSE.fullmatch(version)
    if match is None:
        raise Unparseable("semver", version, "expected MAJOR.MINOR.PATCH[-PRERELEASE][+BUILD]")
    release = [int(match[group] or 0) for group in (1, 2, 3)]
    return b"".join(map(number, release)) + _prerelease("semver", version, match[4])


def npm_key(version: str) -> bytes:
    """The sort key of a version as npm orders it.

    Raises: `Unparseable`, where node-semver's strict `parse` gives null.
    """
    match = _NPM.fullmatch(version)
    if match is None or len(version) > _NPM_CHARACTERS_MAX:
        raise Unparseable("npm", version, "expected MAJOR.MINOR.PATCH[-PRERELEASE][+BUILD]")
    release = [int(match[group]) for group in (1, 2, 3)]
    if max(release) > _NPM_NUMBER_MAX:
        raise Unparseable("npm", version, f"a number is above {_NPM_NUMBER_MAX}")
    return b"".join(map(number, release)) + _prerelease("npm", version, match[4])


def _prerelease(scheme: str, version: str, prerelease: str | None) -> bytes:
    """A release sorts after its pre-releases; fewer identifiers sort before more."""
    if prerelease is None:
        return _RELEASE
    parts = [b"\x00"]
    for identifier in prerelease.split("."):
        if not identifier:
            raise Unparseable(scheme, version, "a pre-release identifier is empty")
        if not identifier.isdigit():
            parts.append(_TEXT + text(identifier))
        elif identifier != "0" and identifier.startswith("0"):
            raise Unparseable(scheme, version, f"identifier {identifier!r} is padded with zeros")
        else:
            parts.append(_NUMBER + number(int(identifier)))
    return b"".join(parts) + _END
